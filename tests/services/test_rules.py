"""Rules where messages are taken: advertising, senders, closed destinations, the daily cap, the brake."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chappe.model.commands import Accepted, QuoteMessages, Refused, SendFromHandset
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import EntryKind
from chappe.model.messages import MessageState, Purpose
from chappe.model.rights import EVERYBODY, ListConsents, RecordConsents, WithdrawConsent
from chappe.model.rules import Basis
from chappe.services import consents, messages, sandbox
from chappe.services.accounts import NewAccount
from chappe.settings import RulesSettings, Settings
from tests.platform import World, a_world, caller
from tests.services.asking import (
    ALICE,
    BOB,
    from_phone,
    read,
    send,
    send_one,
    state,
    statement,
    subscribe,
)

MARKETING = Purpose.MARKETING
MORNING = datetime(2026, 3, 3, 9, tzinfo=UTC)
NIGHT = datetime(2026, 3, 3, 22, tzinfo=UTC)
OPENING = datetime(2026, 3, 4, 7, tzinfo=UTC)
SWISS = "41791234567"


async def agree(world: World, new: NewAccount, *numbers: str, basis: Basis = Basis.CONSENT) -> None:
    command = RecordConsents(numbers, basis, "form of the shop, 2026-02-01")
    await consents.record_consents(world.platform, caller(new), command)


# --- advertising


async def test_advertising_without_basis_is_refused_with_its_source(world: World) -> None:
    shop = await world.account()
    with pytest.raises(Refusal, match=r"rule fr-marketing-consent: CPCE, art\. L\. 34-5") as met:
        await send(world, shop, BOB, purpose=MARKETING)
    assert (met.value.fault, met.value.field) == (Fault.CONSENT_MISSING, "to[0]")
    assert await world.balance(shop.account) == 200_000


async def test_each_recipient_has_its_own_fate(world: World) -> None:
    shop = await world.account()
    await agree(world, shop, ALICE)
    outcome = await send(world, shop, BOB, ALICE, SWISS, purpose=MARKETING, all_or_nothing=False)
    bob, alice, swiss = outcome.results
    assert isinstance(bob, Refused) and bob.fault is Fault.CONSENT_MISSING
    assert isinstance(alice, Accepted) and alice.message.text == "Hello STOP au 36111"
    assert isinstance(swiss, Accepted) and swiss.message.text == "Hello"
    assert {one.rule for one in outcome.warnings} >= {"fr-marketing-stop", "ch-marketing-consent"}


@pytest.mark.parametrize("basis", Basis)
async def test_advertising_at_night_waits_for_the_morning(world: World, basis: Basis) -> None:
    world.clock.at = NIGHT
    shop = await world.account()
    await agree(world, shop, ALICE, basis=basis)
    message = await send_one(world, shop, purpose=MARKETING)
    kept = await read(world, message)
    assert (kept.state, kept.due_at, kept.send_at) == (MessageState.SCHEDULED, OPENING, OPENING)
    assert (kept.held_by, kept.purpose) == ("fr-marketing-hours-2026", MARKETING)
    assert kept.expires_at is not None and (kept.expires_at - OPENING).days == 3
    world.clock.at = OPENING
    await world.settle()
    assert await state(world, message) is not MessageState.SCHEDULED


async def test_a_date_in_the_window_is_kept_and_one_outside_moved(world: World) -> None:
    world.clock.at = NIGHT
    shop = await world.account()
    await agree(world, shop, ALICE)
    noon = datetime(2026, 3, 10, 11, tzinfo=UTC)
    inside = await send_one(world, shop, purpose=MARKETING, send_at=noon)
    assert (inside.due_at, inside.held_by) == (noon, "")
    late = await send_one(world, shop, purpose=MARKETING, send_at=noon.replace(hour=21))
    assert late.due_at == datetime(2026, 3, 11, 7, tzinfo=UTC)


async def test_notices_at_night_go_out_as_they_are(world: World) -> None:
    world.clock.at = NIGHT
    shop = await world.account()
    message = await send_one(world, shop)
    assert (message.state, message.text, message.held_by) == (MessageState.QUEUED, "Hello", "")


async def test_stop_withdraws_and_start_does_not_restore(world: World) -> None:
    shop = await world.account()
    await agree(world, shop, ALICE)
    await send(world, shop, ALICE, purpose=MARKETING, sender="38100")
    await world.settle()
    for word in ("STOP", "START"):
        await sandbox.send_from_handset(world.platform, caller(shop), SendFromHandset(ALICE, "38100", word))
    page = await consents.list_consents(world.platform, caller(shop), ListConsents(ALICE))
    assert [one.withdrawn_at is None for one in page.items] == [False]
    with pytest.raises(Refusal, match="fr-marketing-consent"):
        await send(world, shop, ALICE, purpose=MARKETING)


async def test_stop_cancels_the_advertising_that_waits_and_gives_its_price_back(world: World) -> None:
    world.clock.at = NIGHT
    shop, other = await world.account(), await world.account("other")
    for new in (shop, other):
        await agree(world, new, ALICE, BOB)
    await subscribe(world, shop, "message.cancelled")
    before = await world.balance(shop.account)
    held = await send_one(world, shop, purpose=MARKETING)
    later = await send_one(world, shop, purpose=MARKETING, send_at=OPENING.replace(hour=12))
    assert (await world.balance(shop.account), held.held_by) == (before - 2000, "fr-marketing-hours-2026")
    notice = await send_one(world, shop, send_at=OPENING)
    to_bob = await send_one(world, shop, BOB, purpose=MARKETING)
    of_other = await send_one(world, other, purpose=MARKETING)
    (number,) = await world.platform.store.queries.own_numbers(shop.account.id)
    for _ in range(2):
        await from_phone(world, shop, number.number, "STOP")
    for message in (held, later):
        kept = await read(world, message)
        assert (kept.state, kept.fault) == (MessageState.CANCELLED, Fault.BLACKLISTED)
        assert kept.finished_at == NIGHT
    assert await world.balance(shop.account) == before - 2000  # the notice, and the one to Bob
    given = [one for one in await statement(world, shop) if one.kind is EntryKind.GIVE_BACK]
    assert {one.reference for one in given} == {held.ref, later.ref}
    for message in (notice, to_bob, of_other):
        assert await state(world, message) is MessageState.SCHEDULED
    (job,) = await world.platform.store.queries.notices_of(shop.account.id, held.id)
    assert job.payload["event"] == "message.cancelled"


async def test_stop_and_the_date_of_advertising_at_once_end_it_once(world: World) -> None:
    world.clock.at = NIGHT
    shop = await world.account()
    await agree(world, shop, ALICE)
    before = await world.balance(shop.account)
    message = await send_one(world, shop, purpose=MARKETING)
    (number,) = await world.platform.store.queries.own_numbers(shop.account.id)
    world.clock.at = OPENING
    await asyncio.gather(
        messages.sweep(world.platform),
        *(from_phone(world, shop, number.number, "STOP") for _ in range(3)),
    )
    cancelled = await state(world, message) is MessageState.CANCELLED
    assert await world.balance(shop.account) == before - (0 if cancelled else 1000)


async def test_what_rules_said_is_kept_with_the_message(world: World) -> None:
    shop = await world.account()
    await agree(world, shop, ALICE)
    assert (await read(world, await send_one(world, shop))).warned_by is None
    warned = await send(world, shop, ALICE, SWISS, purpose=MARKETING, sender="Bank", all_or_nothing=False)
    alice, swiss = [one.message for one in warned.results if isinstance(one, Accepted)]
    assert (await read(world, alice)).warned_by == "sender-right fr-marketing-stop"
    assert (await read(world, swiss)).warned_by == "sender-right ch-marketing-consent ch-marketing-stop"


async def test_consents_are_recorded_once_kept_and_withdrawn(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    await agree(world, shop, ALICE, BOB, ALICE)
    await agree(world, shop, ALICE, basis=Basis.CUSTOMER)
    page = await consents.list_consents(world.platform, caller(shop), ListConsents())
    assert {(one.number, one.basis) for one in page.items} == {
        (ALICE, Basis.CONSENT),
        (BOB, Basis.CONSENT),
    }
    assert (await consents.list_consents(world.platform, caller(other), ListConsents())).items == ()
    with pytest.raises(Refusal, match="no live consent"):
        await consents.withdraw_consent(world.platform, caller(other), WithdrawConsent(ALICE))
    await consents.withdraw_consent(world.platform, caller(shop), WithdrawConsent(ALICE))
    await agree(world, shop, ALICE, basis=Basis.CUSTOMER)
    page = await consents.list_consents(world.platform, caller(shop), ListConsents(ALICE))
    assert [(one.basis, one.withdrawn_at is None) for one in page.items] == [
        (Basis.CUSTOMER, True),
        (Basis.CONSENT, False),
    ]


@given(text=st.text("ab €☀", min_size=1, max_size=400), stop=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_quote_is_the_charge_with_the_added_text(sandbox_world: World, text: str, stop: bool) -> None:
    world = sandbox_world
    name = f"shop {world.platform.ids.new_id()}"
    shop = await world.account(name)
    await agree(world, shop, ALICE)
    text = f"{text} STOP 36180" if stop else text
    to = (ALICE, SWISS)
    quote = await messages.quote(world.platform, caller(shop), QuoteMessages(to, text, purpose=MARKETING))
    await send(world, shop, *to, text=text, purpose=MARKETING)
    assert 200_000 - await world.balance(shop.account) == quote.price


# --- destinations and senders


async def test_a_closed_destination_is_refused_until_it_is_opened(world: World) -> None:
    shop = await world.account()
    with pytest.raises(Refusal, match=r"personal numbering.*high-risk-destinations") as met:
        await send(world, shop, "447012345678")
    assert met.value.fault is Fault.DESTINATION_FORBIDDEN
    await consents.open_destination(world.platform, shop.account, "+44 70", closed=False)
    account = await world.platform.store.queries.account(shop.account.id)
    opened = NewAccount(account, shop.user, shop.secrets)
    assert (await send(world, opened, "447012345678", "447911123456")).results
    assert await consents.open_destination(world.platform, account, "4470", closed=True) == ""


async def test_an_unknown_sender_warns(world: World) -> None:
    shop = await world.account()
    outcome = await send(world, shop, sender="Bank")
    assert [one.rule for one in outcome.warnings] == ["sender-right"]
    await consents.give_sender(world.platform, shop.account, "BANK")
    for sender in ("Bank", "Shop", "20345", ""):
        assert (await send(world, shop, sender=sender)).warnings == ()


async def test_registered_senders_only(database_address: str) -> None:
    async with a_world(database_address, Settings(rules=RulesSettings(senders="registered"))) as world:
        shop = await world.account()
        with pytest.raises(Refusal, match="not registered") as met:
            await send(world, shop, sender="Bank")
        assert met.value.fault is Fault.INVALID_SENDER
        message = await send_one(world, shop, sender="Bank", sender_optional=True)
        assert message.address != "Bank"
        await consents.give_sender(world.platform, shop.account, "Bank")
        assert (await send_one(world, shop, sender="Bank")).address == "Bank"


# --- the daily cap


async def test_the_daily_cap_is_exact_and_ends_with_the_day(database_address: str) -> None:
    async with a_world(database_address, Settings(rules=RulesSettings(daily_cap=5))) as world:
        shop, other = await world.account(), await world.account("other")
        done = await asyncio.gather(*[send(world, shop, ALICE) for _ in range(9)], return_exceptions=True)
        refused = [one for one in done if isinstance(one, Refusal)]
        assert {one.fault for one in refused} == {Fault.INSUFFICIENT_CREDITS}
        assert len(refused) == 4
        assert "5 of the 5" in refused[0].detail and "daily-cap" in refused[0].detail
        assert await world.balance(shop.account) == 195_000
        await send(world, other, ALICE)
        world.clock.at = datetime(2026, 3, 3, tzinfo=UTC)
        await send(world, shop, ALICE)


async def test_an_account_has_a_cap_of_its_own(world: World) -> None:
    shop = await world.account()
    await consents.set_daily_cap(world.platform, shop.account, 1_500)
    account = await world.platform.store.queries.account(shop.account.id)
    capped = NewAccount(account, shop.user, shop.secrets)
    await send(world, capped, ALICE)
    with pytest.raises(Refusal, match="daily-cap"):
        await send(world, capped, ALICE)
    with pytest.raises(Refusal, match="daily-cap"):
        await send(world, capped, ALICE, BOB, ALICE)


# --- the brake


def neighbour(n: int) -> str:
    return str(447911123000 + n)


async def test_the_brake_holds_within_fifty_neighbours(world: World) -> None:
    shop, other = await world.account(credits=500), await world.account("other")
    sent = 0
    with pytest.raises(Refusal, match="pumping-brake") as met:
        for n in range(60):
            await send(world, shop, neighbour(n))
            sent += 1
            world.clock.move(seconds=1)
    assert met.value.fault is Fault.RATE_LIMITED
    assert 30 <= sent < 50
    await send(world, other, neighbour(1))
    await send(world, shop, ALICE)
    world.clock.move(minutes=11)
    await send(world, shop, neighbour(2))


async def test_the_brake_lets_go_what_arrives(world: World) -> None:
    shop = await world.account(credits=500)
    for n in range(60):
        await send(world, shop, neighbour(n))
        world.clock.move(seconds=1)
        await world.settle()


async def test_a_campaign_at_once_is_not_braked(world: World) -> None:
    shop = await world.account(credits=5_000)
    await send(world, shop, *[neighbour(n) for n in range(900)])
    await send(world, shop, *[neighbour(n) for n in range(900)])


# --- a declaration for all numbers


async def test_a_declaration_for_all_numbers_does_not_reach_who_said_stop(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    await agree(world, shop, EVERYBODY, basis=Basis.CUSTOMER)
    await send(world, shop, ALICE, BOB, purpose=MARKETING, sender="38100")
    await world.settle()
    with pytest.raises(Refusal, match="chappe account consent NAME SOURCE"):
        await send(world, other, ALICE, purpose=MARKETING)
    for word in ("STOP", "START"):
        await sandbox.send_from_handset(world.platform, caller(shop), SendFromHandset(ALICE, "38100", word))
    with pytest.raises(Refusal, match="fr-marketing-consent"):
        await send(world, shop, ALICE, purpose=MARKETING)
    await send_one(world, shop, BOB, purpose=MARKETING)
    page = await consents.list_consents(world.platform, caller(shop), ListConsents())
    assert [(one.number, one.basis, one.withdrawn_at is None) for one in page.items] == [
        (ALICE, Basis.CUSTOMER, False),
        (EVERYBODY, Basis.CUSTOMER, True),
    ]
    await agree(world, shop, ALICE)  # asked anew
    await send_one(world, shop, ALICE, purpose=MARKETING)


async def test_a_declaration_ends_for_one_number_once_and_then_for_all(world: World) -> None:
    shop = await world.account()
    who = caller(shop)
    with pytest.raises(Refusal, match="no live consent of all numbers"):
        await consents.withdraw_consent(world.platform, who, WithdrawConsent(EVERYBODY))
    await agree(world, shop, EVERYBODY)
    await consents.withdraw_consent(world.platform, who, WithdrawConsent(ALICE))
    with pytest.raises(Refusal, match=f"no live consent of {ALICE}"):
        await consents.withdraw_consent(world.platform, who, WithdrawConsent(ALICE))
    await consents.withdraw_consent(world.platform, who, WithdrawConsent(EVERYBODY))
    with pytest.raises(Refusal, match="fr-marketing-consent"):
        await send(world, shop, BOB, purpose=MARKETING)
