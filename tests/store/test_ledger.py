"""Nobody spends what is not there, and every thousandth is on both sides of the books."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chappe.model.changes import Changes, Committed, Update
from chappe.model.directory import Account
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import EntryKind, LedgerEntry, LedgerMove
from tests.store.ground import Ground, sample


def check_books(entries: Sequence[LedgerEntry], account: Account, opening: int) -> None:
    """The running balance of every line follows from the line before, and the last is the balance."""
    ours = f"account:{account.id}"
    running = opening
    for entry in entries:
        assert entry.amount >= 0
        assert {entry.debit, entry.credit} == {ours, f"platform:{entry.kind}"}
        running += entry.amount if entry.credit == ours else -entry.amount
        assert entry.balance == running
        assert running >= 0
    assert running == account.balance


def sum_of_all_books(entries: Sequence[LedgerEntry]) -> int:
    books: dict[str, int] = defaultdict(int)
    for entry in entries:
        books[entry.debit] -= entry.amount
        books[entry.credit] += entry.amount
    return sum(books.values())


async def one_account(ground: Ground, balance: int, reserved: int = 0) -> Account:
    account = ground.account(balance, reserved=reserved)
    await ground.records.commit(Changes(insert=[account]))
    return account


async def books_of(ground: Ground, account: Account, opening: int) -> list[LedgerEntry]:
    entries = [entry for entry in await ground.all(LedgerEntry) if entry.account_id == account.id]
    [now] = [one for one in await ground.all(Account) if one.id == account.id]
    check_books(entries, now, opening)
    assert sum_of_all_books(await ground.all(LedgerEntry)) == 0
    return entries


MOVES = st.lists(
    st.lists(
        st.tuples(
            st.integers(-60, 40),
            st.sampled_from(list(EntryKind)),
            st.one_of(st.none(), st.sampled_from("abc")),
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=64,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=MOVES, reserved=st.integers(0, 120))
async def test_concurrent_spenders_never_owe(
    ground: Ground, wishes: list[list[tuple[int, EntryKind, str | None]]], reserved: int
) -> None:
    account = await one_account(ground, 100, reserved)
    changes = [
        Changes(ledger=[LedgerMove(account.id, a, k, r and f"{r}{account.id}", 1) for a, k, r in wish])
        for wish in wishes
    ]
    results = await asyncio.gather(*map(ground.records.commit, changes), return_exceptions=True)
    await books_of(ground, account, 100)
    expected = 100
    for one, result in zip(changes, results, strict=True):
        if isinstance(result, Committed):
            expected += sum(move.amount for move in one.ledger)
        else:
            assert isinstance(result, Refusal)
            assert result.fault in (Fault.INSUFFICIENT_CREDITS, Fault.ALREADY_EXISTS)
    balance = await ground.balance(account.id)
    assert balance == expected
    spent = any(
        move.amount < 0
        for one, result in zip(changes, results, strict=True)
        if isinstance(result, Committed)
        for move in one.ledger
    )
    if spent and reserved <= 100:
        assert balance >= reserved


async def test_sixty_four_spenders_and_two_payers(ground: Ground) -> None:
    accounts = [await one_account(ground, 500, 100) for _ in range(3)]

    async def spend(n: int) -> int:
        done = 0
        for step in range(6):
            account = accounts[(n + step) % 3]
            amount = 20 if n % 32 == 0 else -(1 + n * 7 % 30)
            kind = EntryKind.PAYMENT if amount > 0 else EntryKind.MESSAGES
            try:
                committed = await ground.records.commit(
                    Changes(ledger=[LedgerMove(account.id, amount, kind, messages=1)])
                )
            except Refusal as refusal:
                assert refusal.fault is Fault.INSUFFICIENT_CREDITS
                continue
            assert committed.balances[account.id] >= 100
            done += amount
        return done

    moved = sum(await asyncio.gather(*map(spend, range(64))))
    for account in accounts:
        await books_of(ground, account, 500)
        assert await ground.balance(account.id) >= 100
    assert sum([await ground.balance(account.id) for account in accounts]) == 1500 + moved


async def test_no_line_of_the_statement_is_below_zero(ground: Ground) -> None:
    """What is spent stands after what came in with the same group."""
    account = await one_account(ground, 60)
    await ground.records.commit(
        Changes(
            ledger=[
                LedgerMove(account.id, -150, EntryKind.MESSAGES, None, 3),
                LedgerMove(account.id, 100, EntryKind.PAYMENT, "order 1"),
            ]
        )
    )
    entries = await books_of(ground, account, 60)
    assert [(one.kind, one.amount, one.balance) for one in entries] == [
        (EntryKind.PAYMENT, 100, 160),
        (EntryKind.MESSAGES, 150, 10),
    ]


async def test_a_neighbours_payment_does_not_open_the_reserve(ground: Ground) -> None:
    account = await one_account(ground, 50, 100)
    spent, paid = await asyncio.gather(
        ground.records.commit(Changes(ledger=[LedgerMove(account.id, -10, EntryKind.MESSAGES)])),
        ground.records.commit(Changes(ledger=[LedgerMove(account.id, 20, EntryKind.PAYMENT)])),
        return_exceptions=True,
    )
    assert isinstance(spent, Refusal)
    assert isinstance(paid, Committed)
    assert await ground.balance(account.id) == 70


async def test_what_is_free_needs_no_credit(ground: Ground) -> None:
    account = await one_account(ground, 0)
    await ground.records.commit(Changes(ledger=[LedgerMove(account.id, 0, EntryKind.MESSAGES, None, 4)]))
    [entry] = await books_of(ground, account, 0)
    assert (entry.amount, entry.messages) == (0, 4)


async def test_moves_of_one_kind_are_one_line_for_a_group(ground: Ground) -> None:
    account = await one_account(ground, 100)
    spend = Changes(ledger=[LedgerMove(account.id, -3, EntryKind.MESSAGES, None, 1)])
    results = await asyncio.gather(*(ground.records.commit(spend) for _ in range(10)))
    [entry] = await books_of(ground, account, 100)
    assert (entry.amount, entry.messages, entry.balance) == (30, 10, 70)
    assert {one.balances[account.id] for one in results} == {70}


async def test_a_reference_is_used_once(ground: Ground) -> None:
    """A second give-back of a message takes everything with it that came along."""
    account = await one_account(ground, 100)

    def give(n: int) -> Changes:
        move = LedgerMove(account.id, 7, EntryKind.GIVE_BACK, "message 1", 1)
        return Changes(enqueue=[sample_job(ground, n)], ledger=[move])

    await ground.records.commit(give(1))
    with pytest.raises(Refusal) as refused:
        await ground.records.commit(give(2))
    assert refused.value.fault is Fault.ALREADY_EXISTS
    both = Changes(ledger=[LedgerMove(account.id, 1, EntryKind.PAYMENT, "x")] * 2)
    with pytest.raises(Refusal):
        await ground.records.commit(both)
    other_kind = LedgerMove(account.id, 1, EntryKind.CORRECTION, "message 1")
    await ground.records.commit(Changes(ledger=[other_kind]))
    entries = await books_of(ground, account, 100)
    assert [one.reference for one in entries] == ["message 1", "message 1"]
    assert await ground.balance(account.id) == 108


def sample_job(ground: Ground, n: int):  # type: ignore[no-untyped-def]
    return ground.job(subject=n)


async def test_the_greatest_amounts(ground: Ground) -> None:
    """Far beyond 32 bits in one move, and beyond 53 in the balance."""
    account = await one_account(ground, 2**61)
    await ground.records.commit(Changes(ledger=[LedgerMove(account.id, -(2**60) - 1, EntryKind.MESSAGES)]))
    assert await ground.balance(account.id) == 2**60 - 1
    await books_of(ground, account, 2**61)


async def test_a_refusal_says_what_is_missing(ground: Ground) -> None:
    account = await one_account(ground, 2_500, 500)
    with pytest.raises(Refusal, match=r"costs 3 credits and 2 are left"):
        await ground.records.commit(Changes(ledger=[LedgerMove(account.id, -3_000, EntryKind.MESSAGES)]))


async def test_the_reserve_may_be_spent_once_it_is_free(ground: Ground) -> None:
    account = await one_account(ground, 100, 100)
    spend = Changes(ledger=[LedgerMove(account.id, -1, EntryKind.MESSAGES)])
    with pytest.raises(Refusal):
        await ground.records.commit(spend)
    free = [Update(Account, account.id, account.id, {"reserved": 0})]
    await ground.records.commit(Changes(update=free, ledger=spend.ledger))
    assert await ground.balance(account.id) == 99


async def test_statements_page_from_the_newest(ground: Ground) -> None:
    account, other = await one_account(ground, 100), await one_account(ground, 100)
    await ground.records.commit(Changes(insert=[sample(LedgerEntry, 3)]))
    for n in range(5):
        for one in (account, other):
            await ground.records.commit(Changes(ledger=[LedgerMove(one.id, -n, EntryKind.MESSAGES)]))
    first = await ground.records.queries.ledger(account.id, None, 3)
    second = await ground.records.queries.ledger(account.id, first[-1].id, 3)
    assert [one.amount for one in first + second] == [4, 3, 2, 1, 0]
    assert {one.account_id for one in first + second} == {account.id}
