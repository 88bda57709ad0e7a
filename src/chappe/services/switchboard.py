"""Drives flows over voice carriers: the only place where calls are live.

Each call has one task and one inbox. What happens to a leg is written in its order (chronicle.py), and what
the flow asks then is done on the carrier of its leg (actions.py; ARCHITECTURE.md section 10).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from chappe.flows import program
from chappe.flows.program import Action, CallEvent, Flow
from chappe.model.calls import (
    Arrival,
    Call,
    CallOutcome,
    CallStory,
    HangUpCause,
    Leg,
    LegEvent,
    LegState,
    Recorded,
    TransferAsked,
    charge,
)
from chappe.model.changes import Changes, Update
from chappe.model.errors import Fault, Refusal, Unavailable
from chappe.model.events import EventName
from chappe.model.limits import CallLimits
from chappe.services import arrivals, calling, callnotices, recordings, transfers
from chappe.services.actions import Actions
from chappe.services.chronicle import Chronicle
from chappe.services.handover import Handed
from chappe.services.live import Index, Later, Live, News, Unwritten, in_this_loop
from chappe.services.ports import Platform, VoiceCarrier
from chappe.services.taping import LATE, LATEST, Taping

_log = structlog.get_logger()

BEAT = timedelta(seconds=1)
CALLER = "caller"
"""What flows call the leg that came to us."""

PATIENCE = timedelta(seconds=10)
"""How often a node says that it works its calls, and how long it may be silent before they count as
interrupted (our choice)."""


class Switchboard:
    """The live calls of this process."""

    def __init__(self, platform: Platform, later: Later = in_this_loop) -> None:
        self._platform = platform
        self._later = later
        self._carriers: dict[str, VoiceCarrier] = {}
        self._index = Index()
        self._prepared: dict[int, Live] = {}
        self._early: dict[int, list[LegEvent]] = {}  # of legs whose call is not written yet
        self._arriving: set[asyncio.Task[None]] = set()
        self._chronicle = Chronicle(platform)
        self._taping = Taping(platform, self._index, self._carriers)
        self._actions = Actions(platform, self._index, self._carriers, self._chronicle, self._taping)

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
        live = self._prepared[call.id] = Live(call, flow, self._later)
        live.first = list(flow.step(program.Started()))
        for action in live.first:
            if isinstance(action, program.Dial) and not action.reserve:
                live.legs[action.leg] = await self._actions.new_leg(call, action)
        live.written = set(live.legs)
        return tuple(live.legs.values())

    def forget(self, call_id: int) -> None:
        """A call that was prepared is not written."""
        self._prepared.pop(call_id, None)

    def begin(self, call: Call, flow: Flow) -> None:
        """A call that was written just now."""
        live = self._prepared.pop(call.id, None) or Live(call, flow, self._later)
        live.call = call  # with what it holds
        self._index.add(live)
        live.inbox.put_nowait(program.Started())
        live.task = asyncio.create_task(self._run(live))

    def ask(self, call_id: int, what: CallEvent | Action) -> bool:
        """Tell a live call what its owner wants, or do it without asking its flow (what is played to a leg,
        keys, mute, recordings, the end of one leg); False where it is not live here."""
        live = self._index.calls.get(call_id)
        if live is None:
            return False
        live.inbox.put_nowait(what)
        return True

    async def caught_up(self, call_id: int) -> None:
        """Until a call that is live here has done what it was asked so far, or is over."""
        live = self._index.calls.get(call_id)
        if live is None or live.task is None:
            return
        done = asyncio.ensure_future(live.inbox.join())
        await asyncio.wait({done, live.task}, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()

    def leg_event(self, event: LegEvent) -> None:
        """See services/ports.py, VoiceSink."""
        found = self._index.legs.get(event.leg_id)
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
        found = self._index.recordings.get(recorded.recording_id)
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
        found, other = self._index.legs.get(asked.leg_id), self._index.legs.get(asked.other_id)
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

    def story(self, account_id: int, ref: str) -> CallStory | None:
        """An account's call as it is at this moment, where it is live here."""
        live = self._index.refs.get(ref)
        return None if live is None or live.call.account_id != account_id else live.story

    def live_legs(self, call_id: int) -> Mapping[str, Leg]:
        """The legs of a call that is live here, by the names its flow gives them."""
        live = self._index.calls.get(call_id)
        return {} if live is None else dict(live.legs)

    def can_join(self, call_id: int, carrier: str, leg_id: int) -> bool:
        """Whether a leg that came over a carrier could be joined to those of a call that is live here."""
        there = [leg for leg in self.live_legs(call_id).values() if leg.ended_at is None]
        if any(leg.carrier != carrier for leg in there):
            return False
        return self._carriers[carrier].can_join([*(leg.id for leg in there), leg_id])

    def talking(self, call_id: int) -> frozenset[str]:
        """The names of the legs that are heard to speak, of a call that is live here."""
        live = self._index.calls.get(call_id)
        return frozenset() if live is None else frozenset(live.talking)

    def muted(self, call_id: int) -> frozenset[str]:
        """The names of the legs that nobody hears, of a call that is live here."""
        live = self._index.calls.get(call_id)
        return frozenset() if live is None else frozenset(live.muted)

    def is_recorded(self, call_id: int) -> bool:
        """Whether a call that is live here is being recorded."""
        live = self._index.calls.get(call_id)
        return live is not None and bool(live.recordings)

    def flow_of(self, call_id: int) -> Flow | None:
        """The flow of a call that is live here, to be looked at."""
        live = self._index.calls.get(call_id)
        return None if live is None else live.flow

    def cost_of_live(self, account_id: int) -> int:
        """What the live calls of an account that leave the sandbox have cost until now, in thousandths."""
        now = self._platform.clock.now()
        calls = [one for one in self._index.calls.values() if one.call.account_id == account_id]
        legs = [leg for live in calls if not live.call.is_virtual for leg in live.legs.values()]
        return sum(charge(leg, now) if leg.ended_at is None else leg.price for leg in legs)

    def live_calls(self) -> Sequence[Call]:
        """The calls that are live here."""
        return [live.call for live in self._index.calls.values()]

    async def beat(self) -> None:
        """Say that the live calls are being worked; end those that another node has closed meanwhile, because
        this one was frozen for longer than PATIENCE."""
        now = self._platform.clock.now()
        await asyncio.gather(*(self._say_seen(live, now) for live in self._index.calls.values()))

    async def _say_seen(self, live: Live, now: datetime) -> None:
        call = live.call
        seen = Update(Call, call.id, call.account_id, {"seen_at": now}, {"over_at": None})
        try:
            await self._platform.store.commit(Changes(update=[seen]))
        except Refusal as refusal:
            if refusal.fault not in (Fault.TOO_LATE, Fault.NOT_FOUND):
                raise
            for leg in list(live.legs.values()):
                await self._actions.hang_up(leg, HangUpCause.INTERRUPTED)

    async def keep_caps(self) -> None:
        """End the calls of accounts that have used up what their calls may cost in a day."""
        leaving = {one.call.account_id for one in self._index.calls.values() if not one.call.is_virtual}
        for account_id in leaving:
            account = await self._platform.store.queries.account(account_id)
            if account is None:
                continue
            _, cap = calling.limits_of(self._platform, account)
            if not cap or self.cost_of_live(account_id) == 0:
                continue
            _, spent = await calling.spent_today(self._platform, account_id)
            if spent >= cap:
                for live in list(self._index.calls.values()):
                    if live.call.account_id == account_id and not live.call.is_virtual:
                        live.fired.add(program.CREDIT_USED_UP)
                        live.inbox.put_nowait(program.TimerFired(program.CREDIT_USED_UP))

    async def settle(self) -> None:
        """Until no call has anything to do at this moment; for tests."""
        while self._arriving:
            await asyncio.wait(set(self._arriving))
        while busy := [live for live in self._index.calls.values() if live.task is not None]:
            for live in busy:
                await live.inbox.join()
            await self._platform.store.written()
            if over := [live.task for live in busy if live.is_over and live.task is not None]:
                await asyncio.wait(over)
            elif all(live.inbox.empty() for live in self._index.calls.values()):
                return

    async def stop(self) -> None:
        """End all calls: nobody will hear of their legs any more."""
        calls = list(self._index.calls.values())
        tasks = [live.task for live in calls if live.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for live in calls:
            for leg in live.legs.values():
                await self._actions.hang_up(leg, HangUpCause.INTERRUPTED)
            await self._chronicle.close(live)
            await self._taping.rescue(live)

    async def _run(self, live: Live) -> None:
        try:
            while not live.is_over:
                event = await live.inbox.get()
                try:
                    await self._hear(live, event)
                except Exception:  # noqa: BLE001 - one of the outer loops: a call must come to an end
                    _log.exception("a call failed", call=live.call.ref)
                    live.outcome = live.outcome or CallOutcome.FAILED
                    for leg in [one for one in live.legs.values() if one.ended_at is None]:
                        await self._actions.hang_up(leg, HangUpCause.FAILED)
                finally:
                    live.inbox.task_done()
            await self._chronicle.close(live)
        except Unavailable as trouble:
            _log.warning("a call could not be closed", call=live.call.ref, reason=trouble.detail)
        finally:
            # Where it could not be closed, nobody says any more that it is worked: it ends as abandoned.
            self._index.forget(live)

    async def _receive(self, arrival: Arrival) -> None:
        """Somebody calls: the call that this begins, or the end of it."""
        platform, network = self._platform, self._carriers[arrival.carrier]
        handed = Handed(platform.handover, platform.node)
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
            story = CallStory(call, (leg,))
            await callnotices.hand(platform, handed, story, EventName.CALL_STARTED, arrival.at, leg)
            holds = [received.hold] if received.hold is not None else []
            limits = await self._limits(call, arrival.line)
            begun = Changes(insert=[call, leg], hold=holds, enqueue=handed.jobs, limits=limits)
            await arrivals.write(platform, begun, received)
        except Refusal as refusal:
            handed.release()
            _log.info("a call that came was refused", reason=refusal.detail)
            await network.hang_up(arrival.leg_id, arrivals.CAUSE_OF_FAULT[refusal.fault])
            return
        except Exception:  # noqa: BLE001 - one of the outer loops: whoever calls must hear the end of it
            handed.release()
            _log.exception("a call that came failed")
            await network.hang_up(arrival.leg_id, HangUpCause.FAILED)
            return
        finally:
            early = self._early.pop(arrival.leg_id)
        callnotices.written(platform, call, handed)
        live = Live(call, received.flow, self._later, {CALLER: leg})
        self._index.add(live)
        live.inbox.put_nowait(program.Started())
        live.inbox.put_nowait(program.LegArrived(CALLER, leg.number, leg.shown))
        for event in early:
            live.inbox.put_nowait(event)
        live.task = asyncio.create_task(self._run(live))

    async def _limits(self, call: Call, line: str) -> Sequence[CallLimits]:
        if not call.account_id:
            return ()  # nobody's: somebody has dialled a call-in number
        account = await self._platform.store.queries.account(call.account_id)
        if account is None:
            return ()
        return [await calling.limits(self._platform, account, is_virtual=call.is_virtual, line=line)]

    async def _hear(self, live: Live, event: News) -> None:
        told: CallEvent | None
        if isinstance(event, LegEvent):
            if self._index.legs[event.leg_id][0] is not live:  # handed over while this waited for its turn
                self.leg_event(event)
                return
            told = await self._chronicle.note(live, self._index.legs[event.leg_id][1], event)
        elif isinstance(event, Recorded):
            told = await self._taping.keep(live, event)
        elif isinstance(event, Action):
            await self._do_asked(live, event)
            return
        elif isinstance(event, Unwritten):
            await self._end_unwritten(live, event)
            return
        else:
            told = event
        if live.outcome is not None and live.recordings and LATE not in live.timers:
            live.start_timer(LATE, int(LATEST.total_seconds()))
        if told == program.TimerFired(LATE):
            await self._taping.rescue(live)
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
                await self._actions.do(live, action)
        elif isinstance(told, program.LegArrived):
            await self._actions.hang_up(
                live.legs[told.leg], HangUpCause.NORMAL
            )  # the call has ended meanwhile

    async def _end_unwritten(self, live: Live, what: Unwritten) -> None:
        if what.error is not None:
            raise what.error
        live.outcome = live.outcome or CallOutcome.FAILED
        for leg in list(live.legs.values()):
            await self._actions.hang_up(leg, HangUpCause.INTERRUPTED)

    async def _do_asked(self, live: Live, action: Action) -> None:
        """Do what the call's owner asks; nothing where its leg has ended meanwhile, or gone elsewhere."""
        name = getattr(action, "leg", "")
        leg = live.legs.get(name)
        if live.outcome is None and (not name or (leg is not None and leg.ended_at is None)):
            await self._actions.do(live, action)
