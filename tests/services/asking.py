"""Asks the services as a dialect would, with little to write."""

from dataclasses import dataclass, field

from chappe.model.commands import (
    Accepted,
    ListMessages,
    ReadLedger,
    Refused,
    SendFromHandset,
    SendMessages,
    SendOutcome,
    SetBehaviour,
    Subscribe,
)
from chappe.model.directory import HandsetItem, Subscription
from chappe.model.ledger import LedgerEntry
from chappe.model.messages import Message, MessageState, Submission
from chappe.services import ledger, messages, sandbox, subscriptions
from chappe.services.accounts import NewAccount
from tests.platform import World, caller

ALICE = "33612345678"
BOB = "33612345679"


async def send(world: World, new: NewAccount, *to: str, text: str = "Hello", **more: object) -> SendOutcome:
    command = SendMessages(recipients=to or (ALICE,), text=text, **more)  # type: ignore[arg-type]
    return await messages.send(world.platform, caller(new), command)


async def send_one(world: World, new: NewAccount, to: str = ALICE, **more: object) -> Message:
    (result,) = (await send(world, new, to, **more)).results
    assert isinstance(result, Accepted)
    return result.message


async def read(world: World, message: Message) -> Message:
    """The message as it is now."""
    found = await world.platform.store.queries.message(message.account_id, message.id)
    assert found is not None
    return found


async def state(world: World, message: Message) -> MessageState:
    return (await read(world, message)).state


async def statement(world: World, new: NewAccount) -> tuple[LedgerEntry, ...]:
    """The account's newest hundred ledger lines, oldest first."""
    page = await ledger.read_ledger(world.platform, caller(new), ReadLedger(limit=100))
    return page.items[::-1]


async def all_messages(world: World, new: NewAccount) -> tuple[Message, ...]:
    return await world.platform.store.queries.list_messages(new.account.id, ListMessages(limit=100))


async def behave(world: World, new: NewAccount, number: str = ALICE, **how: object) -> None:
    await sandbox.set_behaviour(world.platform, caller(new), SetBehaviour(number, how))


async def from_phone(world: World, new: NewAccount, to: str, text: str, number: str = ALICE) -> HandsetItem:
    return await sandbox.send_from_handset(world.platform, caller(new), SendFromHandset(number, to, text))


async def subscribe(
    world: World, new: NewAccount, *events: str, url: str = "https://shop.example/hook", dialect: str = "rest"
) -> Subscription:
    command = Subscribe(url, events or ("*",), dialect)
    return await subscriptions.subscribe(world.platform, caller(new), command)


def fates(outcome: SendOutcome) -> list[str]:
    """What became of each recipient, as words."""
    return [str(one.fault) if isinstance(one, Refused) else "accepted" for one in outcome.results]


@dataclass
class PlayedCarrier:
    """A network whose every word the test says: keeps what it was given and answers nothing by itself."""

    name: str = "sandbox"
    window: int = 200
    taken: list[Message] = field(default_factory=list)
    trouble: BaseException | None = None
    waits_after_crash: bool = False

    async def submit(self, batch: list[Message] | tuple[Message, ...]) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.taken += batch

    async def run(self) -> None: ...

    def accept(self, *carrier_ids: str) -> list[Submission]:
        """The answer that accepts the last message under these ids."""
        return [Submission(self.taken[-1].id, carrier_ids)]
