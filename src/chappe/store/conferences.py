"""Searches for conferences and their participants, by name: plain functions on a connection, as in
queries.py."""

from typing import Any

from sqlalchemy import Connection, func, select

from chappe.model.calls import Call, Leg
from chappe.model.conferences import AccessMode, Conference, ConferenceState, ListConferences, Participant
from chappe.store.queries import _all, _one, _page, _select
from chappe.store.tables import TABLES

_c, _p = TABLES[Conference].c, TABLES[Participant].c
_call, _leg = TABLES[Call].c, TABLES[Leg].c


def conference(connection: Connection, account_id: int, conference_id: int) -> Conference | None:
    """One conference of an account."""
    statement = _select(Conference).where(_c.id == conference_id, _c.account_id == account_id)
    return _one(connection, Conference, statement)


def conference_by_ref(connection: Connection, account_id: int, ref: str) -> Conference | None:
    """The account's conference with this ref."""
    return _one(connection, Conference, _select(Conference).where(_c.ref == ref, _c.account_id == account_id))


def conference_of_call(connection: Connection, account_id: int, call_id: int) -> Conference | None:
    """The account's conference that is held as a call."""
    statement = _select(Conference).where(_c.call_id == call_id, _c.account_id == account_id)
    return _one(connection, Conference, statement)


def list_conferences(
    connection: Connection, account_id: int, asked: ListConferences
) -> tuple[Conference, ...]:
    """The account's conferences in a state, or all, newest first."""
    conditions: list[Any] = [_c.state == asked.state] if asked.state else []
    return _page(connection, Conference, account_id, asked.cursor, asked.limit, *conditions)


def open_conferences(connection: Connection, account_id: int) -> int:
    """How many conferences of an account are planned or open."""
    statement = select(func.count()).where(_c.over_at.is_(None), _c.account_id == account_id)
    return int(connection.execute(statement).scalar_one())


def participants_of(connection: Connection, account_id: int, conference_id: int) -> tuple[Participant, ...]:
    """The participants of an account's conference, oldest first."""
    statement = _select(Participant).where(_p.conference_id == conference_id, _p.account_id == account_id)
    return _all(connection, Participant, statement.order_by(_p.id))


def participant_by_ref(connection: Connection, account_id: int, ref: str) -> Participant | None:
    """The account's participant with this ref."""
    statement = _select(Participant).where(_p.ref == ref, _p.account_id == account_id)
    return _one(connection, Participant, statement)


# across accounts: who dials a call-in number has told nothing but a code
def conference_of_code(connection: Connection, number: str, code: str) -> Conference | None:
    """The newest conference with this code on a call-in number, over or not."""
    statement = _select(Conference).where(_c.number == number, _c.code == code).order_by(_c.id.desc())
    return _one(connection, Conference, statement)


# across accounts: who dials a call-in number is known by its own number, whoever has named it
def conferences_knowing(
    connection: Connection, number: str, caller: str, limit: int
) -> tuple[tuple[Conference, Participant], ...]:
    """The conferences on a call-in number that are planned or open and recognise a caller, with the
    participant that it is; those that begin first come first."""
    named = (
        select(_p.id, _p.conference_id)
        .join(TABLES[Conference], (_p.conference_id == _c.id) & (_p.account_id == _c.account_id))
        .where(
            _p.number == caller,
            _p.listed.is_(True),
            _c.number == number,
            _c.state.in_((ConferenceState.PLANNED, ConferenceState.OPEN)),
            _c.access.in_((AccessMode.CALLER, AccessMode.ROOM_AND_CALLER)),
        )
        .order_by(_c.starts_at, _c.id)
        .limit(limit)
    )
    found = []
    for participant_id, conference_id in connection.execute(named).all():
        knows = _one(connection, Conference, _select(Conference).where(_c.id == conference_id))
        known = _one(connection, Participant, _select(Participant).where(_p.id == participant_id))
        if knows is not None and known is not None:
            found.append((knows, known))
    return tuple(found)
