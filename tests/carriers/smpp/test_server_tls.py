"""Our server over TLS: npm's smpp binds to it, and so does our own client; without TLS nobody gets in."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio

from chappe.model.carriers import LinkState
from chappe.model.commands import ListMessages
from chappe.model.messages import MessageState
from chappe.settings import Settings
from tests.carriers.smpp.conftest import a_net, a_text
from tests.carriers.smpp.served import Served, serving
from tests.peers.node import a_program
from tests.platform import a_world

MOBILE = "33639980001"


@pytest_asyncio.fixture
async def served_over_tls(migrated_sqlite: Path, tmp_path: Path, certificate: Path) -> AsyncIterator[Served]:
    shutil.copy(migrated_sqlite, tmp_path / "chappe.db")
    files = {"tls_certificate": certificate / "cert.pem", "tls_key": certificate / "key.pem"}
    settings = Settings(smpp_server={"port": 0} | {name: str(file) for name, file in files.items()})
    async with a_world(str(tmp_path), settings) as world, serving(world) as port, AsyncExitStack() as stack:
        yield Served(world, await world.account(), port, stack)


async def texts_of(served: Served, state: MessageState) -> list[str]:
    queries = served.world.platform.store.queries
    return [one.text for one in await queries.list_messages(served.new.account.id, ListMessages(state=state))]


async def test_npm_smpp_over_tls(served_over_tls: Served, certificate: Path) -> None:
    login, password = served_over_tls.login
    tls = {"tls": True, "ca": (certificate / "cert.pem").read_text(), "servername": "smsc.test"}
    async with a_program("esme.js") as node:
        node.ask(port=served_over_tls.port, system_id=login, password=password, **tls)
        assert await node.until("bound") == [0]
        plain = {"source_addr_ton": 5, "source_addr": "SHOP", "dest_addr_ton": 1, "destination_addr": MOBILE}
        node.ask(**plain, short_message="Voilà 5 €", registered_delivery=1)
        [name] = await node.until("submitted")
        await served_over_tls.world.settle()
        assert await texts_of(served_over_tls, MessageState.DELIVERED) == ["Voilà 5 €"]
        assert await node.until("id") == [name]


async def test_our_client_over_tls(served_over_tls: Served, certificate: Path) -> None:
    login, password = served_over_tls.login
    table = {"system_id": login, "password": password, "tls": True}
    table |= {"tls_ca": str(certificate / "cert.pem"), "tls_name": "smsc.test"}
    async with a_net(SimpleNamespace(port=served_over_tls.port), **table) as net:  # type: ignore[arg-type]
        await net.up()
        await net.carrier.submit([a_text(1, "Voilà 5 €", peer=MOBILE, address="SHOP")])
        await net.told.until(lambda: len(net.told.submissions) == 1)
        await served_over_tls.world.settle()
        await net.told.until(lambda: len(net.told.heard) == 1)
        [submission], [receipt] = net.told.submissions, net.told.heard
        assert (receipt.carrier_id,) == submission.carrier_ids
        assert receipt.state is MessageState.DELIVERED


@pytest.mark.parametrize("tls", [{"tls": True}, {}], ids=["another authority", "no TLS"])
async def test_who_does_not_trust_it_or_speaks_plainly_stays_outside(
    served_over_tls: Served, tls: dict[str, bool]
) -> None:
    login, password = served_over_tls.login
    port = SimpleNamespace(port=served_over_tls.port)
    async with a_net(port, system_id=login, password=password, **tls) as net:  # type: ignore[arg-type]
        await net.until(lambda: net.links[0].error != "")
        assert net.links[0].state is LinkState.DOWN
    assert served_over_tls.world.chappe.smpp_server is not None
    assert served_over_tls.world.chappe.smpp_server.binds == 0
