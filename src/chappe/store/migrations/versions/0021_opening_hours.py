"""opening hours: the named weekly spans and closures of accounts"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "opening_hours",
        sa.Column("id", kind, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spans", Json(), nullable=False),
        sa.Column("closures", Json(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_hours")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_opening_hours_account_id_name")),
    )


def downgrade() -> None:
    op.drop_table("opening_hours")
