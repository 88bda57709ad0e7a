"""Lines as telephones of a company: which there are, and what is set of them (seed 003, second half)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from phonenumbers import shortnumberinfo

from chappe.model.centrex import (
    NAMES,
    AddListingKey,
    ChangeExtension,
    Codec,
    Extension,
    FindExtension,
    ListExtensions,
    Transport,
    to_data,
)
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller
from chappe.model.directory import READS_SECRETS, Line
from chappe.model.errors import Fault, Refusal
from chappe.services import accounts, calling, linecalls
from chappe.services.accounts import looks_like_mail
from chappe.services.lines import LONGEST_GREETING, own_line, sealed_for
from chappe.services.ports import Platform

LISTING_DIALECT = "axialys"
"""The dialect that the listing's keys are good for."""
MASKED = "********"
"""What stands in place of a password that is not shown (our choice)."""
_LONGEST_WORD = 100
_MOST_CALLS = 100
_MAC = re.compile("[0-9A-F]{12}")
"""Characters of what is only kept and told; calls at once of one line (our choice)."""


@dataclass(frozen=True, slots=True)
class NewListingKey:
    """A key that was just made, shown once."""

    key: str
    reads_secrets: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """Lines as they are listed: the `secrets` of each (its telephone's, its directory's), where telephones
    register, how many calls a line may have without a number of its own, and where messages are mailed."""

    lines: tuple[Line, ...]
    secrets: Mapping[int, tuple[str, str]]
    server: str
    calls_at_once: int
    mail: str
    at: datetime


async def find_extension(platform: Platform, caller: Caller, command: FindExtension) -> Line:
    """One line. Raises Refusal `not_found`."""
    return await own_line(platform, caller, command.number)


async def list_extensions(platform: Platform, caller: Caller, command: ListExtensions) -> tuple[Line, ...]:
    """The account's lines that fit a search, oldest first."""
    lines = await platform.store.queries.lines(caller.account_id)
    return tuple(line for line in lines if _fits(line, command))


def _fits(line: Line, search: ListExtensions) -> bool:
    extension, seen = line.extension, line.sip_seen_at
    return (
        search.line_id in (None, line.id)
        and search.number in ("", line.number)
        and search.suspended in (None, extension.suspended)
        and search.site.casefold() in ("", extension.site.casefold())
        and (search.since is None or (seen is not None and seen >= search.since))
        and (search.until is None or (seen is not None and seen <= search.until))
    )


async def listing(platform: Platform, caller: Caller, command: ListExtensions) -> Listed:
    """The account's lines that fit a search, with all that is said of them; their passwords where the
    caller's credential may read them."""
    lines = await list_extensions(platform, caller, command)
    account = await platform.store.queries.account(caller.account_id)
    return Listed(
        lines=lines,
        secrets={line.id: secrets_of(platform, caller, line) for line in lines},
        server=platform.rules.telephone_server,
        calls_at_once=platform.rules.calls_at_once_per_line,
        mail="" if account is None else account.email,
        at=platform.clock.now(),
    )


async def change_extension(platform: Platform, caller: Caller, command: ChangeExtension) -> Line:
    """Set what a command names. Raises Refusal `not_found`, `already_exists` for a short number that another
    line has, and `invalid_parameter` with the field."""
    line = await own_line(platform, caller, command.number)
    extension = replace(line.extension, **{name: getattr(command.values, name) for name in command.named})
    extension = await _checked(platform, caller, extension, command.named)
    values: dict[str, object] = {"extension_data": to_data(extension)}
    if extension.suspended and not line.extension.suspended:
        values |= {"sip_contact": "", "sip_source": "", "sip_until": None, "telephones": []}
    if command.short_number is not None:
        values["short_number"] = _checked_short_number(caller, command.short_number)
    if command.ldap_password is not None:
        password = _word(command.ldap_password, "ldap_password")
        values["ldap_secret"] = platform.door.seal(password, sealed_for(line), platform.ids.secret(12))
    try:
        await platform.store.commit(Changes(update=[Update(Line, line.id, caller.account_id, values)]))
    except Refusal as refusal:
        if refusal.fault is not Fault.ALREADY_EXISTS:
            raise
        detail = f"another line of this account has the short number {command.short_number}"
        raise Refusal(Fault.ALREADY_EXISTS, detail, "short_number") from refusal
    return await own_line(platform, caller, line.number)


async def add_listing_key(platform: Platform, caller: Caller, command: AddListingKey) -> NewListingKey:
    """A key for the listing on Axialys' wire, beside the account's password there."""
    scopes = READS_SECRETS if command.reads_secrets else ""
    key = await accounts.add_key(platform, caller, LISTING_DIALECT, scopes)
    return NewListingKey(key, command.reads_secrets)


def secrets_of(platform: Platform, caller: Caller, line: Line) -> tuple[str, str]:
    """The passwords of a line's telephone and of its directory, empty where there is none, for a caller whose
    credential may read them; to others MASKED."""
    if READS_SECRETS not in caller.scopes:
        return MASKED if line.sip_user else "", MASKED if line.ldap_secret else ""
    about = sealed_for(line)
    return platform.door.unseal(line.sip_secret, about), platform.door.unseal(line.ldap_secret, about)


async def _checked(
    platform: Platform, caller: Caller, extension: Extension, named: frozenset[str]
) -> Extension:
    values: dict[str, object] = {}
    for name in named:
        value = getattr(extension, name)
        check = _CHECKS.get(name)
        if check is not None:
            value = check(value)
        elif NAMES[name] is str:
            value = _word(value, name)
        values[name] = value
    if "shown" in named and extension.shown:
        values["shown"] = await calling.shown_number(platform, caller, extension.shown, field="shown")
    if "secretary" in named and extension.secretary:
        values["secretary"] = await _checked_secretary(platform, caller, extension.secretary)
    return replace(extension, **values)  # type: ignore[arg-type]


async def _checked_secretary(platform: Platform, caller: Caller, written: str) -> str:
    if linecalls.SHORT_NUMBER.fullmatch(written):
        line = await platform.store.queries.line_by_short_number(caller.account_id, written)
        if line is not None:
            return written
    return calling.callable_number(platform, caller, written, "secretary")


def _checked_short_number(caller: Caller, written: str) -> str:
    if written and not linecalls.SHORT_NUMBER.fullmatch(written):
        raise _wrong(
            "short_number", f"{written[:20]!r} is no short number of 2 to 6 digits; write for instance 201"
        )
    if written and shortnumberinfo.connects_to_emergency_number(written, caller.region):
        raise _wrong("short_number", f"{written} is an emergency number; choose another")
    return written


def _word(text: str, field: str) -> str:
    text = text.strip()
    if len(text) > _LONGEST_WORD or not text.isprintable():
        raise _wrong(field, f"it has at most {_LONGEST_WORD} printable characters")
    return text


def _wrong(field: str, detail: str) -> Refusal:
    return Refusal(Fault.INVALID_PARAMETER, detail, field)


def _checked_count(count: int) -> int:
    if not 0 <= count <= _MOST_CALLS:
        raise _wrong(
            "calls_at_once", f"{count} calls at once: give 0 (as the platform allows) to {_MOST_CALLS}"
        )
    return count


def _checked_allowance(amount: int) -> int:
    if not 0 <= amount <= 10**12:
        raise _wrong("allowance", f"{amount} is no allowance; give 0 or more")
    return amount


def _checked_message(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_GREETING:
        raise _wrong("message", f"a message has {LONGEST_GREETING} characters at most, this one {len(text)}")
    return text


def _checked_mail(address: str) -> str:
    address = address.strip()
    if address and not looks_like_mail(address):
        raise _wrong(
            "voicemail_mail", f"{address[:70]!r} is no mail address; write one like name@example.com"
        )
    return address


def _checked_codec(name: str) -> str:
    return _one_of(Codec, name, "codec")


def _checked_transport(name: str) -> str:
    return _one_of(Transport, name, "transport")


def _one_of(known: type[Codec] | type[Transport], name: str, field: str) -> str:
    for one in known:
        if one.value.casefold() == name.strip().casefold():
            return one.value
    raise _wrong(field, f"{name[:20]!r} is not known; write {', '.join(one.value for one in known)}")


def _checked_mac(written: str) -> str:
    mac = re.sub("[-:. ]", "", written).upper()
    if mac and not _MAC.fullmatch(mac):
        raise _wrong("telephone_mac", f"{written[:20]!r} is no MAC address; write one like 00:04:13:AB:CD:EF")
    return mac


def _checked_port(port: int) -> int:
    if not 0 <= port <= 65535:
        raise _wrong("telephone_port", f"{port} is no port; give 1 to 65535, or 0 for none")
    return port


_CHECKS: Mapping[str, Callable[..., object]] = {
    "calls_at_once": _checked_count,
    "allowance": _checked_allowance,
    "message": _checked_message,
    "voicemail_mail": _checked_mail,
    "codec": _checked_codec,
    "transport": _checked_transport,
    "telephone_mac": _checked_mac,
    "telephone_port": _checked_port,
}
