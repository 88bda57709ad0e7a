"""Who is told of which event, in which dialect; deliveries with retries."""

from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from chappe.model.changes import Changes, Committed, Delete, Update
from chappe.model.commands import (
    Caller,
    ChangeSubscription,
    FindSubscription,
    ListDeliveries,
    ListSubscriptions,
    ReplayDelivery,
    Subscribe,
    Unsubscribe,
)
from chappe.model.directory import Keyword, OwnNumber, Subscription
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.model.events import EVENT_OF_STATE, Event, EventName, MessageEvent
from chappe.model.history import Exchange, Page
from chappe.model.jobs import CLAIM, Job, JobState
from chappe.model.messages import ENDS, TOLD_BY, Direction, Message, MessageState
from chappe.model.outgoing import Mail, Outgoing
from chappe.services.ports import NoticeTarget, Platform

DELIVER = "deliver_notice"
"""The kind of job that tells somebody of one event."""

LINE_DIALECT = "keyyo"
"""In whose manner a line's notification URL is told."""

OWN_WIRE_PATIENCE = timedelta(days=1)
"""After so long the queue counts a try of what no connection has taken (our choice)."""

_ALL = "*"
_STATE_OF_EVENT = {
    name: state for state, name in EVENT_OF_STATE.items() if state is not MessageState.SCHEDULED
}
_UNFINISHED: Mapping[str, Any] = {"finished_at": None, "fault": None, "carrier_code": ""}


# --- what is to be told


async def notices(platform: Platform, happened: Sequence[tuple[Message, datetime]]) -> list[Job]:
    """The deliveries for messages that came to their present state: one for each subscription in force of
    their accounts that wants the event."""
    by_message = await notices_by_message(platform, happened)
    return [job for jobs in by_message.values() for job in jobs]


async def notices_of_acceptance(platform: Platform, messages: Sequence[Message]) -> Sequence[Job]:
    """The deliveries for messages of one account that were accepted now, which hardly anybody wants."""
    if not messages or not await wanting(platform, messages[0].account_id, EventName.MESSAGE_ACCEPTED):
        return ()
    return await notices(platform, [(message, message.created_at) for message in messages])


async def notices_by_message(
    platform: Platform, happened: Sequence[tuple[Message, datetime]]
) -> Mapping[int, list[Job]]:
    """The same, by the id of the message."""
    jobs: dict[int, list[Job]] = defaultdict(list)
    for message, at in happened:
        name = EVENT_OF_STATE.get(message.state)
        for subscription in await wanting(platform, message.account_id, name):
            if name is not None:
                jobs[message.id].append(notice_job(platform, message, name, at, subscription))
        if (own := own_wire_job(platform, message, at)) is not None:
            jobs[message.id].append(own)
    return jobs


def own_wire_job(platform: Platform, message: Message, at: datetime) -> Job | None:
    """The delivery of a message's fate, or of a message from a mobile, over the account's own connection,
    where its dialect has one; that connection takes it up itself, the queue only when it stays away."""
    kind, name = platform.notices.job_kind(message.dialect), EVENT_OF_STATE.get(message.state)
    if not kind or name is None or (message.direction is Direction.MT and not message.receipt_wanted):
        return None
    if not TOLD_BY.get(message.state, 0) & (ENDS if message.told is None else message.told):
        return None
    return own_wire_notice(platform, kind, message.account_id, message.id, message.state, at)


def own_wire_notice(
    platform: Platform, kind: str, account_id: int, subject: int, state: MessageState, at: datetime
) -> Job:
    """The delivery of a state over an account's own connection."""
    return Job(
        id=platform.ids.new_id(),
        kind=kind,
        account_id=account_id,
        subject=subject,
        payload={
            "event": EVENT_OF_STATE[state].value,
            "at": at.isoformat(),
            "target": "Bind",
            "target_id": 0,
            "way": "bind",
            "state": state.value,
        },
        state=JobState.WAITING,
        due_at=at + OWN_WIRE_PATIENCE,
        created_at=at,
    )


async def wanting(platform: Platform, account_id: int, name: EventName | None) -> Sequence[Subscription]:
    """The subscriptions in force of an account that want an event."""
    found = await platform.store.queries.subscriptions_in_force(account_id)
    return [one for one in found if name in one.events or _ALL in one.events] if found else ()


@dataclass(slots=True)
class HandedNotices:
    """Deliveries of a batch of messages, some of them with room in the queue of this process: those are
    written as running, and run from memory once they are committed."""

    platform: Platform
    jobs: dict[tuple[int, MessageState], list[Job]]
    handed: list[tuple[Job, Message]]

    def run(self, done: Committed) -> None:
        """The batch is committed."""
        handover = self.platform.handover
        for job, message in self.handed:
            if message.id in done.advanced:
                handover.run_job(job, message)
            else:
                handover.release_job(job.account_id)
        if sum(map(len, self.jobs.values())) > len(self.handed):
            self.platform.topics.publish("jobs")

    def release(self) -> None:
        """The batch was not committed."""
        for job, _ in self.handed:
            self.platform.handover.release_job(job.account_id)


async def notices_to_hand_over(platform: Platform, happened: Sequence[Message]) -> HandedNotices:
    """The deliveries for messages that come to their present state now, by message and state."""
    now, handover = platform.clock.now(), platform.handover
    made = HandedNotices(platform, {}, [])
    # Of two steps of one message only the pair can tell which really happened: those wait in the database.
    steps = Counter(message.id for message in happened)
    askers: dict[tuple[int, MessageState], Sequence[Subscription]] = {}
    for message in happened:
        name = EVENT_OF_STATE.get(message.state)
        asked = (message.account_id, message.state)
        if asked not in askers:
            askers[asked] = await wanting(platform, message.account_id, name)
        for subscription in askers[asked]:
            assert name is not None  # nobody wants what has no name
            room = steps[message.id] == 1 and handover.reserve_job(message.account_id)
            job = notice_job(platform, message, name, now, subscription, running=room)
            if room:
                made.handed.append((job, message))
            made.jobs.setdefault((message.id, message.state), []).append(job)
        if (own := own_wire_job(platform, message, now)) is not None:
            made.jobs.setdefault((message.id, message.state), []).append(own)
    return made


def notice_job(
    platform: Platform,
    message: Message,
    name: EventName,
    at: datetime,
    target: Subscription | Keyword | OwnNumber,
    way: str = "url",
    *,
    running: bool = False,
) -> Job:
    """The delivery of one event to one target; `way` is "url" or "email". A `running` one has its first
    attempt claimed from the start."""
    return Job(
        id=platform.ids.new_id(),
        kind=DELIVER,
        account_id=message.account_id,
        subject=message.id,
        payload={
            "event": name.value,
            "at": at.isoformat(),
            "target": type(target).__name__,
            "target_id": target.id,
            "way": way,
        },
        state=JobState.RUNNING if running else JobState.WAITING,
        due_at=at,
        created_at=at,
        attempts=1 if running else 0,
        claimed_until=at + CLAIM if running else None,
        claimed_by=platform.node if running else None,
    )


# --- telling it


async def deliver(platform: Platform, job: Job, message: Message | None = None) -> str:
    """Tell one target of one event; the returned words are the delivery's outcome.

    The target is looked up at this moment, so a corrected URL is used by the next try. `message` is the
    job's subject where it is known already. Raises Refusal (permanent) or CarrierError (temporary, or
    permanent).
    """
    if message is None:
        message = await platform.store.queries.message(job.account_id, job.subject)
    return await tell(platform, job, None if message is None else event_of(job, message))


async def deliveries(
    platform: Platform,
    kind: str,
    account_id: int,
    subject: int,
    name: EventName,
    at: datetime,
    about: Mapping[str, object],
) -> list[Job]:
    """Jobs of a kind that tell of one event: one for each subscription in force of an account that wants it;
    `about` says of what in `subject`."""
    return [
        Job(
            id=platform.ids.new_id(),
            kind=kind,
            account_id=account_id,
            subject=subject,
            payload={
                "event": name.value,
                "at": at.isoformat(),
                "target": "Subscription",
                "target_id": subscription.id,
                "way": "url",
                **about,
            },
            state=JobState.WAITING,
            due_at=at,
            created_at=at,
        )
        for subscription in await wanting(platform, account_id, name)
    ]


async def tell(platform: Platform, job: Job, event: Event | None) -> str:
    """The same, of an event that is known; None where what it was about is gone."""
    found = await _target(platform, job)
    if event is None or found is None:
        subject = "message" if job.kind == DELIVER else "call"
        return f"dropped: the {subject} or its target does not exist any more"
    dialect, target, subscription = found
    now = platform.clock.now()
    notice = platform.notices(dialect, event, target, now)
    match notice:
        case None:
            return f"dropped: the {dialect} dialect has no word for {event.name}"
        case Mail():
            await platform.mailer.send(notice)
            platform.metrics.notices["mailed"] += 1
            _keep(
                platform,
                job,
                dialect,
                event.name,
                f"mail to {notice.to}\n{notice.subject}\n\n{notice.body}",
                250,
                "",
                0,
            )
            return f"mailed to {notice.to}"
        case Outgoing():
            return await _request(platform, job, dialect, event.name, notice, subscription)


def event_of(job: Job, message: Message) -> MessageEvent:
    """The event that a delivery tells of: the message as it was at that moment."""
    name = EventName(str(job.payload["event"]))
    at = datetime.fromisoformat(str(job.payload["at"]))
    state = _STATE_OF_EVENT[name]
    if name is EventName.MESSAGE_ACCEPTED:
        first = state if message.send_at is None else MessageState.SCHEDULED
        message = message._replace(state=first, sent_at=None, **_UNFINISHED)
    elif state is not message.state:
        message = message._replace(state=state, **_UNFINISHED)
    return MessageEvent(f"evt_{job.id}", name, at, message)


async def _target(platform: Platform, job: Job) -> tuple[str, NoticeTarget, Subscription | None] | None:
    kind, target_id = str(job.payload["target"]), job.payload["target_id"]
    queries = platform.store.queries
    if kind == "Subscription":
        for subscription in await queries.subscriptions_in_force(job.account_id):
            if subscription.id == target_id:
                target = NoticeTarget(url=subscription.url, secret=subscription.secret)
                return subscription.dialect, target, subscription
        return None
    if kind == "Line":
        for line in await queries.lines(job.account_id):
            if line.id == target_id and line.notification_url:
                return LINE_DIALECT, NoticeTarget(url=line.notification_url), None
        return None
    owners: Sequence[Keyword | OwnNumber] = (
        await queries.keywords(job.account_id)
        if kind == "Keyword"
        else await queries.own_numbers(job.account_id)
    )
    for owner in owners:
        if owner.id == target_id:
            mail = job.payload["way"] == "email"
            return (
                owner.dialect,
                NoticeTarget(email=owner.email) if mail else NoticeTarget(url=owner.url),
                None,
            )
    return None


async def _request(
    platform: Platform,
    job: Job,
    dialect: str,
    verb: str,
    outgoing: Outgoing,
    subscription: Subscription | None,
) -> str:
    wire = f"{outgoing.method} {_shown(outgoing.url)}\n" + "".join(
        f"{k}: {v}\n" for k, v in outgoing.headers.items()
    )
    wire += "\n" + outgoing.body.decode("utf-8", "replace")
    try:
        answer = await platform.web.send(outgoing)
    except (Refusal, CarrierError) as error:
        words = error.detail if isinstance(error, Refusal) else error.code or str(error)
        _keep(platform, job, dialect, verb, wire, 0, words, 0)
        platform.metrics.notices["unreachable"] += 1
        raise
    body = answer.body.decode("utf-8", "replace")
    _keep(platform, job, dialect, verb, wire, answer.status, body, answer.duration_ms)
    taken = 200 <= answer.status < 300 or (outgoing.redirect_is_fine and 300 <= answer.status < 400)
    platform.metrics.notices["taken" if taken else "refused"] += 1
    if taken:
        return f"answered {answer.status}"
    if answer.status == 410 and subscription is not None:
        # Standard Webhooks 1.0: 410 Gone means "do not call again".
        gone = Update(Subscription, subscription.id, job.account_id, {"disabled_at": platform.clock.now()})
        await platform.store.commit(Changes(update=[gone]))
        raise Refusal(Fault.NOT_FOUND, "answered 410 Gone; the subscription is disabled")
    pause = answer.headers.get("retry-after", "")
    raise CarrierError(
        CarrierErrorKind.TEMPORARY,
        Fault.CARRIER_UNAVAILABLE,
        f"answered {answer.status}",
        float(pause) if pause.isascii() and pause.isdigit() and len(pause) < 6 else None,
    )


def _shown(url: str) -> str:
    """An address as it is kept: a customer's credentials in it are his."""
    head, mark, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return f"{head}{mark}***@{place.rpartition('@')[2]}{slash}{path}" if "@" in place else url


def _keep(
    platform: Platform, job: Job, dialect: str, verb: str, wire: str, status: int, answer: str, took: int
) -> None:
    exchange = Exchange(
        id=platform.ids.new_id(),
        account_id=job.account_id,
        at=platform.clock.now(),
        dialect=dialect,
        verb=verb,
        outgoing=True,
        status=status,
        request=wire[:16_384],
        answer=answer[:16_384],
        duration_ms=took,
        job_id=job.id,
    )
    platform.store.note(exchange)


# --- subscriptions


def check_url(url: str, field: str = "url") -> str:
    """A customer's URL that can at all be called; whether its address may be is decided at each call."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or len(url) > 2000 or not url.isprintable() or " " in url:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{url[:100]!r} is not an http or https address that can be called",
            field,
        )
    return url


def check_dialect(platform: Platform, dialect: str) -> str:
    """A dialect in whose manner notices can be told; a slip of the pen would drop them all in silence."""
    if not platform.notices.knows(dialect):
        raise Refusal(Fault.INVALID_PARAMETER, f"{dialect!r} is no dialect that is served here", "dialect")
    return dialect


def _check_events(events: Sequence[str]) -> tuple[str, ...]:
    known = {str(name) for name in EventName} | {_ALL}
    for name in events:
        if name not in known:
            raise Refusal(
                Fault.INVALID_PARAMETER,
                f"{name!r} is no event; known are {', '.join(sorted(known))}",
                "events",
            )
    if not events:
        raise Refusal(Fault.MISSING_PARAMETER, "a subscription needs at least one event, or '*'", "events")
    return tuple(dict.fromkeys(events))


async def subscribe(platform: Platform, caller: Caller, command: Subscribe) -> Subscription:
    """A new subscription with a secret of its own that signs its notices."""
    if len(await platform.store.queries.subscriptions(caller.account_id)) >= 50:
        raise Refusal(Fault.INVALID_PARAMETER, "an account has at most 50 subscriptions; remove one first")
    subscription = Subscription(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=caller.account_id,
        dialect=check_dialect(platform, command.dialect),
        url=check_url(command.url),
        events=_check_events(command.events),
        secret=new_secret(platform),
        created_at=platform.clock.now(),
    )
    await platform.store.commit(Changes(insert=[subscription]))
    return subscription


def new_secret(platform: Platform) -> str:
    """A signing secret: `whsec_` and 32 random bytes in base 64 (Standard Webhooks 1.0)."""
    return "whsec_" + b64encode(platform.ids.secret(32)).decode()


async def list_subscriptions(
    platform: Platform, caller: Caller, command: ListSubscriptions
) -> tuple[Subscription, ...]:
    """All subscriptions of the account, oldest first."""
    return await platform.store.queries.subscriptions(caller.account_id)


async def find_subscription(platform: Platform, caller: Caller, command: FindSubscription) -> Subscription:
    """One subscription. Raises Refusal `not_found`."""
    for subscription in await platform.store.queries.subscriptions(caller.account_id):
        if subscription.ref == command.ref:
            return subscription
    raise Refusal(Fault.NOT_FOUND, f"there is no subscription {command.ref}")


async def change_subscription(
    platform: Platform, caller: Caller, command: ChangeSubscription
) -> Subscription:
    """Change where a subscription goes, what it tells, or enable it again."""
    subscription = await find_subscription(platform, caller, FindSubscription(command.ref))
    values: dict[str, object] = {}
    if command.url is not None:
        values["url"] = check_url(command.url)
    if command.events is not None:
        values["events"] = _check_events(command.events)
    if command.enabled is not None:
        values["disabled_at"] = None if command.enabled else platform.clock.now()
    if values:
        update = Update(Subscription, subscription.id, caller.account_id, values)
        await platform.store.commit(Changes(update=[update]))
    return await find_subscription(platform, caller, FindSubscription(command.ref))


async def unsubscribe(platform: Platform, caller: Caller, command: Unsubscribe) -> None:
    """Remove a subscription; what it still had to tell is dropped."""
    subscription = await find_subscription(platform, caller, FindSubscription(command.ref))
    await platform.store.commit(Changes(delete=[Delete(Subscription, subscription.id, caller.account_id)]))


# --- deliveries


async def list_deliveries(platform: Platform, caller: Caller, command: ListDeliveries) -> Page[Job]:
    """A page of deliveries, newest first."""
    if command.state and command.state not in [str(state) for state in JobState]:
        raise Refusal(Fault.INVALID_PARAMETER, f"{command.state!r} is no state of a delivery", "state")
    limit = max(1, min(command.limit, 100))
    found = await platform.store.queries.deliveries(
        caller.account_id, command.state, command.cursor, limit + 1
    )
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


async def replay_delivery(platform: Platform, caller: Caller, command: ReplayDelivery) -> Job:
    """Tell it again now, with all tries before it."""
    job = await platform.store.queries.delivery(caller.account_id, command.id)
    if job is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no delivery {command.id}")
    now = platform.clock.now()
    values = {"state": JobState.WAITING, "due_at": now, "attempts": 0, "claimed_until": None, "done_at": None}
    again = Update(Job, job.id, caller.account_id, values, {"state": job.state})
    if job.state is JobState.RUNNING:
        raise Refusal(Fault.TOO_LATE, f"delivery {job.id} is being made at this moment")
    await platform.store.commit(Changes(update=[again]))
    platform.topics.publish("jobs")
    return await platform.store.queries.delivery(caller.account_id, command.id) or job
