"""The message centre for customers: accounts bind to it, send over it, and are told over it.

It listens on every node. What an account is to be told waits in the jobs table; the node that holds a
receiving bind of the account takes it up and keeps it until the customer has acknowledged it.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import msgspec
import structlog

from chappe.carriers.smpp.deliveries import inbound_bodies, receipt_bodies, told
from chappe.carriers.smpp.desk import DELIVER, DIALECT, Desk
from chappe.carriers.smpp.exchanges import delivered
from chappe.carriers.smpp.session import Session
from chappe.model.carriers import BindStatus
from chappe.model.changes import Changes, JobResult, Update
from chappe.model.commands import Caller
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal
from chappe.model.history import Exchange
from chappe.model.jobs import Job, JobState
from chappe.model.messages import Direction, Message
from chappe.protocols.smpp.bind import Timing
from chappe.protocols.smpp.codes import Status, status_name
from chappe.services.ports import JobKind, Platform
from chappe.services.subscriptions import OWN_WIRE_PATIENCE

_log = structlog.get_logger()

_AT_ONCE = 200
_LONGEST_WAIT = 1.0
_PAUSE = timedelta(seconds=5)  # before a delivery that was refused for the moment is tried again; our choice
_GRACE = 5.0
_LOOK_EVERY = 60.0
# Refusals of a customer that a second try will not change (SMPP 3.4, 5.1.3); all others are tried again.
_FINAL = frozenset({Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN})


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `[smpp_server]`; without it nothing listens.

    `window` bounds the unanswered units each way on one bind, `binds` those of one account on one node,
    `per_second` what one bind may submit. `parts_seconds` is how long the parts of a long message wait for
    the next one. `tls_certificate` and `tls_key` are files in PEM form.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 2775
    system_id: Annotated[str, msgspec.Meta(max_length=15)] = "chappe"
    window: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    binds: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    per_second: Annotated[float, msgspec.Meta(gt=0)] | None = None
    enquire_link_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30
    response_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30
    parts_seconds: Annotated[float, msgspec.Meta(gt=0)] = 86_400
    tls_certificate: str = ""
    tls_key: str = ""


def read_settings(table: Mapping[str, Any]) -> ServerSettings:
    """The settings of the server. Raises ValueError that says which one is wrong and why."""
    try:
        settings = msgspec.convert(dict(table), ServerSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ValueError("tls_certificate and tls_key belong together: set both, or none")
    return settings


def build(table: Mapping[str, Any], platform: Platform) -> "SmppServer":
    """The server of the section."""
    return SmppServer(read_settings(table), platform)


class SmppServer:
    """Listens, and tells accounts over their binds. `port` is the one it listens on, once it does."""

    def __init__(self, settings: ServerSettings, platform: Platform) -> None:
        self.port = settings.port
        self.ready = asyncio.Event()
        self._settings = settings
        self._platform = platform
        self._desk = Desk(platform, timedelta(seconds=settings.parts_seconds))
        self._sessions: dict[int, list[Session]] = defaultdict(list)
        self._open: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pumps: dict[int, asyncio.Task[None]] = {}
        self._later: dict[int, float] = {}

    @property
    def job_kinds(self) -> Mapping[str, JobKind]:
        """What to do with deliveries that no bind has taken up: they are counted, and given up in the end."""
        return {DELIVER: JobKind(self._missed, (OWN_WIRE_PATIENCE,) * 3, kept=True)}

    @property
    def binds(self) -> int:
        """How many binds customers hold at this moment."""
        return sum(len(sessions) for sessions in self._sessions.values())

    def status(self) -> tuple[BindStatus, ...]:
        """The binds of customers, the oldest first."""
        bound = [one for sessions in self._sessions.values() for one in sessions if one.caller is not None]
        return tuple(sorted((one.status() for one in bound), key=lambda bind: bind.since))

    async def run(self) -> None:
        """Listen until cancelled; then answer what was asked, unbind, and close."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._accept, settings.host, settings.port, ssl=_context(settings), backlog=100
        )
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        watch = asyncio.ensure_future(self._watch_parts())
        _log.info("SMPP server listens", host=settings.host, port=self.port)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            watch.cancel()
            server.close()
            for session in list(self._open):
                session.leave()
            await asyncio.gather(*(session.drain(_GRACE) for session in list(self._open)))
            if pumps := list(self._pumps.values()):
                await asyncio.wait(pumps, timeout=_GRACE)
            for task in [*self._tasks, *pumps]:
                task.cancel()

    async def _watch_parts(self) -> None:
        while True:
            try:
                await self._desk.give_up_parts()
            except Exception:  # noqa: BLE001 - the loop of a carrier's link
                _log.exception("parts that wait too long were not looked at")
            await asyncio.sleep(_LOOK_EVERY)

    def _accept(self) -> asyncio.Protocol:
        settings = self._settings
        timing = Timing(settings.enquire_link_seconds, settings.response_seconds)
        session = Session(self, self._desk, settings.system_id, settings.window, timing, settings.per_second)
        self._open.add(session)
        task = asyncio.ensure_future(session.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return session.connection

    # --- what sessions tell

    def bound(self, session: Session, caller: Caller) -> None:
        """See session.Owner."""
        sessions = self._sessions[caller.account_id]
        if len(sessions) >= self._settings.binds:
            raise Refusal(
                Fault.RATE_LIMITED, f"this account has {len(sessions)} binds already, as many as are allowed"
            )
        sessions.append(session)
        if caller.account_id not in self._pumps:
            pump = asyncio.ensure_future(self._pump(caller.account_id))
            self._pumps[caller.account_id] = pump

    def left(self, session: Session) -> None:
        """See session.Owner."""
        self._open.discard(session)
        for account_id, sessions in list(self._sessions.items()):
            if session in sessions:
                sessions.remove(session)
                if not sessions:
                    del self._sessions[account_id]

    # --- telling customers

    async def _missed(self, platform: Platform, job: Job, *_: Message) -> str:
        raise CarrierError(
            CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "nobody was bound to receive it"
        )

    async def _pump(self, account_id: int) -> None:
        """Deliver to an account as long as it is bound here; what was taken up is written down to the end."""
        with self._platform.topics.subscribe(f"account.{account_id}") as bell:
            while account_id in self._sessions:
                try:
                    if await self._deliver(account_id):
                        continue
                except Exception:  # noqa: BLE001 - the loop of a carrier's link
                    _log.exception("deliveries failed", account=account_id)
                await bell.wait(_LONGEST_WAIT)
        del self._pumps[account_id]

    async def _deliver(self, account_id: int) -> int:
        """Take up what waits for an account, as much as its binds have room for; how much that was."""
        now, loop = self._platform.clock.now(), asyncio.get_running_loop()
        receivers = [session for session in self._sessions.get(account_id, ()) if session.receives]
        room = min(sum(session.connection.room for session in receivers), _AT_ONCE)
        if not room:
            return 0
        self._later = {job_id: at for job_id, at in self._later.items() if at > loop.time()}
        waiting = await self._platform.store.queries.jobs_of_kind(
            account_id, DELIVER, room + len(self._later)
        )
        jobs = [job for job in waiting if job.id not in self._later][:room]
        if not jobs:
            return 0
        patience = timedelta(seconds=2 * self._settings.response_seconds) + _PAUSE
        claimed = {
            "state": JobState.RUNNING,
            "claimed_until": now + patience,
            "claimed_by": self._platform.node,
        }
        try:
            await self._platform.store.commit(
                Changes(
                    update=[
                        Update(
                            Job,
                            job.id,
                            account_id,
                            {**claimed, "attempts": job.attempts + 1},
                            {"state": JobState.WAITING, "attempts": job.attempts},
                        )
                        for job in jobs
                    ]
                )
            )
        except Refusal as refusal:
            if refusal.fault not in (Fault.TOO_LATE, Fault.NOT_FOUND):
                raise
            return 0  # another node holds a bind of this account as well, and was quicker
        found = await self._platform.store.queries.messages_by_id([job.subject for job in jobs])
        messages = {message.id: message for message in found}
        results = await asyncio.gather(
            *(self._tell(account_id, job, messages.get(job.subject)) for job in jobs)
        )
        await self._platform.store.commit(Changes(finish=results))
        self._platform.topics.publish(f"account.{account_id}")
        return len(jobs)

    async def _tell(self, account_id: int, job: Job, message: Message | None) -> JobResult:
        now = self._platform.clock.now()
        done = JobResult(job.id, job.attempts + 1, JobState.DONE, "", None, now)
        bodies = await self._bodies(job, message)
        if not bodies:
            return done._replace(outcome="dropped: there is nothing to tell any more")
        session = self._roomiest(account_id)
        status: int | None = None
        if session is not None:
            began = asyncio.get_running_loop().time()
            status = await session.deliver(bodies)
            self._keep(job, bodies, status, session, asyncio.get_running_loop().time() - began)
        if session is not None and status == Status.ESME_ROK:
            return done._replace(outcome=f"acknowledged by {session.system_id}")
        why = "no answer" if status is None else f"answered {status_name(status)}"
        if status in _FINAL:
            return done._replace(state=JobState.DEAD, outcome=f"given up: {why}")
        self._later[job.id] = asyncio.get_running_loop().time() + _PAUSE.total_seconds()
        return JobResult(job.id, job.attempts + 1, JobState.WAITING, why, now + OWN_WIRE_PATIENCE)

    def _keep(
        self, job: Job, bodies: Sequence[bytes], status: int | None, session: Session, seconds: float
    ) -> None:
        """Keep what was told and what was answered, to be looked at later."""
        self._platform.store.note(
            Exchange(
                id=self._platform.ids.new_id(),
                account_id=job.account_id,
                at=self._platform.clock.now(),
                dialect=DIALECT,
                verb="deliver_sm",
                outgoing=True,
                status=status or 0,
                request=delivered(bodies),
                answer="" if status is None else f"deliver_sm_resp {status_name(status)}",
                duration_ms=int(seconds * 1000),
                peer=session.connection.peer,
                job_id=job.id,
            )
        )

    def _roomiest(self, account_id: int) -> Session | None:
        receivers = [session for session in self._sessions.get(account_id, ()) if session.receives]
        return max(receivers, key=lambda session: session.connection.room, default=None)

    async def _bodies(self, job: Job, message: Message | None) -> Sequence[bytes]:
        if message is None:
            lonely = await self._desk.lonely(job)
            return [] if lonely is None else [lonely]
        if message.direction is Direction.MO:
            return inbound_bodies(message, self._desk.texts)
        state, at = told(job)
        return receipt_bodies(message, await self._desk.names(message, state), state, at)


def _context(settings: ServerSettings) -> ssl.SSLContext | None:
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


__all__ = ["DELIVER", "DIALECT", "ServerSettings", "SmppServer", "build", "read_settings"]
