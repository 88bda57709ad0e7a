"""The operator's searches, by name: plain functions on a connection, like those of queries.py.

They are about the platform itself and look across accounts; services/network.py lets only operators ask.
Whatever is counted is counted up to a limit, so that a backlog of millions costs no more than a few.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, text, tuple_

from chappe.model.carriers import CarrierRecord
from chappe.model.directory import Account
from chappe.model.jobs import Job
from chappe.model.ledger import Route
from chappe.model.messages import EarlyReceipt, Message
from chappe.model.metrics import Minute
from chappe.model.network import Depth, Waiting
from chappe.store.queries import DELIVERIES
from chappe.store.tables import TABLES

_m = TABLES[Message].c
_j = TABLES[Job].c
# To the letter the conditions of the partial indexes: SQLite sees none of them through bound values.
_QUEUED = text("messages.state = 'queued'")
_SCHEDULED = text("messages.state = 'scheduled'")
_DEAD = text("jobs.state = 'dead'")
_WAITING = select(
    *(_m.id, _m.ref, _m.account_id, _m.state, _m.peer, _m.carrier),
    *(_m.created_at, _m.due_at, _m.expires_at, _m.attempts, _m.carrier_code, _m.held_by),
)


def _count(connection: Connection, some: Select[Any], most: int) -> int:
    return int(
        connection.execute(
            select(func.count()).select_from(some.limit(most).subquery("counted"))
        ).scalar_one()
    )


# across accounts: routes are the platform's
def routes(connection: Connection) -> tuple[Route, ...]:
    """All routes, by kind and prefix."""
    table = TABLES[Route]
    rows = connection.execute(select(*table.columns).order_by(table.c.kind, table.c.prefix))
    return tuple(Route(*row) for row in rows)


# across accounts: carriers are the platform's
def carrier_records(connection: Connection) -> tuple[CarrierRecord, ...]:
    """What carriers told last, by name."""
    table = TABLES[CarrierRecord]
    rows = connection.execute(select(*table.columns).order_by(table.c.name))
    return tuple(CarrierRecord(*row) for row in rows)


# across accounts: the operator's view of the queue
def queue_depths(connection: Connection, now: datetime, most: int) -> tuple[Depth, ...]:
    """What is queued, by carrier; counts end at `most`."""
    depths: list[Depth] = []
    # One carrier after the other, each a step in the index: a grouped count would read the whole backlog.
    carrier = connection.execute(select(func.min(_m.carrier)).where(_QUEUED)).scalar()
    while carrier is not None:
        of_it = select(_m.id).where(_QUEUED, _m.carrier == carrier)
        oldest = select(func.min(_m.due_at)).where(_QUEUED, _m.carrier == carrier)
        depths.append(
            Depth(
                carrier,
                _count(connection, of_it, most),
                _count(connection, of_it.where(_m.due_at > now), most),
                connection.execute(oldest).scalar(),
            )
        )
        following = select(func.min(_m.carrier)).where(_QUEUED, _m.carrier > carrier)
        carrier = connection.execute(following).scalar()
    return tuple(depths)


def _after(statement: Select[Any], after: tuple[datetime, int] | None) -> Select[Any]:
    if after is None:
        return statement
    return statement.where(tuple_(_m.due_at, _m.id) > tuple_(*after, types=[_m.due_at.type, _m.id.type]))


# across accounts: the operator's view of the queue
def queued_messages(
    connection: Connection, carrier: str, after: tuple[datetime, int] | None, limit: int
) -> tuple[Waiting, ...]:
    """What is queued for a carrier in the order in which it is due, from behind a due time and id on."""
    statement = _after(_WAITING.where(_QUEUED, _m.carrier == carrier), after)
    rows = connection.execute(statement.order_by(_m.due_at, _m.id).limit(limit))
    return tuple(Waiting(*row) for row in rows)


# across accounts: an operator gives them to another carrier
def movable_messages(
    connection: Connection, carrier: str, without: Sequence[int], limit: int
) -> tuple[Waiting, ...]:
    """What is queued for a carrier and was never on its way to it, in the order in which it is due."""
    statement = _WAITING.where(_QUEUED, _m.carrier == carrier, _m.sending_at.is_(None))
    if without:
        statement = statement.where(_m.id.not_in(without))
    rows = connection.execute(statement.order_by(_m.due_at, _m.id).limit(limit))
    return tuple(Waiting(*row) for row in rows)


# across accounts: the operator's view of the queue
def scheduled_ahead(
    connection: Connection, after: tuple[datetime, int] | None, limit: int
) -> tuple[Waiting, ...]:
    """What is scheduled, soonest first, from behind a due time and id on."""
    statement = _after(_WAITING.where(_SCHEDULED), after)
    rows = connection.execute(statement.order_by(_m.due_at, _m.id).limit(limit))
    return tuple(Waiting(*row) for row in rows)


# across accounts: the operator's view of the queue
def count_scheduled(connection: Connection, most: int) -> int:
    """How many messages are scheduled, counted up to `most`."""
    return _count(connection, select(_m.id).where(_SCHEDULED), most)


# across accounts: a receipt that nobody owns
def parked_receipts(connection: Connection, cursor: int | None, limit: int) -> tuple[EarlyReceipt, ...]:
    """Receipts whose message is not known, newest first."""
    table = TABLES[EarlyReceipt]
    statement = select(*table.columns)
    if cursor is not None:
        statement = statement.where(table.c.id < cursor)
    rows = connection.execute(statement.order_by(table.c.id.desc()).limit(limit))
    return tuple(EarlyReceipt(*row) for row in rows)


def _dead(account_id: int | None) -> list[Any]:
    return [_DEAD, _j.kind.in_(DELIVERIES)] + ([] if account_id is None else [_j.account_id == account_id])


def count_dead(connection: Connection, account_id: int | None, most: int) -> int:
    """How many deliveries of an account (None: of all) were given up, counted up to `most`."""
    return _count(connection, select(_j.id).where(*_dead(account_id)), most)


def dead_deliveries(
    connection: Connection, account_id: int | None, cursor: int | None, limit: int
) -> tuple[Job, ...]:
    """Deliveries of an account (None: of all) that were given up, newest first."""
    statement = select(*TABLES[Job].columns).where(*_dead(account_id))
    if cursor is not None:
        statement = statement.where(_j.id < cursor)
    return tuple(Job(*row) for row in connection.execute(statement.order_by(_j.id.desc()).limit(limit)))


# across accounts: whose what is seen there is
def account_names(connection: Connection, account_ids: Sequence[int]) -> Mapping[int, str]:
    """The names of accounts."""
    table = TABLES[Account].c
    rows = connection.execute(select(table.id, table.name).where(table.id.in_(list(account_ids))))
    return {int(row[0]): str(row[1]) for row in rows}


# across accounts: the operator's list of them
def newest_accounts(connection: Connection, cursor: int | None, limit: int) -> tuple[Account, ...]:
    """All accounts, newest first."""
    table = TABLES[Account]
    statement = select(*table.columns)
    if cursor is not None:
        statement = statement.where(table.c.id < cursor)
    rows = connection.execute(statement.order_by(table.c.id.desc()).limit(limit))
    return tuple(Account(*row) for row in rows)


# across accounts: what the platform did
def minutes(connection: Connection, since: datetime) -> tuple[Minute, ...]:
    """What all nodes did since a time, oldest first."""
    table = TABLES[Minute]
    rows = connection.execute(select(*table.columns).where(table.c.at >= since).order_by(table.c.at))
    return tuple(Minute(*row) for row in rows)
