"""The ports on a database: what the server and the command line both need, and nothing heavier."""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from socket import gethostname
from urllib.parse import urlsplit

from chappe.bus.memory import MemoryTopics
from chappe.model.directory import ShortCode
from chappe.model.errors import Fault, Refusal
from chappe.model.events import Event
from chappe.model.ledger import CREDIT, Route, Tariff, write_place
from chappe.model.metrics import Metrics
from chappe.model.outgoing import Answer, Mail, Outgoing
from chappe.services.carriers import Carriers
from chappe.services.door import Door
from chappe.services.guard import Guard
from chappe.services.network import load_routes
from chappe.services.ports import (
    REMEMBERED,
    CalendarReader,
    Clock,
    Decoder,
    Mailer,
    NoCalendars,
    NoDecoder,
    NoSpeech,
    Notices,
    NoticeTarget,
    Platform,
    Rules,
    Synthesizer,
    Topics,
    WebClient,
)
from chappe.services.routing import Router
from chappe.settings import Settings, voices
from chappe.store.database import DatabaseUnusable
from chappe.store.ids import SortableIds
from chappe.store.migrate import node_number, opened, shared_secret
from chappe.store.records import Records


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See services/ports.py."""
        return datetime.now(UTC)


_NOTHING_SENT = "nothing is sent from the command line; the server does it"


class NoWeb:
    """The web client of a command, which sends nothing."""

    async def send(self, outgoing: Outgoing) -> Answer:
        """Refuse."""
        raise Refusal(Fault.UNSUPPORTED, _NOTHING_SENT)


class NoMail:
    """The mailer of a command, which sends nothing."""

    async def send(self, mail: Mail) -> None:
        """Refuse."""
        raise Refusal(Fault.UNSUPPORTED, _NOTHING_SENT)


class NoWords:
    """The dialects' words in a command, which tells nobody."""

    def knows(self, dialect: str) -> bool:
        """No dialect is served here."""
        return False

    def job_kind(self, dialect: str) -> str:
        """No account is connected here."""
        return ""

    def __call__(self, dialect: str, event: Event, target: NoticeTarget, now: datetime) -> None:
        """No dialect has a word."""


def folder_of(settings: Settings, data: str) -> Path:
    """Where files are kept: the setting `files`, else the data folder; with PostgreSQL `var`."""
    if settings.files:
        return Path(settings.files)
    return Path("var") if data.startswith(("postgres:", "postgresql:")) else Path(data)


def telephone_server(settings: Settings) -> str:
    """Where telephones of lines register, as they are told: `calls.server`, else the address of the carrier
    that serves them, where it has one of its own, else the host of the public URL."""
    if settings.calls.server:
        return settings.calls.server
    carrier = settings.carriers.get(Carriers({}, voices(settings.carriers), settings.calls.lines).lines, {})
    host = str(carrier.get("public_address") or carrier.get("listen") or "0.0.0.0")
    if host == "0.0.0.0":
        host = urlsplit(settings.public_url).hostname or "127.0.0.1"
    return f"{host}:{carrier.get('port', 5060)}"


async def open_platform(
    settings: Settings,
    data: str,
    *,
    clock: Clock | None = None,
    web: WebClient | None = None,
    mailer: Mailer | None = None,
    notices: Notices | None = None,
    synthesizer: Synthesizer | None = None,
    decoder: Decoder | None = None,
    calendars: CalendarReader | None = None,
    door: Callable[[bytes], Door] | None = None,
    serving: bool = False,
) -> tuple[Platform, Records]:
    """The ports on a database: migrated, seeded from the settings. Close Records when done.

    With `serving` this is a server of the database, not a command. Raises DatabaseUnusable.
    """
    clock = clock or SystemClock()
    address = settings.database or data
    database = await opened(address)
    if serving:
        try:
            await database.hold(_end)
        except DatabaseUnusable:
            await database.close()
            raise
    number = await node_number(database)
    ids, node = SortableIds(clock, number), f"{gethostname()} {number}"
    metrics = Metrics()
    records = Records(database, clock, ids, metrics, node)
    if serving and not records.shared:
        await records.end_claims(clock.now())
    await records.adopt(
        [
            ShortCode(ids.new_id(), code.number, code.country, round(code.revenue * CREDIT), code.label)
            for code in settings.short_codes
        ]
        + [Tariff(ids.new_id(), t.kind, t.prefix, round(t.price * CREDIT)) for t in settings.tariffs]
        + [
            Route(ids.new_id(), r.kind, r.prefix, write_place(first), " ".join(map(write_place, others)))
            for r in settings.routes
            for first, *others in [r.places]
        ]
    )
    secret = settings.secret.encode()[:64] if settings.secret else await shared_secret(database)
    limits = settings.limits
    topics = _topics(address, node) if serving and database.shared else MemoryTopics()
    records.tell_of_changes(lambda: topics.publish(REMEMBERED))
    platform = Platform(
        store=records,
        topics=topics,
        clock=clock,
        ids=ids,
        web=web or NoWeb(),
        mailer=mailer or NoMail(),
        notices=notices or NoWords(),
        router=Router(round(limits.price * CREDIT), round(limits.minute_price * CREDIT)),
        carriers=Carriers(
            {name: str(table.get("type", name)) for name, table in settings.carriers.items()},
            voices(settings.carriers),
            settings.calls.lines,
        ),
        door=door(secret) if door else Door(secret, token_bytes(32)),
        metrics=metrics,
        rules=Rules(
            welcome=round(limits.welcome_credits * CREDIT),
            max_segments=limits.max_segments,
            max_recipients=limits.max_recipients,
            validity_seconds=limits.validity_hours * 3600,
            stop_number=limits.stop_number,
            public_url=settings.public_url,
            senders_registered=settings.rules.senders == "registered",
            daily_cap=round(settings.rules.daily_cap * CREDIT),
            brake=settings.rules.brake,
            minute_price=round(limits.minute_price * CREDIT),
            calls_at_once=settings.calls.at_once,
            calls_at_once_per_line=settings.calls.at_once_per_line,
            calls_a_minute=settings.calls.per_minute,
            calls_a_day=settings.calls.per_day,
            calls_cap=round(settings.calls.spend_per_day * CREDIT),
            call_in_numbers=settings.conferences.numbers,
            telephone_server=telephone_server(settings),
        ),
        guard=Guard(),
        node=node,
        synthesizer=synthesizer or NoSpeech(),
        decoder=decoder or NoDecoder(),
        calendars=calendars or NoCalendars(),
        folder=folder_of(settings, data),
    )
    await load_routes(platform)
    return platform, records


def _end(error: Exception) -> None:
    """Nothing that was written lately may be relied on; started again, the server goes on from what is
    really on the disk."""
    reason = f"what was written cannot be kept on the disk ({error}); start me again when it is in order"
    print(f"chappe: {reason}", file=sys.stderr, flush=True)
    os._exit(os.EX_IOERR)


def _topics(address: str, node: str) -> Topics:
    # Imported here: its library costs a tenth of a second, and SQLite does without.
    from chappe.bus.postgres import PostgresTopics

    return PostgresTopics(address, node)
