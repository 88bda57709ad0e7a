"""callbacks: ring groups and their operators, callback forms with their files, requests, blocked addresses"""

import sqlalchemy as sa
from alembic import op

from chappe.store.tables import Json, Utc

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=False, nullable=False)


def _ring_groups() -> None:
    op.create_table(
        "ring_groups",
        _id(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("order", sa.String(32), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ring_groups")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_ring_groups_account_id_name")),
    )


def _ring_operators() -> None:
    op.create_table(
        "ring_operators",
        _id(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("ring_seconds", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ring_operators")),
        sa.UniqueConstraint("group_id", "number", name=op.f("uq_ring_operators_group_id_number")),
    )
    op.create_index(
        op.f("ix_ring_operators_account_id_group_id_position"),
        "ring_operators",
        ["account_id", "group_id", "position"],
    )


def _callback_forms() -> None:
    op.create_table(
        "callback_forms",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_rung", sa.String(32), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("voice", sa.Text(), nullable=False),
        sa.Column("operator_seconds", sa.BigInteger(), nullable=False),
        sa.Column("visitor_seconds", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("immediate", sa.Boolean(), nullable=False),
        sa.Column("shown_to_operator", sa.Text(), nullable=False),
        sa.Column("shown_to_visitor", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("open_group", sa.Text(), nullable=False),
        sa.Column("closed_group", sa.Text(), nullable=False),
        sa.Column("open_message", sa.Text(), nullable=False),
        sa.Column("closed_message", sa.Text(), nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=False),
        sa.Column("asks_name", sa.Boolean(), nullable=False),
        sa.Column("labels", Json(), nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.Column("allowed", Json(), nullable=True),
        sa.Column("repeat_seconds", sa.BigInteger(), nullable=False),
        sa.Column("per_address", sa.BigInteger(), nullable=False),
        sa.Column("per_hour", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_forms")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_callback_forms_account_id_number")),
        sa.UniqueConstraint("ref", name=op.f("uq_callback_forms_ref")),
    )


def _callback_form_files() -> None:
    op.create_table(
        "callback_form_files",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("form_id", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_form_files")),
        sa.UniqueConstraint("form_id", "file", name=op.f("uq_callback_form_files_form_id_file")),
        sa.UniqueConstraint("ref", name=op.f("uq_callback_form_files_ref")),
    )


def _callback_requests() -> None:
    op.create_table(
        "callback_requests",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("form_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("visitor", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("delay_seconds", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("retry_seconds", sa.BigInteger(), nullable=False),
        sa.Column("longest_seconds", sa.BigInteger(), nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", Json(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("ring_seconds", sa.BigInteger(), nullable=False),
        sa.Column("talk_seconds", sa.BigInteger(), nullable=False),
        sa.Column("waited_seconds", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("over_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_requests")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_callback_requests_account_id_number")),
        sa.UniqueConstraint("ref", name=op.f("uq_callback_requests_ref")),
    )
    op.create_index(
        op.f("ix_callback_requests_account_id_created_at"), "callback_requests", ["account_id", "created_at"]
    )
    op.create_index(
        op.f("ix_callback_requests_account_id_form_id_id"),
        "callback_requests",
        ["account_id", "form_id", "id"],
    )
    op.create_index(op.f("ix_callback_requests_account_id_id"), "callback_requests", ["account_id", "id"])
    op.create_index(op.f("ix_callback_requests_call_id"), "callback_requests", ["call_id"])
    is_open = sa.text("over_at is null")
    op.create_index(
        "ix_callback_requests_open",
        "callback_requests",
        ["account_id", "form_id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _blocked_addresses() -> None:
    op.create_table(
        "blocked_addresses",
        _id(),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocked_addresses")),
        sa.UniqueConstraint("account_id", "address", name=op.f("uq_blocked_addresses_account_id_address")),
    )


def upgrade() -> None:
    _ring_groups()
    _ring_operators()
    _callback_forms()
    _callback_form_files()
    _callback_requests()
    _blocked_addresses()


def downgrade() -> None:
    op.drop_table("blocked_addresses")
    op.drop_table("callback_requests")
    op.drop_table("callback_form_files")
    op.drop_table("callback_forms")
    op.drop_table("ring_operators")
    op.drop_table("ring_groups")
