"""Servers in processes of their own on one PostgreSQL database, with one SMPP network behind them."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from chappe.bus.postgres import PostgresTopics
from chappe.model.commands import ListMessages
from chappe.model.messages import Message
from chappe.services.accounts import NewAccount
from tests.clients.running import ENVIRONMENT, Account, Server
from tests.peers.smsc import Smsc, an_smsc
from tests.platform import World, a_world

SETTINGS = """
[carriers.net]
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "me"
window = 50

[[routes]]
carrier = "net"
"""


@dataclass
class Node:
    """One server, and the account as its clients see it."""

    process: asyncio.subprocess.Process
    account: Account

    async def send(self, *texts: str) -> list[dict[str, Any]]:
        """Send texts in one request each, side by side; returns the answers."""
        body = {"to": ["+33612345678"], "receipt": True}
        requests = [("POST", "/v1/messages", body | {"text": text}) for text in texts]
        return await asyncio.gather(*(asyncio.to_thread(self.account.ask, *one) for one in requests))

    async def try_to_send(self, text: str) -> tuple[int, Any]:
        """Status and JSON of the answer, whatever it is."""
        return await asyncio.to_thread(self._try_to_send, text)

    def _try_to_send(self, text: str) -> tuple[int, Any]:
        server = self.account.server
        connection = HTTPConnection(server.host, server.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.account.rest_key}", "Content-Type": "application/json"}
        try:
            body = json.dumps({"to": ["+33612345678"], "text": text})
            connection.request("POST", "/v1/messages", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    async def signal(self, number: signal.Signals) -> None:
        """Send a signal; returns when a process that it ends has ended."""
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            await self.process.wait()


@dataclass
class Nodes:
    """The database, the network and the servers between them."""

    world: World
    new: NewAccount
    smsc: Smsc
    topics: PostgresTopics
    command: list[str]
    started: list[Node] = field(default_factory=list)

    async def start(self) -> Node:
        """One more server, that is ready."""
        process = await asyncio.create_subprocess_exec(
            *self.command, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode().split()
        assert line[:1] == ["ready"], line
        server = Server(Path(), int(line[1].rpartition(":")[2]))
        secret = self.new.secrets["rest"].secret
        node = Node(process, Account(server, secret, "", "", ""))
        self.started.append(node)
        return node

    async def messages(self) -> tuple[Message, ...]:
        """Every message of the account."""
        asked = ListMessages(limit=10_000)
        return await self.world.platform.store.queries.list_messages(self.new.account.id, asked)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so, asking again whenever a server has told of a change."""
        with self.topics.subscribe(f"account.{self.new.account.id}") as bell:
            async with asyncio.timeout(60):
                while not await holds():
                    await bell.wait(1)


@asynccontextmanager
async def some_nodes(address: str, folder: Path) -> AsyncIterator[Nodes]:
    """No server yet; those that are started end with this."""
    async with AsyncExitStack() as stack:
        smsc = await stack.enter_async_context(an_smsc())
        world = await stack.enter_async_context(a_world(address))
        new = await world.account(credits=10_000)
        settings = folder / "chappe.toml"
        settings.write_text(SETTINGS.format(port=smsc.port))
        topics = PostgresTopics(address, "test")
        listening = asyncio.create_task(topics.run())
        stack.callback(listening.cancel)
        command = [sys.executable, "-m", "chappe", "serve", "--port", "0"]
        nodes = Nodes(world, new, smsc, topics, [*command, "--data", address, "--config", str(settings)])
        try:
            yield nodes
        finally:
            for node in nodes.started:
                if node.process.returncode is None:
                    await node.signal(signal.SIGKILL)
