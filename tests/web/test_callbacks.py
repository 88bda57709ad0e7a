"""The console's pages of callbacks: forms, ring groups, requests, statistics and their file."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from chappe.model.callbacks import (
    CallbackForm,
    CallbackRequest,
    CallbackSource,
    CallbackState,
    ListCallbacks,
    ListForms,
)
from chappe.model.commands import Caller
from chappe.model.ringgroups import ListRingGroups
from chappe.services import callbackforms, callbacks, directory, ringgroups
from chappe.web import callbackstatistics
from tests.platform import World
from tests.web.browser import Browser

OPERATORS = ("33639980051", "33639980052", "33639980053")
VISITOR = "33639980060"


async def signed_up(world: World) -> tuple[Browser, Caller]:
    browser = Browser(world.chappe.application)
    await browser.sign_up()
    user = await world.platform.store.queries.user_by_email("camille@example.com")
    account = await world.platform.store.queries.account(user.account_id)
    return browser, directory.caller_of(account, user, "console")


async def a_group(browser: Browser, name: str = "sales") -> None:
    at = "/callbacks/groups"
    await browser.post(at, {"name": name}, at=at)
    for number in OPERATORS:
        fields = {"group": name, "number": f"+{number}", "name": "", "ring_seconds": "20"}
        page = await browser.post(f"{at}/operators", fields, at=at)
        assert page.status == 200


async def a_form(world: World, browser: Browser, who: Caller) -> CallbackForm:
    await browser.post("/callbacks/forms", {"name": "Sales"}, at="/callbacks/forms")
    (form,) = await callbackforms.list_forms(world.platform, who, ListForms())
    return form


def fields(**more: str) -> dict[str, str]:
    return {
        **{
            "name": "Sales",
            "language": "en",
            "voice": "female",
            "first_rung": "operator",
            "zone": "Europe/Paris",
        },
        **{"operator_seconds": "20", "visitor_seconds": "30", "repeat_seconds": "60"},
        **{"per_address": "5", "per_hour": "60", "open_group": "sales"},
        **more,
    }


async def numbers(world: World, who: Caller) -> list[str]:
    (roster,) = await ringgroups.list_groups(world.platform, who, ListRingGroups())
    return [one.number for one in roster.operators]


async def test_operators_are_added_put_in_order_and_taken_out(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    await a_group(browser)
    at, first, second, third = "/callbacks/groups", *OPERATORS
    assert await numbers(sandbox_world, who) == [first, second, third]
    await browser.post(f"{at}/order", [("group", "sales"), ("up", third)], at=at)
    assert await numbers(sandbox_world, who) == [first, third, second]
    dragged = [("group", "sales"), ("number", second), ("number", first), ("number", third)]
    await browser.post(f"{at}/order", dragged, at=at)
    assert await numbers(sandbox_world, who) == [second, first, third]
    await browser.post(f"{at}/order", [("group", "sales"), ("up", second), ("number", "331")], at=at)
    assert await numbers(sandbox_world, who) == [second, first, third]
    await browser.post(f"{at}/remove", {"group": "sales", "gone": first}, at=at)
    assert await numbers(sandbox_world, who) == [second, third]
    page = await browser.post(f"{at}/kind", {"group": "sales", "order": "round_robin"}, at=at)
    assert page.words("//option[@selected]") == ["Each begins with the next one"]


async def test_what_is_wrong_with_a_group_is_said_where_it_is(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    await a_group(browser)
    at = "/callbacks/groups"
    page = await browser.post(at, {"name": "sales"}, at=at)
    assert page.status == 422 and page.words("//*[@id='name-said']")
    page = await browser.post(f"{at}/operators", {"group": "sales", "number": "12"}, at=at)
    assert page.status == 422 and page.words("//*[contains(@id,'-number-said') and @class='wrong']")
    form = await a_form(sandbox_world, browser, who)
    await browser.post(f"/callbacks/forms/{form.ref}", fields(), at=at)
    page = await browser.post(f"{at}/delete", {"group": "sales"}, at=at)
    assert page.status == 422
    assert "A callback form rings this group. Give that form another one first." in page.text


async def test_a_form_is_made_and_says_what_it_does(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    await a_group(browser)
    form = await a_form(sandbox_world, browser, who)
    at = f"/callbacks/forms/{form.ref}"
    sent = fields(open_message="We call you.", label1="Order", confirms="1", mailbox="shop@example.com")
    page = await browser.post(at, sent, at=at)
    assert page.status == 200
    form = (await callbackforms.list_forms(sandbox_world.platform, who, ListForms()))[0]
    assert (form.open_group, form.labels, form.confirms, form.operator_seconds) == (
        *("sales", ("Order", "", ""), True, 20),
    )
    assert f'src="http://console.test/popup/{form.ref}.js"' in page.words("//pre")[0]
    page = await browser.get("/callbacks/forms")
    assert "rings sales" in page.text
    page = await browser.post(at, fields(operator_seconds="2", open_message="Kept"), at=at)
    assert page.status == 422 and page.words("//*[@id='operator_seconds-said' and @class='wrong']")
    assert page.find("//*[@id='open_message']/@value") == ["Kept"]


async def test_the_preview_shows_what_is_typed_and_writes_nothing(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    await a_group(browser)
    form = await a_form(sandbox_world, browser, who)
    at = f"/callbacks/forms/{form.ref}"
    typed = fields(name="Atelier", language="fr", label2="Taille", closed_message="Fermé.")
    page = await browser.post(f"{at}/preview", typed, at=at)
    assert page.words("//h2") == ["Atelier"]
    assert "Taille" in page.words("//label")
    page = await browser.post(f"{at}/preview", {**typed, "preview": "closed"}, at=at)
    assert page.words("//p")[0] == "Fermé."
    assert (await callbackforms.list_forms(sandbox_world.platform, who, ListForms()))[0].name == "Sales"


async def test_destinations_are_opened_and_closed(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    form = await a_form(sandbox_world, browser, who)
    at = f"/callbacks/forms/{form.ref}"

    async def allowed() -> tuple[str, ...] | None:
        return (await callbackforms.list_forms(sandbox_world.platform, who, ListForms()))[0].allowed

    page = await browser.post(f"{at}/destinations", {"what": "only", "codes": "FR_Mobile, ch_fixed"}, at=at)
    assert await allowed() == ("CH_Fixed", "FR_Mobile")
    assert "France, mobile" in page.words("//ul[contains(@class,'chips')]")[0]
    await browser.post(f"{at}/destinations", {"what": "less", "codes": "CH_Fixed"}, at=at)
    assert await allowed() == ("FR_Mobile",)
    page = await browser.post(f"{at}/destinations", {"what": "more", "codes": "Atlantis"}, at=at)
    assert page.status == 422 and page.words("//*[@id='codes-said' and @class='wrong']")
    await browser.post(f"{at}/destinations", {"what": "all"}, at=at)
    assert await allowed() is None


async def test_a_callback_is_asked_for_seen_and_called_off(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    await a_group(browser)
    form = await a_form(sandbox_world, browser, who)
    await browser.post(f"/callbacks/forms/{form.ref}", fields(), at="/callbacks")
    page = await browser.post("/callbacks", {"form": form.ref, "number": "12"}, at="/callbacks")
    assert page.status == 422 and page.words("//*[@id='number-said' and @class='wrong']")
    page = await browser.post("/callbacks", {"form": form.ref, "number": f"+{VISITOR}"}, at="/callbacks")
    assert page.words("//h1") == ["06 39 98 00 60"]
    page = await browser.get(f"/callbacks?form={form.ref}&state=waiting")
    assert len(page.find("//tbody/tr")) == 1
    (request,) = (await callbacks.list_callbacks(sandbox_world.platform, who, ListCallbacks())).items
    page = await browser.post(
        f"/callbacks/requests/{request.request.ref}/cancel",
        {},
        at=f"/callbacks/requests/{request.request.ref}",
    )
    assert "Nobody is called." in page.text and "Cancelled" in page.text


async def test_another_account_sees_nothing_of_it(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    form = await a_form(sandbox_world, browser, who)
    other = Browser(sandbox_world.chappe.application)
    await other.sign_up("lea@example.com")
    assert (await other.get(f"/callbacks/forms/{form.ref}")).status == 404
    for path in ("", "/preview", "/remove", "/destinations", "/files/header/remove"):
        page = await other.post(f"/callbacks/forms/{form.ref}{path}", fields(what="all"), at="/callbacks")
        assert page.status == 404, path
    assert "Sales" not in (await other.get("/callbacks/statistics")).text


def a_request(hour: int, state: CallbackState, **more: object) -> CallbackRequest:
    at = datetime(2026, 3, 2, hour, 15, tzinfo=UTC)
    usual: dict[str, object] = {
        **{
            "id": 1,
            "ref": "r",
            "account_id": 1,
            "form_id": 1,
            "number": 1,
            "visitor": VISITOR,
            "address": "",
        },
        **{"state": state, "source": CallbackSource.WIDGET, "dialect": "widget", "destination": "FR_Mobile"},
        **{"created_at": at, "due_at": at, "delay_seconds": 0, "tries": 1, "retry_seconds": 60},
        **{"longest_seconds": 600, "recorded": False},
    }
    return CallbackRequest(**(usual | more))  # type: ignore[arg-type]


def test_statistics_count_by_the_hour_of_the_forms_zone_and_by_operator() -> None:
    done = {"operator": OPERATORS[0], "waited_seconds": 10, "talk_seconds": 100, "ring_seconds": 5}
    requests = [
        a_request(8, CallbackState.DONE, **done),
        a_request(8, CallbackState.DONE, **{**done, "waited_seconds": 30}),
        a_request(8, CallbackState.MISSED),
        a_request(9, CallbackState.LEFT_MESSAGE),
        a_request(7, CallbackState.DONE, delay_seconds=3600, **{**done, "operator": OPERATORS[1]}),
    ]
    hours = callbackstatistics.by_hour(requests, ZoneInfo("Europe/Paris"))
    nine = hours[9]
    assert (nine.asked, nine.answered, nine.missed, nine.messages) == (4, 3, 1, 0)
    assert nine.waited_seconds == (10 + 30 + 10) / 3
    assert hours[10].messages == 1
    first, second = callbackstatistics.by_operator(requests)
    assert (first.number, first.answered, first.talk_seconds, first.waited_seconds) == (
        OPERATORS[0],
        2,
        200,
        20,
    )
    assert second.number == OPERATORS[1]
    assert callbackstatistics.handling_seconds(requests) == 105
    expected = callbackstatistics.expected(hours, 1, 105, 1)
    assert expected is not None and 0 < expected.wait_seconds < 60
    assert callbackstatistics.expected(callbackstatistics.by_hour([], ZoneInfo("UTC")), 1, 0, 1) is None


async def test_the_page_of_statistics_and_its_file(sandbox_world: World) -> None:
    browser, who = await signed_up(sandbox_world)
    assert "No form yet" in (await browser.get("/callbacks/statistics")).text
    await a_group(browser)
    form = await a_form(sandbox_world, browser, who)
    await browser.post("/callbacks", {"form": form.ref, "number": f"+{VISITOR}"}, at="/callbacks")
    page = await browser.get("/callbacks/statistics?operators=4")
    assert page.status == 200
    assert page.words("//*[@id='tiles']//dd")[0] == "1"
    assert len(page.find("//figure[@class='chart']")) == 2
    assert page.find("//*[@id='operators']/@value") == ["4"]
    page = await browser.get("/callbacks/statistics?since=2026-03-05&until=2026-03-01")
    assert page.status == 422 and page.words("//*[@id='since-said' and @class='wrong']")
    page = await browser.get(f"/callbacks/statistics.csv?form={form.ref}")
    (row,) = csv.DictReader(io.StringIO(page.text))
    assert tuple(row) == callbackstatistics.COLUMNS
    assert (row["visitor"], row["asked_at"], row["form"]) == (VISITOR, "2026-03-02T09:00:00+00:00", "Sales")
    assert "attachment" in page.headers["content-disposition"]


@pytest.mark.parametrize("sign", [*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"])
def test_a_spreadsheet_takes_what_visitors_wrote_for_text(sign: str) -> None:
    assert callbackstatistics._inert(f"{sign}HYPERLINK()") == f"'{sign}HYPERLINK()"
    assert callbackstatistics._inert(f"Léa{sign}") == f"Léa{sign}"
