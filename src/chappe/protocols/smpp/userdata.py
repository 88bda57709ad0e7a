"""What may stand before the text of an SMS: the user data header, and where a part belongs in a long message.

Sources: 3GPP TS 23.040, 9.2.3.24 (user data header) and SMPP 3.4, 5.3.2.22 to 24 (the sar_ parameters).
"""

from enum import IntEnum
from typing import NamedTuple

from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp.codes import Tag
from chappe.protocols.smpp.fields import Tlvs, encode_tlvs, tlv_number

MOST_PARTS = 255


class Mark(IntEnum):
    """Elements of a user data header."""

    JOINED_8 = 0x00
    JOINED_16 = 0x08
    SINGLE_SHIFT = 0x24
    LOCKING_SHIFT = 0x25


class Element(NamedTuple):
    """One element of a user data header."""

    mark: int
    value: bytes


class Place(NamedTuple):
    """Part `number` (from 1) of the `total` parts of the long message `reference`."""

    reference: int
    total: int
    number: int


def read_header(octets: bytes) -> tuple[tuple[Element, ...], bytes]:
    """The elements of the header that octets begin with, and what is behind it. Raises ProtocolError."""
    if not octets or octets[0] >= len(octets):
        raise ProtocolError(f"the user data header does not fit into {len(octets)} octets")
    end = octets[0] + 1
    found: list[Element] = []
    at = 1
    while at < end:
        if at + 1 >= end or at + 2 + octets[at + 1] > end:
            raise ProtocolError(f"element 0x{octets[at]:02X} of the user data header is cut off")
        found.append(Element(octets[at], octets[at + 2 : at + 2 + octets[at + 1]]))
        at += 2 + octets[at + 1]
    return tuple(found), octets[end:]


def write_header(elements: tuple[Element, ...]) -> bytes:
    """A header with its length; empty for no elements."""
    body = b"".join(bytes((one.mark, len(one.value))) + one.value for one in elements)
    return bytes((len(body),)) + body if body else b""


def joined_by_8(place: Place) -> Element:
    """The element that joins parts by a reference of 8 bits."""
    return Element(Mark.JOINED_8, bytes((place.reference & 0xFF, place.total, place.number)))


def joined_by_16(place: Place) -> Element:
    """The element that joins parts by a reference of 16 bits."""
    return Element(
        Mark.JOINED_16, (place.reference & 0xFFFF).to_bytes(2, "big") + bytes((place.total, place.number))
    )


def joined_by_parameters(place: Place) -> bytes:
    """The sar_ parameters that join parts, as bytes."""
    return encode_tlvs(
        (
            (Tag.SAR_MSG_REF_NUM, (place.reference & 0xFFFF).to_bytes(2, "big")),
            (Tag.SAR_TOTAL_SEGMENTS, bytes((place.total,))),
            (Tag.SAR_SEGMENT_SEQNUM, bytes((place.number,))),
        )
    )


def place_of(elements: tuple[Element, ...], tlvs: Tlvs = ()) -> Place | None:
    """Where a part belongs, by its header or its parameters; None for a message of its own.

    A total of 0, and a number that is 0 or over the total, make a message of its own (TS 23.040,
    9.2.3.24.1). The last of two headers of the kind counts (9.2.3.24).
    """
    place = None
    for mark, value in elements:
        if mark == Mark.JOINED_8 and len(value) == 3:
            place = Place(value[0], value[1], value[2])
        elif mark == Mark.JOINED_16 and len(value) == 4:
            place = Place(int.from_bytes(value[:2], "big"), value[2], value[3])
    if place is None:
        found = [
            tlv_number(tlvs, tag)
            for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
        ]
        reference, total, number = found
        if reference is None or total is None or number is None:
            return None
        place = Place(reference, total, number)
    if not 1 <= place.number <= place.total <= MOST_PARTS or place.total == 1:
        return None
    return place


def languages_of(elements: tuple[Element, ...]) -> tuple[int, int]:
    """The identifiers of the locking and single shift tables that a header names, 0 for the default ones."""
    locking = single = 0
    for mark, value in elements:
        if len(value) == 1:
            if mark == Mark.LOCKING_SHIFT:
                locking = value[0]
            elif mark == Mark.SINGLE_SHIFT:
                single = value[0]
    return locking, single


def without_place(elements: tuple[Element, ...]) -> tuple[Element, ...]:
    """A header without what joins parts, as the whole message has it."""
    return tuple(one for one in elements if one.mark not in (Mark.JOINED_8, Mark.JOINED_16))
