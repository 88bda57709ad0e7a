"""Opening hours of accounts: named, changed, filled from calendars, and asked whether they are open."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page, StoredOutcome
from chappe.model.openinghours import (
    DEFAULT_ZONE,
    AddClosures,
    AddSpans,
    AskState,
    Closure,
    Created,
    CreateHours,
    Day,
    DeleteHours,
    FindHours,
    HoursState,
    ImportClosures,
    Imported,
    ListHours,
    OpeningHours,
    RemoveClosures,
    RemoveSpans,
    ReplaceHours,
    Span,
    Timetable,
    clock,
    timetable_of,
    zones,
)
from chappe.model.publicholidays import REGIONS
from chappe.services import history
from chappe.services.ports import Platform

MOST_HOURS = 100
MOST_SPANS = 200
MOST_CLOSURES = 1_000
LONGEST_NOTE = 100
MOST_BYTES = 512 * 1024
AHEAD = timedelta(days=3 * 366)
"""Of an account; of one name; characters; of a calendar file, and how far ahead its days are taken (all our
choice)."""

_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_TRIES = 20


async def hours(platform: Platform, account_id: int, name: str) -> Timetable | None:
    """The timetable of an account's hours, as it was at most two seconds ago; None where there are none of
    this name."""
    found = await platform.store.queries.hours_named(account_id, name)
    return None if found is None else timetable_of(found)


# --- whole ones


async def create(platform: Platform, caller: Caller, command: CreateHours) -> Created:
    """New hours. Raises Refusal: `already_exists` for a name that is taken, `invalid_parameter` for what
    cannot be kept. A command with a key that was used before creates nothing."""
    platform.store.admit()
    if (earlier := await _earlier(platform, caller, command)) is not None:
        return earlier
    made = await _new(platform, caller, command.name)
    made = replace(
        made,
        spans=tuple(command.spans),
        closures=_in_order(command.closures),
        zone=command.zone,
        region=command.region,
    )
    _check(made)
    insert: list[object] = [made]
    if command.replay is not None:
        key, fingerprint = command.replay.key, command.replay.fingerprint
        outcome: dict[str, object] = {"opening_hours": made.name}
        insert.append(
            StoredOutcome(
                platform.ids.new_id(), caller.account_id, key, fingerprint, outcome, made.created_at
            )
        )
    try:
        await platform.store.commit(Changes(insert=insert))
    except Refusal as refusal:
        if refusal.fault is not Fault.ALREADY_EXISTS:
            raise
        twin = await _earlier(platform, caller, command)  # which came at the same moment
        if twin is not None:
            return twin
        raise Refusal(
            Fault.ALREADY_EXISTS,
            f"there are opening hours {made.name} already: change those, or take another name",
            "name",
        ) from refusal
    return Created(made)


async def _earlier(platform: Platform, caller: Caller, command: CreateHours) -> Created | None:
    stored = await history.replayed(platform, caller, command.replay)
    if stored is None:
        return None
    name = str(stored.outcome.get("opening_hours", ""))
    return Created(await find(platform, caller, FindHours(name)), replayed=True)


async def _new(platform: Platform, caller: Caller, name: str) -> OpeningHours:
    if not _NAME.fullmatch(name):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{name[:100]!r} cannot be a name: take up to 64 letters, digits, dots, hyphens and underscores",
            "name",
        )
    if await platform.store.queries.count_hours(caller.account_id) >= MOST_HOURS:
        raise Refusal(Fault.NOT_ALLOWED, f"this account has {MOST_HOURS} opening hours, the most: delete one")
    now = platform.clock.now()
    return OpeningHours(
        id=platform.ids.new_id(),
        account_id=caller.account_id,
        name=name,
        spans=(),
        closures=(),
        zone=DEFAULT_ZONE,
        region="",
        version=1,
        created_at=now,
        changed_at=now,
    )


async def list_hours(platform: Platform, caller: Caller, command: ListHours) -> Page[OpeningHours]:
    """A page of the account's hours, newest first."""
    limit = max(1, min(command.limit, 100))
    found = await platform.store.queries.list_hours(caller.account_id, command.cursor, limit + 1)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


async def find(platform: Platform, caller: Caller, command: FindHours) -> OpeningHours:
    """Hours by their name. Raises Refusal `not_found`."""
    known = _NAME.fullmatch(command.name)
    found = known and await platform.store.queries.current_hours(caller.account_id, command.name)
    if not found:
        raise Refusal(Fault.NOT_FOUND, f"there are no opening hours {command.name[:100]}", "name")
    return found


async def replace_all(platform: Platform, caller: Caller, command: ReplaceHours) -> OpeningHours:
    """Everything of hours anew, whatever it was; closed days stay where none are given. Raises Refusal like
    `create`, `not_found`."""
    closures = command.closures
    return await _change(
        platform,
        caller,
        command.name,
        lambda found: replace(
            found,
            spans=tuple(command.spans),
            closures=found.closures if closures is None else _in_order(closures),
            zone=command.zone,
            region=command.region,
        ),
    )


async def delete(platform: Platform, caller: Caller, command: DeleteHours) -> None:
    """Remove hours. Raises Refusal `not_found`, `not_allowed` while a callback form goes by them: it would be
    open day and night."""
    found = await find(platform, caller, FindHours(command.name))
    for form in await platform.store.queries.callback_forms(caller.account_id):
        if form.hours == found.name:
            raise Refusal(
                Fault.NOT_ALLOWED,
                f"the callback form {form.number} ({form.name}) goes by {found.name}: give it other hours"
                " first",
                "name",
            )
    await platform.store.commit(Changes(delete=[Delete(OpeningHours, found.id, caller.account_id)]))


# --- single spans and days


async def add_spans(platform: Platform, caller: Caller, command: AddSpans) -> OpeningHours:
    """Open at more times; one that is there already stays as it is. Raises Refusal."""

    def add(found: OpeningHours) -> OpeningHours:
        fresh = [one for one in dict.fromkeys(command.spans) if one not in found.spans]
        return replace(found, spans=(*found.spans, *fresh))

    return await _change(platform, caller, command.name, add, make=True)


async def remove_spans(platform: Platform, caller: Caller, command: RemoveSpans) -> OpeningHours:
    """Take spans away, all or none. Raises Refusal `not_found` for one that was not given like that."""

    def remove(found: OpeningHours) -> OpeningHours:
        for one in command.spans:
            if one not in found.spans:
                raise Refusal(Fault.NOT_FOUND, f"{found.name} has no span on {_written(one)}", "spans")
        return replace(found, spans=tuple(one for one in found.spans if one not in command.spans))

    return await _change(platform, caller, command.name, remove)


async def add_closures(platform: Platform, caller: Caller, command: AddClosures) -> OpeningHours:
    """Close on more days; of one that is closed already the note is written anew. Raises Refusal."""
    return await _change(
        platform,
        caller,
        command.name,
        lambda found: replace(found, closures=_in_order([*found.closures, *command.closures])),
        make=True,
    )


async def remove_closures(platform: Platform, caller: Caller, command: RemoveClosures) -> OpeningHours:
    """Open again on days, all or none. Raises Refusal `not_found` for one that is not closed."""

    def remove(found: OpeningHours) -> OpeningHours:
        closed = {one.day for one in found.closures}
        for day in command.days:
            if day not in closed:
                raise Refusal(Fault.NOT_FOUND, f"{found.name} is not closed on {day}", "days")
        return replace(found, closures=tuple(one for one in found.closures if one.day not in command.days))

    return await _change(platform, caller, command.name, remove)


async def import_closures(platform: Platform, caller: Caller, command: ImportClosures) -> Imported:
    """Close on the whole days of a calendar file, from today on. Raises Refusal, `not_found` for hours that
    do not exist."""
    platform.store.admit()
    if not command.content:
        raise Refusal(Fault.EMPTY_CONTENT, "there is no calendar: send the bytes of an iCalendar file")
    if len(command.content) > MOST_BYTES:
        raise Refusal(
            Fault.MEDIA_TOO_LARGE, f"the calendar has {len(command.content)} bytes, {MOST_BYTES} are the most"
        )
    found = await find(platform, caller, FindHours(command.name))
    since = today(platform, found)
    calendar = await platform.calendars.closed_days(command.content, found.zone, since, since + AHEAD)
    days = [Closure(day, title[:LONGEST_NOTE]) for day, title in calendar.days]
    added = 0

    def close(found: OpeningHours) -> OpeningHours:
        nonlocal added
        closed = {one.day for one in found.closures}
        fresh = [one for one in days if one.day not in closed]
        added = len(fresh)
        return replace(found, closures=_in_order([*found.closures, *fresh]))

    changed = await _change(platform, caller, command.name, close)
    return Imported(changed, added, tuple(calendar.passed_over))


async def _change(
    platform: Platform,
    caller: Caller,
    name: str,
    change: Callable[[OpeningHours], OpeningHours],
    *,
    make: bool = False,
) -> OpeningHours:
    """Change hours as they are at this moment, whoever changes them as well; with `make` those of a name
    that does not exist are made."""
    platform.store.admit()
    for _ in range(_TRIES):
        found = await platform.store.queries.current_hours(caller.account_id, name)
        if found is None and not make:
            raise Refusal(Fault.NOT_FOUND, f"there are no opening hours {name[:100]}", "name")
        changed = change(found or await _new(platform, caller, name))
        _check(changed)
        if changed == found:
            return found
        try:
            if found is None:
                await platform.store.commit(Changes(insert=[changed]))
                return changed
            changed = replace(changed, version=found.version + 1, changed_at=platform.clock.now())
            update = Update(
                OpeningHours, found.id, caller.account_id, _values(changed), {"version": found.version}
            )
            await platform.store.commit(Changes(update=[update]))
            return changed
        except Refusal as refusal:  # somebody was quicker
            if refusal.fault not in (Fault.TOO_LATE, Fault.ALREADY_EXISTS, Fault.NOT_FOUND):
                raise
    raise Refusal(Fault.TOO_LATE, f"{name} is being changed by others all the time: try again", "name")


def _values(changed: OpeningHours) -> dict[str, object]:
    return {
        "spans": changed.spans,
        "closures": changed.closures,
        "zone": changed.zone,
        "region": changed.region,
        "version": changed.version,
        "changed_at": changed.changed_at,
    }


def _in_order(closures: Sequence[Closure]) -> tuple[Closure, ...]:
    """By day, each day once: the last word on it holds."""
    return tuple(sorted({one.day: one for one in closures}.values()))


def _check(hours: OpeningHours) -> None:
    """Raise Refusal `invalid_parameter` for what cannot be kept."""
    if len(hours.spans) > MOST_SPANS:
        raise _invalid(f"{len(hours.spans)} spans are too many: {MOST_SPANS} are the most", "spans")
    if len(hours.closures) > MOST_CLOSURES:
        raise _invalid(
            f"{len(hours.closures)} closed days are too many: {MOST_CLOSURES} are the most", "closures"
        )
    for span in hours.spans:
        if not (0 <= span.opens < 1440 and 1 <= span.closes <= 1440 and span.opens != span.closes):
            raise _invalid(f"{_written(span)} is no span of time within a day", "spans")
    for closure in hours.closures:
        if len(closure.note) > LONGEST_NOTE:
            raise _invalid(f"the note of {closure.day} is longer than {LONGEST_NOTE} characters", "closures")
    if hours.zone not in zones():
        raise _invalid(
            f"{hours.zone[:100]!r} is no time zone: give a name of the tz database, such as Europe/Paris",
            "zone",
        )
    if hours.region and hours.region not in REGIONS:
        raise _invalid(
            f"{hours.region[:100]!r} is no region whose public holidays are known:"
            f" give one of {', '.join(REGIONS)}",
            "region",
        )


def _invalid(detail: str, field: str) -> Refusal:
    return Refusal(Fault.INVALID_PARAMETER, detail, field)


def _written(span: Span) -> str:
    return f"{Day(span.day).name.lower()} from {clock(span.opens)} to {clock(span.closes)}"


# --- the question


async def state(platform: Platform, caller: Caller, command: AskState) -> HoursState:
    """Whether hours are open at a moment, and what comes next. Raises Refusal `not_found`,
    `invalid_parameter` for a zone that does not exist."""
    found = await find(platform, caller, FindHours(command.name))
    zone = command.zone or found.zone
    if zone not in zones():
        raise _invalid(f"{zone[:100]!r} is no time zone: give one such as Europe/Paris", "zone")
    return state_of(found, command.at or platform.clock.now(), zone)


def state_of(hours: OpeningHours, at: datetime, zone: str = "") -> HoursState:
    """The same of hours that are at hand."""
    zone, timetable = zone or hours.zone, timetable_of(hours)
    return HoursState(at, zone, timetable.is_open(at, zone), timetable.next_change(at, zone))


def today(platform: Platform, hours: OpeningHours) -> date:
    """The day that it is on the wall."""
    return platform.clock.now().astimezone(ZoneInfo(hours.zone)).date()
