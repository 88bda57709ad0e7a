"""Kills Chappe in the middle of calls, again and again, and accounts for calls, notices and credits."""

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from bench.peers import RUN, pause
from bench.targets import Account, Chappe, Server, fresh

_SETTINGS = """\
[calls]
at_once = 1000
at_once_per_line = 1000

[outgoing]
allow = ["127.0.0.0/8"]
"""

_CREDITS = 1_000_000
_CALLS = 20
_LATEST = 30.0
"""Seconds after the restart in which everything has to be closed and told."""

_SLACK = 1.5
"""Seconds: a node says once in a second which calls it works; what it did after that nobody knows."""


@dataclass
class Sink:
    """A customer's server: which events of which calls, and what lines were told under which reference."""

    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)
    port: int = 0

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Sink"]:
        """On a free port of loopback."""
        sink, turn = cls(), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                call = body["data"].get("call", body["data"])
                with turn:
                    sink.events[call["id"], body["type"]] += 1
                self._answer()

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                with turn:
                    sink.lines[query["ref"][0], query["type"][0]] += 1
                self._answer()

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing: there are thousands."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Nothing: whoever is killed leaves its connections in the middle of a notice."""

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sink.port = server.server_address[1]
        try:
            yield sink
        finally:
            server.shutdown()
            server.server_close()


@dataclass(frozen=True, slots=True)
class Round:
    """What became of the calls of one kill."""

    talking: int
    seconds: float
    wrong: Sequence[str]

    def line(self) -> str:
        """For people."""
        text = f"{_CALLS} calls, {self.talking:2} joined at the kill,"
        text += f" all closed {self.seconds:4.1f} s after the restart"
        return text + "".join(f"\n      WRONG: {one}" for one in self.wrong)


def _prepare(account: Account, server: Server, sink: Sink) -> str:
    """Have everything told, and telephones that answer; returns the account's line."""
    hook = f"http://127.0.0.1:{sink.port}"
    account.ask(server.port, "POST", "/v1/subscriptions", {"url": f"{hook}/s", "events": ["*"]})
    line = str(account.ask(server.port, "GET", "/v1/lines")["data"][0]["number"])
    notices = f"{hook}/n?ref=_DREF_&type=_N_TYPE_"
    account.ask(server.port, "PATCH", f"/v1/lines/{line}", {"notification_url": notices})
    return line


def _number(place: int) -> str:
    return f"3363998{2000 + place}"


def _begin(account: Account, server: Server, line: str, chance: random.Random) -> None:
    """Twenty calls, four of five placed over REST, the others dialled by the line's telephone; most are
    answered."""
    for place in range(2 * _CALLS):
        how = {"call": "answer" if chance.random() < 0.8 else "no_answer"}
        how["answer_after_ms"] = chance.randrange(1500)  # type: ignore[assignment]
        account.ask(server.port, "PUT", f"/v1/sandbox/handsets/{_number(place)}/behaviour", how)
    for place in range(_CALLS):
        one, other = _number(2 * place), _number(2 * place + 1)
        if place % 5:
            account.ask(server.port, "POST", "/v1/calls", {"from": one, "to": other})
        else:
            account.ask(server.port, "POST", f"/v1/sandbox/handsets/{line}/calls", {"to": other})


def _time(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def _wrong(chappe: Chappe, sink: Sink, killed: float, first: int) -> list[str]:
    """What does not agree, in words."""
    wrong = []
    for (count,) in chappe.rows("select count(*) from calls where over_at is null"):
        if int(count):
            wrong.append(f"{count} calls are open")
    for ref, call_price, reserved, legs_price in chappe.rows(
        "select c.ref, c.price, c.reserved, (select coalesce(sum(price), 0) from legs where call_id = c.id)"
        f" from calls c where c.id > {first}"
    ):
        if int(call_price) != min(int(legs_price), int(reserved)):
            wrong.append(f"call {ref} costs {call_price}, its legs {legs_price}, reserved {reserved}")
        if not sink.events[ref, "call.ended"]:
            wrong.append(f"nobody was told of the end of call {ref}")
        if not sink.events[ref, "call.started"]:
            wrong.append(f"nobody was told of the begin of call {ref}")
    for ref, name, rate, answered, ended, cause, price in chappe.rows(
        "select c.ref, l.name, l.rate, l.answered_at, l.ended_at, l.cause, l.price"
        f" from legs l join calls c on c.id = l.call_id where c.id > {first}"
    ):
        if ended == "None":
            wrong.append(f"leg {name} of call {ref} is open")
            continue
        seconds = 0 if answered == "None" else max(0, -(-(_time(ended) - _time(answered)) // 1))
        if int(price) != -(-int(rate) * int(seconds) // 60):
            wrong.append(f"leg {name} of call {ref} costs {price} for {seconds} s at {rate} a minute")
        if cause == "interrupted" and not killed - _SLACK <= _time(ended) <= killed + 0.3:
            wrong.append(f"leg {name} of {ref} ended {_time(ended) - killed:+.1f} s after the kill")
    told = {ref for ref, _ in sink.lines}
    for ref in told:
        if not sink.lines[ref, "RELEASE"]:
            wrong.append(
                f"the line was told no RELEASE of {ref}, only {[t for r, t in sink.lines if r == ref]}"
            )
    for balance, reserved, spent, charged in chappe.rows(
        "select a.balance, a.reserved, (select coalesce(sum(price), 0) from calls where account_id = a.id),"
        " (select coalesce(sum(amount), 0) from ledger_entries where account_id = a.id and kind = 'calls'"
        " and debit = 'account:' || a.id) from accounts a where a.name = 'bench0'"
    ):
        if int(reserved):
            wrong.append(f"{reserved} are still reserved")
        if int(balance) != _CREDITS * 1000 - int(spent):
            wrong.append(f"the balance is {balance}, and its calls leave {_CREDITS * 1000 - int(spent)}")
        if int(charged) != int(spent):
            wrong.append(f"the ledger took {charged}, and the calls cost {spent}")
    return wrong


def _round(chappe: Chappe, server: Server, sink: Sink, line: str, chance: random.Random) -> Round:
    account = chappe.accounts[0]
    sink.events.clear()
    sink.lines.clear()
    first = int(chappe.rows("select coalesce(max(id), 0) from calls")[0][0])
    _begin(account, server, line, chance)
    pause(chance.uniform(0.0, 4.0))
    talking = int(
        chappe.rows(f"select count(*) from calls where id > {first} and joined_at is not null")[0][0]
    )
    server.kill()
    killed = time.time()
    server.start()
    started, wrong = time.time(), ["nothing was looked at"]
    while time.time() - started < _LATEST:
        if not (wrong := _wrong(chappe, sink, killed, first)):
            break
        pause(0.2)
    return Round(talking, time.time() - started, wrong)


def main() -> None:
    """See the module."""
    words = argparse.ArgumentParser(prog="make bench-voice-kill", description=__doc__)
    words.add_argument("--rounds", type=int, default=50)
    words.add_argument("--seed", type=int, default=None, help="of the moments")
    given = words.parse_args()
    seed = random.randrange(10_000) if given.seed is None else given.seed
    print(f"{given.rounds} times kill -9 in the middle of {_CALLS} calls, sqlite, seed {seed}", flush=True)
    folder = fresh(RUN / "voice-kill")
    (folder / "chappe.toml").write_text(_SETTINGS)
    chappe = Chappe(folder, str(folder / "data"), None)
    chappe.make_account(_CREDITS)
    rounds, chance = [], random.Random(seed)
    with Sink.running() as sink, chappe.server() as server:
        line = _prepare(chappe.accounts[0], server, sink)
        for number in range(1, given.rounds + 1):
            done = _round(chappe, server, sink, line, chance)
            rounds.append(done)
            print(f"{number:4}  {done.line()}", flush=True)
    bad = sum(bool(one.wrong) for one in rounds)
    calls = f"{len(rounds) * _CALLS:,} calls, {sum(one.talking for one in rounds):,} of them joined"
    slowest = max(one.seconds for one in rounds)
    print(
        f"{len(rounds)} kills, {calls}: {bad} rounds with something wrong,"
        f" closed {slowest:.1f} s after the restart"
    )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
