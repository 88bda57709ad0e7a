"""calls: calls and their legs"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "calls",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=False),
        sa.Column("plan", Json(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("joined_at", Utc(), nullable=True),
        sa.Column("over_at", Utc(), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("ref", name=op.f("uq_calls_ref")),
    )
    op.create_index(op.f("ix_calls_account_id_id"), "calls", ["account_id", "id"])
    live = sa.text("over_at is null")
    op.create_index(
        "ix_calls_open", "calls", ["node", "account_id"], sqlite_where=live, postgresql_where=live
    )
    op.create_table(
        "legs",
        _id(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("ringing_at", Utc(), nullable=True),
        sa.Column("answered_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("cause", sa.String(32), nullable=True),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legs")),
    )
    op.create_index(op.f("ix_legs_call_id"), "legs", ["call_id"])
    op.create_index(op.f("ix_legs_account_id_number_id"), "legs", ["account_id", "number", "id"])
    up = sa.text("ended_at is null")
    op.create_index("ix_legs_open", "legs", ["account_id"], sqlite_where=up, postgresql_where=up)


def downgrade() -> None:
    op.drop_table("legs")
    op.drop_table("calls")
