"""/v1/recordings: what was recorded of calls, with its sound."""

import re
from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Cursor, Limit, Time, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import recordings as model
from chappe.model.calls import RecordingPurpose
from chappe.model.errors import Fault
from chappe.model.history import Page
from chappe.protocols.http import HttpResponse
from chappe.services import recordings


class RecordingQuery(Body):
    """Which recordings: empty properties do not narrow."""

    call: Annotated[str, Meta(description="The `id` of a call.")] = ""
    purpose: RecordingPurpose | UnsetType = UNSET
    since: Time | None = None
    until: Time | None = None
    limit: Limit = 20
    cursor: Cursor | None = None


class Recording(Struct):
    """What was recorded of a call; its sound is there once it has ended. A `leg` is named where it is what
    one party said."""

    id: str
    call: str
    leg: str | None
    purpose: RecordingPurpose
    started_at: Time
    ended_at: Time | None
    milliseconds: int
    size: Annotated[int, Meta(description="Bytes of its WAV file; 0 where it has no sound.")]

    @classmethod
    def of(cls, kept: model.Kept) -> "Recording":
        """The JSON of a record."""
        one = kept.recording
        return cls(
            one.ref,
            kept.call,
            None if one.leg_id is None else str(one.leg_id),
            one.purpose,
            utc(one.started_at),
            utc_or_none(one.ended_at),
            one.milliseconds,
            one.size,
        )


def decode_list(call: WireCall) -> model.ListRecordings:
    """GET /v1/recordings."""
    query = wire.query(call, RecordingQuery)
    return model.ListRecordings(
        query.call,
        query.purpose or None,
        wire.instant(query.since, "since"),
        wire.instant(query.until, "until"),
        wire.cursor(query.cursor),
        query.limit,
    )


def encode_recordings(page: Page[model.Kept], call: WireCall) -> HttpResponse:
    """A page of recordings."""
    return wire.page(map(Recording.of, page.items), page.next_cursor)


def encode_recording(kept: model.Kept, call: WireCall) -> HttpResponse:
    """One recording."""
    return wire.answer(Recording.of(kept))


_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


def decode_audio(call: WireCall) -> model.ReadRecording:
    """GET /v1/recordings/{id}/audio, with one range of RFC 9110 section 14; other ones are passed over."""
    wire.no_query(call)
    assert call.request is not None  # `read` always sets it
    ref = wire.parameter(call, "id")
    asked = _RANGE.fullmatch(call.request.headers.get("range", "").replace(" ", ""))
    if asked is None:
        return model.ReadRecording(ref)
    first, last = (int(number) if number else None for number in asked.groups())
    return model.ReadRecording(ref, first, last)


def encode_audio(part: model.Part, call: WireCall) -> HttpResponse:
    """The WAV file, or a part of it."""
    headers: list[tuple[str, str]] = [wire.NO_STORE, ("accept-ranges", "bytes")]
    if not part.is_whole:
        last = part.first + len(part.octets) - 1
        headers.append(("content-range", f"bytes {part.first}-{last}/{part.total}"))
    return HttpResponse(200 if part.is_whole else 206, part.octets, wire.WAV, tuple(headers))


LINES: Mapping[str, Operation] = {
    "GET /v1/recordings": table.line(
        decode_list,
        recordings.list_recordings,
        encode_recordings,
        "List recordings of calls, newest first",
        Described(
            "list_recordings",
            "recordings",
            shapes.Page[Recording],
            query=RecordingQuery,
            faults=(Fault.INVALID_PARAMETER, Fault.NOT_FOUND),
        ),
    ),
    "GET /v1/recordings/{id}": table.line(
        wire.bare(model.FindRecording, "id"),
        recordings.find,
        encode_recording,
        "Read about a recording",
        Described("get_recording", "recordings", Recording, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/recordings/{id}/audio": table.line(
        decode_audio,
        recordings.read,
        encode_audio,
        "Hear a recording: a WAV file, whole or the range that is asked for",
        Described("hear_recording", "recordings", file=wire.WAV, faults=(Fault.NOT_FOUND,)),
    ),
    "DELETE /v1/recordings/{id}": table.line(
        wire.bare(model.DeleteRecording, "id"),
        recordings.delete,
        wire.nothing,
        "Delete a recording with its sound",
        Described("delete_recording", "recordings", status=204, faults=(Fault.NOT_FOUND, Fault.TOO_LATE)),
    ),
}
