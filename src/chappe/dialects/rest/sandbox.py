"""/v1/sandbox: the virtual telephones, what they hold, send and how they behave."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Limit, Time, utc
from chappe.dialects.rest.table import Described
from chappe.model import commands, directory
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import sandbox

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

    def keys(self) -> dict[str, object]:
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
    return commands.SetBehaviour(wire.parameter(call, "number"), behaviour.keys())


def encode_handset(handset: directory.Handset, call: WireCall) -> HttpResponse:
    """The telephone as it now is."""
    return wire.answer(Handset.of(handset))


LINES: Mapping[str, Operation] = {
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
