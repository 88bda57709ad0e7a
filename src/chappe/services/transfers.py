"""Calls that live on with another party: given away by one of their parties, or picked up while they ring."""

from chappe.flows import program
from chappe.flows.line import LineCall
from chappe.flows.two_leg import TwoLeg
from chappe.model.calls import CallStory, Leg, LegState
from chappe.model.commands import Caller, FindCall, PickUpCall, TransferCall
from chappe.model.errors import Fault, Refusal
from chappe.services import calling, calls, linecalls
from chappe.services.ports import Platform


async def transfer(platform: Platform, caller: Caller, command: TransferCall) -> CallStory:
    """A party gives its partner to a number. Raises Refusal: `not_found`, `too_late` where nobody speaks or
    the call is over, and all that a call to the number would be refused for."""
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
        limits = calling.limits_of(platform, caller)
        await calling.check_room(platform, caller.account_id, limits, is_virtual=False)
    if way.price or leaves:
        amount, cap = await linecalls.reserve(platform, caller, way.price)
        board.ask(story.call.id, program.Reserve(amount, cap, leaves))
    board.ask(story.call.id, program.AskedToTransfer(leg.name, number, shown, command.attended))
    return story


async def pick_up(platform: Platform, caller: Caller, command: PickUpCall) -> CallStory:
    """A line of the account takes a call that rings at another telephone: the line is rung, and joined when
    it answers. Raises Refusal: `not_found`, `too_late` where nothing rings."""
    story = await calls.find(platform, caller, FindCall(command.ref))
    legs = _live(platform, story)
    waits = any(leg.state is LegState.UP or leg.inbound for leg in legs)
    if not waits or not any(_rings(leg) for leg in legs):
        raise Refusal(Fault.TOO_LATE, f"nobody waits in call {command.ref} for a telephone that rings", "id")
    own = [line.number for line in await platform.store.queries.lines(caller.account_id)]
    number = calling.callable_number(platform, caller, command.line, "line")
    if number not in own:
        raise Refusal(Fault.NOT_FOUND, f"{command.line} is none of this account's lines", "line")
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
