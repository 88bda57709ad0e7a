"""Ring groups of an account: operators, and the order in which they are called."""

from collections.abc import Sequence
from dataclasses import replace

from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.ringgroups import (
    RING_RANGE,
    RING_SECONDS,
    AddOperator,
    DeleteRingGroup,
    FindRingGroup,
    ListRingGroups,
    NewOperator,
    Operator,
    OrderRingGroup,
    PutRingGroup,
    RemoveOperator,
    RingGroup,
    RingOrder,
    Roster,
)
from chappe.services import calling
from chappe.services.ports import Platform

MOST_GROUPS = 200
MOST_OPERATORS = 100
LONGEST_NAME = 100
_BEHIND = 10
"""How many groups an account may have, operators a group, letters a name, and how far behind the last one
who comes without a place is put (our choice)."""


async def list_groups(platform: Platform, caller: Caller, command: ListRingGroups) -> tuple[Roster, ...]:
    """The account's ring groups with their operators, by name."""
    queries, account_id = platform.store.queries, caller.account_id
    groups = await queries.ring_groups(account_id)
    operators = await queries.operators_of(account_id, [one.id for one in groups]) if groups else ()
    return tuple(
        Roster(group, tuple(one for one in operators if one.group_id == group.id)) for group in groups
    )


async def find(platform: Platform, caller: Caller, command: FindRingGroup) -> Roster:
    """One ring group. Raises Refusal `not_found`."""
    roster = await roster_of(platform, caller.account_id, command.name)
    if roster is None:
        raise _unknown(command.name)
    return roster


async def roster_of(platform: Platform, account_id: int, name: str) -> Roster | None:
    """The account's ring group with a name, None where there is none."""
    group = await platform.store.queries.ring_group_named(account_id, _name(name))
    if group is None:
        return None
    return Roster(group, await platform.store.queries.operators_of(account_id, [group.id]))


async def put(platform: Platform, caller: Caller, command: PutRingGroup) -> Roster:
    """Make or change a ring group. Raises Refusal before anything is written: a number that cannot be
    called, or twice in it, ring seconds out of range, too many groups or operators."""
    platform.store.admit()
    roster = await roster_of(platform, caller.account_id, command.name)
    if roster is None:
        group = await _new_group(platform, caller, command.name, command.order or RingOrder.FIXED)
        operators = _operators(platform, caller, group, (), command.operators or ())
        return await _insert(platform, group, operators)
    group, changes = roster.group, Changes()
    if command.order is not None and command.order is not group.order:
        group = replace(group, order=command.order)
        changed = Update(RingGroup, group.id, caller.account_id, {"order": group.order})
        changes = changes._replace(update=[changed])
    if command.operators is not None:
        kept = _operators(platform, caller, group, roster.operators, command.operators)
        same = {one.id for one in kept} & {one.id for one in roster.operators}
        changes = changes._replace(
            insert=[one for one in kept if one.id not in same],
            update=[*changes.update, *(_changed(one) for one in kept if one.id in same)],
            delete=[
                Delete(Operator, one.id, caller.account_id)
                for one in roster.operators
                if one.id not in {other.id for other in kept}
            ],
        )
    if changes.insert or changes.update or changes.delete:
        await platform.store.commit(changes)
        _tell(platform, caller)
    return await find(platform, caller, FindRingGroup(group.name))


async def delete(platform: Platform, caller: Caller, command: DeleteRingGroup) -> None:
    """Remove a ring group. Raises Refusal `not_found`, `not_allowed` while a callback form names it."""
    roster = await find(platform, caller, FindRingGroup(command.name))
    for form in await platform.store.queries.callback_forms(caller.account_id):
        if roster.group.name in (form.open_group, form.closed_group):
            raise Refusal(
                Fault.NOT_ALLOWED,
                f"the callback form {form.number} ({form.name}) calls {roster.group.name}: give it another"
                " group first",
                "name",
            )
    gone = [Delete(Operator, one.id, caller.account_id) for one in roster.operators]
    await platform.store.commit(
        Changes(delete=[*gone, Delete(RingGroup, roster.group.id, caller.account_id)])
    )
    _tell(platform, caller)


async def add_operator(platform: Platform, caller: Caller, command: AddOperator) -> Roster:
    """Add an operator, or change the one that has this number: what is not given stays as it is. Raises
    Refusal as `put` does."""
    platform.store.admit()
    roster = await roster_of(platform, caller.account_id, command.group)
    if roster is None:
        group = await _new_group(platform, caller, command.group, RingOrder.FIXED)
        return await _insert(platform, group, _operators(platform, caller, group, (), [command.operator]))
    new = command.operator
    number = calling.callable_number(platform, caller, new.number, "number")
    there = next((one for one in roster.operators if one.number == number), None)
    if there is not None:
        operator = replace(
            there,
            ring_seconds=there.ring_seconds if new.ring_seconds is None else _seconds(new.ring_seconds),
            position=there.position if new.position is None else _position(new.position),
            name=new.name[:LONGEST_NAME] or there.name,
        )
        changes = Changes(update=[_changed(operator)])
    else:
        if len(roster.operators) >= MOST_OPERATORS:
            raise _too_many_operators()
        changes = Changes(insert=[_operator(platform, roster.group, new, number, _last(roster.operators))])
    try:
        await platform.store.commit(changes)
    except Refusal as refusal:
        # Somebody has added the same one at the same moment.
        if refusal.fault is not Fault.ALREADY_EXISTS:
            raise
        return await add_operator(platform, caller, command)
    _tell(platform, caller)
    return await find(platform, caller, FindRingGroup(roster.group.name))


async def remove_operator(platform: Platform, caller: Caller, command: RemoveOperator) -> Roster:
    """Take an operator out of a ring group. Raises Refusal `not_found` with the field."""
    roster = await find(platform, caller, FindRingGroup(command.group))
    try:
        number = read_msisdn(command.number, caller.region)  # which may have been closed meanwhile
    except NumberError as error:
        raise Refusal(Fault.INVALID_RECIPIENT, str(error), "number") from error
    gone = next((one for one in roster.operators if one.number == number), None)
    if gone is None:
        raise Refusal(Fault.NOT_FOUND, f"{number} is no operator of {roster.group.name}", "number")
    await platform.store.commit(Changes(delete=[Delete(Operator, gone.id, caller.account_id)]))
    _tell(platform, caller)
    return await find(platform, caller, FindRingGroup(command.group))


async def order(platform: Platform, caller: Caller, command: OrderRingGroup) -> Roster:
    """Say how a ring group is walked. Raises Refusal `not_found`."""
    await find(platform, caller, FindRingGroup(command.group))
    return await put(platform, caller, PutRingGroup(command.group, command.order))


def _name(written: str) -> str:
    name = written.strip()
    if not name:
        raise Refusal(Fault.MISSING_PARAMETER, "give the ring group a name", "name")
    if len(name) > LONGEST_NAME:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"the name has {len(name)} letters, at most {LONGEST_NAME} are taken",
            "name",
        )
    return name


def _unknown(name: str) -> Refusal:
    return Refusal(Fault.NOT_FOUND, f"there is no ring group {name.strip()!r}", "name")


async def _new_group(platform: Platform, caller: Caller, name: str, order: RingOrder) -> RingGroup:
    if len(await platform.store.queries.ring_groups(caller.account_id)) >= MOST_GROUPS:
        raise Refusal(
            Fault.NOT_ALLOWED, f"an account may have {MOST_GROUPS} ring groups: delete one that is not used"
        )
    now = platform.clock.now()
    return RingGroup(platform.ids.new_id(), caller.account_id, _name(name), order, now)


async def _insert(platform: Platform, group: RingGroup, operators: Sequence[Operator]) -> Roster:
    await platform.store.commit(Changes(insert=[group, *operators]))
    platform.topics.publish(f"account.{group.account_id}")
    found = await roster_of(platform, group.account_id, group.name)
    return found or Roster(group, tuple(operators))


def _operators(
    platform: Platform,
    caller: Caller,
    group: RingGroup,
    there: Sequence[Operator],
    wanted: Sequence[NewOperator],
) -> tuple[Operator, ...]:
    if len(wanted) > MOST_OPERATORS:
        raise _too_many_operators()
    known, kept = {one.number: one for one in there}, list[Operator]()
    for new in wanted:
        number = calling.callable_number(platform, caller, new.number, "number")
        if any(one.number == number for one in kept):
            raise Refusal(Fault.INVALID_PARAMETER, f"{number} is named twice", "number")
        operator = _operator(platform, group, new, number, _last(kept))
        if number in known:
            operator = replace(operator, id=known[number].id, created_at=known[number].created_at)
        kept.append(operator)
    return tuple(kept)


def _operator(platform: Platform, group: RingGroup, new: NewOperator, number: str, last: int) -> Operator:
    return Operator(
        id=platform.ids.new_id(),
        account_id=group.account_id,
        group_id=group.id,
        number=number,
        ring_seconds=_seconds(RING_SECONDS if new.ring_seconds is None else new.ring_seconds),
        position=last + _BEHIND if new.position is None else _position(new.position),
        created_at=platform.clock.now(),
        name=new.name.strip()[:LONGEST_NAME],
    )


def _last(operators: Sequence[Operator]) -> int:
    return max((one.position for one in operators), default=0)


def _changed(operator: Operator) -> Update:
    values = {
        "ring_seconds": operator.ring_seconds,
        "position": operator.position,
        "name": operator.name,
    }
    return Update(Operator, operator.id, operator.account_id, values)


def _seconds(asked: int) -> int:
    least, most = RING_RANGE
    if not least <= asked <= most:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"a telephone cannot ring {asked} seconds; ask for {least} to {most}",
            "ring_seconds",
        )
    return asked


def _position(asked: int) -> int:
    if not 0 < asked < 2**31:
        raise Refusal(Fault.INVALID_PARAMETER, f"{asked} is no place: write a positive number", "position")
    return asked


def _too_many_operators() -> Refusal:
    return Refusal(
        Fault.NOT_ALLOWED, f"a ring group has at most {MOST_OPERATORS} operators: make another group"
    )


def _tell(platform: Platform, caller: Caller) -> None:
    platform.topics.publish(f"account.{caller.account_id}")
