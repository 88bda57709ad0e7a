"""One recording while it is made: what is heard goes to a file until it is told to end, or ends by itself."""

from contextlib import suppress
from pathlib import Path

from chappe.media import pcm, wav

END_KEY = "#"


class Recorder:
    """A recording of a leg, or of a room where `leg_id` is None.

    It ends by itself after `longest_seconds`, with `silence_seconds` without a sound (0: never; that silence
    is not kept), and where its file cannot be written any more. Opening raises OSError.
    """

    def __init__(
        self,
        path: Path,
        leg_id: int | None,
        room: int,
        longest_seconds: int,
        ends_on_key: bool = False,
        silence_seconds: int = 0,
    ) -> None:
        self.leg_id = leg_id
        self.room = room
        self.ends_on_key = ends_on_key
        self._longest = longest_seconds * pcm.RATE * pcm.WIDTH
        self._silence = silence_seconds * pcm.RATE * pcm.WIDTH
        self._sounded = 0
        self._file = wav.WavWriter(path)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self._file.size / (pcm.RATE * pcm.WIDTH)

    def hear(self, frame: bytes, is_loud: bool) -> bool:
        """One frame; whether the recording goes on."""
        try:
            self._file.append(frame)
            if is_loud:
                self._sounded = self._file.size
            elif self._silence and self._file.size - self._sounded >= self._silence:
                self._file.cut(self._sounded)
                return False
        except OSError:
            return False
        return self._file.size < self._longest

    def end(self) -> float:
        """It is over; how many seconds it has."""
        with suppress(OSError):
            self._file.close()
        return self.seconds
