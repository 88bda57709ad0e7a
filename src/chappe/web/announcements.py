"""Pages of announcements: the list, sending one, and one with what became of each recipient, live."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.announcements import (
    CancelAnnouncement,
    FindAnnouncement,
    Hours,
    ListAnnouncements,
    OnMachine,
    OnPerson,
    RecipientState,
    SendAnnouncement,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import ListSounds
from chappe.model.sounds import Sound, Speech, Uploaded
from chappe.services import announcements, sounds
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members

_BETWEEN_NUMBERS = re.compile(r"[,;\r\n]+")


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/announcements", for_members(platform, list_page), methods=["GET"]),
        Route("/announcements", for_members(platform, send), methods=["POST"]),
        Route("/announcements/{ref}", for_members(platform, announcement_page)),
        Route("/announcements/{ref}/cancel", for_members(platform, cancel), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Draft:
    """An announcement that is to be sent, as typed."""

    name: str = ""
    recipients: str = ""
    say: str = ""
    language: str = "fr"
    voice: str = "female"
    sound: str = ""
    shown: str = ""
    on_machine: str = OnMachine.LEAVE
    on_person: str = OnPerson.PLAY
    answer_keys: str = ""
    repeat_key: str = ""
    attempts: str = "1"
    starts: str = ""
    ends: str = ""
    opens: str = ""
    closes: str = ""


_FIELDS: Mapping[str, str] = {
    "to": "recipients",
    "id": "sound",
    "starts_at": "starts",
    "ends_at": "ends",
    "hours": "opens",
    "on_person": "on_person",
}
"""What the form calls the fields of the command."""


async def list_page(platform: Platform, visit: Visit) -> Response:
    return await _list_page(platform, visit, Draft(language=visit.reader.language))


async def _list_page(
    platform: Platform, visit: Visit, draft: Draft, status: int = 200, **values: object
) -> Response:
    cursor = visit.cursor()
    page = await announcements.list_announcements(platform, visit.caller, ListAnnouncements(cursor=cursor))
    uploaded = await sounds.list_sounds(platform, visit.caller, ListSounds(limit=100))
    return visit.page(
        "announcements.html",
        status,
        page=page,
        cursor=cursor,
        draft=draft,
        sounds=uploaded.items,
        **values,
    )


async def send(platform: Platform, visit: Visit) -> Response:
    usual = Draft()
    draft = Draft(*(visit.field(name, getattr(usual, name)) for name in Draft.__dataclass_fields__))
    numbers = [one.strip() for one in _BETWEEN_NUMBERS.split(draft.recipients) if one.strip()]
    try:
        command = _command(visit, draft, tuple(numbers))
        story = await announcements.send(platform, visit.caller, command)
    except Refusal as refusal:
        trouble = visit.trouble(refusal, _FIELDS)
        at = re.fullmatch(r"to\[(\d+)\]", refusal.field or "")
        if at is not None and int(at[1]) < len(numbers):
            trouble = replace(trouble, text=f"{numbers[int(at[1])][:40]} – {trouble.text}")
        return await _list_page(platform, visit, draft, 422, trouble=trouble)
    return visit.go(f"/announcements/{story.announcement.ref}")


def _command(visit: Visit, draft: Draft, numbers: tuple[str, ...]) -> SendAnnouncement:
    sound: Sound = Speech(
        draft.say,
        "en" if draft.language == "en" else "fr",
        "male" if draft.voice == "male" else "female",
    )
    if draft.sound:
        sound = Uploaded(draft.sound)
    return SendAnnouncement(
        recipients=numbers,
        sound=sound,
        shown=draft.shown.strip() or None,
        repeat_key=draft.repeat_key.strip(),
        answer_keys=draft.answer_keys.strip(),
        on_machine=OnMachine(_one_of(OnMachine, draft.on_machine, "on_machine")),
        on_person=OnPerson(_one_of(OnPerson, draft.on_person, "on_person")),
        attempts=_whole(draft.attempts, "attempts"),
        starts_at=_moment(visit, draft.starts, "starts"),
        ends_at=_moment(visit, draft.ends, "ends"),
        hours=_hours(visit, draft),
        name=draft.name,
    )


def _one_of(kind: type[OnMachine] | type[OnPerson], written: str, field: str) -> str:
    if written not in [str(one) for one in kind]:
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is not known", field)
    return written


def _whole(written: str, field: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 4):
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no whole number", field)
    return int(written)


def _moment(visit: Visit, written: str, field: str) -> datetime | None:
    """A time in the reader's zone; None where nothing was written."""
    if not written:
        return None
    try:
        return datetime.fromisoformat(written).replace(tzinfo=visit.reader.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no time", field) from None


def _hours(visit: Visit, draft: Draft) -> Hours | None:
    if not draft.opens and not draft.closes:
        return None
    try:
        opens, closes = (time.fromisoformat(one or "00:00") for one in (draft.opens, draft.closes))
    except ValueError:
        raise Refusal(Fault.INVALID_PARAMETER, "this is no time of the day", "opens") from None
    return Hours(opens.replace(tzinfo=None), closes.replace(tzinfo=None), visit.reader.zone.key)


async def announcement_page(platform: Platform, visit: Visit) -> Response:
    return await _announcement_page(platform, visit)


async def _announcement_page(
    platform: Platform, visit: Visit, status: int = 200, **values: object
) -> Response:
    wanted, cursor = visit.request.query_params.get("state", ""), visit.cursor()
    if wanted not in [str(state) for state in RecipientState]:
        wanted = ""
    try:
        asked = FindAnnouncement(visit.request.path_params["ref"], wanted, cursor=cursor)
        story = await announcements.find(platform, visit.caller, asked)
    except Refusal:
        return visit.sorry(404)
    return visit.page(
        "announcement.html",
        status,
        story=story,
        a=story.announcement,
        wanted=wanted,
        cursor=cursor,
        **values,
    )


async def cancel(platform: Platform, visit: Visit) -> Response:
    ref = visit.request.path_params["ref"]
    try:
        await announcements.cancel(platform, visit.caller, CancelAnnouncement(ref))
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND:
            return visit.sorry(404)
        return await _announcement_page(platform, visit, 409, trouble=visit.trouble(refusal))
    return visit.go(f"/announcements/{ref}")
