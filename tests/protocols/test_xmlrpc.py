"""Reading XML-RPC calls word for word, and writing answers that old clients understand."""

import xmlrpc.client
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.protocols import xml
from chappe.protocols import xmlrpc as ours
from chappe.protocols.errors import ProtocolError
from chappe.protocols.xmlrpc import Param, Value, read_call, write_fault, write_result


def call_with(value: str, declaration: str = '<?xml version="1.0"?>') -> bytes:
    params = f"<params><param>{value}</param></params>"
    return f"{declaration}<methodCall><methodName>f</methodName>{params}</methodCall>".encode()


def the_param(value: str) -> Param:
    (param,) = read_call(call_with(value)).params
    return param


SCALARS = {
    "<value>hello</value>": Value("string", "hello"),
    "<value> hello </value>": Value("string", " hello "),
    "<value/>": Value("string", ""),
    "<value><string/></value>": Value("string", ""),
    "<value><string> x </string></value>": Value("string", " x "),
    "<value>\n  <string>x</string>\n</value>": Value("string", "x"),
    "<value><string>&lt;&amp;&#233;</string></value>": Value("string", "<&é"),
    "<value><string><![CDATA[<b>]]> &amp;<!-- no --> c</string></value>": Value("string", "<b> & c"),
    "<value><int>0792223344</int></value>": Value("int", "0792223344"),
    "<value><int> 12 </int></value>": Value("int", "12"),
    "<value><i4>0041792223344</i4></value>": Value("int", "0041792223344"),
    "<value><i8>+41792223344</i8></value>": Value("i8", "+41792223344"),
    '<value><ex:i8 xmlns:ex="http://ws.apache.org/xmlrpc/namespaces/extensions">4</ex:i8></value>': Value(
        "i8", "4"
    ),
    "<value><double>3.14000000000000012434</double></value>": Value("double", "3.14000000000000012434"),
    "<value><boolean>1</boolean></value>": Value("boolean", "1"),
    "<value><nil/></value>": Value("nil", ""),
    '<value><ex:nil xmlns:ex="x"/></value>': Value("nil", ""),
    "<value><dateTime.iso8601>20061206T20:05:00</dateTime.iso8601></value>": Value(
        "dateTime.iso8601", "20061206T20:05:00"
    ),
    "<value><base64>Y2Fmw6kg4oKs</base64></value>": Value("base64", "café €"),
    "<value><base64>\n Y2Fm\n w6kg4oKs\n</base64></value>": Value("base64", "café €"),
    "<value><base64>Y2Fmw4PCqSDDosKCwqw=</base64></value>": Value("base64", "café €"),
    "<value><base64>Y2Fm6Q==</base64></value>": Value("base64", "café"),
    "<value><base64>bJJhcHA=</base64></value>": Value("base64", "l’app"),
    "<value><base64/></value>": Value("base64", ""),
}


@pytest.mark.parametrize(("written", "value"), SCALARS.items())
def test_a_scalar_keeps_its_type_and_its_words(written: str, value: Value) -> None:
    assert the_param(written) == value


def test_arrays_and_structs_keep_their_order() -> None:
    array = "<value><array><data><value>a</value><value><int>01</int></value></data></array></value>"
    assert the_param(array) == (Value("string", "a"), Value("int", "01"))
    assert the_param("<value><array><data/></array></value>") == ()
    assert the_param("<value><array/></value>") == ()
    struct = (
        "<value><struct><member><name>2</name><value>b</value></member>"
        "<member><name>0</name><value><nil/></value></member></struct></value>"
    )
    read = the_param(struct)
    assert isinstance(read, dict)
    assert list(read.items()) == [("2", Value("string", "b")), ("0", Value("nil", ""))]


def test_a_call_may_have_no_parameters() -> None:
    assert read_call(b"<methodCall><methodName> auth </methodName></methodCall>") == ours.Call("auth", ())
    assert read_call(b"<methodCall><methodName>auth</methodName><params/></methodCall>").params == ()


# How each library labels its document, and what it sends for the text "café €" (seen by running it).
AS_SENT = {
    "Python": (b"<?xml version='1.0'?>", "café €".encode()),
    "xml-rpc-php 4": (b'<?xml version="1.0"?>', b"caf&#233; &#8364;"),
    "xml-rpc-php, UTF-8 taken for ISO-8859-1": (
        b'<?xml version="1.0"?>',
        b"caf&#195;&#169; &#226;\x82&#172;",
    ),
    "xmlrpc extension of PHP": (
        b'<?xml version="1.0" encoding="iso-8859-1"?>',
        b"caf&#195;&#169; &#226;&#130;&#172;",
    ),
    "RPC::XML, a text": (b'<?xml version="1.0" encoding="us-ascii"?>', "café €".encode()),
    "RPC::XML, an argument of the command line": (
        b'<?xml version="1.0" encoding="us-ascii"?>',
        "café €".encode().decode("latin-1").encode(),
    ),
    "IXR with a file in ISO-8859-15": (b'<?xml version="1.0"?>', b"caf\xe9 \xa4"),
    "a hand-made request in Windows-1252": (
        b'<?xml version="1.0" encoding="windows-1252"?>',
        b"caf\xe9 \x80",
    ),
}


@pytest.mark.parametrize(("declared", "text"), AS_SENT.values(), ids=AS_SENT)
def test_accents_arrive_from_every_library(declared: bytes, text: bytes) -> None:
    body = declared + call_with("<value>@</value>", "").replace(b"@", text)
    assert read_call(body).params == (Value("string", "café €"),)


def test_good_utf8_is_not_repaired() -> None:
    for declaration in ("", '<?xml version="1.0" encoding="UTF-8"?>'):
        body = call_with("<value>cafÃ©</value>", declaration)
        assert read_call(body).params == (Value("string", "cafÃ©"),)


NO_CALLS = {
    "form": b"user=a",
    "another document": b"<html/>",
    "an answer": write_result(True),
    "no method": b"<methodCall/>",
    "two methods": b"<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>",
    "an empty name": b"<methodCall><methodName/></methodCall>",
    "an odd name": b"<methodCall><methodName>rm -rf</methodName></methodCall>",
    "a long name": b"<methodCall><methodName>" + b"a" * 101 + b"</methodName></methodCall>",
    "elements in the name": b"<methodCall><methodName>a<b/></methodName></methodCall>",
    "no value": call_with(""),
    "two values": call_with("<value/><value/>"),
    "no value element": call_with("<string>x</string>"),
    "two types": call_with("<value><int>1</int><int>2</int></value>"),
    "unknown type": call_with("<value><number>1</number></value>"),
    "elements in a scalar": call_with("<value><int><b/></int></value>"),
    "array of naked scalars": call_with("<value><array><data><int>1</int></data></array></value>"),
    "struct without name": call_with("<value><struct><member><value/></member></struct></value>"),
    "struct without value": call_with("<value><struct><member><name>a</name></member></struct></value>"),
    "bad base64": call_with("<value><base64>a</base64></value>"),
    "base64 with accents": call_with("<value><base64>é</base64></value>"),
    "deep": call_with("<value><array><data>" * 40 + "</data></array></value>" * 40),
    "bomb": call_with("<value>&x;</value>", '<!DOCTYPE a [<!ENTITY x "y">]>'),
}


@pytest.mark.parametrize("body", NO_CALLS.values(), ids=NO_CALLS)
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_call(body)


# --- Python's own library as the other side

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="￾￿"))
SPOKEN = TEXT | st.integers(-(2**31), 2**31 - 1) | st.booleans() | st.floats(-1e6, 1e6)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves, lambda one: st.lists(one, max_size=4) | st.dictionaries(TEXT, one, max_size=4), max_leaves=8
    )


def spoken(sent: Any) -> Param:
    """What `read_call` should make of something that Python's library sent."""
    match sent:
        case bool():
            return Value("boolean", "1" if sent else "0")
        case int():
            return Value("int", str(sent))
        case float():
            return Value("double", repr(sent))
        case list():
            return tuple(map(spoken, sent))
        case dict():
            return {name.strip(): spoken(one) for name, one in sent.items()}
        case _:
            return Value("string", sent)


@given(st.lists(nested(SPOKEN), max_size=4))
def test_what_python_sends_is_read(params: list[Any]) -> None:
    body = xmlrpc.client.dumps(tuple(params), "f").encode()
    assert read_call(body) == ours.Call("f", tuple(map(spoken, params)))


@given(TEXT)
def test_what_python_sends_as_bytes_is_read_as_text(text: str) -> None:
    body = xmlrpc.client.dumps((text.encode(),), "f").encode()
    assert read_call(body).params == (Value("base64", xml.repair(text)),)


@given(nested(SPOKEN | st.binary()))
def test_python_reads_what_we_write(result: Any) -> None:
    (read,), _ = xmlrpc.client.loads(write_result(result), use_builtin_types=True)
    assert read == result


def test_python_reads_a_fault() -> None:
    with pytest.raises(xmlrpc.client.Fault) as fault:
        xmlrpc.client.loads(write_fault(-32700, "pas <bon> & é"))
    assert (fault.value.faultCode, fault.value.faultString) == (-32700, "pas <bon> & é")


WRITTEN = {
    "true": (True, "<boolean>1</boolean>"),
    "int": (-5, "<int>-5</int>"),
    "largest int": (2**31 - 1, "<int>2147483647</int>"),
    "smallest int": (-(2**31), "<int>-2147483648</int>"),
    "beyond 32 bits": (2**31, "<string>2147483648</string>"),
    "below 32 bits": (-(2**31) - 1, "<string>-2147483649</string>"),
    "double": (1e-7, "<double>0.0000001</double>"),
    "large double": (1e22, "<double>10000000000000000000000</double>"),
    "no number": (float("nan"), "<string>nan</string>"),
    "string": ("a<b>\r\n\x00", "<string>a&lt;b&gt;&#13;\n�</string>"),
    "bytes": (b"\x00\xff", "<base64>AP8=</base64>"),
    "date": (
        datetime(2006, 12, 6, 20, 5, tzinfo=UTC),
        "<dateTime.iso8601>20061206T20:05:00</dateTime.iso8601>",
    ),
    "array": (
        ["a", [1]],
        (
            "<array><data><value><string>a</string></value>"
            "<value><array><data><value><int>1</int></value></data></array></value></data></array>"
        ),
    ),
    "struct": (
        {"<a>": 1},
        "<struct><member><name>&lt;a&gt;</name><value><int>1</int></value></member></struct>",
    ),
}


@pytest.mark.parametrize(("result", "markup"), WRITTEN.values(), ids=WRITTEN)
def test_only_types_that_old_clients_know_are_written(result: Any, markup: str) -> None:
    assert write_result(result).decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f"<methodResponse><params><param><value>{markup}</value></param></params></methodResponse>"
    )


def test_the_declaration_is_within_the_first_hundred_bytes() -> None:
    # IXR cuts it out of the first 100 bytes and nowhere else.
    for answer in (write_result("x" * 200), write_fault(1, "x" * 200)):
        assert b"?>" in answer[:100]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for body in (data, call_with("<value>@</value>").replace(b"@", data), call_with("@").replace(b"@", data)):
        try:
            assert isinstance(read_call(body), ours.Call)
        except ProtocolError as error:
            assert error.where
