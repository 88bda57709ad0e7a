"""Ring one party, then the other, and join them: click-to-call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from chappe.flows import program
from chappe.flows.parties import IS_RECORDED, Party, Ringing, Speaking
from chappe.flows.program import Action, CallEvent
from chappe.model.calls import OUTCOME_OF_CAUSE, CallOutcome, HangUpCause
from chappe.model.sounds import Speech, Tone

FIRST, SECOND, RECORDING = "first", "second", "call"
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
    the first party; what lines take part in is not told without `tells_lines`. What both say is
    `recorded`, which they hear of a line's call when they are joined (our choice)."""

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
    recorded: bool = False

    _ringing: Ringing | None = None
    _confirming: Party | None = None
    _speaking: Speaking | None = None

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        match event:
            case program.Started():
                lines = [line for line in dict.fromkeys([self.line, self.first]) if line]
                return [
                    *self._setup(FIRST, lines, self.first),
                    program.Dial(FIRST, self.first, self.shown_to_first, self.ring_seconds),
                ]
            case program.TimerFired(name) if name == _CONFIRM:
                # The key may have come while the timer was already on its way.
                if self._confirming is None:
                    return ()
                return self._end(HangUpCause.NOT_CONFIRMED, CallOutcome.NO_ANSWER)
            case program.TimerFired(name) if name == program.CREDIT_USED_UP:
                return self._end(HangUpCause.CREDIT)
            case program.TimerFired():
                return self._end(HangUpCause.TIME_LIMIT)
            case program.AskedToHangUp():
                return self._end(HangUpCause.NORMAL if self._speaking else HangUpCause.CANCELLED)
            case _ if self._speaking is not None:
                return self._speak(self._speaking, event)
            case program.LegArrived(leg) if self._ringing is None:
                return [program.HangUp(leg)]  # it came to pick up what rings no more
            case program.LegAnswered(leg) if leg == FIRST:
                return self._ring()
            case program.LegEnded(leg, cause) if leg == FIRST:
                # Who is left hears no reason: hanging up tells it, as on every telephone.
                return [*self._stop(HangUpCause.NORMAL), program.Finish(OUTCOME_OF_CAUSE[cause])]
            case _ if self._confirming is not None:
                return self._confirm(self._confirming, event)
            case _ if self._ringing is not None:
                return self._rings(self._ringing, event)
            case _:
                return ()

    def _setup(self, leg: str, lines: Sequence[str], caller: str) -> list[Action]:
        if not self.tells_lines:
            return []
        return [program.Setup(leg, line, caller, self.second) for line in lines]

    def _ring(self) -> list[Action]:
        first, second = Party(FIRST, self.first, self.first), Party(SECOND, self.second, self.second)
        self._ringing = Ringing(first, second)
        return [
            program.Play(FIRST, Tone.RINGBACK),
            *self._setup(SECOND, [self.second], self.shown_to_second),
            program.Dial(SECOND, self.second, self.shown_to_second, self.ring_seconds),
        ]

    def _rings(self, ringing: Ringing, event: CallEvent) -> list[Action]:
        actions = ringing.step(event)
        if ringing.lost is not None:
            self._ringing = None
            return [*actions, *self._end(HangUpCause.NORMAL, OUTCOME_OF_CAUSE[ringing.lost])]
        if ringing.taken is None:
            return actions
        self._ringing = None
        if not self.confirm or ringing.taken.leg != SECOND:
            return [*actions, *self._join(ringing.taken)]
        self._confirming = ringing.taken
        return [
            *actions,
            program.Play(SECOND, Speech(_PRESS_A_KEY[self.language], self.language)),
            program.StartTimer(_CONFIRM, int(CONFIRMING.total_seconds())),
        ]

    def _confirm(self, party: Party, event: CallEvent) -> list[Action]:
        match event:
            case program.Digit(leg) if leg == party.leg:
                self._confirming = None
                return [program.StopTimer(_CONFIRM), program.Stop(SECOND), *self._join(party)]
            case program.LegEnded(leg, cause) if leg == party.leg:
                self._confirming = None
                return self._end(HangUpCause.NORMAL, OUTCOME_OF_CAUSE[cause])
            case _:
                return []

    def _join(self, other: Party) -> list[Action]:
        self._speaking = Speaking((Party(FIRST, self.first, self.first), other))
        actions: list[Action] = [
            program.Stop(FIRST),
            program.Bridge((FIRST, other.leg)),
            program.StartTimer(_LONGEST, self.longest_seconds),
        ]
        if self.recorded:
            if self.line:
                actions.append(program.Announce(Speech(IS_RECORDED[self.language], self.language)))
            actions.append(program.Record(RECORDING, longest_seconds=self.longest_seconds))
        return actions

    def _speak(self, speaking: Speaking, event: CallEvent) -> list[Action]:
        actions = speaking.step(event)
        if speaking.left is None:
            return actions
        ends = [program.HangUp(party.leg) for party in speaking.left]
        return [*actions, *ends, program.Finish(CallOutcome.ANSWERED)]

    def _stop(self, cause: HangUpCause) -> list[Action]:
        """End everybody but the first party."""
        if self._confirming is not None:
            return [program.HangUp(self._confirming.leg, cause)]
        return [] if self._ringing is None else self._ringing.stop(cause)

    def _end(self, cause: HangUpCause, outcome: CallOutcome = CallOutcome.CANCELLED) -> list[Action]:
        if self._speaking is not None:
            return [*self._speaking.stop(cause), program.Finish(CallOutcome.ANSWERED)]
        return [program.HangUp(FIRST, cause), *self._stop(cause), program.Finish(outcome)]
