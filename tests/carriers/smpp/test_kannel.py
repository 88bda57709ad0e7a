"""Debian's Kannel on either side of us: texts byte for byte both ways, receipts in its own callbacks."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from chappe.model.commands import ClaimNumber, ListMessages, SendFromHandset
from chappe.model.messages import MessageState
from chappe.model.smstext import Encoding, decode_gsm7
from chappe.services import inbox, sandbox
from tests.carriers.smpp.conftest import a_net, a_text
from tests.carriers.smpp.served import Served
from tests.peers.kannel import kannel, kannel_network
from tests.platform import caller

MOBILE = "33639980001"
TEXTS = {
    "short": "Bonjour",
    "accents": "Voilà l'été à Nîmes".replace("î", "i") + " {1} [2] ~ 5 €",
    "long": "Où es-tu passé ? {1} € " * 12,
    "unicode": "Prêt à être reçu 😀",
    "long unicode": "Prêt à être reçu 你好 " * 9,
}


async def test_kannel_sends_and_is_told(served: Served, tmp_path: Path) -> None:
    world, who = served.world, caller(served.new)
    queries, queued = world.platform.store.queries, ListMessages(state=MessageState.QUEUED)
    with world.platform.topics.subscribe(f"account.{served.new.account.id}") as bell:
        async with kannel(tmp_path, served.port, *served.login) as peer:
            for text in TEXTS.values():
                coding = "2" if "ê" in text else "0"
                assert await peer.send(f"+{MOBILE}", text, coding=coding) == "0: Accepted for delivery"
                while not (found := await queries.list_messages(who.account_id, queued)):
                    await bell.wait()
                assert [(one.text, one.peer, one.address) for one in found] == [(text, MOBILE, "SHOP")]
                await world.settle()
                path, fields = await peer.next_call()
                assert (path, fields["kind"]) == ("/receipt", "1")
                assert "stat:DELIVRD" in fields["answer"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_kannel_receives(served: Served, tmp_path: Path, text: str) -> None:
    world, who = served.world, caller(served.new)
    [own] = await world.platform.store.queries.own_numbers(who.account_id)
    await inbox.claim_number(world.platform, who, ClaimNumber(own.number, dialect="smpp"))
    async with kannel(tmp_path, served.port, *served.login) as peer:
        await sandbox.send_from_handset(world.platform, who, SendFromHandset(MOBILE, own.number, text))
        path, fields = await peer.next_call()
        octets = fields["text"].encode("latin-1")
        shown = octets.decode("utf-16-be" if fields["coding"] == "2" else "utf-8")
        assert (path, shown) == ("/inbound", text)
        assert fields["from"].removeprefix("+") == MOBILE
        assert fields["to"].removeprefix("+") == own.number


NETWORK_TEXTS = {
    "accents": "Où est l'été {1} [2] ~ 5 €",
    "long": "Où es-tu passé ? {1} € " * 12,
    "unicode": "你好世界",  # no zero octet, where Kannel's log ends
}


async def test_our_client_on_kannels_own_message_centre(tmp_path: Path) -> None:
    """Kannel's server takes pairs of binds, names every message alike, and sends no receipts."""
    async with kannel_network(tmp_path, messages=3) as peer:
        settings = {"bind": "pair", "texts": {"long": "sar"}}
        async with a_net(SimpleNamespace(port=peer.port), **settings) as net:  # type: ignore[arg-type]
            await net.up(2)
            await net.told.until(lambda: len(net.told.received) == 3)
            assert {(one.sender, one.to) for one in net.told.received} == {("456", "123")}
            assert [one.text for one in net.told.received] == ["1", "2", "3"]
            for number, text in enumerate(NETWORK_TEXTS.values(), 1):
                message = a_text(number, text)
                await net.carrier.submit([message])
                octets = await peer.texts(message.segments)
                whole = b"".join(octets)
                unicode = message.encoding is Encoding.UCS2
                assert (whole.decode("utf-16-be") if unicode else decode_gsm7(whole)) == text
            await net.told.until(lambda: len(net.told.submissions) == len(NETWORK_TEXTS))
            assert [one.fault for one in net.told.submissions] == [None] * len(NETWORK_TEXTS)
