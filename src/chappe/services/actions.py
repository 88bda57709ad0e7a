"""Does what flows ask of live calls, each on the carrier of its leg."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from chappe.flows import program
from chappe.flows.program import Action
from chappe.model.calls import Call, Dialogue, HangUpCause, Leg, LegEvent, LegEventKind, LegState
from chappe.model.changes import Changes, Update
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.model.ledger import Hold
from chappe.services import calling, callnotices, closing, linenotices, rooms
from chappe.services.chronicle import Chronicle
from chappe.services.live import Index, Live
from chappe.services.ports import Platform, VoiceCarrier
from chappe.services.taping import Taping

_log = structlog.get_logger()


class Actions:
    """For one switchboard and its carriers by name."""

    def __init__(
        self,
        platform: Platform,
        index: Index,
        carriers: Mapping[str, VoiceCarrier],
        chronicle: Chronicle,
        taping: Taping,
    ) -> None:
        self._platform = platform
        self._index = index
        self._carriers = carriers
        self._chronicle = chronicle
        self._taping = taping

    async def do(self, live: Live, action: Action) -> None:
        """Do one thing; raises what a carrier or the store raises."""
        match action:
            case program.Dial():
                await self._dial(live, action)
            case program.Play(name, sound):
                leg = live.legs[name]
                await self._carriers[leg.carrier].play(leg.id, sound)
            case program.Stop(name):
                leg = live.legs[name]
                await self._carriers[leg.carrier].stop(leg.id)
            case program.Alert(name):
                leg = live.legs[name]
                await self._carriers[leg.carrier].alert(leg.id)
            case program.Answer(name):
                leg = live.legs[name]
                await self._carriers[leg.carrier].answer(leg.id)
            case program.Bridge(names):
                await self._bridge(live, [live.legs[name] for name in names])
                for name in names:
                    await self._tell_lines(live, program.Connect(name))
            case program.Part(name):
                leg = live.legs[name]
                await self._carriers[leg.carrier].part(leg.id)
            case program.Announce(sound):
                for carrier in {leg.carrier for leg in live.legs.values() if leg.ended_at is None}:
                    await self._carriers[carrier].announce(live.call.id, sound)
            case program.Mute(name, muted):
                leg = live.legs[name]
                await self._carriers[leg.carrier].mute(leg.id, muted)
                (live.muted.add if muted else live.muted.discard)(name)
                callnotices.ring(self._platform, live.call, ())
            case program.SendKeys(name, keys):
                leg = live.legs[name]
                await self._carriers[leg.carrier].send_keys(leg.id, keys)
            case program.Record():
                await self._taping.begin(live, action)
            case program.StopRecord(recording):
                await self._taping.end(live, recording)
            case program.FindRoom():
                await self._find_room(live, action)
            case program.Admit(name):
                await rooms.came_in(self._platform, live.call, live.legs[name])
            case program.HandOver():
                await self._hand_over(live, action)
            case program.HangUp(name, cause):
                await self.hang_up(live.legs[name], cause)
            case program.StartTimer(name, seconds):
                live.start_timer(name, seconds)
            case program.StopTimer(name):
                live.stop_timer(name)
            case program.Reserve():
                await self._chronicle.reserve(live, action)
            case program.Setup() | program.Connect():
                await self._tell_lines(live, action)
            case program.Release(name, line):
                over = await linenotices.end(self._platform, live.call, live.dialogues, name, line)
                self._chronicle.write(live, over)
            case program.Note():
                self._chronicle.note_down(live, action)
            case program.Finish(outcome):
                live.outcome = outcome

    async def new_leg(self, call: Call, dial: program.Dial) -> Leg:
        """A leg that is to be dialled, and is not written yet."""
        try:
            way = await calling.way(self._platform, dial.number)
            carrier, rate = way.carrier, way.price
        except Refusal:
            carrier, rate = "", 0  # the route was taken away meanwhile
        return Leg(
            id=self._platform.ids.new_id(),
            account_id=call.account_id,
            call_id=call.id,
            name=dial.leg,
            number=dial.number,
            shown=dial.shown,
            carrier=carrier,
            state=LegState.DIALLING,
            created_at=self._platform.clock.now(),
            rate=0 if dial.is_own else rate,
            reserved=dial.reserve,
        )

    async def _dial(self, live: Live, dial: program.Dial) -> None:
        platform, call = self._platform, live.call
        if dial.leg in live.written:
            live.written.discard(dial.leg)
            await self._ring(live, live.legs[dial.leg], dial)
            return
        leg = await self.new_leg(call, dial)
        holds = [Hold(call.account_id, dial.reserve, dial.cap)] if dial.reserve else []
        is_paid = True
        try:
            await platform.store.commit(Changes(insert=[leg], hold=holds))
        except Refusal as refusal:
            if refusal.fault is not Fault.INSUFFICIENT_CREDITS:
                raise
            # Somebody else has spent meanwhile what there was when this was asked for.
            leg, is_paid = closing.changed(leg, {"reserved": 0}), False
            await platform.store.commit(Changes(insert=[leg]))
        live.legs[dial.leg] = leg
        self._index.legs[leg.id] = (live, dial.leg)
        if is_paid:
            await self._ring(live, leg, dial)
        else:
            now = platform.clock.now()
            live.inbox.put_nowait(LegEvent(leg.id, LegEventKind.ENDED, now, HangUpCause.CREDIT))

    async def _ring(self, live: Live, leg: Leg, dial: program.Dial) -> None:
        if live.is_taken:
            return
        network = self._carriers.get(leg.carrier)
        try:
            # A suspended line of another account has no telephone that registers (services/centrex.py).
            lines = await self._platform.store.queries.lines(leg.account_id)
            if any(one.number == leg.number and one.extension.suspended for one in lines):
                raise CarrierError(
                    CarrierErrorKind.PERMANENT, Fault.NOT_FOUND, f"line {leg.number} is suspended"
                )
            if network is None:
                _log.warning("no voice carrier", carrier=leg.carrier, number=dial.number[:6])
                raise CarrierError(
                    CarrierErrorKind.PERMANENT,
                    Fault.CARRIER_UNAVAILABLE,
                    f"no voice carrier is called {leg.carrier!r}",
                )
            await network.dial(leg, dial.ring_seconds, dial.judges)
        except CarrierError:
            at = self._platform.clock.now()
            live.inbox.put_nowait(LegEvent(leg.id, LegEventKind.ENDED, at, HangUpCause.UNREACHABLE))

    async def _bridge(self, live: Live, legs: Sequence[Leg]) -> None:
        # Legs of different networks meet in a room that one of them offers; not built yet.
        (carrier,) = {leg.carrier for leg in legs}
        try:
            await self._carriers[carrier].bridge(live.call.id, [leg.id for leg in legs])
        except CarrierError as error:
            # Two came at one moment over two switches: who is there already speaks on.
            _log.warning("legs cannot be joined", call=live.call.ref, reason=str(error))
            for leg in legs:
                await self.hang_up(leg, HangUpCause.FAILED)
            return
        if live.call.joined_at is None:
            await self._chronicle.join(live)

    async def _tell_lines(self, live: Live, action: program.Setup | program.Connect) -> None:
        self._chronicle.write(live, await linenotices.tell(self._platform, live.call, live.dialogues, action))

    async def _hand_over(self, live: Live, action: program.HandOver) -> None:
        leg, to = live.legs[action.leg], self._index.calls.get(action.call_id)
        if to is None or to.outcome is not None:
            await self.hang_up(leg, HangUpCause.FAILED)
            return
        # Whoever was received for nobody in particular belongs now to the account of this call.
        values = {"call_id": to.call.id, "name": action.name, "account_id": to.call.account_id}
        moved = [one for one in live.dialogues if one.leg == action.leg]
        places = {"call_id": to.call.id, "leg": action.name}
        updates = [Update(Leg, leg.id, leg.account_id, values, {"ended_at": None})]
        updates += [Update(Dialogue, one.id, one.account_id, places) for one in moved]
        await self._platform.store.commit(Changes(update=updates))
        del live.legs[action.leg]
        to.legs[action.name] = closing.changed(leg, values)
        self._index.legs[leg.id] = (to, action.name)
        live.dialogues[:] = [one for one in live.dialogues if one.leg != action.leg]
        to.dialogues += [replace(one, call_id=to.call.id, leg=action.name) for one in moved]
        to.inbox.put_nowait(
            program.LegArrived(action.name, leg.number, leg.shown, True, action.replaces, action.line)
        )
        callnotices.ring(self._platform, to.call, ())

    async def _find_room(self, live: Live, action: program.FindRoom) -> None:
        leg = live.legs[action.leg]
        found = await rooms.find(self._platform, leg, action.code)
        if found.call_id and found.call_id not in self._index.calls:
            _log.warning("a conference is worked by another node", call=live.call.ref)
        live.inbox.put_nowait(found)

    async def hang_up(self, leg: Leg, cause: HangUpCause) -> None:
        """End a leg; nothing where it is down already."""
        if leg.ended_at is not None:
            return
        if leg.state is not LegState.UP and cause is HangUpCause.NORMAL:
            cause = HangUpCause.CANCELLED  # it was never answered
        network = self._carriers.get(leg.carrier)
        if network is not None:
            await network.hang_up(leg.id, cause)
