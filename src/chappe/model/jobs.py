"""Work to be done later, at least once: a row written with the change that caused it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

CLAIM = timedelta(seconds=30)
"""How long a runner has for one attempt before another one may take the job over."""


IN_ORDER = ("deliver_call", "deliver_callback", "deliver_line")
"""The kinds whose jobs about one subject and one target are done in the order in which they were written."""


class JobState(StrEnum):
    """DEAD jobs were given up; they can be replayed. DONE ones are kept only where their kind says so."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(NamedTuple):
    """One piece of work of a kind known to services/jobs.py.

    `subject` is the id of the record it is about (a message), so that its timeline can show it.
    `payload` is JSON data. `claimed_until` bounds a claim: a runner that died loses it then,
    or as soon as the others know that the node `claimed_by` has ended.
    `outcome` says in words how the last attempt went.
    """

    id: int
    kind: str
    account_id: int
    subject: int
    payload: dict[str, object]
    state: JobState
    due_at: datetime
    created_at: datetime
    attempts: int = 0
    claimed_until: datetime | None = None
    outcome: str = ""
    done_at: datetime | None = None
    claimed_by: str | None = None


def lane_of(job: Job) -> tuple[object, ...] | None:
    """What jobs have in common that are done one after another; None where the order does not matter."""
    return (job.kind, job.subject, job.payload["target_id"]) if job.kind in IN_ORDER else None
