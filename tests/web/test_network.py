"""Pages of the network: who sees them, what they show, and what their buttons do."""

from datetime import UTC, datetime, timedelta

import pytest

from chappe.model.carriers import BindStatus, CarrierStatus, LinkState, LinkStatus
from chappe.model.changes import Changes, Update
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.model.ledger import Route
from chappe.model.messages import EarlyReceipt, Message, MessageState
from chappe.services import accounts, network, traffic
from chappe.web.charts import Line, draw
from tests.platform import START, World
from tests.services.asking import ALICE, send_one
from tests.web.browser import Browser, Page

PAGES = ("/network", "/network?span=day", "/network/queue", "/network/routes", "/network/deliveries")


async def operator(world: World, language: str = "en") -> Browser:
    browser = Browser(world.chappe.application, language)
    await browser.sign_up("olive@example.com")
    account = await world.platform.store.queries.account_named("olive@example.com")
    assert account is not None
    await accounts.set_operator(world.platform, account, True)
    return browser


@pytest.mark.parametrize("path", [*PAGES, "/live?of=network"])
async def test_only_operators_see_the_network(sandbox_world: World, path: str) -> None:
    browser = Browser(sandbox_world.chappe.application)
    page = await browser.ask("GET", path)
    assert (page.status, page.headers["location"].partition("?")[0]) == (303, "/login")
    await browser.sign_up()
    page = await browser.get(path)
    assert page.status == 403
    assert page.find("//nav[@class='nav']/a[@href='/network']") == []


@pytest.mark.parametrize(
    "path",
    [
        "/network/queue/stop",
        "/network/queue/move",
        "/network/routes",
        "/network/routes/1",
        "/network/routes/1/remove",
        "/network/tariffs",
        "/network/tariffs/1",
        "/network/tariffs/1/remove",
        "/network/deliveries/replay",
        "/network/deliveries/1/replay",
    ],
)
async def test_only_operators_press_its_buttons(sandbox_world: World, path: str) -> None:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    page = await browser.post(path, {"carrier": "sandbox", "most": "9", "price": "1"}, at="/account")
    assert page.status == 403


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_each_page_has_something_to_say_while_nothing_happened(
    sandbox_world: World, path: str, language: str
) -> None:
    page = await (await operator(sandbox_world, language)).get(path)
    assert page.status == 200
    assert page.words("//nav[@class='nav']/a[@aria-current]") == ["Network" if language == "en" else "Réseau"]


async def test_a_carrier_shows_its_links_and_what_was_learnt(sandbox_world: World) -> None:
    browser = await operator(sandbox_world)
    carriers = sandbox_world.platform.carriers
    carriers.types["free"] = "smpp"
    link = LinkStatus("transceiver", LinkState.STRAINED, START, 12, 100, 30.0, 40, 35, 4, 3, 20, 2, "88 full")
    status = CarrierStatus(
        "free", "smpp", LinkState.STRAINED, (link,), "hex-to-decimal", {"hex-to-decimal": 19}, {"DELIVRD": 18}
    )
    carriers.join("free", lambda: status, lambda: True)
    page = await browser.get("/network")
    (words,) = page.words("//*[@id='carrier-free']")
    for told in ("SMPP", "Strained", "88 full", "12 of 100", "30", "hex-to-decimal 19", "DELIVRD 18"):
        assert told in words
    assert "virtual telephones" in page.words("//*[@id='carrier-sandbox']")[0]


async def test_a_route_is_added_changed_and_removed(sandbox_world: World) -> None:
    browser, platform = await operator(sandbox_world), sandbox_world.platform
    platform.carriers.types.update(free="smpp", backup="smpp")
    at = "/network/routes"
    page = await browser.post(at, [("prefix", "+33 6"), ("carrier", "free"), ("carrier", "backup")], at=at)
    (sentence,) = page.words("//*[starts-with(@id, 'route-')]/div[@class='line']")
    assert sentence == "Numbers that begin with +336 go to free, else to backup"
    assert platform.router.way("sms", ALICE).carrier == "free"
    (route,) = await platform.store.queries.routes()
    page = await browser.post(f"{at}/{route.id}", [("carrier", "backup"), ("carrier", "")], at=at)
    assert platform.router.way("sms", ALICE).carrier == "backup"
    lines = [("carrier", "backup"), ("place", "2"), ("weight", "1")]
    lines += [("carrier", "free"), ("place", "1"), ("weight", "7")]
    lines += [("carrier", "sandbox"), ("place", "1"), ("weight", "3")]
    page = await browser.post(f"{at}/{route.id}", lines, at=at)
    (sentence,) = page.words("//*[starts-with(@id, 'route-')]/div[@class='line']")
    assert sentence == "Numbers that begin with +336 go to free (70 %) and sandbox (30 %), else to backup"
    assert page.find("//details//input[@name='weight']/@value") == ["7", "3", "1", "1"]
    for name, value in (("weight", "0"), ("weight", "x"), ("place", "x")):
        page = await browser.post(f"{at}/{route.id}", {"carrier": "free", name: value}, at=at)
        assert page.status == 422 and page.words("//details[@open]//p[@class='wrong']")
    page = await browser.post(at, {"prefix": "336", "carrier": "free"}, at=at)
    assert (page.status, page.words("//*[@id='route-prefix-said']")) == (
        422,
        ["There is one for this beginning already. Change that one."],
    )
    page = await browser.post(f"{at}/{route.id}", {"carrier": "nowhere"}, at=at)
    assert page.status == 422 and page.words("//details[@open]//p[@class='wrong']")
    page = await browser.post(f"{at}/{route.id}/remove", at=at)
    assert page.status == 200 and await platform.store.queries.routes() == ()
    assert (await browser.post(f"{at}/{route.id}/remove", at=at)).status == 404


async def test_a_tariff_is_added_changed_and_removed(sandbox_world: World) -> None:
    browser, platform = await operator(sandbox_world, "fr"), sandbox_world.platform
    at, routes = "/network/tariffs", "/network/routes"
    await browser.post(at, {"prefix": "33", "price": "0,5"}, at=routes)
    assert platform.router.way("sms", ALICE).price == 500
    (tariff,) = await platform.store.queries.tariffs()
    await browser.post(f"{at}/{tariff.id}", {"price": "2"}, at=routes)
    assert platform.router.way("sms", ALICE).price == 2000
    for path in (at, f"{at}/{tariff.id}"):
        page = await browser.post(path, {"prefix": "1", "price": "cheap"}, at=routes)
        assert page.status == 422 and page.words("//p[@class='wrong']")
    await browser.post(f"{at}/{tariff.id}/remove", at=routes)
    assert platform.router.way("sms", ALICE).price == 1000


async def test_what_waits_says_why_and_until_when(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    platform, shop = world.platform, await world.account()
    platform.carriers.types.update(free="smpp")
    down = LinkStatus("transceiver", LinkState.DOWN, START - timedelta(minutes=5), error="refused")
    state = [LinkState.DOWN]
    platform.carriers.join("free", lambda: CarrierStatus("free", "smpp", state[0], (down,)), lambda: True)
    await platform.store.commit(Changes(insert=[Route(1, "sms", "33", "free"), Route(2, "sms", "", "gone")]))
    await network.load_routes(platform)
    for _ in range(3):
        await send_one(world, shop)
    await send_one(world, shop, to="+41791234567")
    await send_one(world, shop, send_at=START + timedelta(hours=2))
    held = await send_one(world, shop, send_at=START + timedelta(hours=1))
    rule = Update(Message, held.id, shop.account.id, {"held_by": "fr.sunday"})
    await platform.store.commit(
        Changes(
            update=[rule],
            insert=[
                EarlyReceipt(7, "free", "ab12", MessageState.DELIVERED, "000", START, "DELIVRD", "no message")
            ],
        )
    )
    page = await browser.get("/network/queue")
    assert (
        "A rule allows it no earlier: A rule that is no longer known. (fr.sunday)"
        in page.words("//*[@id='list']")[0]
    )
    assert "Its sender chose a later time" in page.words("//*[@id='list']")[0]
    assert page.words("//*[@id='depths']//tbody/tr/td") == ["3", "1", "2"]
    assert "ab12" in page.words("//*[@id='parked']")[0] and "no message" in page.words("//*[@id='parked']")[0]
    page = await browser.get("/network/queue?carrier=free")
    first = page.words("//*[@id='list']//tbody/tr")[0]
    assert "Its carrier is not up (went down 5 min. ago): refused" in first and "shop" in first
    assert "hello" not in page.text.lower()  # texts are their senders' business
    page = await browser.get("/network/queue?carrier=gone")
    assert "knows no such carrier" in page.words("//*[@id='list']")[0]
    state[0] = LinkState.UP
    page = await browser.get("/network/queue?carrier=free")
    assert "Its turn comes" in page.words("//*[@id='list']")[0]
    before = await world.balance(shop.account)
    fields = {"carrier": "free", "most": "2"}
    page = await browser.post("/network/queue/stop", fields, at="/network/queue?carrier=free")
    assert page.words("//*[@id='depths']//tbody/tr/td") == ["1", "1", "2"]
    assert await world.balance(shop.account) == before + 2000
    await browser.post("/network/queue/stop", {**fields, "most": "x"}, at="/network/queue?carrier=free")
    assert await world.balance(shop.account) == before + 2000


async def test_what_waits_is_given_to_another_carrier(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    platform, shop = world.platform, await world.account()
    platform.carriers.types.update(free="smpp", backup="smpp")
    await platform.store.commit(Changes(insert=[Route(1, "sms", "33", "free")]))
    await network.load_routes(platform)
    for _ in range(3):
        await send_one(world, shop)
    at, form = "/network/queue?carrier=free", "//form[@action='/network/queue/move']"
    page = await browser.get(at)
    assert page.words(f"{form}//option") == ["backup", "sandbox"]
    assert page.words(f"{form}//button") == ["Give 3 queued messages to it"]
    fields = {name: page.find(f"{form}//input[@name='{name}']/@value")[0] for name in ("carrier", "most")}
    page = await browser.post("/network/queue/move", {**fields, "to": "nowhere"}, at=at)
    assert (page.status, page.words(f"{form}//p[@class='wrong']")) == (
        422,
        ["There is no such carrier. Choose one of the list."],
    )
    page = await browser.post("/network/queue/move", {**fields, "to": "backup"}, at=at)
    assert (page.path, page.words("//*[@role='status']")) == (
        "/network/queue?carrier=backup",
        ["Given to this carrier. It takes them in their turn."],
    )
    assert len(page.find("//*[@id='list']//tbody/tr")) == 3
    page = await browser.post("/network/queue/move", {**fields, "to": "backup"}, at=at)
    assert "Nothing was left to give" in page.words("//*[@role='status']")[0]
    await platform.store.hold_leases(["carrier.backup"], "elsewhere", 60)
    fields = {"carrier": "backup", "most": "3", "to": "free"}
    page = await browser.post("/network/queue/move", fields, at="/network/queue?carrier=backup")
    assert page.status == 422 and "Another server" in page.words(f"{form}//p[@class='wrong']")[0]


async def test_a_message_that_was_refused_for_now_says_when_it_goes(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    shop = await world.account()
    await send_one(world, shop)

    class Busy:
        name, window, waits_after_crash = "sandbox", 10, False

        async def submit(self, batch: object) -> None:
            raise CarrierError(CarrierErrorKind.THROTTLED, Fault.CARRIER_UNAVAILABLE, "ESME_RTHROTTLED", 60)

    await world.chappe.outbox["sandbox"].step(Busy())  # type: ignore[arg-type]
    page = await browser.get("/network/queue?carrier=sandbox")
    (row,) = page.words("//*[@id='list']//tbody/tr")
    assert "is asked again: too many messages at once (ESME_RTHROTTLED) · 1 try" in row
    assert "in 1 min" in row


async def test_the_queue_goes_on_behind_its_last_line(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    shop = await world.account()
    for _ in range(25):
        await send_one(world, shop)
    page = await browser.get("/network/queue?carrier=sandbox")
    (onward,) = page.find("//a[@rel='next']/@href")
    first = page.find("//*[@id='list']//tbody/tr/@id")
    second = (await browser.get(onward)).find("//*[@id='list']//tbody/tr/@id")
    assert (len(first), len(second), len({*first, *second})) == (20, 5, 25)
    assert (await browser.get("/network/queue?carrier=sandbox&after=nonsense")).status == 200


async def test_dead_deliveries_are_made_again(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    shop = Browser(world.chappe.application)
    await shop.sign_up("shop@example.com")
    at = "/subscriptions"
    await shop.post(at, {"url": "https://shop.example/", "events": "message.accepted"}, at=at)
    world.web.answers = [410]
    for _ in range(3):
        await shop.post("/messages", {"to": "06 12 34 56 78", "text": "hi"}, at="/messages/new")
    await world.settle()
    page = await browser.get("/network/deliveries")
    assert len(page.find("//*[@id='list']//tbody/tr")) == 3
    assert page.words("//form[@action='/network/deliveries/replay']//button") == [
        "Send 3 dead deliveries again"
    ]
    (own,) = (await shop.get(f"{at}?state=dead")).words("//form[@action='/deliveries/replay']//button")
    assert own == "Send 3 dead deliveries again"
    one = page.find("//*[@id='list']//tbody/tr//form/@action")[0]
    page = await browser.post(one, at="/network/deliveries")
    assert len(page.find("//*[@id='list']//tbody/tr")) == 2
    assert (await browser.post(one, at="/network/deliveries")).status == 404
    assert (await browser.post("/deliveries/replay", at=at)).status == 200  # none of hers are dead
    page = await browser.post("/network/deliveries/replay", at="/network/deliveries")
    assert "No delivery is dead" in page.words("//*[@id='list']")[0]
    (subscription,) = (await shop.get(at)).find("//form[contains(@action, '/subscriptions/')]/@action")
    fields = [("url", "https://shop.example/"), ("events", "message.accepted"), ("enabled", "1")]
    await shop.post(subscription, fields, at=at)
    world.web.answers = [200]
    world.web.sent.clear()
    await world.settle()
    assert len(world.web.sent) == 3


def _busy(page: Page) -> list[str]:
    """The lines of the table of traffic in which something was accepted."""
    rows = page.find("//figure[@aria-labelledby='traffic-title']//tbody/tr")
    cells = [[cell.text_content() for cell in row] for row in rows]
    return [" ".join(row) for row in cells if row[1] != "0"]


async def test_the_charts_show_what_went_through(sandbox_world: World) -> None:
    world, browser = sandbox_world, await operator(sandbox_world)
    shop = await world.account()
    await send_one(world, shop)
    await world.settle()
    await traffic.save(world.platform)
    world.clock.move(minutes=3)
    await send_one(world, shop)
    page = await browser.get("/network")
    assert _busy(page) == ["09:03 1 0 0 0", "09:00 1 1 1 0"]
    assert "accepted 2 · taken by networks 1 · delivered 1" in page.words("//*[@id='charts']/p")[0]
    await traffic.save(world.platform)
    await traffic.save(world.platform)
    assert len(await world.platform.store.queries.minutes(START - timedelta(hours=1))) == 2
    page = await browser.get("/network?span=day")
    assert _busy(page) == ["09:00 2 1 1 0"]


def test_a_line_is_broken_where_nothing_was_measured() -> None:
    times = [datetime(2026, 3, 2, 9, minute, tzinfo=UTC) for minute in range(5)]
    chart = draw(times, [Line("a", "x", [7, None, 3, 0, None])])
    ((_, path),) = chart.lines
    assert path.count("M") == 2 and path.count("L") == 1 and path.startswith("M56 ")
    assert [value for value, _ in chart.scale] == [0, 2, 4, 6, 8]
    assert not chart.empty and draw(times, [Line("a", "x", [None] * 5)]).empty


@pytest.mark.parametrize(
    ("language", "words"), [("en", "bound to this server"), ("fr", "connectés à ce serveur")]
)
async def test_customers_who_are_bound_are_shown(sandbox_world: World, language: str, words: str) -> None:
    browser = await operator(sandbox_world, language)
    assert words not in (await browser.get("/network")).text
    account = await sandbox_world.platform.store.queries.account_named("olive@example.com")
    assert account is not None
    bind = BindStatus(account.id, "olive", "192.0.2.7", "transceiver", START, 3, 100, 1234, 7, 88, 9)
    sandbox_world.platform.carriers.serve(lambda: (bind,))
    page = await browser.get("/network")
    assert words in page.text
    [row] = page.find("//div[@id='binds']//tbody/tr")
    shown = " ".join(row.text_content().split())
    for figure in ("olive", "192.0.2.7", "transceiver", account.name, "7", "88", "9"):
        assert figure in shown
