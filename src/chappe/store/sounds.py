"""Searches for recordings and uploaded sounds, by name: plain functions on a connection, as in queries.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, text

from chappe.model.calls import Call, Recording
from chappe.model.recordings import ListRecordings, UploadedSound
from chappe.store.queries import _all, _one, _page, _select
from chappe.store.tables import TABLES

_r, _c, _s = TABLES[Recording].c, TABLES[Call].c, TABLES[UploadedSound].c


def recordings(
    connection: Connection, account_id: int, call_id: int | None, search: ListRecordings
) -> tuple[Recording, ...]:
    """An account's recordings that fit a search (its `call` as an id, None for all), newest first."""
    conditions: list[ColumnElement[bool]] = []
    if call_id is not None:
        conditions.append(_r.call_id == call_id)
    if search.purpose is not None:
        conditions.append(_r.purpose == search.purpose)
    if search.since:
        conditions.append(_r.started_at >= search.since)
    if search.until:
        conditions.append(_r.started_at < search.until)
    return _page(connection, Recording, account_id, search.cursor, search.limit, *conditions)


def recording(connection: Connection, account_id: int, recording_id: int) -> Recording | None:
    """One recording of an account."""
    return _one(
        connection, Recording, _select(Recording).where(_r.id == recording_id, _r.account_id == account_id)
    )


def recording_by_ref(connection: Connection, account_id: int, ref: str) -> Recording | None:
    """The account's recording with this ref."""
    return _one(connection, Recording, _select(Recording).where(_r.ref == ref, _r.account_id == account_id))


def recordings_of(connection: Connection, account_id: int, call_id: int) -> tuple[Recording, ...]:
    """What was recorded of an account's call, oldest first."""
    statement = _select(Recording).where(_r.call_id == call_id, _r.account_id == account_id)
    return _all(connection, Recording, statement.order_by(_r.id))


# across accounts: the clock forgets for everybody
def old_recordings(connection: Connection, before: datetime, limit: int) -> tuple[Recording, ...]:
    """Recordings that began before a time, oldest first."""
    statement = _select(Recording).where(_r.started_at < before)
    return _all(connection, Recording, statement.order_by(_r.id).limit(limit))


def messages_of_line(
    connection: Connection, account_id: int, line: str, cursor: int | None, limit: int, skip: int = 0
) -> tuple[Recording, ...]:
    """The messages that were left for a line of an account, newest first."""
    has_sound = _r.size > 0
    return _page(connection, Recording, account_id, cursor, limit, _r.line == line, has_sound, skip=skip)


# across accounts: the lamps of all telephones are looked after at once
def waiting_messages(connection: Connection, lines: Sequence[str]) -> Mapping[str, tuple[int, int]]:
    """How many messages of each of these lines nobody has heard, and somebody has."""
    new = func.count().filter(_r.heard_at.is_(None))
    statement = select(_r.line, new, func.count()).where(
        _r.line.in_(lines), text("recordings.line <> ''"), _r.size > 0
    )
    rows = connection.execute(statement.group_by(_r.line)).all()
    return {line: (fresh, total - fresh) for line, fresh, total in rows}


def refs_of_calls(connection: Connection, account_id: int, ids: Sequence[int]) -> Mapping[int, str]:
    """The refs of an account's calls, by id."""
    statement = select(_c.id, _c.ref).where(_c.id.in_(ids), _c.account_id == account_id)
    return {row.id: row.ref for row in connection.execute(statement)}


def sounds(
    connection: Connection, account_id: int, cursor: int | None, limit: int
) -> tuple[UploadedSound, ...]:
    """An account's uploaded sounds, newest first."""
    return _page(connection, UploadedSound, account_id, cursor, limit)


def count_sounds(connection: Connection, account_id: int) -> int:
    """How many sounds an account has uploaded."""
    statement = select(func.count()).select_from(TABLES[UploadedSound]).where(_s.account_id == account_id)
    return int(connection.execute(statement).scalar_one())


def sound_by_ref(connection: Connection, account_id: int, ref: str) -> UploadedSound | None:
    """The account's uploaded sound with this ref."""
    statement = _select(UploadedSound).where(_s.ref == ref, _s.account_id == account_id)
    return _one(connection, UploadedSound, statement)
