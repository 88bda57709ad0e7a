"""Who is told of what happens to calls, and what they are told."""

from collections.abc import Sequence
from datetime import datetime

from chappe.model.calls import Call, CallKind, CallStory, Leg, Recording
from chappe.model.events import CallHappened, EventName
from chappe.model.jobs import Job, lane_of
from chappe.services import callbacknotices, subscriptions
from chappe.services.handover import Handed
from chappe.services.ports import Platform

DELIVER = "deliver_call"
"""The kind of job that tells somebody of one event."""


async def notices(
    platform: Platform,
    call: Call,
    name: EventName,
    at: datetime,
    leg: Leg | None = None,
    recording: Recording | None = None,
) -> list[Job]:
    """The deliveries of one event: one for each subscription in force of the call's account that wants it.
    They wait in the database, and so does what is told of the call after them."""
    jobs = await _deliveries(platform, call, name, at, leg, recording)
    for job in jobs:
        platform.handover.leave_to_database(lane_of(job))
    return jobs


async def hand(
    platform: Platform,
    handed: Handed,
    story: CallStory,
    name: EventName,
    at: datetime,
    leg: Leg | None = None,
) -> None:
    """The same of a call that is live here, `story` being how it is now: they are told from memory where
    there is room."""
    jobs = await _deliveries(platform, story.call, name, at, leg)
    if jobs:
        story = story.as_of(at)
        leg = next((one for one in story.legs if leg is not None and one.id == leg.id), None)
        for job in jobs:
            handed.add(job, CallHappened(f"evt_{job.id}", name, at, story, leg))
    if name is EventName.CALL_ANSWERED and story.call.kind is CallKind.CALLBACK:
        handed.jobs += await callbacknotices.joined(platform, story.call, at)


async def _deliveries(
    platform: Platform,
    call: Call,
    name: EventName,
    at: datetime,
    leg: Leg | None = None,
    recording: Recording | None = None,
) -> list[Job]:
    about = {
        "leg": None if leg is None else leg.id,
        "recording": None if recording is None else recording.id,
    }
    return await subscriptions.deliveries(platform, DELIVER, call.account_id, call.id, name, at, about)


def written(platform: Platform, call: Call, handed: Handed) -> None:
    """The deliveries are written: they are made, and the screens that show the account's calls change."""
    handed.run()
    if handed.wait:
        platform.topics.publish("jobs")
    platform.topics.publish(f"account.{call.account_id}")


def ring(platform: Platform, call: Call, jobs: Sequence[Job]) -> None:
    """Wake the queue where somebody is to be told, and the screens that show the account's calls."""
    if jobs:
        platform.topics.publish("jobs")
    platform.topics.publish(f"account.{call.account_id}")


async def deliver(platform: Platform, job: Job, event: CallHappened | None = None) -> str:
    """Tell one target of one event, which may be known already; see subscriptions.deliver."""
    if event is None:
        event = await event_of(platform, job)
    return await subscriptions.tell(platform, job, event)


async def event_of(platform: Platform, job: Job) -> CallHappened | None:
    """The event that a delivery tells of, the call as it was then; None where the call, or its
    recording, is gone."""
    call = await platform.store.queries.call(job.account_id, job.subject)
    if call is None:
        return None
    at = datetime.fromisoformat(str(job.payload["at"]))
    legs = await platform.store.queries.legs_of(job.account_id, [call.id])
    story = CallStory(call, legs).as_of(at)
    leg = next((one for one in story.legs if one.id == job.payload["leg"]), None)
    recording = None
    if recording_id := job.payload.get("recording"):
        recording = await platform.store.queries.recording(job.account_id, int(str(recording_id)))
        if recording is None:
            return None
    return CallHappened(f"evt_{job.id}", EventName(str(job.payload["event"])), at, story, leg, recording)
