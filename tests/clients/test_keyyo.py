"""curl, PHP with curl, Perl and Python send through the Keyyo dialect with HTTP Digest."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.clients.running import (
    CALLER,
    HERE,
    PHP,
    Account,
    Printed,
    eventually,
    php_site,
    run,
    running_server,
    told_of_a_call,
)

MOBILE = "33612345678"
TEXT = "Bonjour à 5 € & plus"
PROGRAMS = {
    "curl": (["sh", "shell/keyyo.sh"], "OK"),
    "php": ([*PHP, "php/keyyo.php"], "sent"),
    "perl": (["perl", "perl/keyyo.pl"], "OK"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_with_digest_sends_and_reads_its_wrong_password(program: str, account: Account) -> None:
    command, sent = PROGRAMS[program]

    def play(password: str, text: str) -> Printed:
        line = account.keyyo["account"]
        return run([*command, account.server.url, line, password, "0612345678", text])

    # Another program may have sent within this second.
    eventually(lambda: play(account.keyyo["password"], TEXT).out == sent, tries=100)
    [message] = account.messages()
    assert (message["to"], message["from"], message["text"]) == (MOBILE, account.keyyo["account"], TEXT)
    account.wait_for(TEXT, MOBILE)
    refused = play("guess", "never sent")
    assert "unknown, blocked or wrong" in refused.out
    assert [one["text"] for one in account.messages()] == [TEXT]


def test_urllib_sends(account: Account) -> None:
    # It guesses a wrong password five times over, half of what a login may fail in a minute: not asked here.
    command = [sys.executable, "python/keyyo.py", account.server.url, account.keyyo["account"]]
    command += [account.keyyo["password"], "0612345678", TEXT]
    eventually(lambda: run(command).out == "OK", tries=100)
    assert [one["text"] for one in account.messages()] == [TEXT]


def test_a_php_page_is_told_of_a_line_s_calls(account: Account, tmp_path: Path) -> None:
    line, site = account.keyyo["account"], tmp_path / "site"
    shutil.copytree(HERE / "php" / "calls", site)
    with php_site(site) as address:
        url = f"{address}/notification.php?account=_ACCOUNT_&caller=_CALLER_&callee=_CALLEE_&type=_N_TYPE_"
        account.ask("PATCH", f"/v1/lines/{line}", {"notification_url": url})
        told = told_of_a_call(account, site)
        account.ask("PATCH", f"/v1/lines/{line}", {"notification_url": ""})
    parties = f"account={line} caller={CALLER} callee={line}"
    assert told == [f"{parties} type={kind}" for kind in ("SETUP", "CONNECT", "RELEASE")]


def test_a_program_behind_a_trusted_proxy_is_known_by_its_address(tmp_path: Path) -> None:
    with running_server(tmp_path, 'trusted_proxies = ["127.0.0.1"]\n') as server:
        account = server.create_account("shop", credits=10)
        line = account.keyyo["account"]
        account.ask("PATCH", f"/v1/lines/{line}", {"allowed_sources": "203.0.113.9"})
        address = f"{server.url}/sendsms.html?ACCOUNT={line}&CALLEE=0612345678&MSG=Bonjour"
        for chain, status in (
            ("203.0.113.9, 192.0.2.1", "401"),
            ("192.0.2.1, 203.0.113.9", "OK200"),
            ("", "401"),
        ):
            header = ["--header", f"X-Forwarded-For: {chain}"] if chain else []
            said = run(["curl", "--silent", "--write-out", "%{http_code}", *header, address]).out
            assert said.endswith(status), (chain, said)
