"""Credits in integer thousandths: tariffs, ledger moves and ledger entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

CREDIT = 1000
"""One credit in thousandths, the unit of every amount in the platform."""


class EntryKind(StrEnum):
    """Why credits moved. The other side of each entry is the platform's account of the same name."""

    WELCOME = "welcome"
    PAYMENT = "payment"
    MESSAGES = "messages"
    CALLS = "calls"
    GIVE_BACK = "give_back"
    REVENUE_SHARE = "revenue_share"
    CORRECTION = "correction"


class LedgerMove(NamedTuple):
    """Credits to move: positive `amount` to the account, negative from it (guarded: never below zero).

    `reference` makes a move unique within its kind (a give-back names its message); moves without one
    are summed by account and kind into one entry for each group of writes. `messages` counts the
    messages that the move pays for. `cap`, where not 0, is the most that the account may spend in a day
    (UTC).
    """

    account_id: int
    amount: int
    kind: EntryKind
    reference: str | None = None
    messages: int = 0
    cap: int = 0


class Hold(NamedTuple):
    """Credits promised to work that is under way (positive `amount`: guarded, there must be so many free), or
    freed again (negative). They stay in the balance; nothing else may spend them. `cap` as in LedgerMove:
    what is spent today and this may not pass it; nothing is counted as spent by it."""

    account_id: int
    amount: int
    cap: int = 0


NO_CAP = 2**62
"""The `cap` of a move that counts as spent and is not refused for that."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the account's statement: `amount` leaves `debit` and arrives at `credit`, both names
    of ledger accounts (`account:<id>` or `platform:<kind>`). `balance` is what the account had after it."""

    id: int
    account_id: int
    at: datetime
    kind: EntryKind
    debit: str
    credit: str
    amount: int
    balance: int
    messages: int
    reference: str | None


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one segment (kind "sms") or one minute ("call") costs to numbers with a prefix, in thousandths;
    the longest prefix wins."""

    id: int
    kind: str
    prefix: str
    price: int


@dataclass(frozen=True, slots=True)
class Route:
    """Which carrier takes a kind of traffic to numbers with a prefix; the longest prefix wins.

    `carrier` is the first place and `fallbacks` the next ones, blanks between them, that take what comes
    while all before them are down or strained. A place is the name of a carrier, or names with weights that
    share what comes, such as `free:7+other:3`.
    """

    id: int
    kind: str
    prefix: str
    carrier: str
    fallbacks: str = ""

    @property
    def places(self) -> tuple[Mapping[str, int], ...]:
        """The weights of the carriers at each place, the preferred place first."""
        return tuple(_read_place(one) for one in (self.carrier, *self.fallbacks.split()))

    @property
    def carriers(self) -> tuple[str, ...]:
        """All of its carriers, the preferred one first."""
        return tuple(name for place in self.places for name in place)


def _read_place(written: str) -> Mapping[str, int]:
    shares = [share.partition(":") for share in written.split("+")]
    return {name: int(weight or 1) for name, _, weight in shares}


def write_place(place: Mapping[str, int]) -> str:
    """The weights of the carriers at one place as a route has them."""
    if len(place) == 1:
        return next(iter(place))
    return "+".join(f"{name}:{weight}" for name, weight in place.items())


def in_credits(thousandths: int) -> str:
    """Thousandths as people read them: `12` , `0.5`, `-3.25`; no needless zeros."""
    sign, value = ("-", -thousandths) if thousandths < 0 else ("", thousandths)
    whole, rest = divmod(value, CREDIT)
    return f"{sign}{whole}" + (f".{rest:03d}".rstrip("0") if rest else "")
