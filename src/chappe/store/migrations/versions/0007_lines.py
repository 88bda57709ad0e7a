"""lines: telephone lines; every account has the one that its Keyyo login names"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lines",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("allowed_sources", sa.Text(), nullable=False),
        sa.Column("notification_url", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lines")),
        sa.UniqueConstraint("number", name=op.f("uq_lines_number")),
    )
    op.create_index(op.f("ix_lines_account_id"), "lines", ["account_id"])
    op.execute(
        "insert into lines (id, account_id, number, allowed_sources, notification_url, created_at)"
        " select id, account_id, login, '', '', created_at from credentials where dialect = 'keyyo'"
    )


def downgrade() -> None:
    op.drop_table("lines")
