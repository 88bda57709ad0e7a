"""A short run of the fuzzer; a long one is `python -m tests.fuzz.capitole`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.capitole import SEEDS, one_input

RUNS = 20_000


def test_the_seeds_pass() -> None:
    for seed in SEEDS:
        one_input(seed)


def test_a_bounded_run_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(seed)
    top = Path(__file__).parents[2]
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.capitole",
            f"-runs={RUNS}",
            "-seed=1",
            "-max_len=600",
            str(corpus),
        ],
        cwd=top,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    done = re.search(r"Done (\d+) runs", ended.stderr)
    assert done is not None and int(done[1]) >= RUNS, ended.stderr[-3000:]
    with capsys.disabled():
        print(f"\natheris: {done[1]} inputs to Capitole's XML and charsets, no crash")
