"""Calls that live on with another party: given away by one of their parties, or picked up while they ring."""

from collections.abc import Sequence

from chappe.flows import program
from chappe.flows.line import LineCall
from chappe.flows.two_leg import TwoLeg
from chappe.model.calls import Call, CallStory, Leg, LegState
from chappe.model.commands import Caller, FindCall, PickUpCall, TransferCall
from chappe.model.errors import Fault, Refusal
from chappe.services import calling, calls, linecalls
from chappe.services.ports import Platform

Part = tuple[Call, Leg]
"""Somebody's part in a live call."""


async def transfer(platform: Platform, caller: Caller, command: TransferCall) -> CallStory:
    """A party gives its partner to a number. Raises Refusal: `not_found`, `too_late` where nobody speaks or
    the call is over, and all that a call to the number would be refused for, to the party's line too."""
    story = await calls.find(platform, caller, FindCall(command.ref))
    legs = _live(platform, story)
    leg = next((leg for leg in legs if command.leg in (str(leg.id), leg.name)), None)
    if leg is None:
        names = ", ".join(leg.name for leg in legs)
        raise Refusal(Fault.NOT_FOUND, f"this call has no leg {command.leg!r} now; it has {names}", "leg")
    if story.call.joined_at is None or leg.state is not LegState.UP:
        raise Refusal(Fault.TOO_LATE, f"leg {leg.name} speaks with nobody, so it can give nobody away", "leg")
    number = calling.callable_number(platform, caller, command.to, "to")
    way = await calling.way(platform, number)
    calling.check_joinable({way.carrier, *(leg.carrier for leg in legs)})
    leaves = not calling.stays_inside([way])
    shown = await calling.shown_number(platform, caller, None)
    board = platform.live_calls.board
    if leaves:
        await calling.check_room(platform, caller, is_virtual=False)
    lines = {line.number: line for line in await platform.store.queries.lines(caller.account_id)}
    own = lines.get(leg.number)
    most = None if own is None else await linecalls.check_outgoing(platform, own, number, way.price)
    if way.price or leaves:
        amount, cap = await linecalls.reserve(platform, caller, way.price, most)
        board.ask(story.call.id, program.Reserve(amount, cap, leaves))
    board.ask(story.call.id, program.AskedToTransfer(leg.name, number, shown, command.attended))
    return story


async def asked_by_telephone(
    platform: Platform, party: Part, number: str, others: Sequence[Part] = ()
) -> None:
    """The telephone of a line gives its partner to a number, or in `others` to its partner in another call.
    Raises Refusal: it is no line's, or nobody speaks, and all that a call to the number would be refused
    for."""
    call, leg = party
    line = await platform.store.queries.line_by_number(leg.number)
    if line is None or line.account_id != call.account_id:
        raise Refusal(Fault.NOT_FOUND, "this telephone is no line's of the account whose call it is", "leg")
    caller = linecalls.caller_of(await linecalls.open_account(platform, line), line)
    if not others:
        await transfer(platform, caller, TransferCall(call.ref, leg.name, number))
        return
    ((other, own),) = others
    if other.account_id != call.account_id or own.number != leg.number or other.id == call.id:
        raise Refusal(Fault.NOT_FOUND, "the telephone speaks in no such call", "leg")
    partners = [_partner(platform, *one) for one in (party, (other, own))]
    calling.check_joinable({one.carrier for one in partners})
    board, given = platform.live_calls.board, partners[1]
    if given.rate:
        most = await linecalls.check_outgoing(platform, line, given.number, given.rate)
        amount, cap = await linecalls.reserve(platform, caller, given.rate, most)
        board.ask(call.id, program.Reserve(amount, cap, leaves=not other.is_virtual))
    board.ask(other.id, program.AskedToHandOver(own.name, call.id, f"given {given.id}", leg.name))


def _partner(platform: Platform, call: Call, leg: Leg) -> Leg:
    """With whom a leg speaks. Raises Refusal `too_late`: with nobody."""
    legs = _live(platform, CallStory(call))
    partners = [one for one in legs if one.id != leg.id and one.state is LegState.UP]
    if call.joined_at is None or len(partners) != 1:
        raise Refusal(Fault.TOO_LATE, f"leg {leg.name} speaks with nobody, so it can give nobody away", "leg")
    return partners[0]


async def pick_up(platform: Platform, caller: Caller, command: PickUpCall) -> CallStory:
    """A line of the account takes a call that rings at another telephone: the line is rung, and joined when
    it answers. Raises Refusal: `not_found`, `too_late` where nothing rings."""
    story = await calls.find(platform, caller, FindCall(command.ref))
    legs = _live(platform, story)
    waits = any(leg.state is LegState.UP or leg.inbound for leg in legs)
    if not waits or not any(_rings(leg) for leg in legs):
        raise Refusal(Fault.TOO_LATE, f"nobody waits in call {command.ref} for a telephone that rings", "id")
    own = {line.number: line for line in await platform.store.queries.lines(caller.account_id)}
    number = calling.callable_number(platform, caller, command.line, "line")
    if number not in own:
        raise Refusal(Fault.NOT_FOUND, f"{command.line} is none of this account's lines", "line")
    linecalls.check_in_service(own[number])
    linecalls.check_pick_up(own[number])
    way = await calling.way(platform, number)
    calling.check_joinable({way.carrier, *(leg.carrier for leg in legs)}, "line")
    platform.live_calls.board.ask(story.call.id, program.AskedToPickUp(number))
    return story


def _rings(leg: Leg) -> bool:
    return leg.state in (LegState.DIALLING, LegState.RINGING) and not leg.inbound


def _live(platform: Platform, story: CallStory) -> list[Leg]:
    """The legs of a call that are not down. Raises Refusal where it has none here, or is none of two
    parties."""
    board, call = platform.live_calls.board, story.call
    legs = [leg for leg in board.live_legs(call.id).values() if leg.state is not LegState.DOWN]
    if not legs:
        raise Refusal(Fault.TOO_LATE, f"call {call.ref} is over, or worked by another node", "id")
    if not isinstance(board.flow_of(call.id), TwoLeg | LineCall):
        raise Refusal(Fault.TOO_LATE, f"call {call.ref} is not one between two parties", "id")
    return legs
