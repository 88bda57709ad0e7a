"""Every fact the platform tells, past tense."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chappe.model.announcements import AnnouncementStory, Recipient
from chappe.model.callbacks import CallbackStory
from chappe.model.calls import CallStory, Dialogue, Leg, LineNews, Recording
from chappe.model.conferences import Attendance, ConferenceStory
from chappe.model.messages import Message, MessageState


class EventName(StrEnum):
    """The names that subscriptions use."""

    MESSAGE_ACCEPTED = "message.accepted"
    MESSAGE_SENT = "message.sent"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_UNDELIVERED = "message.undelivered"
    MESSAGE_EXPIRED = "message.expired"
    MESSAGE_FAILED = "message.failed"
    MESSAGE_CANCELLED = "message.cancelled"
    MESSAGE_RECEIVED = "message.received"
    CALL_STARTED = "call.started"
    CALL_ANSWERED = "call.answered"
    CALL_ENDED = "call.ended"
    LEG_RINGING = "leg.ringing"
    LEG_ANSWERED = "leg.answered"
    LEG_ENDED = "leg.ended"
    RECORDING_ENDED = "recording.ended"
    CONFERENCE_STARTED = "conference.started"
    CONFERENCE_ENDED = "conference.ended"
    PARTICIPANT_JOINED = "conference.participant_joined"
    PARTICIPANT_LEFT = "conference.participant_left"
    ANNOUNCEMENT_STARTED = "announcement.started"
    ANNOUNCEMENT_ENDED = "announcement.ended"
    RECIPIENT_DONE = "announcement.recipient_done"
    CALLBACK_REQUESTED = "callback.requested"
    CALLBACK_STARTED = "callback.started"
    CALLBACK_ANSWERED = "callback.answered"
    CALLBACK_MISSED = "callback.missed"
    CALLBACK_LEFT_MESSAGE = "callback.left_message"
    CALLBACK_CANCELLED = "callback.cancelled"
    CALLBACK_ENDED = "callback.ended"


EVENT_OF_STATE = {
    MessageState.SCHEDULED: EventName.MESSAGE_ACCEPTED,
    MessageState.QUEUED: EventName.MESSAGE_ACCEPTED,
    MessageState.SENT: EventName.MESSAGE_SENT,
    MessageState.DELIVERED: EventName.MESSAGE_DELIVERED,
    MessageState.UNDELIVERED: EventName.MESSAGE_UNDELIVERED,
    MessageState.EXPIRED: EventName.MESSAGE_EXPIRED,
    MessageState.FAILED: EventName.MESSAGE_FAILED,
    MessageState.CANCELLED: EventName.MESSAGE_CANCELLED,
    MessageState.RECEIVED: EventName.MESSAGE_RECEIVED,
}


class MessageEvent(NamedTuple):
    """Something happened to a message; `message` is its record as it is after the event.

    `id` is stable over retries: a customer who is told twice knows it by this.
    """

    id: str
    name: EventName
    at: datetime
    message: Message


class CallHappened(NamedTuple):
    """Something happened to a call, or to one of its legs; `story` is as it was then. `id` as above."""

    id: str
    name: EventName
    at: datetime
    story: CallStory
    leg: Leg | None = None
    recording: Recording | None = None


class LineHappened(NamedTuple):
    """A line's part in the call `call_ref` begins, is joined, or ends. `id` as above."""

    id: str
    name: LineNews
    at: datetime
    call_ref: str
    dialogue: Dialogue


class ConferenceHappened(NamedTuple):
    """Something happened to a conference, or to one of its participants; `id` as above."""

    id: str
    name: EventName
    at: datetime
    story: ConferenceStory
    participant: Attendance | None = None


class CallbackHappened(NamedTuple):
    """Something happened to a callback; `id` as above."""

    id: str
    name: EventName
    at: datetime
    story: CallbackStory


class AnnouncementHappened(NamedTuple):
    """Something happened to an announcement, or one of its recipients is done; `id` as above."""

    id: str
    name: EventName
    at: datetime
    story: AnnouncementStory
    recipient: Recipient | None = None


Event = (
    MessageEvent | CallHappened | LineHappened | ConferenceHappened | CallbackHappened | AnnouncementHappened
)

Subject = Message | Event
"""What a job is about, where it is known already: a message as it is now, or what happened."""
