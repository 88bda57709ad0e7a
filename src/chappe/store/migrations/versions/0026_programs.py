"""programs: those of others that accounts let in, and what they let them do"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Utc

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=False, nullable=False)


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "programs",
        _id(),
        *_numbers("account_id"),
        *_texts("client_id", "secret_hash", "name", "redirect_uris"),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programs")),
        sa.UniqueConstraint("client_id", name=op.f("uq_programs_client_id")),
    )
    op.create_index(op.f("ix_programs_account_id"), "programs", ["account_id"])
    op.create_table(
        "grants",
        _id(),
        *_numbers("account_id", "user_id", "program_id"),
        *_texts("scopes", "redirect_uri", "code_hash"),
        sa.Column("code_until", Utc(), nullable=False),
        *_texts("challenge", "refresh_hash", "old_refresh_hash"),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_account_id"), "grants", ["account_id"])
    for name in ("code_hash", "refresh_hash", "old_refresh_hash"):
        where = sa.text(f"{name} <> ''")
        op.create_index(f"ix_grants_{name}", "grants", [name], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("grants")
    op.drop_table("programs")
