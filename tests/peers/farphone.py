"""Debian's baresip as a telephone behind a trunk: it rings or answers by itself, sends a tone or what it is
given, keeps what it hears, presses keys, hangs up. Driven over its own control socket (module ctrl_tcp)."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from chappe.media import tones, wav
from tests.clients.running import free_port

MODULES = Path("/usr/lib/baresip/modules")

_CONFIG = """
poll_method epoll
sip_listen {address}:{port}
net_interface {address}
audio_source aufile,{source}
audio_player aubridge,nil
audio_alert aubridge,nil
snd_path {heard}
ctrl_tcp_listen {address}:{control}
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
"""


class Telephone:
    """A running baresip. `events` are as it tells them, the word of their type first."""

    def __init__(self, number: str, address: str, port: int, heard: Path) -> None:
        self.number = number
        self.address = address
        self.port = port
        self.keys = ""
        self.events: list[dict[str, Any]] = []
        self._heard = heard
        self._news = asyncio.Condition()
        self._writer: asyncio.StreamWriter | None = None
        self.ready = asyncio.Event()

    @property
    def uri(self) -> str:
        """Where it is called."""
        return f"sip:{self.number}@{self.address}:{self.port}"

    def heard(self) -> bytes:
        """What came out of its earpiece since the last call began: samples, 8 kHz, 16 bits."""
        files = sorted(self._heard.glob("*-dec.wav"), key=lambda file: file.stat().st_mtime_ns)
        return wav.decode(files[-1].read_bytes()).samples if files else b""

    async def hears(self, hertz: float, seconds: float = 0.5, share: float = 0.5) -> None:
        """Until so many seconds on end of what it heard last are a tone."""
        wanted = int(seconds * 8000) * 2
        async with asyncio.timeout(30):
            while True:
                sound = self.heard()[-wanted:]
                if len(sound) == wanted and tones.strength(sound, hertz) >= share:
                    return
                await asyncio.sleep(0.05)

    async def has(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait for an event of a type (CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED...): the count-th."""
        async with asyncio.timeout(30), self._news:
            while True:
                found = [event for event in self.events if event["type"] == kind]
                if len(found) >= count:
                    return found[count - 1]
                await self._news.wait()

    async def pressed(self, keys: str) -> None:
        """Wait until it was sent so many keys, and compare."""
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: len(self.keys) >= len(keys))
        assert self.keys == keys

    def say(self, command: str, words: str = "") -> None:
        """A command of baresip: answermode, accept, hangup, dial, sndcode, mute, transfer..."""
        assert self._writer is not None
        said = json.dumps({"command": command, "params": words}).encode()
        self._writer.write(b"%d:%s," % (len(said), said))

    def close(self) -> None:
        """Let its control socket go."""
        if self._writer is not None:
            self._writer.close()

    def press(self, keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.say("sndcode", key)

    async def listen(self, control: int) -> None:
        """Follow what it tells, until it ends."""
        reader, self._writer = await _connected(self.address, control)
        self.ready.set()
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int((await reader.readuntil(b":"))[:-1])
                event = json.loads((await reader.readexactly(size + 1))[:-1])
                if event.get("event"):
                    async with self._news:
                        self.events.append(event)
                        if event["type"] == "CALL_DTMF_START":
                            self.keys += event["param"]
                        self._news.notify_all()


@asynccontextmanager
async def telephone(
    folder: Path,
    number: str,
    address: str,
    *,
    port: int = 5060,
    answers: bool = True,
    hertz: float = 0.0,
    says: bytes = b"",
) -> AsyncIterator[Telephone]:
    """A telephone at an address (127.0.0.x) until the end of the block; it sends a tone, what it `says`, or
    silence."""
    if not (MODULES / "sndfile.so").exists():
        raise RuntimeError("The tests need baresip; scripts/system-packages installs it or says how")
    heard, control = folder / "heard", free_port()
    heard.mkdir(parents=True)
    source = folder / "source.wav"
    samples = says or (tones.sine(hertz, 60) if hertz else tones.silence(60))
    source.write_bytes(wav.encode(samples))
    values = {"address": address, "port": port, "control": control, "source": source, "heard": heard}
    (folder / "config").write_text(_CONFIG.format(modules=MODULES, **values))
    mode = "auto" if answers else "manual"
    own = f"<sip:{number}@{address}:{port}>;regint=0"
    (folder / "accounts").write_text(f"{own};answermode={mode}\n")
    (folder / "contacts").touch()
    with (folder / "said").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(folder), stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said
        )
    made = Telephone(number, address, port, heard)
    following: asyncio.Task[None] | None = None
    try:
        following = asyncio.create_task(made.listen(control))
        async with asyncio.timeout(20):
            await made.ready.wait()
        yield made
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, 15)
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if following is not None:
            following.cancel()
            await asyncio.wait([following])
        made.close()


async def _connected(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        with suppress(OSError):
            return await asyncio.open_connection(address, port)
        await asyncio.sleep(0.02)
