"""Conferences on virtual telephones: who comes in and how, what is written, told, held and charged."""

from datetime import timedelta

import pytest

from chappe.carriers.sandbox.sounding import FRAME
from chappe.carriers.sandbox.voice import SandboxVoice
from chappe.media import pcm, tones, wav
from chappe.model.calls import CallState, HangUpCause
from chappe.model.commands import Caller, DialFromHandset, SetBehaviour, UseTelephone
from chappe.model.conferences import (
    AccessMode,
    AddParticipants,
    ConferenceState,
    ConferenceStory,
    CreateConference,
    EndConference,
    FindConference,
    ListConferences,
    LockConference,
    MuteParticipant,
    NewParticipant,
    ParticipantState,
    RecordConference,
    RemoveParticipant,
    RingParticipant,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import ListRecordings
from chappe.services import conferences, participants, recordings, sandbox, telephones
from chappe.services.accounts import NewAccount
from chappe.services.closing import close_abandoned
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


# --- who calls in


async def dial_in(world: World, shop: NewAccount, number: str, to: str = CALL_IN) -> int:
    """A telephone dials the call-in number; returns its leg's id."""
    call = await telephones.dial(world.platform, caller(shop), DialFromHandset(number, to))
    await world.settle()
    return call.leg.id


async def press(world: World, shop: NewAccount, number: str, leg_id: int, keys: str) -> None:
    command = UseTelephone(number, leg_id, "keys", keys)
    await telephones.use_telephone(world.platform, caller(shop), command)
    await world.settle()


def hears(world: World, leg_id: int) -> str:
    """The text that is spoken to a telephone at this moment."""
    moment = world.platform.live_calls.telephones.moment(leg_id)
    return getattr(moment and moment.hears, "text", "")


async def test_a_conference_of_five(world: World) -> None:
    """With code, recognised, rung with `#` and without; one muted, recorded, ended by its duration."""
    shop = await world.account()
    await behave(world, shop, D, call="answer", keys="#", keys_after_ms=2000)
    await behave(world, shop, E, call="answer")
    named = [
        NewParticipant(A, "Anne"),
        NewParticipant(D, "Denis", True),
        NewParticipant(E, "Eve", True, False),
    ]
    two_minutes = timedelta(minutes=2)
    meeting = await hold(
        world, shop, access=AccessMode.ROOM_AND_CALLER, duration=two_minutes, participants=named
    )
    began = world.clock.at
    conference = (await meeting.story()).conference
    assert (conference.number, len(conference.code)) == (CALL_IN, 6)
    assert await meeting.states() == {A: ParticipantState.EXPECTED, D: ParticipantState.CALLED, E: IN}
    await world.wait(2)
    assert (await meeting.states())[D] is IN

    anne = await dial_in(world, shop, A)
    assert (await meeting.states())[A] is IN
    bob = await dial_in(world, shop, B, "01 99 00 08 25")
    assert "code" in hears(world, bob)
    await press(world, shop, B, bob, conference.code)
    chris = await dial_in(world, shop, C)
    wrong = "000000" if conference.code != "000000" else "111111"
    await press(world, shop, C, chris, wrong)
    assert "de nouveau" in hears(world, chris)
    await press(world, shop, C, chris, conference.code[:3] + "*" + conference.code)
    assert await meeting.states() == dict.fromkeys((A, B, C, D, E), IN)

    who = caller(shop)
    mute = MuteParticipant(meeting.ref, await meeting.of(C), True)
    await participants.mute(world.platform, who, mute)
    await world.wait(50)
    await conferences.record(world.platform, who, RecordConference(meeting.ref, True))
    await world.settle()
    for number, leg_id, hertz in ((B, bob, 440), (C, chris, 1000)):
        microphone = await telephones.listen(world.platform, who, number, leg_id, lambda _: None)
        for frame in pcm.frames(tones.sine(hertz, 1)):
            microphone.say(frame)
            await world.wait(FRAME.total_seconds())
        if number == B:
            talking = {one.participant.number for one in (await meeting.story()).present if one.talking}
            assert talking == {B}
    await conferences.record(world.platform, who, RecordConference(meeting.ref, False))
    await world.wait(0.1)
    (recording,) = (await recordings.list_recordings(world.platform, who, ListRecordings())).items
    samples = wav.read(recordings.file_of(world.platform, recording.recording.ref))
    assert tones.strength(samples, 440) > 0.1 > 0.01 > tones.strength(samples, 1000)

    await world.wait(60 - (world.clock.at - began).total_seconds())
    assert "une minute" in hears(world, anne)
    await world.wait(60)
    story = await meeting.story()
    assert (story.conference.state, story.conference.over_at) == (ConferenceState.OVER, began + two_minutes)
    assert await meeting.states() == dict.fromkeys((A, B, C, D, E), LEFT)
    assert set((await meeting.causes()).values()) == {HangUpCause.TIME_LIMIT}
    # Those who were rung cost a credit a minute, from their answer; those who called in nothing.
    assert [one.leg.price for one in story.present if one.leg] == [0, 2000, 2000, 0, 0]
    assert await held(world, shop) == (196_000, 0)


async def test_what_cannot_be_held_is_refused(world: World) -> None:
    shop = await world.account()
    for asked, field in (
        ({"access": AccessMode.CALLER}, "participants"),
        ({"participants": [NewParticipant("112")]}, "participants[0]"),
        ({"duration": timedelta(seconds=59)}, "duration"),
        ({"duration": timedelta(hours=5)}, "duration"),
        ({"starts_at": world.clock.at + timedelta(days=367)}, "starts_at"),
    ):
        with pytest.raises(Refusal) as refused:
            await conferences.create(world.platform, caller(shop), CreateConference(**asked))  # type: ignore[arg-type]
        assert refused.value.field == field
    assert (await conferences.list_conferences(world.platform, caller(shop), ListConferences())).items == ()


async def test_a_planned_conference_begins_at_its_time(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, D, call="answer")
    at = world.clock.at + timedelta(hours=1)
    named = [NewParticipant(D, dials=True, confirms=False)]
    meeting = await hold(world, shop, starts_at=at, participants=named)
    conference = (await meeting.story()).conference
    assert conference.state is ConferenceState.PLANNED
    early = await dial_in(world, shop, B)
    await press(world, shop, B, early, conference.code)
    assert "pas encore" in hears(world, early)
    with pytest.raises(Refusal) as refused:
        who = RingParticipant(meeting.ref, await meeting.of(D))
        await participants.ring(world.platform, caller(shop), who)
    assert refused.value.fault is Fault.TOO_LATE
    world.clock.move(hours=1)
    await world.settle()
    assert (await meeting.story()).conference.state is ConferenceState.OPEN
    assert await meeting.states() == {D: IN}


async def test_a_planned_conference_is_called_off(world: World) -> None:
    shop = await world.account()
    meeting = await hold(world, shop, starts_at=world.clock.at + timedelta(hours=1))
    await conferences.end(world.platform, caller(shop), EndConference(meeting.ref))
    world.clock.move(hours=1)
    await world.settle()
    conference = (await meeting.story()).conference
    assert (conference.state, conference.call_id) == (ConferenceState.OVER, None)


async def test_three_wrong_codes_end_the_call(world: World) -> None:
    shop = await world.account()
    leg_id = await dial_in(world, shop, B)
    for _ in range(3):
        await press(world, shop, B, leg_id, "123456")
    assert "Au revoir" in hears(world, leg_id)
    await world.wait(20)
    (leg,) = await world.platform.store.queries.legs_of_number(shop.account.id, B, 9)
    assert leg.cause is HangUpCause.REJECTED


async def test_a_telephone_of_another_account_comes_in_by_neither_number_nor_code(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    meeting = await hold(world, shop, access=AccessMode.ROOM_AND_CALLER, participants=[NewParticipant(A)])
    code = (await meeting.story()).conference.code
    leg_id = await dial_in(world, other, A)
    assert "code" in hears(world, leg_id)
    await press(world, other, A, leg_id, code)
    assert await meeting.states() == {A: ParticipantState.EXPECTED}


async def test_a_locked_conference_lets_nobody_in(world: World) -> None:
    shop = await world.account()
    meeting = await hold(world, shop)
    conference = (await meeting.story()).conference
    await conferences.lock(world.platform, caller(shop), LockConference(meeting.ref, True))
    leg_id = await dial_in(world, shop, B)
    await press(world, shop, B, leg_id, conference.code)
    assert "verrouill" in hears(world, leg_id)
    with pytest.raises(Refusal) as refused:
        more = AddParticipants(meeting.ref, [NewParticipant(D, dials=True)])
        await participants.add(world.platform, caller(shop), more)
    assert refused.value.fault is Fault.TOO_LATE
    await conferences.lock(world.platform, caller(shop), LockConference(meeting.ref, False))
    again = await dial_in(world, shop, B)
    await press(world, shop, B, again, conference.code)
    assert (await meeting.states())[B] is IN


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ({"call": "busy"}, HangUpCause.BUSY),
        ({"call": "no_answer"}, HangUpCause.NO_ANSWER),
        ({"call": "machine"}, HangUpCause.NOT_CONFIRMED),
        ({"call": "answer"}, HangUpCause.NOT_CONFIRMED),
        ({"call": "answer", "keys": "1"}, HangUpCause.NOT_CONFIRMED),
    ],
)
async def test_who_does_not_come_is_missed_and_frees_what_was_held(
    world: World, how: dict[str, object], cause: HangUpCause
) -> None:
    shop = await world.account()
    await behave(world, shop, D, **how)
    meeting = await hold(world, shop, access=AccessMode.NONE, participants=[NewParticipant(D, dials=True)])
    await world.wait(31)
    story = await meeting.story()
    assert (await meeting.states(), await meeting.causes()) == ({D: MISSED}, {D: cause})
    assert story.conference.state is ConferenceState.OPEN
    assert await held(world, shop) == (200_000 - story.price, 0)
    # And he may be rung again.
    await behave(world, shop, D, call="answer", keys="#")
    who = RingParticipant(meeting.ref, await meeting.of(D))
    await participants.ring(world.platform, caller(shop), who)
    await world.settle()
    assert await meeting.states() == {D: IN}
    with pytest.raises(Refusal) as refused:
        await participants.ring(world.platform, caller(shop), who)
    assert refused.value.fault is Fault.TOO_LATE


async def test_who_is_rung_is_cut_when_what_pays_for_it_is_used_up(world: World) -> None:
    shop = await world.account(credits=61)
    for number in (D, E):
        await behave(world, shop, number, call="answer")
    named = [NewParticipant(number, dials=True, confirms=False) for number in (D, E, A)]
    meeting = await hold(world, shop, access=AccessMode.NONE, participants=named)
    # The first is paid for an hour, the second for the minute that is left, the third not at all.
    assert await meeting.states() == {D: IN, E: IN, A: MISSED}
    assert (await meeting.causes())[A] is HangUpCause.CREDIT
    assert await held(world, shop) == (61_000, 61_000)
    await world.wait(60)
    assert (await meeting.states(), (await meeting.causes())[E]) == (
        {D: IN, E: LEFT, A: MISSED},
        HangUpCause.CREDIT,
    )
    await world.wait(3600 - 60)
    assert await held(world, shop) == (0, 0)
    assert (await meeting.story()).price == 61_000


async def test_its_owner_sends_somebody_away_and_nobody_else_does(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    await behave(world, shop, D, call="answer")
    meeting = await hold(
        world, shop, access=AccessMode.NONE, participants=[NewParticipant(D, dials=True, confirms=False)]
    )
    ref = await meeting.of(D)
    for run, command in (
        (participants.find, FindConference(meeting.ref)),
        (participants.remove, RemoveParticipant(meeting.ref, ref)),
        (participants.mute, MuteParticipant(meeting.ref, ref, True)),
        (participants.ring, RingParticipant(meeting.ref, ref)),
        (participants.add, AddParticipants(meeting.ref, [NewParticipant(A)])),
        (conferences.lock, LockConference(meeting.ref, True)),
        (conferences.record, RecordConference(meeting.ref, True)),
        (conferences.end, EndConference(meeting.ref)),
    ):
        with pytest.raises(Refusal) as refused:
            await run(world.platform, caller(other), command)  # type: ignore[operator]
        assert refused.value.fault is Fault.NOT_FOUND
    assert await meeting.states() == {D: IN}
    await participants.remove(world.platform, caller(shop), RemoveParticipant(meeting.ref, ref))
    await world.settle()
    assert (await meeting.states(), await meeting.causes()) == ({D: LEFT}, {D: HangUpCause.NORMAL})


async def test_a_conference_whose_node_died_is_over_and_charged_once(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, D, call="answer")
    meeting = await hold(
        world, shop, access=AccessMode.NONE, participants=[NewParticipant(D, dials=True, confirms=False)]
    )
    await world.wait(60)
    await world.chappe.switchboard.beat()
    dead = world.chappe.switchboard._index.calls.copy()
    for live in dead.values():
        assert live.task is not None
        live.task.cancel()
    await close_abandoned(world.platform, world.clock.at + timedelta(seconds=1))
    story = await meeting.story()
    assert story.conference.state is ConferenceState.OVER
    assert (await meeting.states(), await meeting.causes()) == ({D: LEFT}, {D: HangUpCause.INTERRUPTED})
    assert await held(world, shop) == (199_000, 0)
    assert await close_abandoned(world.platform, world.clock.at + timedelta(seconds=1)) == 0


async def test_who_comes_over_another_network_is_told_so(world: World) -> None:
    """Their legs could not be joined: they would be in the conference, and hear nobody."""
    shop = await world.account()
    meeting = await hold(world, shop)
    code = (await meeting.story()).conference.code
    bob = await dial_in(world, shop, B)
    await press(world, shop, B, bob, code)
    elsewhere = SandboxVoice(world.platform, world.chappe.switchboard, world.timers.later)
    elsewhere.name = "elsewhere"
    world.chappe.switchboard.connect(elsewhere)
    leg_id, _ = await elsewhere.call(shop.account.id, C, CALL_IN)
    await world.settle()
    elsewhere.press(leg_id, code)
    await world.settle()
    moment = elsewhere.moment(leg_id)
    assert moment is not None and "autre réseau" in getattr(moment.hears, "text", "")
    assert await meeting.states() == {B: IN}
