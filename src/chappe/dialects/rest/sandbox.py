"""/v1/sandbox: the virtual telephones, what they hold, send and how they behave."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Limit, Time, utc
from chappe.dialects.rest.table import Described
from chappe.media import wav
from chappe.model import commands, directory
from chappe.model.calls import HangUpCause, LegState
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import sandbox, telephones

# --- what clients send


class HandsetText(Body):
    """An SMS that a virtual telephone sends."""

    to: Annotated[str, Meta(description="A number or short code of the platform.")]
    text: str


class ReceiptWord(StrEnum):
    """What the sandbox network reports about messages to a telephone."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NONE = "none"


class RefusalWord(StrEnum):
    """How the sandbox network refuses messages to a telephone."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    THROTTLED = "throttled"


class CallWord(StrEnum):
    """What a telephone does when it is called."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECT = "reject"
    UNREACHABLE = "unreachable"
    MACHINE = "machine"


Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]


class Keys(Body):
    """Keys that are pressed at a telephone."""

    keys: Annotated[str, Meta(pattern="^[0-9*#]{1,32}$")]


class Dialled(Body):
    """What a virtual telephone dials."""

    to: Annotated[str, Meta(description="A number, line, short code or conference of the platform.")]


class Language(StrEnum):
    """In which language a telephone speaks."""

    FR = "fr"
    EN = "en"


class Behaviour(Body):
    """How a virtual telephone and its network behave; what is left out is as usual."""

    receipt: ReceiptWord | UnsetType = UNSET
    receipt_after_ms: (
        Annotated[int, Meta(ge=0, le=86_400_000, description="How long the receipt takes.")] | UnsetType
    ) = UNSET
    duplicate_receipts: (
        Annotated[
            bool | Annotated[int, Meta(ge=0, le=100)],
            Meta(description="How many times more the receipt comes; true is once."),
        ]
        | UnsetType
    ) = UNSET
    receipt_before_answer: (
        Annotated[bool, Meta(description="The receipt overtakes the answer to the submission.")] | UnsetType
    ) = UNSET
    refuse: (
        Annotated[RefusalWord | None, Meta(description="null: the network accepts messages.")] | UnsetType
    ) = UNSET

    call: (
        Annotated[CallWord | None, Meta(description="null: it rings until somebody answers.")] | UnsetType
    ) = UNSET
    answer_after_ms: Milliseconds | UnsetType = UNSET
    keys: (
        Annotated[str, Meta(pattern="^[0-9*#]{0,32}$", description="Pressed after answering.")] | UnsetType
    ) = UNSET
    keys_after_ms: Milliseconds | UnsetType = UNSET
    hang_up_after_ms: (
        Annotated[int, Meta(ge=0, le=3_600_000, description="After answering; 0: it does not.")] | UnsetType
    ) = UNSET
    say: (
        Annotated[
            str,
            Meta(max_length=1000, description="Spoken after answering, and anew when the call is joined."),
        ]
        | UnsetType
    ) = UNSET
    greeting: (
        Annotated[str, Meta(max_length=1000, description="What a machine says before its tone.")] | UnsetType
    ) = UNSET
    language: Language | UnsetType = UNSET

    def given(self) -> dict[str, object]:
        """The keys that were given, as plain data."""
        given: dict[str, object] = msgspec.to_builtins(self)
        if self.duplicate_receipts is not UNSET:
            given["duplicate_receipts"] = int(self.duplicate_receipts)
        return given


class HandsetQuery(Body):
    """How much of a telephone's conversation, counted from the end."""

    limit: Limit = 100


# --- what clients get


class Handset(Struct):
    """A virtual telephone; any number that is routed to the sandbox is one."""

    number: str
    active_at: Time
    behaviour: dict[str, Any]

    @classmethod
    def of(cls, handset: directory.Handset) -> "Handset":
        """The JSON of a record."""
        return cls(handset.number, utc(handset.active_at), handset.behaviour)


class HandsetMessage(Struct, rename={"sender": "from"}):
    """One message on a virtual telephone; `incoming` when the telephone received it, `unowned` when it sent
    it to an address where nobody took it (claim a keyword there)."""

    sender: str
    to: str
    text: str
    incoming: bool
    at: Time
    flash: bool
    unowned: bool

    @classmethod
    def of(cls, item: directory.HandsetItem) -> "HandsetMessage":
        """The JSON of a record."""
        sender, to = (item.other, item.number) if item.incoming else (item.number, item.other)
        return cls(sender, to, item.text, item.incoming, utc(item.at), item.flash, item.unowned)


class Conversation(Struct):
    """A virtual telephone and its messages, oldest first."""

    handset: Handset
    data: list[HandsetMessage]
    next_cursor: str | None = None


class HandsetCall(Struct, omit_defaults=True):
    """A call at a virtual telephone, as it sees it: `shown` is the caller's number on its screen, or what it
    has dialled. While it is live: what is played to it in words, with whom it speaks, keys sent to it."""

    id: str
    shown: str
    state: LegState
    at: Time
    answered_at: Time | None = None
    ended_at: Time | None = None
    cause: HangUpCause | None = None
    dialled: bool = False
    hears: str = ""
    speaks_with: list[str] = []
    keys: str = ""

    @classmethod
    def of(cls, call: telephones.TelephoneCall) -> "HandsetCall":
        """The JSON of a leg, and of how it is now."""
        leg, moment = call.leg, call.moment or telephones.NOTHING
        return cls(
            str(leg.id),
            leg.shown,
            leg.state,
            utc(leg.created_at),
            shapes.utc_or_none(leg.answered_at),
            shapes.utc_or_none(leg.ended_at),
            leg.cause,
            leg.inbound,
            telephones.in_words(moment.hears),
            list(moment.speaks_with),
            moment.keys,
        )


# --- the operations


def encode_handsets(handsets: tuple[directory.Handset, ...], call: WireCall) -> HttpResponse:
    """All telephones that were used."""
    return wire.page(map(Handset.of, handsets))


def decode_read_handset(call: WireCall) -> commands.ReadHandset:
    """GET /v1/sandbox/handsets/{number}/messages."""
    query = wire.query(call, HandsetQuery)
    return commands.ReadHandset(wire.parameter(call, "number"), query.limit)


def encode_conversation(
    outcome: tuple[directory.Handset, tuple[directory.HandsetItem, ...]], call: WireCall
) -> HttpResponse:
    """A telephone and its messages."""
    handset, items = outcome
    return wire.answer(Conversation(Handset.of(handset), [HandsetMessage.of(item) for item in items]))


def decode_send_from_handset(call: WireCall) -> commands.SendFromHandset:
    """POST /v1/sandbox/handsets/{number}/messages."""
    request = wire.body(call, HandsetText)
    return commands.SendFromHandset(wire.parameter(call, "number"), request.to, request.text)


def encode_handset_message(item: directory.HandsetItem, call: WireCall) -> HttpResponse:
    """What the telephone sent."""
    return wire.answer(HandsetMessage.of(item), 201)


def decode_behaviour(call: WireCall) -> commands.SetBehaviour:
    """PUT /v1/sandbox/handsets/{number}/behaviour."""
    behaviour = wire.body(call, Behaviour)
    return commands.SetBehaviour(wire.parameter(call, "number"), behaviour.given())


def encode_handset(handset: directory.Handset, call: WireCall) -> HttpResponse:
    """The telephone as it now is."""
    return wire.answer(Handset.of(handset))


def encode_handset_calls(calls: tuple[telephones.TelephoneCall, ...], call: WireCall) -> HttpResponse:
    """What rang at a telephone, or was dialled there."""
    return wire.page(map(HandsetCall.of, calls))


def decode_dial(call: WireCall) -> commands.DialFromHandset:
    """POST /v1/sandbox/handsets/{number}/calls."""
    return commands.DialFromHandset(wire.parameter(call, "number"), wire.body(call, Dialled).to)


def encode_dialled(dialled: telephones.TelephoneCall, call: WireCall) -> HttpResponse:
    """The call that a telephone has begun."""
    return wire.answer(HandsetCall.of(dialled), 201)


def decode_heard(call: WireCall) -> commands.HearTelephone:
    """GET /v1/sandbox/handsets/{number}/calls/{id}/heard."""
    wire.no_query(call)
    return commands.HearTelephone(wire.parameter(call, "number"), wire.number_id(call))


def encode_heard(samples: bytes, call: WireCall) -> HttpResponse:
    """What a telephone has heard, as a WAV file."""
    return HttpResponse(200, wav.encode(samples), "audio/wav")


def decode_use(what: str) -> Callable[[WireCall], commands.UseTelephone]:
    """POST /v1/sandbox/handsets/{number}/calls/{id}/..."""

    def decode(call: WireCall) -> commands.UseTelephone:
        if what == "keys":
            keys = wire.body(call, Keys).keys
        else:
            wire.no_query(call)
            keys = ""
        return commands.UseTelephone(wire.parameter(call, "number"), wire.number_id(call), what, keys)

    return decode


def encode_used(used: telephones.TelephoneCall, call: WireCall) -> HttpResponse:
    """The call as it was a moment ago."""
    return wire.answer(HandsetCall.of(used), 202)


def _use(what: str, summary: str) -> Operation:
    return table.line(
        decode_use(what),
        telephones.use_telephone,
        encode_used,
        summary,
        Described(
            f"{what}_handset_call",
            "sandbox",
            HandsetCall,
            202,
            body=Keys if what == "keys" else None,
            faults=(Fault.NOT_FOUND, Fault.TOO_LATE),
        ),
    )


LINES: Mapping[str, Operation] = {
    "GET /v1/sandbox/handsets/{number}/calls": table.line(
        decode_read_handset,
        telephones.list_handset_calls,
        encode_handset_calls,
        "List the calls at a virtual telephone",
        Described("list_handset_calls", "sandbox", shapes.Page[HandsetCall], query=HandsetQuery),
    ),
    "POST /v1/sandbox/handsets/{number}/calls": table.line(
        decode_dial,
        telephones.dial,
        encode_dialled,
        "Dial a number from a virtual telephone",
        Described(
            "dial_from_handset",
            "sandbox",
            HandsetCall,
            201,
            body=Dialled,
            faults=(Fault.NOT_FOUND, Fault.INVALID_PARAMETER, Fault.TOO_MANY_CALLS),
        ),
    ),
    "GET /v1/sandbox/handsets/{number}/calls/{id}/heard": table.line(
        decode_heard,
        telephones.heard,
        encode_heard,
        "Get the last ten seconds that a telephone heard in a call, as a WAV file",
        Described(
            "get_heard_of_handset_call", "sandbox", file="audio/wav", faults=(Fault.NOT_FOUND, Fault.TOO_LATE)
        ),
    ),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/answer": _use("answer", "Answer a call at a telephone"),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/reject": _use("reject", "Reject a call at a telephone"),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/hangup": _use("hangup", "End a call at a telephone"),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/keys": _use("keys", "Press keys at a telephone"),
    "GET /v1/sandbox/handsets": table.line(
        wire.bare(commands.ListHandsets),
        sandbox.list_handsets,
        encode_handsets,
        "List the virtual telephones that were used",
        Described("list_handsets", "sandbox", shapes.Page[Handset]),
    ),
    "GET /v1/sandbox/handsets/{number}/messages": table.line(
        decode_read_handset,
        sandbox.read_handset,
        encode_conversation,
        "Read a virtual telephone",
        Described(
            "read_handset", "sandbox", Conversation, query=HandsetQuery, faults=(Fault.INVALID_PARAMETER,)
        ),
    ),
    "POST /v1/sandbox/handsets/{number}/messages": table.line(
        decode_send_from_handset,
        sandbox.send_from_handset,
        encode_handset_message,
        "Send an SMS from a virtual telephone",
        Described(
            "send_from_handset",
            "sandbox",
            HandsetMessage,
            201,
            body=HandsetText,
            faults=(Fault.MISSING_PARAMETER, Fault.EMPTY_CONTENT, Fault.CONTENT_TOO_LONG),
        ),
    ),
    "PUT /v1/sandbox/handsets/{number}/behaviour": table.line(
        decode_behaviour,
        sandbox.set_behaviour,
        encode_handset,
        "Set how a virtual telephone and its network behave",
        Described("set_behaviour", "sandbox", Handset, body=Behaviour, faults=(Fault.INVALID_PARAMETER,)),
    ),
}
