"""What customers ask over SMPP as commands of the platform, and its faults and states as SMPP's.

Statuses that SMPP 3.4, 5.1.3, does not oblige us to are our choice.
"""

from collections.abc import Mapping
from datetime import datetime

from chappe.model.commands import ReplaceMessage, SendMessages
from chappe.model.errors import Fault, Refusal
from chappe.model.messages import ENDS, Message, MessageState, Told
from chappe.model.smstext import Encoding
from chappe.protocols.smpp.bodies import Data, Destination, MultiMessage, Replace, ShortMessage
from chappe.protocols.smpp.codes import Npi, Status, Ton
from chappe.protocols.smpp.coding import Alphabet, Coding
from chappe.protocols.smpp.receipts import State
from chappe.protocols.smpp.times import read_time

FAULTS: Mapping[Fault, Status] = {
    Fault.BAD_CREDENTIALS: Status.ESME_RINVPASWD,
    Fault.NOT_ALLOWED: Status.ESME_RSUBMITFAIL,
    Fault.ACCOUNT_SUSPENDED: Status.ESME_RBINDFAIL,
    Fault.UNKNOWN_OPERATION: Status.ESME_RINVCMDID,
    Fault.MISSING_PARAMETER: Status.ESME_RMISSINGOPTPARAM,
    Fault.INVALID_PARAMETER: Status.ESME_RSUBMITFAIL,
    Fault.UNSUPPORTED: Status.ESME_RSUBMITFAIL,
    Fault.NO_RECIPIENT: Status.ESME_RINVDSTADR,
    Fault.INVALID_RECIPIENT: Status.ESME_RINVDSTADR,
    Fault.INVALID_SENDER: Status.ESME_RINVSRCADR,
    Fault.BLACKLISTED: Status.ESME_RSUBMITFAIL,
    Fault.DESTINATION_FORBIDDEN: Status.ESME_RINVDSTADR,
    Fault.EMPTY_CONTENT: Status.ESME_RINVMSGLEN,
    Fault.CONTENT_TOO_LONG: Status.ESME_RINVMSGLEN,
    Fault.UNKNOWN_MEDIA: Status.ESME_RSUBMITFAIL,
    Fault.UNUSABLE_MEDIA: Status.ESME_RSUBMITFAIL,
    Fault.MEDIA_TOO_LARGE: Status.ESME_RINVMSGLEN,
    Fault.INSUFFICIENT_CREDITS: Status.ESME_RSUBMITFAIL,
    Fault.RATE_LIMITED: Status.ESME_RTHROTTLED,
    Fault.TOO_MANY_CALLS: Status.ESME_RTHROTTLED,
    Fault.NO_ROUTE: Status.ESME_RINVDSTADR,
    Fault.CARRIER_REJECTED: Status.ESME_RSUBMITFAIL,
    Fault.CARRIER_UNAVAILABLE: Status.ESME_RMSGQFUL,
    Fault.EXPIRED: Status.ESME_RINVEXPIRY,
    Fault.NOT_FOUND: Status.ESME_RINVMSGID,
    Fault.ALREADY_EXISTS: Status.ESME_RSUBMITFAIL,
    Fault.TOO_LATE: Status.ESME_RSUBMITFAIL,
    Fault.CONSENT_MISSING: Status.ESME_RSUBMITFAIL,
    Fault.POSITION_UNAVAILABLE: Status.ESME_RSUBMITFAIL,
    Fault.INTERNAL: Status.ESME_RSYSERR,
}
_BY_FIELD: Mapping[str | None, Status] = {
    "send_at": Status.ESME_RINVSCHED,
    "validity": Status.ESME_RINVEXPIRY,
    "text": Status.ESME_RINVMSGLEN,
    "from": Status.ESME_RINVSRCADR,
    "to": Status.ESME_RINVDSTADR,
}

STATES: Mapping[MessageState, State] = {
    MessageState.SCHEDULED: State.ENROUTE,  # SMPP 5.0 has a word for it, 3.4 has not
    MessageState.QUEUED: State.ENROUTE,
    MessageState.SENDING: State.ENROUTE,
    MessageState.SENT: State.ENROUTE,
    MessageState.DELIVERED: State.DELIVERED,
    MessageState.UNDELIVERED: State.UNDELIVERABLE,
    MessageState.EXPIRED: State.EXPIRED,
    MessageState.FAILED: State.REJECTED,
    MessageState.CANCELLED: State.DELETED,
    MessageState.RECEIVED: State.DELIVERED,
}


def status_of(refusal: Refusal) -> Status:
    """The status of a refusal."""
    if refusal.fault in (Fault.INVALID_PARAMETER, Fault.UNSUPPORTED):
        return _BY_FIELD.get(refusal.field, FAULTS[refusal.fault])
    return FAULTS[refusal.fault]


def error_of(message: Message) -> int:
    """The number for `err` in a receipt: the network's where it is one, else 0."""
    code = message.carrier_code
    return int(code) if code.isascii() and code.isdigit() and len(code) < 5 else 0


def recipient(ton: int, address: str) -> str:
    """A destination as people write it."""
    return f"+{address}" if ton == Ton.INTERNATIONAL and not address.startswith("+") else address


def wishes(registered_delivery: int) -> Told:
    """What registered_delivery asks to be told of: bits 1 and 0 say of which ends (SMPP 3.4, 5.2.17; of
    success alone: SMPP 5.0, 4.7.21), bit 4 of what comes between."""
    ends = (Told(0), ENDS, Told.FAILURE, Told.SUCCESS)[registered_delivery & 3]
    return ends | Told.STEP if registered_delivery & 0x10 else ends


def read_order(
    body: ShortMessage | MultiMessage | Data, text: str, encoding: Encoding, coding: Coding, now: datetime
) -> SendMessages:
    """A submit_sm, submit_multi or data_sm, its text whole. Raises Refusal."""
    match body:
        case MultiMessage():
            recipients = tuple(
                recipient(one.ton, one.address) for one in body.destinations if isinstance(one, Destination)
            )
            if len(recipients) < len(body.destinations):
                raise Refusal(
                    Fault.UNSUPPORTED, "there are no distribution lists here; name the numbers", "to"
                )
        case ShortMessage() | Data():
            recipients = (recipient(body.dest_ton, body.dest),)
    scheduled = expires = None
    if not isinstance(body, Data):
        scheduled = _time(body.schedule, now, "send_at")
        expires = _time(body.validity, now, "validity")
        if expires is not None and expires <= max(now, scheduled or now):
            raise Refusal(
                Fault.INVALID_PARAMETER, f"the validity ends at {expires}, which is over", "validity"
            )
    told = wishes(body.registered_delivery)
    return SendMessages(
        recipients=recipients,
        text=text,
        sender=recipient(body.source_ton, body.source) if body.source else "",
        flash=coding.message_class == 0,
        send_at=scheduled,
        validity=None if expires is None else expires - max(now, scheduled or now),
        receipt_wanted=bool(told),
        told=None if told == ENDS else told,
        # Somebody who writes UCS-2 wants it; whatever else he wrote, the standard plan knows better.
        encoding=encoding if coding.alphabet is Alphabet.UCS2 or encoding is Encoding.BINARY else None,
        all_or_nothing=not isinstance(body, MultiMessage),
    )


def read_replacement(
    body: Replace, message: Message, text: str, encoding: Encoding | None, now: datetime
) -> ReplaceMessage:
    """A replace_sm, its text read. Raises Refusal."""
    scheduled, expires = _time(body.schedule, now, "send_at"), _time(body.validity, now, "validity")
    told = wishes(body.registered_delivery)
    return ReplaceMessage(
        ref=message.ref,
        text=text,
        encoding=encoding,
        send_at=scheduled,
        expires_at=expires,
        receipt_wanted=bool(told),
        told=None if told == ENDS else told,
    )


def _time(text: str, now: datetime, field: str) -> datetime | None:
    try:
        return read_time(text, now)
    except ValueError as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), field) from error


def ton_npi(address: str) -> tuple[int, int]:
    """Type and plan of one of our addresses, for the customer's side."""
    if not address.isdigit():
        return Ton.ALPHANUMERIC, Npi.UNKNOWN
    return (Ton.INTERNATIONAL, Npi.ISDN) if len(address) > 8 else (Ton.NETWORK_SPECIFIC, Npi.ISDN)
