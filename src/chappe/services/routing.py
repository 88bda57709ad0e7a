"""Which carrier takes a message or a call to a number, and at what price: the longest prefix wins, and
carriers that share a route do so by the number, so that one number goes one way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import TypeVar

from chappe.model.carriers import LinkState
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import Route, Tariff

T = TypeVar("T")

# A strained carrier still takes messages; one that is down or on its way does not.
_RANK = {LinkState.UP: 0, LinkState.STRAINED: 1, LinkState.CONNECTING: 2, LinkState.DOWN: 2}

# 2**64 over the golden ratio: multiples of it, and so numbers side by side, spread evenly over what there is
# (Knuth, The Art of Computer Programming, 6.4).
_GOLDEN, _BITS = 0x9E3779B97F4A7C15, 64
_MASK = (1 << _BITS) - 1


@dataclass(frozen=True, slots=True)
class Way:
    """A carrier's name and the price of one segment, or of one minute, in thousandths of a credit; `to_line`
    where it goes to the telephone of a line of this platform."""

    carrier: str
    price: int
    to_line: bool = False


class Router:
    """Routes and tariffs as they were last read, and how carriers are; without any route every number goes
    to the sandbox."""

    def __init__(self, default_price: int, minute_price: int = 1_000) -> None:
        self._default_prices = {"sms": default_price, "call": minute_price}
        self._routes: dict[tuple[str, str], tuple[Mapping[str, int], ...]] = {}
        self._prices: dict[tuple[str, str], int] = {}
        self._ranks: dict[str, int] = {}
        self.is_sandbox_only = True
        # Numbers that begin alike go alike, as far as any route or tariff looks.
        self._looked_at = 0
        self._ways = lru_cache(maxsize=10_000)(self._find_ways)

    def load(self, routes: Sequence[Route], tariffs: Sequence[Tariff]) -> None:
        """From now on these routes and tariffs hold."""
        self._routes = {(route.kind, route.prefix): route.places for route in routes}
        self._prices = {(tariff.kind, tariff.prefix): tariff.price for tariff in tariffs}
        self._looked_at = max((len(prefix) for _, prefix in (*self._routes, *self._prices)), default=0)
        self.is_sandbox_only = all(route.carriers == ("sandbox",) for route in routes)
        self._ways.cache_clear()

    def mark(self, states: Mapping[str, LinkState]) -> None:
        """How carriers are now, by name; one of which nothing is known counts as up."""
        ranks = {name: _RANK[state] for name, state in states.items()}
        if ranks != self._ranks:
            self._ranks = ranks
            self._ways.cache_clear()

    def way(self, kind: str, number: str) -> Way:
        """The way of a kind of traffic ("sms", "call") to an MSISDN. Raises Refusal `no_route`."""
        ways = self._ways(kind, number[: self._looked_at])
        if ways is None:
            raise Refusal(
                Fault.NO_ROUTE,
                f"no route takes {kind} to {number}; the platform's operator can add one for its prefix",
                "to",
            )
        if len(ways) == 1:
            return ways[0]
        return ways[(int(number) * _GOLDEN & _MASK) * len(ways) >> _BITS]

    def _find_ways(self, kind: str, head: str) -> tuple[Way, ...] | None:
        """The ways of numbers that begin alike, each as often as its weight says."""
        places = _longest(self._routes, kind, head) if self._routes else ({"sandbox": 1},)
        if places is None and self.is_sandbox_only and not any(one == kind for one, _ in self._routes):
            places = ({"sandbox": 1},)  # who has routed messages to it has no other network for calls
        if places is None:
            return None
        # The first place with one of those that are best off; where none is up, the preferred place keeps
        # what waits.
        best = min(self._ranks.get(name, 0) for place in places for name in place)
        shares = next(well for place in places if (well := self._as_well_off(place, best)))
        price = _longest(self._prices, kind, head)
        price = self._default_prices[kind] if price is None else price
        least = gcd(*shares.values())
        return tuple(way for name, weight in shares.items() for way in [Way(name, price)] * (weight // least))

    def _as_well_off(self, place: Mapping[str, int], rank: int) -> Mapping[str, int]:
        return {name: weight for name, weight in place.items() if self._ranks.get(name, 0) == rank}


def _longest(table: Mapping[tuple[str, str], T], kind: str, number: str) -> T | None:
    for length in range(len(number), -1, -1):
        found = table.get((kind, number[:length]))
        if found is not None:
            return found
    return None
