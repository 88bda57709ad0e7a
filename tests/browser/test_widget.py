"""The callback widget on a page of another origin: by mouse and keyboard, in a frame, without scripts."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Desk, measured
from tests.browser.shop import a_form, running_shop
from tests.browser.test_accessibility import AXE_SCRIPT
from tests.clients.running import Account, Server

OPERATOR, VISITOR = "33639980071", "06 39 98 00 72"
LARGEST = 15_000
"""Bytes of all that the widget fetches until somebody can write a number, compressed (issue 5)."""
EVERYTHING = """() => axe.run(document).then(found => found.violations.map(
  one => `${one.impact} ${one.id}: ` + one.nodes.map(node => node.html.slice(0, 120)).join(" | ")))"""
DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop's server, its account, and the address of its form."""

    url: str
    account: Account
    form: str


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Shop]:
    account = server.create_account("lumiere", 200)
    form = a_form(account, [OPERATOR], per_address=100)
    with running_shop(form) as url:
        yield Shop(url, account, form)


def open_form(page: Page) -> Locator:
    """Open the widget by its button; the dialog."""
    page.get_by_role("button", name="Être rappelé").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Votre numéro de téléphone")).to_be_visible()
    return dialog


def wrongs(page: Page) -> list[str]:
    """Everything that axe finds, in both lights, and whether the page is too wide."""
    found = []
    page.evaluate(AXE_SCRIPT)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {one}" for one in page.evaluate(EVERYTHING)]
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([f"{over} pixels too wide"] if over else [])]


def test_it_is_small_and_asks_nobody_else(desk: Desk, shop: Shop) -> None:
    person = desk(url=shop.url)
    taken: list[float] = []
    wire = person.page.context.new_cdp_session(person.page)
    urls: dict[str, str] = {}
    wire.on("Network.responseReceived", lambda one: urls.update({one["requestId"]: one["response"]["url"]}))
    wire.on(
        "Network.loadingFinished",
        lambda one: (
            taken.append(one["encodedDataLength"])
            if urls.get(one["requestId"], "").startswith(shop.form)
            else None
        ),
    )
    wire.send("Network.enable")
    person.go("/")
    open_form(person.page)
    size = sum(taken)
    measured.append(f"widget with its form: {size / 1000:.1f} kB in {len(taken)} answers, heads included")
    assert 2_000 < size <= LARGEST
    assert person.page.context.cookies() == []


def test_the_keyboard_is_enough(desk: Desk, shop: Shop) -> None:
    person = desk(url=shop.url)
    page = person.page
    person.go("/")
    opener = page.get_by_role("button", name="Être rappelé")
    expect(opener).to_be_visible()
    page.keyboard.press("Tab")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_be_focused()
    # The focus stays in the dialog: of the page behind nothing is reached, one round leads through it all.
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        active = "document.querySelector('chappe-callback').shadowRoot.activeElement"
        seen.append(page.evaluate(f"{active}?.name || {active}?.className || document.activeElement.tagName"))
    assert {"number", "name", "label1", "when", "chappe-button", "chappe-close"} <= set(seen)
    assert "chappe-launcher" not in seen and "A" not in seen
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    # What is wrong is said beside the field, which has the focus, and to who listens.
    page.keyboard.press("Enter")
    number = dialog.get_by_label("Votre numéro de téléphone")
    number.fill("12")
    page.keyboard.press("Enter")
    expect(number).to_have_attribute("aria-invalid", "true")
    expect(number).to_be_focused()
    expect(number).to_have_accessible_description(
        "Nous ne pouvons pas appeler ce numéro. Écrivez-le comme 06 12 34 56 78 ou +41 79 222 33 44."
    )
    expect(dialog.get_by_role("status")).to_contain_text("Nous ne pouvons pas appeler ce numéro")
    number.fill(VISITOR)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("Nous appelons un conseiller.")
    assert wrongs(page) == []
    (request,) = shop.account.ask("GET", "/v1/callbacks?limit=1")["data"]
    assert (request["visitor"], request["origin"]) == ("33639980072", f"{shop.url}/")


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(desk: Desk, shop: Shop, width: int) -> None:
    person = desk(url=shop.url, viewport={"width": width, "height": 800})
    person.go("/")
    expect(person.page.get_by_role("button", name="Être rappelé")).to_be_visible()
    assert wrongs(person.page) == []
    dialog = open_form(person.page)
    assert wrongs(person.page) == []
    dialog.get_by_role("button", name="Être rappelé").click()
    expect(dialog.locator("[aria-invalid]")).to_be_visible()
    assert wrongs(person.page) == []
    person.page.goto(shop.form)
    assert wrongs(person.page) == []


def test_a_link_opens_it_and_in_a_frame_it_is_there(desk: Desk, shop: Shop) -> None:
    person = desk(url=shop.url)
    person.go("/link")
    expect(person.page.get_by_role("button", name="Être rappelé")).to_be_hidden()
    person.page.get_by_role("link", name="Être rappelé").click()
    expect(person.page.get_by_role("dialog")).to_be_visible()
    person.go("/frame")
    frame = person.page.frame_locator("iframe")
    frame.get_by_label("Votre numéro de téléphone").fill("")
    frame.get_by_role("button", name="Être rappelé").click()
    expect(frame.get_by_text("Écrivez le numéro où nous vous appellerons.").first).to_be_visible()
    assert frame.locator("form").count() == 1


def test_without_scripts_a_page_does_the_same(desk: Desk, shop: Shop) -> None:
    person = desk(url=shop.url, java_script_enabled=False)
    person.go("/link")
    person.page.get_by_role("link", name="Être rappelé").click()
    person.page.get_by_label("Votre numéro de téléphone").fill("+33 6 39 98 00 73")
    later = person.page.locator("select option").nth(1).get_attribute("value")
    person.page.get_by_label("Quand").select_option(later)
    person.page.get_by_role("button", name="Être rappelé").click()
    expect(person.page.get_by_text("Nous vous appellerons")).to_be_visible()
    person.page.get_by_role("button", name="Ne pas m’appeler").click()
    expect(person.page.get_by_text("Nous ne vous appellerons pas.")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        ("widget", "light", 900),
        ("widget-dark", "dark", 900),
        ("widget-narrow", "light", 375),
        ("widget-narrow-dark", "dark", 375),
    ],
)
def test_a_picture_is_taken(
    desk: Desk, shop: Shop, tmp_path: Path, name: str, scheme: str, width: int
) -> None:
    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 720}, "device_scale_factor": 1}
    person = desk(url=shop.url, **look)
    person.go("/")
    dialog = open_form(person.page)
    dialog.get_by_label("Votre numéro de téléphone").fill(VISITOR)
    person.page.mouse.move(0, 0)
    folder = DOCS / "pictures" if os.environ.get("CHAPPE_PICTURES") else tmp_path
    taken = person.page.screenshot(path=folder / f"{name}.png")
    assert len(taken) <= 250_000
