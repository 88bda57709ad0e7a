"""Our client on npm's smpp as message centre: every text byte for byte, receipts, messages from mobiles."""

from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from chappe.model.carriers import LinkState
from chappe.model.messages import MessageState
from chappe.model.smstext import Encoding, plan
from tests.carriers.smpp.conftest import a_net, a_text
from tests.peers.node import a_program

TEXTS = {
    "plain": "Hello world",
    "gsm": "Où est l'été ? àéèùìòÇ @£$¥ΔΦΓΛΩΠΨΣΘΞÆæß ÄÖÑÜ§¿äöñü",
    "extended": "{[~]} \\ ^ | €",
    "ucs2": "Œuvre, ça va ? Příliš žluťoučký kůň 你好 ☎",
    "emoji": "👋🏽 à bientôt 😀",
    "long gsm": "L'été à la plage: 10 € {par} personne. " * 12,
    "long ucs2": "Ça coûte 10 € à Besançon, œuf compris 😀. " * 8,
}


@asynccontextmanager
async def on_node(**settings):
    async with a_program("smsc.js") as node:
        (port,) = await node.until("port")
        async with a_net(SimpleNamespace(port=port), **settings) as net:
            await net.up()
            yield node, net


@pytest.mark.parametrize("long", ["udh8", "udh16", "payload"])
async def test_texts_arrive_byte_for_byte_and_their_receipts_come_back(long):
    async with on_node(texts={"long": long}) as (node, net):
        messages = [a_text(number, text) for number, text in enumerate(TEXTS.values(), 1)]
        await net.carrier.submit(messages)
        await net.told.until(lambda: len(net.told.submissions) == len(messages))
        by_id = {one["submitted"]: one for one in node.told if "submitted" in one}
        units = sum(len(one.carrier_ids) for one in net.told.submissions)
        await node.until("submitted", units)
        by_id = {one["submitted"]: one for one in node.told if "submitted" in one}
        arrived = {
            one.message_id: "".join(by_id[name]["text"] for name in one.carrier_ids)
            for one in net.told.submissions
        }
        assert arrived == {message.id: message.text for message in messages}
        if long == "udh8":
            assert units == sum(plan(text).segments for text in TEXTS.values())
        await node.until("answered", units)
        assert [one["answered"] for one in node.told if "answered" in one] == [0] * units
        names = {name for one in net.told.submissions for name in one.carrier_ids}
        assert {one.carrier_id for one in net.told.heard} == names
        assert {one.state for one in net.told.heard} == {MessageState.DELIVERED}


async def test_a_mobiles_texts_arrive_byte_for_byte():
    texts = [TEXTS[name] for name in ("plain", "gsm", "extended", "ucs2", "emoji")]
    async with on_node() as (node, net):
        for text in texts:
            # Left alone it announces ASCII (1) and writes GSM.
            coding = 0 if plan(text).encoding is Encoding.GSM7 else 8
            mobile = {"source_addr": "33612345678", "destination_addr": "20345", "data_coding": coding}
            node.ask(**mobile, short_message=text)
        assert await node.until("answered", len(texts)) == [0] * len(texts)
        assert [one.text for one in net.told.received] == texts
        assert {(one.sender, one.to) for one in net.told.received} == {("33612345678", "20345")}


async def test_a_pair_of_binds():
    async with a_program("smsc.js") as node:
        (port,) = await node.until("port")
        async with a_net(SimpleNamespace(port=port), bind="pair") as net:
            await net.up(2)
            await net.carrier.submit([a_text(1)])
            assert await node.until("answered") == [0]
            assert [one.carrier_id for one in net.told.heard] == ["00000001"]


async def test_a_wrong_password_is_told():
    async with a_program("smsc.js") as node:
        (port,) = await node.until("port")
        async with a_net(SimpleNamespace(port=port), password="wrong") as net:
            await net.until(lambda: net.links[0].error != "" and net.links[0].state is LinkState.DOWN)
            assert net.links[0].error == "the network refused the bind: ESME_RINVPASWD"
