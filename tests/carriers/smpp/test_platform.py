"""The whole way over a message centre: accepted, sent, receipted; a mobile's message finds its owner."""

import asyncio

import pytest
from msgspec.structs import replace

from chappe.carriers.smpp.texts import Texts, TextSettings
from chappe.model.carriers import CarrierRecord
from chappe.model.changes import Changes
from chappe.model.commands import ListMessages
from chappe.model.messages import Direction, MessageState
from chappe.model.smstext import Encoding
from chappe.protocols.smpp.codes import Status
from chappe.protocols.smpp.fields import decode_tlvs
from chappe.settings import RouteSettings, Settings
from tests.carriers.smpp.served import running
from tests.peers.smsc import (
    Smsc,
    a_message,
    a_receipt,
    accept_as,
    an_smsc,
    drop,
    drop_in_the_middle,
    garbage,
    ignore,
    refuse,
    twice,
)
from tests.peers.time import ManualTime
from tests.platform import a_world
from tests.services.asking import read, send_one


def settings_for(smsc: Smsc, **more: str) -> Settings:
    net = {"type": "smpp", "host": "127.0.0.1", "port": smsc.port, "system_id": "me", "password": "secret"}
    return Settings(carriers={"net": net | more}, routes=(RouteSettings("net"),))


async def sent(world, message):
    """Wait until the network has taken it."""
    with world.platform.topics.subscribe(f"account.{message.account_id}") as bell:
        while (await read(world, message)).state is not MessageState.SENT:
            await bell.wait()


async def test_a_message_goes_out_and_its_receipt_comes_back(tmp_path):
    async with an_smsc() as smsc, a_world(str(tmp_path), settings_for(smsc)) as world, running(world):
        new = await world.account()
        message = await send_one(world, new)
        await world.settle()
        await sent(world, message)
        assert (await read(world, message)).carrier_ids == "1"
        smsc.bring(a_receipt("1"))
        await smsc.until(lambda: smsc.statuses == [0])
        assert (await read(world, message)).state is MessageState.DELIVERED


async def received(world, account, count):
    """The messages that an account received, once there are so many, oldest first."""
    with world.platform.topics.subscribe(f"account.{account.id}") as bell:
        while True:
            found = await world.platform.store.queries.list_messages(
                account.id, ListMessages(direction=Direction.MO, limit=50)
            )
            if len(found) == count:
                return found[::-1]
            await bell.wait()


@pytest.mark.parametrize("long", ["udh8", "udh16", "sar"])
async def test_a_mobiles_long_message_is_put_together_in_any_order(tmp_path, long):
    text = "Où es-tu ? {1} " * 30
    brought = Texts(TextSettings(long=long)).parts(text, Encoding.GSM7, False, 77)
    units = [
        a_message(
            part.octets,
            part.data_coding,
            esm_class=part.esm_class,
            tlvs=decode_tlvs(part.tlvs, 0, len(part.tlvs)),
        )
        for part in brought
    ]
    async with an_smsc() as smsc, a_world(str(tmp_path), settings_for(smsc)) as world, running(world):
        new = await world.account()
        (number,) = await world.platform.store.queries.own_numbers(new.account.id)
        units = [replace(unit, dest=number.number) for unit in units]
        smsc.bring(units[2], units[0])
        await smsc.until(lambda: smsc.statuses == [0, 0])  # acknowledged before the rest has come
        smsc.bring(units[1], units[1], units[3])
        (message,) = await received(world, new.account, 1)
        assert (message.text, message.peer) == (text, "33612345678")


async def test_a_message_that_lacks_a_part_is_given_out_with_a_gap(tmp_path):
    parts = Texts(TextSettings()).parts("a" * 153 + "b" * 153 + "c" * 9, Encoding.GSM7, False, 77)
    async with an_smsc() as smsc, a_world(str(tmp_path), settings_for(smsc)) as world:
        (carrier,) = [one for one in world.chappe.carriers if one.name == "net"]
        carrier._time = time = ManualTime()
        async with running(world):
            new = await world.account()
            (number,) = await world.platform.store.queries.own_numbers(new.account.id)
            for part in (parts[0], parts[2]):
                smsc.bring(replace(a_message(part.octets, esm_class=part.esm_class), dest=number.number))
            await smsc.until(lambda: smsc.statuses == [0, 0])
            world.clock.move(minutes=11)
            time.move(60)
            (message,) = await received(world, new.account, 1)
            assert message.text == "a" * 153 + "[...]" + "c" * 9


async def test_what_is_learnt_of_receipts_outlives_a_restart(tmp_path):
    """Answers in hexadecimal, receipts in decimal: after ten of them the rule is known, and kept."""
    async with an_smsc([accept_as(*(f"a{n:x}" for n in range(100)))]) as smsc:
        settings = settings_for(smsc)
        async with a_world(str(tmp_path), settings) as world, running(world) as carrier:
            record = CarrierRecord(world.platform.ids.new_id(), "net", "node", {}, {}, world.clock.now())
            await world.platform.store.commit(Changes(insert=[record]))
            new = await world.account()
            for n in range(12):
                message = await send_one(world, new)
                await world.settle()
                await sent(world, message)
                smsc.bring(a_receipt(str(int(f"a{n:x}", 16))))
                await smsc.until(lambda n=n: len(smsc.statuses) == n + 1)
                assert (await read(world, message)).state is MessageState.DELIVERED
            assert carrier.status().id_rule.startswith("decimal-to-hex")
        async with a_world(str(tmp_path), settings) as world, running(world) as carrier:
            assert carrier.status().id_rule.startswith("decimal-to-hex")


# --- what a network may do to a message: the state that it is in afterwards


class Listening:
    """The platform's sink; `told` when it has been told of an answer."""

    def __init__(self, sink):
        self.sink, self.told = sink, asyncio.Event()

    async def submitted(self, batch):
        await self.sink.submitted(batch)
        self.told.set()

    def __getattr__(self, name):
        return getattr(self.sink, name)


FAILURES = [
    ("refused", refuse(Status.ESME_RINVDSTADR), MessageState.FAILED, MessageState.FAILED),
    ("refused for now", refuse(Status.ESME_RSYSERR), MessageState.QUEUED, MessageState.QUEUED),
    ("dropped", drop, MessageState.QUEUED, MessageState.SENDING),
    ("dropped in the middle of a unit", drop_in_the_middle, MessageState.QUEUED, MessageState.SENDING),
    ("garbage", garbage, MessageState.QUEUED, MessageState.SENDING),
    ("never answered", ignore, MessageState.QUEUED, MessageState.SENDING),
    ("answered twice", twice, MessageState.SENT, MessageState.SENT),
]


@pytest.mark.parametrize("after_crash", ["resend", "wait"])
@pytest.mark.parametrize(("what", "answer", "resent", "waits"), FAILURES, ids=[one[0] for one in FAILURES])
async def test_the_state_after_a_failure(tmp_path, what, answer, resent, waits, after_crash):
    async with (
        an_smsc([answer]) as smsc,
        a_world(str(tmp_path), settings_for(smsc, after_crash=after_crash)) as world,
        running(world) as carrier,
    ):
        for link in carrier._links:
            link._connection._time = time = ManualTime(asyncio.get_running_loop().time())
            link._connection._tick()
        carrier._sink = sink = Listening(carrier._sink)
        world.chappe.outbox["net"].begin(carrier)
        new = await world.account()
        message = await send_one(world, new)
        await world.chappe.outbox["net"].step(carrier)
        await smsc.until(lambda: len(smsc.submitted) > 0)
        if what == "never answered":
            time.move(60)
        await sink.told.wait()
        found = await read(world, message)
        assert found.state is (resent if after_crash == "resend" else waits)
        assert (await world.balance(new.account) == 200_000) is (found.state is MessageState.FAILED)
