"""Connections to the database are cut and the database itself crashes, under load: what was accepted is there
and goes out, what was refused is not charged, and nobody has to do anything."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from chappe.model.messages import MessageState
from tests.journeys.nodes import Node, some_nodes
from tests.postgres import Cluster, running_cluster

CUT = (
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid()"
)


@dataclass
class Load:
    """Clients that send one message after the other, and what they were told."""

    node: Node
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    ending: bool = False

    async def client(self) -> None:
        while not self.ending:
            status, answer = await self.node.try_to_send("Hello")
            if status == 201:
                self.accepted.append(answer["messages"][0]["id"])
            else:
                assert status == 503, answer
                self.refused.append(answer["detail"])
            self.bell.set()

    async def goes_on(self) -> None:
        """Until ten more messages are accepted."""
        enough = len(self.accepted) + 10
        async with asyncio.timeout(60):
            while len(self.accepted) < enough:
                self.bell.clear()
                await self.bell.wait()


async def test_a_database_that_is_lost_under_load(tmp_path: Path) -> None:
    with running_cluster(durable=True) as cluster:
        await lose(cluster, cluster.create(), tmp_path)


async def lose(cluster: Cluster, database: str, folder: Path) -> None:
    async with some_nodes(cluster.url(database), folder) as nodes:
        load = Load(await nodes.start())
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(load.client())
            await load.goes_on()
            for _ in range(3):
                await asyncio.to_thread(cluster.execute, CUT.format(database))
                await load.goes_on()
            await asyncio.to_thread(cluster.crash)
            await load.goes_on()
            load.ending = True

        messages = {message.ref: message for message in await nodes.messages()}
        assert messages.keys() >= set(load.accepted)
        # Whoever was refused was told the truth, or that nobody knows.
        unsure = sum("unknown" in detail for detail in load.refused)
        assert len(messages) - len(load.accepted) <= unsure

        async def all_sent() -> bool:
            return all(message.state is MessageState.SENT for message in await nodes.messages())

        await nodes.until(all_sent)
        assert await nodes.world.balance(nodes.new.account) == (10_000 - len(messages)) * 1000
