"""Pages of calls: the list, one call with its course, placing one, and what is done at a telephone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.calls import CallState, CallStory, Leg
from chappe.model.commands import (
    FindCall,
    HangUpCall,
    HangUpLeg,
    ListCalls,
    MuteLeg,
    PlaceCall,
    RecordCall,
)
from chappe.model.errors import Fault, Refusal
from chappe.services import calls, steering
from chappe.services.ports import Platform
from chappe.web import words
from chappe.web.visits import Visit, for_members


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/calls", for_members(platform, list_page), methods=["GET"]),
        Route("/calls", for_members(platform, place), methods=["POST"]),
        Route("/calls/{ref}", for_members(platform, call_page)),
        Route("/calls/{ref}/hangup", for_members(platform, hang_up), methods=["POST"]),
        Route("/calls/{ref}/legs/{leg}/{what}", for_members(platform, steer), methods=["POST"]),
        Route("/calls/{ref}/record", for_members(platform, record), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Draft:
    """A call that is to be placed, as typed."""

    first: str = ""
    second: str = ""
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """One party of a call that is going on, as it is at this moment."""

    leg: Leg
    is_talking: bool
    is_muted: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a call's course."""

    tone: str
    title: str
    at: object
    leg: Leg | None = None


async def list_page(platform: Platform, visit: Visit) -> Response:
    return await _list_page(platform, visit, Draft(second=visit.request.query_params.get("to", "")[:40]))


async def _list_page(
    platform: Platform, visit: Visit, draft: Draft, status: int = 200, **values: object
) -> Response:
    cursor = visit.cursor()
    page = await calls.list_calls(platform, visit.caller, ListCalls(cursor=cursor))
    return visit.page("calls.html", status, page=page, cursor=cursor, draft=draft, **values)


async def place(platform: Platform, visit: Visit) -> Response:
    draft = Draft(visit.field("first"), visit.field("second"), bool(visit.field("confirm")))
    command = PlaceCall(
        draft.first, draft.second, shows_parties=True, confirm=draft.confirm, language=visit.reader.language
    )
    try:
        story = await calls.place(platform, visit.caller, command)
    except Refusal as refusal:
        return await _list_page(platform, visit, draft, 422, trouble=visit.trouble(refusal))
    return visit.go(f"/calls/{story.call.ref}", "called")


async def call_page(platform: Platform, visit: Visit) -> Response:
    return await _call_page(platform, visit)


async def _call_page(platform: Platform, visit: Visit, status: int = 200, **values: object) -> Response:
    try:
        story = await calls.find(platform, visit.caller, FindCall(visit.request.path_params["ref"]))
    except Refusal:
        return visit.sorry(404)
    call, board = story.call, platform.live_calls.board
    talking, muted = board.talking(call.id), board.muted(call.id)
    parties = [
        Party(leg, leg.name in talking, leg.name in muted) for leg in story.legs if leg.ended_at is None
    ]
    return visit.page(
        "call.html",
        status,
        story=story,
        c=call,
        moments=moments(visit, story),
        parties=parties,
        is_here=call.state is not CallState.OVER and bool(board.live_legs(call.id)),
        recorded=await platform.store.queries.recordings_of(visit.caller.account_id, call.id),
        is_recorded=board.is_recorded(call.id),
        **values,
    )


def moments(visit: Visit, story: CallStory) -> list[Moment]:
    """What happened to a call, oldest first."""
    call = story.call
    course: list[tuple[object, Moment]] = []

    def happened(at: object, tone: str, text: str, leg: Leg | None = None) -> None:
        if at is not None:
            course.append((at, Moment(tone, visit.say(text), at, leg)))

    happened(call.created_at, "past", words.N_("Asked for"))
    for leg in story.legs:
        happened(leg.ringing_at, "past", words.N_("Rings"), leg)
        happened(leg.answered_at, "past", words.N_("Answers"), leg)
        if leg.cause is not None:
            happened(leg.ended_at, "past", words.CAUSE[leg.cause], leg)
    happened(call.joined_at, "past", words.N_("Both speak with one another"))
    if call.outcome is not None:
        happened(call.over_at, words.CALL_TONE[call.outcome], words.CALL[call.outcome])
    course.sort(key=lambda one: one[0])  # type: ignore[arg-type,return-value]  # times, all of them
    return [moment for _, moment in course]


_STEER: dict[str, Callable[[str, str], HangUpLeg | MuteLeg]] = {
    "hangup": HangUpLeg,
    "mute": lambda ref, leg: MuteLeg(ref, leg, True),
    "unmute": lambda ref, leg: MuteLeg(ref, leg, False),
}


async def steer(platform: Platform, visit: Visit) -> Response:
    ref, leg = visit.request.path_params["ref"], visit.request.path_params["leg"]
    make = _STEER.get(visit.request.path_params["what"])
    if make is None:
        return visit.sorry(404)
    command = make(ref, leg)
    if isinstance(command, HangUpLeg):
        return await _steered(platform, visit, steering.hang_up_leg(platform, visit.caller, command), "ended")
    said = "muted" if command.muted else "heard"
    return await _steered(platform, visit, steering.mute(platform, visit.caller, command), said)


async def record(platform: Platform, visit: Visit) -> Response:
    command = RecordCall(visit.request.path_params["ref"], bool(visit.field("recording")))
    said = "recorded-on" if command.recording else "recorded-off"
    return await _steered(platform, visit, steering.record(platform, visit.caller, command), said)


async def _steered(platform: Platform, visit: Visit, asked: Awaitable[CallStory], said: str) -> Response:
    try:
        await asked
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND and refusal.field == "id":
            return visit.sorry(404)
        return await _call_page(platform, visit, 409, trouble=visit.trouble(refusal))
    return visit.go(f"/calls/{visit.request.path_params['ref']}", said)


async def hang_up(platform: Platform, visit: Visit) -> Response:
    ref = visit.request.path_params["ref"]
    try:
        story = await calls.hang_up(platform, visit.caller, HangUpCall(ref))
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND:
            return visit.sorry(404)
        return await _call_page(platform, visit, 409, trouble=visit.trouble(refusal))
    assert story.call.state is not CallState.OVER
    return visit.go(f"/calls/{ref}", "hung-up")
