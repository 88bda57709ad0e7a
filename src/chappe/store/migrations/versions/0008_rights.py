"""rights: bases of advertising, senders, what an account may spend in a day and where it may write"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    nothing = sa.text("''")
    op.add_column("accounts", sa.Column("daily_cap", sa.BigInteger(), nullable=True))
    op.add_column(
        "accounts", sa.Column("open_destinations", sa.Text(), nullable=False, server_default=nothing)
    )
    op.create_table(
        "marketing_bases",
        _id(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("basis", sa.String(32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("withdrawn_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_marketing_bases")),
    )
    op.create_index(op.f("ix_marketing_bases_account_id_id"), "marketing_bases", ["account_id", "id"])
    live = sa.text("withdrawn_at is null")
    op.create_index(
        "uq_marketing_bases_live",
        "marketing_bases",
        ["account_id", "number"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "senders",
        _id(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_senders")),
        sa.UniqueConstraint("account_id", "sender", name=op.f("uq_senders_account_id_sender")),
    )
    op.create_table(
        "spending",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_spending")),
    )


def downgrade() -> None:
    op.drop_table("spending")
    op.drop_table("senders")
    op.drop_table("marketing_bases")
    op.drop_column("accounts", "open_destinations")
    op.drop_column("accounts", "daily_cap")
