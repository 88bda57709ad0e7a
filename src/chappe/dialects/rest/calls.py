"""/v1/calls: place a call, end it, and see what became of it."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Credits, Cursor, Limit, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import calls as model
from chappe.model import commands, history
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import calls

# --- what clients send


class Language(StrEnum):
    """In which language the platform speaks to the parties."""

    FR = "fr"
    EN = "en"


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
}
