"""Calls over SIP: what the platform asks is said to the SIP process, and what that one tells is told to the
platform."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from chappe.carriers.sip import telephones, words
from chappe.carriers.sip.process import Process, started
from chappe.carriers.sip.settings import SipSettings, read_settings
from chappe.media import pcm, wav
from chappe.model.calls import Arrival, HangUpCause, Leg, LegEvent, LegEventKind, Recorded, TransferAsked
from chappe.model.carriers import CarrierStatus, LinkState, LinkStatus
from chappe.model.changes import Changes, Update
from chappe.model.directory import Line
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal, Unavailable
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.sounds import Sound, Tone, has_end
from chappe.services import recordings, sounds
from chappe.services.ports import Platform, RecordWanted, VoiceSink

_log = structlog.get_logger()
_MOST_SOUNDS = 200
_LOOK_AGAIN = 30.0
"""How many sounds the process keeps at hand, and after how many seconds lamps are looked at where nothing was
told (our choice)."""

__all__ = ["SipVoice", "build", "read_settings"]


class SipVoice:
    """A voice carrier on a process of its own, which is started again when it dies; its legs end with it."""

    def __init__(self, name: str, settings: SipSettings, platform: Platform, sink: VoiceSink) -> None:
        self.name = name
        self._settings = settings
        self._platform = platform
        self._sink = sink
        self._process: Process | None = None
        self._since = platform.clock.now()
        self._accounts: dict[int, int] = {}  # of the legs that are there
        self._rooms: dict[int, int] = {}  # whose account they are
        self._recordings: dict[int, Path] = {}
        self._kept: OrderedDict[str, None] = OrderedDict()
        self._moves: asyncio.Queue[words.Telephone] = asyncio.Queue()
        self._asking: set[asyncio.Task[None]] = set()
        self._lamps: dict[str, tuple[int, int]] = {}  # what telephones were told last

    # --- what the switchboard asks

    async def dial(self, leg: Leg, ring_seconds: int, judges: bool = False) -> None:
        """See services/ports.py, VoiceCarrier. A line's telephone is rung where it has registered, every
        other number over a trunk."""
        line = await self._platform.store.queries.line_by_number(leg.number)
        contacts: tuple[tuple[str, str], ...] = ()
        if line is not None and line.sip_user:
            there = telephones.registered(line, self._platform.clock.now())
            if not there:
                raise _cannot(f"no telephone of line {leg.number} is registered")
            contacts = tuple((one.contact, one.source) for one in there)
        if self._process is None:
            raise _cannot(f"the process of carrier {self.name} does not run")
        self._accounts[leg.id] = leg.account_id
        self._say(words.Dial(leg.id, leg.number, leg.shown, ring_seconds, judges, contacts))

    async def alert(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.Alert(leg_id))

    async def answer(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.Answer(leg_id))

    async def play(self, leg_id: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""
        key = await self._keep(self._account(leg_id), sound)
        self._say(words.Play(leg_id, key, not has_end(sound)))

    async def announce(self, room: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.Announce(room, await self._keep(self._rooms.get(room, 0), sound)))

    async def stop(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.Stop(leg_id))

    async def send_keys(self, leg_id: int, keys: str) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.Press(leg_id, keys))

    async def mute(self, leg_id: int, muted: bool) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.Mute(leg_id, muted))

    async def record(self, recording_id: int, wanted: RecordWanted) -> None:
        """See services/ports.py, VoiceCarrier."""
        path = recordings.unfinished(self._platform, recording_id)
        if self._process is None:
            self._recorded(recording_id, path, 0.0)
            return
        self._recordings[recording_id] = path
        self._say(
            words.Record(
                recording_id,
                str(path),
                wanted.leg_id,
                wanted.room,
                wanted.longest_seconds,
                wanted.ends_on_key,
                wanted.silence_seconds,
            )
        )

    async def stop_record(self, recording_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if recording_id in self._recordings:
            self._say(words.StopRecord(recording_id))

    async def bridge(self, room: int, leg_ids: Sequence[int]) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._rooms[room] = next((found for one in leg_ids if (found := self._account(one))), 0)
        self._say(words.Join(room, tuple(leg_ids)))

    async def part(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.Part(leg_id))

    def can_join(self, leg_ids: Sequence[int]) -> bool:
        """See services/ports.py, VoiceCarrier: one process mixes them all."""
        return True

    async def hang_up(self, leg_id: int, cause: HangUpCause) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._say(words.HangUp(leg_id, cause.value))

    # --- the process

    async def run(self) -> None:
        """See services/ports.py, VoiceNetwork: until the process dies; then it is to be called again."""
        tasks = [asyncio.create_task(one) for one in (self._move(), self._look_after_lamps())]
        try:
            async with started() as process:
                now = self._platform.clock.now()
                lines = await self._platform.store.queries.registered_lines(now)
                process.say(words.Begin(self._settings, tuple(_telephones(lines, now))))
                self._kept.clear()
                self._process, self._since = process, now
                await process.listen(self._told)
            _log.error("the process of a SIP carrier has died", carrier=self.name)
        finally:
            for task in tasks:
                task.cancel()
            self._process, self._since = None, self._platform.clock.now()
            self._interrupt()

    def _interrupt(self) -> None:
        """All legs are down; what was recorded until now is kept."""
        now = self._platform.clock.now()
        for leg_id in list(self._accounts):
            self._sink.leg_event(LegEvent(leg_id, LegEventKind.ENDED, now, HangUpCause.INTERRUPTED))
        self._accounts.clear()
        self._rooms.clear()
        for recording_id, path in list(self._recordings.items()):
            size = path.stat().st_size - wav.HEADER_BYTES if path.exists() else 0
            self._recorded(recording_id, path, max(0, size) / (pcm.RATE * pcm.WIDTH))
        self._recordings.clear()

    def status(self) -> CarrierStatus:
        """See services/ports.py, VoiceNetwork."""
        pulse = self._process.pulse if self._process is not None else None
        alive = LinkState.DOWN if self._process is None else LinkState.UP if pulse else LinkState.CONNECTING
        links = [
            LinkStatus(
                "process",
                alive,
                self._since,
                unanswered=pulse.legs if pulse else 0,
                window=self._settings.max_calls,
                error="" if self._process is not None else "it is being started again",
            )
        ]
        for one in pulse.trunks if pulse else ():
            links.append(LinkStatus(f"trunk {one.name}", LinkState(one.state), self._since, error=one.error))
        state = alive
        if alive is LinkState.UP and any(one.state is not LinkState.UP for one in links):
            state = LinkState.STRAINED
        return CarrierStatus(self.name, "sip", state, tuple(links))

    @property
    def process(self) -> Process | None:
        """The one that runs, if any; for tests and measurements."""
        return self._process

    def _say(self, word: words.Command) -> None:
        if self._process is not None:
            self._process.say(word)

    def _account(self, leg_id: int) -> int:
        """Whose call a leg is; of one that came in the switchboard knows it."""
        if self._accounts.get(leg_id) == 0:
            board = self._platform.live_calls.board
            for call in board.live_calls():
                if any(leg.id == leg_id for leg in board.live_legs(call.id).values()):
                    self._accounts[leg_id] = call.account_id
        return self._accounts.get(leg_id, 0)

    async def _keep(self, account_id: int, sound: Sound) -> str:
        """Let the process have a sound; returns by which key."""
        key = (
            sound.value if isinstance(sound, Tone) else sha256(repr((account_id, sound)).encode()).hexdigest()
        )
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._say(words.Keep(key, await sounds.samples(self._platform, account_id, sound)))
            self._kept[key] = None
            if len(self._kept) > _MOST_SOUNDS:
                self._say(words.Forget(self._kept.popitem(last=False)[0]))
        return key

    # --- what the process tells

    def _told(self, word: words.Event) -> None:
        now = self._platform.clock.now()
        match word:
            case words.Happened(leg_id, kind, cause, key, machine):
                event = LegEvent(
                    leg_id, LegEventKind(kind), now, HangUpCause(cause) if cause else None, key, machine
                )
                if event.kind is LegEventKind.ENDED:
                    self._accounts.pop(leg_id, None)
                self._sink.leg_event(event)
            case words.Came():
                self._arrived(word)
            case words.Referred(leg_id, number, other):
                refused = partial(self._say, words.RefuseTransfer(leg_id))
                self._sink.transfer_asked(TransferAsked(leg_id, number, other), refused)
            case words.Recorded(recording_id, seconds, key):
                path = self._recordings.pop(recording_id, None)
                if path is not None:
                    self._recorded(recording_id, path, seconds, key)
            case words.Ask():
                task = asyncio.create_task(self._who_is(word))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            case words.Subscribed(number):
                task = asyncio.create_task(self._light(number))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            case words.Telephone():
                self._moves.put_nowait(word)
            case words.Note(level, text):
                _log.log({"error": 40, "warning": 30}.get(level, 20), text, carrier=self.name)
            case words.Pulse():
                pass

    def _arrived(self, word: words.Came) -> None:
        platform = self._platform
        leg_id = platform.ids.new_id()
        self._say(words.Adopt(word.call, leg_id))
        self._accounts[leg_id] = 0
        self._sink.leg_arrived(
            Arrival(
                leg_id,
                self.name,
                word.line or _number(word.caller),
                word.dialled,
                platform.clock.now(),
                line=word.line,
            )
        )

    def _recorded(self, recording_id: int, path: Path, seconds: float, key: str = "") -> None:
        now = self._platform.clock.now()
        self._sink.recorded(Recorded(recording_id, now, seconds, str(path), key))

    async def _who_is(self, word: words.Ask) -> None:
        try:
            line = await self._platform.store.queries.line_by_sip_user(word.user)
        except Unavailable:
            return  # it asks again, when the database does answer
        if line is not None and line.extension.suspended:
            line = None
        known = words.Known(word.ask, line.sip_ha1, line.number) if line else words.Known(word.ask)
        self._say(known)

    async def _move(self) -> None:
        """Write where telephones are, one after the other."""
        while True:
            word = await self._moves.get()
            platform, now = self._platform, self._platform.clock.now()
            try:
                line = await platform.store.queries.line_by_number(word.line)
                if line is None:
                    continue
                update = Update(Line, line.id, line.account_id, telephones.moved(line, word, now))
                await platform.store.commit(Changes(update=[update]))
                if word.seconds:
                    await self._light(line.number)
            except (Refusal, Unavailable) as trouble:
                _log.warning("where a telephone is could not be written", reason=str(trouble))

    async def _light(self, number: str) -> None:
        """Say how many messages wait for a line."""
        queries = self._platform.store.queries
        with suppress(Unavailable):  # it is said again when something changes
            line = await queries.line_by_number(number)
            if line is not None:
                self._say_lamps([line], await queries.waiting_messages([number]))

    def _say_lamps(self, lines: Iterable[Line], waiting: Mapping[str, tuple[int, int]]) -> None:
        for line in lines:
            new, old = self._lamps[line.number] = _counts(line, waiting)
            there = telephones.registered(line, self._platform.clock.now())
            contacts = tuple((one.contact, one.source) for one in there)
            self._say(words.Lamp(line.number, new, old, contacts))

    async def _look_after_lamps(self) -> None:
        """Say what has changed, whenever a message was left somewhere, heard or deleted."""
        queries = self._platform.store.queries
        with self._platform.topics.subscribe(recordings.VOICEMAILS) as waiter:
            while True:
                await waiter.wait(_LOOK_AGAIN)
                with suppress(Unavailable):
                    lines = await queries.registered_lines(self._platform.clock.now())
                    waiting = await queries.waiting_messages([line.number for line in lines])
                    changed = [one for one in lines if self._lamps.get(one.number) != _counts(one, waiting)]
                    self._say_lamps(changed, waiting)


def _counts(line: Line, waiting: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """How many new and old messages a line's telephone shows."""
    return waiting.get(line.number, (0, 0)) if line.extension.lamp else (0, 0)


def _telephones(lines: Sequence[Line], now: datetime) -> Iterator[words.Telephone]:
    for line in lines:
        for one in telephones.registered(line, now):
            seconds = int((one.until - now).total_seconds())
            yield words.Telephone(line.number, one.contact, one.source, seconds)


def _number(written: str) -> str:
    """A number that calls, as MSISDN; nothing where it is none."""
    try:
        return str(read_msisdn(written, "FR"))
    except NumberError:
        return ""


def _cannot(why: str) -> CarrierError:
    return CarrierError(CarrierErrorKind.PERMANENT, Fault.CARRIER_UNAVAILABLE, why)


def build(name: str, table: Mapping[str, Any], platform: Platform, sink: VoiceSink) -> SipVoice:
    """The carrier of a section `[carriers.NAME]`."""
    return SipVoice(name, read_settings(table), platform, sink)
