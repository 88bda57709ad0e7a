"""Conferences with their participants as they are told, and who is told of what happens to them."""

from collections.abc import Sequence
from datetime import datetime

from chappe.model.conferences import Attendance, Conference, ConferenceStory, Participant, participant_of
from chappe.model.events import ConferenceHappened, EventName
from chappe.model.jobs import Job
from chappe.services import subscriptions
from chappe.services.ports import Platform

DELIVER = "deliver_conference"
"""The kind of job that tells somebody of one event of a conference."""


async def story_of(platform: Platform, conference: Conference) -> ConferenceStory:
    """A conference with its participants and their last legs."""
    queries, account_id = platform.store.queries, conference.account_id
    participants = await queries.participants_of(account_id, conference.id)
    call_id = conference.call_id
    legs = () if call_id is None else await queries.legs_of(account_id, [call_id])
    talking: frozenset[str] = frozenset()
    if call_id is not None and platform.live_calls.is_connected:
        talking = frozenset(map(participant_of, platform.live_calls.board.talking(call_id)))
    last = {participant_of(leg.name): leg for leg in legs}
    present = tuple(Attendance(one, last.get(one.ref), one.ref in talking) for one in participants)
    return ConferenceStory(conference, present, sum(leg.price for leg in legs))


async def notices(
    platform: Platform,
    conference: Conference,
    name: EventName,
    at: datetime,
    participant: Participant | None = None,
) -> list[Job]:
    """The deliveries of one event: one for each subscription in force of the account that wants it."""
    about = {"participant": None if participant is None else participant.id}
    return await subscriptions.deliveries(
        platform, DELIVER, conference.account_id, conference.id, name, at, about
    )


async def deliver(platform: Platform, job: Job) -> str:
    """Tell one target of one event; see subscriptions.deliver."""
    return await subscriptions.tell(platform, job, await event_of(platform, job))


async def event_of(platform: Platform, job: Job) -> ConferenceHappened | None:
    """The event that a delivery tells of, the conference as it was then; None where it is gone."""
    conference = await platform.store.queries.conference(job.account_id, job.subject)
    if conference is None:
        return None
    name, at = EventName(str(job.payload["event"])), datetime.fromisoformat(str(job.payload["at"]))
    story = (await story_of(platform, conference)).as_of(at)
    about = next((one for one in story.present if one.participant.id == job.payload["participant"]), None)
    return ConferenceHappened(f"evt_{job.id}", name, at, story, about)


def ring(platform: Platform, conference: Conference, jobs: Sequence[Job]) -> None:
    """Wake the queue where somebody is to be told, and the screens that show the account's conferences."""
    if jobs:
        platform.topics.publish("jobs")
    platform.topics.publish(f"account.{conference.account_id}")
