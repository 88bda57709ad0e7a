"""Pages of conferences: the list, holding one, and one with who takes part, as it is at this moment."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.conferences import (
    AccessMode,
    AddParticipants,
    ConferenceStory,
    CreateConference,
    EndConference,
    FindConference,
    ListConferences,
    LockConference,
    MuteParticipant,
    NewParticipant,
    RecordConference,
    RemoveParticipant,
    RingParticipant,
)
from chappe.model.errors import Fault, Refusal
from chappe.services import conferences, participants
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members

_BETWEEN_NUMBERS = re.compile(r"[,;\n]+")
_USUAL_MINUTES = "60"

Steer = Callable[[Platform, Visit, str, str], Awaitable[ConferenceStory]]


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/conferences", for_members(platform, list_page), methods=["GET"]),
        Route("/conferences", for_members(platform, create), methods=["POST"]),
        Route("/conferences/{ref}", for_members(platform, conference_page)),
        Route("/conferences/{ref}/participants", for_members(platform, add), methods=["POST"]),
        Route(
            "/conferences/{ref}/participants/{participant}/{what}",
            for_members(platform, steer),
            methods=["POST"],
        ),
        Route("/conferences/{ref}/{what}", for_members(platform, steer), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Draft:
    """A conference that is to be held, as typed."""

    name: str = ""
    access: str = AccessMode.ROOM_AND_CALLER
    minutes: str = _USUAL_MINUTES
    start: str = ""
    numbers: str = ""
    rings: bool = True


async def list_page(platform: Platform, visit: Visit) -> Response:
    return await _list_page(platform, visit, Draft())


async def _list_page(
    platform: Platform, visit: Visit, draft: Draft, status: int = 200, **values: object
) -> Response:
    cursor = visit.cursor()
    page = await conferences.list_conferences(platform, visit.caller, ListConferences(cursor=cursor))
    return visit.page("conferences.html", status, page=page, cursor=cursor, draft=draft, **values)


async def create(platform: Platform, visit: Visit) -> Response:
    draft = Draft(
        visit.field("name"),
        visit.field("access", AccessMode.ROOM_AND_CALLER),
        visit.field("minutes", _USUAL_MINUTES),
        visit.field("start"),
        visit.field("numbers"),
        bool(visit.field("rings")),
    )
    try:
        command = CreateConference(
            access=_access(draft.access),
            starts_at=_start(visit, draft.start),
            duration=_minutes(draft.minutes),
            participants=_named(draft.numbers, draft.rings),
            name=draft.name,
            language=visit.reader.language,
        )
        story = await conferences.create(platform, visit.caller, command)
    except Refusal as refusal:
        trouble = visit.trouble(refusal, _FIELDS)
        return await _list_page(platform, visit, draft, 422, trouble=trouble)
    return visit.go(f"/conferences/{story.conference.ref}")


_FIELDS: Mapping[str, str] = {"participants": "numbers", "duration": "minutes", "starts_at": "start"}
"""What the form calls the fields of the command."""


def _access(written: str) -> AccessMode:
    if written not in [str(mode) for mode in AccessMode]:
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no access mode", "access")
    return AccessMode(written)


def _minutes(written: str) -> timedelta:
    if not (written.isascii() and written.isdigit() and len(written) < 5):
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no number of minutes", "minutes")
    return timedelta(minutes=int(written))


def _start(visit: Visit, written: str) -> datetime | None:
    """The time in the reader's zone; None where nothing was written."""
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).replace(tzinfo=visit.reader.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no time", "start") from None


def _named(written: str, rings: bool) -> tuple[NewParticipant, ...]:
    numbers = (one.strip() for one in _BETWEEN_NUMBERS.split(written))
    return tuple(NewParticipant(one, dials=rings) for one in numbers if one)


async def conference_page(platform: Platform, visit: Visit) -> Response:
    return await _conference_page(platform, visit)


async def _conference_page(
    platform: Platform, visit: Visit, status: int = 200, numbers: str = "", **values: object
) -> Response:
    try:
        asked = FindConference(visit.request.path_params["ref"])
        story = await participants.find(platform, visit.caller, asked)
    except Refusal:
        return visit.sorry(404)
    return visit.page("conference.html", status, story=story, c=story.conference, numbers=numbers, **values)


async def add(platform: Platform, visit: Visit) -> Response:
    ref = visit.request.path_params["ref"]
    named = _named(visit.field("numbers"), rings=bool(visit.field("rings")))
    try:
        await participants.add(platform, visit.caller, AddParticipants(ref, named))
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND:
            return visit.sorry(404)
        return await _conference_page(
            platform, visit, 422, trouble=visit.trouble(refusal, _FIELDS), numbers=visit.field("numbers")
        )
    return visit.go(f"/conferences/{ref}")


_WHOLE: Mapping[str, tuple[Callable[..., Awaitable[Any]], Callable[[str], object]]] = {
    "lock": (conferences.lock, lambda ref: LockConference(ref, True)),
    "unlock": (conferences.lock, lambda ref: LockConference(ref, False)),
    "record": (conferences.record, lambda ref: RecordConference(ref, True)),
    "unrecord": (conferences.record, lambda ref: RecordConference(ref, False)),
    "end": (conferences.end, EndConference),
}
_OF_ONE: Mapping[str, tuple[Callable[..., Awaitable[Any]], Callable[[str, str], object]]] = {
    "call": (participants.ring, RingParticipant),
    "mute": (participants.mute, lambda ref, one: MuteParticipant(ref, one, True)),
    "unmute": (participants.mute, lambda ref, one: MuteParticipant(ref, one, False)),
    "remove": (participants.remove, RemoveParticipant),
}


async def steer(platform: Platform, visit: Visit) -> Response:
    """What a button of the page says."""
    ref, what = visit.request.path_params["ref"], visit.request.path_params["what"]
    one = visit.request.path_params.get("participant")
    try:
        if one is None and what in _WHOLE:
            run, command = _WHOLE[what]
            await run(platform, visit.caller, command(ref))
        elif one is not None and what in _OF_ONE:
            run_one, command_of = _OF_ONE[what]
            await run_one(platform, visit.caller, command_of(ref, one))
        else:
            return visit.sorry(404)
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND:
            return visit.sorry(404)
        return await _conference_page(platform, visit, 409, trouble=visit.trouble(refusal))
    return visit.go(f"/conferences/{ref}")
