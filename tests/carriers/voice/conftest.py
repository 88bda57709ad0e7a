"""The far sides, one after the other."""

from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest
import pytest_asyncio

from tests.carriers.voice.far import Far
from tests.platform import World

CARRIERS = ("sandbox", "sip", "asterisk")
"""For each the module beside this one that has its far side."""


@pytest_asyncio.fixture(params=CARRIERS)
async def far(request: pytest.FixtureRequest, sandbox_world: World, tmp_path: Path) -> AsyncIterator[Far]:
    module = import_module(f"tests.carriers.voice.{request.param}")
    async with module.far_side(sandbox_world, tmp_path) as side:
        yield side
