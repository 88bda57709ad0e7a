"""conferences: meetings and who takes part; what is held for one leg alone"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.add_column("legs", sa.Column("reserved", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "conferences",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("access", sa.String(32), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("starts_at", Utc(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("over_at", Utc(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("exchange_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conferences")),
        sa.UniqueConstraint("ref", name=op.f("uq_conferences_ref")),
    )
    op.create_index(op.f("ix_conferences_account_id_id"), "conferences", ["account_id", "id"])
    op.create_index(op.f("ix_conferences_number_code_id"), "conferences", ["number", "code", "id"])
    op.create_index(op.f("ix_conferences_call_id"), "conferences", ["call_id"])
    live = sa.text("over_at is null")
    op.create_index(
        "ix_conferences_open", "conferences", ["account_id"], sqlite_where=live, postgresql_where=live
    )
    coded = sa.text("over_at is null and code <> ''")
    op.create_index(
        "uq_conferences_code",
        "conferences",
        ["number", "code"],
        unique=True,
        sqlite_where=coded,
        postgresql_where=coded,
    )
    op.create_table(
        "participants",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("conference_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("dials", sa.Boolean(), nullable=False),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("joined_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
        sa.UniqueConstraint("ref", name=op.f("uq_participants_ref")),
    )
    op.create_index(
        op.f("ix_participants_account_id_conference_id_id"),
        "participants",
        ["account_id", "conference_id", "id"],
    )
    op.create_index(op.f("ix_participants_number_conference_id"), "participants", ["number", "conference_id"])


def downgrade() -> None:
    op.drop_table("participants")
    op.drop_table("conferences")
    with op.batch_alter_table("legs") as batch:
        batch.drop_column("reserved")
