"""What becomes of queued messages: to their carrier in windows, and its answers, receipts and inbound
messages into the store, each told to nobody before it is committed."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chappe.model.changes import Advance, Changes, Delete, Update
from chappe.model.errors import CarrierError, CarrierErrorKind
from chappe.model.messages import (
    GIVE_BACK_STATES,
    EarlyReceipt,
    InboundMessage,
    Message,
    MessageState,
    Receipt,
    Segment,
    Submission,
)
from chappe.services import inbox, subscriptions
from chappe.services.leases import Held
from chappe.services.messages import give_back
from chappe.services.ports import MessageCarrier, Platform

_DEFAULT_PAUSE = 5.0
_LONGEST_PAUSE = 300.0

# The last words of receipts. After acceptance a failure is an undelivered message: `failed` may not
# follow `sent`.
_FATES = {
    MessageState.DELIVERED: MessageState.DELIVERED,
    MessageState.UNDELIVERED: MessageState.UNDELIVERED,
    MessageState.EXPIRED: MessageState.EXPIRED,
    MessageState.FAILED: MessageState.UNDELIVERED,
}

# When the segments of one message end differently, the worst word is the message's (our choice).
_WORST_FIRST = (MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.DELIVERED)


class Outbox:
    """The queue of one carrier in the process that owns its link, and the sink the carrier tells.

    Every write names the lease's fence: a node that was frozen writes nothing when it wakes up after
    another one has taken over.
    """

    def __init__(self, platform: Platform, lease: Held | None = None) -> None:
        self._platform = platform
        self._lease = lease or Held("carrier")
        self._in_flight: dict[int, Message] = {}
        # A receipt must find the ids that its message's answer brings: one at a time.
        self._turn = asyncio.Lock()

    async def step(self, carrier: MessageCarrier) -> int:
        """Hand over what fits the carrier's window; returns how many messages that were."""
        room = carrier.window - len(self._in_flight)
        if room <= 0 or not self.holds():
            return 0
        now = self._platform.clock.now()
        queued = await self._platform.store.queries.due_messages(
            carrier.name, now, room, list(self._in_flight)
        )
        # Where validity has ended before the carrier came back, the clockwork ends the message.
        due = [message for message in queued if message.expires_at is None or message.expires_at > now]
        if not due or not self.holds():
            return 0
        self._in_flight.update((message.id, message) for message in due)
        try:
            await carrier.submit(due)
        except CarrierError as error:
            pause = error.retry_after or _DEFAULT_PAUSE
            again = None if error.kind is CarrierErrorKind.PERMANENT else pause
            await self.submitted(
                [
                    Submission(message.id, fault=error.fault, code=error.code, retry_after=again)
                    for message in due
                ]
            )
        except BaseException:
            # A defect: the messages are still queued, and must not be held back for ever.
            self._land(message.id for message in due)
            raise
        return len(due)

    def begin(self) -> None:
        """The carrier is worked anew: what was in flight when it was worked last is queued in the store."""
        self._in_flight.clear()

    # --- the sink

    def holds(self) -> bool:
        """See services/ports.py."""
        return self._lease.holds()

    async def submitted(self, batch: Sequence[Submission]) -> None:
        """The carrier's answers; returns when they are durable."""
        async with self._turn:
            try:
                await self._submitted(batch)
            finally:
                # Also where it could not be written: then they are offered to the carrier again.
                self._land(submission.message_id for submission in batch)

    async def _submitted(self, batch: Sequence[Submission]) -> None:
        platform, now = self._platform, self._platform.clock.now()
        early = await self._early(batch)
        # The first word counts, as it does where none is early.
        said = {one.carrier_id: _FATES[one.state] for one in reversed(early)}
        codes = {one.carrier_id: one.code for one in early}
        insert: list[object] = []
        update: list[Update] = []
        happened: list[Message] = []
        for submission in batch:
            message = self._in_flight.get(submission.message_id)
            if message is None:
                continue
            if submission.fault is None:
                sent = replace(
                    message,
                    state=MessageState.SENT,
                    sent_at=now,
                    carrier_ids=" ".join(submission.carrier_ids),
                    carrier_code="",
                )
                happened.append(sent)
                fates = [said.get(carrier_id) for carrier_id in submission.carrier_ids]
                if len(fates) > 1:
                    insert += [
                        Segment(platform.ids.new_id(), message.id, message.carrier, carrier_id, fate)
                        for carrier_id, fate in zip(submission.carrier_ids, fates, strict=True)
                    ]
                heard = [fate for fate in fates if fate is not None]
                if heard and len(heard) == len(fates):
                    code = codes[submission.carrier_ids[-1]]
                    happened.append(_ended(sent, _worst(heard), code, now))
            elif submission.retry_after is None:
                happened.append(
                    replace(
                        message,
                        state=MessageState.FAILED,
                        finished_at=now,
                        fault=submission.fault,
                        carrier_code=submission.code,
                    )
                )
            else:
                pause = min(submission.retry_after * (1 + message.attempts), _LONGEST_PAUSE)
                later = {
                    "due_at": now + timedelta(seconds=pause),
                    "attempts": message.attempts + 1,
                    "carrier_code": submission.code,
                }
                update.append(Update(Message, message.id, message.account_id, later))
        steps = await self._steps(happened)
        done = await platform.store.commit(
            Changes(insert=insert, advance=steps, update=update, fence=self._lease.fence)
        )
        self._count(message for message in happened if message.id in done.advanced)
        for one in early:
            # Of no use any more; one that stays by accident goes with its retention.
            platform.store.later(Changes(delete=[Delete(EarlyReceipt, one.id, None)]))
        self._wake(steps, happened)

    async def _early(self, batch: Sequence[Submission]) -> list[EarlyReceipt]:
        """The receipts that overtook these answers, in the order they came."""
        ids: dict[str, list[str]] = defaultdict(list)
        for submission in batch:
            message = self._in_flight.get(submission.message_id)
            if message is not None and submission.carrier_ids:
                ids[message.carrier] += submission.carrier_ids
        found: list[EarlyReceipt] = []
        for carrier, carrier_ids in ids.items():
            found += await self._platform.store.queries.early_receipts(carrier, carrier_ids)
        return sorted(found, key=lambda one: one.id)

    async def _steps(self, happened: Sequence[Message]) -> list[Advance]:
        """The guarded steps to the states that messages came to now, each with who is told and what is
        given back."""
        now = self._platform.clock.now()
        told = dict(
            await subscriptions.notices_by_message(self._platform, [(message, now) for message in happened])
        )
        return [
            Advance(
                message.id,
                message.state,
                now,
                carrier_ids=message.carrier_ids or None,
                fault=message.fault,
                carrier_code=message.carrier_code,
                ledger=[give_back(message)] if message.state in GIVE_BACK_STATES else (),
                # With the first of a message's steps: where that is held back, the next one is as well.
                enqueue=told.pop(message.id, ()),
            )
            for message in happened
        ]

    async def receipts(self, batch: Sequence[Receipt]) -> Sequence[str | None]:
        """The network's words on the fate of messages; returns when they are durable. A word about a
        message that is not known yet is kept until its answer comes."""
        async with self._turn:
            return await self._receipts(batch)

    async def _receipts(self, batch: Sequence[Receipt]) -> Sequence[str | None]:
        platform, now = self._platform, self._platform.clock.now()
        by_carrier: dict[str, list[int]] = defaultdict(list)
        for position, receipt in enumerate(batch):
            by_carrier[receipt.carrier].append(position)
        matched: list[str | None] = [None] * len(batch)
        for carrier, positions in by_carrier.items():
            messages = await self._find(carrier, [batch[position] for position in positions])
            ended: dict[int, Message] = {}
            parts: list[tuple[Message, Receipt]] = []
            notes: dict[int, Update] = {}
            early: list[object] = []
            for position in positions:
                receipt = batch[position]
                known = next((i for i in (receipt.carrier_id, *receipt.other_ids) if i in messages), None)
                fate = None if receipt.state is None else _FATES.get(receipt.state)
                matched[position] = known
                if known is None:
                    if fate is not None:
                        early.append(_parked(platform.ids.new_id(), receipt, fate))
                    continue
                message = messages[known]
                if fate is None:
                    # "en route", or a word that nobody knows: shown, and nothing else.
                    word = {"carrier_code": receipt.word or receipt.code}
                    notes[message.id] = Update(Message, message.id, message.account_id, word)
                elif " " in message.carrier_ids:
                    parts.append((message, replace(receipt, carrier_id=known)))
                else:
                    ended.setdefault(message.id, _ended(message, fate, receipt.code, now))
            marks = await self._settle_segments(parts, ended)
            marks += [note for message_id, note in notes.items() if message_id not in ended]
            steps = await self._steps(list(ended.values()))
            if steps or marks or early:
                done = await platform.store.commit(
                    Changes(insert=early, update=marks, advance=steps, fence=self._lease.fence)
                )
                self._count(message for message in ended.values() if message.id in done.advanced)
                platform.metrics.parked += len(early)
            self._wake(steps, list(ended.values()))
        return matched

    async def _find(self, carrier: str, receipts: Sequence[Receipt]) -> dict[str, Message]:
        """The messages of receipts by the ids they are known under; other forms of an id are looked up
        only where its first one is unknown."""
        ask = self._platform.store.queries.messages_by_carrier_id
        found = dict(await ask(carrier, [receipt.carrier_id for receipt in receipts]))
        others = [
            other for receipt in receipts if receipt.carrier_id not in found for other in receipt.other_ids
        ]
        if others:
            found.update(await ask(carrier, others))
        return found

    async def _settle_segments(
        self, parts: Sequence[tuple[Message, Receipt]], ended: dict[int, Message]
    ) -> list[Update]:
        """Mark segments; a message ends when all of its segments have."""
        if not parts:
            return []
        now = self._platform.clock.now()
        segments: dict[int, list[Segment]] = defaultdict(list)
        for segment in await self._platform.store.queries.segments_of(
            sorted({message.id for message, _ in parts})
        ):
            segments[segment.message_id].append(segment)
        marks: list[Update] = []
        for message, receipt in parts:
            assert receipt.state is not None  # sorted out by the caller
            fate = _FATES[receipt.state]
            states: list[MessageState] = []
            for position, segment in enumerate(segments[message.id]):
                if segment.carrier_id == receipt.carrier_id and segment.state is None:
                    marks.append(Update(Segment, segment.id, None, {"state": fate}))
                    segment = replace(segment, state=fate)
                    segments[message.id][position] = segment
                if segment.state is not None:
                    states.append(segment.state)
            if len(states) == len(segments[message.id]):
                ended.setdefault(message.id, _ended(message, _worst(states), receipt.code, now))
        return marks

    async def inbound(self, message: InboundMessage) -> None:
        """A message from a mobile; returns when it is durable."""
        await inbox.receive(self._platform, message, self._lease.fence)
        self._platform.metrics.received += 1

    def _count(self, happened: Iterable[Message]) -> None:
        metrics, now = self._platform.metrics, self._platform.clock.now()
        for message in happened:
            if message.state is MessageState.SENT:
                metrics.submitted += 1
                metrics.submission.observe((now - message.due_at).total_seconds())
            elif message.state is MessageState.DELIVERED:
                metrics.delivered += 1
            else:
                metrics.failed += 1

    def _land(self, message_ids: Iterable[int]) -> None:
        """Hold these messages back no longer."""
        for message_id in message_ids:
            self._in_flight.pop(message_id, None)

    def _wake(self, steps: Sequence[Advance], messages: Sequence[Message]) -> None:
        for account_id in {message.account_id for message in messages}:
            self._platform.topics.publish(f"account.{account_id}")
        if any(step.enqueue for step in steps):
            self._platform.topics.publish("jobs")


def _parked(new_id: int, receipt: Receipt, fate: MessageState) -> EarlyReceipt:
    tried = ", ".join(dict.fromkeys((receipt.carrier_id, *receipt.other_ids)))
    return EarlyReceipt(
        new_id,
        receipt.carrier,
        receipt.carrier_id,
        fate,
        receipt.code,
        receipt.at,
        receipt.word,
        f"no message of {receipt.carrier} has the id {tried}",
    )


def _ended(message: Message, fate: MessageState, code: str, now: datetime) -> Message:
    return replace(message, state=fate, finished_at=now, carrier_code=code)


def _worst(states: Collection[MessageState]) -> MessageState:
    return next(state for state in _WORST_FIRST if state in states)
