"""Threads that do blocking work for the loop: a pool of the standard library takes longer to hand work over,
and back, than a short statement needs."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

_Asked = tuple[Callable[[], Any], asyncio.AbstractEventLoop, asyncio.Future[Any]]


class Threads:
    """So many of them, which take work in its order."""

    def __init__(self, name: str, count: int = 1) -> None:
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._threads = [Thread(target=self._run, name=f"{name}_{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    async def do(self, work: Callable[[], T]) -> T:
        """What the work returns or raises; it is done to its end whoever waits for it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._asked.put((work, loop, future))
        return await future

    def shutdown(self) -> None:
        """Do what was asked, then end."""
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            work, loop, future = asked
            result: Any = None
            error: BaseException | None = None
            try:
                result = work()
            except BaseException as trouble:  # noqa: BLE001 - it is the asker's, and raised there
                error = trouble
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, future, result, error)
            del asked, work, future, result, error  # nothing of it lives on while this waits


def _tell(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
