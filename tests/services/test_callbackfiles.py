"""Files of callback forms: known by their bytes, replaced, read as they are used, and heard."""

import struct
import zlib

import pytest

from chappe.model.callbacks import (
    CallbackForm,
    CreateForm,
    FormFile,
    FormFileContent,
    ListFormFiles,
    PutFormFile,
    ReadFormFile,
    RemoveFormFile,
)
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.services import callbackfiles, callbackforms
from tests.platform import World, caller


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(min(height, 10))))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def a_form(world: World) -> tuple[Caller, CallbackForm]:
    who = caller(await world.account())
    return who, await callbackforms.create(world.platform, who, CreateForm("Shop"))


async def put(world: World, who: Caller, file: FormFile, content: bytes, name: str = "file") -> None:
    await callbackfiles.put(world.platform, who, PutFormFile("1", file, name, content))


async def read(world: World, who: Caller, file: FormFile) -> FormFileContent:
    return await callbackfiles.read(world.platform, who, ReadFormFile("1", file))


def files(world: World) -> int:
    folder = world.platform.folder / "forms"
    return len(list(folder.iterdir())) if folder.exists() else 0


async def test_a_picture_is_kept_replaced_and_removed(world: World) -> None:
    who, _ = await a_form(world)
    await put(world, who, FormFile.HEADER, png(40, 20), "../a.png")
    await put(world, who, FormFile.HEADER, b"GIF89a\x28\x00\x14\x00" + bytes(20), "b.gif")
    found = await read(world, who, FormFile.HEADER)
    assert (found.name, found.content_type) == ("b.gif", "image/gif")
    assert found.content.startswith(b"GIF89a")
    listed = await callbackfiles.list_files(world.platform, who, ListFormFiles("1"))
    assert [(one.file, one.name, one.content) for one in listed] == [(FormFile.HEADER, "b.gif", b"")]
    assert files(world) == 1
    await callbackfiles.remove(world.platform, who, RemoveFormFile("1", FormFile.HEADER))
    assert files(world) == 0
    with pytest.raises(Refusal) as refused:
        await read(world, who, FormFile.HEADER)
    assert refused.value.fault is Fault.NOT_FOUND


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        (FormFile.HEADER, b"<svg xmlns='http://www.w3.org/2000/svg'/>", Fault.UNUSABLE_MEDIA),
        (FormFile.HEADER, b"\x89PNG\r\n\x1a\n", Fault.UNUSABLE_MEDIA),
        (FormFile.HEADER, b"\xff\xd8\xff\xe0", Fault.UNUSABLE_MEDIA),
        (FormFile.HEADER, b"RIFF\x00\x00\x00\x00WEBP", Fault.UNUSABLE_MEDIA),
        (FormFile.HEADER, png(2_001, 10), Fault.MEDIA_TOO_LARGE),
        (FormFile.HEADER, png(10, 10) + bytes(600_000), Fault.MEDIA_TOO_LARGE),
        (FormFile.HEADER, b"", Fault.EMPTY_CONTENT),
        (FormFile.STYLE, b"@import 'https://example.com'", Fault.UNUSABLE_MEDIA),
        (FormFile.STYLE, b"a{color:\xff}", Fault.UNUSABLE_MEDIA),
        (FormFile.STYLE, b"a{color:red}" * 6_000, Fault.MEDIA_TOO_LARGE),
        (FormFile.GREETING, b"no sound", Fault.UNUSABLE_MEDIA),
    ],
)
async def test_what_is_no_such_file(
    sandbox_world: World, file: FormFile, content: bytes, fault: Fault
) -> None:
    who, _ = await a_form(sandbox_world)
    with pytest.raises(Refusal) as refused:
        await put(sandbox_world, who, file, content)
    assert refused.value.fault is fault
    assert files(sandbox_world) == 0


async def test_the_files_of_another_account_are_not_there(world: World) -> None:
    who, form = await a_form(world)
    await put(world, who, FormFile.STYLE, b"a{color:red}")
    other = caller(await world.account("other"))
    for command in (ReadFormFile(form.ref, FormFile.STYLE), ReadFormFile("1", FormFile.STYLE)):
        with pytest.raises(Refusal) as refused:
            await callbackfiles.read(world.platform, other, command)
        assert refused.value.fault is Fault.NOT_FOUND
