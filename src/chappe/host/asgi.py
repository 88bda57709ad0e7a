"""The bridge to ASGI applications: the pages, which read bodies in parts and stream answers."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

import structlog

from chappe.host import answers
from chappe.host.asking import Asking
from chappe.protocols.http import HttpResponse

Message: TypeAlias = MutableMapping[str, Any]
Application: TypeAlias = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
_log = structlog.get_logger()


class Wire(Protocol):
    """The connection that an answer goes to."""

    def write(self, data: bytes) -> None:
        """Send bytes of the answer."""

    async def drain(self) -> None:
        """Wait until the client has taken most of what was written."""

    def go_ahead(self, asking: Asking) -> None:
        """Ask for the body that the client holds back."""

    def body_taken(self, asking: Asking) -> None:
        """The application has taken what had come of the body."""

    def answered(self, asking: Asking) -> None:
        """The answer has ended."""

    def closes_after(self, asking: Asking) -> bool:
        """Whether the connection ends with this answer."""


class Bridge:
    """One request with its application (ASGI 3.0, HTTP)."""

    def __init__(self, application: Application, asking: Asking, wire: Wire, scope: dict[str, Any]) -> None:
        self._application = application
        self._asking = asking
        self._wire = wire
        self._scope = scope
        self._news = asyncio.Event()
        self._head = b""
        self._has_started = self._is_chunked = self._is_bodiless = self._has_end = False
        asking.reader = self

    def wake(self) -> None:
        """See Wakes."""
        self._news.set()

    @property
    def has_started(self) -> bool:
        """Whether a byte of the answer has been sent."""
        return self._has_started

    async def run(self) -> None:
        """Let the application answer; what it leaves undone is answered or cut off here."""
        asking = self._asking
        try:
            await self._application(self._scope, self._receive, self._send)
        except Exception:  # noqa: BLE001 - one of the outer loops
            _log.exception("a page failed", path=asking.path)
        if asking.is_answered or asking.is_gone:
            return
        asking.keep_alive = False
        if not self._has_started:
            self._wire.write(
                answers.whole(
                    HttpResponse(500, b"Internal Server Error"), close=True, bodiless=asking.method == "HEAD"
                )
            )
        self._wire.answered(asking)

    async def _receive(self) -> Message:
        asking = self._asking
        self._wire.go_ahead(asking)
        while not (asking.is_gone or asking.is_answered or asking.parts or self._has_news_of_the_end()):
            self._news.clear()
            await self._news.wait()
        if asking.is_gone or asking.is_answered:
            return {"type": "http.disconnect"}
        body = b"".join(asking.parts)
        asking.parts.clear()
        asking.size = 0
        self._has_end = asking.is_whole
        self._wire.body_taken(asking)
        return {"type": "http.request", "body": body, "more_body": not asking.is_whole}

    def _has_news_of_the_end(self) -> bool:
        return self._asking.is_whole and not self._has_end

    async def _send(self, message: Message) -> None:
        asking = self._asking
        if asking.is_gone or asking.is_answered:
            return
        if message["type"] == "http.response.start":
            self._start(message)
            return
        body, has_more = message.get("body", b""), message.get("more_body", False)
        data = self._head
        self._head = b""
        self._has_started = True
        if asking.method == "HEAD" or self._is_bodiless:
            pass
        elif self._is_chunked:
            data += b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            data += b"" if has_more else b"0\r\n\r\n"
        else:
            data += body
        if data:
            self._wire.write(data)
        if has_more:
            await self._wire.drain()
        else:
            self._wire.answered(asking)

    def _start(self, message: Message) -> None:
        asking, status = self._asking, message["status"]
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        names = {name for name, _ in headers}
        if any(name == b"connection" and value.lower() == b"close" for name, value in headers):
            asking.keep_alive = False
        headers = [pair for pair in headers if pair[0] not in (b"connection", b"transfer-encoding")]
        self._is_bodiless = status in (204, 304)
        if b"content-length" not in names and not self._is_bodiless and asking.method != "HEAD":
            if asking.version == "1.0":
                asking.keep_alive = False  # the end of the stream ends the body
            else:
                self._is_chunked = True
                headers.append((b"transfer-encoding", b"chunked"))
        if self._wire.closes_after(asking):
            headers.append((b"connection", b"close"))
        reason = message.get("reason", b"").decode("ascii")
        line = answers.status_line(status, reason) + answers.date_line()
        self._head = line + answers.header_lines(headers) + b"\r\n"
