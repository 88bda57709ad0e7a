"""What two baresips say to one another is recorded by the SIP process, and kept when that one is killed."""

import asyncio
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

from chappe.media import pcm, tones, wav
from tests.carriers.sip.test_through_rest import Served, children, served, server_of
from tests.peers.waiting import eventually


def sound_of(chappe: Served, ref: str) -> bytes:
    account = chappe.account
    request = urllib.request.Request(f"{account.server.url}/v1/recordings/{ref}/audio")
    request.add_header("Authorization", f"Bearer {account.rest_key}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return wav.decode(answer.read()).samples


async def recorded(chappe: Served, folder: Path) -> tuple[str, Path]:
    """A call of which two seconds are on the disk already, and the file of its recording."""
    ref = await chappe.joined()

    async def speak() -> bool:
        return (await chappe.ask("GET", f"/v1/calls/{ref}"))["answered_at"] is not None

    await eventually(speak)
    await chappe.ask("POST", f"/v1/calls/{ref}/record", {})
    unfinished = folder / "recordings" / "unfinished"

    def grown() -> Path | None:
        return next((file for file in unfinished.glob("*.wav") if file.stat().st_size > 32_000), None)

    return ref, await eventually(grown, 30)


async def kept(chappe: Served, ref: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        [one] = (await chappe.ask("GET", f"/v1/recordings?call={ref}"))["data"]
        return one if one["ended_at"] else None

    return await eventually(look, 30)


async def test_what_two_telephones_say_is_recorded(tmp_path: Path) -> None:
    async with served(tmp_path) as chappe:
        ref, file = await recorded(chappe, tmp_path / "chappe" / "data")
        await chappe.ask("POST", f"/v1/calls/{ref}/hangup")
        recording = await kept(chappe, ref)
        assert recording["milliseconds"] >= 2000 and not file.exists()
        sound = await asyncio.to_thread(sound_of, chappe, recording["id"])
        assert pcm.milliseconds(sound) == recording["milliseconds"]
        assert tones.strength(sound, 440) > 0.2 and tones.strength(sound, 1300) > 0.2


async def test_what_was_recorded_until_its_process_was_killed_is_kept(tmp_path: Path) -> None:
    async with served(tmp_path) as chappe:
        ref, _ = await recorded(chappe, tmp_path / "chappe" / "data")
        (worker,) = await asyncio.to_thread(lambda: children(server_of(tmp_path / "chappe" / "data")))
        os.kill(worker, signal.SIGKILL)
        recording = await kept(chappe, ref)
        assert recording["milliseconds"] >= 2000
        sound = await asyncio.to_thread(sound_of, chappe, recording["id"])
        assert tones.strength(sound, 440) > 0.2 and tones.strength(sound, 1300) > 0.2
