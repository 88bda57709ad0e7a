"""Messages over SMPP: hands them to the binds of one network, and tells the platform what became of them."""

import asyncio
import ssl
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import structlog

from chappe.carriers.smpp.connection import Connection, Time
from chappe.carriers.smpp.incoming import Incoming
from chappe.carriers.smpp.link import Link
from chappe.carriers.smpp.settings import SmppSettings
from chappe.carriers.smpp.settings import read_settings as read_settings
from chappe.carriers.smpp.statuses import meaning
from chappe.carriers.smpp.units import Unit, Units, Work
from chappe.model.carriers import CarrierStatus, LinkState
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.model.messages import Message, Submission
from chappe.protocols.smpp.bind import Answered, Asked, State
from chappe.protocols.smpp.bodies import Named
from chappe.protocols.smpp.codes import Status, Tag, status_name
from chappe.protocols.smpp.fields import tlv_number
from chappe.services.ports import CarrierSink, Platform

_log = structlog.get_logger()

_PAUSE = 5.0  # before a message that was refused for a while is tried again; our choice
_GAPS_EVERY = 60.0
_GRACE = 5.0  # seconds for answers under way when we are told to stop; our choice


def build(name: str, table: Mapping[str, Any], platform: Platform, sink: CarrierSink) -> "SmppCarrier":
    """The carrier of a section of the settings; inside a running loop."""
    return SmppCarrier(name, read_settings(table), platform, sink, asyncio.get_running_loop())


class SmppCarrier:
    """See services/ports.py. Messages wait here in a queue of at most one more window than is on its way."""

    def __init__(
        self, name: str, settings: SmppSettings, platform: Platform, sink: CarrierSink, time: Time
    ) -> None:
        self.name = name
        self.waits_after_crash = settings.after_crash == "wait"
        self._settings = settings
        self._clock = platform.clock
        self._topics = platform.topics
        self._sink = sink
        self._time = time
        self._units = Units(settings)
        self._incoming = Incoming(name, settings, platform, sink)
        kinds = {"transceiver": (State.TRANSCEIVER,), "pair": (State.TRANSMITTER, State.RECEIVER)}
        context = _context(settings)
        self._links = [
            Link(name, kind, settings, self, time, self._clock.now, context)
            for _ in range(settings.binds)
            for kind in kinds[settings.bind]
        ]
        self._senders = [link for link in self._links if link.submits]
        self._queue: deque[Unit] = deque()
        self._answers: list[Submission] = []
        self._bell = asyncio.Event()
        self._told = asyncio.Event()
        self._telling = False
        self._gaps: asyncio.TimerHandle | None = None
        self._gaps_wanted = False
        self._leaving = False
        self._alarm: asyncio.TimerHandle | None = None

    # --- the port

    @property
    def window(self) -> int:
        """See services/ports.py. Twice what may be on its way, so that no bind waits for the database."""
        return 0 if self._leaving else 2 * self._settings.window * sum(one.is_up for one in self._senders)

    def status(self) -> CarrierStatus:
        """See services/ports.py."""
        links = tuple(link.status() for link in self._links)
        states = {link.state for link in links}
        best = next(state for state in LinkState if state in states)
        incoming = self._incoming
        return CarrierStatus(
            self.name,
            "smpp",
            best,
            links,
            id_rule=incoming.rules.rule,
            id_votes=dict(incoming.rules.votes),
            words=dict(incoming.words),
        )

    async def submit(self, batch: Sequence[Message]) -> None:
        """See services/ports.py."""
        if self._leaving or not any(link.is_up for link in self._senders):
            raise CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "no bind is up", _PAUSE)
        now = self._clock.now()
        for message in batch:
            try:
                self._queue += self._units.of(message, now)
            except ValueError as error:
                self._tell(Submission(message.id, fault=Fault.UNSUPPORTED, code=str(error)))
        self._fill()

    async def run(self) -> None:
        """See services/ports.py. When cancelled it waits a little for answers under way, and unbinds."""
        self._leaving = False
        await self._incoming.recall()
        links = [asyncio.create_task(link.run()) for link in self._links]
        pump = asyncio.create_task(self._pump())
        self._look_for_gaps()
        try:
            # Not gather: it would cancel them before they are asked to leave.
            ended, _ = await asyncio.wait([*links, pump], return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            self._leaving = True
            await self._answers_under_way()
            for link, task in zip(self._links, links, strict=True):
                link.leave()
                task.cancel()
            await asyncio.gather(*links, return_exceptions=True)
            await _ended(pump)
            if self._gaps is not None:
                self._gaps.cancel()
            await self._within_grace(self._hand_over())

    # --- what links tell

    def answered(self, link: Link, answers: Sequence[Answered[Unit]]) -> None:
        """See link.Owner."""
        again: list[Unit] = []
        for answer in answers:
            unit, work = answer.tag, answer.tag.work
            if answer.body.tlvs:
                congestion = tlv_number(answer.body.tlvs, Tag.CONGESTION_STATE)
                link.pace.ease(congestion or 0, self._time.time())
            if answer.status == Status.ESME_ROK:
                link.accepted += 1
                body = answer.body
                if not work.over:
                    name = body.message_id if isinstance(body, Named) else ""
                    work.ids[unit.segment] = name
                    work.missing -= 1
                    if not work.missing:
                        self._end(work, Submission(work.message_id, tuple(work.ids)))
                continue
            kind, fault = meaning(answer.status)
            if kind is CarrierErrorKind.THROTTLED:
                link.throttled += 1
                link.pace.slow(self._time.time())
                again.append(unit)
                continue
            link.refused += 1
            pause = _PAUSE if kind is CarrierErrorKind.TEMPORARY else None
            self._end(
                work,
                Submission(work.message_id, fault=fault, code=status_name(answer.status), retry_after=pause),
            )
        self._queue.extendleft(reversed(again))
        self._fill()

    def unknown(self, units: Sequence[Unit], why: str) -> None:
        """See link.Owner."""
        for unit in units:
            self._end(
                unit.work,
                Submission(
                    unit.work.message_id,
                    fault=Fault.CARRIER_UNAVAILABLE,
                    code=why,
                    retry_after=_PAUSE,
                    unknown=True,
                ),
            )

    def asked(self, link: Link, connection: Connection[Unit], asked: Sequence[Asked]) -> None:
        """See link.Owner."""
        self._incoming.take(link, connection, asked)
        self._bell.set()

    def changed(self) -> None:
        """See link.Owner."""
        if not any(link.is_up for link in self._senders):
            # Nothing of these has left: the platform keeps them, and may find another way.
            waiting, self._queue = self._queue, deque()
            for unit in waiting:
                self._end(
                    unit.work,
                    Submission(
                        unit.work.message_id,
                        fault=Fault.CARRIER_UNAVAILABLE,
                        code="no bind is up",
                        retry_after=_PAUSE,
                    ),
                )
        self._fill()
        self._ask_for_more()

    # --- within

    def _ask_for_more(self) -> None:
        self._topics.publish(f"carrier.{self.name}")

    def _fill(self) -> None:
        """Fill the windows of all binds, evenly, one write a bind."""
        if not self._queue or self._leaving or not self._sink.holds():
            return
        now, date = self._time.time(), self._clock.now()
        open_links = [(link, room) for link in self._senders if (room := link.room(now))]
        for position, (link, room) in enumerate(open_links):
            share = -(-len(self._queue) // (len(open_links) - position))
            units: list[Unit] = []
            while self._queue and len(units) < min(room, share):
                unit = self._queue.popleft()
                work = unit.work
                if work.over:
                    continue
                if work.expires_at is not None and work.expires_at <= date:
                    self._end(work, Submission(work.message_id, fault=Fault.EXPIRED))
                    continue
                units.append(unit)
            if units:
                link.send(units)
        if self._queue:
            self._set_alarm(now)

    def _set_alarm(self, now: float) -> None:
        """Come back when a bind's pace lets the next unit go; answers come back by themselves."""
        waits = [link.pace.wait(now) for link in self._senders if link.is_up]
        wait = min(waits, default=0.0)
        if wait > 0:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._time.call_at(now + max(wait, 0.001), self._fill)

    def _end(self, work: Work, submission: Submission) -> None:
        if not work.over:
            work.over = True
            self._tell(submission)

    def _tell(self, submission: Submission) -> None:
        self._answers.append(submission)
        self._bell.set()

    def _look_for_gaps(self) -> None:
        """Now and then give out messages of which not all parts have come."""
        self._gaps_wanted = True
        self._bell.set()
        self._gaps = self._time.call_at(self._time.time() + _GAPS_EVERY, self._look_for_gaps)

    async def _pump(self) -> None:
        """Hand everything that has come to the platform, answers first; then it is durable, and the network
        is told. What comes meanwhile is the next group."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            self._telling = True
            await self._hand_over()
            self._telling = False
            self._told.set()

    async def _hand_over(self) -> None:
        answers, self._answers = self._answers, []
        # Taken at one moment: the answers hold the ids of the receipts that came behind them.
        brought = self._incoming.taken()
        if answers:
            self._incoming.rules.answered([name for one in answers for name in one.carrier_ids])
            try:
                await self._sink.submitted(answers)
            except Exception:  # noqa: BLE001 - the loop of a carrier's link
                _log.exception("answers were not written", carrier=self.name, count=len(answers))
        if brought:
            await self._incoming.keep(brought)
        if self._gaps_wanted:
            self._gaps_wanted = False
            await self._incoming.give_out()

    async def _within_grace(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the last work, unless the database is away: nobody waits for it for ever."""
        task = asyncio.create_task(work)
        alarm = self._time.call_at(self._time.time() + _GRACE, task.cancel)
        await asyncio.gather(task, return_exceptions=True)
        alarm.cancel()

    async def _answers_under_way(self) -> None:
        """Wait until what has left is answered and told, but not for ever."""
        patience = self._time.call_at(self._time.time() + _GRACE, self._told.set)
        end = self._time.time() + _GRACE
        while (
            self._sink.holds()
            and self._time.time() < end
            and (self._bell.is_set() or self._telling or any(link.unanswered for link in self._links))
        ):
            self._told.clear()
            await self._told.wait()
        patience.cancel()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _context(settings: SmppSettings) -> ssl.SSLContext | None:
    """TLS with the machine's authorities or the one of the settings, and the name checked."""
    return ssl.create_default_context(cafile=settings.tls_ca or None) if settings.tls else None
