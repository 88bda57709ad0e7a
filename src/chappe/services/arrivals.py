"""What becomes of a call that comes to us: which account it is for, and which flow takes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from chappe.flows.line import LineCall
from chappe.flows.program import Flow
from chappe.flows.reception import Reception
from chappe.model.calls import Arrival, Call, CallKind, CallState, HangUpCause
from chappe.model.changes import Changes
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import Hold
from chappe.model.limits import CALLED_LINE
from chappe.services import calling, linecalls, rooms
from chappe.services.ports import Platform


@dataclass(frozen=True, slots=True)
class Received:
    """A call that begins with the leg that came, its flow, and what is held of the balance for it."""

    call: Call
    flow: Flow
    hold: Hold | None = None


class _Causes(dict[Fault, HangUpCause]):
    def __missing__(self, fault: Fault) -> HangUpCause:
        return HangUpCause.REJECTED


CAUSE_OF_FAULT: Mapping[Fault, HangUpCause] = _Causes(
    {
        Fault.NOT_FOUND: HangUpCause.UNREACHABLE,
        Fault.NO_ROUTE: HangUpCause.UNREACHABLE,
        Fault.TOO_MANY_CALLS: HangUpCause.BUSY,
        Fault.INSUFFICIENT_CREDITS: HangUpCause.CREDIT,
    }
)
"""What a caller is told whose call is refused."""


async def receive(platform: Platform, arrival: Arrival) -> Received:
    """The call that an arrival begins; nothing is written yet. Raises Refusal."""
    if number := rooms.call_in_number(platform, arrival.dialled):
        return Received(_asked_in(platform, arrival, number), Reception())
    return Received(*await linecalls.received(platform, arrival))


async def write(platform: Platform, begun: Changes, received: Received) -> None:
    """Write a call that came. Of those that come at one moment to a line, as many find it free as it may
    have; the others find it busy. Raises Refusal."""
    call, flow = received.call, received.flow
    called = None
    if isinstance(flow, LineCall) and flow.is_line:
        called = await calling.called_limits(platform, call.account_id, flow.called)
    try:
        await platform.store.commit(begun._replace(limits=[*begun.limits, *filter(None, [called])]))
    except Refusal as refusal:
        if refusal.field != CALLED_LINE or not isinstance(flow, LineCall):
            raise
        flow.is_busy = True
        await platform.store.commit(begun)


def _asked_in(platform: Platform, arrival: Arrival, number: str) -> Call:
    """The call of somebody who has dialled a call-in number: nobody's until it is known whose conference that
    is about, but for telephones that are an account's anyway."""
    return Call(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=arrival.account_id,
        kind=CallKind.RECEPTION,
        state=CallState.LIVE,
        first=arrival.caller,
        second=number,
        plan={},
        dialect="",
        created_at=arrival.at,
        seen_at=platform.clock.now(),
        node=platform.node,
        is_virtual=True,
    )
