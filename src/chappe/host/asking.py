"""One request while it comes in and is answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from urllib.parse import unquote_to_bytes

import httptools

from chappe.protocols.http import HttpRequest, HttpResponse

Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]


@dataclass(frozen=True, slots=True)
class Quick:
    """Who answers a request in one piece once its whole body is there: `answer` gets it, unless it has more
    than `body_limit` bytes; then `too_large` says so."""

    answer: Handler
    body_limit: int
    too_large: Callable[[], HttpResponse]


Choice: TypeAlias = Callable[[str], Quick | None]


class Wakes(Protocol):
    """Whoever waits for more of a request."""

    def wake(self) -> None:
        """More has come, or nothing more will."""


class Asking:
    """One request: its head, what has come of its body, and whether more comes.

    `headers` are as sent, names in lower case. Raises ValueError for a target that is none.
    """

    keep_alive = True
    expects = is_whole = is_answered = is_gone = False
    size = 0
    quick: Quick | None = None
    reader: Wakes | None = None

    def __init__(self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]], version: str) -> None:
        self.method = method.decode("ascii")
        self.headers = headers
        self.version = version
        if url[:1] == b"/" and b"#" not in url:
            self.raw_path, _, self.query = url.partition(b"?")
        elif url == b"*":
            self.raw_path, self.query = url, b""
        else:
            parsed = httptools.parse_url(url)
            if not parsed.host:
                raise ValueError("no target")
            self.raw_path, self.query = parsed.path or b"/", parsed.query or b""
        raw = unquote_to_bytes(self.raw_path) if b"%" in self.raw_path else self.raw_path
        self.path = raw.decode("utf-8", "replace")
        self.parts: list[bytes] = []

    def request(self, peer: str) -> HttpRequest:
        """The request as a value, with its whole body."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}
        if len(headers) < len(self.headers):
            headers = self._joined()
        parts, query = self.parts, self.query
        return HttpRequest(
            self.method,
            headers.get("host", ""),
            self.path,
            b"%b?%b" % (self.raw_path, query) if query else self.raw_path,
            query,
            headers,
            b"".join(parts) if parts else b"",
            peer=peer,
            http_version=self.version,
        )

    def _joined(self) -> dict[str, str]:
        """The headers where one comes several times."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers
