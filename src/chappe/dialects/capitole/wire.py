"""CapitoleMobile's wire: XML in a form field, `CODE;balance` as plain text, delivery reports as a GET.

Sources: "Envoi de VMS par API" and the SMS page of the same family (dialects.md 2a to 2f). What neither says
is our choice, listed in docs/our-choices.md.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from html.entities import html5
from urllib.parse import quote_plus, unquote_plus, unquote_to_bytes

from chappe.dialects import reading
from chappe.dialects.contract import WireCall
from chappe.model.commands import Password, SendOutcome
from chappe.model.errors import Fault, Refusal
from chappe.model.events import Event, EventName, MessageEvent
from chappe.model.outgoing import Mail, Outgoing
from chappe.protocols import xml
from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import HttpRequest, HttpResponse, with_query
from chappe.services.ports import NoticeTarget

# The manual has /xml; clients use /xml.php, /xml_test and /xml_v2 beside it (dialects.md 2d).
_ALIASES = ("xml", "xml.php", "xml_test", "xml_v2")
SEND_SMS = "sendsms"
SEND_VMS = "sendvms"
PATHS = tuple(f"/api/{verb}/{alias}" for verb in (SEND_SMS, SEND_VMS) for alias in _ALIASES)

_FIELDS = ("username", "password", "text", "sender", "long", "route", "prog", "id", "gsm")

SUCCESS = "SENDING_OK"

# Published (seed 001, "Réponse à la requête HTTP POST"): AUTH_FAILED, NO_RECIPIENT, NOT_ENOUGH_CREDITS,
# INVALID_SENDER, INVALID_RECIPIENT and _IS_BLACKLISTED. The other codes are our choice, in their manner.
CODE_OF_FAULT: Mapping[Fault, str] = {
    Fault.BAD_CREDENTIALS: "AUTH_FAILED",
    Fault.NOT_ALLOWED: "AUTH_FAILED",
    Fault.ACCOUNT_SUSPENDED: "AUTH_FAILED",
    Fault.UNKNOWN_OPERATION: "NOT_BUILT_YET",
    Fault.MISSING_PARAMETER: "INVALID_XML",
    Fault.INVALID_PARAMETER: "INVALID_XML",
    Fault.UNSUPPORTED: "NOT_SUPPORTED",
    Fault.NO_RECIPIENT: "NO_RECIPIENT",
    Fault.INVALID_RECIPIENT: "INVALID_RECIPIENT",
    Fault.INVALID_SENDER: "INVALID_SENDER",
    Fault.BLACKLISTED: "_IS_BLACKLISTED",
    Fault.DESTINATION_FORBIDDEN: "INVALID_RECIPIENT",
    Fault.EMPTY_CONTENT: "INVALID_TEXT",
    Fault.CONTENT_TOO_LONG: "TEXT_TOO_LONG",
    Fault.UNKNOWN_MEDIA: "INVALID_VOICE_MSG",
    Fault.UNUSABLE_MEDIA: "VOICE_MSG_NOT_RECORDED",
    Fault.MEDIA_TOO_LARGE: "VOICE_MSG_NOT_RECORDED",
    Fault.INSUFFICIENT_CREDITS: "NOT_ENOUGH_CREDITS",
    Fault.RATE_LIMITED: "TOO_MANY_REQUESTS",
    Fault.TOO_MANY_CALLS: "TOO_MANY_REQUESTS",
    Fault.NO_ROUTE: "INVALID_RECIPIENT",
    Fault.CARRIER_REJECTED: "SENDING_FAILED",
    Fault.CARRIER_UNAVAILABLE: "SENDING_FAILED",
    Fault.EXPIRED: "SENDING_FAILED",
    Fault.NOT_FOUND: "NOT_FOUND",
    Fault.ALREADY_EXISTS: "ALREADY_SENT",
    Fault.TOO_LATE: "TOO_LATE",
    Fault.CONSENT_MISSING: "NO_CONSENT",
    Fault.POSITION_UNAVAILABLE: "NOT_FOUND",
    Fault.INTERNAL: "INTERNAL_ERROR",
}

# A value that cannot be read answers with the name of its element, as INVALID_SENDER does.
_CODE_OF_FIELD: Mapping[str, str] = {
    "text": "INVALID_TEXT",
    "long": "INVALID_LONG",
    "route": "INVALID_ROUTE",
    "prog": "INVALID_PROG",
    "send_at": "INVALID_PROG",
    "id": "INVALID_ID",
    "to": "INVALID_RECIPIENT",
}

# Our choice: no report of the provider is documented (dialects.md 2f).
STATUS_OF_EVENT: Mapping[EventName, str] = {
    EventName.MESSAGE_DELIVERED: "DELIVERED",
    EventName.MESSAGE_UNDELIVERED: "UNDELIVERED",
    EventName.MESSAGE_EXPIRED: "EXPIRED",
    EventName.MESSAGE_FAILED: "FAILED",
}

_UNESCAPED = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:xml\s*=)?\s*(<.*)", re.IGNORECASE | re.DOTALL)
_ESCAPED_TWICE = re.compile(rb"\s*%3C", re.IGNORECASE)
# The manual's own sample closes its `id` so: `<sender>123456</id>` (dialects.md 2d).
_CLOSED_AS_ID = re.compile(r"<\w+>([^<>]*)</id>", re.IGNORECASE)
_IN_PASSWORD = re.compile(rb"(?:<|%3c)password(?:>|%3e)(.*?)(?:<|%3c|$)", re.IGNORECASE | re.DOTALL)
# A text that its program has pasted in without a thought for markup, or with HTML's names for letters.
_IN_TEXT = re.compile(r"(<text>)((?:(?!</?text>|<!\[CDATA\[).)*)(</text>)", re.IGNORECASE | re.DOTALL)
_HTML_NAME = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]{1,30};")
# What urlencode returns; addresses of pages have signs that it does not leave.
_ESCAPED_TEXT = re.compile(r"(?=.*%)(?:[A-Za-z0-9_.*~+-]|%[0-9A-F]{2})+", re.IGNORECASE)
_LINE_BREAK = re.compile("(?:%0D)?%0A|%0D", re.IGNORECASE)


def read(request: HttpRequest) -> WireCall:
    """Read the elements of the document and its user name and password.

    `fields` has the values of each element of the manual, in document order. Raises Refusal: `unsupported`
    for a method other than POST, `missing_parameter` without a document, `invalid_parameter` for one that not
    even a recovering reader understands, `bad_credentials` without user name or password.
    """
    if request.method != "POST":
        raise Refusal(Fault.UNSUPPORTED, f"send the document by POST, not {request.method}")
    try:
        fields = _fields(_document(request))
    except ProtocolError as error:
        raise Refusal(Fault.INVALID_PARAMETER, f"the document cannot be read: {error.where}") from error
    username = reading.first(fields, "username").strip()
    password = reading.first(fields, "password").strip()
    if not username or not password:
        raise Refusal(Fault.BAD_CREDENTIALS, "give authentification/username and authentification/password")
    return WireCall(
        verb=request.path.lower().split("/")[2],
        fields=fields,
        credentials=(Password(username, password),),
        secrets=_secrets(request, password),
        request=request,
    )


def decode_text(data: bytes) -> str:
    """A document's bytes as text, whatever its program did to its charset (dialects.md 2c).

    Bytes that are not UTF-8 are in the declared eight-bit set, else ISO-8859-15. UTF-8 that was encoded twice
    is decoded twice. What `utf8_encode` made of ISO-8859-15 or Windows-1252 (U+00A4 or U+0080 for the euro
    sign) is put right, unless the document declares another charset. Raises ProtocolError for charsets that
    hide markup.
    """
    label, text, utf8_seen = xml.decode(data)
    if not utf8_seen:
        return text
    return reading.repair_double_encoding(text, xml.eight_bit if label in ("", "iso-8859-15") else None)


def message_text(written: str) -> str:
    """A text as its reader shall see it: the provider decoded texts once more (dialects.md 2d).

    One that is nothing but the escapes of UTF-8 is decoded whole, and so is one of several words in those of
    an eight-bit set; of any other only a literal `%0A` becomes a line break. Control characters that are
    signs in Windows-1252 (`&#128;`) are read as these.
    """
    if _ESCAPED_TEXT.fullmatch(written):
        with suppress(UnicodeDecodeError):
            return unquote_plus(written, errors="strict")
        if "+" in written or "%20" in written:
            return xml.eight_bit(_unescaped(written.encode()))
    return _LINE_BREAK.sub("\n", xml.windows_signs(written))


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """Answer a code, and the balance where the account was recognised. HTTP 200, like everything here.

    Where a consent is missing, a third field says what is to be done: no old program has met that code, and
    whoever ran it sees it printed (our choice).
    """
    code = _code(refusal, call)
    if call is None or call.balance is None:
        return _answer(code, None)
    words = refusal.detail.replace(";", ",") if refusal.fault is Fault.CONSENT_MISSING else ""
    return _answer(code, call.balance, words)


def encode_sent(outcome: SendOutcome, call: WireCall) -> HttpResponse:
    """`SENDING_OK;balance`: all were taken, or `refuse` would answer."""
    return _answer(SUCCESS, outcome.balance)


def notice(event: Event, target: NoticeTarget, now: datetime) -> Outgoing | Mail | None:
    """A delivery report: a GET with the campaign's `id`, the `number` as MSISDN, and the `status`."""
    if not isinstance(event, MessageEvent) or not target.url:
        return None
    status = STATUS_OF_EVENT.get(event.name)
    if status is None:
        return None
    message = event.message
    values = {"id": message.reference, "number": message.peer, "status": status}
    return Outgoing("GET", with_query(target.url, values))


def _answer(code: str, balance: int | None, words: str = "") -> HttpResponse:
    """Exact bytes, no line break. Whole credits, rounded down (our choice: never more than there is)."""
    fields = (code, "" if balance is None else str(balance // 1000), words)
    return HttpResponse(
        200, ";".join(filter(None, fields)).encode("utf-8", "replace"), "text/plain; charset=utf-8"
    )


def _code(refusal: Refusal, call: WireCall | None) -> str:
    field, _, position = (refusal.field or "").partition("[")
    numbers: Sequence[str] = call.fields.get("gsm", ()) if call else ()
    which = position.rstrip("]")
    number = numbers[int(which)].strip() if which.isdigit() and int(which) < len(numbers) else ""
    match refusal.fault:
        case Fault.BLACKLISTED:
            return f"{number}{CODE_OF_FAULT[refusal.fault]}"
        case Fault.INVALID_RECIPIENT if position and not number:
            return CODE_OF_FAULT[Fault.NO_RECIPIENT]  # "Le numéro du destinataire est vide"
        case Fault.MISSING_PARAMETER | Fault.INVALID_PARAMETER if field in _CODE_OF_FIELD:
            return _CODE_OF_FIELD[field]
        case _:
            return CODE_OF_FAULT[refusal.fault]


def _document(request: HttpRequest) -> bytes:
    """The value of `XML`, or a body that is the document itself, with or without `XML=`, not escaped."""
    for name, value in request.form:
        if name.strip().lower() == b"xml":
            return _once_more(value)
    if unescaped := _UNESCAPED.match(request.body):
        return unescaped[1]
    for part in request.body.split(b"&", reading.MOST_PARAMETERS):
        name, _, value = part.partition(b"=")
        if name.strip().lower() == b"xml":
            return _once_more(_unescaped(value))
    raise Refusal(Fault.MISSING_PARAMETER, "send the document in the form field XML", "XML")


def _unescaped(value: bytes) -> bytes:
    return unquote_to_bytes(value.strip().replace(b"+", b" "))


def _once_more(value: bytes) -> bytes:
    """A document that its program escaped, and its form library after it."""
    return _unescaped(value) if _ESCAPED_TWICE.match(value) else value


def _fields(data: bytes) -> dict[str, tuple[str, ...]]:
    text = decode_text(data)
    try:
        root = xml.read_text(text)
    except ProtocolError:
        root = xml.recover(_mended(text))
    found: dict[str, list[str]] = {}
    for name, value in xml.texts(root):
        if name.lower() in _FIELDS:
            found.setdefault(name.lower(), []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _mended(text: str) -> str:
    """A document that is not well-formed, with what recovery would drop or spell out put right."""

    def letter(found: re.Match[str]) -> str:
        name = found[0][1:]
        return xml.escape(html5[name]) if name in html5 else found[0]

    text = _HTML_NAME.sub(letter, _CLOSED_AS_ID.sub(r"<id>\1</id>", text))
    return _IN_TEXT.sub(lambda found: found[1] + found[2].replace("<", "&lt;") + found[3], text)


def _secrets(request: HttpRequest, password: str) -> tuple[bytes, ...]:
    """The password as it stands in the body, and as text."""

    def spelled() -> Iterator[bytes]:
        for body in (request.body, *(value for _, value in request.form)):
            yield from (found.strip() for found in _IN_PASSWORD.findall(body))
        yield from (password.encode(), xml.escape(password).encode(), quote_plus(password).encode())

    return tuple(dict.fromkeys(secret for secret in spelled() if secret))
