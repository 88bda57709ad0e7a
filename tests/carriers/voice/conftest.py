"""The far sides, one after the other."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import pytest
import pytest_asyncio

from tests.carriers.voice.far import Far
from tests.carriers.voice.house import House, a_house
from tests.platform import World, a_world

CARRIERS = ("sandbox", "sip", "asterisk")
"""For each the module beside this one that has its far side."""


@asynccontextmanager
async def _world_on(migrated: Path, folder: Path) -> AsyncIterator[World]:
    (folder / "data").mkdir()
    shutil.copy(migrated, folder / "data" / "chappe.db")
    async with a_world(str(folder / "data")) as made:
        yield made


@pytest_asyncio.fixture(params=CARRIERS, scope="module", loop_scope="module")
async def _side(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Far]:
    folder = tmp_path_factory.mktemp(request.param)
    far_side = import_module(f"tests.carriers.voice.{request.param}").far_side
    async with _world_on(migrated_sqlite, folder) as world, far_side(world, folder) as side:
        yield side


@pytest_asyncio.fixture(loop_scope="module")
async def far(_side: Far) -> AsyncIterator[Far]:
    """A far side, which stands for all tests of a module; at rest between them."""
    yield _side
    await _side.rest()


@pytest_asyncio.fixture(params=CARRIERS[1:], scope="session", loop_scope="session")
async def _built(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp(request.param)
    async with _world_on(migrated_sqlite, folder) as world, a_house(world, request.param, folder) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def house(_built: House) -> AsyncIterator[House]:
    """A platform with five telephones, which stands for all tests; quiet between them."""
    yield _built
    await _built.be_quiet()
