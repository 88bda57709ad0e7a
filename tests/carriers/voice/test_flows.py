"""Whole calls over a carrier, with real telephones at their ends: a conference of five, and what lines do."""

import asyncio
from datetime import timedelta

import pytest

from chappe.media import tones, wav
from chappe.model.calls import CallOutcome, HangUpCause, LegState
from chappe.model.commands import PickUpCall, TransferCall
from chappe.model.conferences import (
    AccessMode,
    ConferenceState,
    CreateConference,
    FindConference,
    MuteParticipant,
    NewParticipant,
    ParticipantState,
    RecordConference,
)
from chappe.model.directory import ANSWERPHONE
from chappe.model.recordings import ListRecordings
from chappe.services import conferences, participants, recordings, transfers
from tests.carriers.voice.house import PROMPT, TONES, House
from tests.peers.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL_IN = "33199000825"
IN = ParticipantState.IN


async def test_a_conference_of_five(house: House) -> None:
    """With code, recognised, rung with `#` and without; one muted, recorded, ended by its duration."""
    platform, who = house.world.platform, house.who
    anne, bob, chris, denis, eve = house.telephones
    named = [
        NewParticipant(anne.number, "Anne"),
        NewParticipant(denis.number, "Denis", True),
        NewParticipant(eve.number, "Eve", True, False),
    ]
    command = CreateConference(AccessMode.ROOM_AND_CALLER, duration=timedelta(minutes=2), participants=named)
    conference = (await conferences.create(platform, who, command)).conference

    async def states() -> dict[str, ParticipantState]:
        story = await participants.find(platform, who, FindConference(conference.ref))
        return {one.participant.number: one.state for one in story.present}

    async def is_in(*numbers: str) -> bool:
        there = await states()
        return {one for one in numbers if there.get(one) is IN} == set(numbers)

    await asyncio.gather(denis.rings(), eve.rings())
    await denis.answer()
    await denis.hears(PROMPT)
    await denis.press("#")
    await eve.answer()
    await anne.dial(CALL_IN)
    await bob.dial(CALL_IN)
    await chris.dial(CALL_IN)
    await asyncio.gather(bob.hears(PROMPT), chris.hears(PROMPT))
    await bob.press(conference.code)
    wrong = "000000" if conference.code != "000000" else "111111"
    await chris.press(wrong)
    await chris.press(conference.code[:3] + "*" + conference.code)
    await eventually(lambda: is_in(*(one.number for one in house.telephones)))
    await asyncio.gather(*(anne.hears(one) for one in TONES[1:]), *(eve.hears(one) for one in TONES[:4]))

    story = await participants.find(platform, who, FindConference(conference.ref))
    muted = next(one.participant.ref for one in story.present if one.participant.number == chris.number)
    await participants.mute(platform, who, MuteParticipant(conference.ref, muted, True))
    await house.world.chappe.switchboard.settle()
    await anne.heard(0.5)
    await conferences.record(platform, who, RecordConference(conference.ref, True))
    heard = await anne.heard(1.5)
    assert all(tones.strength(heard, hertz) > 0.1 for hertz in (TONES[1], TONES[3], TONES[4]))
    assert tones.strength(heard, TONES[2]) < 0.01
    await conferences.record(platform, who, RecordConference(conference.ref, False))
    await eventually(lambda: house.far.told.recordings)
    await house.world.chappe.switchboard.settle()
    (recording,) = (await recordings.list_recordings(platform, who, ListRecordings())).items
    sound = wav.read(recordings.file_of(platform, recording.recording.ref))
    assert [tones.strength(sound, hertz) > 0.05 for hertz in TONES] == [True, True, False, True, True]
    assert tones.strength(sound, TONES[2]) < 0.01

    await house.world.wait(60)
    await anne.hears(PROMPT)  # one minute is left
    await house.world.wait(60)
    await asyncio.gather(*(one.stops() for one in house.telephones))

    async def is_over() -> bool:
        found = (await participants.find(platform, who, FindConference(conference.ref))).conference
        return found.state is ConferenceState.OVER

    await eventually(is_over)
    story = await participants.find(platform, who, FindConference(conference.ref))
    assert {one.leg and one.leg.cause for one in story.present} == {HangUpCause.TIME_LIMIT}


async def test_a_call_that_nobody_answers_is_forwarded(house: House) -> None:
    anne, bob, chris, *_ = house.telephones
    await house.forward(bob, no_answer=chris.number, no_answer_after=1)
    await anne.dial(bob.number)
    assert (await bob.rings()).lstrip("+") == anne.number
    story = await house.live()
    await bob.stops()
    assert (await chris.rings()).lstrip("+") == bob.number  # who forwards is shown
    await chris.answer()
    await asyncio.gather(anne.hears(TONES[2]), chris.hears(TONES[0]))
    await anne.hang_up()
    await chris.stops()
    over = await house.over(story, CallOutcome.ANSWERED)
    causes = {leg.name: leg.cause for leg in over.legs}
    assert causes["called"] is HangUpCause.NO_ANSWER
    assert (causes["caller"], causes["forwarded"]) == (HangUpCause.NORMAL, HangUpCause.NORMAL)


async def test_an_answerphone_takes_a_message_that_is_mailed(house: House) -> None:
    anne, bob, *_ = house.telephones
    await house.forward(bob, no_answer=ANSWERPHONE, no_answer_after=1)
    await anne.dial(bob.number)
    story = await house.live()
    await bob.rings()
    await bob.stops()
    await anne.hears(PROMPT)
    await anne.hears(1000)  # the tone after which it records
    await anne.heard(1.5)
    await anne.press("#")
    await anne.stops()
    await house.over(story, CallOutcome.MACHINE)
    await house.world.chappe.settle()
    (mail,) = house.world.mailer.sent
    assert mail.to == house.shop.account.email
    sound = wav.decode(mail.attachments[0].content).samples
    assert tones.strength(sound, TONES[0]) > 0.5


async def test_a_partner_is_given_away_blind(house: House) -> None:
    anne, bob, chris, *_ = house.telephones
    story = await house.speak()
    await transfers.transfer(
        house.world.platform, house.who, TransferCall(story.call.ref, "called", chris.number)
    )
    await bob.stops()
    await anne.hears(440)
    await chris.rings()
    await chris.answer()
    await asyncio.gather(anne.hears(TONES[2]), chris.hears(TONES[0]))
    await chris.hang_up()
    await anne.stops()
    over = await house.over(story, CallOutcome.ANSWERED)
    assert {leg.name: leg.cause for leg in over.legs} == {
        "caller": HangUpCause.NORMAL,
        "called": HangUpCause.TRANSFERRED,
        "third-1": HangUpCause.NORMAL,
    }


async def test_a_partner_is_given_away_after_a_word(house: House) -> None:
    anne, bob, chris, *_ = house.telephones
    story = await house.speak()
    command = TransferCall(story.call.ref, "called", chris.number, attended=True)
    await transfers.transfer(house.world.platform, house.who, command)
    await chris.rings()
    await chris.answer()
    await asyncio.gather(bob.hears(TONES[2]), chris.hears(TONES[1]))
    heard = await anne.heard(1)  # who waits
    assert tones.strength(heard, TONES[1]) < 0.01 > tones.strength(heard, TONES[2])
    await bob.hang_up()
    await asyncio.gather(anne.hears(TONES[2]), chris.hears(TONES[0]))
    await anne.hang_up()
    await chris.stops()
    await house.over(story, CallOutcome.ANSWERED)


@pytest.mark.parametrize("by_code", [True, False])
async def test_a_call_that_rings_elsewhere_is_picked_up(house: House, by_code: bool) -> None:
    """By dialling the code before the line that rings, or as asked over REST."""
    anne, bob, chris, *_ = house.telephones
    await anne.dial(bob.number)
    await bob.rings()
    story = await house.live()
    await house.leg("called", state=LegState.RINGING)
    if by_code:
        await chris.dial(f"*8{bob.number}")
    else:
        command = PickUpCall(story.call.ref, chris.number)
        await transfers.pick_up(house.world.platform, house.who, command)
        await chris.rings()
        await chris.answer()
    await bob.stops()
    await asyncio.gather(anne.hears(TONES[2]), chris.hears(TONES[0]))
    await anne.hang_up()
    await chris.stops()
    over = await house.over(story, CallOutcome.ANSWERED)
    assert {leg.cause for leg in over.legs if leg.name == "called"} == {HangUpCause.ANSWERED_ELSEWHERE}
