"""Announcements on virtual telephones: who hears what, who is rung when and how often, what is written, told,
held and charged."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
import pytest

from chappe.media import pcm, tones
from chappe.model.announcements import (
    AnnouncementState,
    AnnouncementStory,
    CancelAnnouncement,
    FindAnnouncement,
    Hours,
    ListAnnouncements,
    OnMachine,
    OnPerson,
    Reason,
    Recipient,
    RecipientState,
    SendAnnouncement,
)
from chappe.model.calls import CallOutcome
from chappe.model.commands import BlockNumber, ListCalls, PlaceCall, Replay, SetBehaviour, Subscribe
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.limits import CallLimits
from chappe.model.sounds import Speech, Uploaded
from chappe.services import announcements, calls, inbox, sandbox, subscriptions
from chappe.services.accounts import NewAccount
from chappe.services.closing import close_abandoned
from tests.platform import START, World, caller

A, B, C, D = (f"3363998000{n}" for n in range(1, 5))
TEXT = "x" * 500  # hummed for ten seconds
WAITING, CALLING, REACHED = RecipientState.WAITING, RecipientState.CALLING, RecipientState.REACHED
MISSED, CANCELLED = RecipientState.MISSED, RecipientState.CANCELLED


class Sent:
    """An announcement under test."""

    def __init__(self, world: World, shop: NewAccount, ref: str) -> None:
        self.world, self.shop, self.ref = world, shop, ref

    async def story(self) -> AnnouncementStory:
        who = caller(self.shop)
        return await announcements.find(self.world.platform, who, FindAnnouncement(self.ref))

    async def state(self) -> AnnouncementState:
        return (await self.story()).announcement.state

    async def of(self, number: str) -> Recipient:
        return next(one for one in (await self.story()).recipients if one.number == number)

    async def states(self) -> dict[str, RecipientState]:
        return {one.number: one.state for one in (await self.story()).recipients}

    async def passes(self, seconds: float) -> None:
        """Time passes, and the queue works second by second."""
        while seconds > 0:
            await self.world.wait(min(1, seconds))
            await self.world.settle()
            seconds -= 1

    async def cancel(self) -> None:
        await announcements.cancel(self.world.platform, caller(self.shop), CancelAnnouncement(self.ref))
        await self.world.settle()


async def send(world: World, shop: NewAccount, *numbers: str, **asked: Any) -> Sent:
    asked = {"sound": Speech(TEXT), **asked}
    command = SendAnnouncement(numbers, **asked)
    story = await announcements.send(world.platform, caller(shop), command)
    await world.settle()
    return Sent(world, shop, story.announcement.ref)


async def behave(world: World, shop: NewAccount, number: str, **how: object) -> None:
    await sandbox.set_behaviour(world.platform, caller(shop), SetBehaviour(number, how))


async def held(world: World, shop: NewAccount) -> tuple[int, int]:
    account = await world.platform.store.queries.account(shop.account.id)
    assert account is not None
    return account.balance, account.reserved


async def open_calls(world: World, shop: NewAccount) -> int:
    limits = CallLimits(shop.account.id, world.clock.at, at_once=1)
    return (await world.platform.store.queries.call_counts(limits)).at_once


async def test_a_person_hears_it_and_pays_for_it(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer", answer_after_ms=2000)
    sent = await send(world, shop, A)
    assert await sent.state() is AnnouncementState.RUNNING
    assert await sent.states() == {A: CALLING}
    # Ten seconds to listen, sixty of a greeting, the message and a pause: 81 seconds at a credit a minute.
    assert await held(world, shop) == (200_000, 1350)
    await sent.passes(15)
    found = await sent.of(A)
    assert (found.state, found.machine, found.seconds, found.price) == (REACHED, False, 10, 167)
    story = await sent.story()
    assert (story.announcement.state, story.count.price) == (AnnouncementState.OVER, 167)
    assert await held(world, shop) == (200_000 - 167, 0)
    (call,) = (await calls.list_calls(world.platform, caller(shop), ListCalls())).items
    assert (call.call.outcome, call.call.price) == (CallOutcome.ANSWERED, 167)


async def test_it_is_left_after_the_tone_of_a_machine(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="machine", greeting="y" * 300)  # six seconds, and a beep of half a one
    sent = await send(world, shop, A, times=3)
    await sent.passes(5)
    assert (await sent.of(A)).state is CALLING
    await sent.passes(13)
    found = await sent.of(A)
    assert (found.state, found.machine, found.seconds) == (REACHED, True, 10)
    assert found.price == 284  # 17 seconds that were begun


@pytest.mark.parametrize(
    ("how", "setting", "reason"),
    [
        ("machine", {"on_machine": OnMachine.HANG_UP}, Reason.MACHINE),
        ("answer", {"on_person": OnPerson.HANG_UP}, Reason.PERSON),
        ("busy", {}, Reason.BUSY),
        ("reject", {}, Reason.REFUSED),
        ("unreachable", {}, Reason.UNREACHABLE),
        ("no_answer", {}, Reason.NO_ANSWER),
    ],
)
async def test_who_is_not_reached_says_why(
    world: World, how: str, setting: dict[str, Any], reason: Reason
) -> None:
    shop = await world.account()
    await behave(world, shop, A, call=how)
    sent = await send(world, shop, A, **setting)
    await sent.passes(32)
    found = await sent.of(A)
    assert (found.state, found.reason, found.seconds) == (MISSED, reason, 0)
    assert await sent.state() is AnnouncementState.OVER


async def test_an_answer_is_noted_and_a_key_repeats_the_message(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer", keys="5*2", keys_after_ms=4000)
    sent = await send(world, shop, A, repeat_key="*", answer_keys="12")
    await sent.passes(6)
    found = await sent.of(A)
    assert (found.state, found.key, found.seconds) == (REACHED, "2", 4)


async def test_a_key_tells_that_a_person_has_answered(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer", keys="1", keys_after_ms=2000)
    await behave(world, shop, B, call="answer")
    sent = await send(world, shop, A, B, answer_keys="1", on_machine=OnMachine.PLAY)
    await sent.passes(22)
    assert ((await sent.of(A)).machine, (await sent.of(B)).machine) == (False, None)


async def test_nobody_is_forgotten_who_does_not_press_a_key(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer")
    sent = await send(world, shop, A, answer_keys="1")
    await sent.passes(25)
    found = await sent.of(A)
    assert (found.state, found.key, found.seconds) == (REACHED, "", 10)
    assert found.price == 334  # the ten seconds in which a key was awaited, too


def hummed(frames: list[bytes]) -> list[float]:
    """When a telephone hears the message, in seconds since it was answered."""
    told = (place for place, frame in enumerate(frames) if tones.strength(frame, 300) > 0.5)
    return [place * pcm.FRAME_SECONDS for place in told]


@pytest.mark.parametrize(("does", "begins"), [("answer", 0.0), ("machine", 6.5)])
async def test_the_message_is_heard_as_long_as_it_is(world: World, does: str, begins: float) -> None:
    """By its content; at a machine from the end of its tone on, and nothing of it before."""
    shop = await world.account()
    await behave(world, shop, A, call=does, answer_after_ms=1000, greeting="y" * 300)
    sent = await send(world, shop, A)
    frames: list[bytes] = []
    (leg,) = await world.platform.store.queries.legs_of_number(shop.account.id, A, 1)
    await world.wait(1)  # it answers
    ear = world.platform.live_calls.telephones.listen(leg.id, lambda frame: frames.append(frame or b""))
    await sent.passes(18)
    ear.close()
    assert (await sent.of(A)).state is REACHED
    heard = hummed(frames)
    assert len(heard) * pcm.FRAME_SECONDS == pytest.approx(10, abs=0.1)
    assert (heard[0], heard[-1]) == (pytest.approx(begins, abs=0.1), pytest.approx(begins + 10, abs=0.1))


# --- again


async def test_who_is_busy_is_rung_again_after_a_while(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="busy")
    sent = await send(world, shop, A, attempts=2, pause=timedelta(minutes=5))
    await sent.passes(1)
    found = await sent.of(A)
    assert (found.state, found.reason, found.attempts) == (WAITING, Reason.BUSY, 1)
    assert found.due_at == START + timedelta(minutes=5)
    await behave(world, shop, A, call="answer")
    await world.wait(290)
    await sent.passes(25)
    found = await sent.of(A)
    assert (found.state, found.reason, found.attempts) == (REACHED, None, 2)


async def test_attempts_come_to_an_end(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="busy")
    sent = await send(world, shop, A, attempts=3, pause=timedelta(minutes=1))
    await sent.passes(130)
    found = await sent.of(A)
    assert (found.state, found.reason, found.attempts) == (MISSED, Reason.BUSY, 3)
    assert await sent.state() is AnnouncementState.OVER


async def test_nobody_is_rung_again_after_its_end(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="busy")
    sent = await send(
        world, shop, A, attempts=3, pause=timedelta(minutes=3), ends_at=START + timedelta(minutes=2)
    )
    await sent.passes(2)
    assert (await sent.of(A)).state is MISSED
    assert await sent.state() is AnnouncementState.OVER


# --- when


async def test_it_waits_for_its_date(world: World) -> None:
    shop = await world.account()
    sent = await send(world, shop, A, starts_at=START + timedelta(hours=2))
    assert await sent.state() is AnnouncementState.PLANNED
    await world.wait(7100)
    await world.settle()
    assert await sent.states() == {A: WAITING}
    await sent.passes(101)
    assert await sent.states() == {A: CALLING}


async def test_it_waits_for_the_hours_of_the_day(world: World) -> None:
    shop = await world.account()
    # It is nine in London, and ten in Paris.
    sent = await send(world, shop, A, hours=Hours(time(14), time(16)))
    assert await sent.states() == {A: WAITING}
    await world.wait(4 * 3600 - 10)
    await world.settle()
    assert await sent.states() == {A: WAITING}
    await sent.passes(11)
    assert await sent.states() == {A: CALLING}


async def test_who_was_not_rung_in_time_is_not_rung(world: World) -> None:
    shop = await world.account()
    numbers = [f"336399801{n:02}" for n in range(25)]  # which ring until somebody answers
    end = START + timedelta(seconds=20)
    sent = await send(world, shop, *numbers, ends_at=end)
    await sent.passes(20)
    states = list((await sent.states()).values())
    assert (states.count(CALLING), states.count(MISSED)) == (20, 5)
    assert (await sent.of(numbers[-1])).reason is Reason.EXPIRED
    await sent.passes(15)
    assert await sent.state() is AnnouncementState.OVER
    assert (await sent.of(numbers[0])).reason is Reason.NO_ANSWER


@pytest.mark.parametrize(
    ("hours", "at", "opens"),
    [
        (Hours(time(9), time(18)), "2026-03-02T12:00", "2026-03-02T12:00"),
        (Hours(time(9), time(18)), "2026-03-02T05:00", "2026-03-02T08:00"),
        (Hours(time(9), time(18)), "2026-03-02T17:00", "2026-03-03T08:00"),
        (Hours(time(9), time(18)), "2026-07-01T17:00", "2026-07-02T07:00"),
        (Hours(time(22), time(6)), "2026-03-02T22:30", "2026-03-02T22:30"),
        (Hours(time(22), time(6)), "2026-03-02T04:00", "2026-03-02T04:00"),
        (Hours(time(22), time(6)), "2026-03-02T06:00", "2026-03-02T21:00"),
        # In the night in which clocks are put forward there is no half past two.
        (Hours(time(2, 30), time(4)), "2026-03-29T00:00", "2026-03-29T01:30"),
    ],
)
def test_hours_open_by_the_clock_of_their_zone(hours: Hours, at: str, opens: str) -> None:
    found = hours.opens(datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(opens).replace(tzinfo=UTC)


# --- how many


async def test_a_batch_waits_for_its_turn(world: World) -> None:
    shop = await world.account(credits=500)
    numbers = [f"336399801{n:02}" for n in range(50)]
    for number in numbers:
        await behave(world, shop, number, call="answer")
    sent = await send(world, shop, *numbers)
    most = await open_calls(world, shop)
    assert most == 20
    for _ in range(60):
        await sent.passes(1)
        most = max(most, await open_calls(world, shop))
    assert most == 20
    story = await sent.story()
    assert story.count.states == {REACHED: 50}
    assert story.announcement.state is AnnouncementState.OVER
    assert await held(world, shop) == (500_000 - story.count.price, 0)


async def test_thousands_are_taken_and_rung(world: World) -> None:
    shop = await world.account(credits=5000)
    numbers = [f"3363998{n:04}" for n in range(2000)]
    await behave(world, shop, numbers[0], call="busy")
    sent = await send(world, shop, *numbers)
    story = await sent.story()
    assert story.announcement.count == 2000
    assert len(story.recipients) == 100
    page = FindAnnouncement(sent.ref, cursor=story.next_cursor)
    following = await announcements.find(world.platform, caller(shop), page)
    assert [one.number for one in following.recipients] == numbers[100:200]
    await sent.cancel()
    assert (await sent.story()).count.of(CANCELLED) >= 1979


async def test_it_waits_while_its_calls_hold_the_credits(world: World) -> None:
    shop = await world.account(credits=2)
    for number in (A, B, C):
        await behave(world, shop, number, call="answer")
    sent = await send(world, shop, A, B, C)
    assert list((await sent.states()).values()) == [CALLING, CALLING, WAITING]
    await sent.passes(40)
    assert set((await sent.states()).values()) == {REACHED}


async def test_credits_that_are_gone_are_said_to_who_waits(world: World) -> None:
    shop = await world.account(credits=1)
    await behave(world, shop, A, call="answer")
    sent = await send(world, shop, A, starts_at=START + timedelta(seconds=5))
    await calls.place(world.platform, caller(shop), PlaceCall(B, C))  # holds all of it
    await sent.passes(7)
    found = await sent.of(A)
    assert (found.state, found.reason) == (MISSED, Reason.CREDIT)


# --- who may not be called


@pytest.mark.parametrize(
    ("numbers", "asked", "fault", "field"),
    [
        ((), {}, Fault.NO_RECIPIENT, "to"),
        ((A, "112"), {}, Fault.DESTINATION_FORBIDDEN, "to[1]"),
        ((A, "0899123456"), {}, Fault.DESTINATION_FORBIDDEN, "to[1]"),
        ((A, "12"), {}, Fault.INVALID_RECIPIENT, "to[1]"),
        ((A,), {"sound": Speech(" ")}, Fault.EMPTY_CONTENT, "say"),
        ((A,), {"sound": Speech("x" * 2001)}, Fault.CONTENT_TOO_LONG, "say"),
        ((A,), {"sound": Uploaded("0" * 26)}, Fault.NOT_FOUND, "id"),
        ((A,), {"shown": "33142000000"}, Fault.INVALID_SENDER, "shown"),
        ((A,), {"repeat_key": "a"}, Fault.INVALID_PARAMETER, "repeat_key"),
        ((A,), {"repeat_key": "1", "answer_keys": "12"}, Fault.INVALID_PARAMETER, "answer_keys"),
        ((A,), {"times": 9}, Fault.INVALID_PARAMETER, "times"),
        ((A,), {"attempts": 0}, Fault.INVALID_PARAMETER, "attempts"),
        ((A,), {"ring": timedelta(seconds=1)}, Fault.INVALID_PARAMETER, "ring"),
        ((A,), {"pause": timedelta(days=2)}, Fault.INVALID_PARAMETER, "pause"),
        ((A,), {"starts_at": START + timedelta(days=400)}, Fault.INVALID_PARAMETER, "starts_at"),
        ((A,), {"ends_at": START}, Fault.INVALID_PARAMETER, "ends_at"),
        ((A,), {"ends_at": START + timedelta(days=32)}, Fault.INVALID_PARAMETER, "ends_at"),
        ((A,), {"hours": Hours(time(9), time(10), "Europe/Nowhere")}, Fault.INVALID_PARAMETER, "hours"),
        (
            (A,),
            {"hours": Hours(time(20), time(21)), "ends_at": START + timedelta(hours=2)},
            Fault.INVALID_PARAMETER,
            "hours",
        ),
        (
            (A,),
            {"on_machine": OnMachine.HANG_UP, "on_person": OnPerson.HANG_UP},
            Fault.INVALID_PARAMETER,
            "on_person",
        ),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_is_written(
    world: World, numbers: tuple[str, ...], asked: dict[str, Any], fault: Fault, field: str
) -> None:
    shop = await world.account()
    with pytest.raises(Refusal) as refused:
        await send(world, shop, *numbers, **asked)
    assert (refused.value.fault, refused.value.field) == (fault, field)
    page = await announcements.list_announcements(world.platform, caller(shop), ListAnnouncements())
    assert page.items == ()


async def test_credits_must_pay_it_once_to_everybody(world: World) -> None:
    shop = await world.account(credits=1)
    with pytest.raises(Refusal) as refused:
        await send(world, shop, *(f"336399801{n:02}" for n in range(7)))
    assert refused.value.fault is Fault.INSUFFICIENT_CREDITS
    await send(world, shop, *(f"336399801{n:02}" for n in range(5)))


async def test_who_does_not_want_to_be_called_is_not(world: World) -> None:
    shop = await world.account()
    sent = await send(world, shop, A, B, starts_at=START + timedelta(minutes=1))
    await inbox.block_number(world.platform, caller(shop), BlockNumber(B))
    with pytest.raises(Refusal) as refused:
        await send(world, shop, A, B)
    assert refused.value.fault is Fault.BLACKLISTED
    await sent.passes(61)
    found = await sent.of(B)
    assert (found.state, found.reason) == (MISSED, Reason.FORBIDDEN)
    assert B in found.detail


# --- what is told, asked twice, cancelled, interrupted


async def test_subscribers_are_told_what_became_of_each(world: World) -> None:
    shop = await world.account()
    await behave(world, shop, A, call="answer", keys="1", keys_after_ms=3000)
    await behave(world, shop, B, call="busy")
    events = tuple(name for name in EventName if name.startswith("announcement."))
    await subscriptions.subscribe(world.platform, caller(shop), Subscribe("http://127.0.0.1/told", events))
    sent = await send(world, shop, A, B, answer_keys="1", reference="colis")
    await sent.passes(6)
    told = [msgspec.json.decode(one.body) for one in world.web.sent]
    assert sorted(one["type"] for one in told) == [
        "announcement.ended",
        "announcement.recipient_done",
        "announcement.recipient_done",
        "announcement.started",
    ]
    done = {one["data"]["recipient"]["number"]: one["data"] for one in told if "recipient" in one["data"]}
    assert done[A]["recipient"]["key"] == "1"
    assert done[B]["recipient"]["reason"] == "busy"
    assert done[A]["announcement"] == {"id": sent.ref, "name": "", "reference": "colis"}
    ended = next(one["data"] for one in told if one["type"] == "announcement.ended")
    assert ended["counts"]["reached"] == 1
    assert ended["state"] == "over"


async def test_the_same_key_sends_nothing_twice(world: World) -> None:
    shop = await world.account()
    sent = await send(world, shop, A, replay=Replay("k", "f"))
    again = await announcements.send(
        world.platform, caller(shop), SendAnnouncement((A,), Speech(TEXT), replay=Replay("k", "f"))
    )
    assert again.replayed
    assert again.announcement.ref == sent.ref
    assert await open_calls(world, shop) == 1


async def test_whom_nobody_has_rung_is_not_rung_once_it_is_cancelled(world: World) -> None:
    shop = await world.account()
    numbers = [f"336399801{n:02}" for n in range(22)]
    await behave(world, shop, numbers[0], call="answer", answer_after_ms=5000)
    sent = await send(world, shop, *numbers, attempts=3)
    await sent.cancel()
    assert await sent.state() is AnnouncementState.CANCELLED
    states = list((await sent.states()).values())
    assert (states.count(CALLING), states.count(CANCELLED)) == (20, 2)
    await sent.passes(32)
    story = await sent.story()
    assert story.announcement.over_at is not None
    assert story.count.states == {REACHED: 1, MISSED: 19, CANCELLED: 2}
    with pytest.raises(Refusal) as refused:
        await sent.cancel()
    assert refused.value.fault is Fault.TOO_LATE


async def test_what_is_planned_is_over_when_it_is_cancelled(world: World) -> None:
    shop = await world.account()
    sent = await send(world, shop, A, starts_at=START + timedelta(days=30))
    await sent.cancel()
    story = await sent.story()
    assert (story.announcement.over_at, story.count.states) == (START, {CANCELLED: 1})


async def test_what_a_crash_interrupts_is_not_rung_again(world: World) -> None:
    shop = await world.account()
    numbers = [f"336399801{n:02}" for n in range(22)]
    await behave(world, shop, numbers[0], call="answer")
    sent = await send(world, shop, *numbers, attempts=3, pause=timedelta(minutes=1))
    await sent.passes(3)
    # The process dies: nobody works its calls any more, and its jobs are free.
    board = world.chappe.switchboard
    for live in list(board._index.calls.values()):
        assert live.task is not None
        live.task.cancel()
    board._index.calls.clear()
    world.clock.move(seconds=30)
    await close_abandoned(world.platform, world.clock.now() - timedelta(seconds=10))
    await world.settle()
    found = await sent.of(numbers[0])
    # The call is taken to have ended when its node last said that it works it: at its beginning.
    assert (found.state, found.machine, found.price) == (RecipientState.INTERRUPTED, False, 0)
    states = list((await sent.states()).values())
    assert (states.count(RecipientState.INTERRUPTED), states.count(CALLING)) == (20, 2)
    await sent.passes(230)
    story = await sent.story()
    assert story.count.states == {RecipientState.INTERRUPTED: 20, MISSED: 2}
    assert {one.attempts for one in story.recipients if one.state is MISSED} == {3}
    assert (await held(world, shop))[1] == 0
    assert story.announcement.state is AnnouncementState.OVER


async def test_accounts_see_nothing_of_one_another(world: World) -> None:
    shop, other = await world.account(), await world.account("other")
    sent = await send(world, shop, A)
    for command in (
        announcements.find(world.platform, caller(other), FindAnnouncement(sent.ref)),
        announcements.cancel(world.platform, caller(other), CancelAnnouncement(sent.ref)),
    ):
        with pytest.raises(Refusal) as refused:
            await command
        assert refused.value.fault is Fault.NOT_FOUND
