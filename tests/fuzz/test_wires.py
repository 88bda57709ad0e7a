"""Short runs of the fuzzers of four wires; long ones are `python -m tests.fuzz.orange` and the like."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.fuzz import axialys, keyyo, netoxygen, orange
from tests.fuzz.running import bounded_run


@pytest.mark.parametrize("wire", [axialys, keyyo, netoxygen, orange])
def test_the_seeds_pass(wire: ModuleType) -> None:
    for seed in wire.SEEDS:
        wire.one_input(seed)


@pytest.mark.parametrize("wire", [axialys, keyyo, netoxygen, orange])
def test_a_bounded_run_finds_nothing(
    wire: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = wire.__name__.rpartition(".")[2]
    runs = bounded_run(name, wire.SEEDS, 600, tmp_path)
    with capsys.disabled():
        print(f"\natheris: {runs} inputs to the wire of {name}, no crash")
