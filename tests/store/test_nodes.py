"""Several nodes and processes on one database: nobody waits for ever, nobody fails, nothing is lost."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from subprocess import PIPE, Popen

import pytest
import pytest_asyncio

from chappe.model.changes import Advance, Changes, Committed, Update
from chappe.model.directory import Account, BlacklistEntry, ShortCode, Subscription
from chappe.model.errors import Refusal
from chappe.model.ledger import EntryKind, LedgerEntry, LedgerMove, Tariff
from chappe.model.messages import Message, MessageState
from tests.platform import START
from tests.store.ground import Ground, a_ground, sample


@pytest_asyncio.fixture
async def nodes(ground: Ground) -> AsyncIterator[list[Ground]]:
    async with AsyncExitStack() as stack:
        yield [ground] + [await stack.enter_async_context(a_ground(ground.address)) for _ in range(3)]


async def test_rows_locked_in_different_orders(nodes: list[Ground]) -> None:
    """PostgreSQL ends one of two nodes that wait for each other; its work is done again."""
    messages = [nodes[0].message(1) for _ in range(60)]
    await nodes[0].records.commit(Changes(insert=messages))
    for turn in range(12):
        wishes = []
        for n, node in enumerate(nodes):
            order = messages if n % 2 else messages[::-1]
            updates = [Update(Message, one.id, None, {"attempts": turn}) for one in order]
            wishes.append(node.records.commit(Changes(update=updates)))
        assert await asyncio.gather(*wishes) == [Committed()] * len(nodes)
    assert {one.attempts for one in await nodes[0].all(Message)} == {11}


async def test_nodes_advance_the_same_messages(nodes: list[Ground]) -> None:
    account = nodes[0].account(0)
    messages = [nodes[0].message(account.id, state=MessageState.SENT) for _ in range(200)]
    await nodes[0].records.commit(Changes(insert=[account, *messages]))

    def step(message: Message) -> Advance:
        give = LedgerMove(account.id, 5, EntryKind.GIVE_BACK, message.ref, 1)
        return Advance(message.id, MessageState.UNDELIVERED, START, ledger=[give])

    wishes = [
        node.records.commit(Changes(advance=[step(one) for one in (messages if n % 2 else messages[::-1])]))
        for n, node in enumerate(nodes)
    ]
    results = await asyncio.gather(*wishes)
    assert sorted(one for result in results for one in result.advanced) == [one.id for one in messages]
    assert await nodes[0].balance(account.id) == 5 * 200


async def test_nodes_spend_from_one_account(nodes: list[Ground]) -> None:
    accounts = [nodes[0].account(300, reserved=50) for _ in range(2)]
    await nodes[0].records.commit(Changes(insert=accounts))

    async def spend(node: Ground, order: list[Account]) -> int:
        done = 0
        for _ in range(30):
            moves = [LedgerMove(one.id, -3, EntryKind.MESSAGES, None, 1) for one in order]
            try:
                await node.records.commit(Changes(ledger=moves))
            except Refusal:
                continue
            done += 1
        return done

    done = sum(
        await asyncio.gather(
            *(spend(node, accounts if n % 2 else accounts[::-1]) for n, node in enumerate(nodes))
        )
    )
    assert done == 83  # 250 free of the 300, by 3
    entries = await nodes[0].all(LedgerEntry)
    for account in accounts:
        own = [entry for entry in entries if entry.account_id == account.id]
        assert await nodes[0].balance(account.id) == 300 - 3 * 83
        assert sum(entry.amount for entry in own) == 3 * 83
        assert sorted(entry.balance for entry in own)[0] == 300 - 3 * 83


async def test_nodes_adopt_the_same_settings(nodes: list[Ground]) -> None:
    def read_by(node: Ground) -> list[object]:
        codes = [ShortCode(node.ids.new_id(), str(36_000 + n), "FR", n, f"code {n}") for n in range(20)]
        return [*codes, *(Tariff(node.ids.new_id(), "sms", str(n), n) for n in range(20))]

    await asyncio.gather(*(node.records.adopt(read_by(node)) for node in nodes))
    assert await nodes[0].count(ShortCode) == await nodes[0].count(Tariff) == 20


async def test_adopting_again_changes_prices_and_no_more(ground: Ground) -> None:
    code = ShortCode(1, "36789", "FR", 5, "games")
    tariff = Tariff(1, "sms", "33", 1_000)
    await ground.records.adopt([code, tariff])
    dearer = replace(tariff, id=2, price=1_500)
    await ground.records.adopt([replace(code, id=2, label="other"), dearer, Tariff(3, "sms", "32", 9)])
    assert await ground.all(ShortCode) == [code]
    assert await ground.all(Tariff) == [replace(tariff, price=1_500), Tariff(3, "sms", "32", 9)]


_WRITE = """
import asyncio, sys
from tests.store.ground import a_ground, sample
from chappe.model.changes import Changes
from chappe.model.directory import BlacklistEntry

async def main(address, first, count):
    async with a_ground(address) as ground:
        print("ready", flush=True)
        sys.stdin.readline()
        for n in range(first, first + count):
            await ground.records.commit(Changes(insert=[sample(BlacklistEntry, n)]))

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


async def test_the_command_line_writes_while_the_server_does(
    ground: Ground, pytestconfig: pytest.Config
) -> None:
    def start(first: int) -> Popen[str]:
        command = [sys.executable, "-c", _WRITE, ground.address, str(first), "60"]
        process = Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=pytestconfig.rootpath)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    others = [await asyncio.to_thread(start, first) for first in (1_000, 2_000)]
    ended = [asyncio.create_task(asyncio.to_thread(one.communicate, "go\n")) for one in others]
    for n in range(60):
        await ground.records.commit(Changes(insert=[sample(BlacklistEntry, n)]))
        assert await ground.count(BlacklistEntry) > n
    await asyncio.gather(*ended)
    assert [one.returncode for one in others] == [0, 0]
    assert await ground.count(BlacklistEntry) == 180


async def test_a_node_sees_the_change_of_another_one_when_it_is_told(ground: Ground) -> None:
    async with a_ground(ground.address) as other:

        async def seen() -> int:
            return len(await other.records.queries.subscriptions_in_force(1))

        one, two = (sample(Subscription, n, account_id=1, disabled_at=None) for n in (1, 2))
        assert await seen() == 0
        await ground.records.commit(Changes(insert=[one]))
        assert await seen() == 0  # the clock stands still, and it remembers
        ground.records.tell_of_changes(other.records.forget_remembered)
        await ground.records.commit(Changes(insert=[two]))
        assert await seen() == 2
