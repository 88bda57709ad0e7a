"""Every request the platform understands: the language of Chappe on a few pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from chappe.model.directory import Forwarding
from chappe.model.errors import Fault
from chappe.model.messages import Direction, Message, MessageState, Purpose
from chappe.model.smstext import Encoding
from chappe.model.sounds import Sound

# --- who asks


@dataclass(frozen=True, slots=True)
class Key:
    """A high-entropy secret, alone."""

    secret: str


@dataclass(frozen=True, slots=True)
class Password:
    """A login and its password."""

    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A login, and a proof of its password that does not tell it: `response` must be the MD5 of the stored
    hash, a colon and `hashed` (RFC 7616, 3.4.1). `count` numbers the uses of the nonce."""

    login: str
    nonce: str
    count: int
    hashed: str
    response: str


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """The number of a line that lets programs in by their address alone. `is_relayed`: the address is that of
    a proxy that nobody told us to trust, so it says nothing of who asks."""

    line: str
    is_relayed: bool = False


Credentials = Key | Password | Digest | SourceAddress


class Caller(NamedTuple):
    """Who asks, as services know them. `region` is where national numbers are read (ISO 3166).

    `account_id` 0 is nobody: an operation that needs no credentials. `daily_cap`, `open_destinations`,
    `calls_a_day` and `calls_cap` are those of its account, `scopes` those of its credential.
    """

    account_id: int
    guid: str
    kind: str
    default_sender: str
    user_id: int | None
    user_name: str
    dialect: str
    region: str = "FR"
    credential_id: int | None = None
    exchange_id: int | None = None
    daily_cap: int | None = None
    open_destinations: tuple[str, ...] = ()
    calls_a_day: int | None = None
    calls_cap: int | None = None
    scopes: tuple[str, ...] = ()


# --- messages


@dataclass(frozen=True, slots=True)
class Replay:
    """A client's own name for a command that costs credits: the same key with the same `fingerprint` of
    the request gives the first answer again and sends nothing."""

    key: str
    fingerprint: str


class SendMessages(NamedTuple):
    """Send one text to one or many mobiles.

    `recipients` are as the client wrote them. `sender` empty means the default: the account's, else
    `fallback_sender`, else the account's own number. With `sender_optional` a sender that cannot be used
    is replaced by the default instead of refused. `send_at` in the past means now. `split_allowed` False or
    `max_segments` bound the length (`content_too_long`). With `all_or_nothing` one bad recipient refuses
    the command; without it each recipient has its own fate. `session` opens a time in which answers
    need no keyword. `told` says of what the sender's own connection tells him (bits of Told, None: the ends).
    `purpose` decides which rules of the land hold (model/rules.py). `add_stop` ends a text
    that does not tell how to object with the platform's STOP text.
    """

    recipients: tuple[str, ...]
    text: str
    sender: str = ""
    fallback_sender: str = ""
    sender_optional: bool = False
    flash: bool = False
    send_at: datetime | None = None
    validity: timedelta | None = None
    receipt_wanted: bool = True
    told: int | None = None
    reference: str = ""
    encoding: Encoding | None = None
    split_allowed: bool = True
    max_segments: int | None = None
    session: timedelta | None = None
    all_or_nothing: bool = True
    replay: Replay | None = None
    purpose: Purpose = Purpose.TRANSACTIONAL
    add_stop: bool = False


class Accepted(NamedTuple):
    """A recipient whose message was taken; `recipient` as the client wrote it."""

    recipient: str
    message: Message


@dataclass(frozen=True, slots=True)
class Refused:
    """A recipient, or an id, for which nothing was done."""

    recipient: str
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Caution:
    """What a rule says of a message that goes out all the same, or later, or with a text added: the rule's
    id, and a sentence with its source. `until` is the next allowed time of one that waits."""

    rule: str
    detail: str
    until: datetime | None = None


class SendOutcome(NamedTuple):
    """What became of each recipient, in the order asked, and the balance after it (thousandths).

    `replayed` says that this is the stored answer of an earlier command with the same key.
    """

    results: tuple[Accepted | Refused, ...]
    balance: int
    replayed: bool = False
    warnings: tuple[Caution, ...] = ()


class QuoteMessages(NamedTuple):
    """What a send would cost, exactly; the fields mean the same as in SendMessages."""

    recipients: tuple[str, ...]
    text: str
    encoding: Encoding | None = None
    sender: str = ""
    purpose: Purpose = Purpose.TRANSACTIONAL


@dataclass(frozen=True, slots=True)
class QuotedRecipient:
    """The price of one recipient's message in thousandths; `to` is the MSISDN."""

    recipient: str
    to: str
    price: int


@dataclass(frozen=True, slots=True)
class Quote:
    """Segments, encoding, the characters that forced UCS-2, and prices in thousandths."""

    encoding: Encoding
    segments: int
    units: int
    forced_by: tuple[str, ...]
    recipients: tuple[QuotedRecipient, ...]
    price: int
    warnings: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class FindMessages:
    """Messages by the refs that `SendMessages` returned; the outcome is a tuple with, for each ref in
    order, its MessageStory or a Refused(`not_found`). With `notices` the stories hold the
    deliveries as well."""

    refs: tuple[str, ...]
    notices: bool = False


@dataclass(frozen=True, slots=True)
class CancelMessages:
    """Cancel scheduled messages; outcome: for each ref in order, the Message as it now is or a Refused
    (`not_found`, `too_late`)."""

    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplaceMessage:
    """Another text, date or end for a message that still waits for its date; outcome: the Message as it now
    is, or a Refusal (`not_found`, `too_late`, or what a send may be refused for).

    An empty text and a None leave what there was; the end moves with the date. `receipt_wanted` and `told` as
    in SendMessages.
    """

    ref: str
    text: str = ""
    encoding: Encoding | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    receipt_wanted: bool = True
    told: int | None = None


@dataclass(frozen=True, slots=True)
class ListMessages:
    """The account's messages, newest first; outcome: Page of Message.

    `peer` and `address` match by the beginning of the digits, `text` anywhere, `cursor` is a
    `next_cursor`, `limit` at most 100.
    """

    direction: Direction | None = None
    state: MessageState | None = None
    peer: str = ""
    address: str = ""
    dialect: str = ""
    reference: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    cursor: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class CleanNumber:
    """A number as people write it; outcome: its MSISDN as str, or a Refusal `invalid_recipient`."""

    number: str
    region: str = "FR"


# --- the account


@dataclass(frozen=True, slots=True)
class ReadAccount:
    """Outcome: the Account as it is now."""


@dataclass(frozen=True, slots=True)
class ReadLedger:
    """Outcome: Page of LedgerEntry, newest first."""

    cursor: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ListNumbers:
    """Outcome: (own numbers, shared short codes) as two tuples."""


@dataclass(frozen=True, slots=True)
class ClaimNumber:
    """Take a free sandbox number (empty: any), or change where inbound messages to an own one go.

    `dialect` says in which manner they are delivered. Outcome: OwnNumber.
    """

    number: str = ""
    url: str = ""
    email: str = ""
    dialect: str = "rest"


@dataclass(frozen=True, slots=True)
class ChangeNumber:
    """Set where messages to an own number go; outcome: OwnNumber. None leaves a field as it is."""

    number: str
    url: str | None = None
    email: str | None = None
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class ReleaseNumber:
    """Give an own number back; outcome: None."""

    number: str


# --- lines


@dataclass(frozen=True, slots=True)
class ListLines:
    """Outcome: tuple of Line."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """Set where a line's calls are told, from where programs may act for it, where its calls go (`profile` is
    the name of one of `profiles`), and what its answerphone says; outcome: Line. None leaves a field as it
    is."""

    number: str
    notification_url: str | None = None
    allowed_sources: str | None = None
    profile: str | None = None
    profiles: Mapping[str, Forwarding] | None = None
    greeting: str | None = None


@dataclass(frozen=True, slots=True)
class FindLine:
    """Outcome: Line."""

    number: str


@dataclass(frozen=True, slots=True)
class AddLine:
    """Another line for the account, with a number of the platform; outcome: NewLine."""


@dataclass(frozen=True, slots=True)
class RenewTelephone:
    """A new password for a line's telephone, which is shown once; outcome: NewTelephone."""

    number: str


@dataclass(frozen=True, slots=True)
class SetProfile:
    """Put one of a line's profiles in force, named in any letter case; outcome: Line."""

    line: str
    profile: str


@dataclass(frozen=True, slots=True)
class SendFromLine:
    """Send a message as one of the account's lines; outcome: SendOutcome."""

    line: str
    message: SendMessages


@dataclass(frozen=True, slots=True)
class ListKeywords:
    """Outcome: tuple of Keyword."""


@dataclass(frozen=True, slots=True)
class ClaimKeyword:
    """Reserve a keyword on a shared short code; outcome: Keyword, or `already_exists` where it stands in
    conflict with another's."""

    short_code: str
    word: str
    url: str = ""
    email: str = ""
    dialect: str = "rest"


@dataclass(frozen=True, slots=True)
class ChangeKeyword:
    """Set where a keyword's messages go; outcome: Keyword. None leaves a field as it is."""

    id: int
    url: str | None = None
    email: str | None = None
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class ReleaseKeyword:
    """Give a keyword back; outcome: None."""

    id: int


@dataclass(frozen=True, slots=True)
class ListBlacklist:
    """Outcome: Page of BlacklistEntry."""

    cursor: int | None = None
    limit: int = 100
    skip: int = 0


@dataclass(frozen=True, slots=True)
class BlockNumber:
    """Put a number on the account's blacklist; outcome: BlacklistEntry."""

    number: str
    reason: str = "added by the account"


@dataclass(frozen=True, slots=True)
class UnblockNumber:
    """Take a number off the account's blacklist; outcome: None."""

    number: str


# --- subscriptions and their deliveries


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Be told of events at a URL; outcome: Subscription (its secret is shown by this answer and in the
    console). `events` are names of model/events.py or `*`."""

    url: str
    events: tuple[str, ...]
    dialect: str = "rest"


@dataclass(frozen=True, slots=True)
class ListSubscriptions:
    """Outcome: tuple of Subscription."""


@dataclass(frozen=True, slots=True)
class FindSubscription:
    """Outcome: Subscription."""

    ref: str


@dataclass(frozen=True, slots=True)
class ChangeSubscription:
    """Outcome: Subscription. None leaves a field as it is; `enabled` True lifts a disabling."""

    ref: str
    url: str | None = None
    events: tuple[str, ...] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Outcome: None."""

    ref: str


@dataclass(frozen=True, slots=True)
class ListDeliveries:
    """Notices sent or to be sent; outcome: Page of Job, newest first. `state` is a JobState or empty."""

    state: str = ""
    cursor: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class ReplayDelivery:
    """Send a notice again (a dead or a done one); outcome: Job."""

    id: int


# --- the sandbox


@dataclass(frozen=True, slots=True)
class ListHandsets:
    """Outcome: tuple of Handset, newest activity first."""


@dataclass(frozen=True, slots=True)
class ReadHandset:
    """One virtual telephone; any number is one. Outcome: (Handset, tuple of HandsetItem, oldest first)."""

    number: str
    limit: int = 100


@dataclass(frozen=True, slots=True)
class SendFromHandset:
    """A virtual telephone sends an SMS to a number or short code; outcome: HandsetItem."""

    number: str
    to: str
    text: str


@dataclass(frozen=True, slots=True)
class UseTelephone:
    """Do something with a call at a virtual telephone: `what` is "answer", "reject", "hangup" or "keys"."""

    number: str
    leg_id: int
    what: str
    keys: str = ""


@dataclass(frozen=True, slots=True)
class DialFromHandset:
    """A virtual telephone calls `to`, as it is dialled."""

    number: str
    to: str


@dataclass(frozen=True, slots=True)
class HearTelephone:
    """What a virtual telephone has heard lately; outcome: samples."""

    number: str
    leg_id: int


@dataclass(frozen=True, slots=True)
class SetBehaviour:
    """How a virtual telephone and its network behave; outcome: Handset. Keys: see services/sandbox.py."""

    number: str
    behaviour: Mapping[str, object]


Command = (
    SendMessages
    | QuoteMessages
    | FindMessages
    | CancelMessages
    | ReplaceMessage
    | ListMessages
    | CleanNumber
    | ReadAccount
    | ReadLedger
    | ListNumbers
    | ClaimNumber
    | ChangeNumber
    | ReleaseNumber
    | ListLines
    | ChangeLine
    | FindLine
    | AddLine
    | RenewTelephone
    | SetProfile
    | SendFromLine
    | ListKeywords
    | ClaimKeyword
    | ChangeKeyword
    | ReleaseKeyword
    | ListBlacklist
    | BlockNumber
    | UnblockNumber
    | Subscribe
    | ListSubscriptions
    | FindSubscription
    | ChangeSubscription
    | Unsubscribe
    | ListDeliveries
    | ReplayDelivery
    | ListHandsets
    | ReadHandset
    | SendFromHandset
    | SetBehaviour
)


# --- calls


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Ring `first`, then `second`, and join them.

    What each side is shown: a number, "" for none, None for the account's own number, or with
    `shows_parties` the other side's where the account may show that. `longest` is how
    long they may talk. With `confirm` the second side presses a key before it is joined. `line` is the
    account's line for which it is made; lines are not told of it where `tells_lines` is off. With `record`
    what they say is recorded, and mailed to the address `record_to` when it is over.
    """

    first: str
    second: str
    shown_to_first: str | None = None
    shown_to_second: str | None = None
    shows_parties: bool = False
    longest: timedelta | None = None
    ring: timedelta | None = None
    confirm: bool = False
    language: str = "fr"
    reference: str = ""
    replay: Replay | None = None
    line: str = ""
    record: bool = False
    record_to: str = ""
    tells_lines: bool = True


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """End a call that is going on."""

    ref: str


@dataclass(frozen=True, slots=True)
class PlayToCall:
    """Play to a leg of a live call (its name or id); with no `leg` to all that are joined."""

    ref: str
    leg: str
    sound: Sound


@dataclass(frozen=True, slots=True)
class StopSound:
    """Stop what is played to a leg of a live call."""

    ref: str
    leg: str


@dataclass(frozen=True, slots=True)
class SendKeys:
    """Press keys towards a leg of a live call."""

    ref: str
    leg: str
    keys: str


@dataclass(frozen=True, slots=True)
class MuteLeg:
    """Let nobody hear a leg of a live call, or everybody again."""

    ref: str
    leg: str
    muted: bool


@dataclass(frozen=True, slots=True)
class RecordCall:
    """Begin to record a live call, or end that."""

    ref: str
    recording: bool


@dataclass(frozen=True, slots=True)
class HangUpLeg:
    """End one leg of a live call."""

    ref: str
    leg: str


@dataclass(frozen=True, slots=True)
class FindAnything:
    """The message or the call with this ref, for wires that know one history of both."""

    ref: str


@dataclass(frozen=True, slots=True)
class TransferCall:
    """The party at `leg` (its id or name) gives its partner to the number `to`, at once or after having
    spoken to it (`attended`); outcome: CallStory."""

    ref: str
    leg: str
    to: str
    attended: bool = False


@dataclass(frozen=True, slots=True)
class PickUpCall:
    """A line takes a call that rings elsewhere; outcome: CallStory."""

    ref: str
    line: str


@dataclass(frozen=True, slots=True)
class CallFromLine:
    """Place a call as one of the account's lines, whose telephone is rung where `call` names no other."""

    line: str
    call: PlaceCall


@dataclass(frozen=True, slots=True)
class FindCall:
    """One call with its legs."""

    ref: str


@dataclass(frozen=True, slots=True)
class ListCalls:
    """Calls, newest first, without the first `skip`; empty fields do not narrow. `number` is the beginning of
    either side's."""

    state: str = ""
    outcome: str = ""
    dialect: str = ""
    reference: str = ""
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None
    cursor: int | None = None
    limit: int = 50
    skip: int = 0
