"""What happens to live calls is written in its order, and told once it is written.

Nothing waits for it but what may not happen before: a leg is dialled when it is written, and with it all that
came before. All else is written with what comes next, in a moment at the latest.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import structlog

from chappe.flows import program
from chappe.flows.program import CallEvent
from chappe.model.calls import (
    LEG_MAY_FOLLOW,
    Call,
    HangUpCause,
    Leg,
    LegEvent,
    LegEventKind,
    LegState,
    charge,
)
from chappe.model.changes import Changes, Committed, Update
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.ledger import Hold
from chappe.services import callnotices, closing, linenotices
from chappe.services.handover import Handed
from chappe.services.live import Live, Unwritten
from chappe.services.ports import Platform

_log = structlog.get_logger()

_STATE_OF_KIND = {
    LegEventKind.RINGING: LegState.RINGING,
    LegEventKind.ANSWERED: LegState.UP,
    LegEventKind.ENDED: LegState.DOWN,
}
_NAME_OF_KIND = {
    LegEventKind.RINGING: EventName.LEG_RINGING,
    LegEventKind.ANSWERED: EventName.LEG_ANSWERED,
    LegEventKind.ENDED: EventName.LEG_ENDED,
}


class Chronicle:
    """Writes for one switchboard."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def note(self, live: Live, name: str, event: LegEvent) -> CallEvent | None:
        """Write what happened to the leg that its flow calls `name`; returns what the flow hears, None where
        it is no news."""
        leg = live.legs[name]
        if event.kind is LegEventKind.KEY:
            return program.Digit(name, event.key)
        if event.kind is LegEventKind.PLAYED:
            return program.PlayDone(name)
        if event.kind is LegEventKind.JUDGED:
            live.legs[name] = closing.changed(leg, {"machine": event.machine})
            return program.LegJudged(name, event.machine)
        if event.kind is LegEventKind.MACHINE_READY:
            return program.MachineReady(name)
        if event.kind in (LegEventKind.TALKING, LegEventKind.QUIET):
            (live.talking.add if event.kind is LegEventKind.TALKING else live.talking.discard)(name)
            callnotices.ring(self._platform, live.call, ())
            return None
        state = _STATE_OF_KIND[event.kind]
        if leg.state not in LEG_MAY_FOLLOW[state]:
            return None
        values: dict[str, object] = {"state": state}
        told: CallEvent
        if state is LegState.RINGING:
            values["ringing_at"], told = event.at, program.LegRinging(name)
        elif state is LegState.UP:
            values |= {"answered_at": event.at, "machine": event.machine}
            told = program.LegAnswered(name, event.machine)
        else:
            cause = event.cause or HangUpCause.FAILED
            price = closing.price_of(leg, event.at)
            values |= {"ended_at": event.at, "cause": cause, "price": price, "machine": leg.machine}
            told = program.LegEnded(name, cause)
            live.talking.discard(name)
        live.legs[name] = leg = closing.changed(leg, values)
        self.watch_credit(live)
        update = Update(Leg, leg.id, leg.account_id, values, {"ended_at": None})
        await self.tell(live, _NAME_OF_KIND[event.kind], [update], leg)
        if state is LegState.DOWN:
            self.write(live, await linenotices.end(self._platform, live.call, live.dialogues, name))
        return told

    async def join(self, live: Live) -> None:
        """Two of its legs are joined for the first time."""
        now = self._platform.clock.now()
        live.call = replace(live.call, joined_at=now)
        update = Update(Call, live.call.id, live.call.account_id, {"joined_at": now})
        await self.tell(live, EventName.CALL_ANSWERED, [update])

    def note_down(self, live: Live, note: program.Note) -> None:
        """A flow wants something written down."""
        noted = [*live.call.notes, [note.what, note.value, self._platform.clock.now().isoformat()]]
        live.call = replace(live.call, plan={**live.call.plan, "notes": noted})
        update = Update(Call, live.call.id, live.call.account_id, {"plan": live.call.plan})
        self.write(live, Changes(update=[update]))

    async def tell(
        self, live: Live, name: EventName, updates: Sequence[Update], leg: Leg | None = None
    ) -> None:
        """Write what happened, with the deliveries of whoever wants to hear of it."""
        platform, now = self._platform, self._platform.clock.now()
        handed = Handed(platform.handover, platform.node)
        await callnotices.hand(platform, handed, live.story, name, now, leg)
        changes = Changes(update=updates, enqueue=handed.jobs)
        if leg is not None and leg.ended_at is not None:
            handed.jobs += await closing.left(platform, live.call, leg)
            changes = changes._replace(ledger=closing.taken(live.call, leg), hold=closing.freed_by(leg))
        self._add(live, changes, handed)

    def write(self, live: Live, changes: Changes) -> None:
        """Write after all that was written before: at once where somebody is to be told, else with what comes
        next, in a moment at the latest. The call hears of it where it cannot be written."""
        if any(changes):
            handed = Handed(self._platform.handover, self._platform.node, list(changes.enqueue))
            self._add(live, changes, handed)

    def _add(self, live: Live, changes: Changes, handed: Handed) -> None:
        written = self._platform.store.later(changes, soon=bool(changes.enqueue))
        written.add_done_callback(partial(self._is_written, live, handed))

    def _is_written(self, live: Live, handed: Handed, written: "asyncio.Future[Committed]") -> None:
        error = None if written.cancelled() else written.exception()
        if error is None and not written.cancelled():
            callnotices.written(self._platform, live.call, handed)
            return
        handed.release()
        if error is None:
            return
        if isinstance(error, Refusal) and error.fault is Fault.TOO_LATE:
            live.is_taken = True
            live.inbox.put_nowait(Unwritten(None))
        else:
            live.inbox.put_nowait(Unwritten(error))

    # --- money

    def watch_credit(self, live: Live) -> None:
        """Set the clock of what was reserved, by the legs that cost something at this moment."""
        now, legs = self._platform.clock.now(), live.legs.values()
        rate = sum(leg.rate for leg in legs if leg.state is LegState.UP)
        if rate <= 0 or "rate" not in live.call.plan:
            return
        left = live.call.reserved - sum(leg.price if leg.ended_at else charge(leg, now) for leg in legs)
        live.start_timer(program.CREDIT_USED_UP, max(0, left * 60 // rate))

    async def reserve(self, live: Live, reserve: program.Reserve) -> None:
        """Hold more of the balance for it, where there is as much."""
        call, reserved = live.call, live.call.reserved + reserve.amount
        is_virtual = call.is_virtual and not reserve.leaves
        values = {"reserved": reserved, "is_virtual": is_virtual}
        changes = Changes(
            update=[Update(Call, call.id, call.account_id, values, {"over_at": None})],
            hold=[Hold(call.account_id, reserve.amount, reserve.cap)] if reserve.amount else [],
        )
        try:
            await self._platform.store.commit(changes)
        except Refusal as refusal:
            _log.info("nothing more could be reserved", call=call.ref, reason=refusal.detail)
            return
        live.call = replace(live.call, reserved=reserved, is_virtual=is_virtual)
        self.watch_credit(live)

    async def close(self, live: Live) -> None:
        """It is over, or nobody works it any more."""
        now = self._platform.clock.now()
        try:
            await closing.close_call(self._platform, live.story, now, live.outcome, live.dialogues)
        except Refusal as refusal:
            if refusal.fault is not Fault.TOO_LATE:
                raise
            _log.warning("a call was closed by another node", call=live.call.ref)
