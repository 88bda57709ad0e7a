"""What becomes of queued messages: to their carrier in windows, and its answers, receipts and inbound
messages into the store, each told to nobody before it is committed."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from chappe.model.changes import Advance, Changes, Delete, Update
from chappe.model.errors import CarrierError, CarrierErrorKind, Unavailable
from chappe.model.messages import (
    GIVE_BACK_STATES,
    EarlyReceipt,
    InboundMessage,
    Message,
    MessageState,
    Receipt,
    Segment,
    Submission,
    stepped,
)
from chappe.services import inbox, subscriptions
from chappe.services.handover import Halt
from chappe.services.leases import Held
from chappe.services.messages import give_back
from chappe.services.ports import MessageCarrier, Platform
from chappe.services.receipts import FATES, Tracked, Tracker, worst

T = TypeVar("T")

_DEFAULT_PAUSE = 5.0
_LONGEST_PAUSE = 300.0
_READY_WINDOWS = 4
_LEAST_READY = 1_000
"""So many messages, or windows, wait in memory; the rest of a backlog stays on disk."""

_log = structlog.get_logger()


class Outbox:
    """The queue of one carrier in the process that owns its link, and the sink the carrier tells.

    Every write names the lease's fence: a node that was frozen writes nothing when it wakes up after
    another one has taken over.
    """

    def __init__(self, platform: Platform, lease: Held | None = None) -> None:
        self._platform = platform
        self._lease = lease or Held("carrier")
        self._carrier: MessageCarrier | None = None
        self._ready: deque[Message] = deque()
        self._in_flight: dict[int, Message] = {}
        # What is in memory must not be read from the disk a second time, nor what left while it was read.
        self._known: set[int] = set()
        self._left: set[int] | None = None
        self._behind = True  # there may be queued messages on the disk that are not in memory
        self._trackers: defaultdict[str, Tracker] = defaultdict(Tracker)
        self._parked_read: set[str] = set()
        self._pushing: asyncio.Task[None] | None = None
        self._halted = 0  # how many halt it at this moment
        self._halts = 0  # how many ever did

    # --- to the carrier

    def begin(self, carrier: MessageCarrier) -> None:
        """The carrier is worked anew: what was in flight when it was worked last is queued in the store.
        From now on messages may be offered, to be handed to it at once."""
        self._carrier = carrier
        self._ready.clear()
        self._in_flight.clear()
        self._known.clear()
        self._behind = True
        self._trackers.clear()
        self._parked_read.clear()
        self._platform.handover.connect_outbox(carrier.name, self.offer, self.halt)

    def end(self) -> None:
        """The carrier is worked by this process no more."""
        if self._carrier is not None:
            self._platform.handover.disconnect_outbox(self._carrier.name)
            self._carrier = None

    @contextmanager
    def halt(self) -> Iterator[Halt]:
        """Nothing is handed over meanwhile; then what waits in memory is read from the disk anew, for it may
        be another carrier's by then."""
        self._halted += 1
        self._halts += 1
        try:
            yield Halt(frozenset(self._in_flight), self._lease.fence)
        finally:
            self._halted -= 1
            self._known.difference_update(message.id for message in self._ready)
            self._ready.clear()
            self._behind = True
            self._look_for_more()

    def holds(self) -> bool:
        """See services/ports.py."""
        return self._lease.holds()

    def offer(self, messages: Sequence[Message]) -> None:
        """Queued messages that were committed just now. What finds no room is read from the disk later."""
        carrier = self._carrier
        if carrier is None:
            return
        room = max(_LEAST_READY, _READY_WINDOWS * carrier.window) - len(self._ready)
        taken = messages
        if len(messages) > room:
            taken, self._behind = messages[: max(0, room)], True
        for message in taken:
            if message.id not in self._known:
                self._known.add(message.id)
                self._ready.append(message)
        self._push_soon()

    def _push_soon(self) -> None:
        if self._pushing is None and self._carrier is not None:
            self._pushing = asyncio.create_task(self._push_all(self._carrier))

    async def _push_all(self, carrier: MessageCarrier) -> None:
        try:
            while self._ready and await self._push(carrier):
                pass
        except Exception:  # noqa: BLE001 - one of the four outer loops
            _log.exception("messages could not be handed over", carrier=carrier.name)
        finally:
            self._pushing = None
        self._look_for_more()

    def _look_for_more(self) -> None:
        """Have the disk read where memory is empty and something is left there."""
        if self._behind and not self._ready and self._carrier is not None:
            self._platform.topics.publish(f"carrier.{self._carrier.name}")

    async def step(self, carrier: MessageCarrier) -> int:
        """Hand over what fits the carrier's window, from memory or else from the disk; returns how many
        messages that were."""
        if not self._ready and carrier.window > len(self._in_flight) and self._lease.holds():
            await self._refill(carrier)
        return await self._push(carrier)

    async def _refill(self, carrier: MessageCarrier) -> None:
        room = carrier.window - len(self._in_flight)
        if self._left is not None or self._halted:
            return  # it is being read, or changed
        left: set[int] = set()
        halts = self._halts
        self._left, self._behind = left, False
        try:
            queued = await self._platform.store.queries.due_messages(
                carrier.name, self._platform.clock.now(), room, list(self._known)
            )
        finally:
            self._left = None
        if halts != self._halts:
            self._behind = True
            return  # it may have been changed since
        if len(queued) >= room:
            self._behind = True
        for message in queued:
            if message.id not in self._known and message.id not in left:
                self._known.add(message.id)
                self._ready.append(message)

    async def _push(self, carrier: MessageCarrier) -> int:
        """Hand over what is in memory and fits the window."""
        room = carrier.window - len(self._in_flight)
        if room <= 0 or not self._ready or self._halted or not self._lease.holds():
            return 0
        batch, now = self._take(room), self._platform.clock.now()
        # Where validity has ended before the carrier came back, the clockwork ends the message.
        due = [message for message in batch if message.expires_at is None or message.expires_at > now]
        if len(due) < len(batch):
            self._land(message.id for message in batch if message not in due)
        if not due:
            return 0
        self._in_flight.update((message.id, message) for message in due)
        try:
            if carrier.waits_after_crash:
                due = await self._marked_sending(due, now)
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

    def _take(self, room: int) -> list[Message]:
        if room >= len(self._ready):
            batch = list(self._ready)
            self._ready.clear()
            return batch
        return [self._ready.popleft() for _ in range(room)]

    async def _marked_sending(self, due: Sequence[Message], now: datetime) -> list[Message]:
        """Those that nobody ended meanwhile, marked before the first byte leaves."""
        steps = [Advance(message.id, MessageState.SENDING, now) for message in due]
        changes = Changes(advance=steps, fence=self._lease.fence)
        done = await self._insist(lambda: self._platform.store.commit(changes))
        self._land(message.id for message in due if message.id not in done.advanced)
        return [message for message in due if message.id in done.advanced]

    def _land(self, message_ids: Iterable[int]) -> None:
        """Hold these messages back no longer."""
        for message_id in message_ids:
            self._in_flight.pop(message_id, None)
            self._known.discard(message_id)
            if self._left is not None:
                self._left.add(message_id)
        if self._ready:
            self._push_soon()
        else:
            self._look_for_more()

    # --- the sink

    async def submitted(self, batch: Sequence[Submission]) -> None:
        """The carrier's answers; returns when they are durable."""
        try:
            await self._submitted(batch)
        finally:
            # Also where it could not be written: then they are offered to the carrier again.
            lost = [m for one in batch if one.unknown and (m := self._in_flight.get(one.message_id))]
            self._land(submission.message_id for submission in batch)
        if lost and self._sends_again:
            now = self._platform.clock.now()
            self.offer([message._replace(sending_at=message.sending_at or now) for message in lost])

    @property
    def _sends_again(self) -> bool:
        """Whether a message of which nobody knows whether its network has it is sent again."""
        return self._carrier is not None and not self._carrier.waits_after_crash

    async def _submitted(self, batch: Sequence[Submission]) -> None:
        platform, now = self._platform, self._platform.clock.now()
        carriers = {m.carrier for s in batch if (m := self._in_flight.get(s.message_id))}
        await self._insist(lambda: self._read_parked(carriers))
        insert: list[object] = []
        update: list[Update] = []
        back: list[Advance] = []  # marked as sending before, and still to be sent
        early: list[EarlyReceipt] = []
        happened: list[Message] = []
        for submission in batch:
            message = self._in_flight.get(submission.message_id)
            if message is None:
                continue
            if submission.unknown:
                if self._sends_again and message.sending_at is None:
                    # It stays with this carrier: another one might send it a second time.
                    tried = {"sending_at": now}
                    update.append(Update(Message, message.id, message.account_id, tried))
                continue
            if submission.fault is None:
                sent = _sent(message, submission.carrier_ids, now)
                happened.append(sent)
                tracker = self._trackers[message.carrier]
                tracked = Tracked(sent, submission.carrier_ids, [None] * len(submission.carrier_ids))
                said = tracker.early(submission.carrier_ids)
                for carrier_id, words in said.items():
                    tracked.mark(carrier_id, FATES[words[0].state])  # the first word counts
                    early += words
                if len(tracked.carrier_ids) > 1:
                    segments = [
                        Segment(platform.ids.new_id(), message.id, message.carrier, carrier_id, fate)
                        for carrier_id, fate in zip(tracked.carrier_ids, tracked.fates, strict=True)
                    ]
                    tracked.segment_ids = tuple(segment.id for segment in segments)
                    insert += segments
                if tracked.fate is None:
                    tracker.add(tracked)
                else:
                    last = said[tracked.carrier_ids[-1]][0]
                    happened.append(stepped(sent, tracked.fate, now, carrier_code=last.code))
            elif submission.retry_after is None:
                happened.append(
                    stepped(
                        message,
                        MessageState.FAILED,
                        now,
                        fault=submission.fault,
                        carrier_code=submission.code,
                    )
                )
            else:
                update.append(_again(message, submission, submission.retry_after, now))
                if self._carrier is not None and self._carrier.waits_after_crash:
                    back.append(Advance(message.id, MessageState.QUEUED, now))
        await self._write(happened, insert=insert, update=update, back=back)
        for one in early:
            # Of no use any more; one that stays by accident goes with its retention.
            platform.store.later(Changes(delete=[Delete(EarlyReceipt, one.id, None)]))

    async def _read_parked(self, carriers: Iterable[str]) -> None:
        """Once for each carrier: the receipts without a message that an earlier process kept."""
        for carrier in carriers:
            if carrier not in self._parked_read:
                parked = await self._platform.store.queries.parked_with(carrier, 1_000)
                self._parked_read.add(carrier)
                for one in parked:
                    self._trackers[carrier].park(one, [one.carrier_id])

    async def _write(
        self,
        happened: Sequence[Message],
        insert: Sequence[object] = (),
        update: Sequence[Update] = (),
        back: Sequence[Advance] = (),
    ) -> None:
        """Commit the states that messages came to now, each with who is told and what is given back, and hand
        the notices to the queue of this process where it has room."""
        platform, now = self._platform, self._platform.clock.now()
        if not (happened or insert or update):
            return
        notices = await self._insist(lambda: subscriptions.notices_to_hand_over(platform, happened))
        steps = [
            Advance(
                message.id,
                message.state,
                now,
                carrier_ids=message.carrier_ids if message.state is MessageState.SENT else None,
                fault=message.fault,
                carrier_code=message.carrier_code,
                ledger=[give_back(message)] if message.state in GIVE_BACK_STATES else (),
                enqueue=notices.jobs.get((message.id, message.state), ()),
            )
            for message in happened
        ]
        steps += back
        changes = Changes(insert=insert, update=update, advance=steps, fence=self._lease.fence)
        try:
            done = await self._insist(lambda: platform.store.commit(changes))
        except BaseException:
            notices.release()
            raise
        notices.run(done)
        self._count(happened, done.advanced)
        for account_id in {message.account_id for message in happened}:
            platform.topics.publish(f"account.{account_id}")

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the store again and again while it cannot answer: an answer of the network that is dropped
        sends its message a second time. The window bounds what waits meanwhile."""
        while True:
            try:
                return await ask()
            except Unavailable as trouble:
                if not self._lease.holds():
                    raise
                _log.warning("what a network told waits", reason=trouble.detail)
                await asyncio.sleep(trouble.retry_after)

    async def receipts(self, batch: Sequence[Receipt]) -> Sequence[str | None]:
        """The network's words on the fate of messages; returns when they are durable. A word about a
        message that is not known yet is kept until its answer comes."""
        now = self._platform.clock.now()
        matched: list[str | None] = [None] * len(batch)
        unknown: list[int] = []
        happened: list[Message] = []
        update: list[Update] = []
        for position, receipt in enumerate(batch):
            tracker = self._trackers[receipt.carrier]
            found = tracker.find(receipt)
            if found is None:
                unknown.append(position)
                continue
            matched[position], tracked = found
            fate = FATES.get(receipt.state) if receipt.state is not None else None
            if fate is None:
                update.append(_noted(tracked.message, receipt))
                continue
            segment = tracked.mark(found[0], fate)
            if segment is None:
                continue
            if tracked.segment_ids:
                update.append(Update(Segment, tracked.segment_ids[segment], None, {"state": fate}))
            if tracked.fate is not None:
                tracker.forget(tracked)
                happened.append(stepped(tracked.message, tracked.fate, now, carrier_code=receipt.code))
        if unknown:
            await self._receipts_of_old([batch[position] for position in unknown], unknown, matched)
        await self._write(happened, update=update)
        return matched

    async def _receipts_of_old(
        self, batch: Sequence[Receipt], positions: Sequence[int], matched: list[str | None]
    ) -> None:
        """Receipts of messages that are not in memory; those of no message at all are parked."""
        now = self._platform.clock.now()
        ended: dict[int, Message] = {}
        parts: list[tuple[Message, Receipt]] = []
        notes: dict[int, Update] = {}
        early: list[object] = []
        messages = await self._insist(lambda: self._find(batch))
        for position, receipt in zip(positions, batch, strict=True):
            forms = (receipt.carrier_id, *receipt.other_ids)
            # Its answer may have come while the disk was asked.
            late = self._trackers[receipt.carrier].find(receipt)
            if late is not None:
                known: str | None = late[0]
                message: Message | None = late[1].message
            else:
                known = next((form for form in forms if (receipt.carrier, form) in messages), None)
                message = None if known is None else messages[receipt.carrier, known]
            matched[position] = known
            fate = FATES.get(receipt.state) if receipt.state is not None else None
            if message is None or known is None:
                if fate is not None:
                    parked = _parked(self._platform.ids.new_id(), receipt, fate)
                    self._trackers[receipt.carrier].park(parked, forms)
                    early.append(parked)
            elif fate is None:
                notes[message.id] = _noted(message, receipt)
            elif " " in message.carrier_ids:
                parts.append((message, replace(receipt, carrier_id=known)))
            else:
                ended.setdefault(message.id, stepped(message, fate, now, carrier_code=receipt.code))
        marks = await self._settle_segments(parts, ended)
        marks += [note for message_id, note in notes.items() if message_id not in ended]
        self._platform.metrics.parked += len(early)
        await self._write(list(ended.values()), insert=early, update=marks)

    async def _find(self, receipts: Sequence[Receipt]) -> dict[tuple[str, str], Message]:
        """The messages of receipts by carrier and the id they are known under; other forms of an id are
        looked up only where its first one is unknown."""
        ask = self._platform.store.queries.messages_by_carrier_id
        found: dict[tuple[str, str], Message] = {}
        for carrier in {receipt.carrier for receipt in receipts}:
            ours = [receipt for receipt in receipts if receipt.carrier == carrier]
            first = dict(await ask(carrier, [receipt.carrier_id for receipt in ours]))
            others = [form for one in ours if one.carrier_id not in first for form in one.other_ids]
            if others:
                first.update(await ask(carrier, others))
            found.update({(carrier, known): message for known, message in first.items()})
        return found

    async def _settle_segments(
        self, parts: Sequence[tuple[Message, Receipt]], ended: dict[int, Message]
    ) -> list[Update]:
        """Mark segments; a message ends when all of its segments have."""
        if not parts:
            return []
        now = self._platform.clock.now()
        segments: dict[int, list[Segment]] = defaultdict(list)
        ids = sorted({message.id for message, _ in parts})
        for segment in await self._insist(lambda: self._platform.store.queries.segments_of(ids)):
            segments[segment.message_id].append(segment)
        marks: list[Update] = []
        for message, receipt in parts:
            assert receipt.state is not None  # sorted out by the caller
            fate = FATES[receipt.state]
            states: list[MessageState] = []
            for position, segment in enumerate(segments[message.id]):
                if segment.carrier_id == receipt.carrier_id and segment.state is None:
                    marks.append(Update(Segment, segment.id, None, {"state": fate}))
                    segment = replace(segment, state=fate)
                    segments[message.id][position] = segment
                if segment.state is not None:
                    states.append(segment.state)
            if len(states) == len(segments[message.id]):
                ended.setdefault(message.id, stepped(message, worst(states), now, carrier_code=receipt.code))
        return marks

    async def inbound(self, message: InboundMessage) -> None:
        """A message from a mobile; returns when it is durable."""
        await inbox.receive(self._platform, message, self._lease.fence)
        self._platform.metrics.received += 1

    def _count(self, happened: Sequence[Message], advanced: frozenset[int]) -> None:
        metrics, now = self._platform.metrics, self._platform.clock.now()
        for message in happened:
            if message.id not in advanced:
                continue
            if message.state is MessageState.SENT:
                metrics.submitted += 1
                metrics.submission.observe((now - message.due_at).total_seconds())
            elif message.state is MessageState.DELIVERED:
                metrics.delivered += 1
            else:
                metrics.failed += 1


def _sent(message: Message, carrier_ids: Sequence[str], now: datetime) -> Message:
    return stepped(message, MessageState.SENT, now, carrier_ids=" ".join(carrier_ids), carrier_code="")


def _again(message: Message, submission: Submission, retry_after: float, now: datetime) -> Update:
    pause = min(retry_after * (1 + message.attempts), _LONGEST_PAUSE)
    later = {
        "due_at": now + timedelta(seconds=pause),
        "attempts": message.attempts + 1,
        "carrier_code": submission.code,
        "sending_at": message.sending_at,  # this try is over
    }
    return Update(Message, message.id, message.account_id, later)


def _noted(message: Message, receipt: Receipt) -> Update:
    """ "En route", or a word that nobody knows: shown, and nothing else."""
    word = {"carrier_code": receipt.word or receipt.code}
    return Update(Message, message.id, message.account_id, word)


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
