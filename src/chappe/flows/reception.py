"""Who has dialled a call-in number: handed over to the conference that knows the number, else asked for the
room code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chappe.flows import program
from chappe.flows.program import Action, CallEvent, Door
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.conferences import CODE_DIGITS
from chappe.model.sounds import Speech

TRIES = 3
THINKING = timedelta(seconds=20)
"""How many codes may be wrong before we hang up, and how long somebody may think before the next key, else
it counts as a wrong code (our choice)."""

_FAREWELL = timedelta(seconds=15)
"""How long a goodbye may last at most (our choice)."""

_THINK, _LEAVE = "think", "leave"
_ALL, _AGAIN = "#", "*"

_ASK = {
    "fr": "Bonjour. Composez le code de votre conférence, à six chiffres.",
    "en": "Hello. Please enter the six digit code of your conference.",
}
_WRONG = {
    "fr": "Ce code n'est pas celui d'une conférence. Composez-le de nouveau.",
    "en": "This is not the code of a conference. Please enter it again.",
}
_TURNED_AWAY = {
    Door.EARLY: {
        "fr": "Votre conférence n'a pas encore commencé. Rappelez plus tard.",
        "en": "Your conference has not begun yet. Please call again later.",
    },
    Door.OVER: {
        "fr": "Votre conférence est terminée. Au revoir.",
        "en": "Your conference is over. Goodbye.",
    },
    Door.LOCKED: {
        "fr": "Cette conférence est verrouillée. Au revoir.",
        "en": "This conference is locked. Goodbye.",
    },
    Door.ELSEWHERE: {
        "fr": "Cette conférence se tient sur un autre réseau, d'où vous ne pouvez pas être relié. Au revoir.",
        "en": "This conference is held on another network, to which you cannot be connected. Goodbye.",
    },
    Door.UNKNOWN: {
        "fr": "Ce code n'est pas celui d'une conférence. Au revoir.",
        "en": "This is not the code of a conference. Goodbye.",
    },
}


@dataclass(slots=True)
class Reception:
    """One caller. As long as no conference is known both languages are spoken, one after the other."""

    _leg: str = ""
    _digits: str = ""
    _wrong: int = 0
    _to_say: list[Speech] = field(default_factory=list)
    _is_asking: bool = False
    _is_leaving: bool = False

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        match event:
            case program.LegArrived(leg):
                self._leg = leg
                return [program.Answer(leg)]
            case program.LegAnswered(leg):
                return [program.FindRoom(leg)]
            case program.RoomFound():
                return self._found(event)
            case program.Digit(_, key) if self._is_asking:
                return self._pressed(key)
            case program.PlayDone():
                return self._said()
            case program.TimerFired(name) if name == _THINK and self._is_asking:
                return self._miss()
            case program.TimerFired(name) if name == _LEAVE:
                return self._leave(HangUpCause.REJECTED)
            case program.LegEnded():
                return [program.Finish(CallOutcome.CANCELLED)]
            case program.AskedToHangUp():
                return self._leave(HangUpCause.NORMAL)
            case _:
                return ()

    def _found(self, found: program.RoomFound) -> list[Action]:
        if found.door is Door.OPEN:
            self._is_asking = False
            hand_over = program.HandOver(self._leg, found.call_id, found.name)
            return [hand_over, program.Finish(CallOutcome.ANSWERED)]
        if found.door is not Door.UNKNOWN:
            return self._turn_away(found.door, found.language)
        return self._miss() if self._digits else self._ask(_ASK)

    def _ask(self, texts: dict[str, str]) -> list[Action]:
        self._is_asking, self._digits = True, ""
        return [*self._say(texts), program.StartTimer(_THINK, int(THINKING.total_seconds()))]

    def _pressed(self, key: str) -> list[Action]:
        self._to_say.clear()
        actions: list[Action] = [
            program.Stop(self._leg),
            program.StartTimer(_THINK, int(THINKING.total_seconds())),
        ]
        if key == _AGAIN:
            self._digits = ""
            return actions
        if key != _ALL:
            self._digits += key
        if key == _ALL or len(self._digits) == CODE_DIGITS:
            self._is_asking = False
            return [program.Stop(self._leg), program.StopTimer(_THINK), *self._look()]
        return actions

    def _look(self) -> list[Action]:
        # No code is that short: it needs no look.
        if len(self._digits) < CODE_DIGITS:
            return self._miss()
        return [program.FindRoom(self._leg, self._digits)]

    def _miss(self) -> list[Action]:
        self._wrong += 1
        if self._wrong >= TRIES:
            return self._turn_away(Door.UNKNOWN)
        return self._ask(_WRONG)

    def _turn_away(self, door: Door, language: str = "") -> list[Action]:
        self._is_asking, self._is_leaving = False, True
        return [
            program.StopTimer(_THINK),
            program.StartTimer(_LEAVE, int(_FAREWELL.total_seconds())),
            *self._say(_TURNED_AWAY[door], language),
        ]

    def _say(self, texts: dict[str, str], language: str = "") -> list[Action]:
        self._to_say = [Speech(texts[one], one) for one in texts if language in ("", one)]
        return [program.Play(self._leg, self._to_say.pop(0))]

    def _said(self) -> list[Action]:
        if self._to_say:
            return [program.Play(self._leg, self._to_say.pop(0))]
        return self._leave(HangUpCause.REJECTED) if self._is_leaving else []

    def _leave(self, cause: HangUpCause) -> list[Action]:
        return [program.HangUp(self._leg, cause), program.Finish(CallOutcome.REFUSED)]
