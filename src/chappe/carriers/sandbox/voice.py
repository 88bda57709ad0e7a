"""Calls between virtual telephones: they ring until somebody answers them, or behave as they were told to."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from chappe.carriers.sandbox.sounding import Ear, Microphone, Sounding
from chappe.media import pcm, tones
from chappe.media.mixer import MixerEvent, Quiet, RecordEnded, Talking
from chappe.model.calls import Arrival, HangUpCause, Leg, LegEvent, LegEventKind, Recorded
from chappe.model.errors import CarrierError, Fault, Refusal
from chappe.model.sounds import Sound, Speech, Tone, has_end
from chappe.services import recordings, sandbox, sounds
from chappe.services.live import Later, Timer
from chappe.services.livecalls import Moment
from chappe.services.ports import Platform, RecordWanted, VoiceSink
from chappe.services.sandbox import Behaviour, WhenCalled

MOST_AT_ONE = 5
"""Calls at one telephone that it has dialled itself (our choice)."""

_MOST_EARS = 4
_SECONDS_A_CHARACTER = 0.06
"""How many may listen at one telephone; how long a text takes about that cannot be spoken (our choice)."""

_CAUSE_OF_BEHAVIOUR = {
    WhenCalled.BUSY: HangUpCause.BUSY,
    WhenCalled.REJECT: HangUpCause.REJECTED,
    WhenCalled.UNREACHABLE: HangUpCause.UNREACHABLE,
}
_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Call:
    """One call at a telephone: the leg with its number, and the number that it sees. `decided` comes about
    when one that it has dialled is taken or refused. `says` is what it says when it is answered, and anew
    whenever it is joined to others; a machine's greeting is said once."""

    leg_id: int
    account_id: int
    number: str
    shown: str
    behaviour: Behaviour
    judges: bool = False
    is_up: bool = False
    room: int | None = None
    hears: Sound | None = None
    announced: Sound | None = None
    keys: str = ""
    plays: int = 0
    says: bytes = b""
    timers: list[Timer] = field(default_factory=list)
    decided: asyncio.Future[HangUpCause | None] | None = None

    @property
    def is_machine(self) -> bool:
        """Whether an answering machine takes it."""
        return self.behaviour.call is WhenCalled.MACHINE and self.decided is None


class SandboxVoice:
    """A voice carrier without a network; its telephones belong to whoever answers first."""

    name = sandbox.CARRIER

    def __init__(self, platform: Platform, sink: VoiceSink, later: Later) -> None:
        self._platform = platform
        self._sink = sink
        self._later = later
        self._calls: dict[int, _Call] = {}
        self._paths: dict[int, str] = {}
        self._sounding = Sounding(platform.clock, later, self._happened)

    # --- what the switchboard asks

    async def dial(self, leg: Leg, ring_seconds: int, judges: bool = False) -> None:
        """See services/ports.py, VoiceCarrier."""
        behaviour = await sandbox.behaviour_of(self._platform, leg.account_id, leg.number)
        await sandbox.touch(self._platform, leg.account_id, leg.number)
        at = _Call(leg.id, leg.account_id, leg.number, leg.shown, behaviour, judges)
        await self._learn(at)
        self._calls[leg.id] = at
        after = behaviour.answer_after_ms / 1000
        if behaviour.call is WhenCalled.UNREACHABLE:
            self._end(at, HangUpCause.UNREACHABLE)
            return
        self._sounding.add(leg.id)
        self._tell(at, LegEventKind.RINGING)
        self._in(at, ring_seconds, lambda: self._give_up(at))
        cause = _CAUSE_OF_BEHAVIOUR.get(behaviour.call) if behaviour.call is not None else None
        if cause is not None:
            self._in(at, after, lambda: self._end(at, cause))
        elif behaviour.call in (WhenCalled.ANSWER, WhenCalled.MACHINE):
            self._in(at, after, lambda: self._pick_up(at))

    async def play(self, leg_id: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""
        at = self._calls.get(leg_id)
        if at is None:
            return
        samples, seconds = await self._samples(at.account_id, sound)
        if leg_id not in self._calls:
            return  # it has ended while the sound was made
        at.hears, at.plays = sound, at.plays + 1
        self._sounding.play(leg_id, samples, loops=not has_end(sound))
        if has_end(sound):
            number = at.plays
            self._in(at, seconds, lambda: self._played(at, number))
        self._show(at)

    async def stop(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._calls.get(leg_id)) is not None:
            at.hears = None
            self._sounding.stop(leg_id)
            self._show(at)

    async def announce(self, room: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""
        calls = self._in_room(room)
        if not calls:
            return
        samples, seconds = await self._samples(calls[0].account_id, sound)
        self._sounding.announce(room, samples)
        for at in self._in_room(room):
            at.announced = sound
            self._in(at, seconds, lambda at=at: self._announced(at, sound))  # type: ignore[misc]
            self._show(at)

    async def send_keys(self, leg_id: int, keys: str) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._calls.get(leg_id)) is not None:
            at.keys = (at.keys + keys)[-64:]
            self._show(at)

    async def mute(self, leg_id: int, muted: bool) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._sounding.mute(leg_id, muted)

    async def record(self, recording_id: int, wanted: RecordWanted) -> None:
        """See services/ports.py, VoiceCarrier."""
        path = str(recordings.unfinished(self._platform, recording_id))
        self._paths[recording_id] = path
        self._sounding.record(recording_id, path, wanted)

    async def stop_record(self, recording_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        self._sounding.stop_record(recording_id)

    async def bridge(self, room: int, leg_ids: Sequence[int]) -> None:
        """See services/ports.py, VoiceCarrier."""
        for leg_id in leg_ids:
            if (at := self._calls.get(leg_id)) is not None:
                is_new = at.room != room
                at.room, at.hears = room, None
                self._sounding.join(room, leg_id)
                if is_new and not at.is_machine:
                    self._sounding.say(leg_id, at.says)
                self._show(at)

    async def part(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._calls.get(leg_id)) is not None:
            at.room = None
            self._sounding.part(leg_id)
            self._show(at)

    async def alert(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._calls.get(leg_id)) is not None and not at.is_up:
            self._decide(at, None)
            await self.play(leg_id, Tone.RINGBACK)

    async def answer(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._calls.get(leg_id)) is not None and not at.is_up:
            self._decide(at, None)
            await self.stop(leg_id)
            self._pick_up(at)

    def can_join(self, leg_ids: Sequence[int]) -> bool:
        """See services/ports.py, VoiceCarrier: one process mixes them all."""
        return True

    async def hang_up(self, leg_id: int, cause: HangUpCause) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._calls.get(leg_id)) is not None:
            self._end(at, cause)

    # --- what somebody does with a telephone

    async def call(self, account_id: int, number: str, to: str) -> tuple[int, HangUpCause | None]:
        """Dial a number from a telephone: the leg, and why the call was refused, if it was so at once.
        Raises Refusal `too_many_calls`."""
        platform = self._platform
        dialled = [one for one in self._calls.values() if one.decided is not None and one.number == number]
        if len(dialled) >= MOST_AT_ONE:
            raise Refusal(Fault.TOO_MANY_CALLS, f"{number} has {MOST_AT_ONE} calls already; end one first")
        behaviour = await sandbox.behaviour_of(platform, account_id, number)
        line = await platform.store.queries.line_by_number(number)
        await sandbox.touch(platform, account_id, number)
        decided = asyncio.get_running_loop().create_future()
        at = _Call(platform.ids.new_id(), account_id, number, to, behaviour, decided=decided)
        await self._learn(at)
        self._calls[at.leg_id] = at
        self._sounding.add(at.leg_id)
        own = line is not None and line.account_id == account_id
        now = platform.clock.now()
        arrival = Arrival(at.leg_id, self.name, number, to, now, number if own else "", account_id)
        self._sink.leg_arrived(arrival)
        # Where nobody decides, it rings and costs nothing; who has dialled need not wait for the end of that.
        await asyncio.wait([decided], timeout=2)
        return at.leg_id, decided.result() if decided.done() else None

    def take(self, leg_id: int) -> None:
        """Take a call that rings. Raises Refusal `too_late`."""
        at = self._found(leg_id)
        if at.is_up:
            raise Refusal(Fault.TOO_LATE, "this call is answered already", "id")
        if at.decided is not None:
            raise Refusal(Fault.TOO_LATE, "this telephone has dialled; the other side answers", "id")
        self._pick_up(at)

    def put_down(self, leg_id: int) -> None:
        """Reject a call that rings, or end one that was answered or dialled. Raises Refusal `too_late`."""
        at = self._found(leg_id)
        if at.is_up:
            self._end(at, HangUpCause.NORMAL)
        else:
            self._end(at, HangUpCause.REJECTED if at.decided is None else HangUpCause.CANCELLED)

    def press(self, leg_id: int, keys: str) -> None:
        """Press keys. Raises Refusal `too_late` where nobody listens."""
        at = self._found(leg_id)
        if not at.is_up:
            raise Refusal(Fault.TOO_LATE, "this call is not answered yet: nobody hears its keys", "id")
        if self._sounding.is_running:
            self._sounding.say(leg_id, tones.keys(keys), at_once=False)
        for key in keys:
            self._sounding.press(leg_id, key)
            self._tell(at, LegEventKind.KEY, key=key)

    def moment(self, leg_id: int) -> Moment | None:
        """What a telephone hears at this moment, with whom it speaks, and the keys that were sent to it; None
        where its call is over."""
        at = self._calls.get(leg_id)
        if at is None:
            return None
        others = () if at.room is None else tuple(o.number for o in self._in_room(at.room) if o is not at)
        return Moment(at.hears or at.announced, others, at.keys)

    def listen(self, leg_id: int, ear: Ear) -> Microphone:
        """Give each frame of 20 ms that a telephone hears to `ear`, None at the end of its call. Raises
        Refusal `too_late`, `too_many_calls` where others listen."""
        self._found(leg_id)
        if self._sounding.ears(leg_id) >= _MOST_EARS:
            raise Refusal(Fault.TOO_MANY_CALLS, f"{_MOST_EARS} listen at this telephone already", "id")
        return self._sounding.listen(leg_id, ear)

    def heard(self, leg_id: int) -> bytes:
        """The last seconds of what a telephone has heard, as samples. Raises Refusal `too_late`."""
        self._found(leg_id)
        return self._sounding.heard(leg_id)

    # --- inside

    def _found(self, leg_id: int) -> _Call:
        at = self._calls.get(leg_id)
        if at is None:
            raise Refusal(Fault.TOO_LATE, "this call is over", "id")
        return at

    def _in_room(self, room: int) -> Sequence[_Call]:
        return [one for one in self._calls.values() if one.room == room]

    async def _samples(self, account_id: int, sound: Sound) -> tuple[bytes, float]:
        """A sound and how many seconds it lasts; what cannot be spoken lasts about as long, in silence."""
        try:
            samples = await sounds.samples(self._platform, account_id, sound)
        except (Refusal, CarrierError) as error:
            _log.warning("a sound cannot be played", sound=str(sound)[:80], reason=str(error))
            return b"", len(sound.text) * _SECONDS_A_CHARACTER if isinstance(sound, Speech) else 0
        return samples, pcm.milliseconds(samples) / 1000

    async def _learn(self, at: _Call) -> None:
        """Make the sounds of a telephone's behaviour, so that it says them without a pause."""
        does = at.behaviour
        if at.is_machine:
            speech = Speech(does.greeting or sandbox.GREETING[does.language], does.language)
            spoken, seconds = await self._samples(at.account_id, speech)
            at.says = (spoken or tones.silence(seconds)) + tones.tone(Tone.BEEP)
        elif does.say:
            at.says, _ = await self._samples(at.account_id, Speech(does.say, does.language))

    def _in(self, at: _Call, seconds: float, what: Callable[[], None]) -> None:
        if seconds <= 0:
            what()
        else:
            at.timers.append(self._later(seconds, what))

    def _tell(
        self,
        at: _Call,
        kind: LegEventKind,
        *,
        cause: HangUpCause | None = None,
        key: str = "",
    ) -> None:
        now = self._platform.clock.now()
        self._sink.leg_event(LegEvent(at.leg_id, kind, now, cause, key, at.is_machine))

    def _show(self, at: _Call) -> None:
        """Let pages see what has changed at a telephone."""
        self._platform.topics.publish(f"account.{at.account_id}")

    def _happened(self, event: MixerEvent) -> None:
        if isinstance(event, RecordEnded):
            path, now = self._paths.pop(event.recording_id), self._platform.clock.now()
            self._sink.recorded(Recorded(event.recording_id, now, event.seconds, path, event.key))
        elif isinstance(event, Talking | Quiet) and (at := self._calls.get(event.leg_id)) is not None:
            is_talking = isinstance(event, Talking)
            self._tell(at, LegEventKind.TALKING if is_talking else LegEventKind.QUIET)
        # What was played ends by the clock of calls, because it does so too while nobody listens; the sandbox
        # knows without listening who is a machine.

    def _give_up(self, at: _Call) -> None:
        if not at.is_up:
            self._end(at, HangUpCause.NO_ANSWER)

    def _pick_up(self, at: _Call) -> None:
        if at.is_up or at.leg_id not in self._calls:
            return
        at.is_up = True
        self._tell(at, LegEventKind.ANSWERED)
        behaviour = at.behaviour
        if at.judges:
            self._tell(at, LegEventKind.JUDGED)
        self._sounding.say(at.leg_id, at.says)
        if at.is_machine and at.judges:
            seconds = pcm.milliseconds(at.says) / 1000
            self._in(at, seconds, lambda: self._tell(at, LegEventKind.MACHINE_READY))
        if behaviour.keys:
            self._in(at, behaviour.keys_after_ms / 1000, lambda: self._press_all(at, behaviour.keys))
        if behaviour.hang_up_after_ms:
            self._in(at, behaviour.hang_up_after_ms / 1000, lambda: self._end(at, HangUpCause.NORMAL))

    def _press_all(self, at: _Call, keys: str) -> None:
        if at.leg_id in self._calls:
            self.press(at.leg_id, keys)

    def _played(self, at: _Call, number: int) -> None:
        if at.hears is not None and at.plays == number:
            at.hears = None
            self._tell(at, LegEventKind.PLAYED)
            self._show(at)

    def _announced(self, at: _Call, sound: Sound) -> None:
        if at.announced is sound:
            at.announced = None
            self._show(at)

    def _decide(self, at: _Call, cause: HangUpCause | None) -> None:
        if at.decided is not None and not at.decided.done():
            at.decided.set_result(cause)

    def _end(self, at: _Call, cause: HangUpCause) -> None:
        if self._calls.pop(at.leg_id, None) is None:
            return
        for timer in at.timers:
            timer.cancel()
        self._sounding.remove(at.leg_id)
        self._decide(at, cause)
        self._tell(at, LegEventKind.ENDED, cause=cause)
        self._show(at)
