"""Sound files of any kind as samples, decoded by miniaudio in a process with little memory and time: its
decoders are C, and files come from anybody."""

import asyncio
import sys

from chappe.host.programs import ProgramFailed, run
from chappe.media import pcm
from chappe.model.errors import Fault, Refusal

_AT_ONCE = 2
_PROGRAM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
import miniaudio
from chappe.media import pcm
try:
    found = miniaudio.decode(sys.stdin.buffer.read(), miniaudio.SampleFormat.SIGNED16, 1, 16_000)
except miniaudio.DecodeError:
    sys.exit("it is damaged, or not of the kind that it seems to be")
# Its own filter before the last halving lets too much through that folds back.
samples = memoryview(found.samples).cast("B")[: 2 * int(sys.argv[1])]
sys.stdout.buffer.write(pcm.resample(bytes(samples), 16_000))
"""


class FileDecoder:
    """Implements the port `Decoder`."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def decode(self, content: bytes, longest_seconds: int) -> bytes:
        """See services/ports.py."""
        most = longest_seconds * pcm.RATE * pcm.WIDTH
        async with self._turn:
            try:
                return await run([sys.executable, "-c", _PROGRAM, str(most)], content)
            except ProgramFailed as error:
                raise Refusal(
                    Fault.UNUSABLE_MEDIA,
                    f"the sound cannot be read ({error}): send a WAV, MP3 or Ogg Vorbis file",
                ) from error
