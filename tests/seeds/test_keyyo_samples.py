"""What Keyyo's page names, asked for with curl and HTTP Digest.

The page has no program and no address for any of it; the addresses are those of the guide it names
(dialects.md 5b). Our own clients for curl and PHP send (tests/clients/test_keyyo.py).
"""

import shutil
from pathlib import Path

import pytest

from tests.clients.running import CALLER, HERE, Account, eventually, php_site, run, told_of_a_call
from tests.seeds.extract import KEYYO, read_document, seeds_folder

MOBILE = "33612345678"
ADDRESSES = {
    "Emission d'appels": "makecall",
    "Envoi de SMS": "sendsms",
    "Gestion de profil": "setprofil",
    "Mise en relation": "makecall",
}
ELSEWHERE = {"Notification d'appels", "Autorisation"}
"""The first comes from us to the customer, the second is how the others are let in."""


def test_each_function_that_the_page_names_has_an_address() -> None:
    folder = seeds_folder()
    assert folder
    lines = read_document(folder, KEYYO).splitlines()
    named = {line for line in lines[lines.index("API serveur") + 1 : lines.index("Autorisation") + 1] if line}
    assert named == ADDRESSES.keys() | ELSEWHERE


@pytest.mark.parametrize("function", ADDRESSES)
def test_a_function_answers_a_line_that_proves_itself(function: str, account: Account) -> None:
    line, verb = account.keyyo["account"], ADDRESSES[function]
    address = f"{account.server.url}/{verb}.html?ACCOUNT={line}&CALLEE={MOBILE}&MSG=Bonjour&PROFIL=Absent"
    ask = ["curl", "--silent", "--write-out", " %{http_code}", address]
    assert run(ask).out.endswith(" 401")
    proven = [*ask, "--digest", "--user", f"{line}:{account.keyyo['password']}"]
    # Another program may have asked within this second.
    eventually(lambda: run(proven).out == "OK 200", tries=100)
    assert [message["from"] for message in account.messages()] == ([line] if verb == "sendsms" else [])
    account.ask("PATCH", f"/v1/lines/{line}", {"profile": "present"})


def test_a_php_page_behind_the_example_url_is_told_of_a_call(account: Account, tmp_path: Path) -> None:
    folder = seeds_folder()
    assert folder
    [example] = [line for line in read_document(folder, KEYYO).splitlines() if "notification.php" in line]
    line, site = account.keyyo["account"], tmp_path / "site"
    shutil.copytree(HERE / "php" / "calls", site)
    with php_site(site) as address:
        url = example.strip().replace("http://www.exemple.tld", address)
        account.ask("PATCH", f"/v1/lines/{line}", {"notification_url": url})
        told = told_of_a_call(account, site)
        account.ask("PATCH", f"/v1/lines/{line}", {"notification_url": ""})
    parties = f"account={line} caller={CALLER} callee={line}"
    assert told == [f"{parties} type={kind}" for kind in ("SETUP", "CONNECT", "RELEASE")]
