"""Topics of all nodes on one PostgreSQL database, over LISTEN and NOTIFY."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import asyncpg
import structlog

from chappe.bus.memory import MemoryTopics, MemoryWaiter

_CHANNEL = "chappe"
_LONGEST_PAYLOAD = 7_900
"""Bytes; PostgreSQL takes less than 8,000 (documentation of NOTIFY)."""

_PAUSE = 0.02
"""Seconds between two notifications of a busy node (our choice): what is published meanwhile goes together,
because notifications of all sessions queue up at their commits."""

_TRY_AGAIN = 1.0

_PATIENCE = 10.0
"""Seconds in which the database answers, and after which it is asked whether it still does (our choice)."""

_log = structlog.get_logger()


class PostgresTopics:
    """Publications reach the subscribers of every node: this node's at once, the others' through the
    database. `address` is postgresql://..., `node` tells the nodes apart."""

    def __init__(self, address: str, node: str) -> None:
        self._address = address
        self._node = node
        self._here = MemoryTopics()
        self._unsent: dict[str, None] = {}
        self._wanted = asyncio.Event()

    def publish(self, topic: str) -> None:
        """See services/ports.py."""
        self._here.publish(topic)
        self._unsent[topic] = None
        self._wanted.set()

    def subscribe(self, topic: str) -> AbstractContextManager[MemoryWaiter]:
        """See services/ports.py."""
        return self._here.subscribe(topic)

    async def run(self) -> None:
        """Hold the connection until cancelled; what is published while there is none reaches this node
        only."""
        while True:
            try:
                await self._hold()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("topics are cut off from other nodes", error=str(error) or type(error).__name__)
            await asyncio.sleep(_TRY_AGAIN)

    async def _hold(self) -> None:
        connection = await asyncpg.connect(self._address, timeout=_PATIENCE, command_timeout=_PATIENCE)
        ended = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: self._cut(ended))
            await connection.add_listener(_CHANNEL, self._heard)
            self._here.ring_all()  # nobody knows what was published while nobody listened
            while not ended.is_set():
                try:
                    async with asyncio.timeout(_PATIENCE):
                        await self._wanted.wait()
                except TimeoutError:
                    await connection.execute("select 1")  # one that is silent is found by nothing else
                self._wanted.clear()
                topics, self._unsent = self._unsent, {}
                for payload in _payloads(self._node, topics):
                    await connection.execute("select pg_notify($1, $2)", _CHANNEL, payload)
                await asyncio.sleep(_PAUSE)
        finally:
            connection.terminate()

    def _cut(self, ended: asyncio.Event) -> None:
        ended.set()
        self._wanted.set()

    def _heard(self, connection: Any, process: int, channel: str, payload: str) -> None:
        node, *topics = json.loads(payload)
        if node != self._node:
            for topic in topics:
                self._here.publish(topic)


def _payloads(node: str, topics: Iterable[str]) -> list[str]:
    """The node and its topics as JSON lists, each of them short enough for one notification."""
    payloads: list[str] = []
    part: list[str] = [node]
    size = len(json.dumps(part))
    for topic in topics:
        grows = len(json.dumps(topic)) + 2
        if size + grows > _LONGEST_PAYLOAD:
            payloads.append(json.dumps(part))
            part, size = [node], len(json.dumps([node]))
        part.append(topic)
        size += grows
    return [*payloads, json.dumps(part)] if len(part) > 1 else payloads
