"""What every voice carrier does, whatever its network: rings, joins, plays, records, hears, and says how it
ended."""

import asyncio
from pathlib import Path

import pytest

from chappe.media import tones, wav
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.model.errors import CarrierError
from chappe.model.sounds import Tone
from chappe.services.ports import RecordWanted
from tests.carriers.voice.far import Far, called, leg_to

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOW, HIGH = 440.0, 1300.0
ROOM = 7
KEYS = "1234567890*#"


def loud(samples: bytes, hertz: float) -> bool:
    """Whether a tone is in a sound for at least a third of it."""
    return tones.strength(samples, hertz) > 0.33


async def test_a_telephone_rings_is_answered_and_hung_up(far: Far) -> None:
    telephone = await far.telephone()
    leg = leg_to(far, telephone.number, shown="33639980099")
    await far.carrier.dial(leg, 30)
    assert (await telephone.rings()).lstrip("+") == "33639980099"
    await far.told.event(leg, LegEventKind.RINGING)
    await telephone.answer()
    answered = await far.told.event(leg, LegEventKind.ANSWERED)
    assert not answered.machine
    await telephone.hang_up()
    assert (await far.told.event(leg, LegEventKind.ENDED)).cause is HangUpCause.NORMAL
    kinds = [one.kind for one in far.told.events if one.kind in tuple(LegEventKind)[:3]]
    assert kinds == [LegEventKind.RINGING, LegEventKind.ANSWERED, LegEventKind.ENDED]


async def test_a_number_may_be_hidden(far: Far) -> None:
    telephone = await far.telephone()
    leg = leg_to(far, telephone.number, shown="")
    await far.carrier.dial(leg, 30)
    assert await telephone.rings() == ""


async def test_we_hang_up(far: Far) -> None:
    telephone = await far.telephone()
    leg = await called(far, telephone)
    await far.carrier.hang_up(leg.id, HangUpCause.TIME_LIMIT)
    assert (await far.told.event(leg, LegEventKind.ENDED)).cause is HangUpCause.TIME_LIMIT
    await telephone.stops()


async def test_a_call_that_rings_is_given_up(far: Far) -> None:
    telephone = await far.telephone()
    leg = leg_to(far, telephone.number)
    await far.carrier.dial(leg, 30)
    await telephone.rings()
    await far.carrier.hang_up(leg.id, HangUpCause.CANCELLED)
    assert (await far.told.event(leg, LegEventKind.ENDED)).cause is HangUpCause.CANCELLED
    await telephone.stops()


async def test_nobody_answers(far: Far) -> None:
    telephone = await far.telephone()
    leg = leg_to(far, telephone.number)
    await far.carrier.dial(leg, 1)
    await telephone.rings()
    assert (await far.told.event(leg, LegEventKind.ENDED)).cause is HangUpCause.NO_ANSWER
    await telephone.stops()


async def test_a_call_is_turned_away(far: Far) -> None:
    telephone = await far.telephone()
    leg = leg_to(far, telephone.number)
    await far.carrier.dial(leg, 30)
    await telephone.rings()
    cause = await telephone.turn_away()
    assert (await far.told.event(leg, LegEventKind.ENDED)).cause is cause


@pytest.mark.parametrize("cause", [HangUpCause.BUSY, HangUpCause.REJECTED, HangUpCause.UNREACHABLE])
async def test_a_number_says_why_it_does_not_answer(far: Far, cause: HangUpCause) -> None:
    leg = leg_to(far, await far.number_that_is(cause))
    try:
        await far.carrier.dial(leg, 30)
    except CarrierError:
        assert cause is HangUpCause.UNREACHABLE
    else:
        assert (await far.told.event(leg, LegEventKind.ENDED)).cause is cause


async def test_two_who_are_joined_hear_one_another_until_one_is_muted_or_parted(far: Far) -> None:
    one, other = await far.telephone(LOW), await far.telephone(HIGH)
    legs = [await called(far, one), await called(far, other)]
    await far.carrier.bridge(ROOM, [leg.id for leg in legs])
    await asyncio.gather(*(telephone.heard(0.5) for telephone in (one, other)))
    at_one, at_other = await asyncio.gather(one.heard(1), other.heard(1))
    assert loud(at_one, HIGH) and not loud(at_one, LOW)
    assert loud(at_other, LOW) and not loud(at_other, HIGH)

    await far.carrier.mute(legs[0].id, True)
    await other.heard(0.5)
    at_one, at_other = await asyncio.gather(one.heard(1), other.heard(1))
    assert loud(at_one, HIGH)
    assert not loud(at_other, LOW)

    await far.carrier.mute(legs[0].id, False)
    await other.heard(0.5)
    assert loud(await other.heard(1), LOW)
    await far.carrier.part(legs[0].id)
    await other.heard(0.5)
    at_one, at_other = await asyncio.gather(one.heard(1), other.heard(1))
    assert not loud(at_one, HIGH) and not loud(at_other, LOW)


async def test_keys_both_ways(far: Far) -> None:
    telephone = await far.telephone()
    leg = await called(far, telephone)
    await telephone.heard(0.5)
    await telephone.press(KEYS)
    assert await far.told.keys(leg, len(KEYS)) == KEYS
    await far.carrier.send_keys(leg.id, KEYS)
    assert await telephone.was_pressed(len(KEYS)) == KEYS


async def test_what_is_played_is_heard_until_it_ends_or_is_stopped(far: Far) -> None:
    telephone = await far.telephone()
    leg = await called(far, telephone)
    await far.carrier.play(leg.id, Tone.RINGBACK)
    await telephone.heard(0.3)
    assert loud(await telephone.heard(0.8), 440)
    await far.carrier.stop(leg.id)
    await telephone.heard(0.5)
    assert not loud(await telephone.heard(2), 440)
    assert all(one.kind is not LegEventKind.PLAYED for one in far.told.events)
    await far.carrier.play(leg.id, Tone.BEEP)
    heard, _ = await asyncio.gather(telephone.heard(1), far.told.event(leg, LegEventKind.PLAYED))
    assert loud(heard, 1000)


async def test_a_room_and_a_leg_are_recorded(far: Far) -> None:
    one, other = await far.telephone(LOW), await far.telephone(HIGH)
    legs = [await called(far, one), await called(far, other)]
    await far.carrier.bridge(ROOM, [leg.id for leg in legs])
    await far.carrier.record(21, RecordWanted(None, ROOM, 60))
    await far.carrier.record(22, RecordWanted(legs[0].id, ROOM, 60))
    await one.heard(2)
    await far.carrier.stop_record(22)
    of_leg = await far.told.recording(22)
    assert of_leg.seconds > 1
    await one.hang_up()
    await far.told.event(legs[0], LegEventKind.ENDED)
    await far.carrier.hang_up(legs[1].id, HangUpCause.NORMAL)
    of_room = await far.told.recording(21)  # ends with its last leg
    sound = wav.read(Path(of_room.path))
    assert tones.strength(sound, LOW) > 0.2 and tones.strength(sound, HIGH) > 0.2
    sound = wav.read(Path(of_leg.path))
    assert loud(sound, LOW) and not loud(sound, HIGH)


async def test_a_message_ends_with_a_key(far: Far) -> None:
    telephone = await far.telephone(LOW)
    leg = await called(far, telephone)
    await far.carrier.record(23, RecordWanted(leg.id, ROOM, 60, ends_on_key=True))
    await telephone.heard(0.5)
    await telephone.press("#")
    assert (await far.told.recording(23)).key == "#"


async def test_a_message_ends_after_its_longest_time(far: Far) -> None:
    telephone = await far.telephone(LOW)
    leg = await called(far, telephone)
    await far.carrier.record(24, RecordWanted(leg.id, ROOM, 1))
    assert (await far.told.recording(24)).seconds == pytest.approx(1, abs=0.1)


async def test_an_announcement_is_heard_by_all_of_a_room(far: Far) -> None:
    one, other = await far.telephone(), await far.telephone()
    legs = [await called(far, telephone) for telephone in (one, other)]
    await far.carrier.bridge(ROOM, [leg.id for leg in legs])
    await far.carrier.announce(ROOM, Tone.BEEP)
    for heard in await asyncio.gather(one.heard(1), other.heard(1)):
        assert loud(heard, 1000)


async def test_somebody_calls_us_and_is_joined(far: Far) -> None:
    one, other = await far.telephone(LOW), await far.telephone(HIGH)
    await one.dial("33123456789")
    arrival = await far.told.until(lambda: next(iter(far.told.arrivals), None))
    assert arrival.dialled.lstrip("+") == "33123456789"
    assert arrival.caller == one.number
    await far.carrier.alert(arrival.leg_id)
    leg = await called(far, other)
    await far.carrier.answer(arrival.leg_id)
    await far.told.event(arrival.leg_id, LegEventKind.ANSWERED)
    await far.carrier.bridge(ROOM, [arrival.leg_id, leg.id])
    await one.heard(0.5)
    assert loud(await one.heard(1), HIGH)
    await one.hang_up()
    assert (await far.told.event(arrival.leg_id, LegEventKind.ENDED)).cause is HangUpCause.NORMAL


async def test_somebody_calls_us_and_is_turned_away(far: Far) -> None:
    telephone = await far.telephone()
    await telephone.dial("33123456789")
    arrival = await far.told.until(lambda: next(iter(far.told.arrivals), None))
    await far.carrier.hang_up(arrival.leg_id, HangUpCause.BUSY)
    assert (await far.told.event(arrival.leg_id, LegEventKind.ENDED)).cause is HangUpCause.BUSY
    await telephone.stops()


async def test_what_is_asked_of_a_leg_that_is_down_does_nothing(far: Far) -> None:
    carrier = far.carrier
    await carrier.play(99, Tone.BUSY)
    await carrier.stop(99)
    await carrier.answer(99)
    await carrier.alert(99)
    await carrier.send_keys(99, "1")
    await carrier.mute(99, True)
    await carrier.part(99)
    await carrier.bridge(ROOM, [99])
    await carrier.stop_record(99)
    await carrier.announce(ROOM, Tone.BEEP)
    await carrier.hang_up(99, HangUpCause.NORMAL)
    telephone = await far.telephone()
    await called(far, telephone)  # and nothing is broken by it
    assert all(one.leg_id != 99 for one in far.told.events)
