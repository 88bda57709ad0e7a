"""Who is told of what, how often, and how it is signed."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chappe.model.announcements import SendAnnouncement
from chappe.model.callbacks import CancelCallback, CreateForm, RequestCallback
from chappe.model.commands import (
    CancelMessages,
    ChangeSubscription,
    ClaimNumber,
    FindSubscription,
    HangUpCall,
    ListDeliveries,
    ListSubscriptions,
    PlaceCall,
    RecordCall,
    ReplayDelivery,
    SetBehaviour,
    Subscribe,
    Unsubscribe,
)
from chappe.model.conferences import AccessMode, CreateConference, EndConference, NewParticipant
from chappe.model.directory import Subscription
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.model.events import EventName
from chappe.model.jobs import Job, JobState
from chappe.model.ringgroups import NewOperator, PutRingGroup, RingOrder
from chappe.model.sounds import Speech
from chappe.services import (
    announcements,
    callbackforms,
    callbacks,
    calls,
    conferences,
    inbox,
    messages,
    ringgroups,
    sandbox,
    steering,
    subscriptions,
)
from chappe.services.accounts import NewAccount
from tests.platform import World, caller
from tests.services.asking import behave, from_phone, send_one, subscribe

HOOK = "https://shop.example/hook"
FIRST, SECOND = "33639980001", "33639980002"


def told(world: World) -> list[dict[str, Any]]:
    """The bodies that customers' servers were sent, oldest first."""
    return [json.loads(outgoing.body) for outgoing in world.web.sent]


def names(world: World) -> list[str]:
    return [body["type"] for body in told(world)]


async def deliveries(world: World, new: NewAccount) -> tuple[Job, ...]:
    """Oldest first."""
    page = await subscriptions.list_deliveries(world.platform, caller(new), ListDeliveries(limit=100))
    return page.items[::-1]


async def live_through(world: World, new: NewAccount, event: EventName) -> None:
    """One message, or one call, that comes to the state which the event tells of."""
    match event:
        case EventName.MESSAGE_UNDELIVERED:
            await behave(world, new, receipt="undelivered")
        case EventName.MESSAGE_EXPIRED:
            await behave(world, new, receipt="expired")
        case EventName.MESSAGE_FAILED:
            await behave(world, new, refuse="permanent")
        case EventName.MESSAGE_CANCELLED:
            later = await send_one(world, new, send_at=world.clock.now() + timedelta(hours=1))
            await messages.cancel(world.platform, caller(new), CancelMessages((later.ref,)))
            return
        case EventName.MESSAGE_RECEIVED:
            (own,) = await world.platform.store.queries.own_numbers(new.account.id)
            await from_phone(world, new, own.number, "hello")
            return
        case _ if event.startswith("conference."):
            # So that each happens once: one comes in without a key, and everybody is sent away.
            await sandbox.set_behaviour(world.platform, caller(new), SetBehaviour(FIRST, {"call": "answer"}))
            named = [NewParticipant(FIRST, dials=True, confirms=False)]
            asked = CreateConference(AccessMode.NONE, participants=named)
            story = await conferences.create(world.platform, caller(new), asked)
            await world.settle()
            await conferences.end(world.platform, caller(new), EndConference(story.conference.ref))
            await world.settle()
            return
        case _ if event.startswith("callback."):
            await ask_to_be_called(world, new, event)
            return
        case _ if event.startswith("announcement."):
            await sandbox.set_behaviour(world.platform, caller(new), SetBehaviour(FIRST, {"call": "busy"}))
            told = SendAnnouncement((FIRST,), Speech("Votre colis est arrivé."))
            await announcements.send(world.platform, caller(new), told)
            await world.settle()
            await world.wait(2)
            return
        case EventName.RECORDING_ENDED:
            for number in (FIRST, SECOND):
                await sandbox.set_behaviour(
                    world.platform, caller(new), SetBehaviour(number, {"call": "answer"})
                )
            placed = await calls.place(world.platform, caller(new), PlaceCall(FIRST, SECOND))
            await world.settle()
            await steering.record(world.platform, caller(new), RecordCall(placed.call.ref, True))
            await world.wait(2)
            await calls.hang_up(world.platform, caller(new), HangUpCall(placed.call.ref))
            await world.wait(1)
            return
        case _ if event.startswith(("call.", "leg.")):
            # So that each happens once: the first rejects; or it answers, and the second is away, or answers.
            first = {EventName.LEG_ANSWERED: "answer", EventName.CALL_ANSWERED: "answer"}.get(event, "reject")
            second = "answer" if event is EventName.CALL_ANSWERED else "unreachable"
            for number, does in ((FIRST, first), (SECOND, second)):
                behaviour = SetBehaviour(number, {"call": does})
                await sandbox.set_behaviour(world.platform, caller(new), behaviour)
            await calls.place(world.platform, caller(new), PlaceCall(FIRST, SECOND))
            await world.settle()
            return
    await send_one(world, new)


async def ask_to_be_called(world: World, new: NewAccount, event: EventName) -> None:
    """A visitor of a form asks, once; the operator is busy, or answers where both are to be joined."""
    platform, who = world.platform, caller(new)
    answers = event is EventName.CALLBACK_ANSWERED
    for number, how in (
        (FIRST, {"call": "answer" if answers else "busy"}),
        (SECOND, {"call": "answer", "say": "please call me back " * 40, "hang_up_after_ms": 40_000}),
    ):
        await sandbox.set_behaviour(platform, who, SetBehaviour(number, how))
    await ringgroups.put(platform, who, PutRingGroup("sales", RingOrder.FIXED, [NewOperator(FIRST, 20)]))
    mailbox = "shop@example.com" if event is EventName.CALLBACK_LEFT_MESSAGE else ""
    await callbackforms.create(platform, who, CreateForm("Shop", {"open_group": "sales", "mailbox": mailbox}))
    later = timedelta(hours=1) if event is EventName.CALLBACK_CANCELLED else None
    asked = await callbacks.request(platform, who, RequestCallback("1", SECOND, delay=later))
    if later is not None:
        await callbacks.cancel(platform, who, CancelCallback(asked.request.ref))
        return
    await world.settle()
    await world.wait(90)


# --- what is told


@pytest.mark.parametrize("event", EventName)
async def test_a_subscription_is_told_of_the_events_it_wants_and_no_other(
    world: World, event: EventName
) -> None:
    new, other = await world.account(), await world.account("other")
    await subscribe(world, new, event, url=f"{HOOK}/one")
    await subscribe(world, new, url=f"{HOOK}/all")
    await subscribe(world, new, *(name for name in EventName if name is not event), url=f"{HOOK}/others")
    await subscribe(world, other, url=f"{HOOK}/other")
    await live_through(world, new, event)
    await world.settle()
    by_url: dict[str, list[str]] = {}
    for outgoing, name in zip(world.web.sent, names(world), strict=True):
        by_url.setdefault(outgoing.url.rsplit("/", 1)[1], []).append(name)
    assert by_url["one"] == [event]
    assert event in by_url["all"] and event not in by_url.get("others", [])
    assert sorted(by_url["one"] + by_url.get("others", [])) == sorted(by_url["all"])
    assert "other" not in by_url


async def test_a_notice_says_what_happened(world: World) -> None:
    new = await world.account()
    await subscribe(world, new, "message.failed")
    await behave(world, new, refuse="permanent")
    message = await send_one(world, new, reference="order 7")
    await world.settle()
    (body,) = told(world)
    assert datetime.fromisoformat(body["timestamp"]) == world.clock.now()
    data = body["data"]
    assert (data["id"], data["state"], data["reference"]) == (message.ref, "failed", "order 7")
    assert data["error"] == {"code": "carrier_rejected", "carrier_code": "ESME_RINVDSTADR"}


async def test_what_is_told_late_is_the_state_of_its_event(world: World) -> None:
    new = await world.account()
    await subscribe(world, new)
    world.web.answers = [503]
    await behave(world, new, receipt="expired")
    await send_one(world, new)
    later = await send_one(world, new, send_at=world.clock.now() + timedelta(hours=1))
    await world.settle()
    await messages.cancel(world.platform, caller(new), CancelMessages((later.ref,)))
    await world.settle()
    world.web.sent.clear()
    world.web.answers = [200]
    world.clock.move(minutes=5)
    await world.settle()
    seen = {
        (body["type"], body["data"]["state"], body["data"]["finished_at"] is None) for body in told(world)
    }
    assert seen == {
        ("message.accepted", "queued", True),
        ("message.sent", "sent", True),
        ("message.expired", "expired", False),
        ("message.accepted", "scheduled", True),
        ("message.cancelled", "cancelled", False),
    }
    for body in told(world):
        assert (body["data"]["sent_at"] is None) == (body["data"]["state"] not in ("sent", "expired"))
        assert body["data"]["error"] is None or body["data"]["state"] == "expired"


async def test_the_signature_is_verified_by_the_public_library(world: World) -> None:
    new = await world.account()
    made = await subscribe(world, new, "message.accepted")
    now = datetime.now(world.clock.now().tzinfo)  # the library compares with the machine's clock
    world.clock.at = now
    await send_one(world, new, text="Où ça ? 😀")
    await world.settle()
    (outgoing,) = world.web.sent
    body = Webhook(made.secret).verify(outgoing.body, dict(outgoing.headers))
    assert body["data"]["text"] == "Où ça ? 😀"
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(outgoing.body + b" ", dict(outgoing.headers))
    other = await subscribe(world, new)
    with pytest.raises(WebhookVerificationError):
        Webhook(other.secret).verify(outgoing.body, dict(outgoing.headers))


# --- retries


async def test_ten_tries_over_three_days_then_dead_then_replayed(world: World) -> None:
    new = await world.account()
    made = await subscribe(world, new, "message.accepted")
    world.web.answers = [500]
    await send_one(world, new)
    started, tried = world.clock.now(), []
    await world.settle()
    for _ in range(20):
        tried.append(len(world.web.sent))
        (job,) = await deliveries(world, new)
        if job.state is JobState.DEAD:
            break
        world.clock.at = job.due_at - timedelta(seconds=1)
        await world.settle()
        assert len(world.web.sent) == tried[-1]
        world.clock.at = job.due_at
        await world.settle()
    assert tried == list(range(1, 11))
    assert timedelta(hours=75) <= world.clock.now() - started <= timedelta(hours=76)
    assert (job.attempts, job.outcome) == (10, "given up after 10 tries: answered 500")
    assert len({outgoing.headers["webhook-id"] for outgoing in world.web.sent}) == 1
    stamps = {outgoing.headers["webhook-timestamp"] for outgoing in world.web.sent}
    assert len(stamps) == 10 and len({outgoing.body for outgoing in world.web.sent}) == 1
    world.clock.move(days=1)
    await world.settle()
    assert len(world.web.sent) == 10

    change = ChangeSubscription(made.ref, url="https://shop.example/right")
    await subscriptions.change_subscription(world.platform, caller(new), change)
    world.web.answers = [204]
    again = await subscriptions.replay_delivery(world.platform, caller(new), ReplayDelivery(job.id))
    assert (again.state, again.attempts) == (JobState.WAITING, 0)
    await world.settle()
    assert world.web.sent[-1].url == "https://shop.example/right"
    assert world.web.sent[-1].headers["webhook-id"] == world.web.sent[0].headers["webhook-id"]
    (job,) = await deliveries(world, new)
    assert (job.state, job.outcome) == (JobState.DONE, "answered 204")


@pytest.mark.parametrize("trouble", [400, 404, 429, 500, 301, 302, CarrierError])
async def test_any_other_answer_is_tried_again(world: World, trouble: object) -> None:
    new = await world.account()
    await subscribe(world, new, "message.accepted")
    away = CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "no answer")
    world.web.answers = [trouble if isinstance(trouble, int) else away, 200]
    await send_one(world, new)
    await world.settle()
    (job,) = await deliveries(world, new)
    assert (job.state, job.due_at) == (JobState.WAITING, world.clock.now() + timedelta(seconds=5))
    world.clock.move(seconds=5)
    await world.settle()
    (job,) = await deliveries(world, new)
    assert (job.state, job.attempts) == (JobState.DONE, 2)


async def test_a_forbidden_address_is_not_tried_again(world: World) -> None:
    new = await world.account()
    await subscribe(world, new, "message.accepted")
    world.web.answers = [Refusal(Fault.DESTINATION_FORBIDDEN, "10.0.0.1 may not be called")]
    await send_one(world, new)
    await world.settle()
    (job,) = await deliveries(world, new)
    assert job.state is JobState.DEAD and "10.0.0.1" in job.outcome


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120", 120), ("1", 5), ("0", 5), ("-5", 5), ("soon", 5), ("99999", 86_400), ("9" * 400, 5), ("²", 5)],
)
async def test_retry_after_lengthens_the_pause(sandbox_world: World, written: str, seconds: int) -> None:
    world = sandbox_world
    new = await world.account()
    await subscribe(world, new, "message.accepted")
    world.web.answers, world.web.headers = [429], {"retry-after": written}
    await send_one(world, new)
    await world.settle()
    (job,) = await deliveries(world, new)
    assert job.due_at - world.clock.now() == timedelta(seconds=seconds)


async def test_410_disables_a_subscription_and_enabling_it_tells_again(world: World) -> None:
    new = await world.account()
    made = await subscribe(world, new, "message.accepted", "message.sent")
    world.web.answers = [410]
    await send_one(world, new)
    await world.chappe.queue.step()
    found = await subscriptions.find_subscription(world.platform, caller(new), FindSubscription(made.ref))
    assert found.disabled_at == world.clock.now()
    await world.settle()
    await send_one(world, new)
    await world.settle()
    assert len(world.web.sent) == 1
    (job,) = await deliveries(world, new)
    assert job.state is JobState.DEAD and "410" in job.outcome

    world.web.answers = [200]
    change = ChangeSubscription(made.ref, enabled=True)
    assert (await subscriptions.change_subscription(world.platform, caller(new), change)).disabled_at is None
    await subscriptions.replay_delivery(world.platform, caller(new), ReplayDelivery(job.id))
    await world.settle()
    assert names(world)[1:] == ["message.accepted"]
    await send_one(world, new)
    await world.settle()
    assert sorted(names(world)[2:]) == ["message.accepted", "message.sent"]


async def test_410_of_a_number_s_url_is_given_up_as_well(world: World) -> None:
    """A number cannot be disabled; the notice is tried again like after any error."""
    new = await world.account()
    (own,) = await world.platform.store.queries.own_numbers(new.account.id)
    await inbox.claim_number(world.platform, caller(new), ClaimNumber(own.number, url=HOOK))
    world.web.answers = [410, 200]
    await from_phone(world, new, own.number, "hello")
    await world.settle()
    world.clock.move(seconds=5)
    await world.settle()
    (job,) = await deliveries(world, new)
    assert (job.state, job.attempts) == (JobState.DONE, 2)


async def test_what_was_removed_is_not_told(world: World) -> None:
    new = await world.account()
    made = await subscribe(world, new)
    await send_one(world, new)
    await subscriptions.unsubscribe(world.platform, caller(new), Unsubscribe(made.ref))
    await world.settle()
    assert world.web.sent == []
    assert all(job.outcome.startswith("dropped") for job in await deliveries(world, new))


async def test_every_try_is_kept_as_an_exchange(world: World) -> None:
    new = await world.account()
    await subscribe(world, new, "message.accepted")
    world.web.answers = [503, 200]
    await send_one(world, new)
    await world.settle()
    world.clock.move(seconds=5)
    await world.settle()
    (job,) = await deliveries(world, new)
    kept = await world.platform.store.queries.exchanges_of_jobs(new.account.id, [job.id])
    assert [(one.status, one.outgoing, one.verb) for one in kept] == [
        (503, True, "message.accepted"),
        (200, True, "message.accepted"),
    ]
    assert all(one.request.startswith(f"POST {HOOK}") for one in kept)


# --- the subscriptions themselves


@pytest.mark.parametrize(
    ("url", "events", "dialect", "field"),
    [
        ("", ("*",), "rest", "url"),
        ("shop.example", ("*",), "rest", "url"),
        ("ftp://shop.example/", ("*",), "rest", "url"),
        ("http://", ("*",), "rest", "url"),
        ("http://[::1", ("*",), "rest", "url"),
        ("http://shop.example:0/", ("*",), "rest", "url"),
        ("http://shop.example:99999/", ("*",), "rest", "url"),
        ("http://shop.example/a b", ("*",), "rest", "url"),
        ("http://shop.example/\n", ("*",), "rest", "url"),
        ("http://shop.example/\ud800", ("*",), "rest", "url"),
        ("http://shop.example/" + "x" * 2000, ("*",), "rest", "url"),
        (HOOK, (), "rest", "events"),
        (HOOK, ("message.read",), "rest", "events"),
        (HOOK, ("message.sent", ""), "rest", "events"),
        (HOOK, ("*",), "klingon", "dialect"),
    ],
)
async def test_subscriptions_that_cannot_be_made(
    sandbox_world: World, url: str, events: tuple[str, ...], dialect: str, field: str
) -> None:
    new = await sandbox_world.account()
    with pytest.raises(Refusal) as found:
        await subscriptions.subscribe(sandbox_world.platform, caller(new), Subscribe(url, events, dialect))
    assert found.value.field == field
    assert await sandbox_world.platform.store.queries.subscriptions(new.account.id) == ()


async def test_subscriptions_of_another_account_do_not_exist(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    theirs = await subscribe(world, two)
    await send_one(world, two)
    (job,) = await deliveries(world, two)
    mine = caller(one)
    for ref, number in ((theirs.ref, job.id), ("nothing", 4711)):
        for service, command in (
            (subscriptions.find_subscription, FindSubscription(ref)),
            (subscriptions.change_subscription, ChangeSubscription(ref, enabled=False)),
            (subscriptions.unsubscribe, Unsubscribe(ref)),
            (subscriptions.replay_delivery, ReplayDelivery(number)),
        ):
            with pytest.raises(Refusal) as found:
                await service(world.platform, mine, command)  # type: ignore[operator]
            assert found.value.fault is Fault.NOT_FOUND
    assert await subscriptions.list_subscriptions(world.platform, mine, ListSubscriptions()) == ()
    assert await deliveries(world, one) == ()
    kept: Subscription = await subscriptions.find_subscription(
        world.platform, caller(two), FindSubscription(theirs.ref)
    )
    assert kept == theirs


async def test_a_delivery_that_is_being_made_cannot_be_replayed(world: World) -> None:
    new = await world.account()
    await subscribe(world, new, "message.accepted")
    await send_one(world, new)
    now = world.clock.now()
    (running,) = await world.platform.store.claim_jobs(now, now + timedelta(minutes=5), 10)
    with pytest.raises(Refusal) as found:
        await subscriptions.replay_delivery(world.platform, caller(new), ReplayDelivery(running.id))
    assert found.value.fault is Fault.TOO_LATE
    assert len(world.web.sent) == 0


async def test_two_workers_at_once_tell_once(world: World) -> None:
    new = await world.account()
    await subscribe(world, new, "message.accepted")
    for _ in range(5):
        await send_one(world, new)
    await asyncio.gather(*(world.chappe.queue.step() for _ in range(4)))
    assert len(world.web.sent) == len({outgoing.headers["webhook-id"] for outgoing in world.web.sent}) == 5


@pytest.mark.parametrize(
    ("url", "kept_as"),
    [
        ("https://user:p%40ss@shop.example/a@b?c=d", "POST https://***@shop.example/a@b?c=d\n"),
        ("https://shop.example/a@b", "POST https://shop.example/a@b\n"),
    ],
)
async def test_credentials_in_an_address_are_not_kept(world: World, url: str, kept_as: str) -> None:
    new = await world.account()
    await subscribe(world, new, "message.accepted", url=url)
    await send_one(world, new)
    await world.settle()
    (job,) = await deliveries(world, new)
    assert world.web.sent[0].url == url
    (kept,) = await world.platform.store.queries.exchanges_of_jobs(new.account.id, [job.id])
    assert kept.request.startswith(kept_as)
