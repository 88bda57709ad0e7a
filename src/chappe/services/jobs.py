"""One table: kind of job, function, retries, and whether it is kept when it is done."""

from collections.abc import Mapping
from datetime import timedelta

from chappe.services import (
    announcementnotices,
    callbackattempts,
    callbacknotices,
    callnotices,
    conferencenotices,
    conferences,
    dialler,
    linenotices,
    recordings,
    subscriptions,
)
from chappe.services.ports import JobKind

# Ten tries over 75 hours and a half (the example schedule of Standard Webhooks 1.0).
NOTICE_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)

# News of a call is stale soon, and what comes after it waits meanwhile (our choice).
LINE_PAUSES = (
    timedelta(seconds=2),
    timedelta(seconds=10),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)
# A database that is away for a night must not end an announcement.
RING_PAUSES = (timedelta(seconds=5), *((timedelta(minutes=1),) * 1440))
BEGIN_PAUSES = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=30))

KINDS: Mapping[str, JobKind] = {
    subscriptions.DELIVER: JobKind(subscriptions.deliver, NOTICE_PAUSES, kept=True),
    callnotices.DELIVER: JobKind(callnotices.deliver, NOTICE_PAUSES, kept=True),
    recordings.MAIL: JobKind(recordings.mail, NOTICE_PAUSES),
    linenotices.DELIVER: JobKind(linenotices.deliver, LINE_PAUSES, kept=True),
    conferencenotices.DELIVER: JobKind(conferencenotices.deliver, NOTICE_PAUSES, kept=True),
    announcementnotices.DELIVER: JobKind(announcementnotices.deliver, NOTICE_PAUSES, kept=True),
    dialler.RING: JobKind(dialler.ring, RING_PAUSES),
    conferences.BEGIN: JobKind(conferences.begin, BEGIN_PAUSES),
    callbacknotices.DELIVER: JobKind(callbacknotices.deliver, NOTICE_PAUSES, kept=True),
    callbackattempts.START: JobKind(callbackattempts.start, callbackattempts.PAUSES),
}
"""The kinds that services bring; carriers add their own when the platform is put together."""
