"""Short runs of the fuzzers in processes of their own, as tests: a crash ends one, else it counts inputs."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

RUNS = int(os.environ.get("CHAPPE_FUZZ", "8000"))
"""Inputs of each; more are for a calmer hour."""


def bounded_run(module: str, seeds: Sequence[bytes], most_octets: int, folder: Path, runs: int = RUNS) -> int:
    """Run `python -m tests.fuzz.<module>` from those seeds, kept in `folder`; how many inputs passed.

    AssertionError where one did not, with the end of what the fuzzer wrote.
    """
    for number, seed in enumerate(seeds):
        (folder / str(number)).write_bytes(seed)
    options = [f"-runs={runs}", "-seed=1", f"-max_len={most_octets}", str(folder)]
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.fuzz.{module}", *options],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    done = re.search(r"Done (\d+) runs", ended.stderr)
    assert ended.returncode == 0 and done is not None, ended.stderr[-3000:]
    assert int(done[1]) >= runs
    return int(done[1])
