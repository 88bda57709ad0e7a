"""Two other implementations read what we write, and we read what they write."""

import smpp34
from hypothesis import given
from hypothesis import strategies as st
from smpplib import command as smpplib_command
from smpplib import smpp as smpplib_smpp

from chappe.protocols.smpp.bodies import Data, Login, Named, ShortMessage, Welcome
from chappe.protocols.smpp.codes import Command, Tag
from chappe.protocols.smpp.pdus import Pdu, decode, encode
from tests.protocols.smpp.units import pdus

FIELDS = {
    "service_type": "service_type",
    "source_ton": "source_addr_ton",
    "source_npi": "source_addr_npi",
    "source": "source_addr",
    "dest_ton": "dest_addr_ton",
    "dest_npi": "dest_addr_npi",
    "dest": "destination_addr",
    "esm_class": "esm_class",
    "protocol_id": "protocol_id",
    "priority": "priority_flag",
    "schedule": "schedule_delivery_time",
    "validity": "validity_period",
    "registered_delivery": "registered_delivery",
    "replace_if_present": "replace_if_present_flag",
    "data_coding": "data_coding",
    "default_message": "sm_default_msg_id",
    "short_message": "short_message",
}
OCTET = st.integers(0, 255)


def digits(most: int):
    return st.text("0123456789", max_size=most)


def times():
    return st.sampled_from(["", "260302090000000+", "000001000000000R"])


messages = st.builds(
    ShortMessage,
    service_type=st.sampled_from(["", "CMT", "WAP"]),
    source_ton=st.integers(0, 6),
    source_npi=st.sampled_from([0, 1, 8]),
    source=digits(20),
    dest_ton=st.integers(0, 6),
    dest_npi=st.sampled_from([0, 1, 8]),
    dest=digits(20),
    esm_class=OCTET,
    protocol_id=OCTET,
    priority=st.integers(0, 3),
    schedule=times(),
    validity=times(),
    registered_delivery=OCTET,
    replace_if_present=st.integers(0, 1),
    data_coding=OCTET,
    default_message=OCTET,
    short_message=st.binary(max_size=254),
    tlvs=st.lists(
        st.tuples(
            st.sampled_from([Tag.USER_MESSAGE_REFERENCE, Tag.MESSAGE_PAYLOAD, 0x1400]),
            st.binary(min_size=2, max_size=2),
        ),
        max_size=2,
        unique_by=lambda tlv: tlv[0],
    ).map(tuple),
)


def seen_by_smpp34(other) -> ShortMessage:
    values = {ours: getattr(other, theirs) for ours, theirs in FIELDS.items()}
    return ShortMessage(**values, tlvs=tuple((one.tag, one.value) for one in other.tlvs))


@given(st.sampled_from([Command.SUBMIT_SM, Command.DELIVER_SM]), messages)
def test_smpp34_reads_what_we_write(command, body):
    other = smpp34.decode(encode(Pdu(command, 7, body)))
    assert (other.command_id, other.sequence_number) == (command, 7)
    assert seen_by_smpp34(other) == body


@given(st.sampled_from([Command.SUBMIT_SM, Command.DELIVER_SM]), messages)
def test_we_read_what_smpp34_writes(command, body):
    kind = smpp34.SubmitSm if command is Command.SUBMIT_SM else smpp34.DeliverSm
    values = {theirs: getattr(body, ours) for ours, theirs in FIELDS.items()}
    tlvs = [smpp34.Tlv(tag, value) for tag, value in body.tlvs]
    assert decode(kind(**values, tlvs=tlvs, sequence_number=7).encode()) == Pdu(command, 7, body)


@given(pdus())
def test_smpp34_sees_the_same_header(pdu):
    whole = encode(pdu)
    other = smpp34.decode(whole)
    assert (other.command_id, other.sequence_number) == (pdu.command, pdu.sequence)


@given(messages)
def test_smpplib_reads_what_we_write(body):
    body = ShortMessage(**{name: getattr(body, name) for name in FIELDS})
    other = smpplib_smpp.parse_pdu(encode(Pdu(Command.SUBMIT_SM, 7, body)), need_sequence=False)
    for ours, theirs in FIELDS.items():
        assert plain(getattr(other, theirs)) == plain(getattr(body, ours)), ours


@given(messages)
def test_we_read_what_smpplib_writes(body):
    """It leaves out parameters that are empty, and so do we here."""
    values = {theirs: getattr(body, ours) for ours, theirs in FIELDS.items()}
    other = smpplib_command.SubmitSM("submit_sm", need_sequence=False, **values)
    other.sequence = 7
    other.sm_length = len(body.short_message)
    read = decode(other.generate())
    assert read.sequence == 7
    for name in FIELDS:
        assert getattr(read.body, name) == getattr(body, name), name


def test_smpplib_reads_our_binds_and_answers():
    login = Login("me", "secret", "VMA", address_range="336")
    other = smpplib_smpp.parse_pdu(encode(Pdu(Command.BIND_TRANSCEIVER, 1, login)), need_sequence=False)
    assert (other.system_id, other.password, other.system_type) == (b"me", b"secret", b"VMA")
    assert (other.interface_version, other.address_range) == (0x34, b"336")
    welcome = encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 1, Welcome("SMSC")))
    assert smpplib_smpp.parse_pdu(welcome).system_id == b"SMSC"
    named = encode(Pdu(Command.SUBMIT_SM_RESP, 1, Named("0A1B")))
    assert smpplib_smpp.parse_pdu(named).message_id == b"0A1B"


def test_we_read_smpplibs_data_sm():
    other = smpplib_command.DataSM(
        "data_sm", need_sequence=False, source_addr="20345", destination_addr="33612345678"
    )
    other.sequence = 3
    assert decode(other.generate()).body == Data(source="20345", dest="33612345678")


def plain(value):
    """smpplib gives texts as bytes, and None for what is empty."""
    if value is None or value == b"":
        return ""
    return value.decode("latin-1") if isinstance(value, bytes) else value
