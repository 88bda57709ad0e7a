"""The recordings that run at one switch."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from chappe.carriers.asterisk.ari import Answer
from chappe.carriers.asterisk.legs import OnSwitch, OnTape, bridge_of, recording_of
from chappe.carriers.asterisk.link import Link
from chappe.services.ports import RecordWanted

TAPE = "tape"
"""What a channel that listens for a recording says when it comes to us."""


class Tapes:
    """A room is recorded by its bridge. A leg is listened to by a channel of its own, so that it can be
    joined and played to as if nothing were."""

    def __init__(
        self,
        link: Link,
        application: str,
        over: Callable[[OnTape, str], None],
        task: Callable[[Awaitable[None]], None],
    ) -> None:
        self._link = link
        self._application = application
        self._over = over
        self._task = task
        self._running: dict[str, OnTape] = {}

    def __contains__(self, channel: str) -> bool:
        return channel in self._running

    async def record_room(self, recording_id: int, wanted: RecordWanted) -> None:
        """Begin with all that are in a room."""
        name = self._note(recording_id, wanted)
        path = f"bridges/{bridge_of(wanted.room)}/record"
        self._runs(name, await self._link.attempt("POST", path, _query(name, wanted)))

    async def record_leg(self, recording_id: int, wanted: RecordWanted, leg: OnSwitch) -> None:
        """Begin with what a leg says."""
        name = self._note(recording_id, wanted)
        query = {"spy": "in", "app": self._application, "appArgs": TAPE}
        self._begun(name, await self._link.attempt("POST", f"channels/{leg.channel}/snoop/{name}", query))

    async def listens(self, channel: str) -> None:
        """The channel that listens for a recording is there: it begins."""
        query = _query(channel, self._running[channel].wanted)
        self._runs(channel, await self._link.attempt("POST", f"channels/{channel}/record", query))

    async def stop(self, recording_id: int) -> None:
        """End one."""
        name = recording_of(recording_id)
        if name in self._running:
            self._begun(name, await self._link.attempt("POST", f"recordings/live/{name}/stop"))

    async def close_room(self, room: int) -> None:
        """End those of a room that is empty."""
        for tape in list(self._running.values()):
            if tape.wanted.leg_id is None and tape.wanted.room == room:
                await self.stop(tape.id)

    def pressed(self, leg_id: int, key: str) -> None:
        """A leg has pressed a key: recordings may end by it."""
        for tape in self._running.values():
            if tape.wanted.leg_id == leg_id and tape.wanted.ends_on_key and key == "#":
                tape.key = key
                self._soon(tape.id)

    def keep_only(self, names: Collection[str]) -> None:
        """After a connection was lost: those whose channels or bridges are not there any more have ended."""
        for name, tape in list(self._running.items()):
            where = name if tape.wanted.leg_id is not None else bridge_of(tape.wanted.room)
            if where not in names:
                self.ended(name, "")

    def ended(self, name: str, failed: str) -> OnTape | None:
        """The switch says that a recording is over; `failed` says why it is none."""
        tape = self._running.pop(name, None)
        if tape is not None:
            self._over(tape, failed)
        return tape

    def _note(self, recording_id: int, wanted: RecordWanted) -> str:
        name = recording_of(recording_id)
        self._running[name] = OnTape(recording_id, wanted)
        return name

    def _begun(self, name: str, answer: Answer | None) -> None:
        if answer is None or not answer.is_good:
            self.ended(name, "the switch did not do it")

    def _runs(self, name: str, answer: Answer | None) -> None:
        self._begun(name, answer)
        if (tape := self._running.get(name)) is not None:
            # Its own clock for this counts whole seconds.
            asyncio.get_running_loop().call_later(tape.wanted.longest_seconds, self._soon, tape.id)

    def _soon(self, recording_id: int) -> None:
        self._task(self.stop(recording_id))


def _query(name: str, wanted: RecordWanted) -> dict[str, str | int]:
    return {
        "name": name,
        "format": "wav",
        "ifExists": "overwrite",
        "maxDurationSeconds": wanted.longest_seconds + 5,
        "maxSilenceSeconds": wanted.silence_seconds,
    }
