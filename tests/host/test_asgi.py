"""Streamed answers of the pages: in chunks, to old clients, to clients that leave or do not read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chappe.host.listener import Listener


class Ticker:
    """Streams `tick` until the client is gone, or three times under `/three`; fails half-way at `/broken`."""

    def __init__(self) -> None:
        self.is_gone = asyncio.Event()
        self.sent = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/three":
            for _ in range(3):
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        leaving = asyncio.create_task(receive())
        while not leaving.done():
            body = b"tick" * (10_000 if scope["path"] == "/much" else 1)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self.sent += len(body)
            await asyncio.sleep(0)
            if scope["path"] == "/broken":
                leaving.cancel()
                raise RuntimeError("on purpose")
        assert leaving.result()["type"] == "http.disconnect"
        self.is_gone.set()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Ticker, int]]:
    ticker = Ticker()
    listener = Listener(ticker, drain_seconds=1)
    listening = socket.create_server(("127.0.0.1", 0))
    await listener.open([listening])
    try:
        yield ticker, listening.getsockname()[1]
    finally:
        await listener.drain()


async def asked(port: int, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    return reader, writer


async def test_a_stream_goes_in_chunks_and_the_connection_on() -> None:
    async with serving() as (_, port):
        reader, writer = await asked(port, b"GET /three HTTP/1.1\r\n\r\nGET /three HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
    first, _, second = answer.partition(b"0\r\n\r\n")
    assert b"\r\ntransfer-encoding: chunked\r\n" in first
    assert first.endswith(b"\r\n\r\n" + b"4\r\ntick\r\n" * 3)
    assert b"chunked" not in second
    assert b"\r\nconnection: close\r\n" in second
    assert second.endswith(b"\r\n\r\ntickticktick")


async def test_a_stream_learns_that_its_client_has_left() -> None:
    async with serving() as (ticker, port):
        reader, writer = await asked(port, b"GET / HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"tick")
        writer.transport.abort()
        await asyncio.wait_for(ticker.is_gone.wait(), 10)


async def test_a_stream_waits_for_a_client_that_does_not_read() -> None:
    async with serving() as (ticker, port):
        _, writer = await asked(port, b"GET /much HTTP/1.1\r\n\r\n")
        before = -1
        while before != ticker.sent or not before:
            before = ticker.sent
            for _ in range(500):
                await asyncio.sleep(0)
        assert ticker.sent < 50_000_000
        writer.transport.abort()
        await asyncio.wait_for(ticker.is_gone.wait(), 10)


async def test_a_stream_that_breaks_is_cut_so_that_nobody_takes_it_for_whole() -> None:
    async with serving() as (_, port):
        reader, writer = await asked(port, b"GET /broken HTTP/1.1\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert not answer.endswith(b"0\r\n\r\n")
