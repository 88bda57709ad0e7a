"""What a message becomes on the wire."""

from datetime import timedelta

import pytest

from chappe.carriers.smpp.settings import read_settings
from chappe.carriers.smpp.units import Units, relative
from chappe.protocols.smpp.pdus import decode_message
from tests.carriers.smpp.conftest import a_text
from tests.platform import START


def units(message, **settings):
    table = {"host": "h", "system_id": "me"} | settings
    return [decode_message(unit.body) for unit in Units(read_settings(table)).of(message, START)]


def unit(message, **settings):
    (found,) = units(message, **settings)
    return found


@pytest.mark.parametrize(
    ("sender", "ton_npi"),
    [("20345", (3, 0)), ("33600000001", (1, 1)), ("Shop", (5, 0)), ("", (0, 0))],
)
def test_the_kind_of_sender_is_told(sender, ton_npi):
    found = unit(a_text(address=sender))
    assert (found.source, (found.source_ton, found.source_npi)) == (sender, ton_npi)
    assert (found.dest, found.dest_ton, found.dest_npi) == ("33612345678", 1, 1)


def test_a_network_may_want_it_otherwise():
    other = {"short_code_ton_npi": [6, 1], "text_ton_npi": [5, 1], "dest_ton_npi": [0, 0]}
    assert unit(a_text(address="20345"), **other).source_ton == 6
    assert unit(a_text(address="Shop"), **other).source_npi == 1
    assert unit(a_text(), **other).dest_npi == 0
    more = unit(a_text(), service_type="CMT", priority=2, protocol_id=0x7F)
    assert (more.service_type, more.priority, more.protocol_id) == ("CMT", 2, 0x7F)


def test_a_receipt_is_asked_for_where_it_is_wanted():
    assert unit(a_text()).registered_delivery == 1
    assert unit(a_text(receipt_wanted=False)).registered_delivery == 0


@pytest.mark.parametrize(
    ("form", "told"),
    [("absolute", "260303090000000+"), ("relative", "000001000000000R"), ("none", "")],
)
def test_the_end_of_validity(form, told):
    assert unit(a_text(), validity=form).validity == told
    assert unit(a_text(expires_at=None), validity=form).validity == ""


@pytest.mark.parametrize(
    ("passes", "told"),
    [
        (timedelta(seconds=90), "000000000130000R"),
        (timedelta(days=40, hours=5), "000110050000000R"),
        (timedelta(days=366), "010001000000000R"),
        (timedelta(seconds=-5), "000000000001000R"),
    ],
)
def test_a_relative_time(passes, told):
    assert relative(int(passes.total_seconds())) == told


def test_flash_is_a_message_class():
    assert unit(a_text(flash=True)).data_coding == 0x10
    assert unit(a_text(text="ê", flash=True)).data_coding == 0x18


def test_segments_that_are_sent_again_join_those_of_before():
    first, again = units(a_text(9, "a" * 400)), units(a_text(9, "a" * 400))
    assert first == again
    assert [one.short_message[:6] for one in first] == [
        bytes((5, 0, 3, first[0].short_message[3], 3, number)) for number in (1, 2, 3)
    ]


def test_messages_one_after_the_other_have_other_references():
    """Ids of different milliseconds differ in their high bits only."""
    references = {
        units(a_text(number << 22, "a" * 200), texts={"long": "udh16"})[0].short_message[3:5]
        for number in range(1000)
    }
    assert len(references) > 950
