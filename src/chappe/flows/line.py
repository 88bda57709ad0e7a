"""A call to or from one of an account's lines: it rings, is forwarded, picked up, transferred, or the
answerphone takes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chappe.flows import program
from chappe.flows.answerphone import Answerphone
from chappe.flows.parties import IS_RECORDED, RING_SECONDS, Party, Ringing, Speaking
from chappe.flows.program import Action, CallEvent
from chappe.model.calls import OUTCOME_OF_CAUSE, CallOutcome, HangUpCause
from chappe.model.directory import ANSWERPHONE, HANG_UP, Forwarding
from chappe.model.sounds import Speech, Tone

CALLER, CALLED, FORWARDED, RECORDING = "caller", "called", "forwarded", "call"
_LONGEST = "longest"

_WHY = {HangUpCause.BUSY: "busy", HangUpCause.REJECTED: "busy", HangUpCause.NO_ANSWER: "no_answer"}
"""Which forwarding a cause asks for; any other means that the line cannot be reached."""


@dataclass(slots=True)
class LineCall:
    """`caller` calls `called`; `caller_line` is the caller's line where it has proven to be one, `is_line`
    whether a line of the account is called, whose `forwarding` then holds. What a party is shown: `shown`,
    and after forwarding `shown_forwarded` or, where the forwarding says so, the caller. A line that `is_busy`
    is not rung. Who calls hears `message` while it rings, for which it is answered first. What is said with
    the line, not with whom it forwards to, is `recorded`, which both hear when they are joined."""

    caller: str
    called: str
    shown: str
    longest_seconds: int
    caller_line: str = ""
    is_line: bool = False
    forwarding: Forwarding = field(default_factory=Forwarding)
    shown_forwarded: str = ""
    greeting: str = ""
    language: str = "fr"
    is_busy: bool = False
    message: str = ""
    recorded: bool = False

    _ringing: Ringing | None = None
    _taken: Party | None = None  # who has answered while the caller's leg is not up yet
    _speaking: Speaking | None = None
    _answerphone: Answerphone | None = None
    _is_up: bool = False  # the caller hears us
    _was_forwarded: bool = False
    _is_answering: bool = False  # the caller's leg was asked to be answered

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        match event:
            case program.LegArrived(leg, is_up=is_up) if leg == CALLER:
                self._is_up = is_up
                heard: list[Action] = [
                    program.Play(CALLER, Tone.RINGBACK) if is_up else program.Alert(CALLER)
                ]
                rings = self._ring()
                if self.message and self._ringing is not None:
                    heard = [self._say()] if is_up else self._answer()
                return [*heard, *rings]
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
            case program.LegEnded(leg) if leg == CALLER:
                return self._caller_is_gone()
            case program.LegAnswered(leg) if leg == CALLER:
                self._is_up = True
                return [self._say()] if self.message and self._ringing is not None else self._join()
            case program.PlayDone(leg) if leg == CALLER and self._ringing is not None:
                return [program.Play(CALLER, Tone.RINGBACK)]
            case program.LegEnded(leg) if self._taken is not None and leg == self._taken.leg:
                return self._end(HangUpCause.NORMAL)
            case _ if self._answerphone is not None:
                return self._answer_machine(self._answerphone, event)
            case _ if self._ringing is not None:
                return self._rings(self._ringing, event)
            case _:
                return ()

    @property
    def _waiting(self) -> Party:
        return Party(CALLER, self.caller, self.caller_line)

    def _ring(self) -> list[Action]:
        setup = program.Setup(CALLER, self.caller_line, self.caller, self.called)
        if self.forwarding.always:
            return [setup, *self._forward("always", HangUpCause.REJECTED)]
        if self.is_busy:
            return [setup, *self._forward("busy", HangUpCause.BUSY)]
        seconds = self.forwarding.no_answer_after if self.forwarding.no_answer else RING_SECONDS
        self._ringing = Ringing(self._waiting, Party(CALLED, self.called, self.called))
        return [
            setup,
            program.Setup(CALLED, self.called, self.shown, self.called),
            program.Dial(CALLED, self.called, self.shown, seconds, is_own=self.is_line),
        ]

    def _rings(self, ringing: Ringing, event: CallEvent) -> list[Action]:
        actions = ringing.step(event)
        if ringing.taken is not None:
            self._ringing, self._taken = None, ringing.taken
            return [*actions, *(self._join() if self._is_up else self._answer())]
        if ringing.lost is not None:
            self._ringing = None
            why = _WHY.get(ringing.lost, "unreachable")
            return [*actions, *self._forward(why, ringing.lost)]
        return actions

    def _say(self) -> Action:
        return program.Play(CALLER, Speech(self.message, self.language))

    def _answer(self) -> list[Action]:
        if self._is_answering:
            return []
        self._is_answering = True
        return [program.Answer(CALLER)]

    def _forward(self, why: str, cause: HangUpCause) -> list[Action]:
        target = "" if self._was_forwarded else str(getattr(self.forwarding, why))
        if target in ("", HANG_UP):
            return [program.HangUp(CALLER, cause), program.Finish(OUTCOME_OF_CAUSE[cause])]
        if target == ANSWERPHONE:
            self._answerphone = Answerphone(CALLER, self.greeting, self.language)
            return self._join() if self._is_up else self._answer()
        self._was_forwarded = True
        shows_caller = bool(getattr(self.forwarding, f"{why}_shows_caller"))
        party = Party(FORWARDED, target, target)
        self._ringing = Ringing(self._waiting, party)
        # The line that forwards is told, and so is the line to which it forwards.
        told = dict.fromkeys([self.called, target])
        return [
            *(program.Setup(FORWARDED, one, self.shown, target, redirecting=self.called) for one in told),
            program.Dial(
                FORWARDED, target, self.shown if shows_caller else self.shown_forwarded, RING_SECONDS
            ),
        ]

    def _join(self) -> list[Action]:
        if self._answerphone is not None:
            # A line that reaches an answerphone sees 22 digits (dialects.md 5a); which ones is our choice.
            return [program.Connect(CALLER, self.called * 2), *self._answerphone.begin()]
        if self._taken is None:
            return []
        taken, self._taken = self._taken, None
        self._speaking = Speaking((self._waiting, taken))
        actions: list[Action] = [
            program.Bridge((CALLER, taken.leg)),
            program.StartTimer(_LONGEST, self.longest_seconds),
        ]
        if self.recorded and taken.leg != FORWARDED:
            said = Speech(IS_RECORDED[self.language], self.language)
            actions.append(program.Announce(said))
            actions.append(program.Record(RECORDING, longest_seconds=self.longest_seconds))
        return actions

    def _speak(self, speaking: Speaking, event: CallEvent) -> list[Action]:
        actions = speaking.step(event)
        if speaking.left is None:
            return actions
        ends = [program.HangUp(party.leg) for party in speaking.left]
        return [*actions, *ends, program.Finish(CallOutcome.ANSWERED)]

    def _answer_machine(self, answerphone: Answerphone, event: CallEvent) -> list[Action]:
        actions = answerphone.step(event)
        return [*actions, program.Finish(CallOutcome.MACHINE)] if answerphone.is_done else actions

    def _caller_is_gone(self) -> list[Action]:
        if self._answerphone is not None:
            outcome = CallOutcome.MACHINE if self._is_up else CallOutcome.CANCELLED
            return [program.Finish(outcome)]
        return [*self._stop(HangUpCause.CANCELLED), program.Finish(CallOutcome.CANCELLED)]

    def _stop(self, cause: HangUpCause) -> list[Action]:
        """End everybody but the caller, who speaks with nobody."""
        if self._taken is not None:
            return [program.HangUp(self._taken.leg, cause)]
        return [] if self._ringing is None else self._ringing.stop(cause)

    def _end(self, cause: HangUpCause) -> list[Action]:
        if self._speaking is not None:
            return [*self._speaking.stop(cause), program.Finish(CallOutcome.ANSWERED)]
        has_greeted = self._answerphone is not None and self._is_up
        outcome = CallOutcome.MACHINE if has_greeted else CallOutcome.CANCELLED
        return [program.HangUp(CALLER, cause), *self._stop(cause), program.Finish(outcome)]
