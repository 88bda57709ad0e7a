"""One customer's connection: his bind, what he asks, and what is delivered to him."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from chappe.carriers.smpp.connection import Connection
from chappe.carriers.smpp.desk import Desk
from chappe.carriers.smpp.orders import status_of
from chappe.carriers.smpp.pace import Pace
from chappe.model.carriers import BindStatus
from chappe.model.commands import Caller, Password
from chappe.model.errors import Fault, Refusal
from chappe.protocols.smpp.bind import Answered, Asked, Bind, Broken, Event, Side, State, Timing, Unanswered
from chappe.protocols.smpp.bodies import Body, Login
from chappe.protocols.smpp.codes import Command, Status

_log = structlog.get_logger()

_BINDS = (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER)
_PACED = (Command.SUBMIT_SM, Command.SUBMIT_MULTI, Command.DATA_SM)
# Said of messages these would be other words (our choice).
_AT_THE_DOOR = {
    Fault.RATE_LIMITED: Status.ESME_RTHROTTLED,
    Fault.CARRIER_UNAVAILABLE: Status.ESME_RSYSERR,
}
_GRACE = 5.0  # seconds for answers under way when a customer unbinds; our choice
_RECEIVING = (State.RECEIVER, State.TRANSCEIVER)


@dataclass(slots=True, eq=False)
class Delivery:
    """One deliver_sm on its way; `status` comes with its answer, None where none came."""

    body: bytes
    status: asyncio.Future[int | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Owner(Protocol):
    """The server, as its sessions see it."""

    def bound(self, session: "Session", caller: Caller) -> None:
        """A customer was let in. Raises Refusal where he has binds enough."""
        ...

    def left(self, session: "Session") -> None:
        """A session has ended."""
        ...


class Session:
    """One connection. `system_id` is the name the customer gave, `caller` who he is once bound; counts are of
    what he asked, what of it was refused, and the parts of deliveries that he took or did not take."""

    def __init__(
        self, owner: Owner, desk: Desk, name: str, window: int, timing: Timing, per_second: float | None
    ) -> None:
        loop = asyncio.get_running_loop()
        bind: Bind[Delivery] = Bind(Side.NETWORK, loop.time(), window, timing)
        self.connection = Connection(bind, loop, window, self._heard)
        self.system_id = ""
        self.caller: Caller | None = None
        self.since = desk.now()
        self.asked = self.refused = self.delivered = self.undelivered = 0
        self._owner = owner
        self._desk = desk
        self._name = name
        self._time = loop
        self._pace = Pace(per_second, loop.time())
        self._login: Password | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._end: asyncio.Future[None] | None = None

    @property
    def receives(self) -> bool:
        """Whether receipts and messages may go over it at this moment."""
        return self.connection.bind.state in _RECEIVING and not self.connection.ended.is_set()

    def status(self) -> BindStatus:
        """See model/carriers.py; once it is bound."""
        assert self.caller is not None
        bind = self.connection.bind
        return BindStatus(
            account_id=self.caller.account_id,
            system_id=self.system_id,
            peer=self.connection.peer,
            kind=bind.state.value,
            since=self.since,
            unanswered=bind.unanswered,
            window=bind.window,
            asked=self.asked,
            refused=self.refused,
            delivered=self.delivered,
            undelivered=self.undelivered,
        )

    async def run(self) -> None:
        """Wait for its end, however that comes."""
        try:
            await self.connection.ended.wait()
        finally:
            self.connection.close()
            for delivery in self.connection.bind.lost():
                _settle(delivery, None)
            self._owner.left(self)

    def leave(self) -> None:
        """Say good-bye; what was asked already is still answered by `drain`."""
        self.connection.bind.unbind(self._time.time())
        self.connection.flush()

    async def drain(self, seconds: float) -> None:
        """Wait for answers under way, and end the connection."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        self.connection.flush()
        self.connection.close()

    async def deliver(self, bodies: Sequence[bytes]) -> int | None:
        """Hand over the parts of one delivery; the first status that is not 0, None for no answer."""
        deliveries = [Delivery(body) for body in bodies]
        self.connection.send(deliveries, Command.DELIVER_SM)
        self.connection.flush()
        for delivery in deliveries:
            status = await delivery.status
            if status != Status.ESME_ROK:
                self.undelivered += 1
                return status
            self.delivered += 1
        return Status.ESME_ROK

    # --- what comes

    def _heard(self, events: Sequence[Event[Delivery]]) -> None:
        for event in events:
            match event:
                case Answered(tag, status):
                    _settle(tag, status)
                case Unanswered(tag):
                    _settle(tag, None)
                case Asked(command) if command in _BINDS:
                    self._start(self._let_in(event), event)
                case Asked(command) if command in _PACED and self._pace.allowed(self._time.time()) == 0:
                    self.connection.bind.answer(event, Status.ESME_RTHROTTLED)
                case Asked(command):
                    if command in _PACED:
                        self._pace.spend(1, self._time.time())
                    self._start(self._carry_out(event), event)
                case Broken():
                    self._end = asyncio.ensure_future(self.drain(_GRACE))
                case _:
                    pass  # Bound is a client's

    def _start(self, work: Coroutine[Any, Any, None], asked: Asked) -> None:
        """All that one read brought is done at once: what is to be written is written together."""
        self.connection.wait(1)
        task = asyncio.ensure_future(self._answer(work, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, work: Coroutine[Any, Any, None], asked: Asked) -> None:
        bind = self.connection.bind
        try:
            await work
        except Refusal as refusal:
            _log.info("refused", system_id=self.system_id, command=asked.command.name, why=refusal.detail)
            bind.answer(asked, status_of(refusal))
        except Exception:  # noqa: BLE001 - the loop of a carrier's link
            _log.exception("an SMPP request failed", system_id=self.system_id, command=asked.command.name)
            bind.answer(asked, Status.ESME_RSYSERR)
        if not self.connection.ended.is_set():
            self.connection.settle(1)

    async def _let_in(self, asked: Asked) -> None:
        login = asked.body
        assert isinstance(login, Login)
        if self._login is not None:
            self.connection.bind.answer(asked, Status.ESME_RALYBND)
            return
        self.system_id = login.system_id
        offered = self._login = Password(login.system_id, login.password)
        try:
            caller = await self._desk.admit(offered, self.connection.peer)
            self._owner.bound(self, caller)
        except Refusal as refusal:
            self._login = None
            _log.info("bind refused", system_id=self.system_id, peer=self.connection.peer, why=refusal.detail)
            self.connection.bind.answer(asked, _AT_THE_DOOR.get(refusal.fault) or status_of(refusal))
            return
        self.caller, self.since = caller, self._desk.now()
        self.connection.bind.welcome(asked, self._name)
        self._desk.keep(
            self._desk.numbered(caller), asked, Status.ESME_ROK, None, "", self.connection.peer, 0
        )

    async def _carry_out(self, asked: Asked) -> None:
        assert self._login is not None  # the bind lets nothing else through
        self.asked += 1
        began = self._time.time()
        # Asked anew each time, out of memory: a suspended account or a changed password counts at once.
        caller = self._desk.numbered(await self._desk.admit(self._login, self.connection.peer))
        status: int = Status.ESME_RSYSERR
        body: Body | None = None
        why = ""
        try:
            status, body = await self._desk.carry_out(caller, asked.command, asked.body)
        except Refusal as refusal:
            status, why = status_of(refusal), refusal.detail
            raise
        finally:
            self.refused += status != Status.ESME_ROK
            took = self._time.time() - began
            self._desk.keep(caller, asked, status, body, why, self.connection.peer, took)
        self.connection.bind.answer(asked, status, body)


def _settle(delivery: Delivery, status: int | None) -> None:
    if not delivery.status.done():
        delivery.status.set_result(status)
