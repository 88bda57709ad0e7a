"""Other traffic than one message a request: batches, ten accounts, four binds, long texts, from mobiles."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from bench import tables
from bench.measure import Load, measured
from bench.peers import RUN, Peers, pause, running_peers
from bench.targets import Account, Chappe, Target, serving

BATCH = 1000
BATCH_GOAL = 20_000
"""Messages a second that batches must be accepted with (issue 3)."""

_NUMBERS = [f"4479{number:08}" for number in range(BATCH)]
_TEXT = "m1 Hello this is a benchmark message of normal length"
_LONG = "+Hello" + "+a+long+text" * 20  # two segments
_INBOUND = 20_000

_SCALAR = "<param><value><string>{}</string></value></param>"
_CALL = """\
<?xml version="1.0"?>
<methodCall><methodName>send_message</methodName><params>{user}{password}<param><value><array><data>{numbers}\
</data></array></value></param>{text}</params></methodCall>
"""


def main() -> None:
    """See the module."""
    words = argparse.ArgumentParser(prog="make bench-scenes", description=__doc__)
    words.add_argument("--seconds", type=float, default=4, help="of load in each scene")
    words.add_argument("--only", help="some of " + ",".join(SCENES))
    given = words.parse_args()
    load, met = Load(given.seconds), True
    for name in given.only.split(",") if given.only else SCENES:
        print(f"\n== {name}", flush=True)
        with running_peers() as peers:
            met = SCENES[name](load, peers) and met
    sys.exit(0 if met else 1)


def _accounts(load: Load, peers: Peers) -> bool:
    with serving("accounts", peers, accounts=10) as (_, target):
        tables.print_figures([measured(replace(target, name="10 accounts"), peers, load)])
    return True


def _binds(load: Load, peers: Peers) -> bool:
    with serving("binds", peers, binds=4) as (_, target):
        tables.print_figures([measured(replace(target, name="4 binds"), peers, load)])
    return True


def _long(load: Load, peers: Peers) -> bool:
    with serving("long", peers) as (_, target):
        load = replace(load, environment={"REST": _LONG}, segments=2)
        tables.print_figures([measured(replace(target, name="messages of 2 segments"), peers, load)])
    return True


def _netoxygen(load: Load, peers: Peers) -> bool:
    def request(account: Account) -> tuple[str, str, str]:
        numbers = "".join(f"<value><string>+{number}</string></value>" for number in _NUMBERS)
        user, password, text = map(_SCALAR.format, (account.user, account.password, _TEXT))
        return "/api2/", "text/xml", _CALL.format(user=user, password=password, numbers=numbers, text=text)

    return _batches("NetOxygen send_message, 1,000 destinations", request, load, peers)


def _rest(load: Load, peers: Peers) -> bool:
    def request(account: Account) -> tuple[str, str, str]:
        body = {"to": [f"+{number}" for number in _NUMBERS], "text": _TEXT}
        return "/v1/messages", "application/json", json.dumps(body)

    return _batches("REST POST /v1/messages, 1,000 recipients", request, load, peers)


def _batches(name: str, request: Callable[[Account], tuple[str, str, str]], load: Load, peers: Peers) -> bool:
    """Four connections that send the same batch again and again; nobody is told of receipts."""
    with serving("batches", peers, events=()) as (chappe, target):
        account = chappe.accounts[0]
        path, kind, body = request(account)
        file = Path(RUN / "batch")
        file.write_text(body)
        environment = {"BODY": str(file), "TYPE": kind, "KEY": account.rest_key}
        load = replace(load, connections=4, environment=environment, each=BATCH)
        figures = measured(replace(target, name=name, paths=path), peers, load, hooks=False)
    tables.print_figures([figures])
    met = figures.accepted >= BATCH_GOAL and not figures.missing
    print(f"  goal: {BATCH_GOAL:,} accepted messages/s  {'met' if met else 'NOT MET'}")
    return met


def _inbound(load: Load, peers: Peers) -> bool:
    """Messages from mobiles as fast as they are acknowledged, each told to a URL."""
    with serving("inbound", peers, events=["message.received"]) as (chappe, target):
        number = _own_number(chappe, target)
        peers.reset()
        began = time.monotonic()
        peers.smsc.ask(f"inbound {_INBOUND} {number}")
        seen, moved = 0, began
        while (told := peers.sink.figures()["requests"]) < _INBOUND and time.monotonic() - moved < 5:
            if told != seen:
                seen, moved = told, time.monotonic()
            pause(0.02)
        rate = told / (time.monotonic() - began)
        acknowledged = peers.smsc.figures()["inbound_acknowledged"]
        print(f"{_INBOUND:,} messages from mobiles: {acknowledged:,} acknowledged, {told:,} webhooks")
        print(f"  webhook-complete messages/s     {rate:,.0f}")
        return told >= _INBOUND and acknowledged == _INBOUND


def _own_number(chappe: Chappe, target: Target) -> str:
    made = chappe.accounts[0].ask(target.port, "POST", "/v1/numbers", {})
    return str(made["number"])


SCENES: Mapping[str, Callable[[Load, Peers], bool]] = {
    "netoxygen": _netoxygen,
    "rest": _rest,
    "accounts": _accounts,
    "binds": _binds,
    "long": _long,
    "inbound": _inbound,
}


if __name__ == "__main__":
    main()
