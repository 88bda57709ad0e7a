"""One bind without sockets, both sides of it against each other and against bytes."""

import pytest

from chappe.protocols.smpp.bind import (
    Answered,
    Asked,
    Bind,
    Bound,
    Broken,
    Side,
    State,
    Timing,
    Unanswered,
)
from chappe.protocols.smpp.bodies import Empty, Login, Named, ShortMessage
from chappe.protocols.smpp.codes import Command, Status
from chappe.protocols.smpp.pdus import Pdu, decode, encode, encode_body

TIMING = Timing(enquire_link=30, response=10)
HELLO = encode_body(ShortMessage(dest="33612345678", short_message=b"Hello"))


def client(window: int = 10) -> Bind[str]:
    return Bind(Side.CLIENT, 0.0, window, TIMING)


def network(window: int = 10) -> Bind[str]:
    return Bind(Side.NETWORK, 0.0, window, TIMING)


def bound(kind: State = State.TRANSCEIVER, window: int = 10) -> tuple[Bind[str], Bind[str]]:
    """A client and a network with a bind between them."""
    ours, theirs = client(window), network(window)
    ours.login(kind, Login("me", "secret"))
    (asked,) = theirs.receive(ours.outgoing(), 0.0)
    assert isinstance(asked, Asked)
    theirs.welcome(asked, "SMSC")
    assert ours.receive(theirs.outgoing(), 0.0) == [Bound("SMSC", 0x34)]
    return ours, theirs


def sent(bind: Bind[str]) -> list[Pdu]:
    """The units that a bind wants written."""
    data, found = bind.outgoing(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(decode(data[:length]))
        data = data[length:]
    return found


@pytest.mark.parametrize("kind", [State.TRANSMITTER, State.RECEIVER, State.TRANSCEIVER])
def test_both_sides_are_bound_in_the_same_way(kind):
    ours, theirs = bound(kind)
    assert ours.state is theirs.state is kind
    assert (ours.room > 0) is (kind is not State.RECEIVER)
    assert (theirs.room > 0) is (kind is not State.TRANSMITTER)


def test_a_refused_bind_names_the_status():
    ours, theirs = client(), network()
    ours.login(State.TRANSCEIVER, Login("me", "wrong"))
    (asked,) = theirs.receive(ours.outgoing(), 0.0)
    theirs.answer(asked, Status.ESME_RINVPASWD)
    assert ours.receive(theirs.outgoing(), 0.0) == [
        Broken("the network refused the bind: ESME_RINVPASWD", Status.ESME_RINVPASWD)
    ]
    assert ours.state is State.CLOSED


def test_a_window_of_requests_is_one_write_and_its_answers_bring_the_tags():
    ours, theirs = bound(window=3)
    ours.ask(Command.SUBMIT_SM, [("a", HELLO), ("b", HELLO), ("c", HELLO)], 1.0)
    assert (ours.room, ours.unanswered) == (0, 3)
    asked = theirs.receive(ours.outgoing(), 1.0)
    for one, name in zip(reversed(asked), ("3", "2", "1"), strict=True):
        theirs.answer(one, body=Named(name))
    assert ours.receive(theirs.outgoing(), 1.0) == [
        Answered("c", 0, Named("3")),
        Answered("b", 0, Named("2")),
        Answered("a", 0, Named("1")),
    ]
    assert ours.room == 3


def test_units_come_whole_however_they_are_cut():
    ours, theirs = bound()
    ours.ask(Command.SUBMIT_SM, [("a", HELLO), ("b", HELLO)], 1.0)
    data = ours.outgoing()
    events = [event for at in range(len(data)) for event in theirs.receive(data[at : at + 1], 1.0)]
    assert [event.body.short_message for event in events] == [b"Hello", b"Hello"]


def test_a_second_answer_and_one_to_nothing_are_strays():
    ours, theirs = bound()
    ours.ask(Command.SUBMIT_SM, [("a", HELLO)], 1.0)
    (asked,) = theirs.receive(ours.outgoing(), 1.0)
    theirs.answer(asked, body=Named("1"))
    theirs.answer(asked, body=Named("2"))
    theirs.answer(asked, Status.ESME_RSYSERR)
    assert ours.receive(theirs.outgoing(), 1.0) == [Answered("a", 0, Named("1"))]
    assert ours.stray == 2


def test_a_generic_nack_answers_a_request():
    ours, _ = bound()
    ours.ask(Command.SUBMIT_SM, [("a", HELLO)], 1.0)
    (pdu,) = sent(ours)
    nack = encode(Pdu(Command.GENERIC_NACK, pdu.sequence, Empty(), Status.ESME_RINVCMDID))
    assert ours.receive(nack, 1.0) == [Answered("a", Status.ESME_RINVCMDID, Empty())]


def test_an_answer_that_cannot_be_read_is_an_answer():
    ours, _ = bound()
    ours.ask(Command.SUBMIT_SM, [("a", HELLO)], 1.0)
    (pdu,) = sent(ours)
    odd = bytes.fromhex(f"00000015 80000004 00000000 {pdu.sequence:08x} 4131 00 0204")
    assert ours.receive(odd, 1.0) == [Answered("a", 0, Named("A1"))]


def test_what_is_not_answered_in_time_is_told_once():
    ours, theirs = bound()
    ours.ask(Command.SUBMIT_SM, [("a", HELLO)], 1.0)
    ours.ask(Command.SUBMIT_SM, [("b", HELLO)], 5.0)
    assert ours.wake_at() == 11.0
    assert ours.tick(10.9) == []
    assert ours.tick(11.0) == [Unanswered("a")]
    assert ours.room == 9
    late, _ = theirs.receive(ours.outgoing(), 12.0)
    theirs.answer(late, body=Named("1"))
    assert ours.receive(theirs.outgoing(), 12.0) == []
    assert ours.stray == 1
    assert ours.lost() == ["b"]


def test_a_quiet_line_is_asked_and_a_dead_one_is_broken():
    ours, theirs = bound()
    assert ours.wake_at() == 30.0
    assert ours.tick(29.9) == []
    assert ours.tick(30.0) == []
    assert [pdu.command for pdu in sent(ours)] == [Command.ENQUIRE_LINK]
    assert ours.wake_at() == 40.0
    (broken,) = ours.tick(40.0)
    assert broken == Broken("the line is dead: no answer to enquire_link within 10 seconds")
    assert theirs.state is State.TRANSCEIVER


def test_any_word_shows_that_the_line_lives():
    ours, theirs = bound()
    ours.tick(30.0)
    theirs.receive(ours.outgoing(), 30.0)  # answers by itself
    assert ours.receive(theirs.outgoing(), 31.0) == []
    assert ours.tick(60.9) == [] and ours.outgoing() == b""
    assert ours.tick(61.0) == []
    assert [pdu.command for pdu in sent(ours)] == [Command.ENQUIRE_LINK]
    assert ours.stray == 0


def test_a_bind_that_nobody_answers_is_broken():
    ours = client()
    ours.login(State.TRANSCEIVER, Login("me"))
    assert ours.wake_at() == 10.0
    assert ours.tick(10.0) == [Broken("no bind within 10 seconds")]


def test_unbind_from_either_side():
    ours, theirs = bound()
    ours.unbind(1.0)
    assert ours.room == 0
    assert theirs.receive(ours.outgoing(), 1.0) == [Broken("the other side unbound")]
    assert ours.receive(theirs.outgoing(), 1.0) == [Broken("unbound")]


def test_an_unbind_that_nobody_answers_ends_all_the_same():
    ours, _ = bound()
    ours.unbind(1.0)
    assert ours.wake_at() == 11.0
    assert ours.tick(11.0) == [Broken("no answer to unbind within 10 seconds")]
    assert ours.tick(12.0) == []


def test_answers_under_way_still_come_while_unbinding():
    ours, _ = bound()
    ours.ask(Command.SUBMIT_SM, [("a", HELLO)], 1.0)
    ours.unbind(1.0)
    (submit, unbind) = sent(ours)
    assert ours.receive(encode(Pdu(Command.SUBMIT_SM_RESP, submit.sequence, Named("1"))), 2.0) == [
        Answered("a", 0, Named("1"))
    ]
    assert ours.receive(encode(Pdu(Command.UNBIND_RESP, unbind.sequence, Empty())), 2.0) == [
        Broken("unbound")
    ]


def test_garbage_breaks_the_bind_and_says_so():
    ours, _ = bound()
    (broken,) = ours.receive(b"HTTP/1.1 400 Bad Request", 1.0)
    assert broken == Broken(f"garbage: a unit of {int.from_bytes(b'HTTP', 'big')} octets")
    assert [(pdu.command, pdu.status) for pdu in sent(ours)] == [
        (Command.GENERIC_NACK, Status.ESME_RINVCMDLEN)
    ]
    assert ours.receive(b"\0" * 100, 2.0) == []


def test_an_unknown_command_is_refused_and_the_bind_goes_on():
    ours, _ = bound()
    assert ours.receive(bytes.fromhex("00000010 00000777 00000000 00000005"), 1.0) == []
    assert sent(ours) == [Pdu(Command.GENERIC_NACK, 5, Empty(), Status.ESME_RINVCMDID)]
    assert ours.receive(bytes.fromhex("00000010 80000777 00000000 00000005"), 1.0) == []
    assert (ours.outgoing(), ours.stray) == (b"", 1)


def test_a_request_that_is_not_in_order_is_refused_by_its_own_answer():
    ours, _ = bound()
    assert ours.receive(bytes.fromhex("00000012 00000005 00000000 00000005 4141"), 1.0) == []
    (pdu,) = sent(ours)
    assert (pdu.command, pdu.status, pdu.sequence) == (Command.DELIVER_SM_RESP, Status.ESME_RINVCMDLEN, 5)


@pytest.mark.parametrize(
    ("kind", "command", "status"),
    [
        (State.RECEIVER, Command.SUBMIT_SM, Status.ESME_RINVBNDSTS),
        (State.RECEIVER, Command.QUERY_SM, Status.ESME_RINVBNDSTS),
        (State.TRANSCEIVER, Command.BIND_RECEIVER, Status.ESME_RALYBND),
        (State.TRANSCEIVER, Command.DELIVER_SM, Status.ESME_RINVCMDID),
    ],
)
def test_what_a_bind_may_not_carry_is_refused(kind, command, status):
    _, theirs = bound(kind)
    assert theirs.receive(encode(Pdu(command, 9, Empty())), 1.0) == []
    (pdu,) = sent(theirs)
    assert (pdu.status, pdu.sequence) == (status, 9)


def test_nothing_but_a_bind_is_taken_before_the_bind():
    theirs = network()
    assert theirs.receive(encode(Pdu(Command.SUBMIT_SM, 1, ShortMessage())), 0.0) == []
    assert [pdu.status for pdu in sent(theirs)] == [Status.ESME_RINVBNDSTS]


def test_many_receipts_are_acknowledged_in_one_piece():
    ours, theirs = bound()
    theirs.ask(Command.DELIVER_SM, [("a", HELLO), ("b", HELLO)], 1.0)
    asked = ours.receive(theirs.outgoing(), 1.0)
    ours.acknowledge(asked)
    assert theirs.receive(ours.outgoing(), 1.0) == [
        Answered("a", 0, Named()),
        Answered("b", 0, Named()),
    ]


def test_an_old_client_gets_no_optional_parameter():
    theirs = network()
    login = Pdu(Command.BIND_TRANSMITTER, 1, Login("old", interface_version=0x33))
    (asked,) = theirs.receive(encode(login), 0.0)
    theirs.welcome(asked, "SMSC")
    (pdu,) = sent(theirs)
    assert pdu.body.tlvs == ()


def test_numbers_begin_again_after_the_last():
    ours, _ = bound()
    ours._sequence = 0x7FFFFFFE
    ours.ask(Command.SUBMIT_SM, [("a", HELLO), ("b", HELLO)], 1.0)
    assert [pdu.sequence for pdu in sent(ours)] == [0x7FFFFFFF, 1]
