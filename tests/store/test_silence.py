"""A connection to the database that goes silent and never ends, as where a machine between is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection, text

from chappe.model.errors import Unavailable
from chappe.store.database import open_database
from tests.postgres import Cluster


@dataclass
class Between:
    """Passes bytes on, until it is silent."""

    port: int
    target: int
    silent: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        for way in ((reader, ours), (theirs, writer)):
            self.tasks.add(asyncio.create_task(self._pass(*way)))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if not self.silent:
                writer.write(data)
        writer.close()


@asynccontextmanager
async def between(target: int) -> AsyncIterator[Between]:
    made = Between(0, target)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)


async def test_a_silent_connection_is_given_up_and_another_one_made(
    postgres_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chappe.store.database._PATIENCE", 0.3)
    name = postgres_cluster.create()
    async with between(postgres_cluster.port) as proxy:
        database = open_database(f"postgresql://postgres@127.0.0.1:{proxy.port}/{name}")

        def ask(connection: Connection) -> int:
            return int(connection.execute(text("select 1")).scalar_one())

        assert await database.read(ask) == 1
        proxy.silent = True
        async with asyncio.timeout(60):
            with pytest.raises(Unavailable, match="database is away"):
                await database.read(ask)
            with pytest.raises(Unavailable, match="database is away"):
                await database.write(ask)
        proxy.silent = False
        assert await database.read(ask) == 1
        assert await database.write(ask) == 1
        await database.close()
    postgres_cluster.drop(name)
