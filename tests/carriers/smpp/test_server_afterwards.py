"""What accounts that are bound to us ask about messages they have sent: queried, cancelled, replaced."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from chappe.carriers.smpp.texts import Texts, TextSettings
from chappe.model.commands import ListMessages
from chappe.model.messages import MessageState
from chappe.model.smstext import Encoding
from chappe.protocols.smpp.bodies import (
    Cancel,
    Named,
    Query,
    QueryAnswer,
    Replace,
)
from chappe.protocols.smpp.codes import Command, Status
from chappe.protocols.smpp.receipts import State, read_receipt
from tests.carriers.smpp.served import LONG, OK, Served, messages_of, of, submit
from tests.peers.esme import Esme, an_esme, bind


async def test_a_message_is_queried_by_its_owner_only(served: Served) -> None:
    esme = await served.esme()
    answer = await esme.ask(Command.SUBMIT_SM, submit())
    assert isinstance(answer.body, Named)
    name = answer.body.message_id
    assert (await esme.ask(Command.QUERY_SM, Query(name))).body == QueryAnswer(name, "", State.ENROUTE, 0)
    await served.world.settle()
    assert (await esme.ask(Command.QUERY_SM, Query(name))).body == QueryAnswer(
        name, "260302090000000+", State.DELIVERED, 0
    )
    assert (await esme.ask(Command.QUERY_SM, Query("nonsense"))).status == Status.ESME_RINVMSGID
    stranger = await served.world.account("stranger")
    async with an_esme(served.port) as other:
        await bind(other, stranger.secrets["smpp"].login, stranger.secrets["smpp"].secret)
        assert (await other.ask(Command.QUERY_SM, Query(name))).status == Status.ESME_RINVMSGID
        assert (await other.ask(Command.CANCEL_SM, Cancel("", name))).status == Status.ESME_RINVMSGID


async def test_parts_are_queried_by_their_names(served: Served) -> None:
    esme = await served.esme()
    first, *rest = (of(part) for part in Texts(TextSettings()).parts(LONG, Encoding.GSM7, False, 7))
    answer = await esme.ask(Command.SUBMIT_SM, first)
    assert isinstance(answer.body, Named)
    name = answer.body.message_id
    assert (await esme.ask(Command.QUERY_SM, Query(name))).body == QueryAnswer(name, "", State.ENROUTE, 0)
    assert (await esme.ask(Command.CANCEL_SM, Cancel("", name))).status == Status.ESME_RCANCELFAIL
    for part in rest:
        await esme.ask(Command.SUBMIT_SM, part)
    await served.world.settle()
    answer = await esme.ask(Command.QUERY_SM, Query(name))
    assert isinstance(answer.body, QueryAnswer) and answer.body.message_state == State.DELIVERED
    stranger = await served.world.account("stranger")
    async with an_esme(served.port) as other:
        await bind(other, stranger.secrets["smpp"].login, stranger.secrets["smpp"].secret)
        assert (await other.ask(Command.QUERY_SM, Query(name))).status == Status.ESME_RINVMSGID


async def test_a_scheduled_message_is_cancelled_and_its_receipt_says_so(served: Served) -> None:
    esme = await served.esme()
    answer = await esme.ask(Command.SUBMIT_SM, submit(schedule="000001000000000R"))
    assert isinstance(answer.body, Named)
    name = answer.body.message_id
    assert (await messages_of(served))[0][2] is MessageState.SCHEDULED
    assert (await esme.ask(Command.CANCEL_SM, Cancel("", name))).status == OK
    report = read_receipt((await esme.delivered()).short_message)
    assert (report.ids, report.state) == ((name,), State.DELETED)
    assert (await esme.ask(Command.CANCEL_SM, Cancel("", name))).status == Status.ESME_RCANCELFAIL


LATER = "000001000000000R"


async def a_scheduled_one(esme: Esme, text: bytes = b"Bonjour", **changed: object) -> str:
    answer = await esme.ask(Command.SUBMIT_SM, submit(text, schedule=LATER, **changed))
    assert answer.status == OK and isinstance(answer.body, Named)
    return answer.body.message_id


async def test_a_scheduled_message_is_replaced_and_its_price_with_it(served: Served) -> None:
    esme, world, account = await served.esme(), served.world, served.new.account
    name = await a_scheduled_one(esme, "Déjà".encode("latin-1"), data_coding=3)
    assert await world.balance(account) == 199_000
    long = ("Où es-tu ? " * 20).encode("latin-1")
    replaced = Replace(name, schedule="000002000000000R", registered_delivery=1, short_message=long)
    assert (await esme.ask(Command.REPLACE_SM, replaced)).status == OK
    assert await world.balance(account) == 198_000
    [message] = await world.platform.store.queries.list_messages(account.id, ListMessages())
    assert (message.text, message.segments, message.price) == (long.decode("latin-1"), 2, 2000)
    assert message.send_at == message.due_at == world.clock.now() + timedelta(days=2)
    assert message.expires_at == message.due_at + timedelta(days=3)
    short = Replace(name, registered_delivery=1, validity="000005000000000R", short_message=b"\xe9t\xe9 @")
    assert (await esme.ask(Command.REPLACE_SM, short)).status == OK
    assert await world.balance(account) == 199_000
    world.clock.move(days=2, seconds=1)
    await world.settle()
    assert await messages_of(served) == [("été @", "SHOP", MessageState.DELIVERED)]
    report = read_receipt((await esme.delivered()).short_message)
    assert (report.ids, report.state) == ((name,), State.DELIVERED)
    assert await world.balance(account) == 199_000
    late = Replace(name, short_message=b"too late")
    assert (await esme.ask(Command.REPLACE_SM, late)).status == Status.ESME_RREPLACEFAIL
    assert (await esme.ask(Command.CANCEL_SM, Cancel("", name))).status == Status.ESME_RCANCELFAIL


async def test_a_replaced_message_is_given_back_at_its_new_price(served: Served) -> None:
    esme = await served.esme()
    name = await a_scheduled_one(esme, b"a" * 160)
    for text in (b"b" * 161 * 1, b"c", b"d" * 161, b"e"):
        assert (await esme.ask(Command.REPLACE_SM, Replace(name, short_message=text))).status == OK
    assert (await esme.ask(Command.CANCEL_SM, Cancel("", name))).status == OK
    assert await served.world.balance(served.new.account) == 200_000
    await served.world.settle()
    state = await esme.ask(Command.QUERY_SM, Query(name))
    assert isinstance(state.body, QueryAnswer) and state.body.message_state == State.DELETED


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (Replace(schedule="tomorrow"), Status.ESME_RINVSCHED),
        (Replace(schedule="020001000000000R"), Status.ESME_RINVSCHED),
        (Replace(validity="000000010000000R"), Status.ESME_RINVEXPIRY),
        (Replace(short_message=b"a" * 200), Status.ESME_RSUBMITFAIL),  # a second segment, and no credits
        (Replace(message_id="nonsense", short_message=b"a"), Status.ESME_RINVMSGID),
    ],
)
async def test_what_cannot_replace_leaves_the_message_as_it_was(
    served: Served, body: Replace, status: Status
) -> None:
    poor = await served.world.account("poor", credits=1)
    async with an_esme(served.port) as esme:
        await bind(esme, poor.secrets["smpp"].login, poor.secrets["smpp"].secret)
        name = await a_scheduled_one(esme)
        wanted = replace(body, message_id=body.message_id or name)
        queries = served.world.platform.store.queries
        before = await queries.list_messages(poor.account.id, ListMessages())
        assert (await esme.ask(Command.REPLACE_SM, wanted)).status == status
        assert await queries.list_messages(poor.account.id, ListMessages()) == before


async def test_a_message_that_is_about_to_go_is_not_replaced(served: Served) -> None:
    esme = await served.esme()
    name = await a_scheduled_one(esme)
    served.world.clock.move(days=1, seconds=-9)
    text = Replace(name, short_message=b"other")
    assert (await esme.ask(Command.REPLACE_SM, text)).status == Status.ESME_RREPLACEFAIL
    assert [text for text, _, _ in await messages_of(served)] == ["Bonjour"]


async def test_what_is_queued_or_somebody_elses_is_not_replaced(served: Served) -> None:
    esme = await served.esme()
    answer = await esme.ask(Command.SUBMIT_SM, submit())
    assert isinstance(answer.body, Named)
    text = Replace(answer.body.message_id, short_message=b"other")
    assert (await esme.ask(Command.REPLACE_SM, text)).status == Status.ESME_RREPLACEFAIL
    part = of(Texts(TextSettings()).parts(LONG, Encoding.GSM7, False, 7)[0])
    answer = await esme.ask(Command.SUBMIT_SM, part)
    assert isinstance(answer.body, Named)
    of_part = Replace(answer.body.message_id, short_message=b"other")
    assert (await esme.ask(Command.REPLACE_SM, of_part)).status == Status.ESME_RREPLACEFAIL
    stranger = await served.world.account("stranger")
    async with an_esme(served.port) as other:
        await bind(other, stranger.secrets["smpp"].login, stranger.secrets["smpp"].secret)
        name = await a_scheduled_one(esme)
        theirs = Replace(name, short_message=b"other")
        assert (await other.ask(Command.REPLACE_SM, theirs)).status == Status.ESME_RINVMSGID
    assert [text for text, _, _ in await messages_of(served)] == ["Bonjour", "Bonjour"]
