"""Fixtures that every test may ask for."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings

from chappe.store.database import open_database
from chappe.store.migrate import migrate
from tests.platform import World, a_world
from tests.postgres import Cluster, running_cluster

# No example is refused for being slow: no test of ours says anything about duration.
settings.register_profile("chappe", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("chappe")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables and no records, to be copied: migrating costs half a second."""
    folder = tmp_path_factory.mktemp("migrated")
    asyncio.run(_migrate(str(folder)))
    return folder / "chappe.db"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_cluster: Cluster) -> str:
    """The name of a database with all tables and no records, to be copied."""
    name = postgres_cluster.create()
    asyncio.run(_migrate(postgres_cluster.url(name)))
    return name


@pytest.fixture(scope="session")
def lent_postgres(postgres_cluster: Cluster, migrated_postgres: str) -> str:
    """The name of a database with all tables, which one test after the other has for itself."""
    return postgres_cluster.create(migrated_postgres)


async def _migrate(address: str) -> None:
    database = open_database(address)
    await migrate(database)
    await database.close()


def _copy_of(migrated: Path, folder: Path) -> str:
    folder.mkdir()
    shutil.copy(migrated, folder / "chappe.db")
    return str(folder)


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    name = postgres_cluster.create()
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with all tables on each engine in turn: the contract suites run on both."""
    if request.param == "sqlite":
        yield _copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path / "data")
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = request.getfixturevalue("lent_postgres")
    yield cluster.url(name)
    cluster.empty(name)


@pytest_asyncio.fixture
async def world(database_address: str) -> AsyncIterator[World]:
    """A whole platform, once on each database."""
    async with a_world(database_address) as made:
        yield made


@pytest_asyncio.fixture
async def sandbox_world(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[World]:
    """A whole platform on SQLite, for tests whose subject is not the database."""
    async with a_world(_copy_of(migrated_sqlite, tmp_path / "data")) as made:
        yield made
