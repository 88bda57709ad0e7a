"""Lines in calls: what they are told after trouble, what their calls cost, what is written of them."""

import pytest

from chappe.model.calls import CallOutcome, CallStory, HangUpCause, LegState
from chappe.model.commands import (
    AddLine,
    CallFromLine,
    ChangeLine,
    DialFromHandset,
    ListCalls,
    PlaceCall,
    RenewTelephone,
    SetBehaviour,
    TransferCall,
    UseTelephone,
)
from chappe.model.directory import ANSWERPHONE, Forwarding
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.services import accounts, calls, lines, sandbox, telephones, transfers
from chappe.services.accounts import NewAccount
from chappe.services.closing import close_abandoned
from chappe.services.switchboard import PATIENCE
from tests.platform import World, caller

X, OUTSIDE = "33639980021", "33639980022"
URL = "http://127.0.0.1/?_N_TYPE_+_ACCOUNT_+_DREF_"


async def a_line(world: World, shop: NewAccount, **change: object) -> str:
    """The number of the account's first line, which is told at URL."""
    number = shop.secrets["keyyo"].login
    await lines.change_line(
        world.platform,
        caller(shop),
        ChangeLine(number, notification_url=URL, **change),  # type: ignore[arg-type]
    )
    return number


async def dial(world: World, shop: NewAccount, number: str, to: str) -> None:
    await telephones.dial(world.platform, caller(shop), DialFromHandset(number, to))
    await world.settle()


async def behave(world: World, shop: NewAccount, number: str, **how: object) -> None:
    await sandbox.set_behaviour(world.platform, caller(shop), SetBehaviour(number, how))


async def newest(world: World, shop: NewAccount) -> CallStory:
    page = await calls.list_calls(world.platform, caller(shop), ListCalls(limit=1))
    return page.items[0]


def told(world: World) -> list[str]:
    return [sent.url.partition("?")[2].split("+")[0] for sent in world.web.sent]


async def test_a_line_calls_out_and_pays_for_the_other_side_only(world: World) -> None:
    shop = await world.account()
    line = await a_line(world, shop)
    await behave(world, shop, OUTSIDE, call="answer", answer_after_ms=5000)
    await dial(world, shop, line, "06 39 98 00 22")
    await world.wait(5)
    await world.wait(60)
    story = await newest(world, shop)
    assert [(leg.name, leg.number, leg.state, leg.rate) for leg in story.legs] == [
        ("caller", line, LegState.UP, 0),
        ("called", OUTSIDE, LegState.UP, 1000),
    ]
    assert story.legs[1].shown == line
    await calls.hang_up(world.platform, caller(shop), calls.HangUpCall(story.call.ref))
    await world.settle()
    assert (await newest(world, shop)).call.price == 1000
    assert await world.balance(shop.account) == 199_000
    assert told(world) == ["SETUP", "CONNECT", "RELEASE"]


@pytest.mark.parametrize(
    ("number", "credits"),
    [("112", 200), ("0899000000", 200), ("06 39 98 00 22", 0), ("*833990000009", 200)],
)
async def test_what_a_line_may_not_dial(world: World, number: str, credits: int) -> None:
    shop = await world.account(credits=credits)
    line = await a_line(world, shop)
    with pytest.raises(Refusal):
        await dial(world, shop, line, number)
    page = await calls.list_calls(world.platform, caller(shop), ListCalls(limit=1))
    assert not page.items
    assert not world.web.sent
    assert await world.balance(shop.account) == credits * 1000


async def test_a_call_to_a_line_costs_nothing_even_without_credits(world: World) -> None:
    shop = await world.account(credits=0)
    line = await a_line(world, shop)
    await behave(world, shop, line, call="answer", hang_up_after_ms=2000)
    await dial(world, shop, X, line)
    await world.wait(3)
    story = await newest(world, shop)
    assert (story.call.outcome, story.call.price) == (CallOutcome.ANSWERED, 0)


async def test_what_cannot_be_paid_for_is_not_forwarded(world: World) -> None:
    shop = await world.account(credits=0)
    line = await a_line(world, shop, profiles={"present": Forwarding(always=OUTSIDE, no_answer=ANSWERPHONE)})
    await dial(world, shop, X, line)
    assert [leg.number for leg in (await newest(world, shop)).legs] == [X, line]


async def test_a_forwarded_call_is_paid_by_the_line(world: World) -> None:
    shop = await world.account()
    line = await a_line(world, shop, profiles={"present": Forwarding(busy=OUTSIDE)})
    await behave(world, shop, line, call="busy")
    await behave(world, shop, OUTSIDE, call="answer", hang_up_after_ms=90_000)
    await dial(world, shop, X, line)
    await world.wait(91)
    story = await newest(world, shop)
    assert [(leg.name, leg.cause, leg.price) for leg in story.legs] == [
        ("caller", HangUpCause.NORMAL, 0),
        ("called", HangUpCause.BUSY, 0),
        ("forwarded", HangUpCause.NORMAL, 1500),
    ]
    assert await world.balance(shop.account) == 200_000 - 1500


async def test_the_line_of_a_node_that_died_is_told_the_end(world: World) -> None:
    shop = await world.account()
    line = await a_line(world, shop)
    await dial(world, shop, X, line)
    assert told(world) == ["SETUP"]
    world.chappe.switchboard._index.calls.clear()  # what kill -9 leaves
    world.clock.move(seconds=PATIENCE.total_seconds() + 2)
    assert await close_abandoned(world.platform, world.clock.now() - PATIENCE) == 1
    await world.settle()
    assert told(world) == ["SETUP", "RELEASE"]
    known = await world.platform.store.queries.dialogues_of(
        shop.account.id, (await newest(world, shop)).call.id
    )
    assert [one.ended_at is not None for one in known] == [True]


async def test_a_server_that_does_not_answer_is_told_in_order_and_blocks_no_call(world: World) -> None:
    shop = await world.account()
    line = await a_line(world, shop)
    away = CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "nobody answers")
    world.web.answers = [away, away, 200]
    await behave(world, shop, line, call="answer", hang_up_after_ms=1000)
    await dial(world, shop, X, line)
    await world.wait(1)
    await world.settle()
    assert (await newest(world, shop)).call.outcome is CallOutcome.ANSWERED
    assert told(world) == ["SETUP"]
    world.clock.move(seconds=2)
    await world.settle()
    assert told(world) == ["SETUP", "SETUP"]
    world.clock.move(seconds=10)
    await world.settle()
    assert told(world) == ["SETUP", "SETUP", "SETUP", "CONNECT", "RELEASE"]


async def test_a_new_password_ends_the_registration_of_the_old_one(world: World) -> None:
    shop = await world.account()
    line = await a_line(world, shop)
    first = await lines.renew_telephone(world.platform, caller(shop), RenewTelephone(line))
    second = await lines.renew_telephone(world.platform, caller(shop), RenewTelephone(line))
    assert first.user == second.user == line
    assert first.password != second.password
    found = await world.platform.store.queries.line_by_sip_user(line)
    assert found is not None
    assert len(found.sip_ha1) == 32
    assert second.password not in repr(found)


async def test_a_new_line_is_an_account_s_own(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    new = await lines.add_line(world.platform, caller(shop), AddLine())
    assert new.line.number not in [
        line.number for line in await world.platform.store.queries.lines(other.account.id)
    ]
    with pytest.raises(Refusal) as refused:
        await lines.change_line(world.platform, caller(other), ChangeLine(new.line.number, greeting="x"))
    assert refused.value.fault is Fault.NOT_FOUND


async def test_a_telephone_of_another_account_does_not_reach_the_line(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    line = await a_line(world, shop)
    with pytest.raises(Refusal):
        await dial(world, other, X, line)
    assert not world.web.sent


async def test_a_transfer_is_judged_like_a_call(world: World) -> None:
    shop = await world.account()
    line = await a_line(world, shop)
    await behave(world, shop, line, call="answer")
    await dial(world, shop, X, line)
    ref = (await newest(world, shop)).call.ref
    for number in ("112", "0899000000"):
        with pytest.raises(Refusal) as refused:
            await transfers.transfer(world.platform, caller(shop), TransferCall(ref, "called", number))
        assert refused.value.fault is Fault.DESTINATION_FORBIDDEN


async def test_a_call_placed_over_rest_is_transferred_and_told_as_it_was(world: World) -> None:
    shop = await world.account()
    for number, how in ((X, "answer"), (OUTSIDE, "answer"), ("33639980023", "answer")):
        await behave(world, shop, number, call=how)
    story = await calls.place(world.platform, caller(shop), PlaceCall(X, OUTSIDE))
    await world.settle()
    await transfers.transfer(
        world.platform, caller(shop), TransferCall(story.call.ref, "second", "33639980023")
    )
    await world.settle()
    story = await newest(world, shop)
    assert [(leg.name, leg.state, leg.cause) for leg in story.legs] == [
        ("first", LegState.UP, None),
        ("second", LegState.DOWN, HangUpCause.TRANSFERRED),
        ("third-1", LegState.UP, None),
    ]
    await world.wait(60)
    await calls.hang_up(world.platform, caller(shop), calls.HangUpCall(story.call.ref))
    await world.settle()
    story = await newest(world, shop)
    assert (story.call.outcome, story.call.price) == (CallOutcome.ANSWERED, 2000)
    assert await world.balance(shop.account) == 198_000


async def test_who_calls_a_line_is_transferred_outside_at_the_line_s_cost(world: World) -> None:
    shop = await world.account(credits=1)
    line = await a_line(world, shop)
    for number in (line, OUTSIDE):
        await behave(world, shop, number, call="answer")
    await dial(world, shop, X, line)
    story = await newest(world, shop)
    assert story.call.reserved == 0
    await transfers.transfer(world.platform, caller(shop), TransferCall(story.call.ref, "called", OUTSIDE))
    await world.settle()
    assert (await newest(world, shop)).call.reserved == 1000
    await world.wait(61)
    story = await newest(world, shop)
    assert [leg.cause for leg in story.legs] == [
        HangUpCause.CREDIT,
        HangUpCause.TRANSFERRED,
        HangUpCause.CREDIT,
    ]
    assert story.call.price == 1000
    account = await world.platform.store.queries.account(shop.account.id)
    assert account is not None
    assert (account.balance, account.reserved) == (0, 0)


async def test_a_transfer_that_nothing_pays_is_refused(world: World) -> None:
    shop = await world.account(credits=0)
    line = await a_line(world, shop)
    await behave(world, shop, line, call="answer")
    await dial(world, shop, X, line)
    ref = (await newest(world, shop)).call.ref
    with pytest.raises(Refusal) as refused:
        await transfers.transfer(world.platform, caller(shop), TransferCall(ref, "called", OUTSIDE))
    assert refused.value.fault is Fault.INSUFFICIENT_CREDITS


async def with_mail(world: World) -> NewAccount:
    return await accounts.create_account(
        world.platform, "mailed", credits=200_000, email="camille@example.com", password="a long password"
    )


async def test_what_is_left_on_the_answerphone_is_mailed(world: World) -> None:
    shop = await with_mail(world)
    line = await a_line(world, shop, profile="absent", greeting="Bonjour.")
    await behave(world, shop, X, say="Rappelez-moi, merci. " * 15)
    await dial(world, shop, X, line)
    await world.wait(30)
    story = await newest(world, shop)
    assert [leg.name for leg in story.legs] == ["caller"]
    if story.call.over_at is None:
        (leg,) = story.legs
        await telephones.use_telephone(world.platform, caller(shop), UseTelephone(X, leg.id, "hangup"))
    await world.wait(1)
    await world.settle()
    story = await newest(world, shop)
    assert story.call.outcome is CallOutcome.MACHINE
    [mail] = world.mailer.sent
    assert mail.to == "camille@example.com"
    assert mail.attachments


async def test_a_recorded_call_of_a_line_is_mailed(world: World) -> None:
    shop = await with_mail(world)
    line = await a_line(world, shop)
    for number in (line, OUTSIDE):
        await behave(world, shop, number, call="answer", say="Bonjour, comment allez-vous ?")
    call = PlaceCall(line, OUTSIDE, record=True)
    story = await lines.make_call(world.platform, caller(shop, "keyyo"), CallFromLine(line, call))
    await world.settle()
    await world.wait(10)
    await calls.hang_up(world.platform, caller(shop), calls.HangUpCall(story.call.ref))
    await world.wait(1)
    await world.settle()
    [mail] = world.mailer.sent
    assert mail.to == "camille@example.com"
    assert told(world) == []


async def test_a_line_whose_telephone_is_on_another_network_cannot_be_reached(world: World) -> None:
    shop = await world.account()
    line = await a_line(world, shop)
    await lines.renew_telephone(world.platform, caller(shop), RenewTelephone(line))
    world.platform.carriers.lines = "switch"
    with pytest.raises(Refusal):
        await dial(world, shop, X, line)  # nothing is begun that could not be joined
    assert not (await calls.list_calls(world.platform, caller(shop), ListCalls(limit=1))).items
    await a_line(world, shop, profiles={"present": Forwarding(unreachable=ANSWERPHONE)})
    await dial(world, shop, X, line)
    story = await newest(world, shop)
    assert [leg.number for leg in story.legs] == [X]  # nobody is rung
    assert story.legs[0].state is LegState.UP
