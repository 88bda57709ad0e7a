"""Programs in many languages send through the Orange dialect, and read its XML with their own means."""

import sys
from pathlib import Path

import pytest

from tests.clients.running import PHP, Account, Printed, eventually, run
from tests.clients.vbscript import escape, load

MOBILE = "33612345678"
TEXT = "Rendez-vous à 15 h, place d'Armes : 20 € & un café ?"

# The words of each program's command line; the names in braces are filled in.
PROGRAMS = {
    "php": [*PHP, "php/orange.php", "{base}", "{key}", "send", "{to}", "{text}"],
    "php-separators-copied-from-a-page": [
        *PHP,
        *["php/orange.php", "{base}", "{key}", "send", "{to}", "{text}", "&amp;"],
    ],
    "java-get": ["java", "-cp", "{compiled}", "OrangeSend", "GET", "{base}", "{key}", "{to}", "{text}"],
    "java-post": ["java", "-cp", "{compiled}", "OrangeSend", "POST", "{base}", "{key}", "{to}", "{text}"],
    "mono": ["mono", "{compiled}/OrangeSend.exe", "escaped", "{base}", "{key}", "{to}", "{text}"],
    "mono-post": ["mono", "{compiled}/OrangeSend.exe", "form", "{base}", "{key}", "{to}", "{text}"],
    "python": [sys.executable, "python/orange_send.py", "{base}", "{key}", "{to}", "{text}"],
    "perl": ["perl", "perl/orange_get.pl", "{base}", "{key}", "{to}", "{text}"],
    "curl-get": ["sh", "shell/orange.sh", "get", "{base}", "{key}", "{to}", "{text}"],
    "curl-post": ["sh", "shell/orange.sh", "post", "{base}", "{key}", "{to}", "{text}"],
}


def play(program: str, account: Account, compiled: Path, key: str | None = None, text: str = TEXT) -> Printed:
    holes = {"base": account.server.url, "key": key or account.orange_id, "to": MOBILE}
    holes |= {"text": text, "compiled": str(compiled)}
    printed = run([word.format(**holes) for word in PROGRAMS[program]])
    assert (printed.code, printed.complaints) == (0, ""), printed
    return printed


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_text_sent_by_a_program_stands_on_the_telephone(
    program: str, account: Account, compiled: Path
) -> None:
    code, _, call_id = play(program, account, compiled).lines
    assert code == "200"
    message = account.message(call_id)
    assert (message["id"], message["to"], message["text"]) == (call_id, MOBILE, TEXT)
    account.wait_for(TEXT, MOBILE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_can_read_that_its_key_is_wrong(program: str, account: Account, compiled: Path) -> None:
    code, why, *_ = play(program, account, compiled, key="00000000000").lines
    assert code == "401"
    assert why
    assert account.messages() == []


def test_latin_1_from_python_arrives_as_it_was_meant(account: Account) -> None:
    text = "Été à Genève"
    command = [sys.executable, "python/orange_send.py", account.server.url, account.orange_id, MOBILE, text]
    assert run([*command, "latin-1"]).lines[0] == "200"
    assert [message["text"] for message in account.messages()] == [text]


def test_what_follows_a_number_sign_never_leaves_a_program_that_does_not_encode(
    account: Account, compiled: Path
) -> None:
    command = ["mono", f"{compiled}/OrangeSend.exe", "raw", account.server.url, account.orange_id, MOBILE]
    assert run([*command, "Ticket #12 is open"]).lines[0] == "200"
    assert [message["text"].rstrip() for message in account.messages()] == ["Ticket"]


@pytest.mark.parametrize(
    "text", ["Été à 20 €", "Prix : 5 €", "Déjà vu", "100 % sûr", "Ωmega и кириллица", "rire 😀"]
)
def test_the_escaped_text_of_a_vbscript_program_is_read(text: str, account: Account) -> None:
    url = f"{account.server.url}/sms/sendSMS.xml?id={account.orange_id}&to={MOBILE}&content={escape(text)}"
    assert b"<status_code>200</status_code>" in load(url)
    assert [message["text"] for message in account.messages()] == [text]


def test_escape_keeps_a_plus_sign_which_then_reads_as_a_blank(account: Account) -> None:
    assert escape("1+1 = 2 é €") == "1+1%20%3D%202%20%E9%20%u20AC"
    url = f"{account.server.url}/sms/sendSMS.xml?id={account.orange_id}&to={MOBILE}&content={escape('1+1')}"
    load(url)
    assert [message["text"] for message in account.messages()] == ["1 1"]


def test_the_history_of_a_call_tells_a_php_program_that_the_text_was_delivered(account: Account) -> None:
    orange = [*PHP, "php/orange.php", account.server.url, account.orange_id]
    _, _, call_id = run([*orange, "send", MOBILE, "Are you there?"]).lines
    eventually(lambda: account.message(call_id)["state"] == "delivered")
    code, *elements = run([*orange, "history", call_id]).lines
    assert code == "200"
    assert any(element.endswith(f"={call_id}") for element in elements)
    assert any("deliver" in element.lower() for element in elements), elements


def test_a_key_that_is_not_a_word_of_ours_is_no_error_to_curl(account: Account) -> None:
    url = f"{account.server.url}/sms/sendSMS.xml?id={account.orange_id}&to={MOBILE}&content=Bonjour"
    printed = run(["curl", "--silent", "--fail", f"{url}&{account.orange_id}&colour=blue"])
    assert "<status_code>200</status_code>" in printed.out


def test_a_php_program_holds_a_conference_and_rings_whom_it_names(account: Account) -> None:
    orange = [*PHP, "php/orange.php", account.server.url, account.orange_id]
    numbers = ("33639980011", "33639980012")
    assert run([*orange, "conference", "room+caller", ",".join(numbers)]).lines == ["200", "200", "200"]
    (conference,) = account.ask("GET", "/v1/conferences")["data"]
    story = account.ask("GET", f"/v1/conferences/{conference['id']}")
    assert [one["number"] for one in story["participants"]] == list(numbers)
