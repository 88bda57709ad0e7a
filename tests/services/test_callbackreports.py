"""Reports of callbacks: which days they count by, and whose requests they show."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chappe.model.callbacks import (
    CreateForm,
    FormFile,
    KeptFormFile,
    ListFormsWithFiles,
    RemoveForm,
    ReportCallbacks,
    RequestCallback,
)
from chappe.model.changes import Changes
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.services import callbackforms, callbackreports, callbacks
from tests.platform import World, caller

LATER = timedelta(days=20)


async def a_form(world: World, who: Caller, **settings: object) -> str:
    form = await callbackforms.create(world.platform, who, CreateForm("Shop", settings))
    return str(form.number)


async def ask(world: World, who: Caller, form: str, *hours: datetime) -> None:
    """A request at each of these times, of visitors of their own."""
    for number, at in enumerate(hours):
        world.clock.at = at
        command = RequestCallback(form, str(33639980100 + number), delay=LATER)
        await callbacks.request(world.platform, who, command)


async def told(world: World, who: Caller, *asked: object, **more: object) -> list[int]:
    command = ReportCallbacks(*asked, **more)  # type: ignore[arg-type]
    return [story.request.number for story in await callbackreports.report(world.platform, who, command)]


MIDNIGHT = datetime(2026, 3, 28, 23, tzinfo=UTC)  # of the 29th in Paris, whose clocks go forward that night


async def test_days_are_those_of_the_form_s_zone_through_a_change_of_clock(world: World) -> None:
    who = caller(await world.account())
    form = await a_form(world, who)
    second, day = timedelta(seconds=1), timedelta(hours=23)
    await ask(world, who, form, MIDNIGHT - second, MIDNIGHT, MIDNIGHT + day - second, MIDNIGHT + day)
    the_day = date(2026, 3, 29)
    assert await told(world, who, form, the_day, the_day) == [2, 3]
    assert await told(world, who, form, None, the_day) == [2, 3]
    assert await told(world, who, form, date(2026, 3, 28), the_day) == [1, 2, 3]
    assert await told(world, who, form) == [4]  # today
    assert await told(world, who, form, the_day) == [2, 3, 4]
    assert await told(world, who, form, date(2026, 4, 1)) == []
    assert await told(world, who, form, date.min, date.max) == [1, 2, 3, 4]
    elsewhere = await a_form(world, who, zone="America/New_York")
    await ask(world, who, elsewhere, MIDNIGHT)
    assert await told(world, who, elsewhere, None, date(2026, 3, 28)) == [5]


async def test_one_request_is_told_by_its_number_whatever_its_day(world: World) -> None:
    who = caller(await world.account())
    one, two = await a_form(world, who), await a_form(world, who)
    await ask(world, who, one, MIDNIGHT, MIDNIGHT + timedelta(days=3))
    assert await told(world, who, one, request="1") == [1]
    for form, request in ((two, "1"), (one, "3"), (one, "x"), (one, "9" * 30)):
        with pytest.raises(Refusal) as caught:
            await told(world, who, form, request=request)
        assert (caught.value.fault, caught.value.field) == (Fault.NOT_FOUND, "request")


async def test_a_form_that_was_removed_is_still_reported_and_another_account_s_is_not(world: World) -> None:
    owner, thief = caller(await world.account("owner")), caller(await world.account("thief"))
    form = await a_form(world, owner)
    await ask(world, owner, form, world.clock.at)
    await callbackforms.remove(world.platform, owner, RemoveForm(form))
    assert await told(world, owner, form) == [1]
    said = []
    for unknown in (form, "77"):
        with pytest.raises(Refusal) as caught:
            await told(world, thief, unknown)
        said.append((caught.value.fault, caught.value.detail.replace(unknown, "?")))
    assert said[0] == said[1] and said[0][0] is Fault.NOT_FOUND


async def test_a_report_is_whole_or_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = caller(await world.account())
    form = await a_form(world, who)
    await ask(world, who, form, *[world.clock.at] * 5)
    monkeypatch.setattr(callbackreports, "_AT_ONCE", 2)
    assert await told(world, who, form) == [1, 2, 3, 4, 5]
    monkeypatch.setattr(callbackreports, "MOST_REQUESTS", 4)
    with pytest.raises(Refusal) as caught:
        await told(world, who, form)
    assert caught.value.fault is Fault.CONTENT_TOO_LONG


async def test_forms_are_listed_with_the_names_of_their_files(world: World) -> None:
    who = caller(await world.account())
    one, two = await a_form(world, who), await a_form(world, who)
    form = await callbackforms.form_of(world.platform, who.account_id, two)
    assert form is not None
    kept = KeptFormFile(
        1, "r", who.account_id, form.id, FormFile.STYLE, "a.css", "text/css", 9, form.created_at
    )
    await world.platform.store.commit(Changes(insert=[kept]))
    listed = await callbackreports.list_with_files(world.platform, who, ListFormsWithFiles())
    assert [(str(told.form.number), dict(told.files)) for told in listed] == [
        (one, {}),
        (two, {FormFile.STYLE: "a.css"}),
    ]
