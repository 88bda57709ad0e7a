"""The connection to one switch: held, found again when it was lost, and asked over."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import structlog

from chappe.carriers.asterisk.ari import Answer, Ari, AriLost, AriRefused, Event, connect
from chappe.carriers.asterisk.settings import AsteriskSettings, SwitchSettings
from chappe.model.carriers import LinkState
from chappe.services.ports import Clock

_log = structlog.get_logger()

_PAUSES = (0.1, 0.2, 0.5, 1.0)
LOST_AFTER = 5.0
"""Seconds for which a switch may be out of reach before its legs count as lost (our choice): calls go on
without us meanwhile."""


class Listener(Protocol):
    """Who lives on this connection."""

    def hear(self, event: Event) -> None:
        """Something happened at the switch."""
        ...

    async def reconcile(self, ari: Ari, lost_at: datetime | None) -> None:
        """The connection is there (again, after `lost_at`): what was missed meanwhile is found out."""
        ...

    def came_up(self) -> None:
        """From now on the switch can be asked."""
        ...

    def lost(self, at: datetime) -> None:
        """It is gone for longer than calls can be left alone."""
        ...


class Link:
    """One switch's connection."""

    def __init__(
        self, name: str, settings: AsteriskSettings, own: SwitchSettings, clock: Clock, listener: Listener
    ) -> None:
        self.name = name
        self.error = ""
        self.since = clock.now()
        self._settings = settings
        self._url = own.url
        self._clock = clock
        self._listener = listener
        self.connection: Ari | None = None
        self._up = asyncio.Event()
        self._tasks: set[asyncio.Future[None]] = set()
        self._lost: tuple[datetime, float] | None = None  # by the clock, and by the loop's

    @property
    def is_up(self) -> bool:
        """Whether the switch can be asked for something at this moment."""
        return self._up.is_set()

    @property
    def state(self) -> LinkState:
        """How it is at this moment."""
        return LinkState.UP if self.is_up else LinkState.DOWN if self.error else LinkState.CONNECTING

    async def run(self) -> None:
        """Hold the connection until cancelled; then it counts as lost."""
        tries = 0
        try:
            while True:
                try:
                    await self._hold()
                    tries = 0
                except (AriLost, AriRefused) as trouble:
                    self._say_down(str(trouble))
                if self._lost is not None and asyncio.get_running_loop().time() - self._lost[1] >= LOST_AFTER:
                    self._listener.lost(self._lost[0])
                await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
                tries += 1
        finally:
            self._up.clear()
            self._listener.lost(self._lost[0] if self._lost else self._clock.now())
            if self.connection is not None:
                self.connection.close()

    async def _hold(self) -> None:
        who = self._settings
        ari = await connect(self._url, who.user, who.password, who.application, self._listener.hear)
        try:
            self.connection = ari
            await self._listener.reconcile(ari, self._lost[0] if self._lost else None)
            self._lost, self.since, self.error = None, self._clock.now(), ""
            self._up.set()
            _log.info("a switch is up", switch=self.name)
            self._listener.came_up()
            reason = await ari.lost
        finally:
            ari.close()
        self._say_down(reason)

    def _say_down(self, reason: str) -> None:
        if self.is_up:
            self._up.clear()
            self.since = self._clock.now()
            self._lost = self.since, asyncio.get_running_loop().time()
        if reason != self.error:
            _log.warning("a switch is down", switch=self.name, reason=reason)
        self.error = reason

    async def ask(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> Answer:
        """Ask for something; once more where the connection was lost meanwhile, for everything has a name of
        ours. Raises AriLost."""
        for _ in range(2):
            if not self.is_up:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOST_AFTER):
                        await self._up.wait()
            ari = self.connection
            if ari is None or not self.is_up:
                raise AriLost(self.error or "the switch is out of reach")
            try:
                return await ari.ask(method, path, query, body)
            except AriLost:
                if not ari.lost.done():
                    raise
                await asyncio.sleep(0)  # until it is noted that it was lost
        raise AriLost("the connection was lost twice")

    async def attempt(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None
    ) -> Answer | None:
        """Ask; None where that is in vain. What cannot be done is not worth a call: a leg that is gone is
        told as ended anyway."""
        try:
            answer = await self.ask(method, path, query)
        except AriLost as lost:
            what = f"{method} {path}"
            _log.warning("a switch was asked in vain", switch=self.name, what=what, reason=str(lost))
            return None
        self._look_at(method, path, answer)
        return answer

    def say(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        then: Callable[[Answer | None], None] | None = None,
    ) -> None:
        """Attempt without waiting; what is said first is done first, unless the connection is lost meanwhile:
        then it is asked anew. `then` is told what became of it."""

        def take(given: Answer | AriLost) -> None:
            if isinstance(given, AriLost):
                self._again(method, path, query, then)
                return
            self._look_at(method, path, given)
            if then is not None:
                then(given)

        if self.connection is None or not self.is_up or self.connection.lost.done():
            self._again(method, path, query, then)
        else:
            self.connection.say(method, path, take, query)

    def _again(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        then: Callable[[Answer | None], None] | None,
    ) -> None:
        async def again() -> None:
            answer = await self.attempt(method, path, query)
            if then is not None:
                then(answer)

        task = asyncio.ensure_future(again())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _look_at(self, method: str, path: str, answer: Answer) -> None:
        if not answer.is_good and answer.status not in (404, 409):
            what = f"{method} {path}"
            _log.warning(
                "a switch refused", switch=self.name, what=what, status=answer.status, said=answer.body
            )
