"""/v1/sounds and /v1/voices: what can be played to the parties of calls."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Time, utc
from chappe.dialects.rest.table import Described
from chappe.model import recordings as model
from chappe.model.errors import Fault
from chappe.model.history import Page
from chappe.protocols.http import HttpResponse
from chappe.services import sounds


class SoundQuery(Body):
    """What an uploaded sound is called."""

    name: Annotated[str, Meta(max_length=100, description="What you call it.")] = ""


class Sound(Struct):
    """A sound that can be played: silence at its ends is gone, and it is as loud as all others."""

    id: str
    name: str
    milliseconds: int
    size: Annotated[int, Meta(description="Bytes of its WAV file.")]
    created_at: Time

    @classmethod
    def of(cls, one: model.UploadedSound) -> "Sound":
        """The JSON of a record."""
        return cls(one.ref, one.name, one.milliseconds, one.size, utc(one.created_at))


class Voice(Struct):
    """A voice that speaks texts in a language."""

    language: str
    voice: str


def decode_upload(call: WireCall) -> model.UploadSound:
    """POST /v1/sounds."""
    query = wire.query(call, SoundQuery)
    assert call.request is not None  # `read` always sets it
    return model.UploadSound(call.request.body, call.request.content_type, query.name)


def encode_uploaded(sound: model.UploadedSound, call: WireCall) -> HttpResponse:
    """The new sound."""
    return wire.answer(Sound.of(sound), 201)


def decode_list(call: WireCall) -> model.ListSounds:
    """GET /v1/sounds."""
    query = wire.query(call, shapes.PageQuery)
    return model.ListSounds(wire.cursor(query.cursor), query.limit)


def encode_sounds(page: Page[model.UploadedSound], call: WireCall) -> HttpResponse:
    """A page of sounds."""
    return wire.page(map(Sound.of, page.items), page.next_cursor)


def encode_sound(sound: model.UploadedSound, call: WireCall) -> HttpResponse:
    """One sound."""
    return wire.answer(Sound.of(sound))


def encode_audio(octets: bytes, call: WireCall) -> HttpResponse:
    """The WAV file of a sound."""
    return HttpResponse(200, octets, wire.WAV, (wire.NO_STORE,))


def encode_voices(voices: tuple[model.Voice, ...], call: WireCall) -> HttpResponse:
    """All voices."""
    return wire.page(Voice(*one) for one in voices)


LINES: Mapping[str, Operation] = {
    "GET /v1/sounds": table.line(
        decode_list,
        sounds.list_sounds,
        encode_sounds,
        "List uploaded sounds, newest first",
        Described("list_sounds", "sounds", shapes.Page[Sound], query=shapes.PageQuery),
    ),
    "POST /v1/sounds": table.line(
        decode_upload,
        sounds.upload,
        encode_uploaded,
        "Upload a sound: the bytes of a WAV, MP3 or Ogg Vorbis file, or raw G.711 with its content type",
        Described(
            "upload_sound",
            "sounds",
            Sound,
            201,
            query=SoundQuery,
            takes=sounds.TYPES,
            faults=(
                Fault.EMPTY_CONTENT,
                Fault.CONTENT_TOO_LONG,
                Fault.UNUSABLE_MEDIA,
                Fault.MEDIA_TOO_LARGE,
                Fault.NOT_ALLOWED,
            ),
        ),
    ),
    "GET /v1/sounds/{id}": table.line(
        wire.bare(model.FindSound, "id"),
        sounds.find,
        encode_sound,
        "Read about a sound",
        Described("get_sound", "sounds", Sound, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/sounds/{id}/audio": table.line(
        wire.bare(model.ReadSound, "id"),
        sounds.read,
        encode_audio,
        "Hear a sound as it will be played: a WAV file",
        Described("hear_sound", "sounds", file=wire.WAV, faults=(Fault.NOT_FOUND,)),
    ),
    "DELETE /v1/sounds/{id}": table.line(
        wire.bare(model.DeleteSound, "id"),
        sounds.delete,
        wire.nothing,
        "Delete a sound; what still plays it is silent then",
        Described("delete_sound", "sounds", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/voices": table.line(
        wire.bare(model.ListVoices),
        sounds.list_voices,
        encode_voices,
        "List the voices that speak texts",
        Described("list_voices", "sounds", shapes.Page[Voice]),
    ),
}
