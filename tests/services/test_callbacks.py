"""Callbacks on virtual telephones: what is asked, who is rung, what becomes of it, what it costs."""

from datetime import timedelta

import msgspec
import pytest

from chappe.model.callbacks import (
    BlockAddress,
    CallbackForm,
    CallbackState,
    CallbackStory,
    CancelCallback,
    ChangeForm,
    CreateForm,
    FindCallback,
    FindForm,
    FirstRung,
    ListCallbacks,
    RemoveForm,
    RequestCallback,
)
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.changes import Changes, JobResult
from chappe.model.commands import BlockNumber, Caller, SetBehaviour, Subscribe
from chappe.model.errors import Fault, Refusal
from chappe.model.jobs import CLAIM, JobState
from chappe.model.openinghours import CreateHours
from chappe.model.ringgroups import NewOperator, PutRingGroup, RingOrder
from chappe.services import (
    callbackforms,
    callbacknotices,
    callbacks,
    inbox,
    openinghours,
    ringgroups,
    sandbox,
    subscriptions,
)
from chappe.services.accounts import NewAccount
from chappe.services.closing import close_abandoned
from tests.platform import World, caller

VISITOR = "33639980100"
ANNE, BOB, CLEO = "33639980001", "33639980002", "33639980003"


class Shop:
    """An account with a ring group and a callback form, and what is done to it."""

    def __init__(self, world: World, new: NewAccount, form: CallbackForm) -> None:
        self.world, self.new, self.form = world, new, form

    @property
    def who(self) -> Caller:
        return caller(self.new)

    async def behave(self, number: str, **how: object) -> None:
        await sandbox.set_behaviour(self.world.platform, self.who, SetBehaviour(number, how))

    async def ask(self, visitor: str = VISITOR, **more: object) -> CallbackStory:
        command = RequestCallback(str(self.form.number), visitor, **more)  # type: ignore[arg-type]
        return await callbacks.request(self.world.platform, self.who, command)

    async def change(self, **settings: object) -> None:
        await callbackforms.change(self.world.platform, self.who, ChangeForm(str(self.form.number), settings))

    async def story(self, number: int = 1) -> CallbackStory:
        return await callbacks.find(self.world.platform, self.who, FindCallback(str(number)))

    async def run(self, seconds: float = 60) -> None:
        """Jobs that are due now begin, and then time passes for calls."""
        await self.world.settle()
        await self.world.wait(seconds)
        await self.world.settle()

    async def causes(self, number: int = 1) -> dict[str, HangUpCause | None]:
        story = await self.story(number)
        assert story.call is not None
        return {leg.number: leg.cause for leg in story.call.legs}


async def held(shop: Shop) -> tuple[int, int]:
    account = await shop.world.platform.store.queries.account(shop.new.account.id)
    assert account is not None
    return account.balance, account.reserved


async def a_shop(
    world: World,
    *operators: str,
    name_of_account: str = "shop",
    order: RingOrder = RingOrder.FIXED,
    ring_seconds: int = 20,
    credits: int = 200,
    **settings: object,
) -> Shop:
    new = await world.account(name_of_account, credits)
    named = [NewOperator(one, ring_seconds) for one in operators or (ANNE, BOB)]
    await ringgroups.put(world.platform, caller(new), PutRingGroup("sales", order, named))
    command = CreateForm("Shop", {"open_group": "sales", **settings})
    return Shop(world, new, await callbackforms.create(world.platform, caller(new), command))


async def test_the_operator_is_rung_then_the_visitor_and_they_speak(world: World) -> None:
    shop = await a_shop(world)
    await shop.behave(ANNE, call="answer", answer_after_ms=2000)
    await shop.behave(VISITOR, call="answer", answer_after_ms=3000, hang_up_after_ms=60_000)
    asked = await shop.ask(name="Jade", labels=["RXF46"])
    assert (asked.request.number, asked.request.state) == (1, CallbackState.WAITING)
    assert asked.request.destination == "FR_Mobile"
    await shop.run(120)
    story = await shop.story()
    assert story.request.state is CallbackState.DONE
    assert story.request.operator == ANNE
    assert story.call is not None
    assert story.call.call.outcome is CallOutcome.ANSWERED
    assert await shop.causes() == {ANNE: HangUpCause.NORMAL, VISITOR: HangUpCause.NORMAL}
    assert story.request.price == story.call.call.price > 0
    assert await held(shop) == (200_000 - story.request.price, 0)


# --- who is rung


async def test_each_operator_rings_its_own_seconds_and_nobody_is_free(world: World) -> None:
    shop = await a_shop(world, ANNE, BOB, CLEO, ring_seconds=7)
    await shop.behave(BOB, call="reject")
    await shop.ask()
    await shop.run()
    story = await shop.story()
    assert (story.request.state, story.request.cause) == (CallbackState.MISSED, "no_answer")
    assert story.call is not None
    rung = {leg.number: leg for leg in story.call.legs}
    assert list(rung) == [ANNE, BOB, CLEO]  # and the visitor was left in peace
    assert rung[ANNE].ended_at is not None
    assert (rung[ANNE].ended_at - rung[ANNE].created_at).total_seconds() == 7
    assert rung[BOB].cause is HangUpCause.REJECTED
    assert await held(shop) == (200_000, 0)


async def test_the_visitor_first_and_an_operator_who_talks_is_passed_over(world: World) -> None:
    shop = await a_shop(world, first_rung=FirstRung.VISITOR)
    for number in (ANNE, BOB, VISITOR, "33639980101"):
        await shop.behave(number, call="answer")
    await shop.ask()
    await shop.run(30)
    await shop.ask("33639980101")
    await shop.run(30)
    first, second = await shop.story(1), await shop.story(2)
    assert first.call is not None and second.call is not None
    assert [leg.number for leg in first.call.legs] == [VISITOR, ANNE]
    assert [leg.number for leg in second.call.legs] == ["33639980101", BOB]
    assert second.call.call.joined_at is not None


async def test_whoever_shares_the_visitors_number_is_not_rung(world: World) -> None:
    shop = await a_shop(world, VISITOR, BOB)
    await shop.ask()
    await shop.run(1)
    assert list(await shop.causes()) == [BOB]


async def test_operators_take_turns(world: World) -> None:
    shop = await a_shop(world, ANNE, BOB, CLEO, order=RingOrder.ROUND_ROBIN)
    for number in (ANNE, BOB, CLEO, VISITOR):
        await shop.behave(number, call="answer", hang_up_after_ms=5000)
    for _ in range(6):
        await shop.ask()
        await shop.run(100)
    spoke = [(await shop.story(number)).request.operator for number in range(1, 7)]
    assert spoke == [ANNE, BOB, CLEO] * 2


async def test_closed_hours_ring_the_closed_group_or_the_answerphone(world: World) -> None:
    shop = await a_shop(world, mailbox="shop@example.com")
    never = CreateHours("shop", spans=())
    await openinghours.create(world.platform, shop.who, never)
    await shop.change(hours="shop")
    await shop.behave(VISITOR, call="answer", say="please call me back " * 40, hang_up_after_ms=40_000)
    await shop.ask(tries=3)
    await shop.run(90)
    story = await shop.story()
    assert story.request.state is CallbackState.LEFT_MESSAGE
    assert [leg.number for leg in story.call.legs] == [VISITOR]  # type: ignore[union-attr]
    [mail] = world.mailer.sent
    assert mail.to == "shop@example.com"
    assert mail.subject == f"Message: {VISITOR} > Shop"
    assert len(mail.attachments) == 1
    await ringgroups.put(world.platform, shop.who, PutRingGroup("night", None, [NewOperator(CLEO)]))
    await shop.change(closed_group="night")
    await shop.ask()
    await shop.run(1)
    assert list(await shop.causes(2)) == [CLEO]


async def test_closed_without_anything_is_missed(world: World) -> None:
    shop = await a_shop(world)
    await openinghours.create(world.platform, shop.who, CreateHours("shop", spans=()))
    await shop.change(hours="shop")
    await shop.ask(tries=3)
    await shop.run(1)
    story = await shop.story()
    assert (story.request.state, story.request.cause, story.call) == (CallbackState.MISSED, "closed", None)


# --- tries


async def test_it_is_tried_again_where_the_visitor_was_not_reached(world: World) -> None:
    shop = await a_shop(world)
    await shop.behave(ANNE, call="answer")
    await shop.behave(VISITOR, call="busy")
    await shop.ask(tries=3, retry=timedelta(seconds=60))
    await shop.run(20)
    story = await shop.story()
    assert (story.request.state, story.request.attempt, story.request.cause) == (
        CallbackState.WAITING,
        1,
        "busy",
    )
    await shop.run(59)  # its pause is not over when the jobs are looked at
    await shop.behave(VISITOR, call="answer", hang_up_after_ms=3000)
    await shop.run(60)
    story = await shop.story()
    assert (story.request.state, story.request.attempt) == (CallbackState.DONE, 2)
    assert story.request.price > 0
    assert story.request.waited_seconds >= 60


@pytest.mark.parametrize("call", ["reject", "hang_up"])
async def test_who_declines_is_left_alone(world: World, call: str) -> None:
    shop = await a_shop(world, first_rung=FirstRung.VISITOR)
    if call == "reject":
        await shop.behave(VISITOR, call="reject")
    else:
        await shop.behave(VISITOR, call="answer", hang_up_after_ms=10_000)
    await shop.ask(tries=9)
    await shop.run(60)
    story = await shop.story()
    assert (story.request.state, story.request.attempt) == (CallbackState.MISSED, 1)


async def test_called_off_while_it_waits_and_not_afterwards(world: World) -> None:
    shop = await a_shop(world)
    await shop.ask(delay=timedelta(minutes=5))
    await shop.run(10)
    cancelled = await callbacks.cancel(world.platform, shop.who, CancelCallback("1", "1"))
    assert cancelled.request.state is CallbackState.CANCELLED
    with pytest.raises(Refusal) as refused:
        await callbacks.cancel(world.platform, shop.who, CancelCallback("1"))
    assert refused.value.fault is Fault.TOO_LATE
    await shop.ask("33639980101")
    await shop.run(1)
    with pytest.raises(Refusal) as refused:
        await callbacks.cancel(world.platform, shop.who, CancelCallback("2"))
    assert refused.value.fault is Fault.TOO_LATE
    await shop.run(600)
    assert (await shop.story(1)).call is None


async def test_a_removed_form_calls_off_what_waits(world: World) -> None:
    shop = await a_shop(world)
    await shop.ask(delay=timedelta(minutes=5))
    await callbackforms.remove(world.platform, shop.who, RemoveForm("1"))
    assert (await shop.story()).request.state is CallbackState.CANCELLED
    with pytest.raises(Refusal) as refused:
        await shop.ask("33639980101")
    assert refused.value.fault is Fault.NOT_FOUND


# --- what is not taken


async def refused(shop: Shop, visitor: str = VISITOR, **more: object) -> Fault:
    with pytest.raises(Refusal) as found:
        await shop.ask(visitor, **more)
    return found.value.fault


async def test_numbers_that_are_not_called(world: World) -> None:
    shop = await a_shop(world)
    assert await refused(shop, "112") is Fault.DESTINATION_FORBIDDEN
    assert await refused(shop, "0892123456") is Fault.DESTINATION_FORBIDDEN
    assert await refused(shop, "0800123456") is Fault.DESTINATION_FORBIDDEN
    assert await refused(shop, "nobody") is Fault.INVALID_RECIPIENT
    await shop.change(allowed=["FR_Mobile"])
    assert await refused(shop, "0170200258") is Fault.DESTINATION_FORBIDDEN
    await inbox.block_number(world.platform, shop.who, BlockNumber(VISITOR))
    assert await refused(shop) is Fault.BLACKLISTED
    assert (await callbacks.list_callbacks(world.platform, shop.who, ListCallbacks())).items == ()


async def test_addresses_and_budgets(world: World) -> None:
    shop = await a_shop(world, per_address=2, per_hour=4)
    visitors = [f"3363998020{n}" for n in range(10)]
    later = {"delay": timedelta(hours=5)}
    assert await refused(shop, address="nowhere") is Fault.INVALID_PARAMETER
    await callbacks.block_address(world.platform, shop.who, BlockAddress("192.0.2.64/26"))
    assert await refused(shop, address="::ffff:192.0.2.65") is Fault.BLACKLISTED
    await shop.ask(visitors[0], address="2001:db8::1", **later)
    await shop.ask(visitors[1], address="2001:db8::2", **later)
    assert await refused(shop, visitors[2], address="2001:db8::3") is Fault.RATE_LIMITED
    await shop.ask(visitors[2], address="2001:db8:0:1::3", **later)
    await shop.ask(visitors[3], **later)
    assert await refused(shop, visitors[4]) is Fault.RATE_LIMITED
    world.clock.move(minutes=61)
    await shop.ask(visitors[4], address="2001:db8::3", **later)
    other = await a_shop(world, name_of_account="other")
    await other.ask(visitors[4], address="192.0.2.65")  # another account's blocks and budgets are its own


async def test_the_same_number_within_a_minute_is_one_request(world: World) -> None:
    shop = await a_shop(world)
    first = await shop.ask(delay=timedelta(minutes=5))
    again = await shop.ask("+33 6 39 98 01 00")
    assert (again.replayed, again.request.id) == (True, first.request.id)
    world.clock.move(seconds=61)
    assert not (await shop.ask()).replayed


async def test_no_credit_no_request(world: World) -> None:
    shop = await a_shop(world, credits=0)
    assert await refused(shop) is Fault.INSUFFICIENT_CREDITS


async def test_what_is_asked_too_much(world: World) -> None:
    shop = await a_shop(world)
    assert await refused(shop, delay=timedelta(days=31)) is Fault.INVALID_PARAMETER
    assert await refused(shop, tries=11) is Fault.INVALID_PARAMETER
    assert await refused(shop, labels=["a" * 33]) is Fault.INVALID_PARAMETER
    assert await refused(shop, longest=timedelta(hours=3)) is Fault.INVALID_PARAMETER


async def test_forms_say_what_is_wrong(world: World) -> None:
    shop = await a_shop(world)
    for setting, value in (
        ("open_group", "nobody"),
        ("hours", "never"),
        ("zone", "Europe/Nowhere"),
        ("language", "de"),
        ("operator_seconds", 4),
        ("mailbox", "no mail"),
        ("allowed", ["XX_Mobile"]),
        ("labels", ["a" * 33]),
        ("shown_to_visitor", "33123456789"),
        ("colour", "red"),
    ):
        with pytest.raises(Refusal) as found:
            await shop.change(**{setting: value})
        assert found.value.field in (setting, "destinations"), setting
    await shop.change(labels=["Order", None, "Size"])
    await shop.change(labels=[None, "Colour", None])
    form = await callbackforms.find(world.platform, shop.who, FindForm("1"))
    assert form.labels == ("Order", "Colour", "Size")


# --- who is told


async def test_subscriptions_are_told_in_order(world: World) -> None:
    shop = await a_shop(world)
    await subscriptions.subscribe(
        world.platform, shop.who, Subscribe("https://example.com/hook", ("callback.requested", "*"))
    )
    for number in (ANNE, VISITOR):
        await shop.behave(number, call="answer", hang_up_after_ms=60_000)
    await shop.ask()
    await shop.run(200)
    told = [msgspec.json.decode(one.body) for one in world.web.sent]
    of_callback = [(one["type"], one["data"]["state"]) for one in told if one["type"].startswith("callback.")]
    assert of_callback == [
        ("callback.requested", "waiting"),
        ("callback.started", "calling"),
        ("callback.answered", "calling"),
        ("callback.ended", "done"),
    ]


async def test_what_happens_later_is_not_told_before_what_was_told_in_vain(world: World) -> None:
    shop = await a_shop(world)
    await subscriptions.subscribe(world.platform, shop.who, Subscribe("https://example.com/hook", ("*",)))
    for number in (ANNE, VISITOR):
        await shop.behave(number, call="answer", hang_up_after_ms=60_000)
    await shop.ask()
    await world.settle()
    await world.wait(200)  # nobody is told meanwhile
    now = world.platform.clock.now()
    for event in ("callback.answered", "callback.ended"):
        claimed = await world.platform.store.claim_jobs(now, now + CLAIM, 100)
        told = [job for job in claimed if job.kind == callbacknotices.DELIVER]
        assert [job.payload["event"] for job in told] == [event]
        done = [JobResult(job.id, job.attempts, JobState.DONE, "", None, now) for job in claimed]
        await world.platform.store.commit(Changes(finish=done))


# --- after a crash


async def test_a_callback_whose_node_is_gone_is_tried_again_or_over(world: World) -> None:
    shop = await a_shop(world)
    for number in (ANNE, VISITOR):
        await shop.behave(number, call="answer")
    await shop.ask(tries=2, retry=timedelta(seconds=30))
    await shop.ask("33639980101")
    await shop.run(1)
    world.clock.move(seconds=60)
    before = world.platform.clock.now() - timedelta(seconds=10)
    assert await close_abandoned(world.platform, before) == 2
    first, second = await shop.story(1), await shop.story(2)
    assert (first.request.state, first.request.attempt) == (CallbackState.WAITING, 1)
    assert second.request.state is CallbackState.FAILED
    assert await held(shop) == (200_000 - first.request.price - second.request.price, 0)
