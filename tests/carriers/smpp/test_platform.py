"""The whole way over a message centre: accepted, sent, receipted; a mobile's message finds its owner."""

import asyncio
from contextlib import asynccontextmanager

from chappe.model.messages import MessageState
from chappe.settings import RouteSettings, Settings
from tests.peers.smsc import Smsc, a_receipt, an_smsc
from tests.platform import a_world
from tests.services.asking import read, send_one


def settings_for(smsc: Smsc) -> Settings:
    net = {"type": "smpp", "host": "127.0.0.1", "port": smsc.port, "system_id": "me", "password": "secret"}
    return Settings(carriers={"net": net}, routes=(RouteSettings("net"),))


@asynccontextmanager
async def running(world, name="net"):
    (carrier,) = [one for one in world.chappe.carriers if one.name == name]
    with world.platform.topics.subscribe(f"carrier.{name}") as bell:
        task = asyncio.create_task(carrier.run())
        try:
            while not carrier.window:
                await bell.wait()
            yield carrier
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_message_goes_out_and_its_receipt_comes_back(tmp_path):
    async with an_smsc() as smsc, a_world(str(tmp_path), settings_for(smsc)) as world, running(world):
        new = await world.account()
        message = await send_one(world, new)
        await world.settle()
        with world.platform.topics.subscribe("carrier.net") as bell:
            while (await read(world, message)).state is not MessageState.SENT:
                await bell.wait()
        assert (await read(world, message)).carrier_ids == "1"
        smsc.bring(a_receipt("1"))
        await smsc.until(lambda: smsc.statuses == [0])
        assert (await read(world, message)).state is MessageState.DELIVERED
