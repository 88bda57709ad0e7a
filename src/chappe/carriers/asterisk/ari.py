"""Asterisk's REST interface over one WebSocket: requests and answers, and the events of our application.

Source: Asterisk's documentation, "Asterisk REST Interface" and "ARI over WebSocket" (20.14, 22.4 and later).
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlsplit

import msgspec
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection, Request
from wsproto.utilities import ProtocolError

from chappe.carriers.asterisk import frames
from chappe.carriers.asterisk.frames import FrameError, Frames

PATIENCE = 10.0
"""Seconds for an answer, and for a sign of life (our choice)."""

EVENTS = (
    "StasisStart",
    "ChannelStateChange",
    "ChannelDtmfReceived",
    "ChannelTalkingStarted",
    "ChannelTalkingFinished",
    "ChannelDestroyed",
    "PlaybackFinished",
    "RecordingFinished",
    "RecordingFailed",
    "ContactStatusChange",
    "RESTResponse",  # answers pass the same filter
)
"""What we hear of; all else is filtered at the switch, ChannelVarset above all (voice.md 1.5, 7)."""


_LONGEST_HEAD = 65_536
_NORMAL = (1000).to_bytes(2)
"""The status of a connection that is closed because it is needed no more (RFC 6455, 7.4.1)."""


class AriLost(Exception):
    """The connection is gone, or no answer came: what was asked may have been done or not."""


class AriRefused(Exception):
    """The switch does not let us in; the message says why."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls."""

    number: str = ""


class Dialplan(msgspec.Struct, frozen=True):
    """Where in the dialplan a channel is."""

    app_name: str = ""
    app_data: str = ""


class Channel(msgspec.Struct, frozen=True):
    """A channel; `state` is "Down", "Ring" (it calls us), "Ringing", "Up" and others."""

    id: str
    name: str = ""
    state: str = ""
    caller: Caller = Caller()
    dialplan: Dialplan = Dialplan()


class Playback(msgspec.Struct, frozen=True):
    """Something that is played; `state` "failed" where it could not be."""

    id: str
    state: str = ""


class Recording(msgspec.Struct, frozen=True):
    """A recording by its name; `cause` where it failed."""

    name: str
    cause: str = ""


class Event(msgspec.Struct, frozen=True):
    """Anything the switch tells: fields that it has not are empty.

    `cause` is of Q.850, `tech_cause` the answer of SIP. `args` are those of the dialplan's Stasis().
    """

    type: str
    channel: Channel | None = None
    playback: Playback | None = None
    recording: Recording | None = None
    args: tuple[str, ...] = ()
    cause: int = 0
    tech_cause: int = 0
    digit: str = ""
    request_id: str = ""
    status_code: int = 0
    message_body: str = ""


class Answer(NamedTuple):
    """What the switch answered: an HTTP status, and its JSON where there is some."""

    status: int
    body: str

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    def read(self, kind: Any) -> Any:
        """Its JSON as a type. Raises AriLost where it is something else."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except msgspec.DecodeError as error:
            raise AriLost(f"the switch answered {self.status} with what cannot be read: {error}") from error


class Ari(asyncio.Protocol):
    """One connection; made by `connect`. Events are told one after another, in their order, at once."""

    def __init__(self, host: str, target: str, authorization: str, on_event: Callable[[Event], None]) -> None:
        self._handshake: WSConnection | None = WSConnection(ConnectionType.CLIENT)
        self._head = b""
        self._frames = Frames()
        headers = [(b"Authorization", authorization.encode())]
        self._hello = Request(host, target, extra_headers=headers)
        self._on_event = on_event
        self._read = msgspec.json.Decoder(Event).decode
        self._numbers = count(1)
        self._asked: dict[str, Callable[[Answer | AriLost], None]] = {}
        self._transport: asyncio.Transport | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._heard = False
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()
        """Says why, once the connection is gone."""

    async def ask(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> Answer:
        """Ask for something; `path` is below /ari/. Raises AriLost."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()

        def take(given: Answer | AriLost) -> None:
            if not answer.done():
                if isinstance(given, AriLost):
                    answer.set_exception(given)
                else:
                    answer.set_result(given)

        number = self.say(method, path, take, query, body)
        # One timer each: asyncio.timeout costs as much as all else here.
        words = f"no answer to {method} {path} within {PATIENCE:.0f} s"
        late = loop.call_later(PATIENCE, lambda: take(AriLost(words)))
        try:
            return await answer
        finally:
            late.cancel()
            self._asked.pop(number, None)

    def say(
        self,
        method: str,
        path: str,
        then: Callable[[Answer | AriLost], None],
        query: Mapping[str, str | int] | None = None,
        body: object = None,
    ) -> str:
        """The same without waiting: `then` is told the answer, or that the connection was lost. The switch
        does one thing after the other."""
        if self.lost.done() or self._transport is None:
            raise AriLost("the connection is down")
        number = str(next(self._numbers))
        words: dict[str, object] = {
            "type": "RESTRequest",
            "transaction_id": number,
            "request_id": number,
            "method": method,
            "uri": path,
        }
        if query:
            words["query_strings"] = [{"name": key, "value": str(value)} for key, value in query.items()]
        if body is not None:
            words["content_type"] = "application/json"
            words["message_body"] = msgspec.json.encode(body).decode()
        self._asked[number] = then
        self._send(frames.TEXT, msgspec.json.encode(words))
        return number

    def close(self) -> None:
        """Leave."""
        if self._transport is not None and not self._transport.is_closing():
            if self._handshake is None:
                self._send(frames.CLOSE, _NORMAL)
            self._transport.close()

    # --- the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        assert self._handshake is not None  # nothing has come yet
        self._transport.write(self._handshake.send(self._hello))
        self._look()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._heard = True
        try:
            if self._handshake is not None:
                data = self._shake_hands(self._handshake, data)
            for kind, content in self._frames.receive(data):
                self._receive(kind, content)
        except (ProtocolError, FrameError, msgspec.DecodeError) as error:
            self._end(f"the switch does not speak as expected: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._end(f"the connection was lost: {exc or 'the switch closed it'}")

    # --- inside

    def _shake_hands(self, handshake: WSConnection, data: bytes) -> bytes:
        """Read the answer to our greeting; returns what came after it."""
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            if len(head) > _LONGEST_HEAD:
                raise FrameError("an answer without an end")
            return b""
        handshake.receive_data(head + end)
        for event in handshake.events():
            if isinstance(event, AcceptConnection):
                self._handshake = None
                self.opened.set_result(None)
            elif isinstance(event, RejectConnection):
                is_unknown = event.status_code == 401
                reason = "user or password is wrong" if is_unknown else f"it answers {event.status_code}"
                if not self.opened.done():
                    self.opened.set_exception(AriRefused(reason))
                self._end(reason)
        return rest if self._handshake is None else b""

    def _receive(self, kind: int, content: bytes) -> None:
        if kind == frames.TEXT:
            self._tell(self._read(content))
        elif kind == frames.PING:
            self._send(frames.PONG, content)
        elif kind == frames.CLOSE:
            self._end("the switch closed the connection")

    def _tell(self, event: Event) -> None:
        if event.type != "RESTResponse":
            self._on_event(event)
            return
        then = self._asked.pop(event.request_id, None)
        if then is not None:
            then(Answer(event.status_code, event.message_body))

    def _send(self, kind: int, content: bytes = b"") -> None:
        assert self._transport is not None
        self._transport.write(frames.frame(kind, content))

    def _look(self) -> None:
        """Ask for a sign of life where there was none; end where that was asked in vain."""
        if self.lost.done():
            return
        if self._alarm is not None and not self._heard:
            self._end(f"no sign of life within {PATIENCE:.0f} s")
            return
        self._heard = False
        if self.opened.done():
            self._send(frames.PING)
        self._alarm = asyncio.get_running_loop().call_later(PATIENCE, self._look)

    def _end(self, reason: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(reason)
        if self._alarm is not None:
            self._alarm.cancel()
        if not self.opened.done():
            self.opened.set_exception(AriLost(reason))
        asked, self._asked = self._asked, {}
        self.close()
        for then in asked.values():
            then(AriLost(reason))


async def connect(
    url: str, user: str, password: str, application: str, on_event: Callable[[Event], None]
) -> Ari:
    """A connection to the interface at `url` (http://127.0.0.1:8088/ari). Raises AriLost where nobody is
    there, AriRefused where we are not let in."""
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    path = parts.path.rstrip("/")
    target = f"{path}/events?app={quote(application)}&subscribeAll=true"
    secret = b64encode(f"{user}:{password}".encode()).decode()
    host = parts.hostname or ""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE):
            _, ari = await loop.create_connection(
                lambda: Ari(parts.netloc, target, f"Basic {secret}", on_event), host, port, ssl=secure
            )
            try:
                await ari.opened
            except BaseException:
                ari.close()
                raise
            filtered = [{"type": kind} for kind in EVENTS]
            answer = await ari.ask(
                "PUT", f"applications/{quote(application)}/eventFilter", body={"allowed": filtered}
            )
    except TimeoutError as error:
        raise AriLost(f"{host}:{port} does not answer") from error
    except OSError as error:
        raise AriLost(f"{host}:{port} cannot be reached: {error}") from error
    if not answer.is_good:
        ari.close()
        raise AriRefused(
            f"the switch answered {answer.status} when asked to filter its events: {answer.body}"
        )
    return ari
