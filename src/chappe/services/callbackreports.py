"""What became of the callbacks of a form, by days of its own zone; forms with what belongs to them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chappe.model.callbacks import (
    CallbackForm,
    CallbackRequest,
    CallbackStory,
    ChangeForm,
    Destination,
    FormWithFiles,
    ListCallbacks,
    ListDestinations,
    ListFormsWithFiles,
    ReportCallbacks,
)
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.services import callbackforms
from chappe.services.ports import Platform

MOST_REQUESTS = 20_000
"""How many requests one report has (our choice: some 3 MB of lines)."""

_AT_ONCE = 500
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
_ONE_DAY = timedelta(days=1)


async def report(platform: Platform, caller: Caller, command: ReportCallbacks) -> tuple[CallbackStory, ...]:
    """The requests of a form on some days, oldest first, also where the form was removed.

    Raises Refusal: `not_found` for a form or request that the account has not, `content_too_long` for more
    than MOST_REQUESTS.
    """
    form = await callbackforms.form_of(platform, caller.account_id, command.form)
    if form is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no callback form {command.form}", "form")
    if command.request:
        return (CallbackStory(await _request(platform, form, command.request), form),)
    since, until = _days(form, command, platform.clock.now())
    found: list[CallbackRequest] = []
    wanted = ListCallbacks(since=since, until=until, oldest_first=True, limit=_AT_ONCE)
    while True:
        page = await platform.store.queries.list_callbacks(form.account_id, form.id, wanted)
        found += page
        if len(found) > MOST_REQUESTS:
            detail = f"these days have more than {MOST_REQUESTS} requests: ask for fewer days"
            raise Refusal(Fault.CONTENT_TOO_LONG, detail, "first_day")
        if len(page) < _AT_ONCE:
            return tuple(CallbackStory(one, form) for one in found)
        wanted = ListCallbacks(
            since=since, until=until, oldest_first=True, limit=_AT_ONCE, cursor=page[-1].id
        )


async def list_with_files(
    platform: Platform, caller: Caller, command: ListFormsWithFiles
) -> tuple[FormWithFiles, ...]:
    """The account's forms with the names of their files, by number."""
    queries = platform.store.queries
    found = []
    for form in await queries.callback_forms(caller.account_id):
        files = await queries.callback_form_files(caller.account_id, form.id)
        found.append(FormWithFiles(form, {one.file: one.name for one in files}))
    return tuple(found)


async def change_and_list(platform: Platform, caller: Caller, command: ChangeForm) -> tuple[Destination, ...]:
    """Change a form, and list where it may call."""
    await callbackforms.change(platform, caller, command)
    return await callbackforms.list_destinations(platform, caller, ListDestinations(command.form))


async def _request(platform: Platform, form: CallbackForm, written: str) -> CallbackRequest:
    found = None
    if written.isascii() and written.isdigit() and len(written) <= 18:
        found = await platform.store.queries.callback_numbered(form.account_id, int(written))
    if found is None or found.form_id != form.id:
        detail = f"the callback form {form.number} has no request {written[:40]}"
        raise Refusal(Fault.NOT_FOUND, detail, "request")
    return found


def _days(form: CallbackForm, command: ReportCallbacks, now: datetime) -> tuple[datetime, datetime]:
    """From the midnight before the first day to the one after the last."""
    zone = ZoneInfo(form.zone)
    last = command.last_day or now.astimezone(zone).date()
    first = command.first_day or last
    return _midnight(first, zone), _midnight(min(last, _LAST_DAY) + _ONE_DAY, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(min(max(day, _FIRST_DAY), _LAST_DAY), time.min, zone).astimezone(UTC)
