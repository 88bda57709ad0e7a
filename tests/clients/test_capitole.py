"""A PHP program sends through the Capitole dialect as the provider's sample does, slips included."""

import re

import pytest

from tests.clients.running import PHP, Account, run

MOBILE = "33612345678"
TEXT = "Votre café à 5 €, l'œuf dur"


@pytest.mark.parametrize("file", ["latin9", "utf8", "plain"])
def test_a_text_survives_whatever_a_program_did_to_it(file: str, account: Account) -> None:
    url = f"{account.server.url}/api/sendsms/xml"
    login = account.capitole
    printed = run([*PHP, "php/capitole.php", url, login["username"], login["password"], MOBILE, TEXT, file])
    assert (printed.code, printed.complaints) == (0, "")
    assert re.fullmatch(r"SENDING_OK;\d+", printed.out)
    [message] = account.messages()
    assert (message["text"], message["from"], message["reference"]) == (TEXT, "36111", "123456")
    account.wait_for(TEXT, MOBILE)


def test_a_wrong_password_is_told(account: Account) -> None:
    url = f"{account.server.url}/api/sendsms/xml"
    username = account.capitole["username"]
    printed = run([*PHP, "php/capitole.php", url, username, "guess", MOBILE, TEXT, "plain"])
    assert printed.out == "AUTH_FAILED"
    assert account.messages() == []
