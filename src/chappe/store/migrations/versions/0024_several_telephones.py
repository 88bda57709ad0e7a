"""several telephones: all that are registered as a line, and what the newest one calls itself"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lines", sa.Column("sip_agent", sa.Text(), nullable=False, server_default=""))
    op.add_column("lines", sa.Column("telephones", Json(), nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("lines") as batch:
        batch.drop_column("telephones")
        batch.drop_column("sip_agent")
