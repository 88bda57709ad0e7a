"""What the switchboard needs to know of conferences: who may come in, who came and left, that one is over."""

from datetime import datetime

from chappe.flows.program import Door, RoomFound
from chappe.model.calls import Call, Leg
from chappe.model.changes import Changes, Update
from chappe.model.conferences import (
    Conference,
    ConferenceState,
    ConferenceStory,
    Participant,
    leg_name,
    participant_of,
)
from chappe.model.events import EventName
from chappe.model.jobs import Job
from chappe.model.numbers import NumberError, read_msisdn
from chappe.services import conferencenotices
from chappe.services.ports import Platform

SANDBOX = "sandbox"
"""The carrier whose telephones belong to an account each: they come into its conferences only, so that nobody
is heard by taking another's number."""

MOST_PARTICIPANTS = 50
"""How many a conference may have (our choice)."""


def call_in_number(platform: Platform, dialled: str) -> str:
    """The call-in number that somebody has dialled, in whatever writing; empty for any other number."""
    try:
        number = read_msisdn(dialled, "FR")
    except NumberError:
        return ""
    return number if number in platform.rules.call_in_numbers else ""


# --- who comes in


async def find(platform: Platform, leg: Leg, code: str) -> RoomFound:
    """The conference for a leg that has dialled a call-in number, see program.FindRoom; whoever may come in
    is one of its participants when this returns."""
    number, queries = call_in_number(platform, leg.shown), platform.store.queries
    if code:
        conference, known = await queries.conference_of_code(number, code), None
        if conference is not None and not conference.access.by_code:
            conference = None
    else:
        conference, known = await _knowing(platform, leg, number)
    if conference is None or (leg.carrier == SANDBOX and conference.account_id != leg.account_id):
        return RoomFound(leg.name, Door.UNKNOWN)
    story = await conferencenotices.story_of(platform, conference)
    door = _door(story, known)
    if door is not Door.OPEN or conference.call_id is None:
        return RoomFound(leg.name, door, language=conference.language)
    if not platform.live_calls.board.can_join(conference.call_id, leg.carrier, leg.id):
        return RoomFound(leg.name, Door.ELSEWHERE, language=conference.language)
    participant = _absent(story, leg.number)
    if participant is None:
        participant = Participant(
            id=platform.ids.new_id(),
            ref=platform.ids.new_ref(),
            account_id=conference.account_id,
            conference_id=conference.id,
            number=leg.number,
            name="",
            created_at=platform.clock.now(),
            listed=False,
        )
        await platform.store.commit(Changes(insert=[participant]))
    else:
        await expect(platform, participant)
    name = leg_name(participant.ref, leg.id)
    return RoomFound(leg.name, Door.OPEN, conference.call_id, name, conference.language)


async def _knowing(platform: Platform, leg: Leg, number: str) -> tuple[Conference | None, Participant | None]:
    """The one conference that knows who calls: of several the one that is open, and none where that leaves
    more than one, so that the code must tell."""
    if not leg.number:
        return None, None
    found = await platform.store.queries.conferences_knowing(number, leg.number, 20)
    if leg.carrier == SANDBOX:
        found = tuple(one for one in found if one[0].account_id == leg.account_id)
    is_open = [one for one in found if one[0].state is ConferenceState.OPEN]
    if len(is_open) > 1 or not found:
        return None, None
    return (is_open or found)[0]


def _door(story: ConferenceStory, known: Participant | None) -> Door:
    conference = story.conference
    if conference.state is ConferenceState.PLANNED:
        return Door.EARLY
    if conference.state is ConferenceState.OVER:
        return Door.OVER
    is_full = known is None and len(story.present) >= MOST_PARTICIPANTS
    return Door.LOCKED if conference.locked or is_full else Door.OPEN


def _absent(story: ConferenceStory, number: str) -> Participant | None:
    """The participant with this number who is not there."""
    fits = (one for one in story.present if number and one.participant.number == number and not one.is_here)
    return next((one.participant for one in fits), None)


async def expect(platform: Platform, participant: Participant) -> None:
    """A participant is about to come (again): what held the last time holds no more."""
    values = {"joined_at": None, "muted": False}
    again = Update(Participant, participant.id, participant.account_id, values)
    await platform.store.commit(Changes(update=[again]))


async def came_in(platform: Platform, call: Call, leg: Leg) -> None:
    """A participant has joined with this leg."""
    now, found = platform.clock.now(), await _of_leg(platform, call, leg)
    if found is None:
        return
    conference, participant = found
    joined = Update(Participant, participant.id, participant.account_id, {"joined_at": now})
    name = EventName.PARTICIPANT_JOINED
    jobs = await conferencenotices.notices(platform, conference, name, now, participant)
    await platform.store.commit(Changes(update=[joined], enqueue=jobs))
    conferencenotices.ring(platform, conference, jobs)


async def left(platform: Platform, call: Call, leg: Leg, at: datetime) -> list[Job]:
    """The deliveries for a leg that ends; none where its participant had not joined."""
    found = await _of_leg(platform, call, leg)
    if found is None:
        return []
    conference, participant = found
    if participant.joined_at is None or participant.joined_at < leg.created_at:
        return []
    name = EventName.PARTICIPANT_LEFT
    return await conferencenotices.notices(platform, conference, name, at, participant)


async def ended(platform: Platform, call: Call, at: datetime) -> tuple[list[Update], list[Job]]:
    """What is written and told of a conference whose call is over."""
    conference = await platform.store.queries.conference_of_call(call.account_id, call.id)
    if conference is None:
        return [], []
    values = {"state": ConferenceState.OVER, "over_at": at}
    jobs = await conferencenotices.notices(platform, conference, EventName.CONFERENCE_ENDED, at)
    return [Update(Conference, conference.id, conference.account_id, values)], jobs


async def _of_leg(platform: Platform, call: Call, leg: Leg) -> tuple[Conference, Participant] | None:
    queries = platform.store.queries
    conference = await queries.conference_of_call(call.account_id, call.id)
    participant = await queries.participant_by_ref(call.account_id, participant_of(leg.name))
    return None if conference is None or participant is None else (conference, participant)
