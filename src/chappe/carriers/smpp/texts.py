"""Texts as the octets of SMPP units, and back: alphabets, flash, and the ways to send what is too long for
one SMS.

The price of a message is that of its standard plan (model/smstext.py); a network that allows more may carry
it in fewer parts, and the 16 bit reference may take one more (docs/decisions/0006).
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from chappe.model import gsm
from chappe.model.smstext import (
    Encoding,
    cut,
    decode_gsm7,
    encode_gsm7,
    plan,
    read_binary,
    split_binary,
    write_binary,
)
from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp import coding, userdata
from chappe.protocols.smpp.codes import UDHI, Tag
from chappe.protocols.smpp.coding import Alphabet, Coding
from chappe.protocols.smpp.fields import Tlvs, encode_tlvs, tlv
from chappe.protocols.smpp.userdata import Element, Mark, Place

_SEGMENT_OCTETS = 140  # TS 23.040, 9.2.3.24
_MOST_OCTETS = 254  # SMPP 3.4, 5.2.21
_JOINING_OCTETS = {"udh8": 5, "udh16": 6, "sar": 5}  # sar_ parameters become a header in the network
_ENCODINGS = {
    Alphabet.LATIN1: Encoding.BINARY,  # an octet a character, cut anywhere
    Alphabet.DEFAULT: Encoding.GSM7,
    Alphabet.UCS2: Encoding.UCS2,
    Alphabet.BINARY: Encoding.BINARY,
}
# No text in ASCII has these; npm's smpp calls GSM-7 by the number of ASCII.
_NOT_ASCII = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
Nation = Literal["turkish", "spanish", "portuguese"]


class TextSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a network wants texts.

    `default_alphabet` is what data_coding 0 means there. `latin1` and `languages` say what it takes besides
    GSM-7 and UCS-2: data coding 3, and national shift tables; they are used where they save parts. `long` is
    the way of long messages: a header with a reference of 8 or 16 bits, the sar_ parameters, or
    message_payload. `flash` is the group of data codings for flash messages.
    """

    default_alphabet: Literal["gsm7", "latin1"] = "gsm7"
    latin1: bool = False
    languages: tuple[Nation, ...] = ()
    long: Literal["udh8", "udh16", "sar", "payload"] = "udh8"
    flash: Literal["10", "f0"] = "10"


class Part(NamedTuple):
    """What one submit_sm or deliver_sm holds of a text; `tlvs` as bytes."""

    esm_class: int
    data_coding: int
    octets: bytes
    tlvs: bytes = b""


class Coded(NamedTuple):
    """A whole text in octets, with what its header must say."""

    alphabet: Alphabet
    octets: bytes
    elements: tuple[Element, ...] = ()


class Brought(NamedTuple):
    """What one unit brought of a text: its octets, and where they belong in a longer one."""

    coding: Coding
    octets: bytes
    elements: tuple[Element, ...] = ()
    place: Place | None = None


class Texts:
    """Texts in the manner of one network."""

    def __init__(self, settings: TextSettings) -> None:
        self._settings = settings
        self._gsm = settings.default_alphabet == "gsm7"
        self._flash_group = 0xF0 if settings.flash == "f0" else 0x10
        self._alphabets = (
            []
            if not self._gsm
            else [
                gsm.alphabet(locking, single)
                for nation in settings.languages
                for language in (gsm.Language[nation.upper()],)
                for locking, single in ((gsm.Language.DEFAULT, language), (language, language))
            ]
        )

    # --- to the network

    def parts(self, text: str, encoding: Encoding, flash: bool, reference: int) -> Sequence[Part]:
        """The parts of a text, joined by `reference`. Raises ValueError for a text that has no room."""
        if encoding is Encoding.GSM7 and self._gsm and len(text) <= 160:
            octets = encode_gsm7(text)
            if len(octets) <= 160:
                return (Part(0, self._flash_group if flash else 0, octets),)
        coded = self._shortest(text, encoding, flash)
        pieces = self._pieces(coded)
        data_coding = coding.write_coding(coded.alphabet, 0 if flash else None, self._flash_group)
        header = userdata.write_header(coded.elements)
        esm_class = UDHI if header else 0
        if len(pieces) == 1:
            octets = header + self._on_the_wire(coded, pieces[0])
            if len(octets) <= _MOST_OCTETS:
                return (Part(esm_class, data_coding, octets),)
            return (Part(esm_class, data_coding, b"", encode_tlvs(((Tag.MESSAGE_PAYLOAD, octets),))),)
        if len(pieces) > userdata.MOST_PARTS:
            raise ValueError(f"the text needs {len(pieces)} parts, {userdata.MOST_PARTS} can be joined")
        parts: list[Part] = []
        for number, piece in enumerate(pieces, 1):
            place = Place(reference, len(pieces), number)
            elements, tlvs = coded.elements, b""
            match self._settings.long:
                case "udh16":
                    elements = (userdata.joined_by_16(place), *elements)
                case "sar":
                    tlvs = userdata.joined_by_parameters(place)
                case _:
                    elements = (userdata.joined_by_8(place), *elements)
            header = userdata.write_header(elements)
            octets = header + self._on_the_wire(coded, piece)
            parts.append(Part(UDHI if header else 0, data_coding, octets, tlvs))
        return parts

    def _on_the_wire(self, coded: Coded, piece: bytes) -> bytes:
        """Septets as a network whose default alphabet is Latin-1 wants them; it turns them back itself."""
        if coded.alphabet is Alphabet.DEFAULT and not self._gsm:
            return decode_gsm7(piece).encode("latin-1")
        return piece

    def _pieces(self, coded: Coded) -> tuple[bytes, ...]:
        """The octets of each part, without headers."""
        if self._settings.long == "payload":
            return (coded.octets,)
        own = sum(2 + len(one.value) for one in coded.elements)
        alone = _SEGMENT_OCTETS - (own + 1 if own else 0)
        joined = _SEGMENT_OCTETS - 1 - _JOINING_OCTETS[self._settings.long] - own
        in_septets = coded.alphabet is Alphabet.DEFAULT
        if in_septets:
            alone, joined = alone * 8 // 7, joined * 8 // 7
        return cut(coded.octets, _ENCODINGS[coded.alphabet], alone, joined)

    def _shortest(self, text: str, encoding: Encoding, flash: bool) -> Coded:
        """A text in the alphabet that takes the fewest parts, of those that the network takes."""
        if encoding is Encoding.BINARY:
            header, payload = read_binary(text)
            split_binary(header, payload)  # refuses what cannot be joined
            return Coded(Alphabet.BINARY, payload, userdata.read_header(header)[0] if header else ())
        latin1 = _is_latin1(text)
        if encoding is Encoding.GSM7 and (self._gsm or latin1):
            return Coded(Alphabet.DEFAULT, encode_gsm7(text))
        found = [Coded(Alphabet.UCS2, text.encode("utf-16-be"))]
        if self._settings.latin1 and latin1 and not flash:
            found.append(Coded(Alphabet.LATIN1, text.encode("latin-1")))
        # A text that GSM could write is in UCS-2 because somebody wanted it so.
        if self._alphabets and plan(text).encoding is Encoding.UCS2:
            found += [one for one in (_shifted(text, alphabet) for alphabet in self._alphabets) if one]
        return min(found, key=lambda one: len(self._pieces(one))) if len(found) > 1 else found[0]

    # --- from the network

    def read(self, esm_class: int, data_coding: int, short_message: bytes, tlvs: Tlvs = ()) -> Brought:
        """What a unit brought. A header that is not in order counts as part of the octets."""
        octets = short_message or tlv(tlvs, Tag.MESSAGE_PAYLOAD) or b""
        said = coding.read_coding(data_coding)
        elements: tuple[Element, ...] = ()
        if esm_class & UDHI:
            try:
                elements, octets = userdata.read_header(octets)
            except ProtocolError:
                said = Coding(Alphabet.BINARY, said.message_class)
        return Brought(said, octets, elements, userdata.place_of(elements, tlvs))

    def text(self, brought: Brought) -> tuple[str, Encoding]:
        """The text of what was brought, its parts joined before. Octets that are no text come in
        hexadecimal, as in binary messages that are sent."""
        alphabet, octets = brought.coding.alphabet, brought.octets
        if alphabet is Alphabet.ASCII and _NOT_ASCII.search(octets):
            alphabet = Alphabet.DEFAULT
        if alphabet is Alphabet.DEFAULT and self._gsm:
            locking, single = userdata.languages_of(brought.elements)
            try:
                shift = gsm.alphabet(gsm.Language(locking), gsm.Language(single))
            except ValueError:  # the table of another language: what the default one has in its place
                shift = gsm.DEFAULT
            if octets.isascii():
                return shift.decode(octets), Encoding.GSM7
            # A telephone has sent no such septets: the network calls Latin-1 its default alphabet.
            alphabet = Alphabet.LATIN1
        if alphabet is Alphabet.DEFAULT:
            alphabet = Alphabet.LATIN1
        if alphabet is Alphabet.BINARY:
            header = userdata.write_header(userdata.without_place(brought.elements))
            return write_binary(header, octets), Encoding.BINARY
        text = coding.decode(octets, alphabet)
        return text, Encoding.UCS2 if alphabet is Alphabet.UCS2 else plan(text).encoding


def _is_latin1(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _shifted(text: str, alphabet: gsm.Alphabet) -> Coded | None:
    """A text in a national alphabet; None where it does not suffice."""
    try:
        octets = alphabet.encode(text)
    except KeyError:
        return None
    elements: list[Element] = []
    if alphabet.single:
        elements.append(Element(Mark.SINGLE_SHIFT, bytes((alphabet.single,))))
    if alphabet.locking:
        elements.append(Element(Mark.LOCKING_SHIFT, bytes((alphabet.locking,))))
    return Coded(Alphabet.DEFAULT, octets, tuple(elements))
