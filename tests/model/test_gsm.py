"""National alphabets of GSM, read a second time: by name, where the module has them by sight."""

import pytest

from chappe.model.gsm import Language, alphabet

TR, ES, PT, NO = Language.TURKISH, Language.SPANISH, Language.PORTUGUESE, Language.DEFAULT

# 3GPP TS 23.038 annex A.2 and A.3.
CODES = [
    (NO, TR, "\N{LATIN CAPITAL LETTER G WITH BREVE}", "1b47"),
    (NO, TR, "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "1b49"),
    (NO, TR, "\N{LATIN CAPITAL LETTER S WITH CEDILLA}", "1b53"),
    (NO, TR, "\N{LATIN SMALL LETTER C WITH CEDILLA}", "1b63"),
    (NO, TR, "\N{LATIN SMALL LETTER G WITH BREVE}", "1b67"),
    (NO, TR, "\N{LATIN SMALL LETTER DOTLESS I}", "1b69"),
    (NO, TR, "\N{LATIN SMALL LETTER S WITH CEDILLA}", "1b73"),
    (NO, ES, "\N{LATIN SMALL LETTER C WITH CEDILLA}", "1b09"),
    (NO, ES, "\N{LATIN CAPITAL LETTER A WITH ACUTE}", "1b41"),
    (NO, ES, "\N{LATIN CAPITAL LETTER I WITH ACUTE}", "1b49"),
    (NO, ES, "\N{LATIN CAPITAL LETTER O WITH ACUTE}", "1b4f"),
    (NO, ES, "\N{LATIN CAPITAL LETTER U WITH ACUTE}", "1b55"),
    (NO, ES, "\N{LATIN SMALL LETTER A WITH ACUTE}", "1b61"),
    (NO, ES, "\N{LATIN SMALL LETTER I WITH ACUTE}", "1b69"),
    (NO, ES, "\N{LATIN SMALL LETTER O WITH ACUTE}", "1b6f"),
    (NO, ES, "\N{LATIN SMALL LETTER U WITH ACUTE}", "1b75"),
    (NO, PT, "\N{LATIN SMALL LETTER E WITH CIRCUMFLEX}", "1b05"),
    (NO, PT, "\N{LATIN CAPITAL LETTER O WITH CIRCUMFLEX}", "1b0b"),
    (NO, PT, "\N{LATIN SMALL LETTER A WITH ACUTE}", "1b0f"),
    (NO, PT, "\N{LATIN CAPITAL LETTER E WITH CIRCUMFLEX}", "1b1f"),
    (NO, PT, "\N{LATIN CAPITAL LETTER A WITH GRAVE}", "1b41"),
    (NO, PT, "\N{LATIN CAPITAL LETTER A WITH TILDE}", "1b5b"),
    (NO, PT, "\N{LATIN CAPITAL LETTER O WITH TILDE}", "1b5c"),
    (NO, PT, "\N{LATIN CAPITAL LETTER A WITH CIRCUMFLEX}", "1b61"),
    (NO, PT, "\N{LATIN SMALL LETTER A WITH TILDE}", "1b7b"),
    (NO, PT, "\N{LATIN SMALL LETTER O WITH TILDE}", "1b7c"),
    (NO, PT, "\N{LATIN SMALL LETTER A WITH CIRCUMFLEX}", "1b7f"),
    (TR, TR, "\N{EURO SIGN}", "04"),
    (TR, TR, "\N{LATIN SMALL LETTER DOTLESS I}", "07"),
    (TR, TR, "\N{LATIN CAPITAL LETTER G WITH BREVE}", "0b"),
    (TR, TR, "\N{LATIN SMALL LETTER G WITH BREVE}", "0c"),
    (TR, TR, "\N{LATIN CAPITAL LETTER S WITH CEDILLA}", "1c"),
    (TR, TR, "\N{LATIN SMALL LETTER S WITH CEDILLA}", "1d"),
    (TR, TR, "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "40"),
    (TR, TR, "\N{LATIN SMALL LETTER C WITH CEDILLA}", "60"),
    (PT, PT, "\N{LATIN SMALL LETTER E WITH CIRCUMFLEX}", "04"),
    (PT, PT, "\N{LATIN SMALL LETTER U WITH ACUTE}", "06"),
    (PT, PT, "\N{FEMININE ORDINAL INDICATOR}", "12"),
    (PT, PT, "\N{INFINITY}", "15"),
    (PT, PT, "\\", "17"),
    (PT, PT, "|", "1a"),
    (PT, PT, "\N{MASCULINE ORDINAL INDICATOR}", "24"),
    (PT, PT, "\N{LATIN CAPITAL LETTER I WITH ACUTE}", "40"),
    (PT, PT, "\N{LATIN CAPITAL LETTER A WITH TILDE}", "5b"),
    (PT, PT, "~", "60"),
    (PT, PT, "\N{LATIN SMALL LETTER A WITH TILDE}", "7b"),
    (PT, PT, "`", "7d"),
]


@pytest.mark.parametrize(("locking", "single", "character", "code"), CODES)
def test_a_character_has_the_code_of_the_standard(
    locking: Language, single: Language, character: str, code: str
) -> None:
    shifted = alphabet(locking, single)
    assert shifted.encode(character).hex() == code
    assert shifted.decode(bytes.fromhex(code)) == character


@pytest.mark.parametrize("locking", Language)
@pytest.mark.parametrize("single", Language)
def test_whatever_an_alphabet_has_comes_back(locking: Language, single: Language) -> None:
    shifted = alphabet(locking, single)
    text = shifted.one_septet + shifted.two_septets
    octets = shifted.encode(text)
    assert shifted.decode(octets) == text
    assert len(octets) == len(shifted.one_septet) + 2 * len(shifted.two_septets)
    assert len(shifted.one_septet) == 127


@pytest.mark.parametrize("single", Language)
def test_every_single_shift_table_has_what_the_default_extension_has(single: Language) -> None:
    assert alphabet(NO, single).encode("\f^{}\\[~]|€") == alphabet().encode("\f^{}\\[~]|€")


def test_spanish_has_no_locking_table() -> None:
    assert alphabet(ES, ES).one_septet == alphabet().one_septet


def test_what_an_alphabet_lacks_is_refused() -> None:
    with pytest.raises(KeyError):
        alphabet(NO, ES).encode("ã")
