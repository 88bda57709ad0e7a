"""Asterisk, and then Chappe itself, are killed in the middle of twenty calls, again and again: no call stays
open, each is told as ended once, and costs what was talked until the cut."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.clients.running import ENVIRONMENT, Account, Server, eventually
from tests.peers.asterisk import RunningAsterisk, a_table, asterisk, free_port, free_udp_port, written

CALLS = 20
ROUNDS = int(os.environ.get("CHAPPE_KILLS", "2"))
"""More are for a calmer hour: with the suite around it each costs ten seconds."""

MINUTE = 1_000  # thousandths of a credit for a minute of a leg


@dataclass
class Told:
    """A customer's server: how often each call was told as ended."""

    port: int
    ended: Counter[str] = field(default_factory=Counter)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            event = json.loads(await reader.readexactly(size))
            if event["type"] == "call.ended":
                self.ended[event["data"]["id"]] += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()


@dataclass
class Serving:
    """A Chappe that can be killed, with one account."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def server(self) -> Server:
        return Server(self.folder / "data", self.port)

    def said(self) -> str:
        return (self.folder / f"said{self.starts}").read_text()

    def start(self) -> None:
        self.starts += 1
        command = [sys.executable, "-m", "chappe", "serve", "--data", str(self.folder / "data")]
        command += ["--port", str(self.port), "--config", str(self.folder / "settings.toml")]
        with (self.folder / f"said{self.starts}").open("w") as output:
            self.process = subprocess.Popen(command, env=ENVIRONMENT, stdout=output, stderr=output)
        eventually(lambda: "a switch is up" in self.said())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@asynccontextmanager
async def sipp(folder: Path, port: int) -> AsyncIterator[None]:
    """Telephones behind the trunk that answer at once."""
    with (folder / "sipp").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *("sipp", "-sn", "uas", "-i", "127.0.0.2", "-p", str(port), "-nostdin"),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@dataclass
class Scene:
    """All of it."""

    switch: RunningAsterisk
    serving: Serving
    account: Account
    told: Told
    refs: list[str] = field(default_factory=list)

    async def place(self) -> None:
        """Twenty calls, all joined."""
        number = 33_600_000_000 + 100 * len(self.refs)
        bodies = [{"from": f"+{number + 2 * one}", "to": f"+{number + 2 * one + 1}"} for one in range(CALLS)]
        asked = (asyncio.to_thread(self.account.ask, "POST", "/v1/calls", body) for body in bodies)
        new = [made["id"] for made in await asyncio.gather(*asked)]
        self.refs += new
        await asyncio.to_thread(
            eventually, lambda: all(self.call(ref)["answered_at"] for ref in new), tries=400
        )

    def call(self, ref: str) -> dict[str, Any]:
        story: dict[str, Any] = self.account.ask("GET", f"/v1/calls/{ref}")
        return story

    async def check(self, cut: datetime, noticed: datetime) -> None:
        """The calls that were placed last have ended between the two, and cost what they should."""
        refs = self.refs[-CALLS:]
        await asyncio.to_thread(eventually, lambda: all(self.told.ended[ref] for ref in refs))
        assert {self.told.ended[ref] for ref in refs} == {1}
        for ref in refs:
            call = await asyncio.to_thread(self.call, ref)
            assert call["state"] == "over"
            assert call["outcome"] == "answered"
            for leg in call["legs"]:
                assert leg["state"] == "down"
                assert leg["cause"] == "interrupted"
                ended = datetime.fromisoformat(leg["ended_at"])
                assert cut <= ended <= noticed
                talked = -(-(ended - datetime.fromisoformat(leg["answered_at"])).total_seconds() // 1)
                assert leg["price"] == -(-MINUTE * talked // 60) / 1000
            assert call["price"] == round(sum(leg["price"] for leg in call["legs"]), 3)
        listed = await asyncio.to_thread(self.account.ask, "GET", "/v1/calls?state=live")
        assert listed["data"] == []

    async def check_money(self) -> None:
        """Nothing is reserved any more; what was taken is what the calls cost."""
        prices = [(await asyncio.to_thread(self.call, ref))["price"] for ref in self.refs]
        own = await asyncio.to_thread(self.account.ask, "GET", "/v1/account")
        assert (own["balance"], own["reserved"]) == (round(100_000 - sum(prices), 3), 0)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    port, told = free_udp_port("127.0.0.2"), Told(free_port())
    table = a_table(folder / "asterisk", trunks={"far": {"host": "127.0.0.2", "port": port}})
    settings = {
        "carriers": {"switch": table},
        "routes": [{"kind": "call", "carrier": "switch"}],
        "tariffs": [{"kind": "call", "price": MINUTE / 1000}],
        "outgoing": {"allow": ["127.0.0.0/8"]},
        "calls": {"at_once": 0, "per_minute": 0, "per_day": 0, "spend_per_day": 0},
    }
    serving = Serving(folder / "chappe", free_port())
    serving.folder.mkdir()
    (serving.folder / "settings.toml").write_text(written(settings))
    listener = await asyncio.start_server(told.answer, "127.0.0.1", told.port)
    async with asterisk(folder / "asterisk", table) as switch, sipp(folder, port):
        try:
            await asyncio.to_thread(serving.start)
            account = await asyncio.to_thread(serving.server.create_account, "shop", 100_000)
            wanted = {"url": f"http://127.0.0.1:{told.port}/", "events": ["call.ended"]}
            await asyncio.to_thread(account.ask, "POST", "/v1/subscriptions", wanted)
            yield Scene(switch, serving, account, told)
        finally:
            await asyncio.to_thread(serving.kill)
            listener.close()


async def test_asterisk_is_killed(tmp_path: Path) -> None:
    async with scene(tmp_path) as played:
        for _ in range(ROUNDS):
            await played.place()
            downs = played.serving.said().count("a switch is down")
            cut = datetime.now(UTC)
            await played.switch.kill()
            await asyncio.to_thread(
                eventually, lambda before=downs: played.serving.said().count("a switch is down") > before
            )
            noticed = datetime.now(UTC)
            ups = played.serving.said().count("a switch is up")
            await played.switch.start()
            await asyncio.to_thread(
                eventually, lambda before=ups: played.serving.said().count("a switch is up") > before
            )
            await played.check(cut, noticed)
        await played.check_money()


async def test_chappe_is_killed(tmp_path: Path) -> None:
    async with scene(tmp_path) as played:
        for _ in range(ROUNDS):
            placed = datetime.now(UTC)
            await played.place()
            await asyncio.to_thread(played.serving.kill)
            gone = datetime.now(UTC)
            assert len(await played.switch.channels()) == 2 * CALLS
            await asyncio.to_thread(played.serving.start)
            # They have ended when they were last seen at work.
            await played.check(placed, gone)
            assert await played.switch.channels() == []
        await played.check_money()
