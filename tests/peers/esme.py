"""A customer's SMPP client that a test plays: one unit after another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from chappe.protocols.smpp.bodies import Body, Empty, Login, Named, ShortMessage
from chappe.protocols.smpp.codes import RESPONSE, Command
from chappe.protocols.smpp.pdus import Pdu, decode, encode


class Esme:
    """One connection. Units that ask come in order; `answer` acknowledges them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Pdu]] = {}
        self.asked: asyncio.Queue[Pdu] = asyncio.Queue()
        self._task = asyncio.create_task(self._read())

    def send(self, command: Command, body: Body) -> "asyncio.Future[Pdu]":
        """Ask something; the answer comes later."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._writer.write(encode(Pdu(command, number, body)))
        return self._answers[number]

    async def ask(self, command: Command, body: Body | None = None) -> Pdu:
        """Ask something and wait for the answer."""
        async with asyncio.timeout(20):
            return await self.send(command, body or Empty())

    async def next(self) -> Pdu:
        """What the network asks next."""
        async with asyncio.timeout(20):
            return await self.asked.get()

    def answer(self, asked: Pdu, status: int = 0) -> None:
        """Acknowledge it, or refuse it."""
        command = Command(asked.command | RESPONSE)
        self._writer.write(encode(Pdu(command, asked.sequence, Named(), status)))

    async def delivered(self) -> ShortMessage:
        """The next deliver_sm, acknowledged."""
        asked = await self.next()
        assert asked.command is Command.DELIVER_SM and isinstance(asked.body, ShortMessage)
        self.answer(asked)
        return asked.body

    async def closed(self) -> None:
        """Until the other side ends the connection."""
        async with asyncio.timeout(20):
            await self._task

    def close(self) -> None:
        """Go away without a word."""
        self._task.cancel()
        self._writer.transport.abort()

    async def _read(self) -> None:
        while True:
            try:
                head = await self._reader.readexactly(4)
                pdu = decode(head + await self._reader.readexactly(int.from_bytes(head, "big") - 4))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if pdu.command & RESPONSE:
                if pdu.sequence in self._answers:  # not so for a generic_nack to garbage
                    self._answers.pop(pdu.sequence).set_result(pdu)
            else:
                self.asked.put_nowait(pdu)


@asynccontextmanager
async def an_esme(port: int) -> AsyncIterator[Esme]:
    """A connection to a server of ours, not bound yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    esme = Esme(reader, writer)
    try:
        yield esme
    finally:
        esme.close()


async def bind(esme: Esme, system_id: str, password: str, command: Command = Command.BIND_TRANSCEIVER) -> Pdu:
    """Bind, and what came of it."""
    return await esme.ask(command, Login(system_id, password))
