"""A whole platform for tests: a clock that stands still, cheap password hashes, no loops, no network."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

import msgspec
from argon2 import PasswordHasher

from chappe.app import Chappe, assemble
from chappe.media import tones
from chappe.model.commands import Caller
from chappe.model.directory import Account
from chappe.model.errors import Unavailable
from chappe.model.outgoing import Answer, Mail, Outgoing
from chappe.model.sounds import Speech
from chappe.services import accounts, directory
from chappe.services.accounts import NewAccount
from chappe.services.door import Door
from chappe.settings import Settings

START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


@dataclass
class ManualClock:
    """Stands still until a test moves it."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class RecordingWeb:
    """A customer's server: keeps what it was sent and answers what it was told to, last word repeated."""

    answers: list[int | Exception] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    sent: list[Outgoing] = field(default_factory=list)

    async def send(self, outgoing: Outgoing) -> Answer:
        self.sent.append(outgoing)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer, self.headers, b"", 1)


@dataclass
class RecordingMailer:
    """A mail server that takes everything."""

    sent: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        self.sent.append(mail)


class HummingSpeech:
    """Hums each text for 20 ms a character, at 300 Hz for a woman and 200 Hz for a man."""

    async def speak(self, speech: Speech) -> bytes:
        return tones.sine(300 if speech.voice == "female" else 200, 0.02 * len(speech.text))


@dataclass
class ManualTimers:
    """Fire when a test lets time pass."""

    clock: ManualClock
    waiting: list["ManualTimer"] = field(default_factory=list)

    def later(self, seconds: float, what: Callable[[], None]) -> "ManualTimer":
        timer = ManualTimer(self.clock.at + timedelta(seconds=seconds), what, self.waiting)
        self.waiting.append(timer)
        return timer


@dataclass(eq=False)
class ManualTimer:
    """One of them."""

    at: datetime
    what: Callable[[], None]
    waiting: list["ManualTimer"]

    def cancel(self) -> None:
        if self in self.waiting:
            self.waiting.remove(self)


@dataclass
class World:
    """The platform under test with everything a test may turn."""

    chappe: Chappe
    clock: ManualClock
    timers: ManualTimers
    web: RecordingWeb
    mailer: RecordingMailer

    @property
    def platform(self):  # type: ignore[no-untyped-def]
        return self.chappe.platform

    async def account(self, name: str = "shop", credits: int = 200) -> NewAccount:
        return await accounts.create_account(self.platform, name, credits=credits * 1000)

    async def balance(self, account: Account | int) -> int:
        account_id = account if isinstance(account, int) else account.id
        found = await self.platform.store.queries.account(account_id)
        assert found is not None
        return found.balance

    async def settle(self) -> None:
        await self.chappe.switchboard.settle()
        await self.chappe.settle()

    async def wait(self, seconds: float) -> None:
        """Let time pass for calls: everything that falls due happens at its moment."""
        end = self.clock.at + timedelta(seconds=seconds)
        await self.chappe.switchboard.settle()
        while due := [one for one in self.timers.waiting if one.at <= end]:
            timer = min(due, key=lambda one: one.at)
            self.timers.waiting.remove(timer)
            self.clock.at = max(self.clock.at, timer.at)
            timer.what()
            await self.chappe.switchboard.settle()
        self.clock.at = end


def caller(new: NewAccount, dialect: str = "rest", region: str = "FR") -> Caller:
    return directory.caller_of(new.account, new.user, dialect, region)


def cheap_door(secret: bytes) -> Door:
    return Door(secret, b"process", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@asynccontextmanager
async def a_world(address: str, settings: Settings | None = None) -> AsyncIterator[World]:
    """A platform on the database at `address` (a folder or a postgresql:// address)."""
    clock, web, mailer = ManualClock(), RecordingWeb(), RecordingMailer()
    timers, settings = ManualTimers(clock), settings or Settings()
    async with AsyncExitStack() as stack:
        if address.startswith("postgresql:") and not settings.files:
            folder = stack.enter_context(TemporaryDirectory())
            settings = msgspec.structs.replace(settings, files=folder)
        chappe = await stack.enter_async_context(
            assemble(
                settings,
                address,
                clock=clock,
                web=web,
                mailer=mailer,
                synthesizer=HummingSpeech(),
                door=cheap_door,
                later=timers.later,
            )
        )
        yield World(chappe, clock, timers, web, mailer)
        with suppress(Unavailable):  # a test may have taken the database away
            await chappe.switchboard.stop()  # no call asks the database when it is closed
