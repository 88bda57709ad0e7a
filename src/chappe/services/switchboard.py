"""Drives flows over voice carriers: the only place where calls are live.

Each call has one task and one inbox. What happens to a leg is written, with who is told of it, before the
flow hears of it; what the flow asks is done on the carrier of its leg (ARCHITECTURE.md section 10).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from chappe.flows import program
from chappe.flows.program import Action, CallEvent, Flow
from chappe.model.calls import (
    LEG_MAY_FOLLOW,
    Arrival,
    Call,
    CallKind,
    CallOutcome,
    CallStory,
    Dialogue,
    HangUpCause,
    Leg,
    LegEvent,
    LegEventKind,
    LegState,
    Recorded,
    Recording,
    RecordingPurpose,
    TransferAsked,
    charge,
)
from chappe.model.changes import Changes, Update
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal, Unavailable
from chappe.model.events import EventName
from chappe.model.ledger import Hold
from chappe.services import arrivals, calling, callnotices, closing, linenotices, recordings, rooms, transfers
from chappe.services.ports import Platform, RecordWanted, VoiceCarrier

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


BEAT = timedelta(seconds=1)
CALLER = "caller"
"""What flows call the leg that came to us."""

_RECORDING_LATE, _LATEST = "recording", timedelta(seconds=5)
_SILENCE = timedelta(seconds=5)
"""How long a call waits for its recordings when its legs are down, and which silence ends a message (our
choice)."""

PATIENCE = timedelta(seconds=10)
"""How often a node says that it works its calls, and how long it may be silent before they count as
interrupted (our choice)."""


class Timer(Protocol):
    """Something that will be done later."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]
"""Does something once, so many seconds from now."""


def in_this_loop(seconds: float, what: Callable[[], None]) -> Timer:
    """By the clock of the running loop."""
    return asyncio.get_running_loop().call_later(seconds, what)


@dataclass(slots=True, eq=False)
class _Live:
    call: Call
    flow: Flow
    legs: dict[str, Leg] = field(default_factory=dict)
    dialogues: list[Dialogue] = field(default_factory=list)  # the open ones
    inbox: asyncio.Queue[LegEvent | Recorded | CallEvent | Action] = field(default_factory=asyncio.Queue)
    recordings: dict[str, Recording] = field(default_factory=dict)  # by the flow's names
    timers: dict[str, Timer] = field(default_factory=dict)
    fired: set[str] = field(default_factory=set)  # and not stopped before the flow hears of it
    talking: set[str] = field(default_factory=set)
    muted: set[str] = field(default_factory=set)
    first: list[Action] | None = None  # what the flow wants at once, where it was asked before
    written: set[str] = field(default_factory=set)  # legs that are written and not dialled yet
    outcome: CallOutcome | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        is_down = all(leg.ended_at is not None for leg in self.legs.values())
        return self.outcome is not None and is_down and not self.recordings


class Switchboard:
    """The live calls of this process."""

    def __init__(self, platform: Platform, later: Later = in_this_loop) -> None:
        self._platform = platform
        self._later = later
        self._carriers: dict[str, VoiceCarrier] = {}
        self._live: dict[int, _Live] = {}
        self._prepared: dict[int, _Live] = {}
        self._of_leg: dict[int, tuple[_Live, str]] = {}
        self._of_recording: dict[int, tuple[_Live, str]] = {}
        self._early: dict[int, list[LegEvent]] = {}  # of legs whose call is not written yet
        self._arriving: set[asyncio.Task[None]] = set()

    def connect(self, carrier: VoiceCarrier) -> None:
        """Calls may go over this carrier from now on."""
        self._carriers[carrier.name] = carrier

    @property
    def carriers(self) -> Mapping[str, VoiceCarrier]:
        """The voice carriers by name."""
        return self._carriers

    async def prepare(self, call: Call, flow: Flow) -> Sequence[Leg]:
        """Let a call's flow begin; returns the legs that it dials first, to be written with the call. `begin`
        rings them, or `forget` where the call could not be written."""
        live = self._prepared[call.id] = _Live(call, flow)
        live.first = list(flow.step(program.Started()))
        for action in live.first:
            if isinstance(action, program.Dial) and not action.reserve:
                live.legs[action.leg] = await self._new_leg(call, action)
        live.written = set(live.legs)
        return tuple(live.legs.values())

    def forget(self, call_id: int) -> None:
        """A call that was prepared is not written."""
        self._prepared.pop(call_id, None)

    def begin(self, call: Call, flow: Flow) -> None:
        """A call that was written just now."""
        live = self._prepared.pop(call.id, None) or _Live(call, flow)
        self._live[call.id] = live
        for name, leg in live.legs.items():
            self._of_leg[leg.id] = (live, name)
        live.inbox.put_nowait(program.Started())
        live.task = asyncio.create_task(self._run(live))

    def ask(self, call_id: int, what: CallEvent | Action) -> bool:
        """Tell a live call what its owner wants, or do it without asking its flow (what is played to a leg,
        keys, mute, recordings, the end of one leg); False where it is not live here."""
        live = self._live.get(call_id)
        if live is None:
            return False
        live.inbox.put_nowait(what)
        return True

    async def caught_up(self, call_id: int) -> None:
        """Until a call that is live here has done what it was asked so far, or is over."""
        live = self._live.get(call_id)
        if live is None or live.task is None:
            return
        done = asyncio.ensure_future(live.inbox.join())
        await asyncio.wait({done, live.task}, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()

    def leg_event(self, event: LegEvent) -> None:
        """See services/ports.py, VoiceSink."""
        found = self._of_leg.get(event.leg_id)
        if found is not None:
            found[0].inbox.put_nowait(event)
        elif event.leg_id in self._early:
            self._early[event.leg_id].append(event)

    def leg_arrived(self, arrival: Arrival) -> None:
        """See services/ports.py, VoiceSink."""
        self._early[arrival.leg_id] = []
        task = asyncio.create_task(self._receive(arrival))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    def recorded(self, recorded: Recorded) -> None:
        """See services/ports.py, VoiceSink."""
        found = self._of_recording.get(recorded.recording_id)
        if found is None:
            recordings.discard(recorded)
        else:
            found[0].inbox.put_nowait(recorded)

    def transfer_asked(self, asked: TransferAsked, refused: Callable[[], None]) -> None:
        """See services/ports.py, VoiceSink."""
        task = asyncio.create_task(self._give_away(asked, refused))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _give_away(self, asked: TransferAsked, refused: Callable[[], None]) -> None:
        found, other = self._of_leg.get(asked.leg_id), self._of_leg.get(asked.other_id)
        try:
            if found is None or (asked.other_id and other is None):
                raise Refusal(Fault.TOO_LATE, "the leg is down, or not written yet")
            partners = [(one.call, one.legs[name]) for one, name in ([found, other] if other else [found])]
            await transfers.asked_by_telephone(self._platform, partners[0], asked.number, partners[1:])
        except Refusal as refusal:
            _log.info("a transfer was refused", reason=refusal.detail)
            refused()
        except Exception:  # noqa: BLE001 - one of the outer loops: whoever asked must hear of it
            _log.exception("a transfer failed")
            refused()

    def live_legs(self, call_id: int) -> Mapping[str, Leg]:
        """The legs of a call that is live here, by the names its flow gives them."""
        live = self._live.get(call_id)
        return {} if live is None else dict(live.legs)

    def talking(self, call_id: int) -> frozenset[str]:
        """The names of the legs that are heard to speak, of a call that is live here."""
        live = self._live.get(call_id)
        return frozenset() if live is None else frozenset(live.talking)

    def muted(self, call_id: int) -> frozenset[str]:
        """The names of the legs that nobody hears, of a call that is live here."""
        live = self._live.get(call_id)
        return frozenset() if live is None else frozenset(live.muted)

    def is_recorded(self, call_id: int) -> bool:
        """Whether a call that is live here is being recorded."""
        live = self._live.get(call_id)
        return live is not None and bool(live.recordings)

    def flow_of(self, call_id: int) -> Flow | None:
        """The flow of a call that is live here, to be looked at."""
        live = self._live.get(call_id)
        return None if live is None else live.flow

    def cost_of_live(self, account_id: int) -> int:
        """What the live calls of an account that leave the sandbox have cost until now, in thousandths."""
        now = self._platform.clock.now()
        calls = [one for one in self._live.values() if one.call.account_id == account_id]
        legs = [leg for live in calls if not live.call.is_virtual for leg in live.legs.values()]
        return sum(charge(leg, now) if leg.ended_at is None else leg.price for leg in legs)

    def live_calls(self) -> Sequence[Call]:
        """The calls that are live here."""
        return [live.call for live in self._live.values()]

    async def beat(self) -> None:
        """Say that the live calls are being worked; end those that another node has closed meanwhile, because
        this one was frozen for longer than PATIENCE."""
        now = self._platform.clock.now()
        await asyncio.gather(*(self._say_seen(live, now) for live in self._live.values()))

    async def _say_seen(self, live: _Live, now: datetime) -> None:
        call = live.call
        seen = Update(Call, call.id, call.account_id, {"seen_at": now}, {"over_at": None})
        try:
            await self._platform.store.commit(Changes(update=[seen]))
        except Refusal as refusal:
            if refusal.fault not in (Fault.TOO_LATE, Fault.NOT_FOUND):
                raise
            for leg in list(live.legs.values()):
                await self._hang_up(leg, HangUpCause.INTERRUPTED)

    async def keep_caps(self) -> None:
        """End the calls of accounts that have used up what their calls may cost in a day."""
        leaving = {one.call.account_id for one in self._live.values() if not one.call.is_virtual}
        for account_id in leaving:
            account = await self._platform.store.queries.account(account_id)
            if account is None:
                continue
            _, cap = calling.limits_of(self._platform, account)
            if not cap or self.cost_of_live(account_id) == 0:
                continue
            _, spent = await calling.spent_today(self._platform, account_id)
            if spent >= cap:
                for live in list(self._live.values()):
                    if live.call.account_id == account_id and not live.call.is_virtual:
                        live.fired.add(program.CREDIT_USED_UP)
                        live.inbox.put_nowait(program.TimerFired(program.CREDIT_USED_UP))

    async def settle(self) -> None:
        """Until no call has anything to do at this moment; for tests."""
        while self._arriving:
            await asyncio.wait(set(self._arriving))
        while busy := [live for live in self._live.values() if live.task is not None]:
            for live in busy:
                await live.inbox.join()
            if over := [live.task for live in busy if live.is_over and live.task is not None]:
                await asyncio.wait(over)
            elif all(live.inbox.empty() for live in self._live.values()):
                return

    async def stop(self) -> None:
        """End all calls: nobody will hear of their legs any more."""
        calls = list(self._live.values())
        tasks = [live.task for live in calls if live.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for live in calls:
            for leg in live.legs.values():
                await self._hang_up(leg, HangUpCause.INTERRUPTED)
            await self._close(live)
            await self._rescue(live)

    async def _run(self, live: _Live) -> None:
        try:
            while not live.is_over:
                event = await live.inbox.get()
                try:
                    await self._hear(live, event)
                except Exception:  # noqa: BLE001 - one of the outer loops: a call must come to an end
                    _log.exception("a call failed", call=live.call.ref)
                    live.outcome = live.outcome or CallOutcome.FAILED
                    for leg in [one for one in live.legs.values() if one.ended_at is None]:
                        await self._hang_up(leg, HangUpCause.FAILED)
                finally:
                    live.inbox.task_done()
            await self._close(live)
        except Unavailable as trouble:
            _log.warning("a call could not be closed", call=live.call.ref, reason=trouble.detail)
        finally:
            # Where it could not be closed, nobody says any more that it is worked: it ends as abandoned.
            self._forget(live)

    def _forget(self, live: _Live) -> None:
        for timer in live.timers.values():
            timer.cancel()
        self._live.pop(live.call.id, None)
        for leg in live.legs.values():
            self._of_leg.pop(leg.id, None)
        for recording in live.recordings.values():
            self._of_recording.pop(recording.id, None)

    async def _receive(self, arrival: Arrival) -> None:
        """Somebody calls: the call that this begins, or the end of it."""
        platform, network = self._platform, self._carriers[arrival.carrier]
        try:
            received = await arrivals.receive(platform, arrival)
            call = received.call
            leg = Leg(
                id=arrival.leg_id,
                account_id=call.account_id,
                call_id=call.id,
                name=CALLER,
                number=arrival.caller,
                shown=arrival.dialled,
                carrier=arrival.carrier,
                state=LegState.RINGING,
                created_at=arrival.at,
                ringing_at=arrival.at,
                rate=0,
                inbound=True,
            )
            jobs = await callnotices.notices(platform, call, EventName.CALL_STARTED, arrival.at, leg)
            holds = [received.hold] if received.hold is not None else []
            async with platform.live_calls.turn(call.account_id):
                await self._check_room(call, arrival.line)
                await platform.store.commit(Changes(insert=[call, leg], hold=holds, enqueue=jobs))
        except Refusal as refusal:
            _log.info("a call that came was refused", reason=refusal.detail)
            await network.hang_up(arrival.leg_id, arrivals.CAUSE_OF_FAULT[refusal.fault])
            return
        except Exception:  # noqa: BLE001 - one of the outer loops: whoever calls must hear the end of it
            _log.exception("a call that came failed")
            await network.hang_up(arrival.leg_id, HangUpCause.FAILED)
            return
        finally:
            early = self._early.pop(arrival.leg_id)
        callnotices.ring(platform, call, jobs)
        live = _Live(call, received.flow, {CALLER: leg})
        self._live[call.id] = live
        self._of_leg[leg.id] = (live, CALLER)
        live.inbox.put_nowait(program.Started())
        live.inbox.put_nowait(program.LegArrived(CALLER, leg.number, leg.shown))
        for event in early:
            live.inbox.put_nowait(event)
        live.task = asyncio.create_task(self._run(live))

    async def _check_room(self, call: Call, line: str) -> None:
        if not call.account_id:
            return  # nobody's: somebody has dialled a call-in number
        account = await self._platform.store.queries.account(call.account_id)
        limits = (0, 0) if account is None else calling.limits_of(self._platform, account)
        await calling.check_room(
            self._platform, call.account_id, limits, is_virtual=call.is_virtual, line=line
        )

    async def _hear(self, live: _Live, event: LegEvent | Recorded | CallEvent | Action) -> None:
        told: CallEvent | None
        if isinstance(event, LegEvent):
            if self._of_leg[event.leg_id][0] is not live:  # handed over while this waited for its turn
                self.leg_event(event)
                return
            told = await self._note(live, event)
        elif isinstance(event, Recorded):
            told = await self._keep(live, event)
        elif isinstance(event, Action):
            await self._do_asked(live, event)
            return
        else:
            told = event
        if live.outcome is not None and live.recordings and _RECORDING_LATE not in live.timers:
            self._start_timer(live, _RECORDING_LATE, int(_LATEST.total_seconds()))
        if told == program.TimerFired(_RECORDING_LATE):
            await self._rescue(live)
            return
        if isinstance(told, program.TimerFired):
            if told.name not in live.fired:
                return  # it was stopped, or started anew, while it waited for its turn
            live.fired.discard(told.name)
        if told is not None and live.outcome is None:
            actions: Sequence[Action]
            if live.first is not None and isinstance(told, program.Started):
                actions, live.first = live.first, None
            else:
                actions = live.flow.step(told)
            for action in actions:
                await self._do(live, action)
        elif isinstance(told, program.LegArrived):
            await self._hang_up(live.legs[told.leg], HangUpCause.NORMAL)  # the call has ended meanwhile

    async def _note(self, live: _Live, event: LegEvent) -> CallEvent | None:
        """Write what happened to a leg; returns what the flow is told, None where it is no news."""
        name = self._of_leg[event.leg_id][1]
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
        self._watch_credit(live)
        update = Update(Leg, leg.id, leg.account_id, values, {"ended_at": None})
        try:
            await self._commit(live, [update], _NAME_OF_KIND[event.kind], leg)
        except Refusal as refusal:
            if refusal.fault is not Fault.TOO_LATE:
                raise
            live.outcome = live.outcome or CallOutcome.FAILED  # another node has closed the call, see `beat`
        if state is LegState.DOWN:
            await linenotices.end(self._platform, live.call, live.dialogues, name)
        return told

    async def _commit(
        self,
        live: _Live,
        updates: Sequence[Update],
        name: EventName,
        leg: Leg | None = None,
        insert: Sequence[object] = (),
    ) -> None:
        platform, now = self._platform, self._platform.clock.now()
        jobs = await callnotices.notices(platform, live.call, name, now, leg)
        changes = Changes(insert=insert, update=updates, enqueue=jobs)
        if leg is not None and leg.ended_at is not None:
            jobs += await closing.left(platform, live.call, leg)
            changes = changes._replace(ledger=closing.taken(live.call, leg), hold=closing.freed_by(leg))
        await platform.store.commit(changes)
        callnotices.ring(platform, live.call, jobs)

    def _watch_credit(self, live: _Live) -> None:
        """Set the clock of what was reserved, by the legs that cost something at this moment."""
        now, legs = self._platform.clock.now(), live.legs.values()
        rate = sum(leg.rate for leg in legs if leg.state is LegState.UP)
        if rate <= 0 or "rate" not in live.call.plan:
            return
        left = live.call.reserved - sum(leg.price if leg.ended_at else charge(leg, now) for leg in legs)
        self._start_timer(live, program.CREDIT_USED_UP, max(0, left * 60 // rate))

    async def _reserve(self, live: _Live, reserve: program.Reserve) -> None:
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
        live.call = replace(call, reserved=reserved, is_virtual=is_virtual)
        self._watch_credit(live)

    def _start_timer(self, live: _Live, name: str, seconds: int) -> None:
        running = live.timers.pop(name, None)
        if running is not None:
            running.cancel()

        def fire() -> None:
            live.fired.add(name)
            live.inbox.put_nowait(program.TimerFired(name))

        live.fired.discard(name)
        live.timers[name] = self._later(seconds, fire)

    async def _do_asked(self, live: _Live, action: Action) -> None:
        """Do what the call's owner asks; nothing where its leg has ended meanwhile, or gone elsewhere."""
        name = getattr(action, "leg", "")
        leg = live.legs.get(name)
        if live.outcome is None and (not name or (leg is not None and leg.ended_at is None)):
            await self._do(live, action)

    # --- what flows ask

    async def _do(self, live: _Live, action: Action) -> None:
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
                    await linenotices.tell(self._platform, live.call, live.dialogues, program.Connect(name))
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
                await self._record(live, action)
            case program.StopRecord(recording):
                if (running := live.recordings.get(recording)) is not None:
                    for network in self._carriers.values():
                        await network.stop_record(running.id)
            case program.FindRoom():
                await self._find_room(live, action)
            case program.Admit(name):
                await rooms.came_in(self._platform, live.call, live.legs[name])
            case program.HandOver():
                await self._hand_over(live, action)
            case program.HangUp(name, cause):
                await self._hang_up(live.legs[name], cause)
            case program.StartTimer(name, seconds):
                self._start_timer(live, name, seconds)
            case program.StopTimer(name):
                timer = live.timers.pop(name, None)
                if timer is not None:
                    timer.cancel()
                live.fired.discard(name)
            case program.Reserve():
                await self._reserve(live, action)
            case program.Setup() | program.Connect():
                await linenotices.tell(self._platform, live.call, live.dialogues, action)
            case program.Release(name, line):
                await linenotices.end(self._platform, live.call, live.dialogues, name, line)
            case program.Note():
                await self._note_down(live, action)
            case program.Finish(outcome):
                live.outcome = outcome

    async def _note_down(self, live: _Live, note: program.Note) -> None:
        at = self._platform.clock.now().isoformat()
        noted = [*live.call.notes, [note.what, note.value, at]]
        live.call = replace(live.call, plan={**live.call.plan, "notes": noted})
        update = Update(Call, live.call.id, live.call.account_id, {"plan": live.call.plan})
        await self._platform.store.commit(Changes(update=[update]))

    async def _new_leg(self, call: Call, dial: program.Dial) -> Leg:
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

    async def _dial(self, live: _Live, dial: program.Dial) -> None:
        platform, call = self._platform, live.call
        if dial.leg in live.written:
            live.written.discard(dial.leg)
            await self._ring(live, live.legs[dial.leg], dial)
            return
        leg = await self._new_leg(call, dial)
        live.legs[dial.leg] = leg
        self._of_leg[leg.id] = (live, dial.leg)
        holds = [Hold(call.account_id, dial.reserve, dial.cap)] if dial.reserve else []
        try:
            await platform.store.commit(Changes(insert=[leg], hold=holds))
        except Refusal as refusal:
            if refusal.fault is not Fault.INSUFFICIENT_CREDITS:
                raise
            # Somebody else has spent meanwhile what there was when this was asked for.
            leg = live.legs[dial.leg] = closing.changed(leg, {"reserved": 0})
            await platform.store.commit(Changes(insert=[leg]))
            live.inbox.put_nowait(
                LegEvent(leg.id, LegEventKind.ENDED, platform.clock.now(), HangUpCause.CREDIT)
            )
            return
        await self._ring(live, leg, dial)

    async def _ring(self, live: _Live, leg: Leg, dial: program.Dial) -> None:
        network = self._carriers.get(leg.carrier)
        try:
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

    async def _bridge(self, live: _Live, legs: Sequence[Leg]) -> None:
        # Legs of different networks meet in a room that one of them offers; not built yet.
        (carrier,) = {leg.carrier for leg in legs}
        await self._carriers[carrier].bridge(live.call.id, [leg.id for leg in legs])
        if live.call.joined_at is None:
            now = self._platform.clock.now()
            live.call = replace(live.call, joined_at=now)
            update = Update(Call, live.call.id, live.call.account_id, {"joined_at": now})
            await self._commit(live, [update], EventName.CALL_ANSWERED)

    async def _record(self, live: _Live, record: program.Record) -> None:
        platform, leg = self._platform, live.legs.get(record.leg)
        up = [one for one in live.legs.values() if one.state is LegState.UP]
        carrier = leg.carrier if leg is not None else up[0].carrier if up else ""
        network = self._carriers.get(carrier)
        if network is None or record.recording in live.recordings:
            return
        purpose = RecordingPurpose(record.purpose)
        is_message = purpose is RecordingPurpose.MESSAGE
        recording = Recording(
            id=platform.ids.new_id(),
            ref=platform.ids.new_ref(),
            account_id=live.call.account_id,
            call_id=live.call.id,
            leg_id=None if leg is None else leg.id,
            purpose=purpose,
            started_at=platform.clock.now(),
            line=live.call.second if is_message and live.call.kind is CallKind.LINE else "",
        )
        wanted = RecordWanted(
            leg_id=recording.leg_id,
            room=live.call.id,
            longest_seconds=record.longest_seconds,
            ends_on_key=is_message,
            silence_seconds=int(_SILENCE.total_seconds()) if is_message else 0,
        )
        live.recordings[record.recording] = recording
        self._of_recording[recording.id] = (live, record.recording)
        await recordings.begin(platform, live.call, recording)
        await network.record(recording.id, wanted)

    async def _keep(self, live: _Live, recorded: Recorded) -> CallEvent | None:
        name = self._of_recording.pop(recorded.recording_id)[1]
        recording = live.recordings[name]
        try:
            await recordings.keep(self._platform, live.call, recording, recorded)
        finally:
            del live.recordings[name]
        return program.RecordDone(name, recorded.seconds, recorded.key)

    async def _rescue(self, live: _Live) -> None:
        """Wait no longer for the ends of recordings: what there is of them is kept."""
        if not live.recordings:
            return
        for recording in live.recordings.values():
            self._of_recording.pop(recording.id, None)
        live.recordings.clear()
        await recordings.rescue(self._platform, live.call)

    async def _hand_over(self, live: _Live, action: program.HandOver) -> None:
        leg, to = live.legs[action.leg], self._live.get(action.call_id)
        if to is None or to.outcome is not None:
            await self._hang_up(leg, HangUpCause.FAILED)
            return
        # Whoever was received for nobody in particular belongs now to the account of this call.
        values = {"call_id": to.call.id, "name": action.name, "account_id": to.call.account_id}
        updates = [Update(Leg, leg.id, leg.account_id, values, {"ended_at": None})]
        for one in live.dialogues:
            if one.leg == action.leg:
                moves = {"call_id": to.call.id, "leg": action.name}
                updates.append(Update(Dialogue, one.id, one.account_id, moves))
        await self._platform.store.commit(Changes(update=updates))
        del live.legs[action.leg]
        to.legs[action.name] = closing.changed(leg, values)
        self._of_leg[leg.id] = (to, action.name)
        moved = [one for one in live.dialogues if one.leg == action.leg]
        live.dialogues[:] = [one for one in live.dialogues if one.leg != action.leg]
        to.dialogues += [replace(one, call_id=to.call.id, leg=action.name) for one in moved]
        to.inbox.put_nowait(
            program.LegArrived(action.name, leg.number, leg.shown, True, action.replaces, action.line)
        )
        callnotices.ring(self._platform, to.call, ())

    async def _find_room(self, live: _Live, action: program.FindRoom) -> None:
        leg = live.legs[action.leg]
        found = await rooms.find(self._platform, leg, action.code)
        if found.call_id and found.call_id not in self._live:
            _log.warning("a conference is worked by another node", call=live.call.ref)
        live.inbox.put_nowait(found)

    async def _hang_up(self, leg: Leg, cause: HangUpCause) -> None:
        if leg.ended_at is not None:
            return
        if leg.state is not LegState.UP and cause is HangUpCause.NORMAL:
            cause = HangUpCause.CANCELLED  # it was never answered
        network = self._carriers.get(leg.carrier)
        if network is not None:
            await network.hang_up(leg.id, cause)

    async def _close(self, live: _Live) -> None:
        story = CallStory(live.call, tuple(live.legs.values()))
        try:
            await closing.close_call(self._platform, story, self._platform.clock.now(), live.outcome)
        except Refusal as refusal:
            if refusal.fault is not Fault.TOO_LATE:
                raise
            _log.warning("a call was closed by another node", call=live.call.ref)
