"""Messages (SMS, later MMS), their receipts, and which state may follow which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag, StrEnum
from typing import NamedTuple

from chappe.model.errors import Fault
from chappe.model.smstext import Encoding


class Direction(StrEnum):
    """MT: to the mobile. MO: from the mobile."""

    MT = "mt"
    MO = "mo"


class Purpose(StrEnum):
    """What a message is sent for; the rules of the land ask more of advertising than of a notice."""

    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


class MessageState(StrEnum):
    """Where a message stands."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RECEIVED = "received"


# ARCHITECTURE.md section 6. Receipts do overtake answers, so `queued` and `sending` may end at once.
MAY_FOLLOW: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.SCHEDULED: frozenset(),
    MessageState.QUEUED: frozenset({MessageState.SCHEDULED, MessageState.SENDING}),
    MessageState.SENDING: frozenset({MessageState.QUEUED}),
    MessageState.SENT: frozenset({MessageState.QUEUED, MessageState.SENDING}),
    MessageState.DELIVERED: frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.SENT}),
    MessageState.UNDELIVERED: frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.SENT}),
    MessageState.EXPIRED: frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.SENT}),
    MessageState.FAILED: frozenset({MessageState.QUEUED, MessageState.SENDING}),
    MessageState.CANCELLED: frozenset({MessageState.SCHEDULED}),
    MessageState.RECEIVED: frozenset(),
}

FINAL_STATES = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
        MessageState.CANCELLED,
        MessageState.RECEIVED,
    }
)

# States that give the price back: the network never took or never delivered the message. Our choice:
# undelivered and expired are given back as well, since a final failure costs nothing here.
GIVE_BACK_STATES = frozenset(
    {MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.FAILED, MessageState.CANCELLED}
)


class Told(IntFlag):
    """What a client is told of a message over his own connection: its good end, its bad end, or that its
    network took it."""

    SUCCESS = 1
    FAILURE = 2
    STEP = 4


ENDS = Told.SUCCESS | Told.FAILURE
"""What is told unless somebody wishes otherwise."""

TOLD_BY: Mapping[MessageState, Told] = {
    MessageState.SENT: Told.STEP,
    MessageState.DELIVERED: Told.SUCCESS,
    MessageState.RECEIVED: Told.SUCCESS,
    MessageState.UNDELIVERED: Told.FAILURE,
    MessageState.EXPIRED: Told.FAILURE,
    MessageState.FAILED: Told.FAILURE,
    MessageState.CANCELLED: Told.FAILURE,
}


class Message(NamedTuple):
    """One SMS to or from one mobile.

    `peer` is the mobile (MSISDN digits), `address` is our side of it: the sender id shown on an MT, the
    number or short code called by an MO. `price` is in thousandths of a credit for all segments.
    `batch_id` joins the messages of one command. `exchange_id` is the wire conversation that asked.
    `send_at` is the date it was
    scheduled for, `due_at` when its carrier may next have it. `carrier_ids` are the network's
    ids of the segments, joined by blanks. `held_by` names the rule (model/rules.py) that moved its date to
    the next allowed time; empty: none did. `told` holds bits of Told, None those of ENDS; without
    `receipt_wanted` nothing is told at all. `warned_by` names the rules that said something when it was
    taken, blanks between them; None: none did. Times are aware, UTC.
    """

    id: int
    ref: str
    account_id: int
    direction: Direction
    state: MessageState
    peer: str
    address: str
    text: str
    encoding: Encoding
    segments: int
    price: int
    carrier: str
    dialect: str
    batch_id: int
    created_at: datetime
    due_at: datetime
    send_at: datetime | None = None
    expires_at: datetime | None = None
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    flash: bool = False
    receipt_wanted: bool = True
    reference: str = ""
    session_until: datetime | None = None
    fault: Fault | None = None
    carrier_code: str = ""
    carrier_ids: str = ""
    attempts: int = 0
    exchange_id: int | None = None
    user_id: int | None = None
    purpose: Purpose = Purpose.TRANSACTIONAL
    held_by: str = ""
    told: int | None = None
    warned_by: str | None = None


_STATE, _SENT_AT, _SENDING_AT, _FINISHED_AT, _FAULT, _CODE, _IDS = map(
    Message._fields.index,
    ("state", "sent_at", "sending_at", "finished_at", "fault", "carrier_code", "carrier_ids"),
)


def stepped(
    message: Message,
    state: MessageState,
    at: datetime,
    *,
    fault: Fault | None = None,
    carrier_code: str | None = None,
    carrier_ids: str | None = None,
) -> Message:
    """The message as it is after a step; None leaves a field as it is."""
    values = list(message)
    values[_STATE] = state
    if state is MessageState.SENT:
        values[_SENT_AT] = at
    elif state is MessageState.SENDING:
        values[_SENDING_AT] = at
    elif state in FINAL_STATES:
        values[_FINISHED_AT] = at
    if fault is not None:
        values[_FAULT] = fault
    if carrier_code is not None:
        values[_CODE] = carrier_code
    if carrier_ids is not None:
        values[_IDS] = carrier_ids
    return Message._make(values)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The network's word on the fate of one submitted segment.

    `carrier_id` is the id in its likeliest form, `other_ids` are the forms to try when that one is not
    known. `state` is None where the word is not the last one (en route) or not a word we know: then
    `word` is noted and shown, and nothing else changes. `code` is the network's error code.
    """

    carrier: str
    carrier_id: str
    state: MessageState | None
    code: str
    at: datetime
    word: str = ""
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlyReceipt:
    """A receipt whose message was not known when it came, with the reason in words; kept for 72 hours."""

    id: int
    carrier: str
    carrier_id: str
    state: MessageState
    code: str
    at: datetime
    word: str = ""
    reason: str = ""


class Submission(NamedTuple):
    """A carrier's answer to one submitted message: its ids when accepted, else a fault.

    `retry_after` in seconds is set when the refusal is temporary: the message goes back to the queue.
    `unknown` says that the bytes left and no answer came: the message is sent again, or waits for its
    receipt where the carrier is set to that.
    """

    message_id: int
    carrier_ids: tuple[str, ...] = ()
    fault: Fault | None = None
    code: str = ""
    retry_after: float | None = None
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """An SMS that came from a mobile: `sender` MSISDN, `to` the number or short code it was sent to.

    `part_ids` are the kept parts that it was put together from; they go when it is kept itself.
    """

    carrier: str
    carrier_id: str
    sender: str
    to: str
    text: str
    encoding: Encoding
    at: datetime
    part_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a long message that came over a wire, kept until all have come.

    `source` is the carrier or dialect that it came over, `key` what its parts have in common there, `data`
    what that wire needs to put them together. `message_id` is the message that a customer's parts became:
    by it the receipt finds the names that his parts were given.
    """

    id: int
    source: str
    key: str
    number: int
    total: int
    data: dict[str, object]
    at: datetime
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One submitted part of a message of several segments; `state` is what its receipt said, if any."""

    id: int
    message_id: int
    carrier: str
    carrier_id: str
    state: MessageState | None = None
