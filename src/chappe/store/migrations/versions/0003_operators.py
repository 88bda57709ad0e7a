"""operators: who sees the network, fallbacks of routes, dead jobs, minutes of traffic"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBERS = ("accepted", "submitted", "delivered", "failed", "received")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("operator", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("routes", sa.Column("fallbacks", sa.Text(), nullable=False, server_default=sa.text("''")))
    dead = sa.text("state = 'dead'")
    op.create_index("ix_jobs_dead", "jobs", ["id"], sqlite_where=dead, postgresql_where=dead)
    op.create_index("ix_jobs_dead_of", "jobs", ["account_id", "id"], sqlite_where=dead, postgresql_where=dead)
    op.create_table(
        "minutes",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _NUMBERS),
        sa.Column("acceptance", Json(), nullable=False),
        sa.Column("submission", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minutes")),
    )
    op.create_index(op.f("ix_minutes_at"), "minutes", ["at"])


def downgrade() -> None:
    op.drop_table("minutes")
    op.drop_index("ix_jobs_dead_of", "jobs")
    op.drop_index("ix_jobs_dead", "jobs")
    op.drop_column("routes", "fallbacks")
    op.drop_column("accounts", "operator")
