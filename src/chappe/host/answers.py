"""HTTP answers as bytes."""

import re
import time
from collections.abc import Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from chappe.protocols.http import HttpResponse

_NOT_PERMITTED = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_date = (0, b"")


def date_line() -> bytes:
    """The `Date` header, made once a second."""
    global _date
    now = int(time.time())
    if now != _date[0]:
        _date = (now, f"date: {formatdate(now, usegmt=True)}\r\n".encode())
    return _date[1]


@lru_cache(maxsize=512)
def status_line(status: int, reason: str = "") -> bytes:
    """The first line of an answer; an empty reason stands for the usual one."""
    return f"HTTP/1.1 {status} {reason or _PHRASES.get(status, '')}\r\n".encode("latin-1")


def header_lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Headers as lines. Raises ValueError for one that would break out of its line."""
    lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
    if _NOT_PERMITTED.search(lines.replace(b"\r\n", b"")) or lines.count(b"\n") != len(headers):
        raise ValueError("an answer's header holds a control character or line break")
    return lines


@lru_cache(maxsize=512)
def _fixed_lines(status: int, reason: str, content_type: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    # Names as their dialect writes them: Keyyo's PHP client finds no x-status-reason (dialects.md 5d).
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if content_type:
        pairs.insert(0, (b"content-type", content_type.encode("latin-1")))
    return status_line(status, reason) + header_lines(pairs)


def whole(response: HttpResponse, *, close: bool = False, bodiless: bool = False) -> bytes:
    """An answer in one piece; `bodiless` for HEAD. Raises ValueError for an impossible header."""
    status, body = response.status, response.body
    head = _fixed_lines(status, response.reason, response.content_type, response.headers) + date_line()
    if status >= 200 and status not in (204, 304):  # RFC 9110, section 8.6
        head += b"content-length: %d\r\n" % len(body)
    else:
        bodiless = True
    if close:
        head += b"connection: close\r\n"
    return head + b"\r\n" if bodiless else head + b"\r\n" + body


def plain(status: HTTPStatus, text: str) -> bytes:
    """A refusal in a sentence; it is the last answer of its connection."""
    return whole(HttpResponse(status.value, text.encode()), close=True)
