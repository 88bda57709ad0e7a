"""The curl lines do what they say when a shell runs them."""

import json
import subprocess
from collections.abc import Sequence

import pytest

from chappe.web import curl

TEXTS = ["Hello", 'It\'s $HOME, `date` & "more" \\ <b>', "Ça va ?\nOui 😀", "50% off! #1 {x}"]


def run(line: str, **variables: str) -> tuple[list[str], str]:
    """What the command gets, as a shell hands it over: its arguments and its standard input."""
    fake = "curl() { for one in \"$@\"; do printf '%s\\0' \"$one\"; done; printf '\\0'; cat; }\n"
    done = subprocess.run(
        ["/bin/sh", "-c", fake + line],
        env={"PATH": "/usr/bin:/bin", **variables},
        input=b"",
        capture_output=True,
        check=True,
    )
    arguments, _, given = done.stdout.partition(b"\0\0")
    return [one.decode() for one in arguments.split(b"\0")], given.decode()


def sample(text: str, **more: object) -> curl.Sample:
    return curl.Sample("http://127.0.0.1:8080", "33612345678", text, **more)  # type: ignore[arg-type]


def after(arguments: Sequence[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


@pytest.mark.parametrize("text", TEXTS)
def test_rest(text: str) -> None:
    arguments, _ = run(curl.rest(sample(text, sender="20345", flash=True)), CHAPPE_KEY="ck_x")
    assert after(arguments, "-H") == "Authorization: Bearer ck_x"
    assert json.loads(after(arguments, "--json")) == {
        "to": ["+33612345678"],
        "text": text,
        "from": "20345",
        "flash": True,
    }


@pytest.mark.parametrize("text", TEXTS)
def test_orange(text: str) -> None:
    arguments, _ = run(curl.orange(sample(text, sender="20345")), ORANGE_ID="a1234b56789")
    assert arguments[:2] == ["-G", "http://127.0.0.1:8080/sms/sendSMS.xml"]
    assert [arguments[at + 1] for at, one in enumerate(arguments) if one == "-d"] == [
        "id=a1234b56789",
        "from=20345",
        "to=33612345678",
    ]
    assert after(arguments, "--data-urlencode") == f"content={text}"


@pytest.mark.parametrize("text", TEXTS)
def test_netoxygen(text: str) -> None:
    from lxml import etree

    line = curl.netoxygen(sample(text, sender="textobox.ch", flash=True))
    arguments, given = run(line, NETOXYGEN_USER="shop", NETOXYGEN_PASS="x")
    assert arguments[0] == "http://127.0.0.1:8080/api2/"
    call = etree.fromstring(given.encode())
    assert call.findtext("methodName") == "send_message"
    values = [one.text or "" for one in call.iter("string")]
    assert values == ["shop", "x", "33612345678", text, "textobox.ch", "", "flash"]


def test_the_real_keys_stand_in_for_the_variables_where_they_may_be_shown() -> None:
    lines = dict(curl.lines(sample("Hello", keys=(("CHAPPE_KEY", "ck_x"),))))
    assert "Bearer ck_x" in lines["rest"]
    assert "$ORANGE_ID" in lines["orange"]
