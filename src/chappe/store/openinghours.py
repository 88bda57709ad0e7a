"""Searches for opening hours, by name: plain functions on a connection, as in queries.py."""

from sqlalchemy import Connection, func, select

from chappe.model.openinghours import OpeningHours
from chappe.store.queries import _one, _page, _select
from chappe.store.tables import TABLES

_h = TABLES[OpeningHours].c


def hours_named(connection: Connection, account_id: int, name: str) -> OpeningHours | None:
    """The account's hours of this name; remembered, see records.py."""
    statement = _select(OpeningHours).where(_h.name == name, _h.account_id == account_id)
    return _one(connection, OpeningHours, statement)


def current_hours(connection: Connection, account_id: int, name: str) -> OpeningHours | None:
    """The same as they are at this moment, to be changed."""
    return hours_named(connection, account_id, name)


def list_hours(
    connection: Connection, account_id: int, cursor: int | None, limit: int
) -> tuple[OpeningHours, ...]:
    """An account's hours, newest first."""
    return _page(connection, OpeningHours, account_id, cursor, limit)


def count_hours(connection: Connection, account_id: int) -> int:
    """How many hours of different names an account has."""
    statement = select(func.count()).select_from(TABLES[OpeningHours]).where(_h.account_id == account_id)
    return int(connection.execute(statement).scalar_one())
