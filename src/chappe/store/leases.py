"""Leases: who works what only one node may work, by the database's clock, and the fence at every write."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    TextualSelect,
    delete,
    literal_column,
    select,
    text,
    update,
)

from chappe.model.carriers import NODE, Lease
from chappe.model.changes import Fence
from chappe.model.errors import Fault, Refusal
from chappe.store.hot import SetStatement
from chappe.store.tables import Utc, leases

# Nodes' own clocks may differ; `now()` would be the beginning of the transaction, before it waited for a row.
_NOW = {
    "postgresql": "clock_timestamp()",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
}
_UNTIL = {
    "postgresql": "clock_timestamp() + make_interval(secs => :seconds)",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', :seconds || ' seconds')",
}
_HOLD = (
    "insert into leases (name, holder, fence, until) values (:name, :holder, 1, {until})"
    " on conflict (name) do update set until = excluded.until, holder = excluded.holder,"
    " fence = case when leases.holder = excluded.holder then leases.fence else leases.fence + 1 end"
    " where leases.holder = excluded.holder or leases.until <= {now}"
    " returning name, holder, fence, until"
)


@cache
def _hold(dialect: str) -> TextualSelect:
    statement = text(_HOLD.format(now=_NOW[dialect], until=_UNTIL[dialect]))
    return statement.columns(name=Text, holder=Text, fence=BigInteger, until=Utc)


def hold(connection: Connection, names: Sequence[str], holder: str, seconds: float) -> tuple[Lease, ...]:
    """Take or renew what can be had of these leases (see services/ports.py)."""
    held: list[Lease] = []
    for name in sorted(names):  # in one order: two nodes do not wait for one another
        values: dict[str, Any] = {"name": name, "holder": holder, "seconds": seconds}
        row = connection.execute(_hold(connection.dialect.name), values).first()
        if row is not None:
            held.append(Lease(*row))
    return tuple(held)


def leave(connection: Connection, holder: str) -> None:
    """End a holder's leases; their fences stay, so that the next holder's are higher."""
    now: ColumnElement[datetime] = literal_column(_NOW[connection.dialect.name])
    connection.execute(update(leases).where(leases.c.holder == holder).values(until=now, holder=""))


def ended_nodes(connection: Connection) -> frozenset[str]:
    """See services/ports.py."""
    over = select(leases.c.name).where(leases.c.name.startswith(NODE), _is_over(connection))
    return frozenset(name.removeprefix(NODE) for name in connection.execute(over).scalars())


def forget_node(connection: Connection, node: str) -> bool:
    """Remove a node's own lease; False where that is not over, or another one was quicker."""
    over = delete(leases).where(leases.c.name == NODE + node, _is_over(connection))
    return connection.execute(over).rowcount == 1


def _is_over(connection: Connection) -> ColumnElement[bool]:
    now: ColumnElement[datetime] = literal_column(_NOW[connection.dialect.name])
    return leases.c.until <= now


# For share: whoever takes the lease waits for this commit. SQLite has one writer.
_NEWEST = SetStatement(
    "select l.fence from leases as l join r on l.name = r.key", [("key", "text")], lock="for share of l"
)


def check_fence(connection: Connection, fence: Fence) -> None:
    """Refuse with `too_late` where somebody has taken the lease since; until the end of this transaction
    nobody can."""
    newest = next((row[0] for row in _NEWEST.run(connection, [(fence.lease,)])), None)
    if newest != fence.number:
        raise Refusal(
            Fault.TOO_LATE,
            f"{fence.lease} is worked by another node by now: fence {fence.number}, the newest is {newest}",
        )
