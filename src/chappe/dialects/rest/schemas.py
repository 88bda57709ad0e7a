"""The JSON shapes of the REST API: what clients send, and what they get, each made from its record.

Our choices, kept everywhere: amounts are JSON numbers of credits with up to three decimals, written exactly;
times are RFC 3339 in UTC with `Z`; ids are strings, because JavaScript cannot hold a 63-bit number; telephone
numbers are MSISDN digits without plus.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chappe.model import directory, ledger
from chappe.model.commands import Quote as QuoteOutcome
from chappe.model.errors import Fault
from chappe.model.events import EventName
from chappe.model.history import MessageStory as StoryRecord
from chappe.model.jobs import Job, JobState
from chappe.model.messages import Direction, MessageState
from chappe.model.messages import Message as MessageRecord
from chappe.model.smstext import Encoding

T = TypeVar("T")

Credits = Annotated[
    Raw,
    Meta(
        description="An amount of credits, exact to the thousandth.",
        extra_json_schema={"type": "number", "multipleOf": 0.001},
    ),
]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with its zone; answers are in UTC.")]
EventWord = Annotated[
    str,
    Meta(
        description="The name of an event, or `*` for all of them.",
        extra_json_schema={"enum": ["*", *EventName]},
    ),
]
DialectWord = Annotated[
    str,
    Meta(
        description="In whose manner the notice is written, such as `rest` or `orange`.",
        pattern="^[a-z]+$",
        max_length=20,
    ),
]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many entries a page has at most.")]
Cursor = Annotated[str, Meta(description="The `next_cursor` of the page before.")]


def credits_of(thousandths: int) -> Raw:
    """Thousandths of a credit as an exact JSON number of credits: 500 is written `0.5`."""
    return Raw(ledger.in_credits(thousandths).encode("ascii"))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _utc_or_none(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)


# --- what clients send


class Body(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A request body: a property that is not named here is refused."""


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
    encoding: Annotated[Encoding | None, Meta(description="Left out: gsm7 where it suffices, else ucs2.")] = (
        None
    )


class NumberRequest(Body):
    """A sandbox number to take, or where the inbound messages of an own one go."""

    number: Annotated[
        str | None, Meta(description="A free number of the sandbox; left out: any of them.")
    ] = None
    url: Annotated[str | None, Meta(description="Where inbound messages are posted.")] = None
    email: Annotated[str | None, Meta(description="Where inbound messages are mailed.")] = None
    dialect: DialectWord = "rest"


class NumberChange(Body):
    """Where inbound messages to a number go; what is left out stays as it is, an empty string empties it."""

    url: str | None = None
    email: str | None = None
    dialect: DialectWord | None = None


class KeywordRequest(Body):
    """A keyword to reserve on a shared short code."""

    short_code: str
    word: Annotated[str, Meta(description="The first word or words of the messages that are meant.")]
    url: Annotated[str | None, Meta(description="Where inbound messages are posted.")] = None
    email: Annotated[str | None, Meta(description="Where inbound messages are mailed.")] = None
    dialect: DialectWord = "rest"


class KeywordChange(Body):
    """Where a keyword's messages go; what is left out stays as it is, an empty string empties it."""

    url: str | None = None
    email: str | None = None
    dialect: DialectWord | None = None


class BlockRequest(Body):
    """A number that this account must never reach again."""

    number: str
    reason: Annotated[str, Meta(max_length=255)] | None = None


class SubscriptionRequest(Body):
    """A URL that wants to be told of events."""

    url: str
    events: Annotated[list[EventWord], Meta(min_length=1)]
    dialect: DialectWord = "rest"


class SubscriptionChange(Body):
    """What is left out stays as it is."""

    url: str | None = None
    events: Annotated[list[EventWord], Meta(min_length=1)] | None = None
    enabled: Annotated[
        bool | None, Meta(description="true lifts the disabling that an answer 410 causes.")
    ] = None


class HandsetText(Body):
    """An SMS that a virtual telephone sends."""

    to: Annotated[str, Meta(description="A number or short code of the platform.")]
    text: str


class ReceiptWord(StrEnum):
    """What the sandbox network reports about messages to a telephone."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NONE = "none"


class RefusalWord(StrEnum):
    """How the sandbox network refuses messages to a telephone."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    THROTTLED = "throttled"


class Behaviour(Body):
    """How a virtual telephone and its network behave; what is left out is as usual."""

    receipt: ReceiptWord | UnsetType = UNSET
    receipt_after_ms: (
        Annotated[int, Meta(ge=0, le=86_400_000, description="How long the receipt takes.")] | UnsetType
    ) = UNSET
    duplicate_receipts: (
        Annotated[
            bool | Annotated[int, Meta(ge=0, le=100)],
            Meta(description="How many times more the receipt comes; true is once."),
        ]
        | UnsetType
    ) = UNSET
    receipt_before_answer: (
        Annotated[bool, Meta(description="The receipt overtakes the answer to the submission.")] | UnsetType
    ) = UNSET
    refuse: (
        Annotated[RefusalWord | None, Meta(description="null: the network accepts messages.")] | UnsetType
    ) = UNSET

    def keys(self) -> dict[str, object]:
        """The keys that were given, as plain data."""
        given: dict[str, object] = msgspec.to_builtins(self)
        if self.duplicate_receipts is not UNSET:
            given["duplicate_receipts"] = int(self.duplicate_receipts)
        return given


class PageQuery(Body):
    """Which page of a list."""

    limit: Limit = 20
    cursor: Cursor | None = None


class BlacklistQuery(Body):
    """Which page of the blacklist."""

    limit: Limit = 100
    cursor: Cursor | None = None


class MessageQuery(PageQuery, rename={"sender": "from"}):
    """Which messages, newest first."""

    direction: Annotated[Direction | None, Meta(description="mt: to a mobile; mo: from one.")] = None
    state: MessageState | None = None
    to: Annotated[
        str | None,
        Meta(description="How `to` begins. Without `direction`, of messages to a mobile only."),
    ] = None
    sender: Annotated[
        str | None,
        Meta(description="How `from` begins. Without `direction`, of messages to a mobile only."),
    ] = None
    reference: str | None = None
    dialect: Annotated[str | None, Meta(description="Through which dialect it was sent.")] = None
    text: Annotated[str | None, Meta(description="Part of the text.")] = None
    since: Time | None = None
    until: Time | None = None


class DeliveryQuery(PageQuery):
    """Which deliveries, newest first."""

    state: JobState | None = None


class HandsetQuery(Body):
    """How much of a telephone's conversation, counted from the end."""

    limit: Limit = 100


# --- what clients get


class Problem(Struct, omit_defaults=True):
    """Why a request was refused (RFC 9457); `code` never changes its meaning."""

    type: str
    title: str
    status: int
    detail: str
    code: Fault
    field: Annotated[
        str | None, Meta(description="The property, parameter or header at fault, such as `to[17]`.")
    ] = None


class Page(Struct, Generic[T]):
    """One page of a list; `next_cursor` is null at its end."""

    data: list[T]
    next_cursor: str | None = None


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
            dialect=message.dialect,
            created_at=_utc(message.created_at),
            send_at=_utc_or_none(message.send_at),
            sent_at=_utc_or_none(message.sent_at),
            finished_at=_utc_or_none(message.finished_at),
            error=MessageError(message.fault, message.carrier_code) if message.fault else None,
        )


class Step(Struct):
    """A state that a message came to, and when."""

    state: MessageState
    at: Time


class Delivery(Struct, kw_only=True):
    """One notice to a customer's URL or mailbox, and how its last try went."""

    id: str
    event: Annotated[str, Meta(description="The name of the event that it tells of.")]
    target: Annotated[str, Meta(description="What names its address: subscription, keyword or number.")]
    way: Annotated[str, Meta(description="url or email.")]
    state: JobState
    attempts: int
    created_at: Time
    due_at: Annotated[Time, Meta(description="When it is tried, or was tried last.")]
    done_at: Time | None
    outcome: str

    @classmethod
    def of(cls, job: Job) -> "Delivery":
        """The JSON of a record; the payload is the one that services/subscriptions.py writes."""
        target = str(job.payload.get("target", ""))
        return cls(
            id=str(job.id),
            event=str(job.payload.get("event", "")),
            target=_TARGETS.get(target, ""),
            way=str(job.payload.get("way", "")),
            state=job.state,
            attempts=job.attempts,
            created_at=_utc(job.created_at),
            due_at=_utc(job.due_at),
            done_at=_utc_or_none(job.done_at),
            outcome=job.outcome,
        )


_TARGETS = {"Subscription": "subscription", "Keyword": "keyword", "OwnNumber": "number"}


class MessageStory(Message, kw_only=True):
    """A message with all that happened to it."""

    history: list[Step]
    notices: list[Delivery]

    @classmethod
    def told(cls, story: StoryRecord) -> "MessageStory":
        """The JSON of a message and what is known of it."""
        return cls(
            **msgspec.structs.asdict(Message.of(story.message)),
            history=[Step(state, _utc(at)) for state, at in story.timeline],
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


class Sent(Struct):
    """One entry for each recipient in the order asked, and the balance afterwards."""

    messages: list[SentMessage]
    balance: Credits

    @classmethod
    def of(cls, accepted: Sequence[MessageRecord], balance: int) -> "Sent":
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
                    _utc_or_none(message.send_at),
                )
                for message in accepted
            ],
            credits_of(balance),
        )


class QuotedRecipient(Struct):
    """The price of one recipient's message."""

    to: str
    price: Credits


class Quote(Struct):
    """What a send would cost, exactly; `forced_by` has the characters that made it UCS-2."""

    segments: int
    encoding: Encoding
    price: Annotated[Credits, Meta(description="For all recipients together.")]
    units: Annotated[int, Meta(description="Septets (gsm7) or UTF-16 code units (ucs2) of the text.")]
    forced_by: list[str]
    recipients: list[QuotedRecipient]

    @classmethod
    def of(cls, quote: QuoteOutcome) -> "Quote":
        """The JSON of an outcome."""
        return cls(
            quote.segments,
            quote.encoding,
            credits_of(quote.price),
            quote.units,
            list(quote.forced_by),
            [QuotedRecipient(one.to, credits_of(one.price)) for one in quote.recipients],
        )


class Account(Struct):
    """The account; `reserved` credits are promised to work that is not finished."""

    id: str
    name: str
    kind: directory.AccountKind
    balance: Credits
    reserved: Credits
    default_sender: str
    created_at: Time

    @classmethod
    def of(cls, account: directory.Account) -> "Account":
        """The JSON of a record."""
        return cls(
            account.guid,
            account.name,
            account.kind,
            credits_of(account.balance),
            credits_of(account.reserved),
            account.default_sender,
            _utc(account.created_at),
        )


class LedgerEntry(Struct):
    """One line of the statement: a positive amount came to the account, a negative one left it."""

    id: str
    at: Time
    kind: ledger.EntryKind
    amount: Credits
    balance: Annotated[Credits, Meta(description="After this entry.")]
    messages: Annotated[int, Meta(description="How many messages it pays for.")]
    reference: str | None

    @classmethod
    def of(cls, entry: ledger.LedgerEntry) -> "LedgerEntry":
        """The JSON of a record."""
        came = entry.credit.startswith("account:")
        return cls(
            str(entry.id),
            _utc(entry.at),
            entry.kind,
            credits_of(entry.amount if came else -entry.amount),
            credits_of(entry.balance),
            entry.messages,
            entry.reference,
        )


class Number(Struct):
    """A number of the account's own, and where its inbound messages go."""

    number: str
    url: str
    email: str
    dialect: str
    created_at: Time

    @classmethod
    def of(cls, own: directory.OwnNumber) -> "Number":
        """The JSON of a record."""
        return cls(own.number, own.url, own.email, own.dialect, _utc(own.created_at))


class ShortCode(Struct):
    """A short code shared by keywords; `revenue` is what its inbound messages earn."""

    number: str
    country: str
    label: str
    revenue: Credits

    @classmethod
    def of(cls, code: directory.ShortCode) -> "ShortCode":
        """The JSON of a record."""
        return cls(code.number, code.country, code.label, credits_of(code.revenue))


class Numbers(Struct):
    """The account's own numbers, and the short codes on which it may reserve keywords."""

    data: list[Number]
    short_codes: list[ShortCode]
    next_cursor: str | None = None


class Keyword(Struct):
    """A reserved keyword, and where its messages go."""

    id: str
    short_code: str
    word: str
    url: str
    email: str
    dialect: str
    created_at: Time

    @classmethod
    def of(cls, keyword: directory.Keyword) -> "Keyword":
        """The JSON of a record."""
        return cls(
            str(keyword.id),
            keyword.short_code,
            keyword.word,
            keyword.url,
            keyword.email,
            keyword.dialect,
            _utc(keyword.created_at),
        )


class BlacklistEntry(Struct):
    """A number that is not reached any more."""

    number: str
    reason: str
    created_at: Time

    @classmethod
    def of(cls, entry: directory.BlacklistEntry) -> "BlacklistEntry":
        """The JSON of a record."""
        return cls(entry.number, entry.reason, _utc(entry.created_at))


class Subscription(Struct, kw_only=True):
    """A URL that is told of events."""

    id: str
    url: str
    events: list[EventWord]
    dialect: str
    enabled: bool
    disabled_at: Annotated[Time | None, Meta(description="When the URL answered 410.")]
    created_at: Time

    @classmethod
    def of(cls, subscription: directory.Subscription) -> "Subscription":
        """The JSON of a record."""
        return Subscription(
            id=subscription.ref,
            url=subscription.url,
            events=list(subscription.events),
            dialect=subscription.dialect,
            enabled=subscription.disabled_at is None,
            disabled_at=_utc_or_none(subscription.disabled_at),
            created_at=_utc(subscription.created_at),
        )


class NewSubscription(Subscription, kw_only=True):
    """A subscription with the secret that its notices are signed with; only this answer shows it."""

    secret: Annotated[str, Meta(description="For a Standard Webhooks library.")]

    @classmethod
    def made(cls, subscription: directory.Subscription) -> "NewSubscription":
        """The JSON of a record, with its secret."""
        return cls(**msgspec.structs.asdict(Subscription.of(subscription)), secret=subscription.secret)


class Handset(Struct):
    """A virtual telephone; any number that is routed to the sandbox is one."""

    number: str
    active_at: Time
    behaviour: dict[str, Any]

    @classmethod
    def of(cls, handset: directory.Handset) -> "Handset":
        """The JSON of a record."""
        return cls(handset.number, _utc(handset.active_at), handset.behaviour)


class HandsetMessage(Struct, rename={"sender": "from"}):
    """One message on a virtual telephone; `incoming` when the telephone received it."""

    sender: str
    to: str
    text: str
    incoming: bool
    at: Time
    flash: bool

    @classmethod
    def of(cls, item: directory.HandsetItem) -> "HandsetMessage":
        """The JSON of a record."""
        sender, to = (item.other, item.number) if item.incoming else (item.number, item.other)
        return cls(sender, to, item.text, item.incoming, _utc(item.at), item.flash)


class Conversation(Struct):
    """A virtual telephone and its messages, oldest first."""

    handset: Handset
    data: list[HandsetMessage]
    next_cursor: str | None = None


class Notice(Struct):
    """The body of a notice to a URL (Standard Webhooks 1.0.0, "Payload structure")."""

    type: EventName
    timestamp: Time
    data: Message


class Document(Struct):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
