"""Every unit of SMPP 3.4, as hypothesis draws it."""

from hypothesis import strategies as st
from msgspec.structs import fields

from chappe.protocols.smpp.bodies import BODIES, Destination, Destinations, ListName, Unreachables, Unreached
from chappe.protocols.smpp.fields import Counted, CString, Integer, layout
from chappe.protocols.smpp.pdus import Pdu

TLVS = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=3).map(tuple)


def values(kind):
    match kind:
        case Integer(octets):
            return st.integers(0, 256**octets - 1)
        case CString(most):
            return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=most - 1)
        case Counted():
            return st.binary(max_size=254)
        case Destinations():
            return st.lists(records(Destination) | records(ListName), max_size=3).map(tuple)
        case Unreachables():
            return st.lists(records(Unreached), max_size=3).map(tuple)


def records(record):
    drawn = {name: values(kind) for name, kind in layout(record)}
    if any(field.name == "tlvs" for field in fields(record)):
        drawn["tlvs"] = TLVS
    return st.builds(record, **drawn)


@st.composite
def pdus(draw):
    command = draw(st.sampled_from(sorted(BODIES)))
    body = draw(records(BODIES[command]))
    return Pdu(command, draw(st.integers(1, 0x7FFFFFFF)), body, draw(st.integers(0, 0xFFFFFFFF)))
