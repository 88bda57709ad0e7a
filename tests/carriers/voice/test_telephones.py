"""What telephones themselves ask for over SIP: to hold a call, to go on with it, to give it away; and several
of them on one line."""

import asyncio
import re
import socket
from urllib.parse import quote

import pytest

from chappe.media import tones
from chappe.model.calls import CallOutcome, HangUpCause
from tests.carriers.voice.house import TONES, House

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("_built", ["sip"], indirect=True),
]


async def test_a_call_is_held_and_taken_back(house: House) -> None:
    anne, bob, *_ = house.telephones
    await house.speak()
    await anne.baresip.ask("hold")
    await bob.heard(0.5)
    heard = await bob.heard(1)
    assert tones.strength(heard, TONES[0]) < 0.01
    await anne.baresip.ask("resume")
    await asyncio.gather(anne.hears(TONES[1]), bob.hears(TONES[0]))


async def test_a_telephone_gives_its_partner_away(house: House) -> None:
    anne, bob, chris, *_ = house.telephones
    story = await house.speak()
    await bob.baresip.ask("transfer", f"sip:{chris.number}@127.0.0.1:{bob.port}")
    await chris.rings()
    await bob.stops()
    await chris.answer()
    await asyncio.gather(anne.hears(TONES[2]), chris.hears(TONES[0]))
    await anne.hang_up()
    await chris.stops()
    over = await house.over(story, CallOutcome.ANSWERED)
    assert {leg.name: leg.cause for leg in over.legs}["called"] is HangUpCause.TRANSFERRED


async def test_nobody_is_given_where_nobody_may_call(house: House) -> None:
    _, bob, *_ = house.telephones
    story = await house.speak()
    await bob.baresip.ask("transfer", f"sip:112@127.0.0.1:{bob.port}")
    await bob.baresip.until("TRANSFER_FAILED")  # this telephone hangs up then
    over = await house.over(story, CallOutcome.ANSWERED)
    assert [leg.cause for leg in over.legs] == [HangUpCause.NORMAL] * 2


def acknowledged(said: str, sender: str) -> tuple[str, str, str]:
    """Call-ID, our tag and the telephone's of the last dialog in a trace of a telephone, which we (`ours`) or
    it (`theirs`) has acknowledged."""
    acks = [one for one in said.split("\r\n\r\n") if re.search(r"^ACK sip:", one, re.MULTILINE)]
    own = [one for one in acks if ("User-Agent: chappe" in one) == (sender == "ours")]
    tags = [re.search(rf"^{name}:.*;tag=(\S+)", own[-1], re.MULTILINE) for name in ("From", "To")]
    call_id = re.search(r"^Call-ID: (\S+)", own[-1], re.MULTILINE)
    assert call_id and tags[0] and tags[1]
    ours, theirs = tags if sender == "ours" else reversed(tags)
    assert ours and theirs
    return call_id[1], ours[1], theirs[1]


async def test_two_partners_of_a_telephone_are_joined(house: House) -> None:
    """This baresip can give away blindly only: the REFER is written by hand, in its dialogs."""
    anne, bob, chris, *_ = house.telephones
    first = await house.speak()
    await bob.baresip.ask("hold")
    await bob.dial(chris.number)
    await chris.rings()
    await chris.answer()
    await asyncio.gather(bob.hears(TONES[2]), chris.hears(TONES[1]))
    call_id, ours, theirs = acknowledged(bob.baresip.said, "ours")
    other = acknowledged(bob.baresip.said, "theirs")
    replaces = quote(f"{other[0]};to-tag={other[1]};from-tag={other[2]}")
    refer = (
        f"REFER sip:127.0.0.1:{bob.port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKr\r\n"
        f"From: <sip:b@127.0.0.1>;tag={theirs}\r\nTo: <sip:127.0.0.1>;tag={ours}\r\nCall-ID: {call_id}\r\n"
        f"CSeq: 2000000000 REFER\r\nRefer-To: <sip:{chris.number}@127.0.0.1?Replaces={replaces}>\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.sendto(refer.encode(), ("127.0.0.1", bob.port))
    await asyncio.gather(anne.hears(TONES[2]), chris.hears(TONES[0]))
    await bob.stops()
    await anne.hang_up()
    await chris.stops()
    over = await house.over(first, CallOutcome.ANSWERED)
    assert {leg.number: leg.cause for leg in over.legs} == {
        anne.number: HangUpCause.NORMAL,
        bob.number: HangUpCause.TRANSFERRED,
        chris.number: HangUpCause.NORMAL,
    }


async def test_all_telephones_of_a_line_ring_and_the_first_to_answer_has_the_call(house: House) -> None:
    anne, bob, *_ = house.telephones
    desk = await house.far.another(bob, 1500)
    await anne.dial(bob.number)
    await asyncio.gather(bob.rings(), desk.rings())
    await desk.answer()
    await bob.stops()
    assert '\nReason: SIP;cause=200;text="Call completed elsewhere"\r' in bob.baresip.said
    await asyncio.gather(anne.hears(1500), desk.hears(TONES[0]))
    await desk.hang_up()
    await anne.stops()
    await desk.dial(anne.number)  # it calls as the line, too
    assert (await anne.rings()).lstrip("+") == bob.number


async def test_a_line_is_busy_when_all_its_telephones_are(house: House) -> None:
    anne, bob, *_ = house.telephones
    desk = await house.far.another(bob, 1500)
    await anne.dial(bob.number)
    await asyncio.gather(bob.rings(), desk.rings())
    story = await house.live()
    await bob.turn_away()
    await bob.stops()
    await desk.answer()
    await anne.hears(1500)
    await desk.hang_up()
    await anne.stops()
    await house.over(story, CallOutcome.ANSWERED)
    await anne.dial(bob.number)
    await asyncio.gather(bob.rings(), desk.rings())
    story = await house.live()
    await bob.turn_away()
    await desk.turn_away()
    over = await house.over(story, CallOutcome.BUSY)
    assert {leg.cause for leg in over.legs if leg.name == "called"} == {HangUpCause.BUSY}
