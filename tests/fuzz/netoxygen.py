"""Throws bytes at NetOxygen's wire: whole calls, and single values inside good ones.

python -m tests.fuzz.netoxygen [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys
import xmlrpc.client
from contextlib import suppress

import atheris

with atheris.instrument_imports(
    include=["chappe.dialects.netoxygen", "chappe.protocols.xmlrpc", "chappe.protocols.xml"]
):
    from chappe.dialects.netoxygen import wire
    from chappe.dialects.netoxygen.operations import NETOXYGEN
from chappe.model.commands import SendMessages
from chappe.model.errors import Fault, Refusal
from chappe.protocols.http import HttpRequest, HttpResponse

FUNCTIONS = tuple(wire.PARAMETERS)
_SEND = FUNCTIONS.index(wire.SEND_MESSAGE)
_PARTED = b"\xff"  # stands in no text in UTF-8


def call(function: str, *values: str) -> bytes:
    """A call with these values, which are markup."""
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    document = f"<methodCall><methodName>{function}</methodName><params>{params}</params></methodCall>"
    return f'<?xml version="1.0"?>{document}'.encode()


_NUMBERS = "<array><data><value>0792223344</value><value><i8>41792223345</i8></value></data></array>"
SEEDS = (
    call("send_message", "u", "p", _NUMBERS, "été &amp; 20 &#8364;", "36111", "2026-03-02 18:30", "flash"),
    call(
        "get_status",
        "u",
        "<string>p</string>",
        "<struct><member><name>0</name><value>12</value></member></struct>",
    ),
    call("send_message", "u", "p", "<double>3.14000000000000012434</double>", "<nil/>").replace(
        b'"1.0"', b'"1.0" encoding="iso-8859-15"'
    ),
    call("send_message", "u", "p", "0792223344", "Été".encode().decode("latin-1")),
    bytes([_SEND]) + _PARTED.join(part.encode() for part in ("u", "p", "0792223344", "L'été <& 5 €")),
    b"<!DOCTYPE a><methodCall/>",
)


def one_input(data: bytes) -> None:
    """One run: the bytes as a call, and as the strings of one that is in order."""
    _say(data)
    if data:
        values = [one.decode("utf-8", "ignore") for one in data[1:].split(_PARTED)[:8]]
        function = FUNCTIONS[data[0] % len(FUNCTIONS)]
        with suppress(UnicodeEncodeError):
            _says_the_same(function, values)


def _says_the_same(function: str, values: list[str]) -> None:
    """A text that Python's client may write is the text of the command."""
    body = xmlrpc.client.dumps(tuple(values), function).encode()
    command = _say(body)
    if isinstance(command, SendMessages) and all(32 <= ord(one) < 0xD800 for one in values[3]):
        assert command.text == values[3]


def _say(body: bytes) -> object:
    read = None
    try:
        read = NETOXYGEN.read(HttpRequest("POST", "", "/api2/", b"", b"", {}, body))
        operation = NETOXYGEN.operations.get(read.verb)
        return None if operation is None else operation.decode(read)
    except Refusal as refusal:
        _is_answer(wire.refuse(refusal, read))
        _is_answer(wire.refuse(Refusal(Fault.INSUFFICIENT_CREDITS, refusal.detail), read))
    return None


def _is_answer(response: HttpResponse) -> None:
    """What Python's own client reads as a result or a fault."""
    assert response.status == 200
    with suppress(xmlrpc.client.Fault):
        xmlrpc.client.loads(response.body)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
