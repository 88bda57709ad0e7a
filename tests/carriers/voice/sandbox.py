"""The far side of the sandbox: virtual telephones, each with an ear and a mouth of the test's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from chappe.carriers.sandbox.voice import SandboxVoice
from chappe.media import pcm, tones
from chappe.model.calls import HangUpCause
from chappe.model.commands import SetBehaviour
from chappe.platform import SystemClock
from chappe.services import sandbox
from chappe.services.live import in_this_loop
from chappe.services.livecalls import Microphone
from tests.carriers.voice.far import Told
from tests.peers.waiting import eventually
from tests.platform import World, caller

BEHAVIOUR = {HangUpCause.BUSY: "busy", HangUpCause.REJECTED: "reject", HangUpCause.UNREACHABLE: "unreachable"}


def without_end(hertz: float) -> Iterator[bytes]:
    """Frames of a tone, for as long as somebody takes them."""
    second = list(pcm.frames(tones.sine(hertz, 1))) if hertz else [pcm.SILENCE]
    while True:
        yield from second


@dataclass
class SandboxTelephone:
    """One of them; it speaks into its microphone whenever it hears a frame."""

    number: str
    account_id: int
    carrier: SandboxVoice
    says: Iterator[bytes]
    leg_id: int = 0
    frames: list[bytes] = field(default_factory=list)
    microphone: Microphone | None = None
    dialling: "asyncio.Task[object] | None" = None

    def _call(self) -> int:
        calls = self.carrier._calls.values()
        return next((one.leg_id for one in calls if one.number == self.number), 0)

    def _hear(self, frame: bytes | None) -> None:
        if frame is not None and self.microphone is not None:
            self.frames.append(frame)
            self.microphone.say(next(self.says))

    async def rings(self) -> str:
        self.leg_id = await eventually(self._call)
        return self.carrier._calls[self.leg_id].shown

    async def answer(self) -> None:
        self.carrier.take(self.leg_id)
        self.microphone = self.carrier.listen(self.leg_id, self._hear)

    async def turn_away(self) -> HangUpCause:
        self.carrier.put_down(self.leg_id)
        return HangUpCause.REJECTED

    async def hang_up(self) -> None:
        self.carrier.put_down(self.leg_id)

    async def stops(self) -> None:
        await eventually(lambda: self.carrier.moment(self.leg_id) is None)

    async def press(self, keys: str) -> None:
        self.carrier.press(self.leg_id, keys)

    async def was_pressed(self, count: int) -> str:
        def look() -> str | None:
            moment = self.carrier.moment(self.leg_id)
            return moment.keys if moment is not None and len(moment.keys) >= count else None

        return await eventually(look)

    async def heard(self, seconds: float) -> bytes:
        before, wanted = len(self.frames), round(seconds * pcm.RATE / pcm.FRAME_SAMPLES)
        await eventually(lambda: len(self.frames) >= before + wanted)
        return b"".join(self.frames[before : before + wanted])

    async def dial(self, number: str) -> None:
        self.dialling = asyncio.create_task(self.carrier.call(self.account_id, self.number, number))
        self.leg_id = await eventually(self._call)
        self.microphone = self.carrier.listen(self.leg_id, self._hear)


@dataclass
class SandboxFar:
    """See far.Far."""

    world: World
    carrier: SandboxVoice
    told: Told
    account_id: int
    behave: object
    made: list[SandboxTelephone] = field(default_factory=list)

    async def telephone(self, hertz: float = 0) -> SandboxTelephone:
        number = f"3363998{len(self.made):04}"
        telephone = SandboxTelephone(number, self.account_id, self.carrier, without_end(hertz))
        self.made.append(telephone)
        return telephone

    async def number_that_is(self, cause: HangUpCause) -> str:
        command = SetBehaviour("33639989999", {"call": BEHAVIOUR[cause]})
        await sandbox.set_behaviour(self.world.platform, self.behave, command)  # type: ignore[arg-type]
        return command.number

    async def rest(self) -> None:
        for telephone in self.made:
            if self.carrier.moment(telephone.leg_id) is not None:
                await telephone.hang_up()
            if telephone.dialling is not None:
                await telephone.dialling
        await self.told.forget()


@asynccontextmanager
async def far_side(world: World, folder: Path) -> AsyncIterator[SandboxFar]:
    """See far.py. Sound takes its time here, as on the other carriers."""
    told, shop = Told(), await world.account()
    carrier = SandboxVoice(replace(world.platform, clock=SystemClock()), told, in_this_loop)
    far = SandboxFar(world, carrier, told, shop.account.id, caller(shop))
    yield far
