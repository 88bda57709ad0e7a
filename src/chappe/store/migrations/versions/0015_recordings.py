"""recordings: what was recorded of calls; legs that came to us"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("legs", sa.Column("inbound", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "recordings",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("leg_id", sa.BigInteger(), nullable=True),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("ref", name=op.f("uq_recordings_ref")),
    )
    op.create_index(op.f("ix_recordings_account_id_id"), "recordings", ["account_id", "id"])
    op.create_index(op.f("ix_recordings_call_id"), "recordings", ["call_id"])


def downgrade() -> None:
    op.drop_table("recordings")
    with op.batch_alter_table("legs") as batch:
        batch.drop_column("inbound")
