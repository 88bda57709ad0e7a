"""Ring groups: operators, and the order in which they are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

RING_SECONDS = 60
"""How long an operator's telephone rings where nobody says (dialects.md 4c)."""

RING_RANGE = (5, 1000)
"""The least and most seconds that it may ring (seed 003, section 1, with the wider of its two ranges)."""


class RingOrder(StrEnum):
    """How a ring group is walked; ROUND_ROBIN: by position, each request beginning with the next one."""

    FIXED = "fixed"
    RANDOM = "random"
    ROUND_ROBIN = "round_robin"


@dataclass(frozen=True, slots=True)
class RingGroup:
    """Operators of an account under a `name` that is unique in it. `turn` counts what was walked round robin:
    the next request begins with the operator of that number, modulo how many there are."""

    id: int
    account_id: int
    name: str
    order: RingOrder
    created_at: datetime
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is called of a ring group: a number (MSISDN, once a group), how long it rings, its place (any
    positive number; equal ones in the order in which they were added)."""

    id: int
    account_id: int
    group_id: int
    number: str
    ring_seconds: int
    position: int
    created_at: datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """A ring group with its operators, by position."""

    group: RingGroup
    operators: tuple[Operator, ...] = ()


# --- what is asked for


@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator to be added, its number as written; `position` None is behind all others."""

    number: str
    ring_seconds: int | None = None
    position: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class PutRingGroup:
    """Make a ring group as it is given here, or anew where there is one of that name; `order` None leaves
    it, or is FIXED; `operators` None leaves them. Outcome: Roster."""

    name: str
    order: RingOrder | None = None
    operators: Sequence[NewOperator] | None = None


@dataclass(frozen=True, slots=True)
class ListRingGroups:
    """Outcome: tuple of Roster, by name."""


@dataclass(frozen=True, slots=True)
class FindRingGroup:
    """Outcome: Roster."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteRingGroup:
    """Refused while a callback form names it. Outcome: None."""

    name: str


@dataclass(frozen=True, slots=True)
class AddOperator:
    """Add an operator, or change the one that has this number; a group that does not exist is created.
    Outcome: Roster."""

    group: str
    operator: NewOperator


@dataclass(frozen=True, slots=True)
class RemoveOperator:
    """Outcome: Roster."""

    group: str
    number: str


@dataclass(frozen=True, slots=True)
class OrderRingGroup:
    """Say how a group is walked. Outcome: Roster."""

    group: str
    order: RingOrder
