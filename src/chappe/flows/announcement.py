"""An announcement to one telephone: listen who answers, play the message, hear a key, hang up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from chappe.flows import program
from chappe.flows.program import Action, CallEvent
from chappe.model.announcements import Fact, OnMachine, OnPerson
from chappe.model.calls import OUTCOME_OF_CAUSE, CallOutcome, HangUpCause
from chappe.model.sounds import Sound

LEG = "recipient"

JUDGING = timedelta(seconds=10)
GREETING = timedelta(seconds=60)
BETWEEN = timedelta(seconds=1)
ANSWERING = timedelta(seconds=10)
MOST_REPEATS = 3
"""How long we listen who has answered before it counts as a person, how long a machine may greet, the silence
between two times, how long a key is awaited after the last, and how often one repeats the message (all our
choice)."""

_LONGEST, _JUDGE, _GREETING, _AGAIN, _ANSWER = "longest", "judge", "greeting", "again", "answer"


def longest(
    seconds: float, times: int, repeat_key: str, answer_keys: str, on_machine: OnMachine
) -> timedelta:
    """How long a telephone may listen at most to a message that lasts so many seconds."""
    repeats = MOST_REPEATS if repeat_key else 0
    played = (times + repeats) * (timedelta(seconds=seconds) + BETWEEN)
    thinks = (1 + repeats) * ANSWERING if repeat_key or answer_keys else timedelta()
    greets = GREETING if on_machine is OnMachine.LEAVE else timedelta()
    return timedelta(seconds=-(-(JUDGING + greets + played + thinks).total_seconds() // 1))


class _Stage(Enum):
    RINGING = auto()
    JUDGING = auto()
    GREETING = auto()  # a machine speaks
    PLAYING = auto()
    BETWEEN = auto()  # two times
    ANSWERING = auto()
    OVER = auto()


@dataclass(slots=True)
class Announcement:
    """See model/announcements.py; `longest_seconds` counts from the moment of answering. A machine is told
    the message once after its tone, and presses no keys."""

    number: str
    shown: str
    sound: Sound
    ring_seconds: int
    longest_seconds: int
    times: int = 1
    repeat_key: str = ""
    answer_keys: str = ""
    on_machine: OnMachine = OnMachine.LEAVE
    on_person: OnPerson = OnPerson.PLAY

    _stage: _Stage = _Stage.RINGING
    _left: int = 0  # times that it is still to be played, this one included
    _repeats: int = 0
    _hears_keys: bool = False
    _was_played: bool = False

    @property
    def judges(self) -> bool:
        """Whether it matters who answers."""
        return (self.on_machine, self.on_person) != (OnMachine.PLAY, OnPerson.PLAY)

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        if self._stage is _Stage.OVER:
            return ()
        match event:
            case program.Started():
                return [program.Dial(LEG, self.number, self.shown, self.ring_seconds, self.judges)]
            case program.LegEnded(_, cause):
                self._stage = _Stage.OVER
                is_played = self._was_played
                outcome = CallOutcome.ANSWERED if is_played else OUTCOME_OF_CAUSE[cause]
                return [program.Finish(outcome)]
            case program.LegAnswered(_, machine) if self._stage is _Stage.RINGING:
                return [program.StartTimer(_LONGEST, self.longest_seconds), *self._answered(machine)]
            case program.LegJudged(_, machine) if self._stage is _Stage.JUDGING:
                return [program.StopTimer(_JUDGE), *self._judged(machine)]
            case program.MachineReady() if self._stage is _Stage.JUDGING:
                return [program.StopTimer(_JUDGE), *self._judged(True), *self._ready()]
            case program.MachineReady():
                return self._ready()
            case program.PlayDone() if self._stage is _Stage.PLAYING:
                return self._played()
            case program.Digit(_, key) if self._hears_keys:
                return self._pressed(key)
            case program.TimerFired(name):
                return self._fired(name)
            case program.AskedToHangUp():
                return self._end(HangUpCause.NORMAL)
            case _:
                return ()

    def _answered(self, machine: bool) -> list[Action]:
        if not self.judges:
            return self._play(self.times, hears_keys=True)
        if machine:
            return self._judged(True)
        self._stage = _Stage.JUDGING
        return [program.StartTimer(_JUDGE, int(JUDGING.total_seconds()))]

    def _judged(self, machine: bool) -> list[Action]:
        note = program.Note(Fact.MACHINE if machine else Fact.PERSON)
        if not machine:
            if self.on_person is OnPerson.HANG_UP:
                return [note, *self._end(HangUpCause.NORMAL)]
            return [note, *self._play(self.times, hears_keys=True)]
        if self.on_machine is OnMachine.HANG_UP:
            return [note, *self._end(HangUpCause.NORMAL, CallOutcome.MACHINE)]
        if self.on_machine is OnMachine.PLAY:
            return [note, *self._play(self.times, hears_keys=False)]
        self._stage = _Stage.GREETING
        return [note, program.StartTimer(_GREETING, int(GREETING.total_seconds()))]

    def _ready(self) -> list[Action]:
        if self._stage is not _Stage.GREETING:
            return []
        return [program.StopTimer(_GREETING), *self._play(1, hears_keys=False)]

    def _play(self, times: int, hears_keys: bool) -> list[Action]:
        self._stage, self._left, self._hears_keys = _Stage.PLAYING, times, hears_keys
        self._was_played = True
        return [program.Note(Fact.BEGUN), program.Play(LEG, self.sound)]

    def _played(self) -> list[Action]:
        self._left -= 1
        if self._left > 0:
            self._stage = _Stage.BETWEEN
            return [program.StartTimer(_AGAIN, int(BETWEEN.total_seconds()))]
        if self._hears_keys and (self.answer_keys or self.repeat_key):
            self._stage = _Stage.ANSWERING
            return [
                program.Note(Fact.ENDED),
                program.StartTimer(_ANSWER, int(ANSWERING.total_seconds())),
            ]
        return self._end(HangUpCause.NORMAL)

    def _pressed(self, key: str) -> list[Action]:
        if key in self.answer_keys:
            stop = [program.Stop(LEG)] if self._stage is _Stage.PLAYING else []
            return [program.Note(Fact.KEY, key), *stop, *self._end(HangUpCause.NORMAL)]
        if key != self.repeat_key or self._repeats >= MOST_REPEATS:
            return []
        self._repeats += 1
        timers = [program.StopTimer(_AGAIN), program.StopTimer(_ANSWER)]
        ended = [program.Note(Fact.ENDED)] if self._stage is not _Stage.ANSWERING else []
        return [*timers, *ended, *self._play(1, hears_keys=True)]

    def _fired(self, name: str) -> list[Action]:
        match name, self._stage:
            case (name, _) if name == program.CREDIT_USED_UP:
                return self._end(HangUpCause.CREDIT)
            case (name, _) if name == _LONGEST:
                return self._end(HangUpCause.TIME_LIMIT)
            case (name, _Stage.JUDGING) if name == _JUDGE:
                return self._judged(False)  # nobody is left without an answer by mistake
            case (name, _Stage.GREETING) if name == _GREETING:
                return self._end(HangUpCause.NORMAL, CallOutcome.MACHINE)
            case (name, _Stage.BETWEEN) if name == _AGAIN:
                self._stage = _Stage.PLAYING
                return [program.Play(LEG, self.sound)]
            case (name, _Stage.ANSWERING) if name == _ANSWER:
                return self._end(HangUpCause.NORMAL)
        return []

    def _end(self, cause: HangUpCause, outcome: CallOutcome | None = None) -> list[Action]:
        is_open = self._stage in (_Stage.PLAYING, _Stage.BETWEEN)
        ended = [program.Note(Fact.ENDED)] if is_open else []
        self._stage = _Stage.OVER
        if outcome is None:
            outcome = CallOutcome.ANSWERED if self._was_played else CallOutcome.CANCELLED
        return [*ended, program.HangUp(LEG, cause), program.Finish(outcome)]
