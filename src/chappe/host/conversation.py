"""One connection of a client: requests in, answers out, in the same order and under limits."""

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools
import structlog

from chappe.host import answers
from chappe.host.asgi import Bridge
from chappe.host.asking import Asking, Quick
from chappe.host.websocket import WebSocket, is_handshake
from chappe.protocols.http import HttpResponse

if TYPE_CHECKING:
    from chappe.host.listener import Listener

_FRAMING = (b"content-length", b"transfer-encoding")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_LINGER_SECONDS = 2.0  # time for a refused client to read why, before the connection is cut
_SLICE = 4096  # the parser is fed in pieces of this size, so that limits hold within one large read
_BODY_AHEAD = 65_536  # of a body that the application has not asked for yet
_QUEUE = 16  # pipelined requests that wait for their turn
_NOT_HTTP = (HTTPStatus.BAD_REQUEST, "This is not an HTTP request.")
_log = structlog.get_logger()


class _BrokenOffError(Exception):
    """Stops the parser in the middle; the reason lies in `_fault`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask of us; our choice, after the defaults of widespread servers.

    `head_bytes`: request line and headers together, and whatever else is not body (chunk extensions,
    trailers); 414 when the request line alone is over it, else 431. `head_lines`: number of headers, 431.
    `request_seconds`: from the first byte of a request to the last of its body, 408.
    `keep_alive_seconds`: between an answer and the next request.
    """

    head_bytes: int = 65536
    head_lines: int = 100
    request_seconds: float = 30.0
    keep_alive_seconds: float = 15.0


class Conversation(asyncio.Protocol):
    """Reads requests and answers one after the other; refusals are plain text and close the connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, listener: "Listener") -> None:
        self._loop = loop
        self._listener = listener
        self._limits = listener.limits
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._in_head = True  # trailers arrive after the head, through the same callback
        self._in_message = self._in_request_line = self._is_replaying = False
        self._bodiless_bytes = 0
        self._incoming: Asking | None = None
        self._current: Asking | None = None
        self._bridge: Bridge | None = None
        self._websocket: WebSocket | None = None  # from its handshake on the connection is nothing else
        self._queue: deque[Asking] = deque()
        self._fault: tuple[HTTPStatus, str] | None = None
        self._is_last = False  # nothing more is read
        self._last_answer = b""
        self._is_ending = False
        self._is_reading = True
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._peer: tuple[str, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._period = min(self._limits.request_seconds, self._limits.keep_alive_seconds)

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else None
        self._since, self._idle_seconds = self._loop.time(), self._limits.request_seconds
        self._timer = self._loop.call_later(self._period, self._look_at_the_clock)
        self._listener.conversations.add(self)
        if self._listener.is_paused:
            self._loop.call_soon(self.regulate)  # uvloop begins to read after this callback, whatever it says

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._is_last = True
        for asking in (self._current, self._incoming, *self._queue):
            if asking is not None:
                self._let_go(asking)
        self._queue.clear()
        self._can_write.set()
        self._listener.ended(self)

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None:
            self._websocket.feed(data)
            self.regulate()
            return
        if self._is_last:
            return
        if len(data) <= _SLICE:
            if not self._feed(data) or self._is_last:
                return
        else:
            for start in range(0, len(data), _SLICE):
                if not self._feed(data[start : start + _SLICE]) or self._is_last:
                    self._hand_over(data[start + _SLICE :])
                    return
        if (
            not self._in_message
            and self._current is None
            and self._idle_seconds != self._limits.request_seconds
        ):
            # Blank lines between requests are no request; without this they would hold a connection open.
            self._since, self._idle_seconds = self._loop.time(), self._limits.request_seconds

    def pause_writing(self) -> None:
        self._can_write.clear()
        self.regulate()

    def resume_writing(self) -> None:
        self._can_write.set()
        self.regulate()
        if self._current is None:
            self._next()

    def _feed(self, data: bytes) -> bool:
        self._bodiless_bytes += len(data)
        if not self._in_message:
            data = data.lstrip(b"\r\n")
            self._in_request_line = True
        if self._in_request_line:
            line, end, rest = data.partition(b"\n")
            if not line.isascii():
                # Old scripts put the letters of their charset into a URL; the parser refuses them.
                data = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], line) + end + rest
            self._in_request_line = not end
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            if self._websocket is not None:
                self._websocket.feed(rest)
                return False
            self._go_on_as_http()
            return not rest or self._is_last or self._feed(rest)
        except httptools.HttpParserError:
            if not self._is_last:  # else it is what follows the last request
                self._refuse(answers.plain(*(self._fault or _NOT_HTTP)))
            return False
        if self._bodiless_bytes > self._limits.head_bytes + _SLICE:
            self._refuse(answers.plain(*self._too_large()))
            return False
        return True

    def _hand_over(self, data: bytes) -> None:
        """What is left of the bytes, where the connection has become a WebSocket."""
        if self._websocket is not None:
            self._websocket.feed(data)

    def _go_on_as_http(self) -> None:
        """Read the body of a request that offers another protocol, to which we do not change.

        RFC 9110, section 7.8: such a request is an ordinary one then. Java's HTTP client offers h2c in its
        first request, POST included, and httptools takes the body for the other protocol.
        """
        if not self._in_message:
            return  # it had no body and is complete
        framing = [header for header in self._headers if header[0] in _FRAMING]
        self._parser = httptools.HttpRequestParser(self)
        self._is_replaying = True
        self._parser.feed_data(
            b"POST / HTTP/1.1\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in framing) + b"\r\n"
        )
        self._is_replaying = False

    # Parser

    def on_message_begin(self) -> None:
        if self._is_replaying:
            return
        if self._is_last:
            raise _BrokenOffError
        self._url = b""
        self._headers = []
        self._in_head = self._in_message = True
        self._bodiless_bytes = 0
        self._since = self._loop.time()

    def on_url(self, url: bytes) -> None:
        if not self._is_replaying:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer
        self._headers.append((name.lower(), value))
        if len(self._headers) > self._limits.head_lines:
            self._break_off(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"A request may have {self._limits.head_lines} headers; this one has more.",
            )

    def on_headers_complete(self) -> None:
        if self._is_replaying:
            return
        headers, limit = self._headers, self._limits.head_bytes
        if self._bodiless_bytes + _SLICE > limit:
            size = len(self._url) + sum(len(name) + len(value) + 4 for name, value in headers)
            if size > limit:
                self._break_off(*self._too_large())
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._break_off(*_NOT_HTTP)
        try:
            asking = Asking(method, self._url, headers, self._parser.get_http_version())
        except (ValueError, httptools.HttpParserInvalidURLError):
            self._break_off(*_NOT_HTTP)
            raise
        if asking.version == "1.0" or not self._parser.should_keep_alive():
            asking.keep_alive = False
        said = dict(headers)
        if len(said) < len(headers) and [name for name, _ in headers].count(b"host") > 1:
            self._break_off(*_NOT_HTTP)  # RFC 9112, section 3.2
        if b"expect" in said and asking.version != "1.0":  # RFC 9110, section 10.1.1
            asking.expects = said[b"expect"].lower() == b"100-continue"
        self._in_head = False
        self._incoming = asking
        quick = asking.quick = self._listener.choose(asking.path)
        if quick is not None and int(said.get(b"content-length", 0)) > quick.body_limit:
            self._too_large_for(asking, quick)
            raise _BrokenOffError
        if self._current is None and not self._queue and self._can_write.is_set():
            self._begin(asking)
        else:
            self._queue.append(asking)

    def on_body(self, body: bytes) -> None:
        self._bodiless_bytes = 0
        asking = self._incoming
        if asking is None or asking.is_answered or asking.is_gone:
            return
        asking.parts.append(body)
        asking.size += len(body)
        quick = asking.quick
        if quick is not None:
            if asking.size > quick.body_limit:
                self._too_large_for(asking, quick)
                raise _BrokenOffError
        elif asking.reader is not None:
            asking.reader.wake()
        if asking.size > _BODY_AHEAD:
            self.regulate()

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade() and any(name in _FRAMING for name, _ in self._headers):
            return  # the body is still to come, see `_go_on_as_http`
        asking, self._incoming = self._incoming, None
        self._in_head, self._in_message = True, False
        self._bodiless_bytes = 0
        self._since = self._loop.time()
        if asking is None:
            return
        asking.is_whole = True
        if not asking.keep_alive:
            self._is_last = True
        if asking.is_answered:
            self._next()
        elif asking.quick is not None:
            if asking is self._current:
                self._run(self._quickly(asking, asking.quick))
        elif asking.reader is not None:
            asking.reader.wake()
        if len(self._queue) > _QUEUE:
            self.regulate()

    # Answers

    def _begin(self, asking: Asking) -> None:
        self._current = asking
        if asking.quick is None and self._incoming is asking and is_handshake(asking):
            self._websocket = WebSocket(self._listener.application, asking, self, self._scope(asking))
            self._run(self._websocket.run())
        elif asking.quick is None:
            self._bridge = Bridge(self._listener.application, asking, self, self._scope(asking))
            self._run(self._bridge.run())
        elif asking.is_whole:
            self._run(self._quickly(asking, asking.quick))
        else:
            self.go_ahead(asking)

    def _run(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._listener.tasks.add(task)
        task.add_done_callback(self._listener.tasks.discard)

    async def _quickly(self, asking: Asking, quick: Quick) -> None:
        try:
            response = await quick.answer(asking.request(self._peer[0] if self._peer else ""))
            if asking.is_gone:
                return
            close = self.closes_after(asking)
            data = answers.whole(response, close=close, bodiless=asking.method == "HEAD")
        except Exception:  # noqa: BLE001 - one of the outer loops
            _log.exception("an answer failed", path=asking.path)
            if asking.is_gone:
                return
            asking.keep_alive = False
            data = answers.whole(HttpResponse(500, b"Internal Server Error"), close=True)
        self._transport.write(data)
        self.answered(asking)

    def write(self, data: bytes) -> None:
        """See Wire."""
        self._transport.write(data)

    async def drain(self) -> None:
        """See Wire."""
        await self._can_write.wait()

    def go_ahead(self, asking: Asking) -> None:
        """See Wire."""
        if asking.expects and not asking.is_whole and not asking.parts:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        asking.expects = False

    def body_taken(self, asking: Asking) -> None:
        """See Wire."""
        if not self._is_reading:
            self.regulate()

    def closes_after(self, asking: Asking) -> bool:
        """See Wire."""
        return not asking.keep_alive or (self._is_last and not self._queue and not self._last_answer)

    def answered(self, asking: Asking) -> None:
        """See Wire."""
        asking.is_answered = True
        asking.parts.clear()
        asking.size = 0
        if asking.reader is not None:
            asking.reader.wake()
        self._current = self._bridge = None
        if not asking.keep_alive:
            self._end(b"")
            return
        self._since, self._idle_seconds = (
            self._since if self._in_message else self._loop.time(),
            self._limits.keep_alive_seconds,
        )
        self._next()
        if not self._is_reading:
            self.regulate()

    def _next(self) -> None:
        if self._current is not None or self._is_ending or not self._can_write.is_set():
            return
        if self._queue:
            self._begin(self._queue.popleft())
        elif self._is_last:
            self._end(self._last_answer)

    def regulate(self) -> None:
        """Read, or let the client wait, as things are: the server's wish, our queue, the body, the answer."""
        incoming, websocket = self._incoming, self._websocket
        if websocket is not None:
            wanted = self._is_ending or not websocket.is_full
        else:
            wanted = self._is_ending or not (
                self._listener.is_paused
                or len(self._queue) > _QUEUE
                or sum(asking.size for asking in self._queue) > _BODY_AHEAD
                or not self._can_write.is_set()
                or (incoming is not None and incoming.quick is None and incoming.size > _BODY_AHEAD)
            )
        if wanted == self._is_reading or self._transport.is_closing():
            return
        self._is_reading = wanted
        if wanted:
            self._since = self._loop.time()
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _scope(self, asking: Asking) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": asking.version,
            "server": self._transport.get_extra_info("sockname")[:2],
            "client": self._peer,
            "scheme": "http",
            "method": asking.method,
            "root_path": "",
            "path": asking.path,
            "raw_path": asking.raw_path,
            "query_string": asking.query,
            "headers": asking.headers,
            "state": {},
        }

    # Giving up

    def shut(self) -> None:
        """The server stops: finish what runs, refuse what is not here yet."""
        if self._websocket is not None:
            self._websocket.shut()
            return
        if self._in_message and not self._is_last:
            # What is not here yet would hold up the end until the drain's limit.
            text = "The server is stopping; send the request again."
            self._refuse(answers.plain(HTTPStatus.SERVICE_UNAVAILABLE, text))
            return
        self._is_last = True
        self._next()

    def cut(self) -> None:
        """End at once."""
        self._transport.abort()

    def _look_at_the_clock(self) -> None:
        """One timer for a connection, not one for a request: it comes at least once in the shorter of the
        limits, and then for the moment at which the present one ends."""
        now = self._loop.time()
        if self._websocket is not None:
            if self._websocket.look():
                self._timer = self._loop.call_later(self._period, self._look_at_the_clock)
            else:
                self._transport.abort()
            return
        if not self._is_reading:
            self._since = now  # it is we who hold the client up
        if self._is_last or (self._current is not None and not self._in_message):
            self._timer = self._loop.call_later(self._period, self._look_at_the_clock)
            return
        seconds = self._limits.request_seconds if self._in_message else self._idle_seconds
        end = self._since + seconds
        if now < end:
            self._timer = self._loop.call_at(min(end, now + self._period), self._look_at_the_clock)
        elif self._in_message:
            text = f"The request did not end within {seconds:g} seconds."
            self._refuse(answers.plain(HTTPStatus.REQUEST_TIMEOUT, text))
        else:
            self._transport.close()  # a browser's connection in reserve does not expect an answer

    def _too_large(self) -> tuple[HTTPStatus, str]:
        limit = self._limits.head_bytes
        if len(self._url) > limit:
            return HTTPStatus.REQUEST_URI_TOO_LONG, f"A URL may have {limit} bytes; send a POST instead."
        return (
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"Request line and headers may have {limit} bytes together; these have more.",
        )

    def _too_large_for(self, asking: Asking, quick: Quick) -> None:
        self._refuse(answers.whole(quick.too_large(), close=True, bodiless=asking.method == "HEAD"))

    def _break_off(self, status: HTTPStatus, text: str) -> None:
        self._fault = (status, text)
        raise _BrokenOffError(text)

    def _refuse(self, answer: bytes) -> None:
        """Read nothing more; answer what came whole before, then this, then close."""
        self._is_last, self._in_message = True, False
        asking, self._incoming = self._incoming, None
        self._last_answer = answer
        if asking is not None:
            if asking in self._queue:
                self._queue.remove(asking)
            elif asking is self._current:
                has_started = self._bridge is not None and self._bridge.has_started
                self._let_go(asking)
                self._current = self._bridge = None
                self._end(b"" if has_started else answer)
                return
            elif asking.is_answered:
                self._last_answer = b""  # it has its answer already
        self._next()

    def _let_go(self, asking: Asking) -> None:
        asking.is_gone = True
        if asking.reader is not None:
            asking.reader.wake()

    def _end(self, answer: bytes) -> None:
        self._is_ending = self._is_last = True
        if self._transport.is_closing():
            return
        if not answer or not self._transport.can_write_eof():
            self._transport.write(answer)
            self._transport.close()
            return
        # Closing at once, while the client still sends, resets the connection before it has read the answer.
        self._transport.write(answer)
        self._transport.write_eof()
        if not self._is_reading:
            self.regulate()
        self._loop.call_later(_LINGER_SECONDS, self._transport.close)
