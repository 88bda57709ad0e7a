"""dialogues: what lines take part in; their profiles and the greeting of their answerphones"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_PROFILES = '{"present":{},"absent":{"always":"answerphone"}}'


def upgrade() -> None:
    op.add_column("lines", sa.Column("profile", sa.Text(), nullable=False, server_default="present"))
    op.add_column("lines", sa.Column("profiles", Json(), nullable=False, server_default=_PROFILES))
    op.add_column("lines", sa.Column("greeting", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "dialogues",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("line", "leg", "caller", "callee", "ref", "replaces", "redirecting")
        ),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("connected_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogues")),
    )
    op.create_index(op.f("ix_dialogues_call_id"), "dialogues", ["call_id"])
    op.create_index(op.f("ix_dialogues_created_at"), "dialogues", ["created_at"])


def downgrade() -> None:
    op.drop_table("dialogues")
    with op.batch_alter_table("lines") as batch:
        for name in ("greeting", "profiles", "profile"):
            batch.drop_column(name)
