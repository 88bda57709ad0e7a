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
    target = b"/sendsms.html?" + query
    call = None
    try:
        request = HttpRequest("GET", "", "/sendsms.html", target, query, {"authorization": header}, b"")
        call = KEYYO.read(request)
        KEYYO.operations[call.verb].decode(call)
    except Refusal as refusal:
        for fault in (refusal.fault, *Fault):
            said = wire.refuse(Refusal(fault, refusal.detail, refusal.field, Challenge("n", True)), call)
            assert said.status == wire.STATUS_OF_FAULT[fault]
            assert said.reason.isascii() and said.body


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
