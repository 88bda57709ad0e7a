"""What flows with two sides have in common: one waits while the other is rung, or picked up elsewhere; then
they speak with each other, until one gives the other away or hangs up."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chappe.flows import program
from chappe.flows.program import Action, CallEvent
from chappe.model.calls import HangUpCause
from chappe.model.sounds import Tone

RING_SECONDS = 30
"""How long a party rings to which somebody is transferred, or who picks up (our choice)."""
IS_RECORDED = {
    "fr": "Cet appel est enregistré.",
    "en": "This call is recorded.",
}
"""What both sides hear of a call that is recorded for a line or a form."""


@dataclass(frozen=True, slots=True)
class Party:
    """One side: its leg and its number (empty: hidden). `line` is the number under which it is told of calls,
    empty where it has not proven to be a line."""

    leg: str
    number: str
    line: str = ""


@dataclass(slots=True)
class Ringing:
    """`rung` rings for `waiting`. It is over when somebody, perhaps another one, is `taken`, or with `lost`,
    why nobody was."""

    waiting: Party
    rung: Party
    redirecting: str = ""
    taken: Party | None = None
    lost: HangUpCause | None = None

    _pickers: list[Party] = field(default_factory=list)
    _picks: int = 0
    _cause: HangUpCause | None = None  # why `rung` is down while pickers still ring

    def step(self, event: CallEvent) -> list[Action]:
        """What is to be done about an event; nothing where it is not about who rings."""
        match event:
            case program.LegAnswered(leg) if leg == self.rung.leg and self._cause is None:
                self.taken = self.rung
                return [program.HangUp(one.leg, HangUpCause.CANCELLED) for one in self._pickers]
            case program.LegAnswered(leg) if (picker := self._picker(leg)) is not None:
                return self._pick_up(picker)
            case program.AskedToPickUp(number):
                self._picks += 1
                picker = Party(f"{self.rung.leg}-picker-{self._picks}", number, number)
                self._pickers.append(picker)
                dial = program.Dial(picker.leg, number, self.waiting.number, RING_SECONDS, is_own=True)
                return [self._setup(picker), dial]
            case program.LegArrived(leg, number, is_up=True):
                picker = Party(leg, number, number)
                return [self._setup(picker), *self._pick_up(picker)]
            case program.LegEnded(leg, cause) if leg == self.rung.leg:
                self._cause = cause
                return self._see()
            case program.LegEnded(leg) if (picker := self._picker(leg)) is not None:
                self._pickers.remove(picker)
                return self._see()
            case _:
                return []

    def stop(self, cause: HangUpCause = HangUpCause.CANCELLED) -> list[Action]:
        """Nobody need ring any more."""
        rings = [] if self._cause is not None else [self.rung]
        return [program.HangUp(one.leg, cause) for one in (*rings, *self._pickers)]

    def _picker(self, leg: str) -> Party | None:
        return next((one for one in self._pickers if one.leg == leg), None)

    def _setup(self, picker: Party) -> Action:
        # Whoever picks up calls the party that waits (dialects.md 5a, interception).
        return program.Setup(
            picker.leg, picker.line, picker.number, self.waiting.number, replaces=self.rung.leg
        )

    def _pick_up(self, picker: Party) -> list[Action]:
        self.taken = picker
        others = [one for one in self._pickers if one is not picker]
        ends = [program.HangUp(one.leg, HangUpCause.CANCELLED) for one in others]
        if self._cause is None:
            ends.insert(0, program.HangUp(self.rung.leg, HangUpCause.ANSWERED_ELSEWHERE))
        return [*ends]

    def _see(self) -> list[Action]:
        if self._cause is not None and not self._pickers:
            self.lost = self._cause
        return []


@dataclass(slots=True)
class Speaking:
    """Two sides speak; it is over when `left` is set: who is left with nobody to speak to, if anybody is.

    Blind transfer: the giver's leg ends at once, and its partner hears ringing. Attended: the partner waits
    while the giver speaks with the third, and has it when the giver hangs up or asks again; where the third
    is gone before, the first two speak again (ARCHITECTURE.md 10)."""

    sides: tuple[Party, Party]
    left: Sequence[Party] | None = None

    _giver: Party | None = None  # while a transfer goes on, and the giver is there
    _kept: Party | None = None  # who waits for it to be done
    _ringing: Ringing | None = None
    _third: Party | None = None  # who speaks with the giver
    _transfers: int = 0

    def step(self, event: CallEvent) -> list[Action]:
        """What is to be done about an event."""
        match event:
            case program.AskedToTransfer(leg) if self._kept is None:
                return self._transfer(event) if self._side(leg) is not None else []
            case program.AskedToTransfer(leg) if self._giver is not None and leg == self._giver.leg:
                return [program.HangUp(leg, HangUpCause.TRANSFERRED)]
            case program.AskedToHandOver(leg):
                return self._give(event)
            case program.LegArrived(leg) if event.replaces and self._kept is None:
                return self._take(event)
            case program.LegEnded(leg):
                return self._ended(leg, event)
            case _ if self._ringing is not None:
                return self._rings(self._ringing, event)
            case program.LegArrived(leg):
                return [program.HangUp(leg)]  # it came to pick up what rings no more
            case _:
                return []

    @property
    def legs(self) -> Sequence[str]:
        """Everybody who is up or rings."""
        parties = list(self.sides) if self._kept is None else [self._giver, self._kept, self._third]
        return [party.leg for party in parties if party is not None]

    def stop(self, cause: HangUpCause) -> list[Action]:
        """End it all."""
        rings = [] if self._ringing is None else self._ringing.stop(cause)
        return [*(program.HangUp(leg, cause) for leg in self.legs), *rings]

    def _side(self, leg: str) -> Party | None:
        return next((side for side in self.sides if side.leg == leg), None)

    def _other(self, leg: str) -> Party:
        return next(side for side in self.sides if side.leg != leg)

    def _transfer(self, asked: program.AskedToTransfer) -> list[Action]:
        giver, kept = self._side(asked.leg), self._other(asked.leg)
        assert giver is not None  # `step` has looked
        self._transfers += 1
        third = Party(f"third-{self._transfers}", asked.number, asked.number)
        self._kept = kept
        dial = program.Dial(third.leg, third.number, asked.shown, RING_SECONDS)
        if asked.attended:
            self._giver = giver
            self._ringing = Ringing(giver, third)
            return [
                program.Part(kept.leg),
                program.Part(giver.leg),
                program.Play(giver.leg, Tone.RINGBACK),
                program.Setup(third.leg, giver.line, giver.number, third.number),
                program.Setup(third.leg, third.line, giver.number, third.number),
                dial,
            ]
        self._ringing = Ringing(kept, third)
        return [
            program.HangUp(giver.leg, HangUpCause.TRANSFERRED),
            program.Part(kept.leg),
            program.Play(kept.leg, Tone.RINGBACK),
            program.Setup(kept.leg, kept.line, kept.number, third.number),
            program.Setup(third.leg, third.line, kept.number, third.number),
            dial,
        ]

    def _give(self, asked: program.AskedToHandOver) -> list[Action]:
        """The partner goes to another call of the giver's, and this one is over."""
        giver = self._side(asked.leg)
        if giver is None or self._kept is not None:
            return []
        kept = self._other(giver.leg)
        self.left = []
        return [
            program.HandOver(kept.leg, asked.call_id, asked.name, asked.replaces, kept.line),
            program.HangUp(giver.leg, HangUpCause.TRANSFERRED),
        ]

    def _take(self, arrived: program.LegArrived) -> list[Action]:
        """Somebody comes from another call in the giver's place."""
        giver = self._side(arrived.replaces)
        if giver is None:
            return [program.HangUp(arrived.leg)]  # who gave it away has hung up meanwhile
        kept, third = self._other(giver.leg), Party(arrived.leg, arrived.number, arrived.line)
        self._settle(kept, third)
        return [
            program.HangUp(giver.leg, HangUpCause.TRANSFERRED),
            program.Setup(third.leg, third.line, kept.number, third.number, replaces=third.leg),
            program.Setup(kept.leg, kept.line, kept.number, third.number, replaces=kept.leg),
            program.Bridge((kept.leg, third.leg)),
        ]

    def _rings(self, ringing: Ringing, event: CallEvent) -> list[Action]:
        actions = ringing.step(event)
        if ringing.taken is not None:
            self._ringing = None
            actions.append(program.Stop(ringing.waiting.leg))
            actions.append(program.Bridge((ringing.waiting.leg, ringing.taken.leg)))
            if self._giver is None:
                self._settle(ringing.waiting, ringing.taken)
            else:
                self._third = ringing.taken
        elif ringing.lost is not None:
            self._ringing = None
            actions += self._go_back() if self._giver is not None else self._leave([ringing.waiting])
        return actions

    def _ended(self, leg: str, event: program.LegEnded) -> list[Action]:
        if self._kept is None:
            if (side := self._side(leg)) is None:
                return []  # whoever gave the other away
            return self._leave([self._other(side.leg)])
        if self._giver is not None and leg == self._giver.leg:
            return self._hand_over(self._giver, self._kept)
        if leg == self._kept.leg:
            return self._kept_is_gone()
        if self._third is not None and leg == self._third.leg:
            return self._go_back()
        return self._rings(self._ringing, event) if self._ringing is not None else []

    def _hand_over(self, giver: Party, kept: Party) -> list[Action]:
        """The giver is gone: who it kept waiting has the third, or hears it ring."""
        self._giver = None
        third = self._third or (None if self._ringing is None else self._ringing.rung)
        assert third is not None  # somebody rings, or speaks
        setups: list[Action] = [
            program.Release(third.leg, giver.line),
            program.Setup(third.leg, third.line, kept.number, third.number, replaces=third.leg),
            program.Setup(kept.leg, kept.line, kept.number, third.number, replaces=kept.leg),
        ]
        if self._third is None and self._ringing is not None:
            self._ringing.waiting = kept
            return [program.Play(kept.leg, Tone.RINGBACK), *setups]
        self._settle(kept, third)
        return [*setups, program.Bridge((kept.leg, third.leg))]

    def _kept_is_gone(self) -> list[Action]:
        if self._giver is None or self._third is None:
            actions = [] if self._ringing is None else self._ringing.stop()
            return [*actions, *self._leave([] if self._giver is None else [self._giver])]
        self._settle(self._giver, self._third)  # who speak on
        return []

    def _go_back(self) -> list[Action]:
        """The third is gone, or never came: the first two speak again."""
        assert self._giver is not None and self._kept is not None
        giver, kept, was_up = self._giver, self._kept, self._third is not None
        self._settle(giver, kept)
        stop = [] if was_up else [program.Stop(giver.leg)]
        return [*stop, program.Bridge((giver.leg, kept.leg))]

    def _settle(self, one: Party, other: Party) -> None:
        self.sides = (one, other)
        self._giver = self._kept = self._third = None

    def _leave(self, left: Sequence[Party]) -> list[Action]:
        self.left = left
        return []
