"""Who wrote to which mobile: gathered from the messages a few seconds after they came, sorted and in bulk."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, text, tuple_

from chappe.model.messages import Direction, Message
from chappe.store.database import Database
from chappe.store.hot import SetStatement, is_postgres
from chappe.store.ids import first_id_of
from chappe.store.tables import TABLES, contacts, utc_text

_RIPE_AFTER = timedelta(seconds=10)
"""A message that is this old is committed, whatever node made it: no smaller id is still to come (our choice;
clocks of nodes may differ by less)."""

_MOST = 20_000
"""Messages in memory at once: some ten megabytes, however many there are."""

_AT_ONCE = 500
"""Rows in one transaction: other writes wait no longer than a few milliseconds."""

_REMEMBERED_FOR = timedelta(days=90)
"""The longest that anybody asks for (services/inbox.py)."""

_LOOKED_AT = 2_000
"""Rows that are looked at in one read on the way through the table: an index of their times would cost more
at every message than one way through in a day."""

_KEEP = SetStatement(
    "insert into contacts (peer, address, account_id, message_id, at)"
    " select peer, address, account_id, message_id, at from r where peer is not null"
    " on conflict (peer, address, account_id)"
    " do update set message_id = excluded.message_id, at = excluded.at"
    " where excluded.message_id > contacts.message_id returning account_id",
    [
        ("peer", "text"),
        ("address", "text"),
        ("account_id", "bigint"),
        ("message_id", "bigint"),
        ("at", "timestamptz"),
    ],
)


def gathered_until(connection: Connection) -> int:
    """The id of the last message that was gathered."""
    found = connection.execute(text("select value from counters where name = 'contacts'")).scalar()
    return 0 if found is None else int(found)


async def gather_contacts(database: Database, now: datetime) -> int:
    """Gather what has become ripe; returns how many messages that were. Harmless when it is broken off."""
    before, gathered = first_id_of(now - _RIPE_AFTER), 0
    while rows := await database.read(lambda connection: _ripe(connection, before)):
        await _gather(database, rows)
        gathered += len(rows)
    return gathered


async def _gather(database: Database, rows: list[Any]) -> None:
    newest: dict[tuple[str, str, int], tuple[int, datetime]] = {}
    for message_id, peer, address, account_id, at in rows:
        newest[peer, address, account_id] = (message_id, at)
    # In the order of the table: neighbours share a page.
    ordered = [(*key, *newest[key]) for key in sorted(newest)]
    for start in range(0, len(ordered), _AT_ONCE):
        piece = ordered[start : start + _AT_ONCE]
        await database.write(lambda connection, some=piece: _keep(connection, some))  # type: ignore[misc]
    await database.write(lambda connection: _mark(connection, rows[-1][0]))


def _ripe(connection: Connection, before: int) -> list[Any]:
    columns = TABLES[Message].c
    statement = (
        select(columns.id, columns.peer, columns.address, columns.account_id, columns.created_at)
        .where(columns.id > gathered_until(connection), columns.id < before)
        .where(columns.direction == Direction.MT)
        .order_by(columns.id)
        .limit(_MOST)
    )
    return list(connection.execute(statement))


def _keep(connection: Connection, rows: list[Any]) -> None:
    if not is_postgres(connection):
        rows = [(*row[:-1], utc_text(row[-1])) for row in rows]
    _KEEP.run(connection, rows)


def _mark(connection: Connection, message_id: int) -> None:
    connection.execute(
        text(
            "insert into counters (name, value) values ('contacts', :id)"
            " on conflict (name) do update set value = excluded.value where excluded.value > counters.value"
        ),
        {"id": message_id},
    )


async def forget_contacts(database: Database, now: datetime) -> int:
    """Forget those whose last message is too old, in slices along the primary key; returns how many."""
    before, forgotten = now - _REMEMBERED_FOR, 0
    after: tuple[Any, ...] = ("", "", 0)
    while rows := await database.read(lambda connection, key=after: _slice(connection, key)):  # type: ignore[misc]
        if old := [tuple(row[:3]) for row in rows if row.at < before]:
            forgotten += await database.write(lambda connection, keys=old: _remove(connection, keys, before))  # type: ignore[misc]
        after = tuple(rows[-1][:3])
    return forgotten


_KEY = tuple_(contacts.c.peer, contacts.c.address, contacts.c.account_id)


def _slice(connection: Connection, after: tuple[Any, ...]) -> list[Any]:
    columns = (contacts.c.peer, contacts.c.address, contacts.c.account_id, contacts.c.at)
    statement = select(*columns).where(tuple_(*after) < _KEY).order_by(*columns[:3]).limit(_LOOKED_AT)
    return list(connection.execute(statement))


def _remove(connection: Connection, keys: list[tuple[Any, ...]], before: datetime) -> int:
    removed = 0
    for start in range(0, len(keys), _AT_ONCE // 2):
        # Again by its time: somebody may have written meanwhile.
        some = _KEY.in_(keys[start : start + _AT_ONCE // 2])
        removed += connection.execute(delete(contacts).where(some, contacts.c.at < before)).rowcount
    return removed
