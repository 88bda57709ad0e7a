"""Throws octets at user data headers, and parts in any order at what puts them together.

python -m tests.fuzz.userdata [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys

import atheris

with atheris.instrument_imports(
    include=["chappe.protocols.smpp.userdata", "chappe.protocols.smpp.reassembly"]
):
    from chappe.protocols.smpp import userdata
    from chappe.protocols.smpp.reassembly import Piece, gather
    from chappe.protocols.smpp.userdata import Place
from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp.codes import Tag
from chappe.protocols.smpp.fields import decode_tlvs

SEEDS = (
    bytes.fromhex("050003 2a0301 426f6e6a6f7572"),
    bytes.fromhex("060804 012a0302 c3a974c3a9"),
    bytes.fromhex("0b 050415820000 0003420201 d83d"),
    bytes.fromhex("08 240101 0003070201 41"),
    bytes.fromhex("05 0003070200 05 0003070000 0500030702ff"),
    bytes.fromhex("00 00 020c0002012a 020e000102 020f000101"),
    bytes(range(60)),
)


def one_input(data: bytes) -> None:
    """One run: as a header, as optional parameters, as a message whose parts come mixed up, and as parts that
    fit together by chance or not at all."""
    _header(data)
    _parameters(data)
    _message(data)
    _strangers(data)


def _header(data: bytes) -> None:
    try:
        elements, rest = userdata.read_header(data)
    except ProtocolError:
        return
    assert userdata.write_header(elements) + rest == (data if elements else rest)
    _placed(userdata.place_of(elements))
    userdata.languages_of(elements)
    whole = userdata.without_place(elements)
    assert userdata.place_of(whole) is None
    assert userdata.languages_of(whole) == userdata.languages_of(elements)


def _parameters(data: bytes) -> None:
    try:
        tlvs = decode_tlvs(data, 0, len(data))
    except ProtocolError:
        tlvs = ((Tag.SAR_MSG_REF_NUM, data[:2]), (Tag.SAR_TOTAL_SEGMENTS, data[2:3]))
        tlvs += ((Tag.SAR_SEGMENT_SEQNUM, data[3:4]),)
    _placed(userdata.place_of((), tlvs))


def _placed(place: Place | None) -> None:
    """A place can be written in all three ways, and is read as the same."""
    if place is None:
        return
    assert 1 <= place.number <= place.total <= userdata.MOST_PARTS
    assert place.total > 1
    for element, mask in ((userdata.joined_by_8(place), 0xFF), (userdata.joined_by_16(place), 0xFFFF)):
        [again], _ = userdata.read_header(userdata.write_header((element,)))
        assert userdata.place_of((again,)) == place._replace(reference=place.reference & mask)
    octets = userdata.joined_by_parameters(place)
    tlvs = decode_tlvs(octets, 0, len(octets))
    assert userdata.place_of((), tlvs) == place._replace(reference=place.reference & 0xFFFF)


def _message(data: bytes) -> None:
    """The octets behind the first two, cut into parts, mixed up by them, every third part sent twice."""
    if len(data) < 4:
        return
    length, step, text = 1 + data[0] % 20, data[1], data[2:]
    cut = [text[at : at + length] for at in range(0, len(text), length)]
    if not 2 <= len(cut) <= userdata.MOST_PARTS:
        return
    waiting = [(number, octets) for number, octets in enumerate(cut, 1) for _ in range(1 + (number % 3 == 0))]
    pieces: list[Piece] = []
    while waiting:
        number, octets = waiting.pop(step % len(waiting))
        pieces.append(Piece(len(pieces) + 1, number, len(cut), octets, 0))
    [gathered] = gather(pieces[::-1])  # sorted by their ids, whatever order the database gives
    assert gathered.is_whole
    assert gathered.runs() == [text]
    assert sorted(gathered.ids) == [one.id for one in pieces]


def _strangers(data: bytes) -> None:
    """Each pair of octets is a part: its number of at most eight, and what it says."""
    pieces = [
        Piece(at + 1, number % 8 + 1, 8, bytes((said,)), 0)
        for at, (number, said) in enumerate(zip(data[::2], data[1::2], strict=False))
    ]
    found = gather(pieces)
    assert sorted(one for gathered in found for one in gathered.ids) == [one.id for one in pieces]
    for gathered in found:
        numbers = [one.number for one in gathered.pieces]
        assert numbers == sorted(set(numbers))
        runs = gathered.runs()
        assert b"".join(run for run in runs if run is not None) == b"".join(
            one.octets for one in gathered.pieces
        )
        assert (None in runs) is not gathered.is_whole


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
