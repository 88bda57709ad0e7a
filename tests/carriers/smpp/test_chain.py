"""A customer on one side, a network on the other, neither of them ours: Debian's Kannel binds to our server,
and our client carries what it sends to npm's smpp and back."""

from pathlib import Path

import pytest

from chappe.model.commands import ClaimNumber, ListMessages
from chappe.model.smstext import Encoding, plan
from chappe.services import inbox
from chappe.services.accounts import NewAccount
from chappe.settings import RouteSettings, Settings
from tests.carriers.smpp.served import running, serving
from tests.peers.kannel import kannel
from tests.peers.node import a_program, npm_parts
from tests.platform import World, a_world, caller

MOBILE = "33612345678"
TEXTS = {
    "plain": "Bonjour",
    "accents": "Voilà l'été à Nice {1} [2] ~ 5 €",
    "long": "Où es-tu passé ? {1} € " * 12,
    "unicode": "Prêt à être reçu 😀",
    "long unicode": "Prêt à être reçu 你好 " * 9,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_kannels_texts_reach_npm_smpp_and_their_receipts_and_answers_come_back(
    tmp_path: Path, text: str
) -> None:
    async with a_program("smsc.js") as node:
        (port,) = await node.until("port")
        net = {"type": "smpp", "host": "127.0.0.1", "port": port, "system_id": "me", "password": "secret"}
        settings = Settings(smpp_server={"port": 0}, carriers={"net": net}, routes=(RouteSettings("net"),))
        async with (
            a_world(str(tmp_path), settings) as world,
            serving(world) as listening,
            running(world),
        ):
            new = await world.account()
            secret = new.secrets["smpp"]
            [own] = await world.platform.store.queries.own_numbers(new.account.id)
            await inbox.claim_number(world.platform, caller(new), ClaimNumber(own.number, dialect="smpp"))
            async with kannel(tmp_path, listening, secret.login, secret.secret) as peer:
                coding = "2" if plan(text).encoding is Encoding.UCS2 else "0"
                assert await peer.send(f"+{MOBILE}", text, coding=coding) == "0: Accepted for delivery"
                await accepted(world, new)
                await world.settle()
                parts = await node.until("text", plan(text).segments)
                assert "".join(parts) == text
                assert {one["from"] for one in node.told if "text" in one} == {"SHOP"}
                path, fields = await peer.next_call()
                assert (path, fields["kind"]) == ("/receipt", "1")
                assert "stat:DELIVRD" in fields["answer"]
                for unit in from_a_mobile(own.number, text):
                    node.ask(**unit)
                path, fields = await peer.next_call()
                octets = fields["text"].encode("latin-1")
                shown = octets.decode("utf-16-be" if fields["coding"] == "2" else "utf-8")
                assert (path, shown) == ("/inbound", text)
                assert fields["from"].removeprefix("+") == MOBILE
                assert set(await node.until("answered")) == {0}


def from_a_mobile(to: str, text: str) -> list[dict[str, object]]:
    """The deliver_sm of a text, in npm's words."""
    unit: dict[str, object] = {"source_addr_ton": 1, "source_addr": MOBILE, "destination_addr": to}
    return [unit | part for part in npm_parts(text)]


async def accepted(world: World, new: NewAccount) -> None:
    """Until the account's message is there."""
    account_id = new.account.id
    with world.platform.topics.subscribe(f"account.{account_id}") as bell:
        while not await world.platform.store.queries.list_messages(account_id, ListMessages()):
            await bell.wait()
