"""withdrawn: whose basis of advertising ended is found by number"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NAME = "ix_marketing_bases_withdrawn"


def upgrade() -> None:
    withdrawn = sa.text("withdrawn_at is not null")
    op.create_index(
        NAME, "marketing_bases", ["account_id", "number"], sqlite_where=withdrawn, postgresql_where=withdrawn
    )


def downgrade() -> None:
    op.drop_index(NAME, "marketing_bases")
