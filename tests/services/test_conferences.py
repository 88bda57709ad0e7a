"""Conferences on virtual telephones: who comes in and how, what is written, told, held and charged."""

from chappe.model.calls import CallState, HangUpCause
from chappe.model.commands import Caller, SetBehaviour
from chappe.model.conferences import (
    AccessMode,
    ConferenceState,
    ConferenceStory,
    CreateConference,
    EndConference,
    FindConference,
    NewParticipant,
    ParticipantState,
)
from chappe.services import conferences, participants, sandbox
from chappe.services.accounts import NewAccount
from tests.platform import World, caller

A, B, C, D, E = (f"3363998000{n}" for n in range(1, 6))
CALL_IN = "33199000825"
IN, MISSED, LEFT = ParticipantState.IN, ParticipantState.MISSED, ParticipantState.LEFT


class Meeting:
    """A conference under test, and what is done to it."""

    def __init__(self, world: World, shop: NewAccount, ref: str) -> None:
        self.world, self.shop, self.ref = world, shop, ref

    @property
    def who(self) -> Caller:
        return caller(self.shop)

    async def story(self) -> ConferenceStory:
        return await participants.find(self.world.platform, self.who, FindConference(self.ref))

    async def states(self) -> dict[str, ParticipantState]:
        return {one.participant.number: one.state for one in (await self.story()).present}

    async def of(self, number: str) -> str:
        return next(
            one.participant.ref for one in (await self.story()).present if one.participant.number == number
        )

    async def causes(self) -> dict[str, HangUpCause | None]:
        return {
            one.participant.number: one.leg and one.leg.cause  # type: ignore[misc]
            for one in (await self.story()).present
        }


async def hold(world: World, shop: NewAccount, **asked: object) -> Meeting:
    command = CreateConference(**asked)  # type: ignore[arg-type]
    story = await conferences.create(world.platform, caller(shop), command)
    await world.settle()
    return Meeting(world, shop, story.conference.ref)


async def behave(world: World, shop: NewAccount, number: str, **how: object) -> None:
    await sandbox.set_behaviour(world.platform, caller(shop), SetBehaviour(number, how))


async def held(world: World, shop: NewAccount) -> tuple[int, int]:
    account = await world.platform.store.queries.account(shop.account.id)
    assert account is not None
    return account.balance, account.reserved


async def test_a_conference_rings_one_and_ends(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer", keys="#", keys_after_ms=3000)
    meeting = await hold(world, shop, access=AccessMode.NONE, participants=[NewParticipant(A, "Anne", True)])
    story = await meeting.story()
    assert story.conference.state is ConferenceState.OPEN
    assert (story.conference.number, story.conference.code) == ("", "")
    assert await meeting.states() == {A: ParticipantState.CALLED}
    assert await held(world, shop) == (200_000, 60_000)  # an hour at a credit a minute
    await world.wait(3)
    assert await meeting.states() == {A: IN}
    await world.wait(57)
    await conferences.end(world.platform, caller(shop), EndConference(meeting.ref))
    await world.settle()
    story = await meeting.story()
    assert story.conference.state is ConferenceState.OVER
    assert await meeting.states() == {A: LEFT}
    assert story.price == 1000
    assert await held(world, shop) == (199_000, 0)
    call = await world.platform.store.queries.call(shop.account.id, story.conference.call_id or 0)
    assert call is not None
    assert (call.state, call.price) == (CallState.OVER, 1000)
