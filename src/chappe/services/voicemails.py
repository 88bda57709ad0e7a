"""The messages that were left on a line's answerphone, as a mailbox: listed, listened to, marked, deleted."""

import asyncio
from dataclasses import dataclass

from chappe.model.calls import Call, Recording
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.recordings import DeleteRecording, FindRecording
from chappe.services import recordings
from chappe.services.lines import own_line
from chappe.services.ports import Platform


@dataclass(frozen=True, slots=True)
class ListVoicemails:
    """Outcome: Page of Voicemail."""

    line: str
    cursor: int | None = None
    limit: int = 50
    skip: int = 0


@dataclass(frozen=True, slots=True)
class FindVoicemail:
    """Outcome: Voicemail with its sound."""

    line: str
    id: int


@dataclass(frozen=True, slots=True)
class MarkVoicemail:
    """It counts as heard, or as new again; outcome: Voicemail."""

    line: str
    id: int
    heard: bool


@dataclass(frozen=True, slots=True)
class DeleteVoicemail:
    line: str
    id: int


@dataclass(frozen=True, slots=True)
class Voicemail:
    """A message, who left it (empty: hidden), and where asked for its WAV file."""

    recording: Recording
    caller: str
    sound: bytes = b""


async def list_messages(platform: Platform, caller: Caller, command: ListVoicemails) -> Page[Voicemail]:
    """A page of a line's messages, newest first. Raises Refusal `not_found`."""
    line = await own_line(platform, caller, command.line)
    limit = max(1, min(command.limit, 100))
    find = platform.store.queries.messages_of_line
    found = await find(caller.account_id, line.number, command.cursor, limit + 1, command.skip)
    told = [Voicemail(one, await _caller(platform, one)) for one in found[:limit]]
    return Page(tuple(told), found[limit - 1].id if len(found) > limit else None)


async def find(platform: Platform, caller: Caller, command: FindVoicemail) -> Voicemail:
    """One message with its sound, which counts as heard now. Raises Refusal `not_found`."""
    recording = await _own(platform, caller, command.line, command.id)
    file = await recordings.sound_of(platform, caller, FindRecording(recording.ref))
    sound = await asyncio.to_thread(file.read_bytes)
    return Voicemail(recording, await _caller(platform, recording), sound)


async def mark(platform: Platform, caller: Caller, command: MarkVoicemail) -> Voicemail:
    """Say whether a message was heard. Raises Refusal `not_found`."""
    recording = await _own(platform, caller, command.line, command.id)
    await recordings.set_heard(platform, recording, command.heard)
    recording = await _own(platform, caller, command.line, command.id)
    return Voicemail(recording, await _caller(platform, recording))


async def delete(platform: Platform, caller: Caller, command: DeleteVoicemail) -> None:
    """Remove a message. Raises Refusal `not_found`."""
    recording = await _own(platform, caller, command.line, command.id)
    await recordings.delete(platform, caller, DeleteRecording(recording.ref))


async def _own(platform: Platform, caller: Caller, written: str, recording_id: int) -> Recording:
    line = await own_line(platform, caller, written)
    found = await platform.store.queries.recording(caller.account_id, recording_id)
    if found is None or found.line != line.number:
        raise Refusal(Fault.NOT_FOUND, f"line {line.number} has no message {recording_id}", "id")
    return found


async def _caller(platform: Platform, recording: Recording) -> str:
    call: Call | None = await platform.store.queries.call(recording.account_id, recording.call_id)
    return "" if call is None else call.first
