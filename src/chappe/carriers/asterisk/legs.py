"""What the carrier remembers of a leg and of a recording while they last."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chappe.model.calls import HangUpCause
from chappe.services.ports import RecordWanted

PREFIX = "chappe-"
"""How everything is called that we make at a switch: a request that is repeated makes nothing twice, and
after a restart we know what is ours."""


def channel_of(leg_id: int) -> str:
    """The channel of a leg that we ring. All are of one length: Asterisk 22.10 takes a channel whose name
    begins with another's for that one."""
    return f"{PREFIX}{leg_id:020}"


def bridge_of(room: int) -> str:
    """The bridge of a room."""
    return f"{PREFIX}room-{room}"


def recording_of(recording_id: int) -> str:
    """The name of a recording, which is that of its file and of the channel that listens for it."""
    return f"{PREFIX}record-{recording_id:020}"


@dataclass(slots=True, eq=False)
class OnSwitch:
    """A leg on its channel. The switch does nothing for it before it is with our application: what is asked
    until then waits. `is_talking` is known of a machine that we await. `cause` is why we end it,
    `gives_up_at` when it has rung for long enough (the loop's time)."""

    id: int
    channel: str
    account_id: int = 0
    is_placed: bool = False
    is_with_us: bool = False
    is_up: bool = False
    judges: bool = False
    awaits_machine: bool = False
    is_talking: bool = False
    cause: HangUpCause | None = None
    gives_up_at: float = 0.0
    room: int | None = None
    playback: str = ""
    has_end: bool = False
    waiting: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class OnTape:
    """A recording that runs: by a channel of its own that listens to a leg, or of a room's bridge."""

    id: int
    wanted: RecordWanted
    key: str = ""
