"""One connection to a network from its beginning to its end: bytes between a socket and its bind."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from chappe.protocols.smpp.bind import Asked, Bind, Event
from chappe.protocols.smpp.codes import Command

_TICK = 1.0


class Time(Protocol):
    """Seconds that never go back, and being called at one of them; an event loop is one."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle: ...


class Sendable(Protocol):
    """What goes over a connection: the body of a request, in bytes."""

    @property
    def body(self) -> bytes: ...


S = TypeVar("S", bound=Sendable)


class Connection(asyncio.Protocol, Generic[S]):
    """A socket with its bind, either side of it. `heard` is told what happens, all of one read at once, and
    what it has sent meanwhile leaves in one piece. `lost` tells why it ended, None where we ended it."""

    def __init__(
        self, bind: Bind[S], time: Time, most_waiting: int, heard: Callable[[Sequence[Event[S]]], None]
    ) -> None:
        self.bind = bind
        self.ended = asyncio.Event()
        self.error: Exception | None = None
        self._time = time
        self._heard = heard
        self._most_waiting = most_waiting
        self._waiting = 0
        self._transport: asyncio.Transport | None = None
        self._writable = True
        self._timer: asyncio.TimerHandle | None = None

    @property
    def room(self) -> int:
        """How many units it takes at this moment."""
        return self.bind.room if self._writable else 0

    @property
    def peer(self) -> str:
        """The address of the other side; empty before there is one."""
        found = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(found[0]) if found else ""

    def send(self, units: Sequence[S], command: Command = Command.SUBMIT_SM) -> None:
        """Take units, at most as many as there is room for; `flush` lets them go."""
        self.bind.ask(command, [(unit, unit.body) for unit in units], self._time.time())

    def flush(self) -> None:
        """Write what is there in one piece."""
        out = self.bind.outgoing()
        if out and self._transport is not None:
            self._transport.write(out)

    def wait(self, count: int) -> None:
        """So many receipts and messages wait to be durable; beyond the bound nothing more is read, and the
        network keeps the rest."""
        self._waiting += count
        if self._waiting >= self._most_waiting and self._transport is not None:
            self._transport.pause_reading()

    def acknowledge(self, asked: Sequence[Asked], status: int = 0) -> None:
        """Answer what waited."""
        if self.ended.is_set():
            return
        self.bind.acknowledge(asked, status)
        self.settle(len(asked))

    def settle(self, count: int) -> None:
        """So many that waited have their answer in the bind: write it, and read on."""
        self.flush()
        self._waiting -= count
        if self._waiting < self._most_waiting and self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """End it; what was written still leaves."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
        self.ended.set()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The login is already in the bind."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.flush()
        self._timer = self._time.call_at(self._time.time() + _TICK, self._tick)

    def data_received(self, data: bytes) -> None:
        """Tell what it means, then write once."""
        events = self.bind.receive(data, self._time.time())
        if events:
            self._heard(events)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The bind's owner asks it for what is lost."""
        self.error = exc
        self.close()

    def pause_writing(self) -> None:
        """The network does not read: units wait here, not in the kernel."""
        self._writable = False

    def resume_writing(self) -> None:
        """The network reads again; the next answer brings the next units."""
        self._writable = True
        self._heard(())

    def _tick(self) -> None:
        now = self._time.time()
        events = self.bind.tick(now)
        if events:
            self._heard(events)
        self.flush()
        if not self.ended.is_set():
            self._timer = self._time.call_at(now + _TICK, self._tick)
