"""How much waits to be written, and what is done about it: clients are held up, and then refused."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from chappe.model.errors import Unavailable

MANY_ROWS = 20_000
"""Rows that wait beyond which nothing more is read from clients (our choice): a second's work."""

MOST_ROWS = 50_000
"""Rows that wait beyond which nothing more is accepted (our choice): tens of megabytes."""

SLOW_GROUP = 0.25
"""Seconds that a group takes after which nothing more is read (performance.md, section 6)."""

LONGEST_GROUP = 2.0
"""Seconds that a group takes after which clients are read again, and refused (our choice): the disk hangs."""

_BUSY = "the platform is writing as fast as its disk allows; send again in a moment"


class Time(Protocol):
    """Seconds that never go back, and being called at one of them; an event loop is one."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle: ...


class Pressure:
    """Counts the rows that wait for their group and times the group that is written. Clients can be held up
    (`heed`); what was read of them already is refused by `admit` where it is too much."""

    def __init__(self, time: Time | None = None) -> None:
        self._time = time or asyncio.get_running_loop()
        self._rows = 0
        self._began: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._holding = False
        self._hold: Callable[[], None] = _nothing
        self._let_go: Callable[[], None] = _nothing

    def heed(self, hold: Callable[[], None], let_go: Callable[[], None]) -> None:
        """Call `hold` when nothing more should be read, and `let_go` when it may be read again."""
        self._hold, self._let_go = hold, let_go

    def admit(self) -> None:
        """Raise Unavailable where too much waits already."""
        if self._rows >= MOST_ROWS or self._lasts() >= LONGEST_GROUP:
            raise Unavailable(_BUSY)

    def add(self, rows: int) -> None:
        """So many rows more wait."""
        self._rows += rows
        if self._rows >= MANY_ROWS:
            self._weigh()

    def begin(self, rows: int) -> None:
        """A group of so many rows is written from now on."""
        self._rows -= rows
        self._began = self._time.time()
        if self._timer is None:
            self._look_in(SLOW_GROUP)

    def end(self) -> None:
        """It is written, or not."""
        self._began = None
        if self._holding:
            self._weigh()

    def _lasts(self) -> float:
        return 0.0 if self._began is None else self._time.time() - self._began

    def _look_in(self, seconds: float) -> None:
        self._timer = self._time.call_at(self._time.time() + seconds, self._look)

    def _look(self) -> None:
        """One timer for many groups: it looks whether the present one is slow, and comes back for it."""
        self._timer = None
        self._weigh()
        if self._began is not None:
            lasts = self._lasts()
            end = SLOW_GROUP if lasts < SLOW_GROUP else LONGEST_GROUP
            if lasts < end:
                self._look_in(end - lasts)

    def _weigh(self) -> None:
        lasts = self._lasts()
        # When clients are refused they must be read: a client that is only held up waits for ever.
        holding = (self._rows >= MANY_ROWS or lasts >= SLOW_GROUP) and lasts < LONGEST_GROUP
        if holding is not self._holding:
            self._holding = holding
            (self._hold if holding else self._let_go)()


def _nothing() -> None:
    """Nobody is to be held up."""
