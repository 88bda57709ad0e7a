"""What we send to somebody's server or mailbox, and what it answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Outgoing(NamedTuple):
    """A request of ours to somebody's server; with `redirect_is_fine` an answer 3xx counts as taken
    (it is never followed)."""

    method: str
    url: str
    headers: Mapping[str, str] = _NOTHING
    body: bytes = b""
    redirect_is_fine: bool = False


class Answer(NamedTuple):
    """What somebody's server answered; `body` may have been cut at the client's limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration_ms: int


class Attachment(NamedTuple):
    """A file that goes with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain text mail, with files where it has any."""

    to: str
    subject: str
    body: str
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
