"""parts of long messages that are not whole yet"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parts",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parts")),
    )
    waiting, joined = sa.text("message_id is null"), sa.text("message_id is not null")
    op.create_index(
        "ix_parts_waiting", "parts", ["source", "key"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index(
        "ix_parts_message_id", "parts", ["message_id"], sqlite_where=joined, postgresql_where=joined
    )


def downgrade() -> None:
    op.drop_table("parts")
