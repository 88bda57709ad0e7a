"""Throws queries and bodies at Orange's wire, and texts through every escape that its clients use.

python -m tests.fuzz.orange [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys
from urllib.parse import quote, quote_plus

import atheris
from lxml import etree

with atheris.instrument_imports(include=["chappe.dialects.orange", "chappe.dialects.reading"]):
    from chappe.dialects import reading
    from chappe.dialects.orange import wire
    from chappe.dialects.orange.operations import ORANGE
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpRequest

SEEDS = (
    b"id=1234&to=33612345678&content=Hello%20%E9t%C3%A9&from=20345&long_text=true&max_sms=3&ack=1",
    b"id=1234&amp;to='33612345678'&amp;content=%u20AC+%uD83D%uDE00&content_encoding=ucs2&session=1",
    b'id="1234"&to[]=0612345678;0687654321&content[0]=a\r\n&session_duration=30&tag=noel&1=1&1234',
    b"callid=01J9&id=1234&send_at=x&max_sms=256&room=room",
    "id=1&to=33612345678&content=Été à 5 €".encode(),
    "id=1&to=33612345678&content=Été à 5 €".encode("cp1252"),
)


def one_input(data: bytes) -> None:
    """One run: as a query, as a body, as a path, and as a text through every escape."""
    _say(HttpRequest("GET", "", "/sms/sendSMS.xml", b"", data, {}, b""))
    kind = {"content-type": f"application/x-www-form-urlencoded; charset={data[:9].decode('latin-1')}"}
    _say(HttpRequest("POST", "", "/sms/getHistory.xml", b"", data[:20], kind, data[20:]))
    _say(HttpRequest("GET", "", "/sms/" + data.decode("latin-1"), b"", b"id=1&callid=2", {}, b""))
    _escaped(data.decode("utf-8", "ignore"))


def _say(request: HttpRequest) -> None:
    call = None
    try:
        call = ORANGE.read(request)
        operation = ORANGE.operations.get(call.verb)
        if operation is None:
            raise Refusal(Fault.UNKNOWN_OPERATION, f"there is no operation {call.verb!r}")
        operation.decode(call)
    except Refusal as refusal:
        response = wire.refuse(refusal, call)
        assert response.status == 200
        code = etree.fromstring(response.body).findtext("status/status_code")
        assert code == str(wire.STATUS_OF_FAULT[refusal.fault]) or code == "501"


def _escaped(text: str) -> None:
    """What a client escapes is what is read (dialects.md 1d)."""
    assert reading.unescape(quote(text).encode(), wire.EIGHT_BIT) == text
    assert reading.unescape(quote_plus(text).encode(), wire.EIGHT_BIT) == text
    units = text.encode("utf-16-be").hex()
    escape = "".join(f"%u{units[at : at + 4]}" for at in range(0, len(units), 4))
    assert reading.unescape(escape.encode(), wire.EIGHT_BIT) == text


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
