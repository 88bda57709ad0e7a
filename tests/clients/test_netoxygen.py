"""Programs in PHP, Perl and Python talk XML-RPC to the NetOxygen dialect and follow a message to its end."""

import json
import sys

import pytest

from tests.clients.running import PHP, Account, run

SWISS = "079 222 33 44"
MOBILE = "41792223344"
TEXT = "Café à 20 € ?"


def test_php_over_a_bare_socket_follows_a_message_and_cancels_another(account: Account) -> None:
    where = [account.server.host, str(account.server.port), account.user, account.password]
    printed = run([*PHP, "php/netoxygen_flow.php", *where, SWISS, TEXT])
    assert (printed.code, printed.complaints) == (0, "")
    said = {step: json.loads(value) for step, value in (line.split(": ", 1) for line in printed.lines)}

    assert said["auth"] is True
    assert said["account"] in ("regular", "free")
    assert said["cleaned"] == MOBILE
    [[_, accepted, ref]] = said["sent"]
    assert accepted is True
    status = said["status"]
    assert (status["sent_status"], status["last_status"]) == (1, 1)
    assert status["last_status_text"] == "Delivered to the recipient device"
    assert (status["to"], status["length"]) == (MOBILE, len(TEXT))
    assert (said["planned status"]["sent_status"], said["planned status"]["last_status"]) == (9, 9)
    [[planned, cancelled]] = said["cancelled"]
    assert cancelled is True
    assert said["cancelled again"] == [[planned, False]]
    assert said["status of cancelled"]["sent_status"] == 10
    assert said["wrong password"] == "fault"
    assert said["auth with wrong password"] is False

    assert {message["id"]: message["state"] for message in account.messages()} == {
        ref: "delivered",
        planned: "cancelled",
    }
    assert said["credits before"] - said["credits after"] == account.message(ref)["price"]
    assert account.texts_on(MOBILE).count(TEXT) == 1
    assert f"{TEXT} (later)" not in account.texts_on(MOBILE)


def test_perl_with_base64_follows_a_message_and_cancels_another(account: Account) -> None:
    where = [account.server.url, account.user, account.password]
    printed = run(["perl", "perl/netoxygen_flow.pl", *where, SWISS, TEXT])
    assert (printed.code, printed.complaints) == (0, "")
    said = dict(line.split(": ", 1) for line in printed.lines)

    assert (said["auth"], said["cleaned"], said["mobile"]) == ("1", MOBILE, SWISS)
    assert said["delivered"] == f"1 1 {len(TEXT)}"
    assert said["planned"] == "9 9"
    assert (said["cancelled"], said["after cancel"]) == ("1", "10")
    assert said["spent"] == said["spent in the end"] == str(account.message(said["id"])["price"])
    assert said["wrong password"] == "fault"
    states = {message["text"]: message["state"] for message in account.messages()}
    assert states == {TEXT: "delivered", f"later: {TEXT}": "cancelled"}
    assert TEXT in account.texts_on(MOBILE)


@pytest.mark.parametrize(
    "written, text",
    [
        ("0792223344", "an <int> whose zero counts"),
        ("41792223344", "an <i8>"),
        ("+41792223344", "an <i8> with a plus sign"),
        ("0792223344", "0042"),
    ],
)
def test_perl_that_lets_the_library_guess_the_types_is_understood(
    written: str, text: str, account: Account
) -> None:
    where = [account.server.url, account.user, account.password]
    printed = run(["perl", "perl/netoxygen_short.pl", *where, written, text])
    assert (printed.code, printed.complaints) == (0, "")
    _, accepted, ref = printed.out.split()
    assert accepted == "1"
    message = account.message(ref)
    assert (message["to"], message["text"]) == (MOBILE, text)
    account.wait_for(text, MOBILE)


def test_perl_reads_the_error_code_of_a_number_that_is_none(account: Account) -> None:
    where = [account.server.url, account.user, account.password]
    printed = run(["perl", "perl/netoxygen_short.pl", *where, "12", "to nobody"])
    assert printed.out.split() == ["12", "0", "5"]
    assert account.messages() == []


def test_php_with_the_classes_of_pear_sends_base64(account: Account) -> None:
    where = [account.server.host, str(account.server.port), account.user, account.password]
    printed = run([*PHP, "php/pear_style.php", *where, MOBILE, TEXT])
    assert (printed.code, printed.complaints) == (0, "")
    [[_, accepted, ref]] = json.loads(printed.out)
    assert accepted is True
    assert account.message(ref)["text"] == TEXT
    account.wait_for(TEXT, MOBILE)


# No capital accents here: the extension writes a byte from 200 to 209 without its zero, É as &#21;.
@pytest.mark.parametrize(
    "charset, declared", [("utf-8", []), ("latin-1", []), ("utf-8", ["utf-8"]), ("latin-1", ["iso-8859-1"])]
)
def test_php_with_its_extension_and_curl_sends_accents(
    charset: str, declared: list[str], account: Account
) -> None:
    text = "Café à Genève"
    where = [account.server.url, account.user, account.password]
    printed = run([*PHP, "php/netoxygen_curl.php", *where, MOBILE, text.encode(charset), *declared])
    assert (printed.code, printed.complaints) == (0, "")
    [[_, accepted, ref]] = json.loads(printed.out)
    assert accepted is True
    assert account.message(ref)["text"] == text


def test_python_sends_to_several_and_reads_each_one_s_status(account: Account) -> None:
    mobiles = ["+41792223344", "0791112233"]
    where = [account.server.url, account.user, account.password]
    printed = run([sys.executable, "python/netoxygen.py", *where, TEXT, *mobiles])
    assert (printed.code, printed.complaints) == (0, "")
    sent, statuses, guid = (json.loads(line) for line in printed.lines)
    assert [item[:2] for item in sent] == [[mobile, True] for mobile in mobiles]
    assert [ref for ref, _ in statuses] == [item[2] for item in sent]
    assert [status["to"] for _, status in statuses] == [MOBILE, "41791112233"]
    assert len(guid) == 36
    for number in (MOBILE, "41791112233"):
        account.wait_for(TEXT, number)
