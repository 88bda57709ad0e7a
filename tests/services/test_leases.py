"""Which node works what only one may work, with clocks that a test moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chappe.model.carriers import NODE, Lease
from chappe.model.changes import Fence
from chappe.services.leases import MARGIN, VALID, Held, Leases
from tests.platform import START


@dataclass
class Database:
    """The leases table, with a clock of its own; `away` is a database that cannot be reached."""

    now: float = 0.0
    away: bool = False
    rows: dict[str, tuple[str, int, float]] = field(default_factory=dict)
    freed: list[str] = field(default_factory=list)

    async def hold_leases(self, names: list[str], holder: str, seconds: float) -> tuple[Lease, ...]:
        if self.away:
            raise OSError("connection refused")
        held = []
        for name in names:
            last, fence, until = self.rows.get(name, ("", 0, 0.0))
            if last == holder or until <= self.now:
                fence += last != holder
                self.rows[name] = (holder, fence, self.now + seconds)
                held.append(Lease(name, holder, fence, START))
        return tuple(held)

    async def ended_nodes(self) -> frozenset[str]:
        over = [name for name, (_, _, until) in self.rows.items() if until <= self.now]
        return frozenset(name.removeprefix(NODE) for name in over if name.startswith(NODE))

    async def free_claims(self, node: str) -> None:
        self.freed.append(node)
        del self.rows[NODE + node]

    async def leave_leases(self, holder: str) -> None:
        for name, (last, fence, _) in self.rows.items():
            if last == holder:
                self.rows[name] = ("", fence, self.now)


@dataclass
class Node:
    """One node; its own clock differs from the database's."""

    database: Database
    name: str
    clock: float = 500.0
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        self.leases = Leases(self.database, self.name, shared=True, clock=lambda: self.clock)  # type: ignore[arg-type]


async def turns(count: int = 20) -> None:
    """Let every task that can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


@asynccontextmanager
async def working(held: Held, log: list[str]) -> AsyncIterator[None]:
    async def run() -> None:
        log.append("begins")
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ends")

    task = asyncio.create_task(held.work(run))
    await turns()
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_node_of_two_holds() -> None:
    database = Database()
    one, two = Node(database, "one"), Node(database, "two", clock=-7.0)
    held = [node.leases.lease("carrier.a") for node in (one, two)]
    assert [lease.holds() for lease in held] == [False, False]
    await one.leases.renew()
    await two.leases.renew()
    assert [lease.holds() for lease in held] == [True, False]
    assert held[0].fence == Fence("carrier.a", 1)


async def test_a_lease_that_is_not_renewed_is_trusted_less_long_than_it_holds() -> None:
    database = Database()
    node = Node(database, "one")
    held = node.leases.lease("carrier.a")
    await node.leases.renew()
    node.clock += VALID - MARGIN - 0.001
    assert held.holds()
    node.clock += 0.001
    assert not held.holds()
    assert held.fence == Fence("carrier.a", 1)


async def test_the_holder_that_was_frozen_begins_anew_when_it_gets_the_lease_back() -> None:
    database = Database()
    one, two = Node(database, "one"), Node(database, "two")
    mine, theirs = one.leases.lease("carrier.a"), two.leases.lease("carrier.a")
    log: list[str] = []
    async with working(mine, log):
        await one.leases.renew()
        await turns()
        assert log == ["begins"]

        database.now += VALID
        one.clock += 60
        await two.leases.renew()
        assert not mine.holds()  # before anything else has run on it
        await one.leases.renew()
        await turns()
        assert log == ["begins", "ends"]
        assert (mine.fence, theirs.fence) == (Fence("carrier.a", 1), Fence("carrier.a", 2))

        await two.leases.leave()
        await one.leases.renew()
        await turns()
        assert log == ["begins", "ends", "begins"]
        assert mine.fence == Fence("carrier.a", 3)


async def test_a_holder_that_did_not_notice_its_loss_begins_anew() -> None:
    """Taken by another one and left again between two renewals: nothing that was begun may go on."""
    database = Database()
    one, two = Node(database, "one"), Node(database, "two")
    held = one.leases.lease("carrier.a")
    two.leases.lease("carrier.a")
    log: list[str] = []
    async with working(held, log):
        await one.leases.renew()
        await turns()
        database.now += VALID
        await two.leases.renew()
        await two.leases.leave()
        await one.leases.renew()
        await turns()
        assert log == ["begins", "ends", "begins"]
        assert held.fence == Fence("carrier.a", 3)


async def test_a_renewal_interrupts_nothing() -> None:
    node = Node(Database(), "one")
    log: list[str] = []
    async with working(node.leases.lease("carrier.a"), log):
        for _ in range(5):
            await node.leases.renew()
            await turns()
            node.clock += 1
            node.leases._store.now += 1  # type: ignore[attr-defined]
        assert log == ["begins"]


async def test_a_database_that_is_away_for_long_is_a_loss() -> None:
    node = Node(Database(), "one")
    held = node.leases.lease("carrier.a")
    log: list[str] = []
    async with working(held, log):
        await node.leases.renew()
        await turns()
        node.leases._store.away = True  # type: ignore[attr-defined]
        node.clock += 1
        await node.leases.renew()
        await turns()
        assert log == ["begins"]
        node.clock += 2
        await node.leases.renew()
        await turns()
        assert log == ["begins", "ends"]


async def test_work_that_ends_by_itself_in_an_error_is_heard_of() -> None:
    node = Node(Database(), "one")
    held = node.leases.lease("carrier.a")

    async def fail() -> None:
        raise LookupError("defect")

    await node.leases.renew()
    [outcome] = await asyncio.gather(held.work(fail), return_exceptions=True)
    assert isinstance(outcome, LookupError)


async def test_what_an_ended_node_was_doing_is_free_at_the_second_look() -> None:
    database = Database()
    one, two, dead = (Node(database, name) for name in ("one", "two", "dead"))
    for node in (one, two, dead):
        await node.leases.renew()
    await one.leases.free_claims()
    # The database was away for all of them: who lives renews before it is looked again.
    database.now += VALID
    await one.leases.free_claims()
    await one.leases.renew()
    await two.leases.renew()
    assert database.freed == []
    await one.leases.free_claims()
    assert database.freed == ["dead"]
    await one.leases.free_claims()
    assert database.freed == ["dead"]


async def test_the_only_node_holds_everything_and_writes_nothing() -> None:
    database = Database(away=True)
    leases = Leases(database, "one", shared=False)  # type: ignore[arg-type]
    held = leases.lease("carrier.a")
    log: list[str] = []
    async with working(held, log):
        await leases.run()
        await leases.leave()
        assert held.holds()
        assert held.fence is None
        assert log == ["begins"]
