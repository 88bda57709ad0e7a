"""Changes are written whole or not at all, and in a group only the culprit is refused."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest

from chappe.model.changes import Advance, Changes, Committed, Delete, Update
from chappe.model.directory import Account, BlacklistEntry, Keyword
from chappe.model.errors import Fault, Refusal
from chappe.model.jobs import Job
from chappe.model.ledger import EntryKind, LedgerEntry, LedgerMove
from chappe.model.messages import MAY_FOLLOW, Message, MessageState
from tests.platform import START
from tests.store.ground import NAIVE, Ground, sample

S = MessageState
LATER = START + timedelta(minutes=1)


def spend(account: Account, amount: int, reference: str | None = None) -> LedgerMove:
    return LedgerMove(account.id, -amount, EntryKind.MESSAGES, reference, 1)


def give(account: Account, amount: int, reference: str | None = None) -> LedgerMove:
    return LedgerMove(account.id, amount, EntryKind.GIVE_BACK, reference, 1)


async def snapshot(ground: Ground) -> list[object]:
    kinds = (Account, Message, Keyword, BlacklistEntry, Job, LedgerEntry)
    return [record for kind in kinds for record in await ground.all(kind)]


BAD: dict[str, tuple[Fault | None, Callable[[Account, Message], Changes]]] = {
    "a unique key": (
        Fault.ALREADY_EXISTS,
        lambda account, message: Changes(insert=[sample(Keyword, 9, short_code="1", word="TAKEN")]),
    ),
    "an update into a unique key": (
        Fault.ALREADY_EXISTS,
        lambda account, message: Changes(update=[Update(Keyword, 2, None, {"word": "TAKEN"})]),
    ),
    "an id": (Fault.ALREADY_EXISTS, lambda account, message: Changes(insert=[message])),
    "the balance": (
        Fault.INSUFFICIENT_CREDITS,
        lambda account, message: Changes(ledger=[spend(account, 10**9)]),
    ),
    "an account that is not there": (
        Fault.NOT_FOUND,
        lambda account, message: Changes(ledger=[LedgerMove(77, 5, EntryKind.WELCOME)]),
    ),
    "a used reference": (
        Fault.ALREADY_EXISTS,
        lambda account, message: Changes(ledger=[give(account, 1, "used")]),
    ),
    "a required step": (
        Fault.TOO_LATE,
        lambda account, message: Changes(advance=[Advance(message.id, S.CANCELLED, START, required=True)]),
    ),
    "a required step twice": (
        Fault.TOO_LATE,
        lambda account, message: Changes(advance=[Advance(message.id, S.SENT, START, required=True)] * 2),
    ),
    "a required step to a beginning": (
        Fault.TOO_LATE,
        lambda account, message: Changes(advance=[Advance(message.id, S.RECEIVED, START, required=True)]),
    ),
    "a required step of another's message": (
        Fault.TOO_LATE,
        lambda account, message: Changes(advance=[Advance(message.id, S.SENT, START, 5, required=True)]),
    ),
    "an update of a vanished record": (
        Fault.NOT_FOUND,
        lambda account, message: Changes(update=[Update(Keyword, 404, None, {"word": "X"})]),
    ),
    "an update of a changed record": (
        Fault.TOO_LATE,
        lambda account, message: Changes(update=[Update(Keyword, 2, None, {"word": "X"}, {"word": "Y"})]),
    ),
    "a removal of a vanished record": (
        Fault.NOT_FOUND,
        lambda account, message: Changes(delete=[Delete(Keyword, 404, None)]),
    ),
    "a time without zone": (
        None,
        lambda account, message: Changes(update=[Update(Message, message.id, None, {"due_at": NAIVE})]),
    ),
    "a time without zone in a new record": (
        None,
        lambda account, message: Changes(insert=[sample(BlacklistEntry, 8, created_at=NAIVE)]),
    ),
    "half a character": (
        None,
        lambda account, message: Changes(insert=[sample(BlacklistEntry, 8, reason="\ud83d")]),
    ),
    "a number too great": (
        None,
        lambda account, message: Changes(update=[Update(Message, message.id, None, {"price": 2**63})]),
    ),
    "a column that must not be empty": (
        None,
        lambda account, message: Changes(update=[Update(Message, message.id, None, {"text": None})]),
    ),
    "a record of no kind": (None, lambda account, message: Changes(insert=[object()])),
}


async def prepare(ground: Ground) -> tuple[Account, Message]:
    account = ground.account(100)
    message = ground.message(account.id)
    words = [sample(Keyword, 1, short_code="1", word="TAKEN"), sample(Keyword, 2, id=2, short_code="1")]
    await ground.records.commit(Changes(insert=[account, message, *words], ledger=[give(account, 1, "used")]))
    return account, message


def around(changes: Changes, account: Account, message: Message, ground: Ground) -> Changes:
    """The same wish with good ones of every kind before it."""
    return Changes(
        insert=[sample(BlacklistEntry, 50), *changes.insert],
        advance=[Advance(message.id, S.SENDING, START, enqueue=[ground.job()]), *changes.advance],
        update=[Update(Message, message.id, None, {"carrier_code": "7"}), *changes.update],
        delete=[Delete(Keyword, sample(Keyword, 1).id, None), *changes.delete] if not changes.insert else [],
        ledger=[spend(account, 1), *changes.ledger],
        enqueue=[ground.job()],
    )


@pytest.mark.parametrize("bad", BAD)
async def test_whole_or_not_at_all(ground: Ground, bad: str) -> None:
    account, message = await prepare(ground)
    fault, wish = BAD[bad]
    changes = around(wish(account, message), account, message, ground)
    if bad == "an update into a unique key":
        changes = Changes(insert=changes.insert, update=changes.update, ledger=changes.ledger)
    before = await snapshot(ground)
    with pytest.raises(Exception) as refused:
        await ground.records.commit(changes)
    if fault is None:
        assert not isinstance(refused.value, Refusal)
    else:
        assert isinstance(refused.value, Refusal)
        assert refused.value.fault is fault
    assert await snapshot(ground) == before


@pytest.mark.parametrize("bad", BAD)
async def test_only_the_culprit_of_a_group_is_refused(ground: Ground, bad: str) -> None:
    account, message = await prepare(ground)
    fault, wish = BAD[bad]
    good = [
        Changes(insert=[sample(BlacklistEntry, 100 + n)], ledger=[spend(account, 1)], enqueue=[ground.job()])
        for n in range(6)
    ]
    wishes = [*good[:3], wish(account, message), *good[3:]]
    results = await asyncio.gather(*map(ground.records.commit, wishes), return_exceptions=True)
    assert [type(one) for n, one in enumerate(results) if n != 3] == [Committed] * 6
    culprit = results[3]
    assert isinstance(culprit, Exception)
    assert (culprit.fault if isinstance(culprit, Refusal) else None) is fault
    assert await ground.count(BlacklistEntry) == 6
    assert await ground.count(Job) == 6
    assert await ground.balance(account.id) == 101 - 6


async def test_two_hundred_at_once_with_some_bad(ground: Ground) -> None:
    account = ground.account(1_000)
    await ground.records.commit(Changes(insert=[account]))
    bad = {n for n in range(200) if n % 9 == 4}
    wishes = [
        Changes(
            insert=[ground.message(account.id), *([account] if n in bad else [])],
            ledger=[spend(account, 2)],
            enqueue=[ground.job(account.id)],
        )
        for n in range(200)
    ]
    results = await asyncio.gather(*map(ground.records.commit, wishes), return_exceptions=True)
    assert {n for n, one in enumerate(results) if isinstance(one, Refusal)} == bad
    assert all(isinstance(one, Committed) for n, one in enumerate(results) if n not in bad)
    assert await ground.count(Message) == await ground.count(Job) == 200 - len(bad)
    assert await ground.balance(account.id) == 1_000 - 2 * (200 - len(bad))


async def test_credits_end_within_a_group(ground: Ground) -> None:
    """Two hundred want one credit each and there are fifty: fifty get it."""
    account = ground.account(50)
    await ground.records.commit(Changes(insert=[account]))
    wishes = [Changes(insert=[ground.message(account.id)], ledger=[spend(account, 1)]) for _ in range(200)]
    results = await asyncio.gather(*map(ground.records.commit, wishes), return_exceptions=True)
    refused = [one for one in results if isinstance(one, Refusal)]
    assert len(refused) == 150
    assert {one.fault for one in refused} == {Fault.INSUFFICIENT_CREDITS}
    assert await ground.balance(account.id) == 0
    assert await ground.count(Message) == 50


async def test_a_group_of_very_many_records(ground: Ground) -> None:
    messages = [ground.message(1) for _ in range(6_001)]
    await ground.records.commit(Changes(insert=messages))
    assert await ground.count(Message) == 6_001
    with pytest.raises(Refusal):
        await ground.records.commit(Changes(insert=[*[ground.message(1) for _ in range(5_001)], messages[0]]))
    assert await ground.count(Message) == 6_001


# --- guarded steps


@pytest.mark.parametrize("required", [False, True])
async def test_a_step_happens_exactly_if_the_table_says_so(ground: Ground, required: bool) -> None:
    pairs = list(product(S, S))
    messages = [ground.message(1, state=start) for start, _ in pairs]
    await ground.records.commit(Changes(insert=messages))
    wishes = [
        Changes(advance=[Advance(one.id, to, LATER, required=required)])
        for one, (_, to) in zip(messages, pairs, strict=True)
    ]
    results = await asyncio.gather(*map(ground.records.commit, wishes), return_exceptions=True)
    after = {one.id: one for one in await ground.all(Message)}
    for before, (start, to), result in zip(messages, pairs, results, strict=True):
        if start in MAY_FOLLOW[to]:
            assert isinstance(result, Committed), (start, to)
            assert result.advanced == {before.id}
            assert after[before.id].state is to
            ended = to in (S.DELIVERED, S.UNDELIVERED, S.EXPIRED, S.FAILED, S.CANCELLED)
            assert after[before.id].finished_at == (LATER if ended else None)
            assert after[before.id].sent_at == (LATER if to is S.SENT else None)
            assert after[before.id].sending_at == (LATER if to is S.SENDING else None)
            assert after[before.id].attempts == (1 if to is S.SENDING else 0)
        elif required:
            assert isinstance(result, Refusal), (start, to)
            assert result.fault is Fault.TOO_LATE
            assert after[before.id] == before
        else:
            assert result == Committed()
            assert after[before.id] == before


async def test_a_step_writes_its_columns_and_no_others(ground: Ground) -> None:
    message = ground.message(1, state=S.SENDING, carrier_ids="a b", carrier_code="1", fault=Fault.EXPIRED)
    await ground.records.commit(Changes(insert=[message]))
    due = LATER + timedelta(hours=1)
    await ground.records.commit(Changes(advance=[Advance(message.id, S.QUEUED, LATER, due_at=due)]))
    [read] = await ground.all(Message)
    assert (read.due_at, read.carrier_ids, read.carrier_code, read.fault) == (due, "a b", "1", Fault.EXPIRED)
    await ground.records.commit(
        Changes(advance=[Advance(message.id, S.SENT, LATER, 1, True, "c", Fault.INTERNAL, "2", START)])
    )
    [read] = await ground.all(Message)
    assert (read.due_at, read.carrier_ids, read.carrier_code, read.fault) == (due, "c", "2", Fault.INTERNAL)


async def test_two_steps_of_one_message_in_one_group(ground: Ground) -> None:
    """A receipt may overtake the answer; asked in either order both happen."""
    messages = [ground.message(1), ground.message(1)]
    await ground.records.commit(Changes(insert=messages))
    first, second = messages
    results = await asyncio.gather(
        ground.records.commit(Changes(advance=[Advance(first.id, S.SENT, START)])),
        ground.records.commit(Changes(advance=[Advance(first.id, S.DELIVERED, LATER)])),
        ground.records.commit(Changes(advance=[Advance(second.id, S.DELIVERED, LATER)])),
        ground.records.commit(Changes(advance=[Advance(second.id, S.SENT, START)])),
    )
    assert [one.advanced for one in results] == [{first.id}, {first.id}, {second.id}, {second.id}]
    for message in await ground.all(Message):
        assert (message.state, message.sent_at, message.finished_at) == (S.DELIVERED, START, LATER)


async def test_a_required_step_is_won_once_in_a_group(ground: Ground) -> None:
    message = ground.message(1, state=S.SCHEDULED)
    await ground.records.commit(Changes(insert=[message]))
    wish = [
        Changes(advance=[Advance(message.id, S.CANCELLED, START, 1, required=True, enqueue=[ground.job()])])
        for _ in range(5)
    ]
    results = await asyncio.gather(*map(ground.records.commit, wish), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["Committed"] + ["Refusal"] * 4
    assert {one.fault for one in results if isinstance(one, Refusal)} == {Fault.TOO_LATE}
    assert await ground.count(Job) == 1


async def test_of_two_final_words_one_wins_with_all_it_brings(ground: Ground) -> None:
    account = ground.account(10)
    message = ground.message(account.id, state=S.SENT)
    await ground.records.commit(Changes(insert=[account, message]))
    jobs = {S.UNDELIVERED: ground.job(outcome="undelivered"), S.DELIVERED: ground.job(outcome="delivered")}
    steps = {
        S.UNDELIVERED: Advance(
            message.id, S.UNDELIVERED, START, ledger=[give(account, 5)], enqueue=[jobs[S.UNDELIVERED]]
        ),
        S.DELIVERED: Advance(message.id, S.DELIVERED, START, enqueue=[jobs[S.DELIVERED]]),
    }
    results = await asyncio.gather(
        *(ground.records.commit(Changes(advance=[step])) for step in steps.values())
    )
    [read] = await ground.all(Message)
    won = [bool(one.advanced) for one in results]
    assert sorted(won) == [False, True]
    assert dict(zip(steps, won, strict=True))[read.state]
    assert await ground.all(Job) == [jobs[read.state]]
    assert await ground.balance(account.id) == (15 if read.state is S.UNDELIVERED else 10)
    loser = results[won.index(False)]
    assert loser == Committed()


async def test_a_step_repeated_gives_back_once(ground: Ground) -> None:
    account = ground.account(10)
    message = ground.message(account.id, state=S.SENT)
    await ground.records.commit(Changes(insert=[account, message]))

    def receipt() -> Changes:
        moves = [give(account, 5, message.ref)]
        step = Advance(message.id, S.UNDELIVERED, START, ledger=moves, enqueue=[ground.job()])
        return Changes(advance=[step])

    together = await asyncio.gather(*(ground.records.commit(receipt()) for _ in range(4)))
    alone = await ground.records.commit(receipt())
    assert sorted(len(one.advanced) for one in together) == [0, 0, 0, 1]
    assert alone == Committed()
    assert await ground.balance(account.id) == 15
    assert await ground.count(Job) == 1


async def test_the_step_of_a_stranger_does_nothing(ground: Ground) -> None:
    account = ground.account(10)
    message = ground.message(account.id, state=S.SENT)
    await ground.records.commit(Changes(insert=[account, message]))
    step = Advance(message.id, S.FAILED, START, 999, ledger=[give(account, 5)], enqueue=[ground.job()])
    assert await ground.records.commit(Changes(advance=[step])) == Committed()
    assert await ground.all(Message) == [message]
    assert (await ground.balance(account.id), await ground.count(Job)) == (10, 0)


async def test_the_step_of_a_stranger_does_not_stand_in_the_owners_way(ground: Ground) -> None:
    message = ground.message(1, state=S.SCHEDULED)
    await ground.records.commit(Changes(insert=[message]))
    stranger, owner = await asyncio.gather(
        ground.records.commit(Changes(advance=[Advance(message.id, S.CANCELLED, START, 999)])),
        ground.records.commit(Changes(advance=[Advance(message.id, S.CANCELLED, START, 1)])),
    )
    assert (stranger.advanced, owner.advanced) == (frozenset(), {message.id})


async def test_a_message_may_be_written_and_advanced_at_once(ground: Ground) -> None:
    message = ground.message(1)
    changes = Changes(insert=[message], advance=[Advance(message.id, S.SENT, START, required=True)])
    assert (await ground.records.commit(changes)).advanced == {message.id}


async def test_nothing_is_written_for_nothing(ground: Ground) -> None:
    assert await ground.records.commit(Changes()) == Committed()
