"""Numbers, short codes and senders as people and programs write them."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chappe.model.numbers import (
    Msisdn,
    NumberError,
    Sender,
    SenderKind,
    _is_plain,
    _read_msisdn,
    display,
    is_short_code,
    read_msisdn,
    read_sender,
    region_of,
)

regions = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
country_codes = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
written_numbers = st.text("0123456789", min_size=3, max_size=16) | st.builds(
    "{}{}{}".format, country_codes, st.sampled_from(["", "0", "1", "8", "9"]), st.integers(0, 10**11)
)
almost_numbers = st.text("0123456789+ ./-()\u00a0٣x", max_size=20)


def _read_or_none(raw: str, region: str) -> Msisdn | None:
    try:
        return read_msisdn(raw, region)
    except NumberError:
        return None


@pytest.mark.parametrize(
    "raw",
    [
        "+33612345678",
        "+33 6 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "(+33) 6.12.34.56.78",
        "0033612345678",
        "00 33 6 12 34 56 78",
        "33612345678",
        "0612345678",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "06/12/34/56/78",
        "06\u00a012\u00a034\u00a056\u00a078",
        "06\u202f12\u202f34\u202f56\u202f78",
        " 33612345678",  # what a form decoder makes of +33612345678
        "0612345678\n",
        "612345678",
    ],
)
def test_every_way_to_write_a_french_mobile(raw: str) -> None:
    assert read_msisdn(raw) == "33612345678"


@pytest.mark.parametrize(
    ("raw", "region", "msisdn"),
    [
        ("022/364 8000", "CH", "41223648000"),
        ("0792223344", "CH", "41792223344"),
        ("792223344", "CH", "41792223344"),  # a parser lost the zero
        ("41792223344", "CH", "41792223344"),
        ("+41792223344", "FR", "41792223344"),
        ("443648000", "CH", "41443648000"),  # Zurich; +44 3648000 would be possible, but nobody has it
        ("622345678", "FR", "33622345678"),  # likewise +62 2345678
        ("447797805210", "FR", "447797805210"),
        ("0039 06 1234 5678", "FR", "390612345678"),  # Italy keeps its zero
        ("06 1234 5678", "IT", "390612345678"),
        ("0692 12 34 56", "RE", "262692123456"),
        ("(212) 555-1234", "US", "12125551234"),
        ("+800 1234 5678", "FR", "80012345678"),
        ("+49 30 901820", "FR", "4930901820"),
        ("0600000001", "FR", "33600000001"),  # possible is enough: no range need be assigned
    ],
)
def test_a_number_is_read_with_the_eyes_of_its_region(raw: str, region: str, msisdn: str) -> None:
    assert read_msisdn(raw, region) == msisdn


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "is empty"),
        (" - ", "is empty"),
        ("+", "is empty"),
        ("SMS", "other characters"),
        ("06 12 34 56 7x", "other characters"),
        ("++33612345678", "other characters"),
        ("33+612345678", "other characters"),
        ("06,12,34,56,78", "other characters"),
        ("+33612345678;ext=4", "other characters"),
        ("٠٦١٢٣٤٥٦٧٨", "digits other than 0 to 9"),
        ("０６１２３４５６７８", "digits other than 0 to 9"),
        ("06123456²8", "digits other than 0 to 9"),
        ("0", "too short"),
        ("00", "too short"),
        ("06", "too short"),
        ("3631", "too short"),
        ("0612345", "too short"),
        ("061234567890", "too long"),
        ("+336123456789", "too long"),
        ("+" + "1" * 30, "too long"),
        ("1" * 100, "too long"),
        ("+0033612345678", "country code that does not exist"),
        ("+999123456789", "country code that does not exist"),
        ("+12345678", "lacks its area code"),
        ("+4900301234567", "too many zeros"),
        ("+6281234567890123", "more than the 15"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(raw: str, reason: str) -> None:
    with pytest.raises(NumberError, match=reason):
        read_msisdn(raw)


def test_a_refusal_shows_the_value_and_what_to_write_instead() -> None:
    with pytest.raises(NumberError) as refused:
        read_msisdn("06 12")
    assert str(refused.value) == (
        "'06 12' is too short for a telephone number:"
        " write it like +33612345678, or as dialled in its country"
    )


def test_a_refusal_of_a_huge_value_stays_short() -> None:
    with pytest.raises(NumberError) as refused:
        read_msisdn("9" * 1_000_000)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("region", ["", "XX", "fr", "France"])
def test_an_unknown_region_is_refused(region: str) -> None:
    with pytest.raises(NumberError, match="is no country"):
        read_msisdn("0612345678", region)


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ("ACME", SenderKind.TEXT, "ACME"),
        (" ACME ", SenderKind.TEXT, "ACME"),
        ("textobox.ch", SenderKind.TEXT, "textobox.ch"),
        ("world", SenderKind.TEXT, "world"),
        ("24/7", SenderKind.TEXT, "24/7"),
        ("3 Suisses", SenderKind.TEXT, "3 Suisses"),
        ("Åsa & Øre", SenderKind.TEXT, "Åsa & Øre"),
        ("12345678 €", SenderKind.TEXT, "12345678 €"),
        ("123456789ab", SenderKind.TEXT, "123456789ab"),
        ("118", SenderKind.SHORT_CODE, "118"),
        ("20345", SenderKind.SHORT_CODE, "20345"),
        ("967482", SenderKind.SHORT_CODE, "967482"),
        ("12345678", SenderKind.SHORT_CODE, "12345678"),
        ("447797805210", SenderKind.NUMBER, "447797805210"),
        ("+447797805210", SenderKind.NUMBER, "447797805210"),
        ("06 12 34 56 78", SenderKind.NUMBER, "33612345678"),
        ("0612345678", SenderKind.NUMBER, "33612345678"),
        ("612345678", SenderKind.NUMBER, "33612345678"),
        ("+29023456", SenderKind.NUMBER, "29023456"),
    ],
)
def test_a_sender_is_a_number_a_short_code_or_a_text(raw: str, kind: SenderKind, value: str) -> None:
    assert read_sender(raw) == Sender(kind, value)


def test_a_sender_number_is_read_in_its_region() -> None:
    assert read_sender("079 222 33 44", "CH") == Sender(SenderKind.NUMBER, "41792223344")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("7", "fewer than 3 digits"),
        ("36", "fewer than 3 digits"),
        ("twelve chars", "longer than 11 septets"),
        ("ten chars€€", "longer than 11 septets"),
        ("Façade", r"outside the GSM alphabet \('\\xe7'\)"),
        ("٠٦١", "outside the GSM alphabet"),
        ("A\nB", "line break"),
        ("A\fB", "line break"),
        ("+33", "too short"),
        ("9999999999", "too long"),
        ("9" * 1_000_000, "too long"),
        ("a" * 1_000_000, "longer than 11 septets"),
    ],
)
def test_what_is_no_sender_is_refused_with_the_reason(raw: str, reason: str) -> None:
    with pytest.raises(NumberError, match=reason) as refused:
        read_sender(raw)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("number", "region", "shown"),
    [
        ("33612345678", "FR", "06 12 34 56 78"),
        ("33612345678", "CH", "+33 6 12 34 56 78"),
        ("41792223344", "FR", "+41 79 222 33 44"),
        ("41792223344", "CH", "079 222 33 44"),
        ("33825123456", "FR", "0 825 12 34 56"),
        ("390612345678", "FR", "+39 06 1234 5678"),
        ("12025551234", "FR", "+1 202-555-1234"),
        ("33612345678", "XX", "+33612345678"),
        ("20345", "FR", "20345"),
        ("38100", "FR", "38100"),
        ("12345678", "FR", "12345678"),
        ("ACME", "FR", "ACME"),
        ("textobox.ch", "FR", "textobox.ch"),
        ("", "FR", ""),
        ("999999999999", "FR", "999999999999"),
        ("1" * 16, "FR", "1" * 16),
    ],
)
def test_a_number_is_shown_as_people_write_it(number: str, region: str, shown: str) -> None:
    assert display(number, region) == shown


@pytest.mark.parametrize(
    ("msisdn", "region"),
    [
        ("33612345678", "FR"),
        ("41792223344", "CH"),
        ("262692123456", "RE"),
        ("12125551234", "US"),
        ("14165551234", "CA"),
        ("80012345678", None),
        ("3312", None),
        ("20345", None),
        ("ACME", None),
        ("", None),
    ],
)
def test_a_number_tells_its_country(msisdn: str, region: str | None) -> None:
    assert region_of(msisdn) == region


@pytest.mark.parametrize("raw", ["118", "3631", "20345", "967482", "12345678"])
def test_three_to_eight_digits_are_a_short_code(raw: str) -> None:
    assert is_short_code(raw)


@pytest.mark.parametrize("raw", ["", "12", "123456789", "+3631", "36 31", "3631\n", "ACME", "٣٦٣١"])
def test_nothing_else_is_a_short_code(raw: str) -> None:
    assert not is_short_code(raw)


@given(st.text() | almost_numbers, regions | st.text(max_size=3))
def test_any_input_is_read_or_refused_with_a_number_error(raw: str, region: str) -> None:
    msisdn = _read_or_none(raw, region)
    assert msisdn is None or (msisdn.isascii() and msisdn.isdigit() and len(msisdn) <= 15)


@given(st.text(max_size=20) | almost_numbers, regions | st.text(max_size=3))
def test_any_sender_is_read_or_refused_with_a_number_error(raw: str, region: str) -> None:
    try:
        sender = read_sender(raw, region)
    except NumberError:
        return
    assert sender.value
    assert read_sender(sender.value if sender.kind is not SenderKind.NUMBER else f"+{sender.value}") == sender


@given(st.text(max_size=20) | written_numbers, regions | st.text(max_size=3))
def test_anything_can_be_shown(number: str, region: str) -> None:
    assert display(number, region) == number or number.isdigit()
    region_of(number)


@given(written_numbers, st.sampled_from(["", "+", "0", "00"]), regions, regions)
def test_what_is_shown_reads_back_as_the_same_number(
    digits: str, prefix: str, written_in: str, shown_in: str
) -> None:
    msisdn = _read_or_none(prefix + digits, written_in)
    if msisdn is not None:
        assert read_msisdn(f"+{msisdn}", shown_in) == msisdn
        if len(msisdn) > 8:
            assert read_msisdn(display(msisdn, shown_in), shown_in) == msisdn


@settings(max_examples=1500)
@given(
    digits=st.from_regex(
        r"(33|41|44|49|39|1|7|212|262|590|86|55|[1-9][0-9]{0,2})[0-9]{5,12}", fullmatch=True
    ),
    region=st.sampled_from(["FR", "CH", "DE", "IT", "US", "RU", "GB", "BR", "RE", "XX"]),
)
def test_what_is_read_by_its_length_is_what_the_library_reads(digits: str, region: str) -> None:
    if _is_plain(digits, region):
        assert _read_msisdn(digits, region) == digits


def test_ordinary_mobiles_are_read_by_their_length() -> None:
    for number in ("33612345678", "41792223344", "447900000123", "491711234567"):
        assert _is_plain(number, "FR"), number
