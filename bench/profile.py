"""Where Chappe's time goes: functions by the time spent in themselves, per thread, sampled from outside."""

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.measure import Load, measured
from bench.peers import RUN, running_peers
from bench.sms import one_line
from bench.targets import durable_cluster, serving

_RATE = 200  # samples a second


def main() -> None:
    """See the module."""
    words = argparse.ArgumentParser(prog="make bench-profile", description=__doc__)
    words.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    words.add_argument("--seconds", type=float, default=8, help="of load")
    words.add_argument("--connections", type=int, default=64)
    words.add_argument("--gil", action="store_true", help="only whoever holds the interpreter")
    words.add_argument("--most", type=int, default=40, help="functions for each thread")
    given = words.parse_args()
    with ExitStack() as stack:
        cluster = stack.enter_context(durable_cluster()) if given.database == "postgres" else None
        peers = stack.enter_context(running_peers())
        _, target = stack.enter_context(serving("profile", peers, cluster=cluster))
        samples = RUN / "samples"
        command = ["py-spy", "record", "--pid", str(target.roots["chappe"]), "--threads"]
        command += ["--rate", str(_RATE), "--duration", f"{given.seconds:.0f}"]
        command += ["--format", "raw", "--output", str(samples), *(["--gil"] if given.gil else [])]
        with subprocess.Popen([str(Path(sys.executable).parent / command[0]), *command[1:]]) as profiler:
            figures = measured(target, peers, Load(given.seconds, given.connections))
            profiler.wait()
        print(one_line(figures))
        for line in target.complaints()[:20]:
            print(line)
    _print(samples.read_text().splitlines(), given.most)


def _print(stacks: list[str], most: int) -> None:
    threads: dict[str, Counter[str]] = {}
    below: dict[str, Counter[str]] = {}
    for name, frames, count in _parsed(stacks):
        threads.setdefault(name, Counter())[frames[-1]] += count
        # A function that calls itself counts once.
        below.setdefault(name, Counter()).update(dict.fromkeys(frames, count))
    everything = sum(sum(thread.values()) for thread in threads.values())
    for name, functions in sorted(threads.items(), key=lambda item: -sum(item[1].values())):
        total = sum(functions.values())
        if total < everything / 100:
            continue
        print(f"\n{name}: {total} samples of {everything}")
        for label, order in (("itself", functions), ("with what it calls", below[name])):
            print(f"  by the time spent {label}: itself, with what it calls")
            telling = [one for one, count in order.most_common() if count < total]
            for function in telling[:most]:
                itself, whole = functions[function] / total, below[name][function] / total
                print(f"    {itself:6.1%}  {whole:6.1%}  {function}")


def _parsed(stacks: list[str]) -> Iterator[tuple[str, list[str], int]]:
    """Name of the thread, functions from outside in, and the number of samples."""
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        # The line that a function was at says less than the function.
        names = [re.sub(r":\d+\)$", ")", frame) for frame in frames]
        if names:
            yield re.sub(r"^thread \(\w+\):? ?", "", thread) or thread, names, int(count)


if __name__ == "__main__":
    main()
