"""What the JSON shapes share: amounts, times, pages.

Our choices, kept everywhere: amounts are JSON numbers of credits with up to three decimals, written exactly;
times are RFC 3339 in UTC with `Z`; ids are strings, because JavaScript cannot hold a 63-bit number; telephone
numbers are MSISDN digits without plus.
"""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Raw, Struct

from chappe.model import ledger

T = TypeVar("T")

Credits = Annotated[
    Raw,
    Meta(
        description="An amount of credits, exact to the thousandth.",
        extra_json_schema={"type": "number", "multipleOf": 0.001},
    ),
]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with its zone; answers are in UTC.")]
DialectWord = Annotated[
    str,
    Meta(
        description="In whose manner the notice is written, such as `rest` or `orange`.",
        pattern="^[a-z]+$",
        max_length=20,
    ),
]
Limit = Annotated[int, Meta(ge=1, le=100, description="How many entries a page has at most.")]
Cursor = Annotated[str, Meta(description="The `next_cursor` of the page before.")]


def credits_of(thousandths: int) -> Raw:
    """Thousandths of a credit as an exact JSON number of credits: 500 is written `0.5`."""
    return Raw(ledger.in_credits(thousandths).encode("ascii"))


def utc(at: datetime) -> datetime:
    """A time as all answers write it."""
    return at.astimezone(UTC)


def utc_or_none(at: datetime | None) -> datetime | None:
    """A time that may be absent, as all answers write it."""
    return None if at is None else at.astimezone(UTC)


class Body(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A request body: a property that is not named here is refused."""


class PageQuery(Body):
    """Which page of a list."""

    limit: Limit = 20
    cursor: Cursor | None = None


class Page(Struct, Generic[T]):
    """One page of a list; `next_cursor` is null at its end."""

    data: list[T]
    next_cursor: str | None = None
