"""Searches for ring groups, callback forms and requests, by name: plain functions on a connection, as in
queries.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from chappe.model.callbacks import (
    BlockedAddress,
    CallbackForm,
    CallbackRequest,
    CallbackState,
    FormFile,
    KeptFormFile,
    ListCallbacks,
)
from chappe.model.calls import Leg
from chappe.model.ringgroups import Operator, RingGroup
from chappe.store.queries import _all, _one, _page, _select
from chappe.store.tables import TABLES

_g, _o = TABLES[RingGroup].c, TABLES[Operator].c
_f, _k, _r = TABLES[CallbackForm].c, TABLES[KeptFormFile].c, TABLES[CallbackRequest].c
_b, _leg = TABLES[BlockedAddress].c, TABLES[Leg].c


def ring_groups(connection: Connection, account_id: int) -> tuple[RingGroup, ...]:
    """The account's ring groups, by name."""
    statement = _select(RingGroup).where(_g.account_id == account_id)
    return _all(connection, RingGroup, statement.order_by(_g.name))


def ring_group_named(connection: Connection, account_id: int, name: str) -> RingGroup | None:
    """The account's ring group with a name."""
    statement = _select(RingGroup).where(_g.name == name, _g.account_id == account_id)
    return _one(connection, RingGroup, statement)


def operators_of(connection: Connection, account_id: int, group_ids: Sequence[int]) -> tuple[Operator, ...]:
    """The operators of some ring groups of an account, by position."""
    statement = _select(Operator).where(_o.group_id.in_(group_ids), _o.account_id == account_id)
    return _all(connection, Operator, statement.order_by(_o.position, _o.id))


def callback_form(connection: Connection, account_id: int, form_id: int) -> CallbackForm | None:
    """One callback form of an account."""
    statement = _select(CallbackForm).where(_f.id == form_id, _f.account_id == account_id)
    return _one(connection, CallbackForm, statement)


def callback_form_numbered(connection: Connection, account_id: int, form_number: int) -> CallbackForm | None:
    """The account's form with a number."""
    statement = _select(CallbackForm).where(_f.number == form_number, _f.account_id == account_id)
    return _one(connection, CallbackForm, statement)


def callback_form_by_ref(connection: Connection, account_id: int, ref: str) -> CallbackForm | None:
    """The account's form with a ref."""
    statement = _select(CallbackForm).where(_f.ref == ref, _f.account_id == account_id)
    return _one(connection, CallbackForm, statement)


# across accounts: a visitor of a web page knows nothing but the ref of the form
def public_callback_form(connection: Connection, ref: str) -> CallbackForm | None:
    """The form with a ref, whosever it is; none where it was removed."""
    statement = _select(CallbackForm).where(_f.ref == ref, _f.removed_at.is_(None))
    return _one(connection, CallbackForm, statement)


def callback_forms(connection: Connection, account_id: int) -> tuple[CallbackForm, ...]:
    """The account's forms that were not removed, by number."""
    statement = _select(CallbackForm).where(_f.account_id == account_id, _f.removed_at.is_(None))
    return _all(connection, CallbackForm, statement.order_by(_f.number))


def callback_form_files(connection: Connection, account_id: int, form_id: int) -> tuple[KeptFormFile, ...]:
    """The files of an account's form, oldest first."""
    statement = _select(KeptFormFile).where(_k.form_id == form_id, _k.account_id == account_id)
    return _all(connection, KeptFormFile, statement.order_by(_k.id))


def callback_form_file(
    connection: Connection, account_id: int, form_id: int, file: FormFile
) -> KeptFormFile | None:
    """One file of an account's form."""
    statement = _select(KeptFormFile).where(
        _k.form_id == form_id, _k.file == file, _k.account_id == account_id
    )
    return _one(connection, KeptFormFile, statement)


def callback(connection: Connection, account_id: int, callback_id: int) -> CallbackRequest | None:
    """One request of an account."""
    statement = _select(CallbackRequest).where(_r.id == callback_id, _r.account_id == account_id)
    return _one(connection, CallbackRequest, statement)


def callback_numbered(
    connection: Connection, account_id: int, callback_number: int
) -> CallbackRequest | None:
    """The account's request with a number."""
    statement = _select(CallbackRequest).where(_r.number == callback_number, _r.account_id == account_id)
    return _one(connection, CallbackRequest, statement)


def callback_by_ref(connection: Connection, account_id: int, ref: str) -> CallbackRequest | None:
    """The account's request with a ref."""
    statement = _select(CallbackRequest).where(_r.ref == ref, _r.account_id == account_id)
    return _one(connection, CallbackRequest, statement)


def callback_of_call(connection: Connection, account_id: int, call_id: int) -> CallbackRequest | None:
    """The account's request whose last attempt is a call."""
    statement = _select(CallbackRequest).where(_r.call_id == call_id, _r.account_id == account_id)
    return _one(connection, CallbackRequest, statement)


def list_callbacks(
    connection: Connection, account_id: int, form_id: int | None, wanted: ListCallbacks
) -> tuple[CallbackRequest, ...]:
    """The account's requests that fit, newest first unless the oldest are wanted first."""
    conditions: list[Any] = []
    if form_id is not None:
        conditions.append(_r.form_id == form_id)
    if wanted.state is not None:
        conditions.append(_r.state == wanted.state)
    if wanted.since is not None:
        conditions.append(_r.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_r.created_at < wanted.until)
    if not wanted.oldest_first:
        return _page(connection, CallbackRequest, account_id, wanted.cursor, wanted.limit, *conditions)
    if wanted.cursor is not None:
        conditions.append(_r.id > wanted.cursor)
    statement = _select(CallbackRequest).where(_r.account_id == account_id, *conditions)
    return _all(connection, CallbackRequest, statement.order_by(_r.id).limit(wanted.limit))


def waiting_callbacks(
    connection: Connection, account_id: int, form_id: int, limit: int
) -> tuple[CallbackRequest, ...]:
    """The requests of an account's form that nobody has begun to call."""
    statement = _select(CallbackRequest).where(
        _r.account_id == account_id, _r.form_id == form_id, _r.state == CallbackState.WAITING
    )
    return _all(connection, CallbackRequest, statement.order_by(_r.id).limit(limit))


def repeated_callback(
    connection: Connection, account_id: int, form_id: int, visitor: str, since: datetime
) -> CallbackRequest | None:
    """The newest request of a visitor's number by an account's form since a time that was not cancelled."""
    statement = _select(CallbackRequest).where(
        _r.account_id == account_id,
        _r.form_id == form_id,
        _r.visitor == visitor,
        _r.created_at > since,
        _r.state != CallbackState.CANCELLED,
    )
    return _one(connection, CallbackRequest, statement.order_by(_r.id.desc()))


def callbacks_since(
    connection: Connection, account_id: int, since: datetime, form_id: int, network: str
) -> tuple[int, int]:
    """How many requests of an account came by a form since a time, and how many by any form from an address,
    or from those that begin with `network` where that ends with a colon."""
    recent = select(func.count()).where(_r.account_id == account_id, _r.created_at > since)
    by_form = connection.execute(recent.where(_r.form_id == form_id)).scalar_one()
    # 192.0.2.1 is not the beginning of 192.0.2.10.
    whole = not network.endswith(":")
    from_there = _r.address == network if whole else _r.address.startswith(network, autoescape=True)
    by_address = connection.execute(recent.where(from_there)).scalar_one() if network else 0
    return int(by_form), int(by_address)


def blocked_addresses(connection: Connection, account_id: int) -> tuple[BlockedAddress, ...]:
    """The addresses from which an account takes no requests, as they were written."""
    statement = _select(BlockedAddress).where(_b.account_id == account_id)
    return _all(connection, BlockedAddress, statement.order_by(_b.address))


def busy_numbers(connection: Connection, account_id: int, numbers: Sequence[str]) -> frozenset[str]:
    """Those of some numbers that have a leg in a call of an account which is not over."""
    statement = select(_leg.number).where(
        _leg.account_id == account_id, _leg.ended_at.is_(None), _leg.number.in_(numbers)
    )
    return frozenset(connection.execute(statement).scalars())
