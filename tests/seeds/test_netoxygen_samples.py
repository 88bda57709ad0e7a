"""The sample programs of NetOxygen's manual, run with nothing but host, user and password changed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.running import HERE, PHP, Account, eventually, run
from tests.seeds.extract import text_sent

NATIONAL = "0792223344"
MOBILE = "41792223344"
Program = Callable[[str], Path]


def arrived(account: Account, text: str) -> None:
    """The text is the account's only message, and was delivered to the telephone."""
    [message] = account.messages()
    assert (message["to"], message["text"]) == (MOBILE, text)
    account.wait_for(text, MOBILE)
    eventually(lambda: account.message(message["id"])["state"] == "delivered")


def test_the_php_sample_sends_its_text_over_a_stand_in_for_pear(program: Program, account: Account) -> None:
    path = program("pear.php")
    shown = [
        "-d",
        f"include_path={HERE / 'php'}",
        "-d",
        f"auto_append_file={HERE / 'php' / 'show_answer.php'}",
    ]
    printed = run([*PHP, *shown, path])
    assert (printed.code, printed.complaints) == (0, "")
    arrived(account, text_sent(path.read_text()))
    [message] = account.messages()
    assert json.loads(printed.out) == [[NATIONAL, True, message["id"]]]


@pytest.mark.parametrize("to", [NATIONAL, MOBILE, f"+{MOBILE}"])
def test_the_short_perl_sample_sends_what_it_is_given(to: str, program: Program, account: Account) -> None:
    printed = run(["perl", program("short.pl"), to, "Bonjour de Nyon"])
    assert printed == type(printed)(0, "", "")
    arrived(account, "Bonjour de Nyon")


# It takes its arguments for Latin-1, as terminals of that time gave them; those of today it encodes twice.
@pytest.mark.parametrize(
    "text, terminal", [("10042", "ascii"), ("Été à Genève", "latin-1"), ("Été, 20 €", "utf-8")]
)
def test_the_full_perl_sample_sends_and_then_dies_of_its_own_last_lines(
    text: str, terminal: str, program: Program, account: Account
) -> None:
    printed = run(["perl", program("full.pl"), NATIONAL, text.encode(terminal)])
    assert printed.code != 0
    assert printed.out == ""
    # It takes a slice of one for the list inside, so it finds no status and prints a reference.
    assert re.fullmatch(
        r"Error: unable to send message to ARRAY\(0x[0-9a-f]+\)\. \(Error code: \)\n", printed.complaints
    )
    arrived(account, text)


def test_the_full_perl_sample_tells_a_wrong_password_as_a_fault(program: Program, account: Account) -> None:
    path = program("full.pl")
    path.write_text(path.read_text().replace(account.password, "nonsense"))
    printed = run(["perl", path, NATIONAL, "Bonjour"])
    assert re.match(r"Fatal error: .* \(code: \d+,\s", printed.complaints)
    assert account.messages() == []
