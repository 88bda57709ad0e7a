"""Pages of conferences, in both languages and without scripts."""

import pytest
import pytest_asyncio

from tests.platform import World
from tests.web.browser import Browser, Page

A, B = "33639980001", "33639980002"


@pytest_asyncio.fixture
async def member(sandbox_world: World) -> Browser:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    return browser


async def hold(world: World, member: Browser, **more: str) -> Page:
    form = {
        "name": "Monday",
        "access": "room+caller",
        "minutes": "10",
        "numbers": f"+{A}",
        "rings": "1",
        **more,
    }
    page = await member.post("/conferences", form, at="/conferences")
    await world.settle()
    return page


async def press(world: World, member: Browser, number: str, **what: str) -> None:
    page = await member.get("/telephones")
    (action,) = page.find(f"//form[contains(@action, '/telephones/{number}/calls/')]/@action")
    assert (await member.post(action, what, at="/telephones")).status == 200
    await world.settle()


async def steer(world: World, member: Browser, path: str, end: str) -> Page:
    """Press the button of the page whose address ends so."""
    page = await member.get(path)
    wanted = [one for one in page.find("//form/@action | //button/@formaction") if one.endswith(end)]
    assert len(wanted) == 1, wanted
    done = await member.post(wanted[0], at=path)
    await world.settle()
    return done


@pytest.mark.parametrize(
    ("language", "heading", "inside"), [("en", "Conferences", "In"), ("fr", "Conférences", "Présent")]
)
async def test_a_conference_is_held_steered_and_ended(
    sandbox_world: World, member: Browser, language: str, heading: str, inside: str
) -> None:
    world = sandbox_world
    member.language = language
    assert (await member.get("/conferences")).words("//h1") == [heading]
    held = await hold(world, member)
    assert held.status == 200, held.text
    await press(world, member, A, what="answer")
    await press(world, member, A, keys="#")
    path = held.path
    assert inside in (await member.get(path)).words(
        "//li[contains(@class, 'party')]//span[contains(@class, 'state')]"
    )
    assert (await steer(world, member, path, "/mute")).find("//li[contains(@class, 'muted')]")
    assert not (await steer(world, member, path, "/unmute")).find("//li[contains(@class, 'muted')]")
    assert (await steer(world, member, path, "/lock")).find("//button[contains(@formaction, '/unlock')]")
    assert (await steer(world, member, path, "/record")).find("//button[contains(@formaction, '/unrecord')]")
    await steer(world, member, path, "/remove")
    await steer(world, member, path, "/end")
    await world.wait(1)  # for its recording
    over = await member.get(path)
    assert not over.find("//form[contains(@action, '/end')]")
    assert "Monday" in (await member.get("/conferences")).text


async def test_more_are_named_and_rung(sandbox_world: World, member: Browser) -> None:
    held = await hold(sandbox_world, member, numbers="")
    page = await member.post(
        f"{held.path}/participants", {"numbers": f"+{A}, +{B}", "rings": "1"}, at=held.path
    )
    await sandbox_world.settle()
    assert page.status == 200
    assert len((await member.get(held.path)).find("//li[contains(@class, 'ringing')]")) == 2
    wrong = await member.post(f"{held.path}/participants", {"numbers": "112"}, at=held.path)
    assert wrong.status == 422
    assert wrong.find("//textarea[@name='numbers']/@aria-invalid") == ["true"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"minutes": "x"}, "input[@name='minutes']"),
        ({"minutes": "0"}, "input[@name='minutes']"),
        ({"start": "tomorrow"}, "input[@name='start']"),
        ({"access": "caller", "numbers": ""}, "textarea[@name='numbers']"),
        ({"numbers": "112"}, "textarea[@name='numbers']"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    sandbox_world: World, member: Browser, more: dict[str, str], field: str
) -> None:
    page = await hold(sandbox_world, member, **more)
    assert page.status == 422
    assert page.find(f"//{field}/@aria-invalid") == ["true"]


async def test_a_planned_one_is_called_off(sandbox_world: World, member: Browser) -> None:
    held = await hold(sandbox_world, member, start="2026-03-03T10:00")
    assert "Planned" in held.text
    assert "Over" in (await steer(sandbox_world, member, held.path, "/end")).text


async def test_another_account_s_conference_is_not_found(sandbox_world: World, member: Browser) -> None:
    held = await hold(sandbox_world, member)
    other = Browser(sandbox_world.chappe.application)
    await other.sign_up("other@example.com")
    assert (await other.get(held.path)).status == 404
    for what in ("end", "lock", "record", "nonsense"):
        assert (await other.post(f"{held.path}/{what}", at="/conferences")).status == 404
    assert "No conference yet" in (await other.get("/conferences")).text
