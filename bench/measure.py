"""One measured run: load from wrk, then the wait until the last webhook, and every figure of it."""

import re
import resource
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench import processes
from bench.peers import HERE, Peers, pause
from bench.processes import MachineTime
from bench.targets import Target

_STALLED = 5.0  # seconds without anything new, after which the rest counts as lost


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run came to. Milliseconds and messages a second; CPU in microseconds for each message, by
    process tree; memory in megabytes; shares from 0 to 1.

    `whole` is messages a second from the first request to the last webhook, 0 where webhooks are missing.
    `submitted` is the share of accepted messages that the network had when the load ended.
    `foreign` is the share of the machine that went to programs that have no part in this.
    """

    name: str
    messages: int
    refused: int
    broken: int
    accepted: float
    p50: float
    p99: float
    whole: float
    submitted: float
    missing: int
    repeated: int
    cpu: Mapping[str, float]
    harness: float
    memory: float
    foreign: float
    stages: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu_all(self) -> float:
        """CPU of all of its process trees."""
        return sum(self.cpu.values())


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk is told; see send.lua for the environment's names. `each` is messages in one request."""

    seconds: float = 6
    connections: int = 64
    environment: Mapping[str, str] = field(default_factory=dict)
    each: int = 1
    segments: int = 1


def measured(target: Target, peers: Peers, load: Load, *, hooks: bool = True) -> Figures:
    """Run the load and wait until every accepted message is with the network, and told of with `hooks`."""
    peers.reset()
    before, machine = _used(target, peers), processes.machine()
    threads = _threads(target)
    started = time.monotonic()
    said, submitted, memory = _wrk(target, peers, load)
    messages = (said["requests"] - said["refused"]) * load.each
    done, memory = _drained(target, peers, messages, load, hooks, memory)
    after, now = _used(target, peers), processes.machine()
    spent = {name: after[name] - before[name] for name in after}
    figures, told = peers.smsc.figures(), peers.sink.figures()
    missing = messages - told["requests"] if hooks else messages * load.segments - figures["submitted"]
    each = 1e6 / max(messages, 1)
    return Figures(
        name=target.name,
        messages=messages,
        refused=said["refused"],
        broken=said["broken"],
        accepted=messages / (said["microseconds"] / 1e6),
        p50=said["p50"] / 1e3,
        p99=said["p99"] / 1e3,
        whole=messages / (done - started) if missing <= 0 else 0,
        submitted=min(1, submitted / load.segments / max(messages, 1)),
        missing=max(0, missing),
        repeated=figures["repeated"] if load.each == 1 else 0,
        cpu={name: spent[name] * each for name in target.roots},
        harness=sum(spent[name] for name in ("smsc", "sink", "wrk")) * each,
        memory=memory,
        foreign=_foreign(machine, now, sum(spent.values())),
        stages={name: value * each for name, value in _since(threads, _threads(target)).items()},
    )


def _wrk(target: Target, peers: Peers, load: Load) -> tuple[dict[str, int], int, float]:
    """What wrk said, the messages at the network when it ended, and the most memory seen."""
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds:.0f}s", "--timeout", "30s"]
    environment = {"PATHS": target.paths, **load.environment}
    process = subprocess.Popen(
        [*command, "-s", str(HERE / "send.lua"), target.url],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    memory = 0.0
    while process.poll() is None:
        pause(0.25)
        memory = max(memory, _memory(target))
    submitted = peers.smsc.figures()["submitted"]
    assert process.stdout is not None
    output = process.stdout.read()
    if "RESULT" not in output:
        raise RuntimeError(f"wrk said: {output}")
    said = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", output.split("RESULT")[1])}
    return said, submitted, memory


def _drained(
    target: Target, peers: Peers, messages: int, load: Load, hooks: bool, memory: float
) -> tuple[float, float]:
    """When the last of so many messages was done, and the most memory seen; gives up when nothing moves."""
    seen, moved = (-1, -1), time.monotonic()
    while True:
        submitted, told = peers.smsc.figures()["submitted"], peers.sink.figures()["requests"]
        now = time.monotonic()
        if submitted >= messages * load.segments and (told >= messages or not hooks):
            return now, memory
        if (submitted, told) != seen:
            seen, moved = (submitted, told), now
        elif now - moved > _STALLED:
            return moved, memory
        memory = max(memory, _memory(target))
        pause(0.02)


def _memory(target: Target) -> float:
    return sum(processes.memory_megabytes(root) for name, root in target.roots.items() if name != "postgres")


def _used(target: Target, peers: Peers) -> dict[str, float]:
    """CPU seconds by name: the target's trees, both peers, wrk, and this driver."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ourselves = resource.getrusage(resource.RUSAGE_SELF)
    trees = {**target.roots, "smsc": peers.smsc.process.pid, "sink": peers.sink.process.pid}
    return {
        **{name: processes.cpu_seconds(root) for name, root in trees.items()},
        "wrk": children.ru_utime + children.ru_stime,
        "driver": ourselves.ru_utime + ourselves.ru_stime,
    }


def _foreign(before: MachineTime, after: MachineTime, ours: float) -> float:
    return max(0.0, (after.used - before.used - ours) / (after.there - before.there))


# --- where the time goes


def _threads(target: Target) -> dict[str, float]:
    """CPU seconds of Chappe's threads: the event loop is the main thread, all others sync the database or
    hash passwords."""
    pid = target.roots.get("chappe")
    if pid is None:
        return {}
    sums = dict.fromkeys(("loop, user", "loop, kernel", "other threads, user", "other threads, kernel"), 0.0)
    for thread in processes.threads(pid):
        name = "loop" if thread.id == pid else "other threads"
        sums[f"{name}, user"] += thread.user
        sums[f"{name}, kernel"] += thread.system
    return sums


def _since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}
