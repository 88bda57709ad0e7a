"""The verbs of the Orange API that hold conferences.

Source: "Présentation des Orange API" (2010), III-G. The document names `access_mode`, `duration` and
`conference/id`; all other names are our choice.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chappe.dialects import reading
from chappe.dialects.contract import WireCall
from chappe.dialects.orange import wire
from chappe.model.conferences import (
    AccessMode,
    AddParticipants,
    Attendance,
    Conference,
    ConferenceStory,
    CreateConference,
    NewParticipant,
    Participant,
    RingNumber,
)
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpResponse

_MOST_MINUTES = 240
_PARIS = ZoneInfo("Europe/Paris")
_BETWEEN_NUMBERS = re.compile("[,;]")
_CONFERENCE = ("conference_id", "conf_id", "conf", "conference")


def decode_create(call: WireCall) -> CreateConference:
    """Read createConference: `duration` is in minutes, `start_date` ISO 8601, without a zone in Paris.

    An access mode that stands alone as a key counts, as the document's own sample sends it. Raises Refusal:
    `invalid_parameter`.
    """
    minutes = wire.count(call, "duration", most=_MOST_MINUTES)
    return CreateConference(
        access=_access(call),
        starts_at=_start(call),
        duration=None if minutes is None else timedelta(minutes=minutes),
        participants=_named(call, *_PARTICIPANTS),
        name=reading.scalar(call.fields, "name"),
        language=_language(call),
        recorded=wire.boolean(call, "record") is True,
        reference=wire.tag(call),
    )


_PARTICIPANTS = ("participants", "participant", "number", "numbers", "call_numbers")


def decode_add(call: WireCall) -> AddParticipants:
    """Read addParticipant: numbers parted by commas. Raises Refusal (`missing_parameter`)."""
    named = _named(call, *_PARTICIPANTS, "to", "from")
    if not named:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "the parameter is missing or empty; give a number such as 33123456789",
            "participants",
        )
    return AddParticipants(_conference(call), named)


def decode_ring(call: WireCall) -> RingNumber:
    """Read conf/createCall: `to` is rung; without it `from`, as in the document's sample, which tells who is
    rung there. Whoever is rung presses `#` unless `call_confirmation` is false.

    Raises Refusal: `missing_parameter`, also where no conference is named.
    """
    conference = _conference(call)
    to, sender = (reading.scalar(call.fields, name) for name in ("to", "from"))
    if not to and not sender:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "the parameter is missing or empty; give a number such as 33123456789",
            "to",
        )
    confirms = wire.boolean(call, "call_confirmation") is not False
    return RingNumber(conference, NewParticipant(to or sender, confirms=confirms))


def encode_conference(story: ConferenceStory, call: WireCall) -> HttpResponse:
    """Answer `conference/id` with how to call in."""
    conference = story.conference
    return wire.response(
        wire.status(wire.SUCCESS, "OK"),
        wire.element(
            "conference",
            wire.leaf("id", conference.ref),
            wire.leaf("access_mode", conference.access),
            wire.leaf("number", conference.number),
            wire.leaf("room_code", conference.code),
            wire.leaf("start_date", wire.date(conference.starts_at)),
            wire.leaf("duration", str(conference.seconds // 60)),
        ),
    )


def encode_rung(participant: Participant, call: WireCall) -> HttpResponse:
    """Answer `call_info/call_id`, by which releaseCall sends that participant away."""
    return wire.response(
        wire.status(wire.SUCCESS, "OK"), wire.element("call_info", wire.leaf("call_id", participant.ref))
    )


def history(story: ConferenceStory) -> str:
    """The element `history` of a conference, after that of an SMS."""
    conference = story.conference
    return wire.element(
        "history",
        wire.leaf("call_id", conference.ref),
        wire.leaf("api", "conf"),
        wire.leaf("tag", conference.reference),
        wire.leaf("state", conference.state.upper()),
        wire.leaf("date_created", wire.date(conference.created_at)),
        wire.leaf("date_start", wire.date(conference.starts_at)),
        wire.leaf("date_end", wire.date(_end(conference))),
        wire.leaf("credits", wire.credits_text(story.price)),
        *(_participant(one) for one in story.present),
    )


def _end(conference: Conference) -> datetime:
    return conference.over_at or conference.ends_at


def _participant(one: Attendance) -> str:
    leg = one.leg
    times = () if leg is None else (("CONNECTED", leg.answered_at), ("RELEASED", leg.ended_at))
    return wire.element(
        "participant",
        wire.leaf("call_id", one.participant.ref),
        wire.leaf("number", one.participant.number),
        wire.leaf("state", one.state.upper()),
        *(
            wire.element("event", wire.leaf("state", word), wire.leaf("date", wire.date(at)))
            for word, at in times
            if at is not None
        ),
    )


def _access(call: WireCall) -> AccessMode:
    known = {str(mode) for mode in AccessMode}
    written = reading.scalar(call.fields, "access_mode").lower().replace(" ", "+")
    if not written:
        # `&amp;$access_mode=` between double quotes: PHP puts the value where the name belongs.
        keys = (key.removeprefix("amp;").lower().replace(" ", "+") for key in call.fields)
        written = next((key for key in keys if key in known), "")
    if not written:
        return AccessMode.ROOM
    if written not in known:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{wire.shown(written)} is no access mode; write room, caller, room+caller or none",
            "access_mode",
        )
    return AccessMode(written)


def _start(call: WireCall) -> datetime | None:
    written = reading.scalar(call.fields, "start_date")
    if not written:
        return None
    try:
        # In a query that was not encoded, the plus of a zone has become a blank.
        at = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", written))
        return (at if at.tzinfo is not None else at.replace(tzinfo=_PARIS)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{wire.shown(written)} is no date; write one such as 2026-03-01T14:30:00+01:00",
            "start_date",
        ) from None


def _language(call: WireCall) -> str:
    written = reading.scalar(call.fields, "language").lower() or "fr"
    if written not in ("fr", "en"):
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{wire.shown(written)} is not known; write fr or en", "language"
        )
    return written


def _named(call: WireCall, *names: str) -> tuple[NewParticipant, ...]:
    numbers = (one.strip() for one in _BETWEEN_NUMBERS.split(reading.scalar(call.fields, *names)))
    return tuple(NewParticipant(one) for one in numbers if one)


def _conference(call: WireCall) -> str:
    ref = reading.scalar(call.fields, *_CONFERENCE)
    if not ref:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "the parameter is missing or empty; give the conference/id that createConference answered",
            "conference_id",
        )
    return ref
