"""Every sound as samples: what carriers play. Sounds that accounts upload are converted and kept."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import structlog

from chappe.media import pcm, tones, wav
from chappe.model.changes import Changes, Delete
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.recordings import (
    DeleteSound,
    FindSound,
    ListSounds,
    ListVoices,
    ReadSound,
    UploadedSound,
    UploadSound,
    Voice,
)
from chappe.model.sounds import Sound, Speech, Tone, Uploaded
from chappe.services.ports import Platform

_log = structlog.get_logger()
_REF = re.compile("[0-9a-z]{26}")

MOST_BYTES = 5 * 1024 * 1024
LONGEST_SECONDS = 600
_MOST_SOUNDS = 200
_LOUDNESS = 2600
"""Our choice all: of one upload, and of an account; as loud as speech."""

_ULAW = ("audio/basic", "audio/pcmu")  # RFC 2046 section 4.3, RFC 4856
_ALAW = ("audio/pcma", "audio/x-alaw-basic")
TYPES = ("audio/wav", "audio/mpeg", "audio/ogg", "audio/basic", "audio/PCMA")
"""What can be uploaded, for the document; only raw G.711 (the last two) is known by its type."""

VOICES = tuple(Voice(language, voice) for language in ("fr", "en") for voice in ("female", "male"))


async def samples(platform: Platform, account_id: int, sound: Sound) -> bytes:
    """A sound as samples (8 kHz, 16 bits, mono); of a tone that goes on one period, to be repeated.

    Empty where there is nothing to hear: a text without words, a sound that the account has not, or has
    deleted.
    """
    match sound:
        case Tone():
            return tones.tone(sound)
        case Speech():
            return await platform.synthesizer.speak(sound)
        case Uploaded(ref):
            found = await platform.store.queries.sound_by_ref(account_id, ref)
            if found is None:
                return b""
            try:
                return await asyncio.to_thread(wav.read, file_of(platform, found.ref))
            except (OSError, wav.WavError) as error:
                _log.error("an uploaded sound is lost", sound=ref, reason=str(error))
                return b""


def file_of(platform: Platform, ref: str) -> Path:
    """Where an uploaded sound is kept."""
    return platform.folder / "sounds" / f"{ref}.wav"


# --- what its owner asks


async def upload(platform: Platform, caller: Caller, command: UploadSound) -> UploadedSound:
    """Convert and keep a sound. Raises Refusal: what is no sound that we can read, or is too long."""
    platform.store.admit()
    if not command.content:
        raise Refusal(Fault.EMPTY_CONTENT, "the body is empty: send the bytes of a sound file")
    if len(command.content) > MOST_BYTES:
        raise Refusal(
            Fault.MEDIA_TOO_LARGE,
            f"the sound has {len(command.content)} bytes, at most {MOST_BYTES} are taken: send MP3 or Ogg",
        )
    if await platform.store.queries.count_sounds(caller.account_id) >= _MOST_SOUNDS:
        raise Refusal(
            Fault.NOT_ALLOWED, f"an account may keep {_MOST_SOUNDS} sounds: delete one that is not used"
        )
    found = await _decoded(platform, command)
    if pcm.milliseconds(found) > LONGEST_SECONDS * 1000:
        raise Refusal(
            Fault.MEDIA_TOO_LARGE, f"the sound lasts over {LONGEST_SECONDS // 60} minutes, the longest taken"
        )
    kept = await asyncio.to_thread(lambda: pcm.level(pcm.trim(found), _LOUDNESS))
    if not kept:
        raise Refusal(Fault.UNUSABLE_MEDIA, "nothing is heard in the sound: it is silent from end to end")
    sound = UploadedSound(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=caller.account_id,
        name=command.name,
        milliseconds=pcm.milliseconds(kept),
        size=wav.HEADER_BYTES + len(kept),
        created_at=platform.clock.now(),
    )
    file = file_of(platform, sound.ref)
    await asyncio.to_thread(_write, file, kept)
    try:
        await platform.store.commit(Changes(insert=[sound]))
    except BaseException:
        await asyncio.to_thread(_unlink, file)
        raise
    return sound


async def _decoded(platform: Platform, command: UploadSound) -> bytes:
    content = command.content
    if content[:4] == b"OggS" and b"OpusHead" in content[:100]:
        raise Refusal(
            Fault.UNUSABLE_MEDIA, "this Ogg file holds Opus, which is not read: send Vorbis, MP3 or WAV"
        )
    is_raw = command.content_type in (*_ULAW, *_ALAW)  # whose silence looks nearly like MPEG audio
    if content.startswith((b"RIFF", b"OggS", b"ID3")) or (_is_mp3_frame(content) and not is_raw):
        return await platform.decoder.decode(content, LONGEST_SECONDS + 1)
    if command.content_type in _ULAW:
        return pcm.from_ulaw(content)
    if command.content_type in _ALAW:
        return pcm.from_alaw(content)
    raise Refusal(
        Fault.UNUSABLE_MEDIA,
        "this is no sound that is read here: send the bytes of a WAV, MP3 or Ogg Vorbis file,"
        " or raw G.711 with the content type audio/basic (µ-law) or audio/PCMA (A-law)",
    )


def _is_mp3_frame(content: bytes) -> bool:
    """Whether it begins with the header of an MPEG audio frame of layer III (ISO 11172-3, 2.4.1.3)."""
    if len(content) < 4 or content[0] != 0xFF or content[1] & 0xE0 != 0xE0:
        return False
    version, layer = content[1] >> 3 & 3, content[1] >> 1 & 3
    rate, frequency = content[2] >> 4, content[2] >> 2 & 3
    return version != 1 and layer == 1 and rate not in (0, 15) and frequency != 3


def _write(file: Path, kept: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    wav.write(unfinished, kept)
    unfinished.replace(file)


def _unlink(file: Path) -> None:
    with suppress(OSError):
        file.unlink(missing_ok=True)


async def list_sounds(platform: Platform, caller: Caller, command: ListSounds) -> Page[UploadedSound]:
    """A page of the account's sounds, newest first."""
    limit = max(1, min(command.limit, 100))
    found = await platform.store.queries.sounds(caller.account_id, command.cursor, limit + 1)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


async def find(platform: Platform, caller: Caller, command: FindSound) -> UploadedSound:
    """One sound. Raises Refusal `not_found`."""
    known = _REF.fullmatch(command.ref)
    found = known and await platform.store.queries.sound_by_ref(caller.account_id, command.ref)
    if not found:
        raise Refusal(Fault.NOT_FOUND, f"there is no sound {command.ref}", "id")
    return found


async def read(platform: Platform, caller: Caller, command: ReadSound) -> bytes:
    """The WAV file of a sound. Raises Refusal `not_found`."""
    sound = await find(platform, caller, FindSound(command.ref))
    try:
        return await asyncio.to_thread(file_of(platform, sound.ref).read_bytes)
    except FileNotFoundError as error:
        raise Refusal(Fault.NOT_FOUND, f"the file of sound {sound.ref} is gone: upload it again") from error


async def delete(platform: Platform, caller: Caller, command: DeleteSound) -> None:
    """Remove a sound. Raises Refusal `not_found`."""
    sound = await find(platform, caller, FindSound(command.ref))
    await platform.store.commit(Changes(delete=[Delete(UploadedSound, sound.id, caller.account_id)]))
    await asyncio.to_thread(_unlink, file_of(platform, sound.ref))


async def list_voices(platform: Platform, caller: Caller, command: ListVoices) -> tuple[Voice, ...]:
    """The voices that speak texts."""
    return VOICES
