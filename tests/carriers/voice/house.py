"""A whole platform whose calls go over a carrier to five real telephones of its lines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from chappe.model.calls import CallOutcome, CallStory, Leg
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller, FindCall
from chappe.model.directory import Forwarding, Line
from chappe.services import accounts, calls
from chappe.services.accounts import NewAccount
from tests.carriers.voice.far import Told
from tests.carriers.voice.sip import SipFar, SipTelephone
from tests.peers.waiting import eventually
from tests.platform import START, World, caller

TONES = (440.0, 620.0, 820.0, 1100.0, 1300.0)
"""What each of them says, in hertz; no prompt and no tone of the network has more than one of them."""

PROMPT = 300.0
"""What a spoken prompt is in tests (tests/platform.py, HummingSpeech)."""


@dataclass
class House:
    """`telephones` have the numbers of lines of the account `shop`; the clock of the platform is the world's,
    that of the carrier and of its telephones is the real one."""

    world: World
    far: SipFar
    shop: NewAccount
    telephones: list[SipTelephone]

    @property
    def who(self) -> Caller:
        """Who asks for something."""
        return caller(self.shop)

    async def forward(self, telephone: SipTelephone, **how: object) -> None:
        """Let calls to its line go so, sooner than an owner may ask for."""
        line = await self.world.platform.store.queries.line_by_number(telephone.number)
        assert line is not None
        values = {"profiles": {line.profile: how}}
        Forwarding(**how)  # type: ignore[arg-type]
        await self.world.platform.store.commit(
            Changes(update=[Update(Line, line.id, line.account_id, values)])
        )

    async def live(self) -> CallStory:
        """The one call that is going on, waited for."""
        board = self.world.chappe.switchboard
        call = await eventually(lambda: next(iter(board.live_calls()), None))
        return CallStory(call, tuple(board.live_legs(call.id).values()))

    async def speak(self) -> CallStory:
        """The first telephone has called the second, and they hear one another."""
        one, other, *_ = self.telephones
        await one.dial(other.number)
        await other.rings()
        await other.answer()
        await asyncio.gather(one.hears(TONES[1]), other.hears(TONES[0]))
        return await self.live()

    async def leg(self, name: str, **fields: object) -> Leg:
        """A leg of the one call that is going on, when its fields are so."""
        board = self.world.chappe.switchboard

        def look() -> Leg | None:
            legs = [leg for call in board.live_calls() for leg in board.live_legs(call.id).values()]
            return next(
                (
                    one
                    for one in legs
                    if one.name == name and all(getattr(one, key) == value for key, value in fields.items())
                ),
                None,
            )

        return await eventually(look)

    async def over(self, story: CallStory, outcome: CallOutcome) -> CallStory:
        """A call as it is written, when it is over; what is due because of it is done."""
        board = self.world.chappe.switchboard
        await eventually(lambda: all(call.id != story.call.id for call in board.live_calls()))
        found = await calls.find(self.world.platform, self.who, FindCall(story.call.ref))
        assert found.call.outcome is outcome
        return found

    async def be_quiet(self) -> None:
        """Nobody speaks any more, and nothing is remembered of what was."""
        board = self.world.chappe.switchboard
        await self.far.rest()
        await eventually(lambda: not board.live_calls())
        self.world.mailer.sent.clear()
        self.world.clock.at = START  # else telephones are registered no more


@asynccontextmanager
async def a_house(world: World, carrier: str, folder: Path) -> AsyncIterator[House]:
    """One on a carrier, by the name of its module here."""
    far_side = import_module(f"tests.carriers.voice.{carrier}").far_side
    board = world.chappe.switchboard
    async with far_side(world, folder, Told(passes_to=board)) as far:
        board.connect(far.carrier)
        world.platform.carriers.lines = carrier
        shop = await accounts.create_account(
            world.platform, "house", credits=200_000, email="house@example.net"
        )
        far.account_id = shop.account.id
        telephones = await asyncio.gather(*map(far.telephone, TONES))
        yield House(world, far, shop, telephones)
        await board.stop()
