"""Who is looking: the session cookie, the tokens of forms, and the headers that keep pages safe."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chappe.protocols import multipart
from chappe.protocols.http import Upload

SESSION = "chappe_session"
VISITOR = "chappe_visitor"
SAID = "chappe_said"
LIFETIME = timedelta(days=14)
LARGEST_FORM = 256 * 1024
"""Bytes of a form: a text of 20,000 characters, each escaped, fits in."""
MOST_FIELDS = 1000
LARGEST_UPLOAD = 12 * 1024 * 1024
"""Bytes of a form with files: ten minutes of sound are 10 MB."""

SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""The headers of every page; what a page says itself stays."""


class FormTooLargeError(Exception):
    """A form has more bytes than LARGEST_FORM, or more than MOST_FIELDS."""


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie says, once its seal held. It ends with `epoch`, which grows when the user logs out
    or changes the password. `nonce` is what the forms of this session are bound to."""

    account_id: int
    user_id: int
    epoch: int
    began: int
    nonce: str


def seal(secret: bytes, session: Session) -> str:
    """A session as a cookie that nobody else can make."""
    text = f"{session.account_id}.{session.user_id}.{session.epoch}.{session.began}.{session.nonce}"
    return f"{text}.{_mac(secret, 'session', text)}"


def unseal(secret: bytes, cookie: str, now: datetime) -> Session | None:
    """The session in a cookie; None when it was tampered with or is older than LIFETIME."""
    text, _, mac = cookie.rpartition(".")
    if not hmac.compare_digest(mac.encode(), _mac(secret, "session", text).encode()):
        return None
    account_id, user_id, epoch, began, nonce = text.split(".")
    session = Session(int(account_id), int(user_id), int(epoch), int(began), nonce)
    return session if now.timestamp() - session.began < LIFETIME.total_seconds() else None


def form_token(secret: bytes, binding: str, salt: str) -> str:
    """A token for the forms of one session or visitor; the salt makes each page's another, so that the
    compressed size of pages tells nothing."""
    return f"{salt}.{_mac(secret, 'form', f'{salt}.{binding}')}"


def token_holds(secret: bytes, binding: str, token: str) -> bool:
    salt, _, _ = token.partition(".")
    return bool(binding) and hmac.compare_digest(token.encode(), form_token(secret, binding, salt).encode())


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site made it send this request (Fetch Metadata)."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


Fields = Mapping[str, tuple[str, ...]]
"""What a form says: each field with all its values."""


async def read_form(request: Request) -> Fields:
    """The fields of an urlencoded form. Raises FormTooLargeError."""
    text = (await _body(request, LARGEST_FORM)).decode("utf-8", "replace")
    if text.count("&") > MOST_FIELDS:
        raise FormTooLargeError
    return _gathered(parse_qsl(text, keep_blank_values=True))


async def read_upload(request: Request) -> tuple[Fields, Mapping[str, Upload]]:
    """The fields and the files of a multipart form. Raises FormTooLargeError, and ProtocolError where it is
    none."""
    fields, files = multipart.parts(
        request.headers.get("content-type", ""), await _body(request, LARGEST_UPLOAD)
    )
    read = [(name.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for name, value in fields]
    return _gathered(read), files


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise FormTooLargeError
    return bytes(body)


def _gathered(pairs: Sequence[tuple[str, str]]) -> Fields:
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), value.replace("\r\n", "\n"))
    return fields


def set_cookie(response: Response, request: Request, name: str, value: str, age: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(age.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or request.app.state.secure,
    )


class SafeHeaders:
    """Adds to every page what keeps it safe; what a page says itself stays. Below the path `embedded` other
    headers do so, because others' pages show what is there."""

    def __init__(self, app: ASGIApp, embedded: str, headers: Mapping[str, str]) -> None:
        self.app = app
        self.embedded = embedded
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        safe = self.headers if scope.get("path", "").startswith(self.embedded) else SAFE

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in safe.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, safely if scope["type"] == "http" else send)


def _mac(secret: bytes, purpose: str, text: str) -> str:
    digest = hmac.new(secret, f"console {purpose} {text}".encode(), sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
