"""The mixer: every 20 ms it takes what all legs of a process say, and gives what each of them is to hear."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from chappe.media import pcm
from chappe.media.listening import LOUD, Amd, Heard, Judge, VoiceActivity
from chappe.media.pcm import SILENCE, audioop
from chappe.media.recorder import END_KEY, Recorder


@dataclass(frozen=True, slots=True)
class Played:
    """What was played to a leg has come to its end."""

    leg_id: int


@dataclass(frozen=True, slots=True)
class Talking:
    """A leg begins to talk."""

    leg_id: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """A leg has stopped talking."""

    leg_id: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a machine has answered."""

    leg_id: int
    machine: bool


@dataclass(frozen=True, slots=True)
class MachineReady:
    """The answering machine's tone is over: it records."""

    leg_id: int


@dataclass(frozen=True, slots=True)
class RecordEnded:
    """A recording is over, for whatever reason, with `seconds` of sound; 0.0 where its file could not be
    made. `key` is the one that ended it, if any."""

    recording_id: int
    seconds: float
    key: str = ""


MixerEvent = Played | Talking | Quiet | Judged | MachineReady | RecordEnded


class Ticked(NamedTuple):
    """What comes of 20 ms: for every leg a frame to play, and what has happened."""

    to_play: Mapping[int, bytes]
    events: Sequence[MixerEvent]


@dataclass(slots=True)
class _Playing:
    samples: bytes
    loop: bool = False
    place: int = 0

    def next(self) -> bytes | None:
        """The next frame; None behind the end."""
        if self.place >= len(self.samples):
            if not self.loop or not self.samples:
                return None
            self.place = 0
        frame = self.samples[self.place : self.place + pcm.FRAME_BYTES]
        self.place += pcm.FRAME_BYTES
        return frame if len(frame) == pcm.FRAME_BYTES else frame.ljust(pcm.FRAME_BYTES, b"\0")


@dataclass(slots=True)
class _Leg:
    room: int | None = None
    muted: bool = False
    playing: _Playing | None = None
    voice: VoiceActivity = field(default_factory=VoiceActivity)
    judge: Judge | None = None
    frame: bytes = SILENCE
    is_loud: bool = False


@dataclass(slots=True)
class _Room:
    leg_ids: list[int] = field(default_factory=list)
    announcements: list[_Playing] = field(default_factory=list)
    mixed: bytes = SILENCE


class Mixer:
    """All legs and rooms of a process; for one thread. A leg hears everybody in its room but itself; while
    something is played to it, it hears that instead. Legs that are not there any more are passed over."""

    def __init__(self, amd: Amd | None = None) -> None:
        self._amd = amd
        self._legs: dict[int, _Leg] = {}
        self._rooms: dict[int, _Room] = {}
        self._recorders: dict[int, Recorder] = {}
        self._events: list[MixerEvent] = []

    def add(self, leg_id: int) -> None:
        """A leg is up: it hears silence, and is listened to."""
        self._legs.setdefault(leg_id, _Leg())

    def remove(self, leg_id: int) -> None:
        """A leg is down; what is recorded of it ends."""
        self.part(leg_id)
        self._legs.pop(leg_id, None)
        self._end(lambda recorder: recorder.leg_id == leg_id)

    def join(self, room: int, leg_id: int) -> None:
        """A leg comes to a room, out of the one where it was; what is played to it stops."""
        leg = self._legs.get(leg_id)
        if leg is None:
            return
        leg.playing = None
        if leg.room == room:
            return
        self.part(leg_id)
        self._rooms.setdefault(room, _Room()).leg_ids.append(leg_id)
        leg.room = room

    def part(self, leg_id: int) -> None:
        """A leg leaves its room; a room that is empty is no more, and what is recorded of it ends."""
        leg = self._legs.get(leg_id)
        if leg is None or leg.room is None:
            return
        number, leg.room = leg.room, None
        room = self._rooms[number]
        room.leg_ids.remove(leg_id)
        if not room.leg_ids:
            del self._rooms[number]
            self._end(lambda recorder: recorder.leg_id is None and recorder.room == number)

    def mute(self, leg_id: int, muted: bool) -> None:
        """Nobody in its room hears a leg, nor does a recording of the room; or everybody again."""
        if leg := self._legs.get(leg_id):
            leg.muted = muted

    def play(self, leg_id: int, samples: bytes, loop: bool = False) -> None:
        """Play to a leg, in place of what is played to it already; once, told as `Played`, or without end."""
        if leg := self._legs.get(leg_id):
            leg.playing = _Playing(samples, loop)

    def stop(self, leg_id: int) -> None:
        """Stop what is played to a leg, untold."""
        if leg := self._legs.get(leg_id):
            leg.playing = None

    def announce(self, room: int, samples: bytes) -> None:
        """Play to all of a room over what they say, one announcement after the other."""
        if found := self._rooms.get(room):
            found.announcements.append(_Playing(samples))

    def judge(self, leg_id: int) -> None:
        """Listen from now on whether a machine has answered, and for the end of its tone."""
        if leg := self._legs.get(leg_id):
            leg.judge = Judge(self._amd)

    def record(
        self,
        recording_id: int,
        path: Path,
        leg_id: int | None,
        room: int,
        longest_seconds: int,
        ends_on_key: bool = False,
        silence_seconds: int = 0,
    ) -> None:
        """Record what a leg says, else all of a room, to a WAV file; see `Recorder`. It is over when the leg
        is down or the room empty. A room without legs is recorded from its first leg on."""
        if recording_id in self._recorders:
            return
        if leg_id is not None and leg_id not in self._legs:
            self._events.append(RecordEnded(recording_id, 0.0))
            return
        try:
            self._recorders[recording_id] = Recorder(
                path, leg_id, room, longest_seconds, ends_on_key, silence_seconds
            )
        except OSError:
            self._events.append(RecordEnded(recording_id, 0.0))

    def stop_record(self, recording_id: int) -> None:
        """End a recording; told as `RecordEnded`."""
        if recorder := self._recorders.pop(recording_id, None):
            self._events.append(RecordEnded(recording_id, recorder.end()))

    def key(self, leg_id: int, key: str) -> None:
        """A leg has pressed a key: `#` ends recordings that end so."""
        leg = self._legs.get(leg_id)
        if leg is None or key != END_KEY:
            return
        self._end(
            lambda recorder: (
                recorder.ends_on_key
                and (recorder.leg_id == leg_id or (recorder.leg_id is None and recorder.room == leg.room))
            ),
            key,
        )

    def close(self) -> None:
        """End all recordings; their ends come with one more tick."""
        self._end(lambda recorder: True)

    def tick(self, heard: Mapping[int, bytes]) -> Ticked:
        """The next 20 ms: `heard` has a frame of 320 bytes for each leg that was heard."""
        events, self._events = self._events, []
        for leg_id, leg in self._legs.items():
            self._listen(leg_id, leg, heard.get(leg_id, SILENCE), events)
        to_play: dict[int, bytes] = dict.fromkeys(self._legs, SILENCE)
        for room in self._rooms.values():
            self._mix(room, to_play)
        for leg_id, leg in self._legs.items():
            if leg.playing is None:
                continue
            frame = leg.playing.next()
            if frame is None:
                leg.playing = None
                events.append(Played(leg_id))
            else:
                to_play[leg_id] = frame
        self._record()
        events += self._events
        self._events = []
        return Ticked(to_play, events)

    def _listen(self, leg_id: int, leg: _Leg, frame: bytes, events: list[MixerEvent]) -> None:
        if len(frame) != pcm.FRAME_BYTES:
            frame = frame[: pcm.FRAME_BYTES].ljust(pcm.FRAME_BYTES, b"\0")
        leg.frame = frame
        leg.is_loud = frame is not SILENCE and audioop.rms(frame, pcm.WIDTH) >= LOUD
        talks = leg.voice.hear(leg.is_loud and not leg.muted)
        if talks is not None:
            events.append(Talking(leg_id) if talks else Quiet(leg_id))
        if leg.judge is None:
            return
        for said in leg.judge.hear(frame, leg.is_loud):
            events.append(
                MachineReady(leg_id) if said is Heard.READY else Judged(leg_id, said is Heard.MACHINE)
            )
        if leg.judge.is_done:
            leg.judge = None

    def _mix(self, room: _Room, to_play: dict[int, bytes]) -> None:
        """Everybody but oneself, for n who are heard in 3n additions: what was said before one in the list,
        and what was said after."""
        announced = self._announced(room)
        speakers = [
            (leg_id, leg.frame)
            for leg_id in room.leg_ids
            if not (leg := self._legs[leg_id]).muted and leg.frame != SILENCE
        ]
        after = [announced]
        for _, frame in reversed(speakers):
            after.append(_sum(frame, after[-1]))
        room.mixed = after[-1]
        for leg_id in room.leg_ids:
            to_play[leg_id] = room.mixed
        before = SILENCE
        for place, (leg_id, frame) in enumerate(speakers):
            to_play[leg_id] = _sum(before, after[len(speakers) - 1 - place])
            before = _sum(before, frame)

    def _announced(self, room: _Room) -> bytes:
        while room.announcements:
            frame = room.announcements[0].next()
            if frame is not None:
                return frame
            room.announcements.pop(0)
        return SILENCE

    def _record(self) -> None:
        over = []
        for recording_id, recorder in self._recorders.items():
            if recorder.leg_id is not None:
                leg = self._legs[recorder.leg_id]
                frame, is_loud = leg.frame, leg.is_loud
            elif recorder.room in self._rooms:
                frame = self._rooms[recorder.room].mixed
                is_loud = frame is not SILENCE and audioop.rms(frame, pcm.WIDTH) >= LOUD
            else:
                continue
            if not recorder.hear(frame, is_loud):
                over.append(recording_id)
        for recording_id in over:
            self.stop_record(recording_id)

    def _end(self, ends: Callable[[Recorder], bool], key: str = "") -> None:
        over: Iterable[int] = [number for number, recorder in self._recorders.items() if ends(recorder)]
        for recording_id in over:
            self._events.append(RecordEnded(recording_id, self._recorders.pop(recording_id).end(), key))


def _sum(one: bytes, other: bytes) -> bytes:
    if one is SILENCE:
        return other
    return one if other is SILENCE else audioop.add(one, other, pcm.WIDTH)
