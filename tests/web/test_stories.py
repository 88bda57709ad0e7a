"""The page of a message says in the reader's language what it waits for, by which rule, and what to do."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from chappe.model.carriers import CarrierStatus, LinkState, LinkStatus
from chappe.model.changes import Advance, Changes
from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.model.ledger import Route
from chappe.model.messages import MessageState
from chappe.model.rights import RecordConsents
from chappe.model.rules import PROVISIONS, Basis, HouseRule
from chappe.services import consents, directory, network, waiting
from chappe.web import rendering, stories
from tests.platform import START, World
from tests.web.browser import Browser, Page
from tests.web.test_network import operator

NIGHT = datetime(2026, 3, 3, 22, tzinfo=UTC)
SMS = {"to": "06 12 34 56 78", "text": "Soldes"}
NEW = "/messages/new"


async def member(world: World, language: str = "en") -> Browser:
    browser = Browser(world.chappe.application, language)
    await browser.sign_up()
    return browser


async def agree(world: World) -> None:
    account = await world.platform.store.queries.account_named("camille@example.com")
    user = (await world.platform.store.queries.users(account.id))[0]
    command = RecordConsents(("33612345678",), Basis.CONSENT, "form")
    await consents.record_consents(
        world.platform, directory.caller_of(account, user, "console", "FR"), command
    )


def last(page: Page) -> str:
    """The last line of the course."""
    return page.words("//ol[@class='timeline']/li")[-1]


def every_rule() -> Iterable[str]:
    return [*(one.id for one in PROVISIONS), *HouseRule]


@pytest.mark.parametrize("rule", every_rule())
def test_every_rule_has_words_a_source_and_something_to_do(rule: str) -> None:
    told = [stories.tell(rule, language) for language in rendering.LANGUAGES]
    for one in told:
        assert one.text.endswith(".") and one.source and one.remedy
    assert told[0].text != told[1].text and told[0].remedy != told[1].remedy


def test_a_rule_that_is_forgotten_is_still_named() -> None:
    assert stories.tell("fr.old", "fr").id == "fr.old"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "Held by a rule",
                "Advertising goes out from 08:00 to 21:30 in the time of the recipient.",
                "fr-marketing-hours-2026 · af2m, Charte Business Messaging 2026",
                "Until 4 Mar 2026, 07:00:00",
                "Nothing needs to be done",
            ),
        ),
        (
            "fr",
            (
                "Retenu par une règle",
                "Les messages publicitaires sont envoyés de 8\u00a0h à 21\u00a0h\u00a030".replace(
                    "\u00a0", " "
                ),
                "fr-marketing-hours-2026 · af2m, Charte Business Messaging 2026",
                "Jusqu’à : 4 mars 2026",
                "Il n’y a rien à faire",
            ),
        ),
    ],
)
async def test_a_held_message_names_its_rule(
    sandbox_world: World, language: str, words: tuple[str, ...]
) -> None:
    sandbox_world.clock.at = NIGHT
    browser = await member(sandbox_world, language)
    await agree(sandbox_world)
    page = await browser.post("/messages", SMS | {"advertising": "1"}, at=NEW)
    for told in words:
        assert told in last(page)
    (warned,) = page.words("//*[@aria-labelledby='warned']//div[@class='sentence']")[:1]
    assert "fr-marketing-stop" in warned
    (copied,) = page.find(
        "//section[@aria-labelledby='as']//pre"
    )  # no old wire can say that it is advertising
    assert '"purpose": "marketing"' in copied.text_content()
    sandbox_world.clock.at = datetime(2026, 3, 4, 7, tzinfo=UTC)
    await sandbox_world.settle()
    page = await browser.get(page.path)
    assert words[2] in page.words("//ol[@class='timeline']/li")[0]
    assert words[4] not in last(page)


async def test_a_refusal_names_its_rule_in_the_readers_language(sandbox_world: World) -> None:
    browser = await member(sandbox_world, "fr")
    page = await browser.post("/messages", SMS | {"advertising": "1"}, at=NEW)
    (said,) = page.words("//*[@id='to-said']")
    assert page.status == 422
    assert said.startswith("La prospection par SMS exige le consentement du destinataire")
    assert "(fr-marketing-consent, CPCE, art. L. 34-5" in said
    assert page.find("//input[@name='advertising']/@checked")
    page = await browser.post("/messages", SMS | {"to": "+881 612 345 678"}, at=NEW)
    assert "high-risk-destinations, règle de cette plateforme" in page.words("//*[@id='to-said']")[0]


async def test_a_quote_says_what_rules_say(sandbox_world: World) -> None:
    sandbox_world.clock.at = NIGHT
    browser = await member(sandbox_world)
    await agree(sandbox_world)
    page = await browser.post("/messages/quote", SMS | {"advertising": "1"}, at=NEW)
    (quoted,) = page.words("//*[@id='quote']")
    assert "Next allowed 4 Mar 2026, 07:00:00." in quoted and "fr-marketing-stop" in quoted


async def test_a_message_whose_network_is_away_says_since_when(sandbox_world: World) -> None:
    world, browser = sandbox_world, await member(sandbox_world, "fr")
    world.platform.carriers.types.update(free="smpp")
    down = LinkStatus(
        "transceiver", LinkState.DOWN, START - timedelta(minutes=5), error="10.0.0.7:2775: secret"
    )
    state = CarrierStatus("free", "smpp", LinkState.DOWN, (down,))
    world.platform.carriers.join("free", lambda: state, lambda: True)
    await world.platform.store.commit(
        Changes(insert=[Route(1, "sms", "33", "free"), Route(2, "sms", "", "gone")])
    )
    await network.load_routes(world.platform)
    page = await browser.post("/messages", SMS, at=NEW)
    assert "Son réseau est injoignable" in last(page) and "Injoignable depuis 08:55:00" in last(page)
    assert "10.0.0.7" not in page.text  # the operator's business
    page = await browser.post("/messages", SMS | {"to": "+41 79 123 45 67"}, at=NEW)
    assert "n’est plus configuré ici" in last(page)


async def test_a_message_that_was_refused_for_now_says_when_it_is_asked_again(sandbox_world: World) -> None:
    world, browser = sandbox_world, await member(sandbox_world)
    page = await browser.post("/messages", SMS, at=NEW)

    class Busy:
        name, window, waits_after_crash = "sandbox", 10, False

        async def submit(self, batch: object) -> None:
            raise CarrierError(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, "no bind is up", 60)

    await world.chappe.outbox["sandbox"].step(Busy())  # type: ignore[arg-type]
    told = last(await browser.get(page.path))
    assert "refused it for now" in told and "Its word: no connection with the network is up" in told
    assert "Next try 09:01:00" in told


async def test_a_message_that_was_stopped_or_failed_says_why(sandbox_world: World) -> None:
    world, browser = sandbox_world, await member(sandbox_world, "fr")
    page = await browser.post("/messages", SMS, at=NEW)
    second = await browser.post("/messages", SMS, at=NEW)
    olive = await operator(world)
    await olive.post(
        "/network/queue/stop", {"carrier": "sandbox", "most": "1"}, at="/network/queue?carrier=sandbox"
    )
    page = await browser.get(page.path)
    assert "arrêté avant que son réseau ne le prenne. Vous pouvez" in last(page)
    assert "arrêté par l’exploitant de cette plateforme" in page.words("//dl[@class='facts']")[0]
    ref = second.path.rsplit("/", 1)[1]
    account = await world.platform.store.queries.account_named("camille@example.com")
    (message,) = await world.platform.store.queries.messages_by_ref(account.id, [ref])
    step = Advance(message.id, MessageState.FAILED, START, fault=Fault.INVALID_RECIPIENT, carrier_code="11")
    await world.platform.store.commit(Changes(advance=[step]))
    assert "Son réseau ne connaît pas ce numéro" in last(await browser.get(second.path))


async def test_the_queue_names_the_rule(sandbox_world: World) -> None:
    world = sandbox_world
    browser = await member(world)
    olive = await operator(world, "fr")
    world.clock.at = NIGHT
    await agree(world)
    await browser.post("/messages", SMS | {"advertising": "1"}, at=NEW)
    (row,) = (await olive.get("/network/queue")).words("//*[@id='list']//tbody/tr")
    assert "Les messages publicitaires sont envoyés" in row and "fr-marketing-hours-2026, af2m" in row


async def test_nobody_else_reads_why_a_message_waits(sandbox_world: World) -> None:
    browser = await member(sandbox_world)
    page = await browser.post("/messages", SMS, at=NEW)
    other = Browser(sandbox_world.chappe.application)
    await other.sign_up("other@example.com")
    assert (await other.get(page.path)).status == 404
    account = await sandbox_world.platform.store.queries.account_named("camille@example.com")
    ref = page.path.rsplit("/", 1)[1]
    (message,) = await sandbox_world.platform.store.queries.messages_by_ref(account.id, [ref])
    await sandbox_world.settle()
    (message,) = await sandbox_world.platform.store.queries.messages_by_ref(account.id, [ref])
    assert await waiting.why_own(sandbox_world.platform, message) is None
