"""Topics of one process: a bell for each subscriber, and no publication is missed between two waits."""

import asyncio

from chappe.bus.memory import MemoryTopics


async def test_a_publication_before_the_wait_counts() -> None:
    topics = MemoryTopics()
    with topics.subscribe("a") as waiter:
        topics.publish("a")
        assert await waiter.wait() is True
        assert await waiter.wait(0) is False


async def test_looking_without_waiting_sees_what_was_published() -> None:
    topics = MemoryTopics()
    with topics.subscribe("a") as waiter:
        for timeout in (0, -1, 0.0):
            assert await waiter.wait(timeout) is False
            topics.publish("a")
            assert await waiter.wait(timeout) is True


async def test_many_publications_are_one_ring() -> None:
    topics = MemoryTopics()
    with topics.subscribe("a") as waiter:
        for _ in range(3):
            topics.publish("a")
        assert await waiter.wait(0) is True
        assert await waiter.wait(0) is False


async def test_every_subscriber_is_woken() -> None:
    topics = MemoryTopics()
    with topics.subscribe("a") as one, topics.subscribe("a") as two, topics.subscribe("b") as other:
        waiting = [asyncio.create_task(one.wait()), asyncio.create_task(two.wait())]
        await asyncio.sleep(0)
        topics.publish("a")
        assert await asyncio.gather(*waiting) == [True, True]
        assert await other.wait(0) is False


async def test_two_may_wait_on_one_bell() -> None:
    topics = MemoryTopics()
    with topics.subscribe("a") as waiter:
        waiting = [asyncio.create_task(waiter.wait()) for _ in range(2)]
        await asyncio.sleep(0)
        topics.publish("a")
        assert await asyncio.gather(*waiting) == [True, True]


async def test_nobody_hears_what_was_published_before_or_after() -> None:
    topics = MemoryTopics()
    topics.publish("a")
    with topics.subscribe("a") as waiter:
        assert await waiter.wait(0) is False
    topics.publish("a")
    assert await waiter.wait(0) is False


async def test_leaving_leaves_the_others() -> None:
    topics = MemoryTopics()
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


async def test_a_wait_given_up_loses_no_publication() -> None:
    topics = MemoryTopics()
    with topics.subscribe("a") as waiter:
        waiting = asyncio.create_task(waiter.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        topics.publish("a")
        await asyncio.gather(waiting, return_exceptions=True)
        assert await waiter.wait(0) is True
