"""An operator at the console: a route is changed, and a dead delivery replayed."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.customer import Site
from tests.browser.network import AWAY, make_operator
from tests.clients.running import Account, Server, eventually

LOST = "32470123456"


def test_a_message_waits_for_its_carrier_until_the_route_is_changed(
    desk: Desk, network: Server, site: Site
) -> None:
    person = desk(url=network.url)
    name = person.sign_up()
    account = Account(network, person.shown_key(), "", "", "")
    make_operator(network, name)

    def send() -> str:
        body = {"to": [f"+{LOST}"], "text": "Bonjour"}
        return str(account.ask("POST", "/v1/messages", body)["messages"][0]["id"])

    person.go("/telephones")
    page = person.page
    page.get_by_role("link", name="Réseau", exact=True).click()
    page.get_by_role("link", name="Routes et tarifs").click()
    page.fill("#route-prefix", "+32 47")
    page.select_option("#carrier-new", "backup")
    page.get_by_role("button", name="Ajouter cette route").click()
    route = page.locator(".sentence", has_text="+3247")
    expect(route).to_contain_text("backup")

    waiting = send()
    person.open_live("/network/queue?carrier=backup")
    row = page.locator("#list tr", has_text=re.compile(r"\+32 470 12 34 56"))
    expect(row).to_contain_text("Son opérateur est hors service")
    expect(row).to_contain_text("expire dans")

    person.go("/network/routes")
    route.locator("summary").click()
    route.locator("select[name=carrier]").first.select_option("sandbox")
    route.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[role=status]")).to_contain_text("Le prochain message prend cette route")
    expect(route).to_contain_text("vont à sandbox")
    sent = send()
    account.wait_for("Bonjour", LOST)
    eventually(lambda: account.message(sent)["state"] != "queued")
    assert account.message(waiting)["state"] == "queued"


def test_a_dead_delivery_is_replayed_once_its_url_is_right(desk: Desk, network: Server, site: Site) -> None:
    person = desk("en", url=network.url)
    name = person.sign_up()
    account = Account(network, person.shown_key(), "", "", "")
    make_operator(network, name)
    events = {"url": f"http://{AWAY}/orders", "events": ["message.accepted"]}
    subscription = account.ask("POST", "/v1/subscriptions", events)["id"]
    account.ask("POST", "/v1/messages", {"to": [f"+{LOST}"], "text": "Hello"})
    person.go("/network/deliveries")
    page = person.page
    dead = page.locator("#list tbody tr", has_text=name)
    expect(dead).to_contain_text("is not a public address")  # told live
    account.ask("PATCH", f"/v1/subscriptions/{subscription}", {"url": f"{site.url}/orders"})
    dead.get_by_role("button", name="Send again").click()
    expect(page.locator("[role=status]")).to_contain_text("It is being sent again")
    expect(dead).to_have_count(0)
    assert b"message.accepted" in site.first("/orders").body
