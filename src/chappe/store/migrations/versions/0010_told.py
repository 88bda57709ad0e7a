"""told: of which of its ends a message's sender wants to hear"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("told", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "told")
