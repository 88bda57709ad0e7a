"""XML-RPC calls and answers as values: what a client said, word for word, and what may be said to it."""

import base64
import binascii
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from lxml import etree
from msgspec import Struct

from chappe.protocols import xml
from chappe.protocols.errors import ProtocolError


class Value(Struct, frozen=True, gc=False):
    """One scalar: the name of its type and its text as the client wrote it.

    `type` is one of `string` (also for a value without type), `int` (also i1, i2, i4), `i8`, `boolean`,
    `double`, `dateTime.iso8601`, `base64`, `nil`. A number stays text: `<int>0792223344</int>` is how Perl
    sends a telephone number, and its zero counts. `text` of a `base64` is what its bytes say.
    """

    type: str
    text: str


Param: TypeAlias = "Value | tuple[Param, ...] | Mapping[str, Param]"
"""One parameter of a call: a scalar, an array, or a struct with its members in the order sent."""

Result: TypeAlias = "bool | int | float | str | bytes | datetime | Sequence[Result] | Mapping[str, Result]"
"""What an answer may hold."""


@dataclass(frozen=True, slots=True)
class Call:
    """One methodCall."""

    method: str
    params: tuple[Param, ...]


_SCALARS = {
    "string": "string",
    "int": "int",
    "i1": "int",
    "i2": "int",
    "i4": "int",
    "i8": "i8",
    "biginteger": "i8",
    "boolean": "boolean",
    "double": "double",
    "float": "double",
    "bigdecimal": "double",
    "dateTime.iso8601": "dateTime.iso8601",
    "dateTime": "dateTime.iso8601",
    "base64": "base64",
    "nil": "nil",
}
_EMPTY_ARRAY = "<array><data></data></array>"
_METHOD = re.compile(r"[A-Za-z0-9_.:/]{1,100}")  # the characters that the specification allows


def read_call(data: bytes) -> Call:
    """Read a methodCall. Raises ProtocolError for what is no XML, no methodCall, or beyond the limits.

    Text is repaired where the client's library sent UTF-8 byte by byte as if it were ISO-8859-1: PHP's
    xmlrpc extension writes each byte as a reference, Perl's RPC::XML encodes twice under the label
    us-ascii (both seen by running them). Where the document itself is good UTF-8 text under no other
    label, nothing is touched, except in base64, whose bytes are Perl's `encode('utf8', @ARGV)`.
    """
    document = xml.read(data)
    root = document.root
    if _name(root) != "methodCall":
        raise ProtocolError(f"the document is a {_name(root)!r}, not a methodCall")
    honest = document.utf8_seen and document.label in ("", "utf-8", "utf8")
    method = _only(root, "methodName").strip()
    if not _METHOD.fullmatch(method):
        raise ProtocolError(f"{method[:40]!r} is no name of a method")
    params = [param for one in _children(root) if _name(one) == "params" for param in _children(one)]
    return Call(method, tuple(_param(param, not honest) for param in params))


def write_result(result: Result) -> bytes:
    """A methodResponse.

    Types that old clients know, and no others (dialects.md 3a): never nil, never i8. An integer beyond 32
    bits is written as a string.
    """
    value = xml.element("value", _markup(result))
    return xml.document(xml.element("methodResponse", xml.element("params", xml.element("param", value))))


def write_fault(code: int, sentence: str) -> bytes:
    """A methodResponse that carries a fault."""
    value = xml.element("value", _markup({"faultCode": code, "faultString": sentence}))
    return xml.document(xml.element("methodResponse", xml.element("fault", value)))


def _param(param: etree._Element, suspect: bool) -> Param:
    values = _children(param)
    if _name(param) != "param" or len(values) != 1:
        raise ProtocolError("a parameter is not one <value> inside a <param>")
    return _read(values[0], suspect)


def _read(value: etree._Element, suspect: bool) -> Param:
    if value.tag == "value" and len(value) == 1:
        typed = value[0]
        if typed.tag == "string" and not len(typed):  # as nearly all are
            return Value("string", _spoken(typed.text or "", suspect))
    if _name(value) != "value":
        raise ProtocolError(f"a <{_name(value)}> stands where a <value> is expected")
    inner = _children(value)
    if not inner:
        return Value("string", _spoken(_text(value), suspect))
    typed = inner[0]
    kind = _name(typed)
    if len(inner) > 1:
        raise ProtocolError(f"a <value> holds {len(inner)} elements, not one")
    if kind == "array":
        items = [item for data in _children(typed) for item in _children(data)]
        return tuple(_read(item, suspect) for item in items)
    if kind == "struct":
        return {
            _spoken(_only(member, "name"), suspect).strip(): _read(_only_child(member, "value"), suspect)
            for member in _children(typed)
        }
    if kind not in _SCALARS:
        raise ProtocolError(f"{kind!r} is no type of XML-RPC")
    if kind == "string":
        return Value("string", _spoken(_text(typed), suspect))
    text = _text(typed).strip()
    return Value(_SCALARS[kind], _from_base64(text) if kind == "base64" else text)


def _spoken(text: str, suspect: bool) -> str:
    return xml.repair(text) if suspect else text


def _from_base64(text: str) -> str:
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError(f"{text[:40]!r} is not base64: {error}") from error
    try:
        return xml.repair(data.decode("utf-8"))
    except UnicodeDecodeError:
        return xml.eight_bit(data)


def _children(parent: etree._Element) -> list[etree._Element]:
    """The elements inside, without comments and instructions."""
    return list(parent.iterchildren("*"))


def _name(one: etree._Element) -> str:
    """The name without its namespace: Apache's library writes `ex:nil` and `ex:i8`."""
    return str(one.tag).rpartition("}")[2]


def _only_child(parent: etree._Element, name: str) -> etree._Element:
    found = [child for child in _children(parent) if _name(child) == name]
    if len(found) != 1:
        raise ProtocolError(f"<{_name(parent)}> holds {len(found)} <{name}>, not one")
    return found[0]


def _only(parent: etree._Element, name: str) -> str:
    return _text(_only_child(parent, name))


def _text(one: etree._Element) -> str:
    """All the text directly inside, also around comments."""
    if _children(one):
        raise ProtocolError(f"<{_name(one)}> holds elements where text is expected")
    return (one.text or "") + "".join(child.tail or "" for child in one)


def _markup(result: Result) -> str:
    match result:
        case str():
            return f"<string>{xml.escape(result)}</string>"
        case bool():
            return "<boolean>1</boolean>" if result else "<boolean>0</boolean>"
        case list() | tuple():
            items = "</value><value>".join([_markup(one) for one in result])
            return f"<array><data><value>{items}</value></data></array>" if items else _EMPTY_ARRAY
        case int():
            kind = "int" if -(2**31) <= result < 2**31 else "string"
            return xml.element(kind, str(result))
        case float():
            # The specification knows neither exponents nor infinity.
            if not math.isfinite(result):
                return xml.element("string", str(result))
            return xml.element("double", f"{Decimal(repr(result)):f}")
        case bytes():
            return xml.element("base64", base64.b64encode(result).decode("ascii"))
        case datetime():
            return xml.element("dateTime.iso8601", result.strftime("%Y%m%dT%H:%M:%S"))
        case Mapping():
            return xml.element("struct", *(_member(name, one) for name, one in result.items()))
        case _:
            return _markup(list(result))


def _member(name: str, result: Result) -> str:
    return xml.element("member", xml.element("name", xml.escape(name)), xml.element("value", _markup(result)))
