"""A trunk that registers at a real Asterisk: calls both ways, renewed in time, and found again when the
registrar has lost everything."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

from chappe.carriers.sip.voice import SipVoice, build
from chappe.media import tones, wav
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.model.carriers import LinkState
from chappe.model.sounds import Tone
from chappe.services.ports import RecordWanted
from tests.carriers.voice.far import Told, leg_to
from tests.peers.asterisk import RunningAsterisk, a_table, asterisk
from tests.peers.baresip import free_ports
from tests.peers.waiting import eventually
from tests.platform import World

_PJSIP = """
[transport]
type = transport
protocol = udp
bind = 127.0.0.1:{port}
[us]
type = endpoint
context = echo
disallow = all
allow = alaw,ulaw
auth = us
aors = us
media_address = 127.0.0.1
[us]
type = auth
auth_type = digest
username = us
password = secret
[us]
type = aor
max_contacts = 1
remove_existing = yes
maximum_expiration = 3
"""
_DIALPLAN = """
[echo]
exten => _[+0-9]!,1,Answer()
 same => n,Echo()
"""


class Network:
    """A switch at which we register for three seconds at a time; it echoes whoever calls."""

    def __init__(self, switch: RunningAsterisk) -> None:
        self.switch = switch

    async def calls(self, number: str) -> None:
        """Call a number of ours, and echo it."""
        to = f"PJSIP/{number}@us"
        await self.switch.ask("POST", "channels", endpoint=to, context="echo", extension="11", priority=1)

    async def knows_us(self) -> bool:
        endpoint = await self.switch.ask("GET", "endpoints/PJSIP/us")
        return bool(endpoint["state"] == "online")

    async def loses_everything(self) -> None:
        """It is started again, and knows no contact."""
        await self.switch.kill()
        shutil.rmtree(self.switch.folder / "db")
        (self.switch.folder / "db").mkdir()
        await self.switch.start()


async def test_a_trunk_registers_and_calls_go_both_ways(sandbox_world: World, tmp_path: Path) -> None:
    table = a_table(tmp_path / "network")
    registrar = int(table["sip"].rpartition(":")[2])
    files = {"pjsip.conf": _PJSIP.format(port=registrar), "extensions.conf": _DIALPLAN}
    async with asterisk(tmp_path / "network", table, files, modules="app_echo") as switch:
        network, told, (port,) = Network(switch), Told(), free_ports(1)
        trunk = {
            "name": "network",
            "host": "127.0.0.1",
            "port": registrar,
            "username": "us",
            "password": "secret",
            "register": True,
            "caller": "asserted",  # it knows us by From
        }
        own = {"type": "sip", "listen": "127.0.0.1", "port": port, "first_port": 31_000, "last_port": 31_999}
        carrier = build("sip", own | {"trunks": [trunk]}, sandbox_world.platform, told)
        running = asyncio.create_task(carrier.run())
        try:
            await eventually(lambda: is_up(carrier))
            far = Side(sandbox_world, carrier, told)
            await far.calls()
            await network.calls("33123456789")
            await far.is_called("33123456789")
            await network.loses_everything()
            await eventually(network.knows_us)
            await network.calls("33123456780")
            await far.is_called("33123456780")
            await far.calls()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def is_up(carrier: SipVoice) -> bool:
    return any(one.kind == "trunk network" and one.state is LinkState.UP for one in carrier.status().links)


class Side:
    """Our side."""

    def __init__(self, world: World, carrier: SipVoice, told: Told) -> None:
        self.world, self.carrier, self.told = world, carrier, told
        self.account_id = 1

    async def calls(self) -> None:
        """Call somebody, whose echo is heard."""
        leg = leg_to(self, "33145678901")  # type: ignore[arg-type]
        await self.carrier.dial(leg, 30)
        await self.told.event(leg, LegEventKind.ANSWERED)
        await self.echoes(leg.id)

    async def is_called(self, number: str) -> None:
        """Be called, and hear the echo."""
        arrival = await self.told.until(
            lambda: next((one for one in self.told.arrivals if one.dialled == number), None)
        )
        await self.carrier.answer(arrival.leg_id)
        await self.told.event(arrival.leg_id, LegEventKind.ANSWERED)
        await self.echoes(arrival.leg_id)

    async def echoes(self, leg_id: int) -> None:
        recording = leg_id + 1
        await self.carrier.play(leg_id, Tone.RINGBACK)
        await self.carrier.record(recording, RecordWanted(leg_id, 7, 1))
        sound = wav.read(Path((await self.told.recording(recording)).path))
        assert tones.strength(sound, 440) > 0.3
        await self.carrier.hang_up(leg_id, HangUpCause.NORMAL)
        await self.told.event(leg_id, LegEventKind.ENDED)
