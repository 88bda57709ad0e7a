"""The sandbox network's virtual telephones: what they received, sending from them, how they misbehave.

Every number that routes to the sandbox is a telephone; nobody has to create it. An account sees its own
traffic with a number only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chappe.model.changes import Changes, Update
from chappe.model.commands import (
    Caller,
    ListHandsets,
    ReadHandset,
    SendFromHandset,
    SetBehaviour,
)
from chappe.model.directory import Handset, HandsetItem
from chappe.model.errors import Fault, Refusal
from chappe.model.jobs import Job, JobState
from chappe.model.messages import InboundMessage, Message, MessageState, Receipt
from chappe.model.numbers import NumberError, read_msisdn, read_sender
from chappe.model.smstext import TextNotEncodable, plan
from chappe.model.stopwords import read_stop
from chappe.services import inbox
from chappe.services.ports import Platform

CARRIER = "sandbox"
RECEIPT = "sandbox_receipt"
"""The kind of job that brings a delayed receipt."""

_LATEST_RECEIPT_MS = 24 * 3_600_000
_LATEST_MS = 3_600_000
_LONGEST_SPOKEN = 1000
KEYS = re.compile("[0-9*#]{0,32}")
GREETING = {
    "fr": "Bonjour. Laissez un message après le bip.",
    "en": "Hello. Leave a message after the tone.",
}
"""What an answering machine says that was told nothing else (our choice)."""


class ReceiptKind(StrEnum):
    """What the network reports about messages to a telephone."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NONE = "none"


class RefuseKind(StrEnum):
    """How the network refuses to take messages to a telephone."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    THROTTLED = "throttled"


class WhenCalled(StrEnum):
    """What a telephone does when it is called."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECT = "reject"
    UNREACHABLE = "unreachable"
    MACHINE = "machine"


STATE_OF_RECEIPT = {
    ReceiptKind.DELIVERED: MessageState.DELIVERED,
    ReceiptKind.UNDELIVERED: MessageState.UNDELIVERED,
    ReceiptKind.EXPIRED: MessageState.EXPIRED,
    # A rejection after acceptance is a failed delivery; SMPP calls it REJECTD.
    ReceiptKind.REJECTED: MessageState.UNDELIVERED,
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a telephone and its network behave: the keys of `PUT .../behaviour`.

    A telephone that was not told what to do with a `call` rings until somebody answers it. `keys` are
    pressed after it has answered, or was answered; so are `say`, a text that is spoken then and whenever the
    call is joined to others, and the `greeting` of a machine, before its tone. `language`: "fr" or "en".
    """

    receipt: ReceiptKind = ReceiptKind.DELIVERED
    receipt_after_ms: int = 0
    duplicate_receipts: int = 0
    receipt_before_answer: bool = False
    refuse: RefuseKind | None = None
    call: WhenCalled | None = None
    answer_after_ms: int = 0
    keys: str = ""
    keys_after_ms: int = 0
    hang_up_after_ms: int = 0
    say: str = ""
    greeting: str = ""
    language: str = "fr"


def read_behaviour(values: Mapping[str, object]) -> Behaviour:
    """The behaviour that a mapping describes; keys that are missing or None have their default. Raises
    Refusal `invalid_parameter` naming the key."""

    def wrong(key: str, value: object, instead: str) -> Refusal:
        return Refusal(Fault.INVALID_PARAMETER, f"{key}: {value!r} is not {instead}", key)

    def whole(key: str, most: int) -> int:
        value = given.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise wrong(key, value, f"a whole number from 0 to {most}")
        return value

    known = set(Behaviour.__dataclass_fields__)
    for key in values:
        if key not in known:
            raise Refusal(
                Fault.INVALID_PARAMETER, f"{key!r} is no behaviour; known are {', '.join(sorted(known))}", key
            )
    given = {key: value for key, value in values.items() if value is not None}
    receipt = given.get("receipt", ReceiptKind.DELIVERED)
    if receipt not in list(ReceiptKind):
        raise wrong("receipt", receipt, f"one of {', '.join(ReceiptKind)}")
    refuse = given.get("refuse")
    if refuse is not None and refuse not in list(RefuseKind):
        raise wrong("refuse", refuse, f"one of {', '.join(RefuseKind)}")
    early = given.get("receipt_before_answer", False)
    if not isinstance(early, bool):
        raise wrong("receipt_before_answer", early, "true or false")
    call = given.get("call")
    if call is not None and call not in list(WhenCalled):
        raise wrong("call", call, f"one of {', '.join(WhenCalled)}")
    keys = given.get("keys", "")
    if not isinstance(keys, str) or not KEYS.fullmatch(keys):
        raise wrong("keys", keys, "at most 32 of the keys 0 to 9, * and #")
    texts: dict[str, str] = {}
    for key in ("say", "greeting"):
        value = given.get(key, "")
        if not isinstance(value, str) or len(value) > _LONGEST_SPOKEN or "\0" in value:
            raise wrong(key, value, f"a text of at most {_LONGEST_SPOKEN} characters")
        texts[key] = value
    language = given.get("language", "fr")
    if language not in GREETING:
        raise wrong("language", language, f"one of {', '.join(GREETING)}")
    return Behaviour(
        receipt=ReceiptKind(str(receipt)),
        receipt_after_ms=whole("receipt_after_ms", _LATEST_RECEIPT_MS),
        duplicate_receipts=whole("duplicate_receipts", 100),
        receipt_before_answer=early,
        refuse=None if refuse is None else RefuseKind(str(refuse)),
        call=None if call is None else WhenCalled(str(call)),
        answer_after_ms=whole("answer_after_ms", _LATEST_MS),
        keys=keys,
        keys_after_ms=whole("keys_after_ms", _LATEST_MS),
        hang_up_after_ms=whole("hang_up_after_ms", _LATEST_MS),
        say=texts["say"],
        greeting=texts["greeting"],
        language=str(language),
    )


# --- for the account


async def list_handsets(platform: Platform, caller: Caller, command: ListHandsets) -> tuple[Handset, ...]:
    """The telephones that had traffic with the account, or were given a behaviour by it."""
    return await platform.store.queries.handsets(caller.account_id)


async def read_handset(
    platform: Platform, caller: Caller, command: ReadHandset
) -> tuple[Handset, tuple[HandsetItem, ...]]:
    """One telephone with its last messages, oldest first."""
    number = number_of(command.number, caller)
    found = await platform.store.queries.handset(caller.account_id, number)
    items = await platform.store.queries.handset_items(
        caller.account_id, number, max(1, min(command.limit, 500))
    )
    blank = Handset(0, caller.account_id, number, {}, platform.clock.now())
    return found or blank, tuple(reversed(items))


async def set_behaviour(platform: Platform, caller: Caller, command: SetBehaviour) -> Handset:
    """Set how a telephone behaves; keys that are left out go back to their default."""
    number = telephone_of(platform, command.number, caller)
    read_behaviour(command.behaviour)
    return await touch(platform, caller.account_id, number, dict(command.behaviour))


async def send_from_handset(platform: Platform, caller: Caller, command: SendFromHandset) -> HandsetItem:
    """A telephone sends an SMS; it is routed like any inbound message, to whoever owns the address."""
    number = telephone_of(platform, command.number, caller)
    if not command.text:
        raise Refusal(Fault.EMPTY_CONTENT, "the text is empty", "text")
    if len(command.text) > 2_000:
        raise Refusal(Fault.CONTENT_TOO_LONG, "a telephone sends at most 2000 characters", "text")
    if "\0" in command.text:
        raise Refusal(Fault.INVALID_PARAMETER, "the text holds NUL, which no SMS can carry", "text")
    try:
        encoding = plan(command.text).encoding
    except TextNotEncodable as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), "text") from error
    to = _address(command.to, caller)
    now = platform.clock.now()
    item_id = platform.ids.new_id()
    received = await inbox.receive(
        platform,
        InboundMessage(
            carrier=CARRIER,
            carrier_id=str(item_id),
            sender=number,
            to=to,
            text=command.text,
            encoding=encoding,
            at=now,
        ),
    )
    item = HandsetItem(
        id=item_id,
        account_id=caller.account_id,
        number=number,
        other=to,
        text=command.text,
        incoming=False,
        flash=False,
        at=now,
        unowned=received is None and read_stop(command.text) is None,
    )
    await platform.store.commit(Changes(insert=[item]))
    await touch(platform, caller.account_id, number)
    platform.topics.publish(f"account.{caller.account_id}")
    return item


def number_of(raw: str, caller: Caller) -> str:
    """A number as it was sent. Raises Refusal."""
    try:
        return read_msisdn(raw, caller.region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), "number") from error


def telephone_of(platform: Platform, raw: str, caller: Caller) -> str:
    """The number of a virtual telephone: one that routes to the sandbox. In the name of a real mobile nobody
    may send, least of all STOP to somebody else's number."""
    number = number_of(raw, caller)
    try:
        carrier = platform.router.way("sms", number).carrier
    except Refusal:
        carrier = ""
    if carrier != CARRIER:
        raise Refusal(
            Fault.NOT_ALLOWED,
            f"{number} is no telephone of the sandbox; messages to it go elsewhere",
            "number",
        )
    return number


def _address(raw: str, caller: Caller) -> str:
    """A short code, a number, or (as only the sandbox allows) the letters of a sender id."""
    try:
        sender = read_sender(raw, caller.region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), "to") from error
    if sender.kind == "number":
        return read_msisdn(raw, caller.region)
    return sender.value


# --- for the carrier


async def touch(
    platform: Platform, account_id: int, number: str, behaviour: dict[str, object] | None = None
) -> Handset:
    """Note activity on a telephone, making it known to the account where it was not."""
    now = platform.clock.now()
    for _ in range(2):
        found = await platform.store.queries.handset(account_id, number)
        try:
            if found is None:
                handset = Handset(platform.ids.new_id(), account_id, number, behaviour or {}, now)
                await platform.store.commit(Changes(insert=[handset]))
                return handset
            values: dict[str, object] = {"active_at": now}
            if behaviour is not None:
                values["behaviour"] = behaviour
            await platform.store.commit(Changes(update=[Update(Handset, found.id, account_id, values)]))
            return Handset(
                found.id, account_id, number, found.behaviour if behaviour is None else behaviour, now
            )
        except Refusal as refusal:
            if refusal.fault is not Fault.ALREADY_EXISTS:
                raise  # somebody else made it known at the same moment: once more
    raise Refusal(Fault.INTERNAL, f"the telephone {number} could not be noted")


async def behaviour_of(platform: Platform, account_id: int, number: str) -> Behaviour:
    """How a telephone behaves towards an account."""
    found = await platform.store.queries.handset(account_id, number)
    return Behaviour() if found is None else read_behaviour(found.behaviour)


def receipt_job(platform: Platform, message: Message, receipt: Receipt) -> Job:
    """A receipt to be brought at its time."""
    return Job(
        id=platform.ids.new_id(),
        kind=RECEIPT,
        account_id=message.account_id,
        subject=message.id,
        payload={"carrier_id": receipt.carrier_id, "state": str(receipt.state), "code": receipt.code},
        state=JobState.WAITING,
        due_at=receipt.at,
        created_at=platform.clock.now(),
    )
