"""Capitole's words: total maps, exact bytes, dates, the reports, what is masked."""

from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from chappe.dialects.capitole import wire
from chappe.dialects.capitole.operations import CAPITOLE, decode_send
from chappe.dialects.contract import WireCall
from chappe.model.commands import SendMessages, SendOutcome, Subscribe
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName, MessageEvent
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.outgoing import Outgoing
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpRequest
from chappe.services import messages, subscriptions
from chappe.services.ports import NoticeTarget
from tests.asgi import ask
from tests.platform import START, World, caller

BODY = (
    "<SMS><authentification><username>shop</username><password>se&amp;cret</password></authentification>"
    "<message><text>Bonjour</text>{}</message><recipients><gsm>0611223344</gsm></recipients></SMS>"
)


def call(more: str = "") -> WireCall:
    body = b"XML=" + quote_plus(BODY.format(more)).encode()
    return CAPITOLE.read(HttpRequest("POST", "", "/api/sendsms/xml", b"", b"", {}, body))


def test_every_fault_has_a_code() -> None:
    assert set(wire.CODE_OF_FAULT) == set(Fault)


def test_an_answer_has_no_line_break_and_never_more_credits_than_there_are() -> None:
    for balance, shown in ((9_542_000, b"9542"), (1_999, b"1"), (999, b"0"), (0, b"0")):
        assert wire.encode_sent(SendOutcome((), balance), call()).body == b"SENDING_OK;" + shown
    refusal = Refusal(Fault.BLACKLISTED, "", "to[0]")
    refused = wire.refuse(refusal, call()._replace(balance=5_500))
    assert (refused.status, refused.body) == (200, b"0611223344_IS_BLACKLISTED;5")


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-03-02 18:30:00", datetime(2026, 3, 2, 17, 30, tzinfo=UTC)),
        ("2026-07-02T18:30", datetime(2026, 7, 2, 16, 30, tzinfo=UTC)),
        ("2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of the two
        ("2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # 03:30 on every clock
    ],
)
def test_dates_are_those_of_paris(written: str, at: datetime) -> None:
    assert decode_send(call(f"<prog>{written}</prog>")).send_at == at


def test_the_password_is_masked_as_it_was_sent_and_as_it_reads() -> None:
    assert set(call().secrets) >= {b"se%26amp%3Bcret", b"se&cret", b"se&amp;cret"}


async def test_a_kept_exchange_does_not_show_the_password(sandbox_world: World) -> None:
    new = await sandbox_world.account()
    secret = new.secrets["capitole"]
    body = BODY.replace("se&amp;cret", secret.secret).replace("shop", secret.login).format("")
    for data in (f"XML={body}".encode(), b"XML=" + quote_plus(body).encode()):
        reply = await ask(sandbox_world.chappe.application, "POST", "/api/sendsms/xml", body=data)
        assert reply.body.startswith(b"SENDING_OK;")
    await sandbox_world.settle()
    kept = await sandbox_world.platform.store.queries.exchanges(new.account.id, None, 10)
    assert [one.verb for one in kept] == ["sendsms", "sendsms"]
    assert all(secret.secret not in one.request and "***" in one.request for one in kept)


EVENT = MessageEvent(
    "evt_1",
    EventName.MESSAGE_DELIVERED,
    START,
    Message(
        id=1,
        ref="r",
        account_id=1,
        direction=Direction.MT,
        state=MessageState.DELIVERED,
        peer="33611223344",
        address="36111",
        text="Bonjour",
        encoding=Encoding.GSM7,
        segments=1,
        price=1000,
        carrier="sandbox",
        dialect="capitole",
        batch_id=0,
        created_at=START,
        due_at=START,
        reference="été 2026",
    ),
)


@pytest.mark.parametrize("name", EventName)
def test_reports_tell_the_end_of_a_message_and_nothing_else(name: EventName) -> None:
    told = wire.notice(EVENT._replace(name=name), NoticeTarget(url="http://c.example/r?a=1#x"), START)
    status = wire.STATUS_OF_EVENT.get(name)
    assert (told is None) is (status is None)
    if isinstance(told, Outgoing):
        query = f"a=1&id=%C3%A9t%C3%A9%202026&number=33611223344&status={status}"
        assert (told.method, told.url, told.body) == ("GET", f"http://c.example/r?{query}", b"")


async def test_a_subscription_is_told_of_a_campaign(sandbox_world: World) -> None:
    new = await sandbox_world.account()
    who = caller(new, "capitole")
    subscribe = Subscribe("http://127.0.0.1:9/r", ("message.delivered", "message.sent"), "capitole")
    await subscriptions.subscribe(sandbox_world.platform, who, subscribe)
    await messages.send(
        sandbox_world.platform, who, SendMessages(("0611223344",), "Bonjour", reference="noel")
    )
    await sandbox_world.settle()
    sent = [one.url for one in sandbox_world.web.sent]
    assert sent == ["http://127.0.0.1:9/r?id=noel&number=33611223344&status=DELIVERED"]
