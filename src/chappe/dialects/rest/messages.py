"""/v1/messages: sending, quoting, finding and cancelling SMS."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import problems, shapes, table, wire
from chappe.dialects.rest.shapes import Body, Credits, PageQuery, Time, credits_of, utc, utc_or_none
from chappe.dialects.rest.subscriptions import Delivery
from chappe.dialects.rest.table import Described
from chappe.model import commands
from chappe.model.errors import Fault
from chappe.model.history import MessageStory as StoryRecord
from chappe.model.history import Page
from chappe.model.messages import Direction, MessageState, Purpose
from chappe.model.messages import Message as MessageRecord
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpResponse
from chappe.services import history, messages

# --- what clients send


class SendRequest(Body, rename={"sender": "from"}):
    """One text for one or many mobiles; one bad recipient refuses the whole request."""

    to: Annotated[
        str | list[str],
        Meta(description="One number, or a list of them, in international form or as dialled in France."),
    ]
    text: Annotated[str, Meta(description="The text; a long one is sent in several segments.")]
    sender: Annotated[
        str | None, Meta(description="What the handset shows as sender; left out: the account's default.")
    ] = None
    receipt: Annotated[bool, Meta(description="Whether the network is asked for a receipt.")] = True
    flash: Annotated[bool, Meta(description="Shown at once on the handset and not stored there.")] = False
    send_at: Annotated[
        Time | None, Meta(description="When to send, with its time zone; a time in the past means now.")
    ] = None
    reference: (
        Annotated[str, Meta(description="Your own label; lists can be searched by it.", max_length=255)]
        | None
    ) = None
    encoding: Annotated[
        Encoding | None, Meta(description="Left out: gsm7 or ucs2. binary: text in hexadecimal.")
    ] = None
    purpose: Annotated[
        Purpose, Meta(description="What it is sent for; the rules of the land ask more of marketing.")
    ] = Purpose.TRANSACTIONAL


class MessageQuery(PageQuery, rename={"sender": "from"}):
    """Which messages, newest first."""

    direction: Annotated[Direction | None, Meta(description="mt: to a mobile; mo: from one.")] = None
    state: MessageState | None = None
    to: Annotated[
        str | None, Meta(description="How `to` begins. Without `direction`, of messages to a mobile only.")
    ] = None
    sender: Annotated[
        str | None, Meta(description="How `from` begins. Without `direction`, of messages to a mobile only.")
    ] = None
    reference: str | None = None
    dialect: Annotated[str | None, Meta(description="Through which dialect it was sent.")] = None
    text: Annotated[str | None, Meta(description="Part of the text.")] = None
    since: Time | None = None
    until: Time | None = None


# --- what clients get


class MessageError(Struct):
    """Why a message failed; `carrier_code` is the network's own word."""

    code: Fault
    carrier_code: str


class Message(Struct, kw_only=True, rename={"sender": "from"}):
    """One SMS. For one from a mobile, `from` is the mobile and `to` the number or short code it called."""

    id: str
    direction: Direction
    state: MessageState
    to: str
    sender: str
    text: str
    segments: int
    encoding: Encoding
    price: Credits
    flash: bool
    reference: str
    purpose: Purpose
    held_by: Annotated[str, Meta(description="The rule that moved `send_at` to the next allowed time.")]
    warned_by: Annotated[list[str], Meta(description="The rules that said something when it was taken.")]
    dialect: str
    created_at: Time
    send_at: Annotated[Time | None, Meta(description="The date it is or was scheduled for.")]
    sent_at: Time | None
    finished_at: Time | None
    error: MessageError | None

    @classmethod
    def of(cls, message: MessageRecord) -> "Message":
        """The JSON of a record."""
        outbound = message.direction is Direction.MT
        return Message(
            id=message.ref,
            direction=message.direction,
            state=message.state,
            to=message.peer if outbound else message.address,
            sender=message.address if outbound else message.peer,
            text=message.text,
            segments=message.segments,
            encoding=message.encoding,
            price=credits_of(message.price),
            flash=message.flash,
            reference=message.reference,
            purpose=message.purpose,
            held_by=message.held_by,
            warned_by=(message.warned_by or "").split(),
            dialect=message.dialect,
            created_at=utc(message.created_at),
            send_at=utc_or_none(message.send_at),
            sent_at=utc_or_none(message.sent_at),
            finished_at=utc_or_none(message.finished_at),
            error=MessageError(message.fault, message.carrier_code) if message.fault else None,
        )


class Step(Struct):
    """A state that a message came to, and when."""

    state: MessageState
    at: Time


class MessageStory(Message, kw_only=True):
    """A message with all that happened to it."""

    history: list[Step]
    notices: list[Delivery]

    @classmethod
    def told(cls, story: StoryRecord) -> "MessageStory":
        """The JSON of a message and what is known of it."""
        return cls(
            **msgspec.structs.asdict(Message.of(story.message)),
            history=[Step(state, utc(at)) for state, at in story.timeline],
            notices=[Delivery.of(job) for job in story.notices],
        )


class SentMessage(Struct, rename={"sender": "from"}):
    """What became of one recipient; `to` is the number as the platform reads it.

    Nothing here changes later, so that a repeated request with the same Idempotency-Key gives it again.
    """

    id: str
    to: str
    sender: str
    state: MessageState
    segments: int
    encoding: Encoding
    price: Credits
    send_at: Annotated[Time | None, Meta(description="The date it is scheduled for.")]


class Warned(Struct):
    """What a rule says of messages that are taken all the same, later, or with a text added."""

    rule: str
    detail: str

    @classmethod
    def all(cls, cautions: Sequence[commands.Caution]) -> "list[Warned]":
        """The JSON of a command's cautions."""
        return [cls(one.rule, one.detail) for one in cautions]


Warnings = Annotated[
    list[Warned], Meta(description="What rules say without refusing; absent where they say nothing.")
]


class Sent(Struct, omit_defaults=True):
    """One entry for each recipient in the order asked, and the balance afterwards."""

    messages: list[SentMessage]
    balance: Credits
    warnings: Warnings = []

    @classmethod
    def of(
        cls, accepted: Sequence[MessageRecord], balance: int, warnings: Sequence[commands.Caution] = ()
    ) -> "Sent":
        """The JSON of messages that were taken."""
        return cls(
            [
                SentMessage(
                    message.ref,
                    message.peer,
                    message.address,
                    message.state,
                    message.segments,
                    message.encoding,
                    credits_of(message.price),
                    utc_or_none(message.send_at),
                )
                for message in accepted
            ],
            credits_of(balance),
            Warned.all(warnings),
        )


class QuotedRecipient(Struct):
    """The price of one recipient's message."""

    to: str
    price: Credits


class Quote(Struct, omit_defaults=True):
    """What a send would cost, exactly; `forced_by` has the characters that made it UCS-2."""

    segments: int
    encoding: Encoding
    price: Annotated[Credits, Meta(description="For all recipients together.")]
    units: Annotated[int, Meta(description="Septets (gsm7) or UTF-16 code units (ucs2) of the text.")]
    forced_by: list[str]
    recipients: list[QuotedRecipient]
    warnings: Warnings = []

    @classmethod
    def of(cls, quote: commands.Quote) -> "Quote":
        """The JSON of an outcome."""
        return cls(
            quote.segments,
            quote.encoding,
            credits_of(quote.price),
            quote.units,
            list(quote.forced_by),
            [QuotedRecipient(one.to, credits_of(one.price)) for one in quote.recipients],
            Warned.all(quote.warnings),
        )


# --- the operations


def decode_send(call: WireCall) -> commands.SendMessages:
    """POST /v1/messages."""
    request = wire.body(call, SendRequest)
    return commands.SendMessages(
        recipients=_recipients(request),
        text=request.text,
        sender=request.sender or "",
        flash=request.flash,
        send_at=wire.instant(request.send_at, "send_at"),
        receipt_wanted=request.receipt,
        reference=request.reference or "",
        encoding=request.encoding,
        all_or_nothing=True,
        replay=wire.replay(call),
        purpose=request.purpose,
    )


def _recipients(request: SendRequest) -> tuple[str, ...]:
    return (request.to,) if isinstance(request.to, str) else tuple(request.to)


def encode_sent(outcome: commands.SendOutcome, call: WireCall) -> HttpResponse:
    """201 with every recipient; the command stops at the first bad one, so there are no mixed fates."""
    accepted: list[MessageRecord] = []
    for index, result in enumerate(outcome.results):
        if isinstance(result, commands.Refused):
            return problems.refused(result, f"to[{index}]", call)
        accepted.append(result.message)
    replayed = ((wire.REPLAYED, "true"),) if outcome.replayed else ()
    return wire.answer(Sent.of(accepted, outcome.balance, outcome.warnings), 201, replayed)


def decode_quote(call: WireCall) -> commands.QuoteMessages:
    """POST /v1/messages/quote; it takes the body of a send, so that the same body can be sent after it."""
    request = wire.body(call, SendRequest)
    return commands.QuoteMessages(
        recipients=_recipients(request),
        text=request.text,
        encoding=request.encoding,
        sender=request.sender or "",
        purpose=request.purpose,
    )


def encode_quote(quote: commands.Quote, call: WireCall) -> HttpResponse:
    """What it would cost."""
    return wire.answer(Quote.of(quote))


def decode_list_messages(call: WireCall) -> commands.ListMessages:
    """GET /v1/messages.

    The store searches by mobile and by our side of a message, so `to` and `from` need a direction: without
    one they are those of a message to a mobile (our choice).
    """
    query = wire.query(call, MessageQuery)
    direction = query.direction
    if direction is None and (query.to or query.sender):
        direction = Direction.MT
    to, sender = wire.digits(query.to), wire.digits(query.sender)
    peer, address = (sender, to) if direction is Direction.MO else (to, sender)
    return commands.ListMessages(
        direction=direction,
        state=query.state,
        peer=peer,
        address=address,
        dialect=query.dialect or "",
        reference=query.reference or "",
        text=query.text or "",
        since=wire.instant(query.since, "since"),
        until=wire.instant(query.until, "until"),
        cursor=wire.cursor(query.cursor),
        limit=query.limit,
    )


def encode_messages(page: Page[MessageRecord], call: WireCall) -> HttpResponse:
    """One page of messages."""
    return wire.page(map(Message.of, page.items), page.next_cursor)


def decode_find_message(call: WireCall) -> commands.FindMessages:
    """GET /v1/messages/{id}."""
    wire.no_query(call)
    return commands.FindMessages((wire.parameter(call, "id"),), notices=True)


def encode_story(outcome: tuple[StoryRecord | commands.Refused, ...], call: WireCall) -> HttpResponse:
    """The one message with its history and notices."""
    (found,) = outcome
    if isinstance(found, commands.Refused):
        return problems.refused(found, "id", call)
    return wire.answer(MessageStory.told(found))


def decode_cancel(call: WireCall) -> commands.CancelMessages:
    """POST /v1/messages/{id}/cancel; a body is not looked at."""
    wire.no_query(call)
    return commands.CancelMessages((wire.parameter(call, "id"),))


def encode_cancelled(outcome: tuple[MessageRecord | commands.Refused, ...], call: WireCall) -> HttpResponse:
    """The message as it now is."""
    (cancelled,) = outcome
    if isinstance(cancelled, commands.Refused):
        return problems.refused(cancelled, "id", call)
    return wire.answer(Message.of(cancelled))


_SENDING_FAULTS = (
    Fault.MISSING_PARAMETER,
    Fault.NO_RECIPIENT,
    Fault.INVALID_RECIPIENT,
    Fault.INVALID_SENDER,
    Fault.BLACKLISTED,
    Fault.DESTINATION_FORBIDDEN,
    Fault.CONSENT_MISSING,
    Fault.EMPTY_CONTENT,
    Fault.CONTENT_TOO_LONG,
    Fault.NO_ROUTE,
)

LINES: Mapping[str, Operation] = {
    "POST /v1/messages": table.line(
        decode_send,
        messages.send,
        encode_sent,
        "Send an SMS to one or many mobiles",
        Described(
            "send_messages",
            "messages",
            Sent,
            201,
            body=SendRequest,
            faults=(*_SENDING_FAULTS, Fault.INSUFFICIENT_CREDITS),
            costs=True,
        ),
    ),
    "GET /v1/messages": table.line(
        decode_list_messages,
        history.list_messages,
        encode_messages,
        "List messages, newest first",
        Described("list_messages", "messages", shapes.Page[Message], query=MessageQuery),
    ),
    "POST /v1/messages/quote": table.line(
        decode_quote,
        messages.quote,
        encode_quote,
        "Tell what a send would cost, exactly",
        Described("quote_messages", "messages", Quote, body=SendRequest, faults=_SENDING_FAULTS),
    ),
    "GET /v1/messages/{id}": table.line(
        decode_find_message,
        history.find_messages,
        encode_story,
        "Get one message with its history and notices",
        Described("get_message", "messages", MessageStory, faults=(Fault.NOT_FOUND,)),
    ),
    "POST /v1/messages/{id}/cancel": table.line(
        decode_cancel,
        messages.cancel,
        encode_cancelled,
        "Cancel a scheduled message; its price is given back",
        Described("cancel_message", "messages", Message, faults=(Fault.NOT_FOUND, Fault.TOO_LATE)),
    ),
}
