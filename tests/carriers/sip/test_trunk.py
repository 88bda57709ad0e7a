"""A trunk that sipp plays, both ways; telephones of either law; machines that answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chappe.media import tones, wav
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.model.sounds import Tone
from chappe.services.ports import RecordWanted
from tests.carriers.voice.far import called, leg_to
from tests.carriers.voice.sip import SipFar, far_side
from tests.peers import sipp
from tests.platform import World


@pytest_asyncio.fixture
async def far(sandbox_world: World, tmp_path: Path) -> AsyncIterator[SipFar]:
    async with far_side(sandbox_world, tmp_path) as side:
        yield side


async def echoes(far: SipFar, leg_id: int) -> None:
    """What is played to the network comes back from it, and is recorded by its content."""
    await far.carrier.record(31, RecordWanted(leg_id, 7, 60))
    await far.carrier.play(leg_id, Tone.RINGBACK)
    await asyncio.sleep(2)  # of sound
    await far.carrier.stop_record(31)
    recorded = await far.told.recording(31)
    sound = wav.read(Path(recorded.path))
    assert recorded.seconds > 1
    assert tones.strength(sound, 440) > 0.3


async def test_the_network_answers_and_echoes(far: SipFar) -> None:
    async with sipp.answering(far.folder, far.trunk_port):
        leg = leg_to(far, "33145678901")
        await far.carrier.dial(leg, 30)
        await far.told.event(leg, LegEventKind.RINGING)
        await far.told.event(leg, LegEventKind.ANSWERED)
        await echoes(far, leg.id)
        await far.carrier.hang_up(leg.id, HangUpCause.NORMAL)
        assert (await far.told.event(leg, LegEventKind.ENDED)).cause is HangUpCause.NORMAL


async def test_the_network_calls(far: SipFar) -> None:
    async with sipp.calling(far.folder, far.trunk_port, far.port, "33123456789"):
        arrival = await far.told.until(lambda: next(iter(far.told.arrivals), None))
        assert (arrival.dialled, arrival.line, arrival.caller) == ("33123456789", "", "")
        await far.carrier.alert(arrival.leg_id)
        await far.carrier.answer(arrival.leg_id)
        await far.told.event(arrival.leg_id, LegEventKind.ANSWERED)
        await echoes(far, arrival.leg_id)
        assert (await far.told.event(arrival.leg_id, LegEventKind.ENDED)).cause is HangUpCause.NORMAL


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_telephones_of_both_laws_are_heard_and_hear(far: SipFar, codec: str) -> None:
    telephone = await far.telephone(1300, codec=codec)
    leg = await called(far, telephone)
    await far.carrier.record(32, RecordWanted(leg.id, 7, 1))
    await far.carrier.play(leg.id, Tone.BUSY)
    heard = await telephone.heard(1)
    assert tones.strength(heard, 440) > 0.3
    assert tones.strength(wav.read(Path((await far.told.recording(32)).path)), 1300) > 0.8


async def test_a_machine_is_told_from_a_person(far: SipFar) -> None:
    talks, greets = await far.telephone(500), await far.telephone()
    legs = []
    for telephone in (talks, greets):
        legs.append(leg := leg_to(far, telephone.number))
        await far.carrier.dial(leg, 30, judges=True)
        await telephone.rings()
        await telephone.answer()
    judged = [await far.told.event(leg, LegEventKind.JUDGED) for leg in legs]
    assert judged[0].machine  # it talks on and on
