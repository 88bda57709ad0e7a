"""What was recorded of a call is heard on its page, and deleted there, by its owner alone."""

import pytest
import pytest_asyncio

from chappe.media import pcm, tones, wav
from chappe.model.calls import Recorded, Recording, RecordingPurpose
from chappe.services import recordings
from tests.asgi import ask
from tests.platform import World
from tests.web.browser import Browser

A, B = "33639980001", "33639980002"


@pytest_asyncio.fixture
async def member(sandbox_world: World) -> Browser:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    return browser


async def recorded(world: World, member: Browser) -> tuple[str, str, bytes]:
    """A call with a recording of a second: its page, its ref, its file."""
    page = await member.post("/calls", {"first": f"+{A}", "second": f"+{B}"}, at="/calls")
    await world.settle()
    [call] = world.chappe.switchboard.live_calls()
    recording = Recording(
        id=world.platform.ids.new_id(),
        ref=world.platform.ids.new_ref(),
        account_id=call.account_id,
        call_id=call.id,
        leg_id=None,
        purpose=RecordingPurpose.CALL,
        started_at=world.clock.now(),
    )
    await recordings.begin(world.platform, call, recording)
    assert "Being recorded" in (await member.get(page.path)).text
    path = recordings.unfinished(world.platform, recording.id)
    wav.write(path, tones.sine(440, 1))
    done = Recorded(recording.id, world.clock.now(), 1.0, str(path))
    await recordings.keep(world.platform, call, recording, done)
    return page.path, recording.ref, wav.encode(tones.sine(440, 1))


async def test_a_recording_is_heard_and_deleted(sandbox_world: World, member: Browser) -> None:
    path, ref, sound = await recorded(sandbox_world, member)
    page = await member.get(path)
    assert page.find("//audio/@src") == [f"/recordings/{ref}.wav"]
    assert page.find("//audio/@aria-label") == ["What was said"]
    heard = await member.get(f"/recordings/{ref}.wav")
    assert (heard.status, heard.body) == (200, sound)
    page = await member.post(f"/recordings/{ref}/delete", {}, at=path)
    assert "The recording is deleted." in page.text and page.find("//audio") == []
    assert (await member.get(f"/recordings/{ref}.wav")).status == 404
    assert pcm.rms(sound[wav.HEADER_BYTES :]) > 0


async def test_it_is_its_owner_s_alone(sandbox_world: World, member: Browser) -> None:
    path, ref, _ = await recorded(sandbox_world, member)
    thief = Browser(sandbox_world.chappe.application)
    await thief.sign_up("thief@example.com")
    assert (await thief.get(f"/recordings/{ref}.wav")).status == 404
    assert (await thief.post(f"/recordings/{ref}/delete", {}, at="/calls")).status == 404
    stranger = await ask(sandbox_world.chappe.application, "GET", f"/recordings/{ref}.wav")
    assert stranger.status == 303
    assert (await member.get(path)).find("//audio/@src") == [f"/recordings/{ref}.wav"]


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_call_that_was_not_recorded_says_nothing_of_it(
    sandbox_world: World, member: Browser, language: str
) -> None:
    member.language = language
    page = await member.post("/calls", {"first": f"+{A}", "second": f"+{B}"}, at="/calls")
    assert page.find("//*[@id='recorded']") == []
