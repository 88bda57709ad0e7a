"""curl, and PHP with curl, send through the Keyyo dialect with HTTP Digest."""

import pytest

from tests.clients.running import PHP, Account, Printed, eventually, run

MOBILE = "33612345678"
TEXT = "Bonjour à 5 € & plus"
PROGRAMS = {
    "curl": (["sh", "shell/keyyo.sh"], "OK"),
    "php": ([*PHP, "php/keyyo.php"], "sent"),
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
