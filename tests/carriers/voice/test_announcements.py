"""Announcements over a carrier to real telephones: a person hears the message, an answering machine has it
after its tone; a text that is really spoken arrives as it was said."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chappe.host.speech import SpeechMaker
from chappe.media import pcm, tones
from chappe.model.announcements import (
    AnnouncementState,
    FindAnnouncement,
    OnMachine,
    OnPerson,
    Reason,
    Recipient,
    RecipientState,
    SendAnnouncement,
)
from chappe.model.calls import LegEventKind
from chappe.model.sounds import Speech, Tone
from chappe.services import announcements
from tests.carriers.voice.house import PROMPT, House
from tests.carriers.voice.sip import SipTelephone
from tests.peers.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

MESSAGE = Speech("x" * 100)
SECONDS = 2.0
"""Hummed at PROMPT hertz for so long (tests/platform.py, HummingSpeech)."""

ALLO = tones.sine(250, 0.4) + tones.silence(60)
"""What a person says who answers: a short word, and waits."""

TALKS = (tones.sine(250, 0.3) + tones.silence(0.2)) * 120
"""What a machine says: words after words."""

SPOKEN = Speech(
    "Bonjour. Votre colis est arrivé au point de retrait de la gare. Il vous attend jusqu'à samedi."
)
GREETING = Speech(
    "Bonjour, vous êtes bien chez Anne et Bernard. Nous ne sommes pas là pour le moment."
    " Laissez-nous un message après le bip sonore, et nous vous rappellerons."
)


@pytest_asyncio.fixture(loop_scope="session")
async def speech(tmp_path: Path) -> AsyncIterator[SpeechMaker]:
    yield SpeechMaker(tmp_path / "speech")


async def send(house: House, telephone: SipTelephone, sound: Speech = MESSAGE, **asked: Any) -> str:
    """An announcement to one telephone, which rings; returns its ref."""
    platform = house.world.platform
    command = SendAnnouncement((telephone.number,), sound, **asked)
    story = await announcements.send(platform, house.who, command)
    await house.world.chappe.queue.step()
    await telephone.rings()
    return story.announcement.ref


async def done(house: House, ref: str) -> Recipient:
    """What became of the recipient, when that is known; the announcement is over then."""

    async def look() -> Recipient | None:
        story = await announcements.find(house.world.platform, house.who, FindAnnouncement(ref))
        (one,) = story.recipients
        return one if one.over_at is not None else None

    found = await eventually(look, 40)
    house.world.clock.move(seconds=1)
    await house.world.chappe.queue.step()
    story = await announcements.find(house.world.platform, house.who, FindAnnouncement(ref))
    assert story.announcement.state is AnnouncementState.OVER
    return found


def hummed(samples: bytes) -> float:
    """How many seconds of a sound are the message."""
    frames = list(pcm.frames(samples))
    return sum(tones.strength(one, PROMPT) > 0.5 for one in frames) * pcm.FRAME_SECONDS


def course(samples: bytes) -> Sequence[int]:
    """How loud a sound is in each tenth of a second, from where it begins to be heard to where it ends."""
    tenth = pcm.RATE // 10 * pcm.WIDTH
    heard = pcm.trim(samples, 300)
    return [pcm.rms(heard[at : at + tenth]) for at in range(0, len(heard) - tenth, tenth)]


def likeness(one: Sequence[int], other: Sequence[int]) -> float:
    """How much two courses go up and down together: 1.0 as one, 0.0 not at all."""
    count = min(len(one), len(other))
    means = sum(one[:count]) / count, sum(other[:count]) / count
    pairs = [(a - means[0], b - means[1]) for a, b in zip(one, other, strict=False)]
    apart = (sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs)) ** 0.5
    return sum(a * b for a, b in pairs) / apart


async def test_a_person_hears_it_from_beginning_to_end(house: House) -> None:
    person = await house.far.telephone(says=ALLO)
    ref = await send(house, person)
    await person.answer()
    found = await done(house, ref)
    assert (found.state, found.machine) == (RecipientState.REACHED, False)
    await person.stops()
    assert hummed(person.baresip.heard()) == pytest.approx(SECONDS, abs=0.2)


async def test_a_person_answers_with_a_key(house: House) -> None:
    person = await house.far.telephone(says=ALLO)
    ref = await send(house, person, answer_keys="12")
    await person.answer()
    await person.hears(PROMPT)
    await person.press("2")
    found = await done(house, ref)
    assert (found.state, found.machine, found.key) == (RecipientState.REACHED, False, "2")
    await person.stops()
    assert 0 < hummed(person.baresip.heard()) < SECONDS + 0.1


async def test_a_machine_has_it_after_its_tone(house: House, speech: SpeechMaker) -> None:
    """Its greeting is really spoken; while it speaks it hears nothing of the message."""
    greeting = await speech.speak(GREETING) + tones.silence(0.4) + tones.tone(Tone.BEEP)
    machine = await house.far.telephone(says=greeting + tones.silence(60))
    ref = await send(house, machine, times=2)
    await machine.answer()
    legs = list((await house.live()).legs)
    ready = await house.far.told.event(legs[0], LegEventKind.MACHINE_READY)
    assert ready.leg_id == legs[0].id
    assert len(machine.baresip.spoken()) >= len(greeting) * 0.98, "it was told that it records too early"
    found = await done(house, ref)
    assert (found.state, found.machine) == (RecipientState.REACHED, True)
    await machine.stops()
    assert hummed(machine.baresip.heard()) == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize(
    ("says", "setting", "reason"),
    [
        (ALLO, {"on_person": OnPerson.HANG_UP}, Reason.PERSON),
        (TALKS, {"on_machine": OnMachine.HANG_UP}, Reason.MACHINE),
    ],
)
async def test_who_it_is_not_for_hears_nothing(
    house: House, says: bytes, setting: dict[str, Any], reason: Reason
) -> None:
    telephone = await house.far.telephone(says=says)
    ref = await send(house, telephone, **setting)
    await telephone.answer()
    found = await done(house, ref)
    assert (found.state, found.reason) == (RecipientState.MISSED, reason)
    await telephone.stops()
    assert hummed(telephone.baresip.heard()) == 0


async def test_a_spoken_text_arrives_as_it_was_said(
    house: House, speech: SpeechMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its content: as long as it was made, and loud and low where that is."""
    monkeypatch.setattr(house.world.platform.synthesizer, "speak", speech.speak, raising=True)
    said = await speech.speak(SPOKEN)
    person = await house.far.telephone(says=ALLO)
    ref = await send(house, person, SPOKEN, on_machine=OnMachine.PLAY)
    await person.answer()
    found = await done(house, ref)
    assert found.state is RecipientState.REACHED
    await person.stops()
    heard = person.baresip.heard()
    assert pcm.rms(heard) > 500, "it is nearly silent"
    made, arrived = course(said), course(heard)
    assert len(made) > 40
    assert len(arrived) == pytest.approx(len(made), abs=2)
    assert likeness(made, arrived) > 0.9
