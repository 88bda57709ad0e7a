"""One history of migrations for both databases, and it ends at tables.py."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
import pytest_asyncio
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

import chappe.store
from chappe.store.database import open_database
from chappe.store.migrate import HEAD, migrate, node_number, shared_secret
from chappe.store.tables import metadata
from tests.postgres import Cluster
from tests.store.ground import Ground, a_ground

FOLDER = Path(chappe.store.__file__).parent / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, on each engine in turn."""
    if request.param == "sqlite":
        yield str(tmp_path / "data")
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest_asyncio.fixture
async def ground(empty_address: str) -> AsyncIterator[Ground]:
    """On a database of its own: these tests take its tables apart."""
    database = open_database(empty_address)
    await migrate(database)
    await database.close()
    async with a_ground(empty_address) as made:
        yield made


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def test_the_newest_migration_is_the_one_the_product_asks_for() -> None:
    scripts = ScriptDirectory.from_config(_config())
    assert scripts.get_heads() == [HEAD]
    newest = max(path.name for path in (FOLDER / "versions").glob("*.py"))
    assert newest.startswith(HEAD)


async def test_from_empty(empty_address: str) -> None:
    database = open_database(empty_address)
    await migrate(database)
    names = await database.read(lambda connection: set(inspect(connection).get_table_names()))
    assert names == set(metadata.tables) | {"alembic_version"}
    await migrate(database)
    await database.close()


async def test_migrated_tables_are_those_of_the_code(ground: Ground) -> None:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, metadata))

    assert await ground.database.read(compare) == []


async def test_checks_and_conditions_of_indexes_are_those_of_the_code(ground: Ground, tmp_path: Path) -> None:
    """What Alembic does not compare: the database's own words for tables made by the code alone."""

    def words(connection: Connection) -> set[tuple[str, str]]:
        if connection.dialect.name == "sqlite":
            statement = "select name, sql from sqlite_master where type = 'index' and sql is not null"
            found = {(row[0], " ".join(row[1].split())) for row in connection.exec_driver_sql(statement)}
        else:
            statement = "select indexname, indexdef from pg_indexes where schemaname = current_schema()"
            found = {(row[0], row[1]) for row in connection.exec_driver_sql(statement)}
        for table in metadata.tables:
            checks = inspect(connection).get_check_constraints(table)
            found |= {(str(check["name"]), check["sqltext"].strip("()")) for check in checks}
        return found

    def made_anew(connection: Connection) -> set[tuple[str, str]]:
        for table in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"drop table {table}")
        metadata.create_all(connection)
        return words(connection)

    migrated = {pair for pair in await ground.database.read(words) if "alembic" not in pair[0]}
    assert len(migrated) > 20
    assert migrated == await ground.database.write(made_anew)


async def test_down_and_up_again(ground: Ground) -> None:
    def down(connection: Connection) -> list[str]:
        command.downgrade(_config(connection), "base")
        return inspect(connection).get_table_names()

    assert await ground.database.write(down) == ["alembic_version"]
    await migrate(ground.database)
    assert await node_number(ground.database) == 1


_MIGRATE = """
import asyncio, sys
from chappe.store.database import open_database
from chappe.store.migrate import migrate, node_number, shared_secret

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    database = open_database(sys.argv[1])
    await migrate(database)
    print(await node_number(database), (await shared_secret(database)).hex(), "alembic" in sys.modules)
    await database.close()

asyncio.run(main())
"""


def _together(address: str, processes: int = 3) -> list[list[str]]:
    """What so many processes say that migrate at the same moment."""
    started = [
        Popen([sys.executable, "-c", _MIGRATE, address], stdin=PIPE, stdout=PIPE, text=True)
        for _ in range(processes)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate()[0].split() for one in started]
    assert [one.returncode for one in started] == [0] * processes
    return said


async def test_processes_that_start_at_once(empty_address: str) -> None:
    """All come up, each with a node number of its own, and with one secret between them."""
    said = await asyncio.to_thread(_together, empty_address)
    assert sorted(words[0] for words in said) == ["1", "2", "3"]
    assert len({words[1] for words in said}) == 1
    again = await asyncio.to_thread(_together, empty_address, 1)
    assert again[0][1:] == [said[0][1], "False"]


async def test_the_secret_is_made_once(ground: Ground) -> None:
    first = await shared_secret(ground.database)
    assert (len(first), await shared_secret(ground.database)) == (32, first)
