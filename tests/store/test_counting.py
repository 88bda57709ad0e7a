"""Counters and turns: eight nodes at once, and nothing is told twice or left out."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from chappe.model.changes import Changes
from chappe.model.ringgroups import RingGroup, RingOrder
from tests.platform import START
from tests.store.ground import Ground, a_ground

TURNS = int(os.environ.get("CHAPPE_TURNS", "400"))
"""How many calls; the issue's number is 10,000."""


@pytest_asyncio.fixture
async def eight(ground: Ground) -> AsyncIterator[list[Ground]]:
    async with AsyncExitStack() as stack:
        yield [ground] + [await stack.enter_async_context(a_ground(ground.address)) for _ in range(7)]


async def test_each_operator_has_its_share(eight: list[Ground]) -> None:
    group = RingGroup(5, 1, "sales", RingOrder.ROUND_ROBIN, START)
    await eight[0].records.commit(Changes(insert=[group]))

    async def work(node: Ground) -> list[int]:
        return [await node.records.take_turn(1, group.id) or 0 for _ in range(TURNS // 8)]

    turns = sorted(turn for taken in await asyncio.gather(*map(work, eight)) for turn in taken)
    assert turns == list(range(TURNS // 8 * 8))
    for operators in (2, 3, 7):
        shares = Counter(turn % operators for turn in turns).values()
        assert max(shares) - min(shares) <= 1


async def test_no_number_is_told_twice(eight: list[Ground]) -> None:
    async def work(node: Ground) -> list[int]:
        return [await node.records.count_up("callbacks 1") for _ in range(20)]

    numbers = sorted(number for told in await asyncio.gather(*map(work, eight)) for number in told)
    assert numbers == list(range(1, 161))
    assert await eight[0].records.count_up("callbacks 2") == 1


async def test_the_group_of_another_account_has_no_turns(ground: Ground) -> None:
    await ground.records.commit(Changes(insert=[RingGroup(5, 1, "sales", RingOrder.ROUND_ROBIN, START)]))
    assert await ground.records.take_turn(2, 5) is None
    assert await ground.records.take_turn(1, 5) == 0
