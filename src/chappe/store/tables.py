"""Every table, once, for both databases; a record's fields and its table's columns have the same names."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from chappe.model import (
    announcements,
    callbacks,
    calls,
    carriers,
    conferences,
    directory,
    history,
    jobs,
    ledger,
    messages,
    metrics,
    rights,
    ringgroups,
    rules,
)
from chappe.model.errors import Fault
from chappe.model.openinghours import Closure, OpeningHours, Span
from chappe.model.programs import Grant, Program
from chappe.model.recordings import UploadedSound
from chappe.model.smstext import Encoding


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; sortable text without zone on SQLite, `timestamptz` on PostgreSQL."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(
            DateTime(timezone=True) if dialect.name == "postgresql" else String(26)
        )

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return in_utc(value) if dialect.name == "postgresql" else utc_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value
        return datetime.fromisoformat(value).replace(tzinfo=UTC)


def utc_text(value: datetime) -> str:
    """An aware time as sortable text: `2026-11-22 09:40:00.000000`, UTC."""
    if value.tzinfo is not UTC:
        value = in_utc(value)
    return value.isoformat(" ", "microseconds")[:26]


def in_utc(value: datetime) -> datetime:
    """An aware time in UTC. Raises ValueError for one without zone."""
    if value.tzinfo is None:
        raise ValueError(f"time without zone: {value!r}")
    return value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text of any length, without NUL: neither a PostgreSQL text nor a JSON string there can hold one."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return without_nul(value)


def without_nul(value: str | None) -> str | None:
    """A text as both databases can keep it."""
    return value.replace("\0", "") if value else value


class Choice(TypeDecorator[Enum]):
    """One value of an enum, stored as its text."""

    impl = String
    cache_ok = True

    def __init__(self, choices: type[Enum]) -> None:
        super().__init__(32)
        self.choices = choices

    def process_bind_param(self, value: Enum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(self.choices(value).value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Enum | None:
        return None if value is None else self.choices(value)


class Json(TypeDecorator[Any]):
    """JSON data: text on SQLite, `jsonb` on PostgreSQL. `as_tuple` reads a list as a tuple."""

    impl = Text
    cache_ok = True

    def __init__(self, as_tuple: bool = False) -> None:
        super().__init__()
        self.as_tuple = as_tuple

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(Text())
        from sqlalchemy.dialects.postgresql import JSONB  # heavy, and SQLite does without

        return dialect.type_descriptor(JSONB())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if isinstance(value, str):
            value = msgspec.json.decode(value)
        return tuple(value) if self.as_tuple and value is not None else value


class Shaped(Json):
    """JSON data of one type, read as that."""

    cache_ok = True

    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.shape = shape

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return msgspec.convert(super().process_result_value(value, dialect), self.shape)


def json_text(value: Any) -> str:
    """JSON as both databases can keep it: no text in it holds NUL."""
    encoded = msgspec.json.encode(value).decode()
    if "\\u0000" in encoded:
        encoded = msgspec.json.encode(_deep_without_nul(msgspec.json.decode(encoded))).decode()
    return encoded


def _deep_without_nul(value: Any) -> Any:
    if isinstance(value, dict):
        return {without_nul(key): _deep_without_nul(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_deep_without_nul(one) for one in value]
    return without_nul(value) if isinstance(value, str) else value


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False)


def _number(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=null)


def _text(name: str, *, null: bool = False, added: bool = False) -> Column[Any]:
    """`added` columns came with a later migration: rows that were there have an empty text."""
    return Column(name, PlainText, nullable=null, server_default=text("''") if added else None)


def _time(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Utc, nullable=null)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


accounts = Table(
    "accounts",
    metadata,
    _id(),
    _text("guid"),
    _text("name"),
    _text("email"),
    Column("kind", Choice(directory.AccountKind), nullable=False),
    Column("state", Choice(directory.AccountState), nullable=False),
    _number("balance"),
    _number("reserved"),
    _text("default_sender"),
    _text("region"),
    _text("locale"),
    _time("created_at"),
    Column("operator", Boolean, nullable=False, server_default=false()),
    _number("daily_cap", null=True),
    _text("open_destinations", added=True),
    _number("calls_a_day", null=True),
    _number("calls_cap", null=True),
    UniqueConstraint("guid"),
    UniqueConstraint("name"),
    CheckConstraint("balance >= 0", name="balance"),
)

users = Table(
    "users",
    metadata,
    _id(),
    _number("account_id"),
    _text("name"),
    _text("email"),
    _text("password_hash"),
    _number("session_epoch"),
    _time("created_at"),
    Index(None, "account_id"),
    _partial("uq_users_email", "email", where="email <> ''", unique=True),
)

credentials = Table(
    "credentials",
    metadata,
    _id(),
    _number("account_id"),
    _number("user_id"),
    _text("dialect"),
    Column("kind", Choice(directory.CredentialKind), nullable=False),
    _text("login"),
    _text("secret_hash"),
    _text("hint"),
    _time("created_at"),
    _time("expires_at", null=True),
    _time("last_used_at", null=True),
    _text("last_used_from"),
    _text("scopes", added=True),
    Index(None, "account_id"),
    UniqueConstraint("dialect", "login"),
)

numbers = Table(
    "numbers",
    metadata,
    _id(),
    _number("account_id"),
    _text("number"),
    _text("url"),
    _text("email"),
    _text("dialect"),
    _time("created_at"),
    Index(None, "account_id"),
    UniqueConstraint("number"),
)

lines = Table(
    "lines",
    metadata,
    _id(),
    _number("account_id"),
    _text("number"),
    _text("allowed_sources"),
    _text("notification_url"),
    _time("created_at"),
    _text("sip_user", added=True),
    _text("sip_ha1", added=True),
    _text("sip_contact", added=True),
    _text("sip_source", added=True),
    _time("sip_seen_at", null=True),
    _time("sip_until", null=True),
    Column("profile", PlainText, nullable=False, server_default=directory.PRESENT),
    Column("profiles", Json, nullable=False, server_default=json_text(directory.FIRST_PROFILES)),
    _text("greeting", added=True),
    _text("sip_secret", added=True),
    _text("ldap_secret", added=True),
    _text("short_number", added=True),
    Column("extension_data", Json, nullable=False, server_default="{}"),
    _text("sip_agent", added=True),
    Column("telephones", Json, nullable=False, server_default="[]"),
    Index(None, "account_id"),
    UniqueConstraint("number"),
    _partial("uq_lines_sip_user", "sip_user", where="sip_user <> ''", unique=True),
    _partial("uq_lines_short_number", "account_id", "short_number", where="short_number <> ''", unique=True),
)

programs = Table(
    "programs",
    metadata,
    _id(),
    _number("account_id"),
    *(_text(name) for name in ("client_id", "secret_hash", "name", "redirect_uris")),
    _time("created_at"),
    Index(None, "account_id"),
    UniqueConstraint("client_id"),
)

grants = Table(
    "grants",
    metadata,
    _id(),
    _number("account_id"),
    _number("user_id"),
    _number("program_id"),
    *(_text(name) for name in ("scopes", "redirect_uri", "code_hash")),
    _time("code_until"),
    *(_text(name) for name in ("challenge", "refresh_hash", "old_refresh_hash")),
    _time("created_at"),
    Index(None, "account_id"),
    _partial("ix_grants_code_hash", "code_hash", where="code_hash <> ''"),
    _partial("ix_grants_refresh_hash", "refresh_hash", where="refresh_hash <> ''"),
    _partial("ix_grants_old_refresh_hash", "old_refresh_hash", where="old_refresh_hash <> ''"),
)

short_codes = Table(
    "short_codes",
    metadata,
    _id(),
    _text("number"),
    _text("country"),
    _number("revenue"),
    _text("label"),
    UniqueConstraint("number"),
)

keywords = Table(
    "keywords",
    metadata,
    _id(),
    _number("account_id"),
    _text("short_code"),
    _text("word"),
    _text("url"),
    _text("email"),
    _text("dialect"),
    _time("created_at"),
    Index(None, "account_id"),
    UniqueConstraint("short_code", "word"),
)

blacklist = Table(
    "blacklist",
    metadata,
    _id(),
    _number("account_id"),
    _text("number"),
    _text("reason"),
    _time("created_at"),
    UniqueConstraint("account_id", "number"),
)

marketing_bases = Table(
    "marketing_bases",
    metadata,
    _id(),
    _number("account_id"),
    _text("number"),
    Column("basis", Choice(rules.Basis), nullable=False),
    _text("source"),
    _time("at"),
    _time("withdrawn_at", null=True),
    Index(None, "account_id", "id"),
    _partial("uq_marketing_bases_live", "account_id", "number", where="withdrawn_at is null", unique=True),
    _partial("ix_marketing_bases_withdrawn", "account_id", "number", where="withdrawn_at is not null"),
)

senders = Table(
    "senders",
    metadata,
    _id(),
    _number("account_id"),
    _text("sender"),
    _time("created_at"),
    UniqueConstraint("account_id", "sender"),
)

spending = Table(
    "spending",
    metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", String(10), primary_key=True),
    _number("spent"),
)

message_table = Table(
    "messages",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    Column("direction", Choice(messages.Direction), nullable=False),
    Column("state", Choice(messages.MessageState), nullable=False),
    _text("peer"),
    _text("address"),
    _text("text"),
    Column("encoding", Choice(Encoding), nullable=False),
    _number("segments"),
    _number("price"),
    _text("carrier"),
    _text("dialect"),
    _number("batch_id"),
    _time("created_at"),
    _time("due_at"),
    _time("send_at", null=True),
    _time("expires_at", null=True),
    _time("sending_at", null=True),
    _time("sent_at", null=True),
    _time("finished_at", null=True),
    Column("flash", Boolean, nullable=False),
    Column("receipt_wanted", Boolean, nullable=False),
    _text("reference"),
    _time("session_until", null=True),
    Column("fault", Choice(Fault)),
    _text("carrier_code"),
    _text("carrier_ids"),
    _number("attempts"),
    _number("exchange_id", null=True),
    _number("user_id", null=True),
    Column("purpose", Choice(messages.Purpose), nullable=False, server_default=text("'transactional'")),
    _text("held_by", added=True),
    _number("told", null=True),
    _text("warned_by", null=True),
    UniqueConstraint("ref"),
    Index(None, "account_id", "id"),
    # Open work only: nothing indexes a column that changes on closed rows (ARCHITECTURE.md section 8).
    _partial("ix_messages_queued", "carrier", "due_at", "id", where="state = 'queued'"),
    _partial("ix_messages_scheduled", "due_at", where="state = 'scheduled'"),
    _partial(
        "ix_messages_advertising",
        "account_id",
        "peer",
        where="state = 'scheduled' and purpose = 'marketing'",
    ),
    # `finished_at` and not the states: it changes once, and so does the index.
    _partial("ix_messages_open", "expires_at", where="finished_at is null"),
    _partial(
        "ix_messages_submitted", "carrier", "carrier_ids", where="carrier_ids <> '' and direction = 'mt'"
    ),
    _partial("ix_messages_session", "peer", "address", where="session_until is not null"),
)

# Who wrote to which mobile, gathered a little later (store/contacts.py): an index of messages by mobile would
# touch another page for every message, which costs more than the message.
contacts = Table(
    "contacts",
    metadata,
    Column("peer", PlainText, primary_key=True),
    Column("address", PlainText, primary_key=True),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    _number("message_id"),
    _time("at"),
    sqlite_with_rowid=False,
)

segments = Table(
    "segments",
    metadata,
    _id(),
    _number("message_id"),
    _text("carrier"),
    _text("carrier_id"),
    Column("state", Choice(messages.MessageState)),
    Index(None, "carrier", "carrier_id"),
    Index(None, "message_id"),
)

early_receipts = Table(
    "early_receipts",
    metadata,
    _id(),
    _text("carrier"),
    _text("carrier_id"),
    Column("state", Choice(messages.MessageState), nullable=False),
    _text("code"),
    _time("at"),
    _text("word", added=True),
    _text("reason", added=True),
    Index(None, "carrier", "carrier_id"),
)

parts = Table(
    "parts",
    metadata,
    _id(),
    _text("source"),
    _text("key"),
    _number("number"),
    _number("total"),
    Column("data", Json, nullable=False),
    _time("at"),
    _number("message_id", null=True),
    _partial("ix_parts_waiting", "source", "key", where="message_id is null"),
    _partial("ix_parts_message_id", "message_id", where="message_id is not null"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    _id(),
    _number("account_id"),
    _time("at"),
    Column("kind", Choice(ledger.EntryKind), nullable=False),
    _text("debit"),
    _text("credit"),
    _number("amount"),
    _number("balance"),
    _number("messages"),
    _text("reference", null=True),
    Index(None, "account_id", "id"),
    _partial("uq_ledger_reference", "kind", "reference", where="reference is not null", unique=True),
    CheckConstraint("amount >= 0", name="amount"),
)

tariffs = Table(
    "tariffs",
    metadata,
    _id(),
    _text("kind"),
    _text("prefix"),
    _number("price"),
    UniqueConstraint("kind", "prefix"),
)

routes = Table(
    "routes",
    metadata,
    _id(),
    _text("kind"),
    _text("prefix"),
    _text("carrier"),
    _text("fallbacks", added=True),
    UniqueConstraint("kind", "prefix"),
)

carrier_table = Table(
    "carriers",
    metadata,
    _id(),
    _text("name"),
    _text("holder"),
    Column("status", Json, nullable=False),
    Column("learnt", Json, nullable=False),
    _time("at"),
    UniqueConstraint("name"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    _text("holder"),
    _number("fence"),
    _time("until"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _text("dialect"),
    _text("url"),
    Column("events", Json(as_tuple=True), nullable=False),
    _text("secret"),
    _time("created_at"),
    _time("disabled_at", null=True),
    UniqueConstraint("ref"),
    Index(None, "account_id"),
)

job_table = Table(
    "jobs",
    metadata,
    _id(),
    _text("kind"),
    _number("account_id"),
    _number("subject"),
    Column("payload", Json, nullable=False),
    Column("state", Choice(jobs.JobState), nullable=False),
    _time("due_at"),
    _time("created_at"),
    _number("attempts"),
    _time("claimed_until", null=True),
    _text("outcome"),
    _time("done_at", null=True),
    _text("claimed_by", null=True),
    _partial("ix_jobs_waiting", "due_at", where="state = 'waiting'"),
    _partial("ix_jobs_running", "claimed_until", where="state = 'running'"),
    _partial("ix_jobs_dead", "id", where="state = 'dead'"),
    _partial("ix_jobs_dead_of", "account_id", "id", where="state = 'dead'"),
    _partial("ix_jobs_waiting_of", "account_id", "kind", "id", where="state = 'waiting'"),
    Index(None, "account_id", "id"),
    Index(None, "subject"),
)

exchanges = Table(
    "exchanges",
    metadata,
    _id(),
    _number("account_id"),
    _time("at"),
    _text("dialect"),
    _text("verb"),
    Column("outgoing", Boolean, nullable=False),
    _number("status"),
    _text("request"),
    _text("answer"),
    _number("duration_ms"),
    _text("peer"),
    _number("job_id", null=True),
    Index(None, "account_id", "id"),
    _partial("ix_exchanges_job", "job_id", where="job_id is not null"),
)

replays = Table(
    "replays",
    metadata,
    _id(),
    _number("account_id"),
    _text("key"),
    _text("fingerprint"),
    Column("outcome", Json, nullable=False),
    _time("created_at"),
    UniqueConstraint("account_id", "key"),
)

handsets = Table(
    "handsets",
    metadata,
    _id(),
    _number("account_id"),
    _text("number"),
    Column("behaviour", Json, nullable=False),
    _time("active_at"),
    UniqueConstraint("account_id", "number"),
)

handset_items = Table(
    "handset_items",
    metadata,
    _id(),
    _number("account_id"),
    _text("number"),
    _text("other"),
    _text("text"),
    Column("incoming", Boolean, nullable=False),
    Column("flash", Boolean, nullable=False),
    _time("at"),
    _number("message_id", null=True),
    Column("unowned", Boolean, nullable=False),
    Index(None, "account_id", "number", "id"),
)

call_table = Table(
    "calls",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    Column("kind", Choice(calls.CallKind), nullable=False),
    Column("state", Choice(calls.CallState), nullable=False),
    _text("first"),
    _text("second"),
    Column("plan", Json, nullable=False),
    _text("dialect"),
    _time("created_at"),
    _time("seen_at"),
    _text("node"),
    _time("joined_at", null=True),
    _time("over_at", null=True),
    Column("outcome", Choice(calls.CallOutcome), nullable=True),
    _number("reserved"),
    _number("price"),
    _text("reference"),
    _number("exchange_id", null=True),
    _number("user_id", null=True),
    Column("is_virtual", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("ref"),
    Index(None, "account_id", "id"),
    _partial("ix_calls_open", "node", "account_id", where="over_at is null"),
)

leg_table = Table(
    "legs",
    metadata,
    _id(),
    _number("account_id"),
    _number("call_id"),
    _text("name"),
    _text("number"),
    _text("shown"),
    _text("carrier"),
    Column("state", Choice(calls.LegState), nullable=False),
    _time("created_at"),
    _number("rate"),
    _time("ringing_at", null=True),
    _time("answered_at", null=True),
    _time("ended_at", null=True),
    Column("cause", Choice(calls.HangUpCause), nullable=True),
    Column("machine", Boolean, nullable=False),
    _number("price"),
    Column("inbound", Boolean, nullable=False, server_default=false()),
    Column("reserved", BigInteger, nullable=False, server_default="0"),
    Index(None, "call_id"),
    Index(None, "account_id", "number", "id"),
    _partial("ix_legs_open", "account_id", where="ended_at is null"),
)

recordings = Table(
    "recordings",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _number("call_id"),
    _number("leg_id", null=True),
    Column("purpose", Choice(calls.RecordingPurpose), nullable=False),
    _time("started_at"),
    _time("ended_at", null=True),
    _number("milliseconds"),
    _number("size"),
    _text("line", added=True),
    _time("heard_at", null=True),
    UniqueConstraint("ref"),
    Index(None, "account_id", "id"),
    Index(None, "call_id"),
    _partial("ix_recordings_line", "line", where="line <> ''"),
)

dialogues = Table(
    "dialogues",
    metadata,
    _id(),
    _number("account_id"),
    _number("call_id"),
    _number("line_id"),
    _text("line"),
    _text("leg"),
    _text("caller"),
    _text("callee"),
    _text("ref"),
    _text("replaces"),
    _text("redirecting"),
    _time("created_at"),
    _time("connected_at", null=True),
    _time("ended_at", null=True),
    Index(None, "call_id"),
    Index(None, "created_at"),
)

sounds = Table(
    "sounds",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _text("name"),
    _number("milliseconds"),
    _number("size"),
    _time("created_at"),
    UniqueConstraint("ref"),
    Index(None, "account_id", "id"),
)

conference_table = Table(
    "conferences",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _text("name"),
    Column("access", Choice(conferences.AccessMode), nullable=False),
    _text("number"),
    _text("code"),
    Column("state", Choice(conferences.ConferenceState), nullable=False),
    _time("starts_at"),
    _number("seconds"),
    _text("language"),
    Column("recorded", Boolean, nullable=False),
    _text("dialect"),
    _time("created_at"),
    Column("locked", Boolean, nullable=False),
    _number("call_id", null=True),
    _time("over_at", null=True),
    _text("reference"),
    _number("exchange_id", null=True),
    _number("user_id", null=True),
    UniqueConstraint("ref"),
    Index(None, "account_id", "id"),
    Index(None, "number", "code", "id"),
    Index(None, "call_id"),
    _partial("ix_conferences_open", "account_id", where="over_at is null"),
    _partial("uq_conferences_code", "number", "code", where="over_at is null and code <> ''", unique=True),
)

participants = Table(
    "participants",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _number("conference_id"),
    _text("number"),
    _text("name"),
    _time("created_at"),
    Column("listed", Boolean, nullable=False),
    Column("dials", Boolean, nullable=False),
    Column("confirms", Boolean, nullable=False),
    Column("muted", Boolean, nullable=False),
    _time("joined_at", null=True),
    UniqueConstraint("ref"),
    Index(None, "account_id", "conference_id", "id"),
    Index(None, "number", "conference_id"),
)

opening_hours = Table(
    "opening_hours",
    metadata,
    _id(),
    _number("account_id"),
    _text("name"),
    Column("spans", Shaped(tuple[Span, ...]), nullable=False),
    Column("closures", Shaped(tuple[Closure, ...]), nullable=False),
    _text("zone"),
    _text("region"),
    _number("version"),
    _time("created_at"),
    _time("changed_at"),
    UniqueConstraint("account_id", "name"),
)

ring_groups = Table(
    "ring_groups",
    metadata,
    _id(),
    _number("account_id"),
    _text("name"),
    Column("order", Choice(ringgroups.RingOrder), nullable=False),
    _time("created_at"),
    _number("turn"),
    UniqueConstraint("account_id", "name"),
)

ring_operators = Table(
    "ring_operators",
    metadata,
    _id(),
    _number("account_id"),
    _number("group_id"),
    _text("number"),
    _number("ring_seconds"),
    _number("position"),
    _time("created_at"),
    _text("name"),
    Index(None, "account_id", "group_id", "position"),
    UniqueConstraint("group_id", "number"),
)

callback_forms = Table(
    "callback_forms",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _number("number"),
    _text("name"),
    Column("first_rung", Choice(callbacks.FirstRung), nullable=False),
    _text("language"),
    _text("voice"),
    _number("operator_seconds"),
    _number("visitor_seconds"),
    _time("created_at"),
    Column("immediate", Boolean, nullable=False),
    _text("shown_to_operator"),
    _text("shown_to_visitor"),
    _text("hours"),
    _text("zone"),
    _text("open_group"),
    _text("closed_group"),
    _text("open_message"),
    _text("closed_message"),
    _text("mailbox"),
    Column("asks_name", Boolean, nullable=False),
    Column("labels", Json(as_tuple=True), nullable=False),
    Column("recorded", Boolean, nullable=False),
    Column("confirms", Boolean, nullable=False),
    Column("allowed", Json(as_tuple=True), nullable=True),
    _number("repeat_seconds"),
    _number("per_address"),
    _number("per_hour"),
    _number("asked"),
    _time("removed_at", null=True),
    UniqueConstraint("ref"),
    UniqueConstraint("account_id", "number"),
)

callback_form_files = Table(
    "callback_form_files",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _number("form_id"),
    Column("file", Choice(callbacks.FormFile), nullable=False),
    _text("name"),
    _text("content_type"),
    _number("size"),
    _time("created_at"),
    UniqueConstraint("ref"),
    UniqueConstraint("form_id", "file"),
)

callback_requests = Table(
    "callback_requests",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _number("form_id"),
    _number("number"),
    _text("visitor"),
    _text("address"),
    Column("state", Choice(callbacks.CallbackState), nullable=False),
    Column("source", Choice(callbacks.CallbackSource), nullable=False),
    _text("dialect"),
    _text("destination"),
    _time("created_at"),
    _time("due_at"),
    _number("delay_seconds"),
    _number("tries"),
    _number("retry_seconds"),
    _number("longest_seconds"),
    Column("recorded", Boolean, nullable=False),
    _text("name"),
    Column("labels", Json(as_tuple=True), nullable=False),
    _text("origin"),
    _number("attempt"),
    _number("call_id", null=True),
    _text("operator"),
    _number("ring_seconds"),
    _number("talk_seconds"),
    _number("waited_seconds"),
    _number("price"),
    _text("cause"),
    _time("over_at", null=True),
    UniqueConstraint("ref"),
    UniqueConstraint("account_id", "number"),
    Index(None, "account_id", "id"),
    Index(None, "account_id", "form_id", "id"),
    Index(None, "account_id", "created_at"),
    Index(None, "call_id"),
    _partial("ix_callback_requests_open", "account_id", "form_id", where="over_at is null"),
)

blocked_addresses = Table(
    "blocked_addresses",
    metadata,
    _id(),
    _number("account_id"),
    _text("address"),
    _time("created_at"),
    UniqueConstraint("account_id", "address"),
)

announcement_table = Table(
    "announcements",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _text("name"),
    Column("state", Choice(announcements.AnnouncementState), nullable=False),
    _text("text"),
    _text("language"),
    _text("voice"),
    _text("sound"),
    _number("milliseconds"),
    _text("shown", null=True),
    _number("times"),
    _text("repeat_key"),
    _text("answer_keys"),
    Column("on_machine", Choice(announcements.OnMachine), nullable=False),
    Column("on_person", Choice(announcements.OnPerson), nullable=False),
    _number("ring_seconds"),
    _number("attempts"),
    _number("pause"),
    _time("starts_at"),
    _time("ends_at"),
    _number("opens"),
    _number("closes"),
    _text("zone"),
    _number("count"),
    _number("driver"),
    _text("dialect"),
    _time("created_at"),
    _time("cancelled_at", null=True),
    _time("over_at", null=True),
    _text("reference"),
    _number("exchange_id", null=True),
    _number("user_id", null=True),
    UniqueConstraint("ref"),
    Index(None, "account_id", "id"),
    _partial("ix_announcements_open", "account_id", where="over_at is null"),
)

recipients = Table(
    "recipients",
    metadata,
    _id(),
    _text("ref"),
    _number("account_id"),
    _number("announcement_id"),
    _text("number"),
    Column("state", Choice(announcements.RecipientState), nullable=False),
    _time("due_at"),
    _number("attempts"),
    _number("call_id", null=True),
    Column("reason", Choice(announcements.Reason), nullable=True),
    _text("detail"),
    Column("machine", Boolean, nullable=True),
    _text("key"),
    _number("seconds"),
    _number("price"),
    _time("over_at", null=True),
    UniqueConstraint("ref"),
    Index(None, "announcement_id", "id"),
    Index(None, "announcement_id", "state", "due_at", "id"),
    Index(None, "call_id"),
)

minutes = Table(
    "minutes",
    metadata,
    _id(),
    _time("at"),
    _text("node"),
    _number("accepted"),
    _number("submitted"),
    _number("delivered"),
    _number("failed"),
    _number("received"),
    Column("acceptance", Json(as_tuple=True), nullable=False),
    Column("submission", Json(as_tuple=True), nullable=False),
    Index(None, "at"),
)

counters = Table("counters", metadata, Column("name", Text, primary_key=True), _number("value"))

settings = Table("settings", metadata, Column("name", Text, primary_key=True), _text("value"))

TABLES: Mapping[type, Table] = {
    directory.Account: accounts,
    directory.User: users,
    directory.Credential: credentials,
    directory.OwnNumber: numbers,
    directory.Line: lines,
    directory.ShortCode: short_codes,
    Program: programs,
    Grant: grants,
    directory.Keyword: keywords,
    directory.BlacklistEntry: blacklist,
    directory.Subscription: subscriptions,
    rights.MarketingBasis: marketing_bases,
    rights.RegisteredSender: senders,
    directory.Handset: handsets,
    directory.HandsetItem: handset_items,
    messages.Message: message_table,
    messages.Segment: segments,
    messages.EarlyReceipt: early_receipts,
    messages.Part: parts,
    calls.Call: call_table,
    calls.Leg: leg_table,
    calls.Recording: recordings,
    UploadedSound: sounds,
    calls.Dialogue: dialogues,
    conferences.Conference: conference_table,
    conferences.Participant: participants,
    announcements.Announcement: announcement_table,
    announcements.Recipient: recipients,
    OpeningHours: opening_hours,
    ringgroups.RingGroup: ring_groups,
    ringgroups.Operator: ring_operators,
    callbacks.CallbackForm: callback_forms,
    callbacks.KeptFormFile: callback_form_files,
    callbacks.CallbackRequest: callback_requests,
    callbacks.BlockedAddress: blocked_addresses,
    ledger.LedgerEntry: ledger_entries,
    ledger.Tariff: tariffs,
    ledger.Route: routes,
    carriers.CarrierRecord: carrier_table,
    jobs.Job: job_table,
    metrics.Minute: minutes,
    history.Exchange: exchanges,
    history.StoredOutcome: replays,
}
