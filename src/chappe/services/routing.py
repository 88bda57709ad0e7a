"""Which carrier takes a message to a number, and at what price: the longest prefix wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import Route, Tariff

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Way:
    """A carrier's name and the price of one segment in thousandths of a credit."""

    carrier: str
    price: int


class Router:
    """Routes and tariffs as they were read; without any route every number goes to the sandbox."""

    def __init__(self, routes: Sequence[Route], tariffs: Sequence[Tariff], default_price: int) -> None:
        self._routes = {(route.kind, route.prefix): route.carrier for route in routes}
        self._prices = {(tariff.kind, tariff.prefix): tariff.price for tariff in tariffs}
        self._default_price = default_price
        self.is_sandbox_only = all(route.carrier == "sandbox" for route in routes)
        self.way = lru_cache(maxsize=50_000)(self._way)

    def _way(self, kind: str, number: str) -> Way:
        """The way of a kind of traffic ("sms") to an MSISDN. Raises Refusal `no_route`."""
        carrier = _longest(self._routes, kind, number) if self._routes else "sandbox"
        if carrier is None:
            raise Refusal(
                Fault.NO_ROUTE,
                f"no route takes {kind} to {number}; the platform's operator can add one for its prefix",
                "to",
            )
        price = _longest(self._prices, kind, number)
        return Way(carrier, self._default_price if price is None else price)


def _longest(table: dict[tuple[str, str], T], kind: str, number: str) -> T | None:
    for length in range(len(number), -1, -1):
        found = table.get((kind, number[:length]))
        if found is not None:
            return found
    return None
