"""The listening side of HTTP: uvicorn with limits on the size of a request and on the time it may take."""

import re
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import Any, cast

import httptools
import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_FRAMING = (b"content-length", b"transfer-encoding")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_LINGER_SECONDS = 2.0  # time for a refused client to read why, before the connection is cut
_SLICE = 4096  # the parser is fed in pieces of this size, so that limits hold within one large read


class _BrokenOffError(Exception):
    """Stops the parser in the middle; the reason lies in the protocol's `_refusal`."""


class _Phrased:
    """A transport that puts another reason phrase into the status line; uvicorn knows one for each status."""

    def __init__(self, transport: Transport, reason: bytes) -> None:
        self._transport = transport
        self._reason = reason

    def write(self, data: bytes) -> None:
        if self._reason:
            line, _, rest = data.partition(b"\r\n")
            version, status, _ = line.split(b" ", 2)
            data, self._reason = b" ".join((version, status, self._reason)) + b"\r\n" + rest, b""
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class LimitedHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1 protocol that gives up on a request whose head is too large or that does not end.

    uvicorn 0.54.0 with httptools has no such limits: a head may grow and may take for ever. Refusals are
    answered in the order of pipelined requests, as plain text, and close the connection. The limits are
    attributes of the class; our choice, after the defaults of widespread servers.

    `head_bytes`: request line and headers together, and whatever else is not body (chunk extensions,
    trailers); 414 when the request line alone is over it, else 431. `head_lines`: number of headers, 431.
    `request_seconds`: from the first byte of a request to the last of its body, 408.
    """

    head_bytes = 65536
    head_lines = 100
    request_seconds = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: TimerHandle | None = None
        self.url = b""  # uvicorn sets it with the first request only
        self._in_head = True  # trailers arrive after the head, through the same callback
        self._in_message = self._in_request_line = self._is_replaying = False
        self._bodiless_bytes = 0
        self._refusal: tuple[HTTPStatus, str] | None = None
        self._last_answer: bytes | None = None
        self._running: RequestResponseCycle | None = None

    # Connection

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        # uvicorn tells only the newest of pipelined requests that the client is gone.
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self.parser is None:
            return
        self._unset_keepalive_if_required()
        for start in range(0, len(data), _SLICE):
            if not self._feed(data[start : start + _SLICE]):
                return
        if self._deadline is None and not self._is_answering():
            # Blank lines between requests are no request; without this they would hold a connection open.
            self._start_deadline()

    def _feed(self, data: bytes) -> bool:
        self._bodiless_bytes += len(data)
        if not self._in_message:
            self._in_request_line = True
            data = data.lstrip(b"\r\n")
        if self._in_request_line:
            # Old scripts put the letters of their charset into a URL as they are; the parser refuses them.
            line, end, rest = data.partition(b"\n")
            data = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], line) + end + rest
            self._in_request_line = not end
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_as_http()
            rest = data[upgrade.args[0] :]
            return not rest or self._feed(rest)
        except httptools.HttpParserError:
            self._refuse(*(self._refusal or (HTTPStatus.BAD_REQUEST, "This is not an HTTP request.")))
            return False
        if self._bodiless_bytes > self.head_bytes + _SLICE:
            self._refuse(*self._too_large())
            return False
        return True

    def _go_on_as_http(self) -> None:
        """Read the body of a request that offers another protocol; we have none to change to.

        RFC 9110, section 7.8: such a request is an ordinary one then. Java's HTTP client offers h2c in its
        first request, POST included, and httptools takes the body for the other protocol.
        """
        framing = [header for header in self.headers if header[0] in _FRAMING]
        if not self._in_message:
            return  # it had no body and is complete
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._is_replaying = True
        self.parser.feed_data(
            b"POST / HTTP/1.1\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in framing) + b"\r\n"
        )
        self._is_replaying = False

    # Parser

    def on_message_begin(self) -> None:
        if self._is_replaying:
            return
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._bodiless_bytes = 0
        if self._deadline is None:
            self._start_deadline()

    def on_url(self, url: bytes) -> None:
        if not self._is_replaying:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # uvicorn would add the trailer to the headers that the application already has
        super().on_header(name, value)
        if len(self.headers) > self.head_lines:
            self._break_off(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                f"A request may have {self.head_lines} headers; this one has more.",
            )

    def on_headers_complete(self) -> None:
        if self._is_replaying:
            return
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.head_bytes:
            self._break_off(*self._too_large())
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        super().on_headers_complete()
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        self._bodiless_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and any(name in _FRAMING for name, _ in self.headers):
            return  # the body is still to come, see `_go_on_as_http`
        self._bodiless_bytes = 0
        self._in_head, self._in_message = True, False
        self._stop_deadline()
        super().on_message_complete()

    # Answers

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._last_answer is not None and not self._is_answering() and not self.transport.is_closing():
            self._end(self._last_answer)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle

        async def with_reason(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                if reason := message.get("reason"):
                    cycle.transport = cast(Transport, _Phrased(cycle.transport, reason))
                await send(message)

            await app(scope, receive, sending)

        super()._start_asgi_task(cycle, with_reason)

    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    # Giving up

    def shutdown(self) -> None:
        if self._refusal is not None:
            if not self._is_answering():
                self.transport.close()
        elif self._in_message:
            # What is not here yet would hold up the end until the drain's limit.
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The server is stopping; send the request again.")
        else:
            super().shutdown()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.request_seconds, self._out_of_time)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _out_of_time(self) -> None:
        if self._in_message:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The request did not end within {self.request_seconds:g} seconds.",
            )
        else:
            self.transport.close()  # a browser's connection in reserve does not expect an answer

    def _too_large(self) -> tuple[HTTPStatus, str]:
        if len(self.url) > self.head_bytes:
            return (
                HTTPStatus.REQUEST_URI_TOO_LONG,
                f"A URL may have {self.head_bytes} bytes; send a POST instead.",
            )
        return (
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"Request line and headers may have {self.head_bytes} bytes together; these have more.",
        )

    def _break_off(self, status: HTTPStatus, text: str) -> None:
        self._refusal = (status, text)
        raise _BrokenOffError(text)

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        """Read nothing more; answer what came whole before, then this, then close."""
        self._refusal = (status, text)
        self._stop_deadline()
        answer = _plain_answer(status, text, self.server_state.default_headers)
        if not self._in_head:
            # The request at fault is with the application, or waits for its turn.
            if self.pipeline:
                self.pipeline.popleft()
            else:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
                self._end(b"" if self.cycle.response_started else answer)
                return
        if self._is_answering():
            self._last_answer = answer
        else:
            self._end(answer)

    def _end(self, answer: bytes) -> None:
        self._unset_keepalive_if_required()
        if not answer or not self.transport.can_write_eof():
            self.transport.write(answer)
            self.transport.close()
            return
        # Closing at once, while the client still sends, resets the connection before it has read the answer.
        self.transport.write(answer)
        self.transport.write_eof()
        self._deadline = self.loop.call_later(_LINGER_SECONDS, self.transport.close)


def _plain_answer(status: HTTPStatus, text: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    body = text.encode()
    own = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in [*headers, *own]]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def config(
    app: ASGI3Application,
    host: str,
    port: int,
    *,
    fd: int | None = None,
    protocol: type[LimitedHttpProtocol] = LimitedHttpProtocol,
    keep_alive_seconds: int = 15,
    drain_seconds: int = 10,
) -> uvicorn.Config:
    """How uvicorn serves Chappe: uvloop, httptools, our limits, and nothing in the answer but a date.

    `fd` is an inherited listening socket; an opened one goes to `uvicorn.Server(...).serve(sockets=[...])`.
    The application starts and ends its own work (no lifespan), writes its own logs, and reads
    `X-Forwarded-*` itself where a proxy is trusted.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        fd=fd,
        http=protocol,
        loop="uvloop",
        ws="none",
        interface="asgi3",
        lifespan="off",
        server_header=False,
        date_header=True,
        proxy_headers=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=keep_alive_seconds,
        timeout_graceful_shutdown=drain_seconds,
    )
