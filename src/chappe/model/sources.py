"""Which addresses a line's regular expression lets in."""

import re
from functools import lru_cache

_ALLOWED = re.compile(r"[0-9a-fA-F:.*+?|\[\]\\d-]*")
# Python warns of others, which may mean sets of sets one day.
_SET = re.compile(r"\[(?:[0-9a-fA-F](?:-[0-9a-fA-F])?|[.:]|\\d)+\]")
_QUANTIFIERS = re.compile(r"[*+?]")
_MOST_CHARACTERS = 400
_MOST_ALTERNATIVES = 40
_MOST_QUANTIFIERS = (
    4  # each alternative: without groups matching then costs a few steps, whatever the address
)


def check_sources(written: str) -> None:
    """Raise ValueError, with words, for an expression that lets nobody in.

    Alternatives are parted by bars, as in `1.2.3.4|5.6.7.8` (dialects.md 5b). Groups are not known: only
    nested repetitions can make matching take for ever.
    """
    if not _ALLOWED.fullmatch(written):
        raise ValueError("it may hold digits, dots, stars, bars, brackets, \\d, + and ? only, and no groups")
    if not {"[", "]"}.isdisjoint(_SET.sub("", written)):
        raise ValueError("it may have brackets in pairs only, round digits, dots, colons and ranges like 1-3")
    if len(written) > _MOST_CHARACTERS:
        raise ValueError(f"it may have {_MOST_CHARACTERS} characters")
    alternatives = written.split("|")
    if len(alternatives) > _MOST_ALTERNATIVES:
        raise ValueError(f"it may have {_MOST_ALTERNATIVES} alternatives")
    if any(len(_QUANTIFIERS.findall(one)) > _MOST_QUANTIFIERS for one in alternatives):
        raise ValueError(f"each alternative may have {_MOST_QUANTIFIERS} stars, + and ? together")
    try:
        re.compile(written)
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}") from error


@lru_cache(maxsize=1024)
def lets_in(written: str, address: str) -> bool:
    """Whether an expression matches an address as a whole; an empty or unusable one lets nobody in.

    That includes `*.*.*.*`, which stands in the provider's field as an example and is no regular expression:
    the line is then open to HTTP Digest only (dialects.md 5b).
    """
    try:
        check_sources(written)
    except ValueError:
        return False
    address = address.removeprefix("::ffff:")  # as a socket for both families shows IPv4
    return bool(written) and len(address) <= 45 and re.fullmatch(written, address) is not None
