"""Debian's Kannel binds to our server: texts byte for byte both ways, receipts in its own callbacks."""

from pathlib import Path

import pytest

from chappe.model.commands import ClaimNumber, ListMessages, SendFromHandset
from chappe.model.messages import MessageState
from chappe.services import inbox, sandbox
from tests.carriers.smpp.served import Served
from tests.peers.kannel import kannel
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
