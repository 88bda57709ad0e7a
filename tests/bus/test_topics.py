"""Topics: a bell for each subscriber, no publication is missed between two waits, other nodes hear it too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

import asyncpg
import pytest
import pytest_asyncio

from chappe.bus.memory import MemoryTopics
from chappe.bus.postgres import PostgresTopics

TOPICS = MemoryTopics | PostgresTopics


@asynccontextmanager
async def listening(url: str, node: str) -> AsyncIterator[PostgresTopics]:
    """The topics of a node that is connected."""
    topics = PostgresTopics(url, node)
    with topics.subscribe("anything") as bell:
        running = asyncio.create_task(topics.run())
        await bell.wait()  # all bells are rung once it listens
    yield topics
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest_asyncio.fixture(params=["memory", "postgresql"])
async def topics(request: pytest.FixtureRequest) -> AsyncIterator[TOPICS]:
    if request.param == "memory":
        yield MemoryTopics()
        return
    async with listening(request.getfixturevalue("postgres_url"), "one") as made:
        yield made


async def test_a_publication_before_the_wait_counts(topics: TOPICS) -> None:
    with topics.subscribe("a") as waiter:
        topics.publish("a")
        assert await waiter.wait() is True
        assert await waiter.wait(0) is False


async def test_looking_without_waiting_sees_what_was_published(topics: TOPICS) -> None:
    with topics.subscribe("a") as waiter:
        for timeout in (0, -1, 0.0):
            assert await waiter.wait(timeout) is False
            topics.publish("a")
            assert await waiter.wait(timeout) is True


async def test_many_publications_are_one_ring(topics: TOPICS) -> None:
    with topics.subscribe("a") as waiter:
        for _ in range(3):
            topics.publish("a")
        assert await waiter.wait(0) is True
        assert await waiter.wait(0) is False


async def test_every_subscriber_is_woken(topics: TOPICS) -> None:
    with topics.subscribe("a") as one, topics.subscribe("a") as two, topics.subscribe("b") as other:
        waiting = [asyncio.create_task(one.wait()), asyncio.create_task(two.wait())]
        await asyncio.sleep(0)
        topics.publish("a")
        assert await asyncio.gather(*waiting) == [True, True]
        assert await other.wait(0) is False


async def test_two_may_wait_on_one_bell(topics: TOPICS) -> None:
    with topics.subscribe("a") as waiter:
        waiting = [asyncio.create_task(waiter.wait()) for _ in range(2)]
        await asyncio.sleep(0)
        topics.publish("a")
        assert await asyncio.gather(*waiting) == [True, True]


async def test_nobody_hears_what_was_published_before_or_after(topics: TOPICS) -> None:
    topics.publish("a")
    with topics.subscribe("a") as waiter:
        assert await waiter.wait(0) is False
    topics.publish("a")
    assert await waiter.wait(0) is False


async def test_leaving_leaves_the_others(topics: TOPICS) -> None:
    with topics.subscribe("a") as stays:
        with topics.subscribe("a"):
            pass
        topics.publish("a")
        assert await stays.wait(0) is True


async def test_leaving_in_trouble_is_leaving() -> None:
    topics = MemoryTopics()
    for _ in range(3):
        try:
            with topics.subscribe("a"):
                raise OSError
        except OSError:
            pass
    assert topics._waiters == {}


async def test_a_wait_given_up_loses_no_publication(topics: TOPICS) -> None:
    with topics.subscribe("a") as waiter:
        waiting = asyncio.create_task(waiter.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        topics.publish("a")
        await asyncio.gather(waiting, return_exceptions=True)
        assert await waiter.wait(0) is True


async def test_other_nodes_hear_it(postgres_url: str) -> None:
    async with listening(postgres_url, "one") as one, listening(postgres_url, "two") as two:
        with two.subscribe("a") as waiter, two.subscribe("b") as other:
            one.publish("a")
            assert await waiter.wait() is True
            assert await other.wait(0) is False


async def test_a_node_does_not_hear_itself_twice(postgres_url: str) -> None:
    async with listening(postgres_url, "one") as one, listening(postgres_url, "two") as two:
        with one.subscribe("a") as waiter, one.subscribe("answer") as answer, two.subscribe("a") as far:
            one.publish("a")
            assert await waiter.wait(0) is True
            await far.wait()
            two.publish("answer")  # by then the node's own publication has come back to it
            await answer.wait()
            assert await waiter.wait(0) is False


async def test_a_busy_node_notifies_seldom(postgres_url: str) -> None:
    heard: list[str] = []
    listener = await asyncpg.connect(postgres_url)
    await listener.add_listener("chappe", lambda *words: heard.append(words[3]))
    async with listening(postgres_url, "one") as one, listening(postgres_url, "two") as two:
        with two.subscribe("last") as last:
            for _ in range(10_000):
                one.publish("jobs")
            one.publish("last")
            await last.wait()
    await listener.close()
    assert heard == ['["one", "jobs", "last"]']


async def test_more_topics_than_one_notification_takes(postgres_url: str) -> None:
    names = [f"account.{n} \u00e9t\u00e9 {'x' * (n % 50)}" for n in range(2_000)]
    async with listening(postgres_url, "one") as one, listening(postgres_url, "two") as two:
        with ExitStack() as stack:
            bells = [stack.enter_context(two.subscribe(names[n])) for n in (0, 1_000, -1)]
            for name in names:
                one.publish(name)
            for bell in bells:
                assert await bell.wait() is True


async def test_a_cut_connection_comes_back_and_rings_everybody(postgres_url: str) -> None:
    async with listening(postgres_url, "one") as one, listening(postgres_url, "two") as two:
        with two.subscribe("a") as waiter:
            killer = await asyncpg.connect(postgres_url)
            await killer.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            await killer.close()
            await waiter.wait()  # what it may have missed
            for _ in range(200):
                one.publish("a")
                if await waiter.wait(0.1):
                    break
            else:
                pytest.fail("the other node was never heard again")
