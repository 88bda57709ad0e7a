"""A poll by SMS, end to end: telephones, platform, a customer's two PHP pages, and back."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.running import HERE, Account, eventually, fetch, php_site

MEMBERS = ("33612345678", "33687654321", "33655555555")
QUESTION = "Where shall we eat? A) at the lake B) in town C) at home"


@pytest.fixture
def site(account: Account, tmp_path: Path) -> Iterator[str]:
    """The customer's pages, with the keyword POLL pointing at them."""
    folder = tmp_path / "site"
    shutil.copytree(HERE / "php" / "poll", folder)
    settings = {"POLL_API": account.server.url, "POLL_KEY": account.orange_id, "POLL_LIST": ",".join(MEMBERS)}
    with php_site(folder, settings) as address:
        claim = {"short_code": "20345", "word": "POLL", "url": f"{address}/receive.php", "dialect": "orange"}
        keyword = account.ask("POST", "/v1/keywords", claim)
        yield address
        account.ask("DELETE", f"/v1/keywords/{keyword['id']}")


def counted(site: str) -> dict[str, int]:
    rows = re.findall(r"<th>(.)</th><td>(\d+)</td>", fetch(f"{site}/results.php"))
    return {letter: int(votes) for letter, votes in rows}


def test_a_question_goes_round_and_the_votes_are_counted(site: str, account: Account) -> None:
    account.send_from(MEMBERS[0], "20345", f"POLL {QUESTION}")
    for member in MEMBERS:
        account.wait_for(f"{MEMBERS[0]} asks: {QUESTION}", member)
    told = ", ".join(f"{member} 200" for member in MEMBERS)
    eventually(lambda: told in fetch(f"{site}/results.php"))
    assert counted(site) == {"A": 0, "B": 0, "C": 0}

    for member, vote in zip(MEMBERS, ("POLL B", "poll b", "Poll A"), strict=True):
        account.send_from(member, "20345", vote)
    account.send_from(MEMBERS[0], "20345", "POLL E")
    account.send_from(MEMBERS[0], "20345", "OTHER A")
    eventually(lambda: sum(counted(site).values()) == 3)
    assert counted(site) == {"A": 1, "B": 2, "C": 0}
    assert QUESTION in fetch(f"{site}/results.php")
