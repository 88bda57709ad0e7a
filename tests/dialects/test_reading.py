"""Old wires read forgivingly: names, escapes, charsets, booleans."""

from collections.abc import Callable

import pytest

from chappe.dialects import reading
from chappe.model.errors import Fault, Refusal
from chappe.protocols import xml
from chappe.protocols.http import HttpRequest


def request(
    query: bytes = b"", body: bytes = b"", content_type: str = "", form: tuple[tuple[bytes, bytes], ...] = ()
) -> HttpRequest:
    headers = {"content-type": content_type} if content_type else {}
    return HttpRequest("POST", "h", "/p", b"/p?" + query, query, headers, body, form)


def fields(query: bytes) -> dict[str, tuple[str, ...]]:
    return reading.fields_of(reading.read_parameters(request(query), "cp1252"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"a=1&b=2", {"a": ("1",), "b": ("2",)}),
        (b"a=1;b=2", {"a": ("1;b=2",)}),
        (b"a=1=2", {"a": ("1=2",)}),
        (b"&&a=1&", {"a": ("1",)}),
        (b"a=1&key&b", {"a": ("1",), "key": ("",), "b": ("",)}),
        (b"=x&a=1", {"": ("x",), "a": ("1",)}),
        (
            b"id=k&amp;to=33612345678&amp;content=Hi",
            {"id": ("k",), "to": ("33612345678",), "content": ("Hi",)},
        ),
        (b"amp;to=1&to=2", {"to": ("2",)}),
        (b"amp;amp;to=1", {"to": ("1",)}),
        (b"ACCOUNT=1&callId=2", {"account": ("1",), "callid": ("2",)}),
        (b"jour[]=LUNDI&jour[]=MARDI", {"jour": ("LUNDI", "MARDI")}),
        (b"jour%5B0%5D=LUNDI&jour%5B1%5D=MARDI&jour=JEUDI", {"jour": ("LUNDI", "MARDI", "JEUDI")}),
        (b"amp;jour[]=LUNDI", {"jour": ("LUNDI",)}),
        (b"a[b]=1&c[=2", {"a[b]": ("1",), "c[": ("2",)}),
        (b"to=+33612345678", {"to": (" 33612345678",)}),
        (b"to=%2B33612345678", {"to": ("+33612345678",)}),
        (b"text=%22Hi%22", {"text": ('"Hi"',)}),
        (b"text=100%&other=%zz", {"text": ("100%",), "other": ("%zz",)}),
        (b"text=a%00b", {"text": ("a\x00b",)}),
    ],
)
def test_names_and_values_are_parted(query: bytes, expected: dict[str, tuple[str, ...]]) -> None:
    assert fields(query) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"caf%C3%A9", "café"),
        (b"caf%E9", "café"),
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        (b"%80", "€"),
        (b"%u20AC", "€"),
        (b"%U20ac", "€"),
        (b"caf%E9%u20AC+%E0", "café€ à"),
        (b"%uD83D%uDE00", "😀"),
        (b"%uD83D+x", "� x"),
        (b"%u00e9t%u00e9", "été"),
        (b"%u20A", "%u20A"),
        (b"%u0000x", "\x00x"),
        (b"%81", "�"),
    ],
)
def test_a_value_is_decoded_without_a_label(raw: bytes, expected: str) -> None:
    assert reading.unescape(raw, "cp1252") == expected


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/x-www-form-urlencoded", b"a=%C3%A9", "é"),
        ("application/x-www-form-urlencoded; charset=ISO-8859-1", b"a=%C3%A9", "Ã©"),
        ('application/x-www-form-urlencoded;charset="iso-8859-15"', b"a=%A4", "€"),
        ("application/x-www-form-urlencoded; charset=utf-8", b"a=%E9", "é"),
        ("application/x-www-form-urlencoded; charset=unicode_escape", b"a=%5Cx41%C3%A9", "\\x41é"),
        ("", b"a=1\r\n", "1"),
        ("text/plain", b"a=1", "1"),
    ],
)
def test_a_declared_charset_is_tried_first_for_the_body(
    content_type: str, body: bytes, expected: str
) -> None:
    (parameter,) = reading.read_parameters(request(body=body, content_type=content_type), "cp1252")
    assert parameter.value == expected


def test_a_body_of_another_type_has_no_parameters() -> None:
    assert reading.read_parameters(request(body=b"a=1", content_type="application/json"), "cp1252") == ()


def test_query_body_and_form_are_merged_in_this_order() -> None:
    merged = reading.fields_of(
        reading.read_parameters(request(b"a=query", b"a=body&b=body", form=((b"a", b"form+%41"),)), "cp1252")
    )
    assert merged == {"a": ("query", "body", "form+%41"), "b": ("body",)}


def test_the_wire_form_of_a_value_is_kept_for_masking() -> None:
    (parameter,) = reading.read_parameters(request(b"id=%22k%65y%22"), "cp1252")
    assert (parameter.value, parameter.raw) == ('"key"', b"%22k%65y%22")


def test_too_many_parameters_are_refused() -> None:
    most = b"&".join([b"a"] * reading.MOST_PARAMETERS)
    assert len(fields(most)["a"]) == reading.MOST_PARAMETERS
    with pytest.raises(Refusal) as refusal:
        fields(most + b"&a")
    assert refusal.value.fault is Fault.INVALID_PARAMETER


@pytest.mark.parametrize(
    ("query", "names", "expected"),
    [
        (b"a=1&a=2", ["a"], "1"),
        (b"a=&b=2", ["a", "b"], "2"),
        (b"b=2", ["a", "b"], "2"),
        (b"c=1", ["a", "b"], ""),
        (b"a=%22true%22", ["a"], "true"),
        (b"a='ticket'", ["a"], "ticket"),
        (b"a=+x+", ["a"], "x"),
        (b"a=%22", ["a"], '"'),
        (b"a=%22x", ["a"], '"x'),
        (b"a=%22%22x%22%22", ["a"], '"x"'),
    ],
)
def test_a_scalar_is_the_first_value_without_quotes(query: bytes, names: list[str], expected: str) -> None:
    assert reading.scalar(fields(query), *names) == expected


def test_first_leaves_the_value_as_it_is() -> None:
    assert reading.first(fields(b"a=+%22x%22"), "a") == ' "x"'


@pytest.mark.parametrize("word", ["true", "TRUE", "1", " yes ", "On", "oui", "Vrai"])
def test_words_for_true(word: str) -> None:
    assert reading.read_boolean(word) is True


@pytest.mark.parametrize("word", ["false", "False", "0", "no", "off", "NON", "faux"])
def test_words_for_false(word: str) -> None:
    assert reading.read_boolean(word) is False


@pytest.mark.parametrize("word", ["", "2", "maybe", "truee"])
def test_words_that_are_no_boolean(word: str) -> None:
    assert reading.read_boolean(word) is None


@pytest.mark.parametrize(
    ("text", "eight_bit", "expected"),
    [
        ("plain", xml.eight_bit, "plain"),
        ("cafÃ©", None, "café"),
        ("â\x82¬", None, "€"),
        ("café", None, "café"),
        ("café ¤", xml.eight_bit, "café €"),
        ("café \x80", xml.eight_bit, "café €"),
        ("café €", xml.eight_bit, "café €"),
        ("Ã© 😀", None, "Ã© 😀"),
    ],
)
def test_double_encoding_is_repaired_where_it_shows(
    text: str, eight_bit: Callable[[bytes], str] | None, expected: str
) -> None:
    assert reading.repair_double_encoding(text, eight_bit) == expected
