"""The one asynchronous path of every dialect: read, authenticate, decode, run, encode, keep the exchange.

A plain ASGI application: a framework on the send route would cost more than the rest of a message's life
(reference: performance.md 3.1). Paths that belong to no dialect go to `other`, the pages.
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import structlog

from chappe.dialects.contract import Dialect, WireCall
from chappe.model.commands import Caller
from chappe.model.errors import CarrierError, Fault, Refusal
from chappe.model.history import Exchange
from chappe.protocols import multipart
from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services import directory
from chappe.services.ports import Platform

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_KEPT = 16_384
_MASK = b"***"
_FILES = b"(a form with files)"
_SIGNING_SECRET = re.compile(rb"whsec_[A-Za-z0-9+/=]+")  # a subscription's, shown once by its answer
_SLASHES = re.compile("/{2,}")
# structlog adds to each line what variables of this prefix hold; its own way of setting them costs ten times
# as much.
_REQUEST: ContextVar[int] = ContextVar("structlog_request")
_log = structlog.get_logger()


class BodyTooLarge(Exception):
    """The body passed its dialect's limit."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Dispatches requests to dialects by path; host names do not matter, so every alias of a provider's
    hosts is served (reference: dialects.md 6, item 5)."""

    platform: Platform
    dialects: Sequence[Dialect]
    other: Application

    _faces: tuple[tuple[str, Dialect], ...] = field(init=False)

    def __post_init__(self) -> None:
        faces = [(prefix.lower(), dialect) for dialect in self.dialects for prefix in dialect.paths]
        object.__setattr__(self, "_faces", tuple(faces))

    def face_of(self, path: str) -> Dialect | None:
        """The dialect that a path belongs to. A base address with a trailing slash doubles it; verbs come in
        any letter case."""
        path = _plain(path).lower()
        for prefix, dialect in self._faces:
            if path.startswith(prefix) if prefix[-1] == "/" else path == prefix:
                return dialect
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = _plain(scope["path"])
            dialect = self.face_of(scope["path"])
            if dialect is not None:
                await self._serve(dialect, scope, receive, send)
                return
        await self.other(scope, receive, send)

    async def _serve(self, dialect: Dialect, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            limit = dialect.limit_at(scope["path"])
            body = await _body(receive, scope, limit)
        except BodyTooLarge:
            await _answer(send, self.too_large(dialect, limit), close=True)
            return
        if body is not None:  # else the client has gone
            await _answer(send, await self.answer(dialect, _request(scope, body)))

    async def answer(self, dialect: Dialect, request: HttpRequest) -> HttpResponse:
        """The answer to one request, whose exchange is kept. Never raises."""
        started = time.perf_counter()
        if "//" in request.path:
            request = request._replace(path=_plain(request.path))
        call, caller, response = await self.run(dialect, request)
        if caller is not None and caller.exchange_id is not None and call is not None:
            took = int((time.perf_counter() - started) * 1000)
            self._keep(dialect, request, call, caller, response, took)
        return response

    def too_large(self, dialect: Dialect, limit: int) -> HttpResponse:
        """The answer to a request whose body passes a limit in bytes."""
        refusal = Refusal(Fault.CONTENT_TOO_LONG, f"the request's body is larger than {limit // 1024} KiB")
        return dialect.refuse(refusal, None)

    async def run(
        self, dialect: Dialect, request: HttpRequest
    ) -> tuple[WireCall | None, Caller | None, HttpResponse]:
        """The answer to one request, with what was understood of it. Never raises."""
        call: WireCall | None = None
        caller: Caller | None = None
        try:
            request = _with_form(request)
            call = dialect.read(request)
            caller = await self._caller(dialect, call, request)
            operation = dialect.operations.get(call.verb)
            if operation is None:
                raise Refusal(Fault.UNKNOWN_OPERATION, f"there is no operation {call.verb!r}")
            command = operation.decode(call)
            outcome = await operation.run(self.platform, caller, command)
            return call, caller, operation.encode(outcome, call)
        except Refusal as refusal:
            self.platform.metrics.refused[refusal.fault] += 1
            if dialect.shows_balance and call is not None and caller is not None:
                call = call._replace(balance=await self._balance(caller))
            return call, caller, dialect.refuse(refusal, call)
        except CarrierError as error:
            self.platform.metrics.refused[error.fault] += 1
            return call, caller, dialect.refuse(Refusal(error.fault, error.code or str(error)), call)
        except Exception:  # noqa: BLE001 - one of the four outer loops
            self.platform.metrics.refused[Fault.INTERNAL] += 1
            reference = uuid4().hex[:12]
            _log.exception(
                "request failed",
                dialect=dialect.name,
                verb=None if call is None else call.verb,
                reference=reference,
            )
            detail = f"an error of ours; tell the operator of this platform the reference {reference}"
            return call, caller, dialect.refuse(Refusal(Fault.INTERNAL, detail), call)

    async def _caller(self, dialect: Dialect, call: WireCall, request: HttpRequest) -> Caller:
        if call.anonymous and not call.credentials:
            return directory.NOBODY._replace(dialect=dialect.name, region=dialect.region)
        caller = await directory.authenticate(
            self.platform, dialect.name, call.credentials, request.peer, dialect.region
        )
        exchange_id = self.platform.ids.new_id()
        _REQUEST.set(exchange_id)
        return caller._replace(exchange_id=exchange_id)

    async def _balance(self, caller: Caller) -> int | None:
        try:
            account = await self.platform.store.queries.account(caller.account_id)
        except Exception:  # noqa: BLE001 - the refusal is the answer, with or without a balance
            return None
        return None if account is None else account.balance

    def _keep(
        self,
        dialect: Dialect,
        request: HttpRequest,
        call: WireCall,
        caller: Caller,
        response: HttpResponse,
        took: int,
    ) -> None:
        assert caller.exchange_id is not None
        secrets = [secret for secret in call.secrets if secret]
        self.platform.store.note(
            Exchange(
                caller.exchange_id,
                caller.account_id,
                self.platform.clock.now(),
                dialect.name,
                call.verb,
                outgoing=False,
                status=response.status,
                request=_text(_wire(call.request or request), secrets),
                answer=_text(_shown(response.content_type, response.body[: _KEPT * 2]), secrets),
                duration_ms=took,
                peer=request.peer,
            )
        )


def _plain(path: str) -> str:
    return _SLASHES.sub("/", path) if "//" in path else path


_SHOWN_HEADERS = ("host", "content-type", "user-agent", "idempotency-key")


def _wire(request: HttpRequest) -> bytes:
    headers = request.headers
    lines = [f"\n{name}: {headers[name]}" for name in _SHOWN_HEADERS if name in headers]
    head = b"%b %b HTTP/%b%b\n\n" % (
        request.method.encode(),
        request.target,
        request.http_version.encode(),
        "".join(lines).encode("utf-8", "replace"),
    )
    if not request.body:
        return head
    return head + (_FILES if request.uploads else _shown(request.content_type, request.body[: _KEPT * 2]))


def _shown(content_type: str, body: bytes) -> bytes:
    """A body as it is kept: of sounds and pictures nothing can be read."""
    if content_type.startswith("audio/"):
        return b"(sound)"
    return b"(image)" if content_type.startswith("image/") else body


def _text(data: bytes, secrets: Iterable[bytes]) -> str:
    for secret in secrets:
        data = data.replace(secret, _MASK)
    if b"whsec_" in data:
        data = _SIGNING_SECRET.sub(_MASK, data)
    return data[:_KEPT].decode("utf-8", "backslashreplace")


async def _body(receive: Receive, scope: Scope, limit: int) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise BodyTooLarge  # announced: no need to wait for it
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        if part:
            size += len(part)
            if size > limit:
                raise BodyTooLarge
            parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _request(scope: Scope, body: bytes) -> HttpRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = scope.get("query_string", b"")
    raw_path = scope.get("raw_path") or scope["path"].encode()
    client = scope.get("client")
    return HttpRequest(
        method=scope["method"],
        host=headers.get("host", ""),
        path=scope["path"],
        target=raw_path + (b"?" + query if query else b""),
        query=query,
        headers=headers,
        body=body,
        peer=client[0] if client else "",
        secure=scope.get("scheme") == "https",
        http_version=scope.get("http_version", "1.1"),
    )


def _with_form(request: HttpRequest) -> HttpRequest:
    """The request with the parts of a multipart body taken apart."""
    if "content-type" not in request.headers or request.content_type != multipart.MEDIA_TYPE:
        return request
    try:
        form, uploads = multipart.parts(request.headers["content-type"], request.body)
    except ProtocolError as error:
        raise Refusal(Fault.INVALID_PARAMETER, error.where) from error
    return request._replace(form=form, uploads=uploads)


async def _answer(send: Send, response: HttpResponse, *, close: bool = False) -> None:
    headers = [(b"content-length", str(len(response.body)).encode())]
    if response.content_type:
        headers.append((b"content-type", response.content_type.encode("latin-1")))
    headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if close:
        headers.append((b"connection", b"close"))
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    if response.reason:
        start["reason"] = response.reason.encode("ascii")  # beyond ASGI; our listener knows it
    await send(start)
    await send({"type": "http.response.body", "body": response.body})
