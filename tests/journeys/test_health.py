"""What `/readyz` says when a node cannot accept messages, and why."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chappe.model.errors import Refusal
from chappe.store.database import Database
from tests.asgi import ask
from tests.platform import World, a_world
from tests.services.asking import send_one


async def ready(world: World) -> tuple[int, dict[str, Any]]:
    answer = await ask(world.chappe.application, "GET", "/readyz")
    return answer.status, msgspec.json.decode(answer.body)


async def test_a_node_in_order(tmp_path: Path) -> None:
    async with a_world(str(tmp_path)) as world:
        counts = {"known": 1, "here": 1, "up": 1}
        assert await ready(world) == (200, {"status": "ok", "carriers": counts})


async def test_a_disk_with_too_little_room(tmp_path: Path) -> None:
    async with a_world(str(tmp_path)) as world:
        new, store = await world.account(), world.platform.store
        store.look_at_disk(2**62)
        status, said = await ready(world)
        assert (status, said["status"]) == (503, "not ready")
        assert said["troubles"] == [
            "the platform's disk is full; its operator has to make room, then send again"
        ]
        with pytest.raises(Refusal, match="disk is full"):
            await send_one(world, new)
        store.look_at_disk(0)
        assert (await ready(world))[0] == 200
        await send_one(world, new)


async def test_writing_that_does_not_keep_up(tmp_path: Path) -> None:
    async with a_world(str(tmp_path)) as world:
        pressure = world.platform.store._writer.pressure
        pressure.add(50_000)
        status, said = await ready(world)
        assert (status, said["troubles"]) == (
            503,
            ["the platform is writing as fast as its disk allows; send again in a moment"],
        )


async def test_a_database_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence(database: Database, work: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("chappe.services.health._PATIENCE", 0.01)
    async with a_world(str(tmp_path)) as world:
        database = world.platform.store._database
        monkeypatch.setattr(type(database), "read", silence)
        status, said = await ready(world)
        assert (status, said["troubles"]) == (
            503,
            ["the platform's database has not answered for 0.01 seconds"],
        )
        monkeypatch.undo()
