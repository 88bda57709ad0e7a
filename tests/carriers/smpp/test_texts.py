"""Texts to SMPP units and back: alphabets, flash, long messages in every way."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import consts, gsm

from chappe.carriers.smpp.texts import Brought, Part, Texts, TextSettings
from chappe.model.smstext import Encoding, plan, split
from chappe.protocols.smpp.codes import UDHI, Tag
from chappe.protocols.smpp.coding import Alphabet, Coding
from chappe.protocols.smpp.fields import decode_tlvs, encode_tlvs

GSM7, UCS2, BINARY = Encoding.GSM7, Encoding.UCS2, Encoding.BINARY
plain = Texts(TextSettings())
national = Texts(TextSettings(latin1=True, languages=("turkish", "spanish", "portuguese")))

SETTINGS = [
    TextSettings(long=long, latin1=extras, languages=("portuguese", "turkish") if extras else ())
    for long in ("udh8", "udh16", "sar", "payload")
    for extras in (False, True)
] + [TextSettings(default_alphabet="latin1"), TextSettings(default_alphabet="latin1", long="sar")]


def back(texts: Texts, parts: list[Part]) -> tuple[str, Encoding]:
    """What a telephone would show of these parts."""
    brought = [
        texts.read(one.esm_class, one.data_coding, one.octets, decode_tlvs(one.tlvs, 0, len(one.tlvs)))
        for one in parts
    ]
    if len(parts) > 1:
        assert [one.place.number for one in brought] == list(range(1, len(parts) + 1))
        assert {(one.place.reference, one.place.total) for one in brought} == {
            (brought[0].place.reference, len(parts))
        }
    whole = Brought(brought[0].coding, b"".join(one.octets for one in brought), brought[0].elements)
    return texts.text(whole)


def airtime(texts: Texts, part: Part) -> int:
    """The octets of a part on the radio, where septets are packed behind the header."""
    brought = texts.read(part.esm_class, part.data_coding, part.octets)
    header = len(part.octets) - len(brought.octets)
    header += 6 * any(tag == Tag.SAR_MSG_REF_NUM for tag, _ in decode_tlvs(part.tlvs, 0, len(part.tlvs)))
    if brought.coding.alphabet is not Alphabet.DEFAULT:
        return header + len(brought.octets)
    return math.ceil((math.ceil(header * 8 / 7) + len(brought.octets)) * 7 / 8)


@pytest.mark.parametrize(
    ("text", "encoding", "flash", "part"),
    [
        ("Voilà {1} €", GSM7, False, Part(0, 0x00, b"Voil\x7f \x1b\x281\x1b\x29 \x1be")),
        ("", GSM7, False, Part(0, 0x00, b"")),
        ("ê", UCS2, False, Part(0, 0x08, b"\x00\xea")),
        ("😀", UCS2, True, Part(0, 0x18, bytes.fromhex("d83dde00"))),
        ("urgent", GSM7, True, Part(0, 0x10, b"urgent")),
        ("00ff", BINARY, False, Part(0, 0x04, b"\x00\xff")),
        ("0605040B8423F0:00FF", BINARY, False, Part(UDHI, 0x04, bytes.fromhex("0605040b8423f000ff"))),
    ],
)
def test_a_short_text_is_one_unit(text: str, encoding: Encoding, flash: bool, part: Part) -> None:
    assert list(plain.parts(text, encoding, flash, 7)) == [part]


def test_flash_in_the_other_group() -> None:
    texts = Texts(TextSettings(flash="f0"))
    assert [
        texts.parts(*one, True, 7)[0].data_coding for one in (("a", GSM7), ("00", BINARY), ("ê", UCS2))
    ] == [
        0xF0,
        0xF4,
        0x18,
    ]


@pytest.mark.parametrize(
    ("long", "first", "sizes"),
    [
        ("udh8", b"\5\0\3\x34\2\1", [153, 7]),
        ("udh16", b"\6\x08\4\x12\x34\2\1", [152, 8]),
    ],
)
def test_a_long_text_by_header(long: str, first: bytes, sizes: list[int]) -> None:
    parts = Texts(TextSettings(long=long)).parts("a" * 153 + "b" * 8, GSM7, False, 0x1234)
    sizes[1] = 161 - sizes[0]
    assert [len(one.octets) - len(first) for one in parts] == sizes
    assert parts[0].octets.startswith(first)
    assert all(one.esm_class == UDHI for one in parts)


def test_a_long_text_by_parameters_has_no_header() -> None:
    parts = Texts(TextSettings(long="sar")).parts("a" * 161, GSM7, False, 0x1234)
    assert [one.esm_class for one in parts] == [0, 0]
    assert [len(one.octets) for one in parts] == [153, 8]
    assert decode_tlvs(parts[1].tlvs, 0, len(parts[1].tlvs)) == (
        (Tag.SAR_MSG_REF_NUM, b"\x12\x34"),
        (Tag.SAR_TOTAL_SEGMENTS, b"\2"),
        (Tag.SAR_SEGMENT_SEQNUM, b"\2"),
    )


def test_a_long_text_in_the_payload_is_one_unit() -> None:
    (part,) = Texts(TextSettings(long="payload")).parts("a" * 300, GSM7, False, 1)
    assert part == Part(0, 0, b"", encode_tlvs(((Tag.MESSAGE_PAYLOAD, b"a" * 300),)))


def test_shift_tables_and_latin1_are_used_only_where_they_save_parts() -> None:
    short, longer = "ação", "ação e canção, " * 8
    assert national.parts(short, UCS2, False, 1)[0].data_coding == 0x08
    (part,) = national.parts(longer, UCS2, False, 1)
    assert part.data_coding in (0x00, 0x03)
    assert len(plain.parts(longer, UCS2, False, 1)) == 2
    assert back(national, [part]) == (longer, GSM7 if part.data_coding == 0 else UCS2)


def test_turkish_goes_by_its_locking_table() -> None:
    text = "İyi günler, siparişiniz yola çıktı. " * 4
    (part,) = Texts(TextSettings(languages=("turkish",))).parts(text[:150], UCS2, False, 1)
    assert part.octets.startswith(bytes.fromhex("06240101250101"))
    assert part.esm_class == UDHI and part.data_coding == 0
    assert len(plain.parts(text[:150], UCS2, False, 1)) == 3
    assert back(plain, [part]) == (text[:150], GSM7)


def test_a_text_that_was_wanted_in_ucs2_stays_in_ucs2() -> None:
    parts = Texts(TextSettings(languages=("spanish",))).parts("a" * 100, UCS2, False, 1)
    assert [one.data_coding for one in parts] == [0x08, 0x08]


def test_a_network_whose_default_alphabet_is_latin1() -> None:
    texts = Texts(TextSettings(default_alphabet="latin1"))
    assert texts.parts("à {1}", GSM7, False, 1)[0] == Part(0, 0, b"\xe0 {1}")
    assert texts.parts("5 €", GSM7, False, 1)[0].data_coding == 0x08
    assert [len(one.octets) for one in texts.parts("{" * 90, GSM7, False, 1)] == [6 + 76, 6 + 14]
    assert texts.text(texts.read(0, 0, b"\xe0 {1}")) == ("à {1}", GSM7)


@pytest.mark.parametrize(
    ("esm_class", "data_coding", "octets", "text", "encoding"),
    [
        (0, 0x00, b"\x00\x1be", "@€", GSM7),
        (0, 0x00, b"caf\xe9", "café", GSM7),  # no septet: the network meant Latin-1
        (0, 0x01, b"a@b", "a@b", GSM7),
        (0, 0x01, b"Voil\x7f \x1b\x281\x1b\x29 \x00", "Voilà {1} @", GSM7),  # npm's smpp writes so
        (0, 0x03, b"\xea", "ê", UCS2),
        (0, 0x08, b"\x00\xea", "ê", UCS2),
        (0, 0xF1, b"\x00", "@", GSM7),
        (0, 0x04, b"\x00\xff", "00FF", BINARY),
        (0, 0x20, b"\x00\xff", "00FF", BINARY),
        (UDHI, 0x04, bytes.fromhex("0605040b8423f0ff"), "0605040B8423F0:FF", BINARY),
        (UDHI, 0x00, bytes.fromhex("032401021b61"), "á", GSM7),
        (UDHI, 0x00, bytes.fromhex("032401631b65"), "€", GSM7),  # a language nobody knows: the default table
        (UDHI, 0x00, b"\xff\x01", "FF01", BINARY),  # no header, though it is promised
    ],
)
def test_what_a_network_brings_is_read(
    esm_class: int, data_coding: int, octets: bytes, text: str, encoding: Encoding
) -> None:
    assert plain.text(plain.read(esm_class, data_coding, octets)) == (text, encoding)
    payload = ((Tag.MESSAGE_PAYLOAD, octets),)
    assert plain.text(plain.read(esm_class, data_coding, b"", payload)) == (text, encoding)


gsm_texts = st.text(st.sampled_from("aeé@à{}€\n1 Ü"), max_size=500)
other_texts = st.text(st.sampled_from("aêçãışğé😀你\u0301 {"), max_size=300)


@pytest.mark.parametrize("settings", SETTINGS)
@given(text=gsm_texts | other_texts, flash=st.booleans(), reference=st.integers(0, 2**40))
def test_every_text_comes_back_whole_and_every_part_fits(
    settings: TextSettings, text: str, flash: bool, reference: int
) -> None:
    texts = Texts(settings)
    encoding = plan(text).encoding
    parts = list(texts.parts(text, encoding, flash, reference))
    assert back(texts, parts)[0] == text
    if settings.long != "payload":
        assert all(airtime(texts, one) <= 140 for one in parts)
    assert len({one.data_coding for one in parts}) == 1
    if flash:
        assert texts.read(0, parts[0].data_coding, b"").coding.message_class == 0


@given(text=gsm_texts | other_texts)
def test_parts_are_as_many_as_the_price_says(text: str) -> None:
    found = plan(text)
    assert len(plain.parts(text, found.encoding, False, 1)) == found.segments


@given(payload=st.binary(max_size=500), header=st.sampled_from(["", "0605040B8423F0"]))
def test_octets_come_back_whole(payload: bytes, header: str) -> None:
    text = f"{header}:{payload.hex().upper()}" if header else payload.hex().upper()
    for settings in SETTINGS:
        texts = Texts(settings)
        parts = list(texts.parts(text, BINARY, False, 9))
        assert back(texts, parts) == (text, BINARY)
        if settings.long == "udh8":
            assert len(parts) == len(split(text, BINARY))


@given(text=gsm_texts.filter(bool) | other_texts.filter(bool))
def test_parts_agree_with_smpplib(text: str) -> None:
    """It cuts UCS-2 between halves of a character and GSM-7 behind escapes; where not, it agrees."""
    found = plan(text)
    ours = plain.parts(text, found.encoding, False, 0)
    theirs, data_coding, esm_class = gsm.make_parts(
        text, consts.SMPP_ENCODING_DEFAULT if found.encoding is GSM7 else consts.SMPP_ENCODING_ISO10646
    )
    assert ours[0].data_coding == data_coding
    if found.segments == 1:
        assert [one.octets for one in ours] == theirs
    elif [len(one) for one in theirs] == [len(one.octets) for one in ours]:
        assert [one.octets[6:] for one in ours] == [one[6:] for one in theirs]
        assert ours[0].esm_class == esm_class == UDHI


@given(esm_class=st.integers(0, 255), data_coding=st.integers(0, 255), octets=st.binary(max_size=300))
def test_nothing_that_comes_breaks_the_reading(esm_class: int, data_coding: int, octets: bytes) -> None:
    text, encoding = plain.text(plain.read(esm_class, data_coding, octets))
    if encoding is BINARY:
        plan(text.partition(":")[2], BINARY)
    elif encoding is GSM7:
        assert plan(text).encoding is GSM7


def test_coding_of_what_is_read_is_kept() -> None:
    assert plain.read(0, 0x10, b"a").coding == Coding(Alphabet.DEFAULT, 0)
