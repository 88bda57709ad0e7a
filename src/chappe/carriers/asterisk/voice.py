"""Calls over Asterisk: which switch a leg is on, what is played there, and what comes from there."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from chappe.carriers.asterisk.ari import Channel
from chappe.carriers.asterisk.config import TRUNK
from chappe.carriers.asterisk.legs import OnSwitch, OnTape, channel_of, recording_of
from chappe.carriers.asterisk.lines import Telephones
from chappe.carriers.asterisk.settings import AsteriskSettings
from chappe.carriers.asterisk.settings import read_settings as read_settings
from chappe.carriers.asterisk.sounds import Sounds, ended
from chappe.carriers.asterisk.switch import Switch
from chappe.model.calls import Arrival, HangUpCause, Leg, LegEvent, Recorded
from chappe.model.carriers import CarrierStatus, LinkState
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.sounds import Sound, has_end
from chappe.services.ports import Platform, RecordWanted, VoiceSink

_log = structlog.get_logger()


def build(name: str, table: Mapping[str, Any], platform: Platform, sink: VoiceSink) -> "AsteriskVoice":
    """The carrier of a section of the settings."""
    return AsteriskVoice(name, read_settings(table), platform, sink)


class AsteriskVoice:
    """See services/ports.py, VoiceNetwork. All legs of a call are on one switch, and so is its room."""

    def __init__(self, name: str, settings: AsteriskSettings, platform: Platform, sink: VoiceSink) -> None:
        self.name = name
        self._settings = settings
        self._platform = platform
        self._sink = sink
        self.switches = [
            Switch(one, settings, own, platform.clock, self) for one, own in settings.switches.items()
        ]
        self._of_leg: dict[int, tuple[Switch, OnSwitch]] = {}
        self._sounds = {switch.name: Sounds(platform, switch.settings.sounds) for switch in self.switches}
        self._telephones = {
            one.name: Telephones(one.link, one.settings, platform, name) for one in self.switches
        }

    # --- the port

    async def run(self) -> None:
        """See services/ports.py."""
        async with asyncio.TaskGroup() as group:
            for switch in self.switches:
                group.create_task(switch.link.run())
                group.create_task(self._telephones[switch.name].run())

    def status(self) -> CarrierStatus:
        """See services/ports.py."""
        links = tuple(switch.status() for switch in self.switches)
        states = {link.state for link in links}
        return CarrierStatus(
            self.name, "asterisk", next(state for state in LinkState if state in states), links
        )

    async def dial(self, leg: Leg, ring_seconds: int, judges: bool = False) -> None:
        """See services/ports.py, VoiceCarrier."""
        switch = self._place(leg.call_id)
        endpoint = self._endpoint(leg.number, switch)
        on = OnSwitch(leg.id, channel_of(leg.id), leg.account_id, judges=judges)
        self._of_leg[leg.id] = switch, on
        try:
            await switch.dial(on, endpoint, leg.shown, ring_seconds)
        except CarrierError as error:
            self._of_leg.pop(leg.id, None)
            _log.info("a leg was not rung", carrier=self.name, leg=leg.id, reason=error.code)
            raise

    async def alert(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            await found[0].alert(found[1])

    async def answer(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            await found[0].answer(found[1])

    async def play(self, leg_id: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            switch, on = found
            media = await self._sounds[switch.name].media(self._account(on), sound)
            await switch.play(on, media, has_end(sound))

    async def stop(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            await found[0].stop(found[1])

    async def announce(self, room: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""
        for switch in self.switches:
            inside = [on for on in switch.legs.values() if on.room == room]
            if inside:
                media = await self._sounds[switch.name].media(self._account(inside[0]), sound)
                await switch.announce(room, media)

    async def send_keys(self, leg_id: int, keys: str) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            await found[0].send_keys(found[1], keys)

    async def mute(self, leg_id: int, muted: bool) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            await found[0].mute(found[1], muted)

    async def record(self, recording_id: int, wanted: RecordWanted) -> None:
        """See services/ports.py, VoiceCarrier."""
        for switch in self.switches:
            if wanted.leg_id in switch.legs or switch.has_room(wanted.room):
                await switch.record(recording_id, wanted)
                return
        self._sink.recorded(Recorded(recording_id, self._platform.clock.now(), 0.0, ""))

    async def stop_record(self, recording_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        for switch in self.switches:
            await switch.stop_record(recording_id)

    async def bridge(self, room: int, leg_ids: Sequence[int]) -> None:
        """See services/ports.py, VoiceCarrier. Raises CarrierError for legs of two switches."""
        found = [self._of_leg[leg_id] for leg_id in leg_ids if leg_id in self._of_leg]
        switches = {switch for switch, _ in found}
        switches |= {one for one in self.switches if one.has_room(room)}
        if len(switches) > 1:
            reason = f"legs on {sorted(one.name for one in switches)} cannot be joined"
            raise CarrierError(CarrierErrorKind.PERMANENT, Fault.UNSUPPORTED, reason)
        for switch in switches:
            await switch.bridge(room, [on for _, on in found])

    async def part(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            await found[0].part(found[1])

    def can_join(self, leg_ids: Sequence[int]) -> bool:
        """See services/ports.py, VoiceCarrier: those on one switch."""
        return len({self._of_leg[leg_id][0].name for leg_id in leg_ids if leg_id in self._of_leg}) <= 1

    async def hang_up(self, leg_id: int, cause: HangUpCause) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (found := self._of_leg.get(leg_id)) is not None:
            await found[0].hang_up(found[1], cause)

    def knows(self, user: str) -> bool:
        """Whether every switch knows the telephone that registers so."""
        return all(telephones.number_of(user) for telephones in self._telephones.values())

    # --- what switches tell

    def tell(self, event: LegEvent) -> None:
        """See switch.py, Teller."""
        if event.cause is not None:
            self._of_leg.pop(event.leg_id, None)
        self._sink.leg_event(event)

    def arrived(self, switch: Switch, channel: Channel, kind: str, endpoint: str, dialled: str) -> None:
        """See switch.py, Teller."""
        on = OnSwitch(self._platform.ids.new_id(), channel.id)
        switch.adopt(on)
        self._of_leg[on.id] = switch, on
        now, line = self._platform.clock.now(), self._telephones[switch.name].number_of(endpoint)
        caller = line or _number(channel.caller.number)
        self._sink.leg_arrived(Arrival(on.id, self.name, caller, dialled, now, line=line))

    def recorded(self, switch: Switch, tape: OnTape, failed: str) -> None:
        """See switch.py, Teller."""
        if failed:
            _log.warning("a recording failed", carrier=self.name, recording=tape.id, reason=failed)
        path = f"{switch.settings.recordings}/{recording_of(tape.id)}.wav"
        now = self._platform.clock.now()
        self._sink.recorded(Recorded(tape.id, now, ended(path), path, tape.key))

    def came_up(self, switch: Switch) -> None:
        """See switch.py, Teller."""
        self._telephones[switch.name].begin_anew()

    def registered(self, switch: Switch) -> None:
        """See switch.py, Teller."""
        self._telephones[switch.name].look()

    # --- inside

    def _endpoint(self, number: str, switch: Switch) -> str:
        if user := self._telephones[switch.name].user_of(number):
            return f"PJSIP/{user}"
        name = self._settings.trunk_for(number)
        if not name:
            reason = f"no trunk of {self.name} takes {number[:6]}"
            raise CarrierError(CarrierErrorKind.PERMANENT, Fault.NO_ROUTE, reason)
        plus = "+" if self._settings.trunks[name].plus else ""
        return f"PJSIP/{plus}{number}@{TRUNK}{name}"

    def _place(self, call_id: int) -> Switch:
        """The switch of a call's other legs, else the one with the fewest."""
        legs = self._platform.live_calls.board.live_legs(call_id).values()
        for leg in legs:
            if (found := self._of_leg.get(leg.id)) is not None:
                return found[0]
        up = [switch for switch in self.switches if switch.link.is_up]
        if not up:
            raise CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "no switch is up")
        return min(up, key=lambda switch: len(switch.legs))

    def _account(self, on: OnSwitch) -> int:
        """Whose call a leg is; of one that came in the switchboard knows it."""
        if not on.account_id:
            board = self._platform.live_calls.board
            for call in board.live_calls():
                if any(leg.id == on.id for leg in board.live_legs(call.id).values()):
                    on.account_id = call.account_id
        return on.account_id


def _number(written: str) -> str:
    """A number that calls, as MSISDN; nothing where it is none."""
    try:
        return str(read_msisdn(written, "FR"))
    except NumberError:
        return ""
