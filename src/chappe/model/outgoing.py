"""What we send to somebody's server or mailbox, and what it answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request of ours to somebody's server; with `redirect_is_fine` an answer 3xx counts as taken
    (it is never followed)."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    redirect_is_fine: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody's server answered; `body` may have been cut at the client's limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain text mail."""

    to: str
    subject: str
    body: str
    reply_to: str | None = None
