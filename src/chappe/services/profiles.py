"""The profiles of a line one by one: changed, added, taken away; `lines.py` sets them all at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from chappe.model.commands import Caller, ChangeLine
from chappe.model.directory import ANSWERPHONE, Forwarding, Line
from chappe.model.errors import Fault, Refusal
from chappe.services.lines import change_line, own_line
from chappe.services.ports import Platform

DEFAULT = "default"
"""Another name for a line's first profile, which is always there."""


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Set of a profile what is named; with `forced` it is put in force. With `no_answerphone` what it sent to
    the answerphone goes nowhere, unless that is named too."""

    line: str
    profile: str
    values: Forwarding = field(default_factory=Forwarding)
    named: frozenset[str] = field(default_factory=frozenset)
    forced: bool = False
    no_answerphone: bool = False


@dataclass(frozen=True, slots=True)
class AddProfile:
    """Another profile, with a name or one that is made for it."""

    line: str
    name: str = ""
    values: Forwarding = field(default_factory=Forwarding)
    forced: bool = False


@dataclass(frozen=True, slots=True)
class FindProfile:
    line: str
    profile: str


@dataclass(frozen=True, slots=True)
class RemoveProfiles:
    """Take one away, with no `profile` all but the first."""

    line: str
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile of a line, by its name."""

    line: Line
    name: str

    @property
    def forwarding(self) -> Forwarding:
        """Where it sends calls."""
        return Forwarding(**self.line.profiles[self.name])  # type: ignore[arg-type]


async def find(platform: Platform, caller: Caller, command: FindProfile) -> Profile:
    """One profile. Raises Refusal `not_found`."""
    line = await own_line(platform, caller, command.line)
    return Profile(line, _named(line, command.profile))


async def change(platform: Platform, caller: Caller, command: ChangeProfile) -> Profile:
    """Set what a command names. Raises Refusal `not_found`, and all of `lines.change_line`."""
    line = await own_line(platform, caller, command.line)
    name = _named(line, command.profile)
    known = _forwardings(line)
    values: dict[str, object] = {}
    if command.no_answerphone:
        values |= {
            one.name: "" for one in fields(Forwarding) if getattr(known[name], one.name) == ANSWERPHONE
        }
    values |= {one: getattr(command.values, one) for one in command.named}
    changed = known | {name: replace(known[name], **values)}  # type: ignore[arg-type]
    return Profile(await _write(platform, caller, line, changed, name if command.forced else None), name)


async def add(platform: Platform, caller: Caller, command: AddProfile) -> Profile:
    """One more. Raises Refusal `already_exists`, and all of `lines.change_line`."""
    line = await own_line(platform, caller, command.line)
    known = _forwardings(line)
    name = command.name or next(str(n) for n in range(1, 1000) if str(n) not in known)
    if name in known:
        raise Refusal(Fault.ALREADY_EXISTS, f"line {line.number} has a profile {name!r} already", "name")
    changed = known | {name: command.values}
    return Profile(await _write(platform, caller, line, changed, name if command.forced else None), name)


async def remove(platform: Platform, caller: Caller, command: RemoveProfiles) -> Line:
    """Take profiles away; where that in force is among them, the first one is then. Raises Refusal
    `not_found`, `not_allowed` for the first one."""
    line = await own_line(platform, caller, command.line)
    known = _forwardings(line)
    first = next(iter(known))
    gone = [_named(line, command.profile)] if command.profile else [one for one in known if one != first]
    if first in gone:
        raise Refusal(Fault.NOT_ALLOWED, f"the profile {first!r} cannot be taken away", "profile")
    left = {name: one for name, one in known.items() if name not in gone}
    return await _write(platform, caller, line, left, first if line.profile in gone else None)


async def _write(
    platform: Platform, caller: Caller, line: Line, profiles: Mapping[str, Forwarding], profile: str | None
) -> Line:
    command = ChangeLine(line.number, profile=profile, profiles=profiles)
    return await change_line(platform, caller, command)


def _forwardings(line: Line) -> dict[str, Forwarding]:
    return {name: Forwarding(**values) for name, values in line.profiles.items()}  # type: ignore[arg-type]


def _named(line: Line, name: str) -> str:
    if name in line.profiles:
        return name
    if name == DEFAULT:
        return next(iter(line.profiles))
    raise Refusal(Fault.NOT_FOUND, f"line {line.number} has no profile {name[:70]!r}", "profile")
