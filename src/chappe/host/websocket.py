"""The bridge to ASGI applications for WebSocket (RFC 6455): what a page and the server tell one another."""

import asyncio
import binascii
from base64 import b64decode
from collections import deque
from typing import Any

import structlog
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, generate_accept_token

from chappe.host import answers
from chappe.host.asgi import Application, Wire
from chappe.host.asgi import Message as Told
from chappe.host.asking import Asking
from chappe.protocols.http import HttpResponse

LARGEST = 65_536
"""Bytes of a message (our choice); a larger one ends the connection with code 1009."""
_WAITING = 64
"""Messages that the application has not taken yet; then nothing more is read (our choice)."""
_log = structlog.get_logger()


def is_handshake(asking: Asking) -> bool:
    """Whether a request opens a WebSocket as RFC 6455, section 4.2.1 wants it; any other offer of the
    protocol is passed over, and the request is an ordinary one."""
    if asking.method != "GET" or asking.version == "1.0":
        return False
    said = dict(asking.headers)
    if any(name in said for name in (b"content-length", b"transfer-encoding")):
        return False
    try:
        key = b64decode(said.get(b"sec-websocket-key", b""), validate=True)
    except binascii.Error:
        return False
    return (
        said.get(b"upgrade", b"").strip().lower() == b"websocket"
        and b"upgrade" in [one.strip().lower() for one in said.get(b"connection", b"").split(b",")]
        and said.get(b"sec-websocket-version", b"").strip() == b"13"
        and len(key) == 16
    )


class WebSocket:
    """One WebSocket with its application (ASGI 3.0, WebSocket); frames are wsproto's.

    Pings are answered; one of ours goes out after each period of silence, and who says nothing for
    another one is cut off.
    """

    def __init__(self, application: Application, asking: Asking, wire: Wire, scope: dict[str, Any]) -> None:
        self._application = application
        self._asking = asking
        self._wire = wire
        self._scope = {**scope, "type": "websocket", "scheme": "ws", "subprotocols": _offered(asking)}
        del self._scope["method"]
        self._frames = Connection(ConnectionType.SERVER)
        self._told: deque[Told] = deque([{"type": "websocket.connect"}])
        self._parts: list[bytes] = []
        self._size = 0
        self._news = asyncio.Event()
        self._code = int(CloseReason.ABNORMAL_CLOSURE)
        self._is_open = self._is_pinged = self._has_ended = False
        asking.reader = self
        asking.keep_alive = False

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be read for now."""
        return len(self._told) > _WAITING

    def wake(self) -> None:
        """See Wakes: the connection is gone."""
        self._news.set()

    async def run(self) -> None:
        """Let the application speak; what it leaves open is closed here."""
        asking = self._asking
        try:
            await self._application(self._scope, self._receive, self._send)
            code = CloseReason.NORMAL_CLOSURE
        except Exception:  # noqa: BLE001 - one of the outer loops
            _log.exception("a page's wire failed", path=asking.path)
            code = CloseReason.INTERNAL_ERROR
        if not self._is_open and not asking.is_gone and not asking.is_answered:
            self._refuse(HttpResponse(500, b"Internal Server Error"))
        elif not self._has_ended:
            self._end(code)

    # What the client sends

    def feed(self, data: bytes) -> None:
        """Bytes of the client, however they were cut."""
        self._is_pinged = False
        if not data or self._frames.state is ConnectionState.CLOSED:
            return
        if not self._is_open:  # it did not wait for our answer, which may be no
            self._has_ended = True
            self._wire.answered(self._asking)
            return
        self._frames.receive_data(data)
        for event in self._frames.events():
            if isinstance(event, CloseConnection):
                self._closed(event)
                return
            if self._has_ended:
                continue  # what was under way while we closed
            if isinstance(event, Ping):
                self._write(event.response())
            elif isinstance(event, Message):
                self._take(event)

    def _take(self, event: Message[Any]) -> None:
        part = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
        self._parts.append(part)
        self._size += len(part)
        if self._size > LARGEST:
            self._end(CloseReason.MESSAGE_TOO_BIG, f"a message may have {LARGEST} bytes")
        elif event.message_finished:
            is_text = isinstance(event, TextMessage)
            whole = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._told.append(
                {"type": "websocket.receive", **({"text": whole.decode()} if is_text else {"bytes": whole})}
            )
            self._news.set()

    def _closed(self, event: CloseConnection) -> None:
        """The client has closed, has answered our close, or speaks no WebSocket."""
        if not self._has_ended:
            self._code = int(event.code)
            self._write(event.response())
            self._has_ended = True
            self._news.set()
        self._wire.answered(self._asking)

    # What the application says

    async def _receive(self) -> Told:
        while not (self._told or self._has_ended or self._asking.is_gone or self._asking.is_answered):
            self._news.clear()
            await self._news.wait()
        if not self._told:
            return {"type": "websocket.disconnect", "code": self._code}
        told = self._told.popleft()
        self._wire.body_taken(self._asking)
        return told

    async def _send(self, message: Told) -> None:
        asking = self._asking
        if asking.is_gone or asking.is_answered or self._has_ended:
            return
        if message["type"] == "websocket.accept":
            self._accept(message)
        elif message["type"] == "websocket.send":
            data = message.get("bytes")
            self._write(BytesMessage(data) if data is not None else TextMessage(message["text"]))
            await self._wire.drain()
        elif self._is_open:
            self._end(message.get("code", 1000), message.get("reason") or "")
        else:
            self._refuse(HttpResponse(403, b"This is not for you."))

    def _accept(self, message: Told) -> None:
        self._is_open = True
        key = dict(self._asking.headers)[b"sec-websocket-key"]
        headers = [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", generate_accept_token(key)),
            *message.get("headers", ()),
        ]
        if message.get("subprotocol"):
            headers.append((b"sec-websocket-protocol", message["subprotocol"].encode("latin-1")))
        self._wire.write(answers.status_line(101) + answers.header_lines(headers) + b"\r\n")

    # Its end

    def shut(self) -> None:
        """The server stops."""
        self._end(CloseReason.GOING_AWAY, "the server stops")

    def look(self) -> bool:
        """A period is over; False when the client has said nothing since it was pinged, or does not answer
        our close."""
        if self._has_ended or self._is_pinged:
            return False
        if self._is_open:
            self._write(Ping())
        self._is_pinged = True
        return True

    def _end(self, code: int, reason: str = "") -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self._code = int(code)
        if self._is_open and not self._asking.is_gone:
            self._write(CloseConnection(code, reason))
        else:
            self._wire.answered(self._asking)
        self._news.set()

    def _refuse(self, response: HttpResponse) -> None:
        self._has_ended = True
        self._wire.write(answers.whole(response, close=True))
        self._wire.answered(self._asking)

    def _write(self, event: Message[Any] | Ping | Pong | CloseConnection) -> None:
        try:
            data = self._frames.send(event)
        except LocalProtocolError:
            return  # it is closing already
        self._wire.write(data)


def _offered(asking: Asking) -> list[str]:
    said = b",".join(value for name, value in asking.headers if name == b"sec-websocket-protocol")
    return [one.strip() for one in said.decode("latin-1").split(",") if one.strip()]
