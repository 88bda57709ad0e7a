"""Searches for calls and their legs, by name: plain functions on a connection, as in queries.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, func, or_, select, text

from chappe.model.calls import Call, CallKind, Dialogue, Leg
from chappe.model.commands import ListCalls
from chappe.store.ids import first_id_of
from chappe.store.queries import _all, _one, _page, _select
from chappe.store.tables import TABLES

_c, _l = TABLES[Call].c, TABLES[Leg].c

# To the letter the condition of ix_legs_open: SQLite sees no partial index through bound values.
_OPEN_LEG = text("legs.ended_at is null")


def call(connection: Connection, account_id: int, call_id: int) -> Call | None:
    """One call of an account."""
    return _one(connection, Call, _select(Call).where(_c.id == call_id, _c.account_id == account_id))


def call_by_ref(connection: Connection, account_id: int, ref: str) -> Call | None:
    """The account's call with this ref."""
    return _one(connection, Call, _select(Call).where(_c.ref == ref, _c.account_id == account_id))


def list_calls(connection: Connection, account_id: int, search: ListCalls) -> tuple[Call, ...]:
    """The account's calls that fit a search, newest first."""
    conditions: list[Any] = []
    for column, value in (
        (_c.state, search.state),
        (_c.outcome, search.outcome),
        (_c.dialect, search.dialect),
        (_c.reference, search.reference),
    ):
        if value:
            conditions.append(column == value)
    if search.number:
        begins = [one.startswith(search.number, autoescape=True) for one in (_c.first, _c.second)]
        conditions.append(or_(*begins))
    if search.since:
        conditions.append(_c.created_at >= search.since)
    if search.until:
        conditions.append(_c.created_at < search.until)
    return _page(connection, Call, account_id, search.cursor, search.limit, *conditions, skip=search.skip)


def legs_of(connection: Connection, account_id: int, call_ids: Sequence[int]) -> tuple[Leg, ...]:
    """The legs of an account's calls, oldest first."""
    statement = _select(Leg).where(_l.call_id.in_(call_ids), _l.account_id == account_id)
    return _all(connection, Leg, statement.order_by(_l.id))


def legs_of_number(connection: Connection, account_id: int, number: str, limit: int) -> tuple[Leg, ...]:
    """What rang at a number for an account, newest first."""
    return _page(connection, Leg, account_id, None, limit, _l.number == number)


def open_legs(connection: Connection, account_id: int, limit: int) -> tuple[Leg, ...]:
    """The legs of an account that are not down, oldest first."""
    statement = _select(Leg).where(_OPEN_LEG, _l.account_id == account_id)
    return _all(connection, Leg, statement.order_by(_l.id).limit(limit))


def dialogues_of(connection: Connection, account_id: int, call_id: int) -> tuple[Dialogue, ...]:
    """The parts of lines in an account's call, oldest first."""
    table = TABLES[Dialogue].c
    statement = _select(Dialogue).where(table.call_id == call_id, table.account_id == account_id)
    return _all(connection, Dialogue, statement.order_by(table.id))


def cost_of_line(connection: Connection, account_id: int, line: str, since: datetime) -> int:
    """What the calls of a line that began since a time have cost, in thousandths; of those that are not over,
    what is held for them."""
    cost = case((_c.over_at.is_(None), _c.reserved), else_=_c.price)
    statement = select(func.coalesce(func.sum(cost), 0)).where(
        _c.account_id == account_id,
        _c.id >= first_id_of(since),
        or_(_c.first == line, and_(_c.second == line, _c.kind == CallKind.LINE)),
    )
    return int(connection.execute(statement).scalar_one())


def calls_placed(connection: Connection, account_id: int, since: datetime) -> tuple[int, int]:
    """How many calls an account has placed since a time that left the sandbox, parties rung by conferences
    among them, and what those that are over have cost, in thousandths."""
    first = first_id_of(since)
    placed = func.count().filter(_c.kind != CallKind.CONFERENCE)
    statement = select(placed, func.coalesce(func.sum(_c.price), 0)).where(
        _c.account_id == account_id, _c.id >= first, _c.is_virtual.is_(False)
    )
    count, spent = connection.execute(statement).one()
    rung = (
        select(func.count())
        .select_from(TABLES[Leg].join(TABLES[Call], _l.call_id == _c.id))
        .where(_c.account_id == account_id, _c.kind == CallKind.CONFERENCE, _l.account_id == account_id)
        .where(_l.id >= first, _l.inbound.is_(False), _l.carrier != "sandbox")
    )
    return int(count) + int(connection.execute(rung).scalar_one()), int(spent)


# across accounts: what nodes that have ended left open
def abandoned_calls(connection: Connection, before: datetime, limit: int) -> tuple[Call, ...]:
    """Calls that are not over and that no node has said since a time to be working, oldest first."""
    statement = _select(Call).where(_c.over_at.is_(None), _c.seen_at < before)
    return _all(connection, Call, statement.order_by(_c.id).limit(limit))
