"""What this process remembers to judge messages quickly: senders of accounts, and who writes to neighbours.

Pumped traffic is a form on a customer's site that somebody makes send again and again, to numbers that lie
side by side and earn by every message. All numbers here are our choice (docs/our-choices.md).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chappe.model.errors import Refusal

WINDOW = timedelta(minutes=10)
"""How far back messages to neighbouring numbers are counted."""

PATIENCE = timedelta(seconds=15)
"""How long a message may go without a receipt before it counts as one that did not arrive."""

SUSPICIOUS = 30
"""So many messages to one block of numbers are looked at."""

ARRIVING = 10
"""One in so many must arrive, else the brake holds."""

_BLOCK = 3  # digits: numbers that differ only in them are neighbours
_LOOK_EVERY = timedelta(seconds=5)
_MOST_BLOCKS = 50_000
_MOST_ACCOUNTS = 10_000
_SENDERS_HOLD = timedelta(seconds=10)


@dataclass(slots=True)
class _Count:
    since: datetime
    messages: int
    look_at: datetime


@dataclass(slots=True)
class Guard:
    """The memory of one process; other nodes have their own, and what counts is asked of the database."""

    _blocks: dict[tuple[int, str], _Count] = field(default_factory=dict)
    _senders: dict[int, tuple[datetime, frozenset[str]]] = field(default_factory=dict)
    _held: dict[tuple[int, str], tuple[datetime, Refusal]] = field(default_factory=dict)

    def count(self, account_id: int, number: str, now: datetime) -> str:
        """Count a message; the block of its number where the store should be asked how that block fares,
        else an empty text."""
        block = number[:-_BLOCK]
        key = (account_id, block)
        count = self._blocks.get(key)
        if count is None or now - count.since > WINDOW:
            self._keep(key, _Count(now, 1, now + PATIENCE))  # before that there is nothing to judge
            return ""
        count.messages += 1
        if count.messages <= SUSPICIOUS or now < count.look_at:
            return ""
        return block

    def fares_well(self, account_id: int, block: str, now: datetime) -> None:
        """Its messages arrive, or are too young to tell, or the store is being asked: look again in a
        moment."""
        self._blocks[account_id, block].look_at = now + _LOOK_EVERY
        self._held.pop((account_id, block), None)

    def hold(self, account_id: int, block: str, refusal: Refusal, now: datetime) -> None:
        """The brake holds: whoever writes there is told this until it is looked at again."""
        self._blocks[account_id, block].look_at = now
        self._held[account_id, block] = (now + _LOOK_EVERY, refusal)

    def held(self, account_id: int, block: str, now: datetime) -> Refusal | None:
        """Why the brake holds, where it was looked at a moment ago."""
        until, refusal = self._held.get((account_id, block), (now, None))
        return refusal if now < until else None

    def _keep(self, key: tuple[int, str], count: _Count) -> None:
        if len(self._blocks) >= _MOST_BLOCKS:
            now = count.since
            self._blocks = {one: kept for one, kept in self._blocks.items() if now - kept.since <= WINDOW}
            self._held = {one: why for one, why in self._held.items() if one in self._blocks}
            if len(self._blocks) >= _MOST_BLOCKS:
                self._held.clear()
                self._blocks.clear()  # forgetting errs on the side of the customer
        self._blocks[key] = count

    def senders(self, account_id: int, now: datetime) -> frozenset[str] | None:
        """The senders that an account may show, as they were a moment ago; None: ask the store."""
        known = self._senders.get(account_id)
        return known[1] if known is not None and now < known[0] else None

    def keep_senders(self, account_id: int, senders: frozenset[str], now: datetime) -> None:
        """Remember them for ten seconds."""
        if len(self._senders) >= _MOST_ACCOUNTS:
            self._senders.clear()
        self._senders[account_id] = (now + _SENDERS_HOLD, senders)

    def forget_senders(self, account_id: int) -> None:
        """They have changed."""
        self._senders.pop(account_id, None)
