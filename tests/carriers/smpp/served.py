"""A platform whose SMPP server listens, an account of it, and a carrier of it that is up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chappe.carriers.smpp.texts import Part
from chappe.model.commands import ListMessages
from chappe.model.messages import MessageState
from chappe.protocols.smpp.bodies import ShortMessage
from chappe.protocols.smpp.codes import Command, Status
from chappe.protocols.smpp.fields import decode_tlvs
from chappe.services.accounts import NewAccount
from chappe.services.ports import MessageCarrier
from tests.peers.esme import Esme, an_esme, bind
from tests.platform import World

MOBILE = "33639980001"
OK = Status.ESME_ROK
LONG = "Où es-tu passé ? {1} € " * 14
UNICODE = "Prêt à être reçu 😀 " * 9


@dataclass
class Served:
    """A platform whose SMPP server listens, and an account of it."""

    world: World
    new: NewAccount
    port: int
    stack: AsyncExitStack

    @property
    def login(self) -> tuple[str, str]:
        secret = self.new.secrets["smpp"]
        return secret.login, secret.secret

    async def esme(self, command: Command = Command.BIND_TRANSCEIVER) -> Esme:
        """One more connection, bound."""
        esme = await self.stack.enter_async_context(an_esme(self.port))
        answer = await bind(esme, *self.login, command)
        assert answer.status == Status.ESME_ROK, answer
        return esme


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[int]:
    server = world.chappe.smpp_server
    assert server is not None
    task = asyncio.create_task(server.run())
    await server.ready.wait()
    try:
        yield server.port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def running(world: World, name: str = "net") -> AsyncIterator[MessageCarrier]:
    """A carrier of the platform, up."""
    (carrier,) = [one for one in world.chappe.carriers if one.name == name]
    with world.platform.topics.subscribe(f"carrier.{name}") as bell:
        task = asyncio.create_task(carrier.run())
        try:
            while not carrier.window:
                await bell.wait()
            yield carrier
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def submit(text: bytes = b"Bonjour", **changed: object) -> ShortMessage:
    """A message to the sandbox's mobile, receipt wanted."""
    plain = {
        "source_ton": 5,
        "source": "SHOP",
        "dest_ton": 1,
        "dest_npi": 1,
        "dest": MOBILE,
        "registered_delivery": 1,
        "short_message": text,
    }
    return ShortMessage(**(plain | changed))  # type: ignore[arg-type]


def of(part: Part) -> ShortMessage:
    """A part of a text as it is submitted."""
    tlvs = decode_tlvs(part.tlvs, 0, len(part.tlvs))
    return submit(part.octets, esm_class=part.esm_class, data_coding=part.data_coding, tlvs=tlvs)


async def messages_of(served: Served) -> list[tuple[str, str, MessageState]]:
    """Text, sender and state of all its messages, the oldest first."""
    found = await served.world.platform.store.queries.list_messages(
        served.new.account.id, ListMessages(limit=100)
    )
    return [(one.text, one.address, one.state) for one in reversed(found)]
