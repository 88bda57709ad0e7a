"""Whatever bytes arrive, the Keyyo dialect reads a command or refuses; whatever happens, it can say it."""

from hypothesis import given
from hypothesis import strategies as st

from chappe.dialects.contract import WireCall
from chappe.dialects.keyyo import wire
from chappe.dialects.keyyo.operations import KEYYO, decode_call, decode_send
from chappe.model.commands import CallFromLine, SendFromLine
from chappe.model.errors import Challenge, Fault, Refusal
from chappe.model.sources import lets_in
from chappe.protocols.http import HttpRequest

PIECES = [
    b"ACCOUNT=33639980000",
    b"CALLEE=",
    b"MSG=",
    b"CALLER=",
    b"RECORD=1",
    b"&",
    b"=",
    b"%",
    b"+",
    b"%u20AC",
    b"\xe9",
    b"a",
]
HEADER = ["Digest ", 'username="a"', "nonce=", "uri=", "nc=00000001", "qop=auth", ",", '"', "\\", " "]

queries = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=20).map(b"".join)
headers = st.lists(st.one_of(st.sampled_from(HEADER), st.text(max_size=5)), max_size=15).map("".join)


@given(queries, headers)
def test_any_request_is_read_or_refused(query: bytes, header: str) -> None:
    call: WireCall | None = None
    try:
        request = HttpRequest(
            "GET", "", "/sendsms.html", b"/sendsms.html?" + query, query, {"authorization": header}, b""
        )
        call = KEYYO.read(request)
        assert isinstance(decode_send(call), SendFromLine)
    except Refusal as refusal:
        assert wire.refuse(refusal, call).status >= 400


@given(queries)
def test_any_call_is_read_or_refused(query: bytes) -> None:
    call: WireCall | None = None
    try:
        call = KEYYO.read(
            HttpRequest("GET", "", "/makecall.html", b"/makecall.html?" + query, query, {}, b"")
        )
        assert isinstance(decode_call(call), CallFromLine)
    except Refusal as refusal:
        assert wire.refuse(refusal, call).status >= 400


def test_every_fault_has_a_status() -> None:
    assert set(wire.STATUS_OF_FAULT) == set(Fault)


@given(st.sampled_from(Fault), st.text(), st.none() | st.text(), st.booleans())
def test_any_refusal_can_be_said(fault: Fault, detail: str, field: str | None, stale: bool) -> None:
    answer = wire.refuse(Refusal(fault, detail, field, Challenge("0a", stale)), None)
    assert answer.status >= 400
    answer.reason.encode("ascii")


@given(st.text("0123456789.*+?|[]\\d-^$()", max_size=60), st.ip_addresses().map(str))
def test_any_expression_is_matched_or_passed_over(written: str, address: str) -> None:
    lets_in(written, address)
