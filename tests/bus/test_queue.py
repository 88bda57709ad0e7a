"""Jobs: given to one runner at a time, run again until they are done or given up, and written down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from chappe.bus.memory import MemoryTopics
from chappe.bus.queue import Queue
from chappe.model.changes import Changes, JobResult, Update
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.model.jobs import Job, JobState
from chappe.model.metrics import Metrics
from chappe.services.ports import JobKind, Platform, Waiter
from chappe.store.records import Records
from tests.platform import START, World, a_world
from tests.store.ground import Ground, a_ground

PAUSES = (timedelta(seconds=5), timedelta(minutes=5), timedelta(hours=1))
CLAIM = timedelta(minutes=5)


@pytest_asyncio.fixture
async def ground(database_address: str) -> AsyncIterator[Ground]:
    async with a_ground(database_address) as made:
        yield made


# --- the claim


async def claim(ground: Ground, limit: int = 100) -> tuple[Job, ...]:
    now = ground.clock.now()
    return await ground.records.claim_jobs(now, now + CLAIM, limit)


async def test_what_is_due_is_claimed_in_its_order(ground: Ground) -> None:
    def job(minutes: float) -> Job:
        return ground.job(due_at=START + timedelta(minutes=minutes))

    late, early, same, now, future = job(-1), job(-9), job(-1), job(0), job(0.001)
    await ground.records.commit(Changes(enqueue=[late, early, same, now, future]))
    first, rest = await claim(ground, 1), await claim(ground)
    assert [one.id for one in first + rest] == [early.id, late.id, same.id, now.id]
    claimed = {"state": JobState.RUNNING, "attempts": 1, "claimed_until": START + CLAIM, "claimed_by": ""}
    assert first[0] == early._replace(**claimed)
    assert await claim(ground) == ()


@pytest.mark.parametrize("limit", [0, 1, 7, 50])
async def test_no_more_than_asked(ground: Ground, limit: int) -> None:
    await ground.records.commit(Changes(enqueue=[ground.job() for _ in range(20)]))
    assert len(await claim(ground, limit)) == min(limit, 20)
    assert len(await claim(ground)) == 20 - min(limit, 20)


async def test_a_claim_that_ran_out_is_given_again(ground: Ground) -> None:
    await ground.records.commit(Changes(enqueue=[ground.job()]))
    [first] = await claim(ground)
    ground.clock.at = START + CLAIM - timedelta(microseconds=1)
    assert await claim(ground) == ()
    ground.clock.at = START + CLAIM
    [second] = await claim(ground)
    assert (second.id, second.attempts) == (first.id, 2)
    assert second.claimed_until == START + 2 * CLAIM


async def test_what_is_over_is_never_claimed(ground: Ground) -> None:
    over = [ground.job(state=state, claimed_until=START) for state in (JobState.DONE, JobState.DEAD)]
    await ground.records.commit(Changes(enqueue=over))
    assert await claim(ground) == ()


async def test_four_claimants_share_without_meeting(ground: Ground) -> None:
    jobs = [ground.job(due_at=START - timedelta(seconds=n)) for n in range(400)]
    await ground.records.commit(Changes(enqueue=jobs))
    async with AsyncExitStack() as stack:
        nodes = [ground] + [await stack.enter_async_context(a_ground(ground.address)) for _ in range(3)]

        async def work(node: Ground) -> list[int]:
            mine: list[int] = []
            empty = 0
            while empty < 3:  # rows that another has locked are skipped, so one empty answer is no end
                found = await claim(node, 7)
                empty = 0 if found else empty + 1
                mine += [one.id for one in found]
            return mine

        shares = await asyncio.gather(*map(work, nodes))
    given = [one for share in shares for one in share]
    assert sorted(given) == sorted(one.id for one in jobs)
    assert {one.attempts for one in await ground.all(Job)} == {1}


# --- the runner


@dataclass
class Script:
    """A kind of job that does what it is told, one word for each run."""

    words: list[Any]
    seen: list[Job] = field(default_factory=list)

    async def __call__(self, _: Platform, job: Job) -> str:
        self.seen.append(job)
        word = self.words.pop(0) if len(self.words) > 1 else self.words[0]
        if isinstance(word, BaseException):
            raise word
        return str(word)


def temporary(code: str = "503", retry_after: float | None = None) -> CarrierError:
    return CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, code, retry_after)


def queue_of(world: World, run: Callable[[Platform, Job], Awaitable[str]], **chosen: Any) -> Queue:
    return Queue(world.platform, {"work": JobKind(run, chosen.pop("pauses", PAUSES), **chosen)})


async def enqueue(world: World, **chosen: Any) -> Job:
    now = world.clock.now()
    job = Job(world.platform.ids.new_id(), "work", 1, 0, {"n": 1}, JobState.WAITING, now, now)
    await world.platform.store.commit(Changes(enqueue=[job._replace(**chosen)]))
    return job._replace(**chosen)


async def jobs_of(world: World) -> list[Job]:
    address = world.platform.store
    ground = Ground("", address._database, address, world.platform.ids)
    return await ground.all(Job)


async def test_done_and_kept(world: World) -> None:
    job = await enqueue(world)
    script = Script(["fine"])
    queue = queue_of(world, script, kept=True)
    assert await queue.step() == 1
    [read] = await jobs_of(world)
    assert read == job._replace(
        state=JobState.DONE, attempts=1, outcome="fine", done_at=START, claimed_until=None
    )
    assert script.seen[0].payload == {"n": 1}
    assert await queue.step() == 0


async def test_done_and_gone(world: World) -> None:
    await enqueue(world)
    await queue_of(world, Script(["fine"])).step()
    assert await jobs_of(world) == []


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        (CarrierError(CarrierErrorKind.PERMANENT, Fault.CARRIER_REJECTED, "410"), "given up: 410"),
        (CarrierError(CarrierErrorKind.PERMANENT, Fault.CARRIER_REJECTED), "given up: carrier_rejected"),
        (Refusal(Fault.DESTINATION_FORBIDDEN, "10.0.0.1 is private"), "given up: 10.0.0.1 is private"),
    ],
)
async def test_given_up_at_once(world: World, word: Exception, outcome: str) -> None:
    await enqueue(world)
    queue = queue_of(world, Script([word]))
    await queue.step()
    [read] = await jobs_of(world)
    assert (read.state, read.outcome, read.done_at) == (JobState.DEAD, outcome, START)
    world.clock.move(days=2)
    assert await queue.step() == 0


@pytest.mark.parametrize(
    "kind", [CarrierErrorKind.TEMPORARY, CarrierErrorKind.THROTTLED, CarrierErrorKind.UNKNOWN]
)
async def test_the_pauses_in_their_order_and_then_the_end(world: World, kind: CarrierErrorKind) -> None:
    await enqueue(world)
    script = Script([CarrierError(kind, Fault.CARRIER_UNAVAILABLE, "503")])
    queue = queue_of(world, script)
    for n, pause in enumerate(PAUSES, 1):
        assert await queue.step() == 1
        [read] = await jobs_of(world)
        assert (read.state, read.attempts, read.outcome) == (JobState.WAITING, n, "503")
        assert (read.due_at, read.claimed_until) == (world.clock.now() + pause, None)
        world.clock.at = read.due_at - timedelta(microseconds=1)
        assert await queue.step() == 0
        world.clock.at = read.due_at
    assert await queue.step() == 1
    [read] = await jobs_of(world)
    assert (read.state, read.attempts) == (JobState.DEAD, 4)
    assert read.outcome == "given up after 4 tries: 503"


async def test_without_pauses_one_try_is_all(world: World) -> None:
    await enqueue(world)
    await queue_of(world, Script([temporary()]), pauses=()).step()
    assert [one.state for one in await jobs_of(world)] == [JobState.DEAD]


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        (60.0, timedelta(minutes=1)),
        (1.0, PAUSES[0]),
        (-5.0, PAUSES[0]),
        (1e12, timedelta(days=1)),
        (float("inf"), timedelta(days=1)),
        (float("nan"), PAUSES[0]),
    ],
)
async def test_a_server_that_asks_for_time_gets_it(world: World, asked: float, pause: timedelta) -> None:
    """Within reason: it may say anything."""
    await enqueue(world)
    await queue_of(world, Script([temporary(retry_after=asked)])).step()
    [read] = await jobs_of(world)
    assert (read.state, read.due_at) == (JobState.WAITING, START + pause)


async def test_a_defect_is_tried_again_and_can_be_found(world: World) -> None:
    await enqueue(world)
    queue = queue_of(world, Script([ZeroDivisionError("secret"), "fine"]), kept=True)
    await queue.step()
    [read] = await jobs_of(world)
    assert (read.state, read.due_at) == (JobState.WAITING, START + PAUSES[0])
    assert read.outcome.startswith("internal error, reference ")
    assert "secret" not in read.outcome
    world.clock.at = read.due_at
    await queue.step()
    [read] = await jobs_of(world)
    assert (read.state, read.outcome, read.attempts) == (JobState.DONE, "fine", 2)


async def test_a_kind_that_nobody_knows(world: World) -> None:
    await enqueue(world, kind="from tomorrow")
    await queue_of(world, Script(["fine"])).step()
    [read] = await jobs_of(world)
    assert (read.state, read.outcome) == (JobState.DEAD, "there is no job of the kind from tomorrow")


async def test_one_bad_job_does_not_hold_the_others(world: World) -> None:
    jobs = [await enqueue(world) for _ in range(6)]
    script = Script([temporary(), "fine", RuntimeError("x"), Refusal(Fault.INTERNAL, "no"), "fine", "fine"])
    assert await queue_of(world, script, kept=True).step() == 6
    states = {one.id: one.state for one in await jobs_of(world)}
    assert sorted(map(str, states.values())) == ["dead", "done", "done", "done", "waiting", "waiting"]
    assert set(states) == {one.id for one in jobs}


async def test_what_a_server_said_is_cut_and_cleaned(world: World) -> None:
    await enqueue(world)
    await queue_of(world, Script([temporary("\0" + "é" * 2_000)])).step()
    [read] = await jobs_of(world)
    assert read.outcome.strip("é") == ""
    assert 400 < len(read.outcome) <= 500


async def test_screens_are_told(world: World) -> None:
    topics = world.platform.topics
    assert isinstance(topics, MemoryTopics)
    await enqueue(world)
    with topics.subscribe("account.1") as waiter:
        told: Waiter = waiter
        await queue_of(world, Script(["fine"]), kept=True).step()
        assert await told.wait(0) is True


async def test_a_job_removed_meanwhile(world: World) -> None:
    job = await enqueue(world)

    async def run(platform: Platform, running: Job) -> str:
        from chappe.model.changes import Delete

        await platform.store.commit(Changes(delete=[Delete(Job, job.id, None)]))
        return "fine"

    assert await queue_of(world, run, kept=True).step() == 1
    assert await jobs_of(world) == []


async def test_who_lost_the_claim_does_not_write_over_the_next(world: World) -> None:
    """A runner that hung for longer than its claim: the job is another's, whatever its end."""
    await enqueue(world)
    hung, going = asyncio.Event(), asyncio.Event()

    async def slow(_: Platform, job: Job) -> str:
        hung.set()
        await going.wait()
        raise temporary("late")

    late = asyncio.create_task(queue_of(world, slow, kept=True).step())
    await hung.wait()
    world.clock.move(minutes=6)
    [again] = await world.platform.store.claim_jobs(world.clock.now(), world.clock.now() + CLAIM, 1)
    going.set()
    await late
    assert await jobs_of(world) == [again]


async def test_who_lost_the_claim_does_not_raise_the_dead(world: World) -> None:
    job = await enqueue(world)

    async def slow(platform: Platform, _: Job) -> str:
        over = {"state": JobState.DONE, "outcome": "fine"}
        await platform.store.commit(Changes(update=[Update(Job, job.id, None, over)]))
        raise temporary("late")

    await queue_of(world, slow, kept=True).step()
    [read] = await jobs_of(world)
    assert (read.state, read.outcome) == (JobState.DONE, "fine")


async def test_two_processes_on_one_database(world: World, database_address: str) -> None:
    jobs = [await enqueue(world) for _ in range(150)]
    here, there = Script(["fine"]), Script(["fine"])
    async with a_world(database_address) as other:
        queues = [queue_of(world, here), queue_of(other, there)]
        while sum(await asyncio.gather(*(queue.step() for queue in queues))):
            pass
    assert sorted(one.id for one in here.seen + there.seen) == sorted(one.id for one in jobs)
    assert await jobs_of(world) == []


async def test_what_is_being_done_stays_claimed_and_no_more(ground: Ground) -> None:
    kept, left = ground.job(), ground.job()
    await ground.records.commit(Changes(enqueue=[kept, left]))
    assert len(await claim(ground)) == 2
    ground.clock.at = START + CLAIM / 2
    await ground.records.keep_claims([kept.id], START + CLAIM * 3 / 2)
    ground.clock.at = START + CLAIM
    assert [job.id for job in await claim(ground)] == [left.id]
    await ground.records.end_claims(ground.clock.now())
    assert {job.id for job in await claim(ground)} == {kept.id, left.id}


async def test_what_a_node_was_doing_is_free_when_its_lease_is_over(ground: Ground) -> None:
    dead = Records(ground.database, ground.clock, ground.ids, Metrics(), "dead")
    living = Records(ground.database, ground.clock, ground.ids, Metrics(), "living")
    jobs = [ground.job(), ground.job()]
    await ground.records.commit(Changes(enqueue=jobs))
    for node in (dead, living):
        [job] = await node.claim_jobs(START, START + CLAIM, 1)
        assert job.claimed_by in ("dead", "living")
    await living.hold_leases(["node.living"], "living", 60)
    await dead.hold_leases(["node.dead", "carrier.a"], "dead", 60)

    assert await living.ended_nodes() == frozenset()
    await living.free_claims("dead")  # it lives: nothing happens
    assert await claim(ground) == ()

    await dead.hold_leases(["node.dead"], "dead", 0)
    assert await living.ended_nodes() == {"dead"}
    await living.free_claims("dead")
    [again] = await claim(ground)
    assert (again.id, again.attempts) == (jobs[0].id, 2)
    assert await living.ended_nodes() == frozenset()
    # The one that wakes up writes nothing about what it had.
    late = JobResult(again.id, 1, JobState.DONE, "late", None, START)
    await ground.records.commit(Changes(finish=[late]))
    assert {job.state for job in await ground.all(Job)} == {JobState.RUNNING}
