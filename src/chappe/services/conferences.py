"""Hold conferences: create and begin them, ring and mute participants, lock, record and end them.

Who calls in is services/rooms.py and flows/reception.py; what is live is services/switchboard.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chappe.flows import conference as flow
from chappe.flows import program
from chappe.model.calls import Call, CallKind, CallState, HangUpCause, Leg, LegState
from chappe.model.changes import Changes, Update
from chappe.model.commands import Caller, Replay
from chappe.model.conferences import (
    CODE_DIGITS,
    AccessMode,
    Attendance,
    Conference,
    ConferenceState,
    ConferenceStory,
    CreateConference,
    EndConference,
    FindConference,
    ListConferences,
    LockConference,
    Participant,
    RecordConference,
    leg_name,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.history import Page, StoredOutcome
from chappe.model.jobs import Job, JobState
from chappe.services import calling, callnotices, conferencenotices, history, participants
from chappe.services.ports import Platform

BEGIN = "begin_conference"
"""The kind of job that begins a planned conference."""

USUAL = timedelta(hours=1)
LONGEST = timedelta(hours=4)
FAR = timedelta(days=366)
MOST = 100
"""How long a conference lasts where nothing is said, the most that may be asked for, how far ahead it may be
planned, and how many of an account may be planned or open (all our choice)."""

_TRIES = 5


# --- create and begin


async def create(platform: Platform, caller: Caller, command: CreateConference) -> ConferenceStory:
    """A conference that begins now, or is planned; participants that dial are rung when it begins.

    Raises Refusal before anything is written: nobody named where only known callers come in, a number that
    cannot be called, a time that is too far ahead or too long, too many conferences. A command with a key
    that was used before creates nothing.
    """
    platform.store.admit()
    if (earlier := await _earlier(platform, caller, command.replay)) is not None:
        return earlier
    now = platform.clock.now()
    starts_at = command.starts_at if command.starts_at is not None and command.starts_at > now else now
    if starts_at > now + FAR:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{starts_at.isoformat()} is more than a year ahead", "starts_at"
        )
    if await platform.store.queries.open_conferences(caller.account_id) >= MOST:
        raise Refusal(
            Fault.TOO_MANY_CALLS, f"{MOST} conferences of this account are planned or open; end one of them"
        )
    if command.access is AccessMode.CALLER and not command.participants:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "name at least one participant: only they may call in, recognised by their numbers",
            "participants",
        )
    conference = Conference(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=caller.account_id,
        name=command.name.strip()[: participants.LONGEST_NAME],
        access=command.access,
        number=platform.rules.call_in_numbers[0] if command.access is not AccessMode.NONE else "",
        code="",
        state=ConferenceState.PLANNED,
        starts_at=starts_at,
        seconds=_seconds(command.duration),
        language=command.language,
        recorded=command.recorded,
        dialect=caller.dialect,
        created_at=now,
        reference=command.reference[:255],
        exchange_id=caller.exchange_id,
        user_id=caller.user_id,
    )
    named = participants.new_participants(platform, caller, conference, (), command.participants)
    for _ in range(_TRIES):
        if command.access.by_code:
            conference = replace(conference, code=_new_code(platform))
        try:
            return await _write(platform, caller, conference, named, command.replay)
        except Refusal as refusal:
            if refusal.fault is not Fault.ALREADY_EXISTS:
                raise
            twin = await _earlier(platform, caller, command.replay)  # which came at the same moment
            if twin is not None:
                return twin
    raise Refusal(Fault.INTERNAL, "no free room code was found; try again")


async def _write(
    platform: Platform,
    caller: Caller,
    conference: Conference,
    named: Sequence[Participant],
    replay: Replay | None,
) -> ConferenceStory:
    now, insert = platform.clock.now(), list[object](named)
    if replay is not None:
        outcome: dict[str, object] = {"conference": conference.ref}
        insert.append(
            StoredOutcome(
                platform.ids.new_id(), caller.account_id, replay.key, replay.fingerprint, outcome, now
            )
        )
    if conference.starts_at > now:
        await platform.store.commit(
            Changes(insert=[conference, *insert], enqueue=[_begin_job(platform, conference)])
        )
        conferencenotices.ring(platform, conference, ())
        return ConferenceStory(conference, tuple(map(Attendance, named)))
    call = _call_of(platform, conference)
    conference = replace(conference, state=ConferenceState.OPEN, call_id=call.id)
    jobs = await _started(platform, conference, call)
    await platform.store.commit(Changes(insert=[call, conference, *insert], enqueue=jobs))
    conferencenotices.ring(platform, conference, jobs)
    await _go(platform, caller, conference, call, named)
    return await conferencenotices.story_of(platform, conference)


async def begin(platform: Platform, job: Job) -> str:
    """Begin a planned conference: its time has come."""
    conference = await platform.store.queries.conference(job.account_id, job.subject)
    if conference is None or conference.state is not ConferenceState.PLANNED:
        return "dropped: it was called off"
    now, account_id = platform.clock.now(), conference.account_id
    if now >= conference.ends_at:
        values: dict[str, object] = {"state": ConferenceState.OVER, "over_at": now}
        over = Update(Conference, conference.id, account_id, values, {"state": ConferenceState.PLANNED})
        await platform.store.commit(Changes(update=[over]))
        return "dropped: its time was over when the platform came to it"
    call = _call_of(platform, conference)
    values = {"state": ConferenceState.OPEN, "call_id": call.id}
    opened = Update(Conference, conference.id, account_id, values, {"state": ConferenceState.PLANNED})
    conference = replace(conference, state=ConferenceState.OPEN, call_id=call.id)
    jobs = await _started(platform, conference, call)
    await platform.store.commit(Changes(insert=[call], update=[opened], enqueue=jobs))
    conferencenotices.ring(platform, conference, jobs)
    caller = await calling.on_behalf(platform, account_id, conference.user_id, conference.dialect)
    named = await platform.store.queries.participants_of(account_id, conference.id)
    await _go(platform, caller, conference, call, named)
    return "begun"


def _begin_job(platform: Platform, conference: Conference) -> Job:
    return Job(
        id=platform.ids.new_id(),
        kind=BEGIN,
        account_id=conference.account_id,
        subject=conference.id,
        payload={},
        state=JobState.WAITING,
        due_at=conference.starts_at,
        created_at=conference.created_at,
    )


def _call_of(platform: Platform, conference: Conference) -> Call:
    now = platform.clock.now()
    return Call(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=conference.account_id,
        kind=CallKind.CONFERENCE,
        state=CallState.LIVE,
        first=conference.number,
        second="",
        plan={"conference": conference.ref},
        dialect=conference.dialect,
        created_at=now,
        seen_at=now,
        node=platform.node,
        reference=conference.reference,
        exchange_id=conference.exchange_id,
        user_id=conference.user_id,
        is_virtual=platform.router.is_sandbox_only,
    )


async def _started(platform: Platform, conference: Conference, call: Call) -> list[Job]:
    jobs = await callnotices.notices(platform, call, EventName.CALL_STARTED, call.created_at)
    return jobs + await conferencenotices.notices(
        platform, conference, EventName.CONFERENCE_STARTED, call.created_at
    )


async def _go(
    platform: Platform, caller: Caller, conference: Conference, call: Call, named: Sequence[Participant]
) -> None:
    """The call is written: it is live from now on, and those that dial are rung."""
    seconds = int((conference.ends_at - platform.clock.now()).total_seconds())
    course = flow.Conference(max(1, seconds), conference.language, conference.recorded)
    platform.live_calls.board.begin(call, course)
    for participant in named:
        if participant.dials:
            try:
                await participants.have_rung(platform, caller, conference, participant)
            except Refusal as refusal:
                await _not_rung(platform, conference, participant, refusal)


async def _not_rung(
    platform: Platform, conference: Conference, participant: Participant, refusal: Refusal
) -> None:
    """One of those whom a conference rings when it begins could not be: a leg that never was says so."""
    now, call_id = platform.clock.now(), conference.call_id
    if call_id is None:
        return
    leg_id = platform.ids.new_id()
    leg = Leg(
        id=leg_id,
        account_id=conference.account_id,
        call_id=call_id,
        name=leg_name(participant.ref, leg_id),
        number=participant.number,
        shown="",
        carrier="",
        state=LegState.DOWN,
        created_at=now,
        rate=0,
        ended_at=now,
        cause=HangUpCause.CREDIT if refusal.fault is Fault.INSUFFICIENT_CREDITS else HangUpCause.FAILED,
    )
    await platform.store.commit(Changes(insert=[leg]))
    conferencenotices.ring(platform, conference, ())


async def _earlier(platform: Platform, caller: Caller, replay: Replay | None) -> ConferenceStory | None:
    """The conference that an earlier command with the same key created."""
    stored = await history.replayed(platform, caller, replay)
    if stored is None:
        return None
    ref = str(stored.outcome.get("conference", ""))
    return replace(await participants.find(platform, caller, FindConference(ref)), replayed=True)


def _seconds(asked: timedelta | None) -> int:
    if asked is None:
        return int(USUAL.total_seconds())
    if not timedelta(minutes=1) <= asked <= LONGEST:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{asked.total_seconds() / 60:g} minutes are not accepted; ask for 1 to"
            f" {LONGEST.total_seconds() / 60:g}",
            "duration",
        )
    return int(asked.total_seconds())


def _new_code(platform: Platform) -> str:
    return f"{int.from_bytes(platform.ids.secret(8)) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


# --- the conference as a whole


async def list_conferences(platform: Platform, caller: Caller, command: ListConferences) -> Page[Conference]:
    """A page of the account's conferences, newest first."""
    limit = max(1, min(command.limit, 100))
    asked = replace(command, limit=limit + 1)
    found = await platform.store.queries.list_conferences(caller.account_id, asked)
    page = found[:limit]
    return Page(page, page[-1].id if len(found) > limit else None)


async def lock(platform: Platform, caller: Caller, command: LockConference) -> ConferenceStory:
    """Let nobody more come in, or everybody again."""
    return await _change(
        platform, caller, command.ref, {"locked": command.locked}, program.AskedToLock(command.locked)
    )


async def record(platform: Platform, caller: Caller, command: RecordConference) -> ConferenceStory:
    """Record what is said from now on, or no more."""
    return await _change(
        platform, caller, command.ref, {"recorded": command.recorded}, program.AskedToRecord(command.recorded)
    )


async def _change(
    platform: Platform, caller: Caller, ref: str, values: dict[str, object], event: program.CallEvent
) -> ConferenceStory:
    story = await participants.in_progress(platform, caller, ref)
    conference = story.conference
    participants.ask(platform, conference, event)
    await platform.store.commit(
        Changes(update=[Update(Conference, conference.id, caller.account_id, values)])
    )
    conferencenotices.ring(platform, conference, ())
    return await participants.find(platform, caller, FindConference(ref))


async def end(platform: Platform, caller: Caller, command: EndConference) -> ConferenceStory:
    """End a conference, or call a planned one off. Raises Refusal `not_found`, `too_late`."""
    story = await participants.not_over(platform, caller, command.ref)
    conference = story.conference
    if conference.state is ConferenceState.OPEN:
        participants.ask(platform, conference, program.AskedToHangUp())
        return story
    values = {"state": ConferenceState.OVER, "over_at": platform.clock.now()}
    off = Update(Conference, conference.id, caller.account_id, values, {"state": ConferenceState.PLANNED})
    await platform.store.commit(Changes(update=[off]))
    conferencenotices.ring(platform, conference, ())
    return await participants.find(platform, caller, FindConference(command.ref))
