"""/v1/callbacks: ask for callbacks, look at them, call them off; addresses that may not ask."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.calls import Call
from chappe.dialects.rest.popups import Labels
from chappe.dialects.rest.shapes import Body, Credits, Cursor, Limit, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import callbacks as model
from chappe.model import history
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import callbacks

# --- what clients send


class CallbackBody(Body):
    """What a visitor asks. `popup` is the id or number of the form, `address` the visitor's IP address; with
    neither `at` nor `delay_seconds` it is called at once."""

    popup: Annotated[str, Meta(min_length=1, max_length=40)]
    visitor: str
    name: Annotated[str, Meta(max_length=100)] = ""
    labels: Labels = ()
    address: Annotated[str, Meta(max_length=60)] = ""
    origin: Annotated[str, Meta(max_length=500)] = ""
    at: Time | None = None
    delay_seconds: Annotated[int, Meta(ge=0, le=2_592_000)] | UnsetType = UNSET
    tries: Annotated[int, Meta(ge=1, le=9)] | UnsetType = UNSET
    retry_seconds: Annotated[int, Meta(ge=10, le=86_400)] | UnsetType = UNSET
    longest_seconds: Annotated[int, Meta(ge=10, le=7_200)] | UnsetType = UNSET
    record: bool | UnsetType = UNSET


class Order(StrEnum):
    """Which end of a list comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"


class CallbackQuery(Body):
    """Which callbacks: those asked for `since` a time and before `until`."""

    popup: str = ""
    state: model.CallbackState | UnsetType = UNSET
    since: Time | None = None
    until: Time | None = None
    order: Order = Order.NEWEST
    limit: Limit = 20
    cursor: Cursor | None = None


class AddressBody(Body):
    """An IP address, or a network such as 192.0.2.0/24."""

    address: Annotated[str, Meta(max_length=60)]


# --- what clients get


class Callback(Struct):
    """A callback. `number` counts them; `operator` is who spoke with the visitor, `cause` what became of the
    last try; seconds are of the visitor's telephone, `waited_seconds` from when it was due until both
    spoke."""

    id: str
    number: int
    popup: str
    popup_number: int
    visitor: str
    name: str
    labels: list[str]
    state: model.CallbackState
    source: model.CallbackSource
    address: str
    origin: str
    destination: str
    created_at: Time
    due_at: Time
    ended_at: Time | None
    tries: int
    attempt: int
    retry_seconds: int
    longest_seconds: int
    recorded: bool
    operator: str
    ring_seconds: int
    talk_seconds: int
    waited_seconds: int
    cause: str
    price: Credits
    dialect: str

    @classmethod
    def of(cls, story: model.CallbackStory) -> "Callback":
        """The JSON of a callback."""
        return cls(**_facts(story))


class WholeCallback(Callback):
    """The same with the call of its last try."""

    call: Call | None

    @classmethod
    def told(cls, story: model.CallbackStory) -> "WholeCallback":
        """The JSON of a callback with its call."""
        call = None if story.call is None else Call.of(story.call)
        return cls(**_facts(story), call=call)


def _facts(story: model.CallbackStory) -> dict[str, Any]:
    request = story.request
    same = {
        name: getattr(request, name)
        for name in Callback.__struct_fields__
        if hasattr(request, name) and name != "id"
    }
    return same | {
        "id": request.ref,
        "popup": story.form.ref,
        "popup_number": story.form.number,
        "labels": list(request.labels),
        "created_at": utc(request.created_at),
        "due_at": utc(request.due_at),
        "ended_at": utc_or_none(request.over_at),
        "price": credits_of(request.price),
    }


class BlockedAddresses(Struct):
    """The addresses and networks that may not ask."""

    data: list[str]


# --- the operations


def _span(seconds: int | UnsetType) -> timedelta | None:
    return None if seconds is UNSET else timedelta(seconds=seconds)


def decode_request(call: WireCall) -> model.RequestCallback:
    """POST /v1/callbacks."""
    request = wire.body(call, CallbackBody)
    return model.RequestCallback(
        form=request.popup,
        visitor=request.visitor,
        address=request.address,
        source=model.CallbackSource.API,
        due_at=wire.instant(request.at, "at"),
        delay=_span(request.delay_seconds),
        tries=None if request.tries is UNSET else request.tries,
        longest=_span(request.longest_seconds),
        recorded=None if request.record is UNSET else request.record,
        name=request.name,
        labels=request.labels,
        origin=request.origin,
        retry=_span(request.retry_seconds),
        replay=wire.replay(call),
    )


def encode_requested(story: model.CallbackStory, call: WireCall) -> HttpResponse:
    """The callback that was asked for, or was before."""
    replayed = ((wire.REPLAYED, "true"),) if story.replayed else ()
    return wire.answer(WholeCallback.told(story), 201, replayed)


def encode_callback(story: model.CallbackStory, call: WireCall) -> HttpResponse:
    """One callback."""
    return wire.answer(WholeCallback.told(story))


def decode_list(call: WireCall) -> model.ListCallbacks:
    """GET /v1/callbacks."""
    query = wire.query(call, CallbackQuery)
    return model.ListCallbacks(
        form=query.popup,
        state=None if query.state is UNSET else query.state,
        since=wire.instant(query.since, "since"),
        until=wire.instant(query.until, "until"),
        oldest_first=query.order is Order.OLDEST,
        cursor=wire.cursor(query.cursor),
        limit=query.limit,
    )


def encode_list(found: history.Page[model.CallbackStory], call: WireCall) -> HttpResponse:
    """A page of callbacks."""
    return wire.page(map(Callback.of, found.items), found.next_cursor)


def decode_block(call: WireCall) -> model.BlockAddress:
    """POST /v1/blocked-addresses."""
    return model.BlockAddress(wire.body(call, AddressBody).address)


def decode_unblock(call: WireCall) -> model.UnblockAddress:
    """DELETE /v1/blocked-addresses."""
    return model.UnblockAddress(wire.query(call, AddressBody).address)


def encode_blocked(found: tuple[str, ...], call: WireCall) -> HttpResponse:
    """The blocked addresses."""
    return wire.answer(BlockedAddresses(list(found)))


LINES: Mapping[str, Operation] = {
    "POST /v1/callbacks": table.line(
        decode_request,
        callbacks.request,
        encode_requested,
        "Ask for a callback, now or later",
        Described(
            "request_callback",
            "callbacks",
            WholeCallback,
            201,
            body=CallbackBody,
            faults=(
                Fault.NOT_FOUND,
                Fault.INVALID_PARAMETER,
                Fault.INVALID_RECIPIENT,
                Fault.DESTINATION_FORBIDDEN,
                Fault.BLACKLISTED,
                Fault.INSUFFICIENT_CREDITS,
                Fault.NO_ROUTE,
            ),
            costs=True,
        ),
    ),
    "GET /v1/callbacks": table.line(
        decode_list,
        callbacks.list_callbacks,
        encode_list,
        "List callbacks",
        Described(
            "list_callbacks",
            "callbacks",
            shapes.Page[Callback],
            query=CallbackQuery,
            faults=(Fault.INVALID_PARAMETER, Fault.NOT_FOUND),
        ),
    ),
    "GET /v1/callbacks/{id}": table.line(
        wire.bare(model.FindCallback, "id"),
        callbacks.find,
        encode_callback,
        "Read a callback with the call of its last try",
        Described("get_callback", "callbacks", WholeCallback, faults=(Fault.NOT_FOUND,)),
    ),
    "POST /v1/callbacks/{id}/cancel": table.line(
        wire.bare(model.CancelCallback, "id"),
        callbacks.cancel,
        encode_callback,
        "Call a callback off before it is made",
        Described("cancel_callback", "callbacks", WholeCallback, faults=(Fault.NOT_FOUND, Fault.TOO_LATE)),
    ),
    "GET /v1/blocked-addresses": table.line(
        wire.bare(model.ListBlockedAddresses),
        callbacks.list_blocked_addresses,
        encode_blocked,
        "List the addresses that may not ask for callbacks",
        Described("list_blocked_addresses", "callbacks", BlockedAddresses),
    ),
    "POST /v1/blocked-addresses": table.line(
        decode_block,
        callbacks.block_address,
        wire.nothing,
        "Let an address, or a network, ask for no callbacks",
        Described(
            "block_address",
            "callbacks",
            status=204,
            body=AddressBody,
            faults=(Fault.INVALID_PARAMETER, Fault.NOT_ALLOWED),
        ),
    ),
    "DELETE /v1/blocked-addresses": table.line(
        decode_unblock,
        callbacks.unblock_address,
        wire.nothing,
        "Let an address ask again",
        Described(
            "unblock_address",
            "callbacks",
            status=204,
            query=AddressBody,
            faults=(Fault.INVALID_PARAMETER, Fault.NOT_FOUND),
        ),
    ),
}
