"""One Asterisk: the legs that are on it, what it is asked for them and what it tells of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from chappe.carriers.asterisk import causes
from chappe.carriers.asterisk.ari import Answer, Ari, AriLost, Channel, Event
from chappe.carriers.asterisk.config import JUDGED
from chappe.carriers.asterisk.legs import PREFIX, OnSwitch, OnTape, bridge_of
from chappe.carriers.asterisk.link import Link
from chappe.carriers.asterisk.settings import AsteriskSettings, SwitchSettings
from chappe.carriers.asterisk.tapes import TAPE, Tapes
from chappe.model.calls import HangUpCause, LegEvent, LegEventKind
from chappe.model.carriers import LinkStatus
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.services.ports import Clock, RecordWanted

_log = structlog.get_logger()

_LONGEST_TURN = 5.0
"""Seconds that a leg waits at most for its turn to be rung (our choice)."""

_ROOM = "mixing,dtmf_events,proxy_media"
_TALKING, _TALKING_JUDGED = "500,256", "1500,128"
"""TALK_DETECT's milliseconds of silence and threshold: soon for who is speaking, late enough for the end of
a greeting and its tone (voice.md 1.3)."""

_MACHINE_SILENT = 4.0
"""Seconds after which a machine that says nothing more counts as ready (our choice)."""


class Teller(Protocol):
    """What a switch tells its carrier."""

    def tell(self, event: LegEvent) -> None: ...

    def arrived(self, switch: "Switch", channel: Channel, kind: str, endpoint: str, dialled: str) -> None: ...

    def recorded(self, switch: "Switch", tape: OnTape, failed: str) -> None: ...

    def came_up(self, switch: "Switch") -> None: ...

    def registered(self, switch: "Switch") -> None: ...


class Switch:
    """One of a carrier's switches; the Listener of its link."""

    def __init__(
        self, name: str, settings: AsteriskSettings, own: SwitchSettings, clock: Clock, teller: Teller
    ) -> None:
        self.name = name
        self.settings = own
        self.link = Link(name, settings, own, clock, self)
        self._application = settings.application
        self._clock = clock
        self._teller = teller
        self._tapes = Tapes(self.link, settings.application, self._recorded, self._soon)
        self._legs: dict[int, OnSwitch] = {}
        self._of_channel: dict[str, OnSwitch] = {}
        self._of_playback: dict[str, OnSwitch] = {}
        self._rooms: dict[int, set[int]] = {}
        self._turn = 0.0
        self._plays = self._placed = self._refused = 0
        self._tasks: set[asyncio.Future[None]] = set()

    @property
    def legs(self) -> Mapping[int, OnSwitch]:
        """The legs that are on it."""
        return self._legs

    def has_room(self, room: int) -> bool:
        """Whether somebody is in a room here."""
        return room in self._rooms

    def status(self) -> LinkStatus:
        """How it is at this moment."""
        return LinkStatus(
            kind=self.name,
            state=self.link.state,
            since=self.link.since,
            unanswered=len(self._legs),
            per_second=self.settings.per_second,
            submitted=self._placed,
            accepted=self._placed - self._refused,
            refused=self._refused,
            error=self.link.error,
        )

    # --- what the carrier asks

    async def dial(self, leg: OnSwitch, endpoint: str, shown: str, ring_seconds: int) -> None:
        """Ring; without a number that is shown none is. Raises CarrierError."""
        await self._take_turn()
        query: dict[str, str | int] = {
            "endpoint": endpoint,
            "channelId": leg.channel,
            "timeout": ring_seconds,
        }
        if leg.judges:
            query |= {"context": JUDGED, "extension": "s", "priority": 1}
        else:
            query["app"] = self._application
        variables = {"TALK_DETECT(set)": _TALKING_JUDGED if leg.judges else _TALKING}
        if shown:
            query["callerId"] = shown
        else:
            variables["CALLERID(pres)"] = "prohib"
        leg.gives_up_at = asyncio.get_running_loop().time() + ring_seconds
        self._legs[leg.id] = self._of_channel[leg.channel] = leg
        self._placed += 1
        try:
            answer = await self.link.ask("POST", "channels", query, {"variables": variables})
            if answer.status == 409:  # asked twice; but it says so of other failures, too
                answer = await self.link.ask("GET", f"channels/{leg.channel}")
        except AriLost as lost:
            self._forget(leg)  # should it have been made after all, it is hung up when we are back
            raise CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, str(lost)) from lost
        if answer.is_good:
            leg.is_placed = True
            return
        # Who has no contact, such as a telephone that is not registered: 500 (voice.md 1.5, 6).
        self._forget(leg)
        self._refused += 1
        reason = f"the switch answered {answer.status}: {answer.body}"
        raise CarrierError(CarrierErrorKind.PERMANENT, Fault.CARRIER_REJECTED, reason)

    def adopt(self, leg: OnSwitch) -> None:
        """A leg that came in: it is with our application already."""
        leg.is_placed = leg.is_with_us = True
        self._legs[leg.id] = self._of_channel[leg.channel] = leg

    async def alert(self, leg: OnSwitch) -> None:
        """Let it hear that it rings."""
        self._of(leg, "POST", "ring")

    async def answer(self, leg: OnSwitch) -> None:
        """Take it."""
        self._of(leg, "POST", "answer")
        self._of(leg, "POST", "variable", {"variable": "TALK_DETECT(set)", "value": _TALKING})

    async def play(self, leg: OnSwitch, media: str, has_end: bool) -> None:
        """Play to it in place of what it hears."""

        async def now() -> None:
            await self.stop(leg)
            playback = leg.playback = f"{leg.channel}-{self._next()}"
            leg.has_end = has_end
            self._of_playback[playback] = leg

            def look(answer: Answer | None) -> None:
                if answer is not None and not answer.is_good:
                    self._played(playback)

            self._of(leg, "POST", f"play/{playback}", {"media": media}, look)

        await self._when_with_us(leg, now)

    async def stop(self, leg: OnSwitch) -> None:
        """Stop what is played to it."""
        playback, leg.playback = leg.playback, ""
        if playback:
            self._of_playback.pop(playback, None)
            self.link.say("DELETE", f"playbacks/{playback}")

    async def announce(self, room: int, media: str) -> None:
        """Play to all of a room."""
        path = f"bridges/{bridge_of(room)}/play/{bridge_of(room)}-{self._next()}"
        self.link.say("POST", path, {"media": media})

    async def send_keys(self, leg: OnSwitch, keys: str) -> None:
        """Press keys towards it."""

        async def now() -> None:
            self._of(leg, "POST", "dtmf", {"dtmf": keys})

        await self._when_with_us(leg, now)

    async def mute(self, leg: OnSwitch, muted: bool) -> None:
        """Let nobody hear it, or everybody again."""

        async def now() -> None:
            self._of(leg, "POST" if muted else "DELETE", "mute", {"direction": "in"})

        await self._when_with_us(leg, now)

    async def bridge(self, room: int, legs: Sequence[OnSwitch]) -> None:
        """Join them to a room."""
        if room not in self._rooms:
            self._rooms[room] = set()
            self.link.say("POST", f"bridges/{bridge_of(room)}", {"type": _ROOM})
        late = [leg for leg in legs if not leg.is_with_us or leg.waiting]
        for leg in late:
            leg.waiting.append(partial(self._join, room, [leg]))
        await self._join(room, [leg for leg in legs if leg not in late])

    async def _join(self, room: int, legs: Sequence[OnSwitch]) -> None:
        for leg in legs:
            await self.stop(leg)
            if leg.room not in (None, room):
                await self.part(leg)
            leg.room = room
            self._rooms.setdefault(room, set()).add(leg.id)
        if legs:
            channels = ",".join(leg.channel for leg in legs)
            self.link.say("POST", f"bridges/{bridge_of(room)}/addChannel", {"channel": channels})

    async def part(self, leg: OnSwitch) -> None:
        """Take it out of its room."""
        room, leg.room = leg.room, None
        if room is not None:
            self.link.say("POST", f"bridges/{bridge_of(room)}/removeChannel", {"channel": leg.channel})
            self._leave(room, leg)

    async def hang_up(self, leg: OnSwitch, cause: HangUpCause) -> None:
        """End it. Where the connection is down, that is done when it is back."""
        leg.cause = leg.cause or cause
        if self.link.is_up:
            self._of(leg, "DELETE", "", {"reason_code": causes.said(cause, leg.is_up)})

    async def record(self, recording_id: int, wanted: RecordWanted) -> None:
        """Begin a recording."""
        if wanted.leg_id is None:
            await self._tapes.record_room(recording_id, wanted)
            return
        leg = self._legs[wanted.leg_id]
        await self._when_with_us(leg, lambda: self._tapes.record_leg(recording_id, wanted, leg))

    async def stop_record(self, recording_id: int) -> None:
        """End a recording."""
        await self._tapes.stop(recording_id)

    # --- what the link tells

    async def reconcile(self, ari: Ari, lost_at: datetime | None) -> None:
        """See link.py. What vanished has ended when we lost it; what is ours and unknown is hung up."""
        there = {one.id: one for one in (await ari.ask("GET", "channels")).read(list[Channel])}
        bridges = {one.id for one in (await ari.ask("GET", "bridges")).read(list[Channel])}
        for leg in [one for one in self._legs.values() if one.is_placed]:
            channel = there.get(leg.channel)
            if channel is None:
                self._end(leg, leg.cause or HangUpCause.INTERRUPTED, lost_at or self._clock.now())
                continue
            if channel.state == "Up":
                self._answered(leg)
            if channel.dialplan.app_name == "Stasis":
                self._with_us(leg)
            if leg.cause is not None:
                await ari.ask("DELETE", f"channels/{leg.channel}")
        for channel in there.values():
            if (
                channel.id not in self._of_channel
                and channel.id not in self._tapes
                and self._is_ours(channel)
            ):
                _log.info("a channel that nobody knows is hung up", switch=self.name, channel=channel.id)
                await ari.ask("DELETE", f"channels/{channel.id}", {"reason_code": 41})
        known = {bridge_of(room) for room in self._rooms}
        for bridge in bridges:
            if bridge.startswith(PREFIX) and bridge not in known:
                await ari.ask("DELETE", f"bridges/{bridge}")
        self._tapes.keep_only(there.keys() | bridges & known)

    def _is_ours(self, channel: Channel) -> bool:
        plan = channel.dialplan
        is_with_us = plan.app_name == "Stasis" and plan.app_data.split(",")[0] == self._application
        return is_with_us or channel.id.startswith(PREFIX)

    def came_up(self) -> None:
        """See link.py."""
        self._teller.came_up(self)

    def lost(self, at: datetime) -> None:
        """See link.py: all legs have ended."""
        for leg in [one for one in self._legs.values() if one.is_placed]:
            self._end(leg, leg.cause or HangUpCause.INTERRUPTED, at)
        self._tapes.keep_only(())

    def hear(self, event: Event) -> None:
        """See link.py."""
        channel = event.channel
        leg = self._of_channel.get(channel.id) if channel is not None else None
        match event.type:
            case "StasisStart" if channel is not None:
                self._entered(channel, leg, event.args)
            case "ChannelStateChange" if leg is not None and channel is not None:
                if channel.state == "Ringing":
                    self._tell(leg, LegEventKind.RINGING)
                elif channel.state == "Up":
                    self._answered(leg)
            case "ChannelDestroyed" if leg is not None:
                self._destroyed(leg, event)
            case "ChannelDtmfReceived" if leg is not None:
                self._tell(leg, LegEventKind.KEY, key=event.digit)
                self._tapes.pressed(leg.id, event.digit)
            case "ChannelTalkingStarted" if leg is not None:
                leg.is_talking = True
                if leg.room is not None:
                    self._tell(leg, LegEventKind.TALKING)
            case "ChannelTalkingFinished" if leg is not None:
                leg.is_talking = False
                self._is_ready(leg)
                if leg.room is not None:
                    self._tell(leg, LegEventKind.QUIET)
            case "PlaybackFinished" if event.playback is not None:
                self._played(event.playback.id)
            case "RecordingFinished" | "RecordingFailed" if event.recording is not None:
                tape = self._tapes.ended(event.recording.name, event.recording.cause)
                if tape is not None and tape.wanted.leg_id is not None:
                    self._soon(self._drop(event.recording.name))
            case "ContactStatusChange":
                self._teller.registered(self)
            case _:
                pass  # of a channel that is not ours, or gone

    def _entered(self, channel: Channel, leg: OnSwitch | None, args: Sequence[str]) -> None:
        kind = args[0] if args else ""
        if leg is not None:
            self._answered(leg)
            if kind == "judged":
                self._judged(leg, *args[1:3])
            self._with_us(leg)
        elif kind == TAPE and channel.id in self._tapes:
            self._soon(self._tapes.listens(channel.id))
        elif kind in ("line", "trunk") and len(args) == 3:
            self._teller.arrived(self, channel, kind, args[1], args[2])
        else:
            self._soon(self._drop(channel.id))

    def _answered(self, leg: OnSwitch) -> None:
        if not leg.is_up:
            leg.is_up = True
            self._tell(leg, LegEventKind.ANSWERED)

    def _judged(self, leg: OnSwitch, verdict: str = "", cause: str = "") -> None:
        # Where AMD is not sure, who speaks is not left with an announcement for machines.
        machine = leg.awaits_machine = verdict == "MACHINE"
        self._teller.tell(LegEvent(leg.id, LegEventKind.JUDGED, self._clock.now(), machine=machine))
        # It is a machine because it talks on, unless it has said nothing; the end of its talk is told.
        leg.is_talking = not cause.startswith("INITIALSILENCE")
        if machine:
            asyncio.get_running_loop().call_later(_MACHINE_SILENT, self._is_ready, leg)

    def _is_ready(self, leg: OnSwitch) -> None:
        if leg.awaits_machine and not leg.is_talking and leg.id in self._legs:
            leg.awaits_machine = False
            self._tell(leg, LegEventKind.MACHINE_READY)

    def _destroyed(self, leg: OnSwitch, event: Event) -> None:
        cause = leg.cause
        if cause is None and not leg.is_up and asyncio.get_running_loop().time() >= leg.gives_up_at - 0.5:
            cause = HangUpCause.NO_ANSWER
        if cause is None:
            cause = causes.heard(event.cause, event.tech_cause, leg.is_up)
            if cause in (HangUpCause.FAILED, HangUpCause.INTERRUPTED):
                why = {"q850": event.cause, "sip": event.tech_cause}
                _log.warning("a leg ended by a failure", switch=self.name, leg=leg.id, **why)
        self._end(leg, cause, self._clock.now())

    def _played(self, playback: str) -> None:
        leg = self._of_playback.pop(playback, None)
        if leg is not None and leg.playback == playback:
            leg.playback = ""
            if leg.has_end:
                self._tell(leg, LegEventKind.PLAYED)

    def _recorded(self, tape: OnTape, failed: str) -> None:
        self._teller.recorded(self, tape, failed)

    # --- inside

    def _tell(
        self, leg: OnSwitch, kind: LegEventKind, cause: HangUpCause | None = None, key: str = ""
    ) -> None:
        self._teller.tell(LegEvent(leg.id, kind, self._clock.now(), cause, key))

    def _end(self, leg: OnSwitch, cause: HangUpCause, at: datetime) -> None:
        if leg.id in self._legs:
            self._forget(leg)
            self._teller.tell(LegEvent(leg.id, LegEventKind.ENDED, at, cause))

    def _forget(self, leg: OnSwitch) -> None:
        self._legs.pop(leg.id, None)
        self._of_channel.pop(leg.channel, None)
        self._of_playback.pop(leg.playback, None)
        leg.waiting.clear()
        if leg.room is not None:
            self._leave(leg.room, leg)

    def _leave(self, room: int, leg: OnSwitch) -> None:
        inside = self._rooms.get(room)
        if inside is not None:
            inside.discard(leg.id)
            if not inside:
                del self._rooms[room]
                self._soon(self._close(room))

    async def _close(self, room: int) -> None:
        await self._tapes.close_room(room)
        if room not in self._rooms and self.link.is_up:
            self.link.say("DELETE", f"bridges/{bridge_of(room)}")

    async def _drop(self, channel: str) -> None:
        self.link.say("DELETE", f"channels/{channel}")

    def _of(
        self,
        leg: OnSwitch,
        method: str,
        what: str,
        query: Mapping[str, str | int] | None = None,
        then: Callable[[Answer | None], None] | None = None,
    ) -> None:
        if leg.id in self._legs:
            self.link.say(method, f"channels/{leg.channel}/{what}".rstrip("/"), query, then)

    async def _when_with_us(self, leg: OnSwitch, what: Callable[[], Awaitable[None]]) -> None:
        if leg.is_with_us and not leg.waiting:
            await what()
        else:
            leg.waiting.append(what)

    def _with_us(self, leg: OnSwitch) -> None:
        if not leg.is_with_us:
            leg.is_with_us = True
            if leg.waiting:
                self._soon(self._catch_up(leg))

    async def _catch_up(self, leg: OnSwitch) -> None:
        while leg.waiting:
            await leg.waiting[0]()
            del leg.waiting[:1]

    def _next(self) -> int:
        self._plays += 1
        return self._plays

    async def _take_turn(self) -> None:
        """Wait until another leg may be rung: past what it can do, it collapses (voice.md 1.5, 9)."""
        now, step = asyncio.get_running_loop().time(), 1 / self.settings.per_second
        # A second's worth may come at once.
        self._turn = max(self._turn, now - 1)
        wait = self._turn + step - now
        if wait > _LONGEST_TURN:
            reason = f"{self.name} is asked for more than {self.settings.per_second:g} legs a second"
            raise CarrierError(CarrierErrorKind.THROTTLED, Fault.CARRIER_UNAVAILABLE, reason, wait)
        self._turn += step
        if wait > 0:
            await asyncio.sleep(wait)

    def _soon(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
