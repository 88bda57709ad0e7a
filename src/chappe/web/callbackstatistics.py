"""What became of callbacks over some days: charts by hour, by operator, a roster's estimate, a CSV file."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import inf
from statistics import fmean
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.callbacks import (
    CallbackForm,
    CallbackRequest,
    CallbackState,
    CallbackStory,
    ListForms,
    ReportCallbacks,
)
from chappe.model.erlang import estimate, operators_for, within
from chappe.model.errors import Fault, Refusal
from chappe.model.ringgroups import FindRingGroup
from chappe.services import callbackforms, callbackreports, ringgroups
from chappe.services.ports import Platform
from chappe.web import words
from chappe.web.charts import Chart, Line, draw
from chappe.web.reading import whole
from chappe.web.visits import Visit, for_members

HOURS = 24
PROMISED_SECONDS, PROMISED_SHARE = 20, 0.8
"""What a roster is measured by: four of five wait at most twenty seconds, as call centres count."""
MOST_OPERATORS = 500
_BEGINS_FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def routes(platform: Platform) -> Sequence[BaseRoute]:
    return [
        Route("/callbacks/statistics", for_members(platform, statistics_page), methods=["GET"]),
        Route("/callbacks/statistics.csv", for_members(platform, statistics_file), methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day over all days: how many requests were due in it, what became of them."""

    asked: int
    answered: int
    messages: int
    missed: int
    waited_seconds: float | None


@dataclass(frozen=True, slots=True)
class ByOperator:
    """What an operator did: callbacks, the seconds all of them were spoken, the mean wait before."""

    number: str
    answered: int
    talk_seconds: int
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What a roster of `operators` would do to the busiest hour, which has `calls` a day, each handled in
    `handling_seconds`; `needed` would keep the promise."""

    operators: int
    calls: float
    handling_seconds: float
    wait_seconds: float
    waits: float
    in_time: float
    occupancy: float
    needed: int


def by_hour(requests: Iterable[CallbackRequest], zone: ZoneInfo) -> list[Hour]:
    """The requests by the hour of the day at which they were due first, on the wall of a zone."""
    found: dict[int, list[CallbackRequest]] = defaultdict(list)
    for one in requests:
        due = one.created_at + timedelta(seconds=one.delay_seconds)
        found[due.astimezone(zone).hour].append(one)
    return [_hour(found[hour]) for hour in range(HOURS)]


def _hour(requests: Sequence[CallbackRequest]) -> Hour:
    def count(*states: CallbackState) -> int:
        return sum(one.state in states for one in requests)

    waited = [one.waited_seconds for one in requests if one.state is CallbackState.DONE]
    return Hour(
        len(requests),
        count(CallbackState.DONE),
        count(CallbackState.LEFT_MESSAGE),
        count(CallbackState.MISSED, CallbackState.FAILED),
        fmean(waited) if waited else None,
    )


def by_operator(requests: Iterable[CallbackRequest]) -> list[ByOperator]:
    """Who spoke how often and how long, the busiest first."""
    found: dict[str, list[CallbackRequest]] = defaultdict(list)
    for one in requests:
        if one.operator:
            found[one.operator].append(one)
    done = [
        ByOperator(
            number,
            len(ones),
            sum(one.talk_seconds for one in ones),
            fmean(one.waited_seconds for one in ones),
        )
        for number, ones in found.items()
    ]
    return sorted(done, key=lambda one: (-one.answered, one.number))


def handling_seconds(requests: Iterable[CallbackRequest]) -> float:
    """How long a callback keeps an operator: the visitor's telephone rings, both speak; 0 where nobody
    did."""
    kept = [one.ring_seconds + one.talk_seconds for one in requests if one.state is CallbackState.DONE]
    return fmean(kept) if kept else 0.0


def expected(hours: Sequence[Hour], days: int, handling: float, operators: int) -> Expected | None:
    """What a roster would do to the busiest hour; None where nothing was spoken yet."""
    calls = max(one.asked for one in hours) / days
    if not calls or not handling:
        return None
    found = estimate(calls, handling, operators)
    return Expected(
        operators,
        calls,
        handling,
        found.wait_seconds,
        found.waits,
        within(PROMISED_SECONDS, calls, handling, operators),
        found.occupancy,
        operators_for(PROMISED_SHARE, PROMISED_SECONDS, calls, handling),
    )


# --- the page


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which form's days are looked at, both included."""

    form: CallbackForm
    first_day: date
    last_day: date

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1


def _wanted(visit: Visit, forms: Sequence[CallbackForm]) -> Wanted:
    """What the address asks for: the first form and the last seven days where it says nothing. Raises Refusal
    at `since` or `until`."""
    asked = visit.request.query_params
    form = next((one for one in forms if one.ref == asked.get("form")), forms[0])
    today = visit.reader.now.astimezone(ZoneInfo(form.zone)).date()
    last = _day(asked.get("until", ""), "until") or today
    first = _day(asked.get("since", ""), "since") or last - timedelta(days=6)
    if first > last:
        raise Refusal(Fault.INVALID_PARAMETER, f"{first} is after {last}", "since")
    return Wanted(form, first, last)


def _day(written: str, field: str) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no day", field) from None


async def _report(platform: Platform, visit: Visit, wanted: Wanted) -> tuple[CallbackStory, ...]:
    command = ReportCallbacks(wanted.form.ref, wanted.first_day, wanted.last_day)
    try:
        return await callbackreports.report(platform, visit.caller, command)
    except Refusal as refusal:
        raise Refusal(refusal.fault, refusal.detail, "since") from refusal


async def statistics_page(platform: Platform, visit: Visit) -> Response:
    forms = await callbackforms.list_forms(platform, visit.caller, ListForms())
    if not forms:
        return visit.page("callbackstatistics.html", forms=(), wanted=None, here="callbacks")
    refusal, stories = None, tuple[CallbackStory, ...]()
    asked = visit.request.query_params
    wanted = Wanted(forms[0], visit.reader.now.date(), visit.reader.now.date())
    operators = None
    try:
        wanted = _wanted(visit, forms)
        stories = await _report(platform, visit, wanted)
        operators = whole(asked.get("operators", ""), "operators")
    except Refusal as found:
        refusal = found
    if operators is None:
        operators = await _roster(platform, visit, wanted.form)
    requests = [one.request for one in stories]
    zone = ZoneInfo(wanted.form.zone)
    hours, handling = by_hour(requests, zone), handling_seconds(requests)
    roster = min(operators, MOST_OPERATORS)
    return visit.page(
        "callbackstatistics.html",
        422 if refusal else 200,
        here="callbacks",
        again=str(visit.request.url),
        forms=forms,
        picks=[(one.ref, one.name) for one in forms],
        wanted=wanted,
        total=_hour(requests),
        charts=_charts(visit, hours, wanted, handling, roster),
        operators=by_operator(requests),
        expected=expected(hours, wanted.days, handling, roster),
        roster=roster,
        promised=PROMISED_SECONDS,
        trouble=visit.trouble(refusal) if refusal else None,
        forever=inf,
    )


async def _roster(platform: Platform, visit: Visit, form: CallbackForm) -> int:
    """How many operators the form's group has."""
    if not form.open_group:
        return 1
    try:
        found = await ringgroups.find(platform, visit.caller, FindRingGroup(form.open_group))
    except Refusal:
        return 1
    return max(1, len(found.operators))


def _charts(
    visit: Visit, hours: Sequence[Hour], wanted: Wanted, handling: float, operators: int
) -> list[tuple[str, str, str, Chart]]:
    """Each with its name, title and unit. The hours are those of the form's zone, whatever the reader's."""
    start = datetime.combine(wanted.last_day, datetime.min.time(), visit.reader.zone)
    times = [start.replace(hour=hour) for hour in range(HOURS)]
    say = visit.say

    def line(label: str, look: str, value: Callable[[Hour], float | None]) -> Line:
        return Line(say(label), look, [value(one) for one in hours])

    def awaited(one: Hour) -> float | None:
        seconds = estimate(one.asked / wanted.days, handling, operators).wait_seconds
        return None if not one.asked or seconds == inf else seconds

    outcomes = (
        line(words.N_("Answered"), "line-done", lambda one: one.answered),
        line(words.N_("Message left"), "line-held", lambda one: one.messages),
        line(words.N_("Missed"), "line-failed", lambda one: one.missed),
    )
    waits = (
        line(words.N_("Waited"), "line-accent", lambda one: one.waited_seconds),
        line(words.N_("Estimated wait for an operator"), "line-held", awaited),
    )
    return [
        ("outcomes", say(words.N_("What became of them, by hour of the day")), "", draw(times, outcomes)),
        ("waits", say(words.N_("Mean wait, by hour of the day")), "s", draw(times, waits)),
    ]


# --- the file

COLUMNS = (
    *("number", "id", "form", "asked_at", "due_at", "over_at", "state", "source", "visitor", "name"),
    *("label_1", "label_2", "label_3", "origin", "address", "destination", "operator", "tries"),
    *("waited_seconds", "ring_seconds", "talk_seconds", "price", "cause"),
)


async def statistics_file(platform: Platform, visit: Visit) -> Response:
    """The same requests as CSV (RFC 4180, UTF-8), times in UTC, prices in credits."""
    forms = await callbackforms.list_forms(platform, visit.caller, ListForms())
    if not forms:
        return visit.sorry(404)
    wanted = _wanted(visit, forms)
    stories = await _report(platform, visit, wanted)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(one) for one in stories)
    name = f"callbacks-{wanted.form.number}-{wanted.first_day}-{wanted.last_day}.csv"
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written.getvalue(), media_type="text/csv; charset=utf-8", headers=head)


def _row(story: CallbackStory) -> list[object]:
    r = story.request
    texts = [_inert(text) for text in (r.name, *r.labels, r.origin)]
    return [
        *(r.number, r.ref, _inert(story.form.name), _utc(r.created_at), _utc(r.due_at), _utc(r.over_at)),
        *(r.state, r.source, r.visitor, *texts, r.address, r.destination, r.operator, r.attempt),
        *(r.waited_seconds, r.ring_seconds, r.talk_seconds, f"{Decimal(r.price) / 1000:f}", r.cause),
    ]


def _utc(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def _inert(text: str) -> str:
    """What visitors wrote, so that a spreadsheet takes it for a text and never for a formula (OWASP, CSV
    Injection; in some the full-width signs count as the others)."""
    return f"'{text}" if text and text[0] in _BEGINS_FORMULA else text
