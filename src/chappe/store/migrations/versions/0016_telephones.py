"""telephones: what lines register with, and where they are reached"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("sip_user", "sip_ha1", "sip_contact", "sip_source"):
        op.add_column("lines", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("lines", sa.Column("sip_seen_at", Utc(), nullable=True))
    op.add_column("lines", sa.Column("sip_until", Utc(), nullable=True))
    named = sa.text("sip_user <> ''")
    op.create_index(
        "uq_lines_sip_user", "lines", ["sip_user"], unique=True, sqlite_where=named, postgresql_where=named
    )


def downgrade() -> None:
    op.drop_index("uq_lines_sip_user", "lines")
    with op.batch_alter_table("lines") as batch:
        for name in ("sip_until", "sip_seen_at", "sip_source", "sip_contact", "sip_ha1", "sip_user"):
            batch.drop_column(name)
