"""purposes: what a message is sent for, and the rule that holds it"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    transactional = sa.text("'transactional'")
    op.add_column(
        "messages", sa.Column("purpose", sa.String(32), nullable=False, server_default=transactional)
    )
    op.add_column("messages", sa.Column("held_by", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    op.drop_column("messages", "held_by")
    op.drop_column("messages", "purpose")
