"""What processes have used, read from /proc: whole trees, single threads, and the machine around them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def tree(root: int) -> list[int]:
    """A process and everything it has started; what has ended meanwhile is left out."""
    found = [root]
    for thread in _listed(_PROC / str(root) / "task"):
        for child in _text(thread / "children").split():
            found += tree(int(child))
    return found


def cpu_seconds(root: int) -> float:
    """CPU time of a process tree, with that of its children that have ended and were waited for."""
    return sum(sum(_stat(_PROC / str(pid))[11:15]) for pid in tree(root)) / _TICKS


def memory_megabytes(root: int) -> float:
    """Memory of a process tree, where pages that several share count in parts (proportional set size)."""
    kilobytes = 0
    for pid in tree(root):
        for line in _text(_PROC / str(pid) / "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def resident_megabytes(pid: int) -> float:
    """Memory that one process has at this moment, shared pages included."""
    for line in _text(_PROC / str(pid) / "status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


@dataclass(frozen=True, slots=True)
class ThreadTime:
    """CPU seconds of one thread, in the program itself and in the kernel for it."""

    id: int
    user: float
    system: float


def threads(pid: int) -> list[ThreadTime]:
    """The threads of one process; the main thread has the process's id."""
    times = []
    for folder in _listed(_PROC / str(pid) / "task"):
        fields = _stat(folder)
        times.append(ThreadTime(int(folder.name), fields[11] / _TICKS, fields[12] / _TICKS))
    return times


@dataclass(frozen=True, slots=True)
class MachineTime:
    """CPU seconds of the whole machine since it started: used by anybody (with what the host took from us),
    and there at all."""

    used: float
    there: float


def machine() -> MachineTime:
    """See MachineTime."""
    user, nice, system, idle, waiting, hard, soft, stolen = map(
        int, _text(_PROC / "stat").splitlines()[0].split()[1:9]
    )
    used = user + nice + system + hard + soft + stolen
    return MachineTime(used / _TICKS, (used + idle + waiting) / _TICKS)


def _stat(folder: Path) -> list[int]:
    """The numbers of a `stat` file from its third field on (the state, a letter, is 0): proc(5)."""
    fields = _text(folder / "stat").rpartition(")")[2].split()
    return [0, *map(int, fields[1:])] if fields else [0] * 20


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _listed(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []
