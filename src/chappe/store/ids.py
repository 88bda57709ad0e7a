"""New names: growing ids that are unique over all nodes, sortable opaque refs, random secrets."""

import secrets
import threading
from datetime import UTC, datetime, timedelta

from chappe.services.ports import Clock

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
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
        # SQLite's writer thread asks for ids of ledger entries while the loop asks for those of messages.
        self._turn = threading.Lock()

    def new_id(self) -> int:
        """A number that grows; when 4096 were given in one millisecond the next ones borrow from the
        following milliseconds, and a clock set back does not make ids go back."""
        now = _milliseconds(self._clock.now())
        with self._turn:
            if now > self._last:
                self._last, self._counter = now, 0
            else:
                self._counter += 1
                if self._counter >> _COUNTER_BITS:
                    self._last, self._counter = self._last + 1, 0
            return (self._last << _NODE_BITS | self._node) << _COUNTER_BITS | self._counter

    def new_ref(self) -> str:
        """26 characters, sortable by time."""
        number = _milliseconds(self._clock.now()) << 80 | int.from_bytes(self.secret(10))
        return base32(number, 26)

    def secret(self, length: int) -> bytes:
        """Random bytes nobody can guess."""
        return secrets.token_bytes(length)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def base32(number: int, length: int) -> str:
    """A number in Crockford's base 32, lower case, of fixed length."""
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
