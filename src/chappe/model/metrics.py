"""What this process has done since it started, counted: plain numbers that the path of a message adds to."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

BOUNDS = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0),
)
"""Upper limits of the buckets in seconds; one more bucket takes what is longer. Fine enough for a percentile
that is at most half too high (our choice)."""


class Histogram:
    """How long something took, as counts by bucket of BOUNDS."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        """It took this long, once."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Metrics:
    """Whoever does something adds to an attribute; nobody waits, nothing is kept by anybody else.

    Messages: `accepted` (stored), `submitted` (taken by a network), `delivered`, `failed` (refused,
    undelivered or expired), `received` (from mobiles); `parked` are receipts of no known message.
    `refused` counts requests by fault; `notices` tries to tell a customer, by what the other side did
    (`taken`, `refused`, `unreachable`, `mailed`); `groups` group commits, `changes` the Changes in them.
    `acceptance` is the time from a client's command to its commit, `submission` from the moment a message
    is due to the network's answer, `commit` the time of one group. `saved` is what services/traffic.py has
    written of all this.
    """

    __slots__ = (
        "acceptance",
        "accepted",
        "changes",
        "commit",
        "delivered",
        "failed",
        "groups",
        "notices",
        "parked",
        "received",
        "refused",
        "saved",
        "submission",
        "submitted",
    )

    def __init__(self) -> None:
        self.accepted = self.submitted = self.delivered = self.failed = 0
        self.received = self.parked = self.groups = self.changes = 0
        self.refused: defaultdict[str, int] = defaultdict(int)
        self.notices: defaultdict[str, int] = defaultdict(int)
        self.saved: Sequence[int] = ()
        self.acceptance = Histogram()
        self.submission = Histogram()
        self.commit = Histogram()


@dataclass(frozen=True, slots=True)
class Minute:
    """What one node did from `at` on for a minute; `acceptance` and `submission` are counts by bucket."""

    id: int
    at: datetime
    node: str
    accepted: int
    submitted: int
    delivered: int
    failed: int
    received: int
    acceptance: tuple[int, ...]
    submission: tuple[int, ...]


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The upper limit in seconds of the bucket in which this share (0 to 1) of the counted is reached; None
    where nothing was counted, the highest limit where it is longer than all of them."""
    wanted, seen = share * sum(counts), 0
    if not wanted:
        return None
    for bound, count in zip(BOUNDS, counts, strict=False):
        seen += count
        if seen >= wanted:
            return bound
    return BOUNDS[-1]
