"""Virtual telephones: behaviour, shelf, sending."""

import pytest

from chappe.model.commands import Caller, ListHandsets, ReadHandset, SendFromHandset, SetBehaviour
from chappe.model.errors import Fault, Refusal
from chappe.services import sandbox
from chappe.services.sandbox import Behaviour, ReceiptKind, RefuseKind, read_behaviour
from chappe.settings import RouteSettings, Settings
from tests.platform import World, a_world, caller
from tests.services.asking import ALICE, BOB, behave, from_phone, send_one

SWISS = "41792223344"


@pytest.mark.parametrize(
    ("values", "behaviour"),
    [
        ({}, Behaviour()),
        ({"receipt": None, "refuse": None, "receipt_after_ms": None}, Behaviour()),
        ({"receipt": "none"}, Behaviour(receipt=ReceiptKind.NONE)),
        (
            {"receipt": "rejected", "receipt_after_ms": 86_400_000},
            Behaviour(ReceiptKind.REJECTED, 86_400_000),
        ),
        ({"duplicate_receipts": 100}, Behaviour(duplicate_receipts=100)),
        ({"receipt_before_answer": True}, Behaviour(receipt_before_answer=True)),
        ({"refuse": "throttled"}, Behaviour(refuse=RefuseKind.THROTTLED)),
    ],
)
def test_behaviours_are_read(values: dict[str, object], behaviour: Behaviour) -> None:
    assert read_behaviour(values) == behaviour


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("receipt", "lost"),
        ("receipt", "DELIVERED"),
        ("receipt", ""),
        ("receipt", 0),
        ("receipt", ["delivered"]),
        ("receipt_after_ms", -1),
        ("receipt_after_ms", 86_400_001),
        ("receipt_after_ms", "5"),
        ("receipt_after_ms", 1.5),
        ("receipt_after_ms", True),
        ("receipt_after_ms", ""),
        ("duplicate_receipts", 101),
        ("duplicate_receipts", []),
        ("receipt_before_answer", 0),
        ("receipt_before_answer", "true"),
        ("refuse", "always"),
        ("refuse", ""),
        ("refuse", False),
        ("mood", "bad"),
    ],
)
async def test_behaviours_that_are_none_are_refused(sandbox_world: World, key: str, value: object) -> None:
    new = await sandbox_world.account()
    with pytest.raises(Refusal) as found:
        await behave(sandbox_world, new, **{key: value})
    assert (found.value.fault, found.value.field) == (Fault.INVALID_PARAMETER, key)
    assert await shelf(sandbox_world, caller(new)) == []


async def shelf(world: World, who: Caller) -> list[str]:
    return [one.number for one in await sandbox.list_handsets(world.platform, who, ListHandsets())]


async def texts(world: World, who: Caller, number: str = ALICE, limit: int = 100) -> list[str]:
    _, items = await sandbox.read_handset(world.platform, who, ReadHandset(number, limit))
    return [item.text for item in items]


async def test_the_shelf_shows_an_account_its_own_traffic_newest_first(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    for new, number, text in ((one, ALICE, "a"), (two, ALICE, "b"), (one, BOB, "c"), (two, SWISS, "d")):
        await send_one(world, new, number, text=text)
        await world.settle()
        world.clock.move(seconds=1)
    assert await shelf(world, caller(one)) == [BOB, ALICE]
    assert await shelf(world, caller(two)) == [SWISS, ALICE]
    await from_phone(world, one, "20345", "hello")
    assert await shelf(world, caller(one)) == [ALICE, BOB]
    assert await texts(world, caller(one)) == ["a", "hello"]
    assert await texts(world, caller(two)) == ["b"]
    assert await texts(world, caller(one), limit=1) == ["hello"]


async def test_a_behaviour_is_seen_by_its_own_account_only(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    await behave(world, one, refuse="permanent")
    mine, theirs = await send_one(world, one), await send_one(world, two)
    await world.settle()
    queries = world.platform.store.queries
    found = {m.id: str(m.state) for m in await queries.messages_by_id([mine.id, theirs.id])}
    assert found == {mine.id: "failed", theirs.id: "delivered"}
    assert await texts(world, caller(one)) == [] and await texts(world, caller(two)) == ["Hello"]
    handset, _ = await sandbox.read_handset(world.platform, caller(two), ReadHandset(ALICE))
    assert handset.behaviour == {}


async def test_a_behaviour_is_replaced_as_a_whole(world: World) -> None:
    new = await world.account()
    await behave(world, new, "06 12 34 56 78", receipt="none", receipt_after_ms=5)
    await behave(world, new, refuse="temporary")
    handset, _ = await sandbox.read_handset(world.platform, caller(new), ReadHandset(f"+{ALICE}"))
    assert handset.behaviour == {"refuse": "temporary"}
    await send_one(world, new)
    await world.settle()
    assert await sandbox.behaviour_of(world.platform, new.account.id, ALICE) == Behaviour(
        refuse=RefuseKind.TEMPORARY
    )


async def test_what_a_telephone_shows(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, sender="Shop", flash=True, text="x" * 200)
    await world.settle()
    await from_phone(world, new, "Shop", "thanks")
    _, (got, sent) = await sandbox.read_handset(world.platform, caller(new), ReadHandset(ALICE))
    assert (got.incoming, got.other, got.flash, got.message_id) == (True, "Shop", True, message.id)
    assert got.text == "x" * 200
    assert (sent.incoming, sent.other, sent.text, sent.message_id) == (False, "Shop", "thanks", None)


@pytest.mark.parametrize(
    ("number", "to", "text", "fault", "field"),
    [
        (ALICE, "20345", "", Fault.EMPTY_CONTENT, "text"),
        (ALICE, "20345", "x" * 2001, Fault.CONTENT_TOO_LONG, "text"),
        (ALICE, "20345", "a\ud800b", Fault.INVALID_PARAMETER, "text"),
        (ALICE, "20345", "a\0b", Fault.INVALID_PARAMETER, "text"),
        (ALICE, "", "hi", Fault.INVALID_PARAMETER, "to"),
        (ALICE, "twelve chars", "hi", Fault.INVALID_PARAMETER, "to"),
        ("bob", "20345", "hi", Fault.INVALID_PARAMETER, "number"),
        ("20345", "20345", "hi", Fault.INVALID_PARAMETER, "number"),
    ],
)
async def test_what_a_telephone_cannot_send(
    world: World, number: str, to: str, text: str, fault: Fault, field: str
) -> None:
    new = await world.account()
    with pytest.raises(Refusal) as found:
        await sandbox.send_from_handset(world.platform, caller(new), SendFromHandset(number, to, text))
    assert (found.value.fault, found.value.field) == (fault, field)
    assert await texts(world, caller(new)) == []


async def test_a_number_of_another_network_is_no_telephone(database_address: str) -> None:
    """Nobody may speak as a real mobile, or set how its network behaves."""
    async with a_world(database_address, Settings(routes=(RouteSettings("sandbox", "336"),))) as world:
        new = await world.account()
        for service, command in (
            (sandbox.send_from_handset, SendFromHandset(SWISS, "20345", "STOP")),
            (sandbox.set_behaviour, SetBehaviour(SWISS, {"refuse": "permanent"})),
        ):
            with pytest.raises(Refusal) as found:
                await service(world.platform, caller(new), command)
            assert (found.value.fault, found.value.field) == (Fault.NOT_ALLOWED, "number")
        await from_phone(world, new, "20345", "hi")
        assert await shelf(world, caller(new)) == [ALICE]
