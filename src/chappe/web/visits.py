"""One request to the console: who asks, in which language, with what form, and how pages answer it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_urlsafe
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chappe.model.commands import Caller
from chappe.model.directory import Account, User
from chappe.model.errors import Fault, Refusal
from chappe.protocols import multipart
from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import Upload
from chappe.services import directory
from chappe.services.ports import Platform
from chappe.web import rendering, sessions, stories, words
from chappe.web.rendering import Reader

_YEAR = timedelta(days=365)
_STATUS = {
    Fault.BAD_CREDENTIALS: 401,
    Fault.INSUFFICIENT_CREDITS: 402,
    Fault.NOT_ALLOWED: 403,
    Fault.ACCOUNT_SUSPENDED: 403,
    Fault.NOT_FOUND: 404,
    Fault.ALREADY_EXISTS: 409,
    Fault.TOO_LATE: 409,
    Fault.RATE_LIMITED: 429,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is the matter: a sentence, and the field it is about (empty for the whole form)."""

    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence at the top of a page, after something was done."""

    text: str
    tone: str = "done"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `account` and `user` are None for a visitor; `token` goes into each form; `files` are
    those that a member's form brought."""

    request: Request
    reader: Reader
    token: str
    account: Account | None
    user: User | None
    form: Mapping[str, tuple[str, ...]]
    files: Mapping[str, Upload]

    @property
    def caller(self) -> Caller:
        """The member as services know callers; only for pages that members alone see."""
        if self.account is None or self.user is None:
            raise Refusal(Fault.NOT_ALLOWED, "this page is for members; log in first")
        return directory.caller_of(self.account, self.user, "console", self.account.region)

    @property
    def peer(self) -> str:
        return self.request.client.host if self.request.client else ""

    @property
    def base_url(self) -> str:
        """This server as the reader's browser calls it; a proxy in front of it may add the s of https."""
        address = self.request.base_url
        return str(address.replace(scheme="https") if self.request.app.state.secure else address).rstrip("/")

    def say(self, text: str) -> str:
        """A marked text in the reader's language."""
        return rendering.translate(self.reader.language)(text)

    def field(self, name: str, default: str = "") -> str:
        """A field of the form that was sent, without blanks around it."""
        return self.form.get(name, (default,))[0].strip()

    def cursor(self, name: str = "cursor") -> int | None:
        """Where the list goes on, from the address."""
        asked = self.request.query_params.get(name, "")
        return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 20 else None

    def trouble(self, refusal: Refusal, names: Mapping[str, str] | None = None) -> Trouble:
        """A refusal in words, at the form's own name of its field."""
        at = (refusal.field or "").partition("[")[0]
        at = (names or {}).get(at, at)
        if refusal.rule:
            return Trouble(stories.refused(refusal, self.reader.language), at)
        text = words.FAULT_AT.get((refusal.fault, at)) or words.FAULT[refusal.fault]
        return Trouble(self.say(text), at)

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A page with what every page needs."""
        said = words.SAID.get(self.request.cookies.get(sessions.SAID, ""))
        here = str(values.get("here") or self.request.url.path.split("/")[1])
        # The answer to a form that was refused stands at an address that cannot be asked for again.
        path = self.request.url.path if self.request.method != "POST" else f"/{here}"
        query = self.request.url.query
        common = {
            "account": self.account,
            "user": self.user,
            "token_value": self.token,
            "flash": None if said is None else Said(self.say(said)),
            "trouble": None,
            "here": here,
            "here_path": f"{path}?{query}" if query else path,
            "again": "" if self.request.method != "POST" else path,
            "followed": "",
        }
        response = HTMLResponse(rendering.render(template, self.reader, **(common | values)), status)
        if said is not None:
            response.delete_cookie(sessions.SAID)
        return response

    def go(self, path: str, said: str = "") -> Response:
        """Send the browser to a page of ours; it says a sentence of words.SAID there."""
        response = RedirectResponse(local(path), 303)
        if said:
            sessions.set_cookie(response, self.request, sessions.SAID, said, timedelta(seconds=30))
        return response

    def sorry(self, status: int, reference: str = "") -> Response:
        """A page that says what is the matter and what to do now."""
        title, text = words.TROUBLE[status]
        return self._trouble_page(status, title, self.say(text), reference)

    def refused(self, refusal: Refusal) -> Response:
        """A page for a refusal that belongs to no form."""
        status = _STATUS.get(refusal.fault, 422)
        if status == 404:
            return self.sorry(404)
        title, _ = words.TROUBLE[405]
        return self._trouble_page(status, title, self.trouble(refusal).text)

    def _trouble_page(self, status: int, title: str, text: str, reference: str = "") -> Response:
        label = words.N_("To the telephones") if self.account else words.N_("To the first page")
        return self.page(
            "trouble.html",
            status,
            title=self.say(title),
            text=text,
            reference=reference,
            onward="/telephones" if self.account else "/",
            onward_label=self.say(label),
        )


Handler = Callable[[Platform, Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def local(path: str) -> str:
    """A path of this server, whatever was asked for: never another host."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


def for_all(platform: Platform, handler: Handler) -> Endpoint:
    """A page that visitors see too."""

    async def endpoint(request: Request) -> Response:
        return await _answer(platform, request, handler, members_only=False)

    return endpoint


def for_members(platform: Platform, handler: Handler) -> Endpoint:
    """A page behind the login."""

    async def endpoint(request: Request) -> Response:
        return await _answer(platform, request, handler, members_only=True)

    return endpoint


async def _answer(platform: Platform, request: Request, handler: Handler, members_only: bool) -> Response:
    secret, now = platform.door.secret, platform.clock.now()
    session = sessions.unseal(secret, request.cookies.get(sessions.SESSION, ""), now)
    member = None
    if session is not None:
        member = await directory.resume(platform, session.account_id, session.user_id, session.epoch)
    account, user = member or (None, None)
    visitor = request.cookies.get(sessions.VISITOR, "")[:64]
    fresh_visitor = "" if visitor else token_urlsafe(16)
    binding = session.nonce if session is not None and member is not None else visitor or fresh_visitor
    visit = Visit(
        request=request,
        reader=reader_of(request, platform, account),
        token=sessions.form_token(secret, binding, token_urlsafe(8)),
        account=account,
        user=user,
        form={},
        files={},
    )
    if members_only and member is None:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        asked = f"/login?next={quote(path)}" if request.method != "POST" and path != "/live" else "/login"
        return RedirectResponse(asked, 303)
    try:
        if request.method == "POST":
            form, files = await _sent(request, member is not None)
            token = form.get("token", ("",))[0]
            if sessions.from_elsewhere(request) or not sessions.token_holds(secret, binding, token):
                return visit.sorry(403)
            visit = Visit(request, visit.reader, visit.token, account, user, form, files)
        response = await handler(platform, visit)
    except Refusal as refusal:
        response = visit.refused(refusal)
    except sessions.FormTooLargeError:
        response = visit.sorry(413)
    except ProtocolError:
        response = visit.sorry(403)
    if fresh_visitor and member is None:
        sessions.set_cookie(response, request, sessions.VISITOR, fresh_visitor, sessions.LIFETIME)
    return response


async def _sent(request: Request, may_upload: bool) -> tuple[sessions.Fields, Mapping[str, Upload]]:
    """What a form says, and the files it brings."""
    if may_upload and request.headers.get("content-type", "").startswith(multipart.MEDIA_TYPE):
        return await sessions.read_upload(request)
    return await sessions.read_form(request), {}


def reader_of(request: Request, platform: Platform, account: Account | None) -> Reader:
    """The reader's language and zone, from cookies, else from what the browser accepts."""
    return Reader(
        language=rendering.language_of(
            request.cookies.get("language"), request.headers.get("accept-language", "")
        ),
        zone=rendering.zone_of(unquote(request.cookies.get("zone", ""))),
        now=platform.clock.now(),
        region="FR" if account is None else account.region,
    )


async def choose_language(platform: Platform, visit: Visit) -> Response:
    """Remember the language and go back to where the reader was."""
    response = visit.go(visit.request.query_params.get("back", "/"))
    language = visit.request.path_params["language"]
    if language in rendering.LANGUAGES:
        sessions.set_cookie(response, visit.request, "language", language, _YEAR)
    return response
