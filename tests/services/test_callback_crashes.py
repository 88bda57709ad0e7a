"""Callbacks whose node is gone after each write: nobody is rung twice in one try, every request ends."""

import os
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from chappe.model.callbacks import FINAL, CallbackState, CallbackStory, FirstRung
from chappe.model.calls import Call, CallState, Leg
from chappe.model.changes import Changes, Committed
from chappe.model.commands import ListCalls
from chappe.model.errors import Unavailable
from chappe.model.ringgroups import NewOperator, PutRingGroup
from chappe.services import ringgroups
from chappe.services.closing import close_abandoned
from chappe.services.switchboard import PATIENCE
from tests.platform import World
from tests.services.test_callbacks import Shop, a_shop, held

FLOWS = int(os.environ.get("CHAPPE_CRASHED_FLOWS", "3"))
"""How many flows are recorded, and interrupted at each of their writes; the issue's number is 500."""

LONGEST = 100
"""Seconds after which any try of these flows is over."""

_numbers = count(33639981000)


class Fuse:
    """A store that is gone after so many writes, and back when it is mended."""

    def __init__(self, world: World) -> None:
        self._commit = world.platform.store.commit
        self.left: int | None = None
        self.written = 0
        world.platform.store.commit = self

    async def __call__(self, changes: Changes) -> Committed:
        if self.left is not None:
            if self.left <= 0:
                raise Unavailable("this node is gone")
            self.left -= 1
        self.written += 1
        return await self._commit(changes)


def behaviour(random: Random) -> dict[str, object]:
    """What a telephone does that is called."""
    call = random.choice(("answer", "answer", "answer", "busy", "no_answer", "reject", "unreachable"))
    how: dict[str, object] = {"call": call, "answer_after_ms": random.choice((0, 2000))}
    if random.random() < 0.4:
        how["hang_up_after_ms"] = random.choice((500, 4000, 9000))
    if random.random() < 0.5:
        how |= {"keys": "1", "keys_after_ms": 1000}
    return how


async def a_flow(shop: Shop, seed: int) -> str:
    """A form and telephones as a seed has them, new ones each time; returns the visitor's number."""
    random = Random(seed)
    operators = [str(next(_numbers)) for _ in range(random.randint(1, 3))]
    visitor = str(next(_numbers))
    for number in (*operators, visitor):
        await shop.behave(number, **behaviour(random))
    command = PutRingGroup("sales", None, [NewOperator(one, random.choice((5, 10))) for one in operators])
    await ringgroups.put(shop.world.platform, shop.who, command)
    await shop.change(
        first_rung=random.choice(tuple(FirstRung)),
        confirms=random.random() < 0.3,
        mailbox=random.choice(("", "shop@example.com")),
    )
    return visitor


async def tried(shop: Shop, visitor: str, fuse: Fuse, writes: int | None) -> CallbackStory:
    """A request whose node is gone after so many writes (None: never), until it is over."""
    world, platform = shop.world, shop.world.platform
    times = {"retry": timedelta(seconds=30), "longest": timedelta(seconds=40)}
    asked = await shop.ask(visitor, tries=2, **times)
    fuse.left, fuse.written = writes, 0
    await shop.run(LONGEST)
    if writes is not None:
        fuse.left = 0
        with suppress(Unavailable):
            await world.chappe.switchboard.stop()  # what is in the memory of the node is gone with it
    fuse.left, written = None, fuse.written
    for _ in range(6):
        world.clock.move(seconds=60)
        await world.chappe.switchboard.beat()
        await close_abandoned(platform, platform.clock.now() - PATIENCE)
        await shop.run(LONGEST)
        story = await shop.story(asked.request.number)
        if story.request.state in FINAL:
            break
    fuse.written = written
    return story


async def check(shop: Shop, story: CallbackStory) -> None:
    request, queries = story.request, shop.world.platform.store.queries
    assert request.state in FINAL, request
    assert request.attempt <= request.tries
    found: list[Call] = list(await queries.list_calls(shop.new.account.id, ListCalls(limit=2)))
    calls = [one for one in found if one.plan["callback"] == request.ref]
    assert all(one.state is CallState.OVER for one in calls)
    for call in calls:
        legs: tuple[Leg, ...] = await queries.legs_of(call.account_id, [call.id])
        assert all(leg.ended_at is not None for leg in legs)
        assert max(Counter(leg.number for leg in legs).values(), default=0) <= 1, "rung twice in one try"
    assert request.price == sum(call.price for call in calls)
    assert (await held(shop))[1] == 0
    spoke = any(call.joined_at is not None for call in calls)
    assert (request.state is CallbackState.DONE) == spoke


@pytest.mark.parametrize("seed", range(FLOWS))
async def test_a_node_that_is_gone_after_each_write(sandbox_world: World, seed: int) -> None:
    shop = await a_shop(sandbox_world, repeat_seconds=0, per_hour=0, credits=100_000)
    fuse = Fuse(sandbox_world)
    whole = await tried(shop, await a_flow(shop, seed), fuse, None)
    await check(shop, whole)
    steps, ends = fuse.written, Counter[Any]()
    assert steps >= 3
    for writes in range(steps):
        with capture_logs():  # what a node says that is gone takes longer to write than all the rest
            story = await tried(shop, await a_flow(shop, seed), fuse, writes)
        await check(shop, story)
        ends[story.request.state] += 1
    assert sum(ends.values()) == steps
