"""WebSocket in the listener, octet by octet: the handshake, messages, limits, the end."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chappe.host.asking import Asking
from chappe.host.conversation import Limits
from chappe.host.listener import Listener
from chappe.host.websocket import LARGEST, WebSocket, is_handshake

# RFC 6455, section 1.3: the example's key and what is answered to it.
KEY, ACCEPT = b"dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HEADERS = [
    b"Host: x",
    b"Upgrade: websocket",
    b"Connection: keep-alive, Upgrade",
    b"Sec-WebSocket-Key: " + KEY,
    b"Sec-WebSocket-Version: 13",
]
OPENED = (
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-accept: " + ACCEPT + b"\r\n\r\n"
)
MASK = b"\x37\xfa\x21\x3d"
HELLO = b"\x81\x85" + MASK + b"\x7f\x9f\x4d\x51\x58"  # section 5.7: a single masked text message, "Hello"


def handshake(path: bytes = b"/echo", headers: list[bytes] = HEADERS) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + b"".join(one + b"\r\n" for one in headers) + b"\r\n"


def frame(first: int, payload: bytes) -> bytes:
    """A frame as clients send it: masked."""
    size = len(payload)
    length = (
        bytes([0x80 | size])
        if size < 126
        else (b"\xfe" + size.to_bytes(2, "big") if size < 65_536 else b"\xff" + size.to_bytes(8, "big"))
    )
    return bytes([first]) + length + MASK + bytes(one ^ MASK[at % 4] for at, one in enumerate(payload))


CLOSE = frame(0x88, b"\x03\xe8")


class Echo:
    """Says again what it is told; refuses at `/refused`, fails at `/broken`, is slow to accept at `/slow`,
    takes nothing at `/deaf`, ends at `/short`."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.codes: list[int] = []
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        path = scope["path"]
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"no page"})
            return
        assert (await receive())["type"] == "websocket.connect"
        if path == "/broken":
            raise RuntimeError("on purpose")
        if path == "/slow":
            await self.go.wait()
        if path == "/refused":
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        if path == "/short":
            return
        if path == "/deaf":
            await self.go.wait()
        while (told := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", **{k: v for k, v in told.items() if k != "type"}})
        self.codes.append(told["code"])


@asynccontextmanager
async def serving(**limits: float) -> AsyncIterator[tuple[Echo, Listener, int]]:
    echo = Echo()
    listener = Listener(echo, limits=Limits(**limits), drain_seconds=1)  # type: ignore[arg-type]
    listening = socket.create_server(("127.0.0.1", 0))
    await listener.open([listening])
    try:
        yield echo, listener, listening.getsockname()[1]
    finally:
        echo.go.set()
        await listener.drain()


async def exchange(port: int, *parts: bytes) -> bytes:
    """Send the parts, then read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    try:
        return await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()


async def opened(port: int, path: bytes = b"/echo") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(handshake(path))
    assert await reader.readexactly(len(OPENED)) == OPENED
    return reader, writer


async def says(port: int, answer: bytes, *parts: bytes) -> None:
    """After the handshake the server answers the parts with that, and a close with a close."""
    reader, writer = await opened(port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    assert await asyncio.wait_for(reader.readexactly(len(answer)), 20) == answer
    writer.write(CLOSE)
    assert await asyncio.wait_for(reader.read(), 20) == b"\x88\x02\x03\xe8"
    writer.close()


async def until(look: Callable[[], object]) -> None:
    for _ in range(1_000_000):
        if look():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came about")


async def test_the_example_of_the_rfc_is_answered_octet_by_octet() -> None:
    async with serving() as (echo, _, port):
        await says(port, b"\x81\x05Hello", HELLO)
        await asyncio.sleep(0)
    assert echo.codes == [1000]
    (scope,) = echo.scopes
    assert (scope["type"], scope["scheme"], scope["path"]) == ("websocket", "ws", "/echo")
    assert "method" not in scope


async def test_parts_of_a_message_and_a_ping_between_them() -> None:
    sent = frame(0x02, b"ab") + frame(0x89, b"there?") + frame(0x00, b"cd") + frame(0x80, b"ef")
    async with serving() as (_, _, port):
        await says(port, b"\x8a\x06there?" + b"\x82\x06abcdef", *[bytes([one]) for one in sent])


async def test_a_sound_frame_goes_both_ways() -> None:
    sound = bytes(range(256)) + bytes(64)
    async with serving() as (_, _, port):
        await says(port, b"\x82\x7e\x01\x40" + sound, frame(0x82, sound))


@pytest.mark.parametrize(
    "wrong",
    [
        [one for one in HEADERS if not one.startswith(b"Sec-WebSocket-Key")],
        [*HEADERS[:3], b"Sec-WebSocket-Key: c2hvcnQ=", HEADERS[4]],
        [*HEADERS[:3], b"Sec-WebSocket-Key: ***", HEADERS[4]],
        [*HEADERS[:4], b"Sec-WebSocket-Version: 8"],
        [*HEADERS, b"Content-Length: 0"],
        [HEADERS[0], b"Upgrade: h2c", *HEADERS[2:]],
    ],
)
async def test_any_other_offer_is_passed_over(wrong: list[bytes]) -> None:
    last = b"GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    async with serving() as (echo, _, port):
        answer = await exchange(port, handshake(headers=wrong) + last)
    assert answer.count(b"HTTP/1.1 404 Not Found\r\n") == 2
    assert [scope["type"] for scope in echo.scopes] == ["http", "http"]


async def test_a_handshake_behind_another_request_is_an_ordinary_one() -> None:
    async with serving() as (echo, _, port):
        answer = await exchange(port, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" + handshake() + frame(0x88, b""))
    assert [scope["type"] for scope in echo.scopes][:2] == ["http", "http"]
    assert b" 101 " not in answer


@pytest.mark.parametrize(("path", "status"), [(b"/refused", b"403"), (b"/broken", b"500")])
async def test_what_the_page_does_not_open_is_answered_as_http(path: bytes, status: bytes) -> None:
    async with serving() as (_, _, port):
        answer = await exchange(port, handshake(path))
    assert answer.startswith(b"HTTP/1.1 " + status + b" ")
    assert b"connection: close\r\n" in answer


async def test_who_does_not_wait_for_the_answer_is_cut_off() -> None:
    async with serving() as (_, _, port):
        assert await exchange(port, handshake(b"/slow") + HELLO) == b""


async def test_a_page_that_has_nothing_more_to_say_closes() -> None:
    async with serving() as (_, _, port):
        reader, writer = await opened(port, b"/short")
        assert await reader.readexactly(4) == b"\x88\x02\x03\xe8"
        writer.write(HELLO + CLOSE)
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x05Hello", 1002),  # not masked
        (frame(0xC1, b"Hello"), 1002),  # a bit of an extension that nobody agreed on
        (frame(0x83, b""), 1002),  # no such kind of frame
        (frame(0x80, b""), 1002),  # goes on with nothing
        (frame(0x09, b""), 1002),  # a ping in parts
        (frame(0x89, bytes(126)), 1002),  # a ping that is too long
        (frame(0x81, b"\xff\xfe"), 1007),  # no UTF-8
        (frame(0x82, bytes(LARGEST + 1)), 1009),
        (frame(0x02, bytes(LARGEST)) + frame(0x80, b"x"), 1009),
        (b"\x82\xff" + b"\xff" * 8 + MASK, 1002),  # more octets than there can be
    ],
)
async def test_what_is_not_in_order_ends_the_wire_with_its_code(sent: bytes, code: int) -> None:
    async with serving() as (echo, _, port):
        reader, writer = await opened(port)
        writer.write(sent)
        assert await reader.readexactly(1) == b"\x88"
        (size,) = await reader.readexactly(1)
        assert int.from_bytes((await reader.readexactly(size))[:2], "big") == code
        writer.write(CLOSE)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
    assert echo.codes == [code]


async def test_the_largest_message_passes() -> None:
    async with serving() as (_, _, port):
        answer = b"\x82\x7f" + LARGEST.to_bytes(8, "big") + bytes(LARGEST)
        await says(port, answer, frame(0x82, bytes(LARGEST)))


async def test_a_client_that_goes_without_a_word_is_told_to_the_page() -> None:
    async with serving() as (echo, listener, port):
        _, writer = await opened(port)
        writer.close()
        await until(lambda: not listener.conversations and not listener.tasks)
    assert echo.codes == [1006]


async def test_a_server_that_stops_says_so() -> None:
    async with serving() as (echo, listener, port):
        reader, writer = await opened(port)
        draining = asyncio.create_task(listener.drain())
        head = await reader.readexactly(2)
        assert head[:1] == b"\x88"
        assert (await reader.readexactly(head[1]))[:2] == b"\x03\xe9"
        writer.write(frame(0x88, b"\x03\xe9"))
        assert await reader.read() == b""
        writer.close()
        await draining
        assert not listener.conversations
    assert echo.codes == [1001]


async def test_a_page_that_takes_nothing_holds_the_client_up_and_not_the_memory() -> None:
    async with serving() as (echo, listener, port):
        _, writer = await opened(port, b"/deaf")
        for _ in range(200):
            writer.write(frame(0x82, bytes(60_000)))
        await until(lambda: not all(one._is_reading for one in listener.conversations))
        (conversation,) = listener.conversations
        assert len(conversation._websocket._told) <= 64 + 5  # what one read of the socket may hold
        echo.go.set()
        writer.close()


async def test_a_client_that_says_nothing_is_pinged_once_and_then_cut_off() -> None:
    async with serving(request_seconds=0.05, keep_alive_seconds=0.05) as (_, _, port):
        reader, writer = await opened(port)
        assert await reader.readexactly(2) == b"\x89\x00"
        writer.write(frame(0x8A, b""))
        assert await reader.readexactly(2) == b"\x89\x00"
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await reader.readexactly(2)
        writer.close()


class Sink:
    """A connection that takes everything."""

    def __init__(self) -> None:
        self.written = b""
        self.has_ended = False

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None: ...
    def go_ahead(self, asking: Asking) -> None: ...
    def body_taken(self, asking: Asking) -> None: ...
    def closes_after(self, asking: Asking) -> bool:
        return True

    def answered(self, asking: Asking) -> None:
        asking.is_answered = True
        self.has_ended = True
        asking.reader.wake()  # type: ignore[union-attr]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(st.binary(max_size=60), st.builds(frame, st.integers(0, 255), st.binary(max_size=200))),
        max_size=12,
    )
)
def test_garbage_never_breaks_a_wire_and_a_closed_one_stays_closed(parts: list[bytes]) -> None:
    async def run() -> None:
        headers = [tuple(one.split(b": ", 1)) for one in HEADERS]
        asking = Asking(b"GET", b"/echo", [(name.lower(), value) for name, value in headers], "1.1")
        assert is_handshake(asking)
        sink, echo = Sink(), Echo()
        wire = WebSocket(echo, asking, sink, {"path": "/echo", "method": "GET", "type": "http"})
        running = asyncio.create_task(wire.run())
        await until(lambda: sink.written)
        for part in parts:
            if sink.has_ended:
                break
            wire.feed(part)
            await asyncio.sleep(0)
        if not sink.has_ended:
            asking.is_gone = True
            wire.wake()
        await asyncio.wait_for(running, 10)
        assert sink.written.startswith(OPENED)
        assert len(echo.codes) == 1

    asyncio.run(run())


def test_more_garbage_than_that() -> None:
    """Random octets after a handshake, as a fuzzer without a guide would send them."""

    async def run() -> None:
        async with serving() as (echo, listener, port):
            for _ in range(100):
                reader, writer = await opened(port)
                writer.write(os.urandom(300))
                writer.write_eof()
                await asyncio.wait_for(reader.read(), 10)
                writer.close()
        assert not listener.conversations
        assert len(echo.codes) == 100

    asyncio.run(run())
