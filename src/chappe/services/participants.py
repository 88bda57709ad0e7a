"""Participants of conferences: name and ring them, mute them, send them away."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chappe.flows import program
from chappe.model.calls import Leg
from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller, HangUpCall
from chappe.model.conferences import (
    AddParticipants,
    Attendance,
    Conference,
    ConferenceState,
    ConferenceStory,
    FindConference,
    MuteParticipant,
    NewParticipant,
    Participant,
    ParticipantState,
    RemoveParticipant,
    RingNumber,
    RingParticipant,
    leg_name,
    participant_of,
)
from chappe.model.errors import Fault, Refusal
from chappe.services import calling, calls, conferencenotices, rooms, sandbox
from chappe.services.ports import Platform

LONGEST_NAME = 100
RING = timedelta(seconds=30)
"""Characters of a participant's name, and how long one rings (our choice)."""

_SHORTEST_PAID = timedelta(seconds=10)
_REF = re.compile("[0-9a-z]{26}")


# --- the conference that a participant is of


async def find(platform: Platform, caller: Caller, command: FindConference) -> ConferenceStory:
    """One conference with its participants. Raises Refusal `not_found`."""
    known = _REF.fullmatch(command.ref)
    conference = known and await platform.store.queries.conference_by_ref(caller.account_id, command.ref)
    if conference is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no conference {command.ref}", "id")
    return await conferencenotices.story_of(platform, conference)


async def not_over(platform: Platform, caller: Caller, ref: str) -> ConferenceStory:
    story = await find(platform, caller, FindConference(ref))
    over_at = story.conference.over_at
    if over_at is not None:
        raise Refusal(Fault.TOO_LATE, f"conference {ref} is over since {over_at:%Y-%m-%d %H:%M:%S} UTC", "id")
    return story


async def in_progress(platform: Platform, caller: Caller, ref: str) -> ConferenceStory:
    story = await not_over(platform, caller, ref)
    if story.conference.state is not ConferenceState.OPEN:
        raise Refusal(Fault.TOO_LATE, f"conference {ref} has not begun", "id")
    return story


def ask(platform: Platform, conference: Conference, what: program.CallEvent | program.Action) -> None:
    call_id = conference.call_id
    if call_id is None or not platform.live_calls.board.ask(call_id, what):
        raise elsewhere(conference)


def elsewhere(conference: Conference) -> Refusal:
    return Refusal(
        Fault.TOO_LATE,
        f"conference {conference.ref} is worked by another node, which cannot be asked yet",
        "id",
    )


# --- participants


def new_participants(
    platform: Platform,
    caller: Caller,
    conference: Conference,
    known: Sequence[Participant],
    named: Sequence[NewParticipant],
) -> list[Participant]:
    """Records of those who are named; whoever is named already is not named twice."""
    numbers = {one.number for one in known if one.listed}
    made: list[Participant] = []
    for position, one in enumerate(named):
        number = calling.callable_number(platform, caller, one.number, f"participants[{position}]")
        if number in numbers:
            continue
        numbers.add(number)
        made.append(
            Participant(
                id=platform.ids.new_id(),
                ref=platform.ids.new_ref(),
                account_id=conference.account_id,
                conference_id=conference.id,
                number=number,
                name=one.name.strip()[:LONGEST_NAME],
                created_at=platform.clock.now(),
                dials=one.dials,
                confirms=one.confirms,
            )
        )
    if len(known) + len(made) > rooms.MOST_PARTICIPANTS:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"a conference has at most {rooms.MOST_PARTICIPANTS} participants",
            "participants",
        )
    return made


async def add(platform: Platform, caller: Caller, command: AddParticipants) -> ConferenceStory:
    """Name more participants; those that dial are rung at once where the conference is open. The first that
    cannot be rung is told as the refusal; all are named then nevertheless."""
    story = await not_over(platform, caller, command.ref)
    conference, known = story.conference, [one.participant for one in story.present]
    made = new_participants(platform, caller, conference, known, command.participants)
    await platform.store.commit(Changes(insert=made))
    conferencenotices.ring(platform, conference, ())
    if conference.state is ConferenceState.OPEN:
        for participant in made:
            if participant.dials:
                await have_rung(platform, caller, conference, participant)
    return await conferencenotices.story_of(platform, conference)


async def ring_number(platform: Platform, caller: Caller, command: RingNumber) -> Participant:
    """Ring a number for an open conference; it becomes a participant unless it is one."""
    story = await not_over(platform, caller, command.ref)
    conference, known = story.conference, [one.participant for one in story.present]
    number = calling.callable_number(platform, caller, command.participant.number, "number")
    listed = next((one for one in known if one.listed and one.number == number), None)
    if listed is None:
        (listed,) = new_participants(platform, caller, conference, known, [command.participant])
        await platform.store.commit(Changes(insert=[listed]))
    elif listed.confirms is not command.participant.confirms:
        values = {"confirms": command.participant.confirms}
        await platform.store.commit(
            Changes(update=[Update(Participant, listed.id, caller.account_id, values)])
        )
        listed = replace(listed, confirms=command.participant.confirms)
    await have_rung(platform, caller, conference, listed, command.shown)
    return listed


async def ring(platform: Platform, caller: Caller, command: RingParticipant) -> ConferenceStory:
    """Ring a participant (again). Raises Refusal: see have_rung."""
    story = await not_over(platform, caller, command.ref)
    about = _present(story, command.participant)
    await have_rung(platform, caller, story.conference, about.participant)
    return await conferencenotices.story_of(platform, story.conference)


async def have_rung(
    platform: Platform,
    caller: Caller,
    conference: Conference,
    participant: Participant,
    shown: str | None = None,
) -> None:
    """Have an open conference ring a participant; what its longest talk may cost is held for its leg.

    Raises Refusal: the conference has not begun, is locked or is worked elsewhere, the participant is there
    or rings already, the number cannot be called, there are too many calls or too few credits.
    """
    board, call_id = platform.live_calls.board, conference.call_id
    if call_id is None:
        raise Refusal(
            Fault.TOO_LATE, f"conference {conference.ref} has not begun: nobody can be rung for it yet", "id"
        )
    if conference.locked:
        raise Refusal(Fault.TOO_LATE, f"conference {conference.ref} is locked; unlock it first", "id")
    number = calling.callable_number(platform, caller, participant.number, "number")
    blocked = await platform.store.queries.blacklisted(caller.account_id, [number])
    if blocked:
        raise Refusal(Fault.BLACKLISTED, f"{number} is on the account's blacklist", "number")
    own = [leg for leg in board.live_legs(call_id).values() if participant_of(leg.name) == participant.ref]
    if any(leg.ended_at is None for leg in own):
        raise Refusal(Fault.TOO_LATE, f"{number} is in the conference already, or rings", "participant")
    way = await calling.way(platform, number)
    others = {leg.carrier for leg in board.live_legs(call_id).values() if leg.ended_at is None}
    calling.check_joinable({way.carrier, *others}, "number")
    is_virtual, is_inside = way.carrier == sandbox.CARRIER, calling.stays_inside([way])
    seen = await calling.shown_number(platform, caller, shown, is_virtual=is_virtual)
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    async with platform.live_calls.turn(caller.account_id):
        await calling.check_room(platform, caller, is_virtual=is_inside)
        free = await calling.free(platform, caller.account_id, cap)
        left = conference.ends_at - platform.clock.now()
        reserve, paid = calling.longest_affordable(free, way.price, left)
        if paid < min(left, _SHORTEST_PAID):
            seconds = int(paid.total_seconds())
            detail = f"the credits that are left pay {seconds} seconds of a call to {number}; buy some"
            raise Refusal(Fault.INSUFFICIENT_CREDITS, detail)
        await rooms.expect(platform, participant)
        options: dict[str, object] = {
            "leg": leg_name(participant.ref, platform.ids.new_id()),
            "confirms": participant.confirms,
            "ring_seconds": int(RING.total_seconds()),
            "reserve": reserve,
            "cap": cap,
        }
        if paid < left:
            options["paid_seconds"] = int(paid.total_seconds())
        if not board.ask(call_id, program.AskedToAdd(number, seen, way.price, options)):
            raise elsewhere(conference)
        # So that whoever is rung next knows what this one has taken.
        await board.caught_up(call_id)


async def mute(platform: Platform, caller: Caller, command: MuteParticipant) -> ConferenceStory:
    """Let nobody hear a participant that is in, or everybody again."""
    story = await in_progress(platform, caller, command.ref)
    leg = _leg_here(story, command.participant)
    ask(platform, story.conference, program.Mute(leg.name, command.muted))
    participant = _present(story, command.participant).participant
    muted = Update(Participant, participant.id, caller.account_id, {"muted": command.muted})
    await platform.store.commit(Changes(update=[muted]))
    conferencenotices.ring(platform, story.conference, ())
    return await conferencenotices.story_of(platform, story.conference)


async def remove(platform: Platform, caller: Caller, command: RemoveParticipant) -> ConferenceStory:
    """End the leg of a participant that is there; one that is not is named no more."""
    story = await not_over(platform, caller, command.ref)
    about = _present(story, command.participant)
    if about.leg is not None and about.is_here:
        ask(platform, story.conference, program.HangUp(about.leg.name))
    elif about.state is ParticipantState.EXPECTED:
        gone = Delete(Participant, about.participant.id, caller.account_id)
        await platform.store.commit(Changes(delete=[gone]))
    else:
        values = {"listed": False}
        unknown = Update(Participant, about.participant.id, caller.account_id, values)
        await platform.store.commit(Changes(update=[unknown]))
    conferencenotices.ring(platform, story.conference, ())
    return await conferencenotices.story_of(platform, story.conference)


def _present(story: ConferenceStory, ref: str) -> Attendance:
    for one in story.present:
        if one.participant.ref == ref:
            return one
    raise Refusal(
        Fault.NOT_FOUND, f"conference {story.conference.ref} has no participant {ref}", "participant"
    )


def _leg_here(story: ConferenceStory, ref: str) -> Leg:
    about = _present(story, ref)
    if about.leg is None or about.state is not ParticipantState.IN:
        raise Refusal(Fault.TOO_LATE, f"participant {ref} is not in the conference", "participant")
    return about.leg


async def release(platform: Platform, caller: Caller, command: HangUpCall) -> str:
    """End a call, or send the participant of a conference away whose ref is given; returns the ref. Raises
    Refusal `not_found`, `too_late`."""
    known = _REF.fullmatch(command.ref)
    found = known and await platform.store.queries.participant_by_ref(caller.account_id, command.ref)
    if found is None:
        return (await calls.hang_up(platform, caller, command)).call.ref
    conference = await platform.store.queries.conference(caller.account_id, found.conference_id)
    if conference is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no call {command.ref}", "id")
    story = await not_over(platform, caller, conference.ref)
    about = _present(story, command.ref)
    if about.leg is None or not about.is_here:
        raise Refusal(Fault.TOO_LATE, f"call {command.ref} is over", "id")
    ask(platform, conference, program.HangUp(about.leg.name))
    return command.ref
