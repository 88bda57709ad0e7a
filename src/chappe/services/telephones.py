"""Calls at the sandbox's virtual telephones: what rings there, what is heard, dialling, answering."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chappe.model.calls import HangUpCause, Leg, LegState
from chappe.model.commands import Caller, DialFromHandset, HearTelephone, ReadHandset, UseTelephone
from chappe.model.errors import Fault, Refusal
from chappe.model.sounds import Sound, Speech, Uploaded
from chappe.services import sandbox
from chappe.services.livecalls import Microphone, Moment
from chappe.services.ports import Platform

_DIALLED = re.compile(r"\+?[0-9*#]{1,20}")
_WHY_REFUSED = {
    HangUpCause.UNREACHABLE: (Fault.NOT_FOUND, "nobody takes calls to this number"),
    HangUpCause.BUSY: (Fault.TOO_MANY_CALLS, "the line is busy"),
    HangUpCause.CREDIT: (Fault.INSUFFICIENT_CREDITS, "the credits that are left do not pay this call"),
}


@dataclass(frozen=True, slots=True)
class TelephoneCall:
    """A call at a telephone, and how it is now; `moment` is None where it is over, or worked elsewhere."""

    leg: Leg
    moment: Moment | None = None


NOTHING = Moment()
"""How a call is that is over."""


def in_words(sound: Sound | None) -> str:
    """What is played: the text that is spoken, the name of a tone, or the ref of an uploaded sound."""
    match sound:
        case None:
            return ""
        case Speech():
            return sound.text
        case Uploaded():
            return sound.ref
        case _:
            return sound.value


def _now(platform: Platform, leg: Leg) -> TelephoneCall:
    live = leg.ended_at is None
    return TelephoneCall(leg, platform.live_calls.telephones.moment(leg.id) if live else None)


async def list_handset_calls(
    platform: Platform, caller: Caller, command: ReadHandset
) -> tuple[TelephoneCall, ...]:
    """What rang at a telephone, or was dialled there, for the account, newest first."""
    number = sandbox.number_of(command.number, caller)
    limit = max(1, min(command.limit, 100))
    legs = await platform.store.queries.legs_of_number(caller.account_id, number, limit)
    return tuple(_now(platform, leg) for leg in legs)


async def list_open_calls(platform: Platform, caller: Caller) -> tuple[TelephoneCall, ...]:
    """What rings or is spoken into at any telephone for the account at this moment, oldest first."""
    legs = await platform.store.queries.open_legs(caller.account_id, 100)
    return tuple(_now(platform, leg) for leg in legs)


async def dial(platform: Platform, caller: Caller, command: DialFromHandset) -> TelephoneCall:
    """A telephone calls a number, short code or room: whatever has it takes the call. Raises Refusal where
    nobody does."""
    platform.store.admit()
    number = sandbox.telephone_of(platform, command.number, caller)
    to = re.sub(r"[\s.()/-]", "", command.to)
    if not _DIALLED.fullmatch(to):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{command.to[:40]!r} cannot be dialled; a number has at most 20 of the keys 0 to 9, * and #",
            "to",
        )
    leg_id, cause = await platform.live_calls.telephones.call(caller.account_id, number, to)
    leg = await _leg(platform, caller, number, leg_id)
    if leg is None and cause is not None:
        raise Refusal(*_WHY_REFUSED.get(cause, (Fault.NOT_ALLOWED, f"the call to {to} was refused")), "to")
    return _now(platform, leg or _dialling(platform, caller, leg_id, number, to))


def _dialling(platform: Platform, caller: Caller, leg_id: int, number: str, to: str) -> Leg:
    """A call of which nothing is written yet."""
    now = platform.clock.now()
    state = LegState.DIALLING
    return Leg(leg_id, caller.account_id, 0, "", number, to, sandbox.CARRIER, state, now, 0, inbound=True)


async def _leg(platform: Platform, caller: Caller, number: str, leg_id: int) -> Leg | None:
    legs: Sequence[Leg] = await platform.store.queries.legs_of_number(caller.account_id, number, 100)
    return next((one for one in legs if one.id == leg_id), None)


async def listen(
    platform: Platform, caller: Caller, number: str, leg_id: int, ear: Callable[[bytes | None], None]
) -> Microphone:
    """Hear what a telephone hears, and speak into it: frames of 20 ms, 8 kHz, 16 bits; the ear is told None
    when the call is over. Raises Refusal `not_found`, `too_late`, `too_many_calls`."""
    number = sandbox.number_of(number, caller)
    if await _leg(platform, caller, number, leg_id) is None:
        raise Refusal(Fault.NOT_FOUND, f"no call {leg_id} is at {number}", "id")
    return platform.live_calls.telephones.listen(leg_id, ear)


async def heard(platform: Platform, caller: Caller, command: HearTelephone) -> bytes:
    """The last seconds of what a telephone has heard, as samples: while somebody listens somewhere, a
    telephone says something, or a call is recorded. Raises Refusal `not_found`, `too_late`."""
    number = sandbox.number_of(command.number, caller)
    if await _leg(platform, caller, number, command.leg_id) is None:
        raise Refusal(Fault.NOT_FOUND, f"no call {command.leg_id} is at {number}", "id")
    return platform.live_calls.telephones.heard(command.leg_id)


async def use_telephone(platform: Platform, caller: Caller, command: UseTelephone) -> TelephoneCall:
    """Answer, reject or end a call at a telephone, or press keys. Raises Refusal `not_found`, `too_late`."""
    number = sandbox.number_of(command.number, caller)
    leg = await _leg(platform, caller, number, command.leg_id)
    if leg is None:
        raise Refusal(Fault.NOT_FOUND, f"no call {command.leg_id} rang at {number}", "id")
    telephones = platform.live_calls.telephones
    match command.what:
        case "answer":
            telephones.take(leg.id)
        case "keys":
            if not command.keys or not sandbox.KEYS.fullmatch(command.keys):
                raise Refusal(
                    Fault.INVALID_PARAMETER,
                    f"{command.keys[:40]!r} are no keys; press 0 to 9, * and #",
                    "keys",
                )
            telephones.press(leg.id, command.keys)
        case "reject" | "hangup":
            telephones.put_down(leg.id)
        case _:
            raise Refusal(
                Fault.INVALID_PARAMETER,
                f"{command.what[:40]!r} is nothing that a telephone does; answer, reject, hangup or keys",
                "what",
            )
    return _now(platform, leg)
