"""The sample program of CapitoleMobile's manual, its malformed XML included.

As it stands it sends a voice message, with nothing but host and credentials changed; with `SMS_OF_VMS` it
sends its text as an SMS.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.running import PHP, Account, eventually, run

MOBILES = ("33622334455", "33611223344")
TEXT = "Mon message vocal"
ACCENTED = "Votre café à 5 €, l'œuf dur"
ANSWERED = r"{};\d+1"
"""The answer twice: curl_exec prints it by itself and returns true, which `echo` shows as 1."""

Program = Callable[[str], Path]

# PHP 8.2 complains of utf8_encode, and still does what it did.
RUN = (*PHP, "-d", "error_reporting=8191")


def arrived(account: Account, text: str) -> None:
    """The text went to both telephones, under the `id` that the sample opens as a second `sender`."""
    messages = account.messages()
    assert tuple(message["to"] for message in messages) == MOBILES
    for message in messages:
        assert (message["text"], message["reference"]) == (text, "123456")
        account.wait_for(text, message["to"])
        eventually(lambda ref=message["id"]: account.message(ref)["state"] == "delivered")


def test_the_sample_for_voice_is_told_what_is_missing(program: Program, account: Account) -> None:
    printed = run([*RUN, program("vms.php")])
    assert (printed.code, printed.complaints) == (0, "")
    assert re.fullmatch(ANSWERED.format("NOT_BUILT_YET"), printed.out)
    assert account.messages() == []


def test_the_sample_sends_its_text_as_an_sms(program: Program, account: Account) -> None:
    path = program("vms_as_sms.php")
    assert "<sender>123456</id>" in path.read_text()
    printed = run([*RUN, path])
    assert (printed.code, printed.complaints) == (0, "")
    assert re.fullmatch(ANSWERED.format("SENDING_OK"), printed.out)
    arrived(account, TEXT)


# utf8_encode takes any bytes for Latin-1: an editor of today makes it encode twice, one of that time makes it
# turn the euro sign into U+00A4 (ISO-8859-15) or U+0080 (Windows-1252).
@pytest.mark.parametrize("file", ["utf-8", "iso8859-15", "cp1252"])
def test_an_accented_text_arrives_whatever_charset_the_sample_is_kept_in(
    file: str, program: Program, account: Account
) -> None:
    path = program("vms_as_sms.php")
    path.write_bytes(path.read_text().replace(TEXT, ACCENTED.replace("'", r"\'")).encode(file))
    printed = run([*RUN, path])
    assert re.fullmatch(ANSWERED.format("SENDING_OK"), printed.out)
    arrived(account, ACCENTED)


def test_a_wrong_password_is_told_without_a_balance(program: Program, account: Account) -> None:
    path = program("vms_as_sms.php")
    path.write_text(path.read_text().replace(account.capitole["password"], "nonsense"))
    assert run([*RUN, path]).out == "AUTH_FAILED1"
    assert account.messages() == []


def test_an_advertisement_goes_out_unchanged_once_the_account_has_said_why_it_may(
    program: Program, account: Account
) -> None:
    path = program("vms_as_sms.php")
    path.write_text(path.read_text().replace("<type>DD</type>", "<route>M</route>"))
    told = run([*RUN, path]).out
    assert re.fullmatch(r"NO_CONSENT;\d+;.*`chappe account consent NAME SOURCE`1", told)
    assert account.messages() == []
    why = {"numbers": list(MOBILES), "basis": "customer", "source": "invoices of 2025"}
    account.ask("POST", "/v1/consents", why)
    assert re.fullmatch(ANSWERED.format("SENDING_OK"), run([*RUN, path]).out)
    # At night they wait for the morning, so nobody looks at the telephones.
    assert [(one["to"], one["purpose"], one["text"]) for one in account.messages()] == [
        (mobile, "marketing", f"{TEXT} STOP au 36111") for mobile in MOBILES
    ]
