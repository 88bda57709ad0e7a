"""Throws bytes at the reader of receipts, and receipts of ours in odd forms, guided by the lines they reach.

python -m tests.fuzz.receipts [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys
from datetime import UTC, datetime, timedelta

import atheris

with atheris.instrument_imports(include=["chappe.protocols.smpp.receipts"]):
    from chappe.protocols.smpp.receipts import Report, State, is_receipt, read_receipt, write_receipt
from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp.fields import decode_tlvs

SEEDS = (
    b"id:12ab sub:001 dlvrd:001 submit date:2603021159 done date:2603021200 stat:DELIVRD err:000 text:Hi",
    b"stat:UNDELIV done date: 20260302120001 id: 0012-AB err:0b text",
    b"id:1 state=REJECTED error:12;text:id:2 stat:DELIVRD",
    b"id:\x0c stat:\x0c err:\xa0 done date:\x0c",  # blanks that are not stripped
    b"ID:9,SUBMIT_DATE:260302115959|DONE-DATE:26/03/02 12:00 STATUS:ENROUTE",
    "id:7 stat:EXPIRED err:001".encode("utf-16-be"),
    bytes.fromhex("001e0003 313200 0427 0001 02 0423 0003 030001".replace(" ", "")),
)
START = datetime(2026, 3, 2, 11, 59, tzinfo=UTC)


def one_input(data: bytes) -> None:
    """One run: the bytes as a receipt's text, as its parameters, and as what a receipt of ours tells of."""
    try:
        tlvs = decode_tlvs(data, 0, len(data))
    except ProtocolError:
        tlvs = ()
    for octets, parameters, data_coding in ((data, (), 0), (data, tlvs, 8), (b"", tlvs, 0)):
        is_receipt(data_coding, parameters)
        _in_order(read_receipt(octets, parameters, data_coding))
    if len(data) >= 4:
        _written(data)


def _in_order(report: Report) -> None:
    assert all(one and one == one.strip() for one in report.ids)
    assert len(set(report.ids)) == len(report.ids)
    assert report.state is None or report.word
    assert "\0" not in "".join((*report.ids, report.word, report.error, report.text))


def _written(data: bytes) -> None:
    """A receipt in our words, then in the forms of other networks: each tells the same."""
    state, error, name = State(data[0] % len(State)), data[1], f"{data[2]:x}{data[3]:03}"
    done = START + timedelta(minutes=data[1] * 300)
    line, tlvs = write_receipt(
        name, state, submitted=START, done=done, error=error, text=data[4:].decode("latin-1")
    )
    _tells(read_receipt(line, tlvs), name, state, f"{error:03}", done)
    _tells(read_receipt(b"", tlvs), name, state, f"{error:03}" if error else "", None)
    text = line.decode("ascii")
    head, _, said = text.partition(" text:")
    fields = head.replace("submit date", "submit_date").replace("done date", "done_date").split(" ")
    turned = fields[data[2] % len(fields) :] + fields[: data[2] % len(fields)]
    forms = (
        line,
        head.upper().encode("ascii"),
        f"{' '.join(turned).replace(':', ': ')} text:{said}".encode("ascii"),
        ";".join(turned).encode("ascii"),
        f"{head}\0".encode("ascii"),
        text.encode("utf-16-be"),  # not every network marks it
    )
    _tells(read_receipt(forms[data[3] % len(forms)]), name, state, f"{error:03}", done)
    _tells(read_receipt(text.encode("utf-16-be"), (), 8), name, state, f"{error:03}", done)


def _tells(report: Report, name: str, state: State, error: str, done: datetime | None) -> None:
    assert [one.lower() for one in report.ids] == [name], report
    assert (report.state, report.error) == (state, error), report
    assert report.done == (done.replace(tzinfo=None) if done else None), report


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
