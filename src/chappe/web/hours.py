"""Pages of opening hours: the list with who is open now, and one with its week, closed days and calendar."""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.openinghours import (
    DEFAULT_ZONE,
    AddClosures,
    Closure,
    CreateHours,
    Day,
    DeleteHours,
    FindHours,
    ImportClosures,
    Imported,
    ListHours,
    OpeningHours,
    RemoveClosures,
    ReplaceHours,
    Span,
    clock,
    span,
)
from chappe.model.publicholidays import REGIONS, holidays_of
from chappe.services import openinghours
from chappe.services.ports import Platform
from chappe.web import words
from chappe.web.visits import Visit, for_members

USUAL_ZONES = (
    "Europe/Paris",
    "Europe/Zurich",
    "America/Cayenne",
    "America/Guadeloupe",
    "America/Martinique",
    "America/Miquelon",
    "Indian/Mayotte",
    "Indian/Reunion",
    "Pacific/Noumea",
    "Pacific/Tahiti",
    "Pacific/Wallis",
)
"""Those of France and Switzerland, offered; any other one can be written."""

_FIRST_WEEK = ", ".join(("09:00–12:00", "14:00–18:00"))
_BETWEEN_SPANS = re.compile(r"[,;\s]+")
_SPAN = re.compile(r"([0-9]{1,2}(?:[:hH][0-9]{2}|[hH])?)-([0-9]{1,2}(?:[:hH][0-9]{2}|[hH])?)")
_MONTHS = 3
_IN_FULL = "EEEE d MMMM y"
_CLOSURES_SHOWN = 40
_FIELDS: Mapping[str, str] = {"name": "called", "spans": "day-0", "closures": "day"}
"""What the forms call the fields of the commands."""


def routes(platform: Platform) -> list[BaseRoute]:
    one = "/hours/{name}"
    return [
        Route("/hours", for_members(platform, list_page), methods=["GET"]),
        Route("/hours", for_members(platform, create), methods=["POST"]),
        Route(one, for_members(platform, hours_page), methods=["GET"]),
        Route(one, for_members(platform, save), methods=["POST"]),
        Route(f"{one}/days", for_members(platform, change_day), methods=["POST"]),
        Route(f"{one}/import", for_members(platform, import_calendar), methods=["POST"]),
        Route(f"{one}/delete", for_members(platform, delete), methods=["POST"]),
    ]


async def list_page(platform: Platform, visit: Visit) -> Response:
    return await _list_page(platform, visit)


async def _list_page(
    platform: Platform, visit: Visit, status: int = 200, called: str = "", **values: object
) -> Response:
    cursor = visit.cursor()
    found = await openinghours.list_hours(platform, visit.caller, ListHours(cursor, 50))
    now = platform.clock.now()
    page = Page(tuple((one, openinghours.state_of(one, now)) for one in found.items), found.next_cursor)
    return visit.page("hours_list.html", status, page=page, cursor=cursor, called=called, **values)


async def create(platform: Platform, visit: Visit) -> Response:
    """New ones, open as most shops are: that is quicker to change than nothing."""
    called = visit.field("called")
    week = [one for day in Day if day < Day.SATURDAY for one in spans_of(day, _FIRST_WEEK)]
    try:
        await openinghours.create(platform, visit.caller, CreateHours(called, week))
    except Refusal as refusal:
        trouble = visit.trouble(refusal, _FIELDS)
        return await _list_page(platform, visit, 422, called, trouble=trouble)
    return visit.go(f"/hours/{called}")


async def hours_page(platform: Platform, visit: Visit) -> Response:
    return await _hours_page(platform, visit)


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day of a month as it is shown; `note` is what it is called where it is closed."""

    day: date
    label: str
    note: str
    is_closed: bool
    is_holiday: bool
    is_past: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar: weeks of seven cells, None for days of its neighbours."""

    title: str
    weeks: Sequence[Sequence[DayCell | None]]


async def _hours_page(
    platform: Platform,
    visit: Visit,
    status: int = 200,
    refusal: Refusal | None = None,
    imported: Imported | None = None,
) -> Response:
    name = visit.request.path_params["name"]
    try:
        hours = await openinghours.find(platform, visit.caller, FindHours(name))
    except Refusal:
        return visit.sorry(404)
    today = openinghours.today(platform, hours)
    first = _month(visit.request.query_params.get("from", ""), today)
    ahead = [one for one in hours.closures if one.day >= today]
    drafted = bool(refusal) and "day-0" in visit.form
    return visit.page(
        "hours.html",
        status,
        here="hours",
        hours=hours,
        state=openinghours.state_of(hours, platform.clock.now()),
        week=[
            (
                f"day-{day}",
                visit.say(words.DAYS[day]),
                visit.field(f"day-{day}") if drafted else spans_in_words(hours, day),
            )
            for day in Day
        ],
        zone=visit.field("zone") if drafted else hours.zone,
        region=visit.field("region") if drafted else hours.region,
        regions=REGIONS,
        zones=USUAL_ZONES,
        months=[_shown_month(visit, hours, month, today) for month in _following(first, _MONTHS)],
        weekdays=[visit.say(one) for one in words.DAYS],
        earlier=_name_of(_step(first, -_MONTHS)) if first > today.replace(day=1) else "",
        later=_name_of(_step(first, _MONTHS)),
        closures=[
            (one, format_date(one.day, _IN_FULL, locale=visit.reader.language))
            for one in ahead[:_CLOSURES_SHOWN]
        ],
        more_closures=max(0, len(ahead) - _CLOSURES_SHOWN),
        shown=_name_of(first),
        imported=imported,
        trouble=visit.trouble(refusal, _FIELDS) if refusal else None,
    )


async def save(platform: Platform, visit: Visit) -> Response:
    """The week, the zone and the public holidays; closed days stay."""
    name = visit.request.path_params["name"]
    try:
        spans = [one for day in Day for one in spans_of(day, visit.field(f"day-{day}"))]
        zone = visit.field("zone") or DEFAULT_ZONE
        command = ReplaceHours(name, spans, None, zone, visit.field("region"))
        await openinghours.replace_all(platform, visit.caller, command)
    except Refusal as refusal:
        return await _hours_page(platform, visit, 422, refusal)
    return visit.go(f"/hours/{name}", "saved")


async def change_day(platform: Platform, visit: Visit) -> Response:
    """Close on a day, or open again on one that is closed."""
    name, back = visit.request.path_params["name"], visit.field("from")
    try:
        day = _date(visit.field("open") or visit.field("day"))
        if visit.field("open"):
            await openinghours.remove_closures(platform, visit.caller, RemoveClosures(name, [day]))
        else:
            closure = Closure(day, visit.field("note"))
            await openinghours.add_closures(platform, visit.caller, AddClosures(name, [closure]))
    except Refusal as refusal:
        return await _hours_page(platform, visit, 422, refusal)
    return visit.go(f"/hours/{name}{f'?from={back}' if back else ''}#closures", "saved")


async def import_calendar(platform: Platform, visit: Visit) -> Response:
    name = visit.request.path_params["name"]
    try:
        sent = visit.files.get("calendar")
        command = ImportClosures(name, sent.content if sent else b"")
        imported = await openinghours.import_closures(platform, visit.caller, command)
    except Refusal as refusal:
        return await _hours_page(platform, visit, 422, Refusal(refusal.fault, refusal.detail, "calendar"))
    return await _hours_page(platform, visit, imported=imported)


async def delete(platform: Platform, visit: Visit) -> Response:
    name = visit.request.path_params["name"]
    try:
        await openinghours.delete(platform, visit.caller, DeleteHours(name))
    except Refusal:
        return visit.sorry(404)
    return visit.go("/hours", "deleted")


# --- a day's spans as people write them


def spans_of(day: Day, written: str) -> list[Span]:
    """Spans such as `9:00–12:00, 14h-18h30`. Raises Refusal for what is none, at the field of that day."""
    plain = re.sub(r"\s*[-–—]\s*", "-", written)
    found = []
    for one in filter(None, _BETWEEN_SPANS.split(plain)):
        times = _SPAN.fullmatch(one)
        try:
            if times is None:
                raise ValueError(f"{one[:40]!r} is no span of time")
            found.append(span(day, *(_time(part) for part in times.groups())))
        except ValueError as error:
            raise Refusal(Fault.INVALID_PARAMETER, str(error), f"day-{day}") from error
    return found


def _time(written: str) -> str:
    hours, _, minutes = written.lower().replace("h", ":").partition(":")
    return f"{hours}:{minutes or '00'}"


def spans_in_words(hours: OpeningHours, day: Day) -> str:
    """The spans of a day as they are written in its field."""
    return ", ".join(f"{clock(one.opens)}–{clock(one.closes)}" for one in hours.spans if one.day == day)


# --- the calendar


def _date(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no day", "day") from None


def _month(written: str, today: date) -> date:
    """The first day of a month that an address names, this one where it names none of the next ten years."""
    this = today.replace(day=1)
    try:
        asked = date.fromisoformat(f"{written}-01")
    except ValueError:
        return this
    return asked if this < asked < this + timedelta(days=3660) else this


def _step(month: date, by: int) -> date:
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def _following(first: date, count: int) -> list[date]:
    return [_step(first, one) for one in range(count)]


def _name_of(month: date) -> str:
    return f"{month:%Y-%m}"


def _shown_month(visit: Visit, hours: OpeningHours, month: date, today: date) -> Month:
    language = visit.reader.language
    closed = {one.day: one.note for one in hours.closures}
    holidays = holidays_of(hours.region, month.year) if hours.region else {}

    def cell(day: date) -> DayCell | None:
        if day.month != month.month:
            return None
        note = closed.get(day) or holidays.get(day, "")
        label = format_date(day, _IN_FULL, locale=language)
        return DayCell(day, label, note, day in closed, day in holidays, day < today)

    weeks = calendar.Calendar().monthdatescalendar(month.year, month.month)
    title = format_date(month, "LLLL y", locale=language)
    return Month(title[:1].upper() + title[1:], [[cell(day) for day in week] for week in weeks])
