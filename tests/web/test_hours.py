"""Pages of opening hours, in both languages and without scripts."""

import pytest
import pytest_asyncio

from chappe.model.errors import Refusal
from chappe.model.openinghours import Day, clock
from chappe.web import sessions
from chappe.web.hours import spans_of
from tests.platform import World
from tests.protocols.test_icalendar import calendar
from tests.web.browser import Browser, Page

HOURS = "/hours/shop"


@pytest_asyncio.fixture
async def member(sandbox_world: World) -> Browser:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    return browser


async def create(member: Browser, name: str = "shop") -> Page:
    return await member.post("/hours", {"called": name}, at="/hours")


def week(page: Page) -> list[str]:
    return [str(one) for one in page.find("//input[starts-with(@name, 'day-')]/@value")]


async def upload(member: Browser, content: bytes) -> Page:
    """Send a file as browsers do."""
    token = (await member.get(HOURS)).find("//input[@name='token']/@value")[0]
    parts = (("token", "", token.encode()), ("calendar", '; filename="days.ics"', content))
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), filename.encode(), value)
        for name, filename, value in parts
    )
    kind = {"content_type": "multipart/form-data; boundary=b"}
    return await member.ask("POST", f"{HOURS}/import", body + b"--b--\r\n", kind)


@pytest.mark.parametrize(
    ("language", "heading", "now"),
    [
        ("en", "Opening hours", "Open now closes at 12:00"),
        ("fr", "Horaires d’ouverture", "Ouvert en ce moment ferme à 12:00"),
    ],
)
async def test_hours_are_created_changed_and_deleted(
    member: Browser, language: str, heading: str, now: str
) -> None:
    member.language = language
    member.cookies["zone"] = "Europe%2FParis"
    assert (await member.get("/hours")).words("//h1") == [heading]
    page = await create(member)
    assert page.words("//h1") == ["shop"]
    assert page.words("//div[@class='head']//p") == [now]  # Monday, 10:00 in Paris
    assert week(page) == ["09:00–12:00, 14:00–18:00"] * 5 + [""] * 2
    fields = {
        "day-0": "8h-9h30, 22:00 – 2:00",
        "day-6": "0:00-24:00",
        "zone": "Europe/Zurich",
        "region": "CH-GE",
    }
    page = await member.post(HOURS, fields, at=HOURS)
    assert week(page) == ["08:00–09:30, 22:00–02:00", "", "", "", "", "", "00:00–24:00"]
    assert (
        page.find("//select[@name='region']/option[@selected] | //optgroup/option[@selected]")[0].text
        == "Genève"
    )
    listed = await member.get("/hours")
    assert listed.words("//tbody//td[3]") == ["Europe/Zurich"]
    await member.post(f"{HOURS}/delete", at=HOURS)
    assert (await member.get(HOURS)).status == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"day-2": "nine to five"}, "day-2"),
        ({"day-2": "9:00-25:00"}, "day-2"),
        ({"day-2": "9:00-9:00"}, "day-2"),
        ({"zone": "Europe/Nowhere"}, "zone"),
    ],
)
async def test_what_was_typed_stays_with_what_is_the_matter(
    member: Browser, fields: dict[str, str], field: str
) -> None:
    await create(member)
    page = await member.post(HOURS, {"day-0": "10:00-11:00", "zone": "Europe/Paris", **fields}, at=HOURS)
    assert page.status == 422
    assert page.find("//*[@aria-invalid]/@name") == [field]
    assert page.find(f"//input[@name='{field}']/@value") == [fields[field]]
    assert page.find("//input[@name='day-0']/@value") == ["10:00-11:00"]
    assert page.words("//p[@class='wrong']") != []
    assert week(await member.get(HOURS))[0] == "09:00–12:00, 14:00–18:00"


async def test_names_that_cannot_be_or_are_taken(member: Browser) -> None:
    await create(member)
    for name, status in (("shop", 422), ("é", 422), ("", 422)):
        page = await create(member, name)
        assert (page.status, page.find("//*[@aria-invalid]/@name")) == (status, ["called"])


async def test_days_are_closed_and_opened_by_a_click(member: Browser) -> None:
    await create(member)
    page = await member.post(f"{HOURS}/days", {"day": "2026-04-06", "from": "2026-04"}, at=HOURS)
    assert page.words("//table[@class='month']/caption") == ["April 2026", "May 2026", "June 2026"]
    [pressed] = page.find("//button[@aria-pressed='true']")
    assert (pressed.get("value"), pressed.get("aria-label")) == ("2026-04-06", "Monday 6 April 2026, closed")
    await member.post(f"{HOURS}/days", {"day": "2026-05-02", "note": "Inventory"}, at=HOURS)
    page = await member.get(HOURS)
    assert page.words("//ul[@class='ahead']/li/span")[1] == "Saturday 2 May 2026 · Inventory"
    page = await member.post(f"{HOURS}/days", {"open": "2026-04-06"}, at=HOURS)
    assert page.words("//ul[@class='ahead']/li/span") == ["Saturday 2 May 2026 · Inventory"]
    assert (await member.post(f"{HOURS}/days", {"day": "tomorrow"}, at=HOURS)).status == 422
    past = page.find("//table[@class='month'][1]//button/@value")
    assert min(past) == "2026-03-02"  # today: what is over is no button


async def test_public_holidays_are_shown(member: Browser) -> None:
    await create(member)
    page = await member.post(HOURS, {"zone": "Europe/Paris", "region": "FR-57"}, at=HOURS)
    assert page.find("//button[contains(@class, 'holiday')]/@title") == [
        "Vendredi saint",
        "Lundi de Pâques",
        "Fête du Travail",
        "Fête de la Victoire",
        "Ascension",
        "Lundi de Pentecôte",
    ]


@pytest.mark.parametrize("month", ["2026-13", "1999-01", "9999-12", "x"])
async def test_the_calendar_turns_to_months_of_our_time(member: Browser, month: str) -> None:
    await create(member)
    page = await member.get(f"{HOURS}?from={month}")
    assert page.words("//caption")[0] == "March 2026"
    assert page.find("//a[@rel='next']/@href") == [f"{HOURS}?from=2026-06#closures"]
    later = await member.get(f"{HOURS}?from=2026-12")
    assert later.words("//caption") == ["December 2026", "January 2027", "February 2027"]
    assert later.find("//a[@rel='prev']/@href") == [f"{HOURS}?from=2026-09#closures"]


async def test_days_come_out_of_a_file(member: Browser) -> None:
    await create(member)
    page = await upload(
        member,
        calendar("SUMMARY:Pâques\nDTSTART;VALUE=DATE:20260406", "SUMMARY:Lunch\nDTSTART:20260401T120000"),
    )
    assert page.words("//ul[@class='ahead']/li/span") == ["Monday 6 April 2026 · Pâques"]
    assert "1 day was not closed before." in page.text
    assert "Lunch: it fills no whole day" in page.text
    for content, words in ((b"hello", "no calendar that can be read"), (b"", "Choose a calendar file first")):
        page = await upload(member, content)
        assert page.status == 422
        assert words in page.text
    assert (await upload(member, b"x" * sessions.LARGEST_UPLOAD)).status == 413


async def test_hours_of_others_are_not_there(sandbox_world: World, member: Browser) -> None:
    await create(member)
    other = Browser(sandbox_world.chappe.application)
    await other.sign_up("other@example.com")
    assert (await other.get(HOURS)).status == 404
    assert (await other.post(HOURS, {"day-0": "9:00-10:00"}, at="/hours")).status == 404
    assert (await other.post(f"{HOURS}/delete", at="/hours")).status == 404
    assert week(await member.get(HOURS))[0] == "09:00–12:00, 14:00–18:00"


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("", []),
        ("9:00-12:00", ["09:00-12:00"]),
        ("9h–12h30,14h - 18H00", ["09:00-12:30", "14:00-18:00"]),
        ("9-12; 14-18", ["09:00-12:00", "14:00-18:00"]),
        ("22:00—0:00 23:00-6:00", ["22:00-24:00", "23:00-06:00"]),
    ],
)
def test_spans_as_people_write_them(written: str, spans: list[str]) -> None:
    found = spans_of(Day.MONDAY, written)
    assert [f"{clock(one.opens)}-{clock(one.closes)}" for one in found] == spans


@pytest.mark.parametrize(
    "written", ["9", "9:00", "9:00-", "-", "9:0-10:00", "noon-14:00", "9:00-12:00-14:00"]
)
def test_what_is_no_list_of_times(written: str) -> None:
    with pytest.raises(Refusal):
        spans_of(Day.MONDAY, written)
