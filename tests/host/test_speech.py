"""Speech: both languages and voices are heard, odd texts do no harm, and what was spoken once is kept."""

import asyncio
import shutil
from pathlib import Path

import pytest

from chappe.host import speech
from chappe.host.speech import Espeak, Pico, SpeechFailed, SpeechMaker, Spoken, pieces, plain
from chappe.media import pcm, tones
from chappe.model.sounds import Speech


class Counting:
    """An engine that hums, as long as its text, and counts."""

    name = "counting"

    def __init__(self) -> None:
        self.spoken: list[str] = []

    async def speak(self, text: str, language: str) -> Spoken:
        self.spoken.append(text)
        await asyncio.sleep(0)
        return Spoken(tones.silence(0.5) + tones.sine(440, 0.02 * len(text), 500) + tones.silence(0.5), 8000)


class Failing:
    """An engine that never can."""

    name = "counting"

    async def speak(self, text: str, language: str) -> Spoken:
        raise SpeechFailed("it is hoarse")


def voices(engine: speech.Engine) -> dict[str, speech.Engine]:
    return {"female": engine, "male": engine}


def files_in(folder: Path) -> list[Path]:
    return list(folder.glob("*/*"))


def pitch(samples: bytes) -> float:
    """The usual pitch of a voice in hertz: by the lag at which its loud frames are most like themselves."""
    found = []
    for start in range(0, len(samples) - 1600, 320):
        frame = memoryview(samples[start : start + 1280]).cast("h")
        if pcm.rms(bytes(frame)) < 1500:
            continue
        likeness = {lag: sum(frame[n] * frame[n + lag] for n in range(0, 480, 2)) for lag in range(25, 130)}
        found.append(8000 / max(likeness, key=lambda lag: likeness[lag]))
    return sorted(found)[len(found) // 2]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("voice", ["female", "male"])
async def test_both_languages_and_voices_are_heard(tmp_path: Path, language: str, voice: str) -> None:
    texts = {"fr": "Bonjour, vous allez être mis en relation.", "en": "Good morning, please hold the line."}
    said = await SpeechMaker(tmp_path).speak(Speech(texts[language], language, voice))
    assert 1000 < pcm.milliseconds(said) < 6000
    loud = [frame for frame in pcm.frames(said) if pcm.rms(frame) > 300]
    assert len(loud) * 20 > pcm.milliseconds(said) / 2  # speech, not silence
    assert 1800 < pcm.rms(b"".join(loud)) < 3500  # as loud as every other
    assert pcm.rms(b"".join(list(pcm.frames(said))[:3])) >= 100  # nobody waits for it to begin


async def test_a_man_speaks_lower_than_a_woman(tmp_path: Path) -> None:
    maker = SpeechMaker(tmp_path)
    text = "Vous n'avez pas de nouveau message, au revoir."
    her, him = [await maker.speak(Speech(text, "fr", voice)) for voice in ("female", "male")]
    assert her != him
    assert pitch(him) < 0.85 * pitch(her)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\n\t", "\0", "...", "?!", "\ud800", "😀", "\u202e", "<>", "`", "日本語",
        "a\0b", "1", "Zoë & Cie <mark name='x'/> 50 % \\pause=99999\\", "x" * 300, "é" * 300,
        "1234567890" * 20, "\u0301e", "٠١٢", "A" + "\n" * 500 + "B", "</speak>", "<p>", "😀 oui 😀",
        "Prénom : « Anaïs »\u202f; n° 3½ – œuf", "-1,5e10", "https://example.com/a?b=c#d", "a.b.c." * 50,
    ],
)  # fmt: skip
async def test_odd_texts_do_no_harm(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    maker = SpeechMaker(tmp_path)
    for language in ("fr", "en"):
        said = await maker.speak(Speech(text, language))
        assert len(said) % 2 == 0
        # What has letters or digits of ours is heard.
        assert pcm.milliseconds(said) > 100 or not any(one.isascii() and one.isalnum() for one in plain(text))


async def test_what_was_spoken_is_kept_and_not_made_again(tmp_path: Path) -> None:
    engine = Counting()
    first = await SpeechMaker(tmp_path, voices(engine)).speak(Speech("Bonjour"))
    assert engine.spoken == ["Bonjour"]
    again = await SpeechMaker(tmp_path, voices(Failing())).speak(Speech(" Bonjour\n"))
    assert again == first and first
    other = SpeechMaker(tmp_path, voices(engine))
    for one in (Speech("Bonjour", "en"), Speech("bonjour")):
        await other.speak(one)
    assert len(engine.spoken) == 3


async def test_silence_is_trimmed_and_the_level_set(tmp_path: Path) -> None:
    said = await SpeechMaker(tmp_path, voices(Counting())).speak(Speech("x" * 50))
    assert 1000 <= pcm.milliseconds(said) <= 1060
    assert tones.strength(said, 440) > 0.95 and 2400 < pcm.rms(said) < 2800


async def test_who_asks_at_the_same_time_waits_for_the_same_words(tmp_path: Path) -> None:
    engine = Counting()
    maker = SpeechMaker(tmp_path, voices(engine))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(maker.speak(Speech("Bonjour"))) for _ in range(10)]
    assert len(engine.spoken) == 1 and len({task.result() for task in tasks}) == 1


async def test_what_cannot_be_spoken_is_silence_and_not_kept(tmp_path: Path) -> None:
    assert await SpeechMaker(tmp_path, voices(Failing())).speak(Speech("Bonjour")) == b""
    assert await SpeechMaker(tmp_path, voices(Counting())).speak(Speech("Bonjour")) != b""


async def test_only_the_words_that_cannot_be_spoken_are_left_out(tmp_path: Path) -> None:
    class Stumbling(Counting):
        async def speak(self, text: str, language: str) -> Spoken:
            if "xyz" in text:
                raise SpeechFailed("it stumbles")
            return await super().speak(text, language)

    engine = Stumbling()
    assert await SpeechMaker(tmp_path, voices(engine)).speak(Speech("un deux trois xyz quatre cinq six sept"))
    assert engine.spoken == ["un deux", "quatre cinq six sept"]


async def test_a_broken_file_is_made_anew(tmp_path: Path) -> None:
    maker = SpeechMaker(tmp_path, voices(Counting()))
    first = await maker.speak(Speech("Bonjour"))
    [file] = files_in(tmp_path)
    file.write_bytes(b"RIFF")
    assert await maker.speak(Speech("Bonjour")) == first


async def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "speech").write_text("no folder")
    maker = SpeechMaker(tmp_path / "speech", voices(Counting()))
    assert await maker.speak(Speech("Bonjour"))


async def test_the_folder_does_not_grow_without_end(tmp_path: Path) -> None:
    engine = Counting()
    maker = SpeechMaker(tmp_path, voices(engine), most_bytes=100_000)
    for number in range(30):
        await maker.speak(Speech(f"Bonjour {number} " + "x" * 30))
    assert sum(file.stat().st_size for file in files_in(tmp_path)) <= 100_000
    await maker.speak(Speech("Bonjour 29 " + "x" * 30))
    assert len(engine.spoken) == 30  # the newest is still there
    await maker.speak(Speech("Bonjour 0 " + "x" * 30))
    assert len(engine.spoken) == 31


async def test_long_texts_are_spoken_in_pieces(tmp_path: Path) -> None:
    text = "Ceci est une phrase. " * 60 + "mot " * 300
    cut = pieces(plain(text))
    assert all(len(piece) <= 600 for piece in cut) and len(cut) > 3
    assert " ".join(cut) == plain(text)
    assert all(piece.endswith(".") for piece in cut[:2])
    assert len(plain("mot " * 10_000)) <= speech.LONGEST_TEXT
    said = await SpeechMaker(tmp_path).speak(Speech(text))
    assert pcm.milliseconds(said) > 60_000


async def test_a_program_that_is_not_there_or_fails_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed, match="cannot be started"):
        await Espeak(str(tmp_path / "nothing")).speak("Bonjour", "fr")
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\ncat > /dev/null; echo it hurts >&2; exit 3\n")
    broken.chmod(0o755)
    with pytest.raises(SpeechFailed, match="it hurts"):
        await Espeak(str(broken)).speak("Bonjour", "fr")
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\ncat > /dev/null\n")
    mute.chmod(0o755)
    with pytest.raises(SpeechFailed, match="wrote no sound"):
        await Espeak(str(mute)).speak("Bonjour", "fr")


async def test_espeak_is_asked_as_it_reads(tmp_path: Path) -> None:
    """Its own manner of WAV: 22,050 Hz, and a size that says nothing."""
    program = tmp_path / "espeak-ng"
    program.write_text(
        "#!/usr/bin/env python3\nimport sys, struct, math\n"
        "assert sys.argv[1:] == ['-v', 'fr', '-s', '150', '--stdin', '--stdout'], sys.argv\n"
        "assert sys.stdin.buffer.read() == 'Ça va'.encode()\n"
        "wave = b''.join(struct.pack('<h', int(9000 * math.sin(n * 2 * math.pi * 150 / 22050)))"
        " for n in range(22050))\n"
        "form = struct.pack('<HHIIHH', 1, 1, 22050, 44100, 2, 16)\n"
        "sys.stdout.buffer.write(b'RIFF\\x24\\xf0\\xff\\x7fWAVEfmt \\x10\\0\\0\\0' + form"
        " + b'data\\0\\xf0\\xff\\x7f' + wave)\n"
    )
    program.chmod(0o755)
    said = await SpeechMaker(tmp_path / "kept", voices(Espeak(str(program)))).speak(Speech("Ça va"))
    assert pcm.milliseconds(said) in range(980, 1021) and tones.strength(said, 150) > 0.95


def test_the_voices_of_this_machine() -> None:
    found = speech.engines()
    assert set(found) == {"female", "male"} and isinstance(found["female"], Pico)
    assert isinstance(found["male"], Espeak if shutil.which("espeak-ng") else Pico)
