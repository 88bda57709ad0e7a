"""What was just committed goes in memory to who works it next in this process. The database stays the truth:
whatever is not taken here is found there, and so is everything after a crash."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from chappe.model.changes import Fence
from chappe.model.jobs import Job
from chappe.model.messages import Message

_MOST_JOBS = 4_000
_MOST_JOBS_OF_AN_ACCOUNT = 500
"""A customer whose server is slow must not fill the room of the others; what finds no room waits in the
database (our choice)."""


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
        self._run: Callable[[Job, Message], None] | None = None
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

    def connect_queue(self, run: Callable[[Job, Message], None]) -> None:
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

    def run_job(self, job: Job, message: Message) -> None:
        """Run a job for which there is room, about a message as it is now."""
        assert self._run is not None  # there was room
        self._run(job, message)

    def release_job(self, account_id: int) -> None:
        """The job is done, or did not come to be."""
        self._jobs -= 1
        left = self._jobs_of[account_id] - 1
        if left:
            self._jobs_of[account_id] = left
        else:
            del self._jobs_of[account_id]
