"""One server for all client programs, and one account on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.running import Account, Server, run, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def customer(server: Server) -> Account:
    return server.create_account("customer", credits=10_000)


@pytest.fixture
def account(customer: Account) -> Account:
    """The customer, whose messages of earlier tests are left out."""
    return customer.from_now()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Java and the C# program, compiled."""
    folder = tmp_path_factory.mktemp("compiled")
    for command in (
        ["javac", "-d", str(folder), "java/OrangeSend.java"],
        ["mcs", f"-out:{folder / 'OrangeSend.exe'}", "csharp/OrangeSend.cs"],
    ):
        done = run(command)
        assert done.code == 0, done
    return folder
