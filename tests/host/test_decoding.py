"""Sound files become samples in a process of their own; whatever they hold, ours goes on."""

import random
import struct
from pathlib import Path

import pytest

from chappe.host.decoding import FileDecoder
from chappe.media import pcm, tones, wav
from chappe.model.errors import Fault, Refusal

FILES = Path(__file__).parent / "sounds"


@pytest.mark.parametrize("name", ["tone.mp3", "tone.ogg"])
async def test_files_are_decoded(name: str) -> None:
    """Half a second of silence, a second of 800 Hz, half a second of silence; two channels."""
    samples = await FileDecoder().decode((FILES / name).read_bytes(), 10)
    assert 1950 <= pcm.milliseconds(samples) <= 2100
    assert tones.strength(samples[8800:23_000], 800) > 0.98 and pcm.rms(samples[:7000]) < 100
    assert pcm.milliseconds(await FileDecoder().decode((FILES / name).read_bytes(), 1)) == 1000


async def test_nothing_folds_back() -> None:
    wave = struct.pack("<32000h", *(8000 if n // 3 % 2 else -8000 for n in range(32_000)))  # 5,333 Hz
    assert pcm.rms(await FileDecoder().decode(wav.encode(wave, 32_000), 10)) < 300


async def test_damaged_files_are_refused_or_heard_in_part() -> None:
    chance, decoder = random.Random(4), FileDecoder()
    for name in ("tone.mp3", "tone.ogg"):
        whole = bytearray((FILES / name).read_bytes())
        for _ in range(4):
            hurt = bytearray(whole)
            for _ in range(20):
                hurt[chance.randrange(len(hurt))] = chance.randrange(256)
            try:
                assert len(await decoder.decode(bytes(hurt), 10)) % 2 == 0
            except Refusal as refusal:
                assert refusal.fault is Fault.UNUSABLE_MEDIA
