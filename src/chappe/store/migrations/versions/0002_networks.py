"""networks: routes, carriers, leases, words of receipts"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    nothing = sa.text("''")
    op.add_column("early_receipts", sa.Column("word", sa.Text(), nullable=False, server_default=nothing))
    op.add_column("early_receipts", sa.Column("reason", sa.Text(), nullable=False, server_default=nothing))
    op.create_table(
        "routes",
        _id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routes")),
        sa.UniqueConstraint("kind", "prefix", name=op.f("uq_routes_kind_prefix")),
    )
    op.create_table(
        "carriers",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("status", Json(), nullable=False),
        sa.Column("learnt", Json(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carriers")),
        sa.UniqueConstraint("name", name=op.f("uq_carriers_name")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )


def downgrade() -> None:
    op.drop_table("leases")
    op.drop_table("carriers")
    op.drop_table("routes")
    op.drop_column("early_receipts", "reason")
    op.drop_column("early_receipts", "word")
