"""Another text, date or end for a message that still waits for its date."""

from datetime import datetime, timedelta

from chappe.model.changes import Changes, Update
from chappe.model.commands import Accepted, Caller, Refused, ReplaceMessage, SendMessages
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import EntryKind, LedgerMove
from chappe.model.messages import Message, MessageState
from chappe.services import history, messages, rules
from chappe.services.ports import Platform

_MOMENT = timedelta(seconds=10)
"""Nearer to its date, the clockwork may have read a message in its old words already (our choice)."""


async def replace(platform: Platform, caller: Caller, command: ReplaceMessage) -> Message:
    """Replace what a scheduled message says and when it goes. It is judged like a new one, at the price of a
    segment that it was taken at; the difference is charged or given back with the same write. One that is
    queued, or will be in a moment, may be on its way: `too_late`. Raises Refusal."""
    platform.store.admit()
    found = await history.by_ref(platform, caller.account_id, [command.ref])
    message = found.get(command.ref)
    if message is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no message {command.ref}")
    if message.state is not MessageState.SCHEDULED or message.due_at < platform.clock.now() + _MOMENT:
        raise _too_late(message)
    changed = await _judged(platform, caller, command, _dated(platform, command, message))
    kept = ("state", "text", "price", "due_at")
    values = {
        name: getattr(changed, name)
        for name in Message._fields
        if getattr(changed, name) != getattr(message, name)
    }
    difference = changed.price - message.price
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    move = LedgerMove(caller.account_id, -difference, EntryKind.MESSAGES, cap=cap)
    if difference < 0:
        move = LedgerMove(caller.account_id, -difference, EntryKind.GIVE_BACK)
    expected = {name: getattr(message, name) for name in kept}
    try:
        await platform.store.commit(
            Changes(
                reach=[(caller.account_id, message.peer)],
                update=[Update(Message, message.id, caller.account_id, values, expected)],
                ledger=[move] if difference else [],
            )
        )
    except Refusal as refusal:
        if refusal.fault is not Fault.TOO_LATE:
            raise
        raise _too_late(
            await platform.store.queries.message(caller.account_id, message.id) or message
        ) from refusal
    messages.wake(platform, [changed])
    return changed


def _dated(platform: Platform, command: ReplaceMessage, message: Message) -> Message:
    """The message with its new date and end."""
    now = platform.clock.now()
    due_at = message.due_at if command.send_at is None else max(command.send_at, now)
    if due_at > now + messages.FAR:
        raise Refusal(Fault.INVALID_PARAMETER, f"{due_at.isoformat()} is more than a year ahead", "send_at")
    moved = due_at - message.due_at
    ends: list[datetime | None] = [message.expires_at, message.session_until]
    expires_at, session_until = [None if end is None else end + moved for end in ends]
    if command.expires_at is not None:
        expires_at = command.expires_at
    if expires_at is not None and expires_at <= due_at:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"the validity would end at {expires_at.isoformat()}, before the message goes at"
            f" {due_at.isoformat()}",
            "validity",
        )
    return message._replace(
        due_at=due_at,
        send_at=due_at,
        expires_at=expires_at,
        session_until=session_until,
        held_by="",
        receipt_wanted=command.receipt_wanted,
        told=command.told,
    )


async def _judged(platform: Platform, caller: Caller, command: ReplaceMessage, message: Message) -> Message:
    """The message with its new text, as far as the rules let it go and when they do."""
    encoding = command.encoding if command.text else message.encoding
    text = command.text or message.text
    as_new = SendMessages((message.peer,), text, encoding=encoding, purpose=message.purpose)
    plan = messages.measure(platform, as_new)
    message = message._replace(
        text=text,
        encoding=plan.encoding,
        segments=plan.segments,
        price=message.price // message.segments * plan.segments,
    )
    verdict = await rules.check(platform, caller, as_new, message.address, [message.peer], message.due_at)
    if verdict is rules.CLEAR:
        return message
    results: list[Accepted | Refused] = [Accepted(message.peer, message)]
    [message] = messages.obey(platform, as_new, verdict, results)
    return message


def _too_late(message: Message) -> Refusal:
    return Refusal(
        Fault.TOO_LATE,
        f"message {message.ref} is {message.state}, due at {message.due_at.isoformat()}, and can no longer be"
        " replaced",
    )
