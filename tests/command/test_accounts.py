"""The account commands, alone and beside a running server, on both databases."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.clients.running import ENVIRONMENT, Server, eventually, running_server


def chappe(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chappe", *words]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def made(*words: str) -> dict[str, object]:
    done = chappe(*words)
    assert (done.returncode, done.stderr) == (0, "")
    shown: dict[str, object] = json.loads(done.stdout)
    return shown


@pytest.fixture
def data(database_address: str) -> str:
    return database_address


def test_an_account_shows_all_its_credentials_once(data: str) -> None:
    shown = made("account", "create", "Café Noir", "--data", data, "--credits", "12.5", "--json")
    assert list(shown) == [
        "account_id",
        "name",
        "credits",
        "rest",
        "orange",
        "netoxygen",
        "capitole",
        "axialys",
        "keyyo",
    ]
    assert (shown["name"], shown["credits"]) == ("Café Noir", 12.5)
    assert {name: sorted(value) for name, value in shown.items() if isinstance(value, dict)} == {
        "rest": ["key"],
        "orange": ["id"],
        "netoxygen": ["pass", "user"],
        "capitole": ["password", "username"],
        "axialys": ["email", "pass"],
        "keyyo": ["account", "password"],
    }
    credited = made("account", "credit", "Café Noir", "0.5", "--data", data, "--json")
    assert credited == {"account_id": shown["account_id"], "name": "Café Noir", "credits": 13}
    by_id = made("account", "credit", str(shown["account_id"]), "-3", "--data", data, "--json")
    assert by_id["credits"] == 10


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["account", "credit", "nobody", "1"], "there is no account 'nobody'"),
        (["account", "create", "x", "--credits", "lots"], "'lots' is not a number of credits"),
        (["account", "create", "x", "--email", "nonsense"], "'nonsense' is not a mail address"),
        (["serve", "--config", "/nonexistent.toml"], "/nonexistent.toml: No such file or directory"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(words: list[str], complaint: str, tmp_path: Path) -> None:
    done = chappe(*words, "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"chappe: {complaint}")
    assert "Traceback" not in done.stderr


def test_more_cannot_be_taken_than_there_is(data: str) -> None:
    made("account", "create", "shop", "--data", data, "--credits", "2", "--json")
    done = chappe("account", "credit", "shop", "-3", "--data", data)
    assert (done.returncode, done.stderr) == (1, "chappe: shop has 2 credits; 3 cannot be taken\n")


def test_commands_take_effect_in_a_running_server_at_once(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        account, data = server.create_account("shop", 1), str(server.data)
        assert account.ask("GET", "/v1/account")["balance"] == 1
        made("account", "credit", "shop", "5", "--data", data, "--json")
        assert account.ask("GET", "/v1/account")["balance"] == 6
        user = made("user", "create", "shop", "till 2", "--data", data, "--json")
        assert user["netoxygen"]["user"] == "till-2"  # type: ignore[index]
        assert chappe("account", "suspend", "shop", "--data", data).returncode == 0
        eventually(lambda: refused(server, account.rest_key))
        assert chappe("account", "suspend", "shop", "--lift", "--data", data).returncode == 0
        eventually(lambda: not refused(server, account.rest_key))


def refused(server: Server, key: str) -> bool:
    request = urllib.request.Request(f"{server.url}/v1/account", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return False
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == 403


def test_a_declaration_lets_an_account_advertise(data: str) -> None:
    made("account", "create", "shop", "--data", data, "--json")
    declare = ("account", "consent", "shop", "--data", data)
    done = chappe(*declare, "terms of 2019", "--customers")
    assert done.stdout == "shop may send advertising to all numbers (customer: terms of 2019).\n"
    assert chappe(*declare, "another").stdout == done.stdout  # the first one lives
    empty = chappe(*declare, " ")
    assert (empty.returncode, empty.stderr[:29]) == (1, "chappe: say in 1 to 1,000 cha")


def test_an_operator_gives_an_account_a_line_once(data: str) -> None:
    shop = made("account", "create", "shop", "--data", data, "--json")
    shown = made("account", "line", "shop", "+33 1 23 45 67 89", "--data", data, "--json")
    assert shown == {
        "account_id": shop["account_id"],
        "number": "33123456789",
        "password": shown["password"],
    }
    again = chappe("account", "line", "shop", "33123456789", "--data", data)
    assert again.returncode == 1 and "33123456789 is somebody's line already" in again.stderr
    wrong = chappe("account", "line", "shop", "12", "--data", data)
    assert wrong.returncode == 1 and "Traceback" not in wrong.stderr
