"""Provisions over dates: edges of the window, changes of the clock, holidays, who may be written to."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.model.messages import Purpose
from chappe.model.rules import (
    PLACES,
    PROVISIONS,
    Basis,
    Effect,
    Facts,
    decide,
    french_holidays,
    place_of,
    says_stop,
)

PARIS = ZoneInfo("Europe/Paris")


def facts(
    at: datetime,
    basis: Basis | None = Basis.CONSENT,
    *,
    country: str = "FR",
    purpose: Purpose = Purpose.MARKETING,
    sender: str = "Shop",
    text: str = "Soldes ! STOP au 36180",
) -> Facts:
    return Facts(purpose, country, at, basis, sender, text)


def ids(given_facts: Facts) -> dict[str, Effect]:
    return {one.provision.id: one.effect for one in decide(given_facts)}


def local(text: str, zone: ZoneInfo = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-03T07:59:59", "2026-03-03T07:00:00"),
        ("2026-03-03T08:00:00", None),
        ("2026-03-03T21:29:59", None),
        ("2026-03-03T21:30:00", "2026-03-04T07:00:00"),
        ("2026-03-03T23:59:59", "2026-03-04T07:00:00"),
        ("2026-03-03T00:00:00", "2026-03-03T07:00:00"),
        # The clock goes forward on Sunday 29 March 2026 at 02:00: Saturday's evening waits for summer time.
        ("2026-03-28T22:00:00", "2026-03-29T06:00:00"),
        ("2026-03-29T01:59:00", "2026-03-29T06:00:00"),
        ("2026-03-29T03:00:00", "2026-03-29T06:00:00"),
        # It goes back on Sunday 25 October 2026 at 03:00.
        ("2026-10-24T22:00:00", "2026-10-25T07:00:00"),
        ("2026-10-25T02:30:00", "2026-10-25T07:00:00"),
        ("2026-12-31T21:30:00", "2027-01-01T07:00:00"),
    ],
)
def test_hours_of_2026(at: str, until: str | None) -> None:
    held = {one.provision.id: one.until for one in decide(facts(local(at))) if one.effect is Effect.HOLD}
    expected = {} if until is None else {"fr-marketing-hours-2026": datetime.fromisoformat(until + "+00:00")}
    assert held == expected


def test_the_hour_that_exists_twice_is_held_both_times() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).astimezone(PARIS)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC).astimezone(PARIS)
    assert (first.time(), second.time()) == (time(2, 30), time(2, 30))
    for at in (first, second):
        (held,) = [one for one in decide(facts(at)) if one.effect is Effect.HOLD]
        assert held.until == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_the_charter_before_2026_only_warns() -> None:
    found = ids(facts(local("2025-12-25T12:00:00")))
    assert found == {"fr-marketing-hours-2025": Effect.WARN}
    (one,) = decide(facts(local("2025-12-25T12:00:00")))
    assert one.until is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2035, 12, 31)),
    st.sampled_from([zone for _, country, zone in PLACES if country == "FR"]),
)
def test_a_hold_ends_at_the_next_opening(moment: datetime, zone: ZoneInfo) -> None:
    at = moment.replace(tzinfo=UTC).astimezone(zone)
    held = [one for one in decide(facts(at)) if one.effect is Effect.HOLD]
    assert bool(held) is not (time(8) <= at.time() < time(21, 30))
    for one in held:
        assert one.until is not None
        opening = one.until.astimezone(zone)
        assert opening.time() == time(8)
        assert timedelta() < one.until - at.astimezone(UTC) <= timedelta(hours=11, minutes=30)
        assert not [again for again in decide(facts(opening)) if again.effect is Effect.HOLD]


@pytest.mark.parametrize(
    ("year", "moving"),
    [
        (2024, {(4, 1), (5, 9), (5, 20)}),
        (2026, {(4, 6), (5, 14), (5, 25)}),
        (2027, {(3, 29), (5, 6), (5, 17)}),
        (2038, {(4, 26), (6, 3), (6, 14)}),
    ],
)
def test_moving_holidays(year: int, moving: set[tuple[int, int]]) -> None:
    fixed = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}
    assert french_holidays(year) == {date(year, *one) for one in fixed | moving}


@pytest.mark.parametrize(
    ("day", "warned"),
    [("2026-04-06", True), ("2026-04-05", True), ("2026-04-07", False), ("2026-07-14", True)],
)
def test_sundays_and_holidays_warn(day: str, warned: bool) -> None:
    found = ids(facts(local(f"{day}T10:00:00")))
    assert found == ({"fr-marketing-sundays": Effect.WARN} if warned else {})


@pytest.mark.parametrize("basis", [None, *Basis])
def test_advertising_needs_a_basis(basis: Basis | None) -> None:
    found = ids(facts(local("2026-03-03T10:00:00"), basis))
    assert found == ({"fr-marketing-consent": Effect.REFUSE} if basis is None else {})


def test_switzerland_only_warns() -> None:
    at = local("2026-03-03T23:00:00", ZoneInfo("Europe/Zurich"))
    assert set(ids(facts(at, None, country="CH", text="Aktion")).values()) == {Effect.WARN}


@pytest.mark.parametrize(
    ("text", "says"),
    [("Soldes. STOP au 36180", True), ("stop 36180", True), ("Nonstop!", False), ("Soldes", False)],
)
def test_stop_text(text: str, says: bool) -> None:
    assert says_stop(text) is says
    found = ids(facts(local("2026-03-03T10:00:00"), text=text))
    assert found == ({} if says else {"fr-marketing-stop": Effect.ADD_TEXT})


@pytest.mark.parametrize(
    ("sender", "rule"),
    [("38100", "fr-short-code-38"), ("33639980001", "fr-mobile-sender"), ("36180", None), ("Shop", None)],
)
def test_senders(sender: str, rule: str | None) -> None:
    assert list(ids(facts(local("2026-03-03T10:00:00"), sender=sender))) == ([rule] if rule else [])


@given(st.datetimes(timezones=st.just(PARIS)), st.text(), st.sampled_from([None, *Basis]))
def test_notices_are_free(at: datetime, text: str, basis: Basis | None) -> None:
    assert decide(facts(at, basis, purpose=Purpose.TRANSACTIONAL, text=text)) == ()


@pytest.mark.parametrize(
    ("number", "country", "zone"),
    [
        ("33612345678", "FR", "Europe/Paris"),
        ("262692123456", "FR", "Indian/Reunion"),
        ("262639123456", "FR", "Indian/Mayotte"),
        ("590690123456", "FR", "America/Guadeloupe"),
        ("41791234567", "CH", "Europe/Zurich"),
    ],
)
def test_places(number: str, country: str, zone: str) -> None:
    assert place_of(number) == (country, ZoneInfo(zone))


def test_places_without_provisions() -> None:
    assert place_of("447911123456") is None


def test_every_provision_can_be_read_and_cited() -> None:
    assert len({one.id for one in PROVISIONS}) == len(PROVISIONS)
    for one in PROVISIONS:
        assert one.english and one.french and one.source and one.english != one.french
        assert one.valid_until is None or one.valid_from < one.valid_until


def test_words_name_rule_source_and_time() -> None:
    (held,) = decide(facts(local("2026-03-03T22:00:00")))
    assert "2026-03-04T07:00+00:00" in held.words
    assert "fr-marketing-hours-2026" in held.words
    assert "Charte Business Messaging 2026" in held.words
