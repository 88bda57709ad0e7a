"""warned_by: which rules said something of a message when it was taken"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("warned_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "warned_by")
