"""A callback: operators of a ring group are rung one after the other, the visitor is rung, and they speak.

The visitor who is up always hears something: a sound, that somebody is being rung, the answerphone, or why
nobody comes; then it is released.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from chappe.flows import program
from chappe.flows.answerphone import Answerphone
from chappe.flows.parties import IS_RECORDED, Party, Ringing, Speaking
from chappe.flows.program import Action, CallEvent
from chappe.flows.two_leg import CONFIRMING, RECORDING
from chappe.model.calls import OUTCOME_OF_CAUSE, CallOutcome, HangUpCause
from chappe.model.sounds import Sound, Speech, Tone

VISITOR = "visitor"
_LONGEST, _CONFIRM = "longest", "confirm"

_PRESS_A_KEY = {
    "fr": "Vous avez demandé à être rappelé. Pour être mis en relation, appuyez sur une touche.",
    "en": "You asked to be called back. To be connected, press any key.",
}
_NOBODY = {
    "fr": "Aucun conseiller n'est disponible pour le moment. Merci de votre appel, au revoir.",
    "en": "No adviser is available at the moment. Thank you, goodbye.",
}
_AGAIN = {
    "fr": "Aucun conseiller n'est disponible pour le moment. Nous vous rappelons dans quelques instants.",
    "en": "No adviser is available at the moment. We will call you again in a moment.",
}
_NOT_REACHED = {
    "fr": "Le visiteur n'a pas pu être joint.",
    "en": "The visitor could not be reached.",
}


class Rung(NamedTuple):
    """Who is to be rung, and for how long."""

    number: str
    seconds: int


class _Visitor(Enum):
    """Where the visitor is: not rung yet, rung, asked for a key, hearing its sounds, ready to be joined,
    hearing that nobody comes, speaking to the answerphone, gone."""

    AWAY = auto()
    RINGS = auto()
    CONFIRMS = auto()
    LISTENS = auto()
    READY = auto()
    LEAVES = auto()
    RECORDS = auto()
    GONE = auto()


@dataclass(slots=True)
class _Listening:
    """A leg hears some sounds, one after the other."""

    leg: str
    sounds: list[Sound]

    def next(self) -> list[Action]:
        """The next sound; nothing where all have been heard."""
        return [program.Play(self.leg, self.sounds.pop(0))] if self.sounds else []


@dataclass(slots=True)
class RingGroupCall:
    """`operators` are rung in this order, each at most once; with `visitor_first` after the visitor, who with
    `confirms` has to press a key. `told` is what an operator hears before the visitor is joined, `welcome`
    what the visitor hears. Where no operator can be had the answerphone takes the visitor, if the call
    `takes_messages`, else it is told so, and with `tries_again` that it will be called again.
    `longest_seconds` counts from the moment they are joined; what they say then is `recorded`."""

    visitor: str
    visitor_seconds: int
    operators: Sequence[Rung]
    shown_to_operator: str
    shown_to_visitor: str
    longest_seconds: int
    visitor_first: bool = False
    told: Sequence[Sound] = ()
    welcome: Sequence[Sound] = ()
    greeting: Sound | None = None
    takes_messages: bool = False
    tries_again: bool = False
    confirms: bool = False
    recorded: bool = False
    language: str = "fr"
    voice: str = "female"

    _left: list[Rung] = field(default_factory=list)
    _rung: int = 0
    _ringing: Ringing | None = None
    _operator: Party | None = None  # who has answered
    _told: _Listening | None = None  # what it still hears
    _released: bool = False  # it hears that the visitor was not reached
    _visitor: _Visitor = _Visitor.AWAY
    _heard: _Listening | None = None  # what the visitor still hears
    _answerphone: Answerphone | None = None
    _speaking: Speaking | None = None
    _why: CallOutcome = CallOutcome.NO_ANSWER

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        match event:
            case program.Started():
                self._left = list(self.operators)
                if not self._left and not self.takes_messages:
                    return [program.Finish(self._why)]
                return self._ring_visitor() if self.visitor_first or not self._left else self._ring_next()
            case program.TimerFired(name) if name == _CONFIRM:
                if self._visitor is not _Visitor.CONFIRMS:
                    return ()  # the key came while the timer was already on its way
                return self._end(HangUpCause.NOT_CONFIRMED, CallOutcome.REFUSED)
            case program.TimerFired(name):
                used_up = name == program.CREDIT_USED_UP
                return self._end(HangUpCause.CREDIT if used_up else HangUpCause.TIME_LIMIT)
            case program.AskedToHangUp():
                return self._end(HangUpCause.NORMAL if self._speaking else HangUpCause.CANCELLED)
            case _ if self._speaking is not None:
                return self._speak(self._speaking, event)
            case program.LegArrived(leg) if self._ringing is None:
                return [program.HangUp(leg)]  # it came to pick up what rings no more
            case program.LegEnded(leg, cause) if leg == VISITOR:
                return self._visitor_is_gone(cause)
            case program.LegAnswered(leg) if leg == VISITOR and self._visitor is _Visitor.RINGS:
                return self._visitor_answers()
            case program.Digit(leg) if leg == VISITOR and self._visitor is _Visitor.CONFIRMS:
                return [program.StopTimer(_CONFIRM), program.Stop(VISITOR), *self._visitor_is_there()]
            case program.PlayDone(leg) if leg == VISITOR and self._answerphone is None:
                return self._visitor_has_heard()
            case _ if self._answerphone is not None:
                return self._answer_machine(self._answerphone, event)
            case program.PlayDone(leg) if self._operator is not None and leg == self._operator.leg:
                return self._operator_has_heard()
            case program.LegEnded(leg) if self._operator is not None and leg == self._operator.leg:
                self._operator, self._told = None, None
                if self._released:
                    return [program.Finish(self._why)]
                return self._ring_next()
            case _ if self._ringing is not None:
                return self._rings(self._ringing, event)
            case _:
                return ()

    # --- operators

    def _ring_next(self) -> list[Action]:
        if not self._left:
            return self._nobody()
        operator = self._left.pop(0)
        self._rung += 1
        leg = f"operator-{self._rung}"
        visitor = Party(VISITOR, self.visitor, self.visitor)
        self._ringing = Ringing(visitor, Party(leg, operator.number, operator.number))
        return [
            program.Setup(leg, operator.number, self.shown_to_operator, operator.number),
            program.Dial(leg, operator.number, self.shown_to_operator, operator.seconds),
        ]

    def _rings(self, ringing: Ringing, event: CallEvent) -> list[Action]:
        actions = ringing.step(event)
        if ringing.lost is not None:
            self._ringing = None
            return [*actions, *self._ring_next()]
        if ringing.taken is None:
            return actions
        self._ringing, self._operator = None, ringing.taken
        self._told = _Listening(ringing.taken.leg, [*self.told, *self._announced()])
        return [*actions, *self._operator_has_heard()]

    def _operator_has_heard(self) -> list[Action]:
        """The operator has answered, or a sound has come to its end."""
        if self._operator is None:
            return []
        if self._released:
            return [program.HangUp(self._operator.leg), program.Finish(self._why)]
        if self._told is None:
            return []  # it waits, and hears that the visitor is being rung
        if actions := self._told.next():
            return actions
        self._told = None
        if self._visitor is _Visitor.READY:
            return self._join()
        waits: list[Action] = [program.Play(self._operator.leg, Tone.RINGBACK)]
        return [*waits, *self._ring_visitor()] if self._visitor is _Visitor.AWAY else waits

    # --- the visitor

    def _ring_visitor(self) -> list[Action]:
        self._visitor = _Visitor.RINGS
        return [program.Dial(VISITOR, self.visitor, self.shown_to_visitor, self.visitor_seconds)]

    def _visitor_answers(self) -> list[Action]:
        if not self.confirms:
            return self._visitor_is_there()
        self._visitor = _Visitor.CONFIRMS
        return [
            program.Play(VISITOR, self._speech(_PRESS_A_KEY)),
            program.StartTimer(_CONFIRM, int(CONFIRMING.total_seconds())),
        ]

    def _visitor_is_there(self) -> list[Action]:
        if not self._may_come:
            return self._take_message() if self.takes_messages else self._let_go()
        self._visitor = _Visitor.LISTENS
        self._heard = _Listening(VISITOR, [*self.welcome, *self._announced()])
        return self._visitor_has_heard()

    def _visitor_has_heard(self) -> list[Action]:
        """The visitor is there, or a sound has come to its end."""
        if self._visitor is _Visitor.LEAVES:
            self._visitor = _Visitor.GONE
            return [program.HangUp(VISITOR), program.Finish(self._why)]
        if self._visitor is not _Visitor.LISTENS or self._heard is None:
            return []
        if actions := self._heard.next():
            return actions
        self._visitor, self._heard = _Visitor.READY, None
        if self._operator is not None and self._told is None:
            return self._join()
        waits: list[Action] = [program.Play(VISITOR, Tone.RINGBACK)]
        is_alone = self._operator is None and self._ringing is None
        return [*waits, *self._ring_next()] if is_alone else waits

    def _visitor_is_gone(self, cause: HangUpCause) -> list[Action]:
        was, self._visitor = self._visitor, _Visitor.GONE
        timer = [program.StopTimer(_CONFIRM)] if was is _Visitor.CONFIRMS else []
        if self._answerphone is not None:
            # What it has said so far is kept; the call waits for that.
            return [program.Finish(CallOutcome.MACHINE)]
        if was is not _Visitor.LEAVES:
            self._why = OUTCOME_OF_CAUSE[cause] if was is _Visitor.RINGS else CallOutcome.CANCELLED
        if self._operator is None:
            rings = [] if self._ringing is None else self._ringing.stop()
            return [*timer, *rings, program.Finish(self._why)]
        self._released, self._told = True, None
        return [*timer, program.Play(self._operator.leg, self._speech(_NOT_REACHED))]

    # --- both, or nobody

    @property
    def _may_come(self) -> bool:
        """Whether an operator is there, or may be had."""
        return self._operator is not None or self._ringing is not None or bool(self._left)

    def _nobody(self) -> list[Action]:
        """No operator is there, and none is left to be rung."""
        match self._visitor:
            case _Visitor.AWAY if self.takes_messages:
                return self._ring_visitor()
            case _Visitor.AWAY:
                return [program.Finish(self._why)]
            case _Visitor.RINGS if not self.takes_messages:
                self._visitor = _Visitor.GONE
                return [program.HangUp(VISITOR, HangUpCause.CANCELLED), program.Finish(self._why)]
            case _Visitor.LISTENS | _Visitor.READY:
                stop = program.Stop(VISITOR)
                return [stop, *(self._take_message() if self.takes_messages else self._let_go())]
            case _:
                return []  # it is told, or the answerphone takes it, when it has answered

    def _take_message(self) -> list[Action]:
        self._visitor = _Visitor.RECORDS
        self._answerphone = Answerphone(VISITOR, "", self.language)
        begins = self._answerphone.begin()
        return begins if self.greeting is None else [program.Play(VISITOR, self.greeting)]

    def _let_go(self) -> list[Action]:
        self._visitor = _Visitor.LEAVES
        return [program.Play(VISITOR, self._speech(_AGAIN if self.tries_again else _NOBODY))]

    def _answer_machine(self, answerphone: Answerphone, event: CallEvent) -> list[Action]:
        actions = answerphone.step(event)
        return [*actions, program.Finish(CallOutcome.MACHINE)] if answerphone.is_done else actions

    def _join(self) -> list[Action]:
        assert self._operator is not None  # both are there
        self._speaking = Speaking((self._operator, Party(VISITOR, self.visitor, self.visitor)))
        actions: list[Action] = [
            program.Stop(self._operator.leg),
            program.Stop(VISITOR),
            program.Bridge((self._operator.leg, VISITOR)),
            program.StartTimer(_LONGEST, self.longest_seconds),
        ]
        return [*actions, program.Record(RECORDING)] if self.recorded else actions

    def _speak(self, speaking: Speaking, event: CallEvent) -> list[Action]:
        actions = speaking.step(event)
        if speaking.left is None:
            return actions
        ends = [program.HangUp(party.leg) for party in speaking.left]
        return [*actions, *ends, program.Finish(CallOutcome.ANSWERED)]

    def _end(self, cause: HangUpCause, outcome: CallOutcome = CallOutcome.CANCELLED) -> list[Action]:
        if self._speaking is not None:
            return [*self._speaking.stop(cause), program.Finish(CallOutcome.ANSWERED)]
        actions: list[Action] = [] if self._ringing is None else self._ringing.stop(cause)
        if self._operator is not None:
            actions.append(program.HangUp(self._operator.leg, cause))
        if self._visitor not in (_Visitor.AWAY, _Visitor.GONE):
            actions.append(program.HangUp(VISITOR, cause))
        has_greeted = self._answerphone is not None
        return [*actions, program.Finish(CallOutcome.MACHINE if has_greeted else outcome)]

    def _announced(self) -> list[Sound]:
        return [self._speech(IS_RECORDED)] if self.recorded else []

    def _speech(self, words: dict[str, str]) -> Speech:
        return Speech(words[self.language], self.language, self.voice)
