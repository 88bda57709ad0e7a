"""Times are the reader's, from the first view on."""

from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from tests.browser.conftest import NAME, Desk
from tests.browser.sample import Sample


def test_the_first_view_names_the_readers_zone(desk: Desk) -> None:
    person = desk("en", timezone_id="America/Lima")
    person.go("/")
    expect(person.page.locator("footer")).to_contain_text("Times in America/Lima")


def test_a_reader_who_travelled_sees_the_times_of_the_place(desk: Desk, sample: Sample) -> None:
    person = desk("en", url=f"http://{NAME}", storage_state=sample.session, timezone_id="America/Lima")
    person.page.route("**/live", lambda route: route.fulfill(status=204))  # no newer page helps out
    person.go(f"/messages/{sample.answered}")
    expect(person.page.locator("footer")).to_contain_text("Times in America/Lima")
    times = person.page.locator("main time").all()
    assert len(times) > 2
    for time in times:
        moment = datetime.fromisoformat(time.get_attribute("datetime") or "").astimezone(
            ZoneInfo("America/Lima")
        )
        expect(time).to_have_attribute("title", f"{moment:%-d %B %Y, %H:%M:%S} (America/Lima)")
        if time.get_attribute("data-exact") is not None:
            expect(time).to_contain_text(f"{moment:%H:%M:%S}")
