"""Kills Chappe under full load, again and again, and accounts for every message that it had accepted."""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.peers import Peers, pause, running_peers
from bench.targets import WINDOW, Chappe, Server, durable_cluster, installation, subscribe, until_bound
from chappe.model.messages import GIVE_BACK_STATES

MOST_TWICE = 2 * WINDOW
"""Messages that the network may get twice whenever a link ends and another follows: those it has not answered
(one window), and those whose answers wait for their commit (one group: a carrier is never handed more than
two windows in all). One link follows a kill; a node that is starved of CPU may lose its carrier as well."""

MOST_SILENCE = 5.0
"""Seconds until another node submits what the killed one no longer does (issue 3)."""

_CREDITS = 100_000_000
_STALLED = 60.0  # seconds without anything new, after which what is missing is lost
_SETTLED = 0.5  # seconds without anything new, after which it is worth looking whether all is there


@dataclass(frozen=True, slots=True)
class Round:
    """What became of the messages of one kill."""

    accepted: int
    backlog: int
    lost: int
    receipts_lost: int
    twice: int
    links: int
    told_twice: int
    wrong: Sequence[str]
    silence: float
    seconds: float

    @property
    def good(self) -> bool:
        """Nothing is lost, nothing is wrong."""
        lost = self.lost or self.receipts_lost or self.wrong
        return not lost and self.twice <= MOST_TWICE * self.links and self.silence <= MOST_SILENCE

    def line(self) -> str:
        """For people."""
        text = (
            f"{self.accepted:7,} accepted  {self.backlog:5,} not submitted at the kill  {self.lost} lost"
            f"  {self.receipts_lost} receipts lost  {self.twice:3} submitted twice"
            f"  {self.told_twice:3} told twice  again after {self.silence:.1f} s  {self.seconds:4.1f} s"
        )
        if self.links > 1:
            text += f"  {self.links} links made"
        return text + "".join(f"\n      WRONG: {one}" for one in self.wrong)


# --- load


class Load:
    """Clients that send message after message over one connection each, until their server is gone."""

    def __init__(self, path: str, first: int) -> None:
        self.accepted: set[int] = set()
        self.next = first
        self._path = path
        self._ended = False

    def end(self) -> None:
        """Nobody asks again."""
        self._ended = True

    async def client(self, port: int) -> None:
        """One connection. Only a complete answer 200 is an accepted message."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while not self._ended:
                number = self.next
                self.next += 1
                before, between, after = self._path.split(",")
                path = f"{before}{number:08}{between}m{number}+Hello{after}"
                writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                if b" 200 " in head[:16] and b"<status_code>200</status_code>" in body:
                    self.accepted.add(number)
            writer.close()
        except (OSError, EOFError):
            return  # the server is gone, and so is what it did not answer


async def _load_and_kill(
    load: Load, servers: Sequence[Server], victim: Server, after: float, peers: Peers
) -> tuple[int, float]:
    """Full load, kill -9 after so many seconds. Returns what was not submitted then, and how long it took
    until another server submitted (0 where there is no other)."""
    clients = [asyncio.create_task(load.client(servers[n % len(servers)].port)) for n in range(64)]
    await asyncio.sleep(after)
    submitted = peers.smsc.figures()["unique"]
    backlog = max(0, len(load.accepted) - submitted)
    victim.kill()
    killed, silence = time.monotonic(), 0.0
    if len(servers) > 1:
        await asyncio.sleep(0.2)  # until the network has read what the dead one had written
        seen = peers.smsc.figures()["submitted"]
        while peers.smsc.figures()["submitted"] == seen and silence < 2 * MOST_SILENCE:
            await asyncio.sleep(0.02)
            silence = time.monotonic() - killed
    load.end()
    await asyncio.gather(*clients)
    return backlog, silence


# --- what became of them


def _drain(peers: Peers, accepted: set[int]) -> tuple[set[int], set[int]]:
    """Wait for all of them; returns which never came to the network, and which nobody was told of."""
    seen, moved, looked = (-1, -1), time.monotonic(), False
    while True:
        now = time.monotonic()
        figures = (peers.smsc.figures()["submitted"], peers.sink.figures()["requests"])
        if figures != seen:
            seen, moved, looked = figures, now, False
        elif now - moved > _SETTLED and (not looked or now - moved > _STALLED):
            lost = accepted - peers.smsc.counts().keys()
            untold = accepted - peers.sink.counts().keys()
            if not (lost or untold) or now - moved > _STALLED:
                return lost, untold
            looked = True
        pause(0.05)


def _wrong(chappe: Chappe) -> list[str]:
    """What does not agree in the books, in words: balance, entries of the ledger, rows of messages."""
    kept = ", ".join(f"'{state.value}'" for state in sorted(GIVE_BACK_STATES))
    signed = "case when credit = 'account:' || a.id then amount else -amount end"
    messages = "from messages where account_id = a.id and direction = 'mt'"
    entries = "from ledger_entries where account_id = a.id"
    rows = chappe.rows(
        f"select a.name, a.balance, (select sum({signed}) {entries}),"
        f" (select coalesce(sum(price), 0) {messages} and state not in ({kept})),"
        f" (select count(*) {messages} and state <> 'delivered'),"
        f" (select coalesce(sum(messages), 0) {entries} and kind = 'messages') - (select count(*) {messages})"
        " from accounts a where a.name like 'bench%'"
    )
    wrong = []
    for name, *numbers in rows:
        balance, ledger, spent, unfinished, unpaid = map(int, numbers)
        if balance != _CREDITS * 1000 - spent:
            wrong.append(f"{name} has {balance}, and its messages leave {_CREDITS * 1000 - spent}")
        if balance != ledger:
            wrong.append(f"{name} has {balance}, and its ledger says {ledger}")
        if unfinished:
            wrong.append(f"{unfinished} messages of {name} are not delivered in the database")
        if unpaid:
            wrong.append(f"the ledger of {name} pays for {unpaid} messages more than there are")
    return wrong


def _settled(look: Callable[[], list[str]]) -> list[str]:
    """What is still wrong after a moment: webhooks are told before the last mark is written."""
    for _ in range(40):
        if not (wrong := look()):
            break
        pause(0.25)
    return wrong


def _round(
    chappe: Chappe, servers: Sequence[Server], peers: Peers, first: int, chance: random.Random
) -> tuple[Round, int]:
    peers.reset()
    started, victim = time.monotonic(), chance.choice(servers)
    load = Load(chappe.paths(), first)
    after = chance.uniform(0.3, 1.5)
    backlog, silence = asyncio.run(_load_and_kill(load, servers, victim, after, peers))
    victim.start()
    lost, untold = _drain(peers, load.accepted)
    wrong = _settled(lambda: _wrong(chappe))
    done = Round(
        accepted=len(load.accepted),
        backlog=backlog,
        lost=len(lost),
        receipts_lost=len(untold),
        twice=peers.smsc.figures()["repeated"],
        links=max(1, peers.smsc.figures()["bound"]),
        told_twice=peers.sink.figures()["repeated"],
        wrong=wrong,
        silence=silence,
        seconds=time.monotonic() - started,
    )
    return done, load.next


def main() -> None:
    """See the module."""
    words = argparse.ArgumentParser(prog="make bench-kill", description=__doc__)
    words.add_argument("--rounds", type=int, default=50)
    words.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    words.add_argument("--nodes", type=int, choices=(1, 2), default=1, help="2 need --database postgres")
    words.add_argument("--receipts-after", type=int, default=300, help="milliseconds")
    words.add_argument("--seed", type=int, default=None, help="of the moments and the choice of node")
    given = words.parse_args()
    if given.nodes > 1 and given.database != "postgres":
        words.error("two nodes share a PostgreSQL database: --database postgres")
    seed = random.randrange(10_000) if given.seed is None else given.seed
    print(f"{given.rounds} times kill -9, {given.database}, {given.nodes} node(s), seed {seed}", flush=True)
    rounds: list[Round] = []
    with ExitStack() as stack:
        cluster = stack.enter_context(durable_cluster()) if given.database == "postgres" else None
        peers = stack.enter_context(running_peers(given.receipts_after))
        name = f"kill-{given.database}-{given.nodes}"
        chappe = stack.enter_context(installation(name, peers, cluster=cluster, credits=_CREDITS))
        servers = [stack.enter_context(chappe.server(f"node{n}")) for n in range(given.nodes)]
        subscribe(chappe, servers[0], peers, ["message.delivered"])
        until_bound(peers, 1)
        chance, first = random.Random(seed), 1
        for number in range(1, given.rounds + 1):
            done, first = _round(chappe, servers, peers, first, chance)
            rounds.append(done)
            print(f"{number:4}  {done.line()}", flush=True)
        for server in servers:
            for line in server.target(name).complaints()[:5]:
                print(f"complained: {line[:300]}")
    print(_summary(rounds))
    sys.exit(0 if all(one.good for one in rounds) else 1)


def _summary(rounds: Sequence[Round]) -> str:
    return (
        f"{len(rounds)} kills, {sum(one.accepted for one in rounds):,} messages accepted:"
        f" {sum(one.lost for one in rounds)} lost,"
        f" {sum(one.receipts_lost for one in rounds)} receipts lost,"
        f" {sum(bool(one.wrong) for one in rounds)} rounds with wrong books,"
        f" at most {max(one.twice / one.links for one in rounds):.0f} submitted twice (allowed {MOST_TWICE}),"
        f" the other node submitting after at most {max(one.silence for one in rounds):.1f} s"
    )


if __name__ == "__main__":
    main()
