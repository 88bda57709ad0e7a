"""What an operator asks of the network, and what is seen there: routes, tariffs, carriers, what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chappe.model.carriers import BindStatus, CarrierStatus
from chappe.model.messages import Message, MessageState

Place = str | Mapping[str, int]
"""Where a route goes: a carrier, or the weights of several that share."""

# --- commands; each is for operators only and refused with `not_allowed` to others


@dataclass(frozen=True, slots=True)
class ListRoutes:
    """All routes. Outcome: tuple of Route, by prefix."""


@dataclass(frozen=True, slots=True)
class AddRoute:
    """Numbers with a prefix (digits with country code; empty: all) go to the first of these places that is
    well: a carrier, or several by their weights (1 to 100) that share what comes. Outcome: Route."""

    prefix: str
    carriers: Sequence[Place]
    kind: str = "sms"


@dataclass(frozen=True, slots=True)
class ChangeRoute:
    """Other carriers for a route. Outcome: Route."""

    id: int
    carriers: Sequence[Place]


@dataclass(frozen=True, slots=True)
class RemoveRoute:
    """No such route any more; what is queued stays with its carrier."""

    id: int


@dataclass(frozen=True, slots=True)
class ListTariffs:
    """All tariffs. Outcome: tuple of Tariff, by prefix."""


@dataclass(frozen=True, slots=True)
class AddTariff:
    """What a segment, or for the kind "call" a minute, costs to numbers with a prefix, in thousandths of a
    credit. Outcome: Tariff."""

    prefix: str
    price: int
    kind: str = "sms"


@dataclass(frozen=True, slots=True)
class ChangeTariff:
    """Another price, for what is sent from now on. Outcome: Tariff."""

    id: int
    price: int


@dataclass(frozen=True, slots=True)
class RemoveTariff:
    """No such tariff any more: a shorter prefix or the default price holds."""

    id: int


@dataclass(frozen=True, slots=True)
class ListCarriers:
    """All carriers with what they do. Outcome: tuple of CarrierView, by name."""


@dataclass(frozen=True, slots=True)
class ListBinds:
    """The binds of customers that this process holds. Outcome: tuple of BindView, the oldest first."""


# --- what is seen


@dataclass(frozen=True, slots=True)
class BindView:
    """A customer's bind with the name of his account."""

    owner: str
    bind: BindStatus


@dataclass(frozen=True, slots=True)
class CarrierView:
    """A carrier: what it told last (None: nothing yet), who works it, and when that was.

    `here` is whether this process works it; then `status` is of this moment and `at` is None.
    """

    name: str
    type: str
    status: CarrierStatus | None
    holder: str
    at: datetime | None
    here: bool


@dataclass(frozen=True, slots=True)
class Depth:
    """What is queued for one carrier: how many (counted up to a limit), how many of them are put off to a
    later time, and since when the first one is due."""

    carrier: str
    queued: int
    later: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message that waits, as an operator may see it: without its text."""

    id: int
    ref: str
    account_id: int
    state: MessageState
    peer: str
    carrier: str
    created_at: datetime
    due_at: datetime
    expires_at: datetime | None
    attempts: int
    carrier_code: str
    held_by: str = ""


class Reason(StrEnum):
    """Why a message waits. SCHEDULED: its sender asked for a later time. RULE: a rule allows it no
    earlier. LATER: its network refused for now
    and is asked again then. DOWN: its carrier is not up. GONE: the settings file knows no such carrier. TURN:
    others are before it, as fast as the carrier takes them."""

    SCHEDULED = "scheduled"
    RULE = "rule"
    LATER = "later"
    DOWN = "down"
    GONE = "gone"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Held:
    """A waiting message with its reason, and until when it waits at the latest: then it goes on or expires.
    `owner` is the name of its account, `code` the network's word, `since` when its carrier went down."""

    message: Waiting | Message
    owner: str
    reason: Reason
    until: datetime | None
    code: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits: how much by carrier, some of it, and where that list goes on (None: it ends here)."""

    depths: tuple[Depth, ...]
    scheduled: int
    held: tuple[Held, ...]
    next: tuple[datetime, int] | None
