"""Calls asked for over REST on a running server, between two baresips that are registered with it; and the
death of its SIP process, and of itself, in the middle of them."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chappe.carriers.sip import process, words
from chappe.carriers.sip.settings import read_settings
from chappe.media import tones
from tests.clients.running import Account, running_server
from tests.peers import sipp
from tests.peers.baresip import Baresip, free_ports, telephone
from tests.peers.waiting import eventually

_SETTINGS = """
[carriers.sip]
type = "sip"
listen = "127.0.0.1"
port = {port}
first_port = 32000
last_port = 32999
requests_per_second = 50

[calls]
lines = "sip"
"""

_NETWORK = """
at_once = 100
per_minute = 0
per_day = 0
spend_per_day = 0

[[carriers.sip.trunks]]
name = "network"
host = "127.0.0.2"
port = {port}
max_calls = 50

[[routes]]
kind = "call"
carrier = "sip"
"""


@dataclass
class Served:
    """A running server, an account on it, and two of its lines with their telephones."""

    account: Account
    numbers: list[str]
    telephones: list[Baresip]

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        return await asyncio.to_thread(partial(self.account.ask, method, path, body))

    async def story(self, ref: str, state: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            story: dict[str, Any] = await self.ask("GET", f"/v1/calls/{ref}")
            return story if story["state"] == state else None

        return await eventually(look, 30)

    async def joined(self) -> str:
        """A call whose two telephones were rung and have answered, one after the other."""
        made = await self.ask("POST", "/v1/calls", {"from": self.numbers[0], "to": self.numbers[1]})
        for one in self.telephones:
            await one.until("CALL_INCOMING")
            await one.ask("accept")
            await one.until("CALL_ESTABLISHED")
        return str(made["id"])


def children(parent: int) -> list[int]:
    """The SIP processes that a process has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if above == parent and b"chappe.carriers.sip.worker" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


def server_of(data: Path) -> int:
    """The server that works on a folder of data."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(data).encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                return int(entry.name)
    raise AssertionError(f"nobody works on {data}")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    (port,) = free_ports(1)
    (folder / "chappe").mkdir()
    server = running_server(folder / "chappe", _SETTINGS.format(port=port))
    running = await asyncio.to_thread(server.__enter__)
    try:
        account = await asyncio.to_thread(running.create_account, "shop", 200)
        ask = partial(asyncio.to_thread, account.ask)
        await ask("POST", "/v1/lines", {})
        numbers = [line["number"] for line in (await ask("GET", "/v1/lines"))["data"]][:2]
        secrets = [await ask("POST", f"/v1/lines/{number}/sip-credentials") for number in numbers]
        phones = [
            telephone(folder / f"phone{place}", one["user"], one["password"], port, hertz=hertz)
            for place, (one, hertz) in enumerate(zip(secrets, (440, 1300), strict=True))
        ]
        async with phones[0] as one, phones[1] as other:
            made = Served(account, numbers, [one, other])

            async def are_registered() -> bool:
                lines = (await made.ask("GET", "/v1/lines"))["data"]
                return all(
                    line.get("telephone", {}).get("registered_until")
                    for line in lines
                    if line["number"] in numbers
                )

            await eventually(are_registered)
            yield made
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def test_two_telephones_of_lines_are_rung_and_joined(tmp_path: Path) -> None:
    async with served(tmp_path) as chappe:
        ref = await chappe.joined()
        one, other = chappe.telephones
        await eventually(lambda: tones.strength(one.heard()[-8000:], 1300) > 0.3)
        await eventually(lambda: tones.strength(other.heard()[-8000:], 440) > 0.3)
        await other.ask("hangup")
        await one.until("CALL_CLOSED")
        story = await chappe.story(ref, "over")
        assert (story["outcome"], [leg["cause"] for leg in story["legs"]]) == ("answered", ["normal"] * 2)


async def test_calls_end_with_the_process_that_carries_them_and_the_next_one_carries_new_calls(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as chappe:
        ref = await chappe.joined()
        (worker,) = children(server_of(tmp_path / "chappe" / "data"))
        os.kill(worker, signal.SIGKILL)
        story = await chappe.story(ref, "over")
        assert (story["outcome"], {leg["cause"] for leg in story["legs"]}) == ("answered", {"interrupted"})
        await eventually(lambda: children(server_of(tmp_path / "chappe" / "data")))
        for one in chappe.telephones:
            await one.ask("hangup")
            await one.until("CALL_CLOSED")
            one.events.clear()

        async def is_up() -> bool:
            status: str = (await chappe.ask("GET", "/readyz"))["carriers"]["up"]
            return int(status) == 2

        await eventually(is_up)
        await chappe.joined()  # where they are was kept


async def test_twenty_calls_are_closed_and_cost_what_was_talked_when_their_process_is_killed(
    tmp_path: Path,
) -> None:
    port, trunk = free_ports(2)
    (tmp_path / "chappe").mkdir()
    settings = _SETTINGS.format(port=port) + _NETWORK.format(port=trunk)
    server = running_server(tmp_path / "chappe", settings)
    async with sipp.answering(tmp_path, trunk):
        running = await asyncio.to_thread(server.__enter__)
        try:
            account = await asyncio.to_thread(running.create_account, "shop", 10_000)
            chappe = Served(account, [], [])
            made = [
                await chappe.ask("POST", "/v1/calls", {"from": f"+331456789{n}", "to": f"+331567890{n}"})
                for n in range(10, 30)
            ]

            async def are_joined() -> bool:
                stories = [await chappe.ask("GET", f"/v1/calls/{one['id']}") for one in made]
                return all(story.get("answered_at") for story in stories)

            await eventually(are_joined, 60)
            (worker,) = children(server_of(tmp_path / "chappe" / "data"))
            os.kill(worker, signal.SIGKILL)
            stories = [await chappe.story(one["id"], "over") for one in made]
            for story in stories:
                assert {leg["cause"] for leg in story["legs"]} == {"interrupted"}
                assert story["price"] == pytest.approx(sum(leg["price"] for leg in story["legs"]))
                assert story["price"] > 0
            balance = (await chappe.ask("GET", "/v1/account"))["balance"]
            assert balance == pytest.approx(10_000 - sum(story["price"] for story in stories))
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)


_STARTS = """
import asyncio
import pytest

from chappe.carriers.sip import process, words
from chappe.carriers.sip.settings import read_settings

async def main():
    async with process.started() as made:
        made.say(words.Begin(read_settings({"listen": "127.0.0.1", "port": %d}), ()))
        print(made.pid, flush=True)
        await made.listen(lambda word: print(type(word).__name__, flush=True))

asyncio.run(main())
"""


async def test_the_process_ends_when_who_started_it_is_killed() -> None:
    (port,) = free_ports(1)
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _STARTS % port, stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    worker = int(await starter.stdout.readline())
    assert await starter.stdout.readline() == b"Pulse\n"
    starter.kill()
    await starter.wait()
    await eventually(lambda: not _words(worker))


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        told: list[words.Event] = []
        async with process.started() as made:
            made.say(words.Begin(read_settings({"listen": "127.0.0.1", "port": port}), ()))
            await made.listen(told.append)
    (note,) = told
    assert isinstance(note, words.Note)
    assert note.text == f"SIP cannot be spoken at 127.0.0.1 port {port}: Address already in use"
