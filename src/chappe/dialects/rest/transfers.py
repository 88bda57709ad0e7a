"""/v1/calls/{id}/transfer and pick-up: calls that live on with another party."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import calls, table, wire
from chappe.dialects.rest.shapes import Body
from chappe.dialects.rest.table import Described
from chappe.model import commands
from chappe.model.errors import Fault
from chappe.services import transfers


class Transfer(Body):
    """Who gives its partner away, and to whom."""

    leg: Annotated[str, Meta(description="Id or name of the leg whose party transfers.")]
    to: Annotated[str, Meta(description="The number that gets its partner.")]
    attended: Annotated[
        bool,
        Meta(
            description="Whether they speak first: the partner waits, and is given away when the party hangs"
            " up or asks again."
        ),
    ] = False


class PickUp(Body):
    """Which telephone takes the call."""

    line: Annotated[str, Meta(description="One of the account's lines; its telephone is rung.")]


def decode_transfer(call: WireCall) -> commands.TransferCall:
    """POST /v1/calls/{id}/transfer."""
    asked = wire.body(call, Transfer)
    return commands.TransferCall(wire.parameter(call, "id"), asked.leg, asked.to, asked.attended)


def decode_pick_up(call: WireCall) -> commands.PickUpCall:
    """POST /v1/calls/{id}/pick-up."""
    return commands.PickUpCall(wire.parameter(call, "id"), wire.body(call, PickUp).line)


LINES: Mapping[str, Operation] = {
    "POST /v1/calls/{id}/transfer": table.line(
        decode_transfer,
        transfers.transfer,
        calls.encode_asked,
        "Give the partner of one party to another number",
        Described(
            "transfer_call",
            "calls",
            calls.Call,
            202,
            body=Transfer,
            faults=(
                Fault.NOT_FOUND,
                Fault.TOO_LATE,
                Fault.INVALID_RECIPIENT,
                Fault.DESTINATION_FORBIDDEN,
                Fault.NO_ROUTE,
                Fault.INSUFFICIENT_CREDITS,
            ),
        ),
    ),
    "POST /v1/calls/{id}/pick-up": table.line(
        decode_pick_up,
        transfers.pick_up,
        calls.encode_asked,
        "Take a call that rings elsewhere to one of the account's lines",
        Described(
            "pick_up_call", "calls", calls.Call, 202, body=PickUp, faults=(Fault.NOT_FOUND, Fault.TOO_LATE)
        ),
    ),
}
