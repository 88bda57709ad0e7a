"""SIP messages read from datagrams, under limits: what cannot be answered safely is refused here.

aiosipua reads the text; what it lets through (requests without a branch, numbers that are none, a body that
was cut) is refused, because later steps take it for granted."""

import re
from urllib.parse import unquote

from aiosipua import SipRequest, SipResponse
from aiosipua.headers import Address, parse_address, parse_via
from aiosipua.message import SipMessage

from chappe.protocols.errors import ProtocolError

LONGEST = 16_384
"""Octets of one datagram (our choice; ordinary requests have one or two thousand)."""

_METHOD = re.compile(r"[A-Z]{1,20}")
_VERSION = "SIP/2.0"
_ONCE = ("from", "to", "call-id", "cseq")
_LONGEST_LINE = 4096
_CSEQ_END = 2**31


def read(data: bytes) -> SipRequest | SipResponse:
    """A message of one datagram. Raises ProtocolError: it is none, or is not fit to be worked on."""
    if len(data) > LONGEST:
        raise ProtocolError(f"the message has {len(data)} octets, more than {LONGEST}")
    head, _, _ = data.partition(b"\r\n\r\n")
    if b"\0" in head or max(map(len, head.split(b"\n"))) > _LONGEST_LINE:
        raise ProtocolError("a header line holds NUL or is too long")
    try:
        message = SipMessage.parse(data)
    except (ValueError, IndexError, OverflowError) as error:
        raise ProtocolError(f"this is no SIP message: {error}") from error
    _check_start(message, head)
    for name in _ONCE:
        if len(message.headers.get(name)) != 1:
            raise ProtocolError(f"the message must have {name} once")
    if not branch(message):
        raise ProtocolError("the topmost Via has no branch")
    number, method = cseq(message)
    if isinstance(message, SipRequest) and method != message.method:
        raise ProtocolError(f"CSeq speaks of {method!r}, the request is {message.method!r}")
    if not 0 <= number < _CSEQ_END:
        raise ProtocolError(f"CSeq {number} is out of range")
    _check_length(message)
    return message


def _check_start(message: SipRequest | SipResponse, head: bytes) -> None:
    line = head.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    if isinstance(message, SipRequest):
        if not _METHOD.fullmatch(message.method) or line.split()[-1] != _VERSION or len(line.split()) != 3:
            raise ProtocolError(f"this is no request line: {line[:80]!r}")
    elif not line.startswith(_VERSION + " ") or not 100 <= message.status_code <= 699:
        raise ProtocolError(f"this is no status line: {line[:80]!r}")


def _check_length(message: SipMessage) -> None:
    told = message.headers.get("content-length")
    if not told:
        return
    if len(told) > 1 or not told[0].isascii() or not told[0].isdigit():
        raise ProtocolError("Content-Length must be one number")
    # A longer body was trimmed while it was read (RFC 3261, section 18.3).
    if len(told[0]) > 6 or int(told[0]) > len(message.body):
        raise ProtocolError("the body is shorter than Content-Length says")


def branch(message: SipMessage) -> str:
    """The name of the transaction in the topmost Via, empty for none."""
    vias = message.headers.get("via")
    return (parse_via(vias[0]).branch or "") if vias else ""


def sent_by(message: SipMessage) -> str:
    """Who says in the topmost Via that he sent it."""
    vias = message.headers.get("via")
    if not vias:
        return ""
    via = parse_via(vias[0])
    return f"{via.host}:{via.port or 5060}".lower()


def cseq(message: SipMessage) -> tuple[int, str]:
    """The number and the method of CSeq. Raises ProtocolError."""
    number, _, method = (message.headers.get_first("cseq") or "").strip().partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) <= 10):
        raise ProtocolError(f"CSeq must begin with a number, not {number[:20]!r}")
    return int(number), method.strip()


def address(message: SipMessage, header: str) -> Address:
    """What a header like From names; an empty address where it is not there."""
    value = message.headers.get_first(header)
    return parse_address(value) if value else Address()


def tag(message: SipMessage, header: str) -> str:
    """The tag of From or To, empty for none."""
    return address(message, header).tag or ""


def call_id(message: SipMessage) -> str:
    """The Call-ID."""
    return message.headers.get_first("call-id") or ""


def user_of(uri: str) -> str:
    """The user of a URI `sip:user@host`, without the parameters within it; empty for none."""
    scheme, _, rest = uri.strip().partition(":")
    if scheme.lower() not in ("sip", "sips", "tel"):
        return ""
    user = rest.partition("@")[0] if "@" in rest else rest if scheme.lower() == "tel" else ""
    return unquote(user.partition(";")[0].partition(":")[0])


def response(request: SipRequest, status: int, reason: str, to_tag: str = "") -> SipResponse:
    """An answer to a request (RFC 3261, section 8.2.6)."""
    answer = SipResponse(status_code=status, reason_phrase=reason)
    for via in request.headers.get("via"):
        answer.headers.append("Via", via)
    for name in ("From", "To", "Call-ID", "CSeq"):
        answer.headers.set_single(name, request.headers.get_first(name) or "")
    if to_tag and not tag(request, "to"):
        answer.headers.set_single("To", f"{request.headers.get_first('to')};tag={to_tag}")
    return answer


def with_via(request: SipRequest, host: str, port: int, name: str) -> SipRequest:
    """The request with our Via, and `name` as its branch."""
    request.headers.set_single("Via", f"SIP/2.0/UDP {host}:{port};branch={name};rport")
    return request


def serialized(message: SipRequest | SipResponse) -> bytes:
    """The octets of a message."""
    return bytes(message)
