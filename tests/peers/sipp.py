"""Debian's sipp as a voice network behind a trunk: it takes calls, refuses them, or places them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.peers.waiting import eventually

_REFUSE = """<?xml version="1.0"?>
<scenario name="refuse">
  <recv request="INVITE" crlf="true"/>
  <send retrans="500"><![CDATA[
    SIP/2.0 {status} No
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]SIPpTag[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0
  ]]></send>
  <recv request="ACK"/>
</scenario>
"""
HOST = "127.0.0.2"


@asynccontextmanager
async def running(folder: Path, name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A sipp with these arguments, in a folder of its own."""
    own = folder / name
    own.mkdir(exist_ok=True)
    with (own / "printed").open("wb") as printed:
        process = await asyncio.create_subprocess_exec(
            "sipp",
            *arguments,
            "-nostdin",
            cwd=own,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def refusing(folder: Path, port: int, status: int) -> AsyncIterator[None]:
    """A network that ends every call with a status."""
    scenario = folder / f"refuse{status}.xml"
    scenario.write_text(_REFUSE.format(status=status))
    arguments = ("-sf", str(scenario), "-i", HOST, "-p", str(port), "-mi", HOST)
    async with running(folder, f"sipp{status}", *arguments):
        await listens(port)
        yield


@asynccontextmanager
async def answering(folder: Path, port: int) -> AsyncIterator[None]:
    """A network that answers every call and sends back what it hears."""
    arguments = ("-sn", "uas", "-i", HOST, "-p", str(port), "-mi", HOST, "-rtp_echo")
    async with running(folder, "sipp-uas", *arguments):
        await listens(port)
        yield


@asynccontextmanager
async def calling(folder: Path, port: int, to: int, number: str) -> AsyncIterator[None]:
    """A network that calls a number at a port of ours once, sends back what it hears, and hangs up after four
    seconds."""
    arguments = ("-sn", "uac", "-i", HOST, "-p", str(port), "-mi", HOST, "-rtp_echo", "-m", "1", "-d", "4000")
    async with running(folder, "sipp-uac", *arguments, "-s", number, f"127.0.0.1:{to}"):
        yield


async def listens(port: int) -> None:
    """Until a UDP port of the network's address is taken."""
    taken = Path("/proc/net/udp")
    await eventually(lambda: f"0200007F:{port:04X}" in taken.read_text())
