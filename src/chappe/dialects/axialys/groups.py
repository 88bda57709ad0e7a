"""Operator groups and blacklists: section 2 of "API Webappel" (seed 003)."""

from collections.abc import Iterator, Mapping, Sequence

from chappe.dialects import reading
from chappe.dialects.axialys import wire
from chappe.dialects.contract import WireCall
from chappe.model.callbacks import BlockAddress
from chappe.model.commands import BlockNumber
from chappe.model.ringgroups import (
    AddOperator,
    FindRingGroup,
    ListRingGroups,
    NewOperator,
    OrderRingGroup,
    RemoveOperator,
    RingOrder,
    Roster,
)

GROUP_COLUMNS = "nom_liste_op;ordonnancement"
OPERATOR_COLUMNS = "E164;duree_sonnerie_op;ordre;position"

WORD_OF_ORDER: Mapping[RingOrder, str] = {
    RingOrder.FIXED: "FIXE",
    RingOrder.RANDOM: "RANDOM",
    RingOrder.ROUND_ROBIN: "TOURNANTE",
}
_ORDERS = {word: order for order, word in WORD_OF_ORDER.items()}


def decode_list(call: WireCall) -> ListRingGroups:
    """operateurs_liste_groupes."""
    return ListRingGroups()


def group_rows(rosters: Sequence[Roster]) -> Iterator[Sequence[object]]:
    """A line for each group."""
    return ((one.group.name, WORD_OF_ORDER[one.group.order]) for one in rosters)


def decode_add(call: WireCall) -> AddOperator:
    """operateur_ajout: `position` and `priorite` are one (dialects.md 4c); a name for people, `nom`, is our
    addition."""
    operator = NewOperator(
        number=wire.number(call, "e164"),
        ring_seconds=wire.whole(call, "duree_sonnerie_op"),
        position=wire.whole(call, "position", "priorite", least=1),
        name=wire.given(call, "nom") or "",
    )
    return AddOperator(_group(call), operator)


def decode_remove(call: WireCall) -> RemoveOperator:
    """operateur_supp."""
    return RemoveOperator(_group(call), wire.number(call, "e164"))


def decode_find(call: WireCall) -> FindRingGroup:
    """operateurs_listing."""
    return FindRingGroup(_group(call))


def operator_rows(roster: Roster) -> Iterator[Sequence[object]]:
    """A line for each operator; `ordre` counts them as they are called from 1 (our choice)."""
    for count, one in enumerate(roster.operators, 1):
        yield one.number, one.ring_seconds, count, one.position


def decode_order(call: WireCall) -> OrderRingGroup:
    """operateur_mode: FIXE where nothing is said (section 1)."""
    order = wire.choice(call, _ORDERS, "ordonnancement") or RingOrder.FIXED
    return OrderRingGroup(_group(call), order)


def decode_block_number(call: WireCall) -> BlockNumber:
    """blacklistage_numero."""
    return BlockNumber(wire.number(call, "e164"))


def decode_block_address(call: WireCall) -> BlockAddress:
    """blacklistage_IP."""
    return BlockAddress(reading.scalar(call.fields, "ip") or wire.required(call, "ip", "client_ip"))


def _group(call: WireCall) -> str:
    return wire.required(call, "nom_liste_op")
