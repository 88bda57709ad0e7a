"""The far side of the SIP carrier: telephones are baresips registered to us, other numbers are behind a trunk
that sipp plays."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import md5
from itertools import count
from pathlib import Path
from typing import Any

from chappe.carriers.sip.voice import SipVoice, build
from chappe.media import pcm, tones
from chappe.model.calls import HangUpCause
from chappe.model.changes import Changes
from chappe.model.directory import Line
from tests.carriers.voice.far import Told
from tests.peers import sipp
from tests.peers.baresip import Baresip, free_ports, telephone
from tests.peers.waiting import eventually
from tests.platform import World

STATUSES = {HangUpCause.BUSY: 486, HangUpCause.REJECTED: 603, HangUpCause.UNREACHABLE: 404}


@dataclass
class SipTelephone:
    """A baresip; its calls are counted, because its events speak of them one after the other."""

    number: str
    baresip: Baresip
    port: int
    calls: dict[str, int] = field(default_factory=dict)

    async def _next(self, kind: str) -> dict[str, str]:
        self.calls[kind] = self.calls.get(kind, 0) + 1
        return await self.baresip.until(kind, self.calls[kind])

    async def rings(self) -> str:
        event = await self._next("CALL_INCOMING")
        user = event["peeruri"].partition(":")[2].partition("@")[0]
        return "" if user == "anonymous" else user

    async def answer(self) -> None:
        await self.baresip.ask("accept")
        await self._next("CALL_ESTABLISHED")

    async def turn_away(self) -> HangUpCause:
        await self.baresip.ask("hangup")
        return HangUpCause.BUSY  # it says 486

    async def hang_up(self) -> None:
        await self.baresip.ask("hangup")

    async def stops(self) -> None:
        await self._next("CALL_CLOSED")

    async def press(self, keys: str) -> None:
        for key in keys:
            await self.baresip.ask("sndcode", key)
            await asyncio.sleep(0.15)  # a key lasts; it sends none while one goes on

    async def was_pressed(self, count: int) -> str:
        await self.baresip.until("CALL_DTMF_START", count)
        events = [one for one in self.baresip.events if one["type"] == "CALL_DTMF_START"]
        return "".join(one["param"] for one in events[:count])

    async def heard(self, seconds: float) -> bytes:
        before = len(self.baresip.heard())
        wanted = int(seconds * pcm.RATE) * pcm.WIDTH
        await eventually(lambda: len(self.baresip.heard()) >= before + wanted)
        return self.baresip.heard()[before : before + wanted]

    async def hears(self, hertz: float) -> None:
        """Until the last half second that it heard is a tone, or has it in it."""
        await eventually(lambda: tones.strength(self.baresip.heard()[-8000:], hertz) > 0.1)

    async def forget(self) -> None:
        """Put everything down, and forget what was."""
        await self.baresip.put_down()
        self.calls.clear()

    async def dial(self, number: str) -> None:
        await self.baresip.ask("dial", f"sip:{number}@127.0.0.1:{self.port}")


@dataclass
class SipFar:
    """See far.Far."""

    world: World
    carrier: SipVoice
    told: Told
    account_id: int
    port: int
    folder: Path
    stack: AsyncExitStack
    trunk_port: int
    numbers: Iterator[int] = field(default_factory=lambda: count(100))
    visits: AsyncExitStack = field(default_factory=AsyncExitStack)
    _made: dict[tuple[object, ...], list[SipTelephone]] = field(default_factory=dict)
    _idle: dict[tuple[object, ...], list[SipTelephone]] = field(default_factory=dict)

    async def telephone(self, hertz: float = 0, **more: Any) -> SipTelephone:
        kind = (hertz, *more.items())
        if idle := self._idle.get(kind):
            return idle.pop()
        made = await self.new_telephone(hertz, **more)
        self._made.setdefault(kind, []).append(made)
        return made

    async def new_telephone(self, hertz: float = 0, **more: Any) -> SipTelephone:
        """One that nobody has used."""
        platform = self.world.platform
        place = next(self.numbers)
        number, user, secret = f"3363998{place:04}", f"user{place}", f"secret{place}"
        line = Line(
            platform.ids.new_id(),
            self.account_id,
            number,
            "",
            "",
            self.world.clock.now(),
            sip_user=user,
            sip_ha1=md5(f"{user}:chappe:{secret}".encode(), usedforsecurity=False).hexdigest(),
        )
        await platform.store.commit(Changes(insert=[line]))
        await self.is_told_of(line)
        made = telephone(self.folder / user, user, secret, self.port, hertz=hertz, **more)
        baresip = await self.stack.enter_async_context(made)
        await self.is_there(number, 1)
        return SipTelephone(number, baresip, self.port)

    async def is_there(self, number: str, telephones: int) -> None:
        """Until so many telephones are registered as a line."""

        async def is_reached() -> bool:
            found = await self.world.platform.store.queries.line_by_number(number)
            return found is not None and bool(found.sip_contact) and len(found.telephones) >= telephones

        await eventually(is_reached)

    async def another(self, first: SipTelephone, hertz: float) -> SipTelephone:
        """One more telephone of a line."""
        user = f"user{int(first.number[-4:])}"
        folder = self.folder / f"{user}-{next(self.numbers)}"
        made = telephone(folder, user, user.replace("user", "secret"), self.port, hertz=hertz)
        baresip = await self.visits.enter_async_context(made)
        await self.is_there(first.number, 2)
        return SipTelephone(first.number, baresip, self.port)

    async def is_told_of(self, line: Line) -> None:
        """Until the registrar knows the line: ours asks when a telephone comes."""

    async def number_that_is(self, cause: HangUpCause) -> str:
        await self.visits.enter_async_context(sipp.refusing(self.folder, self.trunk_port, STATUSES[cause]))
        return "33145678901"

    async def rest(self) -> None:
        await self.visits.aclose()
        for telephones in self._made.values():
            for one in telephones:
                await one.forget()
        self._idle = {kind: list(telephones) for kind, telephones in self._made.items()}
        await self.told.forget()


@asynccontextmanager
async def far_side(world: World, folder: Path, told: Told | None = None) -> AsyncIterator[SipFar]:
    """See far.py."""
    port, trunk_port = free_ports(2)
    told = told or Told()
    table = {
        "type": "sip",
        "listen": "127.0.0.1",
        "port": port,
        "first_port": 30_000,
        "last_port": 30_999,
        "requests_per_second": 50,  # all telephones of a test are at one address
        "trunks": [{"name": "network", "host": "127.0.0.2", "port": trunk_port}],
    }
    account = await world.account()
    carrier = build("sip", table, world.platform, told)
    running = asyncio.create_task(carrier.run())
    try:
        await eventually(lambda: carrier.process is not None and carrier.process.pulse)
        async with AsyncExitStack() as stack:
            yield SipFar(world, carrier, told, account.account.id, port, folder, stack, trunk_port)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
