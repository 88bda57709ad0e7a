"""Tells why a request was refused, as problem details (RFC 9457)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chappe.dialects.contract import WireCall
from chappe.dialects.rest import wire
from chappe.model.commands import Refused
from chappe.model.errors import Fault, Refusal, Unavailable
from chappe.protocols.http import HttpResponse

PROBLEM_JSON = "application/problem+json"


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


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a fault means on this wire: its HTTP status, and its title for people."""

    status: int
    title: str


# Our choice: 422 for what the request says, 409 for what is so just now, 503 where another try may help.
FAULTS: Mapping[Fault, Meaning] = {
    Fault.BAD_CREDENTIALS: Meaning(401, "The API key is missing or unknown"),
    Fault.NOT_ALLOWED: Meaning(403, "This is not allowed"),
    Fault.ACCOUNT_SUSPENDED: Meaning(403, "The account is suspended"),
    Fault.UNKNOWN_OPERATION: Meaning(404, "There is no such operation"),
    Fault.MISSING_PARAMETER: Meaning(422, "A parameter is missing"),
    Fault.INVALID_PARAMETER: Meaning(422, "A parameter is invalid"),
    Fault.UNSUPPORTED: Meaning(422, "This is not supported"),
    Fault.NO_RECIPIENT: Meaning(422, "There is no recipient"),
    Fault.INVALID_RECIPIENT: Meaning(422, "A recipient is no telephone number"),
    Fault.INVALID_SENDER: Meaning(422, "The sender cannot be used"),
    Fault.BLACKLISTED: Meaning(422, "The recipient is on the blacklist"),
    Fault.DESTINATION_FORBIDDEN: Meaning(422, "The destination is forbidden"),
    Fault.EMPTY_CONTENT: Meaning(422, "The text is empty"),
    Fault.CONTENT_TOO_LONG: Meaning(422, "The text is too long"),
    Fault.UNKNOWN_MEDIA: Meaning(422, "The media is unknown"),
    Fault.UNUSABLE_MEDIA: Meaning(422, "The media cannot be used"),
    Fault.MEDIA_TOO_LARGE: Meaning(422, "The media is too large"),
    Fault.INSUFFICIENT_CREDITS: Meaning(402, "There are not enough credits"),
    Fault.RATE_LIMITED: Meaning(429, "Too many requests"),
    Fault.TOO_MANY_CALLS: Meaning(429, "Too many calls at once"),
    Fault.NO_ROUTE: Meaning(422, "There is no route to the destination"),
    Fault.CARRIER_REJECTED: Meaning(422, "The network refused"),
    Fault.CARRIER_UNAVAILABLE: Meaning(503, "The network is away"),
    Fault.EXPIRED: Meaning(409, "The time for it is over"),
    Fault.NOT_FOUND: Meaning(404, "There is no such thing"),
    Fault.ALREADY_EXISTS: Meaning(409, "It exists already"),
    Fault.TOO_LATE: Meaning(409, "It is too late"),
    Fault.CONSENT_MISSING: Meaning(409, "Consent is missing"),
    Fault.POSITION_UNAVAILABLE: Meaning(409, "The position is not available"),
    Fault.INTERNAL: Meaning(500, "Something broke on our side"),
}

_RETRY_AFTER = {429: "1", 503: "30"}  # seconds; our choice

# Where the platform's word for a field is not the one of this wire.
_FIELDS = {
    "recipients": "to",
    "recipient": "to",
    "sender": "from",
    "first": "from",
    "second": "to",
    "shown_to_first": "shown_to_from",
    "shown_to_second": "shown_to_to",
    "longest": "longest_seconds",
    "ring": "ring_seconds",
    "duration": "duration_seconds",
    "receipt_wanted": "receipt",
    "replay": wire.IDEMPOTENCY_KEY,
    "idempotency_key": wire.IDEMPOTENCY_KEY,
    "ref": "id",
    "refs": "id",
}
_FIELD = re.compile(r"(\w+)(.*)", re.DOTALL)


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """The problem details (RFC 9457) of any refusal, with the headers that its status asks for."""
    meaning = FAULTS[refusal.fault]
    headers: list[tuple[str, str]] = [wire.NO_STORE]
    methods = call.data.methods if call is not None and isinstance(call.data, wire.Place) else ()
    if refusal.fault is Fault.UNKNOWN_OPERATION and methods:
        meaning = Meaning(405, "The path does not know this method")
        headers.append(("allow", ", ".join((*methods, "HEAD") if "GET" in methods else methods)))
    elif isinstance(refusal, wire.Unreadable):
        meaning = Meaning(refusal.status, "The request cannot be read")
    elif call is None and refusal.fault is Fault.CONTENT_TOO_LONG:
        # Before a call was read there is no text that could be too long: it is the body.
        meaning = Meaning(413, "The body is too large")
    elif isinstance(refusal, Unavailable):
        meaning = Meaning(503, "The platform cannot do this now")
    if meaning.status == 401:
        headers.append(("www-authenticate", "Bearer"))
    if isinstance(refusal, Unavailable):
        headers.append(("retry-after", f"{refusal.retry_after:.0f}"))
    elif meaning.status in _RETRY_AFTER:
        headers.append(("retry-after", _RETRY_AFTER[meaning.status]))
    problem = problem_of(refusal, meaning)
    return HttpResponse(meaning.status, msgspec.json.encode(problem), PROBLEM_JSON, tuple(headers))


def refused(one: Refused, field: str, call: WireCall) -> HttpResponse:
    """The problem of one thing that a service refused; `field` is where the request names it."""
    return refuse(Refusal(one.fault, one.detail, field), call)


def problem_of(refusal: Refusal, meaning: Meaning) -> Problem:
    """The JSON of a refusal."""
    return Problem(
        type=f"urn:chappe:fault:{refusal.fault}",
        title=meaning.title,
        status=meaning.status,
        detail=_showable(refusal.detail, 1000),
        code=refusal.fault,
        field=None if refusal.field is None else _showable(_wire_field(refusal.field), 200),
    )


def _wire_field(field: str) -> str:
    if found := _FIELD.fullmatch(field):
        return _FIELDS.get(found.group(1), found.group(1)) + found.group(2)
    return field


def _showable(text: str, longest: int) -> str:
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return cut.encode("utf-8", "replace").decode("utf-8")
