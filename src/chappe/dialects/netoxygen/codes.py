"""NetOxygen's two code tables and its fault codes, and which of them says what."""

from collections.abc import Mapping
from enum import IntEnum

from chappe.model.errors import Fault
from chappe.model.messages import Message, MessageState


class ErrorCode(IntEnum):
    """The first table (Passerelle SMS, "Codes d'erreur"): how the sending went."""

    OK = 1
    GATEWAY = 2
    ROUTING = 3
    FORMAT = 4
    DESTINATION = 5
    SOURCE = 6
    EMPTY = 7
    TOO_LONG = 8
    PENDING = 9
    CANCELLED = 10


class StatusCode(IntEnum):
    """The second table (Passerelle SMS, "Codes de statut"): what was last heard of the message."""

    DELIVERED = 1
    ON_NETWORK = 2
    SUBMITTED = 3
    MESSAGE_ERROR = 4
    ROUTING_ERROR = 5
    EXPIRED = 6
    GATEWAY_ERROR = 7
    QUEUED = 8
    SCHEDULED = 9


ERROR_TEXTS: Mapping[ErrorCode, str] = {
    ErrorCode.OK: "OK",
    ErrorCode.GATEWAY: "Gateway error",
    ErrorCode.ROUTING: "Message routing error",
    ErrorCode.FORMAT: "Message format error",
    ErrorCode.DESTINATION: "Invalid destination number",
    ErrorCode.SOURCE: "Invalid source number",
    ErrorCode.EMPTY: "Empty message",
    ErrorCode.TOO_LONG: "Max message length exceeded",
    ErrorCode.PENDING: "Pending",
    ErrorCode.CANCELLED: "Message canceled",
}

STATUS_TEXTS: Mapping[StatusCode, str] = {
    StatusCode.DELIVERED: "Delivered to the recipient device",
    StatusCode.ON_NETWORK: "Delivered to the recipient network",
    StatusCode.SUBMITTED: "Message submitted",
    StatusCode.MESSAGE_ERROR: "Message error, delivery failed",
    StatusCode.ROUTING_ERROR: "Routing error, delivery failed",
    StatusCode.EXPIRED: "Message expired, delivery cancelled",
    StatusCode.GATEWAY_ERROR: "Gateway error",
    StatusCode.QUEUED: "Message in queue",
    StatusCode.SCHEDULED: "Message scheduled",
}

# Our choice where the table has no word of its own (ARCHITECTURE.md, section 7, has the reasons).
ERROR_OF_FAULT: Mapping[Fault, ErrorCode] = {
    Fault.BAD_CREDENTIALS: ErrorCode.GATEWAY,
    Fault.NOT_ALLOWED: ErrorCode.GATEWAY,
    Fault.ACCOUNT_SUSPENDED: ErrorCode.GATEWAY,
    Fault.UNKNOWN_OPERATION: ErrorCode.GATEWAY,
    Fault.MISSING_PARAMETER: ErrorCode.FORMAT,
    Fault.INVALID_PARAMETER: ErrorCode.FORMAT,
    Fault.UNSUPPORTED: ErrorCode.FORMAT,
    Fault.NO_RECIPIENT: ErrorCode.DESTINATION,
    Fault.INVALID_RECIPIENT: ErrorCode.DESTINATION,
    Fault.INVALID_SENDER: ErrorCode.SOURCE,
    Fault.BLACKLISTED: ErrorCode.DESTINATION,
    Fault.DESTINATION_FORBIDDEN: ErrorCode.ROUTING,
    Fault.EMPTY_CONTENT: ErrorCode.EMPTY,
    Fault.CONTENT_TOO_LONG: ErrorCode.TOO_LONG,
    Fault.UNKNOWN_MEDIA: ErrorCode.FORMAT,
    Fault.UNUSABLE_MEDIA: ErrorCode.FORMAT,
    Fault.MEDIA_TOO_LARGE: ErrorCode.TOO_LONG,
    Fault.INSUFFICIENT_CREDITS: ErrorCode.GATEWAY,
    Fault.RATE_LIMITED: ErrorCode.GATEWAY,
    Fault.TOO_MANY_CALLS: ErrorCode.GATEWAY,
    Fault.NO_ROUTE: ErrorCode.ROUTING,
    Fault.CARRIER_REJECTED: ErrorCode.ROUTING,
    Fault.CARRIER_UNAVAILABLE: ErrorCode.GATEWAY,
    Fault.EXPIRED: ErrorCode.GATEWAY,
    Fault.NOT_FOUND: ErrorCode.FORMAT,
    Fault.ALREADY_EXISTS: ErrorCode.FORMAT,
    Fault.TOO_LATE: ErrorCode.FORMAT,
    Fault.CONSENT_MISSING: ErrorCode.DESTINATION,
    Fault.POSITION_UNAVAILABLE: ErrorCode.GATEWAY,
    Fault.INTERNAL: ErrorCode.GATEWAY,
}

# Sending and last status (ARCHITECTURE.md, section 7). None: the table has no such status. A message that
# failed is told apart further by its fault, see `codes_of`. Nothing stands at ON_NETWORK: no state of ours
# says that a message waits in the recipient's network.
CODES_OF_STATE: Mapping[MessageState, tuple[ErrorCode, StatusCode | None]] = {
    MessageState.SCHEDULED: (ErrorCode.PENDING, StatusCode.SCHEDULED),
    MessageState.QUEUED: (ErrorCode.OK, StatusCode.QUEUED),
    MessageState.SENDING: (ErrorCode.OK, StatusCode.QUEUED),
    MessageState.SENT: (ErrorCode.OK, StatusCode.SUBMITTED),
    MessageState.DELIVERED: (ErrorCode.OK, StatusCode.DELIVERED),
    MessageState.UNDELIVERED: (ErrorCode.OK, StatusCode.MESSAGE_ERROR),
    MessageState.EXPIRED: (ErrorCode.OK, StatusCode.EXPIRED),
    MessageState.FAILED: (ErrorCode.GATEWAY, StatusCode.GATEWAY_ERROR),
    MessageState.CANCELLED: (ErrorCode.CANCELLED, None),
    MessageState.RECEIVED: (ErrorCode.OK, StatusCode.DELIVERED),
}

_FAILED_STATUS: Mapping[ErrorCode, StatusCode] = {
    ErrorCode.GATEWAY: StatusCode.GATEWAY_ERROR,
    ErrorCode.ROUTING: StatusCode.ROUTING_ERROR,
}

NO_CODE = 0
"""Outside both tables: a status the tables have no word for (cancelled), or an unknown message."""

# The provider published none. Our choice: the numbers that XML-RPC libraries agreed on for the call itself
# ("Specification for Fault Code Interoperability"), HTTP's for the rest.
NOT_WELL_FORMED = -32700
FAULT_CODES: Mapping[Fault, int] = {
    Fault.BAD_CREDENTIALS: 401,
    Fault.NOT_ALLOWED: 403,
    Fault.ACCOUNT_SUSPENDED: 403,
    Fault.UNKNOWN_OPERATION: -32601,
    Fault.MISSING_PARAMETER: -32602,
    Fault.INVALID_PARAMETER: -32602,
    Fault.UNSUPPORTED: -32600,
    Fault.NO_RECIPIENT: 422,
    Fault.INVALID_RECIPIENT: 422,
    Fault.INVALID_SENDER: 422,
    Fault.BLACKLISTED: 422,
    Fault.DESTINATION_FORBIDDEN: 422,
    Fault.EMPTY_CONTENT: 422,
    Fault.CONTENT_TOO_LONG: 422,
    Fault.UNKNOWN_MEDIA: 422,
    Fault.UNUSABLE_MEDIA: 422,
    Fault.MEDIA_TOO_LARGE: 413,
    Fault.INSUFFICIENT_CREDITS: 402,
    Fault.RATE_LIMITED: 429,
    Fault.TOO_MANY_CALLS: 429,
    Fault.NO_ROUTE: 422,
    Fault.CARRIER_REJECTED: 502,
    Fault.CARRIER_UNAVAILABLE: 503,
    Fault.EXPIRED: 504,
    Fault.NOT_FOUND: 404,
    Fault.ALREADY_EXISTS: 409,
    Fault.TOO_LATE: 409,
    Fault.CONSENT_MISSING: 409,
    Fault.POSITION_UNAVAILABLE: 503,
    Fault.INTERNAL: -32603,
}


def codes_of(message: Message) -> tuple[ErrorCode, StatusCode | None]:
    """Sending and last status of a message; None where the second table has no word."""
    if message.state is MessageState.FAILED and message.fault is Fault.EXPIRED:
        return ErrorCode.GATEWAY, StatusCode.EXPIRED
    if message.state is MessageState.FAILED and message.fault:
        error = ERROR_OF_FAULT[message.fault]
        return error, _FAILED_STATUS.get(error, StatusCode.MESSAGE_ERROR)
    return CODES_OF_STATE[message.state]
