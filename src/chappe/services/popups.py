"""What somebody on a shop's page does with a callback form: see it, ask to be called, follow what happens."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import islice

from chappe.flows.ring_group import VISITOR
from chappe.model.callbacks import (
    FINAL,
    CallbackForm,
    CallbackSource,
    CallbackState,
    CallbackStory,
    CancelCallback,
    FindCallback,
    RequestCallback,
)
from chappe.model.calls import Leg, LegState
from chappe.model.commands import Caller, Replay
from chappe.model.directory import Account, AccountState
from chappe.model.errors import Fault, Refusal
from chappe.model.openinghours import Timetable
from chappe.services import callbackforms, callbacks, openinghours
from chappe.services.door import network_of
from chappe.services.ports import Platform

PROOF_LIFETIME = timedelta(hours=2)
"""How long a form that was shown may be sent (our choice)."""
STEP = timedelta(minutes=30)
MOST_TIMES = 48
FURTHEST = timedelta(days=7)
"""Which times are offered: each half hour of opening hours, so many, within so long (our choice)."""
LOOKS_A_MINUTE = 300
REQUESTS_A_MINUTE = 20
"""What one address may ask of all forms of a process (our choice); the first is polling by a whole shop."""


class Step(StrEnum):
    """What a visitor is told of a request; operators and their numbers are never told."""

    WAITING = "waiting"
    RINGING_OPERATOR = "ringing_operator"
    RINGING_VISITOR = "ringing_visitor"
    CONNECTED = "connected"
    SPEAKING_TO_MACHINE = "speaking_to_machine"
    DONE = "done"
    NOT_REACHED = "not_reached"
    NOBODY = "nobody"
    LEFT_MESSAGE = "left_message"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Popup:
    """A form as a visitor meets it now. With `asks_now` somebody, or an answerphone, is called at once;
    `times` are when else (aware, UTC). `proof` goes back with what is asked."""

    form: CallbackForm
    is_open: bool
    asks_now: bool
    times: tuple[datetime, ...]
    proof: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a request stands; `token` is the visitor's way to it, which nobody can guess."""

    token: str
    step: Step
    due_at: datetime
    is_over: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor has filled in. `due_at` None is now."""

    number: str
    name: str = ""
    labels: Sequence[str] = ()
    due_at: datetime | None = None
    origin: str = ""


async def find(platform: Platform, ref: str, peer: str) -> tuple[CallbackForm, Caller]:
    """The form with this public name, and its account as services know it. Raises Refusal `not_found`, and
    `rate_limited` for an address that asks too often."""
    now = platform.clock.now()
    platform.door.check_rate(f"looks {network_of(peer)}", LOOKS_A_MINUTE, now)
    form = await callbackforms.public_form(platform, ref)
    account = None if form is None else await platform.store.queries.account(form.account_id)
    if form is None or account is None or account.state is AccountState.SUSPENDED:
        raise Refusal(Fault.NOT_FOUND, f"there is no callback form {ref[:40]}", "form")
    return form, _caller_of(account)


async def show(platform: Platform, form: CallbackForm, peer: str) -> Popup:
    """What a visitor sees of a form at this moment."""
    now = platform.clock.now()
    table = await openinghours.hours(platform, form.account_id, form.hours) if form.hours else None
    is_open = table is None or table.is_open(now, form.zone)
    group = form.open_group if is_open else form.closed_group
    times = () if form.immediate or not form.open_group else tuple(_times(table, form.zone, now))
    asks_now = bool(group or form.mailbox)
    return Popup(form, is_open, asks_now, times, _proof(platform, form, peer, now))


def _times(table: Timetable | None, zone: str, now: datetime) -> list[datetime]:
    """The next times to choose from: the half hours of the wall's clock at which it is open."""
    begun = (now - now.replace(minute=0, second=0, microsecond=0)) // STEP
    first = now.replace(minute=0, second=0, microsecond=0) + (begun + 1) * STEP
    coming = (first + number * STEP for number in range(FURTHEST // STEP))
    return list(islice((at for at in coming if table is None or table.is_open(at, zone)), MOST_TIMES))


async def ask(
    platform: Platform, form: CallbackForm, caller: Caller, peer: str, proof: str, asked: Asked
) -> Progress:
    """Have a visitor called. Raises Refusal, at `proof` where the form was shown too long ago, or as
    `callbacks.request` does."""
    now = platform.clock.now()
    platform.door.check_rate(f"requests {network_of(peer)}", REQUESTS_A_MINUTE, now)
    _check_proof(platform, form, peer, proof, now)
    if asked.due_at is not None and (form.immediate or not now < asked.due_at <= now + FURTHEST + STEP):
        raise Refusal(Fault.INVALID_PARAMETER, f"{asked.due_at} is none of the times offered", "due_at")
    fingerprint = sha256(repr((asked.number, asked.name, asked.labels, asked.due_at)).encode()).hexdigest()
    story = await callbacks.request(
        platform,
        caller,
        RequestCallback(
            form.ref,
            asked.number,
            address=peer,
            source=CallbackSource.WIDGET,
            due_at=asked.due_at,
            name=asked.name,
            labels=asked.labels,
            origin=asked.origin,
            replay=Replay(f"widget {proof}", fingerprint),
        ),
    )
    return _progress(platform, form, story, _holder(story, peer))


async def follow(platform: Platform, form: CallbackForm, caller: Caller, token: str) -> Progress:
    """Where the request of a token stands. Raises Refusal `not_found`."""
    return _progress(platform, form, *await _found(platform, form, caller, token))


async def cancel(platform: Platform, form: CallbackForm, caller: Caller, peer: str, token: str) -> Progress:
    """Take a request back. Raises Refusal `not_found`, `too_late` where somebody is called already, or where
    another address has asked."""
    story, holder = await _found(platform, form, caller, token)
    if _holder(story, peer) is not _Holder.ASKED:
        raise Refusal(Fault.TOO_LATE, "only who has asked can take it back", "request")
    command = CancelCallback(story.request.ref, form.ref)
    return _progress(platform, form, await callbacks.cancel(platform, caller, command), holder)


class _Holder(StrEnum):
    """Whose a token is: theirs who asked, or of somebody elsewhere who gave the same number a moment later,
    and who may neither end the request nor learn how the other's call goes."""

    ASKED = "request"
    GAVE_SAME_NUMBER = "same number"


def _holder(story: CallbackStory, peer: str) -> _Holder:
    theirs = network_of(story.request.address) == network_of(peer)
    return _Holder.ASKED if theirs else _Holder.GAVE_SAME_NUMBER


async def _found(
    platform: Platform, form: CallbackForm, caller: Caller, token: str
) -> tuple[CallbackStory, _Holder]:
    ref, _, mac = token.partition(".")
    for holder in _Holder:
        if hmac.compare_digest(_mac(platform, holder, form.ref, ref).encode(), mac.encode()):
            return await callbacks.find(platform, caller, FindCallback(ref)), holder
    raise Refusal(Fault.NOT_FOUND, "there is no such request")


def _progress(platform: Platform, form: CallbackForm, story: CallbackStory, holder: _Holder) -> Progress:
    request = story.request
    token = f"{request.ref}.{_mac(platform, holder, form.ref, request.ref)}"
    is_over = request.state in FINAL
    told = Step.DONE if is_over else Step.WAITING
    step = step_of(story) if holder is _Holder.ASKED else told
    return Progress(token, step, request.due_at, is_over)


def step_of(story: CallbackStory) -> Step:
    """What a visitor is told of a request."""
    request = story.request
    match request.state:
        case CallbackState.WAITING:
            return Step.WAITING
        case CallbackState.CALLING:
            return _ringing(story)
        case CallbackState.MISSED:
            return Step.NOT_REACHED if _rang_in_vain(story) else Step.NOBODY
        case CallbackState.DONE | CallbackState.LEFT_MESSAGE | CallbackState.CANCELLED | CallbackState.FAILED:
            return Step(request.state)


def _ringing(story: CallbackStory) -> Step:
    legs = () if story.call is None else tuple(leg for leg in story.call.legs if leg.ended_at is None)
    mine, theirs = _sides(legs)
    if story.call is not None and story.call.call.joined_at is not None and mine and theirs:
        return Step.CONNECTED
    if mine and mine[0].state is not LegState.UP:
        return Step.RINGING_VISITOR
    if mine and not theirs and story.call is not None and len(story.call.legs) > 1:
        return Step.SPEAKING_TO_MACHINE
    return Step.RINGING_OPERATOR


def _rang_in_vain(story: CallbackStory) -> bool:
    """Whether the visitor was rung and did not answer."""
    if story.call is None:
        return False
    mine, _ = _sides(story.call.legs)
    return bool(mine) and all(leg.answered_at is None for leg in mine)


def _sides(legs: Sequence[Leg]) -> tuple[list[Leg], list[Leg]]:
    return [leg for leg in legs if leg.name == VISITOR], [leg for leg in legs if leg.name != VISITOR]


def _caller_of(account: Account) -> Caller:
    """Who asks in the name of an account's form: nobody of its users."""
    return Caller(
        account_id=account.id,
        guid=account.guid,
        kind=account.kind,
        default_sender=account.default_sender,
        user_id=None,
        user_name="",
        dialect="widget",
        region=account.region,
        daily_cap=account.daily_cap,
        open_destinations=tuple(account.open_destinations.split()),
        calls_a_day=account.calls_a_day,
        calls_cap=account.calls_cap,
    )


# --- what was shown, and to whom


def _proof(platform: Platform, form: CallbackForm, peer: str, now: datetime) -> str:
    """That a form was shown to an address: its time and a name, signed. It is good for one request."""
    text = f"{int(now.timestamp()):x}.{platform.ids.new_ref()}"
    return f"{text}.{_mac(platform, 'proof', form.ref, network_of(peer), text)}"


def _check_proof(platform: Platform, form: CallbackForm, peer: str, proof: str, now: datetime) -> None:
    text, _, mac = proof.rpartition(".")
    if not hmac.compare_digest(
        _mac(platform, "proof", form.ref, network_of(peer), text).encode(), mac.encode("utf-8", "replace")
    ):
        raise Refusal(Fault.INVALID_PARAMETER, "this form was not shown to this address", "proof")
    if int(text.partition(".")[0], 16) + PROOF_LIFETIME.total_seconds() < now.timestamp():
        raise Refusal(Fault.INVALID_PARAMETER, "this form was shown too long ago", "proof")


def _mac(platform: Platform, purpose: str, *parts: str) -> str:
    text = "\0".join(("popup", purpose, *parts)).encode("utf-8", "replace")
    return urlsafe_b64encode(hmac.new(platform.door.secret, text, sha256).digest()[:18]).decode()
