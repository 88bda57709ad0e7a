"""Records made up from their own types, and a bare store on a database, for the contract suites."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from sqlalchemy import func, select

from chappe.model.directory import Account, AccountKind, AccountState
from chappe.model.jobs import Job, JobState
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.metrics import Metrics
from chappe.model.smstext import Encoding
from chappe.store.database import Database, open_database
from chappe.store.ids import SortableIds
from chappe.store.migrate import node_number
from chappe.store.records import Records
from chappe.store.tables import TABLES
from tests.platform import START, ManualClock

R = TypeVar("R")

BEYOND_DOUBLE = 2**53
PARIS = timezone(timedelta(hours=2))


def sample(kind: type[R], count: int = 1, /, *, full: bool = True, **chosen: Any) -> R:
    """A record of a kind with every optional field set (`full`) or None, distinct by `count`."""
    hints = get_type_hints(kind)
    values = {name: _value(hints[name], name, count, full) for name in field_names(kind)}
    return kind(**{**values, **chosen})


def field_names(kind: type) -> list[str]:
    """The fields of a record in order, whether it is a tuple or a dataclass."""
    return list(getattr(kind, "_fields", None) or [one.name for one in fields(kind)])


def changed(record: R, **values: Any) -> R:
    """A record with other values: those that every message meets are tuples, all others dataclasses."""
    if isinstance(record, tuple):
        return record._replace(**values)  # type: ignore[attr-defined,no-any-return]
    return replace(record, **values)  # type: ignore[type-var]


def _value(hint: Any, name: str, number: int, full: bool) -> Any:
    inner = get_args(hint)
    if get_origin(hint) in (Union, UnionType) and NoneType in inner:
        return _value(next(one for one in inner if one is not NoneType), name, number, full) if full else None
    if get_origin(hint) is tuple and hasattr(inner[0], "_fields"):
        return (sample(inner[0], number), sample(inner[0], number + 1)) if full else ()
    if get_origin(hint) is tuple:
        return ("message.sent", f"é {number}") if full else ()
    if get_origin(hint) in (dict, Mapping):
        deep = {"list": [1, None, True, 0.5], "été": {"😀": ":not a bind", "big": BEYOND_DOUBLE + number}}
        return deep if full else {}
    if get_origin(hint) is list:
        return [_value(inner[0], name, number, full)] if full else []
    if hint is bool:
        return full
    if hint is int:
        return BEYOND_DOUBLE + number
    if hint is datetime:
        return datetime(2026, 3, 2, 11, 30, 15, 123456 + number, tzinfo=PARIS)
    if hint is date:
        return date(2026, 3, 2) + timedelta(days=number % 1000)
    if hint is str:
        return f"{name} {number} – l'été \"à\" 50 % :x \\u0000 '';-- 😀\n\t" if full else ""
    assert issubclass(hint, Enum), (name, hint)
    return list(hint)[number % len(hint)]


@dataclass
class Ground:
    """A bare store on one database, with a clock that stands still."""

    address: str
    database: Database
    records: Records
    ids: SortableIds
    clock: ManualClock = field(default_factory=ManualClock)

    async def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind, by id."""
        table = TABLES[kind]
        statement = select(*table.columns).order_by(table.c.id)
        rows = await self.database.read(lambda connection: connection.execute(statement).all())
        return [kind(*row) for row in rows]

    async def count(self, kind: type) -> int:
        statement = select(func.count()).select_from(TABLES[kind])
        return int(await self.database.read(lambda connection: connection.execute(statement).scalar_one()))

    async def balance(self, account_id: int) -> int:
        found = await self.records.queries.account(account_id)
        assert found is not None
        return found.balance

    def account(self, balance: int = 0, **chosen: Any) -> Account:
        number = self.ids.new_id()
        made = Account(
            id=number,
            guid=f"guid {number}",
            name=f"name {number}",
            email="",
            kind=AccountKind.FREE,
            state=AccountState.OPEN,
            balance=balance,
            reserved=0,
            default_sender="",
            region="FR",
            locale="fr",
            created_at=START,
        )
        return changed(made, **chosen)

    def message(self, account_id: int, state: MessageState = MessageState.QUEUED, **chosen: Any) -> Message:
        number = self.ids.new_id()
        made = Message(
            id=number,
            ref=f"ref{number}",
            account_id=account_id,
            direction=Direction.MT,
            state=state,
            peer="33612345678",
            address="SHOP",
            text="hello",
            encoding=Encoding.GSM7,
            segments=1,
            price=1000,
            carrier="sandbox",
            dialect="rest",
            batch_id=1,
            created_at=self.clock.now(),
            due_at=self.clock.now(),
        )
        return changed(made, **chosen)

    def job(self, account_id: int = 1, **chosen: Any) -> Job:
        made = Job(
            id=self.ids.new_id(),
            kind="work",
            account_id=account_id,
            subject=0,
            payload={},
            state=JobState.WAITING,
            due_at=self.clock.now(),
            created_at=self.clock.now(),
        )
        return changed(made, **chosen)


@asynccontextmanager
async def a_ground(address: str) -> AsyncIterator[Ground]:
    """A store of its own, with a node number of its own, on a database that may have others."""
    clock = ManualClock()
    database = open_database(address)
    ids = SortableIds(clock, await node_number(database))
    records = Records(database, clock, ids, Metrics())
    try:
        yield Ground(address, database, records, ids, clock)
    finally:
        await records.close()


NAIVE = datetime(2026, 3, 2, 9, 0)
