"""Receipts on their way to the platform: in which form their ids may be known there, and what is learnt."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from chappe.model.messages import MessageState, Receipt
from chappe.protocols.smpp.receipt_ids import IdRules
from chappe.protocols.smpp.receipts import Report, State
from chappe.services.ports import CarrierSink

# Words that are not the last ones, and UNKNOWN, have no entry: they are shown and change nothing.
_FATES: Mapping[State, MessageState] = {
    State.DELIVERED: MessageState.DELIVERED,
    State.EXPIRED: MessageState.EXPIRED,
    State.DELETED: MessageState.UNDELIVERED,
    State.UNDELIVERABLE: MessageState.UNDELIVERED,
    State.REJECTED: MessageState.UNDELIVERED,
}
_MOST_WAITING = 1000
_MOST_WORDS = 50


class Dated(NamedTuple):
    """A report and when it came, UTC."""

    report: Report
    at: datetime


class Reports:
    """The receipts of one carrier.

    While nobody knows yet in which form its receipts write ids, those that were not found are parked by the
    platform under the likeliest one, and offered again once another one is known to be right. `words` counts
    the state words as they were written.
    """

    def __init__(self, carrier: str, sink: CarrierSink, rules: IdRules) -> None:
        self.rules = rules
        self.words: dict[str, int] = {}
        self._carrier = carrier
        self._sink = sink
        self._unsettled: deque[tuple[Dated, str]] = deque(maxlen=_MOST_WAITING)

    async def keep(self, reports: Sequence[Dated]) -> None:
        """Hand receipts to the platform; returns when they are durable."""
        rules = self.rules
        receipts = [self._receipt(one) for one in reports]
        found = await self._sink.receipts(receipts)
        for one, receipt, form in zip(reports, receipts, found, strict=True):
            rules.found(one.report.ids, form)
            if form is None and one.report.ids:
                self._unsettled.append((one, receipt.carrier_id))
            word = one.report.word
            if word in self.words or len(self.words) < _MOST_WORDS:
                self.words[word] = self.words.get(word, 0) + 1
        if rules.rule and self._unsettled:
            waited = [(self._receipt(one), parked_as) for one, parked_as in self._unsettled]
            self._unsettled.clear()
            again = [receipt for receipt, parked_as in waited if receipt.carrier_id != parked_as]
            if again:
                await self._sink.receipts(again)

    def _receipt(self, one: Dated) -> Receipt:
        report = one.report
        first, *others = self.rules.forms(report.ids) or ("",)
        state = None if report.state is None else _FATES.get(report.state)
        return Receipt(self._carrier, first, state, report.error, one.at, report.word, tuple(others))
