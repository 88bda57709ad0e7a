"""Callbacks as they are told, and who is told of what happens to them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chappe.model.callbacks import FINAL, CallbackRequest, CallbackState, CallbackStory
from chappe.model.calls import Call, CallStory
from chappe.model.events import CallbackHappened, EventName
from chappe.model.jobs import Job
from chappe.services import subscriptions
from chappe.services.ports import Platform

DELIVER = "deliver_callback"
"""The kind of job that tells somebody of one event of a callback."""


async def story_of(platform: Platform, request: CallbackRequest) -> CallbackStory | None:
    """A request with its form and the call of its last attempt; None where its form is gone."""
    queries, account_id = platform.store.queries, request.account_id
    form = await queries.callback_form(account_id, request.form_id)
    if form is None:
        return None
    call = None if request.call_id is None else await queries.call(account_id, request.call_id)
    if call is None:
        return CallbackStory(request, form)
    legs = await queries.legs_of(account_id, [call.id])
    return CallbackStory(request, form, CallStory(call, legs))


async def notices(platform: Platform, request: CallbackRequest, name: EventName, at: datetime) -> list[Job]:
    """The deliveries of one event of a request as it is now: one for each subscription in force of the
    account that wants it."""
    about = {"state": request.state.value}
    return await subscriptions.deliveries(platform, DELIVER, request.account_id, request.id, name, at, about)


async def joined(platform: Platform, call: Call, at: datetime) -> list[Job]:
    """The deliveries for a callback whose two sides speak now."""
    request = await platform.store.queries.callback_of_call(call.account_id, call.id)
    return [] if request is None else await notices(platform, request, EventName.CALLBACK_ANSWERED, at)


async def deliver(platform: Platform, job: Job) -> str:
    """Tell one target of one event; see subscriptions.deliver."""
    return await subscriptions.tell(platform, job, await event_of(platform, job))


async def event_of(platform: Platform, job: Job) -> CallbackHappened | None:
    """The event that a delivery tells of, the request as it was then; None where it is gone."""
    request = await platform.store.queries.callback(job.account_id, job.subject)
    story = None if request is None else await story_of(platform, request)
    if story is None:
        return None
    name, at = EventName(str(job.payload["event"])), datetime.fromisoformat(str(job.payload["at"]))
    state = CallbackState(str(job.payload["state"]))
    then = replace(story.request, state=state)
    if state not in FINAL:
        then = replace(then, operator="", ring_seconds=0, talk_seconds=0, price=0, cause="", over_at=None)
    call = None if story.call is None else story.call.as_of(at)
    return CallbackHappened(f"evt_{job.id}", name, at, CallbackStory(then, story.form, call))


def ring(platform: Platform, request: CallbackRequest, jobs: Sequence[Job]) -> None:
    """Wake the queue where there is something to do, and the screens that show the account's callbacks."""
    if jobs:
        platform.topics.publish("jobs")
    platform.topics.publish(f"account.{request.account_id}")
