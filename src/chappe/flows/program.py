"""What a flow is: the course of one call as a pure program, told events and answering with actions.

Legs and timers have names that the flow chooses; it knows neither clock nor network (ARCHITECTURE.md 10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.sounds import Sound

CREDIT_USED_UP = "credit"
"""The timer that the switchboard starts itself, when what was reserved pays no more."""


class Door(StrEnum):
    """How a conference receives somebody who wants to come in; UNKNOWN: there is none, ELSEWHERE: it is held
    on a network, or a switch, whose legs cannot be joined with the one that came."""

    OPEN = "open"
    EARLY = "early"
    OVER = "over"
    LOCKED = "locked"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


# --- what happens


@dataclass(frozen=True, slots=True)
class Started:
    """The call begins."""


@dataclass(frozen=True, slots=True)
class LegArrived:
    """A leg has come to this call: a party that calls (`is_up` false: it hears nothing yet), or one that
    another call has handed over. `number` is the party's, `dialled` what it has dialled; see HandOver for
    the rest."""

    leg: str
    number: str
    dialled: str
    is_up: bool = False
    replaces: str = ""
    line: str = ""


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
class LegJudged:
    """Listening has told whether a machine has answered."""

    leg: str
    machine: bool


@dataclass(frozen=True, slots=True)
class MachineReady:
    """The answering machine's tone is over: it records."""

    leg: str


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
class RecordDone:
    """A recording has come to its end, and is kept; `key` is the one that ended it, if any."""

    recording: str
    seconds: float
    key: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer has run out."""

    name: str


@dataclass(frozen=True, slots=True)
class AskedToHangUp:
    """Whoever owns the call wants it ended."""


@dataclass(frozen=True, slots=True)
class AskedToAdd:
    """Whoever owns the call wants another party rung; `options` are the flow's own (JSON data)."""

    number: str
    shown: str
    rate: int
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskedToTransfer:
    """`leg` gives its partner away to `number`: blind, or after having spoken to it (`attended`)."""

    leg: str
    number: str
    shown: str
    attended: bool = False


@dataclass(frozen=True, slots=True)
class AskedToHandOver:
    """`leg` gives its partner away to the one with whom it speaks in the live call `call_id`, there as the
    leg `replaces`; the partner is to be called `name` there."""

    leg: str
    call_id: int
    name: str
    replaces: str


@dataclass(frozen=True, slots=True)
class AskedToPickUp:
    """The line `number` takes the call that rings elsewhere."""

    number: str


@dataclass(frozen=True, slots=True)
class AskedToLock:
    """Nobody may join any more, or again."""

    locked: bool


@dataclass(frozen=True, slots=True)
class AskedToRecord:
    """What is said is to be recorded from now on, or no more."""

    recorded: bool


@dataclass(frozen=True, slots=True)
class RoomFound:
    """What FindRoom has found: the conference is live as the call `call_id`, which calls the leg `name`; else
    `call_id` is 0 and `door` says why nobody comes in. `language` is the conference's, empty for none."""

    leg: str
    door: Door
    call_id: int = 0
    name: str = ""
    language: str = ""


CallEvent = (
    Started
    | LegArrived
    | LegRinging
    | LegAnswered
    | LegJudged
    | MachineReady
    | LegEnded
    | Digit
    | PlayDone
    | RecordDone
    | TimerFired
    | AskedToHangUp
    | AskedToAdd
    | AskedToTransfer
    | AskedToHandOver
    | AskedToPickUp
    | AskedToLock
    | AskedToRecord
    | RoomFound
)


# --- what is to be done


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring a number as a new leg; `shown` is what it sees (empty: hidden). With `judges` we listen whether a
    machine has answered. One of the account's own lines costs nothing where the flow knows it for one
    (`is_own`). `reserve` is held of the balance for this leg alone until it ends (thousandths), 0 where it is
    paid from what its call holds; `cap` as in model/ledger.py, Hold."""

    leg: str
    number: str
    shown: str
    ring_seconds: int
    judges: bool = False
    is_own: bool = False
    reserve: int = 0
    cap: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """Let a party that calls hear that it rings."""

    leg: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the call of a party that calls; LegAnswered follows."""

    leg: str


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
    """Join legs that are up; they hear one another, and those that were joined before."""

    legs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Take a leg out of what it was joined to; it stays up."""

    leg: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Play to all that are joined, over what they say."""

    sound: Sound


@dataclass(frozen=True, slots=True)
class Mute:
    """Nobody hears a leg any more, or again."""

    leg: str
    muted: bool = True


@dataclass(frozen=True, slots=True)
class SendKeys:
    """Press keys towards a leg."""

    leg: str
    keys: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record what a leg says, or with no `leg` all that are joined. `purpose` says what for: "call",
    "conference" or "message". A message ends with `#`, too, and after five seconds of silence."""

    recording: str
    leg: str = ""
    longest_seconds: int = 7200
    purpose: str = "call"


@dataclass(frozen=True, slots=True)
class StopRecord:
    """End a recording; RecordDone follows."""

    recording: str


@dataclass(frozen=True, slots=True)
class FindRoom:
    """Look for the conference that a leg has called for: the one that its code opens, with no code the one
    that knows its number; RoomFound follows."""

    leg: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Admit:
    """A leg takes part in the conference from now on, until it ends: whoever wants to know is told."""

    leg: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give a leg that is up to another live call, which calls it `name`; it is told LegArrived. There it
    takes the place of the leg `replaces`, if any; `line` is as in flows/parties.py, Party."""

    leg: str
    call_id: int
    name: str
    replaces: str = ""
    line: str = ""


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
class Reserve:
    """Hold more of the balance for the call (thousandths); `cap` as in model/ledger.py, Hold. With `leaves`
    somebody beyond the sandbox and the telephones of lines will be rung: the call counts as such a one."""

    amount: int
    cap: int
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """The number `line` takes part in `leg`, and is told so where it is a line of the account: who calls
    whom, and whose place it takes. It is connected when its leg is joined to another, and over with its leg,
    or when the same line takes part in the same leg anew. `replaces` names a leg in which somebody took part
    before, `redirecting` the line that forwards."""

    leg: str
    line: str
    caller: str
    callee: str
    replaces: str = ""
    redirecting: str = ""


@dataclass(frozen=True, slots=True)
class Connect:
    """Whoever takes part in `leg` is connected, to `callee` where it is another than was called."""

    leg: str
    callee: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """The line takes no part in a leg any more."""

    leg: str
    line: str


@dataclass(frozen=True, slots=True)
class Note:
    """Write down that something has happened in the call, with the time; its plan holds it (`notes`)."""

    what: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The call is over when its last leg is down; nothing more is told to the flow."""

    outcome: CallOutcome


Action = (
    Dial
    | Alert
    | Answer
    | Play
    | Stop
    | Bridge
    | Part
    | Announce
    | Mute
    | SendKeys
    | Record
    | StopRecord
    | FindRoom
    | Admit
    | HandOver
    | HangUp
    | StartTimer
    | StopTimer
    | Reserve
    | Setup
    | Connect
    | Release
    | Note
    | Finish
)


class Flow(Protocol):
    """The course of one call."""

    def step(self, event: CallEvent) -> Sequence[Action]:
        """What is to be done now, in this order."""
        ...
