"""Searches for announcements and their recipients, by name: plain functions on a connection, as in
queries.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from chappe.model.announcements import (
    Announcement,
    Count,
    FindAnnouncement,
    ListAnnouncements,
    Recipient,
    RecipientState,
)
from chappe.store.queries import _all, _one, _page, _select
from chappe.store.tables import TABLES

_a, _r = TABLES[Announcement].c, TABLES[Recipient].c


def announcement(connection: Connection, account_id: int, announcement_id: int) -> Announcement | None:
    """One announcement of an account."""
    statement = _select(Announcement).where(_a.id == announcement_id, _a.account_id == account_id)
    return _one(connection, Announcement, statement)


def announcement_by_ref(connection: Connection, account_id: int, ref: str) -> Announcement | None:
    """The account's announcement with this ref."""
    statement = _select(Announcement).where(_a.ref == ref, _a.account_id == account_id)
    return _one(connection, Announcement, statement)


def list_announcements(
    connection: Connection, account_id: int, asked: ListAnnouncements
) -> tuple[Announcement, ...]:
    """The account's announcements in a state, or all, newest first."""
    conditions: list[Any] = [_a.state == asked.state] if asked.state else []
    return _page(connection, Announcement, account_id, asked.cursor, asked.limit, *conditions)


def open_announcements(connection: Connection, account_id: int) -> int:
    """How many announcements of an account are not over."""
    statement = select(func.count()).where(_a.over_at.is_(None), _a.account_id == account_id)
    return int(connection.execute(statement).scalar_one())


def recipients_of(
    connection: Connection, account_id: int, announcement_id: int, asked: FindAnnouncement
) -> tuple[Recipient, ...]:
    """The recipients of an account's announcement that fit, in the order in which they were named, behind
    the cursor."""
    statement = _select(Recipient).where(_r.announcement_id == announcement_id, _r.account_id == account_id)
    if asked.state:
        statement = statement.where(_r.state == asked.state)
    if asked.number:
        statement = statement.where(_r.number.startswith(asked.number, autoescape=True))
    if asked.cursor is not None:
        statement = statement.where(_r.id > asked.cursor)
    return _all(connection, Recipient, statement.order_by(_r.id).limit(asked.limit))


def recipient(connection: Connection, account_id: int, recipient_id: int) -> Recipient | None:
    """One recipient of an account's announcements."""
    statement = _select(Recipient).where(_r.id == recipient_id, _r.account_id == account_id)
    return _one(connection, Recipient, statement)


def recipient_of_call(connection: Connection, account_id: int, call_id: int) -> Recipient | None:
    """The recipient whose last call this is."""
    statement = _select(Recipient).where(_r.call_id == call_id, _r.account_id == account_id)
    return _one(connection, Recipient, statement)


def due_recipients(
    connection: Connection, account_id: int, announcement_id: int, now: datetime, limit: int
) -> tuple[Recipient, ...]:
    """Who is to be rung now for an account's announcement, those first that have waited longest."""
    statement = _select(Recipient).where(
        _r.announcement_id == announcement_id,
        _r.account_id == account_id,
        _r.state == RecipientState.WAITING,
        _r.due_at <= now,
    )
    return _all(connection, Recipient, statement.order_by(_r.due_at, _r.id).limit(limit))


def next_recipient_at(connection: Connection, account_id: int, announcement_id: int) -> datetime | None:
    """When the next one who waits is to be rung; None where nobody waits."""
    statement = select(_r.due_at).where(
        _r.announcement_id == announcement_id,
        _r.account_id == account_id,
        _r.state == RecipientState.WAITING,
    )
    row = connection.execute(statement.order_by(_r.due_at).limit(1)).first()
    return None if row is None else row.due_at


def count_recipients(
    connection: Connection, account_id: int, announcement_ids: Sequence[int]
) -> Mapping[int, Count]:
    """How the recipients of each of an account's announcements stand, and what they cost."""
    statement = (
        select(_r.announcement_id, _r.state, func.count(), func.sum(_r.price))
        .where(_r.announcement_id.in_(announcement_ids), _r.account_id == account_id)
        .group_by(_r.announcement_id, _r.state)
    )
    found: dict[int, tuple[dict[RecipientState, int], int]] = {}
    for number, state, many, price in connection.execute(statement):
        states, before = found.get(number, ({}, 0))
        found[number] = ({**states, state: int(many)}, before + int(price))
    return {number: Count(states, price) for number, (states, price) in found.items()}
