"""What opening hours say of single moments: spans, midnight, closures, both changes of clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chappe.model.openinghours import Change, Day, Span, Timetable, clock, minutes_of, span, zones
from chappe.model.publicholidays import REGIONS, holidays_of

PARIS = ZoneInfo("Europe/Paris")


def paris(written: str, fold: int = 0) -> datetime:
    """A moment by what a wall in Paris shows, in UTC."""
    return datetime.fromisoformat(written).replace(tzinfo=PARIS, fold=fold).astimezone(UTC)


WEEK = [span(day, "9:00", "12:00") for day in Day if day < Day.SATURDAY] + [
    span(day, "14:00", "18:00") for day in Day if day < Day.SATURDAY
]


@pytest.mark.parametrize(
    ("wall", "is_open", "next_wall"),
    [
        ("2026-12-01T08:59:59", False, "2026-12-01T09:00"),
        ("2026-12-01T09:00", True, "2026-12-01T12:00"),
        ("2026-12-01T11:59:59", True, "2026-12-01T12:00"),
        ("2026-12-01T12:00", False, "2026-12-01T14:00"),
        ("2026-12-04T18:00", False, "2026-12-07T09:00"),  # Friday evening
        ("2026-03-27T18:00", False, "2026-03-30T09:00"),  # over the change of clock
    ],
)
def test_a_week(wall: str, is_open: bool, next_wall: str) -> None:
    timetable = Timetable(WEEK)
    assert timetable.is_open(paris(wall)) is is_open
    assert timetable.next_change(paris(wall)) == Change(paris(next_wall), not is_open)


def test_over_midnight_touching_and_overlapping_spans_are_one() -> None:
    night = Timetable(
        [
            span(Day.FRIDAY, "22:00", "02:00"),
            span(Day.SATURDAY, "01:30", "04:00"),
            span(Day.SATURDAY, "4:00", "5:00"),
        ]
    )
    at = paris("2026-12-04T23:00")
    assert night.is_open(at)
    assert night.next_change(at) == Change(paris("2026-12-05T05:00"), False)
    sunday = Timetable([span(Day.SUNDAY, "20:00", "24:00"), span(Day.MONDAY, "00:00", "01:00")])
    assert sunday.next_change(paris("2026-12-06T21:00")) == Change(paris("2026-12-07T01:00"), False)


def test_a_closed_day_closes_what_began_the_evening_before() -> None:
    night = [span(Day.FRIDAY, "22:00", "02:00"), span(Day.SATURDAY, "22:00", "23:00")]
    timetable = Timetable(night, [date(2026, 12, 5)])
    assert timetable.next_change(paris("2026-12-04T23:00")) == Change(paris("2026-12-05T00:00"), False)
    assert not timetable.is_open(paris("2026-12-05T01:00"))
    assert timetable.next_change(paris("2026-12-05T01:00")) == Change(paris("2026-12-11T22:00"), True)


def test_what_opens_in_an_hour_that_is_left_out_opens_when_the_clock_has_jumped() -> None:
    inside = Timetable([span(Day.SUNDAY, "2:10", "2:50")])
    assert inside.next_change(paris("2026-03-28T12:00")) == Change(paris("2026-04-05T02:10"), True)
    over = Timetable([span(Day.SUNDAY, "2:30", "4:00")])
    assert over.next_change(paris("2026-03-28T12:00")) == Change(paris("2026-03-29T03:00"), True)
    before = Timetable([span(Day.SUNDAY, "1:00", "2:30")])
    assert before.next_change(paris("2026-03-29T01:30")) == Change(paris("2026-03-29T03:00"), False)


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    timetable = Timetable([span(Day.SUNDAY, "2:10", "2:50")])
    seen, at = [], paris("2026-10-24T12:00")
    for _ in range(4):
        change = timetable.next_change(at)
        assert change is not None
        seen.append(change)
        at = change.at
    assert seen == [
        Change(datetime(2026, 10, 25, 0, 10, tzinfo=UTC), True),
        Change(datetime(2026, 10, 25, 0, 50, tzinfo=UTC), False),
        Change(datetime(2026, 10, 25, 1, 10, tzinfo=UTC), True),
        Change(datetime(2026, 10, 25, 1, 50, tzinfo=UTC), False),
    ]


def test_nothing_changes_without_spans_nor_when_it_never_closes() -> None:
    at = paris("2026-12-01T10:00")
    assert Timetable([]).next_change(at) is None
    always = [span(day, "0:00", "24:00") for day in Day]
    assert Timetable(always).is_open(at)
    assert Timetable(always).next_change(at) is None
    closed = Timetable(always, [date(2026, 12, 25)])
    assert closed.next_change(at) == Change(paris("2026-12-25T00:00"), False)
    assert closed.next_change(at, within=timedelta(days=20)) is None


def test_another_zone_decides_where_it_is_asked_for() -> None:
    timetable = Timetable(WEEK)
    at = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
    assert timetable.is_open(at)
    assert not timetable.is_open(at, "America/Cayenne")
    assert timetable.next_change(at, "Asia/Tokyo") == Change(datetime(2026, 12, 1, 9, tzinfo=UTC), False)


def test_a_day_that_a_zone_leaves_out_does_not_count() -> None:
    """Samoa went from 29 to 31 December 2011."""
    timetable = Timetable([span(Day.FRIDAY, "8:00", "12:00"), span(Day.SATURDAY, "9:00", "12:00")])
    at = datetime(2011, 12, 30, 0, tzinfo=UTC)
    assert timetable.next_change(at, "Pacific/Apia") == Change(datetime(2011, 12, 30, 19, tzinfo=UTC), True)


def test_public_holidays_are_closed() -> None:
    day = paris("2027-03-26T10:00")  # Good Friday, kept in Alsace and in Geneva, not in Paris
    assert Timetable(WEEK, region="FR").is_open(day)
    assert not Timetable(WEEK, region="FR-57").is_open(day)
    assert not Timetable(WEEK, region="CH-GE").is_open(day)
    assert not Timetable(WEEK, region="FR").is_open(paris("2027-07-14T10:00"))
    assert Timetable(WEEK, region="FR").next_change(paris("2027-07-13T18:00")) == Change(
        paris("2027-07-15T09:00"), True
    )


def _easter(year: int) -> date:
    """Meeus, Astronomical Algorithms, chapter 8."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 19 * m) // 433
    month = (h + m - 7 * n + 90) // 25
    return date(year, month, (h + m - 7 * n + 33 * month + 19) % 32)


@pytest.mark.parametrize("year", range(2024, 2037))
def test_holidays_of_france_are_those_of_its_labour_code(year: int) -> None:
    """Code du travail, L3133-1, and L3134-13 for Alsace and Moselle."""
    easter = _easter(year)
    fixed = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}
    days = {date(year, *one) for one in fixed} | {easter + timedelta(days=one) for one in (1, 39, 50)}
    assert set(holidays_of("FR", year)) == days
    east = days | {easter - timedelta(days=2), date(year, 12, 26)}
    assert set(holidays_of("FR-57", year)) == set(holidays_of("FR-6AE", year)) == east
    assert set(holidays_of("FR-974", year)) == days | {date(year, 12, 20)}


def test_every_region_has_holidays_with_names() -> None:
    for region in REGIONS:
        found = holidays_of(region, 2027)
        assert len(found) >= 4, region
        assert all(found.values())
        assert found[date(2027, 1, 1)] in ("Jour de l'an", "Nouvel An"), region


@pytest.mark.parametrize(
    ("written", "minutes"), [("9:00", 540), ("09:05", 545), ("0:00", 0), ("23:59", 1439), ("24:00", 1440)]
)
def test_times_of_day(written: str, minutes: int) -> None:
    assert minutes_of(written) == minutes
    assert minutes_of(clock(minutes)) == minutes


@pytest.mark.parametrize("written", ["24:01", "25:00", "9", "9h00", "09:60", "-1:00", "", "123:00", "٠٩:٠٠"])
def test_what_is_no_time_of_day(written: str) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        minutes_of(written)


def test_spans_as_written() -> None:
    assert span(Day.MONDAY, "9:00", "0:00") == Span(Day.MONDAY, 540, 1440)
    assert span(Day.MONDAY, "0:00", "00:00") == Span(Day.MONDAY, 0, 1440)
    assert span(Day.MONDAY, "22:00", "06:00") == Span(Day.MONDAY, 1320, 360)
    with pytest.raises(ValueError, match="is empty"):
        span(Day.MONDAY, "9:00", "09:00")
    with pytest.raises(ValueError, match="nothing opens at 24:00"):
        span(Day.MONDAY, "24:00", "02:00")


def test_zones_are_those_of_the_tz_database() -> None:
    assert {"Europe/Paris", "Europe/Zurich", "Indian/Reunion", "UTC"} <= zones()
    assert len(zones()) > 400
