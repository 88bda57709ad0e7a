"""An HTTP request and an HTTP answer as plain values, so that dialects never meet a web framework."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

_NOTHING: Mapping[str, Any] = MappingProxyType({})

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
"""The headers in which a proxy tells for whom it asks."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part of a multipart form: its file name as sent, its declared type and its bytes."""

    filename: str
    content_type: str
    content: bytes


class HttpRequest(NamedTuple):
    """One request as it came.

    `target` is the raw path and query exactly as sent (digests are computed over it), `query` the raw
    query string without its question mark, `headers` have lower-case names (repeated ones joined by
    ", "), `form` and `uploads` are the parts of a multipart body (names and values still bytes; an
    urlencoded body stays in `body`), `peer` is the client's address.
    """

    method: str
    host: str
    path: str
    target: bytes
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    form: tuple[tuple[bytes, bytes], ...] = ()
    uploads: Mapping[str, Upload] = _NOTHING
    peer: str = ""
    secure: bool = False
    http_version: str = "1.1"

    @property
    def content_type(self) -> str:
        """The media type of the body without its parameters, in lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def is_relayed(self) -> bool:
        """Whether `peer` is a proxy near us and not the client: no public address, and says it asks
        for another. Where the settings trust it (`trusted_proxies`), `peer` is the client already."""
        if not any(name in self.headers for name in FORWARDED):
            return False
        try:
            # A socket for both families shows IPv4 as ::ffff:192.0.2.1.
            address = ip_address(self.peer.removeprefix("::ffff:"))
        except ValueError:
            return True
        return not address.is_global  # that of carriers (100.64.0.0/10) is neither private nor global


class HttpResponse(NamedTuple):
    """One answer; the server adds nothing but content-length, date and connection.

    `reason` is the phrase of the status line, in ASCII; empty for the usual one of the status.
    """

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""


def with_query(url: str, values: Mapping[str, str]) -> str:
    """A URL with more parameters in its query, percent-encoded as UTF-8; its fragment is dropped, as ever."""
    address = url.partition("#")[0]
    _, mark, own_query = address.partition("?")
    # `quote` writes a blank as %20, which every receiver reads; the plus is read by form decoders only.
    query = "&".join(f"{name}={quote(value, safe='', errors='replace')}" for name, value in values.items())
    if not mark:
        return f"{address}?{query}"
    return f"{address}&{query}" if own_query and not own_query.endswith("&") else f"{address}{query}"
