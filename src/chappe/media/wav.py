"""WAV files (Multimedia Programming Interface 1.0, IBM and Microsoft, 1991): written, and read tolerantly."""

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from chappe.media import pcm
from chappe.media.pcm import audioop

HEADER_BYTES = 44
_PCM, _ALAW, _ULAW, _EXTENSIBLE = 1, 6, 7, 0xFFFE


class WavError(ValueError):
    """This is no WAV file that we can read; the text says why."""


class Wav(NamedTuple):
    """What a file holds: 16 bits, one channel, `rate` samples a second."""

    samples: bytes
    rate: int


def header(size: int, rate: int = pcm.RATE) -> bytes:
    """What goes before `size` bytes of samples of 16 bits, one channel."""
    form = struct.pack("<HHIIHH", _PCM, 1, rate, rate * pcm.WIDTH, pcm.WIDTH, 8 * pcm.WIDTH)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt \x10\0\0\0"
        + form
        + b"data"
        + struct.pack("<I", size)
    )


def encode(samples: bytes, rate: int = pcm.RATE) -> bytes:
    """The bytes of a whole file."""
    return header(len(samples), rate) + samples


def decode(octets: bytes) -> Wav:
    """What a file holds: PCM of 8 to 32 bits, µ-law or A-law, any channels, mixed to one. The sizes of a
    file that was never ended are not believed. Raises WavError."""
    if octets[:4] != b"RIFF" or octets[8:12] != b"WAVE":
        raise WavError("it does not begin as a WAV file does")
    form, data = b"", None
    place = 12
    while place + 8 <= len(octets):
        name, size = octets[place : place + 4], int.from_bytes(octets[place + 4 : place + 8], "little")
        if name == b"fmt ":
            form = octets[place + 8 : place + 8 + size]
        elif name == b"data":
            end = place + 8 + size if size else len(octets)
            data = octets[place + 8 : end]
            break
        place += 8 + size + size % 2
    if len(form) < 16:
        raise WavError("it does not say its format")
    if data is None:
        raise WavError("it holds no sound")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if code == _EXTENSIBLE and len(form) >= 26:
        code = int.from_bytes(form[24:26], "little")
    if not 1 <= channels <= 8 or not 4000 <= rate <= 192_000:
        raise WavError(f"it has {channels} channels at {rate} Hz; 1 to 8 at 4,000 to 192,000 Hz can be read")
    return Wav(_mono(_linear(data, code, bits), channels), rate)


def _linear(data: bytes, code: int, bits: int) -> bytes:
    if code == _ULAW and bits == 8:
        return pcm.from_ulaw(data)
    if code == _ALAW and bits == 8:
        return pcm.from_alaw(data)
    if code != _PCM or bits not in (8, 16, 24, 32):
        raise WavError(f"its format {code} with {bits} bits cannot be read, only PCM, µ-law and A-law")
    width = bits // 8
    data = data[: len(data) // width * width]
    if width == 1:
        return audioop.lin2lin(audioop.bias(data, 1, 128), 1, pcm.WIDTH)  # 8 bits have no sign
    return data if width == pcm.WIDTH else audioop.lin2lin(data, width, pcm.WIDTH)


def _mono(samples: bytes, channels: int) -> bytes:
    whole = pcm.WIDTH * channels
    samples = samples[: len(samples) // whole * whole]
    if channels == 1:
        return samples
    if channels == 2:
        return audioop.tomono(samples, pcm.WIDTH, 0.5, 0.5)
    values = memoryview(samples).cast("h")
    each = [pcm.gain(bytes(values[channel::channels]), 1 / channels) for channel in range(channels)]
    return pcm.mix(*each)


def read(path: Path) -> bytes:
    """The samples of a file at 8 kHz. Raises WavError, OSError."""
    found = decode(path.read_bytes())
    return pcm.resample(found.samples, found.rate)


def write(path: Path, samples: bytes) -> None:
    """A whole file of samples at 8 kHz."""
    path.write_bytes(encode(samples))


class WavWriter:
    """A file that grows while it is recorded. Its header is made right each second, so that what a crash
    leaves can be played to its last second. All raise OSError."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._file.write(header(0))
        self._waiting = bytearray()
        self.size = 0
        """Bytes of samples so far."""

    def append(self, samples: bytes) -> None:
        """More samples."""
        self._waiting += samples
        self.size += len(samples)
        if len(self._waiting) >= pcm.RATE * pcm.WIDTH:
            self._flush()

    def cut(self, size: int) -> None:
        """Only the first `size` bytes of samples stay."""
        self._flush()
        self.size = min(size, self.size)
        self._file.truncate(HEADER_BYTES + self.size)
        self._flush()

    def close(self) -> None:
        """It ends here."""
        try:
            self._flush()
        finally:
            self._file.close()

    def _flush(self) -> None:
        self._file.seek(0, 2)
        self._file.write(self._waiting)
        self._waiting.clear()
        self._file.seek(0)
        self._file.write(header(self.size))
        self._file.flush()
