"""contacts: who wrote to which mobile, in place of an index of messages by mobile"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "address", "account_id", name=op.f("pk_contacts")),
        sqlite_with_rowid=False,
    )
    op.drop_index("ix_messages_peer", table_name="messages")
    op.drop_index("ix_messages_open", table_name="messages")
    open_work = sa.text("finished_at is null")
    op.create_index(
        "ix_messages_open",
        "messages",
        ["expires_at"],
        sqlite_where=open_work,
        postgresql_where=open_work,
    )


def downgrade() -> None:
    op.drop_index("ix_messages_open", table_name="messages")
    open_work = sa.text("state in ('queued', 'sending', 'sent')")
    op.create_index(
        "ix_messages_open", "messages", ["expires_at"], sqlite_where=open_work, postgresql_where=open_work
    )
    outbound = sa.text("direction = 'mt'")
    op.create_index(
        "ix_messages_peer", "messages", ["peer", "id"], sqlite_where=outbound, postgresql_where=outbound
    )
    op.drop_table("contacts")
