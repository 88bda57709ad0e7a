"""Which message a network's receipt speaks of: those of the last minutes are known in memory, by every id
that the network gave their segments."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from chappe.model.messages import EarlyReceipt, Message, MessageState, Receipt

_MOST_TRACKED = 10_000
_MOST_EARLY = 10_000

# The last words of receipts. After acceptance a failure is an undelivered message: `failed` may not
# follow `sent`.
FATES = {
    MessageState.DELIVERED: MessageState.DELIVERED,
    MessageState.UNDELIVERED: MessageState.UNDELIVERED,
    MessageState.EXPIRED: MessageState.EXPIRED,
    MessageState.FAILED: MessageState.UNDELIVERED,
}

# When the segments of one message end differently, the worst word is the message's (our choice).
_WORST_FIRST = (MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.DELIVERED)


def worst(fates: Collection[MessageState]) -> MessageState:
    """The fate of a message of several segments."""
    return next(fate for fate in _WORST_FIRST if fate in fates)


@dataclass(slots=True)
class Tracked:
    """A submitted message: the ids of its segments, what their receipts said, and the ids of its Segment
    records where it has several."""

    message: Message
    carrier_ids: tuple[str, ...]
    fates: list[MessageState | None]
    segment_ids: tuple[int, ...] = ()

    def mark(self, carrier_id: str, fate: MessageState) -> int | None:
        """A receipt for one segment came; returns the segment's position where that is news."""
        for position, known in enumerate(self.carrier_ids):
            if known == carrier_id and self.fates[position] is None:
                self.fates[position] = fate
                return position
        return None

    @property
    def fate(self) -> MessageState | None:
        """What became of the whole message, once all its segments have ended."""
        heard = [fate for fate in self.fates if fate is not None]
        return worst(heard) if len(heard) == len(self.fates) else None


class Tracker:
    """The messages of one carrier that wait for receipts, the newest ten thousand ids of them; and the
    receipts that came before their message's answer."""

    def __init__(self) -> None:
        self._by_id: dict[str, Tracked] = {}
        self._early: dict[str, list[EarlyReceipt]] = {}

    def add(self, tracked: Tracked) -> None:
        """A message was submitted."""
        for carrier_id in tracked.carrier_ids:
            self._by_id[carrier_id] = tracked
        while len(self._by_id) > _MOST_TRACKED:
            del self._by_id[next(iter(self._by_id))]

    def find(self, receipt: Receipt) -> tuple[str, Tracked] | None:
        """The message a receipt speaks of, and the form of its id under which it is known."""
        tracked = self._by_id.get(receipt.carrier_id)
        if tracked is not None:
            return receipt.carrier_id, tracked
        for other in receipt.other_ids:
            tracked = self._by_id.get(other)
            if tracked is not None:
                return other, tracked
        return None

    def forget(self, tracked: Tracked) -> None:
        """A message has ended; a later word about it is a duplicate."""
        for carrier_id in tracked.carrier_ids:
            if self._by_id.get(carrier_id) is tracked:
                del self._by_id[carrier_id]

    def park(self, early: EarlyReceipt, forms: Iterable[str]) -> None:
        """Keep a receipt for the answer that may still come."""
        for form in forms:
            self._early.setdefault(form, []).append(early)
        while len(self._early) > _MOST_EARLY:
            del self._early[next(iter(self._early))]

    def early(self, carrier_ids: Sequence[str]) -> dict[str, list[EarlyReceipt]]:
        """The receipts that overtook these ids' answer, in the order they came; forgotten by this."""
        if not self._early:
            return {}
        return {one: self._early.pop(one) for one in carrier_ids if one in self._early}
