"""Callbacks on virtual telephones: what is asked, who is rung, what becomes of it, what it costs."""

from chappe.model.callbacks import (
    CallbackForm,
    CallbackState,
    CallbackStory,
    CreateForm,
    FindCallback,
    RequestCallback,
)
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.commands import Caller, SetBehaviour
from chappe.model.ringgroups import NewOperator, PutRingGroup, RingOrder
from chappe.services import callbackforms, callbacks, ringgroups, sandbox
from chappe.services.accounts import NewAccount
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


async def a_shop(
    world: World,
    *operators: str,
    order: RingOrder = RingOrder.FIXED,
    ring_seconds: int = 20,
    credits: int = 200,
    **settings: object,
) -> Shop:
    new = await world.account(credits=credits)
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
    account = await world.platform.store.queries.account(shop.new.account.id)
    assert account is not None
    assert (account.balance, account.reserved) == (200_000 - story.request.price, 0)
