"""/v1/subscriptions, /v1/deliveries: who wants to be told of events, and what became of the notices."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, DialectWord, PageQuery, Time, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import commands, directory
from chappe.model.errors import Fault
from chappe.model.events import EventName
from chappe.model.history import Page
from chappe.model.jobs import Job, JobState
from chappe.protocols.http import HttpResponse
from chappe.services import subscriptions

EventWord = Annotated[
    str,
    Meta(
        description="The name of an event, or `*` for all of them.",
        extra_json_schema={"enum": ["*", *EventName]},
    ),
]


# --- subscriptions


class SubscriptionRequest(Body):
    """A URL that wants to be told of events."""

    url: str
    events: Annotated[list[EventWord], Meta(min_length=1)]
    dialect: DialectWord = "rest"


class SubscriptionChange(Body):
    """What is left out stays as it is."""

    url: str | None = None
    events: Annotated[list[EventWord], Meta(min_length=1)] | None = None
    enabled: Annotated[
        bool | None, Meta(description="true lifts the disabling that an answer 410 causes.")
    ] = None


class Subscription(Struct, kw_only=True):
    """A URL that is told of events."""

    id: str
    url: str
    events: list[EventWord]
    dialect: str
    enabled: bool
    disabled_at: Annotated[Time | None, Meta(description="When the URL answered 410.")]
    created_at: Time

    @classmethod
    def of(cls, subscription: directory.Subscription) -> "Subscription":
        """The JSON of a record."""
        return Subscription(
            id=subscription.ref,
            url=subscription.url,
            events=list(subscription.events),
            dialect=subscription.dialect,
            enabled=subscription.disabled_at is None,
            disabled_at=utc_or_none(subscription.disabled_at),
            created_at=utc(subscription.created_at),
        )


class NewSubscription(Subscription, kw_only=True):
    """A subscription with the secret that its notices are signed with; only this answer shows it."""

    secret: Annotated[str, Meta(description="For a Standard Webhooks library.")]

    @classmethod
    def made(cls, subscription: directory.Subscription) -> "NewSubscription":
        """The JSON of a record, with its secret."""
        return cls(**msgspec.structs.asdict(Subscription.of(subscription)), secret=subscription.secret)


def decode_subscribe(call: WireCall) -> commands.Subscribe:
    """POST /v1/subscriptions."""
    request = wire.body(call, SubscriptionRequest)
    return commands.Subscribe(request.url, tuple(request.events), request.dialect)


def encode_subscribed(subscription: directory.Subscription, call: WireCall) -> HttpResponse:
    """The new subscription with its secret."""
    return wire.answer(NewSubscription.made(subscription), 201)


def encode_subscriptions(outcome: tuple[directory.Subscription, ...], call: WireCall) -> HttpResponse:
    """All subscriptions."""
    return wire.page(map(Subscription.of, outcome))


def decode_change_subscription(call: WireCall) -> commands.ChangeSubscription:
    """PATCH /v1/subscriptions/{id}."""
    change = wire.body(call, SubscriptionChange)
    events = None if change.events is None else tuple(change.events)
    return commands.ChangeSubscription(wire.parameter(call, "id"), change.url, events, change.enabled)


def encode_subscription(subscription: directory.Subscription, call: WireCall) -> HttpResponse:
    """The subscription as it now is."""
    return wire.answer(Subscription.of(subscription))


# --- deliveries


class DeliveryQuery(PageQuery):
    """Which deliveries, newest first."""

    state: JobState | None = None


_TARGETS = {"Subscription": "subscription", "Keyword": "keyword", "OwnNumber": "number", "Line": "line"}


class Delivery(Struct, kw_only=True):
    """One notice to a customer's URL or mailbox, and how its last try went."""

    id: str
    event: Annotated[str, Meta(description="The name of the event that it tells of.")]
    target: Annotated[str, Meta(description="What names its address: subscription, keyword, number or line.")]
    way: Annotated[str, Meta(description="url or email.")]
    state: JobState
    attempts: int
    created_at: Time
    due_at: Annotated[Time, Meta(description="When it is tried, or was tried last.")]
    done_at: Time | None
    outcome: str

    @classmethod
    def of(cls, job: Job) -> "Delivery":
        """The JSON of a record; the payload is the one that services/subscriptions.py writes."""
        target = str(job.payload.get("target", ""))
        return cls(
            id=str(job.id),
            event=str(job.payload.get("event", "")),
            target=_TARGETS.get(target, ""),
            way=str(job.payload.get("way", "")),
            state=job.state,
            attempts=job.attempts,
            created_at=utc(job.created_at),
            due_at=utc(job.due_at),
            done_at=utc_or_none(job.done_at),
            outcome=job.outcome,
        )


def decode_deliveries(call: WireCall) -> commands.ListDeliveries:
    """GET /v1/deliveries."""
    query = wire.query(call, DeliveryQuery)
    return commands.ListDeliveries(query.state or "", wire.cursor(query.cursor), query.limit)


def encode_deliveries(page: Page[Job], call: WireCall) -> HttpResponse:
    """One page of deliveries."""
    return wire.page(map(Delivery.of, page.items), page.next_cursor)


def decode_replay_delivery(call: WireCall) -> commands.ReplayDelivery:
    """POST /v1/deliveries/{id}/replay; a body is not looked at."""
    wire.no_query(call)
    return commands.ReplayDelivery(wire.number_id(call))


def encode_delivery(job: Job, call: WireCall) -> HttpResponse:
    """The delivery, on its way again."""
    return wire.answer(Delivery.of(job), 202)


# --- the operations


LINES: Mapping[str, Operation] = {
    "GET /v1/subscriptions": table.line(
        wire.bare(commands.ListSubscriptions),
        subscriptions.list_subscriptions,
        encode_subscriptions,
        "List subscriptions",
        Described("list_subscriptions", "subscriptions", shapes.Page[Subscription]),
    ),
    "POST /v1/subscriptions": table.line(
        decode_subscribe,
        subscriptions.subscribe,
        encode_subscribed,
        "Be told of events at a URL",
        Described(
            "subscribe",
            "subscriptions",
            NewSubscription,
            201,
            body=SubscriptionRequest,
            faults=(Fault.MISSING_PARAMETER,),
        ),
    ),
    "GET /v1/subscriptions/{id}": table.line(
        wire.bare(commands.FindSubscription, "id"),
        subscriptions.find_subscription,
        encode_subscription,
        "Get one subscription",
        Described("get_subscription", "subscriptions", Subscription, faults=(Fault.NOT_FOUND,)),
    ),
    "PATCH /v1/subscriptions/{id}": table.line(
        decode_change_subscription,
        subscriptions.change_subscription,
        encode_subscription,
        "Change a subscription, or enable it again",
        Described(
            "change_subscription",
            "subscriptions",
            Subscription,
            body=SubscriptionChange,
            faults=(Fault.NOT_FOUND,),
        ),
    ),
    "DELETE /v1/subscriptions/{id}": table.line(
        wire.bare(commands.Unsubscribe, "id"),
        subscriptions.unsubscribe,
        wire.nothing,
        "End a subscription",
        Described("unsubscribe", "subscriptions", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/deliveries": table.line(
        decode_deliveries,
        subscriptions.list_deliveries,
        encode_deliveries,
        "List notices, newest first",
        Described("list_deliveries", "subscriptions", shapes.Page[Delivery], query=DeliveryQuery),
    ),
    "POST /v1/deliveries/{id}/replay": table.line(
        decode_replay_delivery,
        subscriptions.replay_delivery,
        encode_delivery,
        "Send a notice again",
        Described(
            "replay_delivery", "subscriptions", Delivery, 202, faults=(Fault.NOT_FOUND, Fault.TOO_LATE)
        ),
    ),
}
