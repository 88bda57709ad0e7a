"""Whoever uses no mouse gets everywhere, and sees where they are."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NAME, Desk
from tests.browser.sample import Sample

# The elements are remembered in the page itself: its own refreshing takes attributes of ours away.
WANTED = """() => (window.wanted = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
  .filter(element => element.tabIndex >= 0 && !element.disabled && !element.closest("dialog:not([open])")
    && element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }))).length"""
LOOK = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const looks = () => {
    const seen = [];
    for (let one = element, up = 0; one && up < 4; one = one.parentElement, up++)
      for (const part of [null, "::before", "::after"]) {
        const style = getComputedStyle(one, part);
        seen.push(style.outlineStyle === "none" ? "" : style.outline, style.boxShadow, style.borderColor,
                  style.backgroundColor);
      }
    return seen.join();
  };
  const focused = looks();
  element.blur();
  const shown = looks() !== focused;
  return { index: window.wanted.indexOf(element), name: element.outerHTML.slice(0, 120), shown };
}"""


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sign-up",
        "/telephones",
        "/messages",
        "/messages/{message}",
        "/messages/new",
        "/numbers",
        "/subscriptions",
        "/account",
    ],
)
def test_tab_reaches_everything_and_shows_where_it_is(desk: Desk, sample: Sample, path: str) -> None:
    session = None if path in ("/", "/sign-up") else sample.session
    person = desk(url=f"http://{NAME}", storage_state=session)
    person.go(path.format(message=sample.answered))
    page = person.page
    page.evaluate("document.activeElement.blur()")
    wanted = page.evaluate(WANTED)
    reached: set[int] = set()
    unseen: list[str] = []
    for _ in range(wanted + 40):
        page.keyboard.press("Tab")
        if (stop := page.evaluate(LOOK)) is None:
            continue
        reached.add(stop["index"])
        if not stop["shown"]:
            unseen.append(stop["name"])
    left = sorted(set(range(wanted)) - reached)
    missed = page.evaluate("left => left.map(index => window.wanted[index].outerHTML.slice(0, 120))", left)
    assert (missed, unseen) == ([], [])


def test_the_slash_goes_to_the_filter_which_filters_while_one_types(desk: Desk, sample: Sample) -> None:
    person = desk(url=f"http://{NAME}", storage_state=sample.session)
    person.go("/messages")
    person.page.keyboard.press("/")
    expect(person.page.locator("#filter")).to_be_focused()
    person.page.keyboard.type("state:undelivered")
    expect(person.page.locator("tbody tr")).to_have_count(1)
    assert person.page.url.endswith("?q=state%3Aundelivered")
    person.page.keyboard.press("ArrowDown")
    person.page.keyboard.press("Enter")
    expect(person.page.locator(".quote")).to_contain_text("commande 4817")


def test_the_question_mark_lists_the_keys_and_g_goes_to_sections(desk: Desk, sample: Sample) -> None:
    person = desk(url=f"http://{NAME}", storage_state=sample.session)
    person.go("/messages")
    person.page.keyboard.press("?")
    expect(person.page.locator("dialog#keys")).to_be_visible()
    expect(person.page.locator("dialog#keys h2")).to_have_text("Clavier")
    person.page.keyboard.press("Escape")
    expect(person.page.locator("dialog#keys")).to_be_hidden()
    person.page.keyboard.press("g")
    person.page.keyboard.press("t")
    person.page.wait_for_url("**/telephones")


def test_a_filter_without_a_match_says_so(desk: Desk, sample: Sample) -> None:
    person = desk("en", url=f"http://{NAME}", storage_state=sample.session)
    person.go("/messages")
    person.page.keyboard.press("/")
    person.page.keyboard.type("zeppelin")
    expect(person.page.locator(".empty h2")).to_have_text("No message matches this filter")
    person.page.keyboard.press("Escape")
    expect(person.page.locator("tbody tr").first).to_be_visible()
