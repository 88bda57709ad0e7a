"""Programs that we did not write bind to our server: npm's smpp and smpplib."""

import asyncio

import pytest
import smpplib.client
from smpplib import gsm

from chappe.model.commands import ClaimNumber, ListMessages, SendFromHandset
from chappe.model.messages import MessageState
from chappe.model.smstext import Encoding, plan
from chappe.services import inbox, sandbox
from tests.carriers.smpp.served import Served
from tests.peers.node import a_program, npm_parts
from tests.platform import caller

MOBILE = "33639980001"
SHORT = "Voilà {1} € @"
UNICODE = "Prêt à être reçu 😀"
LONG = "Où es-tu passé ? {1} € " * 12


async def sent(served: Served) -> list[str]:
    queries = served.world.platform.store.queries
    found = await queries.list_messages(served.new.account.id, ListMessages(state=MessageState.DELIVERED))
    return [message.text for message in reversed(found)]


async def test_npm_smpp_sends_and_is_told(served: Served) -> None:
    world, who = served.world, caller(served.new)
    login, password = served.login
    [own] = await world.platform.store.queries.own_numbers(who.account_id)
    await inbox.claim_number(world.platform, who, ClaimNumber(own.number, dialect="smpp"))
    async with a_program("esme.js") as node:
        node.ask(port=served.port, system_id=login, password=password)
        assert await node.until("bound") == [0]
        plain = {"source_addr_ton": 5, "source_addr": "SHOP", "dest_addr_ton": 1, "destination_addr": MOBILE}
        for text in (SHORT, UNICODE):
            node.ask(**plain, short_message=text, registered_delivery=1)
        names = await node.until("submitted", 2)
        assert await node.until("status", 2) == [0, 0]
        await world.settle()
        assert sorted(await sent(served)) == sorted([SHORT, UNICODE])
        assert sorted(await node.until("id", 2)) == sorted(names)
        assert await node.until("state", 2) == [2, 2]
        await sandbox.send_from_handset(world.platform, who, SendFromHandset(MOBILE, own.number, UNICODE))
        assert (await node.until("delivered", 3))[2] == UNICODE


TEXTS = {
    "accents": "Voilà l'été à Nice {1} [2] ~ 5 € @",
    "unicode": UNICODE,
    "long": LONG,
    "long unicode": "Prêt à être reçu, œuf compris 😀 你好. " * 8,
}


def submits(text: str, long: str) -> list[dict[str, object]]:
    """The submit_sm of a text, in npm's words; what is longer than one SMS goes whole or in parts."""
    unit: dict[str, object] = {"source_addr_ton": 5, "source_addr": "SHOP", "registered_delivery": 1}
    unit |= {"dest_addr_ton": 1, "destination_addr": MOBILE}
    if long == "payload":
        coding = 8 if plan(text).encoding is Encoding.UCS2 else 0
        return [unit | {"message_payload": text, "short_message": "", "data_coding": coding}]
    return [unit | part for part in npm_parts(text)]


@pytest.mark.parametrize("long", ["payload", "header"])
async def test_npm_smpps_texts_arrive_byte_for_byte_and_come_back(served: Served, long: str) -> None:
    world, who = served.world, caller(served.new)
    login, password = served.login
    [own] = await world.platform.store.queries.own_numbers(who.account_id)
    await inbox.claim_number(world.platform, who, ClaimNumber(own.number, dialect="smpp"))
    async with a_program("esme.js") as node:
        node.ask(port=served.port, system_id=login, password=password)
        assert await node.until("bound") == [0]
        units = [unit for text in TEXTS.values() for unit in submits(text, long)]
        for unit in units:
            node.ask(**unit)
        assert await node.until("status", len(units)) == [0] * len(units)
        names = await node.until("submitted", len(units))
        assert len(set(names)) == len(units)
        await world.settle()
        assert sorted(await sent(served)) == sorted(TEXTS.values())
        assert sorted(await node.until("id", len(units))) == sorted(names)
        assert set(await node.until("state", len(units))) == {2}
        told = len(units)
        for text in TEXTS.values():
            await sandbox.send_from_handset(world.platform, who, SendFromHandset(MOBILE, own.number, text))
            parts = plan(text).segments
            assert "".join((await node.until("delivered", told + parts))[told:]) == text
            told += parts


async def test_smpplib_sends_and_is_told(served: Served) -> None:
    login, password = served.login
    client = smpplib.client.Client("127.0.0.1", served.port, allow_unknown_opt_params=True)
    told: list[object] = []
    client.set_message_received_handler(lambda pdu: told.append(pdu))
    names: list[bytes] = []
    client.set_message_sent_handler(lambda pdu: names.append(pdu.message_id))

    await asyncio.to_thread(client.connect)
    await asyncio.to_thread(client.bind_transceiver, system_id=login, password=password)
    count = 0
    for text in (SHORT, LONG):
        parts, coding, kind = gsm.make_parts(text)
        count += len(parts)
        for part in parts:
            fields = {"source_addr_ton": 5, "source_addr": "SHOP", "dest_addr_ton": 1, "dest_addr_npi": 1}
            fields |= {"destination_addr": MOBILE, "short_message": part, "data_coding": coding}
            client.send_message(**fields, esm_class=kind, registered_delivery=1)
    for _ in range(count):
        await asyncio.to_thread(client.read_once)
    await served.world.settle()
    assert sorted(await sent(served)) == sorted([SHORT, LONG])
    for _ in range(count):
        await asyncio.to_thread(client.read_once)
    receipted = [pdu.receipted_message_id for pdu in told]  # type: ignore[attr-defined]
    assert sorted(receipted) == sorted(names)
    await asyncio.to_thread(client.unbind)
    await asyncio.to_thread(client.disconnect)
