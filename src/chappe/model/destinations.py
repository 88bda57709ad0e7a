"""Destinations that are closed unless the operator opens them for an account, with the reason: each is a
favourite of those who earn by traffic that somebody else pays."""

from collections.abc import Collection
from functools import lru_cache

_SATELLITE = "a satellite network"
_PREMIUM = "an international number of shared or premium price"
_PERSONAL = "personal numbering, whose price nobody can foresee"
_PUMPING = "a country known for traffic that is pumped up"

# Codes of no country: ITU-T E.164, list of assigned codes. 4470 and 449: Ofcom's numbering plan (4479 is an
# ordinary mobile). 338: premium and shared-cost numbers of the French plan. The countries are our choice
# after what is told of pumped one-time passwords (docs/our-choices.md).
CLOSED: dict[str, str] = {
    "870": _SATELLITE,
    "881": _SATELLITE,
    "882": "an international network of no country",
    "883": "an international network of no country",
    "878": _PERSONAL,
    "800": _PREMIUM,
    "808": _PREMIUM,
    "979": _PREMIUM,
    "4470": _PERSONAL,
    "449": _PREMIUM,
    "338": _PREMIUM,
    "4190": _PREMIUM,
    "53": _PUMPING,
    "62": _PUMPING,
    "92": _PUMPING,
    "93": _PUMPING,
    "94": _PUMPING,
    "224": _PUMPING,
    "231": _PUMPING,
    "232": _PUMPING,
    "234": _PUMPING,
    "247": _PUMPING,
    "252": _PUMPING,
    "290": _PUMPING,
    "677": _PUMPING,
    "880": _PUMPING,
    "960": _PUMPING,
    "967": _PUMPING,
    "992": _PUMPING,
    "994": _PUMPING,
    "996": _PUMPING,
    "998": _PUMPING,
}
_LONGEST = max(map(len, CLOSED))


def closed_prefix(number: str) -> str:
    """The prefix in CLOSED that an MSISDN begins with, the longest; empty for none."""
    return _closed(number[:_LONGEST])


@lru_cache(maxsize=20_000)
def _closed(beginning: str) -> str:
    for length in range(len(beginning), 0, -1):
        if beginning[:length] in CLOSED:
            return beginning[:length]
    return ""


def is_opened(number: str, opened: Collection[str]) -> bool:
    """Whether one of these prefixes opens a number."""
    return any(number.startswith(prefix) for prefix in opened)
