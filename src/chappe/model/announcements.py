"""Announcements: one message told to many telephones, what is to be done where a machine answers, and what
became of each recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chappe.model.calls import Call, HangUpCause, Leg
from chappe.model.commands import Replay
from chappe.model.sounds import Sound, Speech, Uploaded


class OnMachine(StrEnum):
    """What is done where an answering machine answers: the message is left after its tone, played at once as
    to a person, or not at all."""

    LEAVE = "leave"
    PLAY = "play"
    HANG_UP = "hang_up"


class OnPerson(StrEnum):
    """What is done where a person answers; HANG_UP: the message is for answering machines only."""

    PLAY = "play"
    HANG_UP = "hang_up"


class AnnouncementState(StrEnum):
    """Where an announcement stands. RUNNING: somebody was rung. CANCELLED: those who had not been rung were
    not rung any more."""

    PLANNED = "planned"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


class RecipientState(StrEnum):
    """Where a recipient stands. REACHED: the message was played there. INTERRUPTED: the platform stopped in
    the middle of the call; it is not rung again without being asked."""

    WAITING = "waiting"
    CALLING = "calling"
    REACHED = "reached"
    MISSED = "missed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Reason(StrEnum):
    """Why a recipient was missed, or is rung again. MACHINE and PERSON: somebody answered for whom it was
    not. GONE: hung up before the message began. EXPIRED: its time was over."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    MACHINE = "machine"
    PERSON = "person"
    GONE = "gone"
    EXPIRED = "expired"
    CREDIT = "credit"
    FORBIDDEN = "forbidden"
    FAILED = "failed"


class AnsweredBy(StrEnum):
    """Who answered."""

    PERSON = "person"
    MACHINE = "machine"


RUNG_AGAIN = frozenset({Reason.BUSY, Reason.NO_ANSWER, Reason.UNREACHABLE})
"""Who may be there at the next attempt."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a day in which somebody may be rung, by the clock of a time zone (its IANA name). From the
    later to the earlier time it is the night."""

    begin: time
    end: time
    zone: str = "Europe/Paris"

    def opens(self, at: datetime) -> datetime:
        """`at` itself where it is within the hours, else when they begin next."""
        here = at.astimezone(ZoneInfo(self.zone))
        clock = here.time().replace(tzinfo=None)
        if self.begin < self.end:
            is_open = self.begin <= clock < self.end
        else:
            is_open = clock >= self.begin or clock < self.end
        if is_open:
            return at
        day = here.date() + timedelta(days=clock >= self.begin)
        return datetime.combine(day, self.begin, here.tzinfo).astimezone(at.tzinfo)


@dataclass(frozen=True, slots=True)
class Announcement:
    """One message for `count` recipients, who are rung from `starts_at` to `ends_at`.

    It is spoken (`text`, `language`, `voice`), or the uploaded sound with the ref `sound`, and lasts so many
    `milliseconds`. A person is told it `times` times, and again for `repeat_key`; one of `answer_keys` ends
    it and is noted. Who is busy, does not answer or is not reached is rung `attempts` times in all, `pause`
    seconds after one another. `shown` None is the account's own number. `opens` and `closes` are the minutes
    of the day between which somebody is rung in `zone` (both 0: at any time). `driver` is the job that rings
    its recipients. Times are aware, UTC.
    """

    id: int
    ref: str
    account_id: int
    name: str
    state: AnnouncementState
    text: str
    language: str
    voice: str
    sound: str
    milliseconds: int
    shown: str | None
    times: int
    repeat_key: str
    answer_keys: str
    on_machine: OnMachine
    on_person: OnPerson
    ring_seconds: int
    attempts: int
    pause: int
    starts_at: datetime
    ends_at: datetime
    opens: int
    closes: int
    zone: str
    count: int
    driver: int
    dialect: str
    created_at: datetime
    cancelled_at: datetime | None = None
    over_at: datetime | None = None
    reference: str = ""
    exchange_id: int | None = None
    user_id: int | None = None

    @property
    def what(self) -> Sound:
        """What is played."""
        return Uploaded(self.sound) if self.sound else Speech(self.text, self.language, self.voice)

    @property
    def hours(self) -> Hours | None:
        """When somebody may be rung, None for at any time."""
        if self.opens == self.closes:
            return None
        return Hours(_of_day(self.opens), _of_day(self.closes), self.zone)

    def may_ring(self, at: datetime) -> datetime:
        """`at` itself where somebody may be rung then, else the first time after it."""
        at = max(at, self.starts_at)
        return at if self.hours is None else self.hours.opens(at)


def _of_day(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One telephone that is told an announcement.

    `number` is its MSISDN. `call_id` is its last call of `attempts`, `due_at` when it is rung (again);
    `reason` why it was missed, in words in `detail` where it could not be rung. `machine`: a machine
    answered (None: nobody did). `key` is the answer key that was pressed, `seconds` how long the message was
    heard, `price` what its calls cost (thousandths).
    """

    id: int
    ref: str
    account_id: int
    announcement_id: int
    number: str
    state: RecipientState
    due_at: datetime
    attempts: int = 0
    call_id: int | None = None
    reason: Reason | None = None
    detail: str = ""
    machine: bool | None = None
    key: str = ""
    seconds: int = 0
    price: int = 0
    over_at: datetime | None = None

    @property
    def answered_by(self) -> AnsweredBy | None:
        """Who answered last, None for nobody (of whom we know)."""
        if self.machine is None:
            return None
        return AnsweredBy.MACHINE if self.machine else AnsweredBy.PERSON


# --- what is noted of a call, and what follows from it


class Fact(StrEnum):
    """What the call of a recipient notes (program.Note), each with its time."""

    PERSON = "person"
    MACHINE = "machine"
    BEGUN = "begun"
    ENDED = "ended"
    KEY = "key"


OF_CAUSE: Mapping[HangUpCause, Reason] = {
    HangUpCause.BUSY: Reason.BUSY,
    HangUpCause.NO_ANSWER: Reason.NO_ANSWER,
    HangUpCause.REJECTED: Reason.REFUSED,
    HangUpCause.UNREACHABLE: Reason.UNREACHABLE,
    HangUpCause.CREDIT: Reason.CREDIT,
    HangUpCause.FAILED: Reason.FAILED,
}
"""Why a recipient was missed whose leg ended so before the message began; for any other cause it was gone."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of the call of a recipient; see Recipient."""

    state: RecipientState
    reason: Reason | None
    machine: bool | None
    key: str
    seconds: int


def heard(call: Call, leg: Leg | None) -> Heard:
    """What a call that is over means for its recipient; `leg` is its leg, which is down."""
    noted = [(Fact(what), value, datetime.fromisoformat(when)) for what, value, when in call.notes]
    kinds = {fact for fact, _, _ in noted}
    # Where nobody listened who answered, a key tells it.
    is_person = bool(kinds & {Fact.PERSON, Fact.KEY})
    machine = True if Fact.MACHINE in kinds else False if is_person else None
    key = next((value for fact, value, _ in noted if fact is Fact.KEY), "")
    lasted, begun = timedelta(), None
    for fact, _, when in noted:
        if fact is Fact.BEGUN:
            begun = when
        elif fact is Fact.ENDED and begun is not None:
            lasted, begun = lasted + (when - begun), None
    if begun is not None and leg is not None and leg.ended_at is not None:
        lasted += max(leg.ended_at - begun, timedelta())
    seconds = round(lasted.total_seconds())
    is_cut = leg is not None and leg.cause is HangUpCause.INTERRUPTED
    if is_cut and (begun is not None or Fact.BEGUN not in kinds):
        return Heard(RecipientState.INTERRUPTED, None, machine, key, seconds)
    if Fact.BEGUN in kinds:
        return Heard(RecipientState.REACHED, None, machine, key, seconds)
    if leg is None or leg.cause is None:
        return Heard(RecipientState.MISSED, Reason.FAILED, machine, key, 0)
    reason = OF_CAUSE.get(leg.cause, Reason.GONE)
    if reason is Reason.GONE and machine is not None:
        reason = Reason.MACHINE if machine else Reason.PERSON
    return Heard(RecipientState.MISSED, reason, machine, key, 0)


@dataclass(frozen=True, slots=True)
class Count:
    """How many recipients stand where, and what all of them cost so far (thousandths)."""

    states: Mapping[RecipientState, int]
    price: int = 0

    def of(self, state: RecipientState) -> int:
        """How many stand there."""
        return self.states.get(state, 0)


@dataclass(frozen=True, slots=True)
class AnnouncementStory:
    """An announcement with how its recipients stand; `recipients` a page of them in the order in which they
    were named, which goes on behind `next_cursor`. `replayed` where a repeated request is told the first
    answer."""

    announcement: Announcement
    count: Count
    recipients: tuple[Recipient, ...] = ()
    next_cursor: int | None = None
    replayed: bool = False


# --- what is asked for


@dataclass(frozen=True, slots=True)
class SendAnnouncement:
    """Tell one message to one or many telephones, as `recipients` were written; see Announcement.

    It begins at once unless `starts_at` is ahead; `ends_at` None is a day later. `ring` is how long a
    telephone rings, `hours` when of a day. One bad recipient refuses the command. Outcome:
    AnnouncementStory.
    """

    recipients: tuple[str, ...]
    sound: Sound
    shown: str | None = None
    times: int = 1
    repeat_key: str = ""
    answer_keys: str = ""
    on_machine: OnMachine = OnMachine.LEAVE
    on_person: OnPerson = OnPerson.PLAY
    ring: timedelta = timedelta(seconds=30)
    attempts: int = 1
    pause: timedelta = timedelta(minutes=10)
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    hours: Hours | None = None
    name: str = ""
    reference: str = ""
    replay: Replay | None = None


@dataclass(frozen=True, slots=True)
class FindAnnouncement:
    """Outcome: AnnouncementStory; `state` and `number` (its beginning) narrow its recipients where they are
    not empty."""

    ref: str
    state: str = ""
    number: str = ""
    cursor: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ListAnnouncements:
    """Outcome: Page of AnnouncementStory without recipients, newest first; an empty `state` does not
    narrow."""

    state: str = ""
    cursor: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class CancelAnnouncement:
    """Ring nobody more; calls that are going on go on. Outcome: AnnouncementStory."""

    ref: str
