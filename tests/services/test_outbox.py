"""What becomes of queued messages: answers, receipts, validity, crashes."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from chappe.carriers.sandbox.carrier import SandboxCarrier
from chappe.model.changes import Changes
from chappe.model.commands import CancelMessages, FindMessages
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.model.history import MessageStory
from chappe.model.ledger import EntryKind
from chappe.model.messages import Message, MessageState, Receipt, Submission
from chappe.services import history, messages
from chappe.services.accounts import NewAccount
from chappe.services.outbox import Outbox
from tests.platform import START, World, a_world, caller
from tests.services.asking import (
    ALICE,
    PlayedCarrier,
    behave,
    read,
    send,
    send_one,
    state,
    statement,
    subscribe,
)

S = MessageState


def receipt(carrier_id: str, word: MessageState = S.DELIVERED, code: str = "") -> Receipt:
    return Receipt("sandbox", carrier_id, word, code, START)


async def steps(world: World, new: NewAccount, message: Message) -> list[str]:
    (story,) = await history.find_messages(world.platform, caller(new), FindMessages((message.ref,)))
    assert isinstance(story, MessageStory)
    return [str(name) for name, _ in story.timeline]


async def given_back(world: World, new: NewAccount) -> list[tuple[str | None, int]]:
    lines = await statement(world, new)
    return [(line.reference, line.amount) for line in lines if line.kind is EntryKind.GIVE_BACK]


# --- the sandbox's telephones


@pytest.mark.parametrize(
    ("how", "ends", "code", "history_", "paid"),
    [
        ({}, S.DELIVERED, "DELIVRD", ["queued", "sent", "delivered"], True),
        ({"receipt": "delivered"}, S.DELIVERED, "DELIVRD", ["queued", "sent", "delivered"], True),
        ({"receipt": "undelivered"}, S.UNDELIVERED, "UNDELIV", ["queued", "sent", "undelivered"], False),
        ({"receipt": "expired"}, S.EXPIRED, "EXPIRED", ["queued", "sent", "expired"], False),
        ({"receipt": "rejected"}, S.UNDELIVERED, "REJECTD", ["queued", "sent", "undelivered"], False),
        ({"receipt": "none"}, S.SENT, "", ["queued", "sent"], True),
        ({"duplicate_receipts": 5}, S.DELIVERED, "DELIVRD", ["queued", "sent", "delivered"], True),
        (
            {"receipt": "undelivered", "duplicate_receipts": 5},
            S.UNDELIVERED,
            "UNDELIV",
            ["queued", "sent", "undelivered"],
            False,
        ),
        ({"receipt_before_answer": True}, S.DELIVERED, "DELIVRD", ["queued", "sent", "delivered"], True),
        (
            {"receipt": "undelivered", "receipt_before_answer": True, "duplicate_receipts": 2},
            S.UNDELIVERED,
            "UNDELIV",
            ["queued", "sent", "undelivered"],
            False,
        ),
        ({"refuse": "permanent"}, S.FAILED, "ESME_RINVDSTADR", ["queued", "failed"], False),
    ],
    ids=lambda value: "-".join(map(str, value.values())) or "usual" if isinstance(value, dict) else "",
)
async def test_a_telephone_behaves_as_it_was_told(
    world: World,
    how: dict[str, object],
    ends: MessageState,
    code: str,
    history_: list[str],
    paid: bool,
) -> None:
    new = await world.account()
    await behave(world, new, **how)
    message = await send_one(world, new)
    await world.settle()
    await world.settle()
    now = await read(world, message)
    assert (now.state, now.carrier_code) == (ends, code)
    assert await steps(world, new, message) == history_
    assert await world.balance(new.account) == (199_000 if paid else 200_000)
    assert await given_back(world, new) == ([] if paid else [(message.ref, 1_000)])
    assert now.fault is (Fault.CARRIER_REJECTED if ends is S.FAILED else None)


async def test_a_receipt_takes_its_time(world: World) -> None:
    new = await world.account()
    await behave(world, new, receipt="undelivered", receipt_after_ms=90_000, duplicate_receipts=3)
    message = await send_one(world, new)
    await world.settle()
    world.clock.move(seconds=89)
    await world.settle()
    assert await state(world, message) is S.SENT
    world.clock.move(seconds=1)
    await world.settle()
    now = await read(world, message)
    assert (now.state, now.finished_at) == (S.UNDELIVERED, world.clock.now())
    assert await given_back(world, new) == [(message.ref, 1_000)]


async def test_without_a_wish_for_a_receipt_there_is_none(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, receipt_wanted=False)
    await world.settle()
    assert await state(world, message) is S.SENT


@pytest.mark.parametrize("refuse", ["temporary", "throttled"])
async def test_a_temporary_refusal_is_tried_again_until_it_is_lifted(world: World, refuse: str) -> None:
    new = await world.account()
    await behave(world, new, refuse=refuse)
    message = await send_one(world, new)
    await world.settle()
    tries = []
    for _ in range(4):
        waiting = await read(world, message)
        tries.append((waiting.state, waiting.attempts, (waiting.due_at - world.clock.now()).total_seconds()))
        world.clock.at = waiting.due_at
        await world.settle()
    pause = 5 if refuse == "temporary" else 1
    assert tries == [(S.QUEUED, number, pause * number) for number in (1, 2, 3, 4)]
    await behave(world, new)
    world.clock.move(minutes=5)
    await world.settle()
    assert await state(world, message) is S.DELIVERED
    assert await world.balance(new.account) == 199_000


async def test_the_end_of_validity_ends_a_queued_message_unsent(world: World) -> None:
    """Also where the carrier comes back only after it, before the clockwork's turn."""
    new = await world.account()
    await behave(world, new, refuse="temporary")
    message = await send_one(world, new, validity=timedelta(hours=1))
    await world.settle()
    await behave(world, new)
    world.clock.move(hours=1)
    await world.settle()
    now = await read(world, message)
    assert (now.state, now.fault) == (S.EXPIRED, Fault.EXPIRED)
    assert await given_back(world, new) == [(message.ref, 1_000)]
    assert await steps(world, new, message) == ["queued", "expired"]


async def test_a_sent_message_that_nobody_reported_on_expires_and_stays_paid(world: World) -> None:
    new = await world.account()
    await behave(world, new, receipt="none")
    message = await send_one(world, new, validity=timedelta(hours=1))
    await world.settle()
    world.clock.move(hours=1)
    await world.settle()
    assert await state(world, message) is S.EXPIRED
    assert await given_back(world, new) == [] and await world.balance(new.account) == 199_000


# --- segments


async def joined(world: World, new: NewAccount, ids: Sequence[str]) -> tuple[Message, Outbox, PlayedCarrier]:
    """A message of several segments that the network took under these ids."""
    message = await send_one(world, new, text="x" * 400)
    outbox, carrier = Outbox(world.platform), PlayedCarrier()
    assert await outbox.step(carrier) == 1
    await outbox.submitted(carrier.accept(*ids))
    return message, outbox, carrier


FATES = [
    *itertools.product([S.DELIVERED, S.UNDELIVERED, S.EXPIRED], repeat=2),
    (S.DELIVERED, S.DELIVERED, S.UNDELIVERED),
]


@pytest.mark.parametrize("words", FATES, ids=lambda words: "-".join(words))
async def test_a_long_message_ends_when_its_segments_have_and_as_the_worst_of_them(
    sandbox_world: World, words: tuple[MessageState, ...]
) -> None:
    world = sandbox_world
    worst = next(word for word in (S.UNDELIVERED, S.EXPIRED, S.DELIVERED) if word in words)
    for number, order in enumerate(itertools.permutations(range(len(words)))):
        new = await world.account(f"shop {number}")
        ids = [f"{number}.{position}" for position in range(len(words))]
        message, outbox, _ = await joined(world, new, ids)
        for position in order[:-1]:
            for _ in range(2):  # twice: duplicates count once
                await outbox.receipts([receipt(ids[position], words[position])])
                assert await state(world, message) is S.SENT
        await outbox.receipts([receipt(ids[order[-1]], words[order[-1]])] * 2)
        for position in order:  # long after the end
            await outbox.receipts([receipt(ids[position], S.DELIVERED)])
        assert await state(world, message) is worst
        back = [] if worst is S.DELIVERED else [(message.ref, 3_000)]
        assert await given_back(world, new) == back


async def test_all_receipts_of_a_long_message_in_one_batch(world: World) -> None:
    new = await world.account()
    message, outbox, _ = await joined(world, new, ["a", "b", "c"])
    batch = [receipt("c"), receipt("a"), receipt("a", S.UNDELIVERED), receipt("b"), receipt("stranger")]
    await outbox.receipts(batch)
    assert await state(world, message) is S.DELIVERED


async def test_receipts_of_segments_that_overtook_the_answer(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, text="x" * 200)
    outbox, carrier = Outbox(world.platform), PlayedCarrier()
    await outbox.step(carrier)
    await outbox.receipts([receipt("b", S.UNDELIVERED)])
    await outbox.receipts([receipt("b", S.DELIVERED), receipt("a")])
    assert await state(world, message) is S.QUEUED
    await outbox.submitted(carrier.accept("a", "b"))
    assert await state(world, message) is S.UNDELIVERED
    await world.platform.store.commit(Changes())  # what was to be written later is written with it
    assert await world.platform.store.queries.early_receipts("sandbox", ["a", "b"]) == ()
    assert await given_back(world, new) == [(message.ref, 2_000)]


async def test_one_segment_early_and_the_other_late(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, text="x" * 200)
    outbox, carrier = Outbox(world.platform), PlayedCarrier()
    await outbox.step(carrier)
    await outbox.receipts([receipt("a")])
    await outbox.submitted(carrier.accept("a", "b"))
    assert await state(world, message) is S.SENT
    await outbox.receipts([receipt("b")])
    assert await state(world, message) is S.DELIVERED


async def test_a_network_s_word_failed_ends_a_sent_message(world: World) -> None:
    """`failed` may not follow `sent`; after acceptance a failure is an undelivered message."""
    new = await world.account()
    message, outbox, _ = await joined(world, new, ["a", "b"])
    await outbox.receipts([receipt("a", S.FAILED), receipt("b")])
    assert await state(world, message) is S.UNDELIVERED
    alone = await send_one(world, new)
    carrier = PlayedCarrier()
    await outbox.step(carrier)
    await outbox.submitted(carrier.accept("c"))
    await outbox.receipts([receipt("c", S.FAILED, "X")])
    assert ((await read(world, alone)).state, (await read(world, alone)).carrier_code) == (S.UNDELIVERED, "X")
    assert await world.balance(new.account) == 200_000


async def test_an_intermediate_word_changes_nothing(world: World) -> None:
    new = await world.account()
    message, outbox, _ = await joined(world, new, ["a", "b"])
    await outbox.receipts([receipt("a", S.SENT), receipt("b", S.SENDING)])
    assert await state(world, message) is S.SENT
    await outbox.receipts([receipt("early", S.SENT)])
    assert await world.platform.store.queries.early_receipts("sandbox", ["early"]) == ()


async def test_a_receipt_that_comes_before_a_crash_is_not_lost(world: World) -> None:
    """The process dies after the answer's commit: everything that was known is in that commit."""
    new = await world.account()
    message = await send_one(world, new)
    outbox, carrier = Outbox(world.platform), PlayedCarrier()
    await outbox.step(carrier)
    await outbox.receipts([receipt("a")])
    commits = 0
    commit = world.platform.store.commit

    async def dies_after_one(changes):  # type: ignore[no-untyped-def]
        nonlocal commits
        commits += 1
        if commits > 1:
            raise asyncio.CancelledError
        return await commit(changes)

    world.platform.store.commit = dies_after_one
    try:
        await outbox.submitted(carrier.accept("a"))
    except asyncio.CancelledError:
        pass
    finally:
        world.platform.store.commit = commit
    assert await state(world, message) is S.DELIVERED


# --- carriers in trouble


@pytest.mark.parametrize(
    ("kind", "pause"),
    [
        (CarrierErrorKind.TEMPORARY, 7),
        (CarrierErrorKind.THROTTLED, 7),
        (CarrierErrorKind.UNKNOWN, 7),
        (CarrierErrorKind.TEMPORARY, None),
    ],
)
async def test_a_carrier_that_is_away_gets_the_messages_again(
    world: World, kind: CarrierErrorKind, pause: float | None
) -> None:
    new = await world.account()
    message = await send_one(world, new)
    outbox = Outbox(world.platform)
    carrier = PlayedCarrier(trouble=CarrierError(kind, Fault.CARRIER_UNAVAILABLE, "away", pause))
    assert await outbox.step(carrier) == 1
    now = await read(world, message)
    assert (now.state, now.attempts, now.carrier_code) == (S.QUEUED, 1, "away")
    assert now.due_at == world.clock.now() + timedelta(seconds=pause or 5)
    assert await outbox.step(carrier) == 0
    world.clock.move(seconds=7)
    carrier.trouble = None
    assert await outbox.step(carrier) == 1
    await outbox.submitted(carrier.accept("a"))
    assert await state(world, message) is S.SENT and await world.balance(new.account) == 199_000


async def test_a_carrier_that_will_never_take_them_fails_them(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new)
    trouble = CarrierError(CarrierErrorKind.PERMANENT, Fault.CARRIER_REJECTED, "no")
    await Outbox(world.platform).step(PlayedCarrier(trouble=trouble))
    now = await read(world, message)
    assert (now.state, now.fault, now.carrier_code) == (S.FAILED, Fault.CARRIER_REJECTED, "no")
    assert await given_back(world, new) == [(message.ref, 1_000)]


async def test_a_defect_of_a_carrier_does_not_hold_its_messages_for_ever(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new)
    outbox, carrier = Outbox(world.platform), PlayedCarrier(trouble=ValueError("a defect"))
    with pytest.raises(ValueError, match="a defect"):
        await outbox.step(carrier)
    carrier.trouble = None
    assert await outbox.step(carrier) == 1
    await outbox.submitted(carrier.accept("a"))
    assert await state(world, message) is S.SENT


async def test_answers_that_could_not_be_written_do_not_hold_their_messages_for_ever(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new)
    outbox, carrier = Outbox(world.platform), PlayedCarrier()
    await outbox.step(carrier)
    commit = world.platform.store.commit

    async def away(changes):  # type: ignore[no-untyped-def]
        raise OSError("the database is away")

    world.platform.store.commit = away
    with pytest.raises(OSError, match="away"):
        await outbox.submitted(carrier.accept("a"))
    world.platform.store.commit = commit
    assert await outbox.step(carrier) == 1
    await outbox.submitted(carrier.accept("b"))
    assert await state(world, message) is S.SENT


async def test_what_was_in_flight_in_a_crash_is_sent_again(database_address: str) -> None:
    async with a_world(database_address) as world:
        new = await world.account()
        message = await send_one(world, new)
        assert await Outbox(world.platform).step(PlayedCarrier()) == 1
    async with a_world(database_address) as world:
        outbox, carrier = Outbox(world.platform), PlayedCarrier()
        assert await outbox.step(carrier) == 1
        assert [one.id for one in carrier.taken] == [message.id]
        await outbox.submitted(carrier.accept("a"))
        await outbox.submitted(carrier.accept("b"))  # an answer to nothing
        assert (await read(world, message)).carrier_ids == "a"


async def test_a_window_is_not_overrun(world: World) -> None:
    new = await world.account()
    await send(world, new, *[ALICE] * 7)
    outbox, carrier = Outbox(world.platform), PlayedCarrier(window=3)
    assert [await outbox.step(carrier) for _ in range(3)] == [3, 0, 0]
    await outbox.submitted([Submission(carrier.taken[0].id, ("a",))])
    assert [await outbox.step(carrier) for _ in range(2)] == [1, 0]
    await outbox.submitted([Submission(one.id, (one.ref,)) for one in carrier.taken[1:]])
    assert [await outbox.step(carrier) for _ in range(2)] == [3, 0]
    assert len({one.id for one in carrier.taken}) == 7


async def test_an_answer_after_the_end_of_validity_changes_nothing(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, validity=timedelta(hours=1))
    outbox, carrier = Outbox(world.platform), PlayedCarrier()
    await outbox.step(carrier)
    world.clock.move(hours=1)
    await messages.sweep(world.platform)
    assert await state(world, message) is S.EXPIRED
    await outbox.submitted(carrier.accept("a"))
    await outbox.receipts([receipt("a", S.UNDELIVERED)])
    assert await state(world, message) is S.EXPIRED
    assert await given_back(world, new) == [(message.ref, 1_000)]


async def test_receipts_and_sweeps_at_once_give_back_once(world: World) -> None:
    new = await world.account()
    outbox, carrier = Outbox(world.platform), PlayedCarrier()
    made = [await send_one(world, new, validity=timedelta(hours=1)) for _ in range(5)]
    await outbox.step(carrier)
    await outbox.submitted([Submission(one.id, (one.ref,)) for one in carrier.taken])
    world.clock.move(hours=1)
    undelivered = [receipt(one.ref, S.UNDELIVERED) for one in made]
    await asyncio.gather(
        *(outbox.receipts(undelivered) for _ in range(3)),
        *(messages.sweep(world.platform) for _ in range(3)),
        *(Outbox(world.platform).receipts(undelivered) for _ in range(3)),
    )
    states = [await state(world, one) for one in made]
    back = await given_back(world, new)
    assert len(back) == len(set(back)) == states.count(S.UNDELIVERED)
    assert await world.balance(new.account) == 195_000 + 1_000 * len(back)


# --- nobody is told before the commit


async def test_a_network_is_given_only_what_is_written(world: World) -> None:
    new = await world.account()
    seen: list[MessageState] = []

    class Asking(PlayedCarrier):
        async def submit(self, batch: Sequence[Message]) -> None:
            seen.extend([await state(world, one) for one in batch])

    await send(world, new, ALICE, ALICE)
    await Outbox(world.platform).step(Asking())
    assert seen == [S.QUEUED, S.QUEUED]


async def test_the_sink_returns_after_the_commit(world: World) -> None:
    new = await world.account()
    outbox = world.chappe.outbox["sandbox"]
    message = await send_one(world, new)
    seen: list[MessageState] = []

    class Watching:
        async def submitted(self, batch: Sequence[Submission]) -> None:
            await outbox.submitted(batch)
            seen.append(await state(world, message))

        async def receipts(self, batch: Sequence[Receipt]) -> None:
            await outbox.receipts(batch)
            seen.append(await state(world, message))

        async def inbound(self, message: object) -> None: ...

    await outbox.step(SandboxCarrier(world.platform, Watching()))
    assert seen == [S.SENT, S.DELIVERED]


async def test_a_customer_is_told_only_what_is_written(world: World) -> None:
    new = await world.account()
    await subscribe(world, new)
    seen: list[tuple[str, MessageState]] = []
    send_on = world.web.send

    async def asking(outgoing):  # type: ignore[no-untyped-def]
        told = json.loads(outgoing.body)
        (found,) = await world.platform.store.queries.messages_by_ref(new.account.id, [told["data"]["id"]])
        seen.append((told["type"], found.state))
        return await send_on(outgoing)

    world.web.send = asking
    message = await send_one(world, new, send_at=world.clock.now() + timedelta(hours=1))
    await world.chappe.queue.step()
    await messages.cancel(world.platform, caller(new), CancelMessages((message.ref,)))
    await world.settle()
    assert seen == [("message.accepted", S.SCHEDULED), ("message.cancelled", S.CANCELLED)]


async def test_the_queue_is_rung_for_every_notice(world: World) -> None:
    """Cancel and end of validity are told at once, not by the slow poll."""
    new = await world.account()
    await subscribe(world, new)
    later = await send_one(world, new, send_at=world.clock.now() + timedelta(hours=1))
    await behave(world, new, refuse="temporary")
    await send_one(world, new, validity=timedelta(minutes=1))
    await world.settle()
    with world.platform.topics.subscribe("jobs") as bell:
        await messages.cancel(world.platform, caller(new), CancelMessages((later.ref,)))
        assert await bell.wait(0)
        world.clock.move(minutes=1)
        await messages.sweep(world.platform)
        assert await bell.wait(0)
