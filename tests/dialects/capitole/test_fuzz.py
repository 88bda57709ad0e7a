"""Whatever bytes arrive, the Capitole dialect reads a command or refuses; whatever happens, it can say it."""

from hypothesis import example, given
from hypothesis import strategies as st

from chappe.dialects.capitole import wire
from chappe.dialects.capitole.operations import CAPITOLE, decode_send
from chappe.dialects.contract import WireCall
from chappe.model.commands import SendMessages
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpRequest

NAMES = ["SMS", "message", "recipients", "text", "sender", "long", "route", "prog", "id", "gsm"]
TAGS = [f"<{slash}{name}>".encode() for name in NAMES for slash in ("", "/")]
PIECES = [b"<", b"&", b"&#0;", b"<![CDATA[", b"]]>", b"<!--", b"<?", b"\x00", b"\xa4", b"\xc3\x82\xc2\xa4"]
PIECES += [b"%0A", b"%", b"<!DOCTYPE", b"0611223344", b"\xff\xfe"]
LOGIN = b"<SMS><username>a</username><password>b</password>"

documents = st.lists(st.one_of(st.sampled_from(TAGS + PIECES), st.binary(max_size=8)), max_size=30)


@given(st.sampled_from([b"XML=", b"xml = ", b"", b"a=b&XML="]), st.booleans(), documents.map(b"".join))
@example(b"XML=", True, b"<id>" * 5000)
@example(b"XML=", True, b"<message>" * 300 + b"<text>a</text>")
def test_any_document_is_read_or_refused(before: bytes, known: bool, document: bytes) -> None:
    body = before + (LOGIN if known else b"") + document
    call: WireCall | None = None
    try:
        call = CAPITOLE.read(HttpRequest("POST", "", "/api/sendsms/xml", b"", b"", {}, body))
        assert isinstance(decode_send(call), SendMessages)
    except Refusal as refusal:
        assert wire.refuse(refusal, call).status == 200


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), st.booleans())
def test_a_text_outlives_being_encoded_twice(text: str, twice: bool) -> None:
    # What fits in Latin-9 whole may mean either set, which the manual decides; hence the sign beyond it.
    data = f"<{text}あ".encode()
    if twice:
        data = data.decode("latin-1").encode()
    assert wire.decode_text(data) == f"<{text}あ"


@given(st.sampled_from(Fault), st.text(), st.none() | st.text() | st.from_regex(r"\Ato\[\d{1,3}\]\Z"))
def test_any_refusal_can_be_said(fault: Fault, detail: str, field: str | None) -> None:
    call = WireCall("sendsms", {"gsm": ("0611223344", "")}, balance=1000)
    code, balance, *words = wire.refuse(Refusal(fault, detail, field), call).body.split(b";")
    assert code and balance == b"1"
    assert len(words) <= (fault is Fault.CONSENT_MISSING)
    assert b";" not in wire.refuse(Refusal(fault, detail, field), None).body
