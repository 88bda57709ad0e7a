"""Pages of calls, and calls at the telephones, in both languages and without scripts."""

import pytest
import pytest_asyncio

from chappe.model.calls import LegEvent, LegEventKind
from tests.platform import World
from tests.web.browser import Browser

A, B = "33639980001", "33639980002"


@pytest_asyncio.fixture
async def member(sandbox_world: World) -> Browser:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    return browser


async def place(world: World, member: Browser) -> str:
    page = await member.post("/calls", {"first": f"+{A}", "second": f"+{B}"}, at="/calls")
    assert page.status == 200, page.text
    await world.settle()
    return page.path


async def press(world: World, member: Browser, number: str, **what: str) -> None:
    page = await member.get("/telephones")
    (action,) = page.find(f"//form[contains(@action, '/telephones/{number}/calls/')]/@action")
    assert (await member.post(action, what, at="/telephones")).status == 200
    await world.settle()


@pytest.mark.parametrize(
    ("language", "heading", "spoken", "put_down"),
    [("en", "Calls", "Spoken", "Hung up"), ("fr", "Appels", "Conversation", "Raccroché")],
)
async def test_a_call_is_placed_answered_and_ended_by_hand(
    sandbox_world: World, member: Browser, language: str, heading: str, spoken: str, put_down: str
) -> None:
    world = sandbox_world
    member.language = language
    assert (await member.get("/calls")).words("//h1") == [heading]
    path = await place(world, member)
    shelf = await member.get("/telephones")
    assert len(shelf.find("//section[contains(@class, 'call ringing')]")) == 1
    await press(world, member, A, what="answer")
    await press(world, member, B, what="answer")
    world.clock.move(seconds=83)
    await press(world, member, B, keys="5")
    await press(world, member, B, what="hangup")
    page = await member.get(path)
    assert spoken in page.text and put_down in page.text
    assert "1:23" in (await member.get("/calls")).text
    assert not (await member.get("/telephones")).find("//section[contains(@class, 'call ')]")


async def test_a_call_that_rings_is_rejected_at_its_telephone(sandbox_world: World, member: Browser) -> None:
    path = await place(sandbox_world, member)
    await press(sandbox_world, member, A, what="reject")
    page = await member.get(path)
    assert "Rejected" in page.text
    # Whoever presses a moment later sees how it stands, not an error.
    (leg,) = page.find("//dl[starts-with(@id, 'leg-')]/@id")
    late = await member.post(f"/telephones/{A}/calls/{leg[4:]}", {"what": "answer"}, at="/telephones")
    assert late.status == 200


async def test_its_owner_hangs_up_on_its_page(sandbox_world: World, member: Browser) -> None:
    path = await place(sandbox_world, member)
    assert (await member.post(f"{path}/hangup", at=path)).status == 200
    await sandbox_world.settle()
    assert "Stopped ringing" in (await member.get(path)).text
    late = await member.post(f"{path}/hangup", at="/calls")
    assert late.status == 409


async def test_what_is_wrong_is_said_at_its_field(sandbox_world: World, member: Browser) -> None:
    page = await member.post("/calls", {"first": "112", "second": f"+{B}"}, at="/calls")
    assert page.status == 422
    assert page.find("//input[@name='first']/@aria-invalid") == ["true"]


async def test_another_account_s_call_is_not_found(sandbox_world: World, member: Browser) -> None:
    path = await place(sandbox_world, member)
    other = Browser(sandbox_world.chappe.application)
    await other.sign_up("other@example.com")
    assert (await other.get(path)).status == 404
    assert (await other.post(f"{path}/hangup", at="/calls")).status == 404
    assert "No call yet" in (await other.get("/calls")).text


async def test_a_button_that_says_nothing_does_nothing(sandbox_world: World, member: Browser) -> None:
    path = await place(sandbox_world, member)
    (leg,) = (await member.get(path)).find("//dl[starts-with(@id, 'leg-')]/@id")
    page = await member.post(f"/telephones/{A}/calls/{leg[4:]}", {}, at="/telephones")
    assert page.status == 422
    assert "Rings" in (await member.get(path)).text


async def test_who_is_in_a_call_is_seen_muted_recorded_and_hung_up_by_a_click(
    sandbox_world: World, member: Browser
) -> None:
    world = sandbox_world
    path = await place(world, member)
    page = await member.get(path)
    assert page.words("//ul[contains(@class, 'scene')]/li//strong") == ["06 39 98 00 01"]
    assert not page.find("//form[contains(@action, '/record')]")  # nobody is joined yet
    await press(world, member, A, what="answer")
    await press(world, member, B, what="answer")
    page = await member.get(path)
    assert len(page.find("//ul[contains(@class, 'joined')]/li[contains(@class, 'up')]")) == 2
    mute = page.find("//form[contains(@action, '/mute')]/@action")
    page = await member.post(mute[0], {}, at=path)
    await world.settle()
    page = await member.get(path)
    assert len(page.find("//li[contains(@class, 'muted')]")) == 1
    (unmute,) = page.find("//form[contains(@action, '/unmute')]/@action")
    await member.post(unmute, {}, at=path)
    await member.post(f"{path}/record", {"recording": "1"}, at=path)
    await world.settle()
    page = await member.get(path)
    assert "being recorded" in page.text and not page.find("//li[contains(@class, 'muted')]")
    await member.post(f"{path}/record", {}, at=path)
    await world.wait(1)
    assert "being recorded" not in (await member.get(path)).text
    (ending, _) = (await member.get(path)).find("//button[contains(@formaction, '/hangup')]/@formaction")
    await member.post(ending, {}, at=path)
    await world.settle()
    page = await member.get(path)
    assert not page.find("//ul[contains(@class, 'scene')]")
    assert (await member.post(ending, {}, at=path)).status == 409
    assert (await member.post(f"{path}/legs/1/dance", {}, at=path)).status == 404


async def test_who_speaks_is_seen(sandbox_world: World, member: Browser) -> None:
    world = sandbox_world
    path = await place(world, member)
    await press(world, member, A, what="answer")
    await press(world, member, B, what="answer")
    board = world.chappe.switchboard
    (call,) = board.live_calls()
    leg = board.live_legs(call.id)["first"]
    for kind, seen in ((LegEventKind.TALKING, 1), (LegEventKind.QUIET, 0)):
        board.leg_event(LegEvent(leg.id, kind, world.clock.at))
        await world.settle()
        assert len((await member.get(path)).find("//li[contains(@class, 'talking')]")) == seen
