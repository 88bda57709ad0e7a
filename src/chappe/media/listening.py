"""Listening to a party frame by frame: does it talk, is it a machine that records now, what keys sound."""

from dataclasses import dataclass
from enum import StrEnum

from chappe.media import tones

LOUD = 256
"""From this loudness on (as `pcm.rms`) a frame is sound, below it silence (amd.conf: silence_threshold)."""
_FRAME = 20
_TALKS_AFTER, _QUIET_AFTER = 100, 1000
"""Milliseconds of sound and of silence (our choice)."""


class VoiceActivity:
    """Tells when a party begins to talk, and when it has stopped."""

    def __init__(self) -> None:
        self.talks = False
        self._loud = self._silent = 0

    def hear(self, is_loud: bool) -> bool | None:
        """One frame; true when it begins to talk, false when it has stopped, None for no change."""
        if is_loud:
            self._loud += _FRAME
            self._silent = 0
        else:
            self._silent += _FRAME
            if self._silent > _TALKS_AFTER:
                self._loud = 0
        if not self.talks and self._loud >= _TALKS_AFTER:
            self.talks = True
            return True
        if self.talks and self._silent >= _QUIET_AFTER:
            self.talks = False
            return False
        return None


@dataclass(frozen=True, slots=True)
class Amd:
    """How a machine is told from a person: milliseconds and words, names and values as in amd.conf."""

    initial_silence: int = 2500
    greeting: int = 1500
    after_greeting_silence: int = 800
    total_analysis_time: int = 5000
    min_word_length: int = 100
    between_words_silence: int = 50
    maximum_number_of_words: int = 3
    maximum_word_length: int = 5000


MACHINE_READY_SILENCE = 1500
"""Milliseconds of silence after its greeting, after which a machine without a tone records."""
_TONE = (400.0, 2000.0)
_TONE_LASTS, _TONE_OVER = 100, 100
_NEVER_SPOKE = 5000


class Heard(StrEnum):
    """What a judge says, each at most once, in this order."""

    PERSON = "person"
    MACHINE = "machine"
    READY = "ready"


class Judge:
    """Listens from the moment of answering: a person or a machine, and when the machine records.

    A person says a short word and waits; a machine says a whole sentence, or nothing for long. What is not
    decided after the whole time counts as a person: nobody is hung up on by mistake. A machine records when
    its tone is over (400 to 2,000 Hz for 100 ms at least, then silence), or after 1.5 s of silence.
    """

    def __init__(self, amd: Amd | None = None) -> None:
        self._amd = amd or Amd()
        self._is_machine: bool | None = None
        self._is_ready = False
        self._total = self._voice = self._silence = self._greeting = self._words = 0
        self._in_word = False
        self._tone = 0
        self._hertz = 0.0
        self._cut = False

    @property
    def is_done(self) -> bool:
        """Whether it has no more to say."""
        return self._is_ready or self._is_machine is False

    def hear(self, frame: bytes, is_loud: bool) -> list[Heard]:
        """One frame; what is known now."""
        if self.is_done:
            return []
        self._total += _FRAME
        self._count(is_loud)
        tone_over = self._tone_over(frame, is_loud)
        found = []
        if self._is_machine is None:
            self._is_machine = True if tone_over else self._verdict()
            if self._is_machine is not None:
                found.append(Heard.MACHINE if self._is_machine else Heard.PERSON)
        if self._is_machine and (tone_over or self._silent_enough()):
            self._is_ready = True
            found.append(Heard.READY)
        return found

    def _count(self, is_loud: bool) -> None:
        if is_loud:
            self._voice += _FRAME
            self._silence = 0
            self._greeting += _FRAME
            if not self._in_word and self._voice >= self._amd.min_word_length:
                self._in_word = True
                self._words += 1
        else:
            self._silence += _FRAME
            if self._silence >= self._amd.between_words_silence:
                if not self._words:
                    self._greeting = 0  # a click, no word
                self._in_word = False
                self._voice = 0
            elif self._words:
                self._greeting += _FRAME

    def _verdict(self) -> bool | None:
        amd = self._amd
        if self._words >= amd.maximum_number_of_words or self._voice >= amd.maximum_word_length:
            return True
        if self._words and self._greeting >= amd.greeting:
            return True
        if not self._words and self._silence >= amd.initial_silence:
            return True
        if self._words and self._silence >= amd.after_greeting_silence:
            return False
        return False if self._total >= amd.total_analysis_time else None

    def _silent_enough(self) -> bool:
        return self._silence >= (MACHINE_READY_SILENCE if self._words else _NEVER_SPOKE)

    def _tone_over(self, frame: bytes, is_loud: bool) -> bool:
        """Whether a tone has ended; while it sounds its frequency stays."""
        if not is_loud:
            return self._tone >= _TONE_LASTS and self._silence >= _TONE_OVER
        hertz = tones.frequency(frame)
        if _TONE[0] <= hertz <= _TONE[1]:
            same = abs(hertz - self._hertz) <= 0.04 * self._hertz
            self._tone = self._tone + _FRAME if same else _FRAME
            self._hertz, self._cut = hertz, False
        elif self._tone >= _TONE_LASTS and not self._cut:
            self._cut = True  # the frame in which it ends is half silence, and no pure tone
        else:
            self._tone = 0
        return False


class Keys:
    """Finds keys that are pressed in a sound, each once."""

    def __init__(self) -> None:
        self._last = self._told = ""

    def hear(self, frame: bytes) -> str:
        """One frame; the key that it has been for two frames, once, else empty."""
        key = tones.key_in(frame)
        steady, self._last = key == self._last, key
        if not steady or key == self._told:
            return ""
        self._told = key
        return key
