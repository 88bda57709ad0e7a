"""Pages of what may be sent: rules with their source, and what operators allow single accounts."""

import pytest

from chappe.model.destinations import CLOSED
from chappe.model.messages import Purpose
from chappe.model.rules import PROVISIONS, Effect
from chappe.services import rules
from chappe.settings import RulesSettings, Settings
from chappe.web import words
from tests.platform import World, a_world, caller
from tests.services.asking import send_one
from tests.web.browser import Browser
from tests.web.test_network import operator

AT = "/network/accounts"
SATELLITE = "+881612345678"


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_every_rule_stands_there_with_its_source(sandbox_world: World, language: str) -> None:
    browser = Browser(sandbox_world.chappe.application, language)
    await browser.sign_up()
    page = await browser.get("/rules")
    assert page.find("//nav[@class='tabs']") == []  # those of operators
    for rule in PROVISIONS:
        (said,) = page.words(f"//*[@id='rule-{rule.id}']")
        assert (
            words.provision(rule, language).replace("\N{NO-BREAK SPACE}", " ") in said and rule.source in said
        )
        unsure = "Not verified: only warns" if language == "en" else "Non vérifiée : avertit seulement"
        assert (unsure in said.replace("\N{NO-BREAK SPACE}", " ")) is not rule.verified
    past = page.words("//*[@id='rule-fr-marketing-hours-2025']")[0]
    assert ("not today" if language == "en" else "pas aujourd’hui") in past
    assert ("1 Jan 2026" if language == "en" else "1 janv. 2026") in past


async def test_a_rule_reads_as_a_sentence_in_french(sandbox_world: World) -> None:
    for rule in PROVISIONS:
        said = words.provision(rule, "fr")
        assert said[0].isupper() and said.endswith(".") and "'" not in said and " ;" not in said


@pytest.mark.parametrize("path", [AT, f"{AT}/1", f"{AT}?account=shop"])
async def test_only_operators_see_accounts(sandbox_world: World, path: str) -> None:
    shop = await sandbox_world.account()
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    assert (await browser.get(path.replace("/1", f"/{shop.account.id}"))).status == 403


@pytest.mark.parametrize("what", ["senders", "senders/take", "destinations", "destinations/close", "cap"])
async def test_only_operators_allow_anything(sandbox_world: World, what: str) -> None:
    world, shop = sandbox_world, await sandbox_world.account()
    browser = Browser(world.chappe.application)
    await browser.sign_up()
    fields = {"given": "MyShop", "sender": "MyShop", "prefix": "881", "cap": "5"}
    before = await world.platform.store.queries.account(shop.account.id)
    assert (await browser.post(f"{AT}/{shop.account.id}/{what}", fields, at="/account")).status == 403
    assert await world.platform.store.queries.account(shop.account.id) == before
    assert await world.platform.store.queries.registered_senders(shop.account.id) == ()
    stranger = await operator(world)
    stray = [("token", "x"), *fields.items()]
    assert (await stranger.ask("POST", f"{AT}/{shop.account.id}/{what}", stray)).status == 403


async def test_an_account_is_found_by_its_name_or_in_the_list(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    shops = [await world.account(f"shop {number}") for number in range(25)]
    page = await browser.get(AT)
    assert page.words("//*[starts-with(@id, 'account-')]/td/a")[0] == "shop 24"
    (older,) = page.find("//a[@rel='next']/@href")
    assert (
        page.find("//*[starts-with(@id, 'account-')]/@id")[-1]
        != ((await browser.get(older)).find("//*[starts-with(@id, 'account-')]/@id")[0])
    )
    page = await browser.get(f"{AT}?account=shop+7")
    assert (page.path, page.words("//h1")) == (f"{AT}/{shops[7].account.id}", ["shop 7"])
    page = await browser.get(f"{AT}?account=shop")
    assert page.status == 404 and "no account of this name" in page.words("//*[@id='find-said']")[0]
    assert page.find("//input[@id='find']/@value") == ["shop"]
    assert (await browser.get(f"{AT}/99")).status == 404


async def test_a_sender_is_given_and_taken_away(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    shop = await world.account()
    at = f"{AT}/{shop.account.id}"
    page = await browser.post(f"{at}/senders", {"given": "Maison"}, at=at)
    assert page.words("//*[starts-with(@id, 'sender-')]//*[@class='keyword']") == ["Maison"]
    assert await rules.may_show(world.platform, caller(shop), "maison")
    for written, said in (
        ("Maison", "The account has this sender already."),
        ("+33612345678", "This is no sender in letters."),
        ("far too long a name", "This is no sender in letters."),
    ):
        page = await browser.post(f"{at}/senders", {"given": written}, at=at)
        assert page.status == 422 and page.words("//*[@id='given-said']")[0].startswith(said)
        assert page.find("//input[@id='given']/@value") == [written]
    page = await browser.post(f"{at}/senders/take", {"sender": "Maison"}, at=at)
    assert page.find("//*[starts-with(@id, 'sender-')]") == []
    assert not await rules.may_show(world.platform, caller(shop), "Maison")
    assert (await browser.post(f"{at}/senders/take", {"sender": "Maison"}, at=at)).status == 404


async def test_a_destination_is_opened_and_closed_again(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world, "fr")
    shop = await world.account()
    at = f"{AT}/{shop.account.id}"
    page = await browser.post(f"{at}/destinations", {"prefix": "+881"}, at=at)
    assert page.words("//*[@id='prefix-881']/form/p") == ["+881 un réseau de satellites"]

    async def may(account_id: int) -> bool:
        account = await world.platform.store.queries.account(account_id)
        assert account is not None
        return account.open_destinations == "881"

    assert await may(shop.account.id)
    page = await browser.post(f"{at}/destinations", {"prefix": "abroad"}, at=at)
    assert page.status == 422 and page.words("//*[@id='prefix-said']") != []
    await browser.post(f"{at}/destinations/close", {"prefix": "881"}, at=at)
    assert not await may(shop.account.id)


async def test_limits_of_calls_are_set_and_left_to_the_platform(world: World) -> None:
    browser, shop = await operator(world), await world.account()
    at = f"{AT}/{shop.account.id}"

    async def set_to(a_day: str, cap: str) -> tuple[list[str], int | None, int | None]:
        page = await browser.post(f"{at}/calls", {"calls_a_day": a_day, "calls_cap": cap}, at=at)
        account = await world.platform.store.queries.account(shop.account.id)
        shown = page.words("//section[@aria-labelledby='calls-title']//dd")
        return shown[:1], account.calls_a_day, account.calls_cap

    assert await set_to("", "") == (["20 calls, 100 credits"], None, None)
    assert await set_to("200", "1000,5") == (["200 calls, 1,000.5 credits"], 200, 1_000_500)
    assert await set_to("0", "0") == (["no limit, no limit"], 0, 0)
    refused = [("many", "", "calls_a_day"), ("", "much", "calls_cap"), ("", "-1", "calls_cap")]
    for a_day, cap, wrong in refused:
        page = await browser.post(f"{at}/calls", {"calls_a_day": a_day, "calls_cap": cap}, at=at)
        assert page.status == 422 and page.words(f"//*[@id='{wrong}-said']") != []


async def test_a_cap_is_set_lifted_and_left_to_the_platform(tmp_path, migrated_sqlite) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "chappe.db").write_bytes(migrated_sqlite.read_bytes())
    async with a_world(str(tmp_path), Settings(rules=RulesSettings(daily_cap=50))) as world:
        browser, shop = await operator(world), await world.account()
        at = f"{AT}/{shop.account.id}"

        async def set_to(written: str) -> tuple[list[str], int | None]:
            page = await browser.post(f"{at}/cap", {"cap": written}, at=at)
            account = await world.platform.store.queries.account(shop.account.id)
            return page.words("//section[@aria-labelledby='cap-title']//dd"), account.daily_cap

        assert (await browser.get(at)).words("//section[@aria-labelledby='cap-title']//dd")[0] == "50 credits"
        for new in (shop, await world.account("other")):
            await send_one(world, new)
        assert await set_to("1,5") == (["1.5 credit", "50 credits", "1"], 1500)
        assert await set_to("0") == (["no limit", "50 credits"], 0)
        assert await set_to("") == (["50 credits", "50 credits", "1"], None)
        page = await browser.post(f"{at}/cap", {"cap": "much"}, at=at)
        assert page.status == 422 and page.find("//input[@id='cap']/@value") == ["much"]
        page = await browser.post(f"{at}/cap", {"cap": "-1"}, at=at)
        assert page.status == 422 and page.words("//*[@id='cap-said']")


async def test_an_allowed_sender_and_destination_let_messages_through(tmp_path, migrated_sqlite) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "chappe.db").write_bytes(migrated_sqlite.read_bytes())
    async with a_world(str(tmp_path), Settings(rules=RulesSettings(senders="registered"))) as world:
        browser = await operator(world)
        shop = Browser(world.chappe.application)
        await shop.sign_up("shop@example.com")
        account = await world.platform.store.queries.account_named("shop@example.com")
        assert account is not None
        sms = {"to": SATELLITE, "text": "Hello", "sender": "Maison"}
        assert (await shop.post("/messages", sms, at="/messages/new")).status == 422
        at = f"{AT}/{account.id}"
        await browser.post(f"{at}/destinations", {"prefix": "881"}, at=at)
        assert (await shop.post("/messages", sms, at="/messages/new")).status == 422
        await browser.post(f"{at}/senders", {"given": "Maison"}, at=at)
        assert (await shop.post("/messages", sms, at="/messages/new")).status == 200


def test_every_word_of_rules_is_known() -> None:
    assert set(words.EFFECT) == set(Effect)
    assert set(words.PURPOSE) == set(Purpose)
    assert {rule.country for rule in PROVISIONS} <= set(words.COUNTRY)
    assert set(CLOSED.values()) == set(words.CLOSED)


async def test_a_line_says_from_where_programs_may_act_for_it(sandbox_world: World) -> None:
    world, browser = sandbox_world, Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    user = await world.platform.store.queries.user_by_email("camille@example.com")
    (line,) = await world.platform.store.queries.lines(user.account_id)
    at, fields = f"/lines/{line.number}", {"url": "https://shop.example/c", "allowed_sources": "192.0.2.1"}
    page = await browser.post(at, fields, at="/lines")
    (said,) = page.words(f"//*[@id='line-{line.number}']//div[@class='line']")
    assert "Programs at 192.0.2.1 act for" in said and "told to https://shop.example/c" in said
    (line,) = await world.platform.store.queries.lines(user.account_id)
    assert (line.notification_url, line.allowed_sources) == ("https://shop.example/c", "192.0.2.1")
    page = await browser.post(at, {**fields, "allowed_sources": "(a|b)+"}, at="/lines")
    assert (
        page.status == 422
        and "This lets nobody in" in page.words(f"//*[@id='line-{line.number}-sources-said']")[0]
    )
    page = await browser.post(at, {**fields, "url": "ftp://x"}, at="/lines")
    assert page.status == 422 and page.words(f"//*[@id='line-{line.number}-url-said']")
    await browser.post(at, {"url": "", "allowed_sources": ""}, at="/lines")
    page = await browser.get("/lines")
    assert "Nobody is told of its calls." in page.words(f"//*[@id='line-{line.number}']")[0]
    other = await world.account("other")
    (foreign,) = await world.platform.store.queries.lines(other.account.id)
    assert (await browser.post(f"/lines/{foreign.number}", fields, at="/lines")).status == 404
