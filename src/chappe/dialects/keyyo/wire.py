"""Keyyo's server API: parameters in a query, two letters as the answer, HTTP Digest or a known address.

Source: "Guide d'utilisation CTI / API / TAPI" (dialects.md 5b). Texts of errors are our choice but for one.
"""

from collections.abc import Mapping

from chappe.dialects import reading
from chappe.dialects.contract import WireCall
from chappe.model.commands import Digest, SourceAddress
from chappe.model.errors import Fault, Refusal
from chappe.model.numbers import NumberError, read_msisdn
from chappe.protocols import digest
from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services.accounts import KEYYO_REALM

SEND_SMS = "sendsms"
MAKE_CALL = "makecall"
SET_PROFILE = "setprofil"

PATHS = tuple(f"/{verb}.html" for verb in (SEND_SMS, MAKE_CALL, SET_PROFILE))
EIGHT_BIT = "cp1252"

_LATER = "Comeback later..."
"""Reason phrase and body, as a client in production expects them (dialects.md 5b)."""

# Published: 500 for the rate limit, 401 for Digest. The others are our choice, after HTTP.
STATUS_OF_FAULT: Mapping[Fault, int] = {
    Fault.BAD_CREDENTIALS: 401,
    Fault.NOT_ALLOWED: 403,
    Fault.ACCOUNT_SUSPENDED: 403,
    Fault.UNKNOWN_OPERATION: 501,
    Fault.MISSING_PARAMETER: 400,
    Fault.INVALID_PARAMETER: 400,
    Fault.UNSUPPORTED: 405,
    Fault.NO_RECIPIENT: 400,
    Fault.INVALID_RECIPIENT: 400,
    Fault.INVALID_SENDER: 400,
    Fault.BLACKLISTED: 403,
    Fault.DESTINATION_FORBIDDEN: 403,
    Fault.EMPTY_CONTENT: 400,
    Fault.CONTENT_TOO_LONG: 400,
    Fault.UNKNOWN_MEDIA: 400,
    Fault.UNUSABLE_MEDIA: 400,
    Fault.MEDIA_TOO_LARGE: 400,
    Fault.INSUFFICIENT_CREDITS: 402,
    Fault.RATE_LIMITED: 500,
    Fault.TOO_MANY_CALLS: 500,
    Fault.NO_ROUTE: 404,
    Fault.CARRIER_REJECTED: 502,
    Fault.CARRIER_UNAVAILABLE: 503,
    Fault.EXPIRED: 504,
    Fault.NOT_FOUND: 404,
    Fault.ALREADY_EXISTS: 409,
    Fault.TOO_LATE: 409,
    Fault.CONSENT_MISSING: 403,
    Fault.POSITION_UNAVAILABLE: 404,
    Fault.INTERNAL: 500,
}

_PARAMETER_OF_FIELD: Mapping[str, str] = {
    "to": "CALLEE",
    "text": "MSG",
    "number": "ACCOUNT",
    "profile": "PROFIL",
    "first": "CALLER",
    "second": "CALLEE",
}


def read(request: HttpRequest) -> WireCall:
    """Read the parameters; the line itself, if its caller's address is known, or a Digest proof lets in.

    Raises Refusal: `unsupported` for a method other than GET, `missing_parameter` without ACCOUNT,
    `invalid_parameter` for an Authorization header that is no proof for this request.
    """
    if request.method != "GET":
        raise Refusal(Fault.UNSUPPORTED, f"the method {request.method} is not served; use GET")
    fields = reading.fields_of(reading.read_parameters(request, EIGHT_BIT))
    account = reading.scalar(fields, "account")
    if not account:
        raise Refusal(Fault.MISSING_PARAMETER, "give the number of your line", "ACCOUNT")
    header = request.headers.get("authorization", "")
    proofs = (_proof(header, request),) if digest.is_digest(header) else ()
    return WireCall(
        verb=request.path.lower().strip("/").removesuffix(".html"),
        fields=fields,
        credentials=(*proofs, SourceAddress(line_number(account), request.is_relayed)),
        request=request,
    )


def line_number(written: str) -> str:
    """A line's number as digits with country code; clients leave its plus unescaped, which is a blank."""
    try:
        return read_msisdn(written.strip(), "FR")
    except NumberError:
        return written


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """Answer the reason as plain text; a refused stranger is challenged, one who hurries sent back."""
    status = STATUS_OF_FAULT[refusal.fault]
    if refusal.fault in (Fault.RATE_LIMITED, Fault.TOO_MANY_CALLS):
        return HttpResponse(status, _LATER.encode(), reason=_LATER)
    if refusal.fault is Fault.UNSUPPORTED and refusal.field:
        status = 501  # what a parameter asks for; without one it is the method
    field = (refusal.field or "").partition("[")[0]
    parameter = _PARAMETER_OF_FIELD.get(field, field)
    text = f"{parameter}: {refusal.detail}" if parameter else refusal.detail
    headers: tuple[tuple[str, str], ...] = ()
    if made := refusal.challenge:
        headers = (("www-authenticate", digest.challenge(KEYYO_REALM, made.nonce, made.stale)),)
    return HttpResponse(status, text.encode("utf-8", "replace"), headers=headers)


def encode_done(outcome: object, call: WireCall) -> HttpResponse:
    """Exactly `OK`, no line break: two modules compare it so (dialects.md 5b)."""
    return HttpResponse(200, b"OK")


def _proof(header: str, request: HttpRequest) -> Digest:
    try:
        proof = digest.read_proof(header, request.method)
    except ProtocolError as error:
        raise Refusal(Fault.INVALID_PARAMETER, error.where, "Authorization") from error
    # RFC 7616, 3.4.6: the proof must be for this very address, which is compared as it was sent.
    if proof.uri.encode("latin-1", "replace") != request.target:
        raise Refusal(Fault.INVALID_PARAMETER, "the Digest proof is for another uri", "Authorization")
    return Digest(proof.user, proof.nonce, proof.count, proof.hashed, proof.response)
