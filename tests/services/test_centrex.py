"""Lines as telephones of a company: what is set of one has its effect on calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from chappe.model.calls import CallOutcome, CallStory, HangUpCause, Leg, LegState, RecordingPurpose
from chappe.model.centrex import ChangeExtension, Extension, ListExtensions
from chappe.model.commands import (
    AddLine,
    CallFromLine,
    ChangeLine,
    DialFromHandset,
    ListCalls,
    PickUpCall,
    PlaceCall,
    RenewTelephone,
    SetBehaviour,
)
from chappe.model.directory import ANSWERPHONE, HANG_UP, READS_SECRETS, Forwarding, Line
from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import FindRecording, ListRecordings
from chappe.services import calls, centrex, consents, lines, recordings, sandbox, telephones, transfers
from chappe.services.accounts import NewAccount
from tests.platform import World, a_world, caller

X, OUTSIDE = "33639980021", "33639980022"


@pytest.fixture
def world(sandbox_world: World) -> World:
    """One database is enough, but for what is counted there: `both`."""
    return sandbox_world


@pytest_asyncio.fixture
async def both(database_address: str) -> AsyncIterator[World]:
    async with a_world(database_address) as made:
        yield made


async def extend(
    world: World, shop: NewAccount, line: str, short: str | None = None, **set_to: object
) -> Line:
    values = Extension(**set_to)  # type: ignore[arg-type]
    command = ChangeExtension(line, values, frozenset(set_to), short)
    return await centrex.change_extension(world.platform, caller(shop), command)


async def forward(world: World, shop: NewAccount, line: str, **how: object) -> None:
    goes = Forwarding(**how)  # type: ignore[arg-type]
    await lines.change_line(world.platform, caller(shop), ChangeLine(line, profiles={"present": goes}))


async def two_lines(world: World, shop: NewAccount) -> tuple[str, str]:
    """The account's first line with the short number 201, and another one with 202."""
    first = shop.secrets["keyyo"].login
    second = (await lines.add_line(world.platform, caller(shop), AddLine())).line.number
    await extend(world, shop, first, "201")
    await extend(world, shop, second, "202")
    return first, second


async def dial(world: World, shop: NewAccount, number: str, to: str) -> CallStory:
    await telephones.dial(world.platform, caller(shop), DialFromHandset(number, to))
    await world.settle()
    return await newest(world, shop)


async def behave(world: World, shop: NewAccount, number: str, **how: object) -> None:
    await sandbox.set_behaviour(world.platform, caller(shop), SetBehaviour(number, how))


async def newest(world: World, shop: NewAccount) -> CallStory:
    page = await calls.list_calls(world.platform, caller(shop), ListCalls(limit=1))
    return page.items[0]


async def refused(world: World, shop: NewAccount, number: str, to: str) -> Fault:
    with pytest.raises(Refusal) as found:
        await dial(world, shop, number, to)
    return found.value.fault


async def test_telephones_of_an_account_dial_one_another_by_short_numbers(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    first, second = await two_lines(world, shop)
    await extend(world, other, other.secrets["keyyo"].login, "203")
    story = await dial(world, shop, first, "202")
    assert [(leg.name, leg.number) for leg in story.legs] == [("caller", first), ("called", second)]
    assert await refused(world, shop, first, "203") is not None
    with pytest.raises(Refusal) as found:
        await extend(world, shop, second, "201")
    assert (found.value.fault, found.value.field) == (Fault.ALREADY_EXISTS, "short_number")


@pytest.mark.parametrize("short", ["1", "15", "112", "20a", "1234567"])
async def test_what_is_no_short_number(world: World, short: str) -> None:
    shop = await world.account()
    with pytest.raises(Refusal) as found:
        await extend(world, shop, shop.secrets["keyyo"].login, short)
    assert found.value.field == "short_number"


async def test_calls_are_forwarded_to_a_short_number_and_show_the_caller(world: World) -> None:
    shop = await world.account()
    first, second = await two_lines(world, shop)
    await behave(world, shop, first, call="busy")
    await forward(world, shop, first, busy="202", busy_shows_caller=True)
    story = await dial(world, shop, X, first)
    assert [(leg.name, leg.number, leg.shown) for leg in story.legs[1:]] == [
        ("called", first, X),
        ("forwarded", second, X),
    ]


async def test_forwarding_ends_a_call(world: World) -> None:
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await forward(world, shop, first, always=HANG_UP)
    story = await dial(world, shop, X, first)
    assert [(leg.name, leg.cause) for leg in story.legs] == [("caller", HangUpCause.REJECTED)]
    assert story.call.outcome is CallOutcome.REFUSED


async def test_a_secretary_gets_all_calls_but_her_own(world: World) -> None:
    shop = await world.account()
    boss, secretary = await two_lines(world, shop)
    await extend(world, shop, boss, secretary="202", secretary_active=True)
    story = await dial(world, shop, X, boss)
    assert [(leg.name, leg.number, leg.shown) for leg in story.legs[1:]] == [("forwarded", secretary, X)]
    await calls.hang_up(world.platform, caller(shop), calls.HangUpCall(story.call.ref))
    await world.settle()
    story = await dial(world, shop, secretary, "201")
    assert [(leg.name, leg.number) for leg in story.legs[1:]] == [("called", boss)]
    await extend(world, shop, boss, secretary_active=False)


async def test_a_line_with_one_call_is_busy_for_the_next(both: World) -> None:
    world = both
    shop = await world.account()
    first, second = await two_lines(world, shop)
    await extend(world, shop, first, calls_at_once=1)
    await behave(world, shop, first, call="answer")
    await dial(world, shop, X, first)
    story = await dial(world, shop, OUTSIDE, first)
    assert [(leg.name, leg.cause) for leg in story.legs] == [("caller", HangUpCause.BUSY)]
    assert await refused(world, shop, first, "202") is Fault.TOO_MANY_CALLS
    await forward(world, shop, first, busy=second)
    story = await dial(world, shop, OUTSIDE, first)
    assert [(leg.name, leg.number) for leg in story.legs[1:]] == [("forwarded", second)]


async def test_of_two_calls_at_one_moment_a_line_with_one_call_takes_one(both: World) -> None:
    world = both
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await extend(world, shop, first, calls_at_once=1)
    at_once = [DialFromHandset(f"3363998003{number}", first) for number in range(5)]
    await asyncio.gather(*(telephones.dial(world.platform, caller(shop), one) for one in at_once))
    await world.settle()
    page = await calls.list_calls(world.platform, caller(shop), ListCalls(limit=10))
    rung = [leg.number for story in page.items for leg in story.legs if not leg.inbound]
    assert rung == [first]
    causes = [story.legs[0].cause for story in page.items]
    assert sorted(map(str, causes)) == ["None", *["busy"] * 4]


async def test_a_line_shows_another_number_of_its_account(world: World) -> None:
    shop = await world.account()
    first, second = await two_lines(world, shop)
    await extend(world, shop, first, shown=second)
    story = await dial(world, shop, first, OUTSIDE)
    assert story.legs[1].shown == second
    placed = await lines.make_call(
        world.platform, caller(shop), CallFromLine(first, PlaceCall(first, OUTSIDE))
    )
    await behave(world, shop, first, call="answer")
    await world.settle()
    with pytest.raises(Refusal) as found:
        await extend(world, shop, first, shown="33199000999")
    assert (found.value.fault, found.value.field) == (Fault.INVALID_SENDER, "shown")
    assert placed.call.first == first


async def test_what_is_said_with_a_line_is_recorded(world: World) -> None:
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await extend(world, shop, first, recorded=True)
    await behave(world, shop, first, call="answer", hang_up_after_ms=3000, say="Bonjour")
    await dial(world, shop, X, first)
    await world.wait(4)
    await world.settle()
    page = await recordings.list_recordings(world.platform, caller(shop), ListRecordings(limit=10))
    assert [kept.recording.purpose for kept in page.items] == [RecordingPurpose.CALL]


async def test_both_hear_that_a_line_is_recorded(world: World) -> None:
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await extend(world, shop, first, recorded=True)
    await behave(world, shop, first, call="answer")
    await dial(world, shop, X, first)
    story = await newest(world, shop)
    assert [announced(world, leg) for leg in story.legs] == ["Cet appel est enregistré."] * 2
    await calls.hang_up(world.platform, caller(shop), calls.HangUpCall(story.call.ref))
    await world.settle()
    await behave(world, shop, OUTSIDE, call="answer")
    made = CallFromLine(first, PlaceCall(first, OUTSIDE))
    await lines.make_call(world.platform, caller(shop), made)
    await world.settle()
    story = await newest(world, shop)
    assert [announced(world, leg) for leg in story.legs] == ["Cet appel est enregistré."] * 2


def announced(world: World, leg: Leg) -> str:
    moment = world.platform.live_calls.telephones.moment(leg.id)
    return "" if moment is None or moment.hears is None else telephones.in_words(moment.hears)


async def test_a_caller_hears_a_message_while_it_rings(world: World) -> None:
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await extend(world, shop, first, message="Bienvenue.", plays_message=True)
    story = await dial(world, shop, X, first)
    assert [(leg.name, leg.state) for leg in story.legs] == [
        ("caller", LegState.UP),
        ("called", LegState.RINGING),
    ]
    moment = world.platform.live_calls.telephones.moment(story.legs[0].id)
    assert moment is not None
    assert telephones.in_words(moment.hears) == "Bienvenue."


async def test_who_may_not_pick_up_takes_no_call_of_others(world: World) -> None:
    shop = await world.account()
    first, second = await two_lines(world, shop)
    story = await dial(world, shop, X, first)
    await extend(world, shop, second, may_pick_up=False)
    assert await refused(world, shop, second, "*8201") is Fault.NOT_ALLOWED
    with pytest.raises(Refusal) as found:
        await transfers.pick_up(world.platform, caller(shop), PickUpCall(story.call.ref, second))
    assert found.value.fault is Fault.NOT_ALLOWED
    await extend(world, shop, second, may_pick_up=True)
    await dial(world, shop, second, "*8201")
    legs = (await calls.find(world.platform, caller(shop), calls.FindCall(story.call.ref))).legs
    assert legs[-1].number == second


@pytest.mark.parametrize("number", ["0800123456", "0820123456", "0899123456", "+41900123456"])
async def test_services_are_blocked_where_the_account_opened_them(world: World, number: str) -> None:
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    prefix = "4190" if number.startswith("+41") else "338"
    await consents.open_destination(world.platform, shop.account, prefix, closed=False)
    await dial(world, shop, first, number)
    await extend(world, shop, first, blocks_value_added=True)
    assert await refused(world, shop, first, number) is Fault.NOT_ALLOWED
    with pytest.raises(Refusal) as found:
        await lines.make_call(world.platform, caller(shop), CallFromLine(first, PlaceCall(first, number)))
    assert (found.value.fault, found.value.field) == (Fault.DESTINATION_FORBIDDEN, "to")


async def test_a_blocked_service_is_not_reached_by_giving_a_call_away(world: World) -> None:
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await consents.open_destination(world.platform, shop.account, "338", closed=False)
    await behave(world, shop, first, call="answer")
    story = await dial(world, shop, X, first)
    assert story.call.joined_at is not None
    telephone = story.call, next(leg for leg in story.legs if leg.name == "called")

    async def give() -> None:
        await transfers.asked_by_telephone(world.platform, telephone, "0820123456")

    await extend(world, shop, first, blocks_value_added=True)
    with pytest.raises(Refusal, match="its account has blocked them"):
        await give()
    await extend(world, shop, first, blocks_value_added=False, limited=True, allowance=0)
    with pytest.raises(Refusal, match="used up its allowance"):
        await give()
    await extend(world, shop, first, limited=False)
    await give()


async def test_an_allowance_that_is_used_up_joins_nobody_to_who_costs(world: World) -> None:
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await behave(world, shop, first, call="answer")
    await behave(world, shop, OUTSIDE, call="answer")
    rung, dialled = await dial(world, shop, X, first), await dial(world, shop, first, OUTSIDE)
    telephone = [
        (story.call, next(leg for leg in story.legs if leg.number == first)) for story in (rung, dialled)
    ]
    await extend(world, shop, first, limited=True, allowance=0)
    with pytest.raises(Refusal, match="used up its allowance"):
        await transfers.asked_by_telephone(world.platform, telephone[0], "", telephone[1:])
    await extend(world, shop, first, limited=False)
    await transfers.asked_by_telephone(world.platform, telephone[0], "", telephone[1:])


async def test_a_limited_line_spends_its_allowance_and_no_more(both: World) -> None:
    world = both
    shop = await world.account()
    first, second = await two_lines(world, shop)
    await extend(world, shop, first, limited=True, allowance=2000)
    await behave(world, shop, OUTSIDE, call="answer")
    await dial(world, shop, first, OUTSIDE)
    await world.wait(121)
    story = await newest(world, shop)
    assert (story.call.outcome, story.call.price) == (CallOutcome.ANSWERED, 2000)
    assert story.legs[1].cause is HangUpCause.CREDIT
    assert await refused(world, shop, first, OUTSIDE) is Fault.INSUFFICIENT_CREDITS
    with pytest.raises(Refusal) as found:
        await lines.make_call(world.platform, caller(shop), CallFromLine(first, PlaceCall(first, OUTSIDE)))
    assert found.value.fault is Fault.INSUFFICIENT_CREDITS
    cost = world.platform.store.queries.cost_of_line
    month = world.clock.at.replace(day=1)
    assert await cost(shop.account.id, first, month) == 2000
    assert await cost(shop.account.id, second, month) == 0
    assert await cost(shop.account.id + 1, first, month) == 0
    await dial(world, shop, first, "202")
    world.clock.move(days=31)
    await dial(world, shop, first, OUTSIDE)


async def test_a_message_is_mailed_to_the_line_s_own_address_and_is_new_until_heard(both: World) -> None:
    world = both
    shop = await world.account()
    first, _ = await two_lines(world, shop)
    await extend(world, shop, first, voicemail_mail="jeanne@example.com")
    await forward(world, shop, first, always=ANSWERPHONE)
    await behave(world, shop, X, say="Rappelez-moi. " * 30, hang_up_after_ms=20_000)
    await dial(world, shop, X, first)
    for _ in range(4):
        await world.wait(8)
        await world.settle()
    assert [mail.to for mail in world.mailer.sent] == ["jeanne@example.com"]
    waiting = world.platform.store.queries.waiting_messages
    assert await waiting([first]) == {first: (1, 0)}
    page = await recordings.list_recordings(world.platform, caller(shop), ListRecordings(limit=10))
    await recordings.sound_of(world.platform, caller(shop), FindRecording(page.items[0].recording.ref))
    assert await waiting([first]) == {first: (0, 1)}


async def test_a_suspended_line_is_not_there(world: World) -> None:
    shop = await world.account()
    first, second = await two_lines(world, shop)
    await lines.renew_telephone(world.platform, caller(shop), RenewTelephone(first))
    await extend(world, shop, first, suspended=True)
    assert await refused(world, shop, X, first) is Fault.NOT_FOUND
    assert await refused(world, shop, first, second) is Fault.NOT_FOUND
    with pytest.raises(Refusal):
        await lines.make_call(world.platform, caller(shop), CallFromLine(first, PlaceCall(first, X)))
    await behave(world, shop, first, call="answer")
    await behave(world, shop, OUTSIDE, call="answer")
    for one, other in ((OUTSIDE, first), (first, OUTSIDE)):
        placed = await calls.place(world.platform, caller(shop), PlaceCall(one, other))
        await world.settle()
        story = await calls.find(world.platform, caller(shop), calls.FindCall(placed.call.ref))
        (leg,) = [leg for leg in story.legs if leg.number == first]
        assert (leg.ringing_at, leg.cause) == (None, HangUpCause.UNREACHABLE)
    await extend(world, shop, first, suspended=False)
    assert (await dial(world, shop, X, first)).call.second == first


async def test_lines_are_found_by_site_state_and_registration(world: World) -> None:
    shop = await world.account()
    first, second = await two_lines(world, shop)
    await extend(world, shop, first, site="Lyon", suspended=True)

    async def found(**search: object) -> list[str]:
        command = ListExtensions(**search)  # type: ignore[arg-type]
        return [line.number for line in await centrex.list_extensions(world.platform, caller(shop), command)]

    assert await found() == [first, second]
    assert await found(site="lyon") == [first]
    assert await found(suspended=False) == [second]
    assert await found(since=world.clock.at) == []
    assert await found(number=second) == [second]


async def test_a_password_is_kept_sealed_and_shown_to_whom_it_may(world: World) -> None:
    shop = await world.account()
    first = shop.secrets["keyyo"].login
    new = await lines.renew_telephone(world.platform, caller(shop), RenewTelephone(first))
    await centrex.change_extension(
        world.platform, caller(shop), ChangeExtension(first, ldap_password="annuaire")
    )
    line = await lines.own_line(world.platform, caller(shop), first)
    assert new.password not in repr(line)
    assert "annuaire" not in repr(line)
    masked = centrex.MASKED
    assert centrex.secrets_of(world.platform, caller(shop), line) == (masked, masked)
    reader = caller(shop)._replace(scopes=(READS_SECRETS,))
    assert centrex.secrets_of(world.platform, reader, line) == (new.password, "annuaire")
    assert centrex.secrets_of(world.platform, reader, replace(line, id=line.id + 1)) == ("", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("calls_at_once", 101),
        ("codec", "MP3"),
        ("transport", "CARRIER PIGEON"),
        ("telephone_mac", "00:04:13"),
        ("telephone_port", 65536),
        ("voicemail_mail", "nobody"),
        ("user_name", "x" * 101),
        ("message", "x" * 1001),
        ("secretary", "15"),
    ],
)
async def test_what_cannot_be_set(world: World, field: str, value: object) -> None:
    shop = await world.account()
    with pytest.raises(Refusal) as found:
        await extend(world, shop, shop.secrets["keyyo"].login, **{field: value})
    assert found.value.field == field
