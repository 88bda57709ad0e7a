"""Two servers on one database: when the one that works a carrier is killed or frozen the other one goes on,
nothing is lost, and the one that wakes up does nothing more."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from chappe.model.messages import MessageState
from tests.journeys.nodes import Nodes, some_nodes
from tests.peers.smsc import a_receipt, accept, keep
from tests.postgres import Cluster


@pytest_asyncio.fixture
async def nodes(postgres_cluster: Cluster, migrated_postgres: str, tmp_path: Path) -> AsyncIterator[Nodes]:
    name = postgres_cluster.create(migrated_postgres)
    async with some_nodes(postgres_cluster.url(name), tmp_path) as made:
        yield made
    postgres_cluster.drop(name)


def texts(count: int, begins: str) -> list[str]:
    return [f"{begins} {n}" for n in range(count)]


async def all_are(nodes: Nodes, state: MessageState, count: int) -> bool:
    messages = await nodes.messages()
    return len(messages) == count and all(message.state is state for message in messages)


async def test_the_other_server_goes_on_when_the_holder_is_killed(nodes: Nodes) -> None:
    holder = await nodes.start()
    other = await nodes.start()
    await nodes.smsc.until(lambda: len(nodes.smsc.open) == 1)
    nodes.smsc.answers = [accept] * 20 + [keep]

    # Whoever takes a message, the holder sends it.
    await holder.send(*texts(30, "to the holder"))
    await other.send(*texts(30, "to the other"))
    await nodes.smsc.until(lambda: len(nodes.smsc.submitted) == 60)
    assert len(nodes.smsc.sessions) == 1

    await holder.signal(signal.SIGKILL)
    nodes.smsc.answers = [accept]
    await other.send(*texts(5, "afterwards"))
    await nodes.until(lambda: all_are(nodes, MessageState.SENT, 65))
    assert len(nodes.smsc.sessions) == 2
    # Twice went at most what the network had not answered, or the answer was not written.
    assert len(nodes.smsc.submitted) - 65 <= 50

    nodes.smsc.bring(*(a_receipt(message.carrier_ids) for message in await nodes.messages()))
    await nodes.until(lambda: all_are(nodes, MessageState.DELIVERED, 65))
    assert await nodes.world.balance(nodes.new.account) == (10_000 - 65) * 1000


async def test_a_frozen_holder_that_wakes_up_does_nothing_more(nodes: Nodes) -> None:
    holder = await nodes.start()
    other = await nodes.start()
    await nodes.smsc.until(lambda: len(nodes.smsc.open) == 1)
    nodes.smsc.answers = [keep]
    [first] = nodes.smsc.sessions
    await holder.send(*texts(10, "on its way"))
    await nodes.smsc.until(lambda: len(first.kept) == 10)

    await holder.signal(signal.SIGSTOP)
    await nodes.smsc.until(lambda: len(nodes.smsc.open) == 2)
    second = nodes.smsc.sessions[-1]
    await nodes.smsc.until(lambda: len(second.kept) == 10)
    await other.send(*texts(10, "meanwhile"))
    await nodes.smsc.until(lambda: len(second.kept) == 20)

    # Answers and room in the window wait for the one that wakes up: it neither writes nor sends.
    first.accept_kept()
    await holder.signal(signal.SIGCONT)
    await nodes.smsc.until(lambda: not first.is_open)
    assert first.kept == []
    assert await all_are(nodes, MessageState.QUEUED, 20)

    second.accept_kept()
    await nodes.until(lambda: all_are(nodes, MessageState.SENT, 20))
    assert {message.carrier_ids for message in await nodes.messages()} == {str(n) for n in range(11, 31)}

    # It is a server like before, and the other one sends what it takes; until that one is told to stop.
    await holder.send("after waking up")
    await nodes.smsc.until(lambda: len(second.kept) == 1)
    assert nodes.smsc.open == [second]
    nodes.smsc.answers = [accept]
    await other.signal(signal.SIGTERM)
    assert other.process.returncode == 0
    await nodes.until(lambda: all_are(nodes, MessageState.SENT, 21))
