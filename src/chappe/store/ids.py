"""New names: growing ids that are unique over all nodes, sortable opaque refs, random secrets."""

import secrets
import threading
from datetime import UTC, datetime

from chappe.services.ports import Clock

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_DIGIT_OF_BYTE = bytes(ord(_ALPHABET[byte & 31]) for byte in range(256))
_RANDOM_DIGITS = 16
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_NODE_BITS = 10
_COUNTER_BITS = 12


class SortableIds:
    """Ids of 41 bits of milliseconds, 10 of node, 12 of counter; refs of 48 bits of milliseconds and 80
    random ones in base 32 (the layout of a ULID).

    `node` comes from a counter in the database, so every process that starts has another one.
    """

    def __init__(self, clock: Clock, node: int) -> None:
        self._clock = clock
        self._node = node % (1 << _NODE_BITS)
        self._last = 0
        self._counter = 0
        self._random = ""
        self._time_of_ref, self._time_digits = -1, ""
        # SQLite's writer thread asks for ids of ledger entries while the loop asks for those of messages.
        self._turn = threading.Lock()

    def new_id(self) -> int:
        """A number that grows; when 4096 were given in one millisecond the next ones borrow from the
        following milliseconds, and a clock set back does not make ids go back."""
        now = _milliseconds(self._clock.now())
        with self._turn:
            return self._next(now)

    def _next(self, now: int) -> int:
        if now > self._last:
            self._last, self._counter = now, 0
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._last, self._counter = self._last + 1, 0
        return (self._last << _NODE_BITS | self._node) << _COUNTER_BITS | self._counter

    def new_ref(self) -> str:
        """26 characters, sortable by time."""
        if not self._random:
            # One call to the system for a hundred refs; five bits of each byte make a character.
            self._random = secrets.token_bytes(_RANDOM_DIGITS * 100).translate(_DIGIT_OF_BYTE).decode()
        random, self._random = self._random[:_RANDOM_DIGITS], self._random[_RANDOM_DIGITS:]
        now = _milliseconds(self._clock.now())
        if now != self._time_of_ref:
            self._time_of_ref, self._time_digits = now, base32(now, 10)
        return self._time_digits + random

    def new_names(self, count: int) -> list[tuple[int, str]]:
        """An id and a ref for each of so many records that are made at one moment."""
        if count == 1:
            return [(self.new_id(), self.new_ref())]
        now = _milliseconds(self._clock.now())
        digits, width = base32(now, 10), _RANDOM_DIGITS
        random = secrets.token_bytes(width * count).translate(_DIGIT_OF_BYTE).decode()
        with self._turn:
            return [
                (self._next(now), digits + random[at : at + width]) for at in range(0, width * count, width)
            ]

    def secret(self, length: int) -> bytes:
        """Random bytes nobody can guess."""
        return secrets.token_bytes(length)


def first_id_of(moment: datetime) -> int:
    """No id made before a moment is as great as this one, none made after it is smaller."""
    return max(0, _milliseconds(moment)) << (_NODE_BITS + _COUNTER_BITS)


def _milliseconds(at: datetime) -> int:
    passed = at - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1000 + passed.microseconds // 1000


def base32(number: int, length: int) -> str:
    """A number in Crockford's base 32, lower case, of fixed length."""
    digits = []
    for _ in range(-(-length // 2)):
        digits.append(_PAIRS[number & 1023])
        number >>= 10
    digits.reverse()
    return "".join(digits)[-length:]
