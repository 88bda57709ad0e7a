"""A short run of the fuzzer; a long one is `python -m tests.fuzz.receipts`."""

from pathlib import Path

import pytest

from tests.fuzz.receipts import SEEDS, one_input
from tests.fuzz.running import bounded_run


def test_the_seeds_pass() -> None:
    for seed in SEEDS:
        one_input(seed)


def test_a_bounded_run_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = bounded_run("receipts", SEEDS, 200, tmp_path)
    with capsys.disabled():
        print(f"\natheris: {runs} inputs to receipts in all their forms, no crash")
