"""advertising: what waits for its date is found by its mobile, for a STOP"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waits = sa.text("state = 'scheduled' and purpose = 'marketing'")
    op.create_index(
        "ix_messages_advertising",
        "messages",
        ["account_id", "peer"],
        sqlite_where=waits,
        postgresql_where=waits,
    )


def downgrade() -> None:
    op.drop_index("ix_messages_advertising", "messages")
