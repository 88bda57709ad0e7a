"""What data_coding says, and what stands before a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp.codes import Tag
from chappe.protocols.smpp.coding import Alphabet, Coding, decode, read_coding, write_coding
from chappe.protocols.smpp.fields import decode_tlvs
from chappe.protocols.smpp.userdata import (
    Element,
    Place,
    joined_by_8,
    joined_by_16,
    joined_by_parameters,
    languages_of,
    place_of,
    read_header,
    without_place,
    write_header,
)

DEFAULT, BINARY, UCS2 = Alphabet.DEFAULT, Alphabet.BINARY, Alphabet.UCS2


@pytest.mark.parametrize(
    ("number", "coding"),
    [
        # SMPP 3.4, 5.2.19
        (0x00, Coding(DEFAULT)),
        (0x01, Coding(Alphabet.ASCII)),
        (0x02, Coding(BINARY)),
        (0x03, Coding(Alphabet.LATIN1)),
        (0x04, Coding(BINARY)),
        (0x05, Coding(Alphabet.JAPANESE)),
        (0x06, Coding(Alphabet.CYRILLIC)),
        (0x07, Coding(Alphabet.HEBREW)),
        (0x08, Coding(UCS2)),
        (0x09, Coding(BINARY)),
        (0x0E, Coding(Alphabet.KOREAN)),
        (0x0F, Coding(BINARY)),
        # TS 23.038, 4: general group
        (0x10, Coding(DEFAULT, 0)),
        (0x11, Coding(DEFAULT, 1)),
        (0x14, Coding(BINARY, 0)),
        (0x18, Coding(UCS2, 0)),
        (0x1B, Coding(UCS2, 3)),
        (0x20, Coding(BINARY)),  # compressed
        (0x38, Coding(BINARY)),
        # automatic deletion
        (0x40, Coding(DEFAULT)),
        (0x48, Coding(UCS2)),
        (0x50, Coding(DEFAULT, 0)),
        (0x80, Coding(BINARY)),  # reserved
        (0xBF, Coding(BINARY)),
        # somebody has left a message
        (0xC8, Coding(DEFAULT)),
        (0xD8, Coding(DEFAULT)),
        (0xE8, Coding(UCS2)),
        # data coding and message class
        (0xF0, Coding(DEFAULT, 0)),
        (0xF1, Coding(DEFAULT, 1)),
        (0xF4, Coding(BINARY, 0)),
        (0xF7, Coding(BINARY, 3)),
    ],
)
def test_a_data_coding_is_read_as_the_standards_say(number: int, coding: Coding) -> None:
    assert read_coding(number) == coding


@pytest.mark.parametrize(
    ("alphabet", "message_class", "group", "number"),
    [
        (DEFAULT, None, 0x10, 0x00),
        (Alphabet.LATIN1, None, 0x10, 0x03),
        (BINARY, None, 0x10, 0x04),
        (UCS2, None, 0x10, 0x08),
        (DEFAULT, 0, 0x10, 0x10),
        (BINARY, 0, 0x10, 0x14),
        (UCS2, 0, 0x10, 0x18),
        (DEFAULT, 0, 0xF0, 0xF0),
        (BINARY, 2, 0xF0, 0xF6),
        (UCS2, 0, 0xF0, 0x18),
    ],
)
def test_a_data_coding_is_written(
    alphabet: Alphabet, message_class: int | None, group: int, number: int
) -> None:
    assert write_coding(alphabet, message_class, group) == number
    assert read_coding(number) == Coding(alphabet, message_class)


def test_an_alphabet_that_only_smpp_numbers_has_no_class() -> None:
    with pytest.raises(ValueError, match="no message class for latin1"):
        write_coding(Alphabet.LATIN1, 0)


@pytest.mark.parametrize(
    ("alphabet", "octets", "text"),
    [
        (Alphabet.ASCII, b"a{\x80", "a{�"),
        (Alphabet.LATIN1, b"\xea\xe7", "êç"),
        (Alphabet.CYRILLIC, b"\xbf\xe0\xd8", "При"),
        (Alphabet.HEBREW, b"\xf9\xec\xe5\xed", "שלום"),
        (UCS2, bytes.fromhex("d83dde00"), "😀"),
        (UCS2, b"\0a\0", "a�"),
        (Alphabet.KOREAN, "안".encode("euc_kr"), "안"),
    ],
)
def test_octets_become_text_and_no_octet_loses_the_others(
    alphabet: Alphabet, octets: bytes, text: str
) -> None:
    assert decode(octets, alphabet) == text


@pytest.mark.parametrize(
    ("octets", "elements", "rest"),
    [
        ("0500030a0201616263", (Element(0, b"\x0a\2\1"),), b"abc"),
        ("00616263", (), b"abc"),
        ("0605040b8423f0", (Element(5, b"\x0b\x84\x23\xf0"),), b""),
        ("03240102aa", (Element(0x24, b"\2"),), b"\xaa"),
    ],
)
def test_a_header_is_read(octets: str, elements: tuple[Element, ...], rest: bytes) -> None:
    assert read_header(bytes.fromhex(octets)) == (elements, rest)


@pytest.mark.parametrize("octets", ["", "05", "050003", "0300030a01", "0205", "01ff00"])
def test_a_header_that_is_cut_off_is_refused(octets: str) -> None:
    with pytest.raises(ProtocolError):
        read_header(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("element", "place"),
    [
        (joined_by_8(Place(0x1234, 3, 2)), Place(0x34, 3, 2)),
        (joined_by_16(Place(0x1234, 3, 2)), Place(0x1234, 3, 2)),
        (Element(0, b"\1\0\0"), None),
        (Element(0, b"\1\2\0"), None),
        (Element(0, b"\1\2\3"), None),
        (Element(0, b"\1\1\1"), None),
        (Element(0, b"\1\2"), None),
        (Element(5, b"\1\2\3\4"), None),
    ],
)
def test_a_header_says_where_a_part_belongs(element: Element, place: Place | None) -> None:
    assert place_of((element,)) == place


def test_parameters_say_where_a_part_belongs() -> None:
    octets = joined_by_parameters(Place(0x12345, 3, 2))
    assert place_of((), decode_tlvs(octets, 0, len(octets))) == Place(0x2345, 3, 2)
    assert place_of((), ((Tag.SAR_MSG_REF_NUM, b"\0\1"), (Tag.SAR_TOTAL_SEGMENTS, b"\2"))) is None


def test_a_header_names_languages_and_loses_its_place() -> None:
    elements = (joined_by_8(Place(1, 2, 1)), Element(0x25, b"\1"), Element(0x24, b"\3"))
    assert languages_of(elements) == (1, 3)
    assert without_place(elements) == elements[1:]


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=5), st.binary(max_size=50))
def test_a_header_comes_back(elements: list[tuple[int, bytes]], rest: bytes) -> None:
    written = write_header(tuple(Element(*one) for one in elements))
    if elements:
        assert read_header(written + rest) == (tuple(elements), rest)
    else:
        assert written == b""


@given(st.binary(max_size=300))
def test_no_octets_break_the_reading_of_a_header(octets: bytes) -> None:
    try:
        elements, rest = read_header(octets)
    except ProtocolError:
        return
    assert write_header(elements) + rest == octets or not elements
    place_of(elements)
