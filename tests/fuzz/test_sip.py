"""RFC 4475's messages, and a short run of the fuzzer; a long one is `python -m tests.fuzz.sip`."""

from pathlib import Path

import pytest

from chappe.protocols.errors import ProtocolError
from chappe.protocols.sip import messages
from tests.fuzz.running import bounded_run
from tests.fuzz.sip import SEEDS, one_input
from tests.fuzz.torture import FIT, UNFIT


@pytest.mark.parametrize("name", FIT)
def test_odd_messages_are_read(name: str) -> None:
    messages.read(FIT[name])


@pytest.mark.parametrize("name", UNFIT)
def test_malformed_messages_are_refused(name: str) -> None:
    with pytest.raises(ProtocolError):
        messages.read(UNFIT[name])


def test_the_seeds_pass() -> None:
    for seed in SEEDS:
        one_input(seed)


def test_a_bounded_run_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = bounded_run("sip", SEEDS, 3000, tmp_path, runs=2000)
    with capsys.disabled():
        print(f"\natheris: {runs} inputs to SIP, SDP and RTP, no crash")
