"""Debian's Kannel on either side: as a customer, whose bearerbox binds to us and whose smsbox takes requests
and calls back; and as a network, the message centre of its own tests (drive_smpp)."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from tests.clients.running import free_port

_CORE = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {box}
log-level = 0
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = chappe
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = {login}
smsc-password = {password}
system-type = ""
interface-version = 34

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1
log-level = 0

group = sendsms-user
username = me
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{called}/inbound?from=%p&to=%P&text=%b&coding=%c"
"""

_GIVEN = b"submit_sm: short_message = <"
_BOX = 13001  # built into it


class Kannel:
    """A running pair. `called` has the paths and fields of its requests to us."""

    def __init__(self, send: int, called: int) -> None:
        self._send, self._called = send, called
        self.called: asyncio.Queue[tuple[str, dict[str, str]]] = asyncio.Queue()

    async def send(self, to: str, text: str, **more: str) -> str:
        """Ask smsbox to send a text; its answer. Its receipts are asked for."""
        back = f"http://127.0.0.1:{self._called}/receipt?kind=%d&answer=%A"
        fields = {"username": "me", "password": "secret", "to": to, "from": "SHOP", "charset": "UTF-8"}
        fields |= {"text": text, "dlr-mask": "3", "dlr-url": back} | more
        reader, writer = await asyncio.open_connection("127.0.0.1", self._send)
        query = urlencode(fields, quote_via=quote)
        writer.write(f"GET /cgi-bin/sendsms?{query} HTTP/1.0\r\n\r\n".encode())
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer.split(b"\r\n\r\n", 1)[1].decode()

    async def next_call(self) -> tuple[str, dict[str, str]]:
        """What it calls us about next."""
        async with asyncio.timeout(30):
            return await self.called.get()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Our own small server, which it calls."""
        line = await reader.readline()
        parts = urlsplit(line.split()[1].decode("ascii"))
        fields = dict(parse_qsl(parts.query, keep_blank_values=True, encoding="latin-1"))
        self.called.put_nowait((parts.path, fields))
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def kannel(folder: Path, port: int, login: str, password: str) -> AsyncIterator[Kannel]:
    """A pair that binds to our port, until the end of the block."""
    admin, box, send, called = (free_port() for _ in range(4))
    file = folder / "kannel.conf"
    values = {"admin": admin, "box": box, "send": send, "called": called, "port": port}
    file.write_text(_CORE.format(login=login, password=password, **values))
    made = Kannel(send, called)
    server = await asyncio.start_server(made.answer, "127.0.0.1", called)
    processes: list[asyncio.subprocess.Process] = []
    drains: list[asyncio.Task[None]] = []
    try:
        for program, words in (("bearerbox", b"entering mainloop"), ("smsbox", b"Connected to bearerbox")):
            process = await asyncio.create_subprocess_exec(
                f"/usr/sbin/{program}",
                str(file),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
            )
            processes.append(process)
            assert process.stderr is not None
            await _until(process.stderr, words)
            drains.append(asyncio.create_task(_drain(process.stderr)))
        yield made
    finally:
        for process in reversed(processes):
            with suppress(ProcessLookupError):
                process.terminate()
        for process in reversed(processes):
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        for drain in drains:
            drain.cancel()
        server.close()


class KannelNetwork:
    """The message centre that Kannel is tested with, for pairs of binds. It brings a number of messages once
    a receiver is bound, and writes the octets of each text that it is given to its log, as far as the first
    zero."""

    def __init__(self, port: int, log: asyncio.StreamReader) -> None:
        self.port = port
        self._log = log

    async def texts(self, count: int) -> list[bytes]:
        """The octets of the next texts that it was given."""
        found: list[bytes] = []
        async with asyncio.timeout(30):
            while len(found) < count:
                line = await self._log.readline()
                assert line, f"it ended after {found}"
                if line.endswith(b">\n") and _GIVEN in line:
                    found.append(line.split(_GIVEN, 1)[1][:-2])
        return found


@asynccontextmanager
async def kannel_network(folder: Path, messages: int) -> AsyncIterator[KannelNetwork]:
    """One that brings so many messages, until the end of the block."""
    port = free_port()
    file = folder / "network.conf"
    file.write_text("group = core\nadmin-port = 1\nadmin-password = secret\nsmsbox-port = 1\n")
    # It plays an smsbox as well, and ends unless somebody listens on the port of one.
    box = socket.create_server(("127.0.0.1", _BOX))
    process = await asyncio.create_subprocess_exec(
        "/usr/lib/kannel/test/drive_smpp",
        *("-v", "0", "-p", str(port), "-m", str(messages), "-c", str(file)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
    )
    try:
        assert process.stderr is not None
        await _listening(port)
        yield KannelNetwork(port, process.stderr)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        box.close()


async def _listening(port: int) -> None:
    """Until a process of this machine listens there; a connection to try it would count as a customer's."""
    row = re.compile(rf"\d+: 0100007F:{port:04X} 00000000:0000 0A|\d+: 00000000:{port:04X} 00000000:0000 0A")
    async with asyncio.timeout(30):
        while not row.search(Path("/proc/net/tcp").read_text()):  # noqa: ASYNC110, ASYNC240 - nobody rings a bell
            await asyncio.sleep(0)


async def _until(lines: asyncio.StreamReader, words: bytes) -> None:
    seen: list[bytes] = []
    async with asyncio.timeout(30):
        while line := await lines.readline():
            seen.append(line)
            if words in line:
                return
    raise AssertionError(f"it ended before {words!r}: {b''.join(seen[-20:]).decode()}")


async def _drain(lines: asyncio.StreamReader) -> None:
    while await lines.readline():
        pass
