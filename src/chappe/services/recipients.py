"""What became of the recipients of announcements: one whose call is over, those who are rung no more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chappe.model.announcements import (
    RUNG_AGAIN,
    Announcement,
    FindAnnouncement,
    Reason,
    Recipient,
    RecipientState,
    heard,
)
from chappe.model.calls import Call, Leg
from chappe.model.changes import Changes, Update
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.jobs import Job
from chappe.services import announcementnotices
from chappe.services.ports import Platform

_AT_ONCE = 500
"""How many recipients are written at once."""


async def ended(
    platform: Platform, call: Call, legs: Sequence[Leg], price: int, at: datetime
) -> tuple[list[Update], list[Job]]:
    """What is written and told of the recipient whose call is over; whoever may be there later is rung again
    where its announcement says so."""
    queries = platform.store.queries
    recipient = await queries.recipient_of_call(call.account_id, call.id)
    if recipient is None or recipient.state is not RecipientState.CALLING:
        return [], []
    announcement = await queries.announcement(call.account_id, recipient.announcement_id)
    if announcement is None:
        return [], []
    found = heard(call, legs[-1] if legs else None)
    values: dict[str, object] = {
        "state": found.state,
        "reason": found.reason,
        "machine": found.machine,
        "key": found.key,
        "seconds": found.seconds,
        "price": recipient.price + price,
        "over_at": at,
    }
    again = announcement.may_ring(at + timedelta(seconds=announcement.pause))
    may_answer = found.state is RecipientState.MISSED and found.reason in RUNG_AGAIN
    is_wanted = announcement.cancelled_at is None and again < announcement.ends_at
    if may_answer and is_wanted and recipient.attempts < announcement.attempts:
        values |= {"state": RecipientState.WAITING, "due_at": again, "over_at": None}
    update = Update(Recipient, recipient.id, recipient.account_id, values)
    if values["over_at"] is None:
        return [update], []
    return [update], await done(platform, announcement, changed(recipient, values), at)


async def done(
    platform: Platform, announcement: Announcement, recipient: Recipient, at: datetime
) -> list[Job]:
    """The deliveries that tell of a recipient that is rung no more."""
    return await announcementnotices.notices(platform, announcement, EventName.RECIPIENT_DONE, at, recipient)


async def miss(
    platform: Platform, announcement: Announcement, recipient: Recipient, reason: Reason, detail: str
) -> None:
    """A recipient is not rung, for a reason in words."""
    now = platform.clock.now()
    values = {"state": RecipientState.MISSED, "reason": reason, "detail": detail, "over_at": now}
    update = Update(Recipient, recipient.id, recipient.account_id, values, {"state": RecipientState.WAITING})
    jobs = await done(platform, announcement, changed(recipient, values), now)
    await platform.store.commit(Changes(update=[update], enqueue=jobs))
    announcementnotices.ring(platform, announcement, jobs)


async def give_up(platform: Platform, announcement: Announcement) -> int:
    """Nobody who waits is rung any more, because the announcement was cancelled or its time is over; returns
    how many those were."""
    is_cancelled = announcement.cancelled_at is not None
    state = RecipientState.CANCELLED if is_cancelled else RecipientState.MISSED
    now, many = platform.clock.now(), 0
    asked = FindAnnouncement(announcement.ref, RecipientState.WAITING, limit=_AT_ONCE)
    while waiting := await platform.store.queries.recipients_of(
        announcement.account_id, announcement.id, asked
    ):
        updates, jobs = [], []
        for one in waiting:
            values: dict[str, object] = {"state": state, "over_at": now}
            if not is_cancelled:
                # Whoever was rung before is told why nobody answered.
                values["reason"] = one.reason or Reason.EXPIRED
                jobs += await done(platform, announcement, changed(one, values), now)
            expected = {"state": RecipientState.WAITING}
            updates.append(Update(Recipient, one.id, one.account_id, values, expected))
        try:
            await platform.store.commit(Changes(update=updates, enqueue=jobs))
        except Refusal as refusal:
            if refusal.fault is not Fault.TOO_LATE:
                raise
            continue  # one of them is being rung at this moment
        many += len(waiting)
        announcementnotices.ring(platform, announcement, jobs)
    return many


def changed(recipient: Recipient, values: dict[str, object]) -> Recipient:
    """A recipient with other values."""
    return replace(recipient, **values)  # type: ignore[arg-type]
