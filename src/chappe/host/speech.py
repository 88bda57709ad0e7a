"""Speech out of text, in processes of its own, and kept by content as files.

The female voice is Pico's (py-nanotts); the male one is espeak-ng's where that program is installed, else
Pico's, lower. Pico holds the interpreter for as long as it speaks, and is old C: it never runs in ours.
"""

import asyncio
import hashlib
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from chappe.host.programs import ProgramFailed, run
from chappe.media import pcm, wav
from chappe.model.sounds import Speech

_log = structlog.get_logger()

LONGEST_TEXT = 5000
"""Characters that are spoken at most, the rest is not (our choice: some five minutes)."""
_LOUDNESS = 2600
"""-22 dB below the loudest: that of a voice on the telephone (ITU-T P.56 aims at -26 to -20)."""
_LONGEST_WORD, _LONGEST_PIECE = 30, 600
_AT_ONCE = 2
_VERSION = "1"
"""Of how speech is made: another one makes all of it anew."""


class SpeechFailed(Exception):
    """The program could not speak this."""


class Spoken(NamedTuple):
    """Samples of 16 bits, one channel, at `rate` a second."""

    samples: bytes
    rate: int


class Engine(Protocol):
    """Makes speech; `name` says which it is, and in what manner."""

    @property
    def name(self) -> str: ...

    async def speak(self, text: str, language: str) -> Spoken:
        """A piece of text that has nothing but words and punctuation. Raises SpeechFailed."""
        ...


async def _run(command: Sequence[str], text: str) -> bytes:
    try:
        return await run(command, text.encode())
    except ProgramFailed as error:
        raise SpeechFailed(str(error)) from error


_PICO = (
    "import sys; from py_nanotts import NanoTTS;"
    " text = sys.stdin.buffer.read().decode();"
    " sys.stdout.buffer.write(NanoTTS().speak(text, sys.argv[1], 1.0, float(sys.argv[2])))"
)


class Pico:
    """SVOX Pico in the wheel `py-nanotts` (Apache-2.0); `pitch` 1.0 is its own voice, a woman's."""

    def __init__(self, pitch: float = 1.0) -> None:
        self._pitch = pitch
        self.name = f"pico {pitch:g}"

    async def speak(self, text: str, language: str) -> Spoken:
        """See Engine."""
        voice = "fr-FR" if language == "fr" else "en-GB"
        return Spoken(await _run([sys.executable, "-c", _PICO, voice, str(self._pitch)], text), 16_000)


class Espeak:
    """The program espeak-ng (GPL-3, never linked), in its voice of a man."""

    def __init__(self, program: str) -> None:
        self._program = program
        self.name = "espeak-ng"

    async def speak(self, text: str, language: str) -> Spoken:
        """See Engine."""
        voice = "fr" if language == "fr" else "en-gb"
        try:
            found = wav.decode(
                await _run([self._program, "-v", voice, "-s", "150", "--stdin", "--stdout"], text)
            )
        except wav.WavError as error:
            raise SpeechFailed(f"{self._program} wrote no sound: {error}") from error
        return Spoken(found.samples, found.rate)


def engines() -> dict[str, Engine]:
    """The engines for the voices "female" and "male" on this machine."""
    espeak = shutil.which("espeak-ng")
    return {"female": Pico(), "male": Espeak(espeak) if espeak else Pico(0.72)}


class SpeechMaker:
    """Implements the port `Synthesizer`. `folder` is its own; beyond `most_bytes` what was not asked for
    longest is forgotten."""

    def __init__(
        self, folder: Path, voices: dict[str, Engine] | None = None, most_bytes: int = 200_000_000
    ) -> None:
        self._folder = folder
        self._voices = engines() if voices is None else voices
        self._most = most_bytes
        self._size: int | None = None
        self._under_way: dict[Path, asyncio.Task[bytes]] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def speak(self, speech: Speech) -> bytes:
        """See services/ports.py."""
        text = plain(speech.text)
        if not text:
            return b""
        engine = self._voices.get(speech.voice) or self._voices["female"]
        file = self._file(engine, text, speech.language)
        kept = await asyncio.to_thread(_kept, file)
        if kept is not None:
            return kept
        task = self._under_way.get(file)
        if task is None:
            task = self._under_way[file] = asyncio.create_task(
                self._make(engine, text, speech.language, file)
            )
            task.add_done_callback(lambda _: self._under_way.pop(file, None))
        try:
            # Others may wait for the same words when this one gives up.
            return await asyncio.shield(task)
        except SpeechFailed as failure:
            # A call goes on without these words: silence of no length has been played at once.
            _log.error("a text could not be spoken", reason=str(failure), language=speech.language)
            return b""

    def _file(self, engine: Engine, text: str, language: str) -> Path:
        content = "\0".join((_VERSION, engine.name, language, text))
        name = hashlib.sha256(content.encode()).hexdigest()
        return self._folder / name[:2] / f"{name}.wav"

    async def _make(self, engine: Engine, text: str, language: str, file: Path) -> bytes:
        async with self._turn:
            spoken = [one for piece in pieces(text) for one in await _said(engine, piece, language)]
        if not spoken:
            raise SpeechFailed(f"{engine.name} can say nothing of {text[:60]!r}")
        samples = await asyncio.to_thread(_finish, spoken)
        try:
            await asyncio.to_thread(self._keep, file, samples)
        except OSError as error:
            _log.warning("speech cannot be kept", file=str(file), reason=str(error))
        return samples

    def _keep(self, file: Path, samples: bytes) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}.part")
        wav.write(unfinished, samples)
        unfinished.replace(file)
        if self._size is None:
            self._size = sum(one.stat().st_size for one in self._folder.glob("*/*.wav"))
        else:
            self._size += wav.HEADER_BYTES + len(samples)
        if self._size > self._most:
            self._forget()

    def _forget(self) -> None:
        """The files that were not asked for longest, until a tenth of the room is free."""
        files = sorted(
            (one.stat().st_mtime_ns, one.stat().st_size, one) for one in self._folder.glob("*/*.wav")
        )
        size = sum(one[1] for one in files)
        for _, its_size, file in files:
            if size <= self._most * 9 // 10:
                break
            file.unlink(missing_ok=True)
            size -= its_size
        self._size = size


async def _said(engine: Engine, piece: str, language: str, halvings: int = 3) -> list[Spoken]:
    """A piece, or what can be said of it: Pico gives up on a few rare sequences of signs."""
    try:
        return [await engine.speak(piece, language)]
    except SpeechFailed as failure:
        head, blank, tail = piece[: len(piece) // 2].rpartition(" ")
        if not blank or not halvings:
            _log.warning("words are left out of a speech", words=piece, reason=str(failure))
            return []
        tail = tail + piece[len(piece) // 2 :]
        return [one for half in (head, tail) for one in await _said(engine, half, language, halvings - 1)]


def _kept(file: Path) -> bytes | None:
    try:
        samples = wav.read(file)
        os.utime(file)
    except (OSError, wav.WavError):
        return None
    return samples


def _finish(spoken: Sequence[Spoken]) -> bytes:
    whole = [pcm.trim(pcm.resample(one.samples, one.rate)) for one in spoken]
    pause = bytes(pcm.RATE // 4 * pcm.WIDTH)
    return pcm.level(pause.join(one for one in whole if one), _LOUDNESS)


def plain(text: str) -> str:
    """The text as it is spoken: without what the engines would take for markup, signs that nobody can say,
    and words without end; at most LONGEST_TEXT characters."""
    text = unicodedata.normalize("NFC", text[: LONGEST_TEXT * 2])
    said = "".join(
        " " if letter in "<>\\|" or unicodedata.category(letter)[0] in "CZ" else letter for letter in text
    )
    said = re.sub(rf"(\S{{{_LONGEST_WORD}}})(?=\S)", r"\1 ", said)
    said = " ".join(said.split())[:LONGEST_TEXT].strip()
    return said if any(letter.isalnum() for letter in said) else ""


def pieces(text: str) -> list[str]:
    """The text cut after sentences, else between words, into what an engine says in one go."""
    found = []
    while len(text) > _LONGEST_PIECE:
        head = text[:_LONGEST_PIECE]
        end = max(head.rfind(mark) for mark in (". ", "! ", "? ")) + 1 or head.rfind(" ")
        found.append(text[:end].strip())
        text = text[end:].strip()
    return [*found, text] if text else found
