"""What the octet data_coding says of a text: its alphabet, and whether it is shown at once.

Sources: SMPP 3.4, 5.2.19, and 3GPP TS 23.038, 4, whose groups SMPP takes over from 0x10 on.
"""

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct


class Alphabet(Enum):
    """In which form the octets are. DEFAULT is the network's own alphabet, mostly that of GSM, one septet to
    an octet; which one is agreed with each network."""

    DEFAULT = "default"
    ASCII = "ascii"
    LATIN1 = "latin1"
    JAPANESE = "japanese"
    CYRILLIC = "cyrillic"
    HEBREW = "hebrew"
    MUSIC = "music"
    KANJI = "kanji"
    KOREAN = "korean"
    UCS2 = "ucs2"
    BINARY = "binary"


class Coding(Struct, frozen=True):
    """An alphabet, and the message class where one is given: 0 is shown at once and not kept (flash), 1 is
    kept in the telephone, 2 on the SIM, 3 goes to a device behind the telephone."""

    alphabet: Alphabet
    message_class: int | None = None


_BY_NUMBER: Mapping[int, Alphabet] = {
    0x00: Alphabet.DEFAULT,
    0x01: Alphabet.ASCII,
    0x02: Alphabet.BINARY,
    0x03: Alphabet.LATIN1,
    0x04: Alphabet.BINARY,
    0x05: Alphabet.JAPANESE,
    0x06: Alphabet.CYRILLIC,
    0x07: Alphabet.HEBREW,
    0x08: Alphabet.UCS2,
    0x0A: Alphabet.MUSIC,
    0x0D: Alphabet.KANJI,
    0x0E: Alphabet.KOREAN,
}
_NUMBERS: Mapping[Alphabet, int] = {alphabet: number for number, alphabet in _BY_NUMBER.items()}

# Bits 3 and 2 of the general group (TS 23.038, 4); the fourth value is reserved.
_GENERAL = (Alphabet.DEFAULT, Alphabet.BINARY, Alphabet.UCS2, Alphabet.BINARY)
_COMPRESSED = 0x20
_HAS_CLASS = 0x10

_CODECS: Mapping[Alphabet, str] = {
    Alphabet.ASCII: "ascii",
    Alphabet.LATIN1: "latin-1",
    Alphabet.JAPANESE: "shift_jis",
    Alphabet.CYRILLIC: "iso8859_5",
    Alphabet.HEBREW: "iso8859_8",
    Alphabet.MUSIC: "iso2022_jp",
    Alphabet.KANJI: "euc_jis_2004",
    Alphabet.KOREAN: "euc_kr",
    Alphabet.UCS2: "utf-16-be",
}


def read_coding(data_coding: int) -> Coding:
    """What data_coding says; values that are reserved or mean compression are BINARY: their octets can be
    handed on, and nobody guesses at them."""
    group = data_coding >> 4
    if group == 0:
        return Coding(_BY_NUMBER.get(data_coding, Alphabet.BINARY))
    if group < 0x8:  # general, and the same for messages that are deleted once read
        if data_coding & _COMPRESSED:
            return Coding(Alphabet.BINARY)
        message_class = data_coding & 3 if data_coding & _HAS_CLASS else None
        return Coding(_GENERAL[data_coding >> 2 & 3], message_class)
    if group in (0xC, 0xD):  # somebody has left a message: without and with a text
        return Coding(Alphabet.DEFAULT)
    if group == 0xE:
        return Coding(Alphabet.UCS2)
    if group == 0xF:
        return Coding(Alphabet.BINARY if data_coding & 4 else Alphabet.DEFAULT, data_coding & 3)
    return Coding(Alphabet.BINARY)


def write_coding(alphabet: Alphabet, message_class: int | None = None, group: int = 0x10) -> int:
    """The data_coding of an alphabet and class. With a class `group` chooses between 0x10, the general group,
    and 0xF0, which some networks ask for and which has no UCS-2 (then it is 0x10).

    Raises ValueError for a class with an alphabet that only SMPP numbers.
    """
    if message_class is None:
        return _NUMBERS[alphabet]
    if alphabet not in _GENERAL:
        raise ValueError(f"data_coding has no message class for {alphabet.value}")
    bits = _GENERAL.index(alphabet) << 2
    if group == 0xF0 and alphabet is Alphabet.UCS2:
        group = 0x10
    return group | bits | message_class


def decode(octets: bytes, alphabet: Alphabet) -> str:
    """The text of octets in an alphabet that is neither DEFAULT nor BINARY; what is no text in it shows as
    U+FFFD, so that nothing a telephone wrote is lost over one octet."""
    return octets.decode(_CODECS[alphabet], "replace")
