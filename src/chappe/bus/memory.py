"""Topics inside one process."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class MemoryWaiter:
    """One subscriber's bell."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something was published."""
        self._rung.set()

    async def wait(self, timeout: float | None = None) -> bool:
        """See services/ports.py."""
        if not self._rung.is_set():  # with a timeout of 0 nobody would look
            try:
                async with asyncio.timeout(timeout):
                    await self._rung.wait()
            except TimeoutError:
                return False
        self._rung.clear()
        return True


class MemoryTopics:
    """Publications reach the subscribers of this process."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[MemoryWaiter]] = defaultdict(set)

    def publish(self, topic: str) -> None:
        """See services/ports.py."""
        for waiter in self._waiters.get(topic, ()):
            waiter.ring()

    def ring_all(self) -> None:
        """Ring every bell: something may have been published on any topic."""
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.ring()

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[MemoryWaiter]:
        """See services/ports.py."""
        waiter = MemoryWaiter()
        self._waiters[topic].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[topic].discard(waiter)
            if not self._waiters[topic]:
                del self._waiters[topic]

    async def run(self) -> None:
        """There are no other nodes."""
