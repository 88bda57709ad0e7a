"""Reads that wait together run together, and none is forgotten."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from chappe.store.database import open_database


class HeldReaders:
    """Readers that work only when they are let go, all at the same moment."""

    def __init__(self) -> None:
        self.held: list[tuple[asyncio.Future[Any], Callable[[], Any]]] = []

    async def do(self, work: Callable[[], Any]) -> Any:
        future = asyncio.get_running_loop().create_future()
        self.held.append((future, work))
        return await future

    def shutdown(self) -> None:
        """Nothing goes on."""

    def let_go(self) -> None:
        held, self.held = self.held, []
        for future, work in held:
            future.set_result(work())


async def test_a_read_asked_in_the_moment_when_both_readers_end_is_answered(tmp_path: Path) -> None:
    database = open_database(str(tmp_path))
    readers = HeldReaders()
    database._reading = readers  # type: ignore[attr-defined]

    async def twice(n: int) -> list[int]:
        return [await database.read(lambda _: n), await database.read(lambda _: n + 10)]

    async def once() -> list[int]:
        return [await database.read(lambda _: 1)]

    asked = []
    for one in (twice(0), once()):
        asked.append(asyncio.create_task(one))
        for _ in range(5):
            await asyncio.sleep(0)
    assert len(readers.held) == 2
    for _ in range(100):
        readers.let_go()
        await asyncio.sleep(0)
    assert [task.done() for task in asked] == [True, True]
    assert await asyncio.gather(*asked) == [[0, 10], [1]]
    await database.close()


async def test_a_read_that_fails_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    database = open_database(str(tmp_path))

    def broken(connection: Connection) -> None:
        raise LookupError("this one")

    results = await asyncio.gather(
        *(database.read(broken if n == 3 else (lambda _, n=n: n)) for n in range(8)),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [result for result in results if not isinstance(result, LookupError)] == [0, 1, 2, 4, 5, 6, 7]
    await database.close()
