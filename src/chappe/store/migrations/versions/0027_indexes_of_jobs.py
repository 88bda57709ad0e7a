"""indexes of jobs: a page of deliveries reads its own rows, and those that wait are found among themselves

Building the one index reads the table once: some seconds for ten million jobs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_jobs_account_id_kind_id"), table_name="jobs")
    op.create_index(op.f("ix_jobs_account_id_id"), "jobs", ["account_id", "id"])
    _create_partial("ix_jobs_waiting_of", ["account_id", "kind", "id"], "state = 'waiting'")
    # Of two indexes that would do, SQLite takes the younger one.
    op.drop_index("ix_jobs_dead_of", table_name="jobs")
    _create_partial("ix_jobs_dead_of", ["account_id", "id"], "state = 'dead'")


def _create_partial(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "jobs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    op.drop_index("ix_jobs_waiting_of", table_name="jobs")
    op.drop_index(op.f("ix_jobs_account_id_id"), table_name="jobs")
    op.create_index(op.f("ix_jobs_account_id_kind_id"), "jobs", ["account_id", "kind", "id"])
