"""Reads the parameters of old wires forgivingly: odd names, odd escapes, any charset.

The rules come from what real clients of those wires send; each function names the habit it serves.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpRequest

MOST_PARAMETERS = 1000
"""Our choice: PHP's own default, far above what any client sends."""

# Clients that build a body by hand often forget its type.
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "text/plain", ""})

# The labels that the clients of these wires write. Latin-1 is read as Windows-1252, as browsers do.
_CODECS: Mapping[str, str] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-15": "iso8859-15",
    "latin9": "iso8859-15",
}
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([a-z0-9_-]+)", re.IGNORECASE)

_UNICODE_ESCAPES = re.compile(rb"((?:%[uU][0-9A-Fa-f]{4})+)")
_NAME = re.compile(r"(?P<stray>(?:amp;)*)(?P<name>.*?)(?:\[(?P<place>[0-9]{0,9})\])?", re.DOTALL)

_LONGEST_NAME = 1000
"""Bytes of a name that are read; no client writes a longer one (our choice)."""

_TRUE = frozenset({"true", "1", "yes", "on", "oui", "vrai"})
_FALSE = frozenset({"false", "0", "no", "off", "non", "faux"})


class Parameter(NamedTuple):
    """One parameter of a request.

    `name` is in lower case, without brackets and without a stray `amp;`, which `stray` tells of. `value` is
    verbatim: quotes stay, and so does a leading blank, which in a telephone number is a plus that was not
    escaped. `raw` is the value as it stood on the wire, for whoever masks secrets. `place` is the number in
    the brackets, None without one.
    """

    name: str
    value: str
    raw: bytes
    stray: bool = False
    place: int | None = None


_IS_STRAY = attrgetter("stray")


def read_parameters(request: HttpRequest, eight_bit: str) -> tuple[Parameter, ...]:
    """Read all parameters of a request in order: query, then urlencoded body, then multipart form.

    `eight_bit` is the codec of text that is not UTF-8. A charset declared with the body is tried first for
    the body. Raises Refusal (`invalid_parameter`) for more than MOST_PARAMETERS.
    """
    if not request.body and not request.form:
        if request.query.count(b"&") >= MOST_PARAMETERS:
            raise _too_many()
        return tuple(_urlencoded(request.query, eight_bit, None))
    # A body typed by hand ends in a line break that belongs to no value.
    body = request.body.rstrip(b"\r\n") if request.content_type in _FORM_TYPES else b""
    if request.query.count(b"&") + body.count(b"&") + len(request.form) >= MOST_PARAMETERS:
        raise _too_many()
    declared = _declared(request.headers.get("content-type", ""))
    return tuple(
        chain(
            _urlencoded(request.query, eight_bit, None),
            _urlencoded(body, eight_bit, declared),
            (
                _parameter(decode(name, eight_bit, declared), decode(value, eight_bit, declared), value)
                for name, value in request.form
            ),
        )
    )


def fields_of(parameters: Iterable[Parameter]) -> dict[str, tuple[str, ...]]:
    """Gather the values of each name in order of appearance.

    A name with a stray `amp;` (a listing copied from an HTML page) counts where the clean one is absent.
    """
    parameters = tuple(parameters)
    if True not in map(_IS_STRAY, parameters):
        fields: dict[str, tuple[str, ...]] = {one.name: (one.value,) for one in parameters}
        if len(fields) == len(parameters):
            return fields
    clean: dict[str, tuple[str, ...]] = {}
    stray: dict[str, tuple[str, ...]] = {}
    for parameter in parameters:
        of_its_kind = stray if parameter.stray else clean
        known = of_its_kind.get(parameter.name)
        value = (parameter.value,)
        of_its_kind[parameter.name] = value if known is None else known + value
    return stray | clean if stray else clean


def first(fields: Mapping[str, Sequence[str]], *names: str) -> str:
    """Find the value of the first of these names that is not empty, verbatim; "" where there is none.

    Of several values the first counts (our choice; PHP takes the last).
    """
    for name in names:
        values = fields.get(name)
        if values and values[0]:
            return values[0]
    return ""


def scalar(fields: Mapping[str, Sequence[str]], *names: str) -> str:
    """Like `first`, without surrounding blanks and without the one pair of quotes that some clients write."""
    for name in names:
        values = fields.get(name)
        if values and values[0]:
            value = values[0].strip()
            if len(value) >= 2 and value[0] in "\"'" and value[0] == value[-1]:
                return value[1:-1].strip()
            return value
    return ""


def read_boolean(value: str) -> bool | None:
    """Read a boolean in any of its spellings (English, French, digits, any case); None when it is none."""
    word = value.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def decode(raw: bytes, eight_bit: str, declared: str | None = None) -> str:
    """Decode text whose label cannot be trusted: as declared, else as strict UTF-8, else as `eight_bit`.

    A byte that even `eight_bit` does not know becomes U+FFFD. NUL stays: the
    services refuse it where it matters.
    """
    return _decode(raw, _codec(raw, eight_bit, declared))


def unescape(raw: bytes, eight_bit: str, declared: str | None = None) -> str:
    """Decode one urlencoded name or value.

    `+` is a blank, `%XX` a byte in some charset, and `%uXXXX` (`Escape` of VBScript and JavaScript) a UTF-16
    code unit whatever the charset of the rest.
    """
    if b"%" not in raw and raw.isascii():
        return raw.decode("ascii").replace("+", " ")
    if declared is None and b"%u" not in raw and b"%U" not in raw:
        plain = unquote_to_bytes(raw.replace(b"+", b" "))
        try:
            return plain.decode()
        except UnicodeDecodeError:
            return plain.decode(eight_bit, "replace")
    pieces = _UNICODE_ESCAPES.split(raw.replace(b"+", b" "))
    octets = [unquote_to_bytes(piece) for piece in pieces[::2]]
    codec = _codec(b" ".join(octets), eight_bit, declared)  # one for all pieces of the value
    texts = [_decode(piece, codec) for piece in octets]
    for index, escapes in enumerate(pieces[1::2]):
        units = bytes.fromhex(escapes.lower().replace(b"%u", b"").decode("ascii"))
        texts[index] += units.decode("utf-16-be", "replace")
    return "".join(texts)


def repair_double_encoding(text: str, eight_bit: Callable[[bytes], str] | None = None) -> str:
    """Undo an encoding to UTF-8 that was done twice, for wires whose documents ask for `utf8_encode`.

    Applies when every character fits in Latin-1: where those bytes are UTF-8 again, they are decoded once
    more; where they are not, `eight_bit` reads them, if given (`utf8_encode` turns the euro sign of
    ISO-8859-15 into U+00A4 and that of Windows-1252 into U+0080).
    """
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return eight_bit(raw) if eight_bit else text


def _urlencoded(raw: bytes, eight_bit: str, declared: str | None) -> list[Parameter]:
    found = []
    for part in raw.split(b"&"):
        if part:
            raw_name, _, value = part.partition(b"=")
            name, stray, place = _named(raw_name, eight_bit, declared)
            text = value.decode("ascii") if value.isalnum() else unescape(value, eight_bit, declared)
            found.append(Parameter(name, text, value, stray, place))
    return found


def _too_many() -> Refusal:
    return Refusal(Fault.INVALID_PARAMETER, f"the request has more than {MOST_PARAMETERS} parameters")


def _parameter(name: str, value: str, raw: bytes) -> Parameter:
    clean, stray, place = _cleaned(name)
    return Parameter(clean, value, raw, stray, place)


@lru_cache(maxsize=4096)
def _named(raw: bytes, eight_bit: str, declared: str | None) -> tuple[str, bool, int | None]:
    """The name, whether it was stray, and its place; remembered, because clients write the same few names for
    ever."""
    return _cleaned(unescape(raw[:_LONGEST_NAME], eight_bit, declared))


def _cleaned(name: str) -> tuple[str, bool, int | None]:
    found = _NAME.fullmatch(name.strip().lower())
    assert found is not None  # the pattern matches any text
    return found["name"], bool(found["stray"]), int(found["place"]) if found["place"] else None


def _declared(content_type: str) -> str | None:
    found = _CHARSET.search(content_type)
    return _CODECS.get(found[1].lower()) if found else None


def _codec(raw: bytes, eight_bit: str, declared: str | None) -> str:
    for codec in (declared, "utf-8"):
        if codec and _decodable(raw, codec):
            return codec
    return eight_bit


def _decodable(raw: bytes, codec: str) -> bool:
    try:
        raw.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _decode(raw: bytes, codec: str) -> str:
    return raw.decode(codec, "replace")
