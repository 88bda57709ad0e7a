"""What can be played to somebody: speech, uploaded sounds, and the tones of the telephone network."""

from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """A tone as the French network plays it: 440 Hz, 1.5 s on and 3.5 s off, or 0.5 s and 0.5 s. The beep
    before a recording, 1,000 Hz for half a second (our choice), comes to its end."""

    RINGBACK = "ringback"
    BUSY = "busy"
    BEEP = "beep"


class Speech(NamedTuple):
    """A text to be spoken; `language` is "fr" or "en", `voice` "female" or "male"."""

    text: str
    language: str = "fr"
    voice: str = "female"


LONGEST_TEXT = 2_000
"""How many letters are spoken at once (our choice): some two minutes."""


class Uploaded(NamedTuple):
    """A sound that the account has uploaded, by its ref."""

    ref: str


Sound = Tone | Speech | Uploaded


def has_end(sound: Sound) -> bool:
    """Whether a sound comes to its end by itself."""
    return sound not in (Tone.RINGBACK, Tone.BUSY)
