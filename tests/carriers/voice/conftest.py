"""The far sides, one after the other."""

import shutil
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest
import pytest_asyncio

from tests.carriers.voice.far import Far
from tests.carriers.voice.house import House, a_house
from tests.platform import World, a_world

CARRIERS = ("sandbox", "sip", "asterisk")
"""For each the module beside this one that has its far side."""


@pytest_asyncio.fixture(params=CARRIERS)
async def far(request: pytest.FixtureRequest, sandbox_world: World, tmp_path: Path) -> AsyncIterator[Far]:
    module = import_module(f"tests.carriers.voice.{request.param}")
    async with module.far_side(sandbox_world, tmp_path) as side:
        yield side


@pytest_asyncio.fixture(params=CARRIERS[1:], scope="module", loop_scope="module")
async def _built(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "data").mkdir()
    shutil.copy(migrated_sqlite, folder / "data" / "chappe.db")
    async with a_world(str(folder / "data")) as world, a_house(world, request.param, folder) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(_built: House) -> AsyncIterator[House]:
    """A platform with five telephones, which stands for all tests of a module; quiet between them."""
    yield _built
    await _built.be_quiet()
