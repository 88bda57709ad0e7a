"""Tries to ring strangers through a callback form, and counts how many calls left and why no more did.

Each round asks a server of its own, whose telephones are all virtual, a thousand times: it fetches the form
as a browser would, and sends it with the number of somebody else.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from tests.clients.running import Account, Server, eventually, running_server

REQUESTS = 1000
_PROOF = re.compile('name="proof" value="([^"]*)"')
_SAID = re.compile(r"data-said>([^<]*)<")
_TRUSTS = 'trusted_proxies = ["127.0.0.1"]\n'


@dataclass(frozen=True, slots=True)
class Attack:
    """One round: what it tries, from which addresses of ours, with which headers and fields of its own, on a
    server with which settings."""

    name: str
    sources: tuple[str, ...]
    headers: Callable[[int], dict[str, str]] = lambda place: {}
    fields: Callable[[int], dict[str, str]] = lambda place: {}
    settings: str = ""


def _anybody(place: int) -> str:
    return f"198.51.{place // 250}.{place % 250 + 1}"


ONE, TEN = ("127.0.0.1",), tuple(f"127.0.0.{place}" for place in range(1, 11))
ATTACKS = (
    Attack("one address", ONE),
    Attack("ten addresses", TEN),
    Attack(
        "one address, X-Forwarded-For and client_ip forged",
        ONE,
        lambda place: {"X-Forwarded-For": _anybody(place), "Forwarded": f"for={_anybody(place)}"},
        lambda place: {"client_ip": _anybody(place), "address": _anybody(place)},
    ),
    Attack(
        "one address behind a proxy that is trusted, X-Forwarded-For forged before it",
        ONE,
        lambda place: {"X-Forwarded-For": f"{_anybody(place)}, 203.0.113.9"},
        settings=_TRUSTS,
    ),
    Attack(
        "a thousand addresses behind a proxy that is trusted",
        ONE,
        lambda place: {"X-Forwarded-For": _anybody(place)},
        settings=_TRUSTS,
    ),
)


@dataclass(frozen=True, slots=True)
class Result:
    """How many telephones were rung, and how often which answer came."""

    left: int
    answers: Counter[str]

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"  {self.left} calls left"
        for answer, count in self.answers.most_common():
            yield f"  {count:5} {answer}"


def attack(server: Server, account: Account, form: str, round: Attack, requests: int = REQUESTS) -> Result:
    """Ask `requests` times for callbacks to as many strangers, by turns from each address."""
    lines = {source: HTTPConnection(server.host, server.port, 30, (source, 0)) for source in round.sources}
    answers: Counter[str] = Counter()
    for place in range(requests):
        line = lines[round.sources[place % len(round.sources)]]
        headers = round.headers(place)
        shown = _ask(line, "GET", f"/popup/{form}?part=1&language=en", headers)
        proof = _PROOF.search(shown)
        if proof is None:
            answers[f"the form was not shown: {_said(shown)}"] += 1
            continue
        fields = {"number": f"+3361234{place:04}", "proof": proof[1], **round.fields(place)}
        answers[_said(_ask(line, "POST", f"/popup/{form}?part=1&language=en", headers, fields))] += 1
    for line in lines.values():
        line.close()
    return Result(_left(account), answers)


def _ask(
    line: HTTPConnection,
    method: str,
    path: str,
    headers: dict[str, str],
    fields: dict[str, str] | None = None,
) -> str:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    line.request(method, path, urlencode(fields or {}), {**kind, **headers})
    return line.getresponse().read().decode()


def _said(page: str) -> str:
    found = _SAID.search(page)
    return unescape(found[1]) if found else page[:60]


def _left(account: Account) -> int:
    """How many callbacks had a telephone rung; those that were asked for are begun first."""
    eventually(lambda: account.ask("GET", "/v1/callbacks?state=waiting")["data"] == [])
    left, cursor = 0, ""
    while True:
        page = account.ask("GET", f"/v1/callbacks?limit=100{cursor}")
        left += sum(1 for one in page["data"] if one["attempt"])
        if not page.get("next_cursor"):
            return left
        cursor = f"&cursor={page['next_cursor']}"


def prepare(server: Server, operator: str = "33639980081") -> tuple[Account, str]:
    """An account with credits enough, and the name of its form, with the limits that every new form has."""
    account = server.create_account("shop", 1_000_000)
    account.ask("PUT", "/v1/ring-groups/sales", {"operators": [{"number": operator, "ring_seconds": 5}]})
    form = account.ask(
        "POST", "/v1/popups", {"name": "Sales", "open_group": "sales", "first_rung": "visitor"}
    )
    return account, str(form["id"])


def main() -> int:
    """Every round, printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="how often each round asks")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    told: dict[str, dict[str, object]] = {}
    for round in ATTACKS:
        with TemporaryDirectory() as folder, running_server(Path(folder), round.settings) as server:
            account, form = prepare(server)
            found = attack(server, account, form, round, options.requests)
        told[round.name] = {"left": found.left, "answers": dict(found.answers)}
        if not options.json:
            print(f"{round.name}: {options.requests} requests", *found.lines(), sep="\n")
    if options.json:
        print(json.dumps(told, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
