"""One bind to a network that is made again whenever it is lost."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from chappe.carriers.smpp.connection import Connection, Time
from chappe.carriers.smpp.pace import Pace
from chappe.carriers.smpp.settings import SmppSettings
from chappe.carriers.smpp.units import Unit
from chappe.model.carriers import LinkState, LinkStatus
from chappe.protocols.smpp.bind import (
    Answered,
    Asked,
    Bind,
    Bound,
    Broken,
    Event,
    Side,
    State,
    Timing,
    Unanswered,
)
from chappe.protocols.smpp.bodies import Login
from chappe.protocols.smpp.codes import Command

_log = structlog.get_logger()

_TO_BE_ACKNOWLEDGED = (Command.DELIVER_SM, Command.DATA_SM)
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class Owner(Protocol):
    """The carrier, as its links see it. None of these awaits."""

    def answered(self, link: "Link", answers: Sequence[Answered[Unit]]) -> None:
        """Answers of one read."""
        ...

    def unknown(self, units: Sequence[Unit], why: str) -> None:
        """What became of these units nobody knows."""
        ...

    def asked(self, link: "Link", connection: Connection[Unit], asked: Sequence[Asked]) -> None:
        """Receipts and inbound messages of one read; `connection` acknowledges them."""
        ...

    def changed(self) -> None:
        """A link came up, went down or has room again."""
        ...


class Link:
    """A bind of one kind. `run` holds it; it takes units where it has room."""

    def __init__(
        self,
        carrier: str,
        kind: State,
        settings: SmppSettings,
        owner: Owner,
        time: Time,
        now: Callable[[], datetime],
        context: ssl.SSLContext | None,
    ) -> None:
        self.kind = kind
        self._carrier = carrier
        self.pace = Pace(settings.per_second, time.time())
        self.submitted = self.accepted = self.refused = self.throttled = 0
        self.receipts = self.inbound = 0
        self._settings = settings
        self._owner = owner
        self._time = time
        self._now = now
        self._context = context
        self._state = LinkState.DOWN
        self._since = now()
        self._error = ""
        self._connection: Connection[Unit] | None = None

    # --- what the carrier asks of it

    @property
    def is_up(self) -> bool:
        """Whether the network took the bind."""
        return self._state is LinkState.UP

    @property
    def submits(self) -> bool:
        """Whether it is a bind that takes messages."""
        return self.kind is not State.RECEIVER

    @property
    def unanswered(self) -> int:
        """Units on their way."""
        return self._connection.bind.unanswered if self._connection is not None else 0

    def room(self, now: float) -> int:
        """How many units may leave now, by window and pace."""
        if self._connection is None or not self.is_up:
            return 0
        allowed = self.pace.allowed(now)
        room = self._connection.room
        return room if allowed is None else min(room, allowed)

    def send(self, units: Sequence[Unit]) -> None:
        """Send units, at most as many as there is room for, in one piece."""
        assert self._connection is not None
        self._connection.send(units)
        self._connection.flush()
        self.pace.spend(len(units), self._time.time())
        self.submitted += len(units)

    def status(self) -> LinkStatus:
        """See model/carriers.py."""
        strained = self._state is LinkState.UP and self.pace.strained
        return LinkStatus(
            kind=self.kind.value,
            state=LinkState.STRAINED if strained else self._state,
            since=self._since,
            unanswered=self.unanswered,
            window=self._settings.window if self.submits else 0,
            per_second=self.pace.per_second if self.submits else None,
            submitted=self.submitted,
            accepted=self.accepted,
            refused=self.refused,
            throttled=self.throttled,
            receipts=self.receipts,
            inbound=self.inbound,
            error=self._error,
        )

    def leave(self) -> None:
        """Say good-bye and end the connection."""
        self._error = "we unbound"
        if self._connection is not None:
            self._connection.bind.unbind(self._time.time())
            self._connection.flush()
            self._connection.close()

    # --- holding the connection

    async def run(self) -> None:
        """Connect, bind, and do it again whenever that is lost, until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            pause = _FIRST_PAUSE if await self._connect() else min(pause * 2, _LONGEST_PAUSE)
            await self._rest(pause)

    async def _connect(self) -> bool:
        """One connection from its beginning to its end; whether the network took the bind."""
        settings = self._settings
        self._enter(LinkState.CONNECTING)
        timing = Timing(settings.enquire_link_seconds, settings.response_seconds)
        bind: Bind[Unit] = Bind(Side.CLIENT, self._time.time(), settings.window, timing)
        bind.login(self.kind, Login(settings.system_id, settings.password, settings.system_type))
        connection = Connection(bind, self._time, settings.unacknowledged, self._heard)
        self._connection = connection
        try:
            async with asyncio.timeout(settings.response_seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection,
                    settings.host,
                    settings.port,
                    ssl=self._context,
                    server_hostname=(settings.tls_name or settings.host) if self._context else None,
                )
            await connection.ended.wait()
            if connection.error is not None:
                self._error = f"the connection was lost: {connection.error}"
        except (OSError, TimeoutError) as error:
            why = str(error) or f"no connection within {settings.response_seconds:g} seconds"
            self._error = f"{settings.host}:{settings.port}: {why}"
        finally:
            connection.close()
            self._connection = None
            was_up = self.is_up
            self._error = self._error or "the network closed the connection"
            self._enter(LinkState.DOWN)
            self._owner.unknown(bind.lost(), self._error)
            self._owner.changed()
        return was_up

    async def _rest(self, seconds: float) -> None:
        rested = asyncio.Event()
        timer = self._time.call_at(self._time.time() + seconds, rested.set)
        try:
            await rested.wait()
        finally:
            timer.cancel()

    def _heard(self, events: Sequence[Event[Unit]]) -> None:
        """Everything that one read, or one second, brought."""
        connection = self._connection
        if connection is None:
            return
        answers: list[Answered[Unit]] = []
        asked: list[Asked] = []
        for event in events:
            match event:
                case Answered():
                    answers.append(event)
                case Asked(command) if command in _TO_BE_ACKNOWLEDGED:
                    asked.append(event)
                case Asked():
                    pass  # alert_notification, outbind: nothing here waits for them
                case Bound():
                    self._error = ""
                    self._enter(LinkState.UP)
                case Unanswered(tag):
                    self._owner.unknown([tag], "no answer in time")
                case Broken(reason):
                    self._error = reason
                    connection.flush()
                    connection.close()
        if answers:
            self._owner.answered(self, answers)
        if asked:
            connection.wait(len(asked))
            self._owner.asked(self, connection, asked)
        if not answers:
            self._owner.changed()

    def _enter(self, state: LinkState) -> None:
        if state is not self._state:
            if LinkState.UP in (state, self._state):  # the tries in between do not make it down any later
                self._since = self._now()
            self._state = state
            _log.info(
                "link", carrier=self._carrier, kind=self.kind.value, state=state.value, error=self._error
            )
