"""The few set-based statements of the write path, one text per database: many rows in one statement.

Each takes its rows as one JSON array of arrays, which `json_each` (SQLite) and `jsonb_array_elements`
(PostgreSQL) turn into a set; a statement a row would hold the interpreter for every row.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Connection, Table, text
from sqlalchemy.sql.elements import TextClause

from chappe.model.changes import Advance
from chappe.model.messages import MAY_FOLLOW, MessageState
from chappe.store.tables import TABLES, Json, Utc, to_json, utc_text, without_nul

# Rows in one statement. PostgreSQL holds at most 256 MB in one JSON array (54000 beyond), and an exchange
# has up to 32 KiB.
_SET = 5_000


def _cast(column: Column[Any]) -> str:
    if isinstance(column.type, Utc):
        return "timestamptz"
    if isinstance(column.type, Json):
        return "jsonb"
    if isinstance(column.type, Boolean):
        return "boolean"
    if isinstance(column.type, BigInteger):
        return "bigint"
    return "text"


def _cell(position: int, cast: str, dialect: str) -> str:
    if dialect == "sqlite":
        return f"json_extract(value, '$[{position}]')"
    if cast == "timestamptz":
        # Without its zone the text would be read in the zone of the server.
        return f"cast((value ->> {position}) || 'Z' as timestamptz)"
    return f"cast(value ->> {position} as {cast})"


def _rows(dialect: str) -> str:
    if dialect == "sqlite":
        return "json_each(:rows)"
    return "jsonb_array_elements(cast(:rows as jsonb)) as t(value)"


@cache
def _insert(table: Table, dialect: str) -> TextClause:
    names = ", ".join(column.name for column in table.columns)
    cells = ", ".join(
        _cell(position, _cast(column), dialect) for position, column in enumerate(table.columns)
    )
    # "where true" keeps SQLite from reading a following clause as a join's.
    return text(f"insert into {table.name} ({names}) select {cells} from {_rows(dialect)} where true")


@cache
def _reader(record: type) -> Callable[[Any], list[Any]]:
    columns = list(TABLES[record].columns)
    take = attrgetter(*(column.name for column in columns))
    converters = [(i, to) for i, column in enumerate(columns) if (to := to_json(column)) is not None]

    def read(value: Any) -> list[Any]:
        row = list(take(value))
        for position, convert in converters:
            row[position] = convert(row[position])
        return row

    return read


def insert_many(connection: Connection, record: type, values: Sequence[Any]) -> None:
    """Insert records of one type, set by set. A broken unique key raises IntegrityError."""
    read = _reader(record)
    statement = _insert(TABLES[record], connection.dialect.name)
    for start in range(0, len(values), _SET):
        rows = msgspec.json.encode([read(value) for value in values[start : start + _SET]]).decode()
        connection.execute(statement, {"rows": rows})


# id, at, account_id, carrier_ids, fault, carrier_code, due_at
_ADVANCE_CASTS = ("bigint", "timestamptz", "bigint", "text", "text", "text", "timestamptz")
_ADVANCE_NAMES = ("id", "at", "account_id", "carrier_ids", "fault", "carrier_code", "due_at")

_TIME_OF_STATE = {
    MessageState.QUEUED: "due_at = coalesce(r.due_at, m.due_at)",
    MessageState.SENDING: "sending_at = r.at, attempts = m.attempts + 1",
    MessageState.SENT: "sent_at = r.at",
}


@cache
def _advance(to: MessageState, dialect: str) -> TextClause:
    cells = ", ".join(
        f"{_cell(i, cast, dialect)} as {name}"
        for i, (cast, name) in enumerate(zip(_ADVANCE_CASTS, _ADVANCE_NAMES, strict=True))
    )
    allowed = ", ".join(f"'{state.value}'" for state in sorted(MAY_FOLLOW[to]))
    times = _TIME_OF_STATE.get(to, "finished_at = r.at")
    # SQLite knows no alias in RETURNING, PostgreSQL finds a bare "id" ambiguous.
    returning = "id" if dialect == "sqlite" else "m.id"
    return text(
        f"update messages as m set state = '{to.value}', {times},"
        " carrier_ids = coalesce(r.carrier_ids, m.carrier_ids),"
        " fault = coalesce(r.fault, m.fault),"
        " carrier_code = coalesce(r.carrier_code, m.carrier_code)"
        f" from (select {cells} from {_rows(dialect)}) as r"
        f" where m.id = r.id and m.state in ({allowed})"
        " and (r.account_id is null or m.account_id = r.account_id)"
        f" returning {returning}"
    )


def advance_many(connection: Connection, to: MessageState, steps: Sequence[Advance]) -> set[int]:
    """Guarded steps to one state in one statement; returns the ids of the messages that really moved.

    `steps` name each message once.
    """
    rows = [
        [
            step.id,
            utc_text(step.at),
            step.account_id,
            without_nul(step.carrier_ids),
            step.fault,
            without_nul(step.carrier_code),
            None if step.due_at is None else utc_text(step.due_at),
        ]
        for step in steps
    ]
    result = connection.execute(
        _advance(to, connection.dialect.name), {"rows": msgspec.json.encode(rows).decode()}
    )
    return {row[0] for row in result}
