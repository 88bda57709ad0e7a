"""Conferences: who may come in and how, when, and who takes part."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chappe.model.calls import Leg, leg_as_of
from chappe.model.commands import Replay

CODE_DIGITS = 6
"""How long a room code is (our choice)."""


class AccessMode(StrEnum):
    """How callers of the call-in number come in: with the room code, because their number is a participant's,
    either, or not at all ("Présentation des Orange API", III-G)."""

    ROOM = "room"
    CALLER = "caller"
    ROOM_AND_CALLER = "room+caller"
    NONE = "none"

    @property
    def by_code(self) -> bool:
        """Whether the room code opens it."""
        return self in (AccessMode.ROOM, AccessMode.ROOM_AND_CALLER)

    @property
    def by_number(self) -> bool:
        """Whether participants are recognised by their numbers."""
        return self in (AccessMode.CALLER, AccessMode.ROOM_AND_CALLER)


class ConferenceState(StrEnum):
    """Where a conference stands; OPEN: its call is live."""

    PLANNED = "planned"
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Conference:
    """A meeting by telephone, from `starts_at` for `seconds`.

    `number` is the call-in number (empty where nobody may call in), `code` the room code that is unique among
    those of that number which are not over. `call_id` is its call since it is open; parties are
    spoken to in `language` ("fr" or "en"). While it is `locked` nobody more comes in; with `recorded` what
    is said is recorded. Times are aware, UTC.
    """

    id: int
    ref: str
    account_id: int
    name: str
    access: AccessMode
    number: str
    code: str
    state: ConferenceState
    starts_at: datetime
    seconds: int
    language: str
    recorded: bool
    dialect: str
    created_at: datetime
    locked: bool = False
    call_id: int | None = None
    over_at: datetime | None = None
    reference: str = ""
    exchange_id: int | None = None
    user_id: int | None = None

    @property
    def ends_at(self) -> datetime:
        """When its time is over."""
        return self.starts_at + timedelta(seconds=self.seconds)

    @property
    def may_call_in(self) -> bool:
        """Whether it has a call-in number."""
        return self.access is not AccessMode.NONE


class ParticipantState(StrEnum):
    """Where a participant stands; MISSED: was called, and did not come in."""

    EXPECTED = "expected"
    CALLED = "called"
    IN = "in"
    LEFT = "left"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Participant:
    """Who may take part in a conference, or does.

    `number` is a telephone's (MSISDN; empty: a caller without number). `listed`: named by the account, so
    that its number is recognised; else it has come in by the room code. One that `dials` is rung when the
    conference begins, and with `confirms` presses `#` before it is joined. Its legs are named by its `ref`
    and something of their own; `joined_at` is when one was last joined.
    """

    id: int
    ref: str
    account_id: int
    conference_id: int
    number: str
    name: str
    created_at: datetime
    listed: bool = True
    dials: bool = False
    confirms: bool = True
    muted: bool = False
    joined_at: datetime | None = None


def leg_name(participant_ref: str, leg: int) -> str:
    """What a conference's call names a leg of a participant."""
    return f"{participant_ref}/{leg}"


def participant_of(leg: str) -> str:
    """The ref of the participant to whom a leg of that name belongs."""
    return leg.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Attendance:
    """A participant with its last leg; `talking` where it is heard to speak at this moment."""

    participant: Participant
    leg: Leg | None = None
    talking: bool = False

    @property
    def state(self) -> ParticipantState:
        """Where it stands."""
        if self.leg is None:
            return ParticipantState.EXPECTED
        if self.leg.ended_at is None:
            return ParticipantState.IN if self._has_joined else ParticipantState.CALLED
        return ParticipantState.LEFT if self._has_joined else ParticipantState.MISSED

    @property
    def _has_joined(self) -> bool:
        """With its last leg, not with one before."""
        joined_at = self.participant.joined_at
        return self.leg is not None and joined_at is not None and joined_at >= self.leg.created_at

    @property
    def left_at(self) -> datetime | None:
        """When it left, once it had come in."""
        return self.leg.ended_at if self.leg is not None and self._has_joined else None

    def as_of(self, at: datetime) -> "Attendance":
        """The participant as it was at a time; nobody is known to have spoken then."""
        participant, leg = self.participant, self.leg
        if participant.joined_at is not None and participant.joined_at > at:
            participant = replace(participant, joined_at=None)
        if leg is not None:
            leg = leg_as_of(leg, at) if leg.created_at <= at else None
        return Attendance(participant, leg)

    @property
    def is_here(self) -> bool:
        """Whether it has a leg that is not down."""
        return self.leg is not None and self.leg.ended_at is None


@dataclass(frozen=True, slots=True)
class ConferenceStory:
    """A conference with its participants, in the order in which they were named or came; `price` is what its
    telephones cost so far (thousandths). `replayed` where a repeated request is told the first answer."""

    conference: Conference
    present: tuple[Attendance, ...] = ()
    price: int = 0
    replayed: bool = False

    def as_of(self, at: datetime) -> "ConferenceStory":
        """The conference as it was at a time, as far as its times tell; its price is today's."""
        conference = self.conference
        if conference.over_at is not None and conference.over_at > at:
            conference = replace(conference, over_at=None, state=ConferenceState.OPEN)
        there = [one for one in self.present if one.participant.created_at <= at]
        present = tuple(one.as_of(at) for one in there)
        return replace(self, conference=conference, present=present)


# --- what is asked for


@dataclass(frozen=True, slots=True)
class NewParticipant:
    """Somebody to be named in a conference, as written; see Participant."""

    number: str
    name: str = ""
    dials: bool = False
    confirms: bool = True


@dataclass(frozen=True, slots=True)
class CreateConference:
    """It begins at once unless `starts_at` is ahead; `duration` None is one hour. Outcome:
    ConferenceStory."""

    access: AccessMode = AccessMode.ROOM
    starts_at: datetime | None = None
    duration: timedelta | None = None
    participants: Sequence[NewParticipant] = ()
    name: str = ""
    language: str = "fr"
    recorded: bool = False
    reference: str = ""
    replay: Replay | None = None


@dataclass(frozen=True, slots=True)
class FindConference:
    """Outcome: ConferenceStory."""

    ref: str


@dataclass(frozen=True, slots=True)
class ListConferences:
    """Outcome: Page of Conference, newest first; an empty `state` does not narrow."""

    state: str = ""
    cursor: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class AddParticipants:
    """Name more of them; those that dial are rung now where it is open. Outcome: ConferenceStory."""

    ref: str
    participants: Sequence[NewParticipant]


@dataclass(frozen=True, slots=True)
class RingNumber:
    """Ring a number, listed already or not, for a conference that is open; `shown` None is the account's own
    number. Outcome: Participant."""

    ref: str
    participant: NewParticipant
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class RingParticipant:
    """Ring a participant (again). Outcome: ConferenceStory."""

    ref: str
    participant: str


@dataclass(frozen=True, slots=True)
class MuteParticipant:
    """Let nobody hear a participant, or everybody again. Outcome: ConferenceStory."""

    ref: str
    participant: str
    muted: bool


@dataclass(frozen=True, slots=True)
class RemoveParticipant:
    """End a participant's leg; one that is not in is named no more. Outcome: ConferenceStory."""

    ref: str
    participant: str


@dataclass(frozen=True, slots=True)
class LockConference:
    """Let nobody more come in, or everybody again. Outcome: ConferenceStory."""

    ref: str
    locked: bool


@dataclass(frozen=True, slots=True)
class RecordConference:
    """Record what is said from now on, or no more. Outcome: ConferenceStory."""

    ref: str
    recorded: bool


@dataclass(frozen=True, slots=True)
class EndConference:
    """End a conference, or call one off that is planned. Outcome: ConferenceStory."""

    ref: str
