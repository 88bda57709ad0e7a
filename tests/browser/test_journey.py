"""From sign-up to the customer's own server, in a real browser with the real curl."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect
from standardwebhooks import Webhook

from tests.browser.conftest import Desk, measured
from tests.browser.console import Person
from tests.browser.customer import Site
from tests.clients.running import run

NUMBER = "33612345678"
WATCH_FOR = """text => {
  new MutationObserver((changes, observer) => {
    if (![...document.querySelectorAll(".bubble")].some(bubble => bubble.innerText.includes(text))) return;
    window.seenAt = performance.timeOrigin + performance.now();
    observer.disconnect();
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def curl(person: Person, key: str, text: str, to: str = NUMBER) -> tuple[str, float]:
    """Send an SMS with the curl program; returns the message's id, and the page's time when it began."""
    began = float(person.page.evaluate("performance.timeOrigin + performance.now()"))
    body = json.dumps({"to": [f"+{to}"], "text": text, "receipt": True})
    command = ["curl", "-sS", "--fail-with-body", f"{person.url}/v1/messages"]
    printed = run([*command, "-H", f"Authorization: Bearer {key}", "--json", body])
    assert (printed.code, printed.complaints) == (0, ""), printed
    return str(json.loads(printed.out)["messages"][0]["id"]), began


@pytest.mark.parametrize(
    ("language", "title", "telephones"),
    [("fr", "Votre compte est ouvert", "Téléphones"), ("en", "Your account is open", "Telephones")],
)
def test_the_curl_line_that_sign_up_shows_needs_nothing_but_pasting(
    desk: Desk, tmp_path: Path, language: str, title: str, telephones: str
) -> None:
    person = desk(language)
    person.sign_up()
    expect(person.page.locator("h1")).to_have_text(title)
    line = person.copied(person.page.locator(".wire .copy").first)
    printed = run(["sh", "-c", f"{line} --silent --show-error"], tmp_path)
    assert printed.code == 0, printed
    person.page.get_by_role("link", name=telephones, exact=True).click()
    expect(person.page.locator(f"#phone-{NUMBER} .bubble")).to_be_visible()


def test_an_sms_travels_from_curl_to_a_telephone_and_its_answer_to_the_customers_server(
    desk: Desk, site: Site
) -> None:
    person = desk()
    person.sign_up()
    key = person.copied(person.page.locator(".key .copy").first)
    assert key == person.shown_key()
    person.claim("POLL", f"{site.url}/poll.php?shop=7", "orange")

    person.open_live("/telephones")
    text = "Le train de nuit part voie 7. Répondez POLL OUI."
    person.page.evaluate(WATCH_FOR, text)
    _, began = curl(person, key, text)
    telephone = person.page.locator(f"#phone-{NUMBER}")
    expect(telephone.locator(".bubble", has_text=text)).to_be_visible(timeout=5000)
    took = person.page.evaluate("window.seenAt") - began
    measured.append(f"an open telephone showed the SMS {took:.0f} ms after curl was started")

    person.tab_to(f"#phone-{NUMBER}-to")
    person.page.keyboard.press("Control+A")
    person.page.keyboard.type("20345")
    person.page.keyboard.press("Tab")
    person.page.keyboard.type("poll oui, réservé à 100 %")
    person.page.keyboard.press("Enter")
    expect(telephone.locator(".bubble.out", has_text="poll oui")).to_be_visible()
    expect(telephone.locator("textarea")).to_be_focused()
    expect(telephone.locator("textarea")).to_have_value("")

    called = site.first("/poll.php")
    assert (called.method, called.body) == ("GET", b"")
    told = called.parameters
    assert (told["shop"], told["api"], told["from"], told["to"]) == ("7", "receiveSMS", NUMBER, "20345")
    assert told["content"] == "poll oui, réservé à 100 %"
    person.open_newest_message()
    story = person.read_story("/poll.php")
    assert f"GET {site.url}/poll.php" in story.replace("\n", " ")
    assert "200" in story


def test_a_subscription_and_a_keyword_are_told_in_the_manner_of_rest(desk: Desk, site: Site) -> None:
    person = desk()
    person.sign_up()
    key = person.shown_key()
    person.claim("TAXI", f"{site.url}/taxi", "rest")
    secret = person.subscribe(f"{site.url}/signed")

    ref, _ = curl(person, key, "Votre taxi est là")
    notice = site.first("/signed")
    told = Webhook(secret).verify(notice.body, dict(notice.headers))
    assert (told["type"], told["data"]["id"]) == ("message.delivered", ref)

    person.open_live(f"/telephones/{NUMBER}")
    person.page.fill(f"#phone-{NUMBER}-to", "20345")
    person.page.fill("textarea", "TAXI j’arrive")
    person.page.locator("form[data-quiet] button").first.click()
    kept = json.loads(site.first("/taxi").body)
    assert (kept["type"], kept["data"]["text"]) == ("message.received", "TAXI j’arrive")


def test_the_page_of_a_message_tells_its_whole_course_but_not_the_key(desk: Desk, site: Site) -> None:
    person = desk("en")
    person.sign_up()
    key = person.shown_key()
    person.subscribe(f"{site.url}/course")
    ref, _ = curl(person, key, "Where it went")
    person.go(f"/messages/{ref}")
    story = person.read_story("Accepted", "Sent", "Delivered", "answered 200")
    for said in (f"POST {site.url}/course", "webhook-signature", ref):
        assert said in story
    assert "POST /v1/messages" in story
    assert '"text": "Where it went"' in story
    assert key not in person.page.content()


def test_a_telephone_that_refuses_shows_a_failed_message_and_gives_the_credit_back(desk: Desk) -> None:
    person = desk()
    person.sign_up()
    key = person.shown_key()
    curl(person, key, "Ceci arrive")
    assert person.balance() == 199

    person.open_live("/telephones")
    drawer = person.page.locator(f"#phone-{NUMBER} details")
    drawer.locator("summary").click()
    person.page.select_option(f"#phone-{NUMBER}-receipt", "undelivered")
    drawer.locator("button").click()
    expect(drawer.locator("summary")).to_have_text("Accusé : non remis")

    ref, _ = curl(person, key, "Ceci n’arrive pas")
    person.go(f"/messages/{ref}")
    expect(person.page.locator(".card header .state.failed")).to_have_text("Non remis")
    assert person.balance() == 199
    newest = person.page.locator("#ledger tbody tr").first
    expect(newest).to_contain_text("Rendu : non remis")
    expect(newest.locator(".plus")).to_have_text("+1")


def test_a_rotated_key_works_on_until_its_end(desk: Desk) -> None:
    person = desk("en")
    person.sign_up()
    old = person.shown_key()
    person.go("/account")
    rest = person.page.locator(".key").first
    rest.locator("summary").click()
    rest.locator("form[action$='/rotate'] button").click()
    new = person.copied(person.page.locator(".secret .copy"))
    curl(person, old, "with the old key")
    curl(person, new, "with the new key")

    person.go("/account")
    ending = person.page.locator(".key").first.locator(".held-by", has_text=old[-4:])
    expect(ending.locator(".state.held")).to_contain_text("ends")
    ending.locator("form[action$='/end'] button").click()
    expect(person.page.locator(".note")).to_have_text("The key has ended.")
    expect(person.page.locator(".held-by", has_text=old[-4:])).to_have_count(0)


def test_the_language_changes_where_the_reader_stands_and_stays(desk: Desk) -> None:
    person = desk("fr")
    person.sign_up()
    person.go("/messages?q=to%3A06")
    person.page.get_by_role("link", name="English").click()
    assert person.page.url == f"{person.url}/messages?q=to%3A06"
    expect(person.page.locator("html")).to_have_attribute("lang", "en")
    person.go("/account")
    expect(person.page.locator("#ledger-title")).to_have_text("Statement")


def test_logging_out_closes_every_door_and_logging_in_leads_back(desk: Desk) -> None:
    person = desk("fr")
    email = person.sign_up()
    person.page.get_by_role("button", name="Se déconnecter").click()
    expect(person.page.locator(".note")).to_have_text("Vous êtes déconnecté.")
    person.go("/messages?q=to%3A06")
    expect(person.page.locator("h1")).to_have_text("Se connecter")
    person.log_in(email)
    person.page.wait_for_url("**/messages?q=to%3A06")


def test_everything_can_be_done_without_scripts(desk: Desk) -> None:
    person = desk("fr", java_script_enabled=False)
    person.sign_up()
    page = person.page
    person.go("/messages/new")
    page.fill("#to", "06 12 34 56 78")
    page.fill("#text", "Sans script")
    page.get_by_role("button", name="Combien cela coûtera-t-il ?").click()
    expect(page.locator("#quote dd").first).to_have_text("1 crédit")
    page.get_by_role("button", name="Envoyer", exact=True).click()
    expect(page.locator(".quote")).to_have_text("Sans script")

    person.claim("POLL2", "", "rest")
    person.go("/telephones")
    expect(page.locator(f"#phone-{NUMBER} .bubble")).to_contain_text("Sans script")
    page.fill(f"#phone-{NUMBER}-to", "20345")
    page.fill(f"#phone-{NUMBER} textarea", "POLL2 oui")
    page.get_by_role("button", name="Envoyer depuis ce téléphone").click()
    expect(page.locator(f"#phone-{NUMBER} .bubble.out")).to_contain_text("POLL2 oui")

    person.go("/messages")
    page.fill("#filter", "POLL2")
    page.locator("#filter").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("a.cover").click()
    expect(page.locator(".timeline > li").first).to_contain_text("Reçu")
