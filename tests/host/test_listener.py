"""The HTTP listener on a raw socket: old clients, hostile clients, and the order of answers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chappe.host.conversation import Limits
from chappe.host.listener import Listener


class Application:
    """Answers with the path and the body it read; keeps what it saw. `/slow` waits for `go`."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.messages: list[str] = []
        self.started = asyncio.Event()
        self.ended = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.started.set()
        if scope["path"] == "/slow":
            await self.go.wait()
        body = b""
        while scope["path"] != "/early":
            message = await receive()
            self.messages.append(message["type"])
            if message["type"] == "http.disconnect":
                self.ended.set()
                return
            body += message["body"]
            if not message["more_body"]:
                break
        text = scope["raw_path"] + b"?" + scope["query_string"] + b" " + body
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        if scope["path"] == "/phrased":
            start |= {"status": 500, "reason": b"Come back later"}
        await send(start)
        await send({"type": "http.response.body", "body": text})
        self.ended.set()


class Served:
    """A running listener and what a client can do with it."""

    def __init__(self, port: int, app: Application, listener: Listener) -> None:
        self.port = port
        self.app = app
        self.listener = listener

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, *parts: bytes) -> bytes:
        """Send the parts, then read until the server closes."""
        reader, writer = await self.connect()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


@asynccontextmanager
async def serving(**limits: float) -> AsyncIterator[Served]:
    app = Application()
    listener = Listener(app, limits=Limits(**limits))  # type: ignore[arg-type]
    listening = socket.create_server(("127.0.0.1", 0))
    await listener.open([listening])
    try:
        yield Served(listening.getsockname()[1], app, listener)
    finally:
        app.go.set()
        await listener.drain()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as one:
        yield one


def status(answer: bytes) -> bytes:
    return answer.split(b"\r\n", 1)[0]


def split(answer: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line.decode("latin-1").partition(": ") for line in head.split(b"\r\n")[1:]]
    return {name.lower(): value for name, _, value in lines}, body


CLOSE = b"Host: x\r\nConnection: close\r\n\r\n"


# Old clients


async def test_an_answer_may_have_a_reason_phrase_of_its_own() -> None:
    async with serving() as served:
        got = await served.exchange(
            b"GET /phrased HTTP/1.1\r\nHost: a\r\n\r\n"
            b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
    assert got.startswith(b"HTTP/1.1 500 Come back later\r\n")
    assert b"HTTP/1.1 200 OK\r\n" in got


async def test_an_http_1_0_client_gets_length_and_end_of_stream_without_chunks(served: Served) -> None:
    answer = await served.exchange(b"GET /a?b=c HTTP/1.0\r\n\r\n")
    headers, body = split(answer)
    assert status(answer) == b"HTTP/1.1 200 OK"
    assert body == b"/a?b=c "
    assert (headers["content-length"], headers["connection"]) == ("7", "close")
    assert "transfer-encoding" not in headers
    assert served.app.scopes[0]["http_version"] == "1.0"


async def test_an_http_1_0_client_that_asks_for_keep_alive_is_told_that_there_is_none(served: Served) -> None:
    answer = await served.exchange(
        b"POST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nxyz"
    )
    headers, body = split(answer)
    assert (headers["connection"], body) == ("close", b"/a? xyz")


async def test_an_answer_names_its_date_and_no_server(served: Served) -> None:
    headers, _ = split(await served.exchange(b"GET / HTTP/1.1\r\n" + CLOSE))
    assert sorted(headers) == ["connection", "content-length", "content-type", "date"]


async def test_letters_of_an_old_charset_in_a_url_reach_the_application_percent_encoded(
    served: Served,
) -> None:
    reader, writer = await served.connect()
    writer.write(b"GET /a?text=\xe9t\xe9&b=%E9+%u20AC HTTP/1.1\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"%u20AC "), 10)
    for part in (b"\r\nPOST /b?\xc3", b"x" * 5000 + b"\xa9 HTTP/1.1\r\nContent-Length: 2\r\nX: \xe9\r\n"):
        writer.write(part)
        await writer.drain()
    writer.write(CLOSE + b"\xe9\xe8")
    assert (await asyncio.wait_for(reader.read(), 10)).endswith(b"\xe9\xe8")
    writer.close()
    assert (b"x", b"\xe9") in served.app.scopes[1]["headers"]
    assert [scope["query_string"] for scope in served.app.scopes] == [
        b"text=%E9t%E9&b=%E9+%u20AC",
        b"%C3" + b"x" * 5000 + b"%A9",
    ]


async def test_a_client_that_expects_a_go_ahead_gets_it_before_it_sends_the_body(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" + CLOSE)
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"xyz")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert (status(answer), split(answer)[1]) == (b"HTTP/1.1 200 OK", b"/a? xyz")


async def test_an_http_1_0_client_gets_no_interim_answer_that_it_would_not_understand(served: Served) -> None:
    answer = await served.exchange(
        b"POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", b"xyz"
    )
    assert status(answer) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 3\r\n", b"xyz"),
        (b"Content-Length: 0\r\n", b""),
        (b"Transfer-Encoding: chunked\r\n", b"2\r\nxy\r\n1\r\nz\r\n0\r\n\r\n"),
        (b"", b""),
    ],
)
async def test_an_offer_of_another_protocol_is_passed_over_and_the_connection_goes_on(
    served: Served, framing: bytes, body: bytes
) -> None:
    # What Java's HTTP client sends first; the last request stands in the same read.
    offer = b"Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAA\r\n"
    first = b"POST /one HTTP/1.1\r\n" + offer + framing + b"\r\n" + body
    answer = await served.exchange(
        *(first[n : n + 1] for n in range(len(first))),
        b"GET /two HTTP/1.1\r\n" + offer + b"\r\n" + first + b"GET /three HTTP/1.1\r\n" + CLOSE,
    )
    seen = b"xyz" if body else b""
    bodies = [part.split(b"\r\n\r\n")[1] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"/one? " + seen, b"/two? ", b"/one? " + seen, b"/three? "]
    assert [name for name, _ in served.app.scopes[0]["headers"]].count(b"host") == 1


async def test_a_websocket_is_not_offered(served: Served) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    answer = await served.exchange(b"GET /a HTTP/1.1\r\n" + upgrade + b"\r\nGET /b HTTP/1.1\r\n" + CLOSE)
    assert answer.count(b"HTTP/1.1 200 OK") == 2


# Order


async def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    requests = [f"GET /slow?{n} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for n in range(20)]
    served.app.go.set()
    answer = await served.exchange(
        b"".join(requests) + b"POST /last HTTP/1.1\r\nContent-Length: 1\r\n" + CLOSE, b"x"
    )
    bodies = [part.split(b"\r\n\r\n")[1] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [*(f"/slow?{n} ".encode() for n in range(20)), b"/last? x"]


@pytest.mark.parametrize(
    ("second", "line"),
    [
        (b"\0\x01\x02 garbage\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 400 Bad Request"),
        (
            b"GET /b HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n",
            b"HTTP/1.1 431 Request Header Fields Too Large",
        ),
    ],
)
async def test_a_refusal_waits_until_the_requests_before_it_are_answered(
    served: Served, second: bytes, line: bytes
) -> None:
    exchange = asyncio.create_task(
        served.exchange(b"GET /slow HTTP/1.1\r\n\r\n" + second + b"GET /c HTTP/1.1\r\n\r\n")
    )
    await served.app.started.wait()
    served.app.go.set()
    answer = await exchange
    first, _, rest = answer.partition(b"/slow? ")
    assert (status(first), status(rest)) == (b"HTTP/1.1 200 OK", line)
    assert [scope["path"] for scope in served.app.scopes] == ["/slow"]


# Garbage

GARBAGE = [
    b"\r\n\r\nhello\r\n\r\n",
    b"\0" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 200,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / FTP/1.1\r\n\r\n",
    b"GET /a b c HTTP/1.1\r\n\r\n",
    b"GET http:// HTTP/1.1\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\n\r\n",
    b"NONSENSE / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\n: no name\r\n\r\n",
    b"GET / HTTP/1.1\r\na b: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyzzy\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_gets_a_400_and_the_next_client_is_served(served: Served, garbage: bytes) -> None:
    answer = await served.exchange(garbage)
    headers, body = split(answer)
    assert status(answer) == b"HTTP/1.1 400 Bad Request"
    assert (headers["connection"], body) == ("close", b"This is not an HTTP request.")
    assert "http.request" not in served.app.messages
    assert status(await served.exchange(b"GET / HTTP/1.1\r\n" + CLOSE)) == b"HTTP/1.1 200 OK"


async def test_a_body_that_breaks_ends_the_request_for_the_application(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n")
    await served.app.started.wait()
    writer.write(b"garbage\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await served.app.ended.wait()
    assert status(answer) == b"HTTP/1.1 400 Bad Request"
    assert served.app.messages == ["http.request", "http.disconnect"]


# Size


async def test_a_head_of_the_permitted_size_is_served(served: Served) -> None:
    answer = await served.exchange(
        b"GET /?" + b"u" * 32000 + b" HTTP/1.1\r\nx: " + b"y" * 33000 + b"\r\n" + CLOSE
    )
    assert status(answer) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"GET /?" + b"u" * 65600 + b" HTTP/1.1\r\n\r\n", b"HTTP/1.1 414 "),
        (b"GET /?" + b"u" * 10_000_000, b"HTTP/1.1 414 "),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 65600 + b"\r\n\r\n", b"HTTP/1.1 431 "),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 10_000_000, b"HTTP/1.1 431 "),
        (b"GET / HTTP/1.1\r\n" + b"y" * 10_000_000, b"HTTP/1.1 431 "),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 101 + b"\r\n", b"HTTP/1.1 431 "),
        (b"GET / HTTP/1.1\r\n" + (b"x: " + b"y" * 1000 + b"\r\n") * 70 + b"\r\n", b"HTTP/1.1 431 "),
        (b"\r\n" * 5_000_000, b"HTTP/1.1 431 "),
    ],
)
async def test_a_head_over_the_limit_is_refused_and_never_seen(
    served: Served, head: bytes, line: bytes
) -> None:
    reader, writer = await served.connect()
    writer.write(head)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.transport.abort()
    assert answer.startswith(line)
    assert split(answer)[0]["connection"] == "close"
    assert served.app.scopes == []


async def test_the_size_of_a_head_is_counted_anew_for_each_request_of_a_connection(served: Served) -> None:
    head = b"GET /?" + b"u" * 40000 + b" HTTP/1.1\r\n"
    answer = await served.exchange(head + b"\r\n" + head + b"\r\n" + head + CLOSE)
    assert answer.count(b"HTTP/1.1 200 OK") == 3


async def test_a_large_body_is_no_large_head(served: Served) -> None:
    answer = await served.exchange(
        b"POST /a HTTP/1.1\r\nContent-Length: 1000000\r\n" + CLOSE, b"x" * 1_000_000
    )
    assert split(answer)[1] == b"/a? " + b"x" * 1_000_000


@pytest.mark.parametrize(
    "rest",
    [b"1;" + b"e" * 10_000_000, b"1\r\nx\r\n0\r\nx: " + b"y" * 10_000_000],
    ids=["chunk extension", "trailer"],
)
async def test_what_is_neither_head_nor_body_is_limited_too(served: Served, rest: bytes) -> None:
    reader, writer = await served.connect()
    writer.write(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.transport.abort()
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_a_trailer_does_not_become_a_header(served: Served) -> None:
    chunks = b"1\r\nx\r\n0\r\nAuthorization: Bearer y\r\n\r\n"
    answer = await served.exchange(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + CLOSE + chunks)
    assert split(answer)[1] == b"/a? x"
    assert [name for name, _ in served.app.scopes[0]["headers"]] == [
        b"transfer-encoding",
        b"host",
        b"connection",
    ]


# Time


@pytest.mark.parametrize(
    "half",
    [
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nxy",
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxy",
    ],
)
async def test_a_request_that_does_not_end_is_given_up(half: bytes) -> None:
    async with serving(request_seconds=0.05) as served:
        answer = await served.exchange(half)
        assert answer.startswith(b"HTTP/1.1 408 ")
        if served.app.scopes:
            await served.app.ended.wait()
            assert served.app.messages[-1] == "http.disconnect"


async def test_bytes_that_trickle_in_do_not_buy_time() -> None:
    async with serving(request_seconds=0.05) as served:
        reader, writer = await served.connect()
        ended = asyncio.create_task(reader.read())
        writer.write(b"GET / HTTP/1.1\r\n")
        while not ended.done():
            writer.write(b"x: y\r\n"[:1])
            await asyncio.wait([ended], timeout=0.005)
        writer.close()
        assert ended.result().startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("noise", [b"", b"\r\n"])
async def test_a_connection_without_a_request_is_closed_without_an_answer(noise: bytes) -> None:
    async with serving(request_seconds=0.05) as served:
        assert await served.exchange(noise) == b""


async def test_blank_lines_do_not_keep_an_idle_connection() -> None:
    async with serving(request_seconds=0.05) as served:
        reader, writer = await served.connect()
        writer.write(b"GET /a HTTP/1.1\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"/a? "), 10)
        writer.write(b"\r\n")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


async def test_a_slow_application_is_not_the_clients_fault() -> None:
    async with serving(request_seconds=0.05) as served:
        exchange = asyncio.create_task(served.exchange(b"GET /slow HTTP/1.1\r\n" + CLOSE))
        await served.app.started.wait()
        # A second client is given up meanwhile, so the limit has passed for the first one too.
        assert (await served.exchange(b"GET /b HTTP/1.1\r\n")).startswith(b"HTTP/1.1 408 ")
        served.app.go.set()
        assert status(await exchange) == b"HTTP/1.1 200 OK"


async def test_the_next_request_that_does_not_end_is_told_after_the_answer_of_the_first() -> None:
    async with serving(request_seconds=0.05) as served:
        exchange = asyncio.create_task(served.exchange(b"GET /slow HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n"))
        await served.app.started.wait()
        assert (await served.exchange(b"GET /c HTTP/1.1\r\n")).startswith(b"HTTP/1.1 408 ")
        served.app.go.set()
        first, _, rest = (await exchange).partition(b"/slow? ")
        assert status(first) == b"HTTP/1.1 200 OK"
        assert rest.startswith(b"HTTP/1.1 408 ")


async def test_an_answer_before_the_end_of_the_body_leaves_the_connection_usable(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"POST /early HTTP/1.1\r\nContent-Length: 5\r\n\r\nxy")
    assert (await asyncio.wait_for(reader.readuntil(b"/early? "), 10)).startswith(b"HTTP/1.1 200 OK")
    writer.write(b"xyzGET /next HTTP/1.1\r\n" + CLOSE)
    assert (await asyncio.wait_for(reader.read(), 10)).endswith(b"/next? ")
    writer.close()


async def test_an_application_waiting_for_a_body_learns_that_the_client_is_gone(served: Served) -> None:
    _, writer = await served.connect()
    writer.write(b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nxyz")
    await served.app.started.wait()
    writer.transport.abort()
    await served.app.ended.wait()
    assert served.app.messages[-1] == "http.disconnect"


@pytest.mark.parametrize("half", [b"GET /half", b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nabc"])
async def test_a_stopping_server_does_not_wait_for_the_rest_of_a_request(half: bytes) -> None:
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(b"GET /first HTTP/1.1\r\n\r\n" + half)
        await reader.readuntil(b"/first? ")
        while not any(one._in_message for one in served.listener.conversations):  # noqa: ASYNC110 - nothing rings here
            await asyncio.sleep(0)
        for conversation in list(served.listener.conversations):
            conversation.shut()
        assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 503 ")
        writer.close()
