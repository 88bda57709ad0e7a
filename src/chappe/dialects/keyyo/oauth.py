"""Keyyo's OAuth2 token endpoint: a form in, JSON out. Source: the OAuth2 documentation (dialects.md 5d)."""

import base64

import msgspec

from chappe.dialects import reading
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.keyyo.notices import notice
from chappe.model.errors import Fault, Refusal
from chappe.model.programs import AskTokens
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services import programs
from chappe.services.programs import OAuthRefusal, Tokens

PATH = "/oauth2/token.php"
TOKEN = "oauth2/token"
_HEADERS = (("cache-control", "no-store"), ("pragma", "no-cache"))
_SECRETS = ("client_secret", "code", "refresh_token", "code_verifier")


def read(request: HttpRequest) -> WireCall:
    """Read the form; the program's own credentials may stand in a Basic header too (RFC 6749, 2.3.1). Raises
    Refusal `unsupported` for a way other than POST."""
    if request.method != "POST":
        raise Refusal(Fault.UNSUPPORTED, f"{request.method} is not served; use POST")
    fields = dict(reading.fields_of(reading.read_parameters(request, "cp1252")))
    kind, _, written = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(written.strip(), validate=True).decode().partition(":")
            fields |= {"client_id": (name,), "client_secret": (secret,)}
        except ValueError as error:
            raise OAuthRefusal("invalid_client", programs.BAD_CLIENT) from error
    secrets = [value.encode() for name in _SECRETS for value in fields.get(name, ()) if value]
    return WireCall(TOKEN, fields, secrets=secrets, anonymous=True, request=request)


def decode(call: WireCall) -> AskTokens:
    """The form's fields."""
    names = ("grant_type", "client_id", "client_secret", "code", "refresh_token", "redirect_uri")
    values = [reading.first(call.fields, name).strip() for name in (*names, "code_verifier")]
    return AskTokens(*values)


def encode(tokens: Tokens, call: WireCall) -> HttpResponse:
    """The tokens (RFC 6749, 5.1)."""
    body = {
        "access_token": tokens.access_token,
        "expires_in": tokens.expires_in,
        "token_type": "bearer",
        "scope": tokens.scopes,
        "refresh_token": tokens.refresh_token,
    }
    return HttpResponse(200, msgspec.json.encode(body), "application/json", _HEADERS)


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """`error` and `error_description` (RFC 6749, 5.2)."""
    word = refusal.word if isinstance(refusal, OAuthRefusal) else "invalid_request"
    status = {"invalid_client": 401, "invalid_request": 400}.get(word, 400)
    if refusal.fault is Fault.RATE_LIMITED:
        status, word = 429, "temporarily_unavailable"
    elif refusal.fault is Fault.INTERNAL:
        status, word = 500, "server_error"
    body = msgspec.json.encode({"error": word, "error_description": refusal.detail})
    return HttpResponse(status, body, "application/json", _HEADERS)


TOKENS = Dialect(
    name="keyyo",
    paths=(PATH,),
    read=read,
    operations={
        TOKEN: Operation(
            decode,
            programs.tokens,
            encode,
            summary="Tokens for a code, or new ones for old",
            source="Keyyo's OAuth2 documentation (dialects.md 5d); RFC 6749",
        )
    },
    refuse=refuse,
    notice=notice,
)
