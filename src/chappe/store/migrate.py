"""Brings a database to the newest form of the tables; the history is store/migrations."""

import secrets
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from chappe.model.errors import Unavailable
from chappe.store.database import Database, DatabaseUnusable, open_database
from chappe.store.trouble import first_line

HEAD = "0027"
"""The newest migration; a test compares it with the folder."""


async def opened(address: str) -> Database:
    """The database at an address, up to date. Raises DatabaseUnusable."""
    try:
        database = open_database(address)
    except OSError as error:
        raise DatabaseUnusable(f"the database cannot be used: {first_line(error)}") from error
    trouble: tuple[type[Exception], ...] = (OSError, SQLAlchemyError, Unavailable, *database.trouble)
    try:
        await migrate(database)
    except trouble as error:
        await database.close()
        raise DatabaseUnusable(f"the database cannot be used: {first_line(error)}") from error
    return database


async def migrate(database: Database) -> None:
    """Run what is missing; several processes that start at once are serialised by the database."""
    if await database.read(_version) != HEAD:
        await database.rebuild(_upgrade)


async def node_number(database: Database) -> int:
    """A number that no other process of this database was given since 1,023 starts."""
    return await database.write(_next_node)


async def shared_secret(database: Database) -> bytes:
    """The platform's secret (32 bytes), made at first use: it keys the hashes of API keys and signs
    console sessions. It lives in the database so that all nodes share it; `CHAPPE_SECRET` overrides it
    where the owner wants it elsewhere."""
    return await database.write(_secret)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    # Imported here: Alembic costs a third of a second, and only a database that is not up to date needs it.
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(20030718)"))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _next_node(connection: Connection) -> int:
    return int(
        connection.execute(
            text(
                "insert into counters (name, value) values ('node', 1)"
                " on conflict (name) do update set value = counters.value + 1 returning value"
            )
        ).scalar_one()
    )


def _secret(connection: Connection) -> bytes:
    connection.execute(
        text("insert into settings (name, value) values ('secret', :value) on conflict (name) do nothing"),
        {"value": secrets.token_hex(32)},
    )
    value = connection.execute(text("select value from settings where name = 'secret'")).scalar_one()
    return bytes.fromhex(value)
