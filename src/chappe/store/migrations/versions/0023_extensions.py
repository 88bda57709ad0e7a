"""extensions: lines as telephones of a company; messages that were heard; scopes of credentials"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TEXTS = ("sip_secret", "ldap_secret", "short_number")


def upgrade() -> None:
    for name in _TEXTS:
        op.add_column("lines", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("lines", sa.Column("extension_data", Json(), nullable=False, server_default="{}"))
    where = sa.text("short_number <> ''")
    op.create_index(
        "uq_lines_short_number",
        "lines",
        ["account_id", "short_number"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.add_column("credentials", sa.Column("scopes", sa.Text(), nullable=False, server_default=""))
    op.add_column("recordings", sa.Column("line", sa.Text(), nullable=False, server_default=""))
    op.add_column("recordings", sa.Column("heard_at", Utc(), nullable=True))
    where = sa.text("line <> ''")
    op.create_index("ix_recordings_line", "recordings", ["line"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_recordings_line", "recordings")
    with op.batch_alter_table("recordings") as batch:
        for name in ("heard_at", "line"):
            batch.drop_column(name)
    with op.batch_alter_table("credentials") as batch:
        batch.drop_column("scopes")
    op.drop_index("uq_lines_short_number", "lines")
    with op.batch_alter_table("lines") as batch:
        for name in ("extension_data", *_TEXTS):
            batch.drop_column(name)
