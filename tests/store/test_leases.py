"""Leases and their fences: one holder at a time, by the database's clock."""

import asyncio

import pytest

from chappe.model.carriers import Lease
from chappe.model.changes import Advance, Changes, Fence
from chappe.model.errors import Fault, Refusal
from chappe.model.messages import Message, MessageState
from tests.platform import START
from tests.store.ground import Ground, a_ground


def fences(leases: tuple[Lease, ...]) -> dict[str, int]:
    return {lease.name: lease.fence for lease in leases}


async def test_one_holder_renews_and_the_other_waits(ground: Ground) -> None:
    hold = ground.records.hold_leases
    [first] = await hold(["carrier.a"], "one", 60)
    assert (first.name, first.holder, first.fence) == ("carrier.a", "one", 1)
    assert await hold(["carrier.a"], "two", 60) == ()
    [again] = await hold(["carrier.a"], "one", 60)
    assert again.fence == 1
    assert again.until > first.until
    assert fences(await hold(["carrier.a", "carrier.b"], "two", 60)) == {"carrier.b": 1}


async def test_every_new_holder_has_a_higher_fence(ground: Ground) -> None:
    hold = ground.records.hold_leases
    for number, holder in enumerate(["one", "two", "one", "three"], 1):
        assert fences(await hold(["carrier.a"], holder, 0)) == {"carrier.a": number}  # over at once
    await hold(["carrier.a"], "three", 60)
    await ground.records.leave_leases("three")
    assert fences(await hold(["carrier.a"], "three", 60)) == {"carrier.a": 5}


async def test_leaving_leaves_others_alone(ground: Ground) -> None:
    hold = ground.records.hold_leases
    await hold(["carrier.a"], "one", 60)
    await hold(["carrier.b"], "two", 60)
    await ground.records.leave_leases("one")
    assert fences(await hold(["carrier.a", "carrier.b"], "three", 60)) == {"carrier.a": 2}


async def test_nodes_that_want_the_same_leases(ground: Ground) -> None:
    names = ["carrier.a", "carrier.b", "clockwork"]
    async with a_ground(ground.address) as other:
        for turn in range(10):
            wishes = [
                node.records.hold_leases(order, f"{turn} {n}", 0 if turn < 9 else 60)
                for n, (node, order) in enumerate([(ground, names), (other, names[::-1])] * 3)
            ]
            taken = [lease for held in await asyncio.gather(*wishes) for lease in held]
            numbers = [(lease.name, lease.fence) for lease in taken]
            assert len(numbers) == len(set(numbers))
        assert sorted(lease.name for lease in taken) == names


async def test_a_write_behind_the_newest_fence_is_refused(ground: Ground) -> None:
    message = ground.message(1)
    await ground.records.commit(Changes(insert=[message]))
    await ground.records.hold_leases(["carrier.a"], "frozen", 0)
    await ground.records.hold_leases(["carrier.a"], "awake", 60)
    steps = [Advance(message.id, MessageState.SENT, START)]

    with pytest.raises(Refusal) as refused:
        await ground.records.commit(Changes(advance=steps, fence=Fence("carrier.a", 1)))
    assert refused.value.fault is Fault.TOO_LATE
    assert refused.value.detail == ("carrier.a is worked by another node by now: fence 1, the newest is 2")
    assert [one.state for one in await ground.all(Message)] == [MessageState.QUEUED]

    done = await ground.records.commit(Changes(advance=steps, fence=Fence("carrier.a", 2)))
    assert done.advanced == {message.id}


async def test_a_fence_that_was_never_given_is_refused(ground: Ground) -> None:
    with pytest.raises(Refusal, match=r"fence 1, the newest is None"):
        await ground.records.commit(Changes(fence=Fence("carrier.a", 1)))


async def test_a_refused_fence_stops_only_its_own_writes(ground: Ground) -> None:
    await ground.records.hold_leases(["carrier.a"], "frozen", 0)
    await ground.records.hold_leases(["carrier.a"], "awake", 60)
    messages = [ground.message(1) for _ in range(3)]
    tags = [Fence("carrier.a", 2), Fence("carrier.a", 1), None]
    results = await asyncio.gather(
        *(
            ground.records.commit(Changes(insert=[message], fence=fence))
            for message, fence in zip(messages, tags, strict=True)
        ),
        return_exceptions=True,
    )
    assert [isinstance(one, Refusal) for one in results] == [False, True, False]
    assert await ground.all(Message) == [messages[0], messages[2]]


async def test_nobody_takes_a_lease_in_the_middle_of_a_fenced_commit(ground: Ground) -> None:
    """Between the check and the commit the lease is locked, so that a write never follows a take-over."""
    [lease] = await ground.records.hold_leases(["carrier.a"], "one", 0)
    async with a_ground(ground.address) as other:
        for _ in range(20):
            message = ground.message(1)
            written, taken = await asyncio.gather(
                ground.records.commit(Changes(insert=[message], fence=Fence("carrier.a", lease.fence))),
                other.records.hold_leases(["carrier.a"], f"two {message.id}", 0),
                return_exceptions=True,
            )
            assert isinstance(taken, tuple)
            [lease] = taken
            found = await ground.all(Message)
            assert (message in found) is not isinstance(written, Refusal)
