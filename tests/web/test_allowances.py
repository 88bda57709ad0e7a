"""What an account may send, as those who use it see and change it."""

import pytest

from chappe.services import consents
from tests.platform import World
from tests.web.browser import Browser
from tests.web.test_stories import NEW, SMS, member

HERE = "/account/rights"
AGREED = {"numbers": "06 12 34 56 78, +41 79 123 45 67", "basis": "consent", "source": "form of 1 February"}


async def test_advertising_goes_where_a_consent_was_recorded_and_stays_away_once_it_is_withdrawn(
    sandbox_world: World,
) -> None:
    browser, advertising = await member(sandbox_world), SMS | {"advertising": "1"}
    assert (await browser.post("/messages", advertising, at=NEW)).status == 422
    page = await browser.post(f"{HERE}/consents", AGREED, at=HERE)
    rows = page.words("//tr[starts-with(@id, 'consent-')]")
    assert len(rows) == 2 and all("its owner has agreedform of 1 February" in row for row in rows)
    assert "Recorded" in page.words("//*[@role='status']")[0]
    assert (await browser.post("/messages", advertising, at=NEW)).words("//h1") == ["SMS to 06 12 34 56 78"]
    await browser.post(f"{HERE}/consents/withdraw", {"number": "33612345678"}, at=HERE)
    page = await browser.get(HERE)
    assert len(page.find("//form[@action='/account/rights/consents/withdraw']")) == 1
    assert (await browser.post("/messages", advertising, at=NEW)).status == 422
    again = await browser.post(f"{HERE}/consents/withdraw", {"number": "33612345678"}, at=HERE)
    assert again.status == 404


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"numbers": "06 12 34 56 78, x"}, "numbers"),
        ({"numbers": " , "}, "numbers"),
        ({"source": ""}, "source"),
        ({"source": "x" * 1001}, "source"),
        ({"basis": "wish"}, "basis"),
    ],
)
async def test_a_record_that_cannot_be_says_why(
    sandbox_world: World, fields: dict[str, str], at: str
) -> None:
    browser = await member(sandbox_world, "fr")
    page = await browser.post(f"{HERE}/consents", AGREED | fields, at=HERE)
    assert page.status == 422
    assert page.words(f"//*[@id='{at}-said'][@class='wrong']")
    assert page.find("//tr[starts-with(@id, 'consent-')]") == []


async def test_a_sender_is_given_up_and_the_limits_are_shown(sandbox_world: World) -> None:
    world, browser = sandbox_world, await member(sandbox_world)
    account = await world.platform.store.queries.account_named("camille@example.com")
    await consents.give_sender(world.platform, account, "MyShop")
    await consents.open_destination(world.platform, account, "881", closed=False)
    await consents.set_daily_cap(world.platform, account, 50_000)
    await browser.post("/messages", SMS, at=NEW)
    page = await browser.get(HERE)
    (limits,) = page.words("//*[@id='limits']")
    for told in ("Cap of a day50 credits", "Spent today (UTC)1", "Opened to you+881", "switched on"):
        assert told in limits
    assert page.words("//*[starts-with(@id, 'sender-')]//p/span[1]") == ["MyShop"]
    page = await browser.post(f"{HERE}/senders/remove", {"sender": "MyShop"}, at=HERE)
    assert page.find("//*[starts-with(@id, 'sender-')]") == []


async def test_what_an_account_recorded_is_nobody_elses(sandbox_world: World) -> None:
    browser, other = await member(sandbox_world), Browser(sandbox_world.chappe.application)
    await other.sign_up("other@example.com")
    await browser.post(f"{HERE}/consents", AGREED, at=HERE)
    assert (await other.get(HERE)).find("//tr[starts-with(@id, 'consent-')]") == []
    page = await other.post(f"{HERE}/consents/withdraw", {"number": "33612345678"}, at=HERE)
    assert page.status == 404
    assert len((await browser.get(HERE)).find("//form[@action='/account/rights/consents/withdraw']")) == 2


@pytest.mark.parametrize("path", ["/consents", "/consents/withdraw", "/senders/remove"])
async def test_a_form_without_its_token_changes_nothing(sandbox_world: World, path: str) -> None:
    browser = await member(sandbox_world)
    assert (await browser.ask("POST", HERE + path, list(AGREED.items()))).status == 403


async def test_visitors_log_in_first(sandbox_world: World) -> None:
    page = await Browser(sandbox_world.chappe.application).ask("GET", HERE)
    assert (page.status, page.headers["location"]) == (303, "/login?next=/account/rights")
