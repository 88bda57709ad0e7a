"""Click-to-call on one Asterisk: through our API, and by the smallest client of its interface that can do it,
in turns. Prints set-ups a second, and how long it takes from a request until the first telephone is rung."""

import argparse
import asyncio
import json
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from bench.processes import cpu_seconds
from chappe.carriers.asterisk.ari import Ari, Event, connect
from tests.clients.running import ENVIRONMENT, Account, Server, eventually
from tests.peers.answerer import Answerer
from tests.peers.asterisk import RunningAsterisk, a_table, asterisk, free_port, free_udp_port, written

LEAST, MOST_MORE = 0.9, 10.0
"""The goals of issue 4: our set-ups a second beside the bare client's, and the median of our additional
milliseconds until a telephone is rung."""

FAR = "127.0.0.2"
_CROWD, _WATCHED = "3361", "3362"
"""Numbers of sipp, which takes many calls, and of the one that notes when it is rung."""


class Way(Protocol):
    """One of the two that are compared."""

    name: str

    async def call(self, first: str, second: str) -> None:
        """Ring both, join them, hang up; until all of it is over."""
        ...


@dataclass
class Bare:
    """Originate, originate, bridge, hang up; it knows nothing else."""

    ari: Ari
    channels: dict[str, asyncio.Queue[str]]
    trunk: Callable[[str], str]
    name: str = "bare"
    numbers: Any = field(default_factory=count)

    @classmethod
    async def connected(cls, table: dict[str, Any]) -> "Bare":
        channels: dict[str, asyncio.Queue[str]] = {}

        def hear(event: Event) -> None:
            if event.channel is not None and event.channel.id in channels:
                channels[event.channel.id].put_nowait(event.type)

        ari = await connect(table["url"], "chappe", table["password"], "bare", hear)
        return cls(ari, channels, lambda number: "crowd" if number.startswith(_CROWD) else "watched")

    async def call(self, first: str, second: str) -> None:
        one, other, room = (f"bare-{next(self.numbers):08}" for _ in range(3))
        for channel, number in ((one, first), (other, second)):
            self.channels[channel] = asyncio.Queue()
            endpoint = f"PJSIP/{number}@trunk-{self.trunk(number)}"
            query = {"endpoint": endpoint, "app": "bare", "channelId": channel, "timeout": 30}
            answer = await self.ari.ask("POST", "channels", query)
            assert answer.is_good, answer
            while await self.channels[channel].get() != "StasisStart":
                pass
        await self.ari.ask("POST", f"bridges/{room}", {"type": "mixing"})
        assert (
            await self.ari.ask("POST", f"bridges/{room}/addChannel", {"channel": f"{one},{other}"})
        ).is_good
        for channel in (one, other):
            await self.ari.ask("DELETE", f"channels/{channel}")
        for channel in (one, other):
            while await self.channels[channel].get() != "ChannelDestroyed":
                pass
            del self.channels[channel]
        await self.ari.ask("DELETE", f"bridges/{room}")


@dataclass
class Ours:
    """Over REST; that both are joined, and that all is over, comes as a webhook."""

    account: Account
    told: dict[str, asyncio.Queue[str]] = field(default_factory=dict)
    early: dict[str, list[str]] = field(default_factory=dict)
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    name: str = "ours"

    async def call(self, first: str, second: str) -> None:
        made = await self.ask("/v1/calls", {"from": f"+{first}", "to": f"+{second}"})
        ref = made["id"]
        events = self.told[ref] = asyncio.Queue()
        for event in self.early.pop(ref, ()):
            events.put_nowait(event)
        assert await events.get() == "call.answered"
        await self.ask(f"/v1/calls/{ref}/hangup", {})
        assert await events.get() == "call.ended"
        del self.told[ref]

    async def ask(self, path: str, body: object) -> dict[str, Any]:
        port = self.account.server.port
        while self.idle and self.idle[-1][0].at_eof():  # it was idle for too long
            self.idle.pop()[1].close()
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", port)
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.account.rest_key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        answer = await _message(reader)
        self.idle.append((reader, writer))
        return answer

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                event = await _message(reader)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                ref = event["data"]["id"]
                if ref in self.told:
                    self.told[ref].put_nowait(event["type"])
                else:
                    self.early.setdefault(ref, []).append(event["type"])


async def _message(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    content = await reader.readexactly(int(found[1])) if found else b""
    if head.startswith(b"HTTP/1.1 4") or head.startswith(b"HTTP/1.1 5"):
        raise RuntimeError(f"{head!r} {content!r}")
    parsed: dict[str, Any] = json.loads(content) if content else {}
    return parsed


async def set_ups(way: Way, seconds: float, at_once: int, numbers: "count[int]") -> float:
    """Calls a second that so many at once make of it."""
    loop = asyncio.get_running_loop()
    end, done = loop.time() + seconds, 0

    async def caller() -> None:
        nonlocal done
        while loop.time() < end:
            await way.call(f"{_CROWD}{next(numbers):07}", f"{_CROWD}{next(numbers):07}")
            done += loop.time() < end

    await asyncio.gather(*(caller() for _ in range(at_once)))
    return done / seconds


async def until_rung(way: Way, calls: int, numbers: "count[int]", watch: Answerer) -> float:
    """Median milliseconds from a request to its first INVITE, one call after the other."""
    waits = []
    for _ in range(calls):
        first, second = (f"{_WATCHED}{next(numbers):07}" for _ in range(2))
        began = time.perf_counter()
        await way.call(first, second)
        waits.append((watch.rung[first] - began) * 1000)
    return median(waits)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[tuple[RunningAsterisk, RunningAsterisk, Answerer]]:
    """A switch for each of the two, so that neither hears of the other's calls, and what is behind them."""
    crowd, watched = free_udp_port(FAR), free_udp_port(FAR)
    trunks = {
        "crowd": {"host": FAR, "port": crowd, "prefixes": [_CROWD]},
        "watched": {"host": FAR, "port": watched, "prefixes": [_WATCHED]},
    }
    transport, watch = await asyncio.get_running_loop().create_datagram_endpoint(
        Answerer, local_addr=(FAR, watched)
    )
    with (folder / "sipp").open("wb") as said:
        sipp = await asyncio.create_subprocess_exec(
            *("sipp", "-sn", "uas", "-i", FAR, "-p", str(crowd), "-nostdin"),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        async with (
            asterisk(folder / "bare", a_table(folder / "bare", trunks=trunks)) as one,
            asterisk(folder / "ours", a_table(folder / "ours", trunks=trunks)) as other,
        ):
            yield one, other, watch
    finally:
        sipp.kill()
        await sipp.wait()
        transport.close()


@asynccontextmanager
async def served(folder: Path, table: dict[str, Any]) -> AsyncIterator[tuple[Ours, int]]:
    """Chappe with that switch, and its process id."""
    settings = {
        "carriers": {"switch": table},
        "routes": [{"kind": "call", "carrier": "switch"}],
        "outgoing": {"allow": ["127.0.0.0/8"]},
        "calls": {"at_once": 0, "per_minute": 0, "per_day": 0, "spend_per_day": 0},
    }
    (folder / "settings.toml").write_text(written(settings))
    server, hook = Server(folder / "data", free_port()), free_port()
    words = ["--data", str(server.data), "--port", str(server.port), "--config", folder / "settings.toml"]
    with (folder / "said").open("w") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chappe", "serve", *words), env=ENVIRONMENT, stdout=said, stderr=said
        )
    try:
        await asyncio.to_thread(eventually, lambda: "a switch is up" in (folder / "said").read_text())
        account = await asyncio.to_thread(server.create_account, "bench", 1_000_000)
        wanted = {"url": f"http://127.0.0.1:{hook}/", "events": ["call.answered", "call.ended"]}
        await asyncio.to_thread(account.ask, "POST", "/v1/subscriptions", wanted)
        ours = Ours(account)
        listener = await asyncio.start_server(ours.hear, "127.0.0.1", hook)
        yield ours, process.pid
        listener.close()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def measure(rounds: int, seconds: float, at_once: int, calls: int) -> bool:
    """Print it; whether the goals are met."""
    numbers: count[int] = count()
    ratios, more = [], []
    with tempfile.TemporaryDirectory(prefix="chappe-bench-") as name:
        folder = Path(name)
        async with scene(folder) as (one, other, watch), served(folder, other.table) as (ours, pid):
            bare, switches = await Bare.connected(one.table), {"bare": one, "ours": other}
            print(f"{at_once} calls at once, {seconds:g} s each; set-ups a second, CPU of one core")
            for way in (bare, ours):  # once unseen: what is loaded late is loaded now
                await set_ups(way, 1, at_once, numbers)
            for _ in range(rounds):
                rates, texts = {}, []
                for way in (bare, ours):
                    process = switches[way.name].process
                    assert process is not None
                    roots = {"switch": process.pid} | ({"chappe": pid} if way is ours else {})
                    before = {one: cpu_seconds(root) for one, root in roots.items()}
                    rates[way.name] = await set_ups(way, seconds, at_once, numbers)
                    used = {one: (cpu_seconds(root) - before[one]) / seconds for one, root in roots.items()}
                    shown = "  ".join(f"{one} {share:4.0%}" for one, share in used.items())
                    texts.append(f"{way.name} {rates[way.name]:6.1f}/s ({shown})")
                ratios.append(rates["ours"] / rates["bare"])
                print("  ".join(texts) + f"  ratio {ratios[-1]:.2f}", flush=True)
            print(f"{calls} calls one after the other; median until the first telephone is rung")
            for _ in range(rounds):
                waits = {way.name: await until_rung(way, calls, numbers, watch) for way in (bare, ours)}
                more.append(waits["ours"] - waits["bare"])
                text = "  ".join(f"{name} {wait:5.2f} ms" for name, wait in waits.items())
                print(f"{text}  more {more[-1]:.2f} ms", flush=True)
            bare.ari.close()
    good = median(ratios) >= LEAST and median(more) <= MOST_MORE
    print(f"set-ups: {median(ratios):.2f} of the bare client's (goal: at least {LEAST})")
    print(f"until rung: {median(more):.2f} ms more (goal: at most {MOST_MORE:g} ms)")
    print("both goals are met" if good else "a goal is MISSED")
    return good


def main() -> None:
    """The command line."""
    read = argparse.ArgumentParser(description=__doc__)
    read.add_argument("--rounds", type=int, default=5)
    read.add_argument("--seconds", type=float, default=8)
    read.add_argument("--at-once", type=int, default=8)
    read.add_argument("--calls", type=int, default=50)
    given = read.parse_args()
    work: Awaitable[bool] = measure(given.rounds, given.seconds, given.at_once, given.calls)
    sys.exit(0 if asyncio.run(work) else 1)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
