"""The SIP process as the platform sees it: started, spoken to, watched, and ended."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

from chappe.carriers.sip import words

_FROZEN = 10.0
_LAST_WORDS = 2.0
"""Seconds without a pulse after which the process counts as frozen, and until one that is to end must have
ended (our choice)."""


class Process:
    """One that runs. It ends by itself when this process is gone, however that came: then its socket
    closes."""

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._child = child
        self._reader = reader
        self._writer = writer
        self._pulsed_at = time.monotonic()
        self.pulse: words.Pulse | None = None

    @property
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

    def say(self, word: words.Command) -> None:
        """Tell it something; lost where it is dead already, which ends `listen`."""
        if not self._writer.is_closing():
            self._writer.write(words.packed(word))

    async def listen(self, told: Callable[[words.Event], None]) -> None:
        """Hear what it says until it ends."""
        decoder: msgspec.msgpack.Decoder[words.Event] = msgspec.msgpack.Decoder(words.Event)
        watcher = asyncio.create_task(self._watch())
        try:
            while True:
                word = await words.next_word(self._reader, decoder)
                if isinstance(word, words.Pulse):
                    self.pulse, self._pulsed_at = word, time.monotonic()
                told(word)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            watcher.cancel()

    async def _watch(self) -> None:
        while (left := self._pulsed_at + _FROZEN - time.monotonic()) > 0:  # noqa: ASYNC110 - it moves
            await asyncio.sleep(left)
        with suppress(ProcessLookupError):
            self._child.kill()

    async def end(self) -> None:
        """Let it hang up and end."""
        self._writer.close()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._child.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._child.kill()
            await self._child.wait()


@asynccontextmanager
async def started() -> AsyncIterator[Process]:
    """A new one, which waits for its first word."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "chappe.carriers.sip.worker",
            str(theirs.fileno()),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
        )
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    process = Process(child, reader, writer)
    try:
        yield process
    finally:
        await asyncio.shield(process.end())
