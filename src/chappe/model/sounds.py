"""What can be played to somebody: speech, and the tones of the telephone network."""

from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """A tone as the French network plays it: 440 Hz, 1.5 s on and 3.5 s off, or 0.5 s and 0.5 s."""

    RINGBACK = "ringback"
    BUSY = "busy"


class Speech(NamedTuple):
    """A text to be spoken; `language` is "fr" or "en"."""

    text: str
    language: str = "fr"


Sound = Tone | Speech
