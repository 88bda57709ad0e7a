"""/v1/opening-hours: when somebody is there, by name; closed days out of calendars; open now or not."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Time, utc
from chappe.dialects.rest.table import Described
from chappe.model import openinghours as model
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.publicholidays import REGIONS
from chappe.protocols.http import HttpResponse
from chappe.services import openinghours

CALENDAR = "text/calendar"

Clock = Annotated[
    str, Meta(description="A time of day on the wall, hh:mm.", examples=["09:00"], max_length=5)
]
Zone = Annotated[str, Meta(description="A time zone of the tz database.", examples=["Europe/Paris"])]
Region = Annotated[
    str,
    Meta(
        description="Closed on the public holidays kept there: `FR`, `CH`, or a part of them by its code of"
        " ISO 3166-2; empty: they do not count.",
        extra_json_schema={"enum": ["", *REGIONS]},
    ),
]
Name = Annotated[
    str,
    Meta(description="Letters, digits, dots, hyphens and underscores.", max_length=64, examples=["shop"]),
]


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Span(Body):
    """Open every week on that day; what closes at `24:00` closes at midnight, what closes before it opens
    does so on the next day. Spans may overlap."""

    day: Weekday
    opens: Clock
    closes: Clock


class Closure(Body):
    """A whole day on which it is closed, whatever the week says."""

    day: date
    note: Annotated[str, Meta(max_length=openinghours.LONGEST_NOTE)] = ""


Spans = Annotated[tuple[Span, ...], Meta(max_length=openinghours.MOST_SPANS)]
Closures = Annotated[tuple[Closure, ...], Meta(max_length=openinghours.MOST_CLOSURES)]


class HoursChange(Body):
    """Everything anew: what is left out is none, or its default."""

    spans: Spans = ()
    closures: Closures = ()
    zone: Zone = model.DEFAULT_ZONE
    region: Region = ""


class HoursRequest(HoursChange, kw_only=True):
    """New hours with a name of their own."""

    name: Name


class Hours(Struct):
    """Opening hours."""

    name: Name
    spans: list[Span]
    closures: list[Closure]
    zone: Zone
    region: Region
    created_at: Time
    changed_at: Time

    @classmethod
    def of(cls, one: model.OpeningHours) -> "Hours":
        """The JSON of a record."""
        return cls(
            one.name,
            [
                Span(day=_WORDS[day], opens=model.clock(opens), closes=model.clock(closes))
                for day, opens, closes in one.spans
            ],
            [Closure(day=day, note=note) for day, note in one.closures],
            one.zone,
            one.region,
            utc(one.created_at),
            utc(one.changed_at),
        )


_WORDS = dict(zip(model.Day, Weekday, strict=True))
_DAYS = {word: day for day, word in _WORDS.items()}


class ImportedDays(Struct):
    """The hours with the days of a calendar: so many were not closed before. Events that fill no whole day
    are passed over, each with its reason."""

    added: int
    passed_over: list[str]
    hours: Hours


class StateQuery(Body):
    """When (now where it is left out), and on the wall of which zone (their own)."""

    at: Time | None = None
    zone: Zone = ""


class State(Struct):
    """Whether it is open at that moment. It closes, or opens, at `changes_at`; null: not within 400 days."""

    at: Time
    zone: Zone
    open: bool
    changes_at: Time | None


def _spans(given: tuple[Span, ...]) -> tuple[model.Span, ...]:
    try:
        return tuple(model.span(_DAYS[one.day], one.opens, one.closes) for one in given)
    except ValueError as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), "spans") from error


def _closures(given: tuple[Closure, ...]) -> tuple[model.Closure, ...]:
    return tuple(model.Closure(one.day, one.note) for one in given)


def decode_create(call: WireCall) -> model.CreateHours:
    """POST /v1/opening-hours."""
    asked = wire.body(call, HoursRequest)
    return model.CreateHours(
        asked.name,
        _spans(asked.spans),
        _closures(asked.closures),
        asked.zone,
        asked.region,
        wire.replay(call),
    )


def encode_created(created: model.Created, call: WireCall) -> HttpResponse:
    """The new hours."""
    replayed = ((wire.REPLAYED, "true"),) if created.replayed else ()
    return wire.answer(Hours.of(created.hours), 201, replayed)


def decode_list(call: WireCall) -> model.ListHours:
    """GET /v1/opening-hours."""
    query = wire.query(call, shapes.PageQuery)
    return model.ListHours(wire.cursor(query.cursor), query.limit)


def encode_list(page: Page[model.OpeningHours], call: WireCall) -> HttpResponse:
    """A page of them."""
    return wire.page(map(Hours.of, page.items), page.next_cursor)


def encode_hours(hours: model.OpeningHours, call: WireCall) -> HttpResponse:
    """The hours as they now are."""
    return wire.answer(Hours.of(hours))


def decode_replace(call: WireCall) -> model.ReplaceHours:
    """PUT /v1/opening-hours/{name}."""
    asked = wire.body(call, HoursChange)
    return model.ReplaceHours(
        wire.parameter(call, "name"), _spans(asked.spans), _closures(asked.closures), asked.zone, asked.region
    )


def decode_import(call: WireCall) -> model.ImportClosures:
    """POST /v1/opening-hours/{name}/import: the bytes, whatever type they are said to have."""
    wire.no_query(call)
    assert call.request is not None  # `read` always sets it
    return model.ImportClosures(wire.parameter(call, "name"), call.request.body)


def encode_imported(imported: model.Imported, call: WireCall) -> HttpResponse:
    """The hours and what came of the file."""
    return wire.answer(ImportedDays(imported.added, list(imported.passed_over), Hours.of(imported.hours)))


def decode_state(call: WireCall) -> model.AskState:
    """GET /v1/opening-hours/{name}/state."""
    query = wire.query(call, StateQuery)
    return model.AskState(wire.parameter(call, "name"), wire.instant(query.at, "at"), query.zone)


def encode_state(state: model.HoursState, call: WireCall) -> HttpResponse:
    """Open or not, and until when."""
    change = state.next_change
    return wire.answer(
        State(utc(state.at), state.zone, state.is_open, None if change is None else utc(change.at))
    )


_WEEK = (
    Span(day=Weekday.MONDAY, opens="09:00", closes="18:00"),
    Span(day=Weekday.FRIDAY, opens="22:00", closes="02:00"),
)
_CLOSED = (Closure(day=date(2026, 12, 24), note="Inventory"),)
_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_HOURS = Hours("shop", list(_WEEK), list(_CLOSED), "Europe/Paris", "FR-57", _AT, _AT)

EXAMPLES = (
    HoursRequest(name="shop", spans=_WEEK, closures=_CLOSED, region="FR-57"),
    HoursChange(spans=_WEEK, closures=_CLOSED, zone="Europe/Zurich", region="CH-GE"),
    _HOURS,
    ImportedDays(1, ["Lunch: it fills no whole day"], _HOURS),
    State(_AT, "Europe/Paris", True, _AT + timedelta(hours=7, minutes=30)),
)
"""For the document."""

_TAG, _ONE = "opening hours", "/v1/opening-hours/{name}"

LINES: Mapping[str, Operation] = {
    "GET /v1/opening-hours": table.line(
        decode_list,
        openinghours.list_hours,
        encode_list,
        "List opening hours, newest first",
        Described("list_opening_hours", _TAG, shapes.Page[Hours], query=shapes.PageQuery),
    ),
    "POST /v1/opening-hours": table.line(
        decode_create,
        openinghours.create,
        encode_created,
        "Create opening hours: weekly spans, closed days, public holidays",
        Described(
            "create_opening_hours",
            _TAG,
            Hours,
            201,
            body=HoursRequest,
            faults=(
                Fault.MISSING_PARAMETER,
                Fault.INVALID_PARAMETER,
                Fault.ALREADY_EXISTS,
                Fault.NOT_ALLOWED,
            ),
            costs=True,
        ),
    ),
    f"GET {_ONE}": table.line(
        wire.bare(model.FindHours, "name"),
        openinghours.find,
        encode_hours,
        "Read opening hours",
        Described("get_opening_hours", _TAG, Hours, faults=(Fault.NOT_FOUND,)),
    ),
    f"PUT {_ONE}": table.line(
        decode_replace,
        openinghours.replace_all,
        encode_hours,
        "Replace all of opening hours",
        Described(
            "replace_opening_hours",
            _TAG,
            Hours,
            body=HoursChange,
            faults=(Fault.INVALID_PARAMETER, Fault.NOT_FOUND),
        ),
    ),
    f"DELETE {_ONE}": table.line(
        wire.bare(model.DeleteHours, "name"),
        openinghours.delete,
        wire.nothing,
        "Delete opening hours",
        Described("delete_opening_hours", _TAG, status=204, faults=(Fault.NOT_FOUND,)),
    ),
    f"POST {_ONE}/import": table.line(
        decode_import,
        openinghours.import_closures,
        encode_imported,
        "Close on the whole days of an iCalendar file, from today on, for three years",
        Described(
            "import_closures",
            _TAG,
            ImportedDays,
            takes=(CALENDAR,),
            faults=(
                Fault.NOT_FOUND,
                Fault.EMPTY_CONTENT,
                Fault.UNUSABLE_MEDIA,
                Fault.MEDIA_TOO_LARGE,
                Fault.INVALID_PARAMETER,
            ),
        ),
    ),
    f"GET {_ONE}/state": table.line(
        decode_state,
        openinghours.state,
        encode_state,
        "Ask whether it is open, and until when",
        Described(
            "ask_opening_hours",
            _TAG,
            State,
            query=StateQuery,
            faults=(Fault.NOT_FOUND, Fault.INVALID_PARAMETER),
        ),
    ),
}
