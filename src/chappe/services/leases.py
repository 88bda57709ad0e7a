"""Which node works what only one may work: a lease for each carrier and clockwork, taken, renewed and lost.

A lease is renewed by the database's clock and trusted by this machine's own: counted from before it was
asked for, and for a little less, so that a node that was frozen never believes in what another one has.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from chappe.model.carriers import NODE
from chappe.model.changes import Fence
from chappe.services.ports import Store

VALID = 3.0
"""Seconds that a lease holds without being renewed."""

RENEWED_EVERY = 1.0

MARGIN = 0.5
"""Seconds before its end when a lease is trusted no longer: far more than writing to a socket takes."""

_log = structlog.get_logger()


def seconds_passed() -> float:
    """A clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Held:
    """One lease as this node sees it. Without a clock this is the only node, and it holds everything."""

    def __init__(self, name: str, clock: Callable[[], float] | None = None) -> None:
        self.name = name
        self._clock = clock
        self._number = 0
        self._trusted_until = -math.inf
        self._taken = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def fence(self) -> Fence | None:
        """What every write of the holder names; None where there is one node only. After a loss it is
        still the old one, so that what is written too late is refused."""
        return None if self._clock is None else Fence(self.name, self._number)

    def holds(self) -> bool:
        """Whether this node may still act; to be asked before every act that the network would see."""
        return self._clock is None or self._clock() < self._trusted_until

    def take(self, fence: int, until: float) -> None:
        """It was taken or renewed, and may be trusted until then by this machine's clock."""
        # Where it came back late but nobody else had it meanwhile, the work may go on.
        if fence != self._number or not self._taken.is_set():
            self.lose()
            self._lost = asyncio.Event()
            _log.info("lease taken", lease=self.name, fence=fence)
        self._number, self._trusted_until = fence, until
        self._taken.set()

    def lose(self) -> None:
        """Another node has it, or it could not be renewed in time."""
        if self._taken.is_set():
            _log.warning("lease lost", lease=self.name, fence=self._number)
        self._trusted_until = -math.inf
        self._taken.clear()
        self._lost.set()

    async def work(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run while the lease is held, anew each time it is taken; cancelled when it is lost."""
        if self._clock is None:
            await run()
            return
        while True:
            await self._taken.wait()
            running = asyncio.create_task(run())
            losing = asyncio.create_task(self._lost.wait())
            try:
                await asyncio.wait((running, losing), return_when=asyncio.FIRST_COMPLETED)
                if not losing.done():
                    return running.result()
            finally:
                running.cancel()
                losing.cancel()
                await asyncio.gather(running, losing, return_exceptions=True)


class Leases:
    """The leases of this node. `shared` is whether other nodes may work on the same database."""

    def __init__(
        self, store: Store, holder: str, *, shared: bool, clock: Callable[[], float] = seconds_passed
    ) -> None:
        self._store = store
        self.holder = holder
        self._shared = shared
        self._clock = clock
        self._held: dict[str, Held] = {}
        self._ended: frozenset[str] = frozenset()
        if shared:
            self.lease(NODE + holder)

    def lease(self, name: str) -> Held:
        """A lease by its name (`carrier.free`, `clockwork`); asked for from the next renewal on."""
        if name not in self._held:
            self._held[name] = Held(name, self._clock if self._shared else None)
        return self._held[name]

    async def renew(self) -> None:
        """Take what is free and renew what is held; what cannot be renewed in time is lost."""
        asked_at = self._clock()
        asking = asyncio.ensure_future(self._store.hold_leases(list(self._held), self.holder, VALID))
        done, _ = await asyncio.wait((asking,), timeout=VALID - MARGIN - RENEWED_EVERY)
        if not done:
            self._lose_what_is_over()
        try:
            leases = await asking
        except Exception as error:  # noqa: BLE001 - a database that is away is asked again
            _log.warning("leases cannot be renewed", error=str(error) or type(error).__name__)
            self._lose_what_is_over()
            return
        for name in self._held.keys() - {lease.name for lease in leases}:
            self._held[name].lose()
        for lease in leases:
            self._held[lease.name].take(lease.fence, asked_at + VALID - MARGIN)

    def _lose_what_is_over(self) -> None:
        for held in self._held.values():
            if not held.holds():
                held.lose()

    async def free_claims(self) -> None:
        """Let others do what nodes were doing that have ended. One has when it was found so by two looks:
        where the database was away for all of them, the living need a moment to renew."""
        try:
            ended = await self._store.ended_nodes() - {self.holder}
            for node in sorted(ended & self._ended):
                await self._store.free_claims(node)
                _log.info("what a node was doing is free", node=node)
            self._ended = ended
        except Exception as error:  # noqa: BLE001 - as above
            _log.warning("ended nodes are not known", error=str(error) or type(error).__name__)

    async def run(self) -> None:
        """Renew until cancelled."""
        while self._shared:
            await self.renew()
            await self.free_claims()
            await asyncio.sleep(RENEWED_EVERY)

    async def leave(self) -> None:
        """Stop working, and let others take the leases at once."""
        if self._shared:
            for held in self._held.values():
                held.lose()
            await self._store.leave_leases(self.holder)
