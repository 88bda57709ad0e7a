"""Reads numbers, short codes and sender ids as people write them, and writes them as people read them."""

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NewType

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from chappe.model.smstext import TextNotEncodable, septets

Msisdn = NewType("Msisdn", str)
"""An E.164 number: digits with country code, without plus."""


class NumberError(ValueError):
    """A value is no telephone number, or no sender; the message says why and what to write instead."""


class SenderKind(StrEnum):
    """What a handset shows as sender."""

    NUMBER = "number"
    SHORT_CODE = "short_code"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender id: `value` has the digits of a number (E.164) or of a short code, or the text."""

    kind: SenderKind
    value: str


_MOST_DIGITS = 15  # ITU-T E.164 6.2.1
_MOST_SENDER_SEPTETS = 11  # 3GPP TS 23.040 9.1.2.5: 10 octets of address value hold 11 septets
_LONGEST_WRITTEN = 64  # our choice: room for separators, and a bound on what the cache keeps

_VALUE_ADDED = frozenset(
    {
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.TOLL_FREE,
    }
)
"""Numbers of services, free ones among them: all that the French plan has under 08 (seed 003 blocks "les
08")."""

_CALLING_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_SEPARATORS = str.maketrans("", "", " \u00a0\u202f./-()")
_SHORT_CODE = re.compile("[0-9]{3,8}")
_WRITTEN_NUMBER = re.compile("[0-9 \u00a0\u202f./()-]+")
_CONTROLS = re.compile("[\n\r\f]")

_PROBLEMS = {
    ValidationResult.INVALID_COUNTRY_CODE: "has a country code that does not exist",
    ValidationResult.TOO_SHORT: "is too short for a telephone number",
    ValidationResult.TOO_LONG: "is too long for a telephone number",
    ValidationResult.INVALID_LENGTH: "has not the number of digits of a telephone number",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
}


def read_msisdn(raw: str, region: str = "FR") -> Msisdn:
    """Read a number in international form (+33, 0033, 33) or in the national form of `region`.

    `region` is a country in two letters (ISO 3166-1). Blanks, no-break blanks and . / - ( ) may stand between
    the digits. A leading 0 means national, 00 international. Other digits are international when that is a
    possible number, else national without their leading zero (which a client's parser lost: 792223344 in CH).
    Where both are possible, the one in an assigned range counts: 443648000 in CH is Zurich, not Great Britain
    (our choice). Raises NumberError.
    """
    if len(raw) > _LONGEST_WRITTEN:
        raise _wrong(raw, "is too long for a telephone number")
    if raw.isascii() and raw.isdigit() and _is_plain(raw, region):
        return Msisdn(raw)
    return _read_msisdn(raw, region)


def _is_plain(digits: str, region: str) -> bool:
    """Whether digits are an MSISDN as they stand, decided by country code and length alone.

    The library takes 80 microseconds for a number, so this is asked first. It holds where the length is
    possible in that country, the library would strip nothing (a trunk prefix), and no number of the region
    is that long.
    """
    for length in (2, 3, 1):
        code = digits[:length]
        if code in _CALLING_CODES:
            stripped = _what_is_stripped(code, len(digits), region)
            return stripped is not None and stripped.match(digits, length) is None
    return False


@lru_cache(maxsize=4096)
def _what_is_stripped(code: str, length: int, region: str) -> re.Pattern[str] | None:
    """What the library takes away from the beginning of a number of this country; None where length alone
    does not settle it."""
    lengths, _ = _lengths(region)
    # A trunk prefix may stand before a number of the region.
    if not lengths or length <= max(lengths) + 1:
        return None
    lengths, prefix = _lengths(phonenumbers.region_code_for_country_code(int(code)))
    return re.compile(prefix or "(?!)") if length - len(code) in lengths else None


def _lengths(region: str) -> tuple[tuple[int, ...], str | None]:
    """How many digits numbers of a region may have, and what may stand before them at home."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.general_desc is None:
        return (), None
    return metadata.general_desc.possible_length, metadata.national_prefix_for_parsing


def read_sender(raw: str, region: str = "FR") -> Sender:
    """Read a sender id.

    3 to 8 digits are a short code; more digits, and digits behind a plus, a number as `read_msisdn` reads it;
    other text of 1 to 11 septets of the GSM alphabet stands as it is (3GPP TS 23.040 9.1.2.5; an extension
    character takes two septets). Surrounding blanks do not count. Raises NumberError.
    """
    written = raw.strip()
    if is_short_code(written):
        return Sender(SenderKind.SHORT_CODE, written)
    digits = written.translate(_SEPARATORS)
    numeric = _WRITTEN_NUMBER.fullmatch(written.removeprefix("+")) is not None and digits not in ("", "+")
    if numeric and (written.startswith("+") or len(digits) > 8):
        return Sender(SenderKind.NUMBER, read_msisdn(written, region))
    if problem := _sender_problem(written):
        raise NumberError(
            f"the sender {_shown(raw)} {problem}: write a number such as +33612345678,"
            " a short code of 3 to 8 digits, or a text of 1 to 11 characters of the GSM alphabet"
        )
    return Sender(SenderKind.TEXT, written)


def display(number: str, region: str = "FR") -> str:
    """Write an E.164 number for people: national form inside `region`, international outside.

    What is shown reads back as the same number in that region. Texts stay as they are, and so does whatever
    has at most 8 digits, because it cannot be told from a short code.
    """
    if not (8 < len(number) <= _MOST_DIGITS and number.isascii() and number.isdigit()):
        return number
    return _display(number, region)


@lru_cache(maxsize=16384)
def region_of(msisdn: str) -> str | None:
    """Find the country of a number, in two letters; None for none, and in a range not assigned."""
    try:
        found: str | None = phonenumbers.region_code_for_number(_possible(f"+{msisdn}", None, msisdn))
    except NumberError:
        return None
    return None if found == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else found


def is_short_code(raw: str) -> bool:
    """Whether this is a short code: 3 to 8 digits and nothing else (our choice; known ones have 4 to 6)."""
    return _SHORT_CODE.fullmatch(raw) is not None


@lru_cache(maxsize=16384)
def _read_msisdn(raw: str, region: str) -> Msisdn:
    written = raw.strip().translate(_SEPARATORS)
    digits = written.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise _wrong(raw, _digit_problem(digits))
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise NumberError(f"the region {_shown(region)} is no country: write two letters, such as FR or CH")
    if written.startswith("+"):
        number = _possible(written, None, raw)
    elif written.startswith("00"):
        number = _possible(f"+{written[2:]}", None, raw)
    elif written.startswith("0"):
        number = _possible(written, region, raw)
    else:
        number = _either(written, region, raw)
    msisdn = _e164(number)
    if len(msisdn) > _MOST_DIGITS:
        raise _wrong(raw, f"has {len(msisdn)} digits, more than the {_MOST_DIGITS} of a telephone number")
    if msisdn != digits and not _is_settled(number):
        raise _wrong(raw, "has too many zeros, or a trunk prefix, before the area code")
    return Msisdn(msisdn)


def _either(digits: str, region: str, raw: str) -> PhoneNumber:
    """Read digits that start with neither 0 nor plus."""
    try:
        international = _possible(f"+{digits}", None, raw)
    except NumberError:
        return _possible(digits, region, raw)
    if not phonenumbers.is_valid_number(international):
        with suppress(NumberError):
            national = _possible(digits, region, raw)
            if phonenumbers.is_valid_number(national):
                return national
    return international


def _possible(written: str, region: str | None, raw: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException as error:
        raise _wrong(raw, _parse_problem(error.error_type)) from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise _wrong(raw, _PROBLEMS[reason])
    return number


def _is_settled(number: PhoneNumber) -> bool:
    """Whether the number reads back as itself: the library drops one needless trunk prefix, as in +33 0 6."""
    home = phonenumbers.region_code_for_country_code(number.country_code or 0)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(home)
    if metadata is not None and metadata.national_prefix_for_parsing == "0":
        return not number.italian_leading_zero  # most countries, and a second parse would double the time
    again = phonenumbers.parse(f"+{_e164(number)}")
    return _e164(again) == _e164(number)


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")


@lru_cache(maxsize=16384)
def _display(number: str, region: str) -> str:
    try:
        parsed = _possible(f"+{number}", None, number)
    except NumberError:
        return number
    forms = [PhoneNumberFormat.INTERNATIONAL]
    if phonenumbers.country_code_for_region(region) == parsed.country_code:
        forms.insert(0, PhoneNumberFormat.NATIONAL)
    for form in forms:
        shown: str = phonenumbers.format_number(parsed, form)
        with suppress(NumberError):
            if read_msisdn(shown, region) == number:
                return shown
    return f"+{number}"


def _digit_problem(digits: str) -> str:
    if not digits:
        return "is empty"
    if any(character.isdigit() and not character.isascii() for character in digits):
        return "has digits other than 0 to 9"
    return "has other characters than digits"


def _parse_problem(error_type: int) -> str:
    match error_type:
        case NumberParseException.INVALID_COUNTRY_CODE:
            return "has a country code that does not exist"
        case NumberParseException.TOO_LONG:
            return "is too long for a telephone number"
        case _:
            return "is too short for a telephone number"


def _sender_problem(written: str) -> str | None:
    if not written:
        return "is empty"
    if written.isascii() and written.isdigit():
        return "has fewer than 3 digits"
    if _CONTROLS.search(written):
        return "has a line break"
    try:
        length = septets(written[: _MOST_SENDER_SEPTETS + 1])
    except TextNotEncodable as error:
        return f"has characters outside the GSM alphabet ({' '.join(map(ascii, error.characters))})"
    return f"is longer than {_MOST_SENDER_SEPTETS} septets" if length > _MOST_SENDER_SEPTETS else None


def _wrong(raw: str, problem: str) -> NumberError:
    return NumberError(f"{_shown(raw)} {problem}: write it like +33612345678, or as dialled in its country")


def _shown(raw: str) -> str:
    return repr(raw if len(raw) <= 40 else f"{raw[:40]}...")


def is_value_added(number: str) -> bool:
    """Whether an MSISDN is that of a service of special or shared price, or a free one."""
    if number.startswith("338"):
        return True  # also those of which the library knows nothing yet
    try:
        return phonenumbers.number_type(phonenumbers.parse(f"+{number}")) in _VALUE_ADDED
    except NumberParseException:
        return False
