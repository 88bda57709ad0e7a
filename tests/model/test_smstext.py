"""Alphabets, lengths and cuts of SMS texts."""

from itertools import pairwise

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.model.smstext import (
    JOINED_LIMIT,
    LONE_LIMIT,
    Encoding,
    NotBinary,
    TextNotEncodable,
    TextPlan,
    decode_gsm7,
    encode_gsm7,
    plan,
    read_binary,
    septets,
    split,
    write_binary,
)

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2

# 3GPP TS 23.038 6.2.1 and 6.2.1.1, read a second time: by name, where the module has them by sight.
CODES = {
    "\N{COMMERCIAL AT}": "00",
    "\N{POUND SIGN}": "01",
    "\N{DOLLAR SIGN}": "02",
    "\N{LATIN SMALL LETTER E WITH GRAVE}": "04",
    "\N{LATIN CAPITAL LETTER C WITH CEDILLA}": "09",
    "\n": "0a",
    "\r": "0d",
    "\N{GREEK CAPITAL LETTER DELTA}": "10",
    "\N{LOW LINE}": "11",
    "\N{GREEK CAPITAL LETTER XI}": "1a",
    "\N{CURRENCY SIGN}": "24",
    "\N{INVERTED EXCLAMATION MARK}": "40",
    "A": "41",
    "\N{SECTION SIGN}": "5f",
    "\N{INVERTED QUESTION MARK}": "60",
    "\N{LATIN SMALL LETTER A WITH GRAVE}": "7f",
    "\f": "1b0a",
    "^": "1b14",
    "{": "1b28",
    "}": "1b29",
    "\\": "1b2f",
    "[": "1b3c",
    "~": "1b3d",
    "]": "1b3e",
    "|": "1b40",
    "\N{EURO SIGN}": "1b65",
}

gsm_characters = st.sampled_from([decode_gsm7(bytes([code])) for code in range(128) if code != 0x1B])
extension_characters = st.sampled_from("\f^{}\\[~]|€")
gsm_texts = st.lists(gsm_characters | extension_characters, max_size=700).map("".join)
all_texts = st.text(st.characters(codec="utf-8") | st.sampled_from("aé€ê😀\u0301"), max_size=400)


@pytest.mark.parametrize(("character", "code"), CODES.items())
def test_a_character_has_the_code_of_the_standard(character: str, code: str) -> None:
    assert encode_gsm7(character).hex() == code
    assert decode_gsm7(bytes.fromhex(code)) == character


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", GSM7, 0, 1),
        ("a", GSM7, 1, 1),
        ("a" * 160, GSM7, 160, 1),
        ("a" * 161, GSM7, 161, 2),
        ("a" * 306, GSM7, 306, 2),
        ("a" * 307, GSM7, 307, 3),
        ("a" * 459, GSM7, 459, 3),
        ("a" * 460, GSM7, 460, 4),
        ("a" * 158 + "€", GSM7, 160, 1),
        ("a" * 159 + "€", GSM7, 161, 2),
        ("€" * 80, GSM7, 160, 1),
        ("€" * 81, GSM7, 162, 2),
        # 306 septets would fill two segments, but each pair at a border moves on as a whole.
        ("a" * 152 + "€" + "a" * 152, GSM7, 306, 3),
        ("€" * 153, GSM7, 306, 3),
        ("ê" * 70, UCS2, 70, 1),
        ("ê" * 71, UCS2, 71, 2),
        ("ê" * 134, UCS2, 134, 2),
        ("ê" * 135, UCS2, 135, 3),
        ("ê" * 67 * 5, UCS2, 335, 5),
        ("ê" * 67 * 5 + "a", UCS2, 336, 6),
        ("😀" * 35, UCS2, 70, 1),
        ("😀" * 35 + "a", UCS2, 71, 2),
        # 134 code units would fill two segments, but a segment of 67 has room for 33 pairs.
        ("😀" * 67, UCS2, 134, 3),
        ("e\u0301" * 35, UCS2, 70, 1),
        ("e\u0301" * 36, UCS2, 72, 2),
    ],
)
def test_length_and_segments_at_every_border(
    text: str, encoding: Encoding, units: int, segments: int
) -> None:
    found = plan(text)
    assert (found.encoding, found.units, found.segments) == (encoding, units, segments)


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("", GSM7, ("",)),
        ("", UCS2, ("",)),
        ("a" * 160, GSM7, ("a" * 160,)),
        ("a" * 161, GSM7, ("a" * 153, "a" * 8)),
        ("a" * 152 + "€" + "b" * 20, GSM7, ("a" * 152, "€" + "b" * 20)),
        ("a" * 151 + "€" + "b" * 20, GSM7, ("a" * 151 + "€", "b" * 20)),
        ("a" * 71, UCS2, ("a" * 67, "a" * 4)),
        ("a" * 66 + "😀" + "b" * 9, UCS2, ("a" * 66, "😀" + "b" * 9)),
        ("a" * 65 + "😀" + "b" * 9, UCS2, ("a" * 65 + "😀", "b" * 9)),
        ("a" * 66 + "e\u0301" + "b" * 9, UCS2, ("a" * 66 + "e", "\u0301" + "b" * 9)),
    ],
)
def test_the_cut_leaves_pairs_whole(text: str, encoding: Encoding, parts: tuple[str, ...]) -> None:
    assert split(text, encoding) == parts


def test_plan_names_what_forced_ucs2_once_and_in_order() -> None:
    assert plan("ça va, ça? ôter 😀") == TextPlan(UCS2, 18, 1, ("ç", "ô", "😀"))


def test_ucs2_may_be_wanted_for_a_gsm_text() -> None:
    assert plan("a" * 71, wanted=UCS2) == TextPlan(UCS2, 71, 2, ())


def test_gsm_may_be_wanted_for_a_gsm_text() -> None:
    assert plan("à 5 €", wanted=GSM7) == TextPlan(GSM7, 6, 1, ())


def test_gsm_wanted_for_another_text_is_refused_with_its_characters() -> None:
    with pytest.raises(TextNotEncodable, match=r"'ç' \(U\+00E7\), 'ê' \(U\+00EA\)") as refused:
        plan("ça, ça, être", wanted=GSM7)
    assert refused.value.characters == ("ç", "ê")


@pytest.mark.parametrize("wanted", [None, GSM7, UCS2])
def test_half_a_character_is_refused(wanted: Encoding | None) -> None:
    with pytest.raises(TextNotEncodable) as refused:
        plan("a\ud83d", wanted)
    assert refused.value.characters == ("\ud83d",)


def test_a_refusal_of_many_characters_stays_short() -> None:
    with pytest.raises(TextNotEncodable, match="and 246 more") as refused:
        encode_gsm7("".join(map(chr, range(0x400, 0x500))))
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("unsafe", ["ç", "\x1b", "\x00", "`", "\ud800"])
def test_what_is_outside_the_alphabet_is_neither_counted_nor_encoded_nor_cut(unsafe: str) -> None:
    with pytest.raises(TextNotEncodable):
        septets(unsafe)
    with pytest.raises(TextNotEncodable):
        encode_gsm7(unsafe)
    with pytest.raises(TextNotEncodable):
        split(unsafe, GSM7)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b\x41", "A"),  # no such extension: the ordinary character
        (b"a\x1b", "a "),
        (b"\x1b\x1bA", " A"),
        (b"\x1b\x1b\x1b\x65", " €"),
        (b"\x1b\x0a\x0a", "\f\n"),
    ],
)
def test_odd_escapes_are_shown_as_a_handset_shows_them(data: bytes, text: str) -> None:
    assert decode_gsm7(data) == text


def test_a_byte_that_is_no_septet_is_refused_with_its_place() -> None:
    with pytest.raises(UnicodeDecodeError, match="0xe9 in position 3"):
        decode_gsm7("abcé".encode("latin-1"))


@given(gsm_texts)
def test_a_gsm_text_comes_back_from_its_septets(text: str) -> None:
    coded = encode_gsm7(text)
    assert decode_gsm7(coded) == text
    assert len(coded) == septets(text) == plan(text).units


@given(st.binary(max_size=300).map(lambda data: bytes(octet & 0x7F for octet in data)))
def test_any_septets_can_be_shown_and_sent_on(data: bytes) -> None:
    assert decode_gsm7(encode_gsm7(decode_gsm7(data))) == decode_gsm7(data)


@given(gsm_texts)
def test_septets_agree_with_an_independent_codec(text: str) -> None:
    assert encode_gsm7(text) == gsm0338.Codec().encode(text)[0]


def test_the_alphabet_is_that_of_an_independent_codec() -> None:
    codec = gsm0338.Codec()
    characters = [chr(point) for point in range(0x10000) if not 0xD800 <= point < 0xE000 and point != 0x1B]
    theirs = {one for one in characters if codec.encode(one, "ignore")[0]}
    assert {one for one in characters if plan(one).encoding is GSM7} == theirs


@given(gsm_texts | all_texts, st.sampled_from([None, UCS2]))
def test_parts_join_to_the_text_and_are_as_many_as_planned(text: str, wanted: Encoding | None) -> None:
    found = plan(text, wanted)
    parts = split(text, found.encoding)
    assert "".join(parts) == text
    assert len(parts) == found.segments


@given(gsm_texts | all_texts, st.sampled_from([None, UCS2]))
def test_no_part_is_over_the_limit_and_none_could_take_the_next_character(
    text: str, wanted: Encoding | None
) -> None:
    encoding = plan(text, wanted).encoding
    parts = split(text, encoding)
    limit = (LONE_LIMIT if len(parts) == 1 else JOINED_LIMIT)[encoding]
    assert all(plan(part, encoding).units <= limit for part in parts)
    assert all(plan(part + following[0], encoding).units > limit for part, following in pairwise(parts))


@given(all_texts)
def test_forced_by_is_exactly_what_the_gsm_alphabet_lacks(text: str) -> None:
    found = plan(text)
    assert len(set(found.forced_by)) == len(found.forced_by)
    assert set(found.forced_by) == {one for one in text if plan(one).encoding is UCS2}
    assert (found.encoding is UCS2) == bool(found.forced_by)


# --- binary messages

BINARY = Encoding.BINARY
PORTS = "0605040B8423F0"


@pytest.mark.parametrize(
    ("text", "header", "payload"),
    [
        ("", "", ""),
        ("00ff", "", "00ff"),
        ("00 FF", "", "00ff"),
        (f"{PORTS}:dc06", PORTS, "dc06"),
        (f"{PORTS}:", PORTS, ""),
        (":dc06", "", "dc06"),
    ],
)
def test_a_binary_message_is_hexadecimal_with_or_without_a_header(
    text: str, header: str, payload: str
) -> None:
    assert read_binary(text) == (bytes.fromhex(header), bytes.fromhex(payload))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0", "hexadecimal"),
        ("héhé", "hexadecimal"),
        ("00:11:22", "hexadecimal"),
        ("06050401:00", "says that 6 octets follow its first, 3 do"),
        ("02000400:00", "says that 2 octets follow its first, 3 do"),
        ("03000400:00", "0x00 of the header is cut off"),
        ("0105:00", "0x05 of the header is cut off"),
        ("8C70" + "8A" + "00" * 138 + ":00", "141 octets does not fit"),
    ],
)
def test_what_is_no_binary_message_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(NotBinary, match=why):
        plan(text, BINARY)


@pytest.mark.parametrize(
    ("header", "octets", "units", "segments"),
    [
        ("", 0, 0, 1),
        ("", 140, 140, 1),
        ("", 141, 141, 2),
        ("", 268, 268, 2),
        ("", 269, 269, 3),
        (PORTS, 133, 140, 1),
        (PORTS, 134, 141, 2),
        (PORTS, 256, 263, 2),
        (PORTS, 257, 264, 3),
    ],
)
def test_octets_and_segments_of_binary_messages_at_every_border(
    header: str, octets: int, units: int, segments: int
) -> None:
    text = f"{header}:" * bool(header) + "5A" * octets
    assert plan(text, BINARY) == TextPlan(BINARY, units, segments, ())
    parts = split(text, BINARY)
    assert len(parts) == segments
    assert b"".join(read_binary(part)[1] for part in parts) == b"\x5a" * octets
    assert {read_binary(part)[0] for part in parts} == {bytes.fromhex(header)}


@pytest.mark.parametrize("joining", ["0500030A0201", "060804000A0201"])
def test_a_part_that_its_sender_joined_himself_is_not_cut_again(joining: str) -> None:
    room = 140 - len(joining) // 2
    assert plan(f"{joining}:{'00' * room}", BINARY).segments == 1
    with pytest.raises(NotBinary, match=f"{room} octets have room behind it, {room + 1} are there"):
        plan(f"{joining}:{'00' * (room + 1)}", BINARY)


@given(st.binary(max_size=600))
def test_octets_come_back_from_their_text(payload: bytes) -> None:
    assert read_binary(write_binary(b"", payload)) == (b"", payload)
    assert read_binary(write_binary(bytes.fromhex(PORTS), payload)) == (bytes.fromhex(PORTS), payload)
