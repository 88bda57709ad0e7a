"""Two-leg calls on virtual telephones: what is written, told and charged."""

import asyncio
from datetime import timedelta

import pytest

from chappe.model.calls import CallOutcome, CallState, CallStory, HangUpCause, LegState
from chappe.model.commands import (
    FindCall,
    HangUpCall,
    ListCalls,
    PlaceCall,
    SetBehaviour,
    Subscribe,
    UseTelephone,
)
from chappe.model.errors import Fault, Refusal, Unavailable
from chappe.services import calls, sandbox, subscriptions, telephones
from chappe.services.accounts import NewAccount
from chappe.services.closing import close_abandoned
from chappe.services.switchboard import PATIENCE
from tests.platform import World, caller

A, B = "33639980001", "33639980002"


async def place(world: World, shop: NewAccount, **more: object) -> str:
    story = await calls.place(world.platform, caller(shop), PlaceCall(A, B, **more))
    await world.settle()
    return story.call.ref


async def found(world: World, shop: NewAccount, ref: str) -> CallStory:
    return await calls.find(world.platform, caller(shop), FindCall(ref))


async def held(world: World, shop: NewAccount) -> tuple[int, int]:
    """Balance, and what of it is reserved."""
    account = await world.platform.store.queries.account(shop.account.id)
    assert account is not None
    return account.balance, account.reserved


async def behave(world: World, shop: NewAccount, number: str, **how: object) -> None:
    await sandbox.set_behaviour(world.platform, caller(shop), SetBehaviour(number, how))


async def at_telephone(world: World, shop: NewAccount, number: str, what: str, keys: str = "") -> None:
    (leg, *_) = await world.platform.store.queries.legs_of_number(shop.account.id, number, 1)
    await telephones.use_telephone(world.platform, caller(shop), UseTelephone(number, leg.id, what, keys))
    await world.settle()


async def test_two_telephones_ring_speak_and_are_charged(world: World) -> None:
    shop = await world.account()
    await subscriptions.subscribe(world.platform, caller(shop), Subscribe("http://127.0.0.1/told", ("*",)))
    ref = await place(world, shop)
    story = await found(world, shop, ref)
    assert story.call.state is CallState.LIVE
    assert [(leg.number, leg.state) for leg in story.legs] == [(A, LegState.RINGING)]
    # An hour of two legs, and 45 seconds in which the second one rings and thinks.
    assert story.call.reserved == 121_500
    assert await held(world, shop) == (200_000, 121_500)

    await world.wait(5)
    await at_telephone(world, shop, A, "answer")
    assert [leg.state for leg in (await found(world, shop, ref)).legs] == [LegState.UP, LegState.RINGING]
    await world.wait(4)
    await at_telephone(world, shop, B, "answer")
    assert (await found(world, shop, ref)).call.joined_at == world.clock.at
    await world.wait(56)
    await at_telephone(world, shop, B, "hangup")

    story = await found(world, shop, ref)
    assert (story.call.state, story.call.outcome) == (CallState.OVER, CallOutcome.ANSWERED)
    # A minute costs a credit: 60 seconds at A's, 56 at B's.
    assert [leg.price for leg in story.legs] == [1000, 934]
    assert story.call.price == 1934
    assert await held(world, shop) == (200_000 - 1934, 0)
    assert [sent.body.split(b'"')[3].decode() for sent in world.web.sent] == [
        "call.started",
        "leg.ringing",
        "leg.answered",
        "leg.ringing",
        "leg.answered",
        "call.answered",
        "leg.ended",
        "leg.ended",
        "call.ended",
    ]


@pytest.mark.parametrize(
    ("how", "outcome", "cause"),
    [
        ("busy", CallOutcome.BUSY, HangUpCause.BUSY),
        ("no_answer", CallOutcome.NO_ANSWER, HangUpCause.NO_ANSWER),
        ("reject", CallOutcome.REFUSED, HangUpCause.REJECTED),
        ("unreachable", CallOutcome.UNREACHABLE, HangUpCause.UNREACHABLE),
    ],
)
@pytest.mark.parametrize("number", [A, B])
async def test_who_does_not_answer_ends_the_call(
    world: World, how: str, outcome: CallOutcome, cause: HangUpCause, number: str
) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer")
    await behave(world, shop, number, call=how)
    ref = await place(world, shop)
    await world.wait(31)
    story = await found(world, shop, ref)
    assert (story.call.state, story.call.outcome) == (CallState.OVER, outcome)
    assert next(leg for leg in story.legs if leg.number == number).cause is cause
    assert all(leg.state is LegState.DOWN for leg in story.legs)
    assert await world.balance(shop.account) == 200_000 - story.call.price
    assert story.call.price == sum(leg.price for leg in story.legs)


async def test_the_called_party_confirms_with_a_key(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer")
    await behave(world, shop, B, call="answer", keys="1", keys_after_ms=2000)
    ref = await place(world, shop, confirm=True)
    assert (await found(world, shop, ref)).call.joined_at is None
    await world.wait(2)
    assert (await found(world, shop, ref)).call.joined_at == world.clock.at


async def test_a_machine_presses_no_key_and_is_not_joined(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer")
    await behave(world, shop, B, call="machine")
    ref = await place(world, shop, confirm=True)
    await world.wait(16)
    story = await found(world, shop, ref)
    assert story.call.outcome is CallOutcome.NO_ANSWER
    assert [leg.cause for leg in story.legs] == [HangUpCause.NOT_CONFIRMED] * 2
    assert story.legs[1].machine


async def test_the_longest_talk_ends_a_call(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer")
    await behave(world, shop, B, call="answer")
    ref = await place(world, shop, longest=timedelta(seconds=90))
    await world.wait(91)
    story = await found(world, shop, ref)
    assert [leg.cause for leg in story.legs] == [HangUpCause.TIME_LIMIT] * 2
    assert story.call.price == 3000


async def test_a_call_is_cut_when_the_credits_are_used_up(world: World) -> None:
    shop = await world.account(credits=1)
    await behave(world, shop, A, call="answer")
    await behave(world, shop, B, call="answer")
    ref = await place(world, shop)
    await world.wait(31)
    story = await found(world, shop, ref)
    assert [leg.cause for leg in story.legs] == [HangUpCause.CREDIT] * 2
    assert (story.call.price, await world.balance(shop.account)) == (1000, 0)
    with pytest.raises(Refusal) as refused:
        await place(world, shop)
    assert refused.value.fault is Fault.INSUFFICIENT_CREDITS


async def test_its_owner_ends_a_call_and_nobody_else(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    ref = await place(world, shop)
    for command in (FindCall(ref), HangUpCall(ref)):
        run = calls.find if isinstance(command, FindCall) else calls.hang_up
        with pytest.raises(Refusal) as refused:
            await run(world.platform, caller(other), command)
        assert refused.value.fault is Fault.NOT_FOUND
    await calls.hang_up(world.platform, caller(shop), HangUpCall(ref))
    await world.settle()
    story = await found(world, shop, ref)
    assert (story.call.outcome, story.legs[0].cause) == (CallOutcome.CANCELLED, HangUpCause.CANCELLED)
    with pytest.raises(Refusal) as refused:
        await calls.hang_up(world.platform, caller(shop), HangUpCall(ref))
    assert refused.value.fault is Fault.TOO_LATE
    assert (await calls.list_calls(world.platform, caller(shop), ListCalls())).items == (story,)
    assert (await calls.list_calls(world.platform, caller(other), ListCalls())).items == ()


@pytest.mark.parametrize(
    ("first", "fault"),
    [
        ("112", Fault.DESTINATION_FORBIDDEN),
        ("17", Fault.DESTINATION_FORBIDDEN),
        ("08 99 12 34 56", Fault.DESTINATION_FORBIDDEN),
        ("+882 13 12345678", Fault.DESTINATION_FORBIDDEN),
        ("hello", Fault.INVALID_RECIPIENT),
    ],
)
async def test_numbers_that_are_never_called(world: World, first: str, fault: Fault) -> None:
    shop = await world.account()
    with pytest.raises(Refusal) as refused:
        await calls.place(world.platform, caller(shop), PlaceCall(first, B))
    assert refused.value.fault is fault
    assert await world.balance(shop.account) == 200_000


async def test_what_a_dead_process_left_open_ends_when_it_was_last_seen(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer")
    await behave(world, shop, B, call="answer")
    ref = await place(world, shop)
    world.clock.move(seconds=50)
    await world.chappe.switchboard.beat()
    world.clock.move(hours=1)
    platform = world.platform
    assert await close_abandoned(platform, platform.clock.now() - PATIENCE) == 1
    assert await close_abandoned(platform, platform.clock.now() - PATIENCE) == 0
    story = await found(world, shop, ref)
    assert [leg.cause for leg in story.legs] == [HangUpCause.INTERRUPTED] * 2
    assert story.call.outcome is CallOutcome.ANSWERED
    assert story.call.price == 2 * 834  # 50 seconds each
    assert await world.balance(shop.account) == 200_000 - story.call.price
    # A node that was only frozen wakes up: it hangs up, and changes nothing of what was written.
    await world.chappe.switchboard.beat()
    await world.settle()
    assert await found(world, shop, ref) == story
    assert world.chappe.switchboard.live_calls() == []


async def test_a_cap_of_the_day_bounds_what_calls_reserve_and_counts_what_they_cost(world: World) -> None:
    shop = await world.account()
    spender = caller(shop)._replace(daily_cap=3_000)
    await behave(world, shop, A, call="answer")
    await behave(world, shop, B, call="answer")
    story = await calls.place(world.platform, spender, PlaceCall(A, B))
    assert story.call.reserved == 3_000
    with pytest.raises(Refusal) as refused:
        await calls.place(world.platform, spender, PlaceCall(A, B))
    assert refused.value.fault is Fault.INSUFFICIENT_CREDITS
    await world.wait(60)
    await calls.hang_up(world.platform, spender, HangUpCall(story.call.ref))
    await world.settle()
    assert await world.platform.store.queries.spent(shop.account.id, "2026-03-02") == 2_000
    story = await calls.place(world.platform, spender, PlaceCall(A, B))
    assert story.call.reserved == 1_000


async def test_a_database_that_is_away_ends_a_call_and_leaves_no_ghost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await world.account()
    ref = await place(world, shop)
    board, store = world.chappe.switchboard, type(world.platform.store)

    async def away(self: object, changes: object) -> None:
        raise Unavailable("the database is away")

    def later(self: object, changes: object, *, soon: bool = False) -> "asyncio.Future[None]":
        return asyncio.ensure_future(away(self, changes))

    (leg, *_) = await world.platform.store.queries.legs_of_number(shop.account.id, A, 1)
    with monkeypatch.context() as broken:
        broken.setattr(store, "commit", away)
        broken.setattr(store, "later", later)
        use = UseTelephone(A, leg.id, "answer")
        await telephones.use_telephone(world.platform, caller(shop), use)
        await board.settle()
    assert board.live_calls() == []
    assert (await found(world, shop, ref)).call.state is CallState.LIVE
    world.clock.move(seconds=11)
    assert await close_abandoned(world.platform, world.clock.at - PATIENCE) == 1
    story = await found(world, shop, ref)
    assert (story.call.state, story.call.price) == (CallState.OVER, 0)
    assert await held(world, shop) == (200_000, 0)


async def test_a_server_that_stops_ends_its_calls(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer")
    await behave(world, shop, B, call="answer")
    ref = await place(world, shop)
    world.clock.move(seconds=60)
    await world.chappe.switchboard.stop()
    story = await found(world, shop, ref)
    assert [leg.cause for leg in story.legs] == [HangUpCause.INTERRUPTED] * 2
    assert (story.call.outcome, story.call.price) == (CallOutcome.ANSWERED, 2000)
    assert await held(world, shop) == (198_000, 0)
