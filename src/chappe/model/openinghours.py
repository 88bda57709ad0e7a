"""Opening hours: weekly spans, single closed days, and whether somebody is there at a given moment.

Wall time decides: a place is open at a moment if the clock on its wall, in its zone, then shows a time inside
one of its spans, on a day that is not closed. So an hour that a change of clock leaves out is never open, and
what opens in it opens when the clock has jumped; an hour that comes twice is open twice; a day that a zone
leaves out does not count. A closure is a whole day of the wall's calendar, from 00:00 to 24:00: it also ends
what began the evening before.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chappe.model.commands import Replay
from chappe.model.publicholidays import holidays_of

DEFAULT_ZONE = "Europe/Paris"
HORIZON = timedelta(days=400)
"""How far ahead the next change is looked for (our choice): further than any yearly closing."""

_DAY = 24 * 60
_ONE_DAY = timedelta(days=1)
_CLOCK = re.compile("([0-9]{1,2}):([0-9]{2})")


class Day(IntEnum):
    """A day of the week, as `date.weekday` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Span(NamedTuple):
    """Open each week on that day from `opens` to before `closes`, in minutes since 00:00 on the wall's clock.

    `closes` is 1 to 1440; where it is not after `opens`, it is a time of the next day.
    """

    day: Day
    opens: int
    closes: int


class Closure(NamedTuple):
    """A day on which it is closed, with what it is called, if anything."""

    day: date
    note: str = ""


class Change(NamedTuple):
    """When it opens or closes (UTC)."""

    at: datetime
    opens: bool


def minutes_of(written: str) -> int:
    """A time of day, `9:00`, `09:00` or `24:00`, in minutes. Raises ValueError, with words."""
    found = _CLOCK.fullmatch(written)
    if found is None:
        raise ValueError(f"{written[:40]!r} is no time of day: write it as hh:mm, from 00:00 to 24:00")
    hours, minutes = int(found[1]), int(found[2])
    if minutes > 59 or hours * 60 + minutes > _DAY:
        raise ValueError(f"{written} is no time of day: they go from 00:00 to 24:00")
    return hours * 60 + minutes


def clock(minutes: int) -> str:
    """Minutes since 00:00 as hh:mm."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def span(day: Day, opens: str, closes: str) -> Span:
    """A span from written times; one that closes at 00:00 closes at midnight, one that closes before it opens
    does so on the next day. Raises ValueError, with words."""
    start, end = minutes_of(opens), minutes_of(closes) or _DAY
    if start == _DAY:
        raise ValueError(f"nothing opens at 24:00: write 00:00 of the day after {day.name.lower()}")
    if start == end:
        raise ValueError(
            f"a span from {clock(start)} to {clock(end)} is empty: a whole day goes from 00:00 to 24:00"
        )
    return Span(day, start, end)


@cache
def zones() -> frozenset[str]:
    """The names of all time zones of the tz database."""
    return frozenset((files("tzdata") / "zones").read_text().split())


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The named hours of an account; spans and closures as they were given, spans may overlap.

    `zone` is a name of the tz database, `region` that of the public holidays on which it is closed
    (publicholidays.py), empty for none. `version` grows with every change. Times are aware, UTC.
    """

    id: int
    account_id: int
    name: str
    spans: tuple[Span, ...]
    closures: tuple[Closure, ...]
    zone: str
    region: str
    version: int
    created_at: datetime
    changed_at: datetime

    def __hash__(self) -> int:
        return hash((self.id, self.version))  # all of them would take longer than a decision


class Timetable:
    """Opening hours made ready for quick decisions."""

    __slots__ = ("_closed", "_region", "_week", "_zone")

    def __init__(
        self,
        spans: Iterable[Span],
        closed: Iterable[date] = (),
        zone: str = DEFAULT_ZONE,
        region: str = "",
    ) -> None:
        self._week = _week(spans)
        self._closed = frozenset(closed)
        self._zone = ZoneInfo(zone)
        self._region = region

    def is_open(self, at: datetime, zone: str = "") -> bool:
        """Whether it is open at a moment (aware), on the wall of a zone or of its own one."""
        wall = at.astimezone(ZoneInfo(zone) if zone else self._zone)
        marks = self._week[wall.weekday()]
        if not bisect_right(marks, wall.hour * 60 + wall.minute) & 1:
            return False
        return not self._is_closed(wall.date())

    def next_change(self, at: datetime, zone: str = "", within: timedelta = HORIZON) -> Change | None:
        """When it closes next if it is open at that moment, else when it opens next; None where that does
        not happen within the given time."""
        if not any(self._week):
            return None
        wall = ZoneInfo(zone) if zone else self._zone
        was_open = self.is_open(at, zone)
        start = at.astimezone(UTC).replace(microsecond=0)
        for begin, end, offset in _even(wall, start, start + within):
            for moment, is_open in self._states(begin + offset, end + offset):
                if is_open != was_open:
                    return Change(moment - offset, is_open)
        return None

    def _states(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, bool]]:
        """Whether it is open at `begin`, and from each time on at which that may change before `end`; both
        are what the wall shows (written with the zone UTC), which changes evenly from one to the other."""
        minute = begin.hour * 60 + begin.minute
        midnight = begin.replace(hour=0, minute=0, second=0)
        marks = self._marks(midnight)
        passed = bisect_right(marks, minute)
        yield begin, bool(passed & 1)
        while midnight < end:
            for number in range(passed, len(marks)):
                moment = midnight + timedelta(minutes=marks[number])
                if moment >= end:
                    return
                if marks[number] < _DAY:  # what midnight brings is known by the next day
                    yield moment, not number & 1
            midnight += _ONE_DAY
            marks = self._marks(midnight)
            passed = bisect_right(marks, 0)
            if midnight < end:
                yield midnight, bool(passed & 1)

    def _marks(self, midnight: datetime) -> Sequence[int]:
        return () if self._is_closed(midnight.date()) else self._week[midnight.weekday()]

    def _is_closed(self, day: date) -> bool:
        if day in self._closed:
            return True
        return bool(self._region) and day in holidays_of(self._region, day.year)


@lru_cache(maxsize=4096)
def timetable_of(hours: OpeningHours) -> Timetable:
    """The timetable of named hours."""
    return Timetable(hours.spans, (one.day for one in hours.closures), hours.zone, hours.region)


def _week(spans: Iterable[Span]) -> tuple[tuple[int, ...], ...]:
    """For each day the minutes at which it opens and closes by turns, spans that meet made one."""
    days: list[list[tuple[int, int]]] = [[] for _ in Day]
    for day, opens, closes in spans:
        if closes > opens:
            days[day].append((opens, closes))
        else:
            days[day].append((opens, _DAY))
            days[(day + 1) % len(days)].append((0, closes))
    return tuple(_merged(one) for one in days)


def _merged(spans: list[tuple[int, int]]) -> tuple[int, ...]:
    marks: list[int] = []
    for opens, closes in sorted(spans):
        if marks and opens <= marks[-1]:
            marks[-1] = max(marks[-1], closes)
        else:
            marks += [opens, closes]
    return tuple(marks)


def _even(zone: ZoneInfo, start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The stretches of a time in which a zone's wall clock runs evenly, with how far it is ahead of UTC.

    Two changes of clock that undo one another within a day would be missed; no zone has them.
    """
    offset = _offset(zone, start)
    while start < until:
        end = min(start + _ONE_DAY, until)
        next_offset = _offset(zone, end)
        if next_offset != offset:
            change = _first_with(zone, next_offset, start, end)
            yield start, change, offset
            start, offset = change, next_offset
        if start < end:
            yield start, end, offset
        start = end


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _first_with(zone: ZoneInfo, offset: timedelta, before: datetime, after: datetime) -> datetime:
    """The second from which on a zone is that far ahead of UTC."""
    while (after - before) > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after


# --- what is asked for


@dataclass(frozen=True, slots=True)
class CreateHours:
    """New named hours. Outcome: Created."""

    name: str
    spans: Sequence[Span] = ()
    closures: Sequence[Closure] = ()
    zone: str = DEFAULT_ZONE
    region: str = ""
    replay: Replay | None = None


class Created(NamedTuple):
    """New hours; `replayed` where a repeated request is told the first answer."""

    hours: OpeningHours
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceHours:
    """Everything of named hours anew; `closures` None leaves them. Outcome: OpeningHours."""

    name: str
    spans: Sequence[Span] = ()
    closures: Sequence[Closure] | None = ()
    zone: str = DEFAULT_ZONE
    region: str = ""


@dataclass(frozen=True, slots=True)
class ListHours:
    """The account's hours, newest first. Outcome: Page of OpeningHours."""

    cursor: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindHours:
    """Outcome: OpeningHours."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteHours:
    """Outcome: None."""

    name: str


@dataclass(frozen=True, slots=True)
class AddSpans:
    """Open at more times; hours of a name that does not exist are made. Outcome: OpeningHours."""

    name: str
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class RemoveSpans:
    """Take away spans, each as it was given. Outcome: OpeningHours."""

    name: str
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class AddClosures:
    """Close on more days; hours of a name that does not exist are made. Outcome: OpeningHours."""

    name: str
    closures: Sequence[Closure]


@dataclass(frozen=True, slots=True)
class RemoveClosures:
    """Open again on days that were closed. Outcome: OpeningHours."""

    name: str
    days: Sequence[date]


@dataclass(frozen=True, slots=True)
class ImportClosures:
    """Close on the days of an iCalendar file (RFC 5545), beside those known already. Outcome: Imported."""

    name: str
    content: bytes


class Imported(NamedTuple):
    """What an iCalendar file brought: so many days that were not closed yet, and the events that close no
    whole day (title and why)."""

    hours: OpeningHours
    added: int
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskState:
    """Whether it is open at a moment, now for None, in a zone or its own one. Outcome: HoursState."""

    name: str
    at: datetime | None = None
    zone: str = ""


class HoursState(NamedTuple):
    """Whether it was open at that moment, and what comes next, if anything does."""

    at: datetime
    zone: str
    is_open: bool
    next_change: Change | None
