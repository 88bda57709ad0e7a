"""How long people wait for an operator: Erlang's formula for a queue where nobody gives up (Erlang C)."""

from dataclasses import dataclass
from math import exp, inf


@dataclass(frozen=True, slots=True)
class Estimate:
    """What to expect of a roster: the chance that somebody waits at all, the mean wait of all in seconds
    (infinite where more is asked than operators can do), and how busy each operator is (0 to 1)."""

    waits: float
    wait_seconds: float
    occupancy: float


def erlang_b(traffic: float, operators: int) -> float:
    """The chance that all operators are busy where nobody waits; `traffic` in erlangs (calls an hour times
    hours a call). By Erlang's recursion, which neither over- nor underflows."""
    blocked = 1.0
    for busy in range(1, operators + 1):
        blocked = traffic * blocked / (busy + traffic * blocked)
    return blocked


def estimate(calls_an_hour: float, handling_seconds: float, operators: int) -> Estimate:
    """What a roster of so many operators does to these calls (A. K. Erlang, 1917; ITU-T E.501 writes the
    same)."""
    traffic = calls_an_hour * handling_seconds / 3600
    if not traffic:
        return Estimate(0.0, 0.0, 0.0)
    if traffic >= operators:
        return Estimate(1.0, inf, 1.0)
    blocked, occupancy = erlang_b(traffic, operators), traffic / operators
    waits = blocked / (1 - occupancy * (1 - blocked))
    return Estimate(waits, waits * handling_seconds / (operators - traffic), occupancy)


def within(seconds: float, calls_an_hour: float, handling_seconds: float, operators: int) -> float:
    """The share of calls that wait at most so long (the service level)."""
    found = estimate(calls_an_hour, handling_seconds, operators)
    if found.wait_seconds == inf:
        return 0.0
    if not found.waits:
        return 1.0
    traffic = calls_an_hour * handling_seconds / 3600
    return 1 - found.waits * exp(-(operators - traffic) * seconds / handling_seconds)


def operators_for(share: float, seconds: float, calls_an_hour: float, handling_seconds: float) -> int:
    """The fewest operators with whom this share of calls (below 1) waits at most so long."""
    operators = int(calls_an_hour * handling_seconds / 3600) + 1
    while within(seconds, calls_an_hour, handling_seconds, operators) < share:
        operators += 1
    return operators
