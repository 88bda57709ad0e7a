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

    __slots__ = (
        "expects", "headers", "is_answered", "is_gone", "is_whole", "keep_alive", "method", "parts",
        "path", "query", "quick", "raw_path", "reader", "size", "version",
    )  # fmt: skip

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
        self.keep_alive = True
        self.expects = self.is_whole = self.is_answered = self.is_gone = False
        self.parts: list[bytes] = []
        self.size = 0
        self.quick: Quick | None = None
        self.reader: Wakes | None = None

    def request(self, peer: str) -> HttpRequest:
        """The request as a value, with its whole body."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        parts = self.parts
        return HttpRequest(
            method=self.method,
            host=headers.get("host", ""),
            path=self.path,
            target=self.raw_path + b"?" + self.query if self.query else self.raw_path,
            query=self.query,
            headers=headers,
            body=parts[0] if len(parts) == 1 else b"".join(parts),
            peer=peer,
            http_version=self.version,
        )
