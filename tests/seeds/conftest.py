"""The providers' sample programs run only where their documents are at hand; pytest's summary says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.conftest import account, customer, server
from tests.clients.running import Account
from tests.seeds.extract import read_sample, repoint, seeds_folder

__all__ = ["account", "customer", "server"]

written: set[str] = set()

collect_ignore_glob = [] if seeds_folder() else ["test_*_samples.py"]


@pytest.fixture
def program(account: Account, tmp_path: Path) -> Callable[[str], Path]:
    """Writes the sample of a name into a folder of its own, pointed at our server; returns its path."""

    def write(name: str) -> Path:
        folder = seeds_folder()
        assert folder, "a test of the samples was collected without them"
        code = read_sample(folder, name)
        written.add(name)
        path = tmp_path / name
        login = (account.orange_id, account.user, account.password, account.capitole)
        path.write_text(repoint(code, account.server.url, *login))
        return path

    return write


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    said = f"run from {len(written)} samples" if seeds_folder() else "folder absent, our own clients only"
    terminalreporter.write_line(f"seed programs: {said}")
