"""The sound of virtual telephones: one clock of 20 ms for all, which runs only while somebody needs it."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from chappe.media import pcm
from chappe.media.mixer import Mixer, MixerEvent, RecordEnded
from chappe.services.live import Later, Timer
from chappe.services.ports import Clock, RecordWanted

FRAME = timedelta(milliseconds=20)
_TAPE = timedelta(seconds=10)
_LISTENS = timedelta(seconds=30)
_LATEST = timedelta(seconds=1)
_AHEAD = 10
"""How much of what a telephone heard is kept; how long it is listened to after somebody has asked what that
was; after which delay the clock does not catch up; how many frames of a microphone wait (all our choice)."""

Ear = Callable[[bytes | None], None]
"""Takes each frame that a telephone hears, and None when its call is over."""


@dataclass(slots=True)
class _Played:
    """What is played to a telephone, and since when."""

    samples: bytes
    loops: bool
    since: datetime


@dataclass(slots=True)
class _Leg:
    ears: list[Ear] = field(default_factory=list)
    microphone: deque[bytes] = field(default_factory=lambda: deque(maxlen=_AHEAD))
    speech: deque[bytes] = field(default_factory=deque)  # what it was told to say, frame by frame
    tape: deque[bytes] = field(default_factory=lambda: deque(maxlen=_TAPE // FRAME))
    played: _Played | None = None
    listened_until: datetime | None = None


class Microphone:
    """One connection to the sound of a telephone, from when it was made until it is closed."""

    def __init__(self, sounding: "Sounding", leg_id: int, ear: Ear) -> None:
        self._sounding = sounding
        self._leg_id = leg_id
        self._ear = ear

    def say(self, frame: bytes) -> None:
        """A frame of 20 ms that is spoken into the telephone."""
        self._sounding.speak_into(self._leg_id, frame)

    def close(self) -> None:
        """Listen no more."""
        self._sounding.forget_ear(self._leg_id, self._ear)


class Sounding:
    """The legs of the sandbox on a mixer. While nobody needs sound nothing is mixed: what is played then is
    noted with its beginning, and goes on from where it would be when somebody begins to listen."""

    def __init__(self, clock: Clock, later: Later, tell: Callable[[MixerEvent], None]) -> None:
        self._clock = clock
        self._later = later
        self._tell = tell
        self._mixer = Mixer()
        self._legs: dict[int, _Leg] = {}
        self._recordings: set[int] = set()
        self._timer: Timer | None = None
        self._due = clock.now()

    @property
    def is_running(self) -> bool:
        """Whether the clock runs."""
        return self._timer is not None

    # --- legs and rooms

    def add(self, leg_id: int) -> None:
        """A telephone that may hear something."""
        self._legs[leg_id] = _Leg()
        self._mixer.add(leg_id)

    def remove(self, leg_id: int) -> None:
        """Its call is over."""
        leg = self._legs.pop(leg_id, None)
        if leg is None:
            return
        self._mixer.remove(leg_id)
        for ear in leg.ears:
            ear(None)

    def join(self, room: int, leg_id: int) -> None:
        """See Mixer."""
        if (leg := self._legs.get(leg_id)) is not None:
            leg.played = None
            self._mixer.stop(leg_id)
            self._mixer.join(room, leg_id)

    def part(self, leg_id: int) -> None:
        """See Mixer."""
        if leg_id in self._legs:
            self._mixer.part(leg_id)

    def mute(self, leg_id: int, muted: bool) -> None:
        """See Mixer."""
        if leg_id in self._legs:
            self._mixer.mute(leg_id, muted)

    # --- what they hear

    def play(self, leg_id: int, samples: bytes, loops: bool) -> None:
        """Play to a telephone, in place of what it hears."""
        if (leg := self._legs.get(leg_id)) is not None:
            leg.played = _Played(samples, loops, self._clock.now())
            if self.is_running:
                self._mixer.play(leg_id, samples, loops)

    def stop(self, leg_id: int) -> None:
        """Stop what is played to a telephone."""
        if (leg := self._legs.get(leg_id)) is not None:
            leg.played = None
            self._mixer.stop(leg_id)

    def announce(self, room: int, samples: bytes) -> None:
        """Play to all of a room; nobody who comes later hears it."""
        if self.is_running:
            self._mixer.announce(room, samples)

    def ears(self, leg_id: int) -> int:
        """How many listen at a telephone."""
        return len(self._legs[leg_id].ears) if leg_id in self._legs else 0

    def listen(self, leg_id: int, ear: Ear) -> Microphone:
        """Give all that a telephone hears to `ear`, and let it be spoken into."""
        if leg_id in self._legs:
            self._legs[leg_id].ears.append(ear)
            self._start()
        return Microphone(self, leg_id, ear)

    def forget_ear(self, leg_id: int, ear: Ear) -> None:
        """For Microphone."""
        leg = self._legs.get(leg_id)
        if leg is not None and ear in leg.ears:
            leg.ears.remove(ear)

    def heard(self, leg_id: int) -> bytes:
        """The last ten seconds of what a telephone has heard while the clock ran; for the next half a minute
        it runs for this telephone."""
        leg = self._legs.get(leg_id)
        if leg is None:
            return b""
        leg.listened_until = self._clock.now() + _LISTENS
        self._start()
        return b"".join(leg.tape)

    # --- what they say

    def speak_into(self, leg_id: int, frame: bytes) -> None:
        """A frame of somebody's microphone."""
        if (leg := self._legs.get(leg_id)) is not None:
            leg.microphone.append(frame)

    def say(self, leg_id: int, samples: bytes, at_once: bool = True) -> None:
        """Let a telephone say this, in place of what it says now or after it."""
        if samples and (leg := self._legs.get(leg_id)) is not None:
            if at_once:
                leg.speech.clear()
            leg.speech.extend(pcm.frames(samples))
            self._start()

    def press(self, leg_id: int, key: str) -> None:
        """A key was pressed: it ends recordings that end with keys."""
        if leg_id in self._legs:
            self._mixer.key(leg_id, key)

    # --- recordings

    def record(self, recording_id: int, path: str, wanted: RecordWanted) -> None:
        """Record into a file until an end that was wanted, or `stop_record`."""
        self._mixer.record(
            recording_id,
            Path(path),
            wanted.leg_id,
            wanted.room,
            wanted.longest_seconds,
            wanted.ends_on_key,
            wanted.silence_seconds,
        )
        self._recordings.add(recording_id)
        self._start()

    def stop_record(self, recording_id: int) -> None:
        """End a recording; its end is told with the next tick."""
        if recording_id in self._recordings:
            self._mixer.stop_record(recording_id)

    # --- the clock

    def _start(self) -> None:
        if self._timer is not None:
            return
        now = self._clock.now()
        for leg_id, leg in self._legs.items():
            if leg.played is not None:
                self._go_on(leg_id, leg.played, now)
        self._due = now + FRAME
        self._timer = self._later(FRAME.total_seconds(), self._beat)

    def _go_on(self, leg_id: int, played: _Played, now: datetime) -> None:
        """Play from where it would be if somebody had listened."""
        frames = max(0, (now - played.since) // FRAME)
        gone = frames * pcm.FRAME_BYTES
        if played.loops and played.samples:
            gone %= len(played.samples)
            self._mixer.play(leg_id, played.samples[gone:] + played.samples[:gone], True)
        elif gone < len(played.samples):
            self._mixer.play(leg_id, played.samples[gone:], False)

    def _beat(self) -> None:
        now = self._clock.now()
        if abs(now - self._due) > _LATEST:
            self._due = now  # the machine was held up, or its clock was set
        while self._due <= now:
            self._tick()
            self._due += FRAME
        self._timer = None
        if self._is_needed(now):
            self._timer = self._later((self._due - now).total_seconds(), self._beat)

    def _is_needed(self, now: datetime) -> bool:
        return bool(self._recordings) or any(
            leg.ears or leg.speech or (leg.listened_until is not None and leg.listened_until > now)
            for leg in self._legs.values()
        )

    def _tick(self) -> None:
        ticked = self._mixer.tick(self._said())
        for leg_id, frame in ticked.to_play.items():
            if (leg := self._legs.get(leg_id)) is not None:
                leg.tape.append(frame)
                for ear in leg.ears:
                    ear(frame)
        for event in ticked.events:
            if isinstance(event, RecordEnded):
                self._recordings.discard(event.recording_id)
            self._tell(event)

    def _said(self) -> Mapping[int, bytes]:
        said = {}
        for leg_id, leg in self._legs.items():
            if leg.speech:
                said[leg_id] = leg.speech.popleft()
            elif leg.microphone:
                said[leg_id] = leg.microphone.popleft()
        return said
