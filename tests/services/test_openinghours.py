"""Opening hours of accounts: kept, changed one by one and at once, filled from calendars, asked."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from chappe.model.callbacks import ChangeForm, CreateForm
from chappe.model.commands import Replay
from chappe.model.errors import Fault, Refusal
from chappe.model.openinghours import (
    AddClosures,
    AddSpans,
    AskState,
    Change,
    Closure,
    CreateHours,
    Day,
    DeleteHours,
    FindHours,
    ImportClosures,
    ListHours,
    OpeningHours,
    RemoveClosures,
    RemoveSpans,
    ReplaceHours,
    Span,
    span,
)
from chappe.services import callbackforms, openinghours
from chappe.services.accounts import NewAccount
from tests.platform import START, World, caller
from tests.protocols.test_icalendar import calendar

MORNING, AFTERNOON = span(Day.MONDAY, "9:00", "12:00"), span(Day.MONDAY, "14:00", "18:00")
EASTER = Closure(date(2026, 4, 6), "Lundi de Pâques")


async def _find(world: World, shop: NewAccount, name: str = "shop") -> OpeningHours:
    return await openinghours.find(world.platform, caller(shop), FindHours(name))


async def test_created_read_listed_replaced_deleted(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    command = CreateHours("shop", [MORNING, AFTERNOON], [EASTER], "Europe/Zurich", "CH-GE")
    made = (await openinghours.create(world.platform, caller(shop), command)).hours
    assert (made.spans, made.closures, made.zone, made.region) == (
        (MORNING, AFTERNOON),
        (EASTER,),
        "Europe/Zurich",
        "CH-GE",
    )
    assert await _find(world, shop) == made
    with pytest.raises(Refusal, match="there are opening hours shop already") as told:
        await openinghours.create(world.platform, caller(shop), command)
    assert told.value.fault is Fault.ALREADY_EXISTS
    # another account's are its own
    with pytest.raises(Refusal, match="there are no opening hours shop"):
        await _find(world, other)
    await openinghours.create(world.platform, caller(other), CreateHours("shop"))
    page = await openinghours.list_hours(world.platform, caller(shop), ListHours())
    assert page.items == (made,)
    world.clock.move(minutes=1)
    replaced = await openinghours.replace_all(world.platform, caller(shop), ReplaceHours("shop", [AFTERNOON]))
    assert replaced == await _find(world, shop)
    assert (replaced.spans, replaced.closures, replaced.zone, replaced.region) == (
        (AFTERNOON,),
        (),
        "Europe/Paris",
        "",
    )
    assert (replaced.id, replaced.version) == (made.id, 2)
    assert (replaced.created_at, replaced.changed_at) == (START, START + timedelta(minutes=1))
    await openinghours.delete(world.platform, caller(shop), DeleteHours("shop"))
    with pytest.raises(Refusal) as gone:
        await openinghours.delete(world.platform, caller(shop), DeleteHours("shop"))
    assert gone.value.fault is Fault.NOT_FOUND
    assert (await _find(world, other)).spans == ()


async def test_hours_that_a_form_goes_by_stay(world: World) -> None:
    by = caller(await world.account())
    await openinghours.create(world.platform, by, CreateHours("shop"))
    form = await callbackforms.create(world.platform, by, CreateForm("help", {"hours": "shop"}))
    with pytest.raises(Refusal, match=r"callback form 1 \(help\) goes by shop") as caught:
        await openinghours.delete(world.platform, by, DeleteHours("shop"))
    assert caught.value.fault is Fault.NOT_ALLOWED
    await callbackforms.change(world.platform, by, ChangeForm(str(form.number), {"hours": ""}))
    await openinghours.delete(world.platform, by, DeleteHours("shop"))


async def test_a_repeated_request_creates_nothing(world: World) -> None:
    shop = await world.account()
    command = CreateHours("shop", [MORNING], replay=Replay("key", "fingerprint"))
    first = await openinghours.create(world.platform, caller(shop), command)
    again = await openinghours.create(world.platform, caller(shop), command)
    assert (again.hours, again.replayed) == (first.hours, True)
    other = CreateHours("else", replay=Replay("key", "another"))
    with pytest.raises(Refusal, match="was used for another request"):
        await openinghours.create(world.platform, caller(shop), other)


async def test_spans_one_by_one(world: World) -> None:
    shop = await world.account()
    made = await openinghours.add_spans(world.platform, caller(shop), AddSpans("maplage", [MORNING]))
    assert (made.spans, made.zone) == ((MORNING,), "Europe/Paris")
    both = await openinghours.add_spans(
        world.platform, caller(shop), AddSpans("maplage", [MORNING, AFTERNOON, AFTERNOON])
    )
    assert both.spans == (MORNING, AFTERNOON)
    with pytest.raises(Refusal, match="maplage has no span on monday from 09:00 to 12:30"):
        await openinghours.remove_spans(
            world.platform,
            caller(shop),
            RemoveSpans("maplage", [AFTERNOON, span(Day.MONDAY, "9:00", "12:30")]),
        )
    left = await openinghours.remove_spans(world.platform, caller(shop), RemoveSpans("maplage", [MORNING]))
    assert left.spans == (AFTERNOON,) == (await _find(world, shop, "maplage")).spans
    with pytest.raises(Refusal, match="there are no opening hours nowhere"):
        await openinghours.remove_spans(world.platform, caller(shop), RemoveSpans("nowhere", [MORNING]))


async def test_closed_days_one_by_one(world: World) -> None:
    shop = await world.account()
    first = Closure(date(2026, 5, 1))
    made = await openinghours.add_closures(world.platform, caller(shop), AddClosures("p", [first, EASTER]))
    assert made.closures == (EASTER, first)
    named = Closure(first.day, "Fête du travail")
    again = await openinghours.add_closures(world.platform, caller(shop), AddClosures("p", [named]))
    assert again.closures == (EASTER, named)
    left = await openinghours.remove_closures(world.platform, caller(shop), RemoveClosures("p", [EASTER.day]))
    assert left.closures == (named,)
    with pytest.raises(Refusal, match="p is not closed on 2026-04-06"):
        await openinghours.remove_closures(world.platform, caller(shop), RemoveClosures("p", [EASTER.day]))


async def test_nothing_is_lost_where_many_change_at_once(world: World) -> None:
    shop = await world.account()
    spans = [Span(day, 60 * hour, 60 * hour + 30) for day in (Day.MONDAY, Day.TUESDAY) for hour in range(6)]
    await asyncio.gather(
        *(openinghours.add_spans(world.platform, caller(shop), AddSpans("p", [one])) for one in spans)
    )
    found = await _find(world, shop, "p")
    assert sorted(found.spans) == spans
    assert found.version == len(spans)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (CreateHours("a b"), "'a b' cannot be a name"),
        (CreateHours("x" * 65), "cannot be a name"),
        (CreateHours("x", zone="Europe/Nowhere"), "'Europe/Nowhere' is no time zone"),
        (CreateHours("x", zone="../../etc/passwd"), "is no time zone"),
        (CreateHours("x", region="DE"), "'DE' is no region"),
        (CreateHours("x", [Span(Day.MONDAY, 5, 5)]), "monday from 00:05 to 00:05 is no span"),
        (CreateHours("x", [Span(Day.MONDAY, 0, 2000)]), "is no span"),
        (CreateHours("x", [Span(Day.MONDAY, 0, 60 + one) for one in range(201)]), "200 are the most"),
        (
            CreateHours("x", closures=[Closure(date(2026, 1, 1) + timedelta(one)) for one in range(1001)]),
            "1000 are the most",
        ),
        (CreateHours("x", closures=[Closure(date(2026, 1, 1), "n" * 101)]), "longer than 100 characters"),
    ],
)
async def test_what_cannot_be_kept(sandbox_world: World, command: CreateHours, words: str) -> None:
    shop = await sandbox_world.account()
    with pytest.raises(Refusal, match=words) as told:
        await openinghours.create(sandbox_world.platform, caller(shop), command)
    assert told.value.fault is Fault.INVALID_PARAMETER


async def test_an_account_has_a_hundred_at_most(sandbox_world: World) -> None:
    shop = await sandbox_world.account()
    for number in range(openinghours.MOST_HOURS):
        await openinghours.create(sandbox_world.platform, caller(shop), CreateHours(f"h{number}"))
    with pytest.raises(Refusal, match="100 opening hours, the most") as told:
        await openinghours.add_spans(sandbox_world.platform, caller(shop), AddSpans("more", [MORNING]))
    assert told.value.fault is Fault.NOT_ALLOWED


async def test_days_of_a_calendar(sandbox_world: World) -> None:
    world, shop = sandbox_world, await sandbox_world.account()
    await openinghours.add_closures(world.platform, caller(shop), AddClosures("p", [EASTER]))
    file = calendar(
        "SUMMARY:Inventaire\nDTSTART;VALUE=DATE:20260330\nDTEND;VALUE=DATE:20260401",
        "SUMMARY:Pâques\nDTSTART;VALUE=DATE:20260406",
        "SUMMARY:Passé\nDTSTART;VALUE=DATE:20260301",
        "SUMMARY:Déjeuner\nDTSTART:20260330T120000\nDTEND:20260330T140000",
    )
    command = ImportClosures("p", file)
    told = await openinghours.import_closures(world.platform, caller(shop), command)
    assert told.added == 2
    assert told.passed_over == ("Déjeuner: it fills no whole day",)
    assert told.hours.closures == (
        Closure(date(2026, 3, 30), "Inventaire"),
        Closure(date(2026, 3, 31), "Inventaire"),
        EASTER,
    )
    assert (await openinghours.import_closures(world.platform, caller(shop), command)).added == 0


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", Fault.EMPTY_CONTENT),
        (b"x" * (openinghours.MOST_BYTES + 1), Fault.MEDIA_TOO_LARGE),
        (b"hello", Fault.UNUSABLE_MEDIA),
        (b"\x00\xff" * 50, Fault.UNUSABLE_MEDIA),
    ],
)
async def test_what_is_no_calendar(sandbox_world: World, content: bytes, fault: Fault) -> None:
    shop = await sandbox_world.account()
    await openinghours.create(sandbox_world.platform, caller(shop), CreateHours("p"))
    with pytest.raises(Refusal) as told:
        await openinghours.import_closures(sandbox_world.platform, caller(shop), ImportClosures("p", content))
    assert told.value.fault is fault


async def test_open_or_not_and_until_when(world: World) -> None:
    shop = await world.account()
    await openinghours.create(world.platform, caller(shop), CreateHours("p", [MORNING, AFTERNOON]))
    # START is Monday, 10:00 in Paris
    now = await openinghours.state(world.platform, caller(shop), AskState("p"))
    assert now == (START, "Europe/Paris", True, Change(datetime(2026, 3, 2, 11, tzinfo=UTC), False))
    later = datetime(2026, 3, 2, 20, tzinfo=UTC)
    told = await openinghours.state(world.platform, caller(shop), AskState("p", later, "Asia/Tokyo"))
    assert told == (later, "Asia/Tokyo", False, Change(datetime(2026, 3, 9, 0, tzinfo=UTC), True))
    with pytest.raises(Refusal, match="is no time zone"):
        await openinghours.state(world.platform, caller(shop), AskState("p", later, "Mars/Olympus"))


async def test_the_timetable_is_at_hand_and_knows_what_changed_here(world: World) -> None:
    shop = await world.account()
    account_id = shop.account.id
    assert await openinghours.hours(world.platform, account_id, "p") is None
    await openinghours.add_spans(world.platform, caller(shop), AddSpans("p", [AFTERNOON]))
    first = await openinghours.hours(world.platform, account_id, "p")
    assert first is not None and not first.is_open(START)
    assert await openinghours.hours(world.platform, account_id, "p") is first
    await openinghours.add_spans(world.platform, caller(shop), AddSpans("p", [MORNING]))
    second = await openinghours.hours(world.platform, account_id, "p")
    assert second is not None and second.is_open(START)
    await openinghours.delete(world.platform, caller(shop), DeleteHours("p"))
    assert await openinghours.hours(world.platform, account_id, "p") is None
