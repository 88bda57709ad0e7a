"""axe finds nothing serious on any page, in either light, at any width, in either language."""

from importlib.resources import files

import pytest

from tests.browser.conftest import NAME, NETWORK, Desk
from tests.browser.console import Person, call_between, hang_up
from tests.browser.network import Watched
from tests.browser.sample import CAMILLE, LEA, Sample

AXE_SCRIPT = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RUN = """options => axe.run(document, { resultTypes: ["violations"], ...options }).then(found => found
  .violations.filter(one => ["serious", "critical"].includes(one.impact))
  .map(one => `${one.impact} ${one.id}: ` + one.nodes.map(node => node.html.slice(0, 120)).join(" | ")))"""
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""What the scheme can change."""
VISITOR = ("/", "/sign-up", "/login")
MEMBER = (
    "/telephones",
    f"/telephones/{CAMILLE}",
    "/messages",
    "/calls",
    "/callbacks",
    "/callbacks/forms/{form}",
    "/callbacks/groups",
    "/callbacks/statistics",
    "/conferences",
    "/announcements",
    "/messages?q=zeppelin",
    "/messages/{message}",
    "/messages/new",
    "/lines",
    "/lines/programs",
    "/hours",
    "/numbers",
    "/subscriptions",
    "/account",
    "/nowhere",
)


NETWORK_PAGES = (
    "/network",
    "/network/queue",
    "/network/queue?carrier=backup",
    "/network/routes",
    "/network/deliveries",
    "/network/accounts",
    "/network/accounts?account=olive%40chappe.example",
    "/rules",
    "/account/rights",
)


def wrongs(person: Person, *widths: int) -> list[str]:
    """What axe finds on the page as it stands, and where it is wider than the window."""
    found = []
    person.unfold()
    person.page.evaluate(AXE_SCRIPT)
    for width in widths:
        person.page.set_viewport_size({"width": width, "height": 900})
        if over := person.overflow():
            found.append(f"{width} wide: {over} pixels too wide")
        person.page.emulate_media(color_scheme="light")
        found += [f"{width} wide: {one}" for one in person.page.evaluate(RUN, {})]
        person.page.emulate_media(color_scheme="dark")
        found += [f"dark, {width} wide: {one}" for one in person.page.evaluate(RUN, COLOURS)]
    return found


@pytest.mark.parametrize("path", [*VISITOR, *MEMBER])
def test_nothing_serious_in_french(desk: Desk, sample: Sample, path: str) -> None:
    person = desk(url=f"http://{NAME}", storage_state=sample.session if path in MEMBER else None)
    person.watch.expected = ("status of 404",) if path == "/nowhere" else ()
    person.go(path.format(message=sample.answered, form=sample.form))
    assert wrongs(person, 1280, 375, 320) == []


def test_nothing_serious_about_all_of_a_line(desk: Desk, sample: Sample) -> None:
    person = desk(url=f"http://{NAME}", storage_state=sample.session)
    person.watch.expected = ("status of 422",)
    person.go("/lines")
    person.page.locator("a[href$='/extension']").first.click()
    person.page.fill("#telephone_mac", "00:04")
    person.page.locator("form[action$='/extension'] button").last.click()
    person.page.locator("#telephone_mac-said.wrong").wait_for()
    assert wrongs(person, 1280, 375, 320) == []


@pytest.mark.parametrize("path", NETWORK_PAGES)
def test_nothing_serious_about_the_network(desk: Desk, watched: Watched, path: str) -> None:
    person = desk(url=f"http://{NETWORK}", storage_state=watched.session)
    person.go(path)
    assert wrongs(person, 1280, 375, 320) == []


def test_nothing_serious_about_what_an_account_may_do(desk: Desk, watched: Watched) -> None:
    person = desk(url=f"http://{NETWORK}", storage_state=watched.session)
    person.watch.expected = ("status of 422",)
    person.go("/network/accounts?account=olive%40chappe.example")
    for field, value in (("#given", "Maison"), ("#prefix", "881"), ("#cap", "beaucoup")):
        person.page.fill(field, value)
        person.page.locator(f"form:has({field}) button").last.click()
    person.page.locator("p.wrong").wait_for()
    assert wrongs(person, 1280, 375, 320) == []


@pytest.mark.parametrize("path", ["/network", "/network/queue?carrier=backup"])
def test_nothing_serious_about_the_network_in_english(desk: Desk, watched: Watched, path: str) -> None:
    person = desk("en", url=f"http://{NETWORK}", storage_state=watched.session)
    person.go(path)
    assert wrongs(person, 375) == []


@pytest.mark.parametrize("path", ["/", "/telephones", "/messages/{message}", "/account"])
def test_nothing_serious_in_english(desk: Desk, sample: Sample, path: str) -> None:
    person = desk("en", url=f"http://{NAME}", storage_state=sample.session if path in MEMBER else None)
    person.go(path.format(message=sample.received))
    assert wrongs(person, 375) == []


def test_nothing_serious_on_the_keys_that_are_shown_once(desk: Desk) -> None:
    person = desk("fr")
    person.sign_up()
    assert wrongs(person, 1280, 375, 320) == []


def test_nothing_serious_while_a_telephone_speaks_and_another_rings(desk: Desk) -> None:
    person = desk("fr")
    person.sign_up()
    call_between(person, CAMILLE, LEA)
    assert wrongs(person, 1280, 375, 320) == []
    hang_up(person, CAMILLE)


def test_nothing_serious_in_a_conference_that_is_steered_by_keys(desk: Desk) -> None:
    person = desk("fr")
    person.sign_up()
    person.go("/conferences")
    person.page.fill("#name", "Lundi")
    person.page.fill("#numbers", f"+{CAMILLE}")
    person.page.locator("form[aria-labelledby=hold] button.primary").click()
    person.page.wait_for_url("**/conferences/*")
    page = person.page.url
    person.open_live("/telephones")
    person.page.locator(f"#phone-{CAMILLE} .call.ringing button[value=answer]").click()
    person.page.locator(f"#phone-{CAMILLE} .call.up").wait_for()
    person.page.locator(f"#phone-{CAMILLE} button[name=keys][value='#']").click()
    person.open_live(page.removeprefix(person.url))
    mute = person.page.locator("#scene li.up button[aria-pressed]")
    mute.focus()
    person.page.keyboard.press("Enter")
    person.page.locator("#scene li.muted").wait_for()
    assert wrongs(person, 1280, 375, 320) == []
    end = person.page.locator("form[action$='/end'] button.danger")
    end.focus()
    person.page.keyboard.press("Enter")
    person.page.locator("#scene li.up").wait_for(state="detached")


def test_nothing_serious_in_an_announcement_that_is_watched(desk: Desk) -> None:
    person = desk("fr")
    person.sign_up()
    person.go("/announcements")
    person.page.fill("#recipients", f"+{CAMILLE}\n+{LEA}")
    person.page.fill("#say", "Votre colis est arrivé.")
    person.page.fill("#answer_keys", "1")
    person.page.select_option("#on_machine", "play")
    person.page.locator("form[aria-labelledby=send] button.primary").click()
    person.page.wait_for_url("**/announcements/*")
    watched = person.page.url
    other = person.page.context.new_page()
    other.goto(f"{person.url}/telephones")
    other.locator(f"#phone-{CAMILLE} .call.ringing button[value=answer]").click()
    other.locator(f"#phone-{CAMILLE} button[name=keys][value='1']").click()
    other.close()
    assert person.page.url == watched  # nobody has loaded it anew
    person.page.locator("#recipients td", has_text="une personne").wait_for()
    assert wrongs(person, 1280, 375, 320) == []


def test_nothing_serious_under_an_sms_that_nobody_took(desk: Desk) -> None:
    person = desk("fr")
    person.sign_up()
    person.go("/telephones")
    person.page.fill("#open", "06 12 34 56 78")
    person.page.locator(".newcomer button").click()
    handset = person.page.locator(f"#phone-{CAMILLE}")
    handset.locator("input[name=to]").fill("20345")
    handset.locator("textarea").fill("Bonjour ?")
    handset.locator(".reply .send").click()
    handset.locator(".unowned a").wait_for()
    assert wrongs(person, 1280, 320) == []


@pytest.mark.parametrize("path", ["/numbers", "/telephones", "/messages/new"])
def test_nothing_serious_on_a_form_that_was_refused(desk: Desk, sample: Sample, path: str) -> None:
    person = desk("fr", url=f"http://{NAME}", storage_state=sample.session)
    person.watch.expected = ("status of 422",)
    person.go(path)
    field, send = {
        "/numbers": ("#claim-word", "section[aria-labelledby=claim] button.primary"),
        "/telephones": ("#open", ".newcomer button"),
        "/messages/new": ("#to", "form.card button.primary"),
    }[path]
    for box in person.page.locator("textarea#text").all():
        box.fill("Bonjour")
    person.page.fill(field, "stop")
    person.page.locator(send).click()
    person.page.locator("p.wrong").first.wait_for()
    assert wrongs(person, 1280, 320) == []
