"""One message, every reader: whatever happens to it, the three wires tell the same state, and no credit is
lost or made."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from chappe.model.messages import FINAL_STATES, MessageState
from chappe.services.accounts import NewAccount
from tests.journeys.wires import Capitole, Keyyo, NetOxygen, Orange, Rest, paris, zurich
from tests.platform import World, a_world

SCENARIOS = 1_000
AT_ONCE = 20
CREDITS = 1_000_000

# REST's word: Orange's word, and NetOxygen's two codes. A failure is always a permanent refusal here.
SAME = {
    "scheduled": ("SCHEDULED", (9, 9)),
    "queued": ("QUEUED", (1, 8)),
    "sent": ("SENT", (1, 3)),
    "delivered": ("DELIVERED", (1, 1)),
    "undelivered": ("UNDELIVERED", (1, 4)),
    "expired": ("EXPIRED", (1, 6)),
    "failed": ("FAILED", (3, 5)),
    "cancelled": ("CANCELLED", (10, 0)),
}

BEHAVIOURS: tuple[dict[str, object], ...] = (
    {},
    {},
    {"receipt": "undelivered"},
    {"receipt": "expired", "duplicate_receipts": 2},
    {"receipt": "rejected", "receipt_before_answer": True},
    {"receipt": "none"},
    {"receipt_before_answer": True, "duplicate_receipts": 1},
    {"receipt_after_ms": 3_600_000},
    {"receipt": "undelivered", "receipt_after_ms": 600_000, "duplicate_receipts": 3},
    {"refuse": "permanent"},
    {"refuse": "temporary"},
    {"refuse": "throttled"},
)

TEXTS = ("Hello", "x" * 161, "ça va 😀", "€" * 100)


@dataclass
class Sent:
    ref: str
    number: str
    state: str = ""


@dataclass
class Customer:
    """An account with its three programs, and what the test knows it should have."""

    world: World
    new: NewAccount
    rest: Rest
    orange: Orange
    netoxygen: NetOxygen
    capitole: Capitole
    keyyo: Keyyo
    paid: int = 0
    open: list[Sent] = field(default_factory=list)

    @property
    def ways(self) -> tuple[Callable[[Random, str], Awaitable[str | None]], ...]:
        return (
            self.send_rest,
            self.send_orange,
            self.send_netoxygen,
            self.send_capitole,
            self.send_keyyo,
        )

    async def send_rest(self, random: Random, number: str) -> str | None:
        body: dict[str, object] = {"to": [number], "text": random.choice(TEXTS)}
        if random.random() < 0.4:
            body["send_at"] = (self.world.clock.now() + _ahead(random)).isoformat()
        if random.random() < 0.2:
            body["receipt"] = False
        reply = await self.rest.call("POST", "/v1/messages", body)
        assert reply.status in (201, 402, 422), reply
        return None if reply.status != 201 else _only(reply.text)

    async def send_orange(self, random: Random, number: str) -> str | None:
        answer = await self.orange.call("/sms/sendSMS.xml", to=number, content=random.choice(TEXTS))
        return answer.findtext("call_info/call_id")

    async def send_netoxygen(self, random: Random, number: str) -> str | None:
        date = zurich(self.world.clock.now() + _ahead(random)) if random.random() < 0.4 else ""
        ((_, taken, result),) = await self.netoxygen.call(
            "send_message", number, random.choice(TEXTS), "", date, "text"
        )
        return result if taken else None

    async def send_capitole(self, random: Random, number: str) -> str | None:
        at = paris(self.world.clock.now() + _ahead(random))
        date = f"<prog>{at}</prog>" if random.random() < 0.4 else ""
        answer = await self.capitole.send(number, random.choice(TEXTS), date)
        return await self.newest() if answer.startswith("SENDING_OK;") else None

    async def send_keyyo(self, random: Random, number: str) -> str | None:
        self.world.clock.move(seconds=1)
        reply = await self.keyyo.send(number, random.choice(TEXTS))
        return await self.newest() if reply.body == b"OK" else None

    async def newest(self) -> str:
        """The message sent last; these two wires answer no id."""
        ref: str = (await self.rest.get("/v1/messages?limit=1&direction=mt"))["data"][0]["id"]
        return ref

    async def check(self, sent: Sent) -> None:
        """The three wires that tell agree, and no end is taken back."""
        told = await self.rest.get(f"/v1/messages/{sent.ref}")
        state = told["state"]
        history = await self.orange.call("/sms/getHistory.xml", callid=sent.ref)
        ((_, struct),) = await self.netoxygen.call("get_status", sent.ref)
        word, codes = SAME[state]
        assert history.findtext("history/state") == word
        assert history.findtext("history/to") == struct["to"] == told["to"] == sent.number
        assert (struct["sent_status"], struct["last_status"]) == codes
        steps = [step["state"] for step in told["history"]]
        assert [one.findtext("state") for one in history.iter("event")] == [SAME[step][0] for step in steps]
        assert steps[-1] == state and len(set(steps)) == len(steps)
        assert sent.state == state or MessageState(sent.state or "queued") not in FINAL_STATES
        sent.state = state

    async def cancel(self, random: Random, sent: Sent) -> None:
        """Through either wire that can; it works where the message still waits for its date."""
        waiting = (await self.rest.get(f"/v1/messages/{sent.ref}"))["state"] == "scheduled"
        if random.random() < 0.5:
            reply = await self.rest.call("POST", f"/v1/messages/{sent.ref}/cancel")
            assert reply.status == (200 if waiting else 409)
        else:
            assert await self.netoxygen.call("cancel_message", [sent.ref]) == [[sent.ref, waiting]]

    async def refused(self, random: Random) -> None:
        """What is refused costs nothing and is no message."""
        before = await self.rest.get("/v1/account")
        number, newest = (
            random.choice(("bob", "", "0")),
            (await self.rest.get("/v1/messages?limit=1"))["data"],
        )
        assert await random.choice(self.ways)(random, number) is None
        assert await self.rest.get("/v1/account") == before
        assert (await self.rest.get("/v1/messages?limit=1"))["data"] == newest

    async def balance_is_right(self) -> None:
        """What the account has, and what its messages cost, is what it was given."""
        queries = self.world.platform.store.queries
        found = {
            m.ref: m for m in await queries.messages_by_ref(self.new.account.id, [s.ref for s in self.open])
        }
        still: list[Sent] = []
        outstanding = 0
        for sent in self.open:
            message = found[sent.ref]
            if message.state in FINAL_STATES:
                nobody_reported = message.sent_at is not None and message.fault is not None
                kept = message.state is MessageState.DELIVERED or (
                    message.state is MessageState.EXPIRED and nobody_reported
                )
                self.paid += message.price if kept else 0
            else:
                outstanding += message.price
                still.append(sent)
        self.open = still
        account = await self.rest.get("/v1/account")
        assert round(account["balance"] * 1000) + outstanding + self.paid == CREDITS * 1000
        assert await self.netoxygen.call("get_credits") == int(account["balance"])


def _ahead(random: Random) -> timedelta:
    return timedelta(minutes=random.choice((-5, 1, 30, 300)))


def _only(answer: str) -> str:
    (ref,) = [part.split('"')[3] for part in answer.split("{") if part.startswith('"id"')]
    return ref


@dataclass
class Scenario:
    """One message, sometimes two to one telephone, and a few things that happen to them."""

    random: Random
    customer: Customer
    number: str
    made: list[Sent] = field(default_factory=list)

    async def begin(self) -> None:
        await self.behave()
        for _ in range(self.random.choice((1, 1, 2))):
            ref = await self.random.choice(self.customer.ways)(self.random, self.number)
            assert ref is not None
            self.made.append(Sent(ref, self.number))
            self.customer.open.append(self.made[-1])

    async def act(self) -> None:
        match self.random.choice(("wait", "wait", "cancel", "refused", "behave")):
            case "cancel":
                await self.customer.cancel(self.random, self.random.choice(self.made))
            case "refused":
                await self.customer.refused(self.random)
            case "behave":
                await self.behave()

    async def behave(self) -> None:
        path = f"/v1/sandbox/handsets/{self.number}/behaviour"
        reply = await self.customer.rest.call("PUT", path, self.random.choice(BEHAVIOURS))
        assert reply.status == 200

    async def check(self) -> None:
        for sent in self.made:
            await self.customer.check(sent)

    async def end(self) -> None:
        await self.customer.balance_is_right()


async def _all(scenarios: list[Scenario], do: Callable[[Scenario], Awaitable[None]]) -> None:
    """One thing in all of them at once, so that they meet in the same groups of writes."""

    async def one(scenario: Scenario) -> None:
        try:
            await do(scenario)
        except AssertionError as error:
            error.add_note(f"in the scenario of {scenario.number}")
            raise

    await asyncio.gather(*map(one, scenarios))


async def _time_passes(random: Random, world: World) -> None:
    match random.choice(("settle", "settle", "move", "move", "nothing")):
        case "settle":
            await world.settle()
        case "move":
            world.clock.move(minutes=random.choice((1, 5, 60, 60, 360, 4_400)))
            await world.settle()


async def test_a_thousand_messages_are_told_alike_on_every_wire(tmp_path: Path) -> None:
    async with a_world(str(tmp_path)) as world:
        customers = []
        for name in range(AT_ONCE):
            new = await world.account(f"shop {name}", CREDITS)
            keyyo = Keyyo(world, new)
            await keyyo.open()
            wires = Rest(world, new), Orange(world, new), NetOxygen(world, new), Capitole(world, new)
            customers.append(Customer(world, new, *wires, keyyo))
        ends: set[str] = set()
        for first in range(0, SCENARIOS, AT_ONCE):
            random = Random(first)
            scenarios = [
                Scenario(Random(first + place), customer, f"336{first + place:08d}")
                for place, customer in enumerate(customers)
            ]
            await _all(scenarios, Scenario.begin)
            for _ in range(random.randint(3, 5)):
                await _all(scenarios, Scenario.act)
                await _time_passes(random, world)
                await _all(scenarios, Scenario.check)
            await _all(scenarios, Scenario.end)
            ends |= {sent.state for scenario in scenarios for sent in scenario.made}
        assert ends == set(SAME)
        # Long after, when every validity is over, nothing is left open.
        world.clock.move(days=10)
        await world.settle()
        for customer in customers:
            await customer.balance_is_right()
            assert customer.open == []
