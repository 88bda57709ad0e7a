"""A carrier on a message centre that a test plays, and a sink that keeps what it is told."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from chappe.bus.memory import MemoryTopics
from chappe.carriers.smpp.carrier import SmppCarrier
from chappe.carriers.smpp.settings import read_settings
from chappe.model.messages import Direction, InboundMessage, Message, MessageState, Receipt, Submission
from chappe.model.smstext import plan
from chappe.settings import Settings
from tests.carriers.smpp.served import Served, serving
from tests.peers.smsc import Smsc
from tests.peers.time import ManualTime
from tests.platform import START, ManualClock, a_world


@dataclass
class Told:
    """A platform that keeps what the carrier tells it; `broken` makes it fail, `gate` makes it slow."""

    submissions: list[Submission] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    heard: list[Receipt] = field(default_factory=list)
    received: list[InboundMessage] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    poison: str = ""
    taken_over: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    async def _work(self) -> None:
        self.happened.set()
        await self.gate.wait()
        if self.broken:
            raise OSError("the disk is full")

    def holds(self) -> bool:
        return not self.taken_over

    async def submitted(self, batch: Sequence[Submission]) -> None:
        await self._work()
        self.submissions += batch
        self.happened.set()

    async def receipts(self, batch: Sequence[Receipt]) -> Sequence[str | None]:
        self.batches.append(len(batch))
        await self._work()
        if any(receipt.carrier_id == self.poison for receipt in batch):
            raise ZeroDivisionError("a defect")
        self.heard += batch
        self.happened.set()
        return [receipt.carrier_id for receipt in batch]

    async def inbound(self, message: InboundMessage) -> None:
        await self._work()
        self.received.append(message)
        self.happened.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.happened.clear()
                await self.happened.wait()


class Forgetful:
    """A store that knows of nothing from before."""

    @property
    def queries(self) -> "Forgetful":
        return self

    async def carrier_records(self) -> tuple[()]:
        return ()

    async def keys_of_old_parts(self, *asked: object) -> tuple[()]:
        return ()


@dataclass
class Net:
    """Everything that a test may turn."""

    carrier: SmppCarrier
    told: Told
    time: ManualTime
    clock: ManualClock
    topics: MemoryTopics
    task: asyncio.Task[None]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the event loop turn until something is so that nobody is told of."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - nobody rings a bell for it
                await asyncio.sleep(0)

    async def up(self, links: int = 1) -> None:
        await self.until(lambda: sum(one.state.value == "up" for one in self.links) == links)

    async def stop(self) -> None:
        self.task.cancel()
        while not self.task.done():
            await asyncio.sleep(0)
            self.time.move(1)

    @property
    def links(self):  # type: ignore[no-untyped-def]
        return self.carrier.status().links


@asynccontextmanager
async def a_net(smsc: Smsc, **settings: Any) -> AsyncIterator[Net]:
    """A carrier that runs against this message centre."""
    table = {"host": "127.0.0.1", "port": smsc.port, "system_id": "me", "password": "secret"} | settings
    told, time, clock, topics = Told(), ManualTime(), ManualClock(), MemoryTopics()
    platform = SimpleNamespace(clock=clock, topics=topics, store=Forgetful())
    carrier = SmppCarrier("net", read_settings(table), platform, told, time)  # type: ignore[arg-type]
    net = Net(carrier, told, time, clock, topics, asyncio.create_task(carrier.run()))
    try:
        yield net
    finally:
        await net.stop()


def a_text(number: int = 1, text: str = "Hello", **fields: Any) -> Message:
    """A message to be sent."""
    how = plan(text)
    return Message(
        **{
            "id": number,
            "ref": f"r{number}",
            "account_id": 1,
            "direction": Direction.MT,
            "state": MessageState.QUEUED,
            "peer": "33612345678",
            "address": "20345",
            "text": text,
            "encoding": how.encoding,
            "segments": how.segments,
            "price": 1000,
            "carrier": "net",
            "dialect": "rest",
            "batch_id": 1,
            "created_at": START,
            "due_at": START,
            "expires_at": START + timedelta(days=1),
        }
        | fields
    )


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):  # type: ignore[no-untyped-def]
    """A certificate of its own authority for the name smsc.test, made here; its folder."""
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += " -subj /CN=smsc.test -addext subjectAltName=DNS:smsc.test -keyout key.pem -out cert.pem"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest_asyncio.fixture
async def served(migrated_sqlite, tmp_path) -> AsyncIterator[Served]:  # type: ignore[no-untyped-def]
    (tmp_path / "chappe.db").write_bytes(migrated_sqlite.read_bytes())
    settings = Settings(smpp_server={"port": 0, "window": 20, "binds": 3})
    async with a_world(str(tmp_path), settings) as world, serving(world) as port, AsyncExitStack() as stack:
        yield Served(world, await world.account(), port, stack)
