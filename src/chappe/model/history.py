"""What is kept to be looked at later: exchanges on the wire, and a message with all that happened to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from chappe.model.jobs import Job
from chappe.model.messages import Message, MessageState

T = TypeVar("T")


class Exchange(NamedTuple):
    """One wire conversation, secrets masked: `request` and `answer` as text, cut at 16 KiB.

    `outgoing` ones are ours to a customer's server, with the id of their job in `job_id`.
    """

    id: int
    account_id: int
    at: datetime
    dialect: str
    verb: str
    outgoing: bool
    status: int
    request: str
    answer: str
    duration_ms: int
    peer: str = ""
    job_id: int | None = None


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """The outcome of a command that carried an idempotency key, written with its effect."""

    id: int
    account_id: int
    key: str
    fingerprint: str
    outcome: dict[str, object]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessageStory:
    """A message with its states in order (name, time), its notices, and the exchanges about it."""

    message: Message
    timeline: tuple[tuple[MessageState, datetime], ...]
    notices: tuple[Job, ...]
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first; `next_cursor` is the id to go on from, None at the end."""

    items: tuple[T, ...]
    next_cursor: int | None
