"""The verbs of the Orange API that place and end calls.

Source: "Présentation des Orange API" (2010), III-F. Names of options beyond `from`, `to` and
`call_confirmation`, and all of the history, are our choice.
"""

from datetime import timedelta

from chappe.dialects import reading
from chappe.dialects.contract import WireCall
from chappe.dialects.orange import wire
from chappe.model.calls import CallState, CallStory, Leg
from chappe.model.commands import HangUpCall, PlaceCall
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpResponse

_MOST_MINUTES = 120


def decode_create(call: WireCall) -> PlaceCall:
    """Read createCall: `from` is rung first. Each sees the other's number where the account may show it;
    `private` hides both, `from_display` and `to_display` name others. `max_duration` is in minutes.

    Raises Refusal: `missing_parameter`, `invalid_parameter`.
    """
    first, second = (_number(call, name) for name in ("from", "to"))
    is_private = wire.boolean(call, "private") is True
    minutes = wire.count(call, "max_duration", most=_MOST_MINUTES)
    return PlaceCall(
        first=first,
        second=second,
        shown_to_first="" if is_private else reading.scalar(call.fields, "from_display") or None,
        shown_to_second="" if is_private else reading.scalar(call.fields, "to_display") or None,
        shows_parties=True,
        longest=None if minutes is None else timedelta(minutes=minutes),
        confirm=wire.boolean(call, "call_confirmation") is True,
        reference=wire.tag(call),
    )


def decode_release(call: WireCall) -> HangUpCall:
    """Read releaseCall. Raises Refusal (`missing_parameter`)."""
    ref = reading.scalar(call.fields, "call_id", "callid")
    if not ref:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "the parameter is missing or empty; give the call_id that createCall answered",
            "call_id",
        )
    return HangUpCall(ref)


def encode_call(story: CallStory, call: WireCall) -> HttpResponse:
    """Answer `call_info/call_id`, which a public client of releaseCall insists on too."""
    return wire.response(
        wire.status(wire.SUCCESS, "OK"), wire.element("call_info", wire.leaf("call_id", story.call.ref))
    )


def encode_released(ref: str, call: WireCall) -> HttpResponse:
    """The same, whether a call has ended or a participant of a conference was sent away."""
    return wire.response(
        wire.status(wire.SUCCESS, "OK"), wire.element("call_info", wire.leaf("call_id", ref))
    )


def history(story: CallStory) -> str:
    """The element `history` of a call, after that of an SMS."""
    call = story.call
    state = call.outcome.upper() if call.outcome is not None else CallState.LIVE.upper()
    spoken = 0
    if call.joined_at is not None and call.over_at is not None:
        spoken = int((call.over_at - call.joined_at).total_seconds())
    return wire.element(
        "history",
        wire.leaf("call_id", call.ref),
        wire.leaf("api", "call"),
        wire.leaf("from", call.first),
        wire.leaf("to", call.second),
        wire.leaf("tag", call.reference),
        wire.leaf("state", state),
        wire.leaf("date_created", wire.date(call.created_at)),
        wire.leaf("duration", str(spoken)),
        wire.leaf("credits", wire.credits_text(call.price)),
        *(event for leg in story.legs for event in _events(leg)),
    )


def _events(leg: Leg) -> list[str]:
    times = (("RINGING", leg.ringing_at), ("CONNECTED", leg.answered_at), ("RELEASED", leg.ended_at))
    return [
        wire.element(
            "event",
            wire.leaf("number", leg.number),
            wire.leaf("state", word),
            wire.leaf("date", wire.date(at)),
        )
        for word, at in times
        if at is not None
    ]


def _number(call: WireCall, name: str) -> str:
    number = reading.scalar(call.fields, name)
    if not number:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "the parameter is missing or empty; give a number such as 33123456789",
            name,
        )
    return number
