"""Calendar files: which whole days their events fill."""

from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.protocols.errors import ProtocolError
from chappe.protocols.icalendar import closed_days

SINCE, UNTIL = date(2026, 12, 1), date(2029, 12, 1)


def calendar(*events: str) -> bytes:
    """A file of events, each the lines of its body."""
    bodies = "".join(f"BEGIN:VEVENT\nUID:{n}\n{body}\nEND:VEVENT\n" for n, body in enumerate(events))
    whole = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Chappe//Test//EN\n{bodies}END:VCALENDAR\n"
    return whole.replace("\n", "\r\n").encode()


def days(*events: str, zone: str = "Europe/Paris") -> list[str]:
    return [str(day) for day, _ in closed_days(calendar(*events), zone, SINCE, UNTIL).days]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226", ["2026-12-25"]),
        (
            "DTSTART;VALUE=DATE:20261230\nDTEND;VALUE=DATE:20270102",
            ["2026-12-30", "2026-12-31", "2027-01-01"],
        ),
        ("DTSTART;VALUE=DATE:20261230\nDURATION:P2D", ["2026-12-30", "2026-12-31"]),
        ("DTSTART;VALUE=DATE:20261128\nDTEND;VALUE=DATE:20261203", ["2026-12-01", "2026-12-02"]),
        ("DTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20200103", []),
        # times that fill whole days
        ("DTSTART:20270101T000000\nDTEND:20270102T000000", ["2027-01-01"]),
        ("DTSTART:20270101T120000\nDTEND:20270104T110000", ["2027-01-02", "2027-01-03"]),
        ("DTSTART:20261231T230000Z\nDTEND:20270101T230000Z", ["2027-01-01"]),
        (
            "DTSTART;TZID=America/Cayenne:20261231T200000\nDTEND;TZID=America/Cayenne:20270101T200000",
            ["2027-01-01"],
        ),
        # recurrences
        (
            "DTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY",
            ["2026-12-25", "2027-12-25", "2028-12-25"],
        ),
        (
            "DTSTART;VALUE=DATE:20261207\nRRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;VALUE=DATE:20261214",
            ["2026-12-07", "2026-12-21", "2026-12-28"],
        ),
        (
            "DTSTART;VALUE=DATE:20261207\nRRULE:FREQ=MONTHLY;BYDAY=1MO;UNTIL=20270201",
            ["2026-12-07", "2027-01-04", "2027-02-01"],
        ),
        (
            "DTSTART:20261207T000000Z\nDTEND:20261209T000000Z\nRRULE:FREQ=MONTHLY;UNTIL=20270107T000000Z",
            ["2026-12-08", "2027-01-08"],
        ),
        (
            "DTSTART;VALUE=DATE:20261201\nRDATE;VALUE=DATE:20261203,20261205",
            ["2026-12-01", "2026-12-03", "2026-12-05"],
        ),
    ],
)
def test_days_of_an_event(event: str, expected: list[str]) -> None:
    assert days(event) == expected


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("SUMMARY:Lunch\nDTSTART:20261201T120000\nDTEND:20261201T140000", "Lunch: it fills no whole day"),
        ("SUMMARY:Off\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20261225", "Off: it is called off"),
        ("SUMMARY:Never", "Never: it says not when it begins"),
        ("DTSTART:nonsense", "event without title: its DTSTART cannot be read"),
        (
            "SUMMARY:Odd\nDTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;BYDAY=9XX",
            "Odd: its RRULE cannot be read",
        ),
    ],
)
def test_events_that_fill_no_day_are_told(event: str, why: str) -> None:
    found = closed_days(calendar(event), "Europe/Paris", SINCE, UNTIL)
    assert not found.days
    [told] = found.passed_over
    assert told.startswith(why)


def test_a_recurrence_that_was_moved_is_where_it_was_moved_to() -> None:
    file = calendar(
        "SUMMARY:Stocktaking\nDTSTART;VALUE=DATE:20270104\nRRULE:FREQ=YEARLY;COUNT=2",
        "SUMMARY:Stocktaking\nRECURRENCE-ID;VALUE=DATE:20280104\nDTSTART;VALUE=DATE:20280105",
    ).replace(b"UID:1", b"UID:0")
    found = closed_days(file, "Europe/Paris", SINCE, UNTIL)
    assert found.days == ((date(2027, 1, 4), "Stocktaking"), (date(2028, 1, 5), "Stocktaking"))


def test_folded_lines_and_escaped_text() -> None:
    file = calendar("SUMMARY:Fermé\\, exceptionnel\n lement\nDTSTART;VALUE=DATE:20261225")
    assert closed_days(file, "Europe/Paris", SINCE, UNTIL).days[0][1] == "Fermé, exceptionnellement"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00",
        b"BEGIN:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n",
    ],
)
def test_what_is_no_calendar(content: bytes) -> None:
    with pytest.raises(ProtocolError, match="no iCalendar file"):
        closed_days(content, "Europe/Paris", SINCE, UNTIL)


def test_limits() -> None:
    with pytest.raises(ProtocolError, match="5000 are read at most"):
        closed_days(calendar(*["DTSTART;VALUE=DATE:20261225"] * 5001), "Europe/Paris", SINCE, UNTIL)
    with pytest.raises(ProtocolError, match="recurs more than"):
        days("DTSTART:20261201T000000\nDURATION:P1D\nRRULE:FREQ=SECONDLY")


RULES = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 40)),
    st.builds(
        "FREQ=WEEKLY;INTERVAL={};BYDAY={}".format,
        st.integers(1, 5),
        st.sampled_from(["MO", "TU,SU", "WE,TH,FR"]),
    ),
    st.builds("FREQ=MONTHLY;BYMONTHDAY={}".format, st.sampled_from(["1", "-1", "15,31"])),
    st.builds("FREQ=YEARLY;BYMONTH={};BYDAY=-1SU".format, st.integers(1, 12)),
)


@given(RULES, st.dates(date(2024, 1, 1), date(2027, 1, 1)), st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_every_whole_day_of_a_recurrence(rule: str, begin: date, lasts: int) -> None:
    expected = set()
    start = datetime(begin.year, begin.month, begin.day)
    # RFC 5545, 3.8.5.3: what begins the series belongs to it, whatever its rule says.
    for at in {start, *rrulestr(rule, dtstart=start).between(start, datetime(2030, 1, 1), inc=True)}:
        expected |= {at.date() + timedelta(days=one) for one in range(lasts)}
    found = days(f"DTSTART;VALUE=DATE:{begin:%Y%m%d}\nDURATION:P{lasts}D\nRRULE:{rule}")
    assert found == [str(one) for one in sorted(expected) if SINCE <= one < UNTIL]
