"""Measures the SIP process by itself: legs that are mixed and recorded, a conference, and a scanner beside
good calls.

python -m bench.voice.sip [--seconds 20]      # needs sipp; everything is on loopback
"""

import argparse
import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from chappe.carriers.sip import words
from chappe.carriers.sip.process import Process, started
from chappe.carriers.sip.settings import read_settings
from chappe.media import tones

_PORT, _TRUNK, _HOST = 15_060, 15_070, "127.0.0.2"
_SETTINGS = {
    "listen": "127.0.0.1",
    "port": _PORT,
    "first_port": 40_000,
    "last_port": 40_999,
    "max_calls": 200,
    "trunks": [{"name": "network", "host": _HOST, "port": _TRUNK, "max_calls": 100}]
    + [{"name": f"network{n}", "host": _HOST, "port": _TRUNK, "max_calls": 100} for n in (2,)],
}
_FROM_SCANNER = "127.0.0.66"
_SCANS = 100
_GOOD = 200

_SAME = "[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n"
_NETWORK = f"""<?xml version="1.0"?>
<scenario name="answers with A-law and events of keys">
  <recv request="INVITE" crlf="true"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
{_SAME}Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0
]]></send>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
{_SAME}Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
]]></send>
  <recv request="ACK" crlf="true"/>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
]]></send>
</scenario>
"""


class Bench:
    """A process and what it has told."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self._happened: dict[tuple[int, str], asyncio.Future[None]] = {}
        self.recorded: list[words.Recorded] = []
        self._last = 0
        self.listening = asyncio.create_task(process.listen(self.told))

    def told(self, word: words.Event) -> None:
        """What the process tells."""
        if isinstance(word, words.Happened):
            self._future(word.leg, word.kind).done() or self._future(word.leg, word.kind).set_result(None)
        elif isinstance(word, words.Recorded):
            self.recorded.append(word)

    def _future(self, leg: int, kind: str) -> asyncio.Future[None]:
        return self._happened.setdefault((leg, kind), asyncio.get_running_loop().create_future())

    async def answered(self) -> tuple[int, float]:
        """One more leg, and the milliseconds until it was answered."""
        self._last += 1
        leg, began = self._last, time.perf_counter()
        self.process.say(words.Dial(leg, f"336{leg:08}", "33123456789", 30, False))
        async with asyncio.timeout(30):
            await self._happens(leg, "answered")
        return leg, (time.perf_counter() - began) * 1000

    async def end(self, legs: Sequence[int]) -> None:
        """Hang up."""
        for leg in legs:
            self.process.say(words.HangUp(leg, "normal"))
        for leg in legs:
            await self._happens(leg, "ended")

    async def _happens(self, leg: int, kind: str) -> None:
        happened = self._future(leg, kind)
        await asyncio.wait({happened, self.listening}, return_when=asyncio.FIRST_COMPLETED)
        self._see()

    def _see(self) -> None:
        """Raises SystemExit where the process has ended."""
        if self.listening.done():
            sys.exit(f"the SIP process has ended; see above, or whether port {_PORT} of 127.0.0.1 is taken")

    def cpu(self) -> float:
        """Seconds of processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def pulse(self) -> words.Pulse:
        """The next of its reports."""
        before = self.process.pulse
        while (now := self.process.pulse) is before or now is None:
            self._see()
            await asyncio.sleep(0.02)
        return now


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "network.xml").write_text(_NETWORK)
        network = await asyncio.create_subprocess_exec(
            *("sipp", "-sf", "network.xml", "-i", _HOST, "-mi", _HOST, "-p", str(_TRUNK)),
            *("-rtp_echo", "-nostdin"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            async with started() as process:
                process.say(words.Begin(read_settings(_SETTINGS), ()))
                process.say(words.Keep("tone", tones.sine(440, 1)))
                bench = Bench(process, Path(folder))
                await bench.pulse()
                await bench.pulse()
                yield bench
                bench.listening.cancel()
        finally:
            with suppress(ProcessLookupError):
                network.kill()
            await network.wait()


async def rooms(legs_in_all: int, legs_in_a_room: int, seconds: float) -> str:
    """Legs that say a tone (echoed by the network) in rooms, each of which is recorded."""
    async with _bench() as bench:
        legs = [(await bench.answered())[0] for _ in range(legs_in_all)]
        for place in range(0, legs_in_all, legs_in_a_room):
            room = 1_000_000 + place
            bench.process.say(words.Join(room, tuple(legs[place : place + legs_in_a_room])))
            path = str(bench.folder / f"{room}.wav")
            bench.process.say(words.Record(room, path, None, room, 3600, False, 0))
        for leg in legs:
            bench.process.say(words.Play(leg, "tone", True))
        await bench.pulse()
        before, cpu, began, worst = await bench.pulse(), bench.cpu(), time.perf_counter(), 0.0
        while time.perf_counter() - began < seconds:
            worst = max(worst, (await bench.pulse()).worst)
        after, passed, used = await bench.pulse(), time.perf_counter() - began, bench.cpu() - cpu
        await bench.end(legs)
        ticks, heard = after.ticks - before.ticks, after.heard - before.heard
        return (
            f"{legs_in_all} legs, {legs_in_a_room} a room, recorded: {used / passed:.0%} of a core,"
            f" {after.late - before.late} of {ticks} ticks late, worst {worst:.0f} ms,"
            f" {heard / (ticks * legs_in_all):.1%} of the packets heard, {after.lost - before.lost} lost"
        )


async def scanned(is_scanned: bool) -> str:
    """The time from dialling to the answer of good calls, one after the other."""
    async with _bench() as bench:
        stop = asyncio.Event()
        scanning = asyncio.create_task(_scan(stop)) if is_scanned else None
        times: list[float] = []
        for _ in range(_GOOD):
            leg, took = await bench.answered()
            times.append(took)
            await bench.end([leg])
        stop.set()
        sent, heard = await scanning if scanning else (0, 0)
        times.sort()
        silenced = (await bench.pulse()).silenced
        beside = "beside a scanner" if is_scanned else "alone"
        half, most = times[_GOOD // 2], times[_GOOD * 99 // 100]
        return (
            f"{_GOOD} set-ups {beside}: p50 {half:.1f} ms, p99 {most:.1f} ms;"
            f" {sent} scans, {silenced} dropped unread, {heard} answered"
        )


async def _scan(stop: asyncio.Event) -> tuple[int, int]:
    sent = heard = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as scanner:
        scanner.setblocking(False)
        scanner.bind((_FROM_SCANNER, 0))
        began = time.perf_counter()
        while not stop.is_set():
            method = ("OPTIONS", "REGISTER", "INVITE")[sent % 3]
            scanner.sendto(_scan_of(method, sent), ("127.0.0.1", _PORT))
            sent += 1
            with suppress(BlockingIOError):
                while scanner.recv(4096):
                    heard += 1
            await asyncio.sleep(max(0, began + sent / _SCANS - time.perf_counter()))
    return sent, heard


def _scan_of(method: str, number: int) -> bytes:
    lines = (
        f"{method} sip:{number}@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {_FROM_SCANNER};branch=z9hG4bK{number};rport",
        f"From: <sip:{number}@127.0.0.1>;tag={number}",
        f"To: <sip:{number}@127.0.0.1>",
        f"Call-ID: {number}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:{number}@{_FROM_SCANNER}>",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


async def main(seconds: float) -> None:
    """All of it, one after the other."""
    foreign = os.getloadavg()[0]
    print(f"load average before: {foreign:.1f} on {os.cpu_count()} processors", flush=True)
    for legs, size in ((50, 2), (100, 2), (30, 30)):
        print(await rooms(legs, size, seconds), flush=True)
    for is_scanned in (False, True):
        print(await scanned(is_scanned), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    asyncio.run(main(parser.parse_args().seconds))
