"""Calendar files, read apart: what they close, and that none of them lasts."""

from datetime import date

import pytest

from chappe.host.calendars import CalendarFiles
from chappe.model.errors import Fault, Refusal
from tests.protocols.test_icalendar import calendar

SINCE, UNTIL = date(2026, 12, 1), date(2029, 12, 1)


async def test_days_and_what_was_passed_over() -> None:
    file = calendar("SUMMARY:Noël\nDTSTART;VALUE=DATE:20261225", "SUMMARY:Lunch\nDTSTART:20261201T120000")
    found = await CalendarFiles().closed_days(file, "Europe/Paris", SINCE, UNTIL)
    assert found.days == [(date(2026, 12, 25), "Noël")]
    assert found.passed_over == ["Lunch: it fills no whole day"]


async def test_a_recurrence_that_never_comes_ends_with_its_time() -> None:
    """30 February, second by second from 1970."""
    file = calendar(
        "SUMMARY:Never\nDTSTART:19700101T000000\nDURATION:P1D\n"
        "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;BYHOUR=1;BYMINUTE=1"
    )
    with pytest.raises(Refusal, match="its events take too long to work out") as told:
        await CalendarFiles(seconds=1).closed_days(file, "Europe/Paris", SINCE, UNTIL)
    assert told.value.fault is Fault.UNUSABLE_MEDIA


async def test_what_is_no_calendar_is_told_in_words() -> None:
    with pytest.raises(Refusal, match=r"the calendar cannot be read \(it is no iCalendar file"):
        await CalendarFiles().closed_days(b"hello", "Europe/Paris", SINCE, UNTIL)
