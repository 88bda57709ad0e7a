"""What a flow is: the course of one call as a pure program, told events and answering with actions.

Legs and timers have names that the flow chooses; it knows neither clock nor network (ARCHITECTURE.md 10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.sounds import Sound

CREDIT_USED_UP = "credit"
"""The timer that the switchboard starts itself, when what was reserved pays no more."""


# --- what happens


@dataclass(frozen=True, slots=True)
class Started:
    """The call begins."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    """The party's telephone rings."""

    leg: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The party has answered; `machine` where the network, or listening, could tell."""

    leg: str
    machine: bool = False


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is down, whoever ended it."""

    leg: str
    cause: HangUpCause


@dataclass(frozen=True, slots=True)
class Digit:
    """The party has pressed a key."""

    leg: str
    key: str


@dataclass(frozen=True, slots=True)
class PlayDone:
    """What was played to the leg has come to its end."""

    leg: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer has run out."""

    name: str


@dataclass(frozen=True, slots=True)
class AskedToHangUp:
    """Whoever owns the call wants it ended."""


CallEvent = Started | LegRinging | LegAnswered | LegEnded | Digit | PlayDone | TimerFired | AskedToHangUp


# --- what is to be done


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring a number as a new leg; `shown` is what it sees (empty: hidden)."""

    leg: str
    number: str
    shown: str
    ring_seconds: int


@dataclass(frozen=True, slots=True)
class Play:
    """Play to a leg, in place of what it hears. A tone goes on until it is stopped."""

    leg: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop what is played to a leg."""

    leg: str


@dataclass(frozen=True, slots=True)
class Bridge:
    """Join legs that are up; they hear one another."""

    legs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a leg; nothing where it is down already."""

    leg: str
    cause: HangUpCause = HangUpCause.NORMAL


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Fire once, so many seconds from now; starting one anew puts it off."""

    name: str
    seconds: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Do not fire."""

    name: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The call is over when its last leg is down; nothing more is told to the flow."""

    outcome: CallOutcome


Action = Dial | Play | Stop | Bridge | HangUp | StartTimer | StopTimer | Finish


class Flow(Protocol):
    """The course of one call."""

    def step(self, event: CallEvent) -> Sequence[Action]:
        """What is to be done now, in this order."""
        ...
