"""Programs of others: registered, let in by an account's consent, given tokens (RFC 6749, 7636; Keyyo's
words for what is wrong: dialects.md 5d)."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.directory import AccountState, Credential
from chappe.model.errors import Fault, Refusal
from chappe.model.programs import (
    AddProgram,
    AskConsent,
    AskTokens,
    EndGrant,
    Grant,
    ListGrants,
    ListPrograms,
    Program,
)
from chappe.services import accounts
from chappe.services.door import same
from chappe.services.lines import own_line
from chappe.services.ports import Platform

Run = Callable[..., Awaitable[Any]]
DIALECT = "keyyo"
SCOPES = ("full_access", "full_access_read_only", "voip_profiles_admin", "cti_admin")
LASTS = timedelta(hours=1)
_CODE_LASTS = timedelta(minutes=5)
_MOST_PROGRAMS = 20
"""How long a code is good, and how many programs an account registers (our choice)."""

MISSING = "Invalid request, parameters are missing"
BAD_TYPE = "The response_type parameter value is missing or incorrect, it must be code"
NO_STATE = "The state parameter is required"
BAD_CLIENT = "The client id supplied is invalid"


class OAuthRefusal(Refusal):
    """A refusal with the word that OAuth has for it."""

    def __init__(self, word: str, detail: str) -> None:
        super().__init__(Fault.INVALID_PARAMETER, detail)
        self.word = word


@dataclass(frozen=True, slots=True)
class NewProgram:
    """A program, and its secret, shown once."""

    program: Program
    secret: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A program asks for these scopes; its user goes back to `redirect_uri`."""

    program: Program
    scopes: tuple[str, ...]
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a program calls with, for so many seconds, and the token for the next ones."""

    access_token: str
    refresh_token: str
    scopes: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class KnownGrant:
    """What was granted, and the name of the program that was let in."""

    grant: Grant
    program: str


async def list_grants(platform: Platform, caller: Caller, command: ListGrants) -> tuple[KnownGrant, ...]:
    """The programs that the account has let in, oldest first; not those that never came for their tokens."""
    queries, now = platform.store.queries, platform.clock.now()
    grants = [
        one for one in await queries.grants(caller.account_id) if one.refresh_hash or one.code_until > now
    ]
    names = await queries.program_names([one.program_id for one in grants])
    return tuple(KnownGrant(one, names.get(one.program_id, "")) for one in grants)


async def end_grant(platform: Platform, caller: Caller, command: EndGrant) -> None:
    """Let a program in no more: its tokens end at once. Raises Refusal `not_found`."""
    for grant in await platform.store.queries.grants(caller.account_id):
        if grant.id == command.grant_id:
            await _end(platform, grant)
            return
    raise Refusal(Fault.NOT_FOUND, f"no program was let in by {command.grant_id}", "id")


async def list_programs(platform: Platform, caller: Caller, command: ListPrograms) -> tuple[Program, ...]:
    """The programs that the account has registered, oldest first."""
    return await platform.store.queries.programs(caller.account_id)


async def add_program(platform: Platform, caller: Caller, command: AddProgram) -> NewProgram:
    """Register a program. Raises Refusal `invalid_parameter`."""
    name = command.name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Refusal(Fault.INVALID_PARAMETER, "a program has a name of 1 to 100 characters", "name")
    if not command.redirect_uris or not all(_is_redirect(one) for one in command.redirect_uris):
        detail = (
            "give the addresses to which users are sent back: https, or http on the own machine, no fragment"
        )
        raise Refusal(Fault.INVALID_PARAMETER, detail, "redirect_uris")
    if len(await platform.store.queries.programs(caller.account_id)) >= _MOST_PROGRAMS:
        raise Refusal(Fault.INVALID_PARAMETER, f"an account has at most {_MOST_PROGRAMS} programs")
    secret = _random(platform)
    program = Program(
        id=platform.ids.new_id(),
        account_id=caller.account_id,
        client_id=platform.ids.new_ref(),
        secret_hash=platform.door.key_login("program", secret),
        name=name,
        redirect_uris=" ".join(command.redirect_uris),
        created_at=platform.clock.now(),
    )
    await platform.store.commit(Changes(insert=[program]))
    return NewProgram(program, secret)


def _is_redirect(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_plain = re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc) is not None
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in ("localhost", "127.0.0.1"))
    return is_safe and is_plain and bool(host) and not parts.fragment and " " not in url and len(url) <= 500


async def judge(platform: Platform, command: AskConsent) -> Asked:
    """Whether a program may ask that. Raises OAuthRefusal in Keyyo's words; nobody is sent to an address
    that was not registered."""
    if not command.client_id:
        raise OAuthRefusal("invalid_request", MISSING)
    if command.response_type != "code":
        raise OAuthRefusal("invalid_request", BAD_TYPE)
    if not command.state:
        raise OAuthRefusal("invalid_request", NO_STATE)
    program = await platform.store.queries.program_by_client_id(command.client_id)
    if program is None:
        raise OAuthRefusal("invalid_client", BAD_CLIENT)
    known = program.redirect_uris.split()
    redirect_uri = command.redirect_uri or (known[0] if len(known) == 1 else "")
    if redirect_uri not in known:
        raise OAuthRefusal("invalid_request", "The redirect_uri is none of those that were registered")
    scopes = tuple(dict.fromkeys(command.scopes.replace(",", " ").split())) or (SCOPES[0],)
    if any(one not in SCOPES for one in scopes):
        raise OAuthRefusal("invalid_scope", f"The scopes are among {', '.join(SCOPES)}")
    if command.challenge and command.challenge_method != "S256":
        raise OAuthRefusal("invalid_request", "The code_challenge_method must be S256")
    return Asked(program, scopes, redirect_uri)


async def consent(platform: Platform, caller: Caller, command: AskConsent) -> str:
    """The caller lets a program in; returns where to send him, with the code. Raises OAuthRefusal."""
    asked = await judge(platform, command)
    code, now = _random(platform), platform.clock.now()
    grant = Grant(
        id=platform.ids.new_id(),
        account_id=caller.account_id,
        user_id=caller.user_id or 0,
        program_id=asked.program.id,
        scopes=" ".join(asked.scopes),
        redirect_uri=asked.redirect_uri,
        code_hash=platform.door.key_login("code", code),
        code_until=now + _CODE_LASTS,
        challenge=command.challenge,
        refresh_hash="",
        old_refresh_hash="",
        created_at=now,
    )
    await platform.store.commit(Changes(insert=[grant]))
    return _back(asked.redirect_uri, {"code": code, "state": command.state})


async def deny(platform: Platform, command: AskConsent) -> str:
    """Where to send whoever does not let a program in. Raises OAuthRefusal."""
    asked = await judge(platform, command)
    return _back(asked.redirect_uri, {"error": "access_denied", "state": command.state})


def _back(uri: str, more: dict[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(more)}"


async def tokens(platform: Platform, caller: Caller, command: AskTokens) -> Tokens:
    """Tokens for a code, or for a token that was given with earlier ones, which is good no more then. Raises
    OAuthRefusal; a code or token that was used before ends the grant: somebody else has it (RFC 6749, 4.1.2;
    RFC 9700, 4.14.2)."""
    if not command.client_id or not command.grant_type:
        raise OAuthRefusal("invalid_request", MISSING)
    queries, door, now = platform.store.queries, platform.door, platform.clock.now()
    program = await queries.program_by_client_id(command.client_id)
    wanted = "" if program is None else program.secret_hash
    # Failures are not counted: nobody guesses 240 random bits, and a name that everybody sees must not let
    # anybody shut the program out.
    if program is None or not same(door.key_login("program", command.client_secret), wanted):
        raise OAuthRefusal("invalid_client", BAD_CLIENT)
    if command.grant_type == "authorization_code":
        grant = await _of_code(platform, program, command)
    elif command.grant_type == "refresh_token":
        grant = await _of_refresh(platform, program, command)
    else:
        raise OAuthRefusal(
            "unsupported_grant_type", "The grant_type must be authorization_code or refresh_token"
        )
    account = await queries.account(grant.account_id)
    if account is None or account.state is AccountState.SUSPENDED:
        raise OAuthRefusal("invalid_grant", "The account is suspended")
    refresh = _refresh_token(platform, grant.id)
    key, access = accounts.new_key(
        platform, grant.account_id, grant.user_id, DIALECT, f"{grant.scopes} grant-{grant.id}", now + LASTS
    )
    values = {
        "refresh_hash": door.key_login("refresh", refresh),
        "old_refresh_hash": grant.refresh_hash,
    }
    # Of two that come at one moment with the same code or token, one finds it changed.
    expected = {"refresh_hash": grant.refresh_hash}
    try:
        await platform.store.commit(
            Changes(insert=[key], update=[Update(Grant, grant.id, grant.account_id, values, expected)])
        )
    except Refusal as refusal:
        raise OAuthRefusal("invalid_grant", "It was used already") from refusal
    return Tokens(access, refresh, grant.scopes, int(LASTS.total_seconds()))


async def _of_code(platform: Platform, program: Program, command: AskTokens) -> Grant:
    found = platform.door.key_login("code", command.code)
    grant = await platform.store.queries.grant_by_code(found) if command.code else None
    if (
        grant is None
        or grant.program_id != program.id
        or grant.code_until <= platform.clock.now()
        or (command.redirect_uri and command.redirect_uri != grant.redirect_uri)
        or not _verifies(grant.challenge, command.verifier)
    ):
        raise OAuthRefusal("invalid_grant", "The code is invalid or expired")
    if grant.refresh_hash:
        await _end(platform, grant)
        raise OAuthRefusal("invalid_grant", "The code was used before; the access has ended")
    return grant


def _verifies(challenge: str, verifier: str) -> bool:
    if not challenge:
        return True
    digest = hashlib.sha256(verifier.encode()).digest()
    return same(base64.urlsafe_b64encode(digest).decode().rstrip("="), challenge)


async def _of_refresh(platform: Platform, program: Program, command: AskTokens) -> Grant:
    found = platform.door.key_login("refresh", command.refresh_token)
    grant = await platform.store.queries.grant_by_refresh(found) if command.refresh_token else None
    if grant is None:
        grant = await _of_older(platform, command.refresh_token)
    if grant is None or grant.program_id != program.id:
        raise OAuthRefusal("invalid_grant", "The refresh token is invalid")
    if grant.refresh_hash != found:
        await _end(platform, grant)
        raise OAuthRefusal("invalid_grant", "The refresh token was used before; the access has ended")
    return grant


def _refresh_token(platform: Platform, grant_id: int) -> str:
    """A token for new ones. It says of which grant it is, signed, so that it is known again however many
    came after it."""
    text = f"{grant_id:x}.{_random(platform)}"
    return f"{text}.{_signature(platform, text)}"


async def _of_older(platform: Platform, token: str) -> Grant | None:
    """The grant whose token this was, before the last two."""
    text, _, signature = token.rpartition(".")
    if not text or not same(_signature(platform, text), signature):
        return None
    return await platform.store.queries.grant(int(text.partition(".")[0], 16))


def _signature(platform: Platform, text: str) -> str:
    return platform.door.key_login("refresh token", text)[:32]


async def _end(platform: Platform, grant: Grant) -> None:
    keys = [
        one
        for one in await platform.store.queries.credentials(grant.account_id)
        if f"grant-{grant.id}" in one.scopes.split()
    ]
    gone = [Delete(Credential, one.id, grant.account_id) for one in keys]
    await platform.store.commit(Changes(delete=[Delete(Grant, grant.id, grant.account_id), *gone]))
    platform.door.forget()
    platform.topics.publish("directory")


def within(run: Run, *scopes: str, writes: bool = False) -> Run:
    """A service as programs may use it that were let in for one of these scopes, or for all."""

    @wraps(run)
    async def scoped(platform: Platform, caller: Caller, command: Any) -> Any:
        everything = SCOPES[:1] if writes else SCOPES[:2]
        if not {*everything, *scopes} & {*caller.scopes}:
            held = ", ".join(one for one in caller.scopes if one in SCOPES) or "none"
            raise Refusal(Fault.NOT_ALLOWED, f"this access was not given for that (scopes: {held})")
        return await run(platform, caller, command)

    return scoped


@dataclass(frozen=True, slots=True)
class MakeLineToken:
    """A token with which a page speaks for one line; outcome: LineToken."""

    line: str
    domain_masks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineToken:
    """Such a token, for so many seconds, on pages of these domains."""

    token: str
    domain_masks: tuple[str, ...]
    expires_in: int
    at: datetime


async def make_line_token(platform: Platform, caller: Caller, command: MakeLineToken) -> LineToken:
    """A token for Keyyo's JavaScript SDK, whose own connection is not built yet; it opens nothing else.
    Raises Refusal `not_found`."""
    line, now = await own_line(platform, caller, command.line), platform.clock.now()
    token = await accounts.add_key(platform, caller, DIALECT, f"line-{line.id}", now + LASTS)
    return LineToken(token, command.domain_masks, int(LASTS.total_seconds()), now)


def _random(platform: Platform) -> str:
    return base64.urlsafe_b64encode(platform.ids.secret(30)).decode()
