"""Telephone lines: whose they are, who may act for them from where, where their calls go, what they send."""

import base64
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from hashlib import md5

from chappe.model.calls import CallStory
from chappe.model.changes import Changes, Update
from chappe.model.commands import (
    AddLine,
    Caller,
    CallFromLine,
    ChangeLine,
    FindLine,
    ListCalls,
    ListLines,
    PlaceCall,
    RenewTelephone,
    SendFromLine,
    SendOutcome,
    SetProfile,
)
from chappe.model.directory import ANSWERPHONE, HANG_UP, Forwarding, Line
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.sources import check_sources
from chappe.services import accounts, calling, calls, linecalls, messages, subscriptions
from chappe.services.inbox import fold_keyword
from chappe.services.ports import Platform

SIP_REALM = "chappe"
"""The realm in which telephones prove their password."""

MOST_LINES = 50
_MOST_PROFILES = 20
LONGEST_GREETING = 1000
_RINGS = range(5, 121)
"""How many lines an account may take itself, profiles of a line, characters of its greeting, and seconds that
it may ring before its call is forwarded (all our choice)."""


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line that was just made, and the password with which programs act for it, shown once."""

    line: Line
    password: str


@dataclass(frozen=True, slots=True)
class NewTelephone:
    """What a line's telephone registers with; the password is shown once."""

    user: str
    realm: str
    password: str


async def list_lines(platform: Platform, caller: Caller, command: ListLines) -> tuple[Line, ...]:
    """The account's lines, oldest first."""
    return await platform.store.queries.lines(caller.account_id)


async def find_line(platform: Platform, caller: Caller, command: FindLine) -> Line:
    """One line. Raises Refusal `not_found`."""
    return await own_line(platform, caller, command.number)


async def add_line(platform: Platform, caller: Caller, command: AddLine) -> NewLine:
    """Another line, whose number nobody has. Raises Refusal `invalid_parameter` for too many."""
    if len(await platform.store.queries.lines(caller.account_id)) >= MOST_LINES:
        raise Refusal(Fault.INVALID_PARAMETER, f"an account has at most {MOST_LINES} lines")
    line, secret = await accounts.add_line(platform, caller.account_id)
    return NewLine(line, secret.secret)


async def change_line(platform: Platform, caller: Caller, command: ChangeLine) -> Line:
    """Set what a command says of a line. Raises Refusal `not_found`, and `invalid_parameter` with the
    field."""
    line = await own_line(platform, caller, command.number)
    values: dict[str, object] = {}
    if command.notification_url is not None:
        values["notification_url"] = _checked_url(command.notification_url)
    if command.allowed_sources is not None:
        values["allowed_sources"] = _checked_sources(command.allowed_sources)
    profiles = line.profiles
    if command.profiles is not None:
        own = await platform.store.queries.lines(caller.account_id)
        short = {one.short_number for one in own if one.short_number}
        profiles = _checked_profiles(platform, caller, command.profiles, short)
        values["profiles"] = profiles
    if command.profile is not None or command.profiles is not None:
        wanted = line.profile if command.profile is None else command.profile
        values["profile"] = _profile_named(line, profiles, wanted)
    if command.greeting is not None:
        values["greeting"] = _checked_greeting(command.greeting)
    if values:
        await platform.store.commit(Changes(update=[Update(Line, line.id, caller.account_id, values)]))
        platform.door.forget()  # whom the old expression let in
    return await own_line(platform, caller, line.number)


async def set_profile(platform: Platform, caller: Caller, command: SetProfile) -> Line:
    """Put a profile in force. Raises Refusal `not_found`, `invalid_parameter` for one that the line has
    not."""
    return await change_line(platform, caller, ChangeLine(command.line, profile=command.profile))


async def renew_telephone(platform: Platform, caller: Caller, command: RenewTelephone) -> NewTelephone:
    """A new password for a line's telephone; an old one is good no more, and what had registered with it has
    to do so anew. Raises Refusal `not_found`."""
    line = await own_line(platform, caller, command.number)
    password = base64.b32encode(platform.ids.secret(15)).decode().lower()
    # The SIP Digest asks the server to know this hash (RFC 3261, 22.4); telephones are told the password
    # itself when they are provisioned, so it is kept too, sealed.
    proof = f"{line.number}:{SIP_REALM}:{password}".encode()
    values: dict[str, object] = {
        "sip_user": line.number,
        "sip_ha1": md5(proof, usedforsecurity=False).hexdigest(),
        "sip_secret": platform.door.seal(password, sealed_for(line), platform.ids.secret(12)),
        "sip_contact": "",
        "sip_source": "",
        "sip_agent": "",
        "sip_until": None,
        "telephones": [],
    }
    await platform.store.commit(Changes(update=[Update(Line, line.id, caller.account_id, values)]))
    return NewTelephone(line.number, SIP_REALM, password)


def sealed_for(line: Line) -> str:
    """What the secrets of a line are bound to where they are sealed."""
    return f"line {line.id}"


async def send_message(platform: Platform, caller: Caller, command: SendFromLine) -> SendOutcome:
    """Send as a line; its number is the sender. Raises Refusal: `rate_limited` for a second request of a line
    within a second (dialects.md 5b; each process counts for itself), and all that `messages.send` raises."""
    line = await own_line(platform, caller, command.line)
    platform.door.check_pace(f"line {line.number}", platform.clock.now())
    return await messages.send(platform, caller, command.message._replace(sender=line.number))


async def make_call(platform: Platform, caller: Caller, command: CallFromLine) -> CallStory:
    """Place a call as a line; what is recorded of it is mailed to the account (our choice; at Keyyo to the
    voicemail's address). Raises Refusal: `rate_limited` as above, and all that `calls.place` raises."""
    line = await own_line(platform, caller, command.line)
    linecalls.check_in_service(line)
    platform.door.check_pace(f"line {line.number}", platform.clock.now())
    call = await _as_extension(platform, caller, line, replace(command.call, line=line.number))
    if call.record and not call.record_to:
        account = await platform.store.queries.account(caller.account_id)
        if account is not None and accounts.looks_like_mail(account.email):
            call = replace(call, record_to=account.email)
    # Keyyo says nothing of a call that it was asked to record (dialects.md 5a).
    call = replace(call, record=call.record or line.extension.recorded, tells_lines=not call.record)
    return await calls.place(platform, caller, call)


async def _as_extension(platform: Platform, caller: Caller, line: Line, call: PlaceCall) -> PlaceCall:
    """A call with the lines that short numbers stand for, as the line's extension lets it be made."""
    extension = line.extension
    call = replace(
        call, first=await _meant(platform, line, call.first), second=await _meant(platform, line, call.second)
    )
    outside: list[str] = []
    for written in (call.first, call.second):
        with suppress(NumberError):  # `calls.place` says so better
            outside.append(str(read_msisdn(written, caller.region)))
    rate = sum([(await calling.way(platform, number)).price for number in outside])
    for number in outside:
        if number != line.number:
            left = await linecalls.check_outgoing(platform, line, number, rate)
            if left is not None:
                call = replace(call, longest=min(call.longest or calls.USUAL, _lasts(left, rate)))
    if call.shown_to_second is None and line.number in outside[:1] and extension.shown:
        call = replace(call, shown_to_second=extension.shown)
    return call


def _lasts(amount: int, rate: int) -> timedelta:
    return timedelta(seconds=amount * 60 // rate)


async def own_line(platform: Platform, caller: Caller, written: str) -> Line:
    """A line of the account. Raises Refusal `not_found`."""
    try:
        number = str(read_msisdn(written, caller.region))
    except NumberError:
        number = written
    line = await platform.store.queries.line_by_number(number)
    if line is None or line.account_id != caller.account_id:
        raise Refusal(Fault.NOT_FOUND, f"{written} is none of this account's lines", "number")
    return line


async def list_calls(platform: Platform, caller: Caller, command: ListCalls) -> Page[CallStory]:
    """A page of the calls of one line, newest first. Raises Refusal `not_found`."""
    await own_line(platform, caller, command.number)
    return await calls.list_calls(platform, caller, command)


async def _meant(platform: Platform, line: Line, written: str) -> str:
    """A number as it was written, or the line that a short number stands for."""
    if linecalls.SHORT_NUMBER.fullmatch(written):
        found = await platform.store.queries.line_by_short_number(line.account_id, written)
        return written if found is None else found.number
    return written


def _checked_url(url: str) -> str:
    # Keyyo's own page shows its example with a blank where the question mark was (dialects.md 5c).
    head, blank, rest = url.partition(" ")
    if blank and "?" not in url and "=" in rest:
        url = f"{head}?{rest}"
    return subscriptions.check_url(url, "notification_url") if url else ""


def _checked_sources(written: str) -> str:
    try:
        check_sources(written)
    except ValueError as error:
        detail = f"{written!r} cannot be used: {error}; write for instance 192.0.2.1|192.0.2.7"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "allowed_sources") from error
    return written


def _checked_profiles(
    platform: Platform, caller: Caller, profiles: Mapping[str, Forwarding], short: Collection[str]
) -> dict[str, dict[str, object]]:
    if not 1 <= len(profiles) <= _MOST_PROFILES:
        raise Refusal(Fault.INVALID_PARAMETER, f"a line has 1 to {_MOST_PROFILES} profiles", "profiles")
    checked: dict[str, dict[str, object]] = {}
    for name, forwarding in profiles.items():
        field = f"profiles.{name}"
        if not 1 <= len(name) <= 64 or not name.isprintable() or not name.strip():
            raise Refusal(
                Fault.INVALID_PARAMETER, f"{name[:70]!r} is no name of 1 to 64 characters", "profiles"
            )
        if forwarding.no_answer_after not in _RINGS:
            raise Refusal(
                Fault.INVALID_PARAMETER,
                f"a line rings {_RINGS.start} to {_RINGS.stop - 1} seconds before its call is forwarded,"
                f" not {forwarding.no_answer_after}",
                f"{field}.no_answer_after",
            )
        told = {name: value for name, value in asdict(forwarding).items() if value}
        for why in ("always", "busy", "unreachable", "no_answer"):
            target = str(told.get(why, ""))
            if target and target not in (ANSWERPHONE, HANG_UP) and target not in short:
                told[why] = calling.callable_number(platform, caller, target, f"{field}.{why}")
        checked[name] = told
    if len({fold_keyword(name) for name in checked}) < len(checked):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            "two profiles have the same name but for letter case and accents",
            "profiles",
        )
    return checked


def _profile_named(line: Line, profiles: Mapping[str, object], wanted: str) -> str:
    for name in profiles:
        if fold_keyword(name) == fold_keyword(wanted):
            return name
    known = ", ".join(profiles)
    raise Refusal(
        Fault.INVALID_PARAMETER,
        f"line {line.number} has no profile {wanted[:70]!r}; it has {known}",
        "profile",
    )


def _checked_greeting(greeting: str) -> str:
    greeting = greeting.strip()
    if len(greeting) > LONGEST_GREETING:
        raise Refusal(
            Fault.CONTENT_TOO_LONG,
            f"a greeting has {LONGEST_GREETING} characters at most, this one {len(greeting)}",
            "greeting",
        )
    return greeting
