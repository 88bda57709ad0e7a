"""What an account may do: bases of its advertising, senders registered for it, and what is asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chappe.model.rules import Basis

MOST_AT_ONCE = 10_000
"""How many numbers one command may name (our choice)."""

EVERYBODY = "*"
"""Stands for all numbers in a basis: what an account declares for programs that cannot record each number.
It does not reach those whose own basis has ended."""


@dataclass(frozen=True, slots=True)
class MarketingBasis:
    """Why an account may send advertising to a number, or to EVERYBODY: `source` says in words where that is
    known from (a form, a contract). It is never erased, only withdrawn: it is the account's evidence."""

    id: int
    account_id: int
    number: str
    basis: Basis
    source: str
    at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegisteredSender:
    """A sender in letters that an account may show, because the operator saw that it is its own."""

    id: int
    account_id: int
    sender: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RecordConsents:
    """Record a basis for each number; one that has a live one keeps it. Outcome: tuple of MarketingBasis, in
    the order asked."""

    numbers: Sequence[str]
    basis: Basis
    source: str


@dataclass(frozen=True, slots=True)
class ListConsents:
    """Live and withdrawn bases. Outcome: Page of MarketingBasis, newest first."""

    number: str = ""
    cursor: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    """The live basis of a number ends now; `not_found` where there is none. Outcome: None."""

    number: str


@dataclass(frozen=True, slots=True)
class ListSenders:
    """Outcome: Page of RegisteredSender."""


@dataclass(frozen=True, slots=True)
class RegisterSender:
    """Operators only: let an account (its name, account_id or id) show a sender in letters. Outcome:
    RegisteredSender."""

    account: str
    sender: str


@dataclass(frozen=True, slots=True)
class RemoveSender:
    """No longer registered; outcome: None."""

    sender: str


@dataclass(frozen=True, slots=True)
class ListRules:
    """Outcome: tuple of Provision."""
