"""What can be asked of recordings, and of the sounds that an account has uploaded."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from chappe.model.calls import Recording, RecordingPurpose


class Kept(NamedTuple):
    """A recording with the ref of the call of which it was made."""

    recording: Recording
    call: str


class Part(NamedTuple):
    """Bytes of a WAV file of `total` bytes, from the one numbered `first` on."""

    octets: bytes
    first: int
    total: int

    @property
    def is_whole(self) -> bool:
        """Whether that is all of it."""
        return len(self.octets) == self.total


@dataclass(frozen=True, slots=True)
class ListRecordings:
    """Recordings, newest first; empty fields do not narrow. `call` is a call's ref. Outcome: a page of
    Kept."""

    call: str = ""
    purpose: RecordingPurpose | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindRecording:
    """One recording. Outcome: Kept."""

    ref: str


@dataclass(frozen=True, slots=True)
class ReadRecording:
    """The sound of a recording: its bytes from `first` to `last`, both counted; `first` None asks for the
    last so many bytes, both None for all. Outcome: Part."""

    ref: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteRecording:
    """One recording, with its sound. Outcome: None."""

    ref: str


# --- uploaded sounds


@dataclass(frozen=True, slots=True)
class UploadedSound:
    """A sound that an account may have played: a WAV file (8 kHz, 16 bits, mono) of `size` bytes in the
    platform's folder `sounds`, named by `ref`."""

    id: int
    ref: str
    account_id: int
    name: str
    milliseconds: int
    size: int
    created_at: datetime


class Voice(NamedTuple):
    """A voice that speaks a language."""

    language: str
    voice: str


@dataclass(frozen=True, slots=True)
class UploadSound:
    """Keep a sound: the bytes of a WAV, MP3 or Ogg file, known by their content, or raw G.711, known by
    its content type. Outcome: UploadedSound."""

    content: bytes
    content_type: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ListSounds:
    """The account's sounds, newest first. Outcome: a page of UploadedSound."""

    cursor: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindSound:
    """One sound. Outcome: UploadedSound."""

    ref: str


@dataclass(frozen=True, slots=True)
class ReadSound:
    """The WAV file of one sound. Outcome: bytes."""

    ref: str


@dataclass(frozen=True, slots=True)
class DeleteSound:
    """One sound; what plays it plays nothing then. Outcome: None."""

    ref: str


@dataclass(frozen=True, slots=True)
class ListVoices:
    """The voices that speak texts. Outcome: tuple of Voice."""
