"""The far side of the Asterisk carrier: telephones are baresips registered to the switch, other numbers are
behind a trunk that sipp plays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from chappe.carriers.asterisk import lines
from chappe.carriers.asterisk.settings import address_of
from chappe.carriers.asterisk.voice import build
from chappe.media import pcm
from chappe.model.carriers import LinkState
from chappe.model.directory import Line
from tests.carriers.voice.far import Told
from tests.carriers.voice.sip import SipFar, SipTelephone
from tests.peers.asterisk import a_table, asterisk, free_udp_port
from tests.peers.waiting import eventually
from tests.platform import World


class Telephone(SipTelephone):
    """See far.py. The switch sends no packet where there is nothing to hear: that is silence."""

    async def heard(self, seconds: float) -> bytes:
        """See far.py."""
        before, wanted = len(self.baresip.heard()), int(seconds * pcm.RATE) * pcm.WIDTH
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds + 0.5):
                await eventually(lambda: len(self.baresip.heard()) >= before + wanted)
        return self.baresip.heard()[before:][:wanted].ljust(wanted, bytes(1))


class AsteriskFar(SipFar):
    """See far.py."""

    async def new_telephone(self, hertz: float = 0, **more: Any) -> Telephone:
        """See sip.py."""
        made = await super().new_telephone(hertz, **more)
        return Telephone(made.number, made.baresip, made.port)

    async def is_there(self, number: str, telephones: int) -> None:
        """See sip.py; of a switch only this is known."""

        async def is_reached() -> bool:
            found = await self.world.platform.store.queries.line_by_number(number)
            return found is not None and bool(found.sip_contact)

        await eventually(is_reached)

    async def is_told_of(self, line: Line) -> None:
        """The switch is told by the carrier, a little later."""

        async def is_known() -> bool:
            return self.carrier.knows(line.sip_user)

        await eventually(is_known)


@asynccontextmanager
async def far_side(world: World, folder: Path, told: Told | None = None) -> AsyncIterator[AsteriskFar]:
    """See far.py."""
    trunk_port, told = free_udp_port("127.0.0.2"), told or Told()
    trunks = {"network": {"host": "127.0.0.2", "port": trunk_port}}
    table = a_table(folder / "asterisk", trunks=trunks)
    account = await world.account()
    world.platform.carriers.lines = "asterisk"
    lines.EVERY = 0.05
    async with asterisk(folder / "asterisk", table):
        carrier = build("asterisk", table, world.platform, told)
        running = asyncio.create_task(carrier.run())
        try:
            await eventually(lambda: carrier.status().state is LinkState.UP)
            async with AsyncExitStack() as stack:
                port = address_of(table["sip"])[1]
                yield AsteriskFar(world, carrier, told, account.account.id, port, folder, stack, trunk_port)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
