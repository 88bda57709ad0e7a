"""A line that rings at all its telephones: the first that answers has the call, the others are told so."""

from collections.abc import Callable, Sequence

from chappe.carriers.sip.legs import Desk, Leg
from chappe.carriers.sip.outgoing import Outgoing, Way
from chappe.carriers.sip.streams import Stream
from chappe.carriers.sip.words import Event, Happened
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.protocols.sip import referring
from chappe.protocols.sip.transactions import Address, Transactions

_WEIGHT = (
    HangUpCause.NO_ANSWER,
    HangUpCause.REJECTED,
    HangUpCause.BUSY,
    HangUpCause.FAILED,
    HangUpCause.UNREACHABLE,
)
"""Of several reasons why nobody answers the first of these counts: a line is busy when all its telephones are
that can be reached (our choice; RFC 3261, section 16.7, leaves it open but for 6xx)."""


class Fork:
    """One leg as long as it rings, with a branch for each telephone; it is the Desk of its branches, which
    all have the leg's id and its stream. `settled` is told which branch the leg is from then on: the one that
    has answered, or the last one, when nobody has."""

    def __init__(
        self, desk: Desk, leg_id: int, ways: Sequence[Way], stream: Stream, settled: Callable[[Leg], None]
    ) -> None:
        self._desk = desk
        self.branches = [Outgoing(self, leg_id, way, stream) for way in ways]
        self._settled = settled
        self._causes: list[HangUpCause] = []
        self._taken: Leg | None = None
        self._asked: HangUpCause | None = None
        self._rings = False

    def ring(self, seconds: float) -> None:
        """Ring all of them."""
        for branch in self.branches:
            branch.ring(seconds)

    def hang_up(self, cause: HangUpCause) -> None:
        """Nobody need answer any more."""
        self._asked = self._asked or cause
        for branch in self.branches:
            branch.hang_up(cause)

    # --- what branches need of us

    @property
    def transactions(self) -> Transactions:
        """See legs.Desk."""
        return self._desk.transactions

    def now(self) -> float:
        """See legs.Desk."""
        return self._desk.now()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """See legs.Desk."""
        self._desk.later(seconds, what)

    def here(self, to: Address) -> Address:
        """See legs.Desk."""
        return self._desk.here(to)

    def send(self, data: bytes, to: Address) -> None:
        """See legs.Desk."""
        self._desk.send(data, to)

    def tell(self, event: Event) -> None:
        """See legs.Desk: the leg rings once, and ends when its last branch has."""
        if not isinstance(event, Happened):
            return
        is_end = event.kind == LegEventKind.ENDED.value
        if self._taken is not None:
            if self._taken.is_over or not is_end:
                self._desk.tell(event)
        elif is_end:
            self._causes.append(HangUpCause(event.cause))
            if len(self._causes) == len(self.branches):
                self._desk.tell(Happened(event.leg, event.kind, self._cause.value))
            elif self._causes[-1] is HangUpCause.REJECTED:
                self.hang_up(HangUpCause.REJECTED)  # who turns a call away does so for all (section 16.7)
        elif not self._rings:
            self._rings = True
            self._desk.tell(event)

    @property
    def _cause(self) -> HangUpCause:
        return self._asked or next((one for one in _WEIGHT if one in self._causes), self._causes[-1])

    def went_up(self, leg: Leg) -> None:
        """See legs.Desk."""
        self._taken = leg
        self._settled(leg)
        for other in self.branches:
            if other is not leg:
                other.hang_up(HangUpCause.ANSWERED_ELSEWHERE)
        self._desk.went_up(leg)

    def went_down(self, leg: Leg) -> None:
        """See legs.Desk."""
        if leg is self._taken:
            self._desk.went_down(leg)
        elif self._taken is None and all(one.is_over for one in self.branches):
            self._settled(leg)
            self._desk.went_down(leg)

    def referred(self, leg: Leg, wanted: referring.Wanted) -> None:
        """See legs.Desk."""
        self._desk.referred(leg, wanted)
