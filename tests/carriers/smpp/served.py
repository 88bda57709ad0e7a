"""A platform whose SMPP server listens, an account of it, and a carrier of it that is up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chappe.protocols.smpp.codes import Command, Status
from chappe.services.accounts import NewAccount
from chappe.services.ports import MessageCarrier
from tests.peers.esme import Esme, an_esme, bind
from tests.platform import World


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
