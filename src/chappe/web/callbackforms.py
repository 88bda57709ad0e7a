"""Pages of callback forms: what each does, with the widget as it will look; its files, where it may call."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from babel import Locale
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from chappe.model.callbacks import (
    LABEL_LENGTH,
    LABELS,
    AllowDestinations,
    CallbackForm,
    ChangeForm,
    CreateForm,
    FindForm,
    FirstRung,
    FormFile,
    ListDestinations,
    ListFormFiles,
    ListForms,
    PutFormFile,
    RemoveForm,
    RemoveFormFile,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.openinghours import ListHours
from chappe.model.ringgroups import RING_RANGE, ListRingGroups
from chappe.services import callbackfiles, callbackforms, openinghours, popups, ringgroups
from chappe.services.popups import Popup
from chappe.services.ports import Platform
from chappe.web import popup, rendering, words
from chappe.web.reading import whole
from chappe.web.rendering import Reader
from chappe.web.visits import Visit, for_members

PAGE = "/callbacks/forms"
_TEXTS = (
    *("name", "open_message", "closed_message", "mailbox", "shown_to_operator", "shown_to_visitor"),
    *("hours", "zone", "open_group", "closed_group", "language", "voice", "first_rung"),
)
_TICKS = ("asks_name", "immediate", "recorded", "confirms")
_COUNTS = ("operator_seconds", "visitor_seconds", "repeat_seconds", "per_address", "per_hour")
_MOST_SHOWN = 100
"""Opening hours to choose from: as many as an account may have."""


def routes(platform: Platform) -> Sequence[BaseRoute]:
    def post(path: str, act: Callable[[Platform, Visit], Awaitable[Response]]) -> Route:
        return Route(f"{PAGE}{path}", for_members(platform, act), methods=["POST"])

    return [
        Route(PAGE, for_members(platform, forms_page), methods=["GET"]),
        post("", create),
        Route(f"{PAGE}/{{ref}}", for_members(platform, form_page), methods=["GET"]),
        post("/{ref}", change),
        post("/{ref}/preview", preview),
        post("/{ref}/remove", remove),
        post("/{ref}/destinations", destinations),
        post("/{ref}/files/{file}", put_file),
        post("/{ref}/files/{file}/remove", remove_file),
    ]


async def forms_page(platform: Platform, visit: Visit) -> Response:
    return await _forms_page(platform, visit)


async def _forms_page(platform: Platform, visit: Visit, refusal: Refusal | None = None) -> Response:
    forms = await callbackforms.list_forms(platform, visit.caller, ListForms())
    return visit.page(
        "callbackforms.html",
        422 if refusal else 200,
        again=PAGE if refusal else "",
        forms=forms,
        typed=visit.field("name"),
        trouble=visit.trouble(refusal) if refusal else None,
    )


async def create(platform: Platform, visit: Visit) -> Response:
    """A form that has only a name; everything else is on its page."""
    settings = {"language": visit.reader.language}
    try:
        form = await callbackforms.create(platform, visit.caller, CreateForm(visit.field("name"), settings))
    except Refusal as refusal:
        return await _forms_page(platform, visit, refusal)
    return visit.go(f"{PAGE}/{form.ref}")


async def form_page(platform: Platform, visit: Visit) -> Response:
    form = await _form(platform, visit)
    return await _form_page(platform, visit, form, form)


async def _form(platform: Platform, visit: Visit) -> CallbackForm:
    return await callbackforms.find(platform, visit.caller, FindForm(visit.request.path_params["ref"]))


async def _form_page(
    platform: Platform,
    visit: Visit,
    form: CallbackForm,
    shown: CallbackForm,
    refusal: Refusal | None = None,
    **values: object,
) -> Response:
    """The page of a form, its fields as in `shown`: after a refusal as they were sent."""
    caller = visit.caller
    rosters = await ringgroups.list_groups(platform, caller, ListRingGroups())
    hours = await openinghours.list_hours(platform, caller, ListHours(limit=_MOST_SHOWN))
    files = await callbackfiles.list_files(platform, caller, ListFormFiles(form.ref))
    address = f"{visit.base_url}{popup.PATH}{form.ref}"
    return visit.page(
        "callbackform.html",
        422 if refusal else 200,
        again=f"{PAGE}/{form.ref}" if refusal else "",
        form=form,
        f=shown,
        address=address,
        groups=[(one.group.name, one.group.name) for one in rosters],
        hours=[(one.name, one.name) for one in hours.items],
        rings=FirstRung,
        ring_range=RING_RANGE,
        most=LABEL_LENGTH,
        kinds=FormFile,
        files={one.file: one.name for one in files},
        told="",
        destinations=_named(
            visit.reader.language,
            await callbackforms.list_destinations(platform, caller, ListDestinations(form.ref)),
        ),
        trouble=visit.trouble(refusal) if refusal else None,
        **values,
    )


def _named(language: str, known: Sequence[Any]) -> list[tuple[str, str, bool]]:
    """Destinations by code, in words, with whether the form may call there."""
    territories = Locale.parse(language).territories
    named = []
    for one in known:
        country, _, kind = one.code.partition("_")
        told = rendering.translate(language)(words.NUMBER_KIND.get(kind, kind))
        named.append((one.code, f"{territories.get(country, country)}, {told}", one.allowed))
    return sorted(named, key=lambda one: one[1])


def _settings(visit: Visit) -> dict[str, object]:
    """What the page's form says of a callback form. Raises Refusal at a count that is none."""
    settings: dict[str, object] = {name: visit.field(name) for name in _TEXTS}
    settings |= {name: bool(visit.field(name)) for name in _TICKS}
    settings |= {name: whole(visit.field(name), name) for name in _COUNTS}
    settings["labels"] = tuple(visit.field(f"label{place + 1}") for place in range(LABELS))
    return settings


async def change(platform: Platform, visit: Visit) -> Response:
    form = await _form(platform, visit)
    try:
        await callbackforms.change(platform, visit.caller, ChangeForm(form.ref, _settings(visit)))
    except Refusal as refusal:
        return await _form_page(platform, visit, form, _drafted(visit, form), refusal)
    return visit.go(f"{PAGE}/{form.ref}", "saved")


def _drafted(visit: Visit, form: CallbackForm) -> CallbackForm:
    """The form as it would be with what the page says, checked by nobody; a count that is none stays."""
    typed = {name: visit.field(name) for name in _COUNTS}
    counts: dict[str, Any] = {
        name: int(value)
        for name, value in typed.items()
        if value.isascii() and value.isdigit() and len(value) < 10
    }
    texts: dict[str, Any] = {name: visit.field(name) for name in _TEXTS}
    ticks: dict[str, Any] = {name: bool(visit.field(name)) for name in _TICKS}
    texts["labels"] = tuple(visit.field(f"label{place + 1}")[:LABEL_LENGTH] for place in range(LABELS))
    return replace(form, **texts, **ticks, **counts)


async def preview(platform: Platform, visit: Visit) -> Response:
    """The widget as a visitor would see it with what the page says now; nothing is written."""
    form = await _form(platform, visit)
    drafted = _drafted(visit, form)
    shown = await popups.show(platform, replace(drafted, hours=form.hours, zone=form.zone), visit.peer)
    is_open = visit.field("preview") != "closed"
    asks_now = bool((drafted.open_group if is_open else drafted.closed_group) or drafted.mailbox)
    reader = Reader(
        rendering.language_of(drafted.language, ""), rendering.zone_of(form.zone), visit.reader.now
    )
    values = popup.form_values(
        reader,
        Popup(drafted, is_open, asks_now, shown.times, ""),
        f"{visit.base_url}{popup.PATH}{form.ref}",
        await popup.files_of(platform, visit.caller, form),
    )
    page = rendering.render("popup_parts.html", reader, **{**popup.NOTHING, **values})
    return HTMLResponse(page)


async def remove(platform: Platform, visit: Visit) -> Response:
    await callbackforms.remove(platform, visit.caller, RemoveForm(visit.request.path_params["ref"]))
    return visit.go(PAGE, "form-removed")


async def destinations(platform: Platform, visit: Visit) -> Response:
    """Where the form may call: everywhere, only some destinations, one more, one less."""
    form, what = await _form(platform, visit), visit.field("what")
    codes = tuple(code.strip() for code in visit.field("codes").split(",") if code.strip())
    try:
        if what == "all":
            await callbackforms.change(platform, visit.caller, ChangeForm(form.ref, {"allowed": None}))
        elif not codes:
            raise Refusal(Fault.MISSING_PARAMETER, "name at least one destination", "destinations")
        elif what == "only":
            await callbackforms.change(platform, visit.caller, ChangeForm(form.ref, {"allowed": codes}))
        else:
            command = AllowDestinations(form.ref, codes, allowed=what == "more")
            await callbackforms.allow_destinations(platform, visit.caller, command)
    except Refusal as refusal:
        return await _form_page(platform, visit, form, form, refusal, codes=visit.field("codes"))
    return visit.go(f"{PAGE}/{form.ref}#where", "saved")


def _file(visit: Visit) -> FormFile:
    asked = visit.request.path_params["file"]
    found = next((one for one in FormFile if one == asked), None)
    if found is None:
        raise Refusal(Fault.NOT_FOUND, f"a form has no file {asked[:40]}", "file")
    return found


async def put_file(platform: Platform, visit: Visit) -> Response:
    form, file, sent = await _form(platform, visit), _file(visit), visit.files.get("content")
    try:
        if sent is None or not sent.content:
            raise Refusal(Fault.MISSING_PARAMETER, "choose a file first", str(file))
        command = PutFormFile(form.ref, file, sent.filename, sent.content)
        await callbackfiles.put(platform, visit.caller, command)
    except Refusal as refusal:
        at = Refusal(refusal.fault, refusal.detail, str(file))
        return await _form_page(platform, visit, form, form, at, told=refusal.detail)
    return visit.go(f"{PAGE}/{form.ref}#files", "saved")


async def remove_file(platform: Platform, visit: Visit) -> Response:
    form, file = await _form(platform, visit), _file(visit)
    await callbackfiles.remove(platform, visit.caller, RemoveFormFile(form.ref, file))
    return visit.go(f"{PAGE}/{form.ref}#files", "saved")
