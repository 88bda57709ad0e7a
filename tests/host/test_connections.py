"""Connections to customers' servers: kept, bounded, shared out, and given up."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from chappe.host.connections import Connection, Limits
from chappe.host.errors import TargetFailed
from chappe.host.http import GuardedClient
from chappe.host.pool import Key, Pool
from chappe.model.outgoing import Outgoing

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class Shop:
    """A customer's server: for each request it does what `answers` says at its turn, the last one for ever.

    Bytes are written; HANG_UP ends the connection; HOLD waits for `open`.
    """

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or 0)))
                self.asked.set()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer == HOLD:
                    await self.gate.wait()
                    answer = OK
                if answer == HANG_UP:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


HOLD, HANG_UP = b"hold", b"hang up"


@asynccontextmanager
async def shop(
    *answers: bytes, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Shop]:
    one = Shop(answers or (OK,))
    server = await asyncio.start_server(one.talk, host, port, ssl=tls)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        one.gate.set()
        for writer in one.writers:
            writer.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def client(**settings: object) -> AsyncIterator[GuardedClient]:
    one = GuardedClient(allow=LOOPBACK, **settings)  # type: ignore[arg-type]
    try:
        yield one
    finally:
        await one.close()


async def until(truth: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not truth():  # noqa: ASYNC110 - nothing rings here
            await asyncio.sleep(0)


# What goes out


async def test_a_request_is_one_write_with_our_headers_first() -> None:
    async with shop() as one, client() as guarded:
        await guarded.send(Outgoing("POST", f"{one.url}50%?a=%s", {"webhook-id": "é%d"}, b"body"))
        await guarded.send(Outgoing("POST", one.url))
        await guarded.send(Outgoing("GET", one.url, {"accept": "text/plain", "USER-AGENT": "Old/1"}))
    ours = f"Host: 127.0.0.1:{one.port}\r\nUser-Agent: Chappe\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
    assert one.requests[0].decode() == (
        f"POST /50%?a=%s HTTP/1.1\r\n{ours}webhook-id: é%d\r\nContent-Length: 4\r\n\r\nbody"
    )
    assert one.requests[1].decode() == f"POST / HTTP/1.1\r\n{ours}Content-Length: 0\r\n\r\n"
    assert one.requests[2].decode() == (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{one.port}\r\nAccept-Encoding: identity\r\n"
        "accept: text/plain\r\nUSER-AGENT: Old/1\r\n\r\n"
    )


# What comes back


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nx: y\r\n\r\n",
            b"ok",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
    ],
)
async def test_an_answer_that_ends_by_itself_leaves_the_connection_to_the_next(
    text: bytes, body: bytes
) -> None:
    async with shop(text) as one, client() as guarded:
        answers = [await guarded.send(Outgoing("GET", one.url)) for _ in range(3)]
    assert [(answer.body, "x" in answer.headers, "link" in answer.headers) for answer in answers] == [
        (body, False, False)
    ] * 3
    assert one.connections == 1


async def test_an_answer_without_length_ends_with_the_connection() -> None:
    async with client() as guarded:

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\nto the ")
            await writer.drain()
            writer.write(b"end")
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            got = await guarded.send(Outgoing("GET", url))
    assert (got.status, got.headers, got.body) == (200, {"x": "1"}, b"to the end")


async def test_an_answer_to_head_has_no_body_whatever_its_length_says() -> None:
    async with shop(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n") as one, client() as guarded:
        got = await guarded.send(Outgoing("HEAD", one.url))
    assert (got.body, got.headers) == (b"", {"content-length": "500"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HANG_UP, "hung up without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "is not HTTP|hung up in the middle"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "is not HTTP",
        ),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 4000, "too large"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000, "too large"),
        (
            b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000 + b"\r\nContent-Length: 2\r\n\r\nok",
            "is not HTTP|too large",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + b"y" * 20_000, "too large"),
    ],
)
async def test_what_is_no_whole_answer_is_a_temporary_failure(text: bytes, complaint: str) -> None:
    async with shop(text, HANG_UP) as one, client() as guarded:
        sent = asyncio.create_task(guarded.send(Outgoing("GET", one.url)))
        await one.asked.wait()
        if text.endswith(b"Content-Le"):
            one.writers[0].close()
        with pytest.raises(TargetFailed, match=complaint):
            await sent
    assert len(one.requests) == 1


async def test_a_second_answer_that_nobody_asked_for_is_never_taken_for_the_next() -> None:
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    async with shop(OK + forged, OK) as one, client() as guarded:
        assert [(await guarded.send(Outgoing("GET", one.url))).body for _ in range(2)] == [b"ok", b"ok"]
        assert one.connections == 2
        one.writers[1].write(forged)
        await until(lambda: not guarded._pool._idle)
        assert (await guarded.send(Outgoing("GET", one.url))).body == b"ok"


# Kept connections


async def test_a_request_on_a_connection_that_was_closed_meanwhile_is_sent_again_once() -> None:
    async with shop(OK, HANG_UP, OK) as one, client() as guarded:
        for body in (b"1", b"2"):
            assert (await guarded.send(Outgoing("POST", one.url, {}, body))).status == 200
    assert [request[-1:] for request in one.requests] == [b"1", b"2", b"2"]
    assert one.connections == 2


async def test_a_request_is_not_sent_a_third_time() -> None:
    async with shop(OK, HANG_UP) as one, client() as guarded:
        await guarded.send(Outgoing("POST", one.url))
        with pytest.raises(TargetFailed, match="hung up without an answer"):
            await guarded.send(Outgoing("POST", one.url))
    assert len(one.requests) == 3


async def test_a_request_of_which_an_answer_has_begun_is_not_sent_again() -> None:
    async with shop(OK, b"HTTP/1.1 200 OK\r\n") as one, client() as guarded:
        await guarded.send(Outgoing("POST", one.url))
        sent = asyncio.create_task(guarded.send(Outgoing("POST", one.url)))
        await until(lambda: len(one.requests) == 2)
        one.writers[0].close()
        with pytest.raises(TargetFailed, match="in the middle of its answer"):
            await sent
    assert len(one.requests) == 2


async def test_a_request_that_ran_out_of_time_is_not_sent_again() -> None:
    async with shop(OK, HOLD) as one, client(total_seconds=0.05) as guarded:
        await guarded.send(Outgoing("POST", one.url))
        with pytest.raises(TargetFailed, match="did not answer within"):
            await guarded.send(Outgoing("POST", one.url))
    assert len(one.requests) == 2


async def test_a_connection_that_says_close_is_not_kept() -> None:
    close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    async with shop(close) as one, client() as guarded:
        for _ in range(2):
            await guarded.send(Outgoing("GET", one.url))
    assert one.connections == 2


async def test_a_request_that_is_given_up_takes_its_connection_along() -> None:
    async with shop(HOLD, OK) as one, client() as guarded:
        sent = asyncio.create_task(guarded.send(Outgoing("GET", one.url)))
        await one.asked.wait()
        sent.cancel()
        await asyncio.wait([sent])
        assert (await guarded.send(Outgoing("GET", one.url))).body == b"ok"
    assert one.connections == 2


# Sharing


async def test_requests_to_one_server_wait_for_its_connections_in_order() -> None:
    async with shop(HOLD, HOLD, OK) as one, client(connections_per_host=2) as guarded:
        sent = [asyncio.create_task(guarded.send(Outgoing("GET", f"{one.url}{n}"))) for n in range(6)]
        await until(lambda: len(one.requests) == 2)
        sent[2].cancel()
        one.gate.set()
        await asyncio.wait(sent)
    paths = [request.split()[1] for request in one.requests]
    assert (sorted(paths[:2]), paths[2:]) == ([b"/0", b"/1"], [b"/3", b"/4", b"/5"])
    assert one.connections == 2


async def test_slow_servers_together_leave_connections_to_the_others() -> None:
    """Six slow servers have work for eight of twelve connections each; the seventh still answers at once."""
    async with AsyncExitStack() as stack:
        guarded = await stack.enter_async_context(client(connections=12, connections_per_host=8))
        slow = [await stack.enter_async_context(shop(HOLD, host=f"127.0.0.{n}")) for n in range(2, 8)]
        sent = [
            asyncio.create_task(guarded.send(Outgoing("GET", f"http://127.0.0.{n}:{one.port}/")))
            for n, one in enumerate(slow, start=2)
            for _ in range(8)
        ]
        await until(lambda: all(one.requests for one in slow))
        quick = await stack.enter_async_context(shop())
        assert (await guarded.send(Outgoing("GET", quick.url))).body == b"ok"
        assert sum(len(one.requests) for one in slow) <= 11
        for one in slow:
            one.gate.set()
        assert [answer.status for answer in await asyncio.gather(*sent)] == [200] * 48
    assert sum(one.connections for one in slow) >= 6
    assert guarded._pool._open == 0


async def test_an_idle_connection_makes_room_for_another_server() -> None:
    async with client(connections=2) as guarded, shop(host="127.0.0.2") as first, shop() as second:
        for _ in range(3):
            await guarded.send(Outgoing("GET", f"http://127.0.0.2:{first.port}/"))
            await guarded.send(Outgoing("GET", second.url))
        async with shop(host="127.0.0.3") as third:
            assert (await guarded.send(Outgoing("GET", f"http://127.0.0.3:{third.port}/"))).status == 200
            assert guarded._pool._open <= 2


async def test_one_look_up_serves_all_who_wait_for_it() -> None:
    names: list[str] = []
    found = asyncio.Event()

    async def resolve(name: str, port: int) -> Sequence[str]:
        names.append(name)
        await found.wait()
        return ["127.0.0.1"]

    async with shop() as one, client(resolve=resolve) as guarded:
        url = f"http://shop.example:{one.port}/"
        sent = [asyncio.create_task(guarded.send(Outgoing("GET", url))) for _ in range(5)]
        await until(lambda: bool(names))
        sent[0].cancel()
        found.set()
        await asyncio.wait(sent)
        assert [task.result().status for task in sent[1:]] == [200] * 4
    assert names == ["shop.example"]


async def test_the_next_address_of_a_name_is_tried_when_one_refuses() -> None:
    async def resolve(name: str, port: int) -> Sequence[str]:
        return ["127.0.0.9", "127.0.0.1"]

    async with shop() as one, client(resolve=resolve) as guarded:
        got = await guarded.send(Outgoing("GET", f"http://shop.example:{one.port}/"))
    assert got.status == 200


async def test_after_many_failures_nothing_is_held() -> None:
    async with client(connections=4, connections_per_host=2, total_seconds=0.05) as guarded:
        async with shop(HOLD, HANG_UP, b"garbage\r\n\r\n", HOLD) as one:
            sent = [guarded.send(Outgoing("GET", one.url)) for _ in range(12)]
            results = await asyncio.gather(*sent, return_exceptions=True)
            refused = [guarded.send(Outgoing("GET", "http://127.0.0.1:1/")) for _ in range(12)]
            results += await asyncio.gather(*refused, return_exceptions=True)
        assert all(isinstance(result, TargetFailed) for result in results)
        pool = guarded._pool
        assert (pool._open, pool._places, pool._place_of, pool._hungry) == (0, {}, {}, {})


async def test_who_waits_for_a_turn_waits_until_his_time_and_may_leave_at_it() -> None:
    async def opened(key: Key) -> Connection:
        return Connection(asyncio.get_running_loop(), pool, Limits(10, 10))

    pool, key = Pool(opened, 4, 1), ("http", "192.0.2.1", 80)
    now = asyncio.get_running_loop().time()
    taken = await pool.take(key, now + 60)
    late, gone, patient = [asyncio.create_task(pool.take(key, now + wait)) for wait in (0, 0, 60)]
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(now, gone.cancel)  # after the pool's own look at the clock
    with pytest.raises(TimeoutError):
        await late
    with pytest.raises(asyncio.CancelledError):
        await gone
    pool.give_back(taken)
    assert await patient is taken
    pool.forget(taken)
    assert (pool._open, pool._places, pool._place_of, pool._hungry) == (0, {}, {}, {})


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of shop.example and 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=shop "
        f"-addext subjectAltName=DNS:shop.example,IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return certificate, key


def serving(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def by_table(name: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize("host", ["shop.example", "shop.example.", "127.0.0.1"])
async def test_a_certificate_that_holds_is_taken_and_the_connection_kept(
    certificate: tuple[Path, Path], host: str
) -> None:
    trusted = ssl.create_default_context(cafile=certificate[0])
    async with shop(tls=serving(certificate)) as one, client(resolve=by_table, tls=trusted) as guarded:
        for _ in range(2):
            got = await guarded.send(Outgoing("POST", f"https://{host}:{one.port}/", {}, b"x" * 100_000))
            assert got.body == b"ok"
    assert one.connections == 1


@pytest.mark.parametrize(
    ("host", "is_trusted", "complaint"),
    [("shop.example", False, "self-signed certificate"), ("other.example", True, "Hostname mismatch")],
)
async def test_a_certificate_that_does_not_hold_is_refused_before_a_byte_is_sent(
    certificate: tuple[Path, Path], host: str, is_trusted: bool, complaint: str
) -> None:
    trusted = ssl.create_default_context(cafile=certificate[0]) if is_trusted else None
    async with shop(tls=serving(certificate)) as one, client(resolve=by_table, tls=trusted) as guarded:
        with pytest.raises(TargetFailed, match=f"has no valid certificate: {complaint}"):
            await guarded.send(Outgoing("GET", f"https://{host}:{one.port}/"))
    assert one.requests == []
