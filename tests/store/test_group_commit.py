"""What waits is written together: one transaction, one sync, and nobody is answered before it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from chappe.model.changes import Changes, Committed
from chappe.model.directory import BlacklistEntry
from chappe.model.metrics import Metrics
from chappe.store.database import Database
from chappe.store.writer import GroupWriter
from tests.store.ground import Ground, sample


class Watched:
    """A database whose writes can be counted, held at their end, and made to fail."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.writes = 0
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()
        self.error: BaseException | None = None
        self.done: list[str] = []

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        return await self._database.read(work)

    async def write(self, work: Callable[[Connection], Any]) -> Any:
        self.writes += 1
        self.begun.set()
        await self.open.wait()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        result = await self._database.write(work)
        self.done.append("durable")
        return result

    async def close(self) -> None:
        await self._database.close()


def watched(ground: Ground) -> tuple[Watched, GroupWriter]:
    database = Watched(ground.database)
    return database, GroupWriter(database, ground.clock, ground.ids, Metrics())


def entry(n: int) -> Changes:
    return Changes(insert=[sample(BlacklistEntry, n)])


async def holding(database: Watched, writer: GroupWriter, n: int = 1) -> asyncio.Task[Committed]:
    """A first commit that is being written and does not end yet."""
    database.open.clear()
    first = asyncio.create_task(writer.commit(entry(n)))
    await database.begun.wait()
    return first


async def test_what_comes_while_one_is_written_is_one_group(ground: Ground) -> None:
    database, writer = watched(ground)
    first = await holding(database, writer)
    others = [asyncio.create_task(writer.commit(entry(n))) for n in range(2, 52)]
    await asyncio.sleep(0)
    assert database.writes == 1
    database.open.set()
    await asyncio.gather(first, *others)
    assert database.writes == 2
    assert await ground.count(BlacklistEntry) == 51


async def test_a_lone_change_is_written_at_once(ground: Ground) -> None:
    database, writer = watched(ground)
    for n in range(3):
        await writer.commit(entry(n))
    assert database.writes == 3


async def test_nobody_is_answered_before_it_is_durable(ground: Ground) -> None:
    database, writer = watched(ground)
    first = await holding(database, writer)
    first.add_done_callback(lambda _: database.done.append("answered"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not first.done()
    database.open.set()
    await first
    await asyncio.sleep(0)
    assert database.done == ["durable", "answered"]


async def test_later_is_written_with_the_next_group(ground: Ground) -> None:
    database, writer = watched(ground)
    first = await holding(database, writer)
    writer.later(entry(2))
    second = asyncio.create_task(writer.commit(entry(3)))
    await asyncio.sleep(0)
    database.open.set()
    await asyncio.gather(first, second)
    assert database.writes == 2
    assert await ground.count(BlacklistEntry) == 3


async def test_a_refused_later_disturbs_nobody(ground: Ground) -> None:
    """Nor does anybody hear of it: warnings are errors here."""
    await ground.records.commit(entry(1))
    ground.records.later(entry(1))
    await ground.records.commit(entry(2))
    assert await ground.count(BlacklistEntry) == 2


async def test_closing_writes_what_waits(ground: Ground) -> None:
    database, writer = watched(ground)
    first = await holding(database, writer)
    for n in range(2, 12):
        writer.later(entry(n))
    database.open.set()
    await writer.drain()
    assert first.done()
    assert await ground.count(BlacklistEntry) == 11
    await writer.drain()


async def test_who_stops_waiting_does_not_break_the_group(ground: Ground) -> None:
    database, writer = watched(ground)
    first = await holding(database, writer)
    others = [asyncio.create_task(writer.commit(entry(n))) for n in range(2, 7)]
    await asyncio.sleep(0)
    others[1].cancel()
    first.cancel()
    await asyncio.sleep(0)
    database.open.set()
    results = await asyncio.gather(first, *others, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in results] == [True, False, True] + [False] * 3
    await writer.drain()
    assert await ground.count(BlacklistEntry) == 6
    await writer.commit(entry(20))


async def test_trouble_of_the_database_reaches_the_whole_group(ground: Ground) -> None:
    database, writer = watched(ground)
    first = await holding(database, writer)
    others = [asyncio.create_task(writer.commit(entry(n))) for n in range(2, 5)]
    await asyncio.sleep(0)
    database.error = OSError("disk full")
    database.open.set()
    results = await asyncio.gather(first, *others, return_exceptions=True)
    assert isinstance(results[0], OSError)
    assert all(isinstance(one, Committed) for one in results[1:])
    database.error = OSError("disk full")
    results = await asyncio.gather(*(writer.commit(entry(n)) for n in range(10, 13)), return_exceptions=True)
    assert all(isinstance(one, OSError) for one in results)
    await writer.commit(entry(10))
    assert await ground.count(BlacklistEntry) == 4


async def test_a_writer_that_is_stopped_says_so_and_can_go_on(ground: Ground) -> None:
    database, writer = watched(ground)
    database.error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await writer.commit(entry(1))
    await asyncio.sleep(0)
    await writer.commit(entry(1))


async def test_a_group_is_bounded(ground: Ground) -> None:
    database, writer = watched(ground)
    first = await holding(database, writer)
    others = [asyncio.create_task(writer.commit(entry(n))) for n in range(2, 2_503)]
    await asyncio.sleep(0)
    database.open.set()
    await asyncio.gather(first, *others)
    assert database.writes == 3
    assert await ground.count(BlacklistEntry) == 2_502
