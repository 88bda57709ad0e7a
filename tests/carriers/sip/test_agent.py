"""The agent against trunks, telephones and strangers, as conversations without sockets."""

from hashlib import md5

import pytest
from aiosipua import SipRequest

from chappe.carriers.sip.agent import Agent
from chappe.carriers.sip.causes import cause_of, refusal
from chappe.carriers.sip.incoming import Incoming
from chappe.carriers.sip.settings import read_settings
from chappe.carriers.sip.words import Came, Dial, Happened, Referred, Telephone
from chappe.model.calls import HangUpCause
from chappe.protocols.sip import messages
from tests.carriers.sip.outside import SESSION, STRANGER, TRUNK, Desk, request

PHONE = ("192.0.2.77", 5062)
HA1 = md5(b"me:chappe:secret", usedforsecurity=False).hexdigest()


def statuses(answers: list[object]) -> list[int]:
    return [getattr(one, "status_code", 0) for one in answers]


def happened(desk: Desk) -> list[tuple[str, str]]:
    return [(one.kind, one.cause) for one in desk.outside.told if isinstance(one, Happened)]


def dialled(desk: Desk) -> tuple[str, bytes]:
    """An INVITE to the trunk; its branch, and the answers' common part."""
    desk.agent.dial(Dial(5, "33612345678", "33123456789", 30, False))
    invite = messages.read(desk.outside.sent[-1][0])
    lines = [
        f"{name}: {value}"
        for name in ("Via", "From", "Call-ID", "CSeq")
        for value in invite.headers.get(name)
    ]
    return messages.branch(invite), "\r\n".join(lines).encode()


def answer(status: int, common: bytes, body: bytes = b"", tag: str = "t1") -> bytes:
    head = b"SIP/2.0 %d Said\r\n%b\r\nTo: <sip:x@y>;tag=%b\r\nContact: <sip:there@192.0.2.1>\r\n"
    return head % (status, common, tag.encode()) + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def test_a_number_is_rung_over_the_trunk_answered_and_ended_by_it() -> None:
    desk = Desk()
    _, common = dialled(desk)
    invite = messages.read(desk.outside.sent[-1][0])
    assert invite.headers.get("p-asserted-identity") == ["<sip:+33123456789@198.51.100.1>"]
    assert desk.outside.sent[-1][1] == TRUNK
    desk.receive(answer(180, common))
    (ack,) = desk.receive(answer(200, common, SESSION))
    assert messages.cseq(ack)[1] == "ACK"
    assert happened(desk) == [("ringing", ""), ("answered", "")]
    ours = messages.tag(invite, "from")
    bye = request("BYE", call=messages.call_id(invite), number=9, to_tag=ours, branch="z9hG4bKbye").replace(
        b"tag=them", b"tag=t1"
    )
    assert statuses(desk.receive(bye)) == [200]
    assert happened(desk)[-1] == ("ended", "normal")
    assert desk.agent.trunks["network"].calls == 0


def test_an_invite_is_sent_again_until_somebody_hears_it_and_given_up_when_nobody_does() -> None:
    desk = Desk()
    desk.agent.dial(Dial(5, "33612345678", "", 120, False))
    desk.wait(40)
    assert len(desk.sent()) == 7  # after 0.5, 1, 2, 4, 8 and 16 seconds (RFC 3261, 17.1.1.2)
    assert happened(desk) == [("ended", "unreachable")]


def test_a_call_that_nobody_heard_yet_is_cancelled_when_somebody_does() -> None:
    desk = Desk()
    _, common = dialled(desk)
    desk.agent.hang_up(5, HangUpCause.CANCELLED)
    assert happened(desk) == [("ended", "cancelled")]
    assert [one.split()[0] for one in desk.sent()] == ["INVITE"]
    (cancel,) = desk.receive(answer(100, common))
    assert messages.cseq(cancel)[1] == "CANCEL"
    (ack,) = desk.receive(answer(487, common))
    assert messages.cseq(ack)[1] == "ACK"


def test_a_call_that_was_answered_while_it_was_given_up_is_ended() -> None:
    desk = Desk()
    _, common = dialled(desk)
    desk.agent.hang_up(5, HangUpCause.CANCELLED)
    sent = desk.receive(answer(200, common, SESSION))
    assert [messages.cseq(one)[1] for one in sent] == ["ACK", "BYE"]
    assert [messages.cseq(one)[1] for one in desk.receive(answer(200, common, SESSION))] == ["ACK"]


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (486, "busy"),
        (600, "busy"),
        (603, "rejected"),
        (403, "rejected"),
        (480, "no_answer"),
        (404, "unreachable"),
        (302, "unreachable"),
        (503, "unreachable"),
        (488, "failed"),
        (407, "failed"),
    ],
)
def test_a_status_says_why_it_ended(status: int, cause: str) -> None:
    desk = Desk()
    _, common = dialled(desk)
    desk.receive(answer(status, common))
    assert happened(desk) == [("ended", cause)]
    desk.receive(answer(status, common))  # its ACK was lost
    assert desk.sent()[-1].startswith("ACK ") and desk.sent()[-2].startswith("ACK ")
    assert len(happened(desk)) == 1


@pytest.mark.parametrize(
    "cause", [HangUpCause.BUSY, HangUpCause.REJECTED, HangUpCause.NO_ANSWER, HangUpCause.UNREACHABLE]
)
def test_causes_come_back_as_they_went(cause: HangUpCause) -> None:
    assert cause_of(refusal(cause)[0]) is cause


def test_a_call_over_the_trunk_arrives_once_however_often_its_invite_comes() -> None:
    desk = Desk()
    invite = request("INVITE", body=SESSION)
    assert statuses(desk.receive(invite)) == [100]
    assert statuses(desk.receive(invite)) == [100]
    (came,) = [one for one in desk.outside.told if isinstance(one, Came)]
    assert (came.caller, came.dialled, came.line) == ("+33612345678", "33123456789", "")
    desk.agent.adopt(came.call, 9)
    assert statuses(desk.receive(request("CANCEL"))) == [200, 487]
    assert happened(desk) == [("ended", "cancelled")]


def test_the_same_call_id_from_somebody_else_takes_nothing_away() -> None:
    desk = Desk()
    desk.receive(request("INVITE", body=SESSION))
    desk.receive(request("INVITE", body=SESSION, branch="z9hG4bKother"))
    first, second = [one for one in desk.outside.told if isinstance(one, Came)]
    desk.agent.adopt(first.call, 9)
    desk.agent.adopt(second.call, 10)
    assert set(desk.agent.legs) == {9, 10}


def test_strangers_hear_nothing_and_their_registers_are_counted() -> None:
    desk = Desk()
    for method in ("INVITE", "OPTIONS", "SUBSCRIBE", "BYE", "ACK"):
        assert desk.receive(request(method, body=SESSION), STRANGER) == []
    scanner = request("REGISTER", more="User-Agent: friendly-scanner\r\n")
    assert desk.receive(scanner, STRANGER) == []
    answers = [
        desk.receive(request("REGISTER", branch=f"z9hG4bK{n}"), ("203.0.113.10", 5060)) for n in range(100)
    ]
    assert len([one for one in answers if one]) == 20
    assert all(statuses(one) == [401] for one in answers if one)
    assert desk.agent.admission.silenced == 86


def proven(desk: Desk, method: str, user: str, ha1: str, uri: str, number: int = 1, **more: str) -> bytes:
    challenge = desk.agent.proofs.challenge(desk.outside.at)
    nonce = challenge.partition('nonce="')[2].partition('"')[0]
    asked = md5(f"{method}:{uri}".encode(), usedforsecurity=False).hexdigest()
    response = md5(f"{ha1}:{nonce}:00000001:c:auth:{asked}".encode(), usedforsecurity=False).hexdigest()
    header = (
        f'Authorization: Digest username="{user}", realm="chappe", nonce="{nonce}", uri="{uri}", qop=auth,'
        f' nc=00000001, cnonce="c", response="{response}"\r\nExpires: 120\r\n'
    )
    body = SESSION if method == "INVITE" else b""
    return request(method, uri, more=header, branch=f"z9hG4bKp{number}{user}", number=number, body=body)


def test_a_telephone_registers_and_calls() -> None:
    desk = Desk()
    uri = "sip:198.51.100.1"
    assert desk.receive(proven(desk, "REGISTER", "me", HA1, uri), PHONE) == []
    before = len(desk.outside.sent)
    desk.answer_asks({"me": (HA1, "33639980001")})
    answer = messages.read(desk.outside.sent[before][0])
    assert statuses([answer]) == [200]
    assert answer.headers.get("contact") == ["<sip:them@192.0.2.1:5060>;expires=120"]
    (told,) = [one for one in desk.outside.told if isinstance(one, Telephone)]
    assert (told.line, told.source, told.seconds) == ("33639980001", "192.0.2.77:5062", 120)

    assert statuses(desk.receive(request("INVITE", body=SESSION), PHONE)) == [401]
    call = proven(desk, "INVITE", "me", HA1, "sip:0123456789@198.51.100.1", 2)
    desk.receive(call, PHONE)
    desk.answer_asks({"me": (HA1, "33639980001")})
    (came,) = [one for one in desk.outside.told if isinstance(one, Came)]
    assert (came.line, came.dialled) == ("33639980001", "0123456789")


def test_no_answer_tells_whether_a_user_exists_and_no_proof_is_good_twice() -> None:
    desk = Desk()
    known = {"me": (HA1, "33639980001")}
    seen = []
    for user, ha1 in (("me", "0" * 32), ("nobody", HA1), ("nobody", "")):
        before = len(desk.outside.sent)
        desk.receive(proven(desk, "REGISTER", user, ha1, "sip:x", len(seen) + 1), PHONE)
        desk.answer_asks(known)
        (data, _) = desk.outside.sent[before]
        seen.append([line.partition(b":")[0] for line in data.split(b"\r\n")])
    assert seen[0] == seen[1] == seen[2]
    good = proven(desk, "REGISTER", "me", HA1, "sip:x", 7)
    for again in (b"", b"again"):
        desk.receive(good.replace(b"z9hG4bKp7", b"z9hG4bKp7" + again), ("192.0.2.78", 5060))
        desk.answer_asks(known)
    assert [one for one in desk.sent()[-2:]] == ["SIP/2.0 200 OK", "SIP/2.0 401 Unauthorized"]


def test_a_silent_leg_is_asked_whether_it_is_there() -> None:
    desk = Desk()
    _, common = dialled(desk)
    desk.receive(answer(200, common, SESSION))
    desk.wait(31)
    desk.agent.watch()
    assert desk.sent()[-1].startswith("OPTIONS ")
    desk.wait(33)
    assert desk.sent()[-1].startswith("BYE ")
    assert happened(desk)[-1] == ("ended", "interrupted")


def in_a_call(desk: Desk) -> Incoming:
    """A telephone that speaks with somebody, as the leg 8."""
    desk.receive(proven(desk, "REGISTER", "me", HA1, "sip:198.51.100.1"), PHONE)
    desk.answer_asks({"me": (HA1, "33639980001")})
    desk.receive(proven(desk, "INVITE", "me", HA1, "sip:0123456789@198.51.100.1", 2), PHONE)
    desk.answer_asks({"me": (HA1, "33639980001")})
    (came,) = [one for one in desk.outside.told if isinstance(one, Came)]
    desk.agent.adopt(came.call, 8)
    leg = desk.agent.legs[8]
    assert isinstance(leg, Incoming)
    leg.answer()
    return leg


def refer(leg: Incoming, number: int, to: str) -> bytes:
    more = f"Refer-To: {to}\r\n"
    uri = "sip:0123456789@198.51.100.1"
    written = request("REFER", uri, branch=f"z9hG4bKr{number}", number=number, to_tag=leg.call, more=more)
    return written


def test_a_telephone_is_told_what_becomes_of_its_transfer() -> None:
    desk = Desk()
    leg = in_a_call(desk)
    answers = desk.receive(refer(leg, 3, "<sip:0612345678@198.51.100.1>"), PHONE)
    assert statuses(answers[:1]) == [202]
    assert answers[1].headers.get_first("event") == "refer"
    assert answers[1].body == b"SIP/2.0 100 Trying\r\n"
    assert [one for one in desk.outside.told if isinstance(one, Referred)] == [Referred(8, "0612345678", 0)]
    assert statuses(desk.receive(refer(leg, 4, "<sip:1@x>"), PHONE)) == [491]  # one after the other
    desk.agent.refuse_transfer(8)
    refused = messages.read(desk.outside.sent[-1][0])
    assert refused.headers.get_first("subscription-state") == "terminated;reason=noresource"
    assert refused.body == b"SIP/2.0 603 Decline\r\n"
    again = desk.receive(refer(leg, 5, "<sip:2@x>"), PHONE)
    assert again[1].headers.get_first("event") == "refer;id=5"
    before = len(desk.outside.sent)
    desk.agent.hang_up(8, HangUpCause.TRANSFERRED)
    done, bye = (messages.read(data) for data, _ in desk.outside.sent[before:])
    assert done.body == b"SIP/2.0 200 OK\r\n"
    assert isinstance(bye, SipRequest) and bye.method == "BYE"


def test_nobody_outside_gives_a_partner_away() -> None:
    desk = Desk()
    desk.receive(request("INVITE", body=SESSION))
    (came,) = [one for one in desk.outside.told if isinstance(one, Came)]
    desk.agent.adopt(came.call, 8)
    leg = desk.agent.legs[8]
    assert isinstance(leg, Incoming)
    leg.answer()
    assert statuses(desk.receive(refer(leg, 3, "<sip:0612345678@198.51.100.1>"))) == [603]


def test_a_transfer_names_a_call_that_is_there() -> None:
    desk = Desk()
    leg = in_a_call(desk)
    named = "<sip:1@x?Replaces=c1%3Bto-tag%3Dz%3Bfrom-tag%3Dthem>"
    answers = desk.receive(refer(leg, 3, named), PHONE)
    assert answers[-1].body == b"SIP/2.0 603 Decline\r\n"
    assert not [one for one in desk.outside.told if isinstance(one, Referred)]


def forked(desk: Desk, *ends: int) -> list[bytes]:
    """A line rings at as many telephones as there are answers, and each gives its own at once, 180 for one
    that rings on; returns the common parts of their answers."""
    contacts = tuple((f"sip:{n}@192.0.2.77", f"192.0.2.77:{5062 + n}") for n in range(len(ends)))
    before = len(desk.outside.sent)
    desk.agent.dial(Dial(5, "33639980001", "33123456789", 30, False, contacts))
    commons = []
    for data, _ in desk.outside.sent[before:]:
        invite = messages.read(data)
        lines = [f"{name}: {invite.headers.get_first(name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        commons.append("\r\n".join(lines).encode())
    for common, status in zip(commons, ends, strict=True):
        desk.receive(answer(status, common), TRUNK)
    return commons


@pytest.mark.parametrize(
    ("statuses", "cause"),
    [
        ((486, 486, 486), "busy"),
        ((486, 404, 486), "busy"),  # who cannot be reached does not count
        ((480, 486), "no_answer"),
        ((180, 486), "no_answer"),  # rung out
        ((180, 603, 180), "rejected"),  # who turns it away does so for all
        ((404, 404), "unreachable"),
    ],
)
def test_why_no_telephone_of_a_line_has_the_call(statuses: tuple[int, ...], cause: str) -> None:
    desk = Desk()
    forked(desk, *statuses)
    desk.wait(31)
    assert [one for one in happened(desk) if one[0] != "ringing"] == [("ended", cause)]
    assert desk.agent.count == 0


def test_one_leg_is_left_of_several_telephones() -> None:
    desk = Desk()
    first, other = forked(desk, 180, 180)
    desk.receive(answer(200, other, SESSION), TRUNK)
    assert happened(desk) == [("ringing", ""), ("answered", "")]
    cancels = [messages.read(data) for data, _ in desk.outside.sent if data.startswith(b"CANCEL ")]
    assert [one.headers.get_first("reason") for one in cancels] == [
        'SIP;cause=200;text="Call completed elsewhere"'
    ]
    desk.receive(answer(200, first, SESSION), TRUNK)  # it had answered meanwhile
    assert [one.split()[0] for one in desk.sent()[-2:]] == ["ACK", "BYE"]
    assert desk.agent.count == 1
    desk.agent.hang_up(5, HangUpCause.NORMAL)
    assert happened(desk)[-1] == ("ended", "normal") and desk.agent.count == 0


def test_a_call_that_rings_at_several_is_given_up() -> None:
    desk = Desk()
    forked(desk, 180, 486, 180)
    desk.agent.hang_up(5, HangUpCause.CANCELLED)
    assert happened(desk)[-1] == ("ended", "cancelled")
    assert len([one for one in desk.sent() if one.startswith("CANCEL ")]) == 2


def registering(expires: int = 300) -> tuple[Desk, str]:
    """An agent whose trunk registers; the common part of the answers to its first REGISTER."""
    desk = Desk()
    trunk = {"name": "network", "host": "network.example", "username": "us", "password": "secret"}
    own = {"trunks": [trunk | {"register": True, "expires_seconds": expires}], "listen": "127.0.0.1"}
    desk.agent = Agent(read_settings(own), desk.outside, b"secret")
    desk.agent.found({"network": [TRUNK[0]]})
    return desk, common_of(desk.outside.sent[-1][0])


def common_of(data: bytes) -> str:
    read = messages.read(data)
    names = ("Via", "From", "Call-ID", "CSeq")
    return "\r\n".join(f"{name}: {read.headers.get_first(name)}" for name in names)


def test_a_registration_is_renewed_in_the_time_that_was_granted() -> None:
    desk, common = registering()
    contacts = ("203.0.113.1:5060>;expires=200", "198.51.100.1:5060>;expires=10")
    lines = "".join(f"Contact: <sip:us@{one}\r\n" for one in contacts)
    head = f"SIP/2.0 200 OK\r\n{common}\r\nTo: <sip:us@x>;tag=1\r\n"
    desk.receive(f"{head}{lines}Content-Length: 0\r\n\r\n".encode())
    assert desk.agent.trunks["network"].takes_calls
    before = len(desk.sent())
    desk.wait(7.5)
    assert len(desk.sent()) == before
    desk.wait(1)
    assert desk.sent()[before].startswith("REGISTER ")


def test_a_registrar_may_want_a_longer_time() -> None:
    desk, common = registering(60)
    told = f"SIP/2.0 423 Interval Too Brief\r\n{common}\r\nTo: <sip:us@x>;tag=1\r\nMin-Expires: 1800\r\n"
    desk.receive(f"{told}Content-Length: 0\r\n\r\n".encode())
    again = messages.read(desk.outside.sent[-1][0])
    assert again.headers.get_first("expires") == "1800"
