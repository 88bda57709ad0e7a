"""Erlang C against values that others have published."""

from math import inf

import pytest

from chappe.model.erlang import erlang_b, estimate, operators_for, within

# Calls an hour, seconds of handling, operators; the chance of waiting, the mean wait in seconds, within how
# many seconds, which share. Sources: T. Parkinson (mitan.co.uk), worked example of 720 calls an hour; Call
# Centre Helper, worked example of 10 erlangs, which it rounds; a course's example of 6 erlangs (curve).
PUBLISHED = [
    (720, 240, 55, 0.2387, 8.184, 15, 0.8459),
    (200, 180, 14, 0.1741, 7.8, 20, 0.888),
    (120, 180, 10, 0.1013, 4.56, 30, 0.948),
]


@pytest.mark.parametrize(("calls", "handling", "operators", "waits", "mean", "seconds", "share"), PUBLISHED)
def test_the_published_examples_come_out(
    calls: float, handling: float, operators: int, waits: float, mean: float, seconds: float, share: float
) -> None:
    found = estimate(calls, handling, operators)
    assert found.waits == pytest.approx(waits, abs=0.0001)
    assert found.wait_seconds == pytest.approx(mean, abs=0.05)
    assert within(seconds, calls, handling, operators) == pytest.approx(share, abs=0.0006)


# Erlangs, operators, the chance that all are busy (Erlang B), rounded as tables print it.
TABLE_B = [(5.0, 10, 0.0184), (20.0, 30, 0.0085), (123.0, 132, 0.0312)]


@pytest.mark.parametrize(("traffic", "operators", "busy"), TABLE_B)
def test_the_tables_of_erlang_b_come_out(traffic: float, operators: int, busy: float) -> None:
    assert erlang_b(traffic, operators) == pytest.approx(busy, abs=0.0001)


def test_a_large_centre_does_not_overflow() -> None:
    assert estimate(12345, 3600, 12421).waits == pytest.approx(0.3812, abs=0.0001)


def test_one_operator_is_the_queue_of_one() -> None:
    """M/M/1: the chance of waiting is how busy the one is."""
    found = estimate(10, 180, 1)
    assert (found.waits, found.wait_seconds) == (pytest.approx(0.5), pytest.approx(180.0))


def test_more_than_can_be_done_waits_for_ever_and_nothing_asked_waits_not_at_all() -> None:
    assert estimate(60, 60, 1).wait_seconds == estimate(5, 60, 0).wait_seconds == inf
    assert within(600, 60, 60, 1) == 0
    assert estimate(0, 180, 0).wait_seconds == 0
    assert within(0, 0, 180, 2) == 1


def test_how_many_are_needed() -> None:
    """30 calls an hour of five minutes, nine of ten not delayed (Wolfram, documentation of ErlangC): 6."""
    assert operators_for(0.9, 0, 30, 300) == 6
    assert operators_for(0.8, 20, 200, 180) == 14
