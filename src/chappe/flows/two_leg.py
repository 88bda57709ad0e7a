"""Ring one party, then the other, and join them: click-to-call."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chappe.flows import program
from chappe.flows.program import Action, CallEvent
from chappe.model.calls import OUTCOME_OF_CAUSE, CallOutcome, HangUpCause
from chappe.model.sounds import Speech, Tone

FIRST, SECOND = "first", "second"
_LONGEST, _CONFIRM = "longest", "confirm"
CONFIRMING = timedelta(seconds=15)
"""How long a called party may think before its key counts as not pressed (our choice)."""

_PRESS_A_KEY = {
    "fr": "Vous avez un appel. Pour l'accepter, appuyez sur une touche.",
    "en": "You have a call. To take it, press any key.",
}


@dataclass(slots=True)
class TwoLeg:
    """`longest_seconds` counts from the moment they are joined. With `confirm` the second party must press
    a key first, so that an answering machine is not joined. It is made for `line`, where that is another than
    the first party; what lines take part in is not told without `tells_lines`."""

    first: str
    second: str
    shown_to_first: str
    shown_to_second: str
    ring_seconds: int
    longest_seconds: int
    confirm: bool = False
    language: str = "fr"
    line: str = ""
    tells_lines: bool = True

    _legs: list[str] = field(default_factory=list)  # those that are not down
    _is_joined: bool = False
    _is_confirming: bool = False

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        match event:
            case program.Started():
                numbers = dict.fromkeys([self.line, self.first])
                return [
                    *self._setup(FIRST, [number for number in numbers if number], self.first),
                    *self._dial(FIRST, self.first, self.shown_to_first),
                ]
            case program.LegAnswered(leg) if leg == FIRST:
                return [
                    program.Play(FIRST, Tone.RINGBACK),
                    *self._setup(SECOND, [self.second], self.shown_to_second),
                    *self._dial(SECOND, self.second, self.shown_to_second),
                ]
            case program.LegAnswered(leg) if leg == SECOND and self.confirm:
                self._is_confirming = True
                return [
                    program.Play(SECOND, Speech(_PRESS_A_KEY[self.language], self.language)),
                    program.StartTimer(_CONFIRM, int(CONFIRMING.total_seconds())),
                ]
            case program.LegAnswered(leg) if leg == SECOND:
                return self._join()
            case program.Digit(leg) if leg == SECOND and self._is_confirming:
                self._is_confirming = False
                return [program.StopTimer(_CONFIRM), program.Stop(SECOND), *self._join()]
            case program.LegEnded(leg, cause):
                return self._ended(leg, cause)
            case program.TimerFired(name) if name == _CONFIRM:
                # The key may have come while the timer was already on its way.
                if not self._is_confirming:
                    return ()
                return self._end(HangUpCause.NOT_CONFIRMED, CallOutcome.NO_ANSWER)
            case program.TimerFired(name) if name == program.CREDIT_USED_UP:
                return self._end(HangUpCause.CREDIT)
            case program.TimerFired():
                return self._end(HangUpCause.TIME_LIMIT)
            case program.AskedToHangUp():
                return self._end(HangUpCause.NORMAL if self._is_joined else HangUpCause.CANCELLED)
            case _:
                return ()

    def _dial(self, leg: str, number: str, shown: str) -> list[Action]:
        self._legs.append(leg)
        return [program.Dial(leg, number, shown, self.ring_seconds)]

    def _setup(self, leg: str, lines: Sequence[str], caller: str) -> list[Action]:
        if not self.tells_lines:
            return []
        return [program.Setup(leg, line, caller, self.second) for line in lines]

    def _join(self) -> list[Action]:
        self._is_joined = True
        return [
            program.Stop(FIRST),
            program.Bridge((FIRST, SECOND)),
            program.StartTimer(_LONGEST, self.longest_seconds),
        ]

    def _ended(self, leg: str, cause: HangUpCause) -> list[Action]:
        self._legs.remove(leg)
        # Who is left hears no reason: hanging up tells it, as on every telephone.
        return self._end(HangUpCause.NORMAL, OUTCOME_OF_CAUSE[cause])

    def _end(self, cause: HangUpCause, outcome: CallOutcome = CallOutcome.CANCELLED) -> list[Action]:
        if self._is_joined:
            outcome = CallOutcome.ANSWERED
        return [*(program.HangUp(leg, cause) for leg in self._legs), program.Finish(outcome)]
