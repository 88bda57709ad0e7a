"""Kannel, and Chappe on SQLite and on PostgreSQL, do the same work in turn; prints figures, ratios, goals."""

import argparse
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import tables
from bench.measure import Figures, Load, measured
from bench.peers import Peers, running_peers
from bench.targets import Target, durable_cluster, kannel, serving
from tests.postgres import Cluster

NAMES = ("kannel", "sqlite", "postgres")


@contextmanager
def _target(name: str, peers: Peers, cluster: Cluster | None) -> Iterator[Target]:
    if name == "kannel":
        with kannel(peers) as target:
            yield target
        return
    with serving(name, peers, cluster=cluster if name == "postgres" else None) as (_, target):
        yield target


def run_round(names: list[str], cluster: Cluster | None, load: Load) -> dict[str, Figures]:
    """Each of them once, each with peers of its own."""
    figures = {}
    for name in names:
        with running_peers() as peers, _target(name, peers, cluster) as target:
            figures[name] = measured(target, peers, load)
            for line in target.complaints()[:5]:
                print(f"  {name} complained: {line[:300]}")
        print(f"  {one_line(figures[name])}", flush=True)
    return figures


def one_line(f: Figures) -> str:
    """The figures that tell most."""
    lost = f"   {f.missing} WEBHOOKS MISSING" if f.missing else ""
    return (
        f"{f.name:10}{f.whole:8,.0f}/s complete{f.accepted:9,.0f}/s accepted   p99 {f.p99:6.1f} ms"
        f"   CPU {f.cpu_all:4.0f} us   foreign {f.foreign:4.0%}{lost}"
    )


def judge(rounds: list[dict[str, Figures]]) -> bool:
    """Print all figures, and the goals with the ratios formed inside each round; whether all are met."""
    calm = [one for one in rounds if all(f.foreign <= tables.MOST_FOREIGN for f in one.values())]
    if len(calm) < len(rounds):
        print(f"\n{len(rounds) - len(calm)} of {len(rounds)} rounds were disturbed: other programs had more")
        print(f"than {tables.MOST_FOREIGN:.0%} of the machine. ", end="")
        print("They are dropped." if calm else "No round was calm: these figures are worth little.")
    kept = calm or rounds
    for name in kept[0]:
        tables.print_figures([one[name] for one in kept])
    if "kannel" not in kept[0]:
        return True
    met = True
    for name, goals in (("sqlite", tables.GOALS_SQLITE), ("postgres", tables.GOALS_POSTGRES)):
        if name not in kept[0]:
            continue
        print(f"\nGoals, {name}: median (by round)")
        for goal in goals:
            line = goal.line([goal.ratio(one[name], one["kannel"]) for one in kept])
            print(line)
            met = met and "NOT MET" not in line
    return met


def main() -> None:
    """See the module."""
    words = argparse.ArgumentParser(prog="make bench-sms", description=__doc__)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--seconds", type=float, default=6, help="of load in each run")
    words.add_argument("--connections", type=int, default=64)
    words.add_argument("--only", help="some of " + ",".join(NAMES))
    given = words.parse_args()
    names = given.only.split(",") if given.only else list(NAMES)
    load = Load(given.seconds, given.connections)
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(f"{given.rounds} rounds of {given.seconds:g} s with {given.connections} connections")
    rounds = []
    with ExitStack() as stack:
        cluster = stack.enter_context(durable_cluster()) if "postgres" in names else None
        for number in range(given.rounds):
            print(f"\nRound {number + 1}")
            # In turn the other way round, so that nobody always comes after the same one.
            rounds.append(run_round(names if number % 2 == 0 else names[::-1], cluster, load))
    in_order = [{name: one[name] for name in names} for one in rounds]
    sys.exit(0 if judge(in_order) else 1)


if __name__ == "__main__":
    main()
