"""Pictures of the pages for the documents; with CHAPPE_PICTURES set they are written there."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NAME, NETWORK, Desk
from tests.browser.console import Person, call_between, hang_up
from tests.browser.network import Watched
from tests.browser.sample import CAMILLE, LEA, Sample

DOCS = Path(__file__).parents[2] / "docs"
LARGEST = 300_000
"""Bytes of one picture: the repository carries them for ever."""

# Name, page, language, colour scheme, width; where the height is 0 the whole page is taken.
PICTURES = [
    ("landing", "/", "en", "light", 1280, 0),
    ("keys", "", "en", "light", 1280, 0),
    ("telephones", "/telephones", "en", "light", 1280, 0),
    ("telephones-dark", "/telephones", "fr", "dark", 1280, 0),
    ("telephones-narrow", "/telephones", "fr", "light", 375, 1400),
    ("messages", "/messages", "en", "light", 1280, 0),
    ("message", "/messages/{received}", "en", "light", 1280, 1120),
    ("message-dark", "/messages/{answered}", "fr", "dark", 1280, 1120),
    ("message-held", "/messages/{held}", "fr", "light", 1280, 0),
    ("numbers", "/numbers", "en", "light", 1280, 0),
    ("callback-form", "/callbacks/forms/{form}", "fr", "light", 1280, 1000),
    ("ring-groups", "/callbacks/groups", "fr", "light", 1280, 0),
    ("callback-statistics", "/callbacks/statistics?operators=1", "fr", "light", 1280, 0),
    ("subscriptions", "/subscriptions", "en", "light", 1280, 1000),
    ("account", "/account", "en", "light", 1280, 0),
    ("rights", "/account/rights", "en", "light", 1280, 0),
    ("rules", "/rules", "fr", "light", 1280, 1300),
    ("network", "/network", "en", "light", 1280, 0),
    ("network-dark", "/network", "fr", "dark", 1280, 0),
    ("queue", "/network/queue?carrier=backup", "fr", "light", 1280, 0),
    ("routes", "/network/routes", "en", "light", 1280, 0),
    ("dead-deliveries", "/network/deliveries", "en", "light", 1280, 0),
]
CALLING = [("telephones-calling", "en", "light"), ("telephones-calling-dark", "fr", "dark")]
"""The shelf while one telephone has answered and the other one rings."""
HOURS = [
    ("hours", "en", "light", 1280),
    ("hours-dark", "fr", "dark", 1280),
    ("hours-narrow", "fr", "light", 375),
]
"""A week of opening hours with closed days."""
TOLD = ("POST /v1/messages", "/colis.php")
"""What is unfolded in the course of a message."""


def at_page(person: Person, sample: Sample, path: str) -> None:
    """Go to the page and bring it into a state worth a look."""
    if not path:
        person.sign_up("lea@atelier.example")
        return
    named = {"answered": sample.answered, "received": sample.received, "held": sample.held}
    person.go(path.format(**named, form=sample.form))
    if "{form}" in path:
        expect(person.page.locator("#preview-place .chappe")).to_be_visible()
    for told in TOLD:
        for fold in person.page.locator(".timeline > li", has_text=told).locator("summary").all():
            fold.click()
    person.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


@pytest.mark.parametrize(("name", "path", "language", "scheme", "width", "height"), PICTURES)
def test_a_picture_is_taken(
    desk: Desk,
    sample: Sample,
    watched: Watched,
    tmp_path: Path,
    name: str,
    path: str,
    language: str,
    scheme: str,
    width: int,
    height: int,
) -> None:
    place, session = (NETWORK, watched.session) if "/network" in path else (NAME, sample.session)
    person = desk(
        language,
        url=f"http://{place}",
        storage_state=None if path in ("", "/") else session,
        color_scheme=scheme,
        viewport={"width": width, "height": height or 800},
        device_scale_factor=1,
    )
    at_page(person, sample, path)
    if not height:  # the column at the side is as high as the window
        tall = person.page.evaluate("document.documentElement.scrollHeight")
        person.page.set_viewport_size({"width": width, "height": tall})
    folder = DOCS / "pictures" if os.environ.get("CHAPPE_PICTURES") else tmp_path
    taken = person.page.screenshot(path=folder / f"{name}.png")
    assert person.overflow() == 0
    assert len(taken) <= LARGEST


@pytest.mark.parametrize(("name", "language", "scheme"), CALLING)
def test_a_picture_is_taken_of_a_call(
    desk: Desk, sample: Sample, tmp_path: Path, name: str, language: str, scheme: str
) -> None:
    look = {"color_scheme": scheme, "viewport": {"width": 1280, "height": 1000}, "device_scale_factor": 1}
    person = desk(language, url=f"http://{NAME}", storage_state=sample.session, **look)
    call_between(person, CAMILLE, LEA)
    person.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    folder = DOCS / "pictures" if os.environ.get("CHAPPE_PICTURES") else tmp_path
    taken = person.page.screenshot(path=folder / f"{name}.png")
    hang_up(person, CAMILLE)
    assert len(taken) <= LARGEST


@pytest.mark.parametrize(("name", "language", "scheme", "width"), HOURS)
def test_a_picture_is_taken_of_opening_hours(
    desk: Desk, sample: Sample, tmp_path: Path, name: str, language: str, scheme: str, width: int
) -> None:
    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}, "device_scale_factor": 1}
    person = desk(language, url=f"http://{NAME}", storage_state=sample.session, **look)
    person.go("/hours")
    person.page.fill("#called", name)
    person.page.locator("form[aria-labelledby=new] button.primary").click()
    person.page.fill("#day-4", "09:00–12:30, 14:00–17:45")
    person.page.fill("#day-5", "10:00–13:00, 22:00–02:00")
    person.page.select_option("#region", "FR-57")
    person.page.locator("form[aria-labelledby=week-title] button.primary").click()
    person.page.locator(".note.done").wait_for()
    person.page.fill("#day", f"{date.today() + timedelta(days=10)}")
    person.page.fill("#note", "Inventaire")
    person.page.locator("#closures form:has(#day) button").click()
    person.page.locator("button.day.closed").wait_for()
    person.go(f"/hours/{name}")
    person.page.locator("[role=grid]").wait_for()
    tall = person.page.evaluate("document.documentElement.scrollHeight")
    person.page.set_viewport_size({"width": width, "height": tall})
    person.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    folder = DOCS / "pictures" if os.environ.get("CHAPPE_PICTURES") else tmp_path
    taken = person.page.screenshot(path=folder / f"{name}.png")
    assert person.overflow() == 0
    assert len(taken) <= LARGEST
    person.page.locator("form[action$='/delete'] button").click()
    person.page.wait_for_url("**/hours")


def test_the_page_of_pictures_shows_each() -> None:
    page = (DOCS / "pictures.md").read_text(encoding="utf-8")
    assert [name for name, *_ in (*PICTURES, *CALLING, *HOURS) if f"](pictures/{name}.png)" not in page] == []
