"""The page of telephone lines: their profile, where their calls go, the password of their telephone."""

import pytest

from chappe.model.directory import ANSWERPHONE, Line
from tests.asgi import ask
from tests.platform import World
from tests.web.browser import Browser


async def signed_up(world: World) -> tuple[Browser, Line]:
    browser = Browser(world.chappe.application)
    await browser.sign_up()
    return browser, await line_of(world)


async def line_of(world: World) -> Line:
    user = await world.platform.store.queries.user_by_email("camille@example.com")
    line: Line = (await world.platform.store.queries.lines(user.account_id))[0]
    return line


def fields(**more: str) -> dict[str, str]:
    names = (
        "always",
        "busy",
        "unreachable",
        "no_answer",
        "no_answer_after",
        "greeting",
        "url",
        "allowed_sources",
    )
    return dict.fromkeys(names, "") | more


@pytest.mark.parametrize(("language", "word"), [("en", "answerphone"), ("fr", "Répondeur")])
async def test_calls_are_forwarded_as_the_form_says(sandbox_world: World, language: str, word: str) -> None:
    browser, line = await signed_up(sandbox_world)
    browser.language = language
    sent = fields(no_answer=word, busy="06 39 98 00 22", no_answer_after="12", greeting="Bonjour !")
    page = await browser.post(f"/lines/{line.number}", sent, at="/lines")
    assert page.status == 200
    line = await line_of(sandbox_world)
    known = line.forwarding
    assert (known.always, known.busy, known.unreachable, known.no_answer, known.no_answer_after) == (
        "",
        "33639980022",
        "",
        ANSWERPHONE,
        12,
    )
    assert line.greeting == "Bonjour !"
    (told,) = page.words(f"//*[@id='line-{line.number}']//div[@class='line']")
    assert "12" in told and word.lower() in told


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({"busy": "abc"}, "busy"),
        ({"always": "112"}, "always"),
        ({"no_answer_after": "1"}, "after"),
        ({"no_answer_after": "soon"}, "after"),
        ({"url": "ftp://x"}, "url"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    sandbox_world: World, sent: dict[str, str], at: str
) -> None:
    browser, line = await signed_up(sandbox_world)
    page = await browser.post(f"/lines/{line.number}", fields(**sent), at="/lines")
    assert page.status == 422
    assert page.words(f"//*[@id='line-{line.number}-{at}-said' and @class='wrong']")
    assert (await line_of(sandbox_world)) == line


async def test_a_profile_is_put_in_force(sandbox_world: World) -> None:
    browser, line = await signed_up(sandbox_world)
    page = await browser.post(f"/lines/{line.number}/profile", {"profile": "absent"}, at="/lines")
    assert (await line_of(sandbox_world)).profile == "absent"
    (told,) = page.words(f"//*[@id='line-{line.number}']//div[@class='line']")
    assert "Every call goes to answerphone." in told


async def test_the_password_of_a_telephone_is_shown_once(sandbox_world: World) -> None:
    browser, line = await signed_up(sandbox_world)
    assert "No telephone can register yet" in (await browser.get("/lines")).text
    page = await browser.post(f"/lines/{line.number}/telephone", {}, at="/lines")
    user, password = page.words("//dd[@class='secret']/code")
    assert user == line.number
    page = await browser.get("/lines")
    assert password not in page.text
    assert "Telephone not registered" in page.text


async def test_another_line_is_taken(sandbox_world: World) -> None:
    browser, _ = await signed_up(sandbox_world)
    page = await browser.post("/lines", {}, at="/lines")
    number, _ = page.words("//dd[@class='secret']/code")
    page = await browser.get("/lines")
    assert len(page.find("//section[@class='card']")) == 2
    assert page.find(f"//*[@id='line-{number}']")
    other = await sandbox_world.account("other")
    foreign = other.secrets["keyyo"].login
    for path in ("", "/profile", "/telephone"):
        assert (await browser.post(f"/lines/{foreign}{path}", fields(), at="/lines")).status == 404


async def test_what_a_line_was_told_stands_with_its_call(sandbox_world: World) -> None:
    world = sandbox_world
    browser, line = await signed_up(world)
    await browser.post(f"/lines/{line.number}", fields(url="http://127.0.0.1/?_N_TYPE_"), at="/lines")
    await browser.post("/calls", {"first": line.number, "second": "+33639980012"}, at="/calls")
    await world.settle()
    (sent,) = world.web.sent
    assert sent.url.endswith("?SETUP")
    page = await browser.get("/subscriptions")
    (link,) = page.find("//*[starts-with(@id,'d-')]//td[@class='main']/a")
    assert link.text_content() == "a call of a line began"
    assert (await browser.get(link.get("href"))).status == 200


async def test_a_telephone_is_set_up_by_an_address_that_is_good_once(sandbox_world: World) -> None:
    browser, line = await signed_up(sandbox_world)
    page = await browser.post(f"/lines/{line.number}/provisioning", {"kind": "snom"}, at="/lines")
    assert page.status == 200
    (url,) = page.words("//code")
    path = url[url.index("/provisioning/") :]
    assert (await ask(sandbox_world.chappe.application, "HEAD", path)).status == 405
    answer = await ask(sandbox_world.chappe.application, "GET", path)
    assert answer.status == 200
    line = await line_of(sandbox_world)
    secret = sandbox_world.platform.door.unseal(line.sip_secret, f"line {line.id}")
    assert f'<user_name idx="1" perm="RW">{line.number}</user_name>'.encode() in answer.body
    assert f'<user_pass idx="1" perm="RW">{secret}</user_pass>'.encode() in answer.body
    assert (await ask(sandbox_world.chappe.application, "GET", path)).status == 404


async def test_an_address_for_a_telephone_ends_with_its_time(sandbox_world: World) -> None:
    browser, line = await signed_up(sandbox_world)
    page = await browser.post(f"/lines/{line.number}/provisioning", {"kind": "yealink"}, at="/lines")
    (url,) = page.words("//code")
    sandbox_world.clock.move(minutes=61)
    path = url[url.index("/provisioning/") :]
    assert (await ask(sandbox_world.chappe.application, "GET", path)).status == 404
