"""A conference: those who come in are joined, those who are rung join when they have confirmed, and all leave
when its time is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chappe.flows import program
from chappe.flows.program import Action, CallEvent
from chappe.model.calls import CallOutcome, HangUpCause
from chappe.model.sounds import Speech

CONFIRMING = timedelta(seconds=20)
LAST_MINUTE = timedelta(minutes=1)
"""How long somebody who was rung may think before pressing `#` (our choice), and when the end is told."""

_FAREWELL = timedelta(seconds=15)
"""How long a goodbye may last at most (our choice)."""

_END, _LAST_MINUTE, _CONFIRM, _PAID, _LEAVE = "end", "last minute", "confirm ", "paid ", "leave "
_CONFIRM_KEY = "#"

_PRESS = {
    "fr": "Vous êtes invité à une conférence téléphonique. Pour y participer, appuyez sur la touche dièse.",
    "en": "You are invited to a telephone conference. To take part, press the hash key.",
}
_WELCOME = {
    "fr": "Vous entrez dans la conférence.",
    "en": "You are joining the conference.",
}
_FIRST = {
    "fr": "Bienvenue. Vous êtes le premier participant de la conférence.",
    "en": "Welcome. You are the first participant of the conference.",
}
_ONE_MINUTE = {
    "fr": "La conférence se termine dans une minute.",
    "en": "The conference ends in one minute.",
}
_LOCKED = {
    "fr": "Cette conférence est verrouillée. Au revoir.",
    "en": "This conference is locked. Goodbye.",
}


@dataclass(slots=True)
class _Party:
    """One leg: `confirms` before it is joined, `costs` while it lasts, and how many seconds of it are paid
    (None: until the end)."""

    confirms: bool = False
    costs: bool = False
    paid_seconds: int | None = None
    is_confirming: bool = False
    is_in: bool = False
    is_sent_away: bool = False


@dataclass(slots=True)
class Conference:
    """It lasts `seconds` from its start, whoever is there. `recorded`: from the first who comes in until the
    room is empty, and again."""

    seconds: int
    language: str = "fr"
    recorded: bool = False
    locked: bool = False

    _parties: dict[str, _Party] = field(default_factory=dict)  # whose legs are not down
    _recordings: int = 0
    _is_recording: bool = False
    _was_held: bool = False

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        match event:
            case program.Started():
                return self._start()
            case program.AskedToAdd():
                return self._dial(event)
            case program.LegArrived(leg):
                self._parties[leg] = _Party()
                if self.locked:
                    return self._send_away(leg)
                return self._come_in(leg)
            case program.LegAnswered(leg, machine) if leg in self._parties:
                return self._answered(leg, machine)
            case program.Digit(leg, key) if key == _CONFIRM_KEY and self._is_confirming(leg):
                return [program.StopTimer(_CONFIRM + leg), program.Stop(leg), *self._come_in(leg)]
            case program.PlayDone(leg) if leg in self._parties and self._parties[leg].is_sent_away:
                return [program.HangUp(leg, HangUpCause.REJECTED)]
            case program.LegEnded(leg) if leg in self._parties:
                return self._gone(leg)
            case program.RecordDone():
                self._is_recording = False
                return self._record()
            case program.TimerFired(name):
                return self._fired(name)
            case program.AskedToLock(locked):
                self.locked = locked
                return ()
            case program.AskedToRecord(recorded):
                self.recorded = recorded
                return self._record() if recorded else self._stop_record()
            case program.AskedToHangUp():
                return self._end(HangUpCause.NORMAL)
            case _:
                return ()

    def _start(self) -> list[Action]:
        actions: list[Action] = [program.StartTimer(_END, self.seconds)]
        before_last = self.seconds - int(LAST_MINUTE.total_seconds())
        if before_last > 0:
            actions.append(program.StartTimer(_LAST_MINUTE, before_last))
        return actions

    def _dial(self, asked: program.AskedToAdd) -> list[Action]:
        options = asked.options
        leg, paid = str(options["leg"]), options.get("paid_seconds")
        self._parties[leg] = _Party(
            confirms=bool(options.get("confirms")),
            costs=_whole(options, "reserve") > 0,
            paid_seconds=paid if isinstance(paid, int) else None,
        )
        dial = program.Dial(
            leg,
            asked.number,
            asked.shown,
            _whole(options, "ring_seconds"),
            reserve=_whole(options, "reserve"),
            cap=_whole(options, "cap"),
        )
        return [dial]

    def _answered(self, leg: str, machine: bool) -> list[Action]:
        party = self._parties[leg]
        actions: list[Action] = []
        if party.paid_seconds is not None:
            actions.append(program.StartTimer(_PAID + leg, party.paid_seconds))
        if machine:
            return [*actions, program.HangUp(leg, HangUpCause.NOT_CONFIRMED)]
        if not party.confirms:
            return [*actions, *self._come_in(leg)]
        party.is_confirming = True
        return [
            *actions,
            program.Play(leg, Speech(_PRESS[self.language], self.language)),
            program.StartTimer(_CONFIRM + leg, int(CONFIRMING.total_seconds())),
        ]

    def _come_in(self, leg: str) -> list[Action]:
        is_first = not any(party.is_in for party in self._parties.values())
        party = self._parties[leg]
        party.is_confirming, party.is_in, self._was_held = False, True, True
        text = (_FIRST if is_first else _WELCOME)[self.language]
        return [
            program.Bridge((leg,)),
            program.Admit(leg),
            program.Play(leg, Speech(text, self.language)),
            *self._record(),
        ]

    def _send_away(self, leg: str) -> list[Action]:
        self._parties[leg].is_sent_away = True
        return [
            program.Play(leg, Speech(_LOCKED[self.language], self.language)),
            program.StartTimer(_LEAVE + leg, int(_FAREWELL.total_seconds())),
        ]

    def _gone(self, leg: str) -> list[Action]:
        party = self._parties.pop(leg)
        actions: list[Action] = [program.StopTimer(timer + leg) for timer in (_CONFIRM, _PAID, _LEAVE)]
        if party.is_in and not any(one.is_in for one in self._parties.values()):
            actions += self._stop_record()
        return actions

    def _record(self) -> list[Action]:
        is_empty = not any(party.is_in for party in self._parties.values())
        if not self.recorded or self._is_recording or is_empty:
            return []
        self._recordings += 1
        self._is_recording = True
        return [program.Record(self._recording, longest_seconds=self.seconds, purpose="conference")]

    def _stop_record(self) -> list[Action]:
        return [program.StopRecord(self._recording)] if self._is_recording else []

    @property
    def _recording(self) -> str:
        return f"conference {self._recordings}"

    def _fired(self, name: str) -> Sequence[Action]:
        if name == _END:
            return self._end(HangUpCause.TIME_LIMIT)
        if name == _LAST_MINUTE:
            return [program.Announce(Speech(_ONE_MINUTE[self.language], self.language))]
        if name == program.CREDIT_USED_UP:  # what the account's calls may cost in a day
            cost = [leg for leg, party in self._parties.items() if party.costs]
            return [program.HangUp(leg, HangUpCause.CREDIT) for leg in cost]
        if name.startswith(_LEAVE):
            return [program.HangUp(name.removeprefix(_LEAVE), HangUpCause.REJECTED)]
        if name.startswith(_PAID):
            return [program.HangUp(name.removeprefix(_PAID), HangUpCause.CREDIT)]
        leg = name.removeprefix(_CONFIRM)
        # The key may have come while the timer was already on its way.
        return [program.HangUp(leg, HangUpCause.NOT_CONFIRMED)] if self._is_confirming(leg) else ()

    def _is_confirming(self, leg: str) -> bool:
        return leg in self._parties and self._parties[leg].is_confirming

    def _end(self, cause: HangUpCause) -> list[Action]:
        outcome = CallOutcome.ANSWERED if self._was_held else CallOutcome.NO_ANSWER
        hang_ups = [program.HangUp(leg, cause) for leg in self._parties]
        return [*self._stop_record(), *hang_ups, program.Finish(outcome)]


def _whole(options: Mapping[str, object], name: str) -> int:
    value = options.get(name, 0)
    return value if isinstance(value, int) else 0
