"""Answers in one piece: the same listener, without ASGI; and whatever bytes come, in whatever pieces."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.host.asking import Quick
from chappe.host.conversation import Limits
from chappe.host.listener import Listener
from chappe.protocols.http import HttpRequest, HttpResponse
from tests.host.test_listener import CLOSE, GARBAGE, Application, Served, split, status


class Desk:
    """Answers with target and body; keeps what it was asked. `/slow` waits for `go`, `/broken` fails."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.go = asyncio.Event()

    async def answer(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        if request.path == "/slow":
            await self.go.wait()
        if request.path == "/broken":
            raise RuntimeError("on purpose")
        if request.path == "/split":
            return HttpResponse(200, b"", headers=(("x", "a\r\nb: c"),))
        if request.path == "/phrased":
            return HttpResponse(500, b"", reason="Come back later")
        return HttpResponse(200, request.target + b" " + request.body, headers=(("X-Own", "é"),))


@asynccontextmanager
async def serving(desk: Desk, **limits: float) -> AsyncIterator[Served]:
    quick = Quick(desk.answer, 1000, lambda: HttpResponse(413, b"too large"))
    app = Application()
    choose: Callable[[str], Quick | None] = lambda path: None if path.startswith("/page") else quick  # noqa: E731
    listener = Listener(app, choose, limits=Limits(**limits))  # type: ignore[arg-type]
    listening = socket.create_server(("127.0.0.1", 0))
    await listener.open([listening])
    try:
        yield Served(listening.getsockname()[1], app, listener)
    finally:
        app.go.set()
        desk.go.set()
        await listener.drain()


def bodies(answer: bytes) -> list[bytes]:
    return [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 ")[1:]]


async def test_a_request_becomes_a_value_and_the_answer_one_piece() -> None:
    desk = Desk()
    async with serving(desk) as served:
        answer = await served.exchange(
            b"POST /a%20b//c?x=%E9&y HTTP/1.1\r\nX: 1\r\nx: \xe9\r\nContent-Length: 3\r\n" + CLOSE + b"xyz"
        )
    headers, body = split(answer)
    assert (status(answer), body) == (b"HTTP/1.1 200 OK", b"/a%20b//c?x=%E9&y xyz")
    assert (headers["content-length"], headers["connection"]) == ("21", "close")
    assert sorted(headers) == ["connection", "content-length", "content-type", "date", "x-own"]
    request = desk.requests[0]
    assert (request.method, request.path, request.query) == ("POST", "/a b//c", b"x=%E9&y")
    assert request.headers == {"x": "1, é", "content-length": "3", "host": "x", "connection": "close"}
    assert (request.host, request.peer, request.http_version) == ("x", "127.0.0.1", "1.1")


async def test_pages_and_quick_answers_keep_their_order_on_one_connection() -> None:
    desk = Desk()
    desk.go.set()
    async with serving(desk) as served:
        requests = [b"GET /%b%d HTTP/1.1\r\n\r\n" % (b"page" if n % 3 else b"slow", n) for n in range(60)]
        answer = await served.exchange(b"".join(requests) + b"GET /end HTTP/1.1\r\n" + CLOSE)
    paths = [body.split(b" ")[0].rstrip(b"?") for body in bodies(answer)]
    assert paths == [*(b"/%b%d" % (b"page" if n % 3 else b"slow", n) for n in range(60)), b"/end"]


@pytest.mark.parametrize("framing", [b"Content-Length: 1001\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_a_body_over_the_limit_is_refused_by_the_face_it_was_for(framing: bytes) -> None:
    desk = Desk()
    async with serving(desk) as served:
        chunk = b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n" if b"chunked" in framing else b""
        answer = await served.exchange(
            b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\n" + framing + b"\r\n" + chunk
        )
    assert answer.endswith(b"too large")
    assert b"HTTP/1.1 413 " in answer
    assert desk.requests == []


async def test_a_go_ahead_an_old_client_and_a_question_about_the_head() -> None:
    async with serving(Desk()) as served:
        reader, writer = await served.connect()
        writer.write(b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" + CLOSE)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"xyz")
        assert (await reader.read()).endswith(b"/a xyz")
        writer.close()
        old = await served.exchange(b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (split(old)[0]["connection"], split(old)[1]) == ("close", b"/old ")
        head = await served.exchange(b"HEAD /a HTTP/1.1\r\n" + CLOSE)
        assert (split(head)[0]["content-length"], split(head)[1]) == ("3", b"")


@pytest.mark.parametrize("path", [b"/broken", b"/split"])
async def test_what_fails_is_a_500_and_closes(path: bytes) -> None:
    async with serving(Desk()) as served:
        answer = await served.exchange(b"GET " + path + b" HTTP/1.1\r\n\r\n")
    assert status(answer) == b"HTTP/1.1 500 Internal Server Error"
    assert b"b: c" not in answer


async def test_a_reason_phrase_of_its_own() -> None:
    async with serving(Desk()) as served:
        answer = await served.exchange(b"GET /phrased HTTP/1.1\r\n" + CLOSE)
    assert status(answer) == b"HTTP/1.1 500 Come back later"


@pytest.mark.parametrize(
    "smuggled",
    [
        *GARBAGE,
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX : a\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nxyz",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
    ],
)
async def test_what_two_readers_could_read_differently_is_refused(smuggled: bytes) -> None:
    desk = Desk()
    async with serving(desk) as served:
        answer = await served.exchange(smuggled + b"GET /smuggled HTTP/1.1\r\n\r\n")
    assert status(answer) == b"HTTP/1.1 400 Bad Request"
    assert answer.count(b"HTTP/1.1 ") == 1
    assert desk.requests == []


async def test_a_stopping_server_finishes_what_it_answers() -> None:
    desk = Desk()
    async with serving(desk) as served:
        answer = asyncio.create_task(served.exchange(b"GET /slow HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"))
        while not desk.requests:  # noqa: ASYNC110 - nothing rings here
            await asyncio.sleep(0)
        stopping = asyncio.create_task(served.listener.drain())
        await asyncio.sleep(0)
        desk.go.set()
        assert bodies(await answer) == [b"/slow ", b"/b "]
        await stopping
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await served.connect()


async def test_a_paused_listener_reads_nothing_until_it_goes_on() -> None:
    desk = Desk()
    async with serving(desk, request_seconds=0.05, keep_alive_seconds=0.05) as served:
        first, writer = await served.connect()
        writer.write(b"GET /a HTTP/1.1\r\n\r\n")
        await first.readuntil(b"/a ")
        served.listener.pause()
        writer.write(b"GET /b HTTP/1.1\r\n" + CLOSE)
        late = asyncio.create_task(served.exchange(b"GET /c HTTP/1.1\r\n" + CLOSE))
        while len(served.listener.conversations) < 2:  # noqa: ASYNC110 - nothing rings here
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(desk.requests) == 1
        served.listener.resume()
        assert (await first.read()).endswith(b"/b ")
        assert (await late).endswith(b"/c ")
        writer.close()


async def test_a_client_that_does_not_read_its_answers_is_not_read_from() -> None:
    desk = Desk()
    async with serving(desk) as served:
        _, writer = await served.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        request = b"POST /a HTTP/1.1\r\nContent-Length: 900\r\n\r\n" + b"x" * 900
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                for _ in range(40):
                    writer.write(request * 1000)
                    await writer.drain()
        assert len(desk.requests) < 40_000
        writer.transport.abort()


# Whatever comes

PIECES = [
    b"GET /a HTTP/1.1\r\n\r\n",
    b"POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz",
    b"POST /page HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n",
    b"POST /c HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
    b"GET /\xe9 HTTP/1.1\r\n\r\n",
]


class Pipe(asyncio.Transport):
    """Collects what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        assert not self.closed
        self.sent += data

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("127.0.0.1", 1)


async def fed(parts: list[bytes]) -> Pipe:
    """What a connection sends when it gets these bytes."""
    from chappe.host.conversation import Conversation

    desk = Desk()
    quick = Quick(desk.answer, 1000, lambda: HttpResponse(413, b"too large"))
    app = Application()
    listener = Listener(app, lambda path: None if path.startswith("/page") else quick)
    conversation, pipe = Conversation(asyncio.get_running_loop(), listener), Pipe()
    conversation.connection_made(pipe)
    for part in parts:
        conversation.data_received(part)
    app.go.set()
    desk.go.set()
    for _ in range(30):
        await asyncio.sleep(0)
        if listener.tasks:
            await asyncio.wait(listener.tasks, timeout=0.001)
    conversation.connection_lost(None)
    if listener.tasks:
        await asyncio.wait(listener.tasks)
    return pipe


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False) if a < b]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.lists(st.integers(0, 2000), max_size=8))
def test_pieces_of_any_size_make_the_same_answers_in_the_same_order(
    requests: list[bytes], places: list[int]
) -> None:
    whole = b"".join(requests)
    pipe = asyncio.run(fed(cut(whole, places)))
    seen = [body.split(b" ")[0].split(b"?")[0] for body in bodies(pipe.sent)]
    expected = [request.split()[1].replace(b"\xe9", b"%E9") for request in requests]
    # A raw letter in the URL of a request that stands in one read with another before it is refused.
    assert seen == expected[: len(seen)] or b"This" in seen
    assert len(seen) == len(expected) or b"400 Bad Request" in pipe.sent


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(PIECES) | st.sampled_from(GARBAGE) | st.binary(max_size=60), max_size=5),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), max_size=4),
    st.lists(st.integers(0, 2000), max_size=6),
)
def test_whatever_comes_is_answered_or_closed(
    requests: list[bytes], spoilt: list[tuple[int, bytes]], places: list[int]
) -> None:
    data = b"".join(requests)
    for place, noise in spoilt:
        place %= len(data) + 1
        data = data[:place] + noise + data[place + len(noise) :]
    pipe = asyncio.run(fed(cut(data, places)))
    assert pipe.sent == b"" or pipe.sent.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 500" not in pipe.sent
    if b"HTTP/1.1 400" in pipe.sent:
        assert pipe.closed
