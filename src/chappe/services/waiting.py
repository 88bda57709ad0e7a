"""What waits and why, for operators: the queue of each carrier, receipts of no message, dead deliveries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chappe.model.carriers import LinkState
from chappe.model.changes import Advance, Changes, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.jobs import Job, JobState
from chappe.model.messages import EarlyReceipt, Message, MessageState
from chappe.model.network import CarrierView, Held, Queue, Reason, Waiting
from chappe.services import subscriptions
from chappe.services.messages import give_back, wake
from chappe.services.network import SEEN, check_operator, note, view_carriers
from chappe.services.ports import Platform

MOST = 10_000
"""How far a queue is counted, and how much one press of a button does."""

_AT_ONCE = 500
STOPPED = "stopped by the operator"


async def read_queue(
    platform: Platform,
    caller: Caller,
    carrier: str = "",
    after: tuple[datetime, int] | None = None,
    limit: int = 20,
) -> Queue:
    """What is queued for a carrier, in the order in which it is due, or with no carrier what is scheduled;
    each with its reason and time, and how much waits in all."""
    await check_operator(platform, caller)
    queries, now = platform.store.queries, platform.clock.now()
    found = (
        await queries.queued_messages(carrier, after, limit + 1)
        if carrier
        else await queries.scheduled_ahead(after, limit + 1)
    )
    shown, views = found[:limit], {view.name: view for view in await view_carriers(platform)}
    names = await queries.account_names(sorted({one.account_id for one in shown}))
    held = tuple(why(one, names.get(one.account_id, ""), views, now) for one in shown)
    following = (shown[-1].due_at, shown[-1].id) if len(found) > limit else None
    depths = await queries.queue_depths(now, MOST + 1)
    return Queue(depths, await queries.count_scheduled(MOST + 1), held, following)


async def why_own(platform: Platform, message: Message) -> Held | None:
    """Why a message waits, for the account that it belongs to: without what its carrier's links say, which is
    the operator's. None where it waits for nothing that can be named."""
    if message.state not in (MessageState.SCHEDULED, MessageState.QUEUED):
        return None
    views = {view.name: view for view in await view_carriers(platform)}
    held = why(message, "", views, platform.clock.now())
    return replace(held, code="") if held.reason is Reason.DOWN else held


def why(message: Waiting | Message, owner: str, views: Mapping[str, CarrierView], now: datetime) -> Held:
    """The reason why a message waits, and until when."""
    if message.state is MessageState.SCHEDULED:
        reason = Reason.RULE if message.held_by else Reason.SCHEDULED
        return Held(message, owner, reason, message.due_at, message.held_by)
    if message.due_at > now:
        return Held(message, owner, Reason.LATER, message.due_at, message.carrier_code)
    view = views.get(message.carrier)
    if view is None:
        return Held(message, owner, Reason.GONE, message.expires_at)
    if view.status is None or view.status.state in (LinkState.UP, LinkState.STRAINED):
        return Held(message, owner, Reason.TURN, message.expires_at)
    # The carrier is down since the last of its links was lost.
    link = max(view.status.links, key=lambda one: one.since, default=None)
    error, since = ("", None) if link is None else (link.error, link.since)
    return Held(message, owner, Reason.DOWN, message.expires_at, error, since)


async def stop_queued(platform: Platform, caller: Caller, carrier: str, most: int) -> int:
    """Fail what is queued for a carrier, longest due first, at most `most` and MOST messages, and give their
    prices back; returns how many. One that is on its way to the network at this moment may still arrive."""
    await check_operator(platform, caller)
    stopped, left = 0, min(most, MOST)
    while left > 0:
        found = await platform.store.queries.queued_messages(carrier, None, min(left, _AT_ONCE))
        if not found:
            break
        stopped += await _stop(platform, [one.id for one in found])
        left -= len(found)
    note(caller, "queue stopped", carrier=carrier, messages=stopped)
    platform.topics.publish(SEEN)
    return stopped


async def _stop(platform: Platform, ids: list[int]) -> int:
    now = platform.clock.now()
    ended = [
        message._replace(
            state=MessageState.FAILED,
            finished_at=now,
            fault=Fault.CARRIER_UNAVAILABLE,
            carrier_code=STOPPED,
        )
        for message in await platform.store.queries.messages_by_id(ids)
    ]
    told = await subscriptions.notices_by_message(platform, [(message, now) for message in ended])
    steps = [
        Advance(
            message.id,
            MessageState.FAILED,
            now,
            fault=message.fault,
            carrier_code=message.carrier_code,
            ledger=(give_back(message),),
            enqueue=told.get(message.id, ()),
        )
        for message in ended
    ]
    done = await platform.store.commit(Changes(advance=steps))
    platform.metrics.failed += len(done.advanced)
    wake(platform, ended)
    if told:
        platform.topics.publish("jobs")
    return len(done.advanced)


async def parked_receipts(
    platform: Platform, caller: Caller, cursor: int | None = None, limit: int = 20
) -> Page[EarlyReceipt]:
    """Receipts whose message is not known, newest first, each with its reason."""
    await check_operator(platform, caller)
    found = await platform.store.queries.parked_receipts(cursor, limit + 1)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


# --- dead deliveries


async def dead_deliveries(
    platform: Platform, caller: Caller, cursor: int | None = None, limit: int = 20
) -> tuple[Page[Job], Mapping[int, str], int]:
    """Deliveries of all accounts that were given up, newest first; with the names of their accounts, and how
    many there are, counted up to one more than MOST."""
    await check_operator(platform, caller)
    queries = platform.store.queries
    found = await queries.dead_deliveries(None, cursor, limit + 1)
    shown = found[:limit]
    names = await queries.account_names(sorted({job.account_id for job in shown}))
    page = Page(shown, shown[-1].id if len(found) > limit else None)
    return page, names, await queries.count_dead(None, MOST + 1)


async def count_own_dead(platform: Platform, caller: Caller) -> int:
    """How many of the caller's deliveries were given up, counted up to one more than MOST."""
    return await platform.store.queries.count_dead(caller.account_id, MOST + 1)


async def replay_dead(platform: Platform, caller: Caller, job_id: int) -> None:
    """Make one delivery of any account again, with all tries before it."""
    await check_operator(platform, caller)
    found = await platform.store.queries.dead_deliveries(None, job_id + 1, 1)
    if not found or found[0].id != job_id:
        raise Refusal(Fault.NOT_FOUND, f"there is no dead delivery {job_id}; it may have been made again")
    await _replay(platform, found)


async def replay_all_dead(platform: Platform, caller: Caller, *, everybody: bool = False) -> int:
    """Make the caller's dead deliveries again, or with `everybody` those of all accounts (operators), newest
    first and at most MOST; returns how many."""
    if everybody:
        await check_operator(platform, caller)
    account_id, done = None if everybody else caller.account_id, 0
    while done < MOST:
        found = await platform.store.queries.dead_deliveries(account_id, None, min(_AT_ONCE, MOST - done))
        if not found:
            break
        await _replay(platform, found)
        done += len(found)
    return done


async def _replay(platform: Platform, jobs: Sequence[Job]) -> None:
    values = {
        "state": JobState.WAITING,
        "due_at": platform.clock.now(),
        "attempts": 0,
        "claimed_until": None,
        "done_at": None,
    }
    again = [Update(Job, job.id, job.account_id, values, {"state": JobState.DEAD}) for job in jobs]
    await platform.store.commit(Changes(update=again))
    platform.topics.publish("jobs")
    for account_id in {job.account_id for job in jobs}:
        platform.topics.publish(f"account.{account_id}")
