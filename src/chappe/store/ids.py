"""New names: growing ids that are unique over all nodes, sortable opaque refs, random secrets."""

import secrets
import threading
from datetime import UTC, datetime, timedelta

from chappe.services.ports import Clock

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_DIGIT_OF_BYTE = bytes(ord(_ALPHABET[byte & 31]) for byte in range(256))
_RANDOM_DIGITS = 16
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_NODE_BITS = 10
_COUNTER_BITS = 12
_LAST_OF_COUNTER = (1 << _COUNTER_BITS) - 1


class SortableIds:
    """Ids of 41 bits of milliseconds, 10 of node, 12 of counter; refs of 48 bits of milliseconds and 80
    random ones in base 32 (the layout of a ULID).

    `node` comes from a counter in the database, so every process that starts has another one.
    """

    def __init__(self, clock: Clock, node: int) -> None:
        self._clock = clock
        self._node = node % (1 << _NODE_BITS)
        self._last = 0
        self._random = ""
        self._second_of_ref, self._digits_of_second = -1, ""
        # SQLite's writer thread asks for ids of ledger entries while the loop asks for those of messages.
        self._turn = threading.Lock()

    def new_id(self) -> int:
        """A number that grows; when 4096 were given in one millisecond the next ones borrow from the
        following milliseconds, and a clock set back does not make ids go back."""
        with self._turn:
            return self._next((self._clock.now() - _EPOCH) // _MILLISECOND)

    def _next(self, now: int) -> int:
        first = (now << _NODE_BITS | self._node) << _COUNTER_BITS
        self._last += 1
        if first > self._last:
            self._last = first
        elif not self._last & _LAST_OF_COUNTER:  # it ran over, into the node
            self._last += ((1 << _NODE_BITS) - 1) << _COUNTER_BITS
        return self._last

    def new_ref(self) -> str:
        """26 characters, sortable by time."""
        return self._ref_at((self._clock.now() - _EPOCH) // _MILLISECOND)

    def _ref_at(self, now: int) -> str:
        if not self._random:
            # One call to the system for a hundred refs; five bits of each byte make a character.
            self._random = secrets.token_bytes(_RANDOM_DIGITS * 100).translate(_DIGIT_OF_BYTE).decode()
        random, self._random = self._random[:_RANDOM_DIGITS], self._random[_RANDOM_DIGITS:]
        if now >> 10 != self._second_of_ref:
            self._second_of_ref, self._digits_of_second = now >> 10, base32(now >> 10, 8)
        return self._digits_of_second + _PAIRS[now & 1023] + random

    def new_names(self, count: int) -> list[tuple[int, str]]:
        """An id and a ref for each of so many records that are made at one moment."""
        now = (self._clock.now() - _EPOCH) // _MILLISECOND
        digits, width = base32(now, 10), _RANDOM_DIGITS
        random = secrets.token_bytes(width * count).translate(_DIGIT_OF_BYTE).decode()
        with self._turn:
            return [
                (self._next(now), digits + random[at : at + width]) for at in range(0, width * count, width)
            ]

    def new_batch(self, count: int) -> tuple[int, list[tuple[int, str]]]:
        """The same, with an id for what joins them."""
        if count != 1:
            return self.new_id(), self.new_names(count)
        now = (self._clock.now() - _EPOCH) // _MILLISECOND
        with self._turn:
            return self._next(now), [(self._next(now), self._ref_at(now))]

    def secret(self, length: int) -> bytes:
        """Random bytes nobody can guess."""
        return secrets.token_bytes(length)


def first_id_of(moment: datetime) -> int:
    """No id made before a moment is as great as this one, none made after it is smaller."""
    return max(0, (moment - _EPOCH) // _MILLISECOND) << (_NODE_BITS + _COUNTER_BITS)


def base32(number: int, length: int) -> str:
    """A number in Crockford's base 32, lower case, of fixed length."""
    digits = []
    for _ in range(-(-length // 2)):
        digits.append(_PAIRS[number & 1023])
        number >>= 10
    digits.reverse()
    return "".join(digits)[-length:]
