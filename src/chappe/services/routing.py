"""Which carrier takes a message to a number, and at what price: the longest prefix wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from chappe.model.carriers import LinkState
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import Route, Tariff

T = TypeVar("T")

# A strained carrier still takes messages; one that is down or on its way does not.
_RANK = {LinkState.UP: 0, LinkState.STRAINED: 1, LinkState.CONNECTING: 2, LinkState.DOWN: 2}


@dataclass(frozen=True, slots=True)
class Way:
    """A carrier's name and the price of one segment in thousandths of a credit."""

    carrier: str
    price: int


class Router:
    """Routes and tariffs as they were last read, and how carriers are; without any route every number goes
    to the sandbox."""

    def __init__(self, default_price: int) -> None:
        self._default_price = default_price
        self._routes: dict[tuple[str, str], tuple[str, ...]] = {}
        self._prices: dict[tuple[str, str], int] = {}
        self._ranks: dict[str, int] = {}
        self.is_sandbox_only = True
        # Numbers that begin alike go alike, as far as any route or tariff looks.
        self._looked_at = 0
        self._way = lru_cache(maxsize=10_000)(self._find_way)

    def load(self, routes: Sequence[Route], tariffs: Sequence[Tariff]) -> None:
        """From now on these routes and tariffs hold."""
        self._routes = {(route.kind, route.prefix): route.carriers for route in routes}
        self._prices = {(tariff.kind, tariff.prefix): tariff.price for tariff in tariffs}
        self._looked_at = max((len(prefix) for _, prefix in (*self._routes, *self._prices)), default=0)
        self.is_sandbox_only = all(route.carriers == ("sandbox",) for route in routes)
        self._way.cache_clear()

    def mark(self, states: Mapping[str, LinkState]) -> None:
        """How carriers are now, by name; one of which nothing is known counts as up."""
        ranks = {name: _RANK[state] for name, state in states.items()}
        if ranks != self._ranks:
            self._ranks = ranks
            self._way.cache_clear()

    def way(self, kind: str, number: str) -> Way:
        """The way of a kind of traffic ("sms") to an MSISDN. Raises Refusal `no_route`."""
        way = self._way(kind, number[: self._looked_at])
        if way is None:
            raise Refusal(
                Fault.NO_ROUTE,
                f"no route takes {kind} to {number}; the platform's operator can add one for its prefix",
                "to",
            )
        return way

    def _find_way(self, kind: str, head: str) -> Way | None:
        carriers = _longest(self._routes, kind, head) if self._routes else ("sandbox",)
        if carriers is None and kind == "call" and self.is_sandbox_only:
            carriers = ("sandbox",)  # who has routed messages to it has no other network for calls
        if carriers is None:
            return None
        # The first of those that are best off; where none is up, the preferred one keeps what waits.
        carrier = min(carriers, key=lambda name: self._ranks.get(name, 0))
        price = _longest(self._prices, kind, head)
        return Way(carrier, self._default_price if price is None else price)


def _longest(table: Mapping[tuple[str, str], T], kind: str, number: str) -> T | None:
    for length in range(len(number), -1, -1):
        found = table.get((kind, number[:length]))
        if found is not None:
            return found
    return None
