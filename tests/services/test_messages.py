"""Sending, quoting and cancelling."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.model.commands import (
    Accepted,
    BlockNumber,
    CancelMessages,
    FindMessages,
    QuoteMessages,
    Refused,
    ReleaseNumber,
    Replay,
    SendMessages,
    UnblockNumber,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.history import MessageStory
from chappe.model.ledger import EntryKind
from chappe.model.messages import Message, MessageState
from chappe.model.smstext import Encoding
from chappe.services import history, inbox, messages
from chappe.services.accounts import NewAccount
from chappe.settings import RouteSettings, Settings, TariffSettings
from tests.platform import World, a_world, caller
from tests.services.asking import ALICE, BOB, all_messages, fates, read, send, send_one, state, statement

SWISS = "41792223344"
TARIFFS = Settings(
    tariffs=(
        TariffSettings(0.5),
        TariffSettings(1.234, "33"),
        TariffSettings(0.001, "336"),
        TariffSettings(2, "3361234567"),
    )
)


async def refusal_of(world: World, new: NewAccount, *to: str, text: str = "Hello", **more: object) -> Refusal:
    with pytest.raises(Refusal) as found:
        await send(world, new, *to, text=text, **more)
    return found.value


async def untouched(world: World, new: NewAccount, balance: int = 200_000) -> None:
    """Nothing was stored and nothing was paid."""
    assert await all_messages(world, new) == ()
    assert await world.balance(new.account) == balance
    assert [line.kind for line in await statement(world, new)] == [EntryKind.PAYMENT]
    assert await world.platform.store.queries.due_messages("sandbox", world.clock.now(), 10, []) == ()


# --- refusals leave nothing behind

REFUSED = {
    "no recipient": ({"recipients": ()}, Fault.NO_RECIPIENT, "to"),
    "empty text": ({"text": ""}, Fault.EMPTY_CONTENT, "text"),
    "NUL in the text": ({"text": "a\0b"}, Fault.INVALID_PARAMETER, "text"),
    "lone surrogate": ({"text": "a\ud800b"}, Fault.INVALID_PARAMETER, "text"),
    "10 MB of text": ({"text": "x" * 10_000_000}, Fault.CONTENT_TOO_LONG, "text"),
    "over ten segments": ({"text": "x" * 1531}, Fault.CONTENT_TOO_LONG, "text"),
    "two segments where one is allowed": (
        {"text": "x" * 161, "split_allowed": False},
        Fault.CONTENT_TOO_LONG,
        "text",
    ),
    "three segments where two are allowed": (
        {"text": "x" * 307, "max_segments": 2},
        Fault.CONTENT_TOO_LONG,
        "text",
    ),
    "not GSM": ({"text": "Привет", "encoding": Encoding.GSM7}, Fault.INVALID_PARAMETER, "text"),
    "not binary": ({"text": "0G", "encoding": Encoding.BINARY}, Fault.INVALID_PARAMETER, "text"),
    "no number": ({"recipients": ("bob",)}, Fault.INVALID_RECIPIENT, "to[0]"),
    "empty number": ({"recipients": (ALICE, "")}, Fault.INVALID_RECIPIENT, "to[1]"),
    "NUL in the number": ({"recipients": (ALICE, "33\0")}, Fault.INVALID_RECIPIENT, "to[1]"),
    "sender too long": ({"sender": "twelve chars"}, Fault.INVALID_SENDER, "from"),
    "sender not GSM": ({"sender": "Привет"}, Fault.INVALID_SENDER, "from"),
    "over a year ahead": ({"ahead": timedelta(days=367)}, Fault.INVALID_PARAMETER, "send_at"),
    "too many recipients": ({"recipients": (ALICE,) * 10_001}, Fault.INVALID_PARAMETER, "to"),
    "too dear": ({"recipients": (ALICE,) * 201}, Fault.INSUFFICIENT_CREDITS, None),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_command_leaves_nothing_behind(world: World, name: str) -> None:
    given_fields, fault, field = REFUSED[name]
    fields: dict[str, object] = {"recipients": (ALICE,), "text": "Hello", **given_fields}
    if "ahead" in fields:
        fields["send_at"] = world.clock.now() + fields.pop("ahead")
    new = await world.account()
    replay = Replay("k", "f")
    with pytest.raises(Refusal) as found:
        command = SendMessages(replay=replay, **fields)
        await messages.send(world.platform, caller(new), command)
    assert (found.value.fault, found.value.field) == (fault, field)
    await untouched(world, new)
    # a refused command may be repeated, with the same key and another request
    outcome = await send(world, new, replay=Replay("k", "g"))
    assert fates(outcome) == ["accepted"] and not outcome.replayed


async def test_one_bad_among_a_thousand_refuses_all(world: World) -> None:
    new = await world.account("shop", credits=5_000)
    numbers = [f"336{position:08d}" for position in range(1000)]
    numbers[777] = "0"
    assert (await refusal_of(world, new, *numbers)).field == "to[777]"
    await untouched(world, new, 5_000_000)
    numbers[777] = ALICE
    outcome = await send(world, new, *numbers)
    assert fates(outcome) == ["accepted"] * 1000 and outcome.balance == 4_000_000
    assert [one.recipient for one in outcome.results] == numbers


async def test_one_without_a_route_or_blocked_refuses_all(database_address: str) -> None:
    async with a_world(database_address, Settings(routes=(RouteSettings("sandbox", "33"),))) as world:
        new = await world.account()
        await inbox.block_number(world.platform, caller(new), BlockNumber(BOB))
        for number, fault in ((SWISS, Fault.NO_ROUTE), (BOB, Fault.BLACKLISTED)):
            refusal = await refusal_of(world, new, ALICE, number)
            assert (refusal.fault, refusal.field) == (fault, "to[1]")
            await untouched(world, new)


async def test_without_all_or_nothing_each_recipient_has_its_own_fate(database_address: str) -> None:
    async with a_world(database_address, Settings(routes=(RouteSettings("sandbox", "33"),))) as world:
        new = await world.account()
        await inbox.block_number(world.platform, caller(new), BlockNumber(BOB))
        to = ["bob", "06 12 34 56 78", SWISS, f"+{BOB}", "", ALICE]
        outcome = await send(world, new, *to, all_or_nothing=False)
        assert fates(outcome) == [
            "invalid_recipient",
            "accepted",
            "no_route",
            "blacklisted",
            "invalid_recipient",
            "accepted",
        ]
        assert [one.recipient for one in outcome.results] == to
        assert all(one.detail for one in outcome.results if isinstance(one, Refused))
        assert outcome.balance == await world.balance(new.account) == 198_000
        only_bad = await send(world, new, "bob", SWISS, all_or_nothing=False)
        assert fates(only_bad) == ["invalid_recipient", "no_route"] and only_bad.balance == 198_000
        assert len(await all_messages(world, new)) == 2


async def test_the_last_thousandth_counts(database_address: str) -> None:
    async with a_world(database_address, TARIFFS) as world:
        new = await world.account("poor", credits=2)
        to = ["33712345678", "33600000000"]  # 1.234 and 0.001
        assert (await send(world, new, *to)).balance == 765
        refusal = await refusal_of(world, new, *to)
        assert refusal.fault is Fault.INSUFFICIENT_CREDITS
        assert "1.235" in refusal.detail and "0.765" in refusal.detail
        assert await world.balance(new.account) == 765
        assert (await send(world, new, *["33600000000"] * 764)).balance == 1
        assert (await refusal_of(world, new, *["33600000000"] * 2)).fault is Fault.INSUFFICIENT_CREDITS
        assert (await send(world, new, "33600000000")).balance == 0
        assert (await refusal_of(world, new, "33600000000")).fault is Fault.INSUFFICIENT_CREDITS
        assert await world.balance(new.account) == 0


async def test_never_below_zero_with_many_at_once(world: World) -> None:
    new = await world.account("shop", credits=10)
    asked = (send(world, new) for _ in range(25))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    refusals = [one for one in outcomes if isinstance(one, Refusal)]
    assert len(refusals) == 15 and {one.fault for one in refusals} == {Fault.INSUFFICIENT_CREDITS}
    assert await world.balance(new.account) == 0 and len(await all_messages(world, new)) == 10


async def test_the_longest_prefix_sets_the_price(database_address: str) -> None:
    async with a_world(database_address, TARIFFS) as world:
        new = await world.account()
        outcome = await send(world, new, SWISS, "33712345678", "33600000000", ALICE, text="x" * 161)
        prices = [one.message.price for one in outcome.results if isinstance(one, Accepted)]
        assert prices == [1_000, 2_468, 2, 4_000]
        assert outcome.balance == await world.balance(new.account) == 200_000 - sum(prices)
        line = (await statement(world, new))[-1]
        assert (line.kind, line.amount, line.messages) == (EntryKind.MESSAGES, sum(prices), 4)
        assert (line.debit, line.credit) == (f"account:{new.account.id}", "platform:messages")


TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("aé€{ç\n😀 ")), min_size=1, max_size=500)
NUMBERS = st.lists(st.sampled_from([ALICE, BOB, SWISS, "0712345678", "33600000000"]), min_size=1, max_size=5)


async def test_a_quote_equals_the_charge(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with a_world(str(tmp_path_factory.mktemp("quotes")), TARIFFS) as world:
        new = await world.account("shop", credits=1_000_000)
        cases: list[tuple[str, list[str], Encoding | None]] = []

        @given(TEXTS, NUMBERS, st.sampled_from([None, Encoding.UCS2, Encoding.GSM7]))
        def collect(text: str, to: list[str], encoding: Encoding | None) -> None:
            cases.append((text, to, encoding))

        collect()
        charged = 0
        for text, to, encoding in cases:
            before = await world.balance(new.account)
            try:
                quote = await messages.quote(
                    world.platform, caller(new), QuoteMessages(tuple(to), text, encoding)
                )
            except Refusal as refusal:
                assert (
                    await refusal_of(world, new, *to, text=text, encoding=encoding)
                ).fault is refusal.fault
                continue
            outcome = await send(world, new, *to, text=text, encoding=encoding)
            made = [one.message for one in outcome.results if isinstance(one, Accepted)]
            assert before - outcome.balance == quote.price == sum(one.price for one in made)
            assert [(one.to, one.price) for one in quote.recipients] == [(m.peer, m.price) for m in made]
            assert {(m.segments, m.encoding) for m in made} == {(quote.segments, quote.encoding)}
            charged += 1
        assert charged > 10


async def test_a_quote_is_refused_as_a_send_would_be(world: World) -> None:
    new = await world.account()
    for to, text, fault, field in (
        ((), "Hello", Fault.NO_RECIPIENT, "to"),
        ((ALICE, "bob"), "Hello", Fault.INVALID_RECIPIENT, "to[1]"),
        ((ALICE,), "", Fault.EMPTY_CONTENT, "text"),
        ((ALICE,), "x" * 1531, Fault.CONTENT_TOO_LONG, "text"),
    ):
        with pytest.raises(Refusal) as found:
            await messages.quote(world.platform, caller(new), QuoteMessages(to, text))
        assert (found.value.fault, found.value.field) == (fault, field)
    assert await world.balance(new.account) == 200_000


# --- what is written


async def test_a_message_is_what_was_asked(world: World) -> None:
    new = await world.account()
    message = await send_one(
        world,
        new,
        "06 12 34 56 78",
        text="Ça va ?",
        sender="Shop",
        flash=True,
        receipt_wanted=False,
        reference="r" * 300,
        validity=timedelta(hours=1),
        session=timedelta(minutes=5),
    )
    now = world.clock.now()
    assert message == await read(world, message)
    assert (message.peer, message.address, message.text) == (ALICE, "Shop", "Ça va ?")
    assert (message.flash, message.receipt_wanted, message.reference) == (True, False, "r" * 255)
    assert (message.state, message.created_at, message.due_at) == (MessageState.QUEUED, now, now)
    assert message.expires_at == now + timedelta(hours=1) and message.session_until == now + timedelta(
        minutes=5
    )
    assert (message.dialect, message.user_id, message.carrier) == ("rest", new.user.id, "sandbox")
    assert len(message.ref) == 26 and message.send_at is None


@pytest.mark.parametrize(
    ("text", "encoding", "wanted", "segments"),
    [
        ("x" * 160, None, Encoding.GSM7, 1),
        ("x" * 161, None, Encoding.GSM7, 2),
        ("€" * 80, None, Encoding.GSM7, 1),
        ("€" * 81, None, Encoding.GSM7, 2),
        ("x" * 70, Encoding.UCS2, Encoding.UCS2, 1),
        ("x" * 71, Encoding.UCS2, Encoding.UCS2, 2),
        ("ç" + "x" * 69, None, Encoding.UCS2, 1),
        ("😀" * 35, None, Encoding.UCS2, 1),
        ("😀" * 36, None, Encoding.UCS2, 2),
        ("x" * 1530, None, Encoding.GSM7, 10),
    ],
)
async def test_alphabet_and_segments(
    sandbox_world: World, text: str, encoding: Encoding | None, wanted: Encoding, segments: int
) -> None:
    new = await sandbox_world.account()
    message = await send_one(sandbox_world, new, text=text, encoding=encoding)
    assert (message.encoding, message.segments, message.price) == (wanted, segments, segments * 1_000)


async def test_a_bound_on_segments_admits_what_fits(world: World) -> None:
    new = await world.account()
    assert (await send_one(world, new, text="x" * 160, split_allowed=False)).segments == 1
    assert (await send_one(world, new, text="x" * 306, max_segments=2)).segments == 2
    assert (await refusal_of(world, new, text="x" * 1531, max_segments=255)).fault is Fault.CONTENT_TOO_LONG


async def test_the_sender_rules(world: World) -> None:
    new = await world.account()
    (own,) = await world.platform.store.queries.own_numbers(new.account.id)

    async def shown(default: str = "", **more: object) -> str:
        who = caller(new)._replace(default_sender=default)
        outcome = await messages.send(world.platform, who, SendMessages((ALICE,), "Hi", **more))
        (result,) = outcome.results
        assert isinstance(result, Accepted)
        return result.message.address

    assert await shown() == own.number
    assert await shown(fallback_sender="20345") == "20345"
    assert await shown("Shop", fallback_sender="20345") == "Shop"
    assert await shown("Shop", sender="Other", fallback_sender="20345") == "Other"
    assert await shown(sender="06 12 34 56 78") == ALICE
    assert await shown(sender="38100") == "38100"
    assert await shown(sender="far too long a sender", sender_optional=True) == own.number
    assert await shown("Shop", sender="Привет", sender_optional=True) == "Shop"
    await inbox.release_number(world.platform, caller(new), ReleaseNumber(own.number))
    assert await shown() == "Chappe"


async def test_the_blacklist_holds_until_it_is_lifted(world: World) -> None:
    new, other = await world.account(), await world.account("other")
    await inbox.block_number(world.platform, caller(new), BlockNumber("06 12 34 56 78"))
    assert (await refusal_of(world, new)).fault is Fault.BLACKLISTED
    assert fates(await send(world, other)) == ["accepted"]
    await inbox.unblock_number(world.platform, caller(new), UnblockNumber(f"+{ALICE}"))
    assert fates(await send(world, new)) == ["accepted"]


# --- dates


async def test_a_past_date_means_now(world: World) -> None:
    new = await world.account()
    for ago in (timedelta(0), timedelta(seconds=1), timedelta(days=4000)):
        message = await send_one(world, new, send_at=world.clock.now() - ago)
        assert (message.state, message.send_at) == (MessageState.QUEUED, None)
        assert message.due_at == world.clock.now()


async def test_a_scheduled_message_is_paid_now_and_sent_then(world: World) -> None:
    new = await world.account()
    at = world.clock.now() + timedelta(days=366)
    message = await send_one(world, new, send_at=at, validity=timedelta(hours=1))
    assert (message.state, message.send_at, message.due_at) == (MessageState.SCHEDULED, at, at)
    assert message.expires_at == at + timedelta(hours=1)
    assert await world.balance(new.account) == 199_000
    await world.settle()
    world.clock.move(days=366, seconds=-1)
    await world.settle()
    assert await state(world, message) is MessageState.SCHEDULED
    world.clock.move(seconds=1)
    await world.settle()
    assert await state(world, message) is MessageState.DELIVERED
    (story,) = await history.find_messages(world.platform, caller(new), FindMessages((message.ref,)))
    assert isinstance(story, MessageStory)
    assert [str(name) for name, _ in story.timeline] == ["scheduled", "queued", "sent", "delivered"]
    assert await world.balance(new.account) == 199_000


# --- idempotency


async def test_the_same_key_gives_the_same_outcome_once(world: World) -> None:
    new = await world.account()
    replay = Replay("key", "print")
    to = ("06 12 34 56 78", f"+{BOB}")
    first = await send(world, new, *to, replay=replay)
    await world.settle()
    world.clock.move(hours=1)
    await send(world, new)
    again = await send(world, new, *to, replay=replay)
    assert again.replayed and not first.replayed
    assert again.balance == first.balance == 198_000 and await world.balance(new.account) == 197_000
    assert [one.recipient for one in again.results] == list(to)
    for one, two in zip(first.results, again.results, strict=True):
        assert isinstance(one, Accepted) and isinstance(two, Accepted)
        assert (two.message.ref, two.message.state) == (one.message.ref, MessageState.QUEUED)
        assert (two.message.peer, two.message.price) == (one.message.peer, one.message.price)
    assert len(await all_messages(world, new)) == 3


async def test_another_request_with_the_same_key_is_refused(world: World) -> None:
    new, other = await world.account(), await world.account("other")
    await send(world, new, replay=Replay("key", "one"))
    refusal = await refusal_of(world, new, replay=Replay("key", "two"))
    assert (refusal.fault, refusal.field) == (Fault.INVALID_PARAMETER, "idempotency_key")
    assert len(await all_messages(world, new)) == 1
    assert fates(await send(world, other, replay=Replay("key", "two"))) == ["accepted"]


async def test_the_same_key_twenty_times_at_once_is_one_message(world: World) -> None:
    new = await world.account("shop", credits=1)  # one message is all it can pay
    outcomes = await asyncio.gather(*(send(world, new, replay=Replay("key", "print")) for _ in range(20)))
    refs = {one.message.ref for outcome in outcomes for one in outcome.results if isinstance(one, Accepted)}
    assert len(refs) == 1 and sum(not outcome.replayed for outcome in outcomes) == 1
    assert {fate for outcome in outcomes for fate in fates(outcome)} == {"accepted"}
    assert len(await all_messages(world, new)) == 1 and await world.balance(new.account) == 0


async def test_two_requests_with_one_key_at_once_are_one_message_and_one_refusal(world: World) -> None:
    new = await world.account()
    asked = (send(world, new, replay=Replay("key", str(number % 2))) for number in range(10))
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    refusals = [one for one in outcomes if isinstance(one, BaseException)]
    assert len(refusals) == 5
    assert all(isinstance(one, Refusal) and one.fault is Fault.INVALID_PARAMETER for one in refusals)
    assert len(await all_messages(world, new)) == 1


async def test_a_key_is_remembered_across_a_restart(database_address: str) -> None:
    async with a_world(database_address) as world:
        new = await world.account()
        first = await send_one(world, new, replay=Replay("key", "print"))
    async with a_world(database_address) as world:
        assert (await send_one(world, new, replay=Replay("key", "print"))).ref == first.ref
        assert (await refusal_of(world, new, replay=Replay("key", "other"))).fault is Fault.INVALID_PARAMETER
        assert await world.balance(new.account) == 199_000


# --- cancelling


async def cancel(world: World, new: NewAccount, *refs: str) -> tuple[Message | Refused, ...]:
    return await messages.cancel(world.platform, caller(new), CancelMessages(refs))


async def test_cancelling_gives_the_price_back_once(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, text="x" * 161, send_at=world.clock.now() + timedelta(hours=1))
    (cancelled,) = await cancel(world, new, message.ref)
    assert isinstance(cancelled, Message) and cancelled.state is MessageState.CANCELLED
    assert await read(world, message) == cancelled
    (again,) = await cancel(world, new, message.ref)
    assert isinstance(again, Refused) and again.fault is Fault.TOO_LATE and "cancelled" in again.detail
    world.clock.move(hours=2)
    await world.settle()
    assert await state(world, message) is MessageState.CANCELLED
    assert await world.balance(new.account) == 200_000
    back = [line for line in await statement(world, new) if line.kind is EntryKind.GIVE_BACK]
    assert [(line.amount, line.reference) for line in back] == [(2_000, message.ref)]


async def test_cancelling_many_has_a_result_for_each(world: World) -> None:
    new, other = await world.account(), await world.account("other")
    later = world.clock.now() + timedelta(hours=1)
    mine = await send_one(world, new, send_at=later)
    queued = await send_one(world, new)
    theirs = await send_one(world, other, send_at=later)
    results = await cancel(
        world, new, mine.ref, mine.ref, queued.ref, theirs.ref, "nothing", "", "\0", "\ud800"
    )
    assert isinstance(results[0], Message)
    assert [one.fault for one in results[1:] if isinstance(one, Refused)] == [
        Fault.TOO_LATE,
        Fault.TOO_LATE,
        *[Fault.NOT_FOUND] * 5,
    ]
    assert isinstance(results[1], Refused) and "is cancelled" in results[1].detail
    assert await state(world, theirs) is MessageState.SCHEDULED
    assert await world.balance(new.account) == 199_000 and await world.balance(other.account) == 199_000


async def test_a_cancel_and_the_date_at_once_have_one_winner(world: World) -> None:
    new = await world.account()
    made = [await send_one(world, new, send_at=world.clock.now() + timedelta(hours=1)) for _ in range(12)]
    world.clock.move(hours=1)
    results = await asyncio.gather(
        *(cancel(world, new, message.ref) for message in made[:6]),
        messages.sweep(world.platform),
        *(cancel(world, new, message.ref) for message in made),
    )
    won = {
        one.ref
        for result in results
        if isinstance(result, tuple)
        for one in result
        if isinstance(one, Message)
    }
    await world.settle()
    after = {message.ref: await state(world, message) for message in made}
    assert {ref for ref, now in after.items() if now is MessageState.CANCELLED} == won
    assert set(after.values()) <= {MessageState.CANCELLED, MessageState.DELIVERED}
    assert await world.balance(new.account) == 200_000 - 1_000 * (12 - len(won))


async def test_many_cancels_at_once_give_back_once(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, send_at=world.clock.now() + timedelta(hours=1))
    results = await asyncio.gather(*(cancel(world, new, message.ref) for _ in range(10)))
    assert sum(isinstance(result[0], Message) for result in results) == 1
    assert await world.balance(new.account) == 200_000


async def test_what_was_sent_cannot_be_cancelled(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new)
    await world.settle()
    (result,) = await cancel(world, new, message.ref)
    assert isinstance(result, Refused) and result.fault is Fault.TOO_LATE and "delivered" in result.detail
    assert await world.balance(new.account) == 199_000


async def test_more_ids_than_a_statement_can_hold(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, send_at=world.clock.now() + timedelta(hours=1))
    refs = (*(f"{number:026d}" for number in range(40_000)), message.ref)
    stories = await history.find_messages(world.platform, caller(new), FindMessages(refs))
    assert len(stories) == 40_001 and isinstance(stories[-1], MessageStory)
    assert isinstance((await cancel(world, new, *refs))[-1], Message)


async def test_ids_that_cannot_be_ids_are_not_found(world: World) -> None:
    new = await world.account()
    for ref in ("", "\0", "\ud800", "é", "x" * 100_000, "0" * 26):
        (story,) = await history.find_messages(world.platform, caller(new), FindMessages((ref,)))
        assert isinstance(story, Refused) and story.fault is Fault.NOT_FOUND
