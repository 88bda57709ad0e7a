"""The listening side of HTTP: who is connected, and how the server stops."""

import asyncio
import socket
from collections.abc import Sequence

from chappe.host.asgi import Application
from chappe.host.asking import Choice
from chappe.host.conversation import Conversation, Limits


class Listener:
    """Serves HTTP/1.0 and 1.1 on sockets that were opened already.

    `choose` says of a path (decoded, as sent) who answers it in one piece; None leaves it to the ASGI
    `application`. The application starts and ends its own work (no lifespan), writes its own logs, and
    reads `X-Forwarded-*` itself where a proxy is trusted.
    """

    def __init__(
        self,
        application: Application,
        choose: Choice = lambda path: None,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        drain_seconds: float = 10.0,
    ) -> None:
        self.application = application
        self.choose = choose
        self.limits = limits
        self.is_paused = False
        self.conversations: set[Conversation] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._drain_seconds = drain_seconds
        self._servers: list[asyncio.Server] = []
        self._emptied = asyncio.Event()

    async def open(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        self._servers = [
            await loop.create_server(lambda: Conversation(loop, self), sock=one, backlog=1024)
            for one in sockets
        ]

    def pause(self) -> None:
        """Read nothing from any client until `resume`; TCP holds them up."""
        self.is_paused = True
        for conversation in self.conversations:
            conversation.regulate()

    def resume(self) -> None:
        """Read on."""
        self.is_paused = False
        for conversation in self.conversations:
            conversation.regulate()

    async def drain(self) -> None:
        """Accept nothing more, finish what is being answered, then end; what does not end in time is cut."""
        for server in self._servers:
            server.close()
        for conversation in list(self.conversations):
            conversation.shut()
        try:
            async with asyncio.timeout(self._drain_seconds):
                while self.conversations:
                    self._emptied.clear()
                    await self._emptied.wait()
                if self.tasks:
                    await asyncio.wait(self.tasks)
        except TimeoutError:
            for conversation in list(self.conversations):
                conversation.cut()
            for task in list(self.tasks):
                task.cancel()

    # For conversations

    def ended(self, conversation: Conversation) -> None:
        """A connection is gone."""
        self.conversations.discard(conversation)
        if not self.conversations:
            self._emptied.set()
