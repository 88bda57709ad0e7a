"""The oracle of opening hours: whether they are open, minute by minute, by brute force and zoneinfo alone.

`python -m tests.model.hours_oracle` compares ten years of every time zone and prints its counts; with
`--every-minute` it asks `is_open` for each minute of every different course of a clock as well.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from chappe.model.openinghours import Day, Span, Timetable, zones

START, END = datetime(2021, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
_MINUTE, _HOUR, _ONE_DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Week:
    """Hours as the oracle reads them: a day of the week, from, to (minutes), which may be on the next day."""

    spans: Sequence[tuple[int, int, int]]
    closed: frozenset[date]
    holidays: bool

    def timetable(self, zone: str) -> Timetable:
        """The same for the product."""
        spans = [Span(Day(day), opens, closes) for day, opens, closes in self.spans]
        return Timetable(spans, self.closed, zone, "FR" if self.holidays else "")

    def is_closed(self, day: date) -> bool:
        """Whether the day is closed as a whole."""
        return day in self.closed or (self.holidays and day in _holidays(day.year))

    def is_open(self, today: int, minute: int) -> bool:
        """Whether it is open when the wall shows that, on another day of this weekday."""
        yesterday = (today - 1) % 7
        for weekday, opens, closes in self.spans:
            if closes > opens:
                if weekday == today and opens <= minute < closes:
                    return True
            elif (weekday == today and minute >= opens) or (weekday == yesterday and minute < closes):
                return True
        return False


_HOLIDAYS: dict[int, frozenset[date]] = {}


def _holidays(year: int) -> frozenset[date]:
    """Of France, by Gauss' reckoning of Easter (right for these years)."""
    if year not in _HOLIDAYS:
        d = (19 * (year % 19) + 24) % 30
        e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + 5) % 7
        easter = date(year, 3, 22) + timedelta(days=d + e)
        fixed = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
        moving = (easter + timedelta(days=one) for one in (1, 39, 50))
        _HOLIDAYS[year] = frozenset({*(date(year, *one) for one in fixed), *moving})
    return _HOLIDAYS[year]


def random_week(chance: random.Random) -> Week:
    """Hours of any kind; often at night, when clocks are changed, often touching or overlapping."""

    def minute(most: int) -> int:
        return chance.choice(
            [chance.randrange(most), chance.randrange(0, 240), chance.randrange(0, most, 30)]
        )

    spans = []
    for _ in range(chance.randrange(13)):
        day, opens, closes = chance.randrange(7), minute(1440), minute(1440) + 1
        if opens != closes:
            spans.append((chance.choice([day, 6, 6]), opens, chance.choice([closes, closes, 1440])))
    if chance.random() < 0.2:
        spans += [(day, 0, 1440) for day in range(chance.randrange(8))]
    days = (END - START).days
    closed = frozenset(
        START.date() + timedelta(days=chance.randrange(days)) for _ in range(chance.randrange(80))
    )
    return Week(spans, closed, chance.random() < 0.5)


def minutes_of(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[timedelta, int]]:
    """How far ahead of UTC a zone's wall is, and for how many minutes on end: asked each hour, and each
    minute of an hour at whose ends it differs."""
    offset, run, at = start.astimezone(zone).utcoffset() or timedelta(), 0, start
    while at < end:
        later = min(at + _HOUR, end)
        if (later.astimezone(zone).utcoffset() or timedelta()) == offset:
            run += (later - at) // _MINUTE
            at = later
            continue
        while at < later:
            found = at.astimezone(zone).utcoffset() or timedelta()
            if found != offset:
                yield offset, run
                offset, run = found, 0
            run += 1
            at += _MINUTE
    yield offset, run


def expected(week: Week, runs: Sequence[tuple[timedelta, int]], start: datetime) -> bytes:
    """One byte for each minute from `start`: 1 where it is open."""
    first = start.date() - 2 * _ONE_DAY
    total = sum(run for _, run in runs)
    usual = [bytes(week.is_open(today, minute) for minute in range(1440)) for today in range(7)]
    wall = bytearray()
    for number in range(total // 1440 + 6):
        day = first + timedelta(days=number)
        wall += bytes(1440) if week.is_closed(day) else usual[day.weekday()]
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
    found, passed = bytearray(), (start - midnight) // _MINUTE
    for offset, run in runs:
        shown = passed + offset // _MINUTE
        found += wall[shown : shown + run]
        passed += run
    return bytes(found)


@dataclass
class Counts:
    """What was compared."""

    zones: int = 0
    minutes: int = 0
    changes: int = 0
    decisions: int = 0
    clocks: int = 0

    def add(self, other: "Counts") -> None:
        self.zones += other.zones
        self.minutes += other.minutes
        self.changes += other.changes
        self.decisions += other.decisions
        self.clocks += other.clocks

    def __str__(self) -> str:
        return (
            f"{self.zones} zones, {self.minutes:,} minutes, {self.clocks:,} changes of clock,"
            f" {self.changes:,} openings and closings, {self.decisions:,} single decisions: no difference"
        )


def compare(
    zone: str, seed: int, start: datetime = START, end: datetime = END, *, every_minute: bool = False
) -> Counts:
    """Compare the product with the oracle on a random week: every opening and closing, which say of each
    minute whether it is open; single decisions around each of them and around each change of clock. Raises
    AssertionError with the first difference."""
    week = random_week(random.Random(f"{zone} {seed}"))
    runs = list(minutes_of(ZoneInfo(zone), start, end))
    oracle, timetable = expected(week, runs, start), week.timetable(zone)
    counts = Counts(zones=1, minutes=len(oracle), clocks=len(runs) - 1)

    def check(minute: int) -> None:
        if 0 <= minute < len(oracle):
            counts.decisions += 1
            at = start + minute * _MINUTE
            assert timetable.is_open(at) == bool(oracle[minute]), f"{zone} {seed} {at} {week}"

    at, is_open, told = start, timetable.is_open(start), bytearray()
    while at < end:
        change = timetable.next_change(at, within=end - at)
        until = end if change is None else change.at
        assert change is None or (change.opens != is_open and change.at > at), (
            f"{zone} {seed} {at} {change} {week}"
        )
        told += bytes([is_open]) * ((until - at) // _MINUTE)
        for minute in (-1, 0, 1):
            check((until - start) // _MINUTE + minute)
        counts.changes += change is not None
        at, is_open = until, not is_open
    if told != oracle:
        wrong = next(n for n in range(len(oracle)) if told[n : n + 1] != oracle[n : n + 1])
        raise AssertionError(f"{zone} {seed} {start + wrong * _MINUTE} {week}")
    passed = 0
    for _, run in runs[:-1]:
        passed += run
        for minute in range(passed - 240, passed + 240, 7):
            check(minute)
    if every_minute:
        moment = start
        for is_open_then in oracle:
            if timetable.is_open(moment) != bool(is_open_then):
                raise AssertionError(f"{zone} {seed} {moment} {week}")
            moment += _MINUTE
        counts.decisions += len(oracle)
    return counts


def course(zone: str) -> str:
    """The same for zones whose clocks have gone alike for ten years."""
    return sha256(repr(list(minutes_of(ZoneInfo(zone), START, END))).encode()).hexdigest()


def _whole(asked: tuple[str, bool]) -> Counts:
    return compare(asked[0], 1, every_minute=asked[1])


def main(arguments: Sequence[str]) -> None:
    """Compare everything and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every-minute", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(arguments)
    began, total = time.monotonic(), Counts()
    with ProcessPoolExecutor(asked.processes) as pool:
        names = sorted(zones())
        courses = (
            dict(zip(pool.map(course, names, chunksize=8), names, strict=True)) if asked.every_minute else {}
        )
        work = [(name, name in courses.values()) for name in names]
        for done, counts in enumerate(pool.map(_whole, work), 1):
            total.add(counts)
            if done % 50 == 0:
                print(f"{done} of {len(names)} zones, {time.monotonic() - began:.0f} s", flush=True)
    if courses:
        print(f"every minute of {len(courses)} different courses of a clock was asked for singly")
    print(f"{START:%Y} to {END:%Y}: {total} ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main(sys.argv[1:])
