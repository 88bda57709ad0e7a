"""A real Asterisk on loopback, unpacked by scripts/asterisk-root, with the configuration that we write."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from typing import Any

from chappe.carriers.asterisk.ari import Ari, AriLost, AriRefused, connect
from chappe.carriers.asterisk.config import files
from chappe.carriers.asterisk.settings import read_settings
from tests.clients.running import free_port

TOP = Path(__file__).parents[2]
ROOT = TOP / "var" / "asterisk-root"
_RTP = cycle(range(10_000, 32_000, 2_000))  # each switch has its own, as long as not all run at once
_NAMES = count()


def asterisk_root() -> Path:
    """The folder of Asterisk; it is unpacked there the first time, which takes some twenty seconds."""
    done = subprocess.run(
        [TOP / "scripts" / "asterisk-root", ROOT], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"The tests need Asterisk, and it cannot be unpacked: {done.stdout}{done.stderr}")
    return ROOT


def free_udp_port(address: str = "127.0.0.1") -> int:
    """One with a free port after it: telephones want it for TLS."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_STREAM) as other:
            one.bind((address, 0))
            port: int = one.getsockname()[1]
            with suppress(OSError, OverflowError):
                other.bind((address, port + 1))
                return port


@dataclass
class RunningAsterisk:
    """A switch; `table` is its section of the settings. It can be killed and started again."""

    root: Path
    folder: Path
    table: dict[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """What it said."""
        return (self.folder / "said").read_text(errors="replace")

    async def start(self) -> None:
        """Start it, and wait until its interface answers."""
        with (self.folder / "said").open("ab") as said:
            self.process = await asyncio.create_subprocess_exec(
                self.root / "run",
                "-f",
                "-C",
                self.folder / "asterisk.conf",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, **self.environment},
            )
        try:
            async with asyncio.timeout(30):
                while True:
                    with suppress(AriLost, AriRefused):
                        (await self._connect()).close()
                        return
                    assert self.process.returncode is None, self.log
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"Asterisk did not come up: {self.log}") from None

    async def kill(self) -> None:
        """End it at once."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def ask(self, method: str, path: str, **query: str | int) -> Any:
        """What its interface answers, beside whoever else is connected to it."""
        ari = await self._connect()
        try:
            answer = await ari.ask(method, path, query)
            assert answer.is_good, answer.body
            return answer.read(Any) if answer.body else None
        finally:
            ari.close()

    async def channels(self) -> list[str]:
        """The names of its channels."""
        return [channel["name"] for channel in await self.ask("GET", "channels")]

    async def _connect(self) -> Ari:
        # Each time under a new name: a busy Asterisk 22 takes now and then no request of a connection
        # that follows at once on one of the same name.
        name = f"beside-{next(_NAMES)}"
        return await connect(self.table["url"], "chappe", self.table["password"], name, lambda event: None)


def configure(root: Path, folder: Path, table: Mapping[str, Any]) -> None:
    """Write the files of a switch: those that an operator gets, and where its own things are."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = read_settings(table)
    (switch,) = settings.switches.values()
    for name, text in files(settings, switch, folder).items():
        (folder / name).write_text(text)
    modules = next(root.glob("usr/lib/*/asterisk/modules"))
    places = {"astetcdir": folder, "astmoddir": modules, "astdatadir": root / "usr/share/asterisk"}
    for name in ("varlib", "db", "key", "run", "log"):
        places[f"ast{name}dir"] = folder / name
    places["astspooldir"] = folder / "spool"
    for place in (
        *list(places.values())[3:],
        folder / "key/keys",
        folder / "sounds",
        folder / "spool/recording",
    ):
        place.mkdir(parents=True, exist_ok=True)
    words = "".join(f"{name} = {place}\n" for name, place in places.items())
    (folder / "asterisk.conf").write_text(f"[directories]\n{words}[options]\nmaxfiles = 65536\n")


def a_table(folder: Path, **more: Any) -> dict[str, Any]:
    """The section of the settings of a switch on free ports of loopback, that has its things in a folder."""
    first = next(_RTP)
    return {
        "type": "asterisk",
        "url": f"http://127.0.0.1:{free_port()}/ari",
        "password": "secret",
        "sip": f"127.0.0.1:{free_udp_port()}",
        "rtp": [first, first + 1_999],
        "sounds": str(folder / "sounds"),
        "recordings": str(folder / "spool" / "recording"),
        "per_second": 1000,
        **more,
    }


def written(settings: Mapping[str, Any], section: str = "") -> str:
    """Settings as TOML."""
    own = [f"{key} = {json.dumps(value)}" for key, value in settings.items() if not _is_table(value)]
    text = (f"[{section}]\n" if section else "") + "\n".join(own) + "\n"
    for key, value in settings.items():
        name = f"{section}.{key}".lstrip(".")
        if isinstance(value, Mapping):
            text += written(value, name)
        elif _is_table(value):
            text += "".join(written(one, f"[{name}]") for one in value)
    return text


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    )


@asynccontextmanager
async def asterisk(
    folder: Path, table: Mapping[str, Any], files: Mapping[str, str] | None = None, modules: str = ""
) -> AsyncIterator[RunningAsterisk]:
    """A switch with the settings of a table, until the end of the block; with `files` of its own in place of
    ours, and further `modules`, it is somebody else's."""
    root = await asyncio.to_thread(asterisk_root)
    await asyncio.to_thread(configure, root, folder, table)
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    with (folder / "modules.conf").open("a") as loaded:
        loaded.writelines(f"load = {one}.so\n" for one in modules.split())
    made = RunningAsterisk(root, folder, dict(table))
    try:
        await made.start()
        yield made
    finally:
        if made.process is not None and made.process.returncode is None:
            await made.kill()
