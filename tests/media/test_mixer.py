"""The mixer, proven by content: every voice is a tone of its own, looked for where it must be heard."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from chappe.media import pcm, tones, wav
from chappe.media.mixer import (
    Judged,
    MachineReady,
    Mixer,
    MixerEvent,
    Played,
    Quiet,
    RecordEnded,
    Talking,
)
from tests.media.sounds import said

HERTZ = {1: 440.0, 2: 620.0, 3: 880.0, 4: 1220.0, 5: 1700.0}


class Bench:
    """A mixer whose legs each sing their tone; what they heard is kept."""

    def __init__(self, *leg_ids: int) -> None:
        self.mixer = Mixer()
        self.heard: dict[int, bytes] = {}
        self.events: list[MixerEvent] = []
        for leg_id in leg_ids:
            self.mixer.add(leg_id)

    def run(self, seconds: float, says: Mapping[int, bytes] | None = None) -> "Bench":
        if says is None:
            says = {leg_id: tones.sine(HERTZ[leg_id], seconds, 3000) for leg_id in HERTZ}
        self.heard, self.events = dict.fromkeys(HERTZ, b""), []
        for place in range(0, round(seconds * 8000) * 2, 320):
            frames = {leg_id: sound[place : place + 320] for leg_id, sound in says.items() if sound[place:]}
            ticked = self.mixer.tick(frames)
            self.events += ticked.events
            for leg_id, frame in ticked.to_play.items():
                assert len(frame) == 320
                self.heard[leg_id] += frame
        return self

    def hears(self, leg_id: int) -> set[int]:
        """The legs whose tones a leg has heard."""
        return heard_in(self.heard[leg_id])


def heard_in(sound: bytes) -> set[int]:
    return {leg_id for leg_id, hertz in HERTZ.items() if tones.strength(sound, hertz) > 0.15}


def test_two_hear_one_another_and_not_themselves() -> None:
    bench = Bench(1, 2, 3)
    assert bench.run(0.2).hears(1) == set()
    bench.mixer.join(7, 1)
    bench.mixer.join(7, 2)
    bench.run(0.2)
    assert (bench.hears(1), bench.hears(2), bench.hears(3)) == ({2}, {1}, set())
    assert bench.heard[1] == tones.sine(HERTZ[2], 0.2, 3000)  # untouched


def test_of_five_each_hears_the_four_others() -> None:
    bench = Bench(*HERTZ)
    for leg_id in HERTZ:
        bench.mixer.join(7, leg_id)
    bench.run(0.2)
    for leg_id in HERTZ:
        assert bench.hears(leg_id) == set(HERTZ) - {leg_id}


def test_rooms_do_not_hear_one_another_and_a_leg_is_in_one() -> None:
    bench = Bench(1, 2, 3, 4)
    for room, leg_id in ((7, 1), (7, 2), (8, 3), (8, 4)):
        bench.mixer.join(room, leg_id)
    bench.run(0.2)
    assert [bench.hears(leg_id) for leg_id in (1, 2, 3, 4)] == [{2}, {1}, {4}, {3}]
    bench.mixer.join(8, 2)
    bench.run(0.2)
    assert [bench.hears(leg_id) for leg_id in (1, 2, 3, 4)] == [set(), {3, 4}, {2, 4}, {2, 3}]
    bench.mixer.part(3)
    bench.mixer.remove(4)
    bench.run(0.2)
    assert [bench.hears(leg_id) for leg_id in (1, 2, 3)] == [set(), set(), set()]
    assert bench.heard[4] == b""


def test_the_muted_are_heard_by_nobody_and_hear_everybody() -> None:
    bench = Bench(1, 2, 3)
    for leg_id in (1, 2, 3):
        bench.mixer.join(7, leg_id)
    bench.mixer.mute(2, True)
    bench.run(0.2)
    assert [bench.hears(leg_id) for leg_id in (1, 2, 3)] == [{3}, {1, 3}, {1}]
    assert {event.leg_id for event in bench.events if isinstance(event, Talking)} == {1, 3}
    bench.mixer.mute(2, False)
    assert bench.run(0.2).hears(1) == {2, 3}


def test_what_is_played_takes_the_place_of_the_room_to_its_end() -> None:
    bench = Bench(1, 2)
    bench.mixer.join(7, 1)
    bench.mixer.join(7, 2)
    bench.mixer.play(1, tones.sine(HERTZ[5], 0.16))
    bench.run(0.16)
    assert bench.hears(1) == {5} and bench.hears(2) == {1} and Played(1) not in bench.events
    bench.run(0.2)
    assert bench.events.count(Played(1)) == 1
    assert heard_in(bench.heard[1]) == {2}


def test_a_loop_goes_on_until_it_is_stopped_and_tells_nothing() -> None:
    bench = Bench(1)
    bench.mixer.play(1, tones.sine(HERTZ[5], 0.1), loop=True)
    bench.run(1.0, {})
    assert tones.strength(bench.heard[1], HERTZ[5]) > 0.9 and bench.events == []
    bench.mixer.stop(1)
    bench.run(0.1, {})
    assert pcm.rms(bench.heard[1]) == 0 and bench.events == []


@pytest.mark.parametrize("how", ["stop", "replace", "join"])
def test_what_is_stopped_or_replaced_is_not_told(how: str) -> None:
    bench = Bench(1)
    bench.mixer.play(1, tones.sine(HERTZ[5], 0.1))
    bench.run(0.04, {})
    if how == "stop":
        bench.mixer.stop(1)
    elif how == "replace":
        bench.mixer.play(1, tones.sine(HERTZ[4], 0.4))
    else:
        bench.mixer.join(7, 1)
    assert bench.run(0.3, {}).events == []


def test_nothing_to_play_ends_at_once() -> None:
    bench = Bench(1)
    bench.mixer.play(1, b"")
    assert bench.run(0.02).events == [Played(1)]
    bench.mixer.play(1, b"", loop=True)
    assert bench.run(0.02).events == [Played(1)]


def test_announcements_come_one_after_the_other_over_what_is_said() -> None:
    bench = Bench(1, 2)
    bench.mixer.join(7, 1)
    bench.mixer.join(7, 2)
    bench.mixer.announce(7, tones.sine(HERTZ[4], 0.2, 3000))
    bench.mixer.announce(7, tones.sine(HERTZ[5], 0.2, 3000))
    bench.mixer.announce(99, tones.sine(HERTZ[5], 0.2, 3000))
    bench.run(0.4)
    half = len(bench.heard[1]) // 2
    assert (heard_in(bench.heard[1][:half]), heard_in(bench.heard[1][half:])) == ({2, 4}, {2, 5})
    assert (heard_in(bench.heard[2][:half]), heard_in(bench.heard[2][half:])) == ({1, 4}, {1, 5})


def test_short_and_strange_frames_do_no_harm() -> None:
    bench = Bench(1, 2)
    bench.mixer.join(7, 1)
    bench.mixer.join(7, 2)
    bench.run(0.02, {1: b"", 2: b"\1\2\3", 9: b"x" * 320})
    bench.mixer.tick({1: b"x" * 999})
    for ask in (
        bench.mixer.part,
        bench.mixer.remove,
        bench.mixer.stop,
        bench.mixer.judge,
        bench.mixer.stop_record,
    ):
        ask(404)
    bench.mixer.join(7, 404)
    bench.mixer.mute(404, True)
    bench.mixer.play(404, b"ab")
    bench.mixer.key(404, "#")
    assert set(bench.mixer.tick({}).to_play) == {1, 2}


def test_who_talks_is_told() -> None:
    bench = Bench(1)
    bench.run(3.0, {1: said(-0.2, 0.6, -2.0)})
    assert bench.events == [Talking(1), Quiet(1)]


def test_a_machine_is_judged_and_ready() -> None:
    bench = Bench(1, 2)
    bench.mixer.judge(1)
    bench.mixer.judge(2)
    greeting = said(-0.3, 2.0, -0.3) + tones.sine(1000, 0.3) + tones.silence(1)
    bench.run(4.0, {1: greeting, 2: said(-0.3, 0.4, -2)})
    told = [event for event in bench.events if not isinstance(event, Talking | Quiet)]
    assert told == [Judged(2, False), Judged(1, True), MachineReady(1)]


def test_a_room_is_recorded_as_it_is_heard(tmp_path: Path) -> None:
    bench, path = Bench(1, 2, 3), tmp_path / "room.wav"
    bench.mixer.record(50, path, None, 7, 60)
    bench.run(0.1)
    for leg_id in (1, 2, 3):
        bench.mixer.join(7, leg_id)
    bench.mixer.mute(3, True)
    bench.run(0.5)
    bench.mixer.stop_record(50)
    assert bench.run(0.02).events == [RecordEnded(50, 0.5)]
    assert heard_in(wav.read(path)) == {1, 2}


def test_a_leg_is_recorded_as_what_it_says(tmp_path: Path) -> None:
    bench, path = Bench(1, 2), tmp_path / "leg.wav"
    bench.mixer.join(7, 1)
    bench.mixer.join(7, 2)
    bench.mixer.record(50, path, 1, 7, 60)
    bench.run(0.5)
    bench.mixer.remove(1)
    assert RecordEnded(50, 0.5) in bench.run(0.02).events
    assert heard_in(wav.read(path)) == {1}


def test_a_recording_ends_with_its_room(tmp_path: Path) -> None:
    bench = Bench(1, 2)
    bench.mixer.join(7, 1)
    bench.mixer.join(7, 2)
    bench.mixer.record(50, tmp_path / "a.wav", None, 7, 60)
    bench.run(0.2)
    bench.mixer.part(1)
    bench.run(0.2)
    bench.mixer.part(2)
    assert RecordEnded(50, 0.4) in bench.run(0.02).events


def test_a_recording_ends_with_a_key_with_silence_and_with_its_time(tmp_path: Path) -> None:
    bench = Bench(1, 2, 3)
    bench.mixer.record(51, tmp_path / "1.wav", 1, 0, 60, ends_on_key=True)
    bench.mixer.record(52, tmp_path / "2.wav", 2, 0, 60, silence_seconds=2)
    bench.mixer.record(53, tmp_path / "3.wav", 3, 0, 3)
    for leg_id, key in ((1, "5"), (2, "#"), (3, "#")):
        bench.mixer.key(leg_id, key)
    bench.run(1.0)
    bench.mixer.key(1, "#")
    bench.run(3.0, {})
    ended = [event for event in bench.events if isinstance(event, RecordEnded)]
    assert ended == [RecordEnded(51, 1.0, "#"), RecordEnded(52, 1.0), RecordEnded(53, 3.0)]
    assert pcm.milliseconds(wav.read(tmp_path / "2.wav")) == 1000  # the silence that ended it is not kept


def test_a_recording_that_cannot_be_made_ends_at_once(tmp_path: Path) -> None:
    bench = Bench(1)
    bench.mixer.record(50, tmp_path / "nowhere" / "a.wav", 1, 0, 60)
    bench.mixer.record(51, tmp_path / "b.wav", 404, 0, 60)
    assert bench.run(0.02).events == [RecordEnded(50, 0.0), RecordEnded(51, 0.0)]


def test_a_full_disk_ends_a_recording(tmp_path: Path) -> None:
    bench = Bench(1)
    bench.mixer.record(50, Path("/dev/full"), 1, 0, 60)
    bench.run(2.0)
    assert [event.recording_id for event in bench.events if isinstance(event, RecordEnded)] == [50]


def test_closing_ends_all_recordings(tmp_path: Path) -> None:
    bench = Bench(1)
    bench.mixer.record(50, tmp_path / "a.wav", 1, 0, 60)
    bench.run(0.1)
    bench.mixer.close()
    assert RecordEnded(50, 0.1) in bench.run(0.02).events
