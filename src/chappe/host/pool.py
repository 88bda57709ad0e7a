"""Connections to many servers: kept for the next request, bounded, and shared out in fair turns."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from chappe.host.connections import Connection

Key: TypeAlias = tuple[str, str, int]  # scheme, host, port


class Place:
    """One server: its idle connections, newest last, all that are open or being opened, and who waits."""

    __slots__ = ("idle", "is_timed", "key", "open", "waiting")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.idle: list[Connection] = []
        self.open = 0
        self.waiting: dict[asyncio.Future[Connection | None], float] = {}  # until when, in their order
        self.is_timed = False


class Pool:
    """At most `most` connections, at most `most_per_place` of them to one place.

    Half of them are for places that have none yet: a few slow servers cannot take all, and another place
    finds a connection at once. A slot that becomes free goes to the waiting place that has fewest.
    """

    def __init__(
        self, opened: Callable[[Key], Awaitable[Connection]], most: int, most_per_place: int
    ) -> None:
        self._opened = opened
        self._most = most
        self._most_per_place = most_per_place
        self._open = 0
        self._places: dict[Key, Place] = {}
        self._place_of: dict[Connection, Place] = {}
        self._idle: dict[Connection, None] = {}  # longest idle first
        self._hungry: dict[Place, None] = {}

    def kept(self, key: Key) -> Connection | None:
        """An idle connection, if there is one."""
        place = self._places.get(key)
        return self._pop(place) if place is not None and place.idle else None

    async def take(self, key: Key, until: float) -> Connection:
        """A connection, which gives itself back when it has answered; waits for its turn. Raises TimeoutError
        where there is none `until` a time of the loop; who asks later waits no less long."""
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = Place(key)
        if place.idle:
            return self._pop(place)
        if self._may_open(place, self._free()):
            self._count(place)
        elif (handed := await self._turn(place, until)) is not None:
            return handed
        try:
            async with asyncio.timeout_at(until):
                connection = await self._opened(key)
        except BaseException:
            self._release(place)
            raise
        self._place_of[connection] = place
        return connection

    def drop_kept(self, key: Key) -> None:
        """Close the idle connections to a server that seems to have closed them too."""
        place = self._places.get(key)
        for connection in list(place.idle) if place is not None else ():
            connection.close()

    def close(self) -> None:
        """Close what is idle."""
        for connection in list(self._idle):
            connection.close()

    # For connections

    def give_back(self, connection: Connection) -> None:
        """See Owner. The next in turn gets it, unless another place has to wait for a slot with less."""
        place = self._place_of[connection]
        if self._hungry:
            fewest = min(self._hungry, key=_open)
            if fewest.open + 1 < place.open and self._may_open(fewest, self._free() + 1):
                connection.close()
                return
            if (turn := self._next_turn(place)) is not None:
                turn.set_result(connection)
                return
        place.idle.append(connection)
        self._idle[connection] = None
        self._serve_the_hungry()

    def forget(self, connection: Connection) -> None:
        """See Owner."""
        place = self._place_of.pop(connection, None)
        if place is None:
            return
        if connection in self._idle:
            del self._idle[connection]
            place.idle.remove(connection)
        self._release(place)

    # Slots

    def _pop(self, place: Place) -> Connection:
        connection = place.idle.pop()
        del self._idle[connection]
        return connection

    def _free(self) -> int:
        return self._most - self._open + len(self._idle)

    def _may_open(self, place: Place, free: int) -> bool:
        if not place.open:
            return free > 0
        return place.open < self._most_per_place and free > self._most // 2

    def _count(self, place: Place) -> None:
        place.open += 1
        self._open += 1
        if self._open > self._most:
            next(iter(self._idle)).close()

    def _release(self, place: Place) -> None:
        place.open -= 1
        self._open -= 1
        self._remove_if_empty(place)
        self._serve_the_hungry()

    def _remove_if_empty(self, place: Place) -> None:
        if not place.open and not place.waiting:
            self._places.pop(place.key, None)

    # Turns

    async def _turn(self, place: Place, until: float) -> Connection | None:
        """Wait for a connection, or (None) for the slot of a new one."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection | None] = loop.create_future()
        place.waiting[turn] = until
        self._hungry[place] = None
        if not place.is_timed:
            place.is_timed = True
            loop.call_at(until, self._look_at_the_clock, place)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(place, turn)
                self._remove_if_empty(place)
            elif turn.exception() is not None:
                pass  # its time was over at the same moment
            elif (handed := turn.result()) is not None:
                self.give_back(handed)
            else:
                self._release(place)
            raise

    def _look_at_the_clock(self, place: Place) -> None:
        """One timer for those who wait for a place, not one for each: it comes when the first of them has
        waited long enough, and then for the first that is left."""
        loop, place.is_timed = asyncio.get_running_loop(), False
        for turn, until in list(place.waiting.items()):
            if until > loop.time():
                place.is_timed = True
                loop.call_at(until, self._look_at_the_clock, place)
                break
            self._leave(place, turn)
            if not turn.done():
                turn.set_exception(TimeoutError())
        self._remove_if_empty(place)

    def _next_turn(self, place: Place) -> "asyncio.Future[Connection | None] | None":
        while place.waiting:
            turn = next(iter(place.waiting))
            self._leave(place, turn)
            if not turn.done():  # given up a moment ago
                return turn
        return None

    def _leave(self, place: Place, turn: "asyncio.Future[Connection | None]") -> None:
        place.waiting.pop(turn, None)
        if not place.waiting:
            self._hungry.pop(place, None)

    def _serve_the_hungry(self) -> None:
        while self._hungry:
            place = min(self._hungry, key=_open)
            if not self._may_open(place, self._free()):
                return
            if (turn := self._next_turn(place)) is not None:
                self._count(place)
                turn.set_result(None)


def _open(place: Place) -> int:
    return place.open
