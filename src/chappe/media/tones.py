"""The tones of the telephone: made, found again in a sound, and the keys that are pressed (ITU-T Q.23)."""

import math
import struct
from functools import cache

from chappe.media import pcm
from chappe.media.pcm import audioop
from chappe.model.sounds import Tone

_LOW = (697, 770, 852, 941)
_HIGH = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")
KEY_PAIRS = {
    key: (low, high)
    for low, row in zip(_LOW, _KEYS, strict=True)
    for high, key in zip(_HIGH, row, strict=True)
}
"""For each key its two frequencies in hertz."""

_WINDOW = 400 * pcm.WIDTH
"""50 ms: two tones 20 Hz apart are told from one another, and a lost frame spoils little."""
_AMPLITUDE = 8000
"""-12 dB below the loudest: as loud as speech."""


def sine(hertz: float, seconds: float, amplitude: int = _AMPLITUDE) -> bytes:
    """A pure tone."""
    step = 2 * math.pi * hertz / pcm.RATE
    count = round(seconds * pcm.RATE)
    return struct.pack(f"<{count}h", *(round(amplitude * math.sin(step * place)) for place in range(count)))


def silence(seconds: float) -> bytes:
    """Nothing to hear for so long."""
    return bytes(round(seconds * pcm.RATE) * pcm.WIDTH)


@cache
def tone(wanted: Tone) -> bytes:
    """The samples of a tone: for the ones that go on one period, to be repeated."""
    match wanted:
        case Tone.RINGBACK:
            return sine(440, 1.5) + silence(3.5)
        case Tone.BUSY:
            return sine(440, 0.5) + silence(0.5)
        case Tone.BEEP:
            return sine(1000, 0.5)


def keys(pressed: str, on: float = 0.1, off: float = 0.1) -> bytes:
    """The sound of keys (0-9, *, #, A-D) one after the other, `on` seconds each, with silence after each.
    Raises ValueError for what is no key."""
    sound = b""
    for key in pressed.upper():
        if key not in KEY_PAIRS:
            raise ValueError(f"{key!r} is no key of a telephone: 0 to 9, *, # and A to D are")
        low, high = KEY_PAIRS[key]
        sound += pcm.mix(sine(low, on, 6000), sine(high, on, 6000)) + silence(off)
    return sound


def key_in(frame: bytes) -> str:
    """The key that sounds in a frame, empty where none does."""
    if pcm.rms(frame) < 300:
        return ""
    low = max(_LOW, key=lambda hertz: _share(frame, hertz))
    high = max(_HIGH, key=lambda hertz: _share(frame, hertz))
    one, other = _share(frame, low), _share(frame, high)
    # Speech has neither so much of its power in two frequencies nor so evenly in both (Q.24: twist).
    if one + other < 0.8 or min(one, other) < 0.12:
        return ""
    return _KEYS[_LOW.index(low)][_HIGH.index(high)]


def strength(samples: bytes, hertz: float) -> float:
    """How much of a sound's power is at a frequency: 0.0 none, 1.0 all of it; over 50 ms each, so that
    lost frames and changes of phase do no harm."""
    whole = found = 0.0
    for start in range(0, max(1, len(samples) - _WINDOW // 2), _WINDOW):
        window = samples[start : start + _WINDOW]
        power = pcm.rms(window) ** 2 * len(window)
        whole += power
        found += power * _share(window, hertz) if power else 0.0
    return found / whole if whole else 0.0


def frequency(frame: bytes) -> float:
    """The frequency in hertz of a frame that is one pure tone, 0.0 for anything else. A pure tone is what
    three samples in a row foretell: x[n+1] + x[n-1] = 2 cos(w) x[n]."""
    loud = pcm.rms(frame)
    if loud < 256:
        return 0.0
    middle = frame[2:-2]
    around = audioop.add(pcm.gain(frame[:-4], 0.5), pcm.gain(frame[4:], 0.5), pcm.WIDTH)
    cosine = audioop.findfactor(around, middle)
    rest = pcm.rms(audioop.add(around, pcm.gain(middle, -cosine), pcm.WIDTH))
    if not -1.0 < cosine < 1.0 or rest > 0.06 * loud:
        return 0.0
    return math.acos(cosine) * pcm.RATE / (2 * math.pi)


def _share(samples: bytes, hertz: float) -> float:
    """Of the power of a short sound the part at a frequency: what its projections on sine and cosine have."""
    power = pcm.rms(samples) ** 2
    if not power:
        return 0.0
    sines, cosines = _waves(hertz, len(samples) // pcm.WIDTH)
    one, other = audioop.findfactor(samples, sines), audioop.findfactor(samples, cosines)
    return min(1.0, (one * one + other * other) * _AMPLITUDE**2 / 2 / power)


@cache
def _waves(hertz: float, count: int) -> tuple[bytes, bytes]:
    step = 2 * math.pi * hertz / pcm.RATE
    sines = struct.pack(f"<{count}h", *(round(_AMPLITUDE * math.sin(step * place)) for place in range(count)))
    cosines = struct.pack(
        f"<{count}h", *(round(_AMPLITUDE * math.cos(step * place)) for place in range(count))
    )
    return sines, cosines
