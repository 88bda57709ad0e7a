"""Samples, files and tones: what goes in comes out, and every tone is found by its frequency."""

import math
import struct
from pathlib import Path

import pytest

from chappe.media import pcm, tones, wav
from chappe.model.sounds import Tone
from tests.media.sounds import said, word


@pytest.mark.parametrize(
    ("there", "back"), [(pcm.to_ulaw, pcm.from_ulaw), (pcm.to_alaw, pcm.from_alaw)], ids=["ulaw", "alaw"]
)
def test_g711_keeps_a_tone(there, back) -> None:
    sound = tones.sine(440, 0.5)
    assert len(there(sound)) == len(sound) // 2
    heard = back(there(sound))
    assert tones.strength(heard, 440) > 0.99
    assert math.isclose(pcm.rms(heard), pcm.rms(sound), rel_tol=0.02)


def test_g711_as_itu_says() -> None:
    # ITU-T G.711: silence is 0xFF in µ-law, 0xD5 in A-law (even bits inverted).
    assert pcm.to_ulaw(b"\0\0") == b"\xff"
    assert pcm.to_alaw(b"\0\0") == b"\xd5"


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 24000, 44100, 48000])
def test_resampling_keeps_the_voice_and_folds_nothing_back(rate: int) -> None:
    step = 2 * math.pi / rate
    low = struct.pack(f"<{rate}h", *(round(9000 * math.sin(step * 1000 * n)) for n in range(rate)))
    heard = pcm.resample(low, rate)
    assert abs(pcm.milliseconds(heard) - 1000) <= 1
    assert tones.strength(heard, 1000) > 0.99
    assert math.isclose(pcm.rms(heard), 9000 / math.sqrt(2), rel_tol=0.05)
    high = struct.pack(f"<{rate}h", *(round(9000 * math.sin(step * 5000 * n)) for n in range(rate)))
    assert pcm.rms(pcm.resample(high, rate)) < 150


def test_resampling_up_and_nothing() -> None:
    assert tones.strength(pcm.resample(tones.sine(440, 0.3), 8000, 16000), 220) > 0.99  # half, at 8 kHz
    assert pcm.resample(b"", 44100) == b""


def test_mixing_cuts_what_is_too_loud_and_fills_up_what_is_short() -> None:
    assert pcm.mix() == b""
    assert pcm.mix(struct.pack("<2h", 30000, 1), struct.pack("<h", 30000)) == struct.pack("<2h", 32767, 1)


def test_trim_and_level() -> None:
    sound = said(-0.5, 0.3, -0.2, 0.3, -0.7)
    trimmed = pcm.trim(sound)
    assert 800 <= pcm.milliseconds(trimmed) <= 860
    assert pcm.trim(bytes(32000)) == b"" and pcm.trim(b"") == b""
    for factor in (0.05, 1.0, 4.0):
        heard = pcm.level(pcm.gain(trimmed, factor), 2500)
        assert 2350 <= pcm.rms(word(0.3)) * pcm.rms(heard) / pcm.rms(trimmed) <= 2650
    assert pcm.level(pcm.SILENCE, 2500) == pcm.SILENCE and pcm.level(b"", 2500) == b""


def test_wav_there_and_back(tmp_path: Path) -> None:
    sound = tones.sine(700, 0.25)
    wav.write(tmp_path / "one.wav", sound)
    assert wav.read(tmp_path / "one.wav") == sound
    whole = (tmp_path / "one.wav").read_bytes()
    assert len(whole) == wav.HEADER_BYTES + len(sound)
    assert wav.decode(whole) == (sound, 8000)


def _wav(code: int, channels: int, rate: int, bits: int, data: bytes, extra: bytes = b"") -> bytes:
    form = struct.pack(
        "<HHIIHH", code, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits
    )
    form += extra
    chunks = b"LIST\x03\0\0\0abc\0" + b"fmt " + struct.pack("<I", len(form)) + form
    return b"RIFF\0\0\0\0WAVE" + chunks + b"data" + struct.pack("<I", len(data)) + data


def test_wav_of_every_kind() -> None:
    sound = tones.sine(500, 0.2)
    values = struct.unpack(f"<{len(sound) // 2}h", sound)
    eight = bytes((value >> 8) + 128 for value in values)
    wide = b"".join(struct.pack("<i", value << 8)[:3] for value in values)
    stereo = b"".join(struct.pack("<hh", value, value) for value in values)
    three = b"".join(struct.pack("<hhh", value, value, value) for value in values)
    guid = struct.pack("<HHIH", 22, 16, 0, 1) + bytes(14)
    for kind in (
        _wav(1, 1, 8000, 8, eight),
        _wav(1, 1, 8000, 16, sound + b"\0"),
        _wav(1, 1, 8000, 24, wide),
        _wav(1, 1, 8000, 32, b"".join(struct.pack("<i", value << 16) for value in values)),
        _wav(1, 2, 8000, 16, stereo),
        _wav(1, 3, 8000, 16, three),
        _wav(6, 1, 8000, 8, pcm.to_alaw(sound)),
        _wav(7, 1, 8000, 8, pcm.to_ulaw(sound)),
        _wav(0xFFFE, 1, 8000, 16, sound, guid),
    ):
        heard = wav.decode(kind).samples
        assert len(heard) == len(sound)
        assert tones.strength(heard, 500) > 0.98
        assert math.isclose(pcm.rms(heard), pcm.rms(sound), rel_tol=0.03)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"RIFF",
        b"ID3 whatever",
        b"RIFF\0\0\0\0WAVE",
        wav.header(0)[:36],
        b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd",
        _wav(2, 1, 8000, 4, b"abcd"),
        _wav(1, 0, 8000, 16, b"abcd"),
        _wav(1, 1, 1, 16, b"abcd"),
        _wav(1, 1, 8000, 12, b"abcd"),
    ],
)
def test_what_is_no_wav_is_said_so(octets: bytes) -> None:
    with pytest.raises(wav.WavError, match=r"^its? "):
        wav.decode(octets)


def test_a_file_that_was_never_ended_is_read_to_its_last_whole_second(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    writer = wav.WavWriter(path)
    for frame in pcm.frames(tones.sine(600, 2.5)):
        writer.append(frame)
    heard = wav.read(path)  # as a crash at this moment leaves it
    assert pcm.milliseconds(heard) == 2000
    assert tones.strength(heard, 600) > 0.99
    writer.close()
    assert pcm.milliseconds(wav.read(path)) == 2500


def test_a_header_that_says_nothing_of_its_size_is_not_believed() -> None:
    sound = tones.sine(600, 0.1)
    assert wav.decode(wav.header(0) + sound).samples == sound
    assert wav.decode(wav.header(0xFFFFFF00) + sound).samples == sound


def test_tones_of_the_network() -> None:
    for tone, sounding, silent in ((Tone.RINGBACK, 1.5, 3.5), (Tone.BUSY, 0.5, 0.5)):
        period = tones.tone(tone)
        assert pcm.milliseconds(period) == 1000 * (sounding + silent)
        cut = int(sounding * 8000) * 2
        assert tones.strength(period[:cut], 440) > 0.99
        assert pcm.rms(period[cut:]) == 0
    assert tones.strength(tones.tone(Tone.BEEP), 1000) > 0.99
    assert pcm.milliseconds(tones.tone(Tone.BEEP)) == 500


def test_strength_tells_tones_apart() -> None:
    sound = tones.sine(440, 1.0)
    assert tones.strength(sound, 480) < 0.02
    both = pcm.mix(sound, tones.sine(620, 1.0))
    assert 0.45 < tones.strength(both, 440) < 0.55 and 0.45 < tones.strength(both, 620) < 0.55
    assert tones.strength(b"", 440) == 0.0 and tones.strength(pcm.SILENCE, 440) == 0.0
    jumped = sound[:4000] + sound[4320:]  # a frame is lost
    assert tones.strength(jumped, 440) > 0.9


@pytest.mark.parametrize("hertz", [400, 440, 1000, 1400, 2000])
def test_the_frequency_of_a_pure_tone(hertz: int) -> None:
    for frame in list(pcm.frames(pcm.from_alaw(pcm.to_alaw(tones.sine(hertz, 0.2))))):
        assert math.isclose(tones.frequency(frame), hertz, rel_tol=0.02)


def test_a_voice_and_silence_have_no_frequency() -> None:
    assert {tones.frequency(frame) for frame in pcm.frames(word(0.5))} == {0.0}
    assert tones.frequency(pcm.SILENCE) == 0.0
    assert {tones.frequency(frame) for frame in pcm.frames(tones.keys("5", 0.1, 0.0))} == {0.0}


def test_no_key_of_a_telephone() -> None:
    with pytest.raises(ValueError, match="'E' is no key"):
        tones.keys("1E")
