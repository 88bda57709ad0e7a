"""What the suite needs of the far side of a voice carrier: telephones that somebody handles, and a sink.

Each carrier has a module here with `far_side(world, folder)`, an asynchronous context that yields its Far.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from chappe.model.calls import (
    Arrival,
    HangUpCause,
    Leg,
    LegEvent,
    LegEventKind,
    LegState,
    Recorded,
    TransferAsked,
)
from chappe.services.ports import VoiceCarrier, VoiceSink
from tests.platform import World

T = TypeVar("T")
_PATIENCE = 30.0


class Telephone(Protocol):
    """One telephone, with a number of its own (an MSISDN)."""

    number: str

    async def rings(self) -> str:
        """Wait until it rings; returns the number it sees, empty for a hidden one."""
        ...

    async def answer(self) -> None: ...

    async def turn_away(self) -> HangUpCause:
        """Do not take the call that rings; returns the cause by which the carrier is to tell that."""
        ...

    async def hang_up(self) -> None: ...

    async def stops(self) -> None:
        """Wait until its call is over, rung or answered."""
        ...

    async def press(self, keys: str) -> None: ...

    async def was_pressed(self, count: int) -> str:
        """The first so many keys that it was sent, waited for."""
        ...

    async def heard(self, seconds: float) -> bytes:
        """What it hears from now on for so long (samples, 8 kHz)."""
        ...

    async def dial(self, number: str) -> None:
        """Call a number."""
        ...


@dataclass
class Told:
    """A platform that keeps what the carrier tells it, and passes it on to another one, if any."""

    passes_to: VoiceSink | None = None
    events: list[LegEvent] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    recordings: list[Recorded] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def leg_event(self, event: LegEvent) -> None:
        self.events.append(event)
        self._news.set()
        if self.passes_to is not None:
            self.passes_to.leg_event(event)

    def leg_arrived(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        self._news.set()
        if self.passes_to is not None:
            self.passes_to.leg_arrived(arrival)

    def recorded(self, recorded: Recorded) -> None:
        self.recordings.append(recorded)
        self._news.set()
        if self.passes_to is not None:
            self.passes_to.recorded(recorded)

    def transfer_asked(self, asked: TransferAsked, refused: Callable[[], None]) -> None:
        if self.passes_to is not None:
            self.passes_to.transfer_asked(asked, refused)

    async def forget(self) -> None:
        """Everything that was told, when all legs have ended."""

        def look() -> bool:
            known = {one.leg_id for one in (*self.events, *self.arrivals)}
            ended = {one.leg_id for one in self.events if one.kind is LegEventKind.ENDED}
            return known == ended

        await self.until(look)
        self.events.clear()
        self.arrivals.clear()
        self.recordings.clear()

    async def until(self, look: Callable[[], T | None]) -> T:
        """The first true answer of `look`."""
        async with asyncio.timeout(_PATIENCE):
            while not (seen := look()):
                self._news.clear()
                await self._news.wait()
        return seen

    async def event(self, leg: Leg | int, kind: LegEventKind) -> LegEvent:
        """The first event of a kind of a leg, waited for."""
        leg_id = leg if isinstance(leg, int) else leg.id

        def look() -> LegEvent | None:
            return next((one for one in self.events if one.leg_id == leg_id and one.kind is kind), None)

        return await self.until(look)

    async def keys(self, leg: Leg, count: int) -> str:
        """The first so many keys that a leg's party has pressed."""

        def look() -> str | None:
            keys = "".join(
                one.key for one in self.events if one.leg_id == leg.id and one.kind is LegEventKind.KEY
            )
            return keys if len(keys) >= count else None

        return await self.until(look)

    async def recording(self, recording_id: int) -> Recorded:
        """A recording that has come to its end."""
        return await self.until(
            lambda: next((one for one in self.recordings if one.recording_id == recording_id), None)
        )


class Far(Protocol):
    """The far side of a carrier."""

    world: World
    carrier: VoiceCarrier
    told: Told
    account_id: int

    async def telephone(self, hertz: float = 0) -> Telephone:
        """One more telephone, which says a tone of so many hertz when it is answered, or is silent."""
        ...

    async def number_that_is(self, cause: HangUpCause) -> str:
        """A number that ends every call so: BUSY, REJECTED or UNREACHABLE."""
        ...

    async def rest(self) -> None:
        """Put all telephones down, and forget what was told: another test begins."""
        ...


def leg_to(far: Far, number: str, shown: str = "33639980099") -> Leg:
    """A leg that is to ring a number."""
    return Leg(
        id=far.world.platform.ids.new_id(),
        account_id=far.account_id,
        call_id=7,
        name="a",
        number=number,
        shown=shown,
        carrier=far.carrier.name,
        state=LegState.DIALLING,
        created_at=far.world.clock.now(),
        rate=0,
    )


async def called(far: Far, telephone: Telephone) -> Leg:
    """A leg to a telephone that has answered."""
    leg = leg_to(far, telephone.number)
    await far.carrier.dial(leg, 60)
    await telephone.rings()
    await telephone.answer()
    await far.told.event(leg, LegEventKind.ANSWERED)
    return leg
