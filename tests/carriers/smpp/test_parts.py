"""Parts of long messages are kept in the database until all have come."""

from pathlib import Path

import pytest

from chappe.carriers.smpp.parts import PATIENCE, Joined, Parts
from chappe.carriers.smpp.texts import Texts, TextSettings
from chappe.model.changes import Changes
from chappe.model.messages import InboundMessage, Part
from chappe.model.smstext import Encoding
from chappe.services import inbox
from tests.platform import World, a_world

LONG = "Où es-tu ? {1} " * 15
EMOJI = "😀" * 80
texts = Texts(TextSettings())


async def bring(
    world: World, text: str, reference: int, order: list[int], key: str = "33612345678>38100"
) -> Joined | None:
    """The parts of a text in an order; what the last of them completes."""
    encoding = Encoding.GSM7 if text == LONG else Encoding.UCS2
    units = texts.parts(text, encoding, False, reference)
    parts = Parts(world.platform, "net", texts)
    joined = None
    for number in order:
        one = units[number - 1]
        part = parts.part(key, texts.read(one.esm_class, one.data_coding, one.octets), one.data_coding, {})
        await world.platform.store.commit(Changes(insert=[part]))
        joined = await parts.whole(part)
    return joined


def inbound(world: World, joined: Joined, to: str) -> InboundMessage:
    ids = tuple(part.id for part in joined.parts)
    now = world.clock.now()
    return InboundMessage("net", "", "33612345678", to, joined.text, joined.encoding, now, ids)


@pytest.mark.parametrize(("text", "order"), [(LONG, [1, 2]), (LONG, [2, 1]), (EMOJI, [3, 1, 1, 2])])
async def test_the_last_part_completes_the_message(world: World, text: str, order: list[int]) -> None:
    joined = await bring(world, text, 7, order)
    assert joined is not None and (joined.text, joined.is_whole) == (text, True)


async def test_messages_of_other_references_and_senders_do_not_mix(world: World) -> None:
    assert await bring(world, LONG, 7, [1]) is None
    assert await bring(world, EMOJI, 8, [1, 2]) is None
    assert await bring(world, LONG, 7, [2], key="33600000000>38100") is None
    joined = await bring(world, LONG, 7, [2])
    assert joined is not None and joined.text == LONG


async def test_parts_outlive_a_crash(tmp_path: Path) -> None:
    async with a_world(str(tmp_path)) as world:
        await bring(world, LONG, 7, [1])
    async with a_world(str(tmp_path)) as world:
        joined = await bring(world, LONG, 7, [2])
        assert joined is not None and joined.text == LONG


async def test_a_message_with_gaps_is_given_out_marked_and_only_after_a_time(world: World) -> None:
    await bring(world, EMOJI, 7, [1, 3])
    parts = Parts(world.platform, "net", texts)
    world.clock.move(seconds=PATIENCE.total_seconds() - 1)
    assert await parts.overdue() == []
    world.clock.move(seconds=2)
    [joined] = await parts.overdue()
    assert joined.text == "😀" * 33 + "[...]" + "😀" * 14
    assert not joined.is_whole
    assert await Parts(world.platform, "other", texts).overdue() == []


async def test_parts_go_with_the_commit_of_their_message_and_only_once(world: World) -> None:
    new = await world.account()
    [number] = await world.platform.store.queries.own_numbers(new.account.id)
    joined = await bring(world, LONG, 7, [1, 2])
    assert joined is not None
    message = await inbox.receive(world.platform, inbound(world, joined, number.number))
    assert message is not None and (message.text, message.segments) == (LONG, 2)
    assert await world.platform.store.queries.parts_of_key("net", joined.key) == ()
    # Another node has put the same parts together at the same moment.
    assert await inbox.receive(world.platform, inbound(world, joined, number.number)) is None


async def test_parts_of_a_message_that_nobody_owns_go_as_well(world: World) -> None:
    joined = await bring(world, LONG, 7, [1, 2])
    assert joined is not None
    assert await inbox.receive(world.platform, inbound(world, joined, "33699999999")) is None
    assert await world.platform.store.queries.parts_of_key("net", joined.key) == ()


async def test_a_customers_parts_stay_with_their_message(world: World) -> None:
    part = Part(5, "smpp", "k", 1, 2, {}, world.clock.now(), message_id=9)
    await world.platform.store.commit(Changes(insert=[part]))
    assert await world.platform.store.queries.parts_of_message(9) == (part,)
    assert await world.platform.store.queries.parts_of_key("smpp", "k") == ()
