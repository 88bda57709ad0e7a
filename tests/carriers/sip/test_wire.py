"""Sound in packets, its agreement, and who may ask how much: plain tables."""

import pytest
from aiortp.packet import RtpPacket
from aiosipua import SipRequest

from chappe.carriers.sip.settings import read_settings
from chappe.protocols.errors import ProtocolError
from chappe.protocols.rtp import FRAME, Hearing, Speaking
from chappe.protocols.sip import messages, referring, sdp

KEYS = "1234567890*#ABCD"


def packets(speaking: Speaking, frames: int) -> list[bytes]:
    return [packet for _ in range(frames) for packet in speaking.say(b"\x01" * FRAME)]


def test_keys_are_heard_once_each_though_packets_are_lost() -> None:
    speaking, hearing = Speaking(8, 101, 7), Hearing(8, 101, 0xD5)
    speaking.press(KEYS)
    heard = [hearing.put(one) for place, one in enumerate(packets(speaking, 10 * len(KEYS))) if place % 3]
    assert "".join(heard) == KEYS


def test_keys_have_time_stamps_of_their_own() -> None:
    speaking = Speaking(8, 101, 7)
    speaking.press("11")
    read = [RtpPacket.parse(one) for one in packets(speaking, 30)]
    keys = [one for one in read if one.payload_type == 101]
    assert len({one.timestamp for one in keys}) == 2
    assert [one.sequence_number for one in read] == list(range(len(read)))


@pytest.mark.parametrize(
    ("order", "lost"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], 0),
        ([0, 2, 1, 3, 4, 6, 5, 7], 0),
        ([0, 1, 3, 4, 5, 6, 7], 1),
        ([0, 0, 1, 1, 2, 3], 0),
    ],
)
def test_sound_is_put_in_order(order: list[int], lost: int) -> None:
    hearing = Hearing(8, 101, 0xD5)
    sound = [
        RtpPacket(payload_type=8, sequence_number=65_533 + n & 0xFFFF, ssrc=1, payload=bytes([n]) * FRAME)
        for n in range(8)
    ]
    for place in order:
        hearing.put(sound[place].serialize())
    heard = bytes(b"".join(hearing.take() for _ in range(10)))
    wanted = [n if n in order else 0xD5 for n in range(max(order) + 1)]
    assert list(heard[::FRAME]) == wanted
    assert hearing.lost == lost


def test_what_is_no_packet_is_left_aside() -> None:
    hearing = Hearing(8, 101, 0xD5)
    for data in (b"", b"\x80", b"\xff" * 40, b"\x80\x65" + bytes(10), b"\x80\xe5" + bytes(12)):
        assert hearing.put(data) == ""
    assert hearing.take() == b""


OFFER = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 %b\r\nt=0 0\r\n%b"


def test_an_offer_is_answered_with_its_own_types() -> None:
    streams = (
        b"m=video 9 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 9 97 98\r\na=rtpmap:97 PCMA/8000\r\n"
        b"a=rtpmap:98 telephone-event/8000\r\na=sendonly\r\n"
    )
    body, agreed = sdp.answer(OFFER % (b"192.0.2.1", streams), ("198.51.100.1", 20_000), 5)
    assert agreed == sdp.Agreed(("192.0.2.1", 4000), sdp.Law.A, 97, 98, hears=False)
    lines = body.decode().split("\r\n")
    assert (
        "m=video 0 RTP/AVP 96" in lines and "m=audio 20000 RTP/AVP 97 98" in lines and "a=recvonly" in lines
    )


@pytest.mark.parametrize(
    ("host", "streams"),
    [
        (b"192.0.2.1", b"m=audio 4000 RTP/AVP 9\r\n"),
        (b"192.0.2.1", b"m=audio 0 RTP/AVP 8\r\n"),
        (b"192.0.2.1", b"m=audio x RTP/AVP 8\r\n"),
        (b"192.0.2.1", b"m=audio 4000 RTP/SAVP 8\r\n"),
        (b"239.1.2.3", b"m=audio 4000 RTP/AVP 8\r\n"),
        (b"255.255.255.255", b"m=audio 4000 RTP/AVP 8\r\n"),
        (b"host.example", b"m=audio 4000 RTP/AVP 8\r\n"),
        (b"192.0.2.1", b""),
    ],
)
def test_what_cannot_be_agreed_on_is_refused(host: bytes, streams: bytes) -> None:
    with pytest.raises(ProtocolError):
        sdp.answer(OFFER % (host, streams), ("198.51.100.1", 20_000), 5)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"listen": "::1"}, "IPv4"),
        ({"first_port": 20_000, "last_port": 20_010}, "ports"),
        ({"trunks": [{"name": "a", "host": "h"}, {"name": "a", "host": "h"}]}, "name of its own"),
        ({"trunks": [{"name": "a", "host": "h", "register": True}]}, "username"),
        ({"port": 0}, "port"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_settings_say_what_is_wrong(table: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_settings(table)


REFER = "REFER sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP z;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
REFER += "To: <sip:x@y>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REFER\r\n{}Content-Length: 0\r\n\r\n"
REPLACES = "Replaces=call%40here%3Bto-tag%3D7%3Bfrom-tag%3D8"


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        (["<sip:33612345678@host>"], ("33612345678", None)),
        (["sip:33612345678@host"], ("33612345678", None)),
        (["Bob <sip:%2B33612345678@host:5070;transport=udp;method=INVITE>"], ("+33612345678", None)),
        ([f"<sip:5@host?{REPLACES}>"], ("5", ("call@here", "7", "8"))),
        ([f"<sip:5@host?Require=replaces&{REPLACES}>;x=y"], ("5", ("call@here", "7", "8"))),
        (["<sip:5@host?Replaces=call%40here>"], None),
        (["<sip:5@host;method=BYE>"], None),
        (["<sip:host>"], None),
        (["<http://host>"], None),
        (["<sip:1@host>", "<sip:2@host>"], None),
        ([], None),
    ],
)
def test_what_a_refer_wants(headers: list[str], wanted: tuple[object, ...] | None) -> None:
    lines = "".join(f"Refer-To: {one}\r\n" for one in headers)
    request = messages.read(REFER.format(lines).encode())
    assert isinstance(request, SipRequest)
    if wanted is None:
        with pytest.raises(ProtocolError):
            referring.read(request)
    else:
        assert referring.read(request) == wanted
