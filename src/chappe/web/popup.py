"""The callback widget, for everybody: its script, the form alone on a page, and how what was asked goes on.

No cookie is read or set here, and nothing says whether an account exists: what is not a form is not there.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby

from babel.dates import format_date, format_time
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from chappe.model.callbacks import LABELS, CallbackForm, FormFile, ListFormFiles, ReadFormFile
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal, Unavailable
from chappe.services import callbackfiles, popups
from chappe.services.popups import Asked, Popup, Progress, Step
from chappe.services.ports import Platform
from chappe.web import rendering, sessions, words
from chappe.web.rendering import Reader
from chappe.web.visits import Trouble

PATH = "/popup/"
EMBEDDED: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors *"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""The headers of what other people's pages may embed, in place of sessions.SAFE."""
_KEPT = "public, max-age=300"
_AGAIN_SOON, _AGAIN_WAITING, _AGAIN_LATER = 1500, 3000, 30_000
"""Milliseconds after which a widget asks how things stand (our choice)."""
_SOON = timedelta(minutes=5)
_ABOUT_NOW = timedelta(minutes=1)


def routes(platform: Platform) -> list[BaseRoute]:
    def public(path: str, handler: Handler, method: str = "GET") -> Route:
        return Route(PATH + path, _for_everybody(platform, handler), methods=[method])

    return [
        public("{ref}.js", script),
        public("{ref}/header", header),
        public("{ref}/style.css", style),
        public("{ref}", form_page),
        public("{ref}", send, "POST"),
        public("{ref}/{token}", progress_page),
        public("{ref}/{token}/cancel", cancel, "POST"),
    ]


@dataclass(frozen=True, slots=True)
class Look:
    """One request about a form. A script that wants no whole page says which `part`: "page" where it runs on
    a page of ours."""

    platform: Platform
    request: Request
    form: CallbackForm
    caller: Caller
    reader: Reader
    part: str

    @property
    def peer(self) -> str:
        return self.request.client.host if self.request.client else ""

    @property
    def address(self) -> str:
        """The form's address as the visitor's browser calls it."""
        base = self.request.base_url
        base = base.replace(scheme="https") if self.request.app.state.secure else base
        return f"{base}{PATH[1:]}{self.form.ref}"

    def say(self, text: str) -> str:
        return rendering.translate(self.reader.language)(text)

    async def files(self) -> frozenset[FormFile]:
        """The files that the form has."""
        return await files_of(self.platform, self.caller, self.form)

    def path_to(self, token: str) -> str:
        chosen = self.request.query_params.get("language", "")
        return f"{PATH}{self.form.ref}/{token}" + (f"?language={self.reader.language}" if chosen else "")


Handler = Callable[[Look], Awaitable[Response]]


def _for_everybody(platform: Platform, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        peer = request.client.host if request.client else ""
        part = request.query_params.get("part", "")
        chosen = request.query_params.get("language", "")
        try:
            form, caller = await popups.find(platform, request.path_params["ref"], peer)
            language = rendering.language_of(chosen or form.language, "")
            zone = rendering.zone_of(form.zone)
            reader = Reader(language, zone, platform.clock.now(), caller.region)
            response = await handler(Look(platform, request, form, caller, reader, part))
        except sessions.FormTooLargeError:
            response = Response(status_code=413)
        except Refusal as refusal:
            response = _sorry(platform, request, chosen, refusal, part)
        if part:  # no credentials: `*` lets nobody act for somebody
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    return endpoint


def _sorry(platform: Platform, request: Request, chosen: str, refusal: Refusal, part: str) -> Response:
    language = rendering.language_of(chosen or None, request.headers.get("accept-language", ""))
    reader = Reader(language, rendering.zone_of(None), platform.clock.now())
    text = words.POPUP_FAULT.get(refusal.fault, words.POPUP_OTHERWISE)
    status = {Fault.NOT_FOUND: 404, Fault.RATE_LIMITED: 429}.get(refusal.fault, 503)
    return _answer(reader, part, status, {"sorry": rendering.translate(language)(text)})


NOTHING: Mapping[str, object] = {
    "popup": None,
    "progress": None,
    "sorry": "",
    "form": None,
    "again": 0,
    "trouble": None,
    "address": "",
    "files": frozenset[FormFile](),
    "level": "h2",
}
"""What the template needs to be told where there is nothing of it."""


def _answer(reader: Reader, part: str, status: int, values: Mapping[str, object]) -> Response:
    template = "popup_parts.html" if part else "popup.html"
    page = rendering.render(template, reader, **{**NOTHING, "level": "h2" if part == "1" else "h1", **values})
    # A script shows whatever came: an error of HTTP would only stand in the shop's console.
    return HTMLResponse(page, 200 if part and status == 422 else status)


# --- the script


async def script(look: Look) -> Response:
    """The widget with what it needs of its form."""
    form = look.form
    given = {
        "address": look.address,
        "language": look.request.query_params.get("language", ""),
        "written": look.reader.language,
        "name": form.name,
        "label": look.say(words.N_("Call me back")),
        "close": look.say(words.N_("Close")),
        "offline": look.say(words.N_("We cannot be reached at this moment. Try again, or call us.")),
        "style": await _style(look),
    }
    text = f"{{const FORM={json.dumps(given)};const STYLE={json.dumps(_lean('widget.css'))};\n"
    headers = {"Cache-Control": _KEPT}
    return Response(f"{text}{_lean('widget.js')}}}", media_type="text/javascript", headers=headers)


@cache
def _lean(name: str) -> str:
    """A static file without its comments and indents; each of them stands on lines of its own."""
    lines = (line.strip() for line in (rendering.HERE / "static" / name).read_text("utf-8").splitlines())
    kept, inside = [], False
    for line in lines:
        inside = inside or line.startswith("/*")
        if line and not inside and not line.startswith("//"):
            kept.append(line.split(" // ")[0])
        inside = inside and not line.endswith("*/")
    return "\n".join(kept)


async def _style(look: Look) -> str:
    if FormFile.STYLE not in await look.files():
        return ""
    file = await callbackfiles.read(look.platform, look.caller, ReadFormFile(look.form.ref, FormFile.STYLE))
    return file.content.decode("utf-8", "replace")


async def style(look: Look) -> Response:
    return Response(await _style(look), media_type="text/css", headers={"Cache-Control": _KEPT})


async def header(look: Look) -> Response:
    file = await callbackfiles.read(look.platform, look.caller, ReadFormFile(look.form.ref, FormFile.HEADER))
    # Were it anything but a picture, it could do nothing.
    safe = {"Cache-Control": _KEPT, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(file.content, media_type=file.content_type, headers=safe)


# --- the form


async def form_page(look: Look) -> Response:
    return await _form_page(look, Asked(""), "")


async def _form_page(
    look: Look, asked: Asked, when: str, trouble: Trouble | None = None, status: int = 200
) -> Response:
    popup = await popups.show(look.platform, look.form, look.peer)
    origin = asked.origin or look.request.headers.get("referer", "").partition("?")[0][:200]
    values = form_values(look.reader, popup, look.address, await look.files())
    return _answer(
        look.reader,
        look.part,
        status,
        {**values, "asked": asked, "when": when, "origin": origin, "trouble": trouble},
    )


async def files_of(platform: Platform, caller: Caller, form: CallbackForm) -> frozenset[FormFile]:
    """The files that a form has."""
    found = await callbackfiles.list_files(platform, caller, ListFormFiles(form.ref))
    return frozenset(one.file for one in found)


def form_values(reader: Reader, popup: Popup, address: str, files: frozenset[FormFile]) -> dict[str, object]:
    """What the template needs of a form."""
    return {
        "form": popup.form,
        "popup": popup,
        "days": _days(reader, popup.times),
        "address": address,
        "asked": Asked(""),
        "when": "",
        "origin": "",
        "files": files,
    }


def _days(reader: Reader, times: tuple[datetime, ...]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Times by day in the form's zone: what a choice sends, what it says."""
    local = [at.astimezone(reader.zone) for at in times]
    return [
        (
            format_date(day, "EEEE d MMMM", locale=reader.language),
            [
                (at.astimezone(UTC).isoformat(), format_time(at, "HH:mm", locale=reader.language))
                for at in ats
            ],
        )
        for day, ats in groupby(local, key=lambda at: at.date())
    ]


async def send(look: Look) -> Response:
    sent = await sessions.read_form(look.request)

    def field(name: str) -> str:
        return sent.get(name, ("",))[0].strip()

    labels = tuple(field(f"label{place + 1}") for place in range(LABELS))
    when = field("when")
    asked = Asked(field("number"), field("name"), labels, _moment(when), field("origin")[:200])
    if not asked.number:
        missing = Trouble(look.say(words.POPUP_AT[Fault.MISSING_PARAMETER, "number"]), "number")
        return await _form_page(look, asked, when, missing, 422)
    try:
        progress = await popups.ask(look.platform, look.form, look.caller, look.peer, field("proof"), asked)
    except Refusal as refusal:
        status = 503 if isinstance(refusal, Unavailable) else 422
        status = 429 if refusal.fault is Fault.RATE_LIMITED else status
        return await _form_page(look, asked, when, _trouble(look, refusal), status)
    if look.part:
        return await _progress(look, progress)
    return RedirectResponse(look.path_to(progress.token), 303)


def _moment(written: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_FIELDS: Mapping[str, str] = {"visitor": "number", "due_at": "when", "delay": "when"}


def _trouble(look: Look, refusal: Refusal) -> Trouble:
    """What is the matter, in a visitor's words, at a field of the form."""
    name = (refusal.field or "").partition("[")[0]
    at = _FIELDS.get(name, name)
    if refusal.fault in words.POPUP_NUMBER:
        at = "number"
    if at in ("labels", "name", "when", "number"):
        text = words.POPUP_AT.get((refusal.fault, at)) or words.POPUP_FIELD[at]
        place = "label1" if at == "labels" else at
        return Trouble(look.say(text), place)
    if at == "proof":
        return Trouble(look.say(words.N_("This form was open for too long. Send it once more.")))
    return Trouble(look.say(words.POPUP_FAULT.get(refusal.fault, words.POPUP_OTHERWISE)))


# --- what becomes of it


async def progress_page(look: Look) -> Response:
    token = look.request.path_params["token"]
    return await _progress(look, await popups.follow(look.platform, look.form, look.caller, token))


async def cancel(look: Look) -> Response:
    token = look.request.path_params["token"]
    try:
        progress = await popups.cancel(look.platform, look.form, look.caller, look.peer, token)
    except Refusal as refusal:
        if refusal.fault is not Fault.TOO_LATE:
            raise
        progress = await popups.follow(look.platform, look.form, look.caller, token)
    return (
        await _progress(look, progress) if look.part else RedirectResponse(look.path_to(progress.token), 303)
    )


async def _progress(look: Look, progress: Progress) -> Response:
    files = await look.files()
    values = {
        "form": look.form,
        "progress": progress,
        "said": _said(look.reader, progress),
        "again": _again(look.reader.now, progress),
        "address": look.address,
        "files": files,
    }
    return _answer(look.reader, look.part, 200, values)


def _said(reader: Reader, progress: Progress) -> str:
    say = rendering.translate(reader.language)
    if progress.step is Step.WAITING and progress.due_at - reader.now > _ABOUT_NOW:
        at = progress.due_at.astimezone(reader.zone)
        return say(words.N_("We will call you on %(day)s at %(time)s.")) % {
            "day": format_date(at, "EEEE d MMMM", locale=reader.language),
            "time": format_time(at, "HH:mm", locale=reader.language),
        }
    return say(words.POPUP_STEP[progress.step])


def _again(now: datetime, progress: Progress) -> int:
    """After how many milliseconds to look again; 0 for never."""
    if progress.is_over:
        return 0
    if progress.step is not Step.WAITING:
        return _AGAIN_SOON
    return _AGAIN_LATER if progress.due_at - now > _SOON else _AGAIN_WAITING
