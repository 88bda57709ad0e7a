"""What an operator sees and changes: routes, tariffs, carriers; others are refused with `not_allowed`."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from chappe.model.carriers import CarrierRecord, LinkState
from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import Route, Tariff, write_place
from chappe.model.network import (
    AddRoute,
    AddTariff,
    BindView,
    CarrierView,
    ChangeRoute,
    ChangeTariff,
    ListBinds,
    ListCarriers,
    ListRoutes,
    ListTariffs,
    Place,
    RemoveRoute,
    RemoveTariff,
)
from chappe.services import carriers
from chappe.services.ports import Platform

_log = structlog.get_logger()

R = TypeVar("R", Route, Tariff)

ROUTES = "routes"
"""The topic of a changed route or tariff."""

SEEN = "network"
"""The topic of screens: something about carriers, queue or traffic is new."""

KINDS = ("sms", "call")
"""What routes and tariffs are for."""

LARGEST_PRICE = 1_000_000_000
"""In thousandths of a credit for one segment or minute; a slip of the pen, beyond it (our choice)."""

LARGEST_WEIGHT = 100
"""Of carriers that share the traffic of a route (our choice)."""


async def check_operator(platform: Platform, caller: Caller) -> None:
    """Raises Refusal `not_allowed` unless the caller's account is an operator's at this moment."""
    account = await platform.store.queries.account(caller.account_id)
    if account is None or not account.operator:
        raise Refusal(
            Fault.NOT_ALLOWED,
            "only an operator of this platform may see or change its network; on its machine"
            " `chappe account operator NAME` makes an account one",
        )


def note(caller: Caller, what: str, **details: object) -> None:
    """Have the log keep what an operator did, and who it was."""
    _log.info(what, operator=caller.account_id, user=caller.user_id, **details)


# --- routes and tariffs


async def load_routes(platform: Platform) -> None:
    """Let the router know what the database holds now."""
    queries = platform.store.queries
    platform.router.load(await queries.routes(), await queries.tariffs())


async def list_routes(platform: Platform, caller: Caller, command: ListRoutes) -> tuple[Route, ...]:
    """All routes, by prefix."""
    await check_operator(platform, caller)
    return await platform.store.queries.routes()


async def add_route(platform: Platform, caller: Caller, command: AddRoute) -> Route:
    """A new route. Raises Refusal, `already_exists` for a prefix that has one."""
    await check_operator(platform, caller)
    kind = _check_kind(command.kind)
    first, *others = _check_places(platform, command.carriers, kind)
    prefix = _check_prefix(command.prefix)
    route = Route(platform.ids.new_id(), kind, prefix, first, " ".join(others))
    await _write(platform, Changes(insert=[route]), f"a route of {prefix or 'all numbers'}")
    note(caller, "route added", kind=kind, prefix=prefix, carriers=[first, *others])
    return route


async def change_route(platform: Platform, caller: Caller, command: ChangeRoute) -> Route:
    """Other carriers for a route; messages that are queued stay with theirs."""
    await check_operator(platform, caller)
    route = _found(await platform.store.queries.routes(), command.id, "route")
    first, *others = _check_places(platform, command.carriers, route.kind)
    changed = replace(route, carrier=first, fallbacks=" ".join(others))
    values = {"carrier": changed.carrier, "fallbacks": changed.fallbacks}
    await _write(platform, Changes(update=[Update(Route, route.id, None, values)]))
    note(caller, "route changed", prefix=route.prefix, carriers=[first, *others])
    return changed


async def remove_route(platform: Platform, caller: Caller, command: RemoveRoute) -> None:
    """No such route any more."""
    await check_operator(platform, caller)
    route = _found(await platform.store.queries.routes(), command.id, "route")
    await _write(platform, Changes(delete=[Delete(Route, route.id, None)]))
    note(caller, "route removed", prefix=route.prefix)


async def list_tariffs(platform: Platform, caller: Caller, command: ListTariffs) -> tuple[Tariff, ...]:
    """All tariffs, by prefix."""
    await check_operator(platform, caller)
    return tuple(sorted(await platform.store.queries.tariffs(), key=lambda one: (one.kind, one.prefix)))


async def add_tariff(platform: Platform, caller: Caller, command: AddTariff) -> Tariff:
    """A new tariff. Raises Refusal, `already_exists` for a prefix that has one."""
    await check_operator(platform, caller)
    prefix, price = _check_prefix(command.prefix), _check_price(command.price)
    tariff = Tariff(platform.ids.new_id(), _check_kind(command.kind), prefix, price)
    await _write(platform, Changes(insert=[tariff]), f"a tariff of {prefix or 'all numbers'}")
    note(caller, "tariff added", prefix=prefix, price=price)
    return tariff


async def change_tariff(platform: Platform, caller: Caller, command: ChangeTariff) -> Tariff:
    """Another price for what is sent from now on."""
    await check_operator(platform, caller)
    tariff = _found(await platform.store.queries.tariffs(), command.id, "tariff")
    price = _check_price(command.price)
    await _write(platform, Changes(update=[Update(Tariff, tariff.id, None, {"price": price})]))
    note(caller, "tariff changed", prefix=tariff.prefix, price=price)
    return replace(tariff, price=price)


async def remove_tariff(platform: Platform, caller: Caller, command: RemoveTariff) -> None:
    """No such tariff any more."""
    await check_operator(platform, caller)
    tariff = _found(await platform.store.queries.tariffs(), command.id, "tariff")
    await _write(platform, Changes(delete=[Delete(Tariff, tariff.id, None)]))
    note(caller, "tariff removed", prefix=tariff.prefix)


async def _write(platform: Platform, changes: Changes, new: str = "") -> None:
    try:
        await platform.store.commit(changes)
    except Refusal as refusal:
        if refusal.fault is not Fault.ALREADY_EXISTS:
            raise
        raise Refusal(refusal.fault, f"there is {new} already; change that one", "prefix") from refusal
    await load_routes(platform)
    platform.topics.publish(ROUTES)
    platform.topics.publish(SEEN)


def _found(records: Sequence[R], wanted: int, name: str) -> R:
    for record in records:
        if record.id == wanted:
            return record
    raise Refusal(Fault.NOT_FOUND, f"there is no {name} {wanted}; it may have been removed")


def _check_kind(kind: str) -> str:
    if kind not in KINDS:
        detail = f"{kind[:20]!r} is no kind of traffic; there are {' and '.join(KINDS)}"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "kind")
    return kind


def _check_prefix(written: str) -> str:
    prefix = re.sub(r"[ ().-]", "", written.strip()).removeprefix("+").removeprefix("00")
    if not re.fullmatch(r"[0-9]{0,15}", prefix):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{written[:40]!r} is not the beginning of a number; write digits with country code, like 33 or"
            " 336, or nothing for all numbers",
            "prefix",
        )
    return prefix


def _check_places(platform: Platform, places: Sequence[Place], kind: str) -> list[str]:
    """Places as a route has them; a carrier that stands at an earlier place already is left out."""
    known, met, checked = platform.carriers.carry(kind), set[str](), []
    for place in places:
        shares = {place: 1} if isinstance(place, str) else place
        for name, weight in shares.items():
            if name not in known:
                raise Refusal(
                    Fault.INVALID_PARAMETER,
                    f"there is no carrier {name[:40]!r} for {kind}; known are {', '.join(known)}",
                    "carriers",
                )
            if not 1 <= weight <= LARGEST_WEIGHT:
                raise Refusal(
                    Fault.INVALID_PARAMETER,
                    f"the weight of {name} is {weight}; weights are whole numbers from 1 to {LARGEST_WEIGHT}",
                    "weight",
                )
        new = {name: weight for name, weight in shares.items() if name not in met}
        met.update(new)
        if new:
            checked.append(write_place(new))
    if not checked:
        raise Refusal(Fault.MISSING_PARAMETER, "a route needs at least one carrier", "carriers")
    return checked


def _check_price(price: int) -> int:
    if not 0 <= price <= LARGEST_PRICE:
        raise Refusal(Fault.INVALID_PARAMETER, "a price is between 0 and 1,000,000 credits", "price")
    return price


# --- carriers


async def list_carriers(platform: Platform, caller: Caller, command: ListCarriers) -> tuple[CarrierView, ...]:
    """All carriers with what they do, by name."""
    await check_operator(platform, caller)
    return await view_carriers(platform)


async def view_carriers(platform: Platform) -> tuple[CarrierView, ...]:
    """What the carriers worked here do at this moment, and what others told their node last."""
    here = platform.carriers.worked_here()
    records = {record.name: record for record in await platform.store.queries.carrier_records()}
    views: list[CarrierView] = []
    for name, kind in sorted(platform.carriers.types.items()):
        record = records.get(name)
        if name in here:
            views.append(CarrierView(name, kind, here[name], "", None, True))
        elif record is not None and record.status:
            told = carriers.of_data(record.status)
            views.append(CarrierView(name, kind, told, record.holder, record.at, False))
        else:
            views.append(CarrierView(name, kind, None, "", None, False))
    return tuple(views)


async def list_binds(platform: Platform, caller: Caller, command: ListBinds) -> tuple[BindView, ...]:
    """The binds of customers that this process holds; other nodes hold others."""
    await check_operator(platform, caller)
    binds = platform.carriers.binds()
    names = await platform.store.queries.account_names(sorted({bind.account_id for bind in binds}))
    return tuple(BindView(names.get(bind.account_id, ""), bind) for bind in binds)


class Watch:
    """One node's eye on the carriers: the router learns how they are, other nodes how those here are, and
    screens that something is new."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._told: dict[str, dict[str, object]] = {}
        self._seen: object = None

    async def step(self) -> None:
        """Look, and tell."""
        platform = self._platform
        views = await view_carriers(platform)
        states = {view.name: view.status.state for view in views if view.status is not None}
        # A carrier that a route names and no settings file knows takes nothing.
        for route in await platform.store.queries.routes():
            states |= {name: LinkState.DOWN for name in route.carriers if name not in platform.carriers.types}
        platform.router.mark(states)
        await self._tell()
        metrics = platform.metrics
        seen = (
            views,
            platform.carriers.binds(),
            metrics.accepted,
            metrics.submitted,
            metrics.delivered,
            metrics.failed,
        )
        if seen != self._seen:
            self._seen = seen
            platform.topics.publish(SEEN)

    async def _tell(self) -> None:
        platform, now = self._platform, self._platform.clock.now()
        fresh = {name: carriers.as_data(status) for name, status in platform.carriers.worked_here().items()}
        fresh = {name: data for name, data in fresh.items() if data != self._told.get(name)}
        if not fresh:
            return
        known = {record.name: record for record in await platform.store.queries.carrier_records()}
        for name, data in fresh.items():
            values = {"holder": platform.node, "status": data, "at": now}
            if name in known:
                changes = Changes(update=[Update(CarrierRecord, known[name].id, None, values)])
            else:
                record = CarrierRecord(platform.ids.new_id(), name, platform.node, data, {}, now)
                changes = Changes(insert=[record])
            platform.store.later(changes)
            self._told[name] = data
