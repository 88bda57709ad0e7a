"""What becomes of a call that comes to us: which account it is for, and which flow takes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from chappe.flows.program import Flow
from chappe.model.calls import Arrival, Call, HangUpCause
from chappe.model.errors import Fault
from chappe.model.ledger import Hold
from chappe.services import linecalls
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
    return Received(*await linecalls.received(platform, arrival))
