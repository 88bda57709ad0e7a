"""Times as SMPP writes them (SMPP 3.4, 7.1.1): at a moment, or from now on."""

import re
from datetime import UTC, datetime, timedelta

_FORM = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])", re.ASCII)


def read_time(text: str, now: datetime) -> datetime | None:
    """The moment that a `YYMMDDhhmmsstnnp` means, UTC; None for an empty text. Raises ValueError.

    `nn` are quarters of an hour from UTC; with `R` all counts from `now`, a month as 30 days and a year as
    365 (our choice).
    """
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:20]!r} is no time of SMPP: write YYMMDDhhmmsstnnp, p being +, - or R")
    year, month, day, hour, minute, second, tenths, quarters = (int(one) for one in found.groups()[:8])
    if found[9] == "R":
        days = year * 365 + month * 30 + day
        return now + timedelta(days=days, hours=hour, minutes=minute, seconds=second)
    at = datetime(2000 + year, month, day, hour, minute, second, tenths * 100_000, UTC)
    shift = timedelta(minutes=15 * quarters)
    return at - shift if found[9] == "+" else at + shift


def write_time(at: datetime | None) -> str:
    """A moment in UTC; empty for None."""
    return "" if at is None else f"{at.astimezone(UTC):%y%m%d%H%M%S}000+"
