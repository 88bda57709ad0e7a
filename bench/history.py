"""Fills a database with past messages as years of traffic would leave them, by SQL alone."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import literal
from sqlalchemy.dialects import sqlite

from chappe.model.messages import Direction, Message, MessageState
from chappe.model.smstext import Encoding
from chappe.store.tables import message_table

DAYS = 365
"""The messages are spread evenly over so many days that end now."""

_EACH = 500_000  # rows in one statement

# One row in 20 came from a mobile; of the others 94 in 100 are delivered. Every column that is not named here
# has the value that a Message has by itself.
_CELLS = {
    "id": "(:first + n * :step) << 22 | (n & 4095)",
    "ref": "printf('%010x%016x', n, (n * 2654435761) & 281474976710655)",
    # One account in ten sends half of everything.
    "account_id": "(select id from history_accounts where place = "
    "case when n % 2 then 0 else (n / 2) % :accounts end)",
    "direction": "case when n % 20 = 7 then 'mo' else 'mt' end",
    "state": "case when n % 20 = 7 then 'received' when n % 50 = 9 then 'undelivered'"
    " when n % 50 = 19 then 'expired' when n % 50 = 29 then 'failed' else 'delivered' end",
    "peer": "printf('336%08d', (n * 48271) % 10000000)",
    # What retention has left (store/records.py): texts of the last 30 days.
    "text": "case when n < :messages * 335 / 365 then ''"
    " else printf('m%d Hello, this is a message of normal length from long ago', n) end",
    "carrier": "'sim'",
    "dialect": "case n % 3 when 0 then 'rest' when 1 then 'orange' else 'netoxygen' end",
    "batch_id": "(:first + n * :step) << 22 | (n & 4095)",
    "created_at": "{at}",
    "due_at": "{at}",
    "expires_at": "case when n % 20 = 7 then null else {at_expiry} end",
    "sent_at": "case when n % 20 = 7 or n % 50 = 29 then null else {at} end",
    "finished_at": "{at}",
    "carrier_ids": "case when n % 50 = 29 then '' else printf('%u', 1000000 + n) end",
}
_AT = "strftime('%Y-%m-%d %H:%M:%f', (:first + n * :step) / 1000.0 + 1735689600, 'unixepoch') || '000'"
_EXPIRY = _AT.replace("1735689600", "1735948800")  # three days later


def fill(file: Path, messages: int, accounts: list[int]) -> None:
    """Insert so many messages of these accounts (ids) into the SQLite database of a server that is stopped.

    Its indexes are built anew behind the rows, and nothing is synced until the end: minutes instead of hours.
    """
    columns = {column.name: _constant(column) for column in message_table.columns}
    columns |= {
        name: cell.replace("{at_expiry}", _EXPIRY).replace("{at}", _AT) for name, cell in _CELLS.items()
    }
    now = datetime.now(UTC) - datetime(2025, 1, 1, tzinfo=UTC)  # the epoch of our ids (store/ids.py)
    step = DAYS * 86_400_000 // messages
    values = {
        "first": round(now.total_seconds() * 1000) - step * (messages + 1),
        "step": step,
        "accounts": len(accounts),
        "messages": messages,
    }
    with _unsynced(file) as database, _without_indexes(database):
        database.execute("create temporary table history_accounts (place integer primary key, id integer)")
        database.executemany("insert into history_accounts values (?, ?)", enumerate(accounts))
        for start in range(0, messages, _EACH):
            rows = min(_EACH, messages - start)
            database.execute(
                "with recursive numbers(n) as"
                " (select :start union all select n + 1 from numbers where n + 1 < :start + :rows)"
                f" insert into messages ({', '.join(columns)})"
                f" select {', '.join(columns.values())} from numbers",
                {**values, "start": start, "rows": rows},
            )
            database.commit()
        # What the server gathers itself (store/contacts.py).
        database.execute(
            "insert into contacts (peer, address, account_id, message_id, at)"
            " select peer, address, account_id, max(id), max(created_at) from messages"
            " where direction = 'mt' group by peer, address, account_id"
        )
        database.execute("insert into counters (name, value) select 'contacts', max(id) from messages")


def _constant(column: Any) -> str:
    """What a delivered message of no special kind has in a column, as SQL."""
    at = datetime(2025, 1, 1, tzinfo=UTC)
    usual = Message(
        id=0,
        ref="",
        account_id=0,
        direction=Direction.MT,
        state=MessageState.DELIVERED,
        peer="",
        address="38100",
        text="",
        encoding=Encoding.GSM7,
        segments=1,
        price=1000,
        carrier="sim",
        dialect="rest",
        batch_id=0,
        created_at=at,
        due_at=at,
    )
    bound = literal(getattr(usual, column.name), column.type)
    return str(bound.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


@contextmanager
def _unsynced(file: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(file)
    try:
        database.execute("pragma journal_mode = off")
        database.execute("pragma synchronous = off")
        database.execute("pragma cache_size = -1000000")
        yield database
        database.commit()
        database.execute("pragma synchronous = full")
        database.execute("pragma journal_mode = wal")
    finally:
        database.close()


@contextmanager
def _without_indexes(database: sqlite3.Connection) -> Iterator[None]:
    """Indexes that a statement made (not those of unique constraints) are built when the rows are there."""
    found = database.execute(
        "select name, sql from sqlite_master"
        " where type = 'index' and tbl_name = 'messages' and sql is not null"
    ).fetchall()
    for name, _ in found:
        database.execute(f'drop index "{name}"')
    yield
    for _, statement in found:
        database.execute(statement)
