"""In which country and of which kind a number is, such as "FR_Mobile": by these callbacks are allowed.

From phonenumbers' data. What is called fixed or mobile by nobody (in North America, where the number does not
tell) and voice over IP count as fixed (our choice).
"""

from functools import cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

_FIXED, _MOBILE = "Fixed", "Mobile"
_KINDS = (_FIXED, _MOBILE)
_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.PAGER, PhoneNumberType.PERSONAL_NUMBER})
_NOBODYS_TELEPHONE = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.VOICEMAIL,
    }
)


class NumberKind(NamedTuple):
    """A country and a kind: `number` is the same for ever, `example` an MSISDN of it."""

    number: int
    code: str
    example: str


def kind_of(msisdn: str) -> str:
    """Country and kind of an MSISDN; empty where nobody has a telephone under such a number: premium, shared
    cost, free of charge."""
    number = phonenumbers.parse(f"+{msisdn}")
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
    kind = phonenumbers.number_type(number)
    if kind in _NOBODYS_TELEPHONE:
        return ""
    if kind == PhoneNumberType.UNKNOWN and msisdn.startswith(("336", "337")):
        kind = PhoneNumberType.MOBILE  # ARCEP's plan: also those for films and for the sandbox
    return f"{region}_{_MOBILE if kind in _MOBILE_TYPES else _FIXED}"


@cache
def all_kinds() -> tuple[NumberKind, ...]:
    """Every country with each kind, by code of the country."""
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in _KINDS:
            wanted = PhoneNumberType.MOBILE if kind is _MOBILE else PhoneNumberType.FIXED_LINE
            example = phonenumbers.example_number_for_type(region, wanted)
            if example is not None:
                msisdn = f"{example.country_code}{phonenumbers.national_significant_number(example)}"
                found.append(NumberKind(_stable(region, kind), f"{region}_{kind}", msisdn))
    return tuple(found)


def _stable(region: str, kind: str) -> int:
    """A number from the two letters and the kind: another country that comes later moves none."""
    first, second = (ord(letter) - ord("A") for letter in region)
    return (first * 26 + second) * len(_KINDS) + _KINDS.index(kind) + 1
