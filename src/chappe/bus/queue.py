"""Runs jobs out of the jobs table: claim, run, and write down how it went."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from chappe.model.changes import Changes, Delete, JobResult
from chappe.model.errors import CarrierError, CarrierErrorKind, Refusal, Unavailable
from chappe.model.events import Subject
from chappe.model.jobs import CLAIM, Job, JobState, lane_of
from chappe.services.ports import JobKind, Platform

_AT_ONCE = 64
_LONGEST_PAUSE = timedelta(days=1)
"""However long a server asks to be left alone (our choice: the longest pause of the notices)."""
_log = structlog.get_logger()


class Queue:
    """The jobs of one process."""

    def __init__(self, platform: Platform, kinds: Mapping[str, JobKind]) -> None:
        self._platform = platform
        self._kinds = kinds
        self._handed: set[asyncio.Task[None]] = set()
        self._at_work: set[int] = set()
        self._lanes: dict[object, asyncio.Task[None]] = {}  # the last one of each

    async def step(self) -> int:
        """Claim what is due and do it; returns how many jobs that were."""
        now = self._platform.clock.now()
        jobs = await self._platform.store.claim_jobs(now, now + CLAIM, _AT_ONCE)
        if jobs:
            await asyncio.gather(*(self._work(job) for job in jobs))
        return len(jobs)

    async def keep_claims(self) -> None:
        """Say that what is being done is being done; what a dead process was doing is free when its claims
        run out."""
        if self._at_work:
            until = self._platform.clock.now() + CLAIM
            await self._platform.store.keep_claims(list(self._at_work), until)

    def take(self, job: Job, subject: Subject) -> None:
        """Do a job that was written as running a moment ago, about something that is known already."""
        lane = lane_of(job)
        if lane is None:
            task = asyncio.create_task(self._work_handed(job, subject))
        else:
            self._at_work.add(job.id)  # from now on, while it waits for its turn
            task = asyncio.create_task(self._work_in_order(job, subject, lane, self._lanes.get(lane)))
            self._lanes[lane] = task
        self._handed.add(task)
        task.add_done_callback(self._handed.discard)

    async def drain(self, seconds: float) -> None:
        """Wait for what was handed over, so long; what does not end is done again by another process."""
        if self._handed:
            await asyncio.wait(self._handed, timeout=seconds)

    async def _work_in_order(
        self, job: Job, subject: Subject, lane: object, before: asyncio.Task[None] | None
    ) -> None:
        handover = self._platform.handover
        try:
            if before is not None:
                await asyncio.wait([before])
            if handover.is_left_to_database(lane):
                self._at_work.discard(job.id)
                handover.release_job(job.account_id)
                now = self._platform.clock.now()
                self._platform.store.note(JobResult(job.id, job.attempts, JobState.WAITING, "", now))
            else:
                await self._work_handed(job, subject)
        finally:
            if self._lanes.get(lane) is asyncio.current_task():
                del self._lanes[lane]

    async def _work_handed(self, job: Job, subject: Subject) -> None:
        try:
            result = await self._attempt(job, subject)
        finally:
            self._platform.handover.release_job(job.account_id)
        if result is None:
            await self._gone(job)
        else:
            if result.state is JobState.WAITING and (lane := lane_of(job)) is not None:
                self._platform.handover.leave_to_database(lane)
            # Nobody waits for this: a crash before it is written tells the customer a second time.
            self._platform.store.note(result)
            self._platform.topics.publish(f"account.{job.account_id}")

    async def _work(self, job: Job) -> None:
        result = await self._attempt(job)
        if result is None:
            await self._gone(job)
        else:
            await self._commit(Changes(finish=[result]))
            self._platform.topics.publish(f"account.{job.account_id}")

    async def _attempt(self, job: Job, *subject: Subject) -> JobResult | None:
        """How one attempt went; None for a job that is done and is not kept."""
        kind = self._kinds.get(job.kind)
        if kind is None:
            return self._result(job, JobState.DEAD, f"there is no job of the kind {job.kind}")
        self._at_work.add(job.id)
        try:
            outcome = await kind.run(self._platform, job, *subject)
        except CarrierError as error:
            if error.kind is CarrierErrorKind.PERMANENT:
                return self._result(job, JobState.DEAD, f"given up: {error.code or error.fault}")
            return self._again(job, kind, error.code or str(error.fault), error.retry_after)
        except Unavailable as trouble:
            return self._again(job, kind, trouble.detail, trouble.retry_after)
        except Refusal as refusal:
            return self._result(job, JobState.DEAD, f"given up: {refusal.detail}")
        except Exception:  # noqa: BLE001 - one of the four outer loops
            reference = uuid4().hex[:12]
            _log.exception("job failed", job=job.id, kind=job.kind, reference=reference)
            return self._again(job, kind, f"internal error, reference {reference}", None)
        finally:
            self._at_work.discard(job.id)
        return self._result(job, JobState.DONE, outcome) if kind.kept else None

    def _again(self, job: Job, kind: JobKind, outcome: str, retry_after: float | None) -> JobResult:
        if job.attempts > len(kind.pauses):
            return self._result(job, JobState.DEAD, f"given up after {job.attempts} tries: {outcome}")
        pause = kind.pauses[job.attempts - 1]
        if retry_after is not None:
            longest = _LONGEST_PAUSE.total_seconds()
            pause = max(pause, timedelta(seconds=max(0.0, min(retry_after, longest))))
        return self._result(job, JobState.WAITING, outcome, self._platform.clock.now() + pause)

    def _result(self, job: Job, state: JobState, outcome: str, due_at: datetime | None = None) -> JobResult:
        over = state in (JobState.DONE, JobState.DEAD)
        done_at = self._platform.clock.now() if over else None
        return JobResult(job.id, job.attempts, state, outcome[:500], due_at, done_at)

    async def _gone(self, job: Job) -> None:
        await self._commit(Changes(delete=[Delete(Job, job.id, None)]))

    async def _commit(self, changes: Changes) -> None:
        try:
            await self._platform.store.commit(changes)
        except Refusal as refusal:
            _log.info("job is no longer ours", reason=refusal.detail)
