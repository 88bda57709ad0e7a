"""Builds everything from the settings; the only module that knows all others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from importlib import import_module
from ipaddress import ip_network
from typing import Any

import msgspec
import structlog

from chappe.bus.queue import Queue
from chappe.carriers.sandbox.carrier import SandboxCarrier
from chappe.carriers.sandbox.voice import SandboxVoice
from chappe.carriers.smpp import server
from chappe.dialects.contract import Dialect
from chappe.dialects.pipeline import Application, Pipeline, Receive, Scope, Send
from chappe.host.asking import Choice, Quick
from chappe.host.calendars import CalendarFiles
from chappe.host.decoding import FileDecoder
from chappe.host.http import GuardedClient
from chappe.host.mail import OutboxMailer, SmtpMailer
from chappe.host.proxies import Proxies
from chappe.host.speech import SpeechMaker
from chappe.model.errors import Unavailable
from chappe.model.events import Event
from chappe.model.jobs import CLAIM
from chappe.model.outgoing import Mail, Outgoing
from chappe.platform import folder_of, open_platform
from chappe.services import health, jobs, messages, network, recordings, traffic
from chappe.services.closing import close_abandoned
from chappe.services.door import Door
from chappe.services.leases import Leases
from chappe.services.live import Later, in_this_loop
from chappe.services.outbox import Outbox
from chappe.services.ports import (
    REMEMBERED,
    CarrierSink,
    Clock,
    Mailer,
    MessageCarrier,
    NoticeTarget,
    Platform,
    Synthesizer,
    VoiceNetwork,
    VoiceSink,
    WebClient,
)
from chappe.services.switchboard import BEAT, PATIENCE, Switchboard
from chappe.settings import Limits, Settings, voices
from chappe.web.pages import build

_log = structlog.get_logger()
_LONGEST_WAIT = 1.0
_LAST_WAIT = 2.0
_RETENTION_EVERY = 600.0
_CONTACTS_EVERY = 10.0
_OLD_CONTACTS_EVERY = 86_400.0
_LOOK_EVERY = 2.0
_SAVE_EVERY = 60.0
_RELOAD_EVERY = 5.0
"""Seconds after which another node's change of a route is seen where its topic was lost."""


def load_dialects(settings: Settings) -> tuple[Dialect, ...]:
    """The faces of the dialects that the settings name, as they want them; no import registers anything."""
    found: list[Dialect] = []
    for name in settings.dialects:
        module = import_module(f"chappe.dialects.{name}.operations")
        faces = module.DIALECTS
        if name == "axialys":
            wanted = settings.axialys
            calling = module.dialect(header_row=wanted.header_row, change_lists=wanted.popup_maj_lists)
            faces = (calling, *faces[1:])
        found += faces
    return tuple(found)


def build_carrier(
    name: str, table: Mapping[str, Any], platform: Platform, sink: CarrierSink
) -> MessageCarrier:
    """The carrier of a section `[carriers.NAME]`; its folder has the name of its type."""
    module = import_module(f"chappe.carriers.{table.get('type', name)}.carrier")
    carrier: MessageCarrier = module.build(name, table, platform, sink)
    return carrier


def build_voice(name: str, table: Mapping[str, Any], platform: Platform, sink: VoiceSink) -> VoiceNetwork:
    """The voice carrier of a section `[carriers.NAME]`; its folder has the name of its type."""
    module = import_module(f"chappe.carriers.{table.get('type', name)}.voice")
    network: VoiceNetwork = module.build(name, table, platform, sink)
    return network


@dataclass(frozen=True, slots=True)
class DialectNotices:
    """Renders events in the manner of a dialect."""

    dialects: Mapping[str, Dialect]
    job_kinds: Mapping[str, str]

    def knows(self, dialect: str) -> bool:
        """See services/ports.py."""
        return dialect in self.dialects or dialect in self.job_kinds

    def job_kind(self, dialect: str) -> str:
        """See services/ports.py."""
        return self.job_kinds.get(dialect, "")

    def __call__(
        self, dialect: str, event: Event, target: NoticeTarget, now: datetime
    ) -> Outgoing | Mail | None:
        """See services/ports.py. A dialect that is switched off has no words."""
        face = self.dialects.get(dialect)
        return None if face is None else face.notice(event, target, now)


@dataclass(frozen=True, slots=True)
class Chappe:
    """The running platform: its ports, its web application, and its loops' steps."""

    platform: Platform
    dialects: tuple[Dialect, ...]
    application: Application
    choose: Choice
    carriers: tuple[MessageCarrier, ...]
    outbox: Mapping[str, Outbox]
    queue: Queue
    smpp_server: server.SmppServer | None
    switchboard: Switchboard
    voice_networks: Sequence[VoiceNetwork]
    shared: bool
    leases: Leases
    close_wires: Callable[[], None]

    async def settle(self, most: int = 1000) -> None:
        """Do all outgoing work that is due, until there is none; for tests, instead of the loops."""
        for _ in range(most):
            done = await self.queue.step()
            for carrier in self.carriers:
                done += await self.outbox[carrier.name].step(carrier)
            swept = await messages.sweep(self.platform)
            if not done and not swept.released and not swept.expired:
                return
        raise RuntimeError(f"work was still being made after {most} rounds")


def _mailer(settings: Settings, data: str) -> Mailer:
    mail = settings.mail
    if mail.host:
        return SmtpMailer(
            mail.host, mail.port, mail.username or None, mail.password or None, mail.sender, mail.start_tls
        )
    return OutboxMailer(folder_of(settings, data) / "mail")


@asynccontextmanager
async def assemble(
    settings: Settings,
    data: str,
    *,
    clock: Clock | None = None,
    web: WebClient | None = None,
    mailer: Mailer | None = None,
    synthesizer: Synthesizer | None = None,
    door: Callable[[bytes], Door] | None = None,
    later: Later = in_this_loop,
    serving: bool = False,
) -> AsyncIterator[Chappe]:
    """The whole platform, without its loops running."""
    dialects = load_dialects(settings)
    async with AsyncExitStack() as stack:
        if web is None:
            web = GuardedClient(
                allow=[ip_network(one) for one in settings.outgoing.allow], connections_per_host=32
            )
            stack.push_async_callback(web.close)
        platform, records = await open_platform(
            settings,
            data,
            clock=clock,
            web=web,
            mailer=mailer or _mailer(settings, data),
            notices=DialectNotices(
                {dialect.name: dialect for dialect in reversed(dialects)},
                {server.DIALECT: server.DELIVER} if settings.smpp_server else {},
            ),
            decoder=FileDecoder(),
            calendars=CalendarFiles(),
            synthesizer=synthesizer or SpeechMaker(folder_of(settings, data) / "speech"),
            door=door,
            serving=serving,
        )
        stack.push_async_callback(records.close)
        leases = Leases(platform.store, platform.node, shared=serving and records.shared)
        calling = voices(settings.carriers)
        names = {SandboxCarrier.name, *settings.carriers} - set(calling)
        outbox = {name: Outbox(platform, leases.lease(f"carrier.{name}")) for name in names}
        sandbox = SandboxCarrier(platform, outbox["sandbox"], late=Outbox(platform))
        networks = [
            build_carrier(name, table, platform, outbox[name])
            for name, table in settings.carriers.items()
            if name != sandbox.name and name not in calling
        ]
        switchboard = Switchboard(platform, later)
        voice_networks = [
            build_voice(name, settings.carriers[name], platform, switchboard) for name in calling
        ]
        everything: Sequence[MessageCarrier | VoiceNetwork] = (sandbox, *networks, *voice_networks)
        for carrier in everything:
            platform.carriers.join(
                carrier.name, carrier.status, leases.lease(f"carrier.{carrier.name}").holds
            )
        centre = server.build(settings.smpp_server, platform) if settings.smpp_server else None
        if centre is not None:
            platform.carriers.serve(centre.status)
        voice = SandboxVoice(platform, switchboard, later)
        for network in (voice, *voice_networks):
            switchboard.connect(network)
        platform.live_calls.connect(switchboard, voice)
        pages = build(platform)
        pipeline = Pipeline(platform, dialects, pages)
        application: Application = Health(pipeline, platform)
        choose = _choice(pipeline)
        if settings.trusted_proxies:
            proxies = Proxies.of(settings.trusted_proxies)
            application, choose = proxies.application(application), proxies.choice(choose)
        yield Chappe(
            platform=platform,
            dialects=dialects,
            application=application,
            choose=choose,
            carriers=(sandbox, *networks),
            outbox=outbox,
            queue=Queue(
                platform,
                {**jobs.KINDS, **sandbox.job_kinds, **(centre.job_kinds if centre is not None else {})},
            ),
            smpp_server=centre,
            switchboard=switchboard,
            voice_networks=voice_networks,
            shared=records.shared,
            leases=leases,
            close_wires=lambda: setattr(pages.state, "closing", True),
        )


@asynccontextmanager
async def running(settings: Settings, data: str) -> AsyncIterator[Chappe]:
    """The whole platform with its loops; they end before the store is closed."""
    async with assemble(settings, data, serving=True) as chappe, AsyncExitStack() as stack:
        platform = chappe.platform
        if not chappe.shared:
            await close_abandoned(platform, platform.clock.now())  # nobody else can be working them
        platform.handover.connect_queue(chappe.queue.take)
        tasks = [asyncio.create_task(loop) for loop in _loops(chappe, settings.limits)]

        async def stop() -> None:
            await chappe.switchboard.stop()
            await chappe.queue.drain(_LAST_WAIT)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            with suppress(Exception):  # a database that is away has no lease of ours for long
                async with asyncio.timeout(_LAST_WAIT):
                    await chappe.leases.leave()

        stack.push_async_callback(stop)
        yield chappe


def _loops(chappe: Chappe, limits: Limits) -> list[Coroutine[Any, Any, None]]:
    platform = chappe.platform

    async def sweep() -> bool:
        swept = await messages.sweep(platform)
        return bool(swept.released or swept.expired)

    async def work() -> bool:
        return bool(await chappe.queue.step())

    async def gather() -> bool:
        await platform.store.gather_contacts(platform.clock.now())
        return False

    async def forget_contacts() -> bool:
        await platform.store.forget_contacts(platform.clock.now())
        return False

    async def keep_claims() -> bool:
        await chappe.queue.keep_claims()
        return False

    async def retain() -> bool:
        now = platform.clock.now()
        return bool(await platform.store.forget(now, 1000) + await recordings.forget(platform, now))

    async def look_at_disk() -> bool:
        platform.store.look_at_disk(limits.free_disk_mb * 1_000_000)
        return False

    watch = network.Watch(platform)

    async def look() -> bool:
        await watch.step()
        return False

    async def save() -> bool:
        await traffic.save(platform)
        return False

    async def reload() -> bool:
        await network.load_routes(platform)
        return False

    async def beat() -> bool:
        await chappe.switchboard.beat()
        await chappe.switchboard.keep_caps()
        return False

    async def close() -> bool:
        return bool(await close_abandoned(platform, platform.clock.now() - PATIENCE))

    clockwork, next_due = chappe.leases.lease("clockwork"), platform.store.queries.next_due
    loops: list[Coroutine[Any, Any, None]] = [
        platform.topics.run(),
        clockwork.work(lambda: _repeat(platform, "clockwork", sweep, next_due)),
        clockwork.work(lambda: _repeat(platform, "contacts", gather, None, _CONTACTS_EVERY)),
        clockwork.work(lambda: _repeat(platform, "retention", retain, None, _RETENTION_EVERY)),
        clockwork.work(lambda: _repeat(platform, "old contacts", forget_contacts, None, _OLD_CONTACTS_EVERY)),
        clockwork.work(lambda: _repeat(platform, "abandoned", close, None)),
        _repeat(platform, "calls", beat, None, BEAT.total_seconds()),
        _repeat(platform, "carriers", look, None, _LOOK_EVERY),
        _repeat(platform, "minutes", save, None, _SAVE_EVERY),
        _repeat(platform, network.ROUTES, reload, None, _RELOAD_EVERY),
        _repeat(platform, "jobs", work, platform.store.queries.next_job_at),
        _repeat(platform, "claims", keep_claims, None, CLAIM.total_seconds() / 3),
        _repeat(platform, "disk", look_at_disk, None),
        _heed(platform, "directory", platform.door.forget),
        _heed(platform, REMEMBERED, platform.store.forget_remembered),
    ]
    if chappe.smpp_server is not None:
        loops.append(chappe.smpp_server.run())
    for carrier in chappe.carriers:
        lease = chappe.leases.lease(f"carrier.{carrier.name}")
        loops.append(lease.work(partial(_carry, platform, carrier, chappe.outbox[carrier.name])))
    for voice in chappe.voice_networks:
        loops.append(chappe.leases.lease(f"carrier.{voice.name}").work(partial(_hold, voice)))
    return [*loops, chappe.leases.run()]


async def _heed(platform: Platform, topic: str, react: Callable[[], None]) -> None:
    """React to what another node has published, or this one."""
    with platform.topics.subscribe(topic) as bell:
        while True:
            await bell.wait()
            react()


async def _carry(platform: Platform, carrier: MessageCarrier, outbox: Outbox) -> None:
    """Hold a carrier's connections and hand over what waits for it, until cancelled."""

    async def submit() -> bool:
        return bool(await outbox.step(carrier))

    outbox.begin(carrier)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_hold(carrier))
            group.create_task(_repeat(platform, f"carrier.{carrier.name}", submit, None))
    finally:
        outbox.end()


async def _hold(carrier: MessageCarrier | VoiceNetwork) -> None:
    while True:
        try:
            await carrier.run()
        except Exception:  # noqa: BLE001 - one of the outer loops
            _log.exception("carrier failed", carrier=carrier.name)
        await asyncio.sleep(_LONGEST_WAIT)


async def _repeat(
    platform: Platform,
    topic: str,
    step: Callable[[], Awaitable[bool]],
    next_at: Callable[[], Awaitable[datetime | None]] | None,
    longest: float = _LONGEST_WAIT,
) -> None:
    """Step until there is nothing to do, then wait for the topic's bell or the next due time."""
    with platform.topics.subscribe(topic) as bell:
        while True:
            try:
                if await step():
                    continue
                at = None if next_at is None else await next_at()
            except Unavailable as trouble:
                _log.warning("loop waits", loop=topic, reason=trouble.detail)
                at = None
            except Exception:  # noqa: BLE001 - one of the outer loops
                # A database that is away for a moment must not end the loop; the work is still there.
                _log.exception("loop failed", loop=topic)
                at = None
            wait = longest
            if at is not None:
                wait = min(longest, max(0.001, (at - platform.clock.now()).total_seconds()))
            await bell.wait(wait)


def _choice(pipeline: Pipeline) -> Choice:
    """Requests of dialects are answered in one piece; everything else is for the pages."""

    def desk(dialect: Dialect, limit: int) -> Quick:
        return Quick(partial(pipeline.answer, dialect), limit, partial(pipeline.too_large, dialect, limit))

    desks = {
        (id(dialect), limit): desk(dialect, limit)
        for dialect in pipeline.dialects
        for limit in (dialect.body_limit, *dialect.body_limits.values())
    }

    @lru_cache(maxsize=4096)
    def choose(path: str) -> Quick | None:
        dialect = pipeline.face_of(path)
        return None if dialect is None else desks[id(dialect), dialect.limit_at(path)]

    return choose


@dataclass(frozen=True, slots=True)
class Health:
    """Answers `/healthz` (the process lives) and `/readyz` (it can accept messages: 200, else 503 and why)
    before anything else looks at a request."""

    inner: Application
    platform: Platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in ("/healthz", "/readyz"):
            status, answer = 200, {"status": "ok"}
            if scope["path"] == "/readyz":
                status, answer = await self._ready()
            body = msgspec.json.encode(answer)
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            if status != 200:
                headers.append((b"retry-after", b"1"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await self.inner(scope, receive, send)

    async def _ready(self) -> tuple[int, dict[str, Any]]:
        found = await health.look(self.platform)
        status = "not ready" if found.troubles else "ok"
        answer = {"status": status, "carriers": found.carriers}
        return (503, {**answer, "troubles": found.troubles}) if found.troubles else (200, answer)
