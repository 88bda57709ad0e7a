"""Works out which alphabet an SMS text needs, how many segments it takes and where it is cut.

Source: 3GPP TS 23.040 9.2.3.24.1 (concatenation: of 140 octets a header of 6 leaves room for 153 septets, 67
code units or 134 octets). The alphabet itself is in gsm.py.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from chappe.model import gsm


class Encoding(StrEnum):
    """How a text travels: in one of two alphabets, or as octets that are no text (see read_binary)."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"
    BINARY = "binary"


LONE_LIMIT = {Encoding.GSM7: 160, Encoding.UCS2: 70, Encoding.BINARY: 140}
"""Units in an SMS that is not part of a longer text."""

JOINED_LIMIT = {Encoding.GSM7: 153, Encoding.UCS2: 67, Encoding.BINARY: 134}
"""Units in each segment of a longer text."""

_BEYOND_ONE_SEPTET = re.compile(f"[^{re.escape(gsm.DEFAULT.one_septet)}]")
_EXTENDED = re.compile(f"[{re.escape(gsm.DEFAULT.two_septets)}]")
_FOREIGN = re.compile(f"[^{re.escape(gsm.DEFAULT.one_septet + gsm.DEFAULT.two_septets)}]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class TextNotEncodable(ValueError):
    """A text has characters that its alphabet cannot carry; `characters` has each once, in order."""

    def __init__(self, characters: tuple[str, ...], advice: str) -> None:
        self.characters = characters
        named = ", ".join(f"{_printable(one)} (U+{ord(one):04X})" for one in characters[:10])
        if len(characters) > 10:
            named += f" and {len(characters) - 10} more"
        super().__init__(f"the text has characters that cannot be sent: {named}; {advice}")


class NotBinary(ValueError):
    """A text is not a binary message; the words say why."""


@dataclass(frozen=True, slots=True)
class TextPlan:
    """How a text travels.

    `units` are septets (GSM7), UTF-16 code units (UCS2) or octets (BINARY); `segments` is the number of SMS,
    1 for the empty text as well; `forced_by` has the characters outside the GSM alphabet, each once, in order
    of appearance.
    """

    encoding: Encoding
    units: int
    segments: int
    forced_by: tuple[str, ...]


def plan(text: str, wanted: Encoding | None = None) -> TextPlan:
    """Choose the alphabet (GSM where it suffices, unless another is wanted) and count units and segments.

    Raises TextNotEncodable when GSM7 is wanted and the text has other characters, and for a lone surrogate,
    which no alphabet can carry; NotBinary when BINARY is wanted and the text is not that.
    """
    if wanted is Encoding.BINARY:
        return _plan_binary(text)
    if wanted is not Encoding.UCS2 and _BEYOND_ONE_SEPTET.search(text) is None:
        return _one_septet_each(len(text))
    forced_by = _foreign(text)
    if wanted is Encoding.GSM7 and forced_by:
        raise _not_gsm(forced_by)
    encoding = wanted or (Encoding.UCS2 if forced_by else Encoding.GSM7)
    coded = _coded(text, encoding)
    return TextPlan(encoding, len(coded) // _octets(encoding), len(_ends(coded, encoding)), forced_by)


def split(text: str, encoding: Encoding) -> tuple[str, ...]:
    """Cut the text into the texts of its segments, one for the empty text.

    An extension character stays whole, and so does a character of two UTF-16 code units; a letter and the
    combining mark behind it may be parted (our choice: the handset joins them again). Raises TextNotEncodable
    and NotBinary like `plan`; each part of a binary message has its header.
    """
    if encoding is Encoding.BINARY:
        header, payload = read_binary(text)
        return tuple(write_binary(header, part) for part in split_binary(header, payload))
    coded = _coded(text, encoding)
    ends = _ends(coded, encoding)
    if len(ends) == 1:
        return (text,)
    parts = (coded[start:end] for start, end in zip([0, *ends], ends, strict=False))
    if encoding is Encoding.GSM7:
        return tuple(decode_gsm7(part) for part in parts)
    return tuple(part.decode("utf-16-be") for part in parts)


def cut(coded: bytes, encoding: Encoding, alone: int, joined: int) -> tuple[bytes, ...]:
    """Cut octets (septets stand one to an octet) into parts: one of at most `alone`, else each of at most
    `joined`; no escape and no surrogate loses its second half."""
    ends = _ends_within(coded, encoding, alone, joined)
    return tuple(coded[start:end] for start, end in zip([0, *ends], ends, strict=False))


def septets(text: str) -> int:
    """Count the septets of a text in the GSM alphabet; an extension character takes two."""
    if foreign := _foreign(text):
        raise _not_gsm(foreign)
    return len(text) + len(_EXTENDED.findall(text))


def encode_gsm7(text: str) -> bytes:
    """Encode a text in the GSM alphabet, one septet to a byte, not packed. Raises TextNotEncodable."""
    try:
        return gsm.DEFAULT.encode(text)
    except KeyError:
        raise _not_gsm(_foreign(text)) from None


def decode_gsm7(data: bytes) -> str:
    """Decode septets, one to a byte, not packed. Raises UnicodeDecodeError for a byte over 0x7f."""
    return gsm.DEFAULT.decode(data)


# --- binary messages


def read_binary(text: str) -> tuple[bytes, bytes]:
    """User data header (with its length octet, or empty) and payload of a binary message.

    It is written in hexadecimal, `payload` or `header:payload` (our choice), for instance
    `0605040B8423F0:DC0601AE02056A0045C60C03` for port addressing. Raises NotBinary.
    """
    first, colon, second = text.partition(":")
    try:
        header, payload = (
            (bytes.fromhex(first), bytes.fromhex(second)) if colon else (b"", bytes.fromhex(text))
        )
    except ValueError:
        raise NotBinary("a binary message is written in hexadecimal, as payload or header:payload") from None
    if header and len(header) != header[0] + 1:
        raise NotBinary(f"the header says that {header[0]} octets follow its first, {len(header) - 1} do")
    at = 1
    while at < len(header):
        if at + 1 >= len(header) or at + 2 + header[at + 1] > len(header):
            raise NotBinary(f"the element 0x{header[at]:02X} of the header is cut off")
        at += 2 + header[at + 1]
    if len(header) > _SEGMENT_OCTETS:
        raise NotBinary(f"a header of {len(header)} octets does not fit into a segment of {_SEGMENT_OCTETS}")
    return header, payload


def write_binary(header: bytes, payload: bytes) -> str:
    """A binary message as a text; the reverse of `read_binary`."""
    return f"{header.hex().upper()}:{payload.hex().upper()}" if header else payload.hex().upper()


def split_binary(header: bytes, payload: bytes) -> tuple[bytes, ...]:
    """The payloads of the segments; each has the header as well, and one that joins them if they are several.

    Raises NotBinary where there are several and the header already joins this one to others.
    """
    alone = _SEGMENT_OCTETS - len(header)
    if len(payload) <= alone:
        return (payload,)
    tags = _tags(header)
    if tags & _JOINING:
        raise NotBinary(
            f"the header makes this one part of a longer message: {alone} octets have room behind it, "
            f"{len(payload)} are there"
        )
    joined = JOINED_LIMIT[Encoding.BINARY] - max(0, len(header) - 1)
    if joined < 1:
        raise NotBinary(f"a header of {len(header)} octets leaves no room to join segments")
    return cut(payload, Encoding.BINARY, alone, joined)


_SEGMENT_OCTETS = 140  # TS 23.040, 9.2.3.24
_JOINING = frozenset({0x00, 0x08})  # concatenation by 8 and by 16 bits (TS 23.040, 9.2.3.24)


def _tags(header: bytes) -> set[int]:
    found, at = set(), 1
    while at < len(header):
        found.add(header[at])
        at += 2 + header[at + 1]
    return found


def _plan_binary(text: str) -> TextPlan:
    header, payload = read_binary(text)
    parts = split_binary(header, payload)
    return TextPlan(Encoding.BINARY, len(header) + len(payload), len(parts), ())


# --- texts


@lru_cache(maxsize=1024)
def _one_septet_each(length: int) -> TextPlan:
    """The plan of a text without extension characters; kept, for making it costs as much as the reading."""
    alone = length <= LONE_LIMIT[Encoding.GSM7]
    return TextPlan(Encoding.GSM7, length, 1 if alone else -(-length // JOINED_LIMIT[Encoding.GSM7]), ())


def _foreign(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_FOREIGN.findall(text)))


def _not_gsm(characters: tuple[str, ...]) -> TextNotEncodable:
    return TextNotEncodable(characters, "replace them, or send the text as ucs2")


def _printable(character: str) -> str:
    return repr(character) if character.isprintable() else "a character that cannot be shown"


def _octets(encoding: Encoding) -> int:
    return 2 if encoding is Encoding.UCS2 else 1


def _coded(text: str, encoding: Encoding) -> bytes:
    if encoding is Encoding.GSM7:
        return encode_gsm7(text)
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        lone = tuple(dict.fromkeys(_LONE_SURROGATE.findall(text)))
        raise TextNotEncodable(lone, "each is half of a character: send the whole character") from None


def _ends(coded: bytes, encoding: Encoding) -> list[int]:
    """Where each segment ends in the coded text, in octets."""
    width = _octets(encoding)
    return _ends_within(coded, encoding, LONE_LIMIT[encoding] * width, JOINED_LIMIT[encoding] * width)


def _ends_within(coded: bytes, encoding: Encoding, alone: int, joined: int) -> list[int]:
    if len(coded) <= alone:
        return [len(coded)]
    width = _octets(encoding)
    joined -= joined % width
    ends: list[int] = []
    end = joined
    while end < len(coded):
        last = coded[end - width]
        match encoding:
            case Encoding.GSM7:
                opens_pair = last == gsm.ESCAPE
            case Encoding.UCS2:
                opens_pair = last & 0xFC == 0xD8
            case Encoding.BINARY:
                opens_pair = False
        if opens_pair:
            end -= width
        ends.append(end)
        end += joined
    return [*ends, len(coded)]
