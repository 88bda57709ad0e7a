"""One connection to somebody's server: one request at a time, and its answer."""

import asyncio
import os
from dataclasses import dataclass
from typing import Protocol

import httptools

from chappe.model.outgoing import Answer

_HEAD_BYTES = 16_384


def reason(error: OSError) -> str:
    """Why, in the system's words for people: `connection refused`, without numbers and tuples."""
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


class BrokenOffError(Exception):
    """The server did not finish its answer. `is_stale`: it had answered on this connection before and sent
    nothing since, so it most likely closed an idle connection while our request was under way."""

    def __init__(self, why: str, is_stale: bool = False) -> None:
        super().__init__(why)
        self.is_stale = is_stale


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may take: seconds from its start to the end of its answer, bytes kept of a body,
    seconds that an idle connection is kept, seconds after which a connection is not used again (so that
    a changed name is noticed)."""

    total_seconds: float
    body: int
    idle_seconds: float = 15.0
    oldest_seconds: float = 60.0


class Owner(Protocol):
    """Whoever keeps connections."""

    def give_back(self, connection: "Connection") -> None:
        """Its answer is complete, and it can be used again."""

    def forget(self, connection: "Connection") -> None:
        """It has ended; said more than once."""


class Connection(asyncio.Protocol):
    """Writes a request, reads an answer, and gives itself back to the pool.

    Whatever the server does beyond that ends the connection: bytes that nobody asked for, an answer that
    is longer than the limit, or one that is not HTTP.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, limits: Limits) -> None:
        self.transport: asyncio.Transport | None = None
        self._loop = loop
        self._owner = owner
        self._limits = limits
        self._parser = httptools.HttpResponseParser(self)
        # Answers written by hand end their lines as their author's editor did.
        self._parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._period = min(limits.total_seconds, limits.idle_seconds)
        self._opened = self._since = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._answered = 0
        self._clear()

    def _clear(self) -> None:
        self._status = 0
        self._raw: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._size = self._loose = 0
        self._bodiless = self._complete = self._kept = self._heard = False

    def ask(self, request: bytes, started: float, bodiless: bool = False) -> "asyncio.Future[Answer]":
        """Send a request that began at `started` (the loop's time); `bodiless` for HEAD.

        The result fails with BrokenOffError, and with TimeoutError when the time is over.
        """
        waiting = self._waiting = self._loop.create_future()
        self._since = started
        self._bodiless = bodiless
        if self.transport is None or self.transport.is_closing():
            self._fail(BrokenOffError("it hung up without an answer", self._answered > 0))
        else:
            self.transport.write(request)
        return waiting

    def give_up(self, waiting: "asyncio.Future[Answer]") -> None:
        """Nobody waits for this answer any more; if it is still to come, it ends the connection."""
        if self._waiting is waiting:
            self._end()

    def close(self) -> None:
        """End the connection in good order."""
        if self.transport is not None:
            self.transport.close()
        self._owner.forget(self)

    def _end(self) -> None:
        if self.transport is not None:
            self.transport.abort()
        self._owner.forget(self)

    # Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._timer = self._loop.call_later(self._period, self._look_at_the_clock)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting is not None:
            if exc is None and self._status and not self._is_framed():
                self._finish(keep=False)  # RFC 9112, section 6.3: the body went on until the end
            elif self._heard:
                self._fail(BrokenOffError("it hung up in the middle of its answer"))
            else:
                why = reason(exc) if isinstance(exc, OSError) else "it hung up without an answer"
                self._fail(BrokenOffError(why, self._answered > 0))
        self._owner.forget(self)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self._end()
            return
        self._heard = True
        self._loose += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._kept = False  # we asked for no other protocol; the 101 is an answer
        except httptools.HttpParserError:
            if not self._complete:
                self._fail(BrokenOffError("its answer is not HTTP"))
                return
            self._kept = False
        if self._complete:
            self._finish(self._kept)
        elif self._size >= self._limits.body:
            self._finish(keep=False)
        elif self._loose > _HEAD_BYTES:
            self._fail(BrokenOffError("the head of its answer is too large"))

    # Parser

    def on_message_begin(self) -> None:
        if self._complete:
            raise ValueError("nobody asked for a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._status:  # else a trailer
            self._raw.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            return
        if (
            self._loose > _HEAD_BYTES
            and sum(len(name) + len(value) for name, value in self._raw) > _HEAD_BYTES
        ):
            raise ValueError("the head is too large")
        self._status = status
        if self._bodiless:
            self._complete = True

    def on_body(self, body: bytes) -> None:
        self._loose = 0
        self._size += len(body)
        self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._status:
            self._complete = True
            self._kept = not self._bodiless and self._parser.should_keep_alive()
        else:
            self._raw.clear()  # 100 or 103; the answer follows

    # Ending

    def _finish(self, keep: bool) -> None:
        waiting, self._waiting = self._waiting, None
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._raw:
            # RFC 9110, section 5.5: bytes over 127 are opaque; Latin-1 keeps each of them.
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        now = self._loop.time()
        answer = Answer(self._status, headers, body[: self._limits.body], round((now - self._since) * 1000))
        self._clear()
        self._since = now
        self._answered += 1
        assert waiting is not None
        if not waiting.done():
            waiting.set_result(answer)
        if keep and now < self._opened + self._limits.oldest_seconds:
            self._owner.give_back(self)
        else:
            self.close()

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
        self._end()

    def _is_framed(self) -> bool:
        names = {name.lower(): value.lower() for name, value in self._raw}
        return b"content-length" in names or names.get(b"transfer-encoding", b"").endswith(b"chunked")

    def _look_at_the_clock(self) -> None:
        """One timer for a connection, not one for a request: it comes at least once in the shorter of the
        two limits, and then for the moment at which the present one ends."""
        now = self._loop.time()
        limits = self._limits
        end = self._since + (limits.idle_seconds if self._waiting is None else limits.total_seconds)
        if now < end:
            self._timer = self._loop.call_at(min(end, now + self._period), self._look_at_the_clock)
        elif self._waiting is None:
            self.close()
        else:
            self._fail(TimeoutError())
