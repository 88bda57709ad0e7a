"""Eight nodes on one PostgreSQL database are asked for callbacks at one moment, and call at one moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from chappe.model.callbacks import CallbackState, ChangeForm, ListCallbacks, RequestCallback
from chappe.model.commands import ListCalls
from chappe.model.errors import Fault, Refusal
from chappe.model.ringgroups import RingOrder
from chappe.services import callbackforms, callbacks
from tests.platform import World, a_world
from tests.services.test_callbacks import ANNE, BOB, CLEO, Shop, a_shop

NODES = 8


@pytest_asyncio.fixture
async def nodes(postgres_url: str) -> AsyncIterator[list[World]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(a_world(postgres_url)) for _ in range(NODES)]


async def ask(shop: Shop, node: World, visitor: str, address: str = "") -> object:
    """The number of a callback asked for at a node, or why it was not taken."""
    command = RequestCallback("1", visitor, address)
    try:
        return (await callbacks.request(node.platform, shop.who, command)).request.number
    except Refusal as refusal:
        return refusal.fault


async def test_one_request_a_number_and_no_more_than_the_budget(nodes: list[World]) -> None:
    shop = await a_shop(nodes[0], per_address=3, per_hour=10)
    same = await asyncio.gather(*(ask(shop, node, "33639980100") for node in nodes))
    assert same == [same[0]] * NODES
    visitors = [f"3363998020{n}" for n in range(NODES)]
    asked = zip(nodes, visitors, strict=True)
    by_address = await asyncio.gather(*(ask(shop, node, one, "192.0.2.7") for node, one in asked))
    assert Counter(map(str, by_address))[Fault.RATE_LIMITED] == NODES - 3
    visitors = [f"3363998021{n}" for n in range(NODES)]
    asked = zip(nodes, visitors, strict=True)
    by_form = await asyncio.gather(*(ask(shop, node, one) for node, one in asked))
    assert Counter(map(str, by_form))[Fault.RATE_LIMITED] == NODES - 6
    kept = (await callbacks.list_callbacks(nodes[3].platform, shop.who, ListCallbacks())).items
    assert len({story.request.number for story in kept}) == len(kept) == 10


async def test_each_is_called_once_and_operators_have_their_share(nodes: list[World]) -> None:
    shop = await a_shop(nodes[0], ANNE, BOB, CLEO, order=RingOrder.ROUND_ROBIN, credits=10_000)
    visitors = [f"3363998030{n}" for n in range(9)]
    for visitor in visitors:
        assert await ask(shop, nodes[0], visitor)
    await asyncio.gather(*(node.chappe.settle() for node in nodes))
    calls = await nodes[0].platform.store.queries.list_calls(shop.new.account.id, ListCalls(limit=100))
    assert sorted(call.first for call in calls) == visitors
    stories = (await callbacks.list_callbacks(nodes[0].platform, shop.who, ListCallbacks())).items
    assert {story.request.state for story in stories} == {CallbackState.CALLING}
    change = ChangeForm("1", {"name": "Other"})
    assert (await callbackforms.change(nodes[5].platform, shop.who, change)).asked == 9
