"""Works out which alphabet an SMS text needs, how many segments it takes and where it is cut.

Sources: 3GPP TS 23.038 6.2.1 (GSM 7 bit default alphabet and its extension table) and 3GPP TS 23.040
9.2.3.24.1 (concatenation: of 140 octets a header of 6 leaves room for 153 septets or 67 code units).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Encoding(StrEnum):
    """The two alphabets in which a text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


LONE_LIMIT = {Encoding.GSM7: 160, Encoding.UCS2: 70}
"""Units in an SMS that is not part of a longer text."""

JOINED_LIMIT = {Encoding.GSM7: 153, Encoding.UCS2: 67}
"""Units in each segment of a longer text."""

ESCAPE = 0x1B
"""The septet that announces a character of the extension table."""

# TS 23.038 6.2.1, by code. 0x09 is the capital C with cedilla; the small one, common in French, is missing.
_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# TS 23.038 6.2.1.1
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_ONE_SEPTET = _ALPHABET.replace(chr(ESCAPE), "")
_TWO_SEPTETS = "".join(_EXTENSION.values())

_BEYOND_ONE_SEPTET = re.compile(f"[^{re.escape(_ONE_SEPTET)}]")
_EXTENDED = re.compile(f"[{re.escape(_TWO_SEPTETS)}]")
_FOREIGN = re.compile(f"[^{re.escape(_ONE_SEPTET + _TWO_SEPTETS)}]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_TO_SEPTETS = {character: chr(code) for code, character in enumerate(_ALPHABET) if code != ESCAPE}
_TO_SEPTETS |= {character: f"{chr(ESCAPE)}{chr(code)}" for code, character in _EXTENSION.items()}

# An escape before a code without extension shows that code's ordinary character; an escape before an escape,
# and one that nothing follows, show a blank (TS 23.038 6.2.1 note 1 and 6.2.1.1 note 1).
_FROM_SEPTETS = {chr(code): character for code, character in enumerate(_ALPHABET)} | {chr(ESCAPE): " "}
_FROM_SEPTETS |= {f"{chr(ESCAPE)}{code}": character for code, character in _FROM_SEPTETS.items()}
_FROM_SEPTETS |= {f"{chr(ESCAPE)}{chr(code)}": character for code, character in _EXTENSION.items()}

# Most characters of a usual text have the same code as in ASCII; to look up only the others is much faster.
_AS_IN_ASCII = "".join(one for code, one in enumerate(_ALPHABET) if chr(code) == one and code != ESCAPE)
_NOT_AS_IN_ASCII = re.compile(f"[^{re.escape(_AS_IN_ASCII)}]")
_CODED_OTHERWISE = re.compile(f"\x1b.|[^{re.escape(_AS_IN_ASCII)}]", re.DOTALL)


class TextNotEncodable(ValueError):
    """A text has characters that its alphabet cannot carry; `characters` has each once, in order."""

    def __init__(self, characters: tuple[str, ...], advice: str) -> None:
        self.characters = characters
        named = ", ".join(f"{_printable(one)} (U+{ord(one):04X})" for one in characters[:10])
        if len(characters) > 10:
            named += f" and {len(characters) - 10} more"
        super().__init__(f"the text has characters that cannot be sent: {named}; {advice}")


@dataclass(frozen=True, slots=True)
class TextPlan:
    """How a text travels.

    `units` are septets (GSM7) or UTF-16 code units (UCS2); `segments` is the number of SMS, 1 for the empty
    text as well; `forced_by` has the characters outside the GSM alphabet, each once, in order of appearance.
    """

    encoding: Encoding
    units: int
    segments: int
    forced_by: tuple[str, ...]


def plan(text: str, wanted: Encoding | None = None) -> TextPlan:
    """Choose the alphabet (GSM where it suffices, unless the other is wanted) and count units and segments.

    Raises TextNotEncodable when GSM7 is wanted and the text has other characters, and for a lone surrogate,
    which no alphabet can carry.
    """
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
    like `plan`.
    """
    coded = _coded(text, encoding)
    ends = _ends(coded, encoding)
    if len(ends) == 1:
        return (text,)
    parts = (coded[start:end] for start, end in zip([0, *ends], ends, strict=False))
    if encoding is Encoding.GSM7:
        return tuple(decode_gsm7(part) for part in parts)
    return tuple(part.decode("utf-16-be") for part in parts)


def septets(text: str) -> int:
    """Count the septets of a text in the GSM alphabet; an extension character takes two."""
    if foreign := _foreign(text):
        raise _not_gsm(foreign)
    return len(text) + len(_EXTENDED.findall(text))


def encode_gsm7(text: str) -> bytes:
    """Encode a text in the GSM alphabet, one septet to a byte, not packed. Raises TextNotEncodable."""
    try:
        return _NOT_AS_IN_ASCII.sub(lambda found: _TO_SEPTETS[found[0]], text).encode("ascii")
    except KeyError:
        raise _not_gsm(_foreign(text)) from None


def decode_gsm7(data: bytes) -> str:
    """Decode septets, one to a byte, not packed. Raises UnicodeDecodeError for a byte over 0x7f."""
    try:
        coded = data.decode("ascii")
    except UnicodeDecodeError as error:
        reason = "a septet is at most 0x7f; is the text in another data coding?"
        raise UnicodeDecodeError("gsm7", data, error.start, error.start + 1, reason) from None
    return _CODED_OTHERWISE.sub(lambda found: _FROM_SEPTETS[found[0]], coded)


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
    return 1 if encoding is Encoding.GSM7 else 2


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
    if len(coded) <= LONE_LIMIT[encoding] * width:
        return [len(coded)]
    room = JOINED_LIMIT[encoding] * width
    ends: list[int] = []
    end = room
    while end < len(coded):
        last = coded[end - width]
        opens_pair = last == ESCAPE if encoding is Encoding.GSM7 else last & 0xFC == 0xD8
        if opens_pair:
            end -= width
        ends.append(end)
        end += room
    return [*ends, len(coded)]
