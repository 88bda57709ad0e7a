"""The files of callback forms: sounds that both sides hear, the picture and the style sheet of the widget."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import imagesize

from chappe.model import stylesheets
from chappe.model.callbacks import (
    CallbackForm,
    FindForm,
    FormFile,
    FormFileContent,
    KeptFormFile,
    ListFormFiles,
    PutFormFile,
    ReadFormFile,
    RemoveFormFile,
)
from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import DeleteSound, ReadSound, UploadSound
from chappe.services import callbackforms, sounds
from chappe.services.ports import Platform

MOST_BYTES = sounds.MOST_BYTES
MOST_PICTURE_BYTES = 512 * 1024
MOST_PIXELS = 2_000
MOST_STYLE_BYTES = 64 * 1024
LONGEST_NAME = 100
"""Our choice: bytes of a sound and of a picture, pixels of its sides, bytes of a style sheet, letters of a
name."""

SOUNDS = frozenset({FormFile.OPERATOR_SOUND, FormFile.VISITOR_SOUND, FormFile.GREETING})
_WAV, _CSS = "audio/wav", "text/css; charset=utf-8"


async def put(platform: Platform, caller: Caller, command: PutFormFile) -> None:
    """Keep a file of a form, in place of one before. Raises Refusal: `not_found` for the form,
    `empty_content`, `media_too_large`, `unusable_media` for what it is not."""
    platform.store.admit()
    form = await callbackforms.find(platform, caller, FindForm(command.form))
    if not command.content:
        raise Refusal(Fault.EMPTY_CONTENT, "the file is empty", "content")
    before = await platform.store.queries.callback_form_file(form.account_id, form.id, command.file)
    kept = await _keep(platform, caller, form, command)
    if before is not None:
        kept = replace(kept, id=before.id)
    try:
        await platform.store.commit(_written(kept, before))
    except BaseException:
        await _discard(platform, caller, kept)
        raise
    if before is not None:
        await _discard(platform, caller, before)
    platform.topics.publish(f"account.{caller.account_id}")


def _written(kept: KeptFormFile, before: KeptFormFile | None) -> Changes:
    if before is None:
        return Changes(insert=[kept])
    names = ("ref", "name", "content_type", "size", "created_at")
    values = {name: getattr(kept, name) for name in names}
    return Changes(
        update=[Update(KeptFormFile, kept.id, kept.account_id, values, expected={"ref": before.ref})]
    )


async def _keep(platform: Platform, caller: Caller, form: CallbackForm, command: PutFormFile) -> KeptFormFile:
    """The file on the disk, or as a sound; its record is not written yet."""
    name = " ".join(command.name.split())[-LONGEST_NAME:] or command.file.value
    ref, content_type, size = platform.ids.new_ref(), _WAV, 0
    if command.file in SOUNDS:
        sound = await sounds.upload(
            platform, caller, UploadSound(command.content, name=f"{form.name}: {name}"[:LONGEST_NAME])
        )
        ref, size = sound.ref, sound.size
    else:
        content, content_type = (
            _style(command.content) if command.file is FormFile.STYLE else _picture(command.content)
        )
        size = len(content)
        await asyncio.to_thread(_write, _place(platform, ref), content)
    return KeptFormFile(
        id=platform.ids.new_id(),
        ref=ref,
        account_id=form.account_id,
        form_id=form.id,
        file=command.file,
        name=name,
        content_type=content_type,
        size=size,
        created_at=platform.clock.now(),
    )


def _style(content: bytes) -> tuple[bytes, str]:
    if len(content) > MOST_STYLE_BYTES:
        raise _too_large("style sheet", len(content), MOST_STYLE_BYTES)
    try:
        cleaned = stylesheets.clean(content)
    except stylesheets.StyleError as error:
        raise Refusal(Fault.UNUSABLE_MEDIA, f"this is no style sheet: {error}", "content") from error
    if not cleaned:
        raise Refusal(
            Fault.UNUSABLE_MEDIA,
            "nothing is left of this style sheet: rules such as a { color: teal } are kept, but neither URLs"
            " nor @import",
            "content",
        )
    return cleaned.encode(), _CSS


def _picture(content: bytes) -> tuple[bytes, str]:
    if len(content) > MOST_PICTURE_BYTES:
        raise _too_large("picture", len(content), MOST_PICTURE_BYTES)
    content_type = _type_of_picture(content)
    try:
        width, height = imagesize.get(BytesIO(content))
    except Exception as error:
        raise Refusal(Fault.UNUSABLE_MEDIA, "the picture is damaged: save it anew", "content") from error
    if width <= 0 or height <= 0:
        raise Refusal(Fault.UNUSABLE_MEDIA, "the picture is damaged: it has no size", "content")
    if width > MOST_PIXELS or height > MOST_PIXELS:
        raise Refusal(
            Fault.MEDIA_TOO_LARGE,
            f"the picture has {width} x {height} pixels; make its sides {MOST_PIXELS} at most",
            "content",
        )
    return content, content_type


def _type_of_picture(content: bytes) -> str:
    """By what it begins with (PNG 5.2, JPEG B.1.1.3, GIF 89a section 17, WebP container 2.3)."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    raise Refusal(
        Fault.UNUSABLE_MEDIA, "this is no picture that is taken here: send PNG, JPEG, GIF or WebP", "content"
    )


def _too_large(what: str, size: int, most: int) -> Refusal:
    return Refusal(Fault.MEDIA_TOO_LARGE, f"the {what} has {size} bytes, at most {most} are taken", "content")


async def read(platform: Platform, caller: Caller, command: ReadFormFile) -> FormFileContent:
    """A file of a form as it is used: sounds as WAV, style sheets cleaned. Raises Refusal `not_found`."""
    kept = await _find(platform, caller, command.form, command.file)
    if kept.file in SOUNDS:
        content = await sounds.read(platform, caller, ReadSound(kept.ref))
    else:
        try:
            content = await asyncio.to_thread(_place(platform, kept.ref).read_bytes)
        except FileNotFoundError as error:
            detail = f"the file {kept.name} is gone: give it again"
            raise Refusal(Fault.NOT_FOUND, detail, "file") from error
    return FormFileContent(kept.file, kept.name, kept.content_type, content)


async def list_files(
    platform: Platform, caller: Caller, command: ListFormFiles
) -> tuple[FormFileContent, ...]:
    """The files that a form has, without what is in them. Raises Refusal `not_found`."""
    form = await callbackforms.find(platform, caller, FindForm(command.form))
    found = await platform.store.queries.callback_form_files(form.account_id, form.id)
    return tuple(FormFileContent(one.file, one.name, one.content_type, b"") for one in found)


async def remove(platform: Platform, caller: Caller, command: RemoveFormFile) -> None:
    """Remove a file of a form. Raises Refusal `not_found`."""
    kept = await _find(platform, caller, command.form, command.file)
    await platform.store.commit(Changes(delete=[Delete(KeptFormFile, kept.id, caller.account_id)]))
    await _discard(platform, caller, kept)
    platform.topics.publish(f"account.{caller.account_id}")


async def _find(platform: Platform, caller: Caller, form: str, file: FormFile) -> KeptFormFile:
    found = await callbackforms.find(platform, caller, FindForm(form))
    kept = await platform.store.queries.callback_form_file(found.account_id, found.id, file)
    if kept is None:
        raise Refusal(Fault.NOT_FOUND, f"the form {found.number} has no {file.value}", "file")
    return kept


async def _discard(platform: Platform, caller: Caller, kept: KeptFormFile) -> None:
    """What is on the disk, or the sound, is not needed any more."""
    if kept.file in SOUNDS:
        with suppress(Refusal):  # its owner was quicker
            await sounds.delete(platform, caller, DeleteSound(kept.ref))
    else:
        await asyncio.to_thread(_unlink, _place(platform, kept.ref))


def _place(platform: Platform, ref: str) -> Path:
    return platform.folder / "forms" / ref


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.replace(file)


def _unlink(file: Path) -> None:
    with suppress(OSError):
        file.unlink(missing_ok=True)
