"""Announcements: tell one message to many telephones, see how far that is, and call it off.

Who is rung when is services/dialler.py, what became of each services/recipients.py.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chappe.media import pcm
from chappe.model.announcements import (
    Announcement,
    AnnouncementState,
    AnnouncementStory,
    CancelAnnouncement,
    Count,
    FindAnnouncement,
    ListAnnouncements,
    OnMachine,
    OnPerson,
    Recipient,
    RecipientState,
    SendAnnouncement,
)
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller, Replay
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page, StoredOutcome
from chappe.model.recordings import FindSound
from chappe.model.sounds import LONGEST_TEXT, Sound, Speech, Tone, Uploaded
from chappe.services import announcementnotices, calling, dialler, history, recipients, sandbox, sounds
from chappe.services.ports import Platform
from chappe.services.routing import Way

FAR = timedelta(days=366)
USUAL = timedelta(days=1)
LONGEST = timedelta(days=31)
MOST = 100
MOST_TIMES = 5
MOST_ATTEMPTS = 10
LONGEST_NAME = 100
RINGS = (timedelta(seconds=5), timedelta(seconds=120))
PAUSES = (timedelta(minutes=1), timedelta(days=1))
"""How far ahead an announcement may be planned, how long it goes on where nothing is said and at most, how
many of an account are not over, how often it is told and tried, how long its name, how long a telephone rings
and how long it is left alone (all our choice)."""

_REF = re.compile("[0-9a-z]{26}")
_KEYS = "0123456789*#"
_AT_ONCE = 200


async def send(platform: Platform, caller: Caller, command: SendAnnouncement) -> AnnouncementStory:
    """Take an announcement: all that can be refused is refused here, before anything is written; from then on
    it waits for its turn whatever limits its account has.

    Raises Refusal: nobody to be told or somebody who cannot be called, nothing to be heard, a number that
    may not be shown, a time that is over or too far ahead, credits that do not pay everybody. A command with
    a key that was used before sends nothing.
    """
    platform.store.admit()
    if (earlier := await _earlier(platform, caller, command.replay)) is not None:
        return earlier
    _check(command)
    now = platform.clock.now()
    starts_at, ends_at = _times(command, now)
    if await platform.store.queries.open_announcements(caller.account_id) >= MOST:
        detail = f"{MOST} announcements of this account are not over; cancel one of them"
        raise Refusal(Fault.TOO_MANY_CALLS, detail)
    numbers = _numbers(platform, caller, command)
    ways = await _ways(platform, numbers)
    await _check_blacklist(platform, caller, numbers)
    is_virtual = all(way.carrier == sandbox.CARRIER for way in ways)
    await calling.shown_number(platform, caller, command.shown, is_virtual=is_virtual)
    milliseconds = await _length(platform, caller, command.sound)
    await _check_credits(platform, caller, ways, milliseconds)
    announcement = _announcement(platform, caller, command, starts_at, ends_at, milliseconds, len(numbers))
    if announcement.may_ring(starts_at) >= ends_at:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            "between its beginning and its end there is none of the hours in which somebody may be rung",
            "hours",
        )
    try:
        return await _write(platform, caller, announcement, numbers, command.replay)
    except Refusal as refusal:
        if refusal.fault is Fault.ALREADY_EXISTS:
            twin = await _earlier(platform, caller, command.replay)  # which came at the same moment
            if twin is not None:
                return twin
        raise


# --- what is asked for


def _check(command: SendAnnouncement) -> None:
    keys = command.answer_keys
    if command.repeat_key and (len(command.repeat_key) != 1 or command.repeat_key not in _KEYS):
        raise _wrong(f"{command.repeat_key!r} is no key; write one of {_KEYS}", "repeat_key")
    if len(keys) > len(_KEYS) or not set(keys) <= set(_KEYS):
        raise _wrong(f"{keys[:40]!r} are no keys; write some of {_KEYS}", "answer_keys")
    if command.repeat_key and command.repeat_key in keys:
        raise _wrong(f"the key {command.repeat_key} repeats the message; answer with others", "answer_keys")
    if command.on_machine is OnMachine.HANG_UP and command.on_person is OnPerson.HANG_UP:
        raise _wrong("nobody would hear it: play it to machines, or to persons", "on_person")
    if not 1 <= command.times <= MOST_TIMES:
        raise _wrong(f"it is told 1 to {MOST_TIMES} times, not {command.times}", "times")
    if not 1 <= command.attempts <= MOST_ATTEMPTS:
        raise _wrong(f"somebody is rung 1 to {MOST_ATTEMPTS} times, not {command.attempts}", "attempts")
    _check_within(command.ring, RINGS, "ring")
    _check_within(command.pause, PAUSES, "pause")


def _check_within(asked: timedelta, within: tuple[timedelta, timedelta], field: str) -> None:
    low, high = within
    if not low <= asked <= high:
        seconds = [int(one.total_seconds()) for one in (asked, low, high)]
        raise _wrong(f"{seconds[0]} seconds are not accepted; ask for {seconds[1]} to {seconds[2]}", field)


def _times(command: SendAnnouncement, now: datetime) -> tuple[datetime, datetime]:
    """When it begins and when it ends."""
    starts_at = command.starts_at if command.starts_at is not None and command.starts_at > now else now
    if starts_at > now + FAR:
        raise _wrong(f"{starts_at.isoformat()} is more than a year ahead", "starts_at")
    ends_at = starts_at + USUAL if command.ends_at is None else command.ends_at
    if ends_at <= starts_at:
        raise _wrong(f"{ends_at.isoformat()} is not after its beginning", "ends_at")
    if ends_at > starts_at + LONGEST:
        raise _wrong(f"it goes on for at most {LONGEST.days} days after its beginning", "ends_at")
    if command.hours is not None:
        try:
            ZoneInfo(command.hours.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            detail = f"there is no time zone {command.hours.zone[:60]!r}; write one like Europe/Paris"
            raise _wrong(detail, "hours") from None
    return starts_at, ends_at


def _numbers(platform: Platform, caller: Caller, command: SendAnnouncement) -> list[str]:
    """Everybody once, in the order in which they were named."""
    if not command.recipients:
        raise Refusal(Fault.NO_RECIPIENT, "there is no recipient", "to")
    if len(command.recipients) > platform.rules.max_recipients:
        raise _wrong(
            f"{len(command.recipients)} recipients in one request; at most {platform.rules.max_recipients}",
            "to",
        )
    named = enumerate(command.recipients)
    numbers = [calling.callable_number(platform, caller, raw, f"to[{position}]") for position, raw in named]
    return list(dict.fromkeys(numbers))


async def _ways(platform: Platform, numbers: Sequence[str]) -> list[Way]:
    ways: list[Way] = []
    for start in range(0, len(numbers), _AT_ONCE):
        ways += await asyncio.gather(
            *(calling.way(platform, number) for number in numbers[start : start + _AT_ONCE])
        )
    return ways


async def _check_blacklist(platform: Platform, caller: Caller, numbers: Sequence[str]) -> None:
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        blocked = await platform.store.queries.blacklisted(caller.account_id, some)
        for number in some:
            if number in blocked:
                raise Refusal(Fault.BLACKLISTED, f"{number} is on the account's blacklist", "to")


async def _length(platform: Platform, caller: Caller, sound: Sound) -> int:
    """How long a sound is, in milliseconds."""
    match sound:
        case Tone():
            raise _wrong("a tone is no message", "sound")
        case Uploaded(ref):
            return (await sounds.find(platform, caller, FindSound(ref))).milliseconds
        case Speech(text) if not text.strip():
            raise Refusal(Fault.EMPTY_CONTENT, "there is nothing to say; write a text", "say")
        case Speech(text) if len(text) > LONGEST_TEXT:
            detail = f"a text of {len(text)} letters is too long; say at most {LONGEST_TEXT}"
            raise Refusal(Fault.CONTENT_TOO_LONG, detail, "say")
    found = await sounds.samples(platform, caller.account_id, sound)
    if not found:
        raise Refusal(Fault.UNUSABLE_MEDIA, "nothing can be said of this text; write words", "say")
    return pcm.milliseconds(found)


async def _check_credits(platform: Platform, caller: Caller, ways: Sequence[Way], milliseconds: int) -> None:
    """Whether what is free pays the message once to everybody; it is held call by call."""
    seconds = -(-milliseconds // 1000)
    price = sum(-(-way.price * seconds // 60) for way in ways)
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    if price and price > (free := await calling.free(platform, caller.account_id, cap)):
        detail = (
            f"telling it once to {len(ways)} recipients costs {price / 1000:g} credits, and {free / 1000:g}"
            " are left; buy some, or tell it to fewer"
        )
        raise Refusal(Fault.INSUFFICIENT_CREDITS, detail)


def _announcement(
    platform: Platform,
    caller: Caller,
    command: SendAnnouncement,
    starts_at: datetime,
    ends_at: datetime,
    milliseconds: int,
    count: int,
) -> Announcement:
    sound, hours = command.sound, command.hours
    speech = sound if isinstance(sound, Speech) else Speech("")
    return Announcement(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=caller.account_id,
        name=command.name.strip()[:LONGEST_NAME],
        state=AnnouncementState.PLANNED,
        text=speech.text,
        language=speech.language,
        voice=speech.voice,
        sound=sound.ref if isinstance(sound, Uploaded) else "",
        milliseconds=milliseconds,
        shown=command.shown,
        times=command.times,
        repeat_key=command.repeat_key,
        answer_keys=command.answer_keys,
        on_machine=command.on_machine,
        on_person=command.on_person,
        ring_seconds=int(command.ring.total_seconds()),
        attempts=command.attempts,
        pause=int(command.pause.total_seconds()),
        starts_at=starts_at,
        ends_at=ends_at,
        opens=0 if hours is None else _minutes(hours.begin),
        closes=0 if hours is None else _minutes(hours.end),
        zone="" if hours is None else hours.zone,
        count=count,
        driver=0,
        dialect=caller.dialect,
        created_at=platform.clock.now(),
        reference=command.reference[:255],
        exchange_id=caller.exchange_id,
        user_id=caller.user_id,
    )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _wrong(detail: str, field: str) -> Refusal:
    return Refusal(Fault.INVALID_PARAMETER, detail, field)


async def _write(
    platform: Platform,
    caller: Caller,
    announcement: Announcement,
    numbers: Sequence[str],
    replay: Replay | None,
) -> AnnouncementStory:
    job = dialler.driver(platform, announcement, announcement.starts_at)
    announcement = replace(announcement, driver=job.id)
    named = [
        Recipient(
            id=new_id,
            ref=ref,
            account_id=announcement.account_id,
            announcement_id=announcement.id,
            number=number,
            state=RecipientState.WAITING,
            due_at=announcement.starts_at,
        )
        for number, (new_id, ref) in zip(numbers, platform.ids.new_names(len(numbers)), strict=True)
    ]
    insert: list[object] = [announcement, *named]
    if replay is not None:
        outcome: dict[str, object] = {"announcement": announcement.ref}
        insert.append(
            StoredOutcome(
                platform.ids.new_id(),
                caller.account_id,
                replay.key,
                replay.fingerprint,
                outcome,
                announcement.created_at,
            )
        )
    await platform.store.commit(Changes(insert=insert, enqueue=[job]))
    announcementnotices.ring(platform, announcement, [job])
    count = Count({RecipientState.WAITING: len(named)})
    page = FindAnnouncement(announcement.ref).limit
    cursor = named[page - 1].id if len(named) > page else None
    return AnnouncementStory(announcement, count, tuple(named[:page]), cursor)


async def _earlier(platform: Platform, caller: Caller, replay: Replay | None) -> AnnouncementStory | None:
    """The announcement that an earlier command with the same key has sent."""
    stored = await history.replayed(platform, caller, replay)
    if stored is None:
        return None
    ref = str(stored.outcome.get("announcement", ""))
    return replace(await find(platform, caller, FindAnnouncement(ref)), replayed=True)


# --- what became of it


async def find(platform: Platform, caller: Caller, command: FindAnnouncement) -> AnnouncementStory:
    """One announcement with a page of its recipients. Raises Refusal `not_found`."""
    known = _REF.fullmatch(command.ref)
    found = known and await platform.store.queries.announcement_by_ref(caller.account_id, command.ref)
    if not found:
        raise Refusal(Fault.NOT_FOUND, f"there is no announcement {command.ref}", "id")
    limit = max(1, min(command.limit, 100))
    story, page = await asyncio.gather(
        announcementnotices.story_of(platform, found),
        platform.store.queries.recipients_of(caller.account_id, found.id, replace(command, limit=limit + 1)),
    )
    cursor = page[limit - 1].id if len(page) > limit else None
    return replace(story, recipients=page[:limit], next_cursor=cursor)


async def list_announcements(
    platform: Platform, caller: Caller, command: ListAnnouncements
) -> Page[AnnouncementStory]:
    """A page of the account's announcements with how their recipients stand, newest first."""
    limit = max(1, min(command.limit, 100))
    queries = platform.store.queries
    found = await queries.list_announcements(caller.account_id, replace(command, limit=limit + 1))
    page = found[:limit]
    counts = await queries.count_recipients(caller.account_id, [one.id for one in page])
    stories = tuple(AnnouncementStory(one, counts.get(one.id, Count({}))) for one in page)
    return Page(stories, page[-1].id if len(found) > limit else None)


async def cancel(platform: Platform, caller: Caller, command: CancelAnnouncement) -> AnnouncementStory:
    """Ring nobody more; what is going on goes on. Raises Refusal `not_found`, `too_late`."""
    story = await find(platform, caller, FindAnnouncement(command.ref))
    announcement = story.announcement
    if announcement.over_at is not None:
        detail = f"announcement {command.ref} is over since {announcement.over_at:%Y-%m-%d %H:%M:%S} UTC"
        raise Refusal(Fault.TOO_LATE, detail, "id")
    if announcement.cancelled_at is not None:
        raise Refusal(Fault.TOO_LATE, f"announcement {command.ref} is cancelled already", "id")
    now = platform.clock.now()
    job = dialler.driver(platform, announcement, now)
    values = {"state": AnnouncementState.CANCELLED, "cancelled_at": now, "driver": job.id}
    off = Update(
        Announcement,
        announcement.id,
        caller.account_id,
        values,
        {"cancelled_at": None, "over_at": None},
    )
    await platform.store.commit(Changes(update=[off], enqueue=[job]))
    await recipients.give_up(platform, replace(announcement, cancelled_at=now))
    announcementnotices.ring(platform, announcement, [job])
    return await find(platform, caller, FindAnnouncement(command.ref))
