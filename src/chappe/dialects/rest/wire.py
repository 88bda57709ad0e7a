"""What all operations of the REST API share: reading a request, shaping its JSON, writing an answer."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar, get_args
from urllib.parse import parse_qs

import msgspec

from chappe.dialects.contract import WireCall
from chappe.dialects.rest.shapes import Page
from chappe.model.commands import Credentials, Key, Replay
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpRequest, HttpResponse

S = TypeVar("S", bound=msgspec.Struct)

JSON = "application/json"
WAV = "audio/wav"
NO_STORE = ("cache-control", "no-store")
IDEMPOTENCY_KEY = "idempotency-key"
REPLAYED = "idempotency-replayed"
DOCUMENT_PATH = "/v1/openapi.json"


class Unreadable(Refusal):
    """A request that cannot be read as a whole; it has an HTTP status of its own."""

    def __init__(self, status: int, fault: Fault, detail: str, field: str | None = None) -> None:
        super().__init__(fault, detail, field)
        self.status = status


# --- which operation a request means


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the API with the methods it knows; `template` has its parameters in braces."""

    template: str
    pattern: re.Pattern[str]
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request went: the parameters in its path, and the methods that the path knows (none: there
    is no such path)."""

    parameters: Mapping[str, str]
    methods: tuple[str, ...] = ()


def routes_of(verbs: Iterable[str]) -> tuple[Route, ...]:
    """The routes of verbs such as `GET /v1/messages/{id}`; fixed paths come before those with parameters."""
    methods: dict[str, list[str]] = {}
    for verb in verbs:
        method, template = verb.split(" ")
        methods.setdefault(template, []).append(method)
    return tuple(
        Route(template, _pattern(template), tuple(methods[template]))
        for template in sorted(methods, key=lambda template: "{" in template)
    )


def _pattern(template: str) -> re.Pattern[str]:
    # NUL and halves of characters are in no name, and the databases cannot even be asked about them.
    parts = re.split(r"\{(\w+)\}", template)
    named = [
        rf"(?P<{part}>[^/\0\ud800-\udfff]+)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)
    ]
    return re.compile("".join(named))


def read(routes: Sequence[Route], request: HttpRequest) -> WireCall:
    """What a request asks, by path, query and header; decoders read the body, after the credentials.

    HEAD is GET without a body (the server leaves it out). A call to an unknown path or with an unknown method
    is anonymous, so that it is answered 404 or 405 and not 401. Raises Refusal `invalid_parameter` for a
    query that cannot be read.
    """
    method = "GET" if request.method == "HEAD" else request.method
    for route in routes:
        if found := route.pattern.fullmatch(request.path):
            template, place = route.template, Place(found.groupdict(), route.methods)
            break
    else:
        template, place = request.path, Place({})
    credentials, secrets = _bearer(request.headers.get("authorization", ""))
    anonymous = method not in place.methods or template == DOCUMENT_PATH
    return WireCall(
        verb=f"{method} {template}",
        fields=_query(request.query),
        data=place,
        credentials=() if anonymous else credentials,
        secrets=secrets,
        anonymous=anonymous,
        request=request,
    )


_BEARER = re.compile(r"bearer +([!-~]+) *", re.IGNORECASE)  # RFC 6750, section 2.1


def _bearer(header: str) -> tuple[tuple[Credentials, ...], tuple[bytes, ...]]:
    if found := _BEARER.fullmatch(header):
        key = found.group(1)
        return (Key(key),), (key.encode("ascii"),)
    # Whatever else is in that header may be a secret of another kind.
    return (), (header.encode("latin-1", "replace"),) if header else ()


def _query(raw: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise Unreadable(
            400, Fault.INVALID_PARAMETER, f"the query is not UTF-8 or has over 100 parameters: {error}"
        ) from error


# --- JSON and query to shapes


def query(call: WireCall, shape: type[S]) -> S:
    """The query as a shape; raises Refusal for unknown, repeated and ill-formed parameters."""
    for name, values in call.fields.items():
        if len(values) > 1:
            raise Refusal(Fault.INVALID_PARAMETER, f"{name} is given {len(values)} times: give it once", name)
        if "\0" in values[0]:
            raise Refusal(Fault.INVALID_PARAMETER, f"{name} has a NUL character: leave it out", name)
    try:
        return msgspec.convert({name: values[0] for name, values in call.fields.items()}, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(error, shape) from error


_CHARSETS = ("", "utf-8", "utf8")


def body(call: WireCall, shape: type[S]) -> S:
    """The JSON body as a shape; no query goes with it.

    Raises Refusal: `unsupported` for another content type (415), `invalid_parameter` for what is no JSON
    (400), `missing_parameter` and `invalid_parameter` for the property at fault.
    """
    no_query(call)
    request = call.request
    assert request is not None  # `read` always sets it
    if not _speaks_json(request.content_type):
        raise Unreadable(
            415,
            Fault.UNSUPPORTED,
            f"a body of type {request.content_type} is not read here: send JSON with content-type: {JSON}",
            "content-type",
        )
    for header, allowed in (("content-encoding", ("", "identity")), ("content-type", _CHARSETS)):
        value = request.headers.get(header, "").lower()
        label = value.partition("charset=")[2].strip('" ') if header == "content-type" else value
        if label not in allowed:
            raise Unreadable(
                415, Fault.UNSUPPORTED, f"{header}: {value} is not read here: send UTF-8", header
            )
    raw = request.body or b"{}"
    try:
        shaped = msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise _refusal(error, shape) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            400, Fault.INVALID_PARAMETER, f"the body cannot be read as JSON in UTF-8: {error}"
        ) from error
    # PostgreSQL cannot store a NUL and no handset can show it. In JSON it is always written this way.
    if b"\\u0000" in raw and _has_nul(msgspec.json.decode(raw)):
        raise Refusal(
            Fault.INVALID_PARAMETER, "a text in the body has a NUL character (\\u0000): leave it out"
        )
    return shaped


def bare(command: Callable[..., Any], *names: str) -> Callable[[WireCall], Any]:
    """The decoder of a command that takes these parameters of the path and nothing else."""

    def decode(call: WireCall) -> Any:
        no_query(call)
        return command(*(parameter(call, name) for name in names))

    return decode


def no_query(call: WireCall) -> None:
    """Refuse any query parameter, for operations that have none."""
    for name in call.fields:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"there is no parameter {name} here: leave the query out", name
        )


def parameter(call: WireCall, name: str) -> str:
    """A parameter of the path."""
    place: Place = call.data
    return place.parameters[name]


def number_id(call: WireCall) -> int:
    """The `id` of the path where ids are numbers; raises Refusal `not_found` for what cannot be one."""
    raw = parameter(call, "id")
    found = _record_id(raw)
    if found is None:
        raise Refusal(Fault.NOT_FOUND, f"there is nothing with the id {raw}", "id")
    return found


def cursor(raw: str | None) -> int | None:
    """Where a page goes on; raises Refusal `invalid_parameter`."""
    if raw is None:
        return None
    found = _record_id(raw)
    if found is None:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{raw} is no cursor: give the next_cursor of the page before", "cursor"
        )
    return found


_DIGITS = re.compile("[0-9]{1,19}")


def _record_id(raw: str) -> int | None:
    # The store's ids have 63 bits.
    return int(raw) if _DIGITS.fullmatch(raw) and int(raw) < 2**63 else None


def digits(number: str | None) -> str:
    """The beginning of a number that a filter names; a plus that was not escaped arrives as a blank."""
    return (number or "").strip().removeprefix("+")


def instant(at: datetime | None, field: str) -> datetime | None:
    """An aware time in UTC; raises Refusal for years in which adding a few days could leave the calendar."""
    if at is not None and not 1970 <= at.year < 3000:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{field} is in the year {at.year}: give one of our time", field
        )
    return None if at is None else at.astimezone(UTC)


_REPLAY_KEY = re.compile("[!-~]{1,255}")


def replay(call: WireCall) -> Replay | None:
    """The client's Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header-07) with the fingerprint
    of the whole request: SHA-256 over method, path and body. The key is taken as it is, quotes included."""
    request = call.request
    assert request is not None  # `read` always sets it
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return None
    if not _REPLAY_KEY.fullmatch(key):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            "the Idempotency-Key must have 1 to 255 visible ASCII characters, such as a UUID",
            IDEMPOTENCY_KEY,
        )
    named = f"{request.method} {request.path}\n".encode()
    return Replay(key, hashlib.sha256(named + request.body).hexdigest())


def _speaks_json(content_type: str) -> bool:
    # None at all is taken for JSON: there is nothing else it could be.
    return content_type in ("", JSON) or (
        content_type.startswith("application/") and content_type.endswith("+json")
    )


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(map(_has_nul, value))
        case dict():
            return any(map(_has_nul, value.values()))
        case _:
            return False


# The sentences of msgspec 0.22, which gives no other access to what it found.
_PLACE = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_WORDS = {"`str`": "a string", "`int`": "an integer", "`bool`": "true or false", "`datetime`": "a time"}


def _refusal(error: msgspec.ValidationError, shape: type[msgspec.Struct]) -> Refusal:
    sentence, place = str(error), None
    if found := _PLACE.fullmatch(sentence):
        sentence, place = found.groups()
    known = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}
    if found := _MISSING.fullmatch(sentence):
        return Refusal(Fault.MISSING_PARAMETER, f"{found.group(1)} is missing", found.group(1))
    if found := _UNKNOWN.fullmatch(sentence):
        name = found.group(1)[:100]
        return Refusal(
            Fault.INVALID_PARAMETER, f"there is no {name} here; there are {', '.join(known)}", name
        )
    for word, plain in _WORDS.items():
        sentence = sentence.replace(word, plain)
    if place is None:
        return Refusal(Fault.INVALID_PARAMETER, f"the body must be a JSON object: {sentence}")
    choices = _choices(known.get(place.split("[")[0]))
    advice = f"; use one of {', '.join(choices)}" if choices else ""
    if "timezone" in sentence or "RFC3339" in sentence:
        advice = "; write it like 2026-03-01T09:30:00Z or 2026-03-01T10:30:00+01:00 (in a query + is %2B)"
    return Refusal(Fault.INVALID_PARAMETER, f"{place}: {sentence[:1].lower()}{sentence[1:]}{advice}", place)


def _choices(kind: object) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(kind)
    return tuple(choice for part in get_args(kind) for choice in _choices(part))


# --- answers


_ENCODER = msgspec.json.Encoder()


def answer(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    """A JSON answer."""
    return HttpResponse(status, _ENCODER.encode(value), JSON, (NO_STORE, *headers))


def page(items: Iterable[object], next_cursor: int | None = None) -> HttpResponse:
    """A list and where it goes on."""
    return answer(Page(list(items), None if next_cursor is None else str(next_cursor)))


def nothing(outcome: object, call: WireCall) -> HttpResponse:
    """204: the encoder of operations that have nothing to tell."""
    return HttpResponse(204, b"", JSON, (NO_STORE,))
