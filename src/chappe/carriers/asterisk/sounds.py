"""Sounds as files that a switch plays, and what it has recorded."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path

from chappe.media.pcm import SILENCE
from chappe.model.sounds import Sound, Tone
from chappe.services import sounds
from chappe.services.ports import Platform

_TONES = {Tone.RINGBACK: "tone:ring;tonezone=fr", Tone.BUSY: "tone:busy;tonezone=fr"}
"""Of indications.conf, which config.py writes."""

_WAV_HEADER, _BYTES_A_SECOND = 44, 16_000


class Sounds:
    """The folder of one switch; a file is called by what is in it."""

    def __init__(self, platform: Platform, folder: str) -> None:
        self._platform = platform
        self._folder = Path(folder)

    async def media(self, account_id: int, sound: Sound) -> str:
        """What the switch is asked to play."""
        if isinstance(sound, Tone) and sound in _TONES:
            return _TONES[sound]
        samples = await sounds.samples(self._platform, account_id, sound)
        return await asyncio.to_thread(self._kept, samples or SILENCE)

    def _kept(self, samples: bytes) -> str:
        name = self._folder / sha256(samples).hexdigest()[:40]
        file = name.with_suffix(".sln")
        if file.exists():
            os.utime(file)  # still in use
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: another call may ask for the same at this moment.
            part = name.with_suffix(f".{os.getpid()}-{id(samples)}.part")
            part.write_bytes(samples)
            part.chmod(0o644)
            part.rename(file)
        return f"sound:{name}"


def ended(path: str) -> float:
    """How long a recording is, in seconds."""
    try:
        return max(0, Path(path).stat().st_size - _WAV_HEADER) / _BYTES_A_SECOND
    except OSError:
        return 0.0
