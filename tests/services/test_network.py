"""Routes, tariffs and carriers as an operator sees and changes them."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chappe.model.carriers import CarrierStatus, LinkState, LinkStatus
from chappe.model.errors import Fault, Refusal
from chappe.model.network import (
    AddRoute,
    AddTariff,
    ChangeRoute,
    ChangeTariff,
    ListRoutes,
    ListTariffs,
    RemoveRoute,
    RemoveTariff,
)
from chappe.platform import open_platform
from chappe.services import accounts, network
from chappe.services.carriers import as_data, of_data
from chappe.services.network import Watch
from chappe.services.routing import Way
from chappe.settings import RouteSettings, Settings, TariffSettings
from tests.platform import START, ManualClock, World, caller
from tests.services.asking import ALICE


async def operator(world: World):  # type: ignore[no-untyped-def]
    new = await world.account("operator")
    await accounts.set_operator(world.platform, new.account, True)
    return caller(new)


def strained(name: str, state: LinkState = LinkState.STRAINED) -> CarrierStatus:
    return CarrierStatus(name, "smpp", state, (LinkStatus("transceiver", state, START, error="88"),))


async def test_a_changed_route_takes_the_next_message(world: World) -> None:
    platform, me = world.platform, await operator(world)
    platform.carriers.types.update(free="smpp", backup="smpp")
    with platform.topics.subscribe(network.ROUTES) as bell:
        everything = await network.add_route(platform, me, AddRoute("", ("sandbox",)))
        french = await network.add_route(platform, me, AddRoute("+33 6", ("free", "backup", "free")))
        assert await bell.wait(0)
    assert (french.prefix, french.carriers) == ("336", ("free", "backup"))
    assert await network.list_routes(platform, me, ListRoutes()) == (everything, french)
    assert platform.router.way("sms", ALICE).carrier == "free"
    assert platform.router.way("sms", "41791234567").carrier == "sandbox"
    changed = await network.change_route(platform, me, ChangeRoute(french.id, ("backup",)))
    assert changed.carriers == ("backup",)
    assert platform.router.way("sms", ALICE).carrier == "backup"
    await network.remove_route(platform, me, RemoveRoute(french.id))
    assert platform.router.way("sms", ALICE).carrier == "sandbox"
    await network.remove_route(platform, me, RemoveRoute(everything.id))
    assert platform.router.way("sms", ALICE).carrier == "sandbox"  # no route at all: everything


async def test_the_price_is_that_of_the_longest_prefix(world: World) -> None:
    platform, me = world.platform, await operator(world)
    assert platform.router.way("sms", ALICE) == Way("sandbox", 1000)
    cheap = await network.add_tariff(platform, me, AddTariff("33", 500))
    dear = await network.add_tariff(platform, me, AddTariff("336", 700))
    assert await network.list_tariffs(platform, me, ListTariffs()) == (cheap, dear)
    assert platform.router.way("sms", ALICE).price == 700
    await network.change_tariff(platform, me, ChangeTariff(dear.id, 0))
    assert platform.router.way("sms", ALICE).price == 0
    await network.remove_tariff(platform, me, RemoveTariff(dear.id))
    assert platform.router.way("sms", ALICE).price == 500


@pytest.mark.parametrize(
    ("command", "fault", "field"),
    [
        (AddRoute("33x", ("sandbox",)), Fault.INVALID_PARAMETER, "prefix"),
        (AddRoute("1" * 16, ("sandbox",)), Fault.INVALID_PARAMETER, "prefix"),
        (AddRoute("33", ("nowhere",)), Fault.INVALID_PARAMETER, "carriers"),
        (AddRoute("33", ()), Fault.MISSING_PARAMETER, "carriers"),
        (AddRoute("33", ({"sandbox": 0},)), Fault.INVALID_PARAMETER, "weight"),
        (AddRoute("33", ({"sandbox": 101},)), Fault.INVALID_PARAMETER, "weight"),
        (AddRoute("33", ({"sandbox": 1, "nowhere": 1},)), Fault.INVALID_PARAMETER, "carriers"),
        (AddRoute("33", ("sandbox",), "mms"), Fault.INVALID_PARAMETER, "kind"),
        (AddRoute("44", ("sandbox",)), Fault.ALREADY_EXISTS, "prefix"),
    ],
)
async def test_a_route_that_cannot_be(
    sandbox_world: World, command: AddRoute, fault: Fault, field: str
) -> None:
    platform, me = sandbox_world.platform, await operator(sandbox_world)
    await network.add_route(platform, me, AddRoute("44", ("sandbox",)))
    with pytest.raises(Refusal) as refused:
        await network.add_route(platform, me, command)
    assert (refused.value.fault, refused.value.field) == (fault, field)


async def test_a_price_that_cannot_be(sandbox_world: World) -> None:
    platform, me = sandbox_world.platform, await operator(sandbox_world)
    for price in (-1, network.LARGEST_PRICE + 1):
        with pytest.raises(Refusal) as refused:
            await network.add_tariff(platform, me, AddTariff("33", price))
        assert refused.value.field == "price"


async def test_new_messages_take_the_next_carrier_while_one_is_down(sandbox_world: World) -> None:
    platform, me = sandbox_world.platform, await operator(sandbox_world)
    platform.carriers.types.update(free="smpp", backup="smpp")
    await network.add_route(platform, me, AddRoute("", ("free", "backup")))
    states = {"free": LinkState.UP, "backup": LinkState.UP}
    for name in states:
        platform.carriers.join(name, lambda name=name: strained(name, states[name]), lambda: True)
    watch = Watch(platform)
    for free, backup, taken in (
        (LinkState.UP, LinkState.UP, "free"),
        (LinkState.STRAINED, LinkState.UP, "backup"),
        (LinkState.STRAINED, LinkState.DOWN, "free"),
        (LinkState.DOWN, LinkState.STRAINED, "backup"),
        (LinkState.CONNECTING, LinkState.DOWN, "free"),
        (LinkState.UP, LinkState.UP, "free"),
    ):
        states.update(free=free, backup=backup)
        await watch.step()
        assert platform.router.way("sms", ALICE).carrier == taken, (free, backup)


def taken(platform, numbers: range) -> Counter[str]:  # type: ignore[no-untyped-def]
    return Counter(platform.router.way("sms", str(number)).carrier for number in numbers)


async def test_carriers_at_one_place_share_by_weight(world: World) -> None:
    platform, me = world.platform, await operator(world)
    platform.carriers.types.update(free="smpp", other="smpp", backup="smpp")
    places = ({"free": 70, "other": 30}, {"backup": 1, "free": 5})
    route = await network.add_route(platform, me, AddRoute("", places))
    assert route.places == ({"free": 70, "other": 30}, {"backup": 1})
    assert await network.list_routes(platform, me, ListRoutes()) == (route,)
    for numbers in (
        range(33612340000, 33612341000),  # side by side
        range(33600000000, 33700000000, 100_000),
        range(33600000007, 33600700007, 700),
    ):
        shared = taken(platform, numbers)
        assert abs(shared["free"] - 700) <= 30 and shared["free"] + shared["other"] == 1000
    first = platform.router.way("sms", ALICE)
    assert all(platform.router.way("sms", ALICE) is first for _ in range(9))  # one number, one way


async def test_a_carrier_that_is_not_well_leaves_its_share_to_the_others(sandbox_world: World) -> None:
    platform, me = sandbox_world.platform, await operator(sandbox_world)
    platform.carriers.types.update(free="smpp", other="smpp", backup="smpp")
    await network.add_route(platform, me, AddRoute("", ({"free": 1, "other": 1}, "backup")))
    states = dict.fromkeys(("free", "other", "backup"), LinkState.UP)
    for name in states:
        platform.carriers.join(name, lambda name=name: strained(name, states[name]), lambda: True)
    watch, some = Watch(platform), range(33612340000, 33612340100)
    up, down, weak = LinkState.UP, LinkState.DOWN, LinkState.STRAINED
    for free, other, backup, takers in (
        (up, up, up, {"free", "other"}),
        (down, up, up, {"other"}),
        (weak, up, up, {"other"}),
        (weak, weak, up, {"backup"}),
        (weak, weak, down, {"free", "other"}),
        (down, down, up, {"backup"}),
        (down, down, down, {"free", "other"}),
    ):
        states.update(free=free, other=other, backup=backup)
        await watch.step()
        assert set(taken(platform, some)) == takers, (free, other, backup)


async def test_other_nodes_read_what_a_carrier_told_here(world: World) -> None:
    platform = world.platform
    platform.carriers.types["free"] = "smpp"
    mine = [True]
    platform.carriers.join("free", lambda: strained("free"), lambda: mine[0])
    await Watch(platform).step()
    await world.platform.store.commit(_nothing())  # what was left for later is written by now
    mine[0] = False
    (view,) = [view for view in await network.view_carriers(platform) if view.name == "free"]
    assert (view.status, view.holder, view.at, view.here) == (strained("free"), platform.node, START, False)
    with platform.topics.subscribe(network.SEEN) as bell:
        again = Watch(platform)
        await again.step()
        assert await bell.wait(0)
        await again.step()
        assert not await bell.wait(0)  # nothing is new


def _nothing():  # type: ignore[no-untyped-def]
    from chappe.model.changes import Changes

    return Changes()


def test_a_status_survives_its_json() -> None:
    status = CarrierStatus(
        "free", "smpp", LinkState.UP, strained("free").links, "as-is", {"as-is": 3}, {"DELIVRD": 2}
    )
    assert of_data(json.loads(json.dumps(as_data(status)))) == status


async def test_the_settings_file_counts_when_it_says_something_new(database_address: str) -> None:
    """And what was changed in the console since then stays."""
    clock = ManualClock(START + timedelta(days=1))

    async def started(carrier: Any, price: float):  # type: ignore[no-untyped-def]
        settings = Settings(
            carriers={"free": {"type": "sandbox"}, "backup": {"type": "sandbox"}},
            routes=(RouteSettings(carrier, "33"),),
            tariffs=(TariffSettings(price, "33"),),
        )
        platform, records = await open_platform(settings, database_address, clock=clock)
        return platform, records

    platform, records = await started("free", 2)
    assert platform.router.way("sms", ALICE) == Way("free", 2000)
    new = await accounts.create_account(platform, "me", operator=True)
    (route,) = await network.list_routes(platform, caller(new), ListRoutes())
    await network.change_route(platform, caller(new), ChangeRoute(route.id, ("backup",)))
    await records.close()
    platform, records = await started("free", 3)  # the price is new, the route is not
    assert platform.router.way("sms", ALICE) == Way("backup", 3000)
    await records.close()
    platform, records = await started(({"free": 1, "backup": 1}, "sandbox"), 3)
    (route,) = await network.list_routes(platform, caller(new), ListRoutes())
    assert route.places == ({"free": 1, "backup": 1}, {"sandbox": 1})
    await records.close()
    platform, records = await started("sandbox", 3)
    assert platform.router.way("sms", ALICE) == Way("sandbox", 3000)
    await records.close()
