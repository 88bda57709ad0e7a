"""Calls and their legs, why a leg ended, and what became of a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class CallKind(StrEnum):
    """Which flow a call runs."""

    TWO_LEG = "two_leg"
    CONFERENCE = "conference"
    ANNOUNCEMENT = "announcement"
    LINE = "line"
    RECEPTION = "reception"
    CALLBACK = "callback"


class CallState(StrEnum):
    """Where a call stands."""

    PLANNED = "planned"
    LIVE = "live"
    OVER = "over"


class CallOutcome(StrEnum):
    """What became of a call that is over; ANSWERED: its parties were joined, or an announcement played."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    MACHINE = "machine"
    CANCELLED = "cancelled"
    FAILED = "failed"


class LegState(StrEnum):
    """Where a leg stands."""

    DIALLING = "dialling"
    RINGING = "ringing"
    UP = "up"
    DOWN = "down"


LEG_MAY_FOLLOW: Mapping[LegState, frozenset[LegState]] = {
    LegState.DIALLING: frozenset(),
    LegState.RINGING: frozenset({LegState.DIALLING}),
    # A telephone that answers by itself never rings.
    LegState.UP: frozenset({LegState.DIALLING, LegState.RINGING}),
    LegState.DOWN: frozenset({LegState.DIALLING, LegState.RINGING, LegState.UP}),
}


class HangUpCause(StrEnum):
    """Why a leg ended: what the network said, or why we ended it."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    NOT_CONFIRMED = "not_confirmed"
    TIME_LIMIT = "time_limit"
    CREDIT = "credit"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    """Another telephone has picked the call up."""
    TRANSFERRED = "transferred"
    """The party has given its partner to somebody else."""


OUTCOME_OF_CAUSE: Mapping[HangUpCause, CallOutcome] = {
    HangUpCause.NORMAL: CallOutcome.CANCELLED,
    HangUpCause.BUSY: CallOutcome.BUSY,
    HangUpCause.NO_ANSWER: CallOutcome.NO_ANSWER,
    HangUpCause.REJECTED: CallOutcome.REFUSED,
    HangUpCause.UNREACHABLE: CallOutcome.UNREACHABLE,
    HangUpCause.CANCELLED: CallOutcome.CANCELLED,
    HangUpCause.NOT_CONFIRMED: CallOutcome.NO_ANSWER,
    HangUpCause.TIME_LIMIT: CallOutcome.CANCELLED,
    HangUpCause.CREDIT: CallOutcome.CANCELLED,
    HangUpCause.FAILED: CallOutcome.FAILED,
    HangUpCause.INTERRUPTED: CallOutcome.FAILED,
    HangUpCause.ANSWERED_ELSEWHERE: CallOutcome.CANCELLED,
    HangUpCause.TRANSFERRED: CallOutcome.CANCELLED,
}
"""What became of a call one of whose parties ended so before it was joined."""


@dataclass(frozen=True, slots=True)
class Call:
    """One telephone matter with its legs.

    `first` and `second` are the parties as MSISDN, in the order in which they are rung; of a callback the
    visitor and the first operator. `plan` is what its
    flow is made of (JSON data). `reserved` is held of the balance until it is over; then its `price` is
    taken (thousandths). `seen_at` is when the node that works it last said so: a call
    that was interrupted ended then. `is_virtual`: it rings nobody beyond the sandbox
    and the telephones of lines. Times are aware, UTC.
    """

    id: int
    ref: str
    account_id: int
    kind: CallKind
    state: CallState
    first: str
    second: str
    plan: dict[str, object]
    dialect: str
    created_at: datetime
    seen_at: datetime
    node: str = ""
    joined_at: datetime | None = None
    over_at: datetime | None = None
    outcome: CallOutcome | None = None
    reserved: int = 0
    price: int = 0
    reference: str = ""
    exchange_id: int | None = None
    user_id: int | None = None
    is_virtual: bool = False

    @property
    def notes(self) -> Sequence[Sequence[str]]:
        """What its flow has noted (program.Note), oldest first: what, a value, and when (ISO 8601)."""
        noted = self.plan.get("notes", ())
        return noted if isinstance(noted, list) else ()


@dataclass(frozen=True, slots=True)
class Leg:
    """One party's connection.

    `name` is what its call's flow calls it, `shown` the number that the party sees (empty: hidden), `rate`
    what a minute costs and `price` what it cost (thousandths). `reserved` is held of the balance for this leg
    alone until it ends, 0 where it is paid from what its call holds. An `inbound` leg came to us: its party,
    `number`, has called what is `shown`.
    """

    id: int
    account_id: int
    call_id: int
    name: str
    number: str
    shown: str
    carrier: str
    state: LegState
    created_at: datetime
    rate: int
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: HangUpCause | None = None
    machine: bool = False
    price: int = 0
    inbound: bool = False
    reserved: int = 0


class RecordingPurpose(StrEnum):
    """What a recording was made for."""

    CALL = "call"
    CONFERENCE = "conference"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded of a call: a WAV file (8 kHz, 16 bits, mono) of `size` bytes in the platform's
    folder `recordings`, named by `ref`. `leg_id` where it is what one party said. `line` is the line for
    which a message was left, `heard_at` when its owner has listened to it first."""

    id: int
    ref: str
    account_id: int
    call_id: int
    leg_id: int | None
    purpose: RecordingPurpose
    started_at: datetime
    ended_at: datetime | None = None
    milliseconds: int = 0
    size: int = 0
    line: str = ""
    heard_at: datetime | None = None


class LineNews(StrEnum):
    """What a line is told of its part in a call, in Keyyo's words (dialects.md 5a)."""

    SETUP = "SETUP"
    CONNECT = "CONNECT"
    RELEASE = "RELEASE"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What one of the account's lines has to do with one leg of a call, from its first ring to its end.

    `caller` and `callee` are who calls whom as the line sees it (MSISDN, empty: hidden), `ref` its name of 32
    hexadecimal digits, `replaces` the ref of the one whose place it takes (pick-up, attended transfer), and
    `redirecting` the line that forwards the call.
    """

    id: int
    account_id: int
    call_id: int
    line_id: int
    line: str
    leg: str
    caller: str
    callee: str
    ref: str
    replaces: str
    redirecting: str
    created_at: datetime
    connected_at: datetime | None = None
    ended_at: datetime | None = None


class LegEventKind(StrEnum):
    """What a voice carrier tells of a leg."""

    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    KEY = "key"
    PLAYED = "played"
    JUDGED = "judged"
    MACHINE_READY = "machine_ready"
    TALKING = "talking"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class LegEvent:
    """Something happened to a leg; `cause` where it ended, `key` where one was pressed, `machine` where an
    answering machine answered, or was heard (`judged`). `machine_ready`: its tone is over, it records."""

    leg_id: int
    kind: LegEventKind
    at: datetime
    cause: HangUpCause | None = None
    key: str = ""
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that comes to us as a new leg, `leg_id` given by the carrier from the platform's ids.

    `caller` is the number that calls (MSISDN, empty: hidden), `dialled` what it has dialled as it was sent.
    `line` is the number of the account's line where its telephone has proven to be it; `account_id` where
    the carrier knows whose telephone calls, else 0.
    """

    leg_id: int
    carrier: str
    caller: str
    dialled: str
    at: datetime
    line: str = ""
    account_id: int = 0


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """The telephone at a leg gives its partner away: to `number` as it was sent, or to the partner of the leg
    `other_id` (0: none), where it speaks with both and lets them speak with one another."""

    leg_id: int
    number: str
    other_id: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording has come to its end: a WAV file (8 kHz, 16 bits, mono) at `path`, which is the receiver's
    to move or delete. `key` is the one that ended it, if any."""

    recording_id: int
    at: datetime
    seconds: float
    path: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class CallStory:
    """A call with its legs, oldest first; `replayed` where a repeated request is told the first answer."""

    call: Call
    legs: tuple[Leg, ...] = ()
    replayed: bool = False

    def as_of(self, at: datetime) -> "CallStory":
        """The call as it was at a time: what happened later is not there."""
        call, legs = self.call, [leg for leg in self.legs if leg.created_at <= at]
        if call.over_at is not None and call.over_at > at:
            call = replace(call, state=CallState.LIVE, over_at=None, outcome=None, price=0)
        if call.joined_at is not None and call.joined_at > at:
            call = replace(call, joined_at=None)
        return CallStory(call, tuple(leg_as_of(leg, at) for leg in legs))


def leg_as_of(leg: Leg, at: datetime) -> Leg:
    """A leg as it was at a time."""
    if leg.ended_at is not None and leg.ended_at > at:
        leg = replace(leg, ended_at=None, cause=None, price=0, state=LegState.UP)
    if leg.answered_at is not None and leg.answered_at > at:
        leg = replace(leg, answered_at=None, machine=False)
    if leg.ringing_at is not None and leg.ringing_at > at:
        leg = replace(leg, ringing_at=None)
    if leg.ended_at is None:
        state = LegState.UP if leg.answered_at else LegState.RINGING if leg.ringing_at else LegState.DIALLING
        leg = replace(leg, state=state)
    return leg


def charge(leg: Leg, until: datetime) -> int:
    """What a leg costs in thousandths when it ends at a time: by the second begun, nothing unless it was
    answered (our choice)."""
    if leg.answered_at is None:
        return 0
    seconds = -(-(until - leg.answered_at).total_seconds() // 1)
    return int(-(-leg.rate * max(0, seconds) // 60))
