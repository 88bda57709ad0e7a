"""Searches for what an account may do, by name, and the count of what it spends in a day."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from chappe.model.messages import Direction, Message, MessageState
from chappe.model.rights import MarketingBasis, RegisteredSender
from chappe.store.ids import first_id_of
from chappe.store.tables import TABLES

_b = TABLES[MarketingBasis].c
_s = TABLES[RegisteredSender].c
_m = TABLES[Message].c


def live_bases(
    connection: Connection, account_id: int, numbers: Sequence[str]
) -> Mapping[str, MarketingBasis]:
    """The live basis of each of these numbers that has one."""
    found: dict[str, MarketingBasis] = {}
    for start in range(0, len(numbers), 500):
        statement = select(*TABLES[MarketingBasis].columns).where(
            _b.account_id == account_id,
            _b.number.in_(numbers[start : start + 500]),
            _b.withdrawn_at.is_(None),
        )
        for row in connection.execute(statement):
            one = MarketingBasis(*row)
            found[one.number] = one
    return found


def withdrawn_numbers(connection: Connection, account_id: int, numbers: Sequence[str]) -> frozenset[str]:
    """Those of these numbers for which a basis has ended, whether or not a later one lives."""
    found: set[str] = set()
    for start in range(0, len(numbers), 500):
        statement = select(_b.number).where(
            _b.account_id == account_id,
            _b.number.in_(numbers[start : start + 500]),
            _b.withdrawn_at.is_not(None),
        )
        found.update(connection.execute(statement).scalars())
    return frozenset(found)


def marketing_bases(
    connection: Connection, account_id: int, number: str, cursor: int | None, limit: int
) -> tuple[MarketingBasis, ...]:
    """A page of the account's bases, of one number or of all."""
    statement = select(*TABLES[MarketingBasis].columns).where(_b.account_id == account_id)
    if number:
        statement = statement.where(_b.number == number)
    if cursor is not None:
        statement = statement.where(_b.id < cursor)
    rows = connection.execute(statement.order_by(_b.id.desc()).limit(limit))
    return tuple(MarketingBasis(*row) for row in rows)


def registered_senders(connection: Connection, account_id: int) -> tuple[RegisteredSender, ...]:
    """The senders registered for an account, by name."""
    statement = select(*TABLES[RegisteredSender].columns).where(_s.account_id == account_id)
    return tuple(RegisteredSender(*row) for row in connection.execute(statement.order_by(_s.sender)))


def block_record(
    connection: Connection, account_id: int, block: str, since: datetime, until: datetime
) -> tuple[int, int]:
    """How many messages an account sent in a time to numbers that begin with `block`, and how many of them
    were delivered."""
    # Along the account's own messages of that time; there is no index by mobile.
    rows = connection.execute(
        select(_m.state, func.count())
        .where(
            _m.peer >= block,
            _m.peer < block + ":",
            _m.direction == Direction.MT,
            _m.account_id == account_id,
            _m.id >= first_id_of(since),
            _m.created_at >= since,
            _m.created_at <= until,
        )
        .group_by(_m.state)
    )
    counted = {row[0]: row[1] for row in rows}
    return sum(counted.values()), counted.get(MessageState.DELIVERED, 0)


def spent(connection: Connection, account_id: int, day: str) -> int:
    """What an account has spent on a day (UTC, ISO 8601), in thousandths; counted while a cap holds."""
    return int(connection.execute(_SPENT, {"account_id": account_id, "day": day}).scalar() or 0)


_SPEND = text(
    "insert into spending (account_id, day, spent) values (:account_id, :day, :price)"
    " on conflict (account_id, day) do update set spent = spending.spent + excluded.spent"
    " where spending.spent + excluded.spent <= :cap returning spent"
)
_SPENT = text("select spent from spending where account_id = :account_id and day = :day")


def spend(connection: Connection, account_id: int, day: str, price: int, cap: int) -> int | None:
    """Count what an account spends on a day, in thousandths, guarded by its cap; None, or what is spent
    already where the cap does not allow it. To be called where the account's row is locked."""
    values = {"account_id": account_id, "day": day, "price": price, "cap": cap}
    if price <= cap and connection.execute(_SPEND, values).first() is not None:
        return None
    return spent(connection, account_id, day)
