"""The order of things (docs/architecture.md): nobody is told of what is not durable yet.

The database is held: what is to be written waits until the test lets it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio

from chappe.model.commands import Subscribe
from chappe.model.events import EventName
from chappe.model.jobs import JobState
from chappe.model.messages import MessageState
from chappe.services import subscriptions
from chappe.services.accounts import NewAccount
from chappe.settings import RouteSettings, Settings
from tests.peers.smsc import Smsc, a_receipt, an_smsc
from tests.platform import World, a_world, caller
from tests.services.asking import read, send_one


@dataclass
class Gate:
    """Holds back what is to be written; `waits` is set while something does."""

    write: Any
    open: asyncio.Event = field(default_factory=asyncio.Event)
    waits: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, work: Any) -> Any:
        self.waits.set()
        await self.open.wait()
        return await self.write(work)


@dataclass
class Stage:
    world: World
    smsc: Smsc
    new: NewAccount
    gate: Gate

    async def until(self, message: Any, state: MessageState) -> None:
        with self.world.platform.topics.subscribe(f"account.{self.new.account.id}") as bell:
            while (await read(self.world, message)).state is not state:
                await bell.wait()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Inside, nothing is written any more."""
        self.gate.open.clear()
        self.gate.waits.clear()
        yield
        self.gate.open.set()


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with an_smsc() as smsc:
        net = {"type": "smpp", "host": "127.0.0.1", "port": smsc.port, "system_id": "me"}
        settings = Settings(carriers={"net": net}, routes=(RouteSettings("net"),))
        async with a_world(str(tmp_path), settings) as world:
            new = await world.account()
            [carrier] = [one for one in world.chappe.carriers if one.name == "net"]
            world.chappe.outbox["net"].begin(carrier)
            links = asyncio.create_task(carrier.run())
            with world.platform.topics.subscribe("carrier.net") as bell:
                while not carrier.window:
                    await bell.wait()
            database = world.platform.store._database
            gate = Gate(database.write)
            gate.open.set()
            database.write = gate
            yield Stage(world, smsc, new, gate)
            gate.open.set()
            links.cancel()
            await asyncio.gather(links, return_exceptions=True)


async def turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_an_answer_and_a_submission_come_after_the_commit(stage: Stage) -> None:
    async with stage.held():
        asked = asyncio.create_task(send_one(stage.world, stage.new))
        await stage.gate.waits.wait()
        await turns()
        assert not asked.done()
        assert stage.smsc.submitted == []
    message = await asked
    assert (await read(stage.world, message)).id == message.id
    await stage.until(message, MessageState.SENT)
    assert len(stage.smsc.submitted) == 1


async def test_a_receipt_is_acknowledged_after_the_commit(stage: Stage) -> None:
    message = await send_one(stage.world, stage.new)
    await stage.until(message, MessageState.SENT)
    async with stage.held():
        stage.smsc.bring(a_receipt("1"))
        await stage.gate.waits.wait()
        await turns()
        assert stage.smsc.statuses == []
        assert (await read(stage.world, message)).state is MessageState.SENT
    await stage.smsc.until(lambda: stage.smsc.statuses == [0])
    assert (await read(stage.world, message)).state is MessageState.DELIVERED


async def test_a_notice_comes_after_the_commit_and_is_done_after_a_2xx(stage: Stage) -> None:
    world = stage.world
    world.platform.handover.connect_queue(world.chappe.queue.take)
    asked = Subscribe("https://shop.example/hook", (EventName.MESSAGE_DELIVERED,), "rest")
    await subscriptions.subscribe(world.platform, caller(stage.new), asked)
    world.web.answers = [500, 200]
    message = await send_one(world, stage.new)
    await stage.until(message, MessageState.SENT)
    async with stage.held():
        stage.smsc.bring(a_receipt("1"))
        await stage.gate.waits.wait()
        await turns()
        assert world.web.sent == []
    await stage.until(message, MessageState.DELIVERED)

    async def state() -> JobState:
        await world.chappe.queue.drain(10)
        await world.platform.store._writer.drain()
        [job] = await world.platform.store.queries.notices_of(stage.new.account.id, message.id)
        return job.state

    assert await state() is JobState.WAITING
    world.clock.move(days=1)
    assert await world.chappe.queue.step() == 1
    assert await state() is JobState.DONE
    # Told twice, under one name.
    assert len({one.headers["webhook-id"] for one in world.web.sent}) == 1
    assert len(world.web.sent) == 2


async def test_an_unknown_receipt_is_kept_acknowledged_and_joined_later(stage: Stage) -> None:
    stage.smsc.bring(a_receipt("1"))
    await stage.smsc.until(lambda: stage.smsc.statuses == [0])
    message = await send_one(stage.world, stage.new)
    await stage.until(message, MessageState.DELIVERED)
