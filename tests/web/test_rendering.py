"""Formats: languages, zones, times, numbers and credits as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chappe.web.rendering import (
    Reader,
    breakable,
    credits,
    e164,
    environment,
    exact,
    language_of,
    relative,
    zone_of,
)

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("fr", "en", "fr"),
        (None, "fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        (None, "de, en;q=0.3, fr;q=0.7", "fr"),
        (None, "de", "en"),
        (None, "", "en"),
        ("xx", "fr", "fr"),
        (None, "fr;q=nonsense, *;q=0.1", "en"),
    ],
)
def test_the_readers_language(chosen: str | None, accepted: str, language: str) -> None:
    assert language_of(chosen, accepted) == language


@pytest.mark.parametrize("name", [None, "", "Nowhere/Town", "../../etc/passwd", "x" * 500])
def test_a_zone_that_is_none_is_utc(name: str | None) -> None:
    assert zone_of(name).key == "UTC"


@pytest.mark.parametrize(
    ("before", "english", "french"),
    [
        (timedelta(0), "now", "maintenant"),
        (timedelta(seconds=30), "30 sec. ago", "il y a 30\u00a0s"),
        (timedelta(minutes=3), "3 min. ago", "il y a 3\u00a0min"),
        (timedelta(hours=-2), "in 2 hr.", "dans 2\u00a0h"),
        (timedelta(days=20), "10 Feb", "10 févr."),
        (timedelta(days=400), "26 Jan 2025", "26 janv. 2025"),
    ],
)
def test_times_are_relative_within_a_week(before: timedelta, english: str, french: str) -> None:
    said = [relative(NOW - before, Reader(language, ZoneInfo("UTC"), NOW)) for language in ("en", "fr")]
    assert said == [english, french]


def test_the_exact_time_names_its_zone() -> None:
    reader = Reader("fr", ZoneInfo("Europe/Zurich"), NOW)
    assert exact(NOW, reader) == "2 mars 2026, 10:00:00 (Europe/Zurich)"


@pytest.mark.parametrize(
    ("thousandths", "english", "french"),
    [(0, "0", "0"), (500, "0.5", "0,5"), (-3_250, "−3.25", "−3,25"), (1_200_000, "1,200", "1\u202f200")],
)
def test_credits_in_the_readers_figures(thousandths: int, english: str, french: str) -> None:
    assert [credits("en", thousandths), credits("fr", thousandths)] == [english, french]


@pytest.mark.parametrize(
    ("number", "copied"), [("33612345678", "+33612345678"), ("20345", "20345"), ("Chappe", "Chappe")]
)
def test_numbers_are_copied_as_programs_take_them(number: str, copied: str) -> None:
    assert e164(number) == copied


def test_numbers_are_shown_as_people_write_them() -> None:
    template = environment("en").from_string("{{ '33612345678' | number }} {{ '41792223344' | number }}")
    assert template.render(reader=Reader("en", ZoneInfo("UTC"), NOW)) == (
        '<data value="+33612345678">06 12 34 56 78</data> <data value="+41792223344">+41 79 222 33 44</data>'
    )


def test_a_url_goes_on_in_the_next_line_after_a_slash() -> None:
    assert breakable("https://a.example/b/<c>") == "https://a.example/<wbr>b/<wbr>&lt;c&gt;"
