"""Pages of announcements, in both languages and without scripts."""

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


async def send(world: World, member: Browser, **more: str) -> Page:
    form = {"recipients": f"+{A}\n06 39 98 00 02", "say": "Votre colis est arrivé.", "attempts": "1", **more}
    page = await member.post("/announcements", form, at="/announcements")
    await world.settle()
    return page


async def passes(world: World, seconds: int) -> None:
    for _ in range(seconds):
        await world.wait(1)
        await world.settle()


@pytest.mark.parametrize(
    ("language", "heading", "reached", "busy"),
    [
        ("en", "Announcements", "Reached", "Not reached · Busy"),
        ("fr", "Annonces", "Joint", "Non joint · Occupé"),
    ],
)
async def test_an_announcement_is_sent_and_looked_at(
    sandbox_world: World, member: Browser, language: str, heading: str, reached: str, busy: str
) -> None:
    world = sandbox_world
    member.language = language
    assert (await member.get("/announcements")).words("//h1") == [heading]
    for number, behaviour in ((A, "answer"), (B, "busy")):
        form = {"call": behaviour, "keys": "1"}
        await member.post(f"/telephones/{number}/behaviour", form, at=f"/telephones/{number}")
    sent = await send(world, member, name="Parcels", answer_keys="1", say="x" * 100)
    assert sent.status == 200, sent.text
    await passes(world, 4)
    page = await member.get(sent.path)
    rows = page.words("//tbody/tr")
    assert len(rows) == 2, page.text
    assert reached in rows[0] and busy in rows[1], rows
    assert page.words("//h1") == ["Parcels"]
    listed = await member.get("/announcements")
    assert "Parcels" in listed.words("//tbody/tr")[0]
    only = await member.get(f"{sent.path}?state=missed")
    assert len(only.words("//tbody/tr")) == 1


async def test_it_is_called_off(sandbox_world: World, member: Browser) -> None:
    sent = await send(sandbox_world, member, starts="2026-03-05T10:00")
    (action,) = sent.find("//form[contains(@action, '/cancel')]/@action")
    page = await member.post(action, at=sent.path)
    assert page.status == 200
    assert page.find("//form[contains(@action, '/cancel')]/@action") == []
    again = await member.post(action, at=sent.path)
    assert again.status == 409


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({"recipients": "0612345678, 112"}, "recipients", "112 –"),
        ({"recipients": ""}, "recipients", "Nobody"),
        ({"say": ""}, "say", "empty"),
        ({"attempts": "many"}, "attempts", "1 to 10"),
        ({"starts": "2029-01-01T10:00"}, "starts", "within a year"),
        ({"ends": "2026-03-01T10:00"}, "ends", "after its beginning"),
        ({"answer_keys": "1x"}, "answer_keys", "Keys are"),
        ({"shown": "0142000000"}, "shown", "may not be shown"),
        ({"sound": "0" * 26}, "sound", "nothing under this name"),
        ({"opens": "25:00"}, "opens", "no such hour"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    sandbox_world: World, member: Browser, form: dict[str, str], field: str, says: str
) -> None:
    page = await send(sandbox_world, member, name="Parcels", **form)
    assert page.status == 422
    (said,) = page.words(f"//*[@id='{field}-said']")
    assert says in said
    assert page.find("//input[@id='name']/@value") == ["Parcels"]


async def test_one_of_another_account_is_not_there(sandbox_world: World, member: Browser) -> None:
    sent = await send(sandbox_world, member)
    stranger = Browser(sandbox_world.chappe.application)
    await stranger.sign_up("other@example.com")
    assert (await stranger.get(sent.path)).status == 404
    assert (await stranger.post(f"{sent.path}/cancel", at="/announcements")).status == 404
