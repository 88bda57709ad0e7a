"""What was recorded of calls: kept, listened to, mailed, deleted.

A call whose plan has `record_to`, a mail address (`PlaceCall`), has its recordings mailed there; what a
caller has left on an answerphone goes to the plan's `messages_to`, else to the account's own address where
the plan names none.
"""

import asyncio
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from chappe.media import pcm, wav
from chappe.model.calls import Call, Recorded, Recording, RecordingPurpose
from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.history import Page
from chappe.model.jobs import Job, JobState
from chappe.model.outgoing import Attachment, Mail
from chappe.model.recordings import DeleteRecording, FindRecording, Kept, ListRecordings, Part, ReadRecording
from chappe.services import callnotices
from chappe.services.accounts import looks_like_mail
from chappe.services.ports import Platform

_log = structlog.get_logger()
_REF = re.compile("[0-9a-z]{26}")

RETENTION = timedelta(days=30)
"""As long as texts of messages are kept."""
MAIL = "mail_recording"
"""The kind of job that mails one recording."""
RECORD_TO = "record_to"
"""The part of a call's plan that says to which address its recordings are mailed."""
MESSAGES_TO = "messages_to"
"""The part of a call's plan that says to which address what is said to its answerphone is mailed."""
CALLED_AS = "called_as"
"""The part of a call's plan that says by which name its messages tell who was called."""
VOICEMAILS = "voicemails"
"""The topic that tells that a message was left for a line, heard or deleted."""
_MAILED_AT_MOST = 15_000_000
"""Bytes; mail servers take some 25 MB with their encoding of a third more (our choice)."""


def file_of(platform: Platform, ref: str) -> Path:
    """Where the sound of a recording is kept."""
    return platform.folder / "recordings" / f"{ref}.wav"


def unfinished(platform: Platform, recording_id: int) -> Path:
    """Where a carrier should write what it records: after a crash it is found there, and kept. The folder is
    made where it can be; else the recording cannot be either, which its end tells."""
    folder = platform.folder.absolute() / "recordings" / "unfinished"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{recording_id}.wav"


def discard(recorded: Recorded) -> None:
    """Nobody waits for this recording any more."""
    with suppress(OSError):
        Path(recorded.path).unlink()


async def begin(platform: Platform, call: Call, recording: Recording) -> None:
    """A recording of a call begins."""
    await platform.store.commit(Changes(insert=[recording]))


async def keep(platform: Platform, call: Call, recording: Recording, recorded: Recorded) -> None:
    """A recording has come to its end: its file is moved to the others, and whoever wants it is told. One
    without a sound is kept as a record only."""
    file = file_of(platform, recording.ref)
    try:
        size = await asyncio.to_thread(_move, Path(recorded.path), file)
    except OSError as error:
        _log.error("a recording is lost", recording=recording.ref, path=recorded.path, reason=str(error))
        size = 0
    values: dict[str, object] = {
        "ended_at": recorded.at,
        "milliseconds": int(recorded.seconds * 1000) if size else 0,
        "size": size,
    }
    jobs = await callnotices.notices(
        platform, call, EventName.RECORDING_ENDED, recorded.at, recording=recording
    )
    if values["milliseconds"] and (to := await _mailbox(platform, call, recording)):
        jobs.append(_mail_job(platform, recording, to, recorded.at))
    update = Update(Recording, recording.id, call.account_id, values, {"ended_at": None})
    try:
        await platform.store.commit(Changes(update=[update], enqueue=jobs))
    except Refusal as refusal:
        if refusal.fault not in (Fault.TOO_LATE, Fault.NOT_FOUND):
            raise
        _log.warning("a recording was kept by another node", recording=recording.ref)
        return
    callnotices.ring(platform, call, jobs)
    if recording.line:
        platform.topics.publish(VOICEMAILS)


def _move(path: Path, file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, file)
    size = file.stat().st_size
    if size <= wav.HEADER_BYTES:
        file.unlink()
        return 0
    return size


async def rescue(platform: Platform, call: Call) -> None:
    """A call was closed whose node is gone: what was recorded of it until then is kept."""
    for recording in await platform.store.queries.recordings_of(call.account_id, call.id):
        if recording.ended_at is not None:
            continue
        path = unfinished(platform, recording.id)
        seconds = await asyncio.to_thread(_seconds, path)
        at = recording.started_at + timedelta(seconds=seconds)
        await keep(platform, call, recording, Recorded(recording.id, at, seconds, str(path)))


def _seconds(path: Path) -> float:
    try:
        return max(0, path.stat().st_size - wav.HEADER_BYTES) / (pcm.RATE * pcm.WIDTH)
    except OSError:
        return 0.0


# --- what its owner asks


async def list_recordings(platform: Platform, caller: Caller, command: ListRecordings) -> Page[Kept]:
    """A page of the account's recordings, newest first. Raises Refusal `not_found` for a call that the
    account does not have."""
    queries, call_id = platform.store.queries, None
    if command.call:
        call = await queries.call_by_ref(caller.account_id, command.call)
        if call is None:
            raise Refusal(Fault.NOT_FOUND, f"there is no call {command.call}", "call")
        call_id = call.id
    limit = max(1, min(command.limit, 100))
    search = replace(command, limit=limit + 1)
    found = await queries.recordings(caller.account_id, call_id, search)
    kept = await _kept(platform, caller.account_id, found[:limit])
    return Page(kept, found[limit - 1].id if len(found) > limit else None)


async def _kept(platform: Platform, account_id: int, found: Sequence[Recording]) -> tuple[Kept, ...]:
    ids = sorted({one.call_id for one in found})
    refs = await platform.store.queries.refs_of_calls(account_id, ids) if ids else {}
    return tuple(Kept(one, refs.get(one.call_id, "")) for one in found)


async def find(platform: Platform, caller: Caller, command: FindRecording) -> Kept:
    """One recording. Raises Refusal `not_found`."""
    known = _REF.fullmatch(command.ref)
    found = known and await platform.store.queries.recording_by_ref(caller.account_id, command.ref)
    if not found:
        raise Refusal(Fault.NOT_FOUND, f"there is no recording {command.ref}", "id")
    [kept] = await _kept(platform, caller.account_id, [found])
    return kept


async def sound_of(platform: Platform, caller: Caller, command: FindRecording) -> Path:
    """The WAV file of a recording; a message counts as heard now. Raises Refusal `not_found`, also while it
    is being made and where it has no sound."""
    recording = (await find(platform, caller, command)).recording
    if recording.ended_at is None:
        raise Refusal(Fault.NOT_FOUND, f"recording {recording.ref} is still being made", "id")
    file = file_of(platform, recording.ref)
    if not recording.size or not await asyncio.to_thread(file.exists):
        raise Refusal(Fault.NOT_FOUND, f"recording {recording.ref} has no sound", "id")
    await set_heard(platform, recording)
    return file


async def read(platform: Platform, caller: Caller, command: ReadRecording) -> Part:
    """The sound of a recording, or a part of it; what no file can satisfy is as if all were asked for."""
    file = await sound_of(platform, caller, FindRecording(command.ref))
    return await asyncio.to_thread(_read, file, command.first, command.last)


def _read(file: Path, first: int | None, last: int | None) -> Part:
    total = file.stat().st_size
    if first is None and last is not None:
        first, last = max(0, total - last), total - 1
    last = total - 1 if last is None else min(last, total - 1)
    if first is None or not 0 <= first <= last:
        first, last = 0, total - 1
    with file.open("rb") as opened:
        opened.seek(first)
        return Part(opened.read(last - first + 1), first, total)


async def delete(platform: Platform, caller: Caller, command: DeleteRecording) -> None:
    """Remove a recording with its sound. Raises Refusal `not_found`, `too_late` while it is being made."""
    recording = (await find(platform, caller, FindRecording(command.ref))).recording
    if recording.ended_at is None:
        raise Refusal(Fault.TOO_LATE, f"recording {recording.ref} is being made: end the call first", "id")
    await platform.store.commit(Changes(delete=[Delete(Recording, recording.id, caller.account_id)]))
    await asyncio.to_thread(_unlink, file_of(platform, recording.ref))
    if recording.line:
        platform.topics.publish(VOICEMAILS)


async def set_heard(platform: Platform, recording: Recording, heard: bool = True) -> None:
    """A message was listened to, or counts as new again; nothing where it is so already."""
    if not recording.line or heard == (recording.heard_at is not None):
        return
    values = {"heard_at": platform.clock.now() if heard else None}
    with suppress(Refusal):  # it was deleted at this moment
        update = Update(Recording, recording.id, recording.account_id, values)
        await platform.store.commit(Changes(update=[update]))
    platform.topics.publish(VOICEMAILS)


async def forget(platform: Platform, now: datetime, limit: int = 100) -> int:
    """Delete what is older than its retention; returns how many recordings that were."""
    old = await platform.store.queries.old_recordings(now - RETENTION, limit)
    for recording in old:
        with suppress(Refusal):  # its owner was quicker
            gone = Delete(Recording, recording.id, recording.account_id)
            await platform.store.commit(Changes(delete=[gone]))
        for file in (file_of(platform, recording.ref), unfinished(platform, recording.id)):
            await asyncio.to_thread(_unlink, file)
    return len(old)


def _unlink(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        _log.error("a file cannot be deleted", file=str(file), reason=str(error))


# --- by mail


async def _mailbox(platform: Platform, call: Call, recording: Recording) -> str:
    """To which address a recording is mailed, empty for none."""
    to = call.plan.get(RECORD_TO)
    if not to and recording.purpose is RecordingPurpose.MESSAGE:
        to = call.plan.get(MESSAGES_TO)
    if to or recording.purpose is not RecordingPurpose.MESSAGE:
        return str(to or "")
    account = await platform.store.queries.account(call.account_id)
    return "" if account is None or not looks_like_mail(account.email) else account.email


def _mail_job(platform: Platform, recording: Recording, to: str, at: datetime) -> Job:
    return Job(
        id=platform.ids.new_id(),
        kind=MAIL,
        account_id=recording.account_id,
        subject=recording.id,
        payload={"to": to},
        state=JobState.WAITING,
        due_at=at,
        created_at=at,
    )


async def mail(platform: Platform, job: Job) -> str:
    """Mail one recording."""
    queries = platform.store.queries
    recording = await queries.recording(job.account_id, job.subject)
    call = None if recording is None else await queries.call(job.account_id, recording.call_id)
    if recording is None or call is None:
        return "dropped: the recording does not exist any more"
    file = file_of(platform, recording.ref)
    content = b""
    if recording.size <= _MAILED_AT_MOST:
        try:
            content = await asyncio.to_thread(file.read_bytes)
        except FileNotFoundError:
            return "dropped: the sound of the recording does not exist any more"
    await platform.mailer.send(_mail(call, recording, str(job.payload["to"]), content))
    return f"mailed to {job.payload['to']}"


def _mail(call: Call, recording: Recording, to: str, content: bytes) -> Mail:
    at = f"{recording.started_at:%Y-%m-%d %H:%M:%S} UTC"
    seconds = recording.milliseconds // 1000
    lasted = f"{seconds // 60}:{seconds % 60:02}"
    if recording.purpose is RecordingPurpose.MESSAGE:
        called = str(call.plan.get(CALLED_AS) or call.second)
        subject = f"Message: {call.first} > {called}"
        words = (
            f"Message vocal du {call.first or 'numéro masqué'} pour le {called}, {at}, {lasted}.\n"
            f"Voice message from {call.first or 'a hidden number'} for {called}, {at}, {lasted}.\n"
        )
    else:
        subject = f"Recording: {call.first} > {call.second}"
        words = (
            f"Enregistrement de l'appel du {call.first} au {call.second}, {at}, {lasted}.\n"
            f"Recording of the call from {call.first} to {call.second}, {at}, {lasted}.\n"
        )
    if not content:
        words += (
            f"\nIl est trop long pour un courrier\u00a0: voir /v1/recordings/{recording.ref}/audio\n"
            f"It is too long for a mail: see /v1/recordings/{recording.ref}/audio\n"
        )
        return Mail(to, subject, words)
    name = f"{recording.started_at:%Y%m%d-%H%M%S}-{recording.ref[-6:]}.wav"
    return Mail(to, subject, words, attachments=(Attachment(name, "audio/wav", content),))
