"""A short run of the fuzzer; a long one is `python -m tests.fuzz.capitole`."""

from pathlib import Path

import pytest

from tests.fuzz.capitole import SEEDS, one_input
from tests.fuzz.running import bounded_run


def test_the_seeds_pass() -> None:
    for seed in SEEDS:
        one_input(seed)


def test_a_bounded_run_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = bounded_run("capitole", SEEDS, 600, tmp_path)
    with capsys.disabled():
        print(f"\natheris: {runs} inputs to Capitole's XML and charsets, no crash")
