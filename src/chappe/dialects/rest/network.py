"""/v1/network: routes, tariffs and carriers, for operators."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Credits, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import carriers, ledger
from chappe.model import network as commands
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpResponse
from chappe.services import network

Prefix = Annotated[
    str,
    Meta(description="How numbers begin, digits with country code; empty for all. The longest wins."),
]
Place = str | Annotated[dict[str, Annotated[int, Meta(ge=1, le=100)]], Meta(min_length=1)]
Places = Annotated[
    list[Place],
    Meta(
        min_length=1,
        description="Carriers of the settings file: new messages go to the first one that is up, else to"
        ' the first that takes messages at all. Several with weights, like `{"free": 7, "other": 3}`, share'
        " what comes, each number always over the same one.",
    ),
]
Price = Annotated[
    float, Meta(ge=0, le=1_000_000, description="Credits for one segment, with at most three decimals.")
]


# --- routes


class RouteRequest(Body):
    """Which carriers take messages to numbers with a prefix."""

    carriers: Places
    prefix: Prefix = ""


class RouteChange(Body):
    """Other carriers; what is queued stays where it is."""

    carriers: Places


class Route(Struct):
    """A route."""

    id: str
    prefix: Prefix
    carriers: Places

    @classmethod
    def of(cls, route: ledger.Route) -> "Route":
        """The JSON of a record."""
        places: list[Place] = [next(iter(one)) if len(one) == 1 else dict(one) for one in route.places]
        return cls(str(route.id), route.prefix, places)


def decode_add_route(call: WireCall) -> commands.AddRoute:
    """POST /v1/network/routes."""
    request = wire.body(call, RouteRequest)
    return commands.AddRoute(request.prefix, tuple(request.carriers))


def decode_change_route(call: WireCall) -> commands.ChangeRoute:
    """PATCH /v1/network/routes/{id}."""
    return commands.ChangeRoute(wire.number_id(call), tuple(wire.body(call, RouteChange).carriers))


def decode_remove_route(call: WireCall) -> commands.RemoveRoute:
    """DELETE /v1/network/routes/{id}."""
    wire.no_query(call)
    return commands.RemoveRoute(wire.number_id(call))


def encode_routes(routes: Sequence[ledger.Route], call: WireCall) -> HttpResponse:
    """All routes."""
    return wire.page(map(Route.of, routes))


def encode_new_route(route: ledger.Route, call: WireCall) -> HttpResponse:
    """The new route."""
    return wire.answer(Route.of(route), 201)


def encode_route(route: ledger.Route, call: WireCall) -> HttpResponse:
    """The route as it now is."""
    return wire.answer(Route.of(route))


# --- tariffs


class TariffRequest(Body):
    """What a segment to numbers with a prefix costs."""

    price: Price
    prefix: Prefix = ""


class TariffChange(Body):
    """Another price, for what is sent from now on."""

    price: Price


class Tariff(Struct):
    """A tariff."""

    id: str
    prefix: Prefix
    price: Credits

    @classmethod
    def of(cls, tariff: ledger.Tariff) -> "Tariff":
        """The JSON of a record."""
        return cls(str(tariff.id), tariff.prefix, credits_of(tariff.price))


def _thousandths(credits: float) -> int:
    exact = credits * ledger.CREDIT
    if abs(exact - round(exact)) > 1e-6:
        detail = f"{credits:g} has more than three decimals; credits are counted to the thousandth"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "price")
    return round(exact)


def decode_add_tariff(call: WireCall) -> commands.AddTariff:
    """POST /v1/network/tariffs."""
    request = wire.body(call, TariffRequest)
    return commands.AddTariff(request.prefix, _thousandths(request.price))


def decode_change_tariff(call: WireCall) -> commands.ChangeTariff:
    """PATCH /v1/network/tariffs/{id}."""
    return commands.ChangeTariff(wire.number_id(call), _thousandths(wire.body(call, TariffChange).price))


def decode_remove_tariff(call: WireCall) -> commands.RemoveTariff:
    """DELETE /v1/network/tariffs/{id}."""
    wire.no_query(call)
    return commands.RemoveTariff(wire.number_id(call))


def encode_tariffs(tariffs: Sequence[ledger.Tariff], call: WireCall) -> HttpResponse:
    """All tariffs."""
    return wire.page(map(Tariff.of, tariffs))


def encode_new_tariff(tariff: ledger.Tariff, call: WireCall) -> HttpResponse:
    """The new tariff."""
    return wire.answer(Tariff.of(tariff), 201)


def encode_tariff(tariff: ledger.Tariff, call: WireCall) -> HttpResponse:
    """The tariff as it now is."""
    return wire.answer(Tariff.of(tariff))


# --- carriers


class Link(Struct):
    """One connection to a network."""

    kind: str
    state: carriers.LinkState
    since: Time
    unanswered: int
    window: int
    submitted: int
    refused: int
    throttled: int
    error: str


class Carrier(Struct):
    """A carrier with what it does; `state` is null while nobody has worked it yet."""

    name: str
    type: str
    state: carriers.LinkState | None
    at: Annotated[Time | None, Meta(description="When another node told this; null: it is of this moment.")]
    links: list[Link]
    id_rule: Annotated[str, Meta(description="How ids of receipts become those of answers, once learnt.")]

    @classmethod
    def of(cls, view: commands.CarrierView) -> "Carrier":
        """The JSON of what is seen."""
        status = view.status
        links = (
            []
            if status is None
            else [
                Link(
                    link.kind,
                    link.state,
                    utc(link.since),
                    link.unanswered,
                    link.window,
                    link.submitted,
                    link.refused,
                    link.throttled,
                    link.error,
                )
                for link in status.links
            ]
        )
        state, rule = (None, "") if status is None else (status.state, status.id_rule)
        return cls(view.name, view.type, state, utc_or_none(view.at), links, rule)


def encode_carriers(views: Sequence[commands.CarrierView], call: WireCall) -> HttpResponse:
    """All carriers."""
    return wire.page(map(Carrier.of, views))


class Bind(Struct):
    """A customer's SMPP connection to the server that answers; other servers hold others."""

    account: str
    system_id: str
    peer: str
    kind: str
    since: Time
    unanswered: int
    window: int
    asked: Annotated[int, Meta(description="What the customer asked since he bound.")]
    refused: int
    delivered: Annotated[int, Meta(description="Parts of receipts and inbound messages that he took.")]
    undelivered: int

    @classmethod
    def of(cls, view: commands.BindView) -> "Bind":
        """The JSON of what is seen."""
        bind = view.bind
        return cls(
            view.owner,
            bind.system_id,
            bind.peer,
            bind.kind,
            utc(bind.since),
            bind.unanswered,
            bind.window,
            bind.asked,
            bind.refused,
            bind.delivered,
            bind.undelivered,
        )


def encode_binds(views: Sequence[commands.BindView], call: WireCall) -> HttpResponse:
    """All binds of customers."""
    return wire.page(map(Bind.of, views))


# --- the operations

_NEW = (Fault.NOT_ALLOWED, Fault.MISSING_PARAMETER, Fault.ALREADY_EXISTS)
_OLD = (Fault.NOT_ALLOWED, Fault.NOT_FOUND)

LINES: Mapping[str, Operation] = {
    "GET /v1/network/routes": table.line(
        wire.bare(commands.ListRoutes),
        network.list_routes,
        encode_routes,
        "List routes",
        Described("list_routes", "network", shapes.Page[Route], faults=(Fault.NOT_ALLOWED,)),
    ),
    "POST /v1/network/routes": table.line(
        decode_add_route,
        network.add_route,
        encode_new_route,
        "Add a route",
        Described("add_route", "network", Route, 201, body=RouteRequest, faults=_NEW),
    ),
    "PATCH /v1/network/routes/{id}": table.line(
        decode_change_route,
        network.change_route,
        encode_route,
        "Change the carriers of a route",
        Described("change_route", "network", Route, body=RouteChange, faults=_OLD),
    ),
    "DELETE /v1/network/routes/{id}": table.line(
        decode_remove_route,
        network.remove_route,
        wire.nothing,
        "Remove a route",
        Described("remove_route", "network", status=204, faults=_OLD),
    ),
    "GET /v1/network/tariffs": table.line(
        wire.bare(commands.ListTariffs),
        network.list_tariffs,
        encode_tariffs,
        "List tariffs",
        Described("list_tariffs", "network", shapes.Page[Tariff], faults=(Fault.NOT_ALLOWED,)),
    ),
    "POST /v1/network/tariffs": table.line(
        decode_add_tariff,
        network.add_tariff,
        encode_new_tariff,
        "Add a tariff",
        Described("add_tariff", "network", Tariff, 201, body=TariffRequest, faults=_NEW),
    ),
    "PATCH /v1/network/tariffs/{id}": table.line(
        decode_change_tariff,
        network.change_tariff,
        encode_tariff,
        "Change a price",
        Described("change_tariff", "network", Tariff, body=TariffChange, faults=_OLD),
    ),
    "DELETE /v1/network/tariffs/{id}": table.line(
        decode_remove_tariff,
        network.remove_tariff,
        wire.nothing,
        "Remove a tariff",
        Described("remove_tariff", "network", status=204, faults=_OLD),
    ),
    "GET /v1/network/carriers": table.line(
        wire.bare(commands.ListCarriers),
        network.list_carriers,
        encode_carriers,
        "List carriers with what they do",
        Described("list_carriers", "network", shapes.Page[Carrier], faults=(Fault.NOT_ALLOWED,)),
    ),
    "GET /v1/network/binds": table.line(
        wire.bare(commands.ListBinds),
        network.list_binds,
        encode_binds,
        "List customers bound over SMPP",
        Described("list_binds", "network", shapes.Page[Bind], faults=(Fault.NOT_ALLOWED,)),
    ),
}
