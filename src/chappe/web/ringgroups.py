"""The page of ring groups: operators in the order in which they are called."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.errors import Fault, Refusal
from chappe.model.ringgroups import (
    RING_RANGE,
    RING_SECONDS,
    AddOperator,
    DeleteRingGroup,
    FindRingGroup,
    ListRingGroups,
    NewOperator,
    Operator,
    PutRingGroup,
    RemoveOperator,
    RingOrder,
)
from chappe.services import ringgroups
from chappe.services.ports import Platform
from chappe.web.reading import whole
from chappe.web.visits import Visit, for_members

PAGE = "/callbacks/groups"


def routes(platform: Platform) -> Sequence[BaseRoute]:
    def post(path: str, act: Callable[[Platform, Visit], Awaitable[None]]) -> Route:
        async def done(platform: Platform, visit: Visit) -> Response:
            try:
                await act(platform, visit)
            except Refusal as refusal:
                return await _page(platform, visit, refusal)
            return visit.go(PAGE)

        return Route(f"{PAGE}{path}", for_members(platform, done), methods=["POST"])

    return [
        Route(PAGE, for_members(platform, groups_page), methods=["GET"]),
        post("", create),
        post("/kind", set_order),
        post("/order", move),
        post("/operators", add),
        post("/remove", take_out),
        post("/delete", delete),
    ]


async def groups_page(platform: Platform, visit: Visit) -> Response:
    return await _page(platform, visit)


async def _page(platform: Platform, visit: Visit, refusal: Refusal | None = None) -> Response:
    """The page; after a refusal with the form of the group at fault as it was sent."""
    return visit.page(
        "ringgroups.html",
        422 if refusal else 200,
        here="callbacks",
        again=PAGE if refusal else "",
        rosters=await ringgroups.list_groups(platform, visit.caller, ListRingGroups()),
        orders=RingOrder,
        ring_seconds=RING_SECONDS,
        ring_range=RING_RANGE,
        at=visit.field("group"),
        trouble=visit.trouble(refusal) if refusal else None,
        typed=visit.field,
    )


async def create(platform: Platform, visit: Visit) -> None:
    """A new group, without operators yet."""
    if not (name := visit.field("name")):
        raise Refusal(Fault.MISSING_PARAMETER, "a ring group needs a name", "name")
    known = await ringgroups.list_groups(platform, visit.caller, ListRingGroups())
    if name in [one.group.name for one in known]:
        raise Refusal(Fault.ALREADY_EXISTS, f"there is a ring group {name} already", "name")
    await ringgroups.put(platform, visit.caller, PutRingGroup(name, operators=()))


async def set_order(platform: Platform, visit: Visit) -> None:
    """How the group is walked."""
    order = next((one for one in RingOrder if one == visit.field("order")), None)
    if order is None:
        raise Refusal(Fault.INVALID_PARAMETER, "there is no such order", "order")
    await ringgroups.put(platform, visit.caller, PutRingGroup(visit.field("group"), order))


async def add(platform: Platform, visit: Visit) -> None:
    """One more operator, or other values of one there is."""
    new = NewOperator(
        visit.field("number"), whole(visit.field("ring_seconds"), "ring_seconds"), name=visit.field("name")
    )
    await ringgroups.add_operator(platform, visit.caller, AddOperator(visit.field("group"), new))


async def take_out(platform: Platform, visit: Visit) -> None:
    """An operator is called by this group no more."""
    command = RemoveOperator(visit.field("group"), f"+{visit.field('gone')}")
    await ringgroups.remove_operator(platform, visit.caller, command)


async def delete(platform: Platform, visit: Visit) -> None:
    """The group goes, with its list of operators."""
    await ringgroups.delete(platform, visit.caller, DeleteRingGroup(visit.field("group")))


async def move(platform: Platform, visit: Visit) -> None:
    """The operators as the form names them, one after the other; with `up` or `down` that one a place
    further. One whom the form does not name stays behind the others."""
    roster = await ringgroups.find(platform, visit.caller, FindRingGroup(visit.field("group")))
    there = {one.number: one for one in roster.operators}
    named = [one for one in dict.fromkeys(visit.form.get("number", ())) if one in there]
    order = named + [one for one in there if one not in named]
    for step, moved in ((-1, visit.field("up")), (1, visit.field("down"))):
        if moved in order:
            place = order.index(moved)
            other = min(max(place + step, 0), len(order) - 1)
            order[place], order[other] = order[other], order[place]
    operators = [_placed(there[number], place) for place, number in enumerate(order, 1)]
    await ringgroups.put(platform, visit.caller, PutRingGroup(roster.group.name, operators=operators))


def _placed(operator: Operator, place: int) -> NewOperator:
    return NewOperator(f"+{operator.number}", operator.ring_seconds, place, operator.name)
