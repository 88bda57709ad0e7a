"""How many messages a second one bind may send: its limit, and less where the network throttles.

A token bucket that holds a tenth of a second. A throttled bind rests for a second and goes on at half its
speed; then it grows by a twentieth of what it had, each second, until it is where it was (additive increase,
multiplicative decrease; figures are our choice).

A network may tell how congested it is before it has to throttle, in percent (SMPP 5.0, 4.8.4.18): 80 to 89 is
where it works best, 100 is its most. At 100 a bind does as if it were throttled; from 90 on it loses, once a
second and without a rest, that much of a half as there is of the way from 89 to 100 (our choice).
"""

_BURST_SECONDS = 0.1
_REST_SECONDS = 1.0
_SLOWEST = 1.0
_STEPS = 20
_BEST, _FULL = 89, 100


class Pace:
    """The pace of one bind. Times are seconds of a clock that never goes back."""

    def __init__(self, per_second: float | None, now: float) -> None:
        self._limit = per_second
        self._rate = per_second
        self._tokens = 1.0
        self._filled_at = now
        self._rests_until = now
        self._eased_at = now - 1.0
        self._ceiling = 0.0
        self._second = int(now)
        self._sent = self._sent_before = 0

    @property
    def per_second(self) -> float | None:
        """What it may send a second at this moment; None for no limit."""
        return self._rate

    @property
    def strained(self) -> bool:
        """Whether it is slower than its limit because the network asked for less."""
        return self._rate != self._limit

    def allowed(self, now: float) -> int | None:
        """How many messages may leave now; None for any number."""
        if now < self._rests_until:
            return 0
        self._fill(now)
        if self._rate is None:
            return None
        return int(self._tokens + 1e-9)

    def spend(self, count: int, now: float) -> None:
        """So many messages left."""
        self._count(now)
        self._sent += count
        if self._rate is not None:
            self._tokens -= count

    def slow(self, now: float) -> None:
        """The network throttled a message. A window full of such answers counts once."""
        if now < self._rests_until:
            return
        self._lower(0.5, now)
        self._tokens = 1.0
        self._rests_until = self._filled_at = now + _REST_SECONDS

    def ease(self, congestion: int, now: float) -> None:
        """The network told how congested it is, in percent."""
        if congestion >= _FULL:
            self.slow(now)
        elif congestion > _BEST and now >= max(self._eased_at + 1.0, self._rests_until):
            self._eased_at = now
            self._fill(now)
            self._lower(1 - (congestion - _BEST) / (_FULL - _BEST) / 2, now)

    def wait(self, now: float) -> float:
        """Seconds until a message may leave; 0 for now."""
        if now < self._rests_until:
            return self._rests_until - now
        self._fill(now)
        if self._rate is None:
            return 0.0
        return max(0.0, (1.0 - 1e-9 - self._tokens) / self._rate)

    def _lower(self, to: float, now: float) -> None:
        """Go on at that part of the speed it had."""
        self._count(now)
        had = self._rate if self._rate is not None else float(max(self._sent, self._sent_before))
        if not self.strained:
            self._ceiling, self._filled_at = had, now
        self._rate = max(min(_SLOWEST, had), had * to)

    def _fill(self, now: float) -> None:
        passed = now - self._filled_at
        if passed <= 0 or self._rate is None:
            return
        self._filled_at = now
        if self.strained:
            self._rate += self._ceiling / _STEPS * passed
            if self._limit is not None and self._rate >= self._limit:
                self._rate = self._limit
            elif self._limit is None and self._rate >= 2 * self._ceiling:
                self._rate = None  # the network has long taken more than when it throttled
                return
        self._tokens = min(max(1.0, self._rate * _BURST_SECONDS), self._tokens + passed * self._rate)

    def _count(self, now: float) -> None:
        if int(now) != self._second:
            self._sent_before = self._sent if int(now) == self._second + 1 else 0
            self._second, self._sent = int(now), 0
