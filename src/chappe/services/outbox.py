"""What becomes of queued messages: to their carrier in windows, and its answers, receipts and inbound
messages into the store, each told to nobody before it is committed."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from chappe.model.changes import Advance, Changes, Delete, Update
from chappe.model.errors import CarrierError, CarrierErrorKind
from chappe.model.messages import (
    FINAL_STATES,
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
from chappe.services.messages import give_back
from chappe.services.ports import MessageCarrier, Platform

_DEFAULT_PAUSE = 5.0
_LONGEST_PAUSE = 300.0

# When the segments of one message end differently, the worst word is the message's (our choice).
_WORST_FIRST = (
    MessageState.FAILED,
    MessageState.UNDELIVERED,
    MessageState.EXPIRED,
    MessageState.DELIVERED,
)


class Outbox:
    """The queue of one carrier in the process that owns its link, and the sink the carrier tells."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._in_flight: dict[int, Message] = {}
        # A receipt must find the ids that its message's answer brings: one at a time.
        self._turn = asyncio.Lock()

    async def step(self, carrier: MessageCarrier) -> int:
        """Hand over what fits the carrier's window; returns how many messages that were."""
        room = carrier.window - len(self._in_flight)
        if room <= 0:
            return 0
        now = self._platform.clock.now()
        due = await self._platform.store.queries.due_messages(carrier.name, now, room, list(self._in_flight))
        if not due:
            return 0
        self._in_flight.update((message.id, message) for message in due)
        try:
            await carrier.submit(due)
        except CarrierError as error:
            pause = error.retry_after or _DEFAULT_PAUSE
            kind = error.kind is CarrierErrorKind.PERMANENT
            await self.submitted(
                [
                    Submission(
                        message.id, fault=error.fault, code=error.code, retry_after=None if kind else pause
                    )
                    for message in due
                ]
            )
        return len(due)

    # --- the sink

    async def submitted(self, batch: Sequence[Submission]) -> None:
        """The carrier's answers; returns when they are durable."""
        async with self._turn:
            await self._submitted(batch)

    async def _submitted(self, batch: Sequence[Submission]) -> None:
        platform, now = self._platform, self._platform.clock.now()
        advance: list[Advance] = []
        update: list[Update] = []
        insert: list[object] = []
        after: list[tuple[Message, Submission]] = []
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
                )
                after.append((sent, submission))
                if len(submission.carrier_ids) > 1:
                    insert += [
                        Segment(platform.ids.new_id(), message.id, message.carrier, carrier_id)
                        for carrier_id in submission.carrier_ids
                    ]
            elif submission.retry_after is None:
                failed = replace(
                    message,
                    state=MessageState.FAILED,
                    finished_at=now,
                    fault=submission.fault,
                    carrier_code=submission.code,
                )
                after.append((failed, submission))
            else:
                pause = min(submission.retry_after * (1 + message.attempts), _LONGEST_PAUSE)
                update.append(
                    Update(
                        Message,
                        message.id,
                        message.account_id,
                        {
                            "due_at": now + timedelta(seconds=pause),
                            "attempts": message.attempts + 1,
                            "carrier_code": submission.code,
                        },
                    )
                )
        told = await subscriptions.notices_by_message(platform, [(message, now) for message, _ in after])
        for message, submission in after:
            failed_now = message.state is MessageState.FAILED
            advance.append(
                Advance(
                    message.id,
                    message.state,
                    now,
                    carrier_ids=None if failed_now else message.carrier_ids,
                    fault=submission.fault,
                    carrier_code=submission.code,
                    ledger=[give_back(message)] if failed_now else (),
                    enqueue=told.get(message.id, ()),
                )
            )
        await platform.store.commit(Changes(insert=insert, advance=advance, update=update))
        for submission in batch:
            self._in_flight.pop(submission.message_id, None)
        self._wake([message for message, _ in after], bool(told))
        await self._match_early([message for message, _ in after])

    async def receipts(self, batch: Sequence[Receipt]) -> None:
        """The network's words on the fate of messages; returns when they are durable. A word about a
        message that is not known yet is kept until its answer comes."""
        async with self._turn:
            await self._receipts(batch)

    async def _receipts(self, batch: Sequence[Receipt]) -> None:
        platform = self._platform
        by_carrier: dict[str, list[Receipt]] = defaultdict(list)
        for receipt in batch:
            by_carrier[receipt.carrier].append(receipt)
        for carrier, receipts in by_carrier.items():
            found = await platform.store.queries.messages_by_carrier_id(
                carrier, [receipt.carrier_id for receipt in receipts]
            )
            messages = dict(found)
            whole: dict[int, tuple[Message, Receipt]] = {}
            parts: list[tuple[Message, Receipt]] = []
            early: list[object] = []
            for receipt in receipts:
                message = messages.get(receipt.carrier_id)
                if message is None:
                    early.append(
                        EarlyReceipt(
                            platform.ids.new_id(),
                            carrier,
                            receipt.carrier_id,
                            receipt.state,
                            receipt.code,
                            receipt.at,
                        )
                    )
                elif receipt.state not in FINAL_STATES:
                    continue  # "en route": nothing to note until the final word
                elif " " in message.carrier_ids:
                    parts.append((message, receipt))
                else:
                    whole.setdefault(message.id, (message, receipt))
            marks, settled = await self._settle_segments(parts)
            await self._finish({**whole, **settled}, marks, early)

    async def _settle_segments(
        self, parts: Sequence[tuple[Message, Receipt]]
    ) -> tuple[list[Update], Mapping[int, tuple[Message, Receipt]]]:
        """Mark segments; a message ends when all of its segments have."""
        if not parts:
            return [], {}
        ids = sorted({message.id for message, _ in parts})
        segments: dict[int, list[Segment]] = defaultdict(list)
        for segment in await self._platform.store.queries.segments_of(ids):
            segments[segment.message_id].append(segment)
        marks: list[Update] = []
        settled: dict[int, tuple[Message, Receipt]] = {}
        for message, receipt in parts:
            states: list[MessageState | None] = []
            for position, segment in enumerate(segments[message.id]):
                if segment.carrier_id == receipt.carrier_id and segment.state is None:
                    marks.append(Update(Segment, segment.id, None, {"state": receipt.state}))
                    segment = replace(segment, state=receipt.state)
                    segments[message.id][position] = segment
                states.append(segment.state)
            if all(states):
                worst = next(state for state in _WORST_FIRST if state in states)
                settled[message.id] = (message, replace(receipt, state=worst))
        return marks, settled

    async def _finish(
        self,
        ended: Mapping[int, tuple[Message, Receipt]],
        marks: Sequence[Update],
        early: Sequence[object],
    ) -> None:
        platform, now = self._platform, self._platform.clock.now()
        finished = [
            replace(message, state=receipt.state, finished_at=now, carrier_code=receipt.code)
            for message, receipt in ended.values()
        ]
        told = await subscriptions.notices_by_message(platform, [(message, now) for message in finished])
        steps = [
            Advance(
                message.id,
                message.state,
                now,
                carrier_code=message.carrier_code,
                ledger=[give_back(message)] if message.state in GIVE_BACK_STATES else (),
                enqueue=told.get(message.id, ()),
            )
            for message in finished
        ]
        if steps or marks or early:
            await platform.store.commit(Changes(insert=early, update=marks, advance=steps))
        self._wake(finished, bool(told))

    async def _match_early(self, messages: Sequence[Message]) -> None:
        """Receipts that overtook the answers that named their messages."""
        ids = [one for message in messages if message.carrier_ids for one in message.carrier_ids.split()]
        if not ids:
            return
        found = await self._platform.store.queries.early_receipts(messages[0].carrier, ids)
        if found:
            await self._receipts(
                [Receipt(one.carrier, one.carrier_id, one.state, one.code, one.at) for one in found]
            )
            await self._platform.store.commit(
                Changes(delete=[Delete(EarlyReceipt, one.id, None) for one in found])
            )

    async def inbound(self, message: InboundMessage) -> None:
        """A message from a mobile; returns when it is durable."""
        await inbox.receive(self._platform, message)

    def _wake(self, messages: Sequence[Message], told: bool) -> None:
        for account_id in {message.account_id for message in messages}:
            self._platform.topics.publish(f"account.{account_id}")
        if told:
            self._platform.topics.publish("jobs")
