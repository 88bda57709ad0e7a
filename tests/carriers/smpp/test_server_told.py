"""What accounts that are bound to us are told, and what is kept of it."""

import asyncio

import pytest
from msgspec.structs import replace

from chappe.carriers.smpp.texts import Texts, TextSettings
from chappe.model.commands import ClaimNumber, ListMessages, SendFromHandset, SetBehaviour
from chappe.model.jobs import JobState
from chappe.model.smstext import Encoding
from chappe.protocols.smpp.bodies import (
    Named,
)
from chappe.protocols.smpp.codes import Command, Status, Tag
from chappe.protocols.smpp.receipts import State, read_receipt
from chappe.services import history, inbox, sandbox
from tests.carriers.smpp.served import LONG, MOBILE, Served, of, submit
from tests.platform import caller


async def test_without_registered_delivery_nothing_is_told(served: Served) -> None:
    esme = await served.esme()
    await esme.ask(Command.SUBMIT_SM, submit(b"silent", registered_delivery=0))
    await esme.ask(Command.SUBMIT_SM, submit(b"told"))
    await served.world.settle()
    assert read_receipt((await esme.delivered()).short_message).text == "told"


# What registered_delivery asks for: of a message that arrives, and of one that does not.
REGISTERED: dict[int, tuple[list[State], list[State]]] = {
    0x00: ([], []),
    0x01: ([State.DELIVERED], [State.UNDELIVERABLE]),
    0x02: ([], [State.UNDELIVERABLE]),
    0x03: ([State.DELIVERED], []),
    0x10: ([State.ENROUTE], [State.ENROUTE]),
    0x11: ([State.ENROUTE, State.DELIVERED], [State.ENROUTE, State.UNDELIVERABLE]),
}


@pytest.mark.parametrize("text", ["Bonjour", LONG], ids=["short", "long"])
async def test_registered_delivery_says_what_is_told(served: Served, text: str) -> None:
    esme, lost = await served.esme(), "33639980009"
    await sandbox.set_behaviour(
        served.world.platform, caller(served.new), SetBehaviour(lost, {"receipt": "undelivered"})
    )
    wanted: dict[str, list[State]] = {}
    for registered, ends in REGISTERED.items():
        for dest, states in zip((MOBILE, lost), ends, strict=True):
            for part in Texts(TextSettings()).parts(text, Encoding.GSM7, False, registered):
                body = replace(of(part), dest=dest, registered_delivery=registered)
                answer = await esme.ask(Command.SUBMIT_SM, body)
                assert isinstance(answer.body, Named)
                wanted[answer.body.message_id] = states
    await served.world.settle()
    told: dict[str, list[State]] = {name: [] for name in wanted}
    for _ in range(sum(map(len, wanted.values()))):
        unit = await esme.delivered()
        report = read_receipt(unit.short_message)
        assert report.state is not None
        assert unit.esm_class == (0x20 if report.state is State.ENROUTE else 0x04)
        told[report.ids[0]].append(report.state)
    last = await esme.ask(Command.SUBMIT_SM, submit())
    assert isinstance(last.body, Named)
    await served.world.settle()
    assert read_receipt((await esme.delivered()).short_message).ids == (last.body.message_id,)
    assert told == wanted


# --- being told


async def test_receipts_wait_until_somebody_is_bound(served: Served) -> None:
    sender = await served.esme(Command.BIND_TRANSMITTER)
    answer = await sender.ask(Command.SUBMIT_SM, submit())
    assert isinstance(answer.body, Named)
    await served.world.settle()
    receiver = await served.esme(Command.BIND_RECEIVER)
    assert read_receipt((await receiver.delivered()).short_message).ids == (answer.body.message_id,)


async def test_a_receipt_without_acknowledgement_comes_again(served: Served) -> None:
    esme = await served.esme()
    await esme.ask(Command.SUBMIT_SM, submit())
    await served.world.settle()
    await esme.next()
    esme.close()
    again = await served.esme()
    assert served.world.chappe.smpp_server is not None
    served.world.chappe.smpp_server._later.clear()  # five seconds have passed
    assert read_receipt((await again.delivered()).short_message).state is State.DELIVERED


async def test_a_receipt_that_is_refused_for_good_is_given_up_and_can_be_replayed(served: Served) -> None:
    esme = await served.esme()
    await esme.ask(Command.SUBMIT_SM, submit())
    await served.world.settle()
    esme.answer(await esme.next(), Status.ESME_RX_P_APPN)
    queries = served.world.platform.store.queries
    [message] = await queries.list_messages(served.new.account.id, ListMessages())
    account_id = served.new.account.id
    with served.world.platform.topics.subscribe(f"account.{account_id}") as bell:
        while (found := await queries.notices_of(account_id, message.id))[0].state is not JobState.DEAD:
            await bell.wait()
    assert found[0].outcome == "given up: answered ESME_RX_P_APPN"


async def test_messages_from_mobiles_come_over_the_bind(served: Served) -> None:
    esme = await served.esme()
    platform, who = served.world.platform, caller(served.new)
    [own] = await platform.store.queries.own_numbers(served.new.account.id)
    await inbox.claim_number(platform, who, ClaimNumber(own.number, dialect="smpp"))
    text = "Réponse très longue, prêt ? 😀 " * 5
    await sandbox.send_from_handset(platform, who, SendFromHandset(MOBILE, own.number, text))
    await served.world.settle()
    texts = Texts(TextSettings())
    octets = b""
    for _ in range(3):
        told = await esme.delivered()
        assert (told.source, told.dest) == (MOBILE, own.number)
        brought = texts.read(told.esm_class, told.data_coding, told.short_message)
        octets += brought.octets
    assert texts.text(brought._replace(octets=octets)) == (text, Encoding.UCS2)


# --- what is kept of it


async def test_requests_and_deliveries_are_kept_with_the_message(served: Served) -> None:
    esme = await served.esme()
    answer = await esme.ask(Command.SUBMIT_SM, submit(tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\0\7"),)))
    assert isinstance(answer.body, Named)
    name = answer.body.message_id
    await served.world.settle()
    await esme.delivered()
    async with asyncio.timeout(20):
        while True:
            story = await history.read_story(served.world.platform, caller(served.new), name)
            if story is not None and len(story.exchanges) == 2:
                break
    [asked, told] = sorted(story.exchanges, key=lambda one: one.outgoing)
    assert (asked.dialect, asked.verb, asked.status, asked.peer) == ("smpp", "submit_sm", 0, "127.0.0.1")
    assert asked.request == (
        "submit_sm 2\nsource_ton: 5\nsource: SHOP\ndest_ton: 1\ndest_npi: 1\ndest: 33639980001\n"
        "registered_delivery: 1\nshort_message: 426f6e6a6f7572\nuser_message_reference: 0007"
    )
    assert asked.answer == f"submit_sm_resp 2 ESME_ROK\nmessage_id: {name}"
    assert (told.verb, told.outgoing, told.answer) == ("deliver_sm", True, "deliver_sm_resp ESME_ROK")
    assert f"receipted_message_id: {name.encode().hex()}00" in told.request


async def test_binds_are_kept_without_their_password_and_refusals_with_their_reason(served: Served) -> None:
    esme = await served.esme()
    await esme.ask(Command.SUBMIT_SM, submit(dest="33"))
    system_id, password = served.login
    queries = served.world.platform.store.queries
    async with asyncio.timeout(20):
        while len(kept := await queries.exchanges(served.new.account.id, None, 10)) < 2:
            await esme.ask(Command.ENQUIRE_LINK)
    [refused, bound] = kept
    assert bound.request.startswith(f"bind_transceiver 1\nsystem_id: {system_id}\npassword: ***\n")
    assert all(password not in one.request + one.answer for one in kept)
    assert refused.status == Status.ESME_RINVDSTADR
    assert "ESME_RINVDSTADR\n# " in refused.answer and "33" in refused.answer
