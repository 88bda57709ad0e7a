"""The telephones that are registered as one line, as its record keeps them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from chappe.carriers.sip import words
from chappe.model.directory import Line

MOST = 10
"""How many telephones a line may have; one more takes the place of the one that was seen longest ago (our
choice)."""

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Registered:
    """One of them: reached at the URI `contact` behind the address `source` (IP:port) until a time. `agent`
    is what it calls itself, `instance` its name that outlives a restart (RFC 5626, section 4.1), if any."""

    contact: str
    source: str
    agent: str
    instance: str
    seen_at: datetime
    until: datetime


def registered(line: Line, now: datetime) -> list[Registered]:
    """Those that are there at a time, the newest last."""
    read = [
        Registered(
            str(one["contact"]),
            str(one["source"]),
            str(one["agent"]),
            str(one["instance"]),
            datetime.fromisoformat(str(one["seen_at"])),
            datetime.fromisoformat(str(one["until"])),
        )
        for one in line.telephones
    ]
    return sorted((one for one in read if one.until > now), key=lambda one: one.seen_at)


def moved(line: Line, word: words.Telephone, now: datetime) -> Mapping[str, object]:
    """What is to be written of a line when one of its telephones registers, or registers no more: all, and
    what the line shows, which is the last registration."""
    there = [
        one
        for one in registered(line, now)
        if one.contact != word.contact and (not word.instance or one.instance != word.instance)
    ]
    if not word.contact:
        there = []  # "*": all of them (RFC 3261, section 10.2.2)
    elif word.seconds:
        until = now + timedelta(seconds=word.seconds)
        told = (word.contact[:_LONGEST], word.source, word.agent[:_LONGEST], word.instance[:_LONGEST])
        there = [*there, Registered(*told, now, until)][-MOST:]
    values: dict[str, object] = {
        "telephones": [_kept(one) for one in there],
        "sip_contact": there[-1].contact if there else "",
        "sip_until": max((one.until for one in there), default=None),
    }
    if word.contact and word.seconds:  # one that goes is no registration
        values |= {"sip_source": word.source, "sip_agent": there[-1].agent, "sip_seen_at": now}
    return values


def _kept(one: Registered) -> dict[str, object]:
    return asdict(one) | {"seen_at": one.seen_at.isoformat(), "until": one.until.isoformat()}
