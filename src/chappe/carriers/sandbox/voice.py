"""Calls between virtual telephones: they ring until somebody answers them, or behave as they were told to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chappe.model.calls import HangUpCause, Leg, LegEvent, LegEventKind
from chappe.model.errors import Fault, Refusal
from chappe.model.sounds import Sound, Speech
from chappe.services import sandbox
from chappe.services.ports import Platform, RecordWanted, VoiceSink
from chappe.services.sandbox import Behaviour, WhenCalled
from chappe.services.switchboard import Later, Timer

_SECONDS_A_CHARACTER = 0.06
"""How long a text takes to be spoken, about (our choice)."""

_CAUSE_OF_BEHAVIOUR = {
    WhenCalled.BUSY: HangUpCause.BUSY,
    WhenCalled.REJECT: HangUpCause.REJECTED,
    WhenCalled.UNREACHABLE: HangUpCause.UNREACHABLE,
}


@dataclass(slots=True, eq=False)
class _Ringing:
    """A leg at its telephone."""

    leg: Leg
    behaviour: Behaviour
    is_up: bool = False
    room: int | None = None
    hears: Sound | None = None
    timers: list[Timer] = field(default_factory=list)


class SandboxVoice:
    """A voice carrier without a network; its telephones belong to whoever answers first."""

    name = sandbox.CARRIER

    def __init__(self, platform: Platform, sink: VoiceSink, later: Later) -> None:
        self._platform = platform
        self._sink = sink
        self._later = later
        self._legs: dict[int, _Ringing] = {}

    # --- what the switchboard asks

    async def dial(self, leg: Leg, ring_seconds: int, judges: bool = False) -> None:
        """See services/ports.py, VoiceCarrier."""
        behaviour = await sandbox.behaviour_of(self._platform, leg.account_id, leg.number)
        await sandbox.touch(self._platform, leg.account_id, leg.number)
        at = self._legs[leg.id] = _Ringing(leg, behaviour)
        after = behaviour.answer_after_ms / 1000
        if behaviour.call is WhenCalled.UNREACHABLE:
            self._end(at, HangUpCause.UNREACHABLE)
            return
        self._tell(at, LegEventKind.RINGING)
        self._in(at, ring_seconds, lambda: self._give_up(at))
        cause = _CAUSE_OF_BEHAVIOUR.get(behaviour.call) if behaviour.call is not None else None
        if cause is not None:
            self._in(at, after, lambda: self._end(at, cause))
        elif behaviour.call in (WhenCalled.ANSWER, WhenCalled.MACHINE):
            self._in(at, after, lambda: self._pick_up(at))

    async def play(self, leg_id: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""
        at = self._legs.get(leg_id)
        if at is None:
            return
        at.hears = sound
        if isinstance(sound, Speech):
            self._in(at, len(sound.text) * _SECONDS_A_CHARACTER, lambda: self._played(at, sound))

    async def stop(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._legs.get(leg_id)) is not None:
            at.hears = None

    async def alert(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def answer(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def announce(self, room: int, sound: Sound) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def send_keys(self, leg_id: int, keys: str) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def mute(self, leg_id: int, muted: bool) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def record(self, recording_id: int, wanted: RecordWanted) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def stop_record(self, recording_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def part(self, leg_id: int) -> None:
        """See services/ports.py, VoiceCarrier."""

    async def bridge(self, room: int, leg_ids: Sequence[int]) -> None:
        """See services/ports.py, VoiceCarrier."""
        for leg_id in leg_ids:
            if (at := self._legs.get(leg_id)) is not None:
                at.room, at.hears = room, None

    async def hang_up(self, leg_id: int, cause: HangUpCause) -> None:
        """See services/ports.py, VoiceCarrier."""
        if (at := self._legs.get(leg_id)) is not None:
            self._end(at, cause)

    # --- what somebody does with a telephone

    def take(self, leg_id: int) -> None:
        """Take a call that rings. Raises Refusal `too_late`."""
        at = self._found(leg_id)
        if at.is_up:
            raise Refusal(Fault.TOO_LATE, "this call is answered already", "id")
        self._pick_up(at)

    def put_down(self, leg_id: int) -> None:
        """Reject a call that rings, or end one that was answered. Raises Refusal `too_late`."""
        at = self._found(leg_id)
        self._end(at, HangUpCause.NORMAL if at.is_up else HangUpCause.REJECTED)

    def press(self, leg_id: int, keys: str) -> None:
        """Press keys. Raises Refusal `too_late` where nobody listens."""
        at = self._found(leg_id)
        if not at.is_up:
            raise Refusal(Fault.TOO_LATE, "this call is not answered yet: nobody hears its keys", "id")
        for key in keys:
            self._tell(at, LegEventKind.KEY, key=key)

    def hears(self, leg_id: int) -> Sound | None:
        """What is played to a telephone at this moment."""
        at = self._legs.get(leg_id)
        return None if at is None else at.hears

    def partners(self, leg_id: int) -> Sequence[Leg]:
        """Whom a telephone speaks with."""
        at = self._legs.get(leg_id)
        if at is None or at.room is None:
            return ()
        return [one.leg for one in self._legs.values() if one.room == at.room and one is not at]

    # --- inside

    def _found(self, leg_id: int) -> _Ringing:
        at = self._legs.get(leg_id)
        if at is None:
            raise Refusal(Fault.TOO_LATE, "this call is over", "id")
        return at

    def _in(self, at: _Ringing, seconds: float, what: Callable[[], None]) -> None:
        if seconds <= 0:
            what()
        else:
            at.timers.append(self._later(seconds, what))

    def _tell(
        self, at: _Ringing, kind: LegEventKind, *, cause: HangUpCause | None = None, key: str = ""
    ) -> None:
        machine = at.behaviour.call is WhenCalled.MACHINE
        now = self._platform.clock.now()
        self._sink.leg_event(LegEvent(at.leg.id, kind, now, cause, key, machine))
        self._platform.topics.publish(f"telephone.{at.leg.account_id}.{at.leg.number}")

    def _give_up(self, at: _Ringing) -> None:
        if not at.is_up:
            self._end(at, HangUpCause.NO_ANSWER)

    def _pick_up(self, at: _Ringing) -> None:
        if at.is_up or at.leg.id not in self._legs:
            return
        at.is_up = True
        self._tell(at, LegEventKind.ANSWERED)
        behaviour = at.behaviour
        if behaviour.keys:
            self._in(at, behaviour.keys_after_ms / 1000, lambda: self._press_all(at, behaviour.keys))
        if behaviour.hang_up_after_ms:
            self._in(at, behaviour.hang_up_after_ms / 1000, lambda: self._end(at, HangUpCause.NORMAL))

    def _press_all(self, at: _Ringing, keys: str) -> None:
        if at.leg.id in self._legs:
            self.press(at.leg.id, keys)

    def _played(self, at: _Ringing, sound: Sound) -> None:
        if at.hears is sound:
            at.hears = None
            self._tell(at, LegEventKind.PLAYED)

    def _end(self, at: _Ringing, cause: HangUpCause) -> None:
        if self._legs.pop(at.leg.id, None) is None:
            return
        for timer in at.timers:
            timer.cancel()
        self._tell(at, LegEventKind.ENDED, cause=cause)
