"""/v1/announcements: tell one message to many telephones, and see what became of each."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.calls import Language, Shown, Voice
from chappe.dialects.rest.shapes import Body, Credits, Cursor, Limit, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import announcements as model
from chappe.model import history
from chappe.model.errors import Fault, Refusal
from chappe.model.sounds import LONGEST_TEXT, Sound, Speech, Uploaded
from chappe.protocols.http import HttpResponse
from chappe.services import announcements

# --- what clients send

Minute = Annotated[
    str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="A time of the day.", examples=["09:00"])
]


class RingHours(Body, rename={"begin": "from", "end": "to"}):
    """The hours of a day in which somebody may be rung; from the later to the earlier time it is the
    night."""

    begin: Minute
    end: Minute
    zone: Annotated[str, Meta(max_length=60, description="The time zone by its IANA name.")] = "Europe/Paris"


class AnnouncementRequest(Body):
    """One message for one or many telephones: a text (`say`), or a sound that the account has uploaded. One
    bad recipient refuses the whole request."""

    to: Annotated[
        str | list[str],
        Meta(description="One number, or a list of them, in international form or as dialled in France."),
    ]
    say: Annotated[str, Meta(max_length=LONGEST_TEXT)] | UnsetType = UNSET
    language: Language = Language.FR
    voice: Voice = Voice.FEMALE
    sound: Annotated[str, Meta(description="The id of an uploaded sound.")] | UnsetType = UNSET
    shown: Shown | UnsetType = UNSET
    times: Annotated[int, Meta(ge=1, le=5, description="How often a person is told it.")] = 1
    repeat_key: Annotated[str, Meta(max_length=1, description="Whoever presses it hears it again.")] = ""
    answer_keys: Annotated[
        str, Meta(max_length=12, description="Each of these keys ends the call and is noted.")
    ] = ""
    on_machine: Annotated[
        model.OnMachine,
        Meta(description="leave: after the machine's tone; play: at once, as to a person; hang_up: not."),
    ] = model.OnMachine.LEAVE
    on_person: Annotated[model.OnPerson, Meta(description="hang_up: it is for answering machines only.")] = (
        model.OnPerson.PLAY
    )
    ring_seconds: Annotated[int, Meta(ge=5, le=120)] = 30
    attempts: Annotated[
        int, Meta(ge=1, le=10, description="How often who is busy, away or not reached is rung in all.")
    ] = 1
    pause_seconds: Annotated[int, Meta(ge=60, le=86_400, description="Between two attempts.")] = 600
    starts_at: Annotated[Time | None, Meta(description="Left out: at once.")] = None
    ends_at: Annotated[Time | None, Meta(description="Left out: a day after its beginning.")] = None
    hours: RingHours | None = None
    name: Annotated[str, Meta(max_length=100)] = ""
    reference: Annotated[str, Meta(max_length=255)] = ""


class AnnouncementQuery(Body):
    """Which announcements."""

    state: model.AnnouncementState | UnsetType = UNSET
    limit: Limit = 20
    cursor: Cursor | None = None


class RecipientQuery(Body):
    """Which of its recipients."""

    state: model.RecipientState | UnsetType = UNSET
    number: Annotated[str, Meta(description="How the number begins.")] = ""
    limit: Limit = 100
    cursor: Cursor | None = None


# --- what clients get


class Counts(Struct):
    """How many recipients stand where."""

    waiting: int
    calling: int
    reached: int
    missed: int
    cancelled: int
    interrupted: int

    @classmethod
    def of(cls, count: model.Count) -> "Counts":
        """The JSON of a count."""
        return cls(*(count.of(model.RecipientState(state)) for state in cls.__struct_fields__))


class Recipient(Struct):
    """One of those who are told: `answered_by` is null where nobody answered, `reason` says why it was missed
    (or is rung again), `detail` in words why it could not be rung at all."""

    id: str
    number: str
    state: model.RecipientState
    reason: model.Reason | None
    detail: str
    answered_by: model.AnsweredBy | None
    key: str | None
    seconds_heard: int
    attempts: int
    next_attempt_at: Time | None
    done_at: Time | None
    price: Credits

    @classmethod
    def of(cls, one: model.Recipient) -> "Recipient":
        """The JSON of a record."""
        is_waiting = one.state is model.RecipientState.WAITING
        return cls(
            one.ref,
            one.number,
            one.state,
            one.reason,
            one.detail,
            one.answered_by,
            one.key or None,
            one.seconds,
            one.attempts,
            utc(one.due_at) if is_waiting else None,
            utc_or_none(one.over_at),
            credits_of(one.price),
        )


class Announcement(Struct):
    """An announcement with how its recipients stand and what they cost so far."""

    id: str
    name: str
    state: model.AnnouncementState
    say: str | None
    language: Language | None
    voice: Voice | None
    sound: str | None
    seconds: Annotated[float, Meta(description="How long the message is.")]
    times: int
    repeat_key: str
    answer_keys: str
    on_machine: model.OnMachine
    on_person: model.OnPerson
    ring_seconds: int
    attempts: int
    pause_seconds: int
    starts_at: Time
    ends_at: Time
    hours: RingHours | None
    ended_at: Time | None
    reference: str
    dialect: str
    recipients_in_all: int
    counts: Counts
    price: Credits

    @classmethod
    def of(cls, story: model.AnnouncementStory) -> "Announcement":
        """The JSON of an announcement."""
        return cls(*_facts(story))


class WholeAnnouncement(Announcement):
    """The same with a page of its recipients, in the order in which they were named."""

    recipients: list[Recipient]
    next_cursor: str | None

    @classmethod
    def told(cls, story: model.AnnouncementStory) -> "WholeAnnouncement":
        """The JSON of an announcement."""
        values = dict(zip(Announcement.__struct_fields__, _facts(story), strict=True))
        following = None if story.next_cursor is None else str(story.next_cursor)
        return cls(**values, recipients=list(map(Recipient.of, story.recipients)), next_cursor=following)


def _facts(story: model.AnnouncementStory) -> tuple[Any, ...]:
    one, is_spoken = story.announcement, not story.announcement.sound
    hours = one.hours
    return (
        one.ref,
        one.name,
        one.state,
        one.text if is_spoken else None,
        Language(one.language) if is_spoken else None,
        Voice(one.voice) if is_spoken else None,
        one.sound or None,
        one.milliseconds / 1000,
        one.times,
        one.repeat_key,
        one.answer_keys,
        one.on_machine,
        one.on_person,
        one.ring_seconds,
        one.attempts,
        one.pause,
        utc(one.starts_at),
        utc(one.ends_at),
        None
        if hours is None
        else RingHours(begin=f"{hours.begin:%H:%M}", end=f"{hours.end:%H:%M}", zone=hours.zone),
        utc_or_none(one.over_at),
        one.reference,
        one.dialect,
        one.count,
        Counts.of(story.count),
        credits_of(story.count.price),
    )


# --- the operations


def decode_send(call: WireCall) -> model.SendAnnouncement:
    """POST /v1/announcements."""
    request = wire.body(call, AnnouncementRequest)
    if (request.say is UNSET) == (request.sound is UNSET):
        detail = "write either a text (say) or the id of an uploaded sound (sound)"
        raise Refusal(Fault.MISSING_PARAMETER, detail, "say")
    sound: Sound = Uploaded(str(request.sound))
    if request.say is not UNSET:
        sound = Speech(request.say, request.language.value, request.voice.value)
    return model.SendAnnouncement(
        recipients=(request.to,) if isinstance(request.to, str) else tuple(request.to),
        sound=sound,
        shown=None if request.shown is UNSET else request.shown or "",
        times=request.times,
        repeat_key=request.repeat_key,
        answer_keys=request.answer_keys,
        on_machine=request.on_machine,
        on_person=request.on_person,
        ring=timedelta(seconds=request.ring_seconds),
        attempts=request.attempts,
        pause=timedelta(seconds=request.pause_seconds),
        starts_at=wire.instant(request.starts_at, "starts_at"),
        ends_at=wire.instant(request.ends_at, "ends_at"),
        hours=None if request.hours is None else _hours(request.hours),
        name=request.name,
        reference=request.reference,
        replay=wire.replay(call),
    )


def _hours(asked: RingHours) -> model.Hours:
    return model.Hours(time.fromisoformat(asked.begin), time.fromisoformat(asked.end), asked.zone)


def encode_sent(story: model.AnnouncementStory, call: WireCall) -> HttpResponse:
    """The announcement as it was taken."""
    replayed = ((wire.REPLAYED, "true"),) if story.replayed else ()
    return wire.answer(WholeAnnouncement.told(story), 201, replayed)


def encode_announcement(story: model.AnnouncementStory, call: WireCall) -> HttpResponse:
    """One announcement with a page of its recipients."""
    return wire.answer(WholeAnnouncement.told(story))


def decode_find(call: WireCall) -> model.FindAnnouncement:
    """GET /v1/announcements/{id}."""
    query = wire.query(call, RecipientQuery)
    return model.FindAnnouncement(
        wire.parameter(call, "id"),
        query.state or "",
        wire.digits(query.number),
        wire.cursor(query.cursor),
        query.limit,
    )


def decode_list(call: WireCall) -> model.ListAnnouncements:
    """GET /v1/announcements."""
    query = wire.query(call, AnnouncementQuery)
    return model.ListAnnouncements(query.state or "", wire.cursor(query.cursor), query.limit)


def encode_announcements(found: history.Page[model.AnnouncementStory], call: WireCall) -> HttpResponse:
    """A page of announcements."""
    return wire.page(map(Announcement.of, found.items), found.next_cursor)


_ONE = "/v1/announcements/{id}"

LINES: Mapping[str, Operation] = {
    "POST /v1/announcements": table.line(
        decode_send,
        announcements.send,
        encode_sent,
        "Tell one message to many telephones",
        Described(
            "send_announcement",
            "announcements",
            WholeAnnouncement,
            201,
            body=AnnouncementRequest,
            faults=(
                Fault.MISSING_PARAMETER,
                Fault.NO_RECIPIENT,
                Fault.INVALID_RECIPIENT,
                Fault.INVALID_SENDER,
                Fault.DESTINATION_FORBIDDEN,
                Fault.BLACKLISTED,
                Fault.EMPTY_CONTENT,
                Fault.CONTENT_TOO_LONG,
                Fault.UNUSABLE_MEDIA,
                Fault.INSUFFICIENT_CREDITS,
                Fault.TOO_MANY_CALLS,
                Fault.NO_ROUTE,
                Fault.NOT_FOUND,
            ),
            costs=True,
        ),
    ),
    "GET /v1/announcements": table.line(
        decode_list,
        announcements.list_announcements,
        encode_announcements,
        "List announcements, newest first",
        Described(
            "list_announcements",
            "announcements",
            shapes.Page[Announcement],
            query=AnnouncementQuery,
            faults=(Fault.INVALID_PARAMETER,),
        ),
    ),
    f"GET {_ONE}": table.line(
        decode_find,
        announcements.find,
        encode_announcement,
        "Read an announcement with its recipients",
        Described(
            "get_announcement",
            "announcements",
            WholeAnnouncement,
            query=RecipientQuery,
            faults=(Fault.INVALID_PARAMETER, Fault.NOT_FOUND),
        ),
    ),
    f"POST {_ONE}/cancel": table.line(
        wire.bare(model.CancelAnnouncement, "id"),
        announcements.cancel,
        encode_announcement,
        "Ring nobody more",
        Described(
            "cancel_announcement",
            "announcements",
            WholeAnnouncement,
            faults=(Fault.NOT_FOUND, Fault.TOO_LATE),
        ),
    ),
}
