"""What only the Asterisk carrier does: machines are told from persons, a lost connection is found again,
calls are spread over several switches, and nobody is asked for more than it can do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from chappe.carriers.asterisk.voice import AsteriskVoice, build
from chappe.media import tones
from chappe.model.calls import HangUpCause, Leg, LegEventKind, LegState
from chappe.model.carriers import LinkState
from chappe.model.errors import CarrierError, CarrierErrorKind
from tests.carriers.voice.far import Told
from tests.peers.answerer import Answerer
from tests.peers.asterisk import a_table, asterisk, free_udp_port
from tests.peers.farphone import Telephone, telephone
from tests.peers.sipp import refusing
from tests.peers.waiting import eventually
from tests.platform import World

A, B = "33612345678", "33687654321"
WORD, PAUSE = tones.sine(500, 0.3), tones.silence(0.2)
PERSON = WORD + tones.silence(30)
MACHINE = (WORD + PAUSE) * 10 + tones.silence(30)


@dataclass
class Scene:
    """The carrier between a platform and its switches."""

    world: World
    carrier: AsteriskVoice
    told: Told

    def leg(self, number: str, call_id: int = 7) -> Leg:
        now, new_id = self.world.clock.now(), self.world.platform.ids.new_id()
        state = LegState.DIALLING
        return Leg(new_id, 1, call_id, "a", number, "33639980099", "switch", state, now, rate=0)

    async def ring(self, number: str, call_id: int = 7, judges: bool = False) -> Leg:
        leg = self.leg(number, call_id)
        await self.carrier.dial(leg, 30, judges)
        return leg


@asynccontextmanager
async def running(world: World, folder: Path, **more: Any) -> AsyncIterator[Scene]:
    """A carrier of the settings `more`; its switches run."""
    told = Told()
    carrier = build("switch", more, world.platform, told)
    task = asyncio.create_task(carrier.run())
    try:
        await eventually(lambda: all(one.state is LinkState.UP for one in carrier.status().links))
        yield Scene(world, carrier, told)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def one_telephone(
    world: World, folder: Path, says: bytes = b"", answers: bool = True, **more: Any
) -> AsyncIterator[tuple[Scene, Telephone]]:
    port = free_udp_port("127.0.0.2")
    table = a_table(folder / "asterisk", trunks={"far": {"host": "127.0.0.2", "port": port}}, **more)
    async with (
        asterisk(folder / "asterisk", table),
        telephone(folder / "a", A, "127.0.0.2", port=port, says=says, answers=answers) as a,
        running(world, folder, **table) as scene,
    ):
        yield scene, a


def drop(carrier: AsteriskVoice) -> None:
    """The connection breaks; the carrier notices, and is back after a moment."""
    (switch,) = carrier.switches
    assert switch.link.connection is not None
    switch.link.connection.close()


@pytest.mark.parametrize(("says", "machine"), [(PERSON, False), (MACHINE, True)])
async def test_a_machine_is_told_from_a_person(
    sandbox_world: World, tmp_path: Path, says: bytes, machine: bool
) -> None:
    async with one_telephone(sandbox_world, tmp_path, says) as (scene, _):
        leg = await scene.ring(A, judges=True)
        await scene.told.event(leg, LegEventKind.ANSWERED)
        assert (await scene.told.event(leg, LegEventKind.JUDGED)).machine is machine
        if machine:
            await scene.told.event(leg, LegEventKind.MACHINE_READY)
        await scene.carrier.hang_up(leg.id, HangUpCause.NORMAL)
        await scene.told.event(leg, LegEventKind.ENDED)
        kinds = [one.kind for one in scene.told.events if one.leg_id == leg.id]
        assert (LegEventKind.MACHINE_READY in kinds) is machine


async def test_calls_outlive_their_connection(sandbox_world: World, tmp_path: Path) -> None:
    async with one_telephone(sandbox_world, tmp_path) as (scene, a):
        leg = await scene.ring(A)
        await scene.told.event(leg, LegEventKind.ANSWERED)
        (switch,) = scene.carrier.switches
        drop(scene.carrier)
        await eventually(lambda: not switch.link.is_up)
        await eventually(lambda: switch.link.is_up)
        a.press("1")
        assert await scene.told.keys(leg, 1) == "1"
        drop(scene.carrier)
        await scene.carrier.hang_up(leg.id, HangUpCause.TIME_LIMIT)
        assert (await scene.told.event(leg, LegEventKind.ENDED)).cause is HangUpCause.TIME_LIMIT
        await a.has("CALL_CLOSED")


async def test_a_leg_is_rung_although_the_connection_breaks(sandbox_world: World, tmp_path: Path) -> None:
    async with one_telephone(sandbox_world, tmp_path, answers=False) as (scene, a):
        drop(scene.carrier)
        leg = await scene.ring(A)
        await a.has("CALL_INCOMING")
        await scene.told.event(leg, LegEventKind.RINGING)
        assert len([one for one in a.events if one["type"] == "CALL_INCOMING"]) == 1


async def test_what_ended_while_nobody_listened_was_interrupted(sandbox_world: World, tmp_path: Path) -> None:
    async with one_telephone(sandbox_world, tmp_path) as (scene, a):
        leg = await scene.ring(A)
        await scene.told.event(leg, LegEventKind.ANSWERED)
        drop(scene.carrier)
        a.say("hangup")
        await a.has("CALL_CLOSED")
        ended = await scene.told.event(leg, LegEventKind.ENDED)
        # It depends on who is quicker, the telephone or our way back.
        assert ended.cause in (HangUpCause.INTERRUPTED, HangUpCause.NORMAL)


async def test_calls_are_spread_over_switches_and_stay_together(sandbox_world: World, tmp_path: Path) -> None:
    port = free_udp_port("127.0.0.2")
    trunks = {"far": {"host": "127.0.0.2", "port": port}}
    tables = {name: a_table(tmp_path / name, trunks=trunks) for name in ("one", "two")}
    own = {
        name: {key: table[key] for key in ("url", "sip", "rtp", "sounds", "recordings")}
        for name, table in tables.items()
    }
    common = {"type": "asterisk", "password": "secret", "trunks": trunks}
    async with (
        asterisk(tmp_path / "one", tables["one"]) as one,
        asterisk(tmp_path / "two", tables["two"]) as two,
        telephone(tmp_path / "a", A, "127.0.0.2", port=port, answers=False),
        running(sandbox_world, tmp_path, **common, switches=own) as scene,
    ):
        board = scene.world.platform.live_calls.board
        first = await scene.ring(A, 7)
        other = await scene.ring(A, 8)
        assert [len(await switch.channels()) for switch in (one, two)] == [1, 1]
        with pytest.raises(CarrierError):
            await scene.carrier.bridge(7, [first.id, other.id])
        assert not scene.carrier.can_join([first.id, other.id])
        assert scene.carrier.can_join([first.id])
        legs = {7: {"a": first}}
        board.live_legs = lambda call_id: legs.get(call_id, {})  # type: ignore[attr-defined]
        await scene.ring(A, 7)
        assert [len(await switch.channels()) for switch in (one, two)] == [2, 1]
        await two.kill()
        assert (await scene.told.event(other, LegEventKind.ENDED)).cause is HangUpCause.INTERRUPTED
        await scene.ring(A, 9)
        assert len(await one.channels()) == 3


async def test_a_switch_is_not_asked_for_more_than_it_can_do(sandbox_world: World, tmp_path: Path) -> None:
    async with one_telephone(sandbox_world, tmp_path, answers=False, per_second=1) as (scene, _):
        asked = await asyncio.gather(*(scene.ring(A) for _ in range(12)), return_exceptions=True)
        refused = [one for one in asked if isinstance(one, CarrierError)]
        assert {one.kind for one in refused} == {CarrierErrorKind.THROTTLED}
        assert len(refused) == 12 - 6  # one at once, one in each of the next five seconds


async def test_a_joined_call_is_left_as_it_was_offered(sandbox_world: World, tmp_path: Path) -> None:
    port = free_udp_port("127.0.0.2")
    table = a_table(tmp_path / "asterisk", trunks={"far": {"host": "127.0.0.2", "port": port}})
    transport, far = await asyncio.get_running_loop().create_datagram_endpoint(
        Answerer, local_addr=("127.0.0.2", port)
    )
    try:
        async with asterisk(tmp_path / "asterisk", table), running(sandbox_world, tmp_path, **table) as scene:
            legs = [await scene.ring(A), await scene.ring(B)]
            for leg in legs:
                await scene.told.event(leg, LegEventKind.ANSWERED)
            await scene.carrier.bridge(7, [leg.id for leg in legs])
            for leg in legs:
                await scene.carrier.hang_up(leg.id, HangUpCause.NORMAL)
                await scene.told.event(leg, LegEventKind.ENDED)
    finally:
        transport.close()
    assert list(far.offers.values()) == [1, 1]


async def test_why_a_leg_failed_is_logged(sandbox_world: World, tmp_path: Path) -> None:
    port = free_udp_port("127.0.0.2")
    table = a_table(tmp_path / "asterisk", trunks={"far": {"host": "127.0.0.2", "port": port}})
    async with (
        asterisk(tmp_path / "asterisk", table),
        refusing(tmp_path, port, 500),
        running(sandbox_world, tmp_path, **table) as scene,
    ):
        with capture_logs() as said:
            leg = await scene.ring(A)
            ended = await scene.told.event(leg, LegEventKind.ENDED)
    assert ended.cause is HangUpCause.FAILED
    (why,) = [one for one in said if one["event"] == "a leg ended by a failure"]
    assert (why["leg"], why["sip"]) == (leg.id, 500)


async def test_nobody_is_there(sandbox_world: World, tmp_path: Path) -> None:
    table = a_table(tmp_path, trunks={"far": {"host": "127.0.0.2"}})
    carrier = build("switch", table, sandbox_world.platform, Told())
    scene = Scene(sandbox_world, carrier, Told())
    task = asyncio.create_task(carrier.run())
    try:
        await eventually(lambda: carrier.status().state is LinkState.DOWN)
        (link,) = carrier.status().links
        assert "cannot be reached" in link.error
        with pytest.raises(CarrierError) as refused:
            await scene.ring(A)
        assert refused.value.kind is CarrierErrorKind.TEMPORARY
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_wrong_password_is_said(sandbox_world: World, tmp_path: Path) -> None:
    table = a_table(tmp_path / "asterisk")
    async with asterisk(tmp_path / "asterisk", table):
        carrier = build("switch", table | {"password": "wrong"}, sandbox_world.platform, Told())
        task = asyncio.create_task(carrier.run())
        try:
            await eventually(lambda: carrier.status().links[0].error == "user or password is wrong")
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
