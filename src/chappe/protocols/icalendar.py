"""Calendar files (RFC 5545): the whole days that their events fill, recurrences expanded.

Reading one may take as long as its recurrences want, so it is done where time is limited (host/calendars.py).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr
from icalendar import Calendar, Event, vBroken

from chappe.protocols.errors import ProtocolError

T = TypeVar("T")

_ONE_DAY = timedelta(days=1)
_MOST_EVENTS = 5_000
_MOST_DAYS = 5_000
_LONGEST_TITLE = 100
_UNTITLED = "event without title"
_NEEDED = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE")


class ClosedDays(NamedTuple):
    """The days that events fill, in order, each with an event's title, and of every event that fills none
    within the time its title and why."""

    days: tuple[tuple[date, str], ...]
    passed_over: tuple[str, ...]


def closed_days(content: bytes, zone: str, since: date, until: date) -> ClosedDays:
    """The whole days of a zone that the events of a file fill, from `since` to before `until`.

    An event that is called off fills none. Raises ProtocolError for what is no calendar, or has too many
    events or days.
    """
    try:
        calendars = Calendar.from_ical(content.decode("utf-8-sig"), multiple=True)
    except (AttributeError, ValueError, IndexError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise ProtocolError(f"it is no iCalendar file ({why})") from error
    events = [event for one in calendars for event in one.walk("VEVENT") if isinstance(event, Event)]
    if not calendars:
        raise ProtocolError("it is no iCalendar file (it does not begin with BEGIN:VCALENDAR)")
    if len(events) > _MOST_EVENTS:
        raise ProtocolError(f"it has {len(events)} events: {_MOST_EVENTS} are read at most")
    moved = _moved(events)
    days: dict[date, str] = {}
    passed_over: list[str] = []
    for event in events:
        title = " ".join(str(event.get("SUMMARY", "")).split())[:_LONGEST_TITLE]
        try:
            found = list(_days(event, moved, ZoneInfo(zone), since, until))
        except OverflowError:
            passed_over.append(f"{title or _UNTITLED}: it lies outside of all time")
            continue
        except _NoDay as reason:
            passed_over.append(f"{title or _UNTITLED}: {reason}")
            continue
        for day in found:
            days.setdefault(day, title)
        if len(days) > _MOST_DAYS:
            raise ProtocolError(f"it fills more than {_MOST_DAYS} days")
    return ClosedDays(tuple(sorted(days.items())), tuple(passed_over))


class _NoDay(Exception):
    """Why an event fills no day."""


def _moved(events: list[Event]) -> dict[str, set[datetime]]:
    """For each event (UID) the recurrences that events of their own replace."""
    found: dict[str, set[datetime]] = {}
    for event in events:
        replaced = _said(event, "RECURRENCE-ID", date)
        if replaced is not None:
            found.setdefault(str(event.get("UID")), set()).add(_wall(replaced))
    return found


def _days(
    event: Event, moved: dict[str, set[datetime]], zone: ZoneInfo, since: date, until: date
) -> Iterator[date]:
    """The days from `since` to before `until`. Raises _NoDay where the event fills none at any time."""
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        raise _NoDay("it is called off")
    for name in _NEEDED:
        if any(isinstance(one, vBroken) for one in _all_of(event, name)):
            raise _NoDay(f"its {name} cannot be read")
    begin = _said(event, "DTSTART", date)
    if begin is None:
        raise _NoDay("it says not when it begins")
    lasts = _lasts(event, begin)
    tz = begin.tzinfo if isinstance(begin, datetime) else None
    # How many days it can reach over, with its zone on the other side of the world.
    window = (
        datetime.combine(since, time()) - lasts - 2 * _ONE_DAY,
        datetime.combine(until, time()) + 2 * _ONE_DAY,
    )
    fills_any = False
    for wall in _begins(event, begin, moved, *window):
        first, after = _filled(wall, lasts, tz, zone, whole_days=not isinstance(begin, datetime))
        fills_any = fills_any or first < after
        day = max(first, since)
        while day < min(after, until):
            yield day
            day += _ONE_DAY
    if not fills_any and isinstance(begin, datetime) and lasts < 2 * _ONE_DAY:
        raise _NoDay("it fills no whole day")


def _lasts(event: Event, begin: date) -> timedelta:
    """How long it lasts (RFC 5545, 3.6.1: one day where it begins on a date and says nothing)."""
    end, duration = _said(event, "DTEND", date), _said(event, "DURATION", timedelta)
    if end is not None:
        return max(_wall(end) - _wall(begin), timedelta())
    if duration is not None:
        return max(duration, timedelta())
    return timedelta() if isinstance(begin, datetime) else _ONE_DAY


def _wall(at: date) -> datetime:
    """What a wall shows then: midnight of a date."""
    return at.replace(tzinfo=None) if isinstance(at, datetime) else datetime.combine(at, time())


def _begins(
    event: Event, begin: date, moved: dict[str, set[datetime]], after: datetime, before: datetime
) -> Iterator[datetime]:
    """When it begins, each time that falls between two (wall time of its own zone)."""
    rules, more = _all_of(event, "RRULE"), _dates(event, "RDATE")
    if not rules and not more:
        if after <= _wall(begin) < before:
            yield _wall(begin)
        return
    recurring = rruleset()
    recurring.rdate(_wall(begin))
    for rule in rules:
        recurring.rrule(_rule(rule, begin))
    for one in more:
        recurring.rdate(one)
    replaced = moved.get(str(event.get("UID")), set())
    for one in {*_dates(event, "EXDATE"), *replaced}:
        recurring.exdate(one)
    for count, wall in enumerate(recurring.xafter(after, inc=True)):
        if wall >= before:
            return
        if count > _MOST_DAYS:
            raise ProtocolError(f"one event recurs more than {_MOST_DAYS} times")
        yield wall


def _rule(rule: Any, begin: date) -> Any:
    until = rule.pop("UNTIL", None)
    words = rule.to_ical().decode()
    if until:
        last = until[0]
        if isinstance(last, datetime) and last.tzinfo is not None:
            # Said in UTC for what begins in a zone (RFC 5545, 3.3.10).
            zone = begin.tzinfo if isinstance(begin, datetime) else None
            last = last.astimezone(zone or UTC)
        stop = _wall(last) if isinstance(last, datetime) else datetime.combine(last, time.max)
        words += f";UNTIL={stop:%Y%m%dT%H%M%S}"
    try:
        return rrulestr(words, dtstart=_wall(begin))
    except (ValueError, TypeError, KeyError) as error:
        raise _NoDay(f"its recurrence cannot be read ({str(error)[:100]})") from None


def _all_of(event: Event, name: str) -> list[Any]:
    found = event.get(name)
    return [] if found is None else found if isinstance(found, list) else [found]


def _said(event: Event, name: str, kind: type[T]) -> T | None:
    """What a property says first, if that is of a kind."""
    for one in _all_of(event, name)[:1]:
        said = None if isinstance(one, vBroken) else getattr(one, "dt", None)
        return said if isinstance(said, kind) else None
    return None


def _dates(event: Event, name: str) -> list[datetime]:
    found: list[datetime] = []
    for several in _all_of(event, name):
        for one in getattr(several, "dts", ()):
            at = one.dt[0] if isinstance(one.dt, tuple) else one.dt  # a period begins at its first
            if isinstance(at, date):
                found.append(_wall(at))
    return found


def _filled(
    begin: datetime, lasts: timedelta, tz: tzinfo | None, zone: ZoneInfo, *, whole_days: bool
) -> tuple[date, date]:
    """The first day that is filled and the one after the last: dates are the same in every zone, times
    without one are those of the wall (RFC 5545, 3.3.5)."""
    end = begin + lasts
    if not whole_days and tz is not None:
        begin = begin.replace(tzinfo=tz).astimezone(zone).replace(tzinfo=None)
        end = end.replace(tzinfo=tz).astimezone(zone).replace(tzinfo=None)
    first = begin.date() if begin.time() == time() else begin.date() + _ONE_DAY
    return first, end.date()
