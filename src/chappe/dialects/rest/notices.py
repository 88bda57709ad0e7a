"""Tells a customer's URL of an event, signed after Standard Webhooks, and a mailbox of a received message."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from chappe.dialects.rest import wire
from chappe.dialects.rest.announcements import Announcement, Recipient
from chappe.dialects.rest.callbacks import WholeCallback
from chappe.dialects.rest.calls import Call, Leg
from chappe.dialects.rest.conferences import Participant, WholeConference
from chappe.dialects.rest.messages import Message
from chappe.dialects.rest.recordings import Recording
from chappe.dialects.rest.shapes import Time
from chappe.model.events import (
    AnnouncementHappened,
    CallbackHappened,
    CallHappened,
    ConferenceHappened,
    Event,
    EventName,
    LineHappened,
    MessageEvent,
)
from chappe.model.messages import Direction
from chappe.model.outgoing import Mail, Outgoing
from chappe.model.recordings import Kept
from chappe.protocols import standard_webhooks
from chappe.services.ports import NoticeTarget

_Told = MessageEvent | CallHappened | ConferenceHappened | CallbackHappened | AnnouncementHappened


class Notice(Struct):
    """The body of a notice to a URL (Standard Webhooks 1.0.0, "Payload structure")."""

    type: EventName
    timestamp: Time
    data: Message


class CallNotice(Struct):
    """The same for an event of a call."""

    type: EventName
    timestamp: Time
    data: Call


class OfLeg(Struct):
    """What a notice about one leg of a call holds."""

    call: Call
    leg: Leg


class LegNotice(Struct):
    """The same for an event of a leg."""

    type: EventName
    timestamp: Time
    data: OfLeg


class OfRecording(Struct):
    """What a notice about a recording of a call holds."""

    call: Call
    recording: Recording


class RecordingNotice(Struct):
    """The same for an event of a recording."""

    type: EventName
    timestamp: Time
    data: OfRecording


class ConferenceNotice(Struct):
    """The same for an event of a conference."""

    type: EventName
    timestamp: Time
    data: WholeConference


class OfParticipant(Struct):
    """What a notice about one participant of a conference holds."""

    conference: WholeConference
    participant: Participant


class ParticipantNotice(Struct):
    """The same for an event of a participant."""

    type: EventName
    timestamp: Time
    data: OfParticipant


class CallbackNotice(Struct):
    """The same for an event of a callback."""

    type: EventName
    timestamp: Time
    data: WholeCallback


class AnnouncementNotice(Struct):
    """The same for an event of an announcement."""

    type: EventName
    timestamp: Time
    data: Announcement


class NamedAnnouncement(Struct):
    """The announcement of a recipient that a notice is about."""

    id: str
    name: str
    reference: str


class OfRecipient(Struct):
    """What a notice about one recipient of an announcement holds."""

    announcement: NamedAnnouncement
    recipient: Recipient


class RecipientNotice(Struct):
    """The same for an event of a recipient."""

    type: EventName
    timestamp: Time
    data: OfRecipient


SHAPES: tuple[type[Struct], ...] = (
    Notice,
    CallNotice,
    LegNotice,
    RecordingNotice,
    ConferenceNotice,
    ParticipantNotice,
    CallbackNotice,
    AnnouncementNotice,
    RecipientNotice,
)


def notice(event: Event, target: NoticeTarget, now: datetime) -> Outgoing | Mail | None:
    """An event as a JSON POST signed after Standard Webhooks 1.0.0 (unsigned where the target has no secret).

    A mail, in French and English, tells of received messages only; other events have none (our choice).
    """
    if isinstance(event, LineHappened):
        return None  # lines are told in the manner of their own dialect
    if target.url:
        return _request(event, target, now)
    if target.email and isinstance(event, MessageEvent) and event.message.direction is Direction.MO:
        return _mail(event, target.email)
    return None


def _body(event: _Told) -> Struct:
    at = event.at.astimezone(UTC)
    if isinstance(event, MessageEvent):
        return Notice(event.name, at, Message.of(event.message))
    if isinstance(event, CallbackHappened):
        return CallbackNotice(event.name, at, WholeCallback.told(event.story))
    if isinstance(event, ConferenceHappened):
        conference = WholeConference.told(event.story)
        if event.participant is None:
            return ConferenceNotice(event.name, at, conference)
        return ParticipantNotice(event.name, at, OfParticipant(conference, Participant.of(event.participant)))
    if isinstance(event, AnnouncementHappened):
        if event.recipient is None:
            return AnnouncementNotice(event.name, at, Announcement.of(event.story))
        one = event.story.announcement
        named = NamedAnnouncement(one.ref, one.name, one.reference)
        return RecipientNotice(event.name, at, OfRecipient(named, Recipient.of(event.recipient)))
    call = Call.of(event.story)
    if event.recording is not None:
        recording = Recording.of(Kept(event.recording, event.story.call.ref))
        return RecordingNotice(event.name, at, OfRecording(call, recording))
    if event.leg is None:
        return CallNotice(event.name, at, call)
    return LegNotice(event.name, at, OfLeg(call, Leg.of(event.leg)))


def shape_of(name: EventName) -> type[Struct]:
    """The shape of the body that tells of an event."""
    if name.startswith("conference.participant"):
        return ParticipantNotice
    if name.startswith("conference."):
        return ConferenceNotice
    if name.startswith("callback."):
        return CallbackNotice
    if name.startswith("announcement.recipient"):
        return RecipientNotice
    if name.startswith("announcement."):
        return AnnouncementNotice
    if name.startswith("leg."):
        return LegNotice
    if name.startswith("recording."):
        return RecordingNotice
    return CallNotice if name.startswith("call.") else Notice


def _request(event: _Told, target: NoticeTarget, now: datetime) -> Outgoing:
    content = msgspec.json.encode(_body(event))
    if target.secret:
        signature = standard_webhooks.sign([target.secret], event.id, now, content)
    else:
        # Without a signature the id still tells repetitions apart.
        signature = {"webhook-id": event.id, "webhook-timestamp": str(int(now.timestamp()))}
    return Outgoing("POST", target.url, {"content-type": wire.JSON, **signature}, content)


def _mail(event: MessageEvent, to: str) -> Mail:
    message = event.message
    at = f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Mail(
        to,
        f"SMS {message.peer} > {message.address}",
        f"{message.text}\n\n-- \n"
        f"SMS reçu du {message.peer} au {message.address} le {at}.\n"
        f"SMS received from {message.peer} at {message.address} on {at}.\n",
    )
