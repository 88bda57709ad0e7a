"""The end of a call: what is open ends, what it cost is taken, what was held is free, who asked is told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from chappe.model.calls import (
    Call,
    CallKind,
    CallOutcome,
    CallState,
    CallStory,
    Dialogue,
    HangUpCause,
    Leg,
    LegState,
    charge,
)
from chappe.model.changes import Changes, Update
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.jobs import Job
from chappe.model.ledger import NO_CAP, EntryKind, Hold, LedgerMove
from chappe.services import callbackends, callnotices, linenotices, recipients, recordings, rooms
from chappe.services.handover import Handed
from chappe.services.ports import Platform

R = TypeVar("R", Call, Leg)


async def close_call(
    platform: Platform,
    story: CallStory,
    now: datetime,
    outcome: CallOutcome | None = None,
    dialogues: Sequence[Dialogue] | None = None,
) -> None:
    """A call is over: legs that are open end now, what it cost is taken and what was reserved is free again,
    all in one write. `dialogues` are the open ones of a call that is live here. Raises Refusal `too_late`
    where somebody has closed it before."""
    call, updates = story.call, []
    jobs: list[Job] = []
    moves: list[LedgerMove] = []
    freed = [Hold(call.account_id, -call.reserved)] if call.reserved else []
    shared = alone = 0
    legs: list[Leg] = []
    ended: list[Leg] = []
    for leg in story.legs:
        if leg.ended_at is None:
            values = {
                "state": LegState.DOWN,
                "ended_at": now,
                "cause": HangUpCause.INTERRUPTED,
                "price": price_of(leg, now),
            }
            updates.append(Update(Leg, leg.id, leg.account_id, values, {"ended_at": None}))
            leg = changed(leg, values)
            ended.append(leg)
            jobs += await left(platform, call, leg)
            moves += taken(call, leg)
            freed += freed_by(leg)
        legs.append(leg)
        if leg.reserved:
            alone += leg.price
        else:
            shared += leg.price
    shared = min(shared, call.reserved)  # a timer that came late is not the account's fault
    if shared:
        moves.append(LedgerMove(call.account_id, -shared, EntryKind.CALLS, call.ref, cap=NO_CAP))
    if outcome is None:
        outcome = CallOutcome.ANSWERED if call.joined_at is not None else CallOutcome.FAILED
    over = {"state": CallState.OVER, "over_at": now, "outcome": outcome, "price": shared + alone}
    updates.append(Update(Call, call.id, call.account_id, over, {"over_at": None}))
    handed = Handed(platform.handover, platform.node)
    after = CallStory(changed(call, over), tuple(legs))
    happened = [*((EventName.LEG_ENDED, leg) for leg in ended), (EventName.CALL_ENDED, None)]
    for name, about in happened:
        if dialogues is None:
            handed.jobs += await callnotices.notices(platform, call, name, now, about)
        else:
            await callnotices.hand(platform, handed, after, name, now, about)
    if dialogues is None:
        told = await platform.store.queries.dialogues_of(call.account_id, call.id)
        dialogues = [one for one in told if one.ended_at is None]
    parts = await linenotices.ended(platform, call, dialogues, now)
    updates += parts.update
    jobs += parts.enqueue
    if call.kind is CallKind.CONFERENCE:
        more, tell = await rooms.ended(platform, call, now)
        updates += more
        jobs += tell
    if call.kind is CallKind.CALLBACK:
        more, tell = await callbackends.ended(platform, call, legs, outcome, shared + alone, now)
        updates += more
        jobs += tell
    if call.kind is CallKind.ANNOUNCEMENT:
        more, tell = await recipients.ended(platform, call, legs, shared + alone, now)
        updates += more
        jobs += tell
    handed.jobs += jobs
    try:
        await platform.store.commit(Changes(update=updates, ledger=moves, hold=freed, enqueue=handed.jobs))
    except BaseException:
        handed.release()
        raise
    callnotices.written(platform, call, handed)


async def left(platform: Platform, call: Call, leg: Leg) -> list[Job]:
    """What is told of a conference one of whose legs has ended."""
    if call.kind is not CallKind.CONFERENCE or leg.ended_at is None:
        return []
    return await rooms.left(platform, call, leg, leg.ended_at)


def price_of(leg: Leg, until: datetime) -> int:
    """What a leg costs that ends at a time: never more than what is held for it alone, if anything is."""
    price = charge(leg, until)
    return min(price, leg.reserved) if leg.reserved else price


def taken(call: Call, leg: Leg) -> list[LedgerMove]:
    """What a leg costs that has ended, where it is paid from what is held for it alone."""
    if not leg.reserved or not leg.price:
        return []
    reference = f"{call.ref}/{leg.id}"
    return [LedgerMove(leg.account_id, -leg.price, EntryKind.CALLS, reference, cap=NO_CAP)]


def freed_by(leg: Leg) -> list[Hold]:
    """What was held for a leg alone is free when it has ended."""
    return [Hold(leg.account_id, -leg.reserved)] if leg.reserved else []


async def close_abandoned(platform: Platform, before: datetime) -> int:
    """Close the calls that nobody has worked since a time: they ended when they were last seen at work, and
    so did what they cost."""
    closed = 0
    while found := await platform.store.queries.abandoned_calls(before, 100):
        for call in found:
            legs = await platform.store.queries.legs_of(call.account_id, [call.id])
            try:
                await close_call(platform, CallStory(call, legs), call.seen_at)
            except Refusal as refusal:
                if refusal.fault is not Fault.TOO_LATE:
                    raise  # else another node was quicker
            else:
                await recordings.rescue(platform, call)
            closed += 1
    return closed


def changed(record: R, values: Mapping[str, object]) -> R:
    """A call or a leg with other values."""
    return replace(record, **values)  # type: ignore[arg-type]
