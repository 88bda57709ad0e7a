"""Kills a server at random moments under load, starts it again, and accounts for each accepted message."""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.peers import Peers, pause, running_peers
from bench.targets import WINDOW, Account, Chappe, Server, durable_cluster, installation, subscribe

_CONNECTIONS = 64
_QUIET = {"sqlite": 3.0, "postgres": 35.0}
"""Seconds without anything new, after which the work counts as done. On PostgreSQL the jobs of a server that
died are free only when its claims have run out, since another server may have them."""
_RECEIPT_DELAY_MS = 300
_START_CREDITS = 100_000_000


@dataclass(slots=True)
class Load:
    """Clients that send one message after the other; `accepted` holds the numbers that were answered."""

    account: Account
    port: int
    next: int
    accepted: set[int]
    stopped: bool = False

    async def run(self) -> None:
        """Until stopped, or until the server is gone."""
        await asyncio.gather(*(self._client() for _ in range(_CONNECTIONS)))

    async def _client(self) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            while not self.stopped:
                number, self.next = self.next, self.next + 1
                query = f"id={self.account.orange_id}&from=38100&to=4479{number:08d}&content=m{number}+Hello"
                writer.write(f"GET /sms/sendSMS.xml?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                if b"<status_code>200<" in await reader.readexactly(length):
                    self.accepted.add(number)
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            return  # killed


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What became of all messages accepted so far."""

    accepted: int
    lost: int
    told_missing: int
    submitted_twice: int
    told_twice: int
    balance_off: int


def one_round(server: Server, load: Load, moment: float) -> float:
    """Load, kill after `moment` seconds, start again; returns how long the start took in seconds."""

    async def under_load() -> None:
        running = asyncio.create_task(load.run())
        await asyncio.sleep(moment)
        server.kill()
        load.stopped = True
        await running

    load.stopped = False
    asyncio.run(under_load())
    began = time.monotonic()
    server.start()
    return time.monotonic() - began


def drained(peers: Peers, quiet: float) -> None:
    """Wait until nothing more happens for so many seconds."""
    last, since = None, time.monotonic()
    while time.monotonic() - since < quiet:
        seen = (peers.smsc.figures(), peers.sink.figures())
        if seen != last:
            last, since = seen, time.monotonic()
        pause(0.2)


def account_for(chappe: Chappe, peers: Peers, accepted: set[int]) -> Reckoning:
    """Compare what clients were answered with what network, customer and database have."""
    submitted, told = peers.smsc.counts(), peers.sink.counts()
    spent = "select coalesce(sum(price), 0) from messages where state not in"
    given_back = "('undelivered', 'expired', 'failed', 'cancelled')"
    [[price]] = chappe.rows(f"{spent} {given_back}")
    [[balance]] = chappe.rows("select balance from accounts")
    return Reckoning(
        accepted=len(accepted),
        lost=len(accepted - submitted.keys()),
        told_missing=len(accepted - told.keys()),
        submitted_twice=sum(times - 1 for times in submitted.values()),
        told_twice=sum(times - 1 for times in told.values()),
        balance_off=_START_CREDITS * 1000 - int(price) - int(balance),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    words = argparse.ArgumentParser(prog="python -m bench.kill", description=__doc__)
    words.add_argument("--rounds", type=int, default=50)
    words.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args(arguments)
    moments = random.Random(given.seed)
    failed = False
    with ExitStack() as stack:
        peers = stack.enter_context(running_peers(_RECEIPT_DELAY_MS))
        cluster = stack.enter_context(durable_cluster()) if given.database == "postgres" else None
        chappe = stack.enter_context(installation(f"kill-{given.database}", peers, cluster=cluster))
        server = stack.enter_context(chappe.server())
        subscribe(chappe, server, peers, ["message.delivered"])
        load = Load(chappe.accounts[0], server.port, 1, set())
        twice = 0
        for number in range(1, given.rounds + 1):
            started = one_round(server, load, moments.uniform(0.3, 1.5))
            drained(peers, _QUIET[given.database])
            found = account_for(chappe, peers, load.accepted)
            here, twice = found.submitted_twice - twice, found.submitted_twice
            bad = found.lost or found.told_missing or found.balance_off or here > WINDOW + _CONNECTIONS
            failed = failed or bool(bad)
            print(
                f"round {number:3}: {found.accepted:7,} accepted, {found.lost} lost,"
                f" {found.told_missing} receipts lost, balance off by {found.balance_off},"
                f" {here} submitted twice in this round, {found.told_twice} told twice so far,"
                f" started in {started:.1f} s{'   FAILED' if bad else ''}",
                flush=True,
            )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
