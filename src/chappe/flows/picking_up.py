"""A telephone has dialled the pick-up code: its leg is answered and goes to the call that rings elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from chappe.flows import program
from chappe.flows.program import Action, CallEvent
from chappe.model.calls import CallOutcome


@dataclass(slots=True)
class PickingUp:
    """`call_id` is the call that rings, in which the leg is called `name`."""

    call_id: int
    name: str

    def step(self, event: CallEvent) -> Sequence[Action]:
        """See program.Flow."""
        match event:
            case program.LegArrived(leg, is_up=False):
                return [program.Answer(leg)]
            case program.LegAnswered(leg):
                return [
                    program.HandOver(leg, self.call_id, self.name),
                    program.Finish(CallOutcome.ANSWERED),
                ]
            case program.LegEnded():
                return [program.Finish(CallOutcome.CANCELLED)]
            case program.AskedToHangUp():
                return [program.HangUp("caller"), program.Finish(CallOutcome.CANCELLED)]
            case _:
                return ()
