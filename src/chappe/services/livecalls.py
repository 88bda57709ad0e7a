"""The way from a request to the calls that are live in this process; without a switchboard (command line)
none can be placed."""

from asyncio import Lock
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary

from chappe.flows.program import Action, CallEvent, Flow
from chappe.model.calls import Call, CallStory, HangUpCause, Leg
from chappe.model.errors import Unavailable
from chappe.model.sounds import Sound


class Board(Protocol):
    """See services/switchboard.py."""

    async def prepare(self, call: Call, flow: Flow) -> Sequence[Leg]: ...

    def forget(self, call_id: int) -> None: ...

    def begin(self, call: Call, flow: Flow) -> None: ...

    def ask(self, call_id: int, what: CallEvent | Action) -> bool: ...

    async def caught_up(self, call_id: int) -> None: ...

    def story(self, account_id: int, ref: str) -> CallStory | None: ...

    def live_legs(self, call_id: int) -> Mapping[str, Leg]: ...

    def can_join(self, call_id: int, carrier: str, leg_id: int) -> bool: ...

    def talking(self, call_id: int) -> frozenset[str]: ...

    def muted(self, call_id: int) -> frozenset[str]: ...

    def is_recorded(self, call_id: int) -> bool: ...

    def flow_of(self, call_id: int) -> Flow | None: ...

    def cost_of_live(self, account_id: int) -> int: ...

    def live_calls(self) -> Sequence[Call]: ...


class Moment(NamedTuple):
    """How a call at a virtual telephone is now: what is played to it, the numbers with whom it speaks, and
    the keys that were sent to it."""

    hears: Sound | None = None
    speaks_with: tuple[str, ...] = ()
    keys: str = ""


class Microphone(Protocol):
    """A connection to the sound of a virtual telephone."""

    def say(self, frame: bytes) -> None: ...

    def close(self) -> None: ...


class Telephones(Protocol):
    """See carriers/sandbox/voice.py."""

    async def call(self, account_id: int, number: str, to: str) -> tuple[int, HangUpCause | None]: ...

    def moment(self, leg_id: int) -> Moment | None: ...

    def listen(self, leg_id: int, ear: Callable[[bytes | None], None]) -> Microphone: ...

    def heard(self, leg_id: int) -> bytes: ...

    def take(self, leg_id: int) -> None: ...

    def put_down(self, leg_id: int) -> None: ...

    def press(self, leg_id: int, keys: str) -> None: ...


class LiveCalls:
    """Knows the switchboard of this process once it is there."""

    def __init__(self) -> None:
        self._board: Board | None = None
        self._telephones: Telephones | None = None
        self._turns: WeakValueDictionary[int, Lock] = WeakValueDictionary()

    def connect(self, board: Board, telephones: Telephones) -> None:
        """From now on calls can be placed, and those at virtual telephones answered."""
        self._board, self._telephones = board, telephones

    def turn(self, account_id: int) -> Lock:
        """Held while one call of an account is judged and written, so that no other is judged meanwhile."""
        turn = self._turns.get(account_id)
        if turn is None:
            turn = self._turns[account_id] = Lock()
        return turn

    @property
    def board(self) -> Board:
        """The switchboard. Raises Unavailable where there is none."""
        if self._board is None:
            raise Unavailable("calls are placed by the running server, not from here")
        return self._board

    def story(self, account_id: int, ref: str) -> CallStory | None:
        """An account's call with this ref as it is at this moment, where it is live here."""
        return None if self._board is None else self._board.story(account_id, ref)

    def cost_of(self, account_id: int) -> int:
        """What the calls of an account that are live here have cost until now (see Board.cost_of_live)."""
        return 0 if self._board is None else self._board.cost_of_live(account_id)

    @property
    def is_connected(self) -> bool:
        """Whether there is a switchboard."""
        return self._board is not None

    @property
    def telephones(self) -> Telephones:
        """The virtual telephones. Raises Unavailable where there are none."""
        if self._telephones is None:
            raise Unavailable("telephones are answered at the running server, not from here")
        return self._telephones
