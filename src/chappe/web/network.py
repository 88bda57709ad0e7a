"""Pages of the network, for operators: carriers, traffic, the queue, routes and tariffs, dead deliveries."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.errors import Fault, Refusal
from chappe.model.metrics import Minute, percentile
from chappe.model.network import (
    AddRoute,
    AddTariff,
    ChangeRoute,
    ChangeTariff,
    ListBinds,
    ListCarriers,
    ListRoutes,
    ListTariffs,
    Reason,
    RemoveRoute,
    RemoveTariff,
)
from chappe.services import accounts, moves, network, traffic, waiting
from chappe.services.ports import Platform
from chappe.web import stories
from chappe.web.charts import Chart, Line, draw
from chappe.web.visits import Visit, for_members
from chappe.web.words import N_

SPANS = {"hour": (timedelta(minutes=1), 60), "day": (timedelta(minutes=30), 48)}
"""What the charts show: the length of a point, and how many of them."""

WIRE = "/live?of=network"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def routes(platform: Platform) -> list[BaseRoute]:
    def get(path: str, handler: object) -> Route:
        return Route(path, for_members(platform, handler), methods=["GET"])  # type: ignore[arg-type]

    def post(path: str, handler: object) -> Route:
        return Route(path, for_members(platform, handler), methods=["POST"])  # type: ignore[arg-type]

    return [
        get("/network", carriers_page),
        get("/network/queue", queue_page),
        post("/network/queue/stop", stop),
        post("/network/queue/move", move),
        get("/network/routes", routes_page),
        post("/network/routes", add_route),
        post("/network/routes/{id:int}", change_route),
        post("/network/routes/{id:int}/remove", remove_route),
        post("/network/tariffs", add_tariff),
        post("/network/tariffs/{id:int}", change_tariff),
        post("/network/tariffs/{id:int}/remove", remove_tariff),
        get("/network/deliveries", deliveries_page),
        post("/network/deliveries/replay", replay_all),
        post("/network/deliveries/{id:int}/replay", replay),
    ]


# --- carriers and traffic


async def carriers_page(platform: Platform, visit: Visit) -> Response:
    asked = visit.request.query_params.get("span", "")
    span = asked if asked in SPANS else "hour"
    points = await traffic.read(platform, visit.caller, *SPANS[span])
    return visit.page(
        "network.html",
        here="network",
        followed=WIRE,
        span=span,
        carriers=await network.list_carriers(platform, visit.caller, ListCarriers()),
        binds=await network.list_binds(platform, visit.caller, ListBinds()),
        sums={name: sum(getattr(point, name) for point in points) for name in traffic.COUNTED},
        charts=_charts(visit, points),
    )


def _charts(visit: Visit, points: Sequence[Minute]) -> list[tuple[str, str, str, Chart]]:
    """Each with its name in addresses, its title and its unit."""
    times = [point.at for point in points]

    def counted(name: str) -> list[float | None]:
        return [getattr(point, name) for point in points]

    def latency(name: str, share: float) -> list[float | None]:
        found = [percentile(getattr(point, name), share) for point in points]
        return [None if seconds is None else seconds * 1000 for seconds in found]

    say = visit.say
    half, worst = say(N_("half of them within")), say(N_("99 of 100 within"))
    through = [
        Line(say(N_("accepted")), "line-accent", counted("accepted")),
        Line(say(N_("taken by networks")), "line-held", counted("submitted")),
        Line(say(N_("delivered")), "line-done", counted("delivered")),
        Line(say(N_("failed")), "line-failed", counted("failed")),
    ]
    quick = [
        Line(half, "line-accent", latency("acceptance", 0.5)),
        Line(worst, "line-held", latency("acceptance", 0.99)),
    ]
    away = [
        Line(half, "line-accent", latency("submission", 0.5)),
        Line(worst, "line-held", latency("submission", 0.99)),
    ]
    return [
        ("traffic", say(N_("Messages")), "", draw(times, through, 4)),
        ("acceptance", say(N_("Time until a message is accepted")), "ms", draw(times, quick, 4)),
        ("submission", say(N_("Time until its network takes it")), "ms", draw(times, away, 4)),
    ]


# --- the queue


async def queue_page(platform: Platform, visit: Visit) -> Response:
    return await _queue_page(platform, visit, visit.request.query_params.get("carrier", "")[:40])


async def _queue_page(
    platform: Platform, visit: Visit, carrier: str, refusal: Refusal | None = None
) -> Response:
    after = _read_place(visit.request.query_params.get("after", ""))
    queue = await waiting.read_queue(platform, visit.caller, carrier, after)
    return visit.page(
        "queue.html",
        200 if refusal is None else 422,
        here="network",
        again="" if refusal is None else "/network/queue",
        trouble=None if refusal is None else visit.trouble(refusal, {"to": "carrier"}),
        others=sorted(platform.carriers.types.keys() - {carrier}),
        followed=WIRE,
        carrier=carrier,
        after=after,
        queue=queue,
        rules={
            held.code: stories.tell(held.code, visit.reader.language)
            for held in queue.held
            if held.reason is Reason.RULE
        },
        following=_place(queue.next),
        most=waiting.MOST,
        depth=next((depth for depth in queue.depths if depth.carrier == carrier), None),
        parked=await waiting.parked_receipts(platform, visit.caller, visit.cursor("parked")),
        parked_from=visit.cursor("parked"),
    )


def _place(place: tuple[datetime, int] | None) -> str:
    """A place in the queue as a part of an address: microseconds and an id."""
    return "" if place is None else f"{(place[0] - _EPOCH) // timedelta(microseconds=1)}-{place[1]}"


def _read_place(written: str) -> tuple[datetime, int] | None:
    due, _, message_id = written.partition("-")
    if not (due.isascii() and due.isdigit() and len(due) < 17):
        return None
    if not (message_id.isascii() and message_id.isdigit() and len(message_id) < 19):
        return None
    return _EPOCH + timedelta(microseconds=int(due)), int(message_id)


def _most(visit: Visit) -> int:
    """How many the button that was pressed spoke of."""
    asked = visit.field("most")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0


async def stop(platform: Platform, visit: Visit) -> Response:
    await waiting.stop_queued(platform, visit.caller, visit.field("carrier"), _most(visit))
    return visit.go("/network/queue", "stopped")


async def move(platform: Platform, visit: Visit) -> Response:
    carrier, to = visit.field("carrier"), visit.field("to")
    try:
        moved = await moves.move_queued(platform, visit.caller, carrier, to, _most(visit))
    except Refusal as refusal:
        if refusal.field is None:
            raise
        return await _queue_page(platform, visit, carrier[:40], refusal)
    return visit.go(
        f"/network/queue?carrier={quote(to)}" if moved else "/network/queue",
        "moved" if moved else "none-moved",
    )


# --- routes and tariffs


async def routes_page(platform: Platform, visit: Visit) -> Response:
    return await _routes_page(platform, visit)


async def _routes_page(
    platform: Platform, visit: Visit, refusal: Refusal | None = None, form: str = ""
) -> Response:
    """`form` names the form that was refused: `route`, `tariff`, or one of these with an id."""
    return visit.page(
        "routes.html",
        200 if refusal is None else 422,
        here="network",
        again="/network/routes",
        routes=await network.list_routes(platform, visit.caller, ListRoutes()),
        tariffs=await network.list_tariffs(platform, visit.caller, ListTariffs()),
        types=platform.carriers.types,
        default_price=platform.rules.default_price,
        minute_price=platform.rules.minute_price,
        open=form,
        typed=visit.field,
        trouble=None if refusal is None else visit.trouble(refusal, {"carriers": "carrier"}),
    )


def _places(visit: Visit) -> tuple[Mapping[str, int], ...]:
    """The carriers of the form's lines by their places; a line without a carrier says nothing."""
    asked = [visit.form.get(name, ()) for name in ("carrier", "place", "weight")]
    places: dict[int, dict[str, int]] = {}
    for line, (carrier, place, weight) in enumerate(zip_longest(*asked, fillvalue=""), 1):
        if carrier:
            at = _whole(place or str(line), "place")
            places.setdefault(at, {})[carrier] = _whole(weight or "1", "weight")
    return tuple(places[at] for at in sorted(places))


def _whole(written: str, field: str) -> int:
    if written.isascii() and written.isdigit() and len(written) < 4:
        return int(written)
    raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no whole number", field)


def _price(visit: Visit) -> int:
    try:
        return accounts.credits_of(visit.field("price"))
    except Refusal as refusal:
        raise Refusal(refusal.fault, refusal.detail, "price") from refusal


async def add_route(platform: Platform, visit: Visit) -> Response:
    try:
        command = AddRoute(visit.field("prefix"), _places(visit), visit.field("kind") or "sms")
        await network.add_route(platform, visit.caller, command)
    except Refusal as refusal:
        return await _again(platform, visit, refusal, "route")
    return visit.go("/network/routes", "route")


async def change_route(platform: Platform, visit: Visit) -> Response:
    route_id = visit.request.path_params["id"]
    try:
        await network.change_route(platform, visit.caller, ChangeRoute(route_id, _places(visit)))
    except Refusal as refusal:
        return await _again(platform, visit, refusal, f"route-{route_id}")
    return visit.go("/network/routes", "route")


async def remove_route(platform: Platform, visit: Visit) -> Response:
    await network.remove_route(platform, visit.caller, RemoveRoute(visit.request.path_params["id"]))
    return visit.go("/network/routes", "no-route")


async def add_tariff(platform: Platform, visit: Visit) -> Response:
    try:
        command = AddTariff(visit.field("prefix"), _price(visit), visit.field("kind") or "sms")
        await network.add_tariff(platform, visit.caller, command)
    except Refusal as refusal:
        return await _again(platform, visit, refusal, "tariff")
    return visit.go("/network/routes", "tariff")


async def change_tariff(platform: Platform, visit: Visit) -> Response:
    tariff_id = visit.request.path_params["id"]
    try:
        await network.change_tariff(platform, visit.caller, ChangeTariff(tariff_id, _price(visit)))
    except Refusal as refusal:
        return await _again(platform, visit, refusal, f"tariff-{tariff_id}")
    return visit.go("/network/routes", "tariff")


async def remove_tariff(platform: Platform, visit: Visit) -> Response:
    await network.remove_tariff(platform, visit.caller, RemoveTariff(visit.request.path_params["id"]))
    return visit.go("/network/routes", "no-tariff")


async def _again(platform: Platform, visit: Visit, refusal: Refusal, form: str) -> Response:
    """The page with what is the matter at the form's field; what is no field's has a page of its own."""
    if refusal.fault in (Fault.NOT_ALLOWED, Fault.NOT_FOUND):
        raise refusal
    return await _routes_page(platform, visit, refusal, form)


# --- dead deliveries


async def deliveries_page(platform: Platform, visit: Visit) -> Response:
    page, names, count = await waiting.dead_deliveries(platform, visit.caller, visit.cursor())
    return visit.page(
        "dead.html",
        here="network",
        followed=WIRE,
        deliveries=page,
        names=names,
        count=count,
        most=waiting.MOST,
        cursor=visit.cursor(),
    )


async def replay(platform: Platform, visit: Visit) -> Response:
    await waiting.replay_dead(platform, visit.caller, visit.request.path_params["id"])
    return visit.go("/network/deliveries", "replayed")


async def replay_all(platform: Platform, visit: Visit) -> Response:
    await waiting.replay_all_dead(platform, visit.caller, everybody=True)
    return visit.go("/network/deliveries", "replayed-all")
