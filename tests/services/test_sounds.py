"""Uploaded sounds: known by their content, converted, kept within limits, played to their owner alone."""

import struct
from pathlib import Path

import pytest

from chappe.media import pcm, tones, wav
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import DeleteSound, FindSound, ListSounds, ListVoices, ReadSound, UploadSound
from chappe.model.sounds import Speech, Tone, Uploaded
from chappe.services import sounds
from tests.platform import World, caller

FILES = Path(__file__).parents[1] / "host" / "sounds"


@pytest.fixture
async def owner(sandbox_world: World) -> Caller:
    return caller(await sandbox_world.account())


def stereo(rate: int) -> bytes:
    """A WAV file of half a second of 800 Hz between silence, two channels."""
    one = tones.silence(0.5) + tones.sine(800 * 8000 / rate, 0.5 * rate / 8000) + tones.silence(0.5)
    values = struct.unpack(f"<{len(one) // 2}h", one)
    data = b"".join(struct.pack("<hh", value, value) for value in values)
    form = struct.pack("<HHIIHH", 1, 2, rate, rate * 4, 4, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data


@pytest.mark.parametrize(
    ("content", "content_type", "lasts"),
    [
        ((FILES / "tone.mp3").read_bytes(), "audio/mpeg", 1000),
        ((FILES / "tone.mp3").read_bytes(), "text/html", 1000),  # never trusted
        ((FILES / "tone.mp3").read_bytes(), "audio/wav", 1000),
        ((FILES / "tone.ogg").read_bytes(), "audio/ogg", 1000),
        (stereo(44_100), "audio/wav", 500),
        (wav.encode(tones.sine(800, 0.5)), "audio/basic", 500),  # a file, whatever is said of it
        (pcm.to_ulaw(tones.silence(1) + tones.sine(800, 0.5)), "audio/basic", 500),
        (pcm.to_ulaw(tones.sine(800, 0.5)), "audio/pcmu", 500),
        (pcm.to_alaw(tones.sine(800, 0.5)), "audio/pcma", 500),
    ],
)
async def test_sounds_are_known_by_their_content(
    sandbox_world: World, owner: Caller, content: bytes, content_type: str, lasts: int
) -> None:
    platform = sandbox_world.platform
    sound = await sounds.upload(platform, owner, UploadSound(content, content_type, "a name"))
    assert lasts <= sound.milliseconds <= lasts + 120
    played = await sounds.samples(platform, owner.account_id, Uploaded(sound.ref))
    assert pcm.milliseconds(played) == sound.milliseconds
    assert tones.strength(played, 800) > 0.9
    assert 2300 <= pcm.rms(b"".join(one for one in pcm.frames(played) if pcm.rms(one) > 500)) <= 2800
    assert await sounds.read(platform, owner, ReadSound(sound.ref)) == wav.encode(played)
    assert sound.size == len(wav.encode(played)) and sound.name == "a name"


@pytest.mark.parametrize(
    ("content", "content_type", "fault", "word"),
    [
        (b"", "audio/wav", Fault.EMPTY_CONTENT, "empty"),
        (b"<html>", "audio/mpeg", Fault.UNUSABLE_MEDIA, "no sound that is read here"),
        (b"RIFF" + bytes(100), "audio/wav", Fault.UNUSABLE_MEDIA, "cannot be read"),
        (b"ID3\4" + bytes(500), "audio/mpeg", Fault.UNUSABLE_MEDIA, "cannot be read"),
        (b"OggS" + b"x" * 500, "audio/ogg", Fault.UNUSABLE_MEDIA, "cannot be read"),
        ((FILES / "tone.ogg").read_bytes()[:700], "audio/ogg", Fault.UNUSABLE_MEDIA, "sound"),
        (b"\xff\xfb\x90\x00" + bytes(500), "audio/mpeg", Fault.UNUSABLE_MEDIA, "cannot be read"),
        ((FILES / "tone-opus.ogg").read_bytes(), "audio/ogg", Fault.UNUSABLE_MEDIA, "Opus"),
        (wav.encode(bytes(8000)), "audio/wav", Fault.UNUSABLE_MEDIA, "silent"),
        (b"\xff" * 8000, "audio/basic", Fault.UNUSABLE_MEDIA, "silent"),
        (b"\x80\x00" * 2_500_000, "audio/pcma", Fault.MEDIA_TOO_LARGE, "over 10 minutes"),
        (b"\x80\x00" * 3_000_000, "audio/pcma", Fault.MEDIA_TOO_LARGE, "at most 5242880"),
    ],
)
async def test_what_cannot_be_used_is_said_and_leaves_nothing(
    sandbox_world: World, owner: Caller, content: bytes, content_type: str, fault: Fault, word: str
) -> None:
    with pytest.raises(Refusal, match=word) as caught:
        await sounds.upload(sandbox_world.platform, owner, UploadSound(content, content_type))
    assert caught.value.fault is fault
    assert (await sounds.list_sounds(sandbox_world.platform, owner, ListSounds())).items == ()
    assert files_of(sandbox_world) == []


def files_of(world: World) -> list[Path]:
    return list((world.platform.folder / "sounds").glob("*"))


async def test_a_long_file_is_refused_whatever_its_size(sandbox_world: World, owner: Caller) -> None:
    form, length = struct.pack("<HHIIHH", 1, 1, 4000, 4000, 1, 8), 4000 * 601
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", length)
    content = b"RIFF" + struct.pack("<I", len(head) + length) + head + b"\x20\xe0" * (length // 2)
    with pytest.raises(Refusal, match="over 10 minutes"):
        await sounds.upload(sandbox_world.platform, owner, UploadSound(content))


async def test_an_account_keeps_so_many(
    sandbox_world: World, owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "_MOST_SOUNDS", 2)
    content = UploadSound(pcm.to_alaw(tones.sine(800, 0.2)), "audio/pcma")
    first = await sounds.upload(sandbox_world.platform, owner, content)
    await sounds.upload(sandbox_world.platform, owner, content)
    with pytest.raises(Refusal, match="may keep 2 sounds"):
        await sounds.upload(sandbox_world.platform, owner, content)
    await sounds.delete(sandbox_world.platform, owner, DeleteSound(first.ref))
    await sounds.upload(sandbox_world.platform, owner, content)
    assert len(files_of(sandbox_world)) == 2


async def test_sounds_are_listed_read_and_deleted_by_their_owner(world: World) -> None:
    platform = world.platform
    owner, thief = caller(await world.account("owner")), caller(await world.account("thief"))
    content = UploadSound(pcm.to_alaw(tones.sine(800, 0.2)), "audio/pcma")
    one, two = [await sounds.upload(platform, owner, content) for _ in range(2)]
    page = await sounds.list_sounds(platform, owner, ListSounds(limit=1))
    assert page.items == (two,)
    assert (await sounds.list_sounds(platform, owner, ListSounds(page.next_cursor))).items == (one,)
    assert (await sounds.list_sounds(platform, thief, ListSounds())).items == ()
    assert await sounds.samples(platform, thief.account_id, Uploaded(one.ref)) == b""
    for asked in (sounds.find(platform, thief, FindSound(one.ref)),):
        with pytest.raises(Refusal, match="no sound"):
            await asked
    await sounds.delete(platform, owner, DeleteSound(one.ref))
    assert await sounds.samples(platform, owner.account_id, Uploaded(one.ref)) == b""
    with pytest.raises(Refusal, match="no sound"):
        await sounds.find(platform, owner, FindSound("../../etc/passwd"))


async def test_a_file_that_is_gone_is_silence_and_said_so(sandbox_world: World, owner: Caller) -> None:
    platform = sandbox_world.platform
    content = UploadSound(pcm.to_alaw(tones.sine(800, 0.2)), "audio/pcma")
    sound = await sounds.upload(platform, owner, content)
    sounds.file_of(platform, sound.ref).unlink()
    assert await sounds.samples(platform, owner.account_id, Uploaded(sound.ref)) == b""
    with pytest.raises(Refusal, match="upload it again"):
        await sounds.read(platform, owner, ReadSound(sound.ref))
    await sounds.delete(platform, owner, DeleteSound(sound.ref))


async def test_tones_and_texts_are_sounds(sandbox_world: World, owner: Caller) -> None:
    platform = sandbox_world.platform
    assert await sounds.samples(platform, owner.account_id, Tone.BEEP) == tones.tone(Tone.BEEP)
    spoken = await sounds.samples(platform, owner.account_id, Speech("Bonjour", "fr", "male"))
    assert tones.strength(spoken, 200) > 0.9
    voices = await sounds.list_voices(platform, owner, ListVoices())
    assert set(voices) == {(language, voice) for language in ("fr", "en") for voice in ("female", "male")}
