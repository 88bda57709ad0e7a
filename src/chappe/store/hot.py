"""The few set-based statements of the write path: many rows in one statement, and nothing between us and the
driver, because what SQLAlchemy takes for one statement is more than a message's whole life may cost.

A statement is written once and says `r` where it means the given rows. SQLite gets them as bound VALUES,
filled up with rows of NULL so that few texts serve all sizes; PostgreSQL as one array a
column, and as COPY for inserts.
(json_each with 31 columns costs twice as much: every cell parses its row anew.)
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from inspect import signature
from itertools import chain
from operator import attrgetter
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer
from sqlalchemy.util import await_only

from chappe.model.changes import Advance, JobResult, Update
from chappe.model.directory import Account
from chappe.model.messages import MAY_FOLLOW, MessageState
from chappe.store.tables import TABLES, Choice, Json, PlainText, Utc, in_utc, json_text, utc_text, without_nul

# SQLite 3.32 and later bind 32,766 values; more rows in one statement gain nothing.
_MOST_VALUES = 32_000
_MOST_ROWS = 128
_MOST_TEXTS = 512

Cells = Sequence[Any]


def is_postgres(connection: Connection) -> bool:
    """Which of the two databases this is."""
    return connection.dialect.name == "postgresql"


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What is written inside stands or falls together."""
    _say(connection, "savepoint member")
    try:
        yield
    except BaseException:
        _say(connection, "rollback to savepoint member")
        raise
    _say(connection, "release savepoint member")


def _say(connection: Connection, command: str) -> None:
    if is_postgres(connection):
        connection.exec_driver_sql(command)  # SQLAlchemy begins its transaction with the first of these
    else:
        _driver(connection).execute(command)


# --- inserting


def insert_many(connection: Connection, record: type, values: Sequence[Any]) -> None:
    """Insert records of one type. A broken unique key raises the driver's integrity error."""
    names: list[str] = []
    columns: list[Cells] = []
    usual_names: list[str] = []
    postgres = is_postgres(connection)
    take, known = _reader(record, postgres)
    rows: Iterable[Cells] = values if take is None else map(take, values)
    for (name, convert, usual), cells in zip(known, zip(*rows, strict=True), strict=True):
        if cells[0] is usual and cells.count(usual) == len(cells):
            if usual is None:
                continue  # NULL is what a column has by itself
            if not postgres:
                usual_names.append(name)
                continue
        names.append(name)
        columns.append(cells if convert is None else convert(cells))
    table = TABLES[record].name
    cells_of = list(zip(*columns, strict=True))
    if postgres:
        await_only(_driver(connection).copy_records_to_table(table, records=cells_of, columns=names))
        return
    driver = _driver(connection)
    for piece in _pieces(cells_of, len(names)):
        statement = _sqlite_insert(record, tuple(names), tuple(usual_names), len(piece))
        driver.execute(statement, list(chain.from_iterable(piece)))


@lru_cache(maxsize=_MOST_TEXTS)
def _sqlite_insert(record: type, names: tuple[str, ...], usual: tuple[str, ...], rows: int) -> str:
    """`usual` columns have their record's default in all rows: it is said once, not bound for each."""
    # Every record's first column is its id; a row without one only fills up. A name may be a word of SQL.
    columns = '", "'.join(names + usual)
    constants = "".join(f", {_literal(record, name)}" for name in usual)
    return (
        f'insert into {TABLES[record].name} ("{columns}")'
        f" select *{constants} from (values {_values(len(names), rows)}) where column1 is not null"
    )


def _literal(record: type, name: str) -> str:
    convert, usual = next(
        (convert, usual) for one, convert, usual in _reader(record, False)[1] if one == name
    )
    (cell,) = (usual,) if convert is None else convert((usual,))
    return f"{cell:d}" if isinstance(cell, int) else "'" + str(cell).replace("'", "''") + "'"


def _values(columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return ", ".join([row] * rows)


def _pieces(rows: Sequence[Any], width: int) -> Iterable[Sequence[Any]]:
    """The rows in as few pieces as may be, filled up with empty rows to one of few sizes: each statement is a
    moment in which the interpreter's lock is let go and must be waited for."""
    most = min(_MOST_ROWS, 1 << (_MOST_VALUES // width).bit_length() - 1)
    for start in range(0, len(rows), most):
        piece = rows[start : start + most]
        missing = _size(len(piece)) - len(piece)
        yield [*piece, *[(None,) * width] * missing] if missing else piece


def _size(rows: int) -> int:
    """The next of 1, 2, 3, 4, 6, 8, 12, 16 and so on."""
    size = 1 << (rows - 1).bit_length()
    return size - size // 4 if rows <= size - size // 4 else size


Converter = Callable[[Cells], Cells]


@cache
def _reader(
    record: type, postgres: bool
) -> tuple[Callable[[Any], tuple[Any, ...]] | None, list[tuple[str, Converter | None, Any]]]:
    """How the cells of a record are got (None: it is the tuple of them already), and its columns by name,
    each with what makes its cells such as the driver takes, and the record's default (None: NULL or none)."""
    columns = list(TABLES[record].columns)
    names = [column.name for column in columns]
    convert = _for_postgres if postgres else _for_sqlite
    is_row = getattr(record, "_fields", None) == tuple(names)
    usual = {
        name: None if field.default is field.empty else field.default
        for name, field in signature(record).parameters.items()
    }
    return None if is_row else attrgetter(*names), [(c.name, convert(c), usual[c.name]) for c in columns]


def _for_sqlite(column: Column[Any]) -> Converter | None:
    kind = column.type
    if isinstance(kind, Utc):
        return _utc_texts
    if isinstance(kind, Choice):
        # The driver takes a plain text much faster than a member of an enum.
        plain = {member: str(member.value) for member in kind.choices} | {None: None}
        return lambda cells: list(map(plain.__getitem__, cells))
    if isinstance(kind, Boolean):
        return lambda cells: [None if one is None else +one for one in cells]
    return _for_postgres(column)


def _for_postgres(column: Column[Any]) -> Converter | None:
    if isinstance(column.type, Utc):
        return _in_utc
    if isinstance(column.type, Json):
        return lambda cells: [None if one is None else json_text(one) for one in cells]
    return _without_nul if isinstance(column.type, PlainText) else None


def _without_nul(cells: Cells) -> Cells:
    # One look at all of them: a NUL is as good as never there.
    return [without_nul(one) for one in cells] if "\0" in "".join(filter(None, cells)) else cells


def _in_utc(cells: Cells) -> Cells:
    return [None if one is None else in_utc(one) for one in cells]


def _utc_texts(cells: Cells) -> Cells:
    return list(map(_utc_text, cells))


# What is written together has few times: those of one request, of one packet of receipts.
@lru_cache(maxsize=4_096)
def _utc_text(value: datetime | None) -> str | None:
    return None if value is None else utc_text(value)


# --- statements over given rows


class SetStatement:
    """One statement over many given rows, the relation `r` with these columns (name and PostgreSQL type).
    `lock` is said where there are several writers."""

    def __init__(self, text: str, columns: Sequence[tuple[str, str]], lock: str = "") -> None:
        self._names = ", ".join(name for name, _ in columns)
        self._width = len(columns)
        self._text = text
        arrays = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(columns, 1))
        self._postgres = f"with r as (select * from unnest({arrays}) as t({self._names})) {text} {lock}"
        self._sqlite = cache(self._for_rows)

    def _for_rows(self, rows: int) -> str:
        return f"with r({self._names}) as (values {_values(self._width, rows)}) {self._text}"

    def run(self, connection: Connection, rows: Sequence[Cells]) -> list[Any]:
        """What the statement returns, row by row. `rows` hold values as the database takes them."""
        if is_postgres(connection):
            columns = map(list, zip(*rows, strict=True))
            return list(await_only(_driver(connection).fetch(self._postgres, *columns)))
        driver = _driver(connection)
        found: list[Any] = []
        for piece in _pieces(rows, self._width):
            found += driver.execute(self._sqlite(len(piece)), list(chain.from_iterable(piece))).fetchall()
        return found


_TIME_OF_STATE = {
    MessageState.QUEUED: ("due_at = coalesce(r.due_at, m.due_at)", ("due_at",)),
    MessageState.SENDING: ("sending_at = r.at, attempts = m.attempts + 1", ("at",)),
    MessageState.SENT: ("sent_at = r.at", ("at",)),
}
_FINISHED = ("finished_at = r.at", ("at",))
_OPTIONAL = ("carrier_ids", "fault", "carrier_code")
# The key has another name than the column: RETURNING then means the same on both databases.
_STEP_TYPES = {
    "key": "bigint",
    "at": "timestamptz",
    "account_id": "bigint",
    "carrier_ids": "text",
    "fault": "text",
    "carrier_code": "text",
    "due_at": "timestamptz",
}


@cache
def _advance(to: MessageState, names: tuple[str, ...]) -> SetStatement:
    time, needed = _TIME_OF_STATE.get(to, _FINISHED)
    changes = [f"state = '{to.value}'"]
    if set(needed) <= set(names):
        changes.append(time)
    changes += [f"{name} = coalesce(r.{name}, m.{name})" for name in _OPTIONAL if name in names]
    allowed = ", ".join(f"'{state.value}'" for state in sorted(MAY_FOLLOW[to]))
    owned = " and (r.account_id is null or m.account_id = r.account_id)" if "account_id" in names else ""
    return SetStatement(
        f"update messages as m set {', '.join(changes)} from r"
        f" where m.id = r.key and m.state in ({allowed}){owned} returning id",
        [(name, _STEP_TYPES[name]) for name in names],
    )


_take_step = attrgetter("id", *list(_STEP_TYPES)[1:])


def advance_many(connection: Connection, to: MessageState, steps: Sequence[Advance]) -> set[int]:
    """Guarded steps to one state in one statement; returns the ids of the messages that really moved.

    `steps` name each message once.
    """
    names: list[str] = []
    columns: list[Cells] = []
    for name, cells in zip(_STEP_TYPES, zip(*map(_take_step, steps), strict=True), strict=True):
        if cells[0] is None and cells.count(None) == len(cells):
            continue  # nothing of the kind is to be changed
        names.append(name)
        columns.append(_as_type(_STEP_TYPES[name], cells, connection))
    moved = _advance(to, tuple(names)).run(connection, list(zip(*columns, strict=True)))
    return set(chain.from_iterable(moved))


def _as_type(kind: str, cells: Cells, connection: Connection) -> Cells:
    if kind == "timestamptz":
        return _in_utc(cells) if is_postgres(connection) else _utc_texts(cells)
    if kind == "text":
        # The driver takes a plain text much faster than a member of an enum.
        return [None if one is None else str(one) for one in _without_nul(cells)]
    return cells


_RESULT_TYPES = {
    "key": "bigint",
    "attempts": "bigint",
    "state": "text",
    "outcome": "text",
    "due_at": "timestamptz",
    "done_at": "timestamptz",
}
_FINISH = SetStatement(
    "update jobs as j set state = r.state, outcome = r.outcome, claimed_until = null, claimed_by = null,"
    " due_at = coalesce(r.due_at, j.due_at), done_at = coalesce(r.done_at, j.done_at) from r"
    " where j.id = r.key and j.state = 'running' and j.attempts = r.attempts returning id",
    list(_RESULT_TYPES.items()),
)
_take_result = attrgetter("id", *list(_RESULT_TYPES)[1:])


def finish_jobs(connection: Connection, results: Sequence[JobResult]) -> set[int]:
    """Write how attempts of jobs went; returns the ids of those that were still their runners'."""
    columns = [
        _as_type(kind, cells, connection)
        for kind, cells in zip(
            _RESULT_TYPES.values(), zip(*map(_take_result, results), strict=True), strict=True
        )
    ]
    return set(chain.from_iterable(_FINISH.run(connection, list(zip(*columns, strict=True)))))


def kind_of_update(change: Update) -> tuple[object, ...]:
    """Updates of one kind can be made by one statement."""
    expected = tuple((name, value is None) for name, value in change.expected.items())
    return change.record, tuple(change.values), expected


@cache
def _update_of_kind(
    record: type, names: tuple[str, ...], expected: tuple[tuple[str, bool], ...]
) -> SetStatement:
    table = TABLES[record]
    columns = [("key", "bigint"), ("owner", "bigint")]
    sets, conditions = [], []
    for name in names:
        sets.append(f'"{name}" = r.new_{name}')
        columns.append((f"new_{name}", _postgres_type(table.c[name])))
    for name, is_null in expected:
        if is_null:
            conditions.append(f' and t."{name}" is null')
        else:
            conditions.append(f' and t."{name}" = r.old_{name}')
            columns.append((f"old_{name}", _postgres_type(table.c[name])))
    # An account owns itself; records that name no account are the platform's and no account's.
    owner = "t.id" if record is Account else "t.account_id" if "account_id" in table.c else "null"
    return SetStatement(
        f"update {table.name} as t set {', '.join(sets) or 'id = r.key'} from r where t.id = r.key"
        f" and (r.owner is null or {owner} = r.owner){''.join(conditions)} returning id",
        columns,
    )


def _postgres_type(column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, Utc):
        return "timestamptz"
    if isinstance(kind, Json):
        return "jsonb"
    if isinstance(kind, Boolean):
        return "boolean"
    return "bigint" if isinstance(kind, Integer) else "text"


def update_many(connection: Connection, updates: Sequence[Update]) -> set[int]:
    """Make updates of one kind (see `kind_of_update`) that name each record once; returns the ids of the
    records that were as expected."""
    first = updates[0]
    names, expected = tuple(first.values), tuple((k, v is None) for k, v in first.expected.items())
    converters = {name: convert for name, convert, _ in _reader(first.record, is_postgres(connection))[1]}
    columns: list[Cells] = [[one.id for one in updates], [one.account_id for one in updates]]
    for name in names:
        columns.append(_cells(converters[name], [one.values[name] for one in updates]))
    for name, is_null in expected:
        if not is_null:
            columns.append(_cells(converters[name], [one.expected[name] for one in updates]))
    made = _update_of_kind(first.record, names, expected)
    return {row[0] for row in made.run(connection, list(zip(*columns, strict=True)))}


def _cells(convert: Converter | None, cells: Cells) -> Cells:
    return cells if convert is None else convert(cells)


_MOVE = SetStatement(
    "update accounts as a set balance = a.balance + r.total, reserved = a.reserved + r.held from r"
    " where a.id = r.key and (r.guarded = 0 or a.balance + r.total >= a.reserved + r.held)"
    " returning id, balance",
    [("key", "bigint"), ("total", "bigint"), ("held", "bigint"), ("guarded", "bigint")],
)


def move_balances(connection: Connection, moves: Sequence[tuple[int, int, int, bool]]) -> dict[int, int]:
    """Move balances by account id, amount, what more is reserved, and whether the balance may not fall below
    what is reserved; returns the new balances of the accounts that could."""
    rows = [(account_id, total, held, int(guarded)) for account_id, total, held, guarded in moves]
    return {row[0]: row[1] for row in _MOVE.run(connection, rows)}


_WITH_BLACKLIST = SetStatement(
    "select r.key from r where exists (select 1 from blacklist as b where b.account_id = r.key)",
    [("key", "bigint")],
)
_BLOCKED = SetStatement(
    "select r.account_id, r.number from r join blacklist as b"
    " on b.account_id = r.account_id and b.number = r.number",
    [("account_id", "bigint"), ("number", "text")],
)


def blocked_many(connection: Connection, pairs: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """Which of these pairs of account id and number stand on a blacklist."""
    pairs = list(pairs)
    strict = {
        row[0] for row in _WITH_BLACKLIST.run(connection, [(one,) for one in {pair[0] for pair in pairs}])
    }
    if not strict:
        return set()
    asked = sorted({pair for pair in pairs if pair[0] in strict})
    return {(row[0], row[1]) for row in _BLOCKED.run(connection, asked)}
