"""The sound of virtual telephones, by what is in it: who hears whom, what is played, recorded, said."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from chappe.carriers.sandbox.sounding import FRAME, Microphone
from chappe.carriers.sandbox.voice import SandboxVoice
from chappe.media import pcm, tones, wav
from chappe.model.calls import Arrival, HangUpCause, Leg, LegEvent, LegEventKind, LegState, Recorded
from chappe.model.commands import SetBehaviour
from chappe.model.sounds import Speech, Tone
from chappe.services import sandbox
from chappe.services.accounts import NewAccount
from chappe.services.ports import RecordWanted
from tests.platform import World, caller

A, B, C = "33639980001", "33639980002", "33639980003"
ROOM = 7


@dataclass
class Told:
    """A switchboard that only listens."""

    events: list[LegEvent] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    recordings: list[Recorded] = field(default_factory=list)

    def leg_event(self, event: LegEvent) -> None:
        self.events.append(event)

    def leg_arrived(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)

    def recorded(self, recorded: Recorded) -> None:
        self.recordings.append(recorded)

    def kinds(self, leg_id: int) -> list[str]:
        return [event.kind.value for event in self.events if event.leg_id == leg_id]


@dataclass
class Exchange:
    """Telephones of one account, and somebody with an ear at each."""

    world: World
    shop: NewAccount
    voice: SandboxVoice
    told: Told
    heard: dict[int, list[bytes]] = field(default_factory=dict)
    over: list[int] = field(default_factory=list)

    async def up(self, leg_id: int, number: str, judges: bool = False, **behaviour: object) -> None:
        how = {"call": "answer", **behaviour}
        await sandbox.set_behaviour(self.world.platform, caller(self.shop), SetBehaviour(number, how))
        await self.voice.dial(self.leg(leg_id, number), 30, judges)

    def leg(self, leg_id: int, number: str) -> Leg:
        now, account = self.world.clock.at, self.shop.account.id
        return Leg(leg_id, account, 1, "x", number, "", "sandbox", LegState.DIALLING, now, 0)

    def listen(self, leg_id: int) -> Microphone:
        def ear(frame: bytes | None) -> None:
            if frame is None:
                self.over.append(leg_id)
            else:
                self.heard.setdefault(leg_id, []).append(frame)

        return self.voice.listen(leg_id, ear)

    async def speak(self, microphone: Microphone, samples: bytes) -> None:
        """Speak, frame by frame, as a microphone does."""
        for frame in pcm.frames(samples):
            microphone.say(frame)
            await self.world.wait(FRAME.total_seconds())

    def last(self, leg_id: int, seconds: float) -> bytes:
        return b"".join(self.heard[leg_id][-round(seconds / FRAME.total_seconds()) :])


def taken(recorded: Recorded) -> bytes:
    """The sound of a recording, whose file is ours to delete."""
    path = Path(recorded.path)
    samples = wav.read(path)
    path.unlink()
    return samples


@pytest.fixture
async def exchange(world: World) -> AsyncIterator[Exchange]:
    told = Told()
    yield Exchange(
        world,
        await world.account(),
        SandboxVoice(world.platform, told, world.timers.later),
        told,
    )


async def test_what_is_spoken_into_one_telephone_is_heard_at_the_other_and_there_alone(
    exchange: Exchange,
) -> None:
    for leg_id, number in ((1, A), (2, B), (3, C)):
        await exchange.up(leg_id, number)
    await exchange.voice.bridge(ROOM, [1, 2])
    first, second, third = (exchange.listen(leg_id) for leg_id in (1, 2, 3))
    await exchange.speak(first, tones.sine(1000, 0.5))
    assert tones.strength(exchange.last(2, 0.4), 1000) > 0.9
    assert pcm.rms(exchange.last(1, 0.4)) == pcm.rms(exchange.last(3, 0.4)) == 0
    await exchange.speak(second, tones.sine(600, 0.5))
    assert tones.strength(exchange.last(1, 0.4), 600) > 0.9
    # Silence where one is muted, taken out, or gone.
    await exchange.voice.mute(1, True)
    await exchange.speak(first, tones.sine(1000, 0.2))
    assert pcm.rms(exchange.last(2, 0.2)) == 0
    await exchange.voice.mute(1, False)
    await exchange.voice.part(2)
    await exchange.speak(first, tones.sine(1000, 0.2))
    assert pcm.rms(exchange.last(2, 0.2)) == 0
    await exchange.voice.hang_up(1, HangUpCause.NORMAL)
    assert exchange.over == [1]
    third.close()
    assert exchange.told.kinds(1)[:3] == ["ringing", "answered", "talking"]
    assert exchange.told.kinds(1)[-1] == "ended"


async def test_the_clock_runs_only_while_somebody_listens(exchange: Exchange) -> None:
    await exchange.up(1, A)
    await exchange.voice.play(1, Tone.RINGBACK)
    await exchange.world.wait(1)
    assert not exchange.world.timers.waiting or all(
        timer.at - exchange.world.clock.at > timedelta(seconds=1) for timer in exchange.world.timers.waiting
    )
    # Who begins to listen then hears the tone where it would be by now: half a second on, then silence.
    microphone = exchange.listen(1)
    await exchange.world.wait(0.4)
    assert tones.strength(exchange.last(1, 0.4), 440) > 0.9
    await exchange.world.wait(1)
    assert pcm.rms(exchange.last(1, 0.5)) == 0
    count = len(exchange.heard[1])
    assert count == 70
    microphone.close()
    await exchange.world.wait(1)
    assert len(exchange.heard[1]) == count
    # A second time, with the tone replaced meanwhile by one that has an end.
    await exchange.voice.play(1, Tone.BEEP)
    exchange.listen(1)
    await exchange.world.wait(0.4)
    assert tones.strength(exchange.last(1, 0.4), 1000) > 0.9


async def test_a_sound_that_ends_is_told_after_its_length_whether_or_not_somebody_listens(
    exchange: Exchange,
) -> None:
    await exchange.up(1, A)
    began = exchange.world.clock.at
    await exchange.voice.play(1, Tone.BEEP)
    await exchange.world.wait(1)
    exchange.listen(1)
    await exchange.voice.play(1, Tone.BEEP)
    await exchange.voice.play(1, Tone.BEEP)  # replaces the one before, which is not told
    await exchange.world.wait(1)
    await exchange.voice.play(1, Tone.BEEP)
    await exchange.voice.stop(1)
    await exchange.world.wait(1)
    played = [event.at - began for event in exchange.told.events if event.kind is LegEventKind.PLAYED]
    assert played == [timedelta(seconds=0.5), timedelta(seconds=1.5)]


async def test_an_announcement_is_heard_over_what_is_said(exchange: Exchange) -> None:
    for leg_id, number in ((1, A), (2, B)):
        await exchange.up(leg_id, number)
    await exchange.voice.bridge(ROOM, [1, 2])
    microphone = exchange.listen(1)
    exchange.listen(2)
    await exchange.voice.announce(ROOM, Tone.BEEP)
    assert exchange.voice.moment(2).hears is Tone.BEEP
    await exchange.speak(microphone, tones.sine(600, 0.4))
    assert tones.strength(exchange.last(1, 0.4), 1000) > 0.9
    assert 0.3 < tones.strength(exchange.last(2, 0.4), 1000) < 0.7
    assert 0.3 < tones.strength(exchange.last(2, 0.4), 600) < 0.7
    await exchange.world.wait(1)
    assert exchange.voice.moment(2).hears is None


async def test_what_one_says_and_what_all_say_is_recorded(exchange: Exchange) -> None:
    for leg_id, number in ((1, A), (2, B)):
        await exchange.up(leg_id, number)
    await exchange.voice.bridge(ROOM, [1, 2])
    await exchange.voice.record(11, RecordWanted(1, ROOM, 60))
    await exchange.voice.record(12, RecordWanted(None, ROOM, 60))
    first, second = exchange.listen(1), exchange.listen(2)
    await exchange.speak(first, tones.sine(1000, 1))
    await exchange.speak(second, tones.sine(600, 1))
    await exchange.voice.stop_record(11)
    await exchange.voice.hang_up(1, HangUpCause.NORMAL)
    await exchange.voice.hang_up(2, HangUpCause.NORMAL)
    await exchange.world.wait(0.1)
    ended = {one.recording_id: one for one in exchange.told.recordings}
    assert {number: round(one.seconds, 1) for number, one in ended.items()} == {11: 2.0, 12: 2.0}
    one, both = (taken(ended[number]) for number in (11, 12))
    assert tones.strength(one[:16_000], 1000) > 0.9
    assert pcm.rms(one[-8_000:]) == 0
    assert tones.strength(both[:16_000], 1000) > 0.9
    assert tones.strength(both[-15_000:], 600) > 0.9


@pytest.mark.parametrize("how", ["key", "silence", "longest"])
async def test_a_message_ends_by_a_key_by_silence_and_by_its_length(exchange: Exchange, how: str) -> None:
    await exchange.up(1, A)
    await exchange.voice.record(11, RecordWanted(1, ROOM, 2 if how == "longest" else 60, True, 3))
    microphone = exchange.listen(1)
    await exchange.speak(microphone, tones.sine(600, 3 if how == "longest" else 1))
    if how == "key":
        exchange.voice.press(1, "5#")
    await exchange.world.wait(4)
    (recorded,) = exchange.told.recordings
    assert recorded.key == ("#" if how == "key" else "")
    assert tones.strength(taken(recorded)[:15_000], 600) > 0.9


async def test_a_machine_is_judged_and_ready_after_its_tone(exchange: Exchange) -> None:
    await exchange.up(1, A, judges=True, call="machine", greeting="Je ne suis pas là.")
    await exchange.world.wait(20)
    kinds = [kind for kind in exchange.told.kinds(1) if kind not in ("talking", "quiet")]
    assert kinds == ["ringing", "answered", "judged", "machine_ready"]
    assert all(event.machine for event in exchange.told.events)
    await exchange.up(2, B, judges=True)
    await exchange.world.wait(20)
    assert exchange.told.kinds(2) == ["ringing", "answered", "judged"]
    assert not exchange.told.events[-1].machine


async def test_keys_are_shown_where_they_are_sent_and_sound_where_somebody_listens(
    exchange: Exchange,
) -> None:
    for leg_id, number in ((1, A), (2, B)):
        await exchange.up(leg_id, number)
    await exchange.voice.bridge(ROOM, [1, 2])
    exchange.listen(2)
    await exchange.voice.send_keys(2, "12")
    await exchange.voice.send_keys(2, "#")
    moment = exchange.voice.moment(2)
    assert (moment.keys, moment.speaks_with) == ("12#", (A,))
    exchange.voice.press(1, "5")
    await exchange.world.wait(0.1)
    assert tones.key_in(exchange.heard[2][2]) == "5"


async def test_what_was_heard_is_kept_for_ten_seconds(exchange: Exchange) -> None:
    await exchange.up(1, A)
    await exchange.voice.play(1, Tone.RINGBACK)
    assert exchange.voice.heard(1) == b""  # nobody had listened; from now on somebody does
    await exchange.world.wait(29)
    heard = exchange.voice.heard(1)
    assert len(heard) == 10 * pcm.RATE * pcm.WIDTH
    assert tones.strength(heard, 440) > 0.9
    await exchange.world.wait(31)
    assert exchange.world.timers.waiting == [] or min(
        timer.at for timer in exchange.world.timers.waiting
    ) > exchange.world.clock.at + timedelta(seconds=1)


async def test_a_text_is_spoken_after_answering_and_anew_when_the_call_is_joined(exchange: Exchange) -> None:
    await exchange.up(1, A, say="Bonjour, ici la gare.")
    await exchange.up(2, B)
    exchange.listen(2)
    await exchange.world.wait(5)
    assert pcm.rms(exchange.last(2, 5)) == 0
    await exchange.voice.bridge(ROOM, [1, 2])
    await exchange.world.wait(0.4)
    assert tones.strength(exchange.last(2, 0.36), 300) > 0.9  # a woman's voice, as the test hums it
    await exchange.world.wait(10)
    assert pcm.rms(exchange.last(2, 2)) == 0


async def test_a_prompt_is_heard_to_its_end(exchange: Exchange) -> None:
    await exchange.up(1, A)
    exchange.listen(1)
    speech = Speech("Vous avez un appel.")
    await exchange.voice.play(1, speech)
    assert exchange.voice.moment(1).hears == speech
    await exchange.world.wait(0.36)
    assert tones.strength(exchange.last(1, 0.34), 300) > 0.9
    await exchange.world.wait(9)
    assert pcm.rms(exchange.last(1, 1)) == 0
    assert exchange.told.kinds(1)[-1] == "played"
