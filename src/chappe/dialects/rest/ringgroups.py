"""/v1/ring-groups: operators, and the order in which callbacks ring them."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import table, wire
from chappe.dialects.rest.shapes import Body
from chappe.dialects.rest.table import Described
from chappe.model import ringgroups as model
from chappe.model.errors import Fault
from chappe.protocols.http import HttpResponse
from chappe.services import ringgroups

RingSeconds = Annotated[int, Meta(ge=model.RING_RANGE[0], le=model.RING_RANGE[1])]
Position = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Name = Annotated[str, Meta(max_length=100)]

# --- what clients send


class NewOperator(Body):
    """Somebody who answers; without a `position` behind all others."""

    number: str
    ring_seconds: RingSeconds = model.RING_SECONDS
    position: Position | None = None
    name: Name = ""


class OperatorChange(Body):
    """What becomes of an operator; what is left out stays, or is as usual."""

    ring_seconds: RingSeconds | UnsetType = UNSET
    position: Position | UnsetType = UNSET
    name: Name = ""


class RingGroupRequest(Body):
    """A ring group as it shall be; what is left out stays as it is, or is `fixed` and empty."""

    order: model.RingOrder | UnsetType = UNSET
    operators: Annotated[tuple[NewOperator, ...], Meta(max_length=100)] | UnsetType = UNSET


# --- what clients get


class Operator(Struct):
    """Somebody who answers."""

    number: str
    name: str
    ring_seconds: int
    position: int


class RingGroup(Struct):
    """Operators by position; `order` says how they are walked."""

    name: str
    order: model.RingOrder
    operators: list[Operator]

    @classmethod
    def of(cls, roster: model.Roster) -> "RingGroup":
        """The JSON of a group."""
        operators = [Operator(o.number, o.name, o.ring_seconds, o.position) for o in roster.operators]
        return cls(roster.group.name, roster.group.order, operators)


class RingGroups(Struct):
    """All ring groups of the account."""

    data: list[RingGroup]


# --- the operations


def decode_put(call: WireCall) -> model.PutRingGroup:
    """PUT /v1/ring-groups/{name}."""
    request = wire.body(call, RingGroupRequest)
    operators = None
    if request.operators is not UNSET:
        operators = tuple(
            model.NewOperator(one.number, one.ring_seconds, one.position, one.name)
            for one in request.operators
        )
    order = None if request.order is UNSET else request.order
    return model.PutRingGroup(wire.parameter(call, "name"), order, operators)


def decode_put_operator(call: WireCall) -> model.AddOperator:
    """PUT /v1/ring-groups/{name}/operators/{number}."""
    request = wire.body(call, OperatorChange)
    operator = model.NewOperator(
        wire.parameter(call, "number"),
        None if request.ring_seconds is UNSET else request.ring_seconds,
        None if request.position is UNSET else request.position,
        request.name,
    )
    return model.AddOperator(wire.parameter(call, "name"), operator)


def encode_group(roster: model.Roster, call: WireCall) -> HttpResponse:
    """One ring group."""
    return wire.answer(RingGroup.of(roster))


def encode_groups(rosters: tuple[model.Roster, ...], call: WireCall) -> HttpResponse:
    """All ring groups."""
    return wire.answer(RingGroups(list(map(RingGroup.of, rosters))))


_ONE, _OPERATOR = "/v1/ring-groups/{name}", "/v1/ring-groups/{name}/operators/{number}"
_WRITTEN = (
    Fault.INVALID_PARAMETER,
    Fault.INVALID_RECIPIENT,
    Fault.DESTINATION_FORBIDDEN,
    Fault.NOT_ALLOWED,
)

LINES: Mapping[str, Operation] = {
    "GET /v1/ring-groups": table.line(
        wire.bare(model.ListRingGroups),
        ringgroups.list_groups,
        encode_groups,
        "List ring groups, by name",
        Described("list_ring_groups", "callbacks", RingGroups),
    ),
    f"GET {_ONE}": table.line(
        wire.bare(model.FindRingGroup, "name"),
        ringgroups.find,
        encode_group,
        "Read a ring group",
        Described("get_ring_group", "callbacks", RingGroup, faults=(Fault.NOT_FOUND,)),
    ),
    f"PUT {_ONE}": table.line(
        decode_put,
        ringgroups.put,
        encode_group,
        "Make a ring group, or change it",
        Described("put_ring_group", "callbacks", RingGroup, body=RingGroupRequest, faults=_WRITTEN),
    ),
    f"DELETE {_ONE}": table.line(
        wire.bare(model.DeleteRingGroup, "name"),
        ringgroups.delete,
        wire.nothing,
        "Delete a ring group",
        Described("delete_ring_group", "callbacks", status=204, faults=(Fault.NOT_FOUND, Fault.NOT_ALLOWED)),
    ),
    f"PUT {_OPERATOR}": table.line(
        decode_put_operator,
        ringgroups.add_operator,
        encode_group,
        "Add an operator to a ring group, or change one",
        Described("put_operator", "callbacks", RingGroup, body=OperatorChange, faults=_WRITTEN),
    ),
    f"DELETE {_OPERATOR}": table.line(
        wire.bare(model.RemoveOperator, "name", "number"),
        ringgroups.remove_operator,
        encode_group,
        "Take an operator out of a ring group",
        Described("remove_operator", "callbacks", RingGroup, faults=(Fault.NOT_FOUND,)),
    ),
}
