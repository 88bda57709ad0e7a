"""The store alone, on each database in turn."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.store.ground import Ground, a_ground


@pytest_asyncio.fixture
async def ground(database_address: str) -> AsyncIterator[Ground]:
    async with a_ground(database_address) as made:
        yield made
