"""The page of a line as a telephone of its company, and the one of programs that were let in."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from chappe.model.centrex import Extension
from chappe.model.commands import Caller
from chappe.model.errors import Refusal
from chappe.model.programs import AddProgram, AskTokens
from chappe.services import programs
from tests.platform import World, caller
from tests.web.browser import Browser, Page
from tests.web.test_lines import line_of, signed_up

BACK = "https://cabinet.example/back"
SET = {
    "user_name": "Jeanne",
    "short_number": "201",
    "site": "Lyon",
    "secretary": "06 39 98 00 22",
    "secretary_active": "1",
    "calls_at_once": "2",
    "message": "Bienvenue.",
    "plays_message": "1",
    "voicemail_mail": "jeanne@example.com",
    "limited": "1",
    "allowance": "1000000.5",
    "codec": "G722",
    "transport": "TCP",
    "telephone_mac": "00:04:13:ab:cd:ef",
    "telephone_port": "5060",
    "ldap_host": "ldap.example",
    "ldap_password": "annuaire",
}


async def save(browser: Browser, number: str, sent: dict[str, str]) -> Page:
    return await browser.post(f"/lines/{number}/extension", sent, at=f"/lines/{number}/extension")


def as_shown(page: Page) -> dict[str, str]:
    """What a browser would send if nobody touched the form."""
    form = page.find("//main//form[contains(@action,'/extension')]")[0]
    known = {name: value or "" for name, value in form.form_values()}
    known.pop("token")
    return known


async def test_all_of_a_line_is_set_and_shown(sandbox_world: World) -> None:
    browser, line = await signed_up(sandbox_world)
    page = await save(browser, line.number, SET)
    assert page.status == 200
    kept = (await line_of(sandbox_world)).extension
    expected = Extension(
        user_name="Jeanne",
        site="Lyon",
        secretary="33639980022",
        secretary_active=True,
        calls_at_once=2,
        message="Bienvenue.",
        plays_message=True,
        voicemail_mail="jeanne@example.com",
        limited=True,
        allowance=1_000_000_500,
        codec="G722",
        transport="TCP",
        telephone_mac="000413ABCDEF",
        telephone_port=5060,
        ldap_host="ldap.example",
        may_pick_up=False,
        lamp=False,
        may_change_greeting=False,
    )
    assert kept == expected
    assert (await line_of(sandbox_world)).short_number == "201"
    again = await save(browser, line.number, as_shown(page))
    assert again.status == 200
    assert (await line_of(sandbox_world)).extension == expected


async def test_the_password_of_the_directory_is_replaced_and_never_shown(sandbox_world: World) -> None:
    browser, line = await signed_up(sandbox_world)
    path = f"/lines/{line.number}/extension"

    async def kept() -> str:
        known = await line_of(sandbox_world)
        return sandbox_world.platform.door.unseal(known.ldap_secret, f"line {known.id}")

    assert "annuaire" not in (await save(browser, line.number, SET)).text
    shown = as_shown(await browser.get(path))
    assert shown["ldap_password"] == ""
    await save(browser, line.number, shown)
    assert await kept() == "annuaire"
    refused = await save(browser, line.number, shown | {"ldap_password": "autre", "codec": "MP3"})
    assert refused.status == 422 and "autre" not in refused.text
    await save(browser, line.number, shown | {"ldap_password": "nouveau"})
    assert await kept() == "nouveau"
    await save(browser, line.number, shown | {"forget_ldap_password": "1"})
    assert await kept() == ""


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("short_number", "112"),
        ("calls_at_once", "many"),
        ("calls_at_once", "101"),
        ("allowance", "much"),
        ("voicemail_mail", "nobody"),
        ("telephone_mac", "00:04"),
        ("telephone_port", "70000"),
        ("secretary", "15"),
        ("shown", "33199000999"),
        ("message", "x" * 1001),
        ("user_name", "x" * 101),
        ("ldap_password", "x" * 101),
        ("codec", "MP3"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(
    sandbox_world: World, language: str, field: str, value: str
) -> None:
    browser, line = await signed_up(sandbox_world)
    browser.language = language
    page = await save(browser, line.number, SET | {field: value})
    assert page.status == 422
    assert page.words(f"//*[@id='{field}-said' and @class='wrong']")
    if field != "codec":
        shown = as_shown(page)
        assert shown["user_name"] == (value if field == "user_name" else "Jeanne")
        assert "lamp" not in shown and shown["limited"] == "1"
    assert (await line_of(sandbox_world)) == line


async def test_lines_of_others_are_not_there(sandbox_world: World) -> None:
    browser, _ = await signed_up(sandbox_world)
    foreign = (await sandbox_world.account("other")).secrets["keyyo"].login
    path = f"/lines/{foreign}/extension"
    assert (await browser.get(path)).status == 404
    assert (await browser.post(path, SET, at="/lines")).status == 404


async def let_in(world: World, browser: Browser) -> tuple[AskTokens, Caller]:
    """A program of another account is let in; what it brings for its first tokens."""
    maker = caller(await world.account("maker"))
    made = await programs.add_program(world.platform, maker, AddProgram("Cabinet", (BACK,)))
    verifier = "v" * 43
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"client_id": made.program.client_id, "response_type": "code", "state": "xyz"}
    asked |= {"code_challenge": digest, "code_challenge_method": "S256", "scopes": "cti_admin"}
    path = f"/oauth2/authorize.php?{urlencode(asked)}"
    token = (await browser.get(path)).find("//input[@name='token']/@value")[0]
    answer = await browser.ask("POST", path, {"answer": "yes", "token": token})
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    client = made.program.client_id
    return AskTokens("authorization_code", client, made.secret, code, verifier=verifier), maker


async def test_the_access_of_a_program_is_seen_and_ended(sandbox_world: World) -> None:
    world = sandbox_world
    browser, line = await signed_up(world)
    asked, maker = await let_in(world, browser)
    got = await programs.tokens(world.platform, maker, asked)
    held = await world.platform.store.queries.credentials(line.account_id)
    page = await browser.get("/lines/programs")
    assert page.words("//section//h2") == ["Cabinet"]
    assert page.words("//section//li") == ["be told of the calls of your lines"]
    (action,) = page.find("//section//form/@action")
    other = Browser(world.chappe.application)
    await other.sign_up("autre@example.com")
    assert (await other.get("/lines/programs")).find("//section//h2") == []
    assert (await other.post(action, at="/lines")).status == 404
    page = await browser.post(action, at="/lines/programs")
    assert page.find("//section//h2") == []
    assert "This program is not let in any more." in page.text
    left = await world.platform.store.queries.credentials(line.account_id)
    assert len(held) - len(left) == 1
    renewed = AskTokens(
        "refresh_token", asked.client_id, asked.client_secret, refresh_token=got.refresh_token
    )
    with pytest.raises(Refusal):
        await programs.tokens(world.platform, maker, renewed)


async def test_a_program_that_never_came_for_its_tokens_is_shown_no_more(sandbox_world: World) -> None:
    browser, _ = await signed_up(sandbox_world)
    await let_in(sandbox_world, browser)
    assert (await browser.get("/lines/programs")).words("//section//h2") == ["Cabinet"]
    sandbox_world.clock.move(minutes=6)
    assert (await browser.get("/lines/programs")).words("//section//h2") == []
