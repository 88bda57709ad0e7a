"""What comes in: owners, keywords, STOP, delivery, premium revenue."""

import asyncio
import json
from datetime import timedelta
from xmlrpc.client import dumps, loads

import pytest

from chappe.model.commands import (
    BlockNumber,
    ChangeKeyword,
    ClaimKeyword,
    ClaimNumber,
    ListBlacklist,
    ListMessages,
    ReleaseNumber,
)
from chappe.model.directory import Keyword, OwnNumber
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import EntryKind
from chappe.model.messages import Direction, Message
from chappe.services import inbox
from chappe.services.accounts import NewAccount
from chappe.settings import RouteSettings, Settings
from tests.asgi import ask
from tests.platform import World, a_world, caller
from tests.services.asking import ALICE, BOB, from_phone, send_one, statement, subscribe

CODE, PREMIUM = "20345", "81500"
POLL = "https://poll.example/receive?dept=7"


async def claim(world: World, new: NewAccount, word: str, code: str = CODE, **more: str) -> Keyword:
    return await inbox.claim_keyword(world.platform, caller(new), ClaimKeyword(code, word, **more))


async def clash(world: World, new: NewAccount, word: str, code: str = CODE, **more: str) -> Fault:
    with pytest.raises(Refusal) as found:
        await claim(world, new, word, code, **more)
    return found.value.fault


async def inbound(world: World, new: NewAccount) -> list[str]:
    """The texts that the account received, oldest first."""
    search = ListMessages(direction=Direction.MO, limit=100)
    return [m.text for m in (await world.platform.store.queries.list_messages(new.account.id, search))[::-1]]


async def own_number(world: World, new: NewAccount) -> str:
    (number,) = await world.platform.store.queries.own_numbers(new.account.id)
    return number.number


async def target(world: World, new: NewAccount, **where: str) -> OwnNumber:
    command = ClaimNumber(await own_number(world, new), **where)
    return await inbox.claim_number(world.platform, caller(new), command)


async def blocked(world: World, new: NewAccount, number: str = ALICE) -> bool:
    return bool(await world.platform.store.queries.blacklisted(new.account.id, [number]))


# --- whose it is


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("poll", "poll"),
        ("POLL A) yes B) no", "poll"),
        ("  Poll: why?", "poll"),
        ("«PÓLL» yes", "poll"),
        ("poll-vote", "poll"),
        ("poll  best of", "best"),
        ("Poll. Best, of", "best"),
        ("pollen", None),
        ("my poll", None),
        ("", None),
        ("Été", "summer"),
        ("ETE 2026", "summer"),
    ],
)
async def test_the_longest_keyword_wins(sandbox_world: World, text: str, owner: str | None) -> None:
    world, new = sandbox_world, await sandbox_world.account()
    for word, name in (("Poll", "poll"), ("poll best", "best"), ("été", "summer")):
        await claim(world, new, word, email=f"{name}@shop.example")
    await from_phone(world, new, CODE, text or " ")
    await world.settle()
    assert [mail.to for mail in world.mailer.sent] == ([f"{owner}@shop.example"] if owner else [])
    assert await inbound(world, new) == ([text] if owner else [])


async def test_conflicts_between_accounts_are_refused(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    await claim(world, one, "poll best")
    for word in ("POLL BEST", "poll", "Pöll best of", "poll-best"):
        assert await clash(world, two, word) is Fault.ALREADY_EXISTS
    assert (await claim(world, two, "pollen")).word == "POLLEN"
    assert (await claim(world, two, "poll", "38100")).short_code == "38100"
    assert (await claim(world, one, "poll")).word == "POLL"
    assert await clash(world, one, "poll") is Fault.ALREADY_EXISTS


async def test_one_keyword_claimed_at_once_by_many_belongs_to_one(world: World) -> None:
    made = [await world.account(f"shop {number}") for number in range(5)]
    results = await asyncio.gather(*(claim(world, new, "poll") for new in made), return_exceptions=True)
    refusals = [one for one in results if isinstance(one, Refusal)]
    assert len(refusals) == 4 and {one.fault for one in refusals} == {Fault.ALREADY_EXISTS}
    assert all("constraint" not in one.detail for one in refusals)


async def test_keywords_that_cannot_be_claimed(world: World) -> None:
    new = await world.account()
    for word, code, more, fault in (
        ("", CODE, {}, Fault.INVALID_PARAMETER),
        ("...", CODE, {}, Fault.INVALID_PARAMETER),
        ("x" * 41, CODE, {}, Fault.INVALID_PARAMETER),
        ("stop", CODE, {}, Fault.NOT_ALLOWED),
        ("ARRÊT", CODE, {}, Fault.NOT_ALLOWED),
        ("start", CODE, {}, Fault.NOT_ALLOWED),
        ("poll", "12345", {}, Fault.INVALID_PARAMETER),
        ("poll", CODE, {"url": "ftp://shop.example"}, Fault.INVALID_PARAMETER),
        ("poll", CODE, {"url": "http://"}, Fault.INVALID_PARAMETER),
        ("poll", CODE, {"email": "nobody"}, Fault.INVALID_PARAMETER),
        ("poll", CODE, {"dialect": "klingon"}, Fault.INVALID_PARAMETER),
    ):
        assert await clash(world, new, word, code, **more) is fault, (word, code, more)
    assert await world.platform.store.queries.keywords(new.account.id) == ()


async def test_an_own_number_takes_everything(world: World) -> None:
    new, other = await world.account(), await world.account("other")
    await claim(world, other, "hello")
    await from_phone(world, other, await own_number(world, new), "hello world")
    assert await inbound(world, new) == ["hello world"] and await inbound(world, other) == []


async def test_a_session_needs_no_keyword_while_it_is_open(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    await claim(world, two, "poll")
    await claim(world, one, "answer", email="one@shop.example")
    await send_one(world, one, sender=CODE, session=timedelta(minutes=10))
    await from_phone(world, two, CODE, "no keyword")
    await from_phone(world, two, CODE, "poll yes")
    await from_phone(world, two, CODE, "another telephone", BOB)
    await from_phone(world, two, "38100", "another code")
    world.clock.move(minutes=10)
    await from_phone(world, two, CODE, "too late")
    await world.settle()
    assert await inbound(world, one) == ["no keyword"]
    assert await inbound(world, two) == ["poll yes"]
    assert [mail.to for mail in world.mailer.sent] == ["one@shop.example"]


async def test_what_nobody_owns_is_kept_by_nobody(world: World) -> None:
    new = await world.account()
    for to in (CODE, "99999", "33639980099", "Nobody"):
        await from_phone(world, new, to, "hello")
    await world.settle()
    assert await inbound(world, new) == [] and world.mailer.sent == [] and world.web.sent == []


async def test_an_answer_to_a_sender_in_letters_finds_who_wrote_last(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    await send_one(world, one, sender="Shop")
    await send_one(world, two, sender="Shop")
    await from_phone(world, one, "Shop", "hello")
    assert await inbound(world, one) == [] and await inbound(world, two) == ["hello"]


# --- premium


async def test_a_premium_code_earns_once_for_each_message(world: World) -> None:
    new = await world.account()
    await claim(world, new, "quiz", PREMIUM, url=POLL, email="me@shop.example", dialect="orange")
    await subscribe(world, new)
    for text in ("quiz", "quiz " + "x" * 400, "nothing of ours"):
        await from_phone(world, new, PREMIUM, text)
    await world.settle()
    earned = [line for line in await statement(world, new) if line.kind is EntryKind.REVENUE_SHARE]
    assert [(line.amount, line.messages) for line in earned] == [(250, 1), (250, 1)]
    assert len({line.reference for line in earned}) == 2
    assert await world.balance(new.account) == 200_500


async def test_telephones_of_the_sandbox_pay_nobody_beside_real_networks(database_address: str) -> None:
    settings = Settings(routes=(RouteSettings("sandbox", "336"), RouteSettings("elsewhere", "33")))
    async with a_world(database_address, settings) as world:
        new = await world.account()
        await claim(world, new, "quiz", PREMIUM)
        await from_phone(world, new, PREMIUM, "quiz")
        assert await world.balance(new.account) == 200_000


async def test_a_telephone_is_told_that_nobody_took_its_sms(sandbox_world: World) -> None:
    new = await sandbox_world.account()
    await claim(sandbox_world, new, "quiz", CODE)
    taken = [
        (await from_phone(sandbox_world, new, CODE, text)).unowned for text in ("quiz 1", "other", "STOP")
    ]
    assert taken == [False, True, False]


# --- STOP and START


async def tell(world: World, new: NewAccount, dialect: str, to: str) -> str:
    """Try to send through a dialect's wire; a word for what it answered."""
    app, secret = world.chappe.application, new.secrets[dialect]
    if dialect == "rest":
        body = json.dumps({"to": to, "text": "hi"}).encode()
        headers = {"authorization": f"Bearer {secret.secret}", "content-type": "application/json"}
        reply = await ask(app, "POST", "/v1/messages", headers=headers, body=body)
        return "sent" if reply.status == 201 else str(json.loads(reply.body)["code"])
    if dialect == "orange":
        reply = await ask(app, "GET", f"/sms/sendSMS.xml?id={secret.secret}&to={to}&content=hi")
        return "sent" if "<call_id>" in reply.text else "blacklisted" if ">403<" in reply.text else reply.text
    call = dumps((secret.login, secret.secret, to, "hi"), "send_message").encode()
    (((_, taken, code),),), _ = loads((await ask(app, "POST", "/api2/", body=call)).body)
    return "sent" if taken else "blacklisted" if code == 5 else str(code)


DIALECTS = ("rest", "orange", "netoxygen")


@pytest.mark.parametrize(
    ("through", "to"),
    [
        ("rest", "own"),
        ("orange", CODE),
        ("netoxygen", "textobox.ch"),
        ("rest", "99999"),
        ("orange", f"{CODE} Poll"),
    ],
)
async def test_stop_holds_on_every_dialect_and_start_lifts_it(world: World, through: str, to: str) -> None:
    new, stranger, phone = (
        await world.account(),
        await world.account("stranger"),
        await world.account("phone"),
    )
    await claim(world, new, "poll")
    assert await tell(world, new, through, ALICE) == "sent"
    await world.settle()
    address, _, word = to.partition(" ")
    address = await own_number(world, new) if address == "own" else address
    await from_phone(world, phone, address, f"Stóp! {word}".strip())
    assert [await tell(world, new, dialect, ALICE) for dialect in DIALECTS] == ["blacklisted"] * 3
    assert [await tell(world, new, dialect, BOB) for dialect in DIALECTS] == ["sent"] * 3
    assert [await tell(world, stranger, dialect, ALICE) for dialect in DIALECTS] == ["sent"] * 3
    if through == "rest" and address == "99999":
        return  # START to an address of nobody finds whoever wrote last, which is the stranger now
    await from_phone(world, phone, address, "START")
    assert [await tell(world, new, dialect, ALICE) for dialect in DIALECTS] == ["sent"] * 3


async def test_stop_and_a_keyword_concern_its_owner_whatever_he_wrote_from(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    await claim(world, one, "poll")
    await send_one(world, one, sender="Shop")
    await send_one(world, two, sender=CODE)
    await from_phone(world, two, CODE, "STOP POLL")
    assert (await blocked(world, one), await blocked(world, two)) == (True, False)
    assert await inbound(world, one) == ["STOP POLL"]


async def test_a_bare_stop_to_a_shared_address_concerns_all_who_wrote_from_it(world: World) -> None:
    made = [await world.account(name) for name in ("one", "two", "three", "four")]
    one, two, three, four = made
    for address in (CODE, "Shop"):
        await send_one(world, one, sender=address)
        await send_one(world, two, sender=address)
        await send_one(world, three, sender="38100")
        await send_one(world, four, BOB, sender=address)
        await from_phone(world, three, address, "STOP")
        assert [await blocked(world, new) for new in made] == [True, True, False, False], address
        await from_phone(world, three, address, "START")
        assert [await blocked(world, new) for new in made] == [False] * 4


async def test_stop_in_a_session_concerns_all_who_wrote_from_there(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    await send_one(world, one, sender=CODE)
    await send_one(world, two, sender=CODE, session=timedelta(hours=1))
    await from_phone(world, one, CODE, "stop")
    assert await blocked(world, one) and await blocked(world, two)
    assert await inbound(world, two) == ["stop"]


async def test_stop_twice_and_at_once_is_one_entry(world: World) -> None:
    new = await world.account()
    number = await own_number(world, new)
    await asyncio.gather(*(from_phone(world, new, number, "STOP") for _ in range(5)))
    page = await inbox.list_blacklist(world.platform, caller(new), ListBlacklist())
    assert [(one.number, one.reason) for one in page.items] == [(ALICE, "STOP")]
    assert len(await inbound(world, new)) == 5


async def test_blocking_a_blocked_number_answers_the_entry_that_stands(world: World) -> None:
    new = await world.account()
    reason = "asked on the telephone, twice, and was quite angry about it"
    first = await inbox.block_number(world.platform, caller(new), BlockNumber(ALICE, reason))
    assert first.reason == reason
    world.clock.move(hours=1)
    assert await inbox.block_number(world.platform, caller(new), BlockNumber(ALICE, "again")) == first


# --- where it goes


async def test_url_and_mail_are_both_told(world: World) -> None:
    new = await world.account()
    await claim(world, new, "poll", url=POLL, email="me@shop.example", dialect="orange")
    await from_phone(world, new, CODE, "poll Où ça ? 1+1=2")
    await world.settle()
    (outgoing,) = world.web.sent
    assert outgoing.method == "GET" and outgoing.url.startswith(POLL + "&")
    assert f"from={ALICE}" in outgoing.url and f"to={CODE}" in outgoing.url
    assert "content=poll%20O%C3%B9%20%C3%A7a%20%3F%201%2B1%3D2" in outgoing.url
    (mail,) = world.mailer.sent
    assert mail.to == "me@shop.example" and "poll Où ça ? 1+1=2" in mail.body


async def test_orange_tolerates_a_redirect_and_rest_does_not(world: World) -> None:
    new = await world.account()
    world.web.answers = [302]
    for dialect in ("orange", "rest"):
        await target(world, new, url="https://shop.example/in", dialect=dialect)
        await from_phone(world, new, await own_number(world, new), dialect)
        await world.settle()  # a notice goes to where its number points when it is told
    jobs = await world.platform.store.queries.deliveries(new.account.id, "", None, 10)
    assert [(str(job.state), job.outcome) for job in jobs][::-1] == [
        ("done", "answered 302"),
        ("waiting", "answered 302"),
    ]


async def test_a_url_that_is_corrected_or_emptied_counts_from_the_next_try(world: World) -> None:
    new = await world.account()
    word = await claim(world, new, "poll", url="https://shop.example/wrong")
    world.web.answers = [404]
    await from_phone(world, new, CODE, "poll")
    await world.settle()
    change = ChangeKeyword(word.id, url="https://shop.example/right")
    await inbox.change_keyword(world.platform, caller(new), change)
    world.clock.move(seconds=5)
    world.web.answers = [200]
    await world.settle()
    assert [one.url for one in world.web.sent] == ["https://shop.example/wrong", "https://shop.example/right"]


# --- numbers


async def test_numbers_are_taken_and_given_back(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    mine = await own_number(world, one)
    for number, fault in (
        (mine, Fault.ALREADY_EXISTS),
        ("+33612345678", Fault.NOT_ALLOWED),
        ("bob", Fault.INVALID_PARAMETER),
    ):
        with pytest.raises(Refusal) as found:
            await inbox.claim_number(world.platform, caller(two), ClaimNumber(number))
        assert (found.value.fault, found.value.field) == (fault, "number")
    for foreign in (mine, "33639980099", "bob", ""):
        with pytest.raises(Refusal) as found:
            await inbox.release_number(world.platform, caller(two), ReleaseNumber(foreign))
        assert found.value.fault is Fault.NOT_FOUND
    await inbox.release_number(world.platform, caller(one), ReleaseNumber("0" + mine[2:]))
    assert (await inbox.claim_number(world.platform, caller(two), ClaimNumber(f"+{mine}"))).number == mine


async def test_numbers_taken_at_the_same_moment_are_different(world: World) -> None:
    made = [await world.account(f"shop {number}") for number in range(5)]
    taken = await asyncio.gather(
        *(inbox.claim_number(world.platform, caller(new), ClaimNumber()) for new in made)
    )
    assert len({own.number for own in taken}) == 5


async def test_an_account_has_at_most_twenty_numbers(world: World) -> None:
    new = await world.account()
    for _ in range(19):
        await inbox.claim_number(world.platform, caller(new), ClaimNumber())
    with pytest.raises(Refusal) as found:
        await inbox.claim_number(world.platform, caller(new), ClaimNumber())
    assert found.value.fault is Fault.INVALID_PARAMETER


async def test_what_is_kept_of_an_inbound_message(world: World) -> None:
    new = await world.account()
    number = await own_number(world, new)
    await from_phone(world, new, number, "Привет")
    search = ListMessages(direction=Direction.MO)
    (message,) = await world.platform.store.queries.list_messages(new.account.id, search)
    assert isinstance(message, Message)
    assert (message.peer, message.address, message.text) == (ALICE, number, "Привет")
    assert (str(message.state), str(message.encoding), message.price) == ("received", "ucs2", 0)
    assert message.finished_at == message.created_at == world.clock.now()
