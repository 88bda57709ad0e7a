"""Messages a second: the limit, and less after the network throttled."""

import pytest

from chappe.carriers.smpp.pace import Pace


def carried(pace: Pace, start: float, seconds: float, step: float = 0.01) -> int:
    """How many messages leave when there are always enough of them."""
    sent = 0
    for tick in range(round(seconds / step)):
        now = start + tick * step
        allowed = pace.allowed(now)
        assert allowed is not None
        pace.spend(allowed, now)
        sent += allowed
    return sent


@pytest.mark.parametrize("limit", [0.5, 1, 30, 500])
def test_a_limit_is_kept(limit: float) -> None:
    sent = carried(Pace(limit, 0.0), 0.0, 20)
    assert limit * 20 * 0.9 - 1 <= sent <= limit * 20 + 1


def test_without_a_limit_any_number_may_leave() -> None:
    pace = Pace(None, 0.0)
    assert (pace.allowed(0.0), pace.wait(0.0), pace.per_second) == (None, 0.0, None)


def test_a_throttled_bind_rests_halves_and_comes_back() -> None:
    pace = Pace(100, 0.0)
    carried(pace, 0.0, 2)
    pace.slow(2.0)
    pace.slow(2.5)  # a whole window of such answers counts once
    assert pace.per_second == 50 and pace.strained
    assert (pace.allowed(2.9), pace.wait(2.5)) == (0, 0.5)
    assert carried(pace, 3.0, 1) < 60
    carried(pace, 4.0, 10)
    assert pace.per_second == 100 and not pace.strained


def test_without_a_limit_the_speed_it_had_is_the_measure() -> None:
    pace = Pace(None, 0.0)
    for tenth in range(20):
        pace.spend(100, tenth / 10)
    pace.slow(2.0)
    assert pace.per_second == 500
    carried(pace, 3.0, 10)
    assert pace.per_second is not None and 900 < pace.per_second <= 1100
    for second in range(13, 60):
        pace.allowed(float(second))
    assert pace.per_second is None and not pace.strained


@pytest.mark.parametrize(
    ("congestion", "left"), [(0, 100), (89, 100), (90, 95.45), (95, 72.73), (99, 54.55), (100, 50), (255, 50)]
)
def test_a_congested_network_is_eased_by_degrees(congestion: int, left: float) -> None:
    pace = Pace(100, 0.0)
    carried(pace, 0.0, 2)
    pace.ease(congestion, 2.0)
    pace.ease(congestion, 2.5)  # told with every answer, heeded once a second
    assert pace.per_second == pytest.approx(left, abs=0.01)
    assert pace.wait(2.0) == (1.0 if congestion >= 100 else 0.0)
    carried(pace, 3.0, 12)
    assert pace.per_second == 100 and not pace.strained


def test_congestion_without_a_limit_is_measured_by_the_speed_it_had() -> None:
    pace = Pace(None, 0.0)
    for tenth in range(20):
        pace.spend(100, tenth / 10)
    pace.ease(94, 2.0)
    assert pace.per_second == pytest.approx(1000 * (1 - 5 / 22))


def test_a_bind_never_stops_for_good() -> None:
    pace = Pace(None, 0.0)
    for second in range(20):
        pace.spend(1, float(second) * 2)
        pace.slow(float(second) * 2)
    assert pace.per_second is not None and pace.per_second > 0
    assert pace.wait(100.0) < 2
