"""Debian's baresip as a telephone: it registers, rings, answers, speaks from a file and writes down what it
hears."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from chappe.media import tones, wav
from tests.peers.waiting import eventually

_CONFIG = """
poll_method epoll
sip_listen 127.0.0.1:{sip}
rtp_ports {rtp}-{rtp_last}
net_interface 127.0.0.1
audio_source aufile,{source}
audio_txmode thread
audio_srate 8000
audio_channels 1
call_local_timeout 120
call_max_calls 4
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ringback_disabled yes
"""


class Baresip:
    """A running telephone. `events` has what it told, each with its `type`."""

    def __init__(self, folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._folder = folder
        self._reader, self._writer = reader, writer
        self._happened = asyncio.Condition()
        self._answers: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    async def listen(self) -> None:
        """Hear what it tells, until it ends."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = await self._reader.readuntil(b":")
                told = json.loads(await self._reader.readexactly(int(length[:-1])))
                await self._reader.readexactly(1)
                async with self._happened:
                    (self._answers if "response" in told else self.events).append(told)
                    self._happened.notify_all()

    async def ask(self, command: str, params: str = "") -> None:
        """Let it do something; its commands are those of its menu."""
        before = len(self._answers)
        data = json.dumps({"command": command, "params": params, "token": "x"}).encode()
        self._writer.write(b"%d:%s," % (len(data), data))
        async with asyncio.timeout(10), self._happened:
            await self._happened.wait_for(lambda: len(self._answers) > before)

    async def until(self, kind: str, count: int = 1, seconds: float = 15) -> dict[str, Any]:
        """The event of a kind that comes as the `count`th of it, waited for."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.events if one["type"] == kind]

        async with asyncio.timeout(seconds), self._happened:
            await self._happened.wait_for(lambda: len(found()) >= count)
        return found()[count - 1]

    async def put_down(self) -> None:
        """End all its calls, and forget them and what was heard in them."""

        def count(*kinds: str) -> int:
            return sum(one["type"] in kinds for one in self.events)

        over = count("CALL_CLOSED")
        # After such a failure it hangs up, and tells nothing of it.
        while over + count("TRANSFER_FAILED") < count("CALL_INCOMING", "CALL_OUTGOING"):
            over += 1
            await self.ask("hangup")
            await self.until("CALL_CLOSED", over)
        self.events.clear()
        for file in self._folder.glob("dump-*.wav"):
            file.unlink()

    @property
    def said(self) -> str:
        """What it printed: all SIP messages that it has sent and received."""
        return (self._folder / "printed").read_bytes().decode(errors="replace")

    def heard(self) -> bytes:
        """The samples of the last call that it heard, until now."""
        return self._dumped("dec")

    def spoken(self) -> bytes:
        """The samples of the last call that it said, until now."""
        return self._dumped("enc")

    def _dumped(self, which: str) -> bytes:
        files = sorted(self._folder.glob(f"dump-*-{which}.wav"), key=lambda one: one.stat().st_mtime)
        octets = files[-1].read_bytes() if files else b""
        return wav.decode(octets).samples if octets.startswith(b"RIFF") else b""


def free_ports(count: int) -> list[int]:
    """Free UDP and TCP ports, each with free ones after it."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            with suppress(OSError, OverflowError):
                next_one.bind(("127.0.0.1", port + 1))
                if all(abs(port - other) > 4 for other in found):
                    found.append(port)
    return found


@asynccontextmanager
async def telephone(
    folder: Path,
    user: str,
    password: str,
    port: int,
    *,
    hertz: float = 0,
    codec: str = "PCMA",
    answers: str = "manual",
    says: bytes = b"",
    lamp: bool = False,
) -> AsyncIterator[Baresip]:
    """A telephone of `user` at the registrar on a port of this machine; it says these samples, a tone of so
    many hertz, or nothing. With a `lamp` it subscribes to the messages that wait for it."""
    folder.mkdir()  # noqa: ASYNC240 - nobody waits
    sip, control, rtp = free_ports(3)
    source = folder / "source.wav"
    wav.write(source, says or (tones.sine(hertz, 1) * 120 if hertz else tones.silence(120)))
    rtp += rtp % 2
    config = _CONFIG.format(
        sip=sip, control=control, rtp=rtp, rtp_last=rtp + 40, source=source, folder=folder
    )
    (folder / "config").write_text(config + ("module_app mwi.so\n" if lamp else ""))
    account = f"<sip:{user}@127.0.0.1:{port}>;auth_user={user};auth_pass={password};regint=60"
    account += f";mwi={'yes' if lamp else 'no'}"
    (folder / "accounts").write_text(f"{account};answermode={answers};audio_codecs={codec}\n")
    with (folder / "printed").open("wb") as printed:
        process = await asyncio.create_subprocess_exec(
            "baresip",
            "-s",
            "-f",
            str(folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
        )
    listening: asyncio.Task[None] | None = None
    try:
        reader, writer = await _connected(control)
        phone = Baresip(folder, reader, writer)
        listening = asyncio.create_task(phone.listen())
        yield phone
        writer.close()
    finally:
        if listening is not None:
            listening.cancel()
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(3):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async def opened() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        with suppress(OSError):
            return await asyncio.open_connection("127.0.0.1", port)
        return None

    return await eventually(opened)
