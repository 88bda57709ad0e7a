"""The sample programs of Orange's presentation, run with nothing but host and key changed."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.clients.running import PHP, Account, eventually, fetch, php_site, run
from tests.clients.vbscript import escape, load
from tests.seeds.extract import text_sent

MOBILE = "33612345678"
OTHER = "33687654321"
Program = Callable[[str], Path]


def arrived(account: Account, text: str) -> None:
    """The text is the account's only message, and was delivered to the telephone."""
    [message] = account.messages()
    assert (message["to"], message["text"]) == (MOBILE, text)
    account.wait_for(text, MOBILE)
    eventually(lambda: account.message(message["id"])["state"] == "delivered")


@pytest.mark.parametrize(
    "name, command, seen",
    [
        ("sms.php", PHP, r"Status :\S.*"),
        ("SendSMS.java", ["java"], r"Status:\S.*\n"),
        ("sms.py", [sys.executable], r"200\n"),
    ],
)
def test_a_sample_sends_its_text_and_shows_the_status(
    name: str, command: list[str], seen: str, program: Program, account: Account
) -> None:
    path = program(name)
    printed = run([*command, path], environment={"PYTHONWARNINGS": ""})
    assert (printed.code, printed.complaints) == (0, "")
    assert re.fullmatch(seen, printed.out)
    arrived(account, text_sent(path.read_text()))


def test_the_c_sharp_sample_loses_what_follows_its_number_sign(
    program: Program, account: Account, tmp_path: Path
) -> None:
    path = program("sms.cs")
    compiled = run(["mcs", f"-out:{tmp_path / 'sms.exe'}", path])
    assert compiled.code == 0, compiled
    printed = run(["mono", tmp_path / "sms.exe"])
    assert (printed.code, printed.complaints) == (0, "")
    assert "<response>" in printed.out
    assert re.search(r"^Status code :200\nStatus message :\S.*$", printed.out, re.MULTILINE)
    arrived(account, text_sent(path.read_text()).partition("#")[0])


def built_address(code: str) -> str:
    """What the VBScript sample puts together: its `stUrl = ...`, worked out with the values it passes on."""
    values = dict(re.findall(r'^(?:Const )?(\w+) = "([^"]*)"$', code, re.MULTILINE))
    sub = re.search(r"^Sub (\w+) \((.*)\)$", code, re.MULTILINE)
    assert sub
    call = re.search(rf"^{sub[1]} (.*)$", code, re.MULTILINE)
    assert call
    inside = dict(zip(sub[2].split(", "), (values[name] for name in call[1].split(",")), strict=True))
    expression = re.search(r"stUrl = ((?:.*& _\n)*.*)\n", code)
    assert expression
    terms = re.findall(r'"([^"]*)"|Escape \((\w+)\)|\b(\w{2,})', expression[1])
    return "".join(
        text or (escape(inside[escaped]) if escaped else inside[name]) for text, escaped, name in terms
    )


def test_the_request_of_the_vbscript_sample_sends_its_text(program: Program, account: Account) -> None:
    code = program("sms.vbs").read_text()
    response = ElementTree.fromstring(load(built_address(code)))  # noqa: S314  from our own server
    assert response.findtext("status/status_code") == "200"
    arrived(account, text_sent(code))


def votes(site: str) -> list[int]:
    return [int(count) for count in re.findall(r": (\d+) votes", fetch(f"{site}/results.php"))]


def test_the_mini_poll_asks_its_list_and_counts(program: Program, account: Account, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    (folder / "data").mkdir(parents=True)
    for name in ("receive.php", "results.php"):
        shutil.copy(program(name), folder)
    question = "Which colour? A) blue B) red C) green"
    template = re.search(r'urlencode\("(.*)"', (folder / "receive.php").read_text())
    assert template
    asked = template[1].replace("$mobile_number", MOBILE).replace("$sms_content", question)
    with php_site(folder) as site:
        claim = {"short_code": "20345", "word": "POLL", "url": f"{site}/receive.php", "dialect": "orange"}
        keyword = account.ask("POST", "/v1/keywords", claim)

        account.send_from(MOBILE, "20345", f"POLL {question}")
        for member in (MOBILE, OTHER):
            account.wait_for(asked, member)
        # The sample opens every poll with these figures in the file.
        assert votes(site) == [1, 2, 3, 4, 5]

        # And it never counts an A: strpos finds it at 0, which is no different from FALSE to `!=`.
        for member, vote in ((MOBILE, "POLL A"), (OTHER, "POLL b"), (MOBILE, "POLL C"), (OTHER, "POLL B")):
            account.send_from(member, "20345", vote)
        eventually(lambda: sum(votes(site)) == 18)
        assert votes(site) == [1, 4, 4, 4, 5]
        account.ask("DELETE", f"/v1/keywords/{keyword['id']}")


def test_the_conference_sample_rings_all_whom_it_names(program: Program, account: Account) -> None:
    printed = run([*PHP, program("conference.php")])
    assert (printed.code, printed.out, printed.complaints) == (0, "200-OK" * 3, "")
    (conference,) = account.ask("GET", "/v1/conferences")["data"]
    assert (conference["access"], conference["state"]) == ("none", "open")
    story = account.ask("GET", f"/v1/conferences/{conference['id']}")
    numbers = [f"3363998000{n}" for n in (1, 2, 3)]
    assert [(one["number"], one["state"]) for one in story["participants"]] == [
        (n, "called") for n in numbers
    ]
