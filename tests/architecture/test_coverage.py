"""The coverage matrix in the documentation is the one that the tables and the tests give today."""

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_the_coverage_matrix_is_current() -> None:
    command = [sys.executable, "scripts/coverage_matrix.py"]
    printed = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, check=True).stdout.decode()
    assert (TOP / "docs" / "coverage.md").read_text(encoding="utf-8") == printed, "run `make docs`"
