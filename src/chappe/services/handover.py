"""What was just committed goes in memory to who works it next in this process. The database stays the truth:
whatever is not taken here is found there, and so is everything after a crash."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from chappe.model.changes import Fence
from chappe.model.events import Subject
from chappe.model.jobs import CLAIM, Job, JobState, lane_of
from chappe.model.messages import Message

_MOST_JOBS = 4_000
_MOST_JOBS_OF_AN_ACCOUNT = 500
"""A customer whose server is slow must not fill the room of the others; what finds no room waits in the
database (our choice)."""

_MOST_LANES = 20_000
"""So many lanes are remembered in which something waits, or has waited, in the database (our choice)."""


@dataclass(frozen=True, slots=True)
class Halt:
    """A carrier to which nothing is handed over: the ids of messages on their way to it, and the fence that
    its holder names in what it writes."""

    in_flight: frozenset[int]
    fence: Fence | None


class Handover:
    """Knows the outboxes and the queue of this process; without them (command line, tests) takes nothing."""

    def __init__(self) -> None:
        self._outboxes: dict[str, Callable[[Sequence[Message]], None]] = {}
        self._halts: dict[str, Callable[[], AbstractContextManager[Halt]]] = {}
        self._run: Callable[[Job, Subject], None] | None = None
        self._waiting_lanes: dict[object, None] = {}
        self._jobs = 0
        self._jobs_of: defaultdict[int, int] = defaultdict(int)

    def connect_outbox(
        self,
        carrier: str,
        offer: Callable[[Sequence[Message]], None],
        halt: Callable[[], AbstractContextManager[Halt]],
    ) -> None:
        """From now on this process works the carrier."""
        self._outboxes[carrier] = offer
        self._halts[carrier] = halt

    def disconnect_outbox(self, carrier: str) -> None:
        """Another process may work the carrier now."""
        self._outboxes.pop(carrier, None)
        self._halts.pop(carrier, None)

    def halt(self, carrier: str) -> AbstractContextManager[Halt] | None:
        """While it is entered nothing is handed over to the carrier; None where this process does not work
        it."""
        halt = self._halts.get(carrier)
        return None if halt is None else halt()

    def connect_queue(self, run: Callable[[Job, Subject], None]) -> None:
        """From now on this process runs what it is handed."""
        self._run = run

    def offer(self, carrier: str, messages: Sequence[Message]) -> bool:
        """Queued messages of one carrier; False where another process works it and has to be woken."""
        offer = self._outboxes.get(carrier)
        if offer is None:
            return False
        offer(messages)
        return True

    def reserve_job(self, account_id: int) -> bool:
        """Room for one job of an account. The job is then written as running, and must be either run or
        released."""
        if (
            self._run is None
            or self._jobs >= _MOST_JOBS
            or self._jobs_of[account_id] >= _MOST_JOBS_OF_AN_ACCOUNT
        ):
            return False
        self._jobs += 1
        self._jobs_of[account_id] += 1
        return True

    def run_job(self, job: Job, subject: Subject) -> None:
        """Run a job for which there is room."""
        assert self._run is not None  # there was room
        self._run(job, subject)

    def leave_to_database(self, lane: object) -> None:
        """Of jobs that are done in their order one waits in the database: so do those that come after it."""
        self._waiting_lanes[lane] = None
        if len(self._waiting_lanes) > _MOST_LANES:
            del self._waiting_lanes[next(iter(self._waiting_lanes))]

    def is_left_to_database(self, lane: object) -> bool:
        """Whether a job may not be done from memory, because of what comes before it."""
        return lane in self._waiting_lanes

    def release_job(self, account_id: int) -> None:
        """The job is done, or did not come to be."""
        self._jobs -= 1
        left = self._jobs_of[account_id] - 1
        if left:
            self._jobs_of[account_id] = left
        else:
            del self._jobs_of[account_id]


@dataclass(slots=True)
class Handed:
    """Jobs that are to be written with what causes them. Those with room are written as running, their first
    attempt claimed, and done from memory once they are written."""

    handover: Handover
    node: str
    jobs: list[Job] = field(default_factory=list)
    _running: list[tuple[Job, Subject]] = field(default_factory=list)

    def add(self, job: Job, subject: Subject) -> None:
        """A job that waits, and what it is about."""
        lane = lane_of(job)
        is_next = lane is None or not self.handover.is_left_to_database(lane)
        if is_next and self.handover.reserve_job(job.account_id):
            job = job._replace(
                state=JobState.RUNNING,
                attempts=1,
                claimed_until=job.created_at + CLAIM,
                claimed_by=self.node,
            )
            self._running.append((job, subject))
        elif lane is not None:
            self.handover.leave_to_database(lane)
        self.jobs.append(job)

    @property
    def wait(self) -> bool:
        """Whether some are left to whoever asks the database for work."""
        return len(self.jobs) > len(self._running)

    def run(self) -> None:
        """They are written."""
        for job, subject in self._running:
            self.handover.run_job(job, subject)

    def release(self) -> None:
        """They were not written."""
        for job, _ in self._running:
            self.handover.release_job(job.account_id)
