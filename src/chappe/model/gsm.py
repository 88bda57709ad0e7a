"""The GSM 7 bit alphabets: the default one with its extension, and those of single languages.

Source: 3GPP TS 23.038, 6.2.1 (default alphabet and extension) and annex A (national language tables). A table
has 128 characters by code; a single shift table says what a code means behind an escape. Septets stand one to
a byte, not packed, as SMPP has them.
"""

import re
from enum import IntEnum
from functools import cache

ESCAPE = 0x1B
"""The septet that announces a character of a single shift table."""


class Language(IntEnum):
    """National language identifiers (TS 23.038, annex A.1)."""

    DEFAULT = 0
    TURKISH = 1
    SPANISH = 2
    PORTUGUESE = 3


# 0x09 is the capital C with cedilla; the small one, common in French, is missing.
_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# Annex A.3; Spanish has none.
_LOCKING = {
    Language.DEFAULT: _DEFAULT,
    Language.TURKISH: (
        "@£$¥€éùıòÇ\nĞğ\rÅå"
        "Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ"
        " !\"#¤%&'()*+,-./"
        "0123456789:;<=>?"
        "İABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÄÖÑÜ§"
        "çabcdefghijklmno"
        "pqrstuvwxyzäöñüà"
    ),
    Language.PORTUGUESE: (
        "@£$¥êéúíóç\nÔô\rÁá"
        "Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
        " !\"#º%&'()*+,-./"
        "0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÃÕÚÜ§"
        "~abcdefghijklmno"
        "pqrstuvwxyzãõ`üà"
    ),
}

# 6.2.1.1; every national single shift table (A.2) has all of these as well.
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

_SINGLE = {
    Language.DEFAULT: _EXTENSION,
    Language.TURKISH: _EXTENSION | dict(zip(b"\x47\x49\x53\x63\x67\x69\x73", "ĞİŞçğış", strict=True)),
    Language.SPANISH: _EXTENSION
    | dict(zip(b"\x09\x41\x49\x4f\x55\x61\x69\x6f\x75", "çÁÍÓÚáíóú", strict=True)),
    Language.PORTUGUESE: _EXTENSION
    | dict(zip(b"\x05\x09\x0b\x0c\x0e\x0f\x12\x13\x15\x16\x17\x18\x19\x1f", "êçÔôÁáΦΓΩΠΨΣΘÊ", strict=True))
    | dict(zip(b"\x41\x49\x4f\x55\x5b\x5c\x61\x69\x6f\x75\x7b\x7c\x7f", "ÀÍÓÚÃÕÂíóúãõâ", strict=True)),
}


class Alphabet:
    """A locking table with a single shift table; `alphabet` makes it, once.

    `one_septet` and `two_septets` are the characters that take one septet, or an escape and a septet.
    """

    __slots__ = (
        "_by_latin1",
        "_characters",
        "_coded_otherwise",
        "_not_as_in_ascii",
        "_septets",
        "locking",
        "one_septet",
        "single",
        "two_septets",
    )

    def __init__(self, locking: Language, single: Language) -> None:
        self.locking, self.single = locking, single
        plain, extended, escape = _LOCKING[locking], _SINGLE[single], chr(ESCAPE)
        self.one_septet = plain.replace(escape, "")
        self.two_septets = "".join(one for one in extended.values() if one not in plain)
        self._septets = {one: f"{escape}{chr(code)}" for code, one in extended.items()}
        self._septets |= {one: chr(code) for code, one in enumerate(plain) if one != escape}
        # An escape before a code without extension shows that code's ordinary character; an escape before an
        # escape, and one that nothing follows, show a blank (6.2.1 note 1 and 6.2.1.1 note 1).
        self._characters = {chr(code): one for code, one in enumerate(plain)} | {escape: " "}
        self._characters |= {f"{escape}{code}": one for code, one in self._characters.items()}
        self._characters |= {f"{escape}{chr(code)}": one for code, one in extended.items()}
        # Most characters of a usual text have the same code as in ASCII; to look up only the others is much
        # faster.
        same = "".join(one for code, one in enumerate(plain) if chr(code) == one and one != escape)
        self._not_as_in_ascii = re.compile(f"[^{re.escape(same)}]")
        # Most texts are Latin-1 and need no escape; 0xff stands for what this table cannot say.
        self._by_latin1 = bytes(
            ord(self._septets[chr(code)]) if chr(code) in self.one_septet else 0xFF for code in range(256)
        )
        self._coded_otherwise = re.compile(f"\x1b.|[^{re.escape(same)}]", re.DOTALL)

    def encode(self, text: str) -> bytes:
        """The septets of a text. Raises KeyError for a character that the alphabet lacks."""
        try:
            octets = text.encode("latin-1").translate(self._by_latin1)
        except UnicodeEncodeError:
            pass
        else:
            if octets.isascii():
                return octets
        return self._not_as_in_ascii.sub(lambda found: self._septets[found[0]], text).encode("ascii")

    def decode(self, data: bytes) -> str:
        """The text of septets. Raises UnicodeDecodeError for a byte over 0x7f."""
        try:
            coded = data.decode("ascii")
        except UnicodeDecodeError as error:
            reason = "a septet is at most 0x7f; is the text in another data coding?"
            raise UnicodeDecodeError("gsm7", data, error.start, error.start + 1, reason) from None
        return self._coded_otherwise.sub(lambda found: self._characters[found[0]], coded)


@cache
def alphabet(locking: Language = Language.DEFAULT, single: Language = Language.DEFAULT) -> Alphabet:
    """The alphabet of a locking table (Spanish has none: then the default one) and a single shift table."""
    return Alphabet(locking if locking in _LOCKING else Language.DEFAULT, single)


DEFAULT = alphabet()
