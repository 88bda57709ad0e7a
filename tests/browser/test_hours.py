"""A week of opening hours in a real browser: painted with the mouse, with the keyboard, without scripts."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Desk
from tests.browser.console import Person, rows
from tests.browser.test_accessibility import wrongs

MORNING_AND_AFTERNOON = "09:00–12:00, 14:00–18:00"


@pytest.fixture
def shop(desk: Desk) -> Callable[..., Person]:
    """Somebody at the page of new opening hours."""

    def sit_down(language: str = "en", **options: object) -> Person:
        person = desk(language, **options)
        person.sign_up()
        person.go("/hours")
        person.page.fill("#called", "shop")
        person.page.locator("form[aria-labelledby=new] button.primary").click()
        expect(person.page.locator("h1")).to_have_text("shop")
        return person

    return sit_down


def cell(person: Person, day: int, half_hour: int) -> Locator:
    return person.page.locator(f"[role=gridcell][data-day='{day}'][data-at='{half_hour}']")


def fields(person: Person) -> list[str]:
    return [person.page.input_value(f"#day-{day}") for day in range(7)]


def save(person: Person) -> None:
    person.page.locator("form[aria-labelledby=week-title] button.primary").click()
    expect(person.page.locator(".note.done")).to_be_visible()


def test_the_mouse_paints_and_unpaints(shop: Callable[..., Person]) -> None:
    person = shop()
    expect(person.page.locator("[role=gridcell][aria-selected=true]")).to_have_count(5 * (6 + 8))
    cell(person, 5, 20).hover()
    person.page.mouse.down()
    cell(person, 6, 23).hover()
    person.page.mouse.up()
    assert fields(person) == [MORNING_AND_AFTERNOON] * 5 + ["10:00–12:00"] * 2
    expect(person.page.locator("#spoken")).to_have_text("Saturday – Sunday 10:00–12:00 open")
    cell(person, 0, 18).hover()  # is open, so that this stroke closes
    person.page.mouse.down()
    cell(person, 0, 40).hover()
    cell(person, 0, 19).hover()  # and goes back
    person.page.mouse.up()
    assert fields(person)[0] == "10:00–12:00, 14:00–18:00"
    save(person)
    assert fields(person) == ["10:00–12:00, 14:00–18:00", *[MORNING_AND_AFTERNOON] * 4, *["10:00–12:00"] * 2]


def test_the_keyboard_paints_and_is_heard(shop: Callable[..., Person]) -> None:
    person = shop()
    keyboard = person.page.keyboard
    person.tab_to("[role=gridcell]")
    expect(cell(person, 0, 18)).to_be_focused()
    assert cell(person, 0, 18).get_attribute("aria-label") == "Monday 09:00"
    keyboard.press("ArrowLeft")
    keyboard.press("Space")
    expect(person.page.locator("#spoken")).to_have_text("Monday 08:30–09:00 open")
    keyboard.press("Shift+ArrowLeft")
    keyboard.press("Shift+ArrowDown")
    expect(person.page.locator("#spoken")).to_have_text("Monday – Tuesday 08:00–09:00 open")
    assert fields(person)[:3] == ["08:00–12:00, 14:00–18:00"] * 2 + [MORNING_AND_AFTERNOON]
    keyboard.press("End")
    expect(cell(person, 1, 47)).to_be_focused()
    keyboard.press("Enter")
    assert fields(person)[1] == "08:00–12:00, 14:00–18:00, 23:30–24:00"
    keyboard.press("Space")
    expect(person.page.locator("#spoken")).to_have_text("Tuesday 23:30–24:00 closed")
    keyboard.press("Tab")
    expect(person.page.locator("#day-0")).to_be_focused()  # one stop for the whole week
    save(person)
    assert fields(person)[0] == "08:00–12:00, 14:00–18:00"


def test_fields_say_times_that_cells_cannot_and_nights(shop: Callable[..., Person]) -> None:
    person = shop()
    person.page.fill("#day-0", "9:15-12:00")
    expect(cell(person, 0, 18)).to_have_class("partly")
    expect(cell(person, 0, 18)).to_have_attribute("aria-label", "Monday 09:00, partly open")
    person.page.fill("#day-6", "22:00-2:00")
    expect(cell(person, 0, 3)).to_have_attribute("aria-selected", "true")
    person.page.fill("#day-2", "noon")
    expect(person.page.locator("#day-2")).to_have_attribute("aria-invalid", "true")
    person.page.fill("#day-2", "")
    expect(person.page.locator("#day-2[aria-invalid]")).to_have_count(0)
    save(person)
    assert [fields(person)[day] for day in (0, 2, 6)] == ["09:15–12:00", "", "22:00–02:00"]
    cell(person, 0, 30).click()  # whole half hours stay beside times that are not
    assert [fields(person)[day] for day in (0, 6)] == ["00:00–02:00, 09:15–12:00, 15:00–15:30", "22:00–24:00"]


def test_all_of_it_without_scripts(shop: Callable[..., Person]) -> None:
    person = shop("fr", java_script_enabled=False)
    expect(person.page.locator("[data-week]")).to_be_hidden()
    person.page.fill("#day-5", "10h-12h30")
    person.page.select_option("#region", "FR-57")
    save(person)
    assert fields(person)[5] == "10:00–12:30"
    day = person.page.locator("button.day:not(.holiday)").last
    label = str(day.get_attribute("aria-label"))
    day.click()
    expect(person.page.locator("button.day.closed")).to_have_attribute("aria-label", f"{label}, fermé")
    person.page.set_input_files(
        "#calendar",
        {
            "name": "days.ics",
            "mimeType": "text/calendar",
            "buffer": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
            b"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Inventaire\r\nDTSTART;VALUE=DATE:20200102\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        },
    )
    person.page.locator("form[enctype] button").click()
    expect(person.page.locator(".note.done")).to_have_text("3 jours n’étaient pas encore fermés.")
    assert sum("Inventaire" in one for one in rows(person.page.locator(".ahead li"))) == 3


@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_serious_is_found(shop: Callable[..., Person], language: str) -> None:
    person = shop(language)
    person.page.select_option("#region", "CH-GE")
    save(person)
    person.page.locator("button.day").nth(3).click()
    expect(person.page.locator("button.day.closed")).to_be_visible()
    assert wrongs(person, 1280, 375, 320) == []
