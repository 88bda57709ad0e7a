"""What is queued for one carrier, given to another by an operator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chappe.model.changes import Changes, Fence, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.messages import Message, MessageState
from chappe.services.handover import Halt
from chappe.services.network import SEEN, check_operator, note
from chappe.services.ports import Platform
from chappe.services.waiting import MOST

_AT_ONCE = 500
_TRIES = 5
"""A message may be stopped or run out at the same moment; then they are read again."""

_LEASE = 60.0
"""Seconds for which nobody begins to work a carrier that is being emptied; it is left as soon as that is
done."""


async def move_queued(platform: Platform, caller: Caller, carrier: str, to: str, most: int) -> int:
    """Give to another carrier what is queued for one, longest due first, at most `most` and MOST messages;
    returns how many. What its network may have already stays: what is on its way at this moment, and what was
    and got no answer. Prices stay as they were charged. Raises Refusal `invalid_parameter` with the field
    `to`, and `unsupported` where another node works the carrier."""
    await check_operator(platform, caller)
    if to == carrier or to not in platform.carriers.types:
        others = ", ".join(sorted(platform.carriers.types.keys() - {carrier}))
        detail = f"what waits for {carrier} cannot be given to {to[:40]!r}; choose one of {others}"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "to")
    moved = 0
    async with _halted(platform, carrier) as halt:
        while (room := min(most, MOST) - moved) > 0:
            ids = await _move(platform, carrier, to, halt, min(room, _AT_ONCE))
            if not ids:
                break
            moved += ids
    note(caller, "queue moved", carrier=carrier, to=to, messages=moved)
    platform.topics.publish(f"carrier.{to}")
    platform.topics.publish(SEEN)
    return moved


async def _move(platform: Platform, carrier: str, to: str, halt: Halt, limit: int) -> int:
    now = platform.clock.now()
    untouched = {"state": MessageState.QUEUED, "carrier": carrier, "sending_at": None}
    for tries_left in reversed(range(_TRIES)):
        found = await platform.store.queries.movable_messages(carrier, sorted(halt.in_flight), limit)
        update = []
        for one in found:
            afresh = {"carrier": to, "due_at": min(one.due_at, now), "attempts": 0, "carrier_code": ""}
            update.append(Update(Message, one.id, one.account_id, afresh, untouched))
        if not update:
            break
        try:
            await platform.store.commit(Changes(update=update, fence=halt.fence))
        except Refusal as refusal:
            if refusal.fault is not Fault.TOO_LATE or not tries_left:
                raise
        else:
            return len(update)
    return 0


@asynccontextmanager
async def _halted(platform: Platform, carrier: str) -> AsyncIterator[Halt]:
    """Nothing is handed over to the carrier meanwhile, by whatever node."""
    here = platform.handover.halt(carrier)
    if here is not None:
        with here as halt:
            yield halt
        return
    mover = f"{platform.node} moving"
    leases = await platform.store.hold_leases([f"carrier.{carrier}"], mover, _LEASE)
    if not leases:
        detail = f"{carrier} is worked by another node, which alone knows what is on its way; ask that one"
        raise Refusal(Fault.UNSUPPORTED, detail, "carrier")
    try:
        yield Halt(frozenset(), Fence(leases[0].name, leases[0].fence))
    finally:
        await platform.store.leave_leases(mover)
