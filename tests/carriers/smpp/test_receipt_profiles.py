"""Fourteen networks with quirks of their own: every receipt finds its message or is parked with a reason.

Each message gets its receipts in the manner of its network: a fifth before the answer, one in twenty twice,
all of them out of order, and one in fifty about a message that nobody sent. A tenth of the messages have
three segments, each with a receipt of its own.

`CHAPPE_RECEIPTS=10000` makes it that many messages a network; the suite is content with fewer.
"""

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from chappe.carriers.smpp.reports import Dated, Reports
from chappe.model.commands import SendMessages
from chappe.model.messages import Message, MessageState, Submission
from chappe.protocols.smpp.codes import Tag
from chappe.protocols.smpp.fields import Tlvs
from chappe.protocols.smpp.receipt_ids import IdRules
from chappe.protocols.smpp.receipts import read_receipt
from chappe.services import messages
from chappe.services.outbox import Outbox
from tests.platform import World, caller

COUNT = int(os.environ.get("CHAPPE_RECEIPTS", "200"))
EARLY, TWICE, ORPHAN, LONG = 0.20, 0.05, 0.02, 0.10
BATCH = 100

Id = Callable[[int], str]
Wording = Callable[[str, str, str], tuple[bytes, Tlvs]]
"""A receipt of an id, with the word and the error code."""


def decimal(number: int) -> str:
    return str(number)


def padded(number: int) -> str:
    return f"{number:012d}"


def lower_hex(number: int) -> str:
    return f"{number:x}"


def upper_hex(number: int) -> str:
    return f"{number:X}"


def padded_hex(number: int) -> str:
    return f"{number:010X}"


def uuid(number: int) -> str:
    return str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


def plain_uuid(number: int) -> str:
    return uuid(number).replace("-", "")


def shouted_uuid(number: int) -> str:
    return uuid(number).upper()


def appendix(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    dates = "submit date:2611251200 done date:2611251201"
    return f"id:{name} sub:001 dlvrd:001 {dates} stat:{word} err:{error} text:Bonjour".encode(), ()


def seconds(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    dates = "submit date:261125120000 done date:261125120100"
    return f"id:{name} sub:001 dlvrd:001 {dates} stat:{word} err:{error} Text:".encode(), ()


def spaced(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    return f"id: {name} stat: {word.lower()} err: {error} done date: 2611251201".encode(), ()


def reversed_order(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    return f"STAT:{word} ERR:{error} SUB:001 ID:{name}".encode(), ()


def terse(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    return f"id:{name} stat:{word}".encode(), ()


def deceiving(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    """The customer's own text looks like a receipt."""
    return f"id:{name} stat:{word} err:{error} text:id:1 stat:REJECTD err:9".encode(), ()


STATES = {"DELIVRD": 2, "UNDELIV": 5, "EXPIRED": 3}


def by_parameters(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    return b"", (
        (Tag.RECEIPTED_MESSAGE_ID, name.encode() + b"\0"),
        (Tag.MESSAGE_STATE, bytes((STATES[word],))),
    )


def contradicting(name: str, word: str, error: str) -> tuple[bytes, Tlvs]:
    """The text says that all is well, whatever happened; the parameters know."""
    octets, _ = appendix(name, "DELIVRD", "000")
    return octets, by_parameters(name, word, error)[1]


PROFILES: dict[str, tuple[Id, Id, Wording]] = {
    "by the book": (decimal, decimal, appendix),
    "uuid, seconds in dates": (uuid, uuid, seconds),
    "hex as sent": (lower_hex, lower_hex, spaced),
    "hex in receipts": (decimal, lower_hex, appendix),
    "padded hex in receipts": (decimal, padded_hex, reversed_order),
    "decimal in receipts": (lower_hex, decimal, appendix),
    "padded decimal in receipts": (padded_hex, padded, spaced),
    "zeros dropped": (padded, decimal, terse),
    "zeros added": (decimal, padded, terse),
    "upper case in receipts": (lower_hex, upper_hex, reversed_order),
    "lower case in receipts": (upper_hex, lower_hex, deceiving),
    "dashes dropped": (uuid, plain_uuid, appendix),
    "only parameters": (decimal, decimal, by_parameters),
    "dashes added, parameters against text": (plain_uuid, shouted_uuid, contradicting),
}


@dataclass
class Network:
    """What a carrier would do with messages: answer them, and bring their receipts."""

    answer: Id
    name: str = "sandbox"
    window: int = BATCH
    waits_after_crash: bool = False
    taken: list[Message] = field(default_factory=list)

    async def submit(self, batch: Sequence[Message]) -> None:
        self.taken += batch


def test_there_are_fourteen_networks() -> None:
    assert len(PROFILES) == 14


@pytest.mark.parametrize("profile", PROFILES)
async def test_every_receipt_is_joined_or_parked_with_a_reason(sandbox_world: World, profile: str) -> None:
    answer, receipt, wording = PROFILES[profile]
    world, drawn = sandbox_world, random.Random(profile)
    new = await world.account(credits=10**8)
    network, outbox, rules = Network(answer), Outbox(world.platform), IdRules()
    reports = Reports(network.name, outbox, rules)
    await queue(world, caller(new), drawn)
    numbers = iter(drawn.sample(range(10**6, 2**34), COUNT * 4))
    expected: dict[int, MessageState] = {}
    orphans: set[str] = set()
    pending: list[tuple[str, str, str]] = []
    brought = 0

    async def bring(some: list[tuple[str, str, str]]) -> None:
        nonlocal brought
        brought += len(some)
        drawn.shuffle(some)
        read = [read_receipt(*wording(*one)) for one in some]
        await reports.keep([Dated(one, world.clock.now()) for one in read])

    while await outbox.step(network):  # type: ignore[arg-type]
        batch, network.taken = network.taken, []
        early: list[tuple[str, str, str]] = []
        submissions: list[Submission] = []
        for message in batch:
            ids = [next(numbers) for _ in range(message.segments)]
            submissions.append(Submission(message.id, tuple(answer(one) for one in ids)))
            words = drawn.choices(list(STATES), [90, 6, 4], k=len(ids))
            expected[message.id] = fate(words)
            for one, word in zip(ids, words, strict=True):
                told = (receipt(one), word, "000" if word == "DELIVRD" else "069")
                (early if drawn.random() < EARLY else pending).append(told)
                if drawn.random() < TWICE:
                    pending.append(told)
            if drawn.random() < ORPHAN:
                orphan = receipt(next(numbers))
                orphans.add(orphan)
                pending.append((orphan, "DELIVRD", "000"))
        await bring(early)
        await outbox.submitted(submissions)
        rules.answered([one for submission in submissions for one in submission.carrier_ids])
        drawn.shuffle(pending)
        late, pending = pending[: len(pending) // 2], pending[len(pending) // 2 :]
        await bring(late)
    await bring(pending)

    assert rules.rule
    parked = await world.platform.store.queries.parked_receipts(None, COUNT * 4)
    print(f"{profile}: {len(expected)} messages, {brought} receipts, {len(parked)} parked, {rules.rule}")
    found: dict[int, MessageState] = {}
    ids = sorted(expected)
    for start in range(0, len(ids), 500):
        some = await world.platform.store.queries.messages_by_id(ids[start : start + 500])
        found |= {message.id: message.state for message in some}
    assert len(found) == COUNT and found == expected
    assert len(orphans) == len({form for one in orphans for form in rules.forms((one,))[:1]})
    assert {rules.forms((one,))[0] for one in orphans} <= {one.carrier_id for one in parked}
    assert all(one.reason.startswith("no message of sandbox has the id ") for one in parked)
    await world.platform.store.forget(world.clock.now() + timedelta(hours=71), 10**6)
    assert len(await world.platform.store.queries.parked_receipts(None, COUNT * 4)) == len(parked)
    await world.platform.store.forget(world.clock.now() + timedelta(hours=73), 10**6)
    assert await world.platform.store.queries.parked_receipts(None, 1) == ()


async def queue(world: World, who, drawn: random.Random) -> None:  # type: ignore[no-untyped-def]
    """The messages of one network, short and long."""
    mobiles = [f"3363998{n:04d}" for n in range(10_000)]
    long = round(COUNT * LONG)
    for text, count in (("Bonjour", COUNT - long), ("Bonjour " * 50, long)):
        recipients = tuple(drawn.sample(mobiles, count))
        await messages.send(world.platform, who, SendMessages(recipients, text))


def fate(words: Sequence[str]) -> MessageState:
    """What becomes of a message whose segments end like that: the worst counts (services/outbox.py)."""
    if "UNDELIV" in words:
        return MessageState.UNDELIVERED
    return MessageState.EXPIRED if "EXPIRED" in words else MessageState.DELIVERED
