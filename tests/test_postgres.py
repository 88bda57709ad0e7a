"""The throw-away cluster that the other tests rely on."""

import asyncpg

from tests.postgres import Cluster


async def test_every_test_gets_an_empty_database(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("create table seen (at timestamptz)")
    tables = await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'")
    await connection.close()
    assert tables == 1


async def test_a_database_can_be_copied_from_a_template(postgres_cluster: Cluster) -> None:
    template = postgres_cluster.create()
    postgres_cluster.execute("create table pattern (x int)", template)
    copy = postgres_cluster.create(template)
    connection = await asyncpg.connect(postgres_cluster.url(copy))
    assert await connection.fetchval("select count(*) from pattern") == 0
    await connection.close()
    postgres_cluster.drop(copy)
    postgres_cluster.drop(template)
