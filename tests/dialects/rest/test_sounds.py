"""Sounds and recordings over REST: bytes in and out, ranges, limits of a body."""

import json

import pytest

from chappe.dialects.rest.operations import OPERATIONS, REST
from chappe.media import pcm, tones, wav
from chappe.model.recordings import ListRecordings, Part, ReadRecording, UploadSound
from chappe.protocols.http import HttpRequest
from tests.asgi import ask
from tests.dialects.rest.records import REF, call, decoded
from tests.journeys.wires import Rest
from tests.platform import World


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("", None, None),
        ("bytes=0-", 0, None),
        ("bytes=10-19", 10, 19),
        ("bytes=-500", None, 500),
        ("bytes=0-9,20-29", None, None),
        ("bytes=a-b", None, None),
        ("lines=1-2", None, None),
        ("bytes=-", None, None),
    ],
)
def test_a_range_is_read_and_what_is_none_is_passed_over(
    header: str, first: int | None, last: int | None
) -> None:
    path = f"/v1/recordings/{REF}/audio"
    request = HttpRequest("GET", "localhost", path, path.encode(), b"", {"range": header}, b"")
    asked = REST.read(request)._replace(request=request)
    assert OPERATIONS[asked.verb].decode(asked) == ReadRecording(REF, first, last)


def test_a_part_says_where_it_stands() -> None:
    encode = OPERATIONS["GET /v1/recordings/{id}/audio"].encode
    asked = call(f"GET /v1/recordings/{REF}/audio")
    whole, part = encode(Part(b"RIFF", 0, 4), asked), encode(Part(b"IF", 1, 4), asked)
    assert (whole.status, whole.body, whole.content_type) == (200, b"RIFF", "audio/wav")
    assert dict(whole.headers)["accept-ranges"] == "bytes" and "content-range" not in dict(whole.headers)
    assert (part.status, dict(part.headers)["content-range"]) == (206, "bytes 1-2/4")


def test_lists_are_narrowed_by_name() -> None:
    assert decoded(f"GET /v1/recordings?call={REF}&purpose=message&limit=5") == ListRecordings(
        call=REF, purpose="message", limit=5
    )
    assert decoded("POST /v1/sounds?name=hi", b"RIFF", "audio/wav") == UploadSound(b"RIFF", "audio/wav", "hi")


async def test_a_sound_is_uploaded_heard_and_deleted(sandbox_world: World) -> None:
    rest = Rest(sandbox_world, await sandbox_world.account())
    sound = tones.sine(440, 1)
    reply = await rest.upload("/v1/sounds?name=welcome", pcm.to_ulaw(sound), "audio/basic")
    assert reply.status == 201, reply
    made = json.loads(reply.body)
    assert (made["name"], made["milliseconds"]) == ("welcome", 1000)
    assert await rest.get(f"/v1/sounds/{made['id']}") == made
    assert (await rest.get("/v1/sounds"))["data"] == [made]
    heard = await rest.call("GET", f"/v1/sounds/{made['id']}/audio")
    assert len(heard.body) == made["size"] and tones.strength(wav.decode(heard.body).samples, 440) > 0.99
    assert (await rest.call("DELETE", f"/v1/sounds/{made['id']}")).status == 204
    assert (await rest.get("/v1/sounds"))["data"] == []
    assert len((await rest.get("/v1/voices"))["data"]) == 4


async def test_only_a_sound_may_be_long(sandbox_world: World) -> None:
    rest = Rest(sandbox_world, await sandbox_world.account())
    two = pcm.to_alaw(tones.sine(440, 1)) * 250  # two million bytes, some four minutes
    assert (await rest.upload("/v1/sounds", two, "audio/PCMA")).status == 201
    reply = await rest.upload("/v1/sounds", two * 3, "audio/PCMA")
    assert (reply.status, json.loads(reply.body)["code"]) == (413, "content_too_long")
    assert "5120 KiB" in reply.text
    reply = await rest.upload("/v1/messages", two, "application/json")
    assert reply.status == 413 and "1024 KiB" in reply.text
    stranger = await ask(sandbox_world.chappe.application, "POST", "/v1/sounds", body=b"RIFF")
    assert stranger.status == 401


async def test_the_history_of_requests_does_not_hold_the_sound(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account()
    rest = Rest(world, shop)
    reply = await rest.upload("/v1/sounds", b"\x12secret" * 999, "audio/PCMA")
    assert reply.status == 201
    await rest.call("GET", f"/v1/sounds/{json.loads(reply.body)['id']}/audio")
    await rest.get("/v1/voices")  # what is noted is written with what comes next
    await world.account("other")
    exchanges = await world.platform.store.queries.exchanges(shop.account.id, None, 10)
    kept = {one.verb: one for one in exchanges}
    assert kept["POST /v1/sounds"].request.endswith("(sound)")
    assert kept["GET /v1/sounds/{id}/audio"].answer == "(sound)"
