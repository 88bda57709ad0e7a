"""announcements: one message told to many telephones"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "announcements",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("voice", sa.Text(), nullable=False),
        sa.Column("sound", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=True),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("repeat_key", sa.Text(), nullable=False),
        sa.Column("answer_keys", sa.Text(), nullable=False),
        sa.Column("on_machine", sa.String(32), nullable=False),
        sa.Column("on_person", sa.String(32), nullable=False),
        sa.Column("ring_seconds", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("pause", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("opens", sa.BigInteger(), nullable=False),
        sa.Column("closes", sa.BigInteger(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("driver", sa.BigInteger(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("cancelled_at", Utc(), nullable=True),
        sa.Column("over_at", Utc(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
        sa.UniqueConstraint("ref", name=op.f("uq_announcements_ref")),
    )
    op.create_index(op.f("ix_announcements_account_id_id"), "announcements", ["account_id", "id"])
    live = sa.text("over_at is null")
    op.create_index(
        "ix_announcements_open", "announcements", ["account_id"], sqlite_where=live, postgresql_where=live
    )
    op.create_table(
        "recipients",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("announcement_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("over_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
        sa.UniqueConstraint("ref", name=op.f("uq_recipients_ref")),
    )
    op.create_index(op.f("ix_recipients_announcement_id_id"), "recipients", ["announcement_id", "id"])
    op.create_index(
        op.f("ix_recipients_announcement_id_state_due_at_id"),
        "recipients",
        ["announcement_id", "state", "due_at", "id"],
    )
    op.create_index(op.f("ix_recipients_call_id"), "recipients", ["call_id"])


def downgrade() -> None:
    op.drop_table("recipients")
    op.drop_table("announcements")
