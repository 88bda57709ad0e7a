"""What one piece of work wants written, as a value: applied whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from chappe.model.errors import Fault
from chappe.model.jobs import Job, JobState
from chappe.model.ledger import Hold, LedgerMove
from chappe.model.limits import CallLimits
from chappe.model.messages import MessageState


class Advance(NamedTuple):
    """One guarded step of a message to the state `to`, from any state that `to` may follow.

    `ledger` and `enqueue` happen only if the step does. Where the guard holds it back (a duplicate
    receipt, a race lost), a `required` step refuses its whole Changes with `too_late`; another one is
    simply left out. `account_id`, where given, must own the message. None leaves a column as it is.
    """

    id: int
    to: MessageState
    at: datetime
    account_id: int | None = None
    required: bool = False
    carrier_ids: str | None = None
    fault: Fault | None = None
    carrier_code: str | None = None
    due_at: datetime | None = None
    ledger: Sequence[LedgerMove] = ()
    enqueue: Sequence[Job] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """Columns of one record set to new values; refuses with `not_found` if the record is not there (any
    more) or belongs to another account. `expected` holds columns that must still have those values,
    else the whole Changes is refused with `too_late`."""

    record: type
    id: int
    account_id: int | None
    values: Mapping[str, object]
    expected: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """One record removed; refuses with `not_found` like Update."""

    record: type
    id: int
    account_id: int | None


class Fence(NamedTuple):
    """The name of a lease and the number under which its holder took it."""

    lease: str
    number: int


class JobResult(NamedTuple):
    """How one attempt of a job went; left out where the claim of that attempt ran out meanwhile."""

    id: int
    attempts: int
    state: JobState
    outcome: str
    due_at: datetime | None = None
    done_at: datetime | None = None


class Changes(NamedTuple):
    """All that one piece of work wants written.

    A broken unique key refuses it with `already_exists`, a balance that would fall below zero with
    `insufficient_credits`, a required step that came too late with `too_late`, a `fence` that is not the
    newest of its lease (a holder that was frozen and woke up late) with `too_late` as well, an account
    id with a number in `reach` that stands on that account's blacklist with `blacklisted`, and a call that
    passes its `limits` with `too_many_calls`.
    """

    insert: Sequence[object] = ()
    reach: Sequence[tuple[int, str]] = ()
    advance: Sequence[Advance] = ()
    update: Sequence[Update] = ()
    delete: Sequence[Delete] = ()
    ledger: Sequence[LedgerMove] = ()
    enqueue: Sequence[Job] = ()
    finish: Sequence[JobResult] = ()
    fence: Fence | None = None
    hold: Sequence[Hold] = ()
    limits: Sequence[CallLimits] = ()


_NO_BALANCES: Mapping[int, int] = MappingProxyType({})


class Committed(NamedTuple):
    """What a commit did: the ids of messages that really advanced, and the new balance of each account
    whose credits moved (thousandths)."""

    advanced: frozenset[int] = frozenset()
    balances: Mapping[int, int] = _NO_BALANCES
