"""Limits of calls that cost money: a stolen key does not get far."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from chappe.flows import program
from chappe.model.announcements import FindAnnouncement, OnMachine, RecipientState, SendAnnouncement
from chappe.model.calls import CallState, HangUpCause, Leg, LegEvent, LegEventKind
from chappe.model.changes import Changes, Update
from chappe.model.commands import (
    AddLine,
    Caller,
    CallFromLine,
    FindCall,
    PlaceCall,
    TransferCall,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import Route, Tariff
from chappe.model.sounds import Speech
from chappe.services import announcements, calling, calls, consents, lines, transfers
from chappe.services.accounts import NewAccount
from chappe.services.routing import Way
from tests.platform import World, caller

HOME, ABROAD, VIRTUAL = "33612345678", "41791234567", "33639980001"


@dataclass
class Trunk:
    """A network whose telephones all do the same: they answer, or they ring."""

    world: World
    answers: bool = False
    name: str = "trunk"
    legs: dict[int, Leg] = field(default_factory=dict)

    def tell(self, leg_id: int, kind: LegEventKind, cause: HangUpCause | None = None) -> None:
        at = self.world.clock.at
        self.world.chappe.switchboard.leg_event(LegEvent(leg_id, kind, at, cause))

    async def dial(self, leg: Leg, ring_seconds: int, judges: bool = False) -> None:
        self.legs[leg.id] = leg
        self.tell(leg.id, LegEventKind.ANSWERED if self.answers else LegEventKind.RINGING)

    async def hang_up(self, leg_id: int, cause: HangUpCause) -> None:
        if self.legs.pop(leg_id, None) is not None:
            self.tell(leg_id, LegEventKind.ENDED, cause)

    def __getattr__(self, verb: str) -> Any:
        async def nothing(*about: object) -> None:
            """Nobody looks at what is played or joined here."""

        if verb.startswith("_"):
            raise AttributeError(verb)
        return nothing


@pytest.fixture
def trunk(world: World) -> Trunk:
    platform = world.platform
    platform.router.load(
        [Route(1, "call", "", "trunk"), Route(2, "call", "3363998", "sandbox")],
        [Tariff(1, "call", "41", 3_000), Tariff(2, "sms", "41", 9_000)],
    )
    network = Trunk(world)
    world.chappe.switchboard.connect(network)
    return network


async def place(world: World, me: Caller, first: str = HOME, second: str = HOME) -> str:
    return (await calls.place(world.platform, me, PlaceCall(first, second))).call.ref


async def hang_up_all(world: World) -> None:
    for call in world.chappe.switchboard.live_calls():
        world.platform.live_calls.board.ask(call.id, program.AskedToHangUp())
    await world.settle()


async def owner(world: World) -> tuple[NewAccount, Caller]:
    shop = await world.account(credits=100_000)
    return shop, caller(shop)


def test_a_minute_has_a_price_of_its_own_and_the_longest_prefix_wins(world: World, trunk: Trunk) -> None:
    way = world.platform.router.way
    assert way("call", ABROAD) == Way("trunk", 3_000)
    assert way("call", HOME) == Way("trunk", 1_000)
    assert way("call", VIRTUAL).carrier == "sandbox"


async def test_a_stolen_key_stops_at_twenty_calls(world: World, trunk: Trunk) -> None:
    """However it asks: all at one moment, or one after the other."""
    _, me = await owner(world)
    at_once = await asyncio.gather(*(place(world, me) for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in at_once) == 10  # those of one minute
    placed, refusals = 10, []
    for _ in range(100):
        await hang_up_all(world)
        world.clock.move(seconds=20)
        try:
            await place(world, me)
            placed += 1
        except Refusal as refusal:
            refusals.append(refusal)
    assert placed == 20
    assert {one.fault for one in refusals} == {Fault.TOO_MANY_CALLS}
    assert "20 calls were placed today" in refusals[-1].detail
    await place(world, caller(await world.account("other")))  # whose calls are its own
    world.clock.move(days=1)
    await place(world, me)


async def test_a_stolen_key_stops_at_five_euros(world: World, trunk: Trunk) -> None:
    """A hundred credits: all its calls are cut at the second in which they have cost that."""
    shop, me = await owner(world)
    trunk.answers = True
    refs = [await place(world, me, ABROAD, ABROAD) for _ in range(10)]
    with pytest.raises(Refusal, match="10 calls were placed within a minute"):
        await place(world, me)
    await world.settle()
    for _ in range(110):  # ten calls of six credits a minute cost one credit a second
        await world.wait(1)
        await world.chappe.switchboard.keep_caps()
        await world.settle()
    stories = [await calls.find(world.platform, me, FindCall(ref)) for ref in refs]
    assert {leg.cause for story in stories for leg in story.legs} == {HangUpCause.CREDIT}
    assert sum(story.call.price for story in stories) == 100_000
    with pytest.raises(Refusal, match="used up the 100 credits of a day") as refused:
        await place(world, me)
    assert refused.value.fault is Fault.TOO_MANY_CALLS
    assert await world.balance(shop.account) == 100_000_000 - 100_000
    world.clock.move(days=1)
    await place(world, me)


async def test_an_operator_allows_an_account_more(world: World, trunk: Trunk) -> None:
    shop, me = await owner(world)
    for _ in range(20):
        await place(world, me)
        await hang_up_all(world)
        world.clock.move(seconds=30)
    with pytest.raises(Refusal):
        await place(world, me)
    await consents.set_call_limits(world.platform, shop.account, a_day=0, cap=0)
    account = await world.platform.store.queries.account(shop.account.id)
    assert account is not None
    assert (account.calls_a_day, account.calls_cap) == (0, 0)
    await place(world, me._replace(calls_a_day=0, calls_cap=0))


async def test_what_stays_in_the_sandbox_has_only_the_limit_of_calls_at_once(
    world: World, trunk: Trunk
) -> None:
    _, me = await owner(world)
    for _ in range(20):
        await place(world, me, VIRTUAL, VIRTUAL)
    with pytest.raises(Refusal, match="20 calls of this account are going on"):
        await place(world, me, VIRTUAL, VIRTUAL)
    await hang_up_all(world)
    for _ in range(20):
        await place(world, me, VIRTUAL, VIRTUAL)


async def test_a_line_has_its_own_limit_of_calls_at_once(world: World, trunk: Trunk) -> None:
    shop, me = await owner(world)
    (line,) = await world.platform.store.queries.lines(shop.account.id)
    world.platform.router.load([Route(1, "call", "", "trunk")], [])
    for _ in range(4):
        world.clock.move(seconds=2)
        await lines.make_call(world.platform, me, CallFromLine(line.number, PlaceCall(line.number, HOME)))
    world.clock.move(seconds=2)
    with pytest.raises(Refusal, match=f"4 calls of the line {line.number}"):
        await lines.make_call(world.platform, me, CallFromLine(line.number, PlaceCall(line.number, HOME)))
    await place(world, me)


async def test_parties_on_two_networks_are_refused_before_anybody_is_rung(world: World, trunk: Trunk) -> None:
    shop, me = await owner(world)
    with pytest.raises(Refusal, match="on sandbox and trunk, which cannot be joined") as refused:
        await place(world, me, VIRTUAL, HOME)
    assert refused.value.fault is Fault.NO_ROUTE
    assert not trunk.legs and await world.balance(shop.account) == 100_000_000


async def test_who_is_transferred_out_of_the_house_counts_as_called(world: World, trunk: Trunk) -> None:
    """Else two telephones of the account that speak for nothing could be given to anybody at any price."""
    shop, me = await owner(world)
    (one,) = await world.platform.store.queries.lines(shop.account.id)
    two = (await lines.add_line(world.platform, me, AddLine())).line
    for line, user in ((one, "u1"), (two, "u2")):
        update = Update(type(line), line.id, line.account_id, {"sip_user": user})
        await world.platform.store.commit(Changes(update=[update]))
    world.platform.carriers.lines = "trunk"
    trunk.answers = True
    ref = await place(world, me, one.number, two.number)
    await world.settle()
    story = await calls.find(world.platform, me, FindCall(ref))
    assert story.call.is_virtual and story.call.joined_at is not None
    await transfers.transfer(world.platform, me, TransferCall(ref, "first", ABROAD))
    await world.settle()
    story = await calls.find(world.platform, me, FindCall(ref))
    assert not story.call.is_virtual
    for _ in range(2100):  # three credits a minute
        await world.wait(1)
    await world.chappe.switchboard.keep_caps()
    await world.settle()
    story = await calls.find(world.platform, me, FindCall(ref))
    assert story.call.state is CallState.OVER and story.call.price <= 105_000


async def test_a_line_whose_telephone_registers_is_reached_there_for_nothing(world: World) -> None:
    shop = await world.account()
    (line,) = await world.platform.store.queries.lines(shop.account.id)
    assert (await calling.way(world.platform, line.number)).carrier == "sandbox"
    world.platform.carriers.lines = "office"
    assert (await calling.way(world.platform, line.number)).carrier == "sandbox"  # it has no telephone yet
    await world.platform.store.commit(
        Changes(update=[Update(type(line), line.id, line.account_id, {"sip_user": "u1"})])
    )
    assert await calling.way(world.platform, line.number) == Way("office", 0, to_line=True)


async def test_a_batch_of_a_stolen_key_stops_at_twenty_calls_a_day(world: World, trunk: Trunk) -> None:
    """An announcement to thirty: ten a minute and twenty a day; the others wait for the next one."""
    _, me = await owner(world)
    trunk.answers = True
    numbers = tuple(f"336123456{n:02}" for n in range(30))
    command = SendAnnouncement(numbers, Speech("Bonjour"), on_machine=OnMachine.PLAY)
    ref = (await announcements.send(world.platform, me, command)).announcement.ref
    rung = []
    for _ in range(12):
        await world.settle()
        rung.append(len(trunk.legs))
        await hang_up_all(world)
        world.clock.move(seconds=20)
    assert (rung[0], sum(rung)) == (10, 20)
    world.clock.move(hours=16)  # it is another day, and the announcement goes on until nine
    await world.settle()
    assert len(trunk.legs) == 10
    await hang_up_all(world)
    world.clock.move(seconds=20)
    await world.settle()
    story = await announcements.find(world.platform, me, FindAnnouncement(ref))
    assert story.count.states == {RecipientState.REACHED: 30}
