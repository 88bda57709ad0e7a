"""/v1/conferences: hold conferences, and see and steer who takes part."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.calls import Language
from chappe.dialects.rest.shapes import Body, Credits, Cursor, Limit, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import calls as call_model
from chappe.model import conferences as model
from chappe.model import history
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import conferences, participants

# --- what clients send


class NewParticipant(Body):
    """Somebody who takes part; with `call` the platform rings him, and with `confirm` he presses # then."""

    number: str
    name: Annotated[str, Meta(max_length=100)] = ""
    call: bool = False
    confirm: bool = True


class ConferenceRequest(Body):
    """`access` says how callers of the call-in number come in. Without `starts_at` it begins at once."""

    access: model.AccessMode = model.AccessMode.ROOM
    name: Annotated[str, Meta(max_length=100)] = ""
    starts_at: Time | None = None
    duration_seconds: Annotated[int, Meta(ge=60, le=14_400)] = 3600
    participants: Annotated[tuple[NewParticipant, ...], Meta(max_length=50)] = ()
    language: Language = Language.FR
    record: bool = False
    reference: Annotated[str, Meta(max_length=255)] = ""


class MoreParticipants(Body):
    """Who is named as well."""

    participants: Annotated[tuple[NewParticipant, ...], Meta(min_length=1, max_length=50)]


class ConferenceQuery(Body):
    """Which conferences."""

    state: model.ConferenceState | UnsetType = UNSET
    limit: Limit = 20
    cursor: Cursor | None = None


# --- what clients get


class Participant(Struct, omit_defaults=True):
    """Who takes part, or may; `cause` says why the last telephone was put down. Times that have not come are
    left out."""

    id: str
    number: str
    name: str
    state: model.ParticipantState
    muted: bool
    talking: bool
    joined_at: Time | None = None
    left_at: Time | None = None
    cause: call_model.HangUpCause | None = None
    price: Credits | None = None

    @classmethod
    def of(cls, one: model.Attendance) -> "Participant":
        """The JSON of a participant."""
        leg, state = one.leg, one.state
        has_joined = state in (model.ParticipantState.IN, model.ParticipantState.LEFT)
        return cls(
            one.participant.ref,
            one.participant.number,
            one.participant.name,
            state,
            one.participant.muted,
            one.talking,
            utc_or_none(one.participant.joined_at) if has_joined else None,
            utc_or_none(one.left_at),
            None if leg is None else leg.cause,
            None if leg is None or leg.ended_at is None else credits_of(leg.price),
        )


class Conference(Struct):
    """A conference. Callers dial `number` (null: nobody calls in) and press `code` (null: none opens it)."""

    id: str
    name: str
    access: model.AccessMode
    number: str | None
    code: str | None
    state: model.ConferenceState
    starts_at: Time
    ends_at: Time
    ended_at: Time | None
    locked: bool
    recorded: bool
    language: Language
    reference: str
    dialect: str

    @classmethod
    def of(cls, one: model.Conference) -> "Conference":
        """The JSON of a record."""
        return cls(*_facts(one))


class WholeConference(Conference):
    """The same with its participants, in the order in which they were named or came, and what it costs so
    far."""

    price: Credits
    participants: list[Participant]

    @classmethod
    def told(cls, story: model.ConferenceStory) -> "WholeConference":
        """The JSON of a conference."""
        values = dict(zip(Conference.__struct_fields__, _facts(story.conference), strict=True))
        present = [Participant.of(one) for one in story.present]
        return cls(**values, price=credits_of(story.price), participants=present)


def _facts(one: model.Conference) -> tuple[Any, ...]:
    return (
        one.ref,
        one.name,
        one.access,
        one.number or None,
        one.code or None,
        one.state,
        utc(one.starts_at),
        utc(one.ends_at),
        utc_or_none(one.over_at),
        one.locked,
        one.recorded,
        Language(one.language),
        one.reference,
        one.dialect,
    )


# --- the operations


def _named(given: tuple[NewParticipant, ...]) -> tuple[model.NewParticipant, ...]:
    return tuple(model.NewParticipant(one.number, one.name, one.call, one.confirm) for one in given)


def decode_create(call: WireCall) -> model.CreateConference:
    """POST /v1/conferences."""
    request = wire.body(call, ConferenceRequest)
    return model.CreateConference(
        access=request.access,
        starts_at=wire.instant(request.starts_at, "starts_at"),
        duration=timedelta(seconds=request.duration_seconds),
        participants=_named(request.participants),
        name=request.name,
        language=request.language.value,
        recorded=request.record,
        reference=request.reference,
        replay=wire.replay(call),
    )


def encode_created(story: model.ConferenceStory, call: WireCall) -> HttpResponse:
    """The conference, planned or open."""
    replayed = ((wire.REPLAYED, "true"),) if story.replayed else ()
    return wire.answer(WholeConference.told(story), 201, replayed)


def encode_conference(story: model.ConferenceStory, call: WireCall) -> HttpResponse:
    """One conference with its participants."""
    return wire.answer(WholeConference.told(story))


def encode_asked(story: model.ConferenceStory, call: WireCall) -> HttpResponse:
    """The conference as it was when this was asked: it happens in a moment."""
    return wire.answer(WholeConference.told(story), 202)


def decode_list(call: WireCall) -> model.ListConferences:
    """GET /v1/conferences."""
    query = wire.query(call, ConferenceQuery)
    return model.ListConferences(query.state or "", wire.cursor(query.cursor), query.limit)


def encode_conferences(found: history.Page[model.Conference], call: WireCall) -> HttpResponse:
    """A page of conferences."""
    return wire.page(map(Conference.of, found.items), found.next_cursor)


def decode_add(call: WireCall) -> model.AddParticipants:
    """POST /v1/conferences/{id}/participants."""
    request = wire.body(call, MoreParticipants)
    return model.AddParticipants(wire.parameter(call, "id"), _named(request.participants))


def _muted(wanted: bool) -> Callable[[str, str], model.MuteParticipant]:
    return lambda ref, participant: model.MuteParticipant(ref, participant, wanted)


def _locked(wanted: bool) -> Callable[[str], model.LockConference]:
    return lambda ref: model.LockConference(ref, wanted)


def _recorded(wanted: bool) -> Callable[[str], model.RecordConference]:
    return lambda ref: model.RecordConference(ref, wanted)


_TO_RING = (
    Fault.INVALID_RECIPIENT,
    Fault.DESTINATION_FORBIDDEN,
    Fault.BLACKLISTED,
    Fault.INSUFFICIENT_CREDITS,
    Fault.TOO_MANY_CALLS,
    Fault.NO_ROUTE,
)
_STEERED = (Fault.NOT_FOUND, Fault.TOO_LATE)


def _steer(
    command: Callable[..., Any],
    run: Callable[..., Any],
    name: str,
    summary: str,
    *,
    of_participant: bool = False,
    faults: tuple[Fault, ...] = _STEERED,
) -> Operation:
    places = ("id", "participant") if of_participant else ("id",)
    described = Described(name, "conferences", WholeConference, 202, faults=faults)
    return table.line(wire.bare(command, *places), run, encode_asked, summary, described)


_ONE, _PARTICIPANT = "/v1/conferences/{id}", "/v1/conferences/{id}/participants/{participant}"

LINES: Mapping[str, Operation] = {
    "POST /v1/conferences": table.line(
        decode_create,
        conferences.create,
        encode_created,
        "Hold a conference, now or later",
        Described(
            "create_conference",
            "conferences",
            WholeConference,
            201,
            body=ConferenceRequest,
            faults=(
                Fault.MISSING_PARAMETER,
                Fault.INVALID_RECIPIENT,
                Fault.DESTINATION_FORBIDDEN,
                Fault.TOO_MANY_CALLS,
            ),
            costs=True,
        ),
    ),
    "GET /v1/conferences": table.line(
        decode_list,
        conferences.list_conferences,
        encode_conferences,
        "List conferences, newest first",
        Described(
            "list_conferences",
            "conferences",
            shapes.Page[Conference],
            query=ConferenceQuery,
            faults=(Fault.INVALID_PARAMETER,),
        ),
    ),
    f"GET {_ONE}": table.line(
        wire.bare(model.FindConference, "id"),
        participants.find,
        encode_conference,
        "Read a conference with its participants",
        Described("get_conference", "conferences", WholeConference, faults=(Fault.NOT_FOUND,)),
    ),
    f"POST {_ONE}/participants": table.line(
        decode_add,
        participants.add,
        encode_created,
        "Name more participants, and ring them",
        Described(
            "add_participants",
            "conferences",
            WholeConference,
            201,
            body=MoreParticipants,
            faults=(*_STEERED, *_TO_RING),
        ),
    ),
    f"POST {_PARTICIPANT}/call": _steer(
        model.RingParticipant,
        participants.ring,
        "call_participant",
        "Ring a participant, again",
        of_participant=True,
        faults=(*_STEERED, *_TO_RING),
    ),
    f"POST {_PARTICIPANT}/mute": _steer(
        _muted(True),
        participants.mute,
        "mute_participant",
        "Let nobody hear a participant",
        of_participant=True,
    ),
    f"POST {_PARTICIPANT}/unmute": _steer(
        _muted(False),
        participants.mute,
        "unmute_participant",
        "Let everybody hear a participant again",
        of_participant=True,
    ),
    f"DELETE {_PARTICIPANT}": _steer(
        model.RemoveParticipant,
        participants.remove,
        "remove_participant",
        "Send a participant away, or name him no more",
        of_participant=True,
    ),
    f"POST {_ONE}/lock": _steer(
        _locked(True), conferences.lock, "lock_conference", "Let nobody more come in"
    ),
    f"POST {_ONE}/unlock": _steer(
        _locked(False), conferences.lock, "unlock_conference", "Let others come in again"
    ),
    f"POST {_ONE}/record": _steer(
        _recorded(True), conferences.record, "record_conference", "Record what is said"
    ),
    f"POST {_ONE}/record/stop": _steer(
        _recorded(False), conferences.record, "stop_recording_conference", "Record no more"
    ),
    f"POST {_ONE}/end": _steer(
        model.EndConference, conferences.end, "end_conference", "End a conference, or call it off"
    ),
}
