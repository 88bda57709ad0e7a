"""Sound as the telephone carries it: 8 kHz, 16 bits little-endian, one channel, in frames of 20 ms."""

import math
import warnings
from collections.abc import Iterator
from functools import cache

with warnings.catch_warnings():
    # Python 3.11 and 3.12 announce that it leaves the standard library; from 3.13 on `audioop-lts` has it.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop as audioop

RATE = 8000
"""Samples a second."""
WIDTH = 2
FRAME_SAMPLES = 160
FRAME_BYTES = FRAME_SAMPLES * WIDTH
FRAME_SECONDS = FRAME_SAMPLES / RATE
SILENCE = bytes(FRAME_BYTES)
LOUDEST = 32767

_TAPS = 48
"""Half the length of the low-pass filter at its own rate: long enough that what folds back is not heard."""


def to_ulaw(samples: bytes) -> bytes:
    """As G.711 µ-law, one byte a sample."""
    return audioop.lin2ulaw(samples, WIDTH)


def from_ulaw(octets: bytes) -> bytes:
    """From G.711 µ-law."""
    return audioop.ulaw2lin(octets, WIDTH)


def to_alaw(samples: bytes) -> bytes:
    """As G.711 A-law, one byte a sample."""
    return audioop.lin2alaw(samples, WIDTH)


def from_alaw(octets: bytes) -> bytes:
    """From G.711 A-law."""
    return audioop.alaw2lin(octets, WIDTH)


def rms(samples: bytes) -> int:
    """How loud it is: the root of the mean square, 0 to 32767; 0 for nothing."""
    return audioop.rms(samples, WIDTH) if samples else 0


def milliseconds(samples: bytes) -> int:
    """How long it lasts."""
    return len(samples) // WIDTH * 1000 // RATE


def mix(*sounds: bytes) -> bytes:
    """All at once, as long as the longest; what is too loud is cut off."""
    if not sounds:
        return b""
    length = max(map(len, sounds))
    mixed = bytes(length)
    for sound in sounds:
        mixed = audioop.add(mixed, sound if len(sound) == length else sound.ljust(length, b"\0"), WIDTH)
    return mixed


def gain(samples: bytes, factor: float) -> bytes:
    """Louder or softer; what is too loud is cut off."""
    return audioop.mul(samples, WIDTH, factor)


def level(samples: bytes, wanted: int) -> bytes:
    """With the loudness `wanted` (as `rms`) where it sounds, or as near as its peaks allow; silence stays."""
    loud = [frame for frame in frames(samples) if rms(frame) > wanted // 20]
    now = rms(b"".join(loud))
    peak = audioop.max(samples, WIDTH) if samples else 0
    return gain(samples, min(wanted / now, LOUDEST / peak)) if now and peak else samples


def trim(samples: bytes, threshold: int = 100) -> bytes:
    """Without the silence at both ends: frames softer than `threshold` (as `rms`); one stays at each end."""
    pieces = list(frames(samples))
    loud = [place for place, frame in enumerate(pieces) if rms(frame) >= threshold]
    if not loud:
        return b""
    return samples[max(0, loud[0] - 1) * FRAME_BYTES : (loud[-1] + 2) * FRAME_BYTES]


def frames(samples: bytes) -> Iterator[bytes]:
    """In frames of 20 ms; the last one is filled up with silence."""
    for start in range(0, len(samples), FRAME_BYTES):
        yield samples[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")


def resample(samples: bytes, from_rate: int, to_rate: int = RATE) -> bytes:
    """At another number of samples a second; what the new one cannot carry is filtered out first."""
    if from_rate == to_rate or not samples:
        return samples
    if from_rate > to_rate:
        samples = _low_pass(samples, 0.45 * to_rate / from_rate)
    return audioop.ratecv(samples, WIDTH, 1, from_rate, to_rate, None)[0]


def _low_pass(samples: bytes, cut_off: float) -> bytes:
    """Without what is above `cut_off` (a part of the rate): a windowed sinc, each tap in one pass over all
    samples. Each tap is small, so that the sum is cut off nowhere on its way."""
    taps = _taps(cut_off)
    edge = bytes(len(taps) // 2 * WIDTH)
    padded = edge + samples + edge
    filtered = bytes(len(samples))
    for place, tap in enumerate(taps):
        shifted = padded[place * WIDTH : place * WIDTH + len(samples)]
        filtered = audioop.add(filtered, audioop.mul(shifted, WIDTH, tap), WIDTH)
    return filtered


@cache
def _taps(cut_off: float) -> tuple[float, ...]:
    # The lower it cuts the longer it must be; 2 * _TAPS + 1 taps when the rate is divided by six.
    half = max(8, min(_TAPS, round(3.6 / cut_off)))
    taps = []
    for place in range(-half, half + 1):
        sinc = 2 * cut_off if place == 0 else math.sin(2 * math.pi * cut_off * place) / (math.pi * place)
        taps.append(sinc * (0.54 + 0.46 * math.cos(math.pi * place / half)))
    total = sum(taps)
    return tuple(tap / total for tap in taps)
