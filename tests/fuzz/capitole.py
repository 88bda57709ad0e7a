"""Throws bytes at Capitole's wire, its XML and its charsets, guided by which lines they reach.

python -m tests.fuzz.capitole [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["chappe.dialects.capitole", "chappe.protocols.xml"]):
    from chappe.dialects.capitole import wire
    from chappe.dialects.capitole.operations import CAPITOLE, decode_send
from chappe.model.errors import Refusal
from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import HttpRequest

_LOGIN = "<authentification><username>a</username><password>b</password></authentification>"
_MESSAGE = "<message><text>é€</text><sender>0123456789</sender><sender>123456</id></message>"
_TO = "<recipients><gsm>0611223344</gsm><gsm>33622334455</gsm></recipients>"

SEEDS = (
    f"XML=<SMS>{_LOGIN}{_MESSAGE}{_TO}</SMS>".encode(),
    f"XML=<SMS>{_LOGIN}{_MESSAGE}{_TO}</SMS>".encode("iso-8859-15"),
    f"XML=<SMS>{_LOGIN}{_MESSAGE}{_TO}</SMS>".encode().decode("latin-1").encode(),
    b"XML=%3CSMS%3E%3Cmessage%3E%3Ctext%3E%E9%250A%3C%2Ftext%3E%3C%2Fmessage%3E%3C%2FSMS%3E",
    b"XML=<auth:ntification><username>a</username></auth:ntification>",  # a prefix that nobody declared
    b'XML=<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]><SMS>&b;</SMS>',
)


def one_input(data: bytes) -> None:
    """One run: a body is read to a command, or refused, and any refusal can be said."""
    call = None
    try:
        call = CAPITOLE.read(HttpRequest("POST", "", "/api/sendsms/xml", b"", b"", {}, data))
        decode_send(call)
    except Refusal as refusal:
        assert wire.refuse(refusal, call).status == 200
    with suppress(ProtocolError):  # a charset that hides markup
        wire.decode_text(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
