"""Programs in Node that play the other side, each with its packages installed once beside it."""

import asyncio
import json
import subprocess
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chappe.model.smstext import Encoding, cut, decode_gsm7, encode_gsm7, plan

FOLDER = Path(__file__).parent


def install() -> None:
    """The packages of package.json, unless they are there. It locks exact versions by itself: a lock file
    would hold the address of the registry."""
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        found = FOLDER / "node_modules" / name / "package.json"
        if not found.exists() or json.loads(found.read_text())["version"] != version:
            command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=FOLDER, check=True, capture_output=True)
            return


@dataclass
class Program:
    """A running program: `told` is every line of JSON that it printed."""

    process: asyncio.subprocess.Process
    told: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, key: str, count: int = 1) -> list[Any]:
        """The values of a key in what it tells, once there are so many."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            while len(found := [one[key] for one in self.told if key in one]) < count:
                line = await self.process.stdout.readline()
                assert line, f"the program ended: {self.told[-3:]}"
                self.told.append(json.loads(line))
        return found

    def ask(self, **fields: Any) -> None:
        """Give it a line of JSON."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(fields).encode() + b"\n")


@asynccontextmanager
async def a_program(name: str) -> AsyncIterator[Program]:
    """A program of this folder, until the block ends."""
    install()
    process = await asyncio.create_subprocess_exec(
        "node", name, cwd=FOLDER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        await process.wait()


def npm_parts(text: str) -> list[dict[str, object]]:
    """A text as npm's smpp is to send it: alphabet, octets and, where one unit does not hold it, headers."""
    if plan(text).encoding is Encoding.UCS2:
        coding, octets = 8, text.encode("utf-16-be")
        pieces = [one.decode("utf-16-be") for one in cut(octets, Encoding.UCS2, 140, 134)]
    else:
        coding = 0  # left alone it announces ASCII and writes GSM
        pieces = [decode_gsm7(one) for one in cut(encode_gsm7(text), Encoding.GSM7, 160, 153)]
    reference = zlib.crc32(text.encode()) & 0xFF
    return [
        {"data_coding": coding, "short_message": piece}
        | ({"udh": f"050003{reference:02x}{len(pieces):02x}{number:02x}"} if len(pieces) > 1 else {})
        for number, piece in enumerate(pieces, 1)
    ]
