"""Every search that is more than "by id", by name: plain functions on a connection.

Each takes the account whose records it may see; the few that look across accounts say why above them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, and_, func, or_, select, text

from chappe.model.commands import ListMessages
from chappe.model.directory import (
    Account,
    BlacklistEntry,
    Credential,
    Handset,
    HandsetItem,
    Keyword,
    Line,
    OwnNumber,
    ShortCode,
    Subscription,
    User,
)
from chappe.model.history import Exchange, StoredOutcome
from chappe.model.jobs import Job, JobState
from chappe.model.ledger import LedgerEntry, Tariff
from chappe.model.messages import Direction, EarlyReceipt, Message, MessageState, Part, Segment
from chappe.model.programs import Grant, Program
from chappe.store.contacts import gathered_until
from chappe.store.tables import TABLES, contacts

R = TypeVar("R")


_SELECTS = {record: select(*table.columns) for record, table in TABLES.items()}


def _select(record: type[Any]) -> Select[Any]:
    return _SELECTS[record]


def _all(connection: Connection, record: type[R], statement: Select[Any]) -> tuple[R, ...]:
    return tuple(record(*row) for row in connection.execute(statement))


def _one(connection: Connection, record: type[R], statement: Select[Any]) -> R | None:
    row = connection.execute(statement.limit(1)).first()
    return None if row is None else record(*row)


def _page(
    connection: Connection,
    record: type[R],
    account_id: int,
    cursor: int | None,
    limit: int,
    *conditions: Any,
    skip: int = 0,
) -> tuple[R, ...]:
    table = TABLES[record]
    statement = _select(record).where(table.c.account_id == account_id, *conditions)
    if cursor is not None:
        statement = statement.where(table.c.id < cursor)
    if skip:
        statement = statement.offset(skip)
    return _all(connection, record, statement.order_by(table.c.id.desc()).limit(limit))


_m = TABLES[Message].c
_j = TABLES[Job].c
DELIVERIES = (
    "deliver_notice",
    "deliver_call",
    "deliver_conference",
    "deliver_callback",
    "deliver_announcement",
    "deliver_line",
    "deliver_smpp",
)
"""The kinds of job that tell customers."""

_DELIVERY = _j.kind.in_(DELIVERIES)
# To the letter the conditions of partial indexes, which SQLite does not see through bound values.
_OPEN = text("messages.finished_at is null")
_WAITING = text("jobs.state = 'waiting'")
_HAS_TELEPHONE = text("lines.sip_user <> ''")


# --- directory


def account(connection: Connection, account_id: int) -> Account | None:
    """One account."""
    return _one(connection, Account, _select(Account).where(TABLES[Account].c.id == account_id))


# across accounts: the operator's command line names an account by its name
def account_named(connection: Connection, name: str) -> Account | None:
    """The account with a name, a guid, or an id written as digits."""
    table = TABLES[Account].c
    conditions = [table.name == name, table.guid == name]
    if name.isascii() and name.isdigit() and len(name) < 19:
        conditions.append(table.id == int(name))
    return _one(connection, Account, _select(Account).where(or_(*conditions)))


def user(connection: Connection, account_id: int, user_id: int) -> User | None:
    """One user of an account."""
    table = TABLES[User].c
    return _one(connection, User, _select(User).where(table.id == user_id, table.account_id == account_id))


# across accounts: a login names nothing but the mail address
def user_by_email(connection: Connection, email: str) -> User | None:
    """The user who logs in with a mail address (folded to lower case)."""
    table = TABLES[User].c
    # Users without an address are many, and found by none.
    return _one(connection, User, _select(User).where(table.email == email, table.email != ""))


def users(connection: Connection, account_id: int) -> tuple[User, ...]:
    """All users of an account, oldest first."""
    table = TABLES[User].c
    return _all(connection, User, _select(User).where(table.account_id == account_id).order_by(table.id))


# across accounts: this is the question that finds the account
def credential_by_login(connection: Connection, dialect: str, login: str) -> Credential | None:
    """The credential of a dialect with a login (for keys: the keyed hash)."""
    table = TABLES[Credential].c
    return _one(
        connection, Credential, _select(Credential).where(table.dialect == dialect, table.login == login)
    )


def credentials(connection: Connection, account_id: int) -> tuple[Credential, ...]:
    """All credentials of an account, oldest first."""
    table = TABLES[Credential].c
    return _all(
        connection, Credential, _select(Credential).where(table.account_id == account_id).order_by(table.id)
    )


# --- messages


def message(connection: Connection, account_id: int, message_id: int) -> Message | None:
    """One message of an account."""
    return _one(connection, Message, _select(Message).where(_m.id == message_id, _m.account_id == account_id))


def messages_by_ref(connection: Connection, account_id: int, refs: Sequence[str]) -> tuple[Message, ...]:
    """The account's messages with these refs, in no order."""
    return _all(connection, Message, _select(Message).where(_m.ref.in_(refs), _m.account_id == account_id))


def list_messages(connection: Connection, account_id: int, search: ListMessages) -> tuple[Message, ...]:
    """The account's messages that fit a search, newest first."""
    conditions: list[Any] = []
    for column, value in (
        (_m.direction, search.direction),
        (_m.state, search.state),
        (_m.dialect, search.dialect),
        (_m.reference, search.reference),
    ):
        if value:
            conditions.append(column == value)
    if search.peer:
        conditions.append(_m.peer.startswith(search.peer, autoescape=True))
    if search.address:
        conditions.append(_m.address.startswith(search.address, autoescape=True))
    if search.text:
        conditions.append(func.lower(_m.text).contains(search.text.lower(), autoescape=True))
    if search.since:
        conditions.append(_m.created_at >= search.since)
    if search.until:
        conditions.append(_m.created_at < search.until)
    return _page(connection, Message, account_id, search.cursor, search.limit, *conditions)


# across accounts: a carrier's work, by ids the platform gave out itself
def messages_by_id(connection: Connection, ids: Sequence[int]) -> tuple[Message, ...]:
    """Messages by id, in no order."""
    return _all(connection, Message, _select(Message).where(_m.id.in_(ids)))


# across accounts: the outbox of a carrier
def due_messages(
    connection: Connection, carrier: str, now: datetime, limit: int, without: Sequence[int]
) -> tuple[Message, ...]:
    """Queued messages of a carrier whose time has come, longest waiting first, but those in `without`."""
    statement = _select(Message).where(
        _m.state == MessageState.QUEUED, _m.carrier == carrier, _m.due_at <= now
    )
    if without:
        statement = statement.where(_m.id.not_in(without))
    return _all(connection, Message, statement.order_by(_m.due_at, _m.id).limit(limit))


# across accounts: the platform's own clockwork
def scheduled_messages(connection: Connection, now: datetime, limit: int) -> tuple[Message, ...]:
    """Scheduled messages whose date has come."""
    statement = _select(Message).where(_m.state == MessageState.SCHEDULED, _m.due_at <= now)
    return _all(connection, Message, statement.order_by(_m.due_at).limit(limit))


def scheduled_advertising(
    connection: Connection, account_id: int, peer: str, limit: int
) -> tuple[Message, ...]:
    """Advertising of an account to a mobile that waits for its date, oldest first."""
    statement = _select(Message).where(
        _m.account_id == account_id,
        _m.peer == peer,
        # As the index has it; a database does not see that a parameter is the same.
        text("messages.state = 'scheduled' and messages.purpose = 'marketing'"),
    )
    return _all(connection, Message, statement.order_by(_m.id).limit(limit))


# across accounts: the platform's own clockwork
def expired_messages(connection: Connection, now: datetime, limit: int) -> tuple[Message, ...]:
    """Messages whose validity has ended without a final word."""
    statement = _select(Message).where(_OPEN, _m.expires_at <= now, _m.state != MessageState.SCHEDULED)
    return _all(connection, Message, statement.order_by(_m.expires_at).limit(limit))


# across accounts: the platform's own clockwork
def next_due(connection: Connection) -> datetime | None:
    """When the clockwork has the next message to release or to end. Queued ones are their carrier's: they may
    be many, and long due, where it is down."""
    times = [
        connection.execute(select(func.min(_m.due_at)).where(_m.state == MessageState.SCHEDULED)).scalar(),
        connection.execute(select(func.min(_m.expires_at)).where(_OPEN)).scalar(),
    ]
    return min((at for at in times if at is not None), default=None)


# across accounts: a network's receipts name only its own ids
def messages_by_carrier_id(
    connection: Connection, carrier: str, carrier_ids: Sequence[str]
) -> tuple[tuple[str, Message], ...]:
    """Submitted messages by the network's ids, each with the id it was found by; where a network used an
    id again the newest message is last."""
    ids = list(carrier_ids)
    single = _all(
        connection,
        Message,
        _select(Message)
        .where(_m.carrier == carrier, _m.carrier_ids.in_(ids))
        .where(_m.carrier_ids != "", _m.direction == Direction.MT),
    )
    found = [(one.carrier_ids, one) for one in single]
    table = TABLES[Segment].c
    statement = (
        select(table.carrier_id, *TABLES[Message].columns)
        .join_from(TABLES[Segment], TABLES[Message], table.message_id == _m.id)
        .where(table.carrier == carrier, table.carrier_id.in_(ids))
    )
    found += [(row[0], Message(*row[1:])) for row in connection.execute(statement)]
    return tuple(sorted(found, key=lambda pair: pair[1].id))


# across accounts: segments of messages that were found by a network's ids
def segments_of(connection: Connection, message_ids: Sequence[int]) -> tuple[Segment, ...]:
    """The segments of messages of several segments."""
    table = TABLES[Segment].c
    return _all(connection, Segment, _select(Segment).where(table.message_id.in_(message_ids)))


# across accounts: a receipt that nobody owns yet
def early_receipts(
    connection: Connection, carrier: str, carrier_ids: Sequence[str]
) -> tuple[EarlyReceipt, ...]:
    """Receipts that came before their messages were known."""
    table = TABLES[EarlyReceipt].c
    return _all(
        connection,
        EarlyReceipt,
        _select(EarlyReceipt).where(table.carrier == carrier, table.carrier_id.in_(list(carrier_ids))),
    )


# across accounts: receipts that nobody owns
def parked_with(connection: Connection, carrier: str, limit: int) -> tuple[EarlyReceipt, ...]:
    """The newest receipts of a carrier without a message."""
    table = TABLES[EarlyReceipt].c
    statement = _select(EarlyReceipt).where(table.carrier == carrier).order_by(table.id.desc()).limit(limit)
    return _all(connection, EarlyReceipt, statement)


# across accounts: parts from a network have no owner yet; a customer's have his account in their key
def parts_of_key(connection: Connection, source: str, key: str) -> tuple[Part, ...]:
    """Parts of messages that are not whole yet, oldest first."""
    table = TABLES[Part].c
    statement = _select(Part).where(table.source == source, table.key == key, table.message_id.is_(None))
    return _all(connection, Part, statement.order_by(table.id))


# across accounts: its key names the account, for whoever asks to compare
def part(connection: Connection, part_id: int) -> Part | None:
    """One part of a long message."""
    return _one(connection, Part, _select(Part).where(TABLES[Part].c.id == part_id))


# across accounts: the clock asks for everybody
def keys_of_old_parts(connection: Connection, source: str, before: datetime, limit: int) -> tuple[str, ...]:
    """What has parts that came before a time and are not whole yet."""
    table = TABLES[Part].c
    statement = (
        select(table.key)
        .where(table.source == source, table.message_id.is_(None))
        .group_by(table.key)
        .having(func.max(table.at) < before)
        .limit(limit)
    )
    return tuple(connection.execute(statement).scalars())


# across accounts: whoever knows the message has asked for it by its account
def parts_of_message(connection: Connection, message_id: int) -> tuple[Part, ...]:
    """The parts that a customer's message came in, in their order."""
    table = TABLES[Part].c
    return _all(connection, Part, _select(Part).where(table.message_id == message_id).order_by(table.number))


# across accounts: a switch is told of all that may register
def telephone_lines(connection: Connection) -> tuple[Line, ...]:
    """The lines that have a telephone."""
    table = TABLES[Line].c
    return _all(connection, Line, _select(Line).where(_HAS_TELEPHONE).order_by(table.id))


# across accounts: an inbound message has no owner before this
def session_owner(connection: Connection, peer: str, address: str, now: datetime) -> Message | None:
    """The last message to a mobile from an address that opened a session which is still open."""
    statement = _select(Message).where(
        _m.peer == peer, _m.address == address, _m.session_until.is_not(None), _m.session_until > now
    )
    return _one(connection, Message, statement.order_by(_m.id.desc()))


def traffic(connection: Connection, account_id: int, since: datetime) -> tuple[tuple[str, str, int], ...]:
    """How many messages by direction and state since a time."""
    statement = (
        select(_m.direction, _m.state, func.count())
        .where(_m.account_id == account_id, _m.created_at >= since)
        .group_by(_m.direction, _m.state)
    )
    return tuple((str(row[0]), str(row[1]), int(row[2])) for row in connection.execute(statement))


# across accounts: a STOP concerns whoever wrote to that telephone
def recent_senders(
    connection: Connection, peer: str, address: str, since: datetime
) -> tuple[tuple[int, int], ...]:
    """The accounts that wrote to a mobile since a time, from `address` (empty: from any), last first, each
    with the id of its last message."""
    table = contacts.c
    gathered = select(table.account_id, table.message_id).where(table.peer == peer, table.at >= since)
    # What is younger than the last gathering is few enough to be looked through, along the primary key.
    young = select(_m.account_id, _m.id).where(
        _m.id > gathered_until(connection),
        _m.peer == peer,
        _m.direction == Direction.MT,
        _m.created_at >= since,
    )
    if address:
        gathered = gathered.where(table.address == address)
        young = young.where(_m.address == address)
    last: dict[int, int] = {}
    for rows in (connection.execute(gathered), connection.execute(young)):
        for account_id, message_id in rows:
            last[account_id] = max(message_id, last.get(account_id, 0))
    return tuple(sorted(last.items(), key=lambda pair: -pair[1]))


# --- means and limits


def blacklisted(connection: Connection, account_id: int, numbers: Sequence[str]) -> frozenset[str]:
    """Which of these numbers the account must not reach."""
    table = TABLES[BlacklistEntry].c
    found: set[str] = set()
    for start in range(0, len(numbers), 500):
        statement = select(table.number).where(
            table.account_id == account_id, table.number.in_(numbers[start : start + 500])
        )
        found.update(connection.execute(statement).scalars())
    return frozenset(found)


def blacklist_entry(connection: Connection, account_id: int, number: str) -> BlacklistEntry | None:
    """The account's entry for one number."""
    table = TABLES[BlacklistEntry].c
    statement = _select(BlacklistEntry).where(table.account_id == account_id, table.number == number)
    return _one(connection, BlacklistEntry, statement)


def blacklist(
    connection: Connection, account_id: int, cursor: int | None, limit: int, skip: int = 0
) -> tuple[BlacklistEntry, ...]:
    """A page of the account's blacklist."""
    return _page(connection, BlacklistEntry, account_id, cursor, limit, skip=skip)


def ledger(
    connection: Connection, account_id: int, cursor: int | None, limit: int
) -> tuple[LedgerEntry, ...]:
    """A page of the account's statement."""
    return _page(connection, LedgerEntry, account_id, cursor, limit)


# across accounts: prices are the platform's
def tariffs(connection: Connection) -> tuple[Tariff, ...]:
    """All tariffs."""
    return _all(connection, Tariff, _select(Tariff))


# --- inbound


# across accounts: short codes are the platform's
def short_codes(connection: Connection) -> tuple[ShortCode, ...]:
    """All shared short codes."""
    return _all(connection, ShortCode, _select(ShortCode).order_by(TABLES[ShortCode].c.id))


def own_numbers(connection: Connection, account_id: int) -> tuple[OwnNumber, ...]:
    """The account's own numbers, oldest first."""
    table = TABLES[OwnNumber].c
    return _all(
        connection, OwnNumber, _select(OwnNumber).where(table.account_id == account_id).order_by(table.id)
    )


def programs(connection: Connection, account_id: int) -> tuple[Program, ...]:
    """The programs that an account has registered, oldest first."""
    table = TABLES[Program].c
    return _all(
        connection, Program, _select(Program).where(table.account_id == account_id).order_by(table.id)
    )


# across accounts: a program may be let in by any account
def program_by_client_id(connection: Connection, client_id: str) -> Program | None:
    """The program that calls itself so."""
    return _one(connection, Program, _select(Program).where(TABLES[Program].c.client_id == client_id))


# across accounts: a program may be let in by any account
def program_names(connection: Connection, ids: Sequence[int]) -> Mapping[int, str]:
    """The names of programs by their ids."""
    table = TABLES[Program].c
    known = connection.execute(select(table.id, table.name).where(table.id.in_(ids)))
    return {one.id: one.name for one in known}


def grants(connection: Connection, account_id: int) -> tuple[Grant, ...]:
    """What an account has granted, oldest first."""
    table = TABLES[Grant].c
    return _all(connection, Grant, _select(Grant).where(table.account_id == account_id).order_by(table.id))


# across accounts: who brings the code says by it who has let him in
def grant_by_code(connection: Connection, code_hash: str) -> Grant | None:
    """What was granted with a code that was not used yet."""
    table = TABLES[Grant].c
    used = text("code_hash <> ''")
    return _one(connection, Grant, _select(Grant).where(table.code_hash == code_hash, used))


# across accounts: who brings a signed token says by it who has let him in
def grant(connection: Connection, grant_id: int) -> Grant | None:
    """What was granted, by its id."""
    return _one(connection, Grant, _select(Grant).where(TABLES[Grant].c.id == grant_id))


# across accounts: who brings the token says by it who has let him in
def grant_by_refresh(connection: Connection, refresh_hash: str) -> Grant | None:
    """What was granted to whoever has, or had, this token for new ones."""
    table = TABLES[Grant].c
    now = and_(table.refresh_hash == refresh_hash, text("refresh_hash <> ''"))
    before = and_(table.old_refresh_hash == refresh_hash, text("old_refresh_hash <> ''"))
    return _one(connection, Grant, _select(Grant).where(or_(now, before)))


def lines(connection: Connection, account_id: int) -> tuple[Line, ...]:
    """The account's telephone lines, oldest first."""
    table = TABLES[Line].c
    return _all(connection, Line, _select(Line).where(table.account_id == account_id).order_by(table.id))


# across accounts: who calls from a known address names nothing but a line
def line_by_number(connection: Connection, number: str) -> Line | None:
    """The line with a number."""
    return _one(connection, Line, _select(Line).where(TABLES[Line].c.number == number))


def line_by_short_number(connection: Connection, account_id: int, short_number: str) -> Line | None:
    """The account's line with a short number."""
    table = TABLES[Line].c
    mine = table.account_id == account_id
    return _one(connection, Line, _select(Line).where(mine, table.short_number == short_number))


# across accounts: whoever is called may be a line of another account
def telephone_numbers(connection: Connection) -> frozenset[str]:
    """The numbers of lines whose telephones may register."""
    table = TABLES[Line].c
    return frozenset(connection.execute(select(table.number).where(_HAS_TELEPHONE)).scalars())


# across accounts: whose telephone this is, is what is to be found out
def line_by_sip_user(connection: Connection, user: str) -> Line | None:
    """The line whose telephone registers as a user."""
    if not user:
        return None
    return _one(connection, Line, _select(Line).where(TABLES[Line].c.sip_user == user))


# across accounts: the registrar serves all
def registered_lines(connection: Connection, now: datetime) -> tuple[Line, ...]:
    """The lines whose telephones can be reached at a time."""
    table = TABLES[Line].c
    return _all(connection, Line, _select(Line).where(table.sip_until > now).order_by(table.id))


# across accounts: an inbound message has no owner before this
def owner_of_number(connection: Connection, number: str) -> OwnNumber | None:
    """To whom a number belongs."""
    return _one(connection, OwnNumber, _select(OwnNumber).where(TABLES[OwnNumber].c.number == number))


# across accounts: which number is free is a question about all
def numbers_between(connection: Connection, low: str, high: str) -> tuple[str, ...]:
    """The numbers of a range that somebody owns, ascending."""
    table = TABLES[OwnNumber].c
    statement = select(table.number).where(table.number.between(low, high)).order_by(table.number)
    return tuple(connection.execute(statement).scalars())


def keywords(connection: Connection, account_id: int) -> tuple[Keyword, ...]:
    """The account's keywords, oldest first."""
    table = TABLES[Keyword].c
    return _all(
        connection, Keyword, _select(Keyword).where(table.account_id == account_id).order_by(table.id)
    )


# across accounts: an inbound message has no owner before this
def keywords_of_code(connection: Connection, short_code: str) -> tuple[Keyword, ...]:
    """All keywords on a short code."""
    return _all(connection, Keyword, _select(Keyword).where(TABLES[Keyword].c.short_code == short_code))


# --- subscriptions and deliveries


def subscriptions(connection: Connection, account_id: int) -> tuple[Subscription, ...]:
    """The account's subscriptions, oldest first."""
    table = TABLES[Subscription].c
    return _all(
        connection,
        Subscription,
        _select(Subscription).where(table.account_id == account_id).order_by(table.id),
    )


def subscriptions_in_force(connection: Connection, account_id: int) -> tuple[Subscription, ...]:
    """The account's subscriptions that are told, oldest first."""
    return tuple(one for one in subscriptions(connection, account_id) if one.disabled_at is None)


def deliveries(
    connection: Connection, account_id: int, state: str, cursor: int | None, limit: int
) -> tuple[Job, ...]:
    """A page of the account's deliveries."""
    conditions = [_DELIVERY] + ([_j.state == JobState(state)] if state else [])
    return _page(connection, Job, account_id, cursor, limit, *conditions)


def delivery(connection: Connection, account_id: int, job_id: int) -> Job | None:
    """One delivery of the account."""
    statement = _select(Job).where(_j.id == job_id, _j.account_id == account_id, _DELIVERY)
    return _one(connection, Job, statement)


def notices_of(connection: Connection, account_id: int, subject: int) -> tuple[Job, ...]:
    """The deliveries about one message, oldest first."""
    statement = _select(Job).where(_j.account_id == account_id, _j.subject == subject, _DELIVERY)
    return _all(connection, Job, statement.order_by(_j.id))


def exchange(connection: Connection, account_id: int, exchange_id: int) -> Exchange | None:
    """One exchange of the account."""
    table = TABLES[Exchange].c
    return _one(
        connection,
        Exchange,
        _select(Exchange).where(table.id == exchange_id, table.account_id == account_id),
    )


def exchanges_of_jobs(
    connection: Connection, account_id: int, job_ids: Sequence[int]
) -> tuple[Exchange, ...]:
    """The exchanges of some deliveries, oldest first."""
    table = TABLES[Exchange].c
    # A sum is in no index: SQLite would rather read all exchanges of the account than look for two jobs.
    mine = table.account_id + 0 == account_id
    statement = _select(Exchange).where(mine, table.job_id.in_(list(job_ids)))
    return _all(connection, Exchange, statement.order_by(table.id))


def exchanges(
    connection: Connection, account_id: int, cursor: int | None, limit: int
) -> tuple[Exchange, ...]:
    """A page of the account's exchanges."""
    return _page(connection, Exchange, account_id, cursor, limit)


def replay(connection: Connection, account_id: int, key: str) -> StoredOutcome | None:
    """What an earlier command with an idempotency key did."""
    table = TABLES[StoredOutcome].c
    return _one(
        connection,
        StoredOutcome,
        _select(StoredOutcome).where(table.account_id == account_id, table.key == key),
    )


# --- the sandbox


def handsets(connection: Connection, account_id: int) -> tuple[Handset, ...]:
    """The account's telephones, newest activity first, at most 200."""
    table = TABLES[Handset].c
    statement = _select(Handset).where(table.account_id == account_id)
    return _all(connection, Handset, statement.order_by(table.active_at.desc(), table.id.desc()).limit(200))


def handset(connection: Connection, account_id: int, number: str) -> Handset | None:
    """One telephone of the account."""
    table = TABLES[Handset].c
    return _one(
        connection,
        Handset,
        _select(Handset).where(table.account_id == account_id, table.number == number),
    )


def handset_items(
    connection: Connection, account_id: int, number: str, limit: int
) -> tuple[HandsetItem, ...]:
    """The last messages on a telephone, newest first."""
    return _page(connection, HandsetItem, account_id, None, limit, TABLES[HandsetItem].c.number == number)


# --- the queue


def jobs_of_kind(connection: Connection, account_id: int, kind: str, limit: int) -> tuple[Job, ...]:
    """Jobs of an account that wait, oldest first, whenever they are due."""
    statement = _select(Job).where(_j.account_id == account_id, _j.kind == kind, _WAITING)
    return _all(connection, Job, statement.order_by(_j.id).limit(limit))


# across accounts: the platform's own clockwork
def next_job_at(connection: Connection) -> datetime | None:
    """When the next job is due, or the next claim runs out."""
    waiting = connection.execute(select(func.min(_j.due_at)).where(_j.state == JobState.WAITING)).scalar()
    running = connection.execute(
        select(func.min(_j.claimed_until)).where(_j.state == JobState.RUNNING)
    ).scalar()
    return min((at for at in (waiting, running) if at is not None), default=None)
