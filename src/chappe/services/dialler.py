"""Rings the recipients of announcements: as many at once as the account may have called, each in the hours
and before the end that were asked for.

One job drives an announcement: it rings whom it may, and leaves the rest to its successor, which is written
under its number (`Announcement.driver`), so that there is one driver whatever happens to a process.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from chappe.flows import announcement as flow
from chappe.model.announcements import (
    Announcement,
    AnnouncementState,
    Reason,
    Recipient,
    RecipientState,
)
from chappe.model.calls import Call, CallKind, CallState
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.jobs import Job, JobState
from chappe.model.ledger import Hold
from chappe.services import announcementnotices, calling, callnotices, recipients, sandbox
from chappe.services.ports import Platform

RING = "ring_recipients"
"""The kind of job that drives an announcement."""

SOON, LATER = timedelta(seconds=1), timedelta(seconds=10)
_AT_ONCE = 50
"""When we look again while calls of an announcement go on, and while the account may place none; how many are
begun before others have their turn (our choice)."""

_HIS_FAULT = frozenset(
    {
        Fault.INVALID_RECIPIENT,
        Fault.DESTINATION_FORBIDDEN,
        Fault.BLACKLISTED,
        Fault.NO_ROUTE,
        Fault.INVALID_SENDER,
    }
)


def driver(platform: Platform, announcement: Announcement, due_at: datetime) -> Job:
    """The job that drives an announcement from a time on."""
    return Job(
        id=platform.ids.new_id(),
        kind=RING,
        account_id=announcement.account_id,
        subject=announcement.id,
        payload={},
        state=JobState.WAITING,
        due_at=due_at,
        created_at=platform.clock.now(),
    )


async def ring(platform: Platform, job: Job) -> str:
    """Ring whom an announcement may ring now, and say when the next may be; or end it."""
    announcement = await platform.store.queries.announcement(job.account_id, job.subject)
    if announcement is None or announcement.over_at is not None:
        return "dropped: it is over"
    if announcement.driver != job.id:
        return "dropped: another job drives it"
    now = platform.clock.now()
    blocked = False
    if announcement.cancelled_at is not None or now >= announcement.ends_at:
        await recipients.give_up(platform, announcement)
    elif announcement.may_ring(now) <= now:
        announcement, blocked = await _ring_due(platform, announcement, now)
    return await _go_on(platform, announcement, blocked)


async def _go_on(platform: Platform, announcement: Announcement, blocked: bool) -> str:
    """Leave the rest to the next driver, or end the announcement where there is none."""
    queries, now = platform.store.queries, platform.clock.now()
    story = await announcementnotices.story_of(platform, announcement)
    is_calling = story.count.of(RecipientState.CALLING) > 0
    next_at = await queries.next_recipient_at(announcement.account_id, announcement.id)
    if next_at is None and not is_calling:
        return await _end(platform, announcement, now)
    at = announcement.may_ring(max(now, next_at or now))
    if blocked or next_at is None:
        at = now + LATER
    if is_calling and at > now:
        at = now + SOON
    next_job = driver(platform, announcement, min(at, max(now + SOON, announcement.ends_at)))
    handed = Update(
        Announcement,
        announcement.id,
        announcement.account_id,
        {"driver": next_job.id},
        {"driver": announcement.driver},
    )
    try:
        await platform.store.commit(Changes(update=[handed], enqueue=[next_job]))
    except Refusal as refusal:
        if refusal.fault is not Fault.TOO_LATE:
            raise
        return "dropped: another job drives it"
    platform.topics.publish("jobs")
    return f"goes on at {next_job.due_at:%Y-%m-%d %H:%M:%S} UTC"


async def _end(platform: Platform, announcement: Announcement, now: datetime) -> str:
    is_cancelled = announcement.cancelled_at is not None
    state = AnnouncementState.CANCELLED if is_cancelled else AnnouncementState.OVER
    values = {"state": state, "over_at": now}
    over = Update(Announcement, announcement.id, announcement.account_id, values, {"over_at": None})
    jobs = await announcementnotices.notices(platform, announcement, EventName.ANNOUNCEMENT_ENDED, now)
    await platform.store.commit(Changes(update=[over], enqueue=jobs))
    announcementnotices.ring(platform, announcement, jobs)
    return str(state)


async def _ring_due(
    platform: Platform, announcement: Announcement, now: datetime
) -> tuple[Announcement, bool]:
    """Ring those who are due, as long as the account may place calls; whether it may place no more."""
    queries, account_id = platform.store.queries, announcement.account_id
    due = await queries.due_recipients(account_id, announcement.id, now, _AT_ONCE)
    if not due:
        return announcement, False
    try:
        caller = await calling.on_behalf(platform, account_id, announcement.user_id, announcement.dialect)
    except Refusal:
        return announcement, True  # it may be opened again before the time is over
    is_gone = announcement.sound and await queries.sound_by_ref(account_id, announcement.sound) is None
    for recipient in due:
        if is_gone:
            detail = f"the sound {announcement.sound} was deleted"
            await recipients.miss(platform, announcement, recipient, Reason.FORBIDDEN, detail)
            continue
        try:
            announcement = await _ring_one(platform, caller, announcement, recipient)
        except Refusal as refusal:
            if refusal.fault in _HIS_FAULT:
                await recipients.miss(platform, announcement, recipient, Reason.FORBIDDEN, refusal.detail)
            elif refusal.fault is Fault.INSUFFICIENT_CREDITS and not await _is_calling(
                platform, announcement
            ):
                await recipients.miss(platform, announcement, recipient, Reason.CREDIT, refusal.detail)
            elif refusal.fault in (
                Fault.TOO_MANY_CALLS,
                Fault.INSUFFICIENT_CREDITS,  # what calls hold that go on may be free soon
                Fault.TOO_LATE,  # it was cancelled at this moment
            ):
                return announcement, True
            else:
                raise
    return announcement, False


async def _is_calling(platform: Platform, announcement: Announcement) -> bool:
    story = await announcementnotices.story_of(platform, announcement)
    return story.count.of(RecipientState.CALLING) > 0


async def _ring_one(
    platform: Platform, caller: Caller, announcement: Announcement, recipient: Recipient
) -> Announcement:
    """Begin the call of one recipient; what its longest course may cost is held for it.

    Raises Refusal: the number cannot be called, there are too many calls or too few credits, the recipient
    is not waiting any more.
    """
    board, now = platform.live_calls.board, platform.clock.now()
    number = calling.callable_number(platform, caller, recipient.number, "number")
    way = await calling.way(platform, number)
    is_virtual, is_inside = way.carrier == sandbox.CARRIER, calling.stays_inside([way])
    shown = await calling.shown_number(platform, caller, announcement.shown, is_virtual=is_virtual)
    seconds = announcement.milliseconds / 1000
    longest = flow.longest(
        seconds,
        announcement.times,
        announcement.repeat_key,
        announcement.answer_keys,
        announcement.on_machine,
    )
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    async with platform.live_calls.turn(caller.account_id):
        free = await calling.free(platform, caller.account_id, cap)
        reserve, payable = calling.longest_affordable(free, way.price, longest)
        if payable < min(longest, timedelta(seconds=seconds)):
            detail = f"the credits that were left did not pay the message to {number}"
            raise Refusal(Fault.INSUFFICIENT_CREDITS, detail)
        course = flow.Announcement(
            number=number,
            shown=shown,
            sound=announcement.what,
            ring_seconds=announcement.ring_seconds,
            longest_seconds=int(longest.total_seconds()),
            times=announcement.times,
            repeat_key=announcement.repeat_key,
            answer_keys=announcement.answer_keys,
            on_machine=announcement.on_machine,
            on_person=announcement.on_person,
        )
        call = Call(
            id=platform.ids.new_id(),
            ref=platform.ids.new_ref(),
            account_id=caller.account_id,
            kind=CallKind.ANNOUNCEMENT,
            state=CallState.LIVE,
            first=number,
            second="",
            plan={
                "rate": way.price,
                "longest": course.longest_seconds,
                "announcement": announcement.ref,
                "recipient": recipient.ref,
            },
            dialect=announcement.dialect,
            created_at=now,
            seen_at=now,
            node=platform.node,
            reserved=reserve,
            reference=announcement.reference,
            exchange_id=announcement.exchange_id,
            user_id=announcement.user_id,
            is_virtual=is_inside,
        )
        jobs = await callnotices.notices(platform, call, EventName.CALL_STARTED, now)
        running = {"state": AnnouncementState.RUNNING}
        if announcement.state is AnnouncementState.PLANNED:
            started = EventName.ANNOUNCEMENT_STARTED
            jobs += await announcementnotices.notices(platform, announcement, started, now)
        rung: dict[str, object] = {
            "state": RecipientState.CALLING,
            "attempts": recipient.attempts + 1,
            "call_id": call.id,
        }
        updates = [
            Update(Announcement, announcement.id, caller.account_id, running, {"cancelled_at": None}),
            Update(
                Recipient,
                recipient.id,
                caller.account_id,
                rung,
                {"state": RecipientState.WAITING, "attempts": recipient.attempts},
            ),
        ]
        try:
            legs = await board.prepare(call, course)
            changes = Changes(
                insert=[call, *legs],
                update=updates,
                reach=[(caller.account_id, number)],
                hold=[Hold(caller.account_id, reserve, cap)] if reserve else [],
                enqueue=jobs,
                limits=[await calling.limits(platform, caller, is_virtual=is_inside)],
            )
            await platform.store.commit(changes)
        except BaseException:
            board.forget(call.id)
            raise
    callnotices.ring(platform, call, jobs)
    board.begin(call, course)
    return replace(announcement, state=AnnouncementState.RUNNING)
