"""The same server with next to no history and with ten million messages: how much longer anything takes."""

import argparse
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.cookiejar import CookieJar
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from bench import history
from bench.measure import Load, measured
from bench.peers import Peers, running_peers
from bench.targets import Chappe, Server, installation, until_bound

MOST = 1.5
"""How many times as long as without history it may take (issue 3)."""

_ACCOUNTS = 10
_NEXT_TO_NONE = 2000  # messages: the console's list has a full page of them, so that the same is compared
_ASKED = 300  # times in each round


@dataclass(frozen=True, slots=True)
class Site:
    """One server with an account whose console a browser is logged in to."""

    chappe: Chappe
    server: Server
    cookies: str

    def acceptance(self, peers: Peers, seconds: float) -> float:
        """p99 in milliseconds with 64 connections, sends only."""
        return measured(self.server.target("growth"), peers, Load(seconds), hooks=False).p99

    def history(self, chance: random.Random) -> float:
        """p99 of Orange's getHistory, in milliseconds, for messages anywhere in the account's past."""
        account = self.chappe.accounts[0]
        last, first = self._ids(account.name)
        refs = []
        for _ in range(_ASKED):
            near = chance.randrange(first, last + 1)
            where = f"account_id = (select id from accounts where name = '{account.name}') and id <= {near}"
            refs += self.chappe.rows(f"select ref from messages where {where} order by id desc limit 1")
        paths = [f"/sms/getHistory.xml?id={account.orange_id}&callid={ref}" for (ref,) in refs]
        return self._p99(paths, b"<status_code>200</status_code>")

    def console(self, path: str) -> float:
        """p99 of a page of the console, in milliseconds."""
        return self._p99([path] * _ASKED, b"</html>")

    def _ids(self, name: str) -> tuple[int, int]:
        mine = f"account_id = (select id from accounts where name = '{name}')"
        ((last, first),) = self.chappe.rows(f"select max(id), min(id) from messages where {mine}")
        return int(last), int(first)

    def _p99(self, paths: Sequence[str], wanted: bytes) -> float:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        took = []
        for path in paths:
            began = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": self.cookies})
            answer = connection.getresponse()
            body = answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != 200 or wanted not in body:
                raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        connection.close()
        return quantiles(took, n=100)[98] * 1000


@contextmanager
def _site(name: str, peers: Peers, messages: int) -> Iterator[Site]:
    """A running server, with so many messages of history."""
    with ExitStack() as stack:
        chappe = stack.enter_context(installation(name, peers, accounts=_ACCOUNTS))
        with chappe.server() as server:
            cookies = _signed_up(server.port)
        began, file = time.monotonic(), Path(chappe.data) / "chappe.db"
        stack.callback(file.unlink)
        # The console's account comes first: it has half of the messages.
        ids = chappe.rows("select id from accounts order by name like 'bench%', id")
        history.fill(file, messages, [int(one) for (one,) in ids])
        size = file.stat().st_size / 1e6
        print(f"{messages:,} messages in {time.monotonic() - began:.0f} s, {size:,.0f} MB", flush=True)
        server = stack.enter_context(chappe.server())
        until_bound(peers, 1)
        yield Site(chappe, server, cookies)


def _signed_up(port: int) -> str:
    """The cookies of a browser in which somebody has just opened an account."""
    jar, address = CookieJar(), f"http://127.0.0.1:{port}/sign-up"
    browser = build_opener(HTTPCookieProcessor(jar))
    token = re.search(r'name="token"[^>]*value="([^"]+)"', browser.open(address).read().decode())
    assert token is not None
    fields = {"token": token[1], "email": "growth@example.org", "password": "a few words do well"}
    browser.open(address, urlencode(fields).encode()).read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def main() -> None:
    """See the module."""
    words = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    words.add_argument("--messages", type=int, default=10_000_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--seconds", type=float, default=5, help="of sending in each round")
    given = words.parse_args()
    chance = random.Random(1)
    found: dict[str, list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        # Each has its own network: neither gets the other's receipts.
        peers = [stack.enter_context(running_peers()) for _ in range(2)]
        empty = stack.enter_context(_site("growth-empty", peers[0], _NEXT_TO_NONE))
        full = stack.enter_context(_site("growth-full", peers[1], given.messages))
        asked: dict[str, Callable[[Site, Peers], float]] = {
            "acceptance, 64 connections": lambda site, its: site.acceptance(its, given.seconds),
            "Orange's getHistory": lambda site, its: site.history(chance),
            "the console's list": lambda site, its: site.console("/messages"),
        }
        for _ in range(given.rounds):
            for label, ask in asked.items():
                pair = (ask(empty, peers[0]), ask(full, peers[1]))
                found.setdefault(label, []).append(pair)
    print(f"\np99 in ms with {_NEXT_TO_NONE:,} and with {given.messages:,} messages; median (by round)")
    met = True
    for label, pairs in found.items():
        ratio = median(full / empty for empty, full in pairs)
        met = met and ratio <= MOST
        before, after = (median(one[place] for one in pairs) for place in (0, 1))
        rounds = ", ".join(f"{full / empty:.2f}" for empty, full in pairs)
        verdict = "met" if ratio <= MOST else "NOT MET"
        print(f"  {label:28}{before:8.1f}{after:8.1f}   times {ratio:.2f} ({rounds})  <= {MOST}  {verdict}")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
