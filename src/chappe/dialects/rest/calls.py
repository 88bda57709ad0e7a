"""/v1/calls: place a call, end it, and see what became of it."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Credits, Cursor, Limit, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import calls as model
from chappe.model import commands, history
from chappe.model.errors import Fault, Refusal
from chappe.model.sounds import LONGEST_TEXT, Sound, Speech, Uploaded
from chappe.protocols.http import HttpResponse
from chappe.services import calls, steering

# --- what clients send


class Language(StrEnum):
    """In which language the platform speaks to the parties."""

    FR = "fr"
    EN = "en"


class Voice(StrEnum):
    """Whose voice speaks."""

    FEMALE = "female"
    MALE = "male"


Shown = Annotated[
    str | None,
    Meta(
        description="A number of the account; null: no number. Left out: the account's first line or number."
    ),
]


class CallRequest(Body, rename={"first": "from", "second": "to"}):
    """`from` is rung first; when it has answered `to` is rung, and both are joined."""

    first: str
    second: str
    shown_to_from: Shown | UnsetType = UNSET
    shown_to_to: Shown | UnsetType = UNSET
    longest_seconds: Annotated[int, Meta(ge=1, le=7200, description="How long they may talk.")] = 3600
    ring_seconds: Annotated[int, Meta(ge=1, le=120, description="How long each of them rings.")] = 30
    confirm: Annotated[bool, Meta(description="`to` presses a key before it is joined.")] = False
    language: Language = Language.FR
    record: Annotated[bool, Meta(description="What both say is recorded.")] = False
    record_to: Annotated[
        str, Meta(max_length=254, description="A mail address to which the recording goes when it is over.")
    ] = ""
    reference: Annotated[str, Meta(max_length=255)] = ""


class CallQuery(Body):
    """Which calls: empty properties do not narrow."""

    state: model.CallState | UnsetType = UNSET
    outcome: model.CallOutcome | UnsetType = UNSET
    dialect: str = ""
    reference: str = ""
    number: Annotated[str, Meta(description="The beginning of either side's number.")] = ""
    since: Time | None = None
    until: Time | None = None
    limit: Limit = 20
    cursor: Cursor | None = None


LegName = Annotated[str, Meta(min_length=1, max_length=64, description="A leg of the call: its name or id.")]


class PlayRequest(Body):
    """What is played: a text that is spoken, or a sound that the account has uploaded."""

    leg: Annotated[
        str, Meta(max_length=64, description="A leg's name or id; left out: all that are joined.")
    ] = ""
    say: Annotated[str, Meta(max_length=LONGEST_TEXT)] | UnsetType = UNSET
    language: Language = Language.FR
    voice: Voice = Voice.FEMALE
    sound: Annotated[str, Meta(description="The id of an uploaded sound.")] | UnsetType = UNSET


class LegRequest(Body):
    """Which leg."""

    leg: LegName


class KeysRequest(Body):
    """Keys that are pressed towards a leg."""

    leg: LegName
    keys: Annotated[str, Meta(min_length=1, max_length=64, examples=["1234#"])]


class MuteRequest(Body):
    """Whether nobody hears a leg."""

    leg: LegName
    muted: bool = True


class RecordRequest(Body):
    """Whether what is said is recorded."""

    recording: bool = True


# --- what clients get


class Leg(Struct, omit_defaults=True):
    """One party's connection; times that have not come are left out."""

    id: str
    name: str
    number: str
    shown: str
    state: model.LegState
    created_at: Time
    ringing_at: Time | None = None
    answered_at: Time | None = None
    ended_at: Time | None = None
    cause: model.HangUpCause | None = None
    machine: bool = False
    price: Credits | None = None

    @classmethod
    def of(cls, leg: model.Leg) -> "Leg":
        """The JSON of a record."""
        return cls(
            str(leg.id),
            leg.name,
            leg.number,
            leg.shown,
            leg.state,
            utc(leg.created_at),
            utc_or_none(leg.ringing_at),
            utc_or_none(leg.answered_at),
            utc_or_none(leg.ended_at),
            leg.cause,
            leg.machine,
            None if leg.ended_at is None else credits_of(leg.price),
        )


class Call(Struct, rename={"first": "from", "second": "to"}):
    """A call with its legs, oldest first. `reserved` is what its longest talk may cost, `price` what it did
    cost."""

    id: str
    first: str
    second: str
    state: model.CallState
    outcome: model.CallOutcome | None
    created_at: Time
    answered_at: Time | None
    ended_at: Time | None
    reserved: Credits
    price: Credits
    reference: str
    dialect: str
    legs: list[Leg]

    @classmethod
    def of(cls, story: model.CallStory) -> "Call":
        """The JSON of a call."""
        call = story.call
        return cls(
            call.ref,
            call.first,
            call.second,
            call.state,
            call.outcome,
            utc(call.created_at),
            utc_or_none(call.joined_at),
            utc_or_none(call.over_at),
            credits_of(call.reserved),
            credits_of(call.price),
            call.reference,
            call.dialect,
            [Leg.of(leg) for leg in story.legs],
        )


# --- the operations


def decode_place(call: WireCall) -> commands.PlaceCall:
    """POST /v1/calls."""
    request = wire.body(call, CallRequest)

    def shown(given: str | UnsetType | None) -> str | None:
        return None if given is UNSET else given or ""

    return commands.PlaceCall(
        first=request.first,
        second=request.second,
        shown_to_first=shown(request.shown_to_from),
        shown_to_second=shown(request.shown_to_to),
        longest=timedelta(seconds=request.longest_seconds),
        ring=timedelta(seconds=request.ring_seconds),
        confirm=request.confirm,
        language=request.language.value,
        reference=request.reference,
        record=request.record,
        record_to=request.record_to,
        replay=wire.replay(call),
    )


def encode_placed(story: model.CallStory, call: WireCall) -> HttpResponse:
    """The call, which is live now."""
    replayed = ((wire.REPLAYED, "true"),) if story.replayed else ()
    return wire.answer(Call.of(story), 201, replayed)


def encode_call(story: model.CallStory, call: WireCall) -> HttpResponse:
    """One call."""
    return wire.answer(Call.of(story))


def encode_asked(story: model.CallStory, call: WireCall) -> HttpResponse:
    """The call as it was when it was asked to end: it ends in a moment."""
    return wire.answer(Call.of(story), 202)


def decode_play(call: WireCall) -> commands.PlayToCall:
    """POST /v1/calls/{id}/play."""
    request = wire.body(call, PlayRequest)
    if (request.say is UNSET) == (request.sound is UNSET):
        raise Refusal(Fault.MISSING_PARAMETER, "write say for a text, or sound for an uploaded sound", "say")
    sound: Sound
    if request.say is not UNSET:
        sound = Speech(request.say, request.language.value, request.voice.value)
    else:
        sound = Uploaded(str(request.sound))
    return commands.PlayToCall(wire.parameter(call, "id"), request.leg, sound)


def decode_stop(call: WireCall) -> commands.StopSound:
    """POST /v1/calls/{id}/stop."""
    return commands.StopSound(wire.parameter(call, "id"), wire.body(call, LegRequest).leg)


def decode_keys(call: WireCall) -> commands.SendKeys:
    """POST /v1/calls/{id}/keys."""
    request = wire.body(call, KeysRequest)
    return commands.SendKeys(wire.parameter(call, "id"), request.leg, request.keys)


def decode_mute(call: WireCall) -> commands.MuteLeg:
    """POST /v1/calls/{id}/mute."""
    request = wire.body(call, MuteRequest)
    return commands.MuteLeg(wire.parameter(call, "id"), request.leg, request.muted)


def decode_record(call: WireCall) -> commands.RecordCall:
    """POST /v1/calls/{id}/record."""
    return commands.RecordCall(wire.parameter(call, "id"), wire.body(call, RecordRequest).recording)


def _asked(
    path: str, decode: Any, run: Any, summary: str, name: str, body: type[Body] | None, *more: Fault
) -> tuple[str, Operation]:
    """One line of the table: something that is done with a live call."""
    faults = (Fault.NOT_FOUND, Fault.TOO_LATE, *more)
    described = Described(name, "calls", Call, 202, body=body, faults=faults)
    return f"POST /v1/calls/{{id}}/{path}", table.line(decode, run, encode_asked, summary, described)


def decode_list(call: WireCall) -> commands.ListCalls:
    """GET /v1/calls."""
    query = wire.query(call, CallQuery)
    return commands.ListCalls(
        state=query.state or "",
        outcome=query.outcome or "",
        dialect=query.dialect,
        reference=query.reference,
        number=wire.digits(query.number),
        since=wire.instant(query.since, "since"),
        until=wire.instant(query.until, "until"),
        cursor=wire.cursor(query.cursor),
        limit=query.limit,
    )


def encode_calls(found: history.Page[model.CallStory], call: WireCall) -> HttpResponse:
    """A page of calls."""
    return wire.page(map(Call.of, found.items), found.next_cursor)


LINES: Mapping[str, Operation] = {
    "POST /v1/calls": table.line(
        decode_place,
        calls.place,
        encode_placed,
        "Ring two parties and join them",
        Described(
            "place_call",
            "calls",
            Call,
            201,
            body=CallRequest,
            faults=(
                Fault.MISSING_PARAMETER,
                Fault.INVALID_RECIPIENT,
                Fault.INVALID_SENDER,
                Fault.DESTINATION_FORBIDDEN,
                Fault.BLACKLISTED,
                Fault.INSUFFICIENT_CREDITS,
                Fault.TOO_MANY_CALLS,
                Fault.NO_ROUTE,
            ),
            costs=True,
        ),
    ),
    "GET /v1/calls": table.line(
        decode_list,
        calls.list_calls,
        encode_calls,
        "List calls, newest first",
        Described(
            "list_calls", "calls", shapes.Page[Call], query=CallQuery, faults=(Fault.INVALID_PARAMETER,)
        ),
    ),
    "GET /v1/calls/{id}": table.line(
        wire.bare(commands.FindCall, "id"),
        calls.find,
        encode_call,
        "Read a call with its legs",
        Described("get_call", "calls", Call, faults=(Fault.NOT_FOUND,)),
    ),
    "POST /v1/calls/{id}/hangup": table.line(
        wire.bare(commands.HangUpCall, "id"),
        calls.hang_up,
        encode_asked,
        "End a call",
        Described("hang_up_call", "calls", Call, 202, faults=(Fault.NOT_FOUND, Fault.TOO_LATE)),
    ),
    **dict(
        (
            _asked(
                "play",
                decode_play,
                steering.play,
                "Play or say something to a leg, or to all",
                "play_to_call",
                PlayRequest,
                Fault.MISSING_PARAMETER,
                Fault.INVALID_PARAMETER,
            ),
            _asked(
                "stop",
                decode_stop,
                steering.stop,
                "Stop what is played to a leg",
                "stop_sound_of_call",
                LegRequest,
            ),
            _asked(
                "keys",
                decode_keys,
                steering.send_keys,
                "Press keys towards a leg",
                "send_keys_to_call",
                KeysRequest,
                Fault.INVALID_PARAMETER,
            ),
            _asked(
                "mute",
                decode_mute,
                steering.mute,
                "Let nobody hear a leg, or everybody again",
                "mute_leg_of_call",
                MuteRequest,
            ),
            _asked(
                "record",
                decode_record,
                steering.record,
                "Begin or end the recording of a call",
                "record_call",
                RecordRequest,
            ),
            _asked(
                "legs/{leg}/hangup",
                wire.bare(commands.HangUpLeg, "id", "leg"),
                steering.hang_up_leg,
                "End one leg of a call",
                "hang_up_leg_of_call",
                None,
            ),
        )
    ),
}
