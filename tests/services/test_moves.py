"""What is queued for one carrier is given to another, but for what its network may have already."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from chappe.model.changes import Changes
from chappe.model.commands import Caller
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.model.ledger import Route
from chappe.model.messages import MessageState, Submission
from chappe.services import accounts, moves, network
from chappe.services.accounts import NewAccount
from chappe.services.outbox import Outbox
from tests.platform import World, caller
from tests.services.asking import PlayedCarrier, all_messages, read, send_one, state


async def operator(world: World) -> Caller:
    """An operator of a platform whose numbers go to `free`, beside which there is `backup`."""
    new = await world.account("olive")
    await accounts.set_operator(world.platform, new.account, True)
    world.platform.carriers.types.update(free="smpp", backup="smpp")
    await world.platform.store.commit(Changes(insert=[Route(1, "sms", "33", "free")]))
    await network.load_routes(world.platform)
    return caller(new)


async def moved(world: World, olive: Caller, to: str = "backup", most: int = 99) -> int:
    return await moves.move_queued(world.platform, olive, "free", to, most)


async def carriers(world: World, new: NewAccount) -> list[str]:
    """The carriers of the account's messages, oldest first."""
    return [message.carrier for message in (await all_messages(world, new))[::-1]]


def at_work(world: World, **how: object) -> tuple[Outbox, PlayedCarrier]:
    """This process works the carrier `free`."""
    outbox, carrier = Outbox(world.platform), PlayedCarrier("free", **how)  # type: ignore[arg-type]
    outbox.begin(carrier)
    return outbox, carrier


async def test_what_waits_for_a_carrier_that_nobody_works_is_given_away(world: World) -> None:
    olive, shop = await operator(world), await world.account()
    sent = [await send_one(world, shop) for _ in range(3)]
    later = await send_one(world, shop, send_at=world.clock.now() + timedelta(hours=1))
    before = await world.balance(shop.account)
    with capture_logs() as said:
        assert await moved(world, olive, most=2) == 2
    deed = {"operator": olive.account_id, "user": olive.user_id, "carrier": "free", "to": "backup"}
    assert [deed | {"messages": 2}] == [
        {name: one[name] for name in (*deed, "messages")} for one in said if one["event"] == "queue moved"
    ]
    assert await carriers(world, shop) == ["backup", "backup", "free", "free"]
    assert await moved(world, olive) == 1
    assert await moved(world, olive) == 0
    assert [await state(world, one) for one in (*sent, later)] == [MessageState.QUEUED] * 3 + [
        MessageState.SCHEDULED
    ]
    assert await world.balance(shop.account) == before
    assert await world.platform.store.hold_leases(["carrier.free"], "whoever", 0)  # it was left


async def test_what_was_put_off_goes_to_the_other_at_once(world: World) -> None:
    olive, shop = await operator(world), await world.account()
    message = await send_one(world, shop)
    outbox, carrier = at_work(world)
    carrier.trouble = CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "no bind is up", 60)
    await outbox.step(carrier)
    assert (await read(world, message)).due_at > world.clock.now()
    assert await moved(world, olive) == 1
    kept = await read(world, message)
    assert (kept.carrier, kept.attempts, kept.carrier_code) == ("backup", 0, "")
    assert kept.due_at == world.clock.now()
    assert await world.platform.store.queries.due_messages("backup", world.clock.now(), 9, ()) == (kept,)


@pytest.mark.parametrize("waits", [False, True], ids=["sends again", "waits after a crash"])
async def test_what_its_network_may_have_stays(world: World, waits: bool) -> None:
    olive, shop = await operator(world), await world.account()
    outbox, carrier = at_work(world, window=3, waits_after_crash=waits)
    lost, refused, on_its_way = [await send_one(world, shop) for _ in range(3)]
    await outbox.step(carrier)
    assert [one.id for one in carrier.taken] == [lost.id, refused.id, on_its_way.id]
    carrier.window = 0  # the link is lost
    unknown = Submission(lost.id, fault=Fault.CARRIER_UNAVAILABLE, retry_after=5, unknown=True)
    for_now = Submission(refused.id, fault=Fault.CARRIER_UNAVAILABLE, code="ESME_RSYSERR", retry_after=5)
    await outbox.submitted([unknown, for_now])
    waiting = await send_one(world, shop)  # is in this process's memory
    assert await moved(world, olive) == 2
    assert await carriers(world, shop) == ["free", "backup", "free", "backup"]
    carrier.window, carrier.taken[:] = 3, []
    await outbox.submitted([Submission(on_its_way.id, ("7",))])
    for _ in range(3):
        await outbox.step(carrier)
    assert waiting.id not in [one.id for one in carrier.taken]
    assert [one.id for one in carrier.taken] == ([] if waits else [lost.id])
    assert await state(world, on_its_way) is MessageState.SENT


async def test_an_unknown_outcome_is_remembered_whatever_the_network_says_later(world: World) -> None:
    olive, shop = await operator(world), await world.account()
    outbox, carrier = at_work(world)
    message = await send_one(world, shop)
    await outbox.step(carrier)
    unknown = Submission(message.id, fault=Fault.CARRIER_UNAVAILABLE, retry_after=5, unknown=True)
    await outbox.submitted([unknown])
    await outbox.step(carrier)
    assert [one.id for one in carrier.taken] == [message.id] * 2
    busy = Submission(message.id, fault=Fault.CARRIER_UNAVAILABLE, code="ESME_RSYSERR", retry_after=5)
    await outbox.submitted([busy])
    assert await moved(world, olive) == 0
    assert (await read(world, message)).carrier == "free"


async def test_nothing_is_handed_over_while_it_is_given_away(world: World) -> None:
    olive, shop = await operator(world), await world.account()
    outbox, carrier = at_work(world)
    message = await send_one(world, shop)
    with outbox.halt() as halt:
        assert halt.in_flight == frozenset()
        assert await outbox.step(carrier) == 0
    assert await moved(world, olive) == 1
    assert await outbox.step(carrier) == 0
    assert carrier.taken == [] and (await read(world, message)).carrier == "backup"


async def test_a_carrier_of_another_node_is_left_to_it(world: World) -> None:
    olive, shop = await operator(world), await world.account()
    await send_one(world, shop)
    await world.platform.store.hold_leases(["carrier.free"], "elsewhere", 60)
    with pytest.raises(Refusal, match="another node") as met:
        await moved(world, olive)
    assert (met.value.fault, met.value.field) == (Fault.UNSUPPORTED, "carrier")
    assert await carriers(world, shop) == ["free"]


@pytest.mark.parametrize("to", ["free", "nowhere", ""])
async def test_it_goes_to_a_carrier_that_there_is(world: World, to: str) -> None:
    olive = await operator(world)
    with pytest.raises(Refusal, match="choose one of backup, sandbox") as met:
        await moved(world, olive, to)
    assert (met.value.fault, met.value.field) == (Fault.INVALID_PARAMETER, "to")


async def test_only_operators_give_away(world: World) -> None:
    await operator(world)
    shop = await world.account()
    with pytest.raises(Refusal) as met:
        await moved(world, caller(shop))
    assert met.value.fault is Fault.NOT_ALLOWED
