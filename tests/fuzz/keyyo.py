"""Throws queries and Authorization headers at Keyyo's wire.

python -m tests.fuzz.keyyo [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["chappe.dialects.keyyo", "chappe.protocols.digest"]):
    from chappe.dialects.keyyo import wire
    from chappe.dialects.keyyo.operations import KEYYO
    from chappe.protocols import digest
from chappe.model.errors import Challenge, Fault, Refusal
from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import HttpRequest

_PROOF = (
    b'Digest username="33612345678", realm="keyyo", nonce="0123", uri="/sendsms.html?ACCOUNT=1", qop=auth,'
    b' nc=00000001, cnonce="c", algorithm=MD5, response="6629fae49393a05397450978507c4ef1"'
)

SEEDS = (
    b"ACCOUNT=33612345678&CALLEE=0612345678&MSG=Bonjour+%E9t%C3%A9\n" + _PROOF,
    b'account=+33612345678&callee=33 6 12&MSG=%u20AC&CALLE_NAME=x\nDigest username="a\\"b", nc=x',
    b"ACCOUNT=1\n" + _PROOF,
)


def one_input(data: bytes) -> None:
    """One run: a query, and after a line break the header; each refusal can be said as HTTP."""
    query, _, written = data.partition(b"\n")
    header = written.decode("latin-1")
    with suppress(ProtocolError):
        proof = digest.read_proof(header, "GET")
        assert 0 <= proof.count < 2**32
    for verb in KEYYO.operations:
        _say(verb, query, header)


def _say(verb: str, query: bytes, header: str) -> None:
    path, call = f"/{verb}.html", None
    try:
        target = path.encode() + b"?" + query
        call = KEYYO.read(HttpRequest("GET", "", path, target, query, {"authorization": header}, b""))
        KEYYO.operations[call.verb].decode(call)
    except Refusal as refusal:
        for fault in (refusal.fault, *Fault):
            said = wire.refuse(Refusal(fault, refusal.detail, refusal.field, Challenge("n", True)), call)
            # What a parameter asks for and we do not do is 501, a method that we do not know is 405.
            assert said.status in (wire.STATUS_OF_FAULT[fault], 501 if fault is Fault.UNSUPPORTED else None)
            assert said.reason.isascii() and said.body


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
