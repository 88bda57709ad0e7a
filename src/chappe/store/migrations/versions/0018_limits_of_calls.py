"""limits of calls: what an account may place and spend in a day; calls that stay in the sandbox"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("calls_a_day", sa.BigInteger(), nullable=True))
    op.add_column("accounts", sa.Column("calls_cap", sa.BigInteger(), nullable=True))
    op.add_column("calls", sa.Column("is_virtual", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("calls") as batch:
        batch.drop_column("is_virtual")
    op.drop_column("accounts", "calls_cap")
    op.drop_column("accounts", "calls_a_day")
