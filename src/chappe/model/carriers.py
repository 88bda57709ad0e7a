"""What a carrier tells of itself: its links, what they are doing, and what was learnt of its receipts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class LinkState(StrEnum):
    """UP: takes messages. STRAINED: takes them, but the network asked for less (throttled, queue full).
    CONNECTING: on its way. DOWN: waits before the next try."""

    UP = "up"
    STRAINED = "strained"
    CONNECTING = "connecting"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One connection to a network: how full its window is and what went over it since it came up.

    `kind` is the network's word (`transceiver`, `receiver`...). `since` is when it came up, or else when it
    went down, however often it was tried since. `per_second` is what it may send, None for
    no limit. `error` says why it is not up, or what last went wrong; empty for nothing.
    """

    kind: str
    state: LinkState
    since: datetime
    unanswered: int = 0
    window: int = 0
    per_second: float | None = None
    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    throttled: int = 0
    receipts: int = 0
    inbound: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class CarrierStatus:
    """A carrier as its holder sees it at this moment.

    `id_rule` is how ids in receipts become those of the answers (`as-is`, `hex-to-decimal`...), empty while
    nothing is known; `id_votes` counts the receipts that were found by each rule; `words` the state words
    of its receipts.
    """

    name: str
    type: str
    state: LinkState
    links: tuple[LinkStatus, ...] = ()
    id_rule: str = ""
    id_votes: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BindStatus:
    """One connection of a customer to our message centre, and what went over it since it came up.

    `kind` is the protocol's word (`transceiver`...), `peer` its address. `asked` counts what he asked,
    `refused` how much of that was refused; `delivered` and `undelivered` the parts of receipts and inbound
    messages that he took or did not take; `unanswered` of at most `window` are on their way to him.
    """

    account_id: int
    system_id: str
    peer: str
    kind: str
    since: datetime
    unanswered: int = 0
    window: int = 0
    asked: int = 0
    refused: int = 0
    delivered: int = 0
    undelivered: int = 0


@dataclass(frozen=True, slots=True)
class CarrierRecord:
    """What is kept of a carrier: who held it last and what it told, and what was learnt of its receipts.

    `status` is a CarrierStatus as JSON data, for consoles of other nodes; `learnt` is the carrier's own.
    """

    id: int
    name: str
    holder: str
    status: dict[str, object]
    learnt: dict[str, object]
    at: datetime


NODE = "node."
"""How the name of a node's own lease begins: it holds as long as the node lives."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works something that only one process may work, and until when; `fence` grows with every holder."""

    name: str
    holder: str
    fence: int
    until: datetime
