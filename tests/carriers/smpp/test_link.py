"""Links: made again when they are lost, watched, in pairs, over TLS, and what they tell of themselves."""

import asyncio
import ssl

import pytest

from chappe.carriers.smpp.settings import read_settings
from chappe.model.carriers import LinkState
from chappe.protocols.smpp.codes import Command, Status
from tests.carriers.smpp.conftest import a_net, a_text
from tests.peers.smsc import a_receipt, an_smsc, drop, keep, refuse, welcome


async def test_a_lost_link_is_made_again_after_a_second():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        smsc.sessions[0].close()
        await net.until(lambda: net.links[0].state is LinkState.DOWN)
        assert net.links[0].error == "the network closed the connection"
        net.time.move(0.9)
        assert net.links[0].state is LinkState.DOWN
        net.time.move(0.2)
        await net.up()
        await net.carrier.submit([a_text(1)])
        await net.told.until(lambda: len(net.told.submissions) == 1)
        assert net.links[0].error == ""


async def test_a_network_that_refuses_the_bind_is_asked_less_and_less_often():
    async with an_smsc(on_bind=refuse(Status.ESME_RINVPASWD)) as smsc, a_net(smsc) as net:
        pauses = []
        for attempt in range(1, 9):
            await net.until(
                lambda attempt=attempt: (
                    len(smsc.sessions) == attempt
                    and net.links[0].state is LinkState.DOWN
                    and not smsc.sessions[-1].is_open
                )
            )
            await asyncio.sleep(0)
            waited = 0.0
            while net.links[0].state is LinkState.DOWN:
                net.time.move(1)
                waited += 1
                await asyncio.sleep(0)
            pauses.append(waited)
        assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
        assert net.links[0].error == "the network refused the bind: ESME_RINVPASWD"
        assert net.carrier.window == 0


async def test_a_link_is_down_since_it_was_lost_however_often_it_was_tried():
    async with an_smsc() as smsc, a_net(smsc) as net:
        await net.up()
        net.clock.move(minutes=1)
        smsc.on_bind = refuse(Status.ESME_RINVPASWD)
        smsc.sessions[0].close()
        await net.until(lambda: net.links[0].state is LinkState.DOWN)
        lost = net.clock.now()
        for attempt in (2, 3):
            net.clock.move(minutes=1)
            while len(smsc.sessions) < attempt or net.links[0].state is not LinkState.DOWN:
                net.time.move(1)
                await asyncio.sleep(0)
            assert net.links[0].since == lost
        smsc.on_bind = welcome
        net.clock.move(minutes=1)
        while net.links[0].state is not LinkState.UP:
            net.time.move(1)
            await asyncio.sleep(0)
        assert net.links[0].since == net.clock.now()


async def test_a_network_that_is_not_there_is_said_to_be_away():
    async with an_smsc() as smsc:
        pass
    async with a_net(smsc) as net:
        await net.until(lambda: net.links[0].error != "")
        assert f"127.0.0.1:{smsc.port}" in net.links[0].error
        assert net.links[0].state is LinkState.DOWN


async def test_a_line_that_is_dead_is_cut_and_made_again():
    settings = {"enquire_link_seconds": 20, "response_seconds": 5}
    async with an_smsc([keep]) as smsc, a_net(smsc, **settings) as net:
        await net.up()
        smsc.sessions[0].stop_reading()  # as behind a router that has forgotten the connection
        net.time.move(26)
        await net.until(lambda: net.links[0].state is LinkState.DOWN)
        assert net.links[0].error == "the line is dead: no answer to enquire_link within 5 seconds"
        net.time.move(1)
        await net.up()
        assert len(smsc.sessions) == 2


async def test_a_quiet_line_that_answers_stays():
    async with an_smsc() as smsc, a_net(smsc, enquire_link_seconds=20, response_seconds=5) as net:
        await net.up()
        for number in range(1, 11):
            net.time.move(20)
            smsc.bring(a_receipt("1"))  # comes behind the answer to enquire_link
            await net.told.until(lambda number=number: len(net.told.heard) == number)
        assert (len(smsc.sessions), net.links[0].state) == (1, LinkState.UP)


async def test_a_pair_sends_on_one_link_and_receives_on_the_other():
    async with an_smsc() as smsc, a_net(smsc, bind="pair", window=7) as net:
        await net.up(2)
        assert set(smsc.binds) == {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER}
        assert [one.kind for one in net.links] == ["transmitter", "receiver"]
        assert [one.window for one in net.links] == [7, 0]
        assert net.carrier.window == 14
        await net.carrier.submit([a_text(1)])
        await net.told.until(lambda: len(net.told.submissions) == 1)
        smsc.bring(a_receipt("1"))
        await smsc.until(lambda: smsc.statuses == [0])
        assert [(one.accepted, one.receipts) for one in net.links] == [(1, 0), (0, 1)]


async def test_a_carrier_whose_transmitter_is_down_takes_nothing():
    async with an_smsc() as smsc, a_net(smsc, bind="pair") as net:
        await net.up(2)
        transmitter = next(one for one in smsc.sessions if one.kind.value == "transmitter")
        transmitter.close()
        await net.until(lambda: net.carrier.window == 0)
        assert net.carrier.status().state is LinkState.UP  # receipts still come


async def test_what_the_login_says():
    async with an_smsc() as smsc, a_net(smsc, system_type="VMA") as net:
        await net.up()
        login = smsc.sessions[0].login
        assert (login.system_id, login.password, login.system_type) == ("me", "secret", "VMA")
        assert login.interface_version == 0x34


async def test_what_a_link_counts():
    answers = [keep, refuse(Status.ESME_RINVDSTADR), refuse(Status.ESME_RTHROTTLED), drop]
    async with an_smsc(answers) as smsc, a_net(smsc, window=3) as net:
        await net.up()
        await net.carrier.submit([a_text(n) for n in (1, 2, 3)])
        await net.until(lambda: net.links[0].throttled == 1)
        smsc.sessions[0].accept_kept()
        await net.until(lambda: net.links[0].accepted == 1)
        link = net.links[0]
        assert (link.submitted, link.accepted, link.refused, link.throttled) == (3, 1, 1, 1)
        assert (link.state, link.kind, link.window) == (LinkState.STRAINED, "transceiver", 3)


def server_side(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


async def test_tls_with_the_name_checked(certificate):
    tls = {"tls": True, "tls_ca": str(certificate / "cert.pem"), "tls_name": "smsc.test"}
    async with an_smsc(context=server_side(certificate)) as smsc, a_net(smsc, **tls) as net:
        await net.up()
        await net.carrier.submit([a_text(1)])
        await net.told.until(lambda: len(net.told.submissions) == 1)


@pytest.mark.parametrize(
    ("name", "authority", "words"),
    [("other.test", True, "Hostname mismatch"), ("smsc.test", False, "certificate verify failed")],
)
async def test_tls_with_somebody_else_is_no_link(certificate, name, authority, words):
    tls = {"tls": True, "tls_name": name} | ({"tls_ca": str(certificate / "cert.pem")} if authority else {})
    async with an_smsc(context=server_side(certificate)) as smsc, a_net(smsc, **tls) as net:
        await net.until(lambda: net.links[0].error != "")
        assert words in net.links[0].error
        assert net.links[0].state is LinkState.DOWN


def test_settings_say_what_is_wrong():
    with pytest.raises(ValueError, match=r"'nonsense' is no rule .* known are as-is"):
        read_settings({"host": "h", "system_id": "me", "message_ids": "nonsense"})
    with pytest.raises(ValueError, match=r"set tls = true"):
        read_settings({"host": "h", "system_id": "me", "tls_name": "x"})
