"""Recordings of calls: kept with what was said, told, mailed, heard in parts, deleted and forgotten."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from chappe.media import pcm, tones, wav
from chappe.model.calls import CallStory, Recorded, Recording, RecordingPurpose
from chappe.model.changes import Changes, Update
from chappe.model.commands import CallFromLine, FindCall, PlaceCall, Subscribe, UseTelephone
from chappe.model.directory import Account
from chappe.model.errors import Fault, Refusal
from chappe.model.recordings import DeleteRecording, FindRecording, Kept, ListRecordings, ReadRecording
from chappe.services import calls, lines, recordings, sandbox, subscriptions, telephones
from chappe.services.accounts import NewAccount
from chappe.services.closing import close_abandoned
from chappe.services.switchboard import PATIENCE
from tests.platform import World, caller

A, B = "33639980001", "33639980002"


def exists(file: Path) -> bool:
    return file.exists()


async def answered(world: World, shop: NewAccount, **more: object) -> CallStory:
    """A call whose parties speak with one another."""
    story = await calls.place(world.platform, caller(shop), PlaceCall(A, B, **more))
    await world.settle()
    for number in (A, B):
        await use(world, shop, number, "answer")
    return await calls.find(world.platform, caller(shop), FindCall(story.call.ref))


async def use(world: World, shop: NewAccount, number: str, what: str) -> None:
    (leg, *_) = await world.platform.store.queries.legs_of_number(shop.account.id, number, 1)
    await telephones.use_telephone(world.platform, caller(shop), UseTelephone(number, leg.id, what))
    await world.settle()


async def listed(world: World, shop: NewAccount, **search: object) -> Sequence[Kept]:
    return (await recordings.list_recordings(world.platform, caller(shop), ListRecordings(**search))).items


async def kept(world: World, shop: NewAccount, sound: bytes, **values: object) -> Recording:
    """A recording of a call that is over, as a carrier would have made it."""
    story = await calls.place(world.platform, caller(shop), PlaceCall(A, B))
    call = story.call
    plan = values.pop("plan", None)
    if plan is not None:
        update = Update(type(call), call.id, call.account_id, {"plan": plan})
        await world.platform.store.commit(Changes(update=[update]))
        call = await world.platform.store.queries.call(call.account_id, call.id)
    recording = Recording(
        id=world.platform.ids.new_id(),
        ref=world.platform.ids.new_ref(),
        account_id=shop.account.id,
        call_id=call.id,
        leg_id=None,
        purpose=RecordingPurpose(values.get("purpose", "call")),
        started_at=world.clock.now(),
    )
    await recordings.begin(world.platform, call, recording)
    path = recordings.unfinished(world.platform, recording.id)
    wav.write(path, sound)
    recorded = Recorded(recording.id, world.clock.now(), pcm.milliseconds(sound) / 1000, str(path))
    await recordings.keep(world.platform, call, recording, recorded)
    assert not exists(path)
    found = await world.platform.store.queries.recording(shop.account.id, recording.id)
    assert found is not None
    return found


async def test_a_call_is_recorded_told_and_mailed(world: World) -> None:
    shop = await world.account()
    await subscriptions.subscribe(
        world.platform, caller(shop), Subscribe("http://127.0.0.1/told", ("recording.ended",))
    )
    for number, text in ((A, "Bonjour, je suis la première"), (B, "Bonjour, je suis le second")):
        await sandbox.set_behaviour(world.platform, caller(shop), sandbox.SetBehaviour(number, {"say": text}))
    story = await answered(world, shop, record_to="owner@shop.example")
    [(recording, ref)] = await listed(world, shop)
    assert (ref, recording.ended_at, recording.purpose) == (story.call.ref, None, RecordingPurpose.CALL)
    with pytest.raises(Refusal, match="still being made"):
        await recordings.read(world.platform, caller(shop), ReadRecording(recording.ref))
    with pytest.raises(Refusal) as caught:
        await recordings.delete(world.platform, caller(shop), DeleteRecording(recording.ref))
    assert caught.value.fault is Fault.TOO_LATE

    await world.wait(3)
    await use(world, shop, B, "hangup")
    await world.wait(1)
    await world.settle()

    [(recording, _)] = await listed(world, shop, call=story.call.ref)
    assert 2900 <= recording.milliseconds <= 3100
    part = await recordings.read(world.platform, caller(shop), ReadRecording(recording.ref))
    assert part.is_whole and part.total == recording.size
    sound = wav.decode(part.octets)
    assert sound.rate == 8000 and pcm.milliseconds(sound.samples) == recording.milliseconds
    assert tones.strength(pcm.trim(sound.samples), 300) > 0.9  # the voice with which everybody hums here

    [notice] = [json.loads(sent.body) for sent in world.web.sent]
    assert (notice["type"], notice["data"]["call"]["id"]) == ("recording.ended", story.call.ref)
    assert notice["data"]["recording"] == {
        "id": recording.ref,
        "call": story.call.ref,
        "leg": None,
        "purpose": "call",
        "started_at": f"{recording.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "ended_at": notice["data"]["recording"]["ended_at"],
        "milliseconds": recording.milliseconds,
        "size": recording.size,
    }
    [mail] = world.mailer.sent
    assert mail.to == "owner@shop.example" and A in mail.subject and "0:0" in mail.body
    [file] = mail.attachments
    assert (file.content_type, file.content) == ("audio/wav", part.octets) and file.name.endswith(".wav")


@pytest.mark.parametrize("address", ["owner", "a@b@c", "x\n@shop.example"])
async def test_what_is_no_address_is_refused_first(sandbox_world: World, address: str) -> None:
    shop = await sandbox_world.account()
    with pytest.raises(Refusal) as caught:
        await calls.place(sandbox_world.platform, caller(shop), PlaceCall(A, B, record_to=address))
    assert (caught.value.fault, caught.value.field) == (Fault.INVALID_PARAMETER, "record_to")
    assert await listed(sandbox_world, shop) == ()


async def test_a_message_is_mailed_where_its_call_says(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    plan = {"record_to": "me@shop.example"}
    await kept(world, shop, tones.sine(440, 65), purpose="message", plan=plan)
    await kept(world, shop, b"", purpose="message", plan=plan)  # nobody has said anything
    await kept(world, shop, tones.sine(440, 1), purpose="message")
    await world.settle()
    [mail] = world.mailer.sent
    assert mail.subject == f"Message: {A} > {B}" and "1:05" in mail.body


async def test_messages_and_calls_of_lines_go_to_the_account_s_own_address(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    address = {"email": "owner@shop.example"}
    account_id = shop.account.id
    await world.platform.store.commit(Changes(update=[Update(Account, account_id, None, address)]))
    await kept(world, shop, tones.sine(440, 1), purpose="message")
    await kept(world, shop, tones.sine(440, 1), purpose="call")  # nobody has asked for a mail
    await kept(world, shop, tones.sine(440, 1), purpose="message", plan={"record_to": "me@shop.example"})
    await world.settle()
    # Both sounds are read at one moment: whichever comes first is mailed first.
    assert sorted(mail.to for mail in world.mailer.sent) == ["me@shop.example", "owner@shop.example"]

    line = shop.secrets["keyyo"].login
    story = await lines.make_call(
        world.platform, caller(shop), CallFromLine(line, PlaceCall(A, B, record=True))
    )
    assert story.call.plan["record_to"] == "owner@shop.example"
    world.clock.move(seconds=2)
    story = await lines.make_call(world.platform, caller(shop), CallFromLine(line, PlaceCall(A, B)))
    assert "record_to" not in story.call.plan


async def test_what_is_too_long_for_a_mail_is_told_without_it(
    sandbox_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "_MAILED_AT_MOST", 1000)
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    recording = await kept(world, shop, tones.sine(440, 1), plan={"record_to": "me@shop.example"})
    await world.settle()
    [mail] = world.mailer.sent
    assert mail.attachments == () and f"/v1/recordings/{recording.ref}/audio" in mail.body


async def test_what_is_deleted_before_its_mail_goes_out_is_not_sent(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    recording = await kept(world, shop, tones.sine(440, 1), plan={"record_to": "me@shop.example"})
    await recordings.delete(world.platform, caller(shop), DeleteRecording(recording.ref))
    await world.settle()
    assert world.mailer.sent == []


async def test_parts_of_a_sound(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    recording = await kept(world, shop, tones.sine(440, 1))

    async def part(first: int | None, last: int | None) -> tuple[int, int, bool]:
        found = await recordings.read(world.platform, caller(shop), ReadRecording(recording.ref, first, last))
        assert found.octets == whole[found.first : found.first + len(found.octets)] and found.total == 16_044
        return found.first, len(found.octets), found.is_whole

    whole = (await recordings.read(world.platform, caller(shop), ReadRecording(recording.ref))).octets
    assert len(whole) == recording.size == 16_044 and recording.milliseconds == 1000
    assert await part(0, 99) == (0, 100, False)
    assert await part(16_000, None) == (16_000, 44, False)
    assert await part(16_000, 99_999) == (16_000, 44, False)
    assert await part(None, 100) == (15_944, 100, False)
    assert await part(0, 16_043) == await part(None, 99_999) == (0, 16_044, True)
    assert await part(99_999, None) == await part(5, 4) == (0, 16_044, True)  # as if all were asked for


async def test_lists_are_narrowed_and_paged(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    other = await world.account("other")
    refs = []
    for purpose in ("call", "message", "conference"):
        refs.append((await kept(world, shop, tones.sine(440, 0.1), purpose=purpose)).ref)
        world.clock.move(hours=1)
    assert [one.recording.ref for one in await listed(world, shop)] == refs[::-1]
    assert [one.recording.ref for one in await listed(world, shop, purpose=RecordingPurpose.MESSAGE)] == refs[
        1:2
    ]
    middle = (await listed(world, shop))[1]
    assert await listed(world, shop, call=middle.call) == (middle,)
    started = middle.recording.started_at
    assert [one.recording.ref for one in await listed(world, shop, since=started)] == refs[:0:-1]
    assert [one.recording.ref for one in await listed(world, shop, until=started)] == refs[:1]
    page = await recordings.list_recordings(world.platform, caller(shop), ListRecordings(limit=2))
    rest = await listed(world, shop, cursor=page.next_cursor)
    assert [one.recording.ref for one in (*page.items, *rest)] == refs[::-1]
    assert await listed(world, other) == ()
    with pytest.raises(Refusal, match="no call"):
        await listed(world, other, call=middle.call)


async def test_a_deleted_recording_is_gone_with_its_sound(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    recording = await kept(world, shop, tones.sine(440, 0.1))
    file = recordings.file_of(world.platform, recording.ref)
    assert exists(file)
    await recordings.delete(world.platform, caller(shop), DeleteRecording(recording.ref))
    assert not exists(file) and await listed(world, shop) == ()
    with pytest.raises(Refusal, match="no recording"):
        await recordings.find(world.platform, caller(shop), FindRecording(recording.ref))


async def test_what_is_old_is_forgotten(world: World) -> None:
    shop = await world.account()
    old = await kept(world, shop, tones.sine(440, 0.1))
    world.clock.move(days=29)
    new = await kept(world, shop, tones.sine(440, 0.1))
    world.clock.move(days=1, seconds=1)
    assert await recordings.forget(world.platform, world.clock.now()) == 1
    assert [one.recording.ref for one in await listed(world, shop)] == [new.ref]
    assert not exists(recordings.file_of(world.platform, old.ref))
    assert exists(recordings.file_of(world.platform, new.ref))


async def test_what_was_lost_is_kept_as_a_record_without_sound(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account(credits=900)
    silent = await kept(world, shop, b"")
    assert (silent.size, silent.milliseconds) == (0, 0) and silent.ended_at is not None
    with pytest.raises(Refusal, match="has no sound"):
        await recordings.read(world.platform, caller(shop), ReadRecording(silent.ref))
    lost = await kept(world, shop, tones.sine(440, 0.1))
    recordings.file_of(world.platform, lost.ref).unlink()
    with pytest.raises(Refusal, match="has no sound"):
        await recordings.read(world.platform, caller(shop), ReadRecording(lost.ref))


async def test_nobody_waits_for_this_recording(tmp_path: Path, sandbox_world: World) -> None:
    path = tmp_path / "late.wav"
    wav.write(path, b"")
    recorded = Recorded(1, sandbox_world.clock.now(), 0.0, str(path))
    sandbox_world.chappe.switchboard.recorded(recorded)
    assert not exists(path)
    recordings.discard(recorded)  # it is no error that it is gone


async def test_a_server_that_stops_keeps_what_was_recorded(world: World) -> None:
    shop = await world.account()
    await answered(world, shop, record=True)
    await world.wait(2.5)
    await world.chappe.switchboard.stop()
    [(recording, _)] = await listed(world, shop)
    assert recording.ended_at is not None and 2000 <= recording.milliseconds <= 2600
    part = await recordings.read(world.platform, caller(shop), ReadRecording(recording.ref))
    assert pcm.milliseconds(wav.decode(part.octets).samples) == recording.milliseconds


async def test_a_carrier_that_never_ends_a_recording_holds_nothing_up(
    sandbox_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, shop = sandbox_world, await sandbox_world.account()
    await answered(world, shop, record=True)
    await world.wait(2.5)
    monkeypatch.setattr(world.chappe.switchboard, "recorded", lambda recorded: None)
    await use(world, shop, B, "hangup")
    assert world.chappe.switchboard.live_calls() != []  # it is waited for
    await world.wait(6)
    assert world.chappe.switchboard.live_calls() == []
    [(recording, _)] = await listed(world, shop)
    assert recording.ended_at is not None and recording.milliseconds >= 2000


async def test_after_a_crash_what_was_recorded_until_then_is_kept(world: World) -> None:
    """The node is killed in the middle of a call; another one closes it."""
    shop = await world.account()
    await subscriptions.subscribe(
        world.platform, caller(shop), Subscribe("http://127.0.0.1/told", ("recording.ended",))
    )
    story = await answered(world, shop, record=True)
    await world.wait(2.5)
    [(recording, _)] = await listed(world, shop)
    path = recordings.unfinished(world.platform, recording.id)
    assert exists(path)
    until_then = path.read_bytes()
    world.clock.move(seconds=PATIENCE.total_seconds() + 1)
    await close_abandoned(world.platform, world.clock.now() - PATIENCE)
    [(recording, ref)] = await listed(world, shop)
    assert ref == story.call.ref and recording.milliseconds == 2000  # to its last whole second
    found = await recordings.read(world.platform, caller(shop), ReadRecording(recording.ref))
    assert found.octets == until_then
    await world.chappe.settle()
    assert [json.loads(sent.body)["type"] for sent in world.web.sent] == ["recording.ended"]
    # The first node was only frozen: what it says now changes nothing.
    late = Recorded(recording.id, world.clock.now(), 9.0, str(path))
    await recordings.keep(world.platform, story.call, recording, late)
    assert await listed(world, shop) == ((recording, ref),)
    await world.chappe.switchboard.stop()
