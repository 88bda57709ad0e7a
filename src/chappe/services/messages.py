"""Send, quote and cancel messages; what becomes of them on their carrier is services/outbox.py."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from chappe.model.changes import Advance, Changes, Update
from chappe.model.commands import (
    Accepted,
    Caller,
    CancelMessages,
    Caution,
    Quote,
    QuotedRecipient,
    QuoteMessages,
    Refused,
    SendMessages,
    SendOutcome,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.history import StoredOutcome
from chappe.model.ledger import EntryKind, LedgerMove
from chappe.model.messages import Direction, Message, MessageState, stepped
from chappe.model.numbers import NumberError, read_msisdn, read_sender
from chappe.model.rules import says_stop
from chappe.model.smstext import NotBinary, TextNotEncodable, TextPlan, plan
from chappe.services import history, rules, subscriptions
from chappe.services.ports import Platform
from chappe.services.routing import Way
from chappe.services.rules import Verdict

C = TypeVar("C", SendMessages, QuoteMessages)

FAR = timedelta(days=366)
"""How far ahead a message may be scheduled."""

LATEST_TEXT = 20_000
"""Characters beyond which a text is refused before it is measured."""

_AT_ONCE = 500

_NOT_JUDGED = Refused("", Fault.INTERNAL, "")


async def send(platform: Platform, caller: Caller, command: SendMessages) -> SendOutcome:
    """Take messages to one or many mobiles: all that can be refused is refused here, before anything is
    written; messages and their price are written together, so that what is answered is durable.

    Raises Refusal. Without `all_or_nothing` each recipient has its own result instead, as far as the
    fault is the recipient's. Raises Unavailable where the platform can take nothing more at the moment.
    """
    platform.store.admit()
    began = time.perf_counter()
    if command.replay is not None:
        earlier = await _earlier(platform, caller, command)
        if earlier is not None:
            return earlier
    if command.add_stop and not says_stop(command.text):
        command = command._replace(text=f"{command.text} STOP au {platform.rules.stop_number}")
    text = measure(platform, command)
    results: list[Accepted | Refused] = [_NOT_JUDGED] * len(command.recipients)
    targets: list[tuple[int, str, Way]] = []
    region, way_to = caller.region, platform.router.way
    for position, raw in enumerate(command.recipients):
        try:
            number = _recipient(raw, region)
            targets.append((position, number, way_to("sms", number)))
        except Refusal as refusal:
            if command.all_or_nothing:
                await _refuse_blocked(platform, caller, targets)  # the first one at fault in the order asked
                raise _at(refusal, position) from refusal
            results[position] = Refused(raw, refusal.fault, refusal.detail)
    sender = await _sender(platform, caller, command)
    now = platform.clock.now()
    scheduled = command.send_at is not None and command.send_at > now
    if scheduled and command.send_at is not None and command.send_at > now + FAR:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{command.send_at.isoformat()} is more than a year ahead", "send_at"
        )
    due_at = command.send_at if scheduled and command.send_at is not None else now
    expires_at = due_at + (command.validity or timedelta(seconds=platform.rules.validity_seconds))
    session_until = None if command.session is None else due_at + command.session
    state, direction = MessageState.SCHEDULED if scheduled else MessageState.QUEUED, Direction.MT
    send_at, reference, segments = due_at if scheduled else None, command.reference[:255], text.segments
    numbers = [number for _, number, _ in targets]
    verdict = await rules.check(platform, caller, command, sender, numbers, due_at)
    batch_id, names = platform.ids.new_batch(len(targets))
    messages = [
        Message(
            id=new_id,
            ref=ref,
            account_id=caller.account_id,
            direction=direction,
            state=state,
            peer=number,
            address=sender,
            text=command.text,
            encoding=text.encoding,
            segments=segments,
            price=way.price * segments,
            carrier=way.carrier,
            dialect=caller.dialect,
            batch_id=batch_id,
            created_at=now,
            due_at=due_at,
            send_at=send_at,
            expires_at=expires_at,
            flash=command.flash,
            receipt_wanted=command.receipt_wanted,
            told=command.told,
            reference=reference,
            session_until=session_until,
            exchange_id=caller.exchange_id,
            user_id=caller.user_id,
            purpose=command.purpose,
            warned_by=verdict.said.get(number),
        )
        for (_, number, way), (new_id, ref) in zip(targets, names, strict=True)
    ]
    for (position, _, _), message in zip(targets, messages, strict=True):
        results[position] = Accepted(command.recipients[position], message)
    if not verdict.lets_pass:
        messages = obey(platform, command, verdict, results)
    outcome = await _write_reachable(platform, caller, command, results, messages, verdict.warnings)
    platform.metrics.acceptance.observe(time.perf_counter() - began)
    return outcome


def obey(
    platform: Platform, command: SendMessages, verdict: Verdict, results: list[Accepted | Refused]
) -> list[Message]:
    """The messages as the rules leave them; `results` are changed to match."""
    text = _with_stop(platform, command, verdict)
    stopped = measure(platform, text) if verdict.with_stop else None
    left: list[Message] = []
    for position, result in enumerate(results):
        if not isinstance(result, Accepted):
            continue
        message = result.message
        refusal = verdict.refused.get(message.peer)
        if refusal is not None:
            if command.all_or_nothing:
                raise _at(refusal, position)
            results[position] = Refused(result.recipient, refusal.fault, refusal.detail)
            continue
        if stopped is not None and message.peer in verdict.with_stop:
            message = message._replace(
                text=text.text,
                encoding=stopped.encoding,
                segments=stopped.segments,
                price=message.price // message.segments * stopped.segments,
            )
        if message.peer in verdict.said:
            message = message._replace(warned_by=verdict.said[message.peer])
        hold = verdict.held.get(message.peer)
        if hold is not None:
            message = _put_off(message, hold)
        results[position] = Accepted(result.recipient, message)
        left.append(message)
    return left


def _with_stop(platform: Platform, command: C, verdict: Verdict) -> C:
    """The command with the text that advertising gets."""
    return (
        command._replace(text=f"{command.text} STOP au {platform.rules.stop_number}")
        if verdict.with_stop
        else command
    )


def _put_off(message: Message, hold: rules.Hold) -> Message:
    """The message at its next allowed time, with all that counts from there."""
    wait = hold.until - message.due_at
    return message._replace(
        state=MessageState.SCHEDULED,
        due_at=hold.until,
        send_at=hold.until,
        expires_at=None if message.expires_at is None else message.expires_at + wait,
        session_until=None if message.session_until is None else message.session_until + wait,
        held_by=hold.rule,
    )


async def _write_reachable(
    platform: Platform,
    caller: Caller,
    command: SendMessages,
    results: list[Accepted | Refused],
    messages: list[Message],
    warnings: tuple[Caution, ...],
) -> SendOutcome:
    """Write what may be sent. The blacklist is looked at by the commit itself, so that a STOP of this very
    moment counts, and nothing is asked for the many that are on none."""
    try:
        return await _write(platform, caller, command, results, messages, warnings)
    except Refusal as refusal:
        if refusal.fault is not Fault.BLACKLISTED:
            raise
        met = refusal
    blocked = await platform.store.queries.blacklisted(
        caller.account_id, [message.peer for message in messages]
    )
    for position, result in enumerate(results):
        if isinstance(result, Accepted) and result.message.peer in blocked:
            blacklisted = _blacklisted(result.message.peer, position)
            if command.all_or_nothing:
                raise blacklisted from met
            results[position] = Refused(result.recipient, blacklisted.fault, blacklisted.detail)
    left = [message for message in messages if message.peer not in blocked]
    return await _write(platform, caller, command, results, left, warnings)


async def _refuse_blocked(
    platform: Platform, caller: Caller, targets: Sequence[tuple[int, str, Way]]
) -> None:
    """Refuse the first of these recipients that is on the blacklist."""
    numbers = [number for _, number, _ in targets]
    blocked = await platform.store.queries.blacklisted(caller.account_id, numbers) if numbers else ()
    for position, number, _ in targets:
        if number in blocked:
            raise _blacklisted(number, position)


def _blacklisted(number: str, position: int) -> Refusal:
    return Refusal(
        Fault.BLACKLISTED, f"{number} has sent STOP or was blocked by this account", f"to[{position}]"
    )


async def _write(
    platform: Platform,
    caller: Caller,
    command: SendMessages,
    results: Sequence[Accepted | Refused],
    messages: Sequence[Message],
    warnings: tuple[Caution, ...],
) -> SendOutcome:
    stored: list[StoredOutcome] = []
    if command.replay is not None:
        stored.append(
            StoredOutcome(
                platform.ids.new_id(),
                caller.account_id,
                command.replay.key,
                command.replay.fingerprint,
                {
                    "results": [_kept(result) for result in results],
                    "states": [_state(result) for result in results],
                    "warnings": [[one.rule, one.detail] for one in warnings],
                },
                platform.clock.now(),
            )
        )
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    account_id, price = caller.account_id, sum([message.price for message in messages])
    moves = [LedgerMove(account_id, -price, EntryKind.MESSAGES, None, len(messages), cap)]
    changes = Changes(
        insert=[*messages, *stored],
        reach=[(account_id, message.peer) for message in messages],
        ledger=moves if messages else [],
        enqueue=await subscriptions.notices_of_acceptance(platform, messages),
    )
    try:
        committed = await platform.store.commit(changes)
    except Refusal as refusal:
        if refusal.fault is Fault.ALREADY_EXISTS and command.replay is not None:
            twin = await _earlier(platform, caller, command)
            if twin is not None:
                return twin
        raise
    platform.metrics.accepted += len(messages)
    wake(platform, messages)
    _ring(platform, changes.enqueue)
    balance = committed.balances.get(account_id)
    if balance is None:
        account = await platform.store.queries.account(account_id)
        balance = 0 if account is None else account.balance
    for one in stored:
        # Known only now; a crash before it is written costs a replay nothing but this figure.
        whole = {"outcome": {**one.outcome, "balance": balance}}
        platform.store.later(Changes(update=[Update(StoredOutcome, one.id, caller.account_id, whole)]))
    return SendOutcome(tuple(results), balance, warnings=warnings)


def wake(platform: Platform, messages: Sequence[Message]) -> None:
    """Hand what is queued to its carrier, and tell clockwork and screens that there is something new."""
    queued: dict[str, list[Message]] = {}
    account_ids: set[int] = set()
    is_scheduled = False
    for message in messages:
        account_ids.add(message.account_id)
        if message.state is MessageState.QUEUED:
            queued.setdefault(message.carrier, []).append(message)
        elif message.state is MessageState.SCHEDULED:
            is_scheduled = True
    for carrier, some in queued.items():
        if not platform.handover.offer(carrier, some):
            platform.topics.publish(f"carrier.{carrier}")
    if is_scheduled:
        platform.topics.publish("clockwork")
    for account_id in account_ids:
        platform.topics.publish(f"account.{account_id}")


def _ring(platform: Platform, told: Collection[object]) -> None:
    if told:
        platform.topics.publish("jobs")


def _state(result: Accepted | Refused) -> str:
    return result.message.state if isinstance(result, Accepted) else ""


async def _earlier(platform: Platform, caller: Caller, command: SendMessages) -> SendOutcome | None:
    """The outcome of an earlier command with the same key, as it was; its fingerprint must be the same."""
    stored = await history.replayed(platform, caller, command.replay)
    if stored is None:
        return None
    results = _list(stored.outcome["results"])
    # An outcome of a version that knew no holds has one state for all.
    states = _list(stored.outcome.get("states")) or [stored.outcome.get("state")] * len(results)
    refs = [result for result in results if isinstance(result, str)]
    found = await history.by_ref(platform, caller.account_id, refs)
    balance = stored.outcome.get("balance")
    if not isinstance(balance, int):
        account = await platform.store.queries.account(caller.account_id)
        balance = 0 if account is None else account.balance
    return SendOutcome(
        tuple(
            Accepted(recipient, found[kept]._replace(state=MessageState(str(state))))
            if isinstance(kept, str)
            else _refused(recipient, _list(kept))
            for recipient, kept, state in zip(command.recipients, results, states, strict=False)
        ),
        balance,
        replayed=True,
        warnings=tuple(
            Caution(str(rule), str(detail))
            for rule, detail in map(_list, _list(stored.outcome.get("warnings")))
        ),
    )


def _kept(result: Accepted | Refused) -> str | list[str]:
    """What a stored outcome holds of one recipient."""
    return result.message.ref if isinstance(result, Accepted) else [result.fault, result.detail]


def _refused(recipient: str, kept: Sequence[object]) -> Refused:
    fault, detail = kept
    return Refused(recipient, Fault(str(fault)), str(detail))


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def measure(platform: Platform, command: SendMessages | QuoteMessages) -> TextPlan:
    """Alphabet and segments of a command's text, within its limits and the platform's."""
    rules, wanted, content = platform.rules, len(command.recipients), command.text
    if not wanted:
        raise Refusal(Fault.NO_RECIPIENT, "there is no recipient", "to")
    if wanted > rules.max_recipients:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{wanted} recipients in one request; at most {rules.max_recipients}",
            "to",
        )
    if not content:
        raise Refusal(Fault.EMPTY_CONTENT, "the text is empty", "text")
    if "\0" in content:
        raise Refusal(
            Fault.INVALID_PARAMETER, "the text holds the character NUL, which no SMS can carry", "text"
        )
    if len(content) > LATEST_TEXT:
        raise Refusal(
            Fault.CONTENT_TOO_LONG,
            f"the text has {len(content)} characters; {LATEST_TEXT} are the limit",
            "text",
        )
    try:
        text = plan(content, command.encoding)
    except (TextNotEncodable, NotBinary) as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), "text") from error
    limit = rules.max_segments
    if isinstance(command, SendMessages):
        if not command.split_allowed:
            limit = 1
        elif command.max_segments is not None:
            limit = min(limit, command.max_segments)
    if text.segments > limit:
        raise Refusal(
            Fault.CONTENT_TOO_LONG,
            f"the text needs {text.segments} segments in {text.encoding} and {limit} are allowed; shorten it",
            "text",
        )
    return text


def _recipient(raw: str, region: str) -> str:
    try:
        return read_msisdn(raw, region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_RECIPIENT, str(error), "to") from error


def _at(refusal: Refusal, position: int) -> Refusal:
    return Refusal(refusal.fault, refusal.detail, f"to[{position}]", rule=refusal.rule)


async def _sender(platform: Platform, caller: Caller, command: SendMessages) -> str:
    """The sender id that the handset will show."""
    if command.sender:
        try:
            wanted = read_sender(command.sender, caller.region).value
            strict = platform.rules.senders_registered and command.sender_optional
            if not strict or await rules.may_show(platform, caller, wanted):
                return wanted
        except NumberError as error:
            if not command.sender_optional:
                raise Refusal(Fault.INVALID_SENDER, str(error), "from") from error
    default = caller.default_sender or command.fallback_sender
    if default:
        return default
    numbers = await platform.store.queries.own_numbers(caller.account_id)
    return numbers[0].number if numbers else rules.HOUSE_SENDER


async def quote(platform: Platform, caller: Caller, command: QuoteMessages) -> Quote:
    """What a send would cost; the same code measures, routes and prices it. Raises Refusal."""
    text = measure(platform, command)
    ways: list[tuple[str, int]] = []
    for position, raw in enumerate(command.recipients):
        try:
            number = _recipient(raw, caller.region)
            ways.append((number, platform.router.way("sms", number).price))
        except Refusal as refusal:
            raise _at(refusal, position) from refusal
    numbers = [number for number, _ in ways]
    at = platform.clock.now()
    verdict = await rules.check(platform, caller, command, command.sender, numbers, at)
    for position, number in enumerate(numbers):
        if number in verdict.refused:
            raise _at(verdict.refused[number], position)
    stopped = measure(platform, _with_stop(platform, command, verdict)) if verdict.with_stop else text
    quoted = [
        QuotedRecipient(raw, number, price * (stopped if number in verdict.with_stop else text).segments)
        for raw, (number, price) in zip(command.recipients, ways, strict=True)
    ]
    text = stopped  # the longest that one of them gets
    return Quote(
        encoding=text.encoding,
        segments=text.segments,
        units=text.units,
        forced_by=text.forced_by,
        recipients=tuple(quoted),
        price=sum(one.price for one in quoted),
        warnings=verdict.warnings,
    )


async def cancel(
    platform: Platform, caller: Caller, command: CancelMessages
) -> tuple[Message | Refused, ...]:
    """Cancel scheduled messages, each on its own: its row decides the race with its date, and its price
    goes back with the same write."""
    found = await history.by_ref(platform, caller.account_id, command.refs)
    now = platform.clock.now()
    return tuple([await _cancel(platform, ref, found.get(ref), now) for ref in command.refs])


async def cancel_advertising(platform: Platform, account_id: int, number: str) -> None:
    """A mobile objects: cancel the account's advertising to it that waits for its date, with the fault
    `blacklisted`. To be called when the number is on the blacklist, so that none follows."""
    now = platform.clock.now()
    while found := await platform.store.queries.scheduled_advertising(account_id, number, _AT_ONCE):
        for message in found:
            await _cancel(platform, message.ref, message, now, Fault.BLACKLISTED)


async def _cancel(
    platform: Platform, ref: str, message: Message | None, now: datetime, fault: Fault | None = None
) -> Message | Refused:
    if message is None:
        return Refused(ref, Fault.NOT_FOUND, f"there is no message {ref}")
    cancelled = stepped(message, MessageState.CANCELLED, now, fault=fault)
    step = Advance(
        message.id,
        MessageState.CANCELLED,
        now,
        account_id=message.account_id,
        required=True,
        fault=fault,
        ledger=[give_back(message)],
        enqueue=await subscriptions.notices(platform, [(cancelled, now)]),
    )
    try:
        # Somebody may have replaced its text, and with that its price, since it was read.
        as_read = Update(Message, message.id, message.account_id, {}, {"price": message.price})
        await platform.store.commit(Changes(advance=[step], update=[as_read]))
    except Refusal as refusal:
        if refusal.fault is not Fault.TOO_LATE:
            raise
        met = await platform.store.queries.message(message.account_id, message.id) or message
        if met.price != message.price:
            return await _cancel(platform, ref, met, now, fault)
        return Refused(ref, Fault.TOO_LATE, f"message {ref} is {met.state} and can no longer be cancelled")
    platform.topics.publish(f"account.{message.account_id}")
    _ring(platform, step.enqueue)
    return cancelled


def give_back(message: Message) -> LedgerMove:
    """The price of a message that did not reach its mobile, back to its account, once."""
    return LedgerMove(message.account_id, message.price, EntryKind.GIVE_BACK, message.ref, messages=1)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one turn of the clockwork did."""

    released: int
    expired: int


async def sweep(platform: Platform, limit: int = 500) -> Swept:
    """Queue scheduled messages whose date has come; end queued ones whose validity is over."""
    now = platform.clock.now()
    due = await platform.store.queries.scheduled_messages(now, limit)
    if due:
        await platform.store.commit(
            Changes(advance=[Advance(message.id, MessageState.QUEUED, now, due_at=now) for message in due])
        )
        wake(platform, [message._replace(state=MessageState.QUEUED) for message in due])
    over = await platform.store.queries.expired_messages(now, limit)
    if over:
        ended = [stepped(m, MessageState.EXPIRED, now, fault=Fault.EXPIRED) for m in over]
        told = await subscriptions.notices_by_message(platform, [(message, now) for message in ended])
        # A message that the network took and never reported on is not given back: it may have arrived.
        steps = [
            Advance(
                m.id,
                MessageState.EXPIRED,
                now,
                fault=Fault.EXPIRED,
                ledger=() if m.state is MessageState.SENT else (give_back(m),),
                enqueue=told.get(m.id, ()),
            )
            for m in over
        ]
        await platform.store.commit(Changes(advance=steps))
        platform.metrics.failed += len(ended)
        wake(platform, ended)
        _ring(platform, told)
    return Swept(len(due), len(over))
