"""The codec: what is written reads back, what is no unit is refused in words, and the quick ways agree with
the tables of fields."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp.bodies import (
    BODIES,
    Destination,
    Empty,
    ListName,
    MultiMessage,
    Named,
    ShortMessage,
)
from chappe.protocols.smpp.codes import RESPONSE, Command, Status, Tag, status_name
from chappe.protocols.smpp.fields import encode_tlvs, read_fields, tlv, tlv_number, tlv_text
from chappe.protocols.smpp.pdus import (
    Pdu,
    decode,
    decode_message,
    decode_named,
    encode,
    encode_body,
    encode_message,
    message_form,
)
from tests.protocols.smpp.units import pdus, records

# A submit_sm written by hand from the tables 4-10 of SMPP 3.4.
SUBMIT = bytes.fromhex(
    "0000003f 00000004 00000000 00000005"
    "00 01 01 3333363132333435363738 00 01 01 33333630303030303030 3000"
    "40 00 01 00 00 01 00 04 00 02 6869 0204 0002 0007".replace(" ", "")
)


def test_a_submit_sm_written_by_hand_reads_as_the_tables_say():
    assert decode(SUBMIT) == Pdu(
        Command.SUBMIT_SM,
        5,
        ShortMessage(
            source_ton=1,
            source_npi=1,
            source="33612345678",
            dest_ton=1,
            dest_npi=1,
            dest="33600000000",
            esm_class=0x40,
            priority=1,
            registered_delivery=1,
            data_coding=4,
            short_message=b"hi",
            tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\0\7"),),
        ),
    )
    assert encode(decode(SUBMIT)) == SUBMIT


@given(pdus())
def test_every_unit_reads_back(pdu):
    assert decode(encode(pdu)) == pdu


@given(st.sampled_from(sorted(Command)), st.integers(0, 300), st.binary(max_size=300))
def test_random_bytes_are_a_unit_or_a_protocol_error(command, status, body):
    head = b"".join(number.to_bytes(4, "big") for number in (16 + len(body), command, status, 1))
    with suppress(ProtocolError):
        assert decode(head + body).sequence == 1


@given(st.binary(max_size=64))
def test_bytes_without_any_order_never_do_worse_than_protocol_error(data):
    with suppress(ProtocolError):
        decode(data)


@given(pdus(), st.data())
def test_a_unit_cut_short_says_what_is_missing(pdu, data):
    whole = encode(pdu)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ProtocolError, match=r"octets"):
        decode(cut)


@given(records(ShortMessage))
def test_the_quick_reading_of_messages_agrees_with_the_table(body):
    data = encode_body(body)
    values, _ = read_fields(ShortMessage, data, 0)
    assert decode_message(data) == body == ShortMessage(*values, body.tlvs)


@given(records(ShortMessage))
def test_the_quick_writing_of_messages_agrees_with_the_table(body):
    form = message_form(body)
    assert encode_message(form, body.dest, body.short_message, encode_tlvs(body.tlvs)) == encode_body(body)


@given(records(Named))
def test_the_quick_reading_of_answers_agrees_with_the_table(body):
    assert decode_named(encode_body(body)) == body


def test_an_answer_without_its_zero_octet_is_read():
    assert decode_named(b"0000ABCD") == Named("0000ABCD")


@pytest.mark.parametrize("command", [one for one in BODIES if one & RESPONSE])
def test_a_refusal_without_body_is_read(command):
    assert decode(bytes.fromhex(f"00000010 {command:08x} 00000058 00000001")).status == 0x58


def test_a_refusal_with_a_body_that_is_not_in_order_is_read():
    assert decode(bytes.fromhex("00000012 80000004 00000058 00000001 4142")).body == Named()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0", "16 octets at least, these are 3"),
        (bytes.fromhex("00000011 00000015 00000000 00000001"), "says 17 octets, there are 16"),
        (bytes.fromhex("00000010 00000099 00000000 00000001"), "0x00000099 is no command"),
        (bytes.fromhex("00000012 00000015 00000000 00000001 0204"), "2 octets are left"),
        (bytes.fromhex("00000014 00000015 00000000 00000001 02040005"), "has 5 octets, 0 are left"),
        (bytes.fromhex("00000012 00000004 00000000 00000001 4141"), "the body of submit_sm is not in order"),
    ],
)
def test_what_is_wrong_is_said_in_words(data, words):
    with pytest.raises(ProtocolError, match=words):
        decode(data)


def test_a_destination_with_an_unknown_flag_is_refused():
    whole = bytearray(encode_body(MultiMessage(destinations=(Destination(1, 1, "33612345678"),))))
    whole[5] = 3
    head = bytes.fromhex(f"{16 + len(whole):08x} 00000021 00000000 00000001")
    with pytest.raises(ProtocolError, match="flag 3, known are 1 and 2"):
        decode(head + bytes(whole))


def test_addresses_and_lists_stand_side_by_side():
    body = MultiMessage(destinations=(Destination(1, 1, "33612345678"), ListName("friends")))
    assert decode(encode(Pdu(Command.SUBMIT_MULTI, 1, body))).body == body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ShortMessage(dest="1" * 21), "dest: '1{21}' does not fit into 20 octets"),
        (ShortMessage(source="a\0b"), "source: .* without a zero"),
        (ShortMessage(short_message=b"x" * 255), "255 octets, 254 have room: use message_payload"),
        (ShortMessage(esm_class=256), "esm_class: 256 does not fit into 1 octets"),
        (MultiMessage(destinations=(Destination(),) * 256), "256 destinations, 255 have room"),
    ],
)
def test_a_value_without_room_is_refused(body, words):
    with pytest.raises(ValueError, match=words):
        encode_body(body)


@pytest.mark.parametrize(("dest", "text"), [("1" * 21, b"x"), ("1", b"x" * 255)])
def test_the_quick_way_refuses_what_has_no_room_as_well(dest, text):
    with pytest.raises(ValueError, match=r"fit|room"):
        encode_message(message_form(ShortMessage()), dest, text)


def test_optional_parameters_are_found_by_name():
    tlvs = ((Tag.RECEIPTED_MESSAGE_ID, b"0A1\0"), (Tag.MESSAGE_STATE, b"\2"), (0x1400, b"own"))
    assert tlv_text(tlvs, Tag.RECEIPTED_MESSAGE_ID) == "0A1"
    assert tlv_number(tlvs, Tag.MESSAGE_STATE) == 2
    assert tlv(tlvs, Tag.MESSAGE_PAYLOAD) is None
    assert tlv_text(tlvs, Tag.MESSAGE_PAYLOAD) is tlv_number(tlvs, Tag.MESSAGE_PAYLOAD) is None


def test_statuses_have_names_and_others_their_number():
    assert status_name(0x58) == Status.ESME_RTHROTTLED.name == "ESME_RTHROTTLED"
    assert status_name(0x411) == "0x00000411"


def test_a_unit_without_fields_is_a_header():
    assert encode(Pdu(Command.ENQUIRE_LINK, 9, Empty())).hex() == "00000010000000150000000000000009"
