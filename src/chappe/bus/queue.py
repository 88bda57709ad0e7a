"""Runs jobs out of the jobs table: claim, run, and write down how it went."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

import structlog

from chappe.model.changes import Changes, Delete, Update
from chappe.model.errors import CarrierError, CarrierErrorKind, Refusal
from chappe.model.jobs import Job, JobState
from chappe.services.ports import JobKind, Platform

_CLAIM_FOR = timedelta(minutes=5)
_AT_ONCE = 64
_LONGEST_PAUSE = timedelta(days=1)
"""However long a server asks to be left alone (our choice: the longest pause of the notices)."""
_log = structlog.get_logger()


class Queue:
    """The jobs of one process."""

    def __init__(self, platform: Platform, kinds: Mapping[str, JobKind]) -> None:
        self._platform = platform
        self._kinds = kinds

    async def step(self) -> int:
        """Claim what is due and do it; returns how many jobs that were."""
        now = self._platform.clock.now()
        jobs = await self._platform.store.claim_jobs(now, now + _CLAIM_FOR, _AT_ONCE)
        if jobs:
            await asyncio.gather(*(self._work(job) for job in jobs))
        return len(jobs)

    async def _work(self, job: Job) -> None:
        kind = self._kinds.get(job.kind)
        if kind is None:
            await self._write(job, JobState.DEAD, f"there is no job of the kind {job.kind}")
            return
        try:
            outcome = await kind.run(self._platform, job)
        except CarrierError as error:
            if error.kind is CarrierErrorKind.PERMANENT:
                await self._write(job, JobState.DEAD, f"given up: {error.code or error.fault}")
            else:
                await self._again(job, kind, error.code or str(error.fault), error.retry_after)
        except Refusal as refusal:
            await self._write(job, JobState.DEAD, f"given up: {refusal.detail}")
        except Exception:  # noqa: BLE001 - one of the four outer loops
            reference = uuid4().hex[:12]
            _log.exception("job failed", job=job.id, kind=job.kind, reference=reference)
            await self._again(job, kind, f"internal error, reference {reference}", None)
        else:
            if kind.kept:
                await self._write(job, JobState.DONE, outcome)
            else:
                await self._commit(Changes(delete=[Delete(Job, job.id, None)]))

    async def _again(self, job: Job, kind: JobKind, outcome: str, retry_after: float | None) -> None:
        if job.attempts > len(kind.pauses):
            await self._write(job, JobState.DEAD, f"given up after {job.attempts} tries: {outcome}")
            return
        pause = kind.pauses[job.attempts - 1]
        if retry_after is not None:
            longest = _LONGEST_PAUSE.total_seconds()
            pause = max(pause, timedelta(seconds=max(0.0, min(retry_after, longest))))
        due_at = self._platform.clock.now() + pause
        await self._write(job, JobState.WAITING, outcome, {"due_at": due_at})

    async def _write(
        self, job: Job, state: JobState, outcome: str, more: Mapping[str, object] | None = None
    ) -> None:
        values: dict[str, object] = {"state": state, "outcome": outcome[:500], "claimed_until": None}
        if state in (JobState.DONE, JobState.DEAD):
            values["done_at"] = self._platform.clock.now()
        values.update(more or {})
        # Whose claim ran out must not write over the next runner: every claim counts one attempt more.
        held = {"state": JobState.RUNNING, "attempts": job.attempts}
        await self._commit(Changes(update=[Update(Job, job.id, None, values, held)]))
        self._platform.topics.publish(f"account.{job.account_id}")

    async def _commit(self, changes: Changes) -> None:
        try:
            await self._platform.store.commit(changes)
        except Refusal as refusal:
            _log.info("job is no longer ours", reason=refusal.detail)
