"""Announcements as they are told, and who is told of what happens to them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chappe.model.announcements import (
    Announcement,
    AnnouncementState,
    AnnouncementStory,
    Count,
    Recipient,
)
from chappe.model.events import AnnouncementHappened, EventName
from chappe.model.jobs import Job
from chappe.services import subscriptions
from chappe.services.ports import Platform

DELIVER = "deliver_announcement"
"""The kind of job that tells somebody of one event of an announcement."""


async def story_of(platform: Platform, announcement: Announcement) -> AnnouncementStory:
    """An announcement with how its recipients stand."""
    queries = platform.store.queries
    counts = await queries.count_recipients(announcement.account_id, [announcement.id])
    return AnnouncementStory(announcement, counts.get(announcement.id, Count({})))


async def notices(
    platform: Platform,
    announcement: Announcement,
    name: EventName,
    at: datetime,
    recipient: Recipient | None = None,
) -> list[Job]:
    """The deliveries of one event: one for each subscription in force of the account that wants it."""
    about = {"recipient": None if recipient is None else recipient.id}
    return await subscriptions.deliveries(
        platform, DELIVER, announcement.account_id, announcement.id, name, at, about
    )


async def deliver(platform: Platform, job: Job) -> str:
    """Tell one target of one event; see subscriptions.deliver."""
    return await subscriptions.tell(platform, job, await event_of(platform, job))


async def event_of(platform: Platform, job: Job) -> AnnouncementHappened | None:
    """The event that a delivery tells of, with the announcement as it was then, but for the counts of its
    recipients, which are today's; None where it is gone."""
    queries = platform.store.queries
    announcement = await queries.announcement(job.account_id, job.subject)
    if announcement is None:
        return None
    at, name = datetime.fromisoformat(str(job.payload["at"])), EventName(str(job.payload["event"]))
    if announcement.over_at is not None and announcement.over_at > at:
        announcement = replace(announcement, over_at=None, state=AnnouncementState.RUNNING)
    recipient = None
    if recipient_id := job.payload.get("recipient"):
        recipient = await queries.recipient(job.account_id, int(str(recipient_id)))
        # Who waits for one of thousands need not have all of them counted.
        story = AnnouncementStory(announcement, Count({}))
    else:
        story = await story_of(platform, announcement)
    return AnnouncementHappened(f"evt_{job.id}", name, at, story, recipient)


def ring(platform: Platform, announcement: Announcement, jobs: Sequence[Job]) -> None:
    """Wake the queue where there is something to do, and the screens that show the account's
    announcements."""
    if jobs:
        platform.topics.publish("jobs")
    platform.topics.publish(f"account.{announcement.account_id}")
