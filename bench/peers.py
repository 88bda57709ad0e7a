"""The programs on both sides of what is measured, an SMSC and a customer's web server, and their counts."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

HERE = Path(__file__).parent
RUN = HERE.parent / "var" / "bench"
"""Where the bench builds and where measured programs keep their data: on the disk of the project, because a
file system in memory would make every sync free."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running program that answers commands, a line each; see the head of its source for them."""

    process: subprocess.Popen[str]
    port: int

    def figures(self) -> dict[str, int]:
        """Its counts by name."""
        return self.ask("figures")

    def ask(self, command: str) -> dict[str, int]:
        """Say a command that answers one line of name=number."""
        self._say(command)
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", self._line())}

    def counts(self) -> dict[int, int]:
        """How often each message number came."""
        self._say("counts")
        found: dict[int, int] = {}
        while (line := self._line()) != ".":
            number, times = line.split()
            found[int(number)] = int(times)
        return found

    def _say(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} has ended; what it said is above")
        return line.rstrip("\n")


@dataclass(frozen=True, slots=True)
class Peers:
    """Both sides together."""

    smsc: Peer
    sink: Peer

    @property
    def hook(self) -> str:
        """The address that is told of receipts."""
        return f"http://127.0.0.1:{self.sink.port}/d"

    def reset(self) -> None:
        """Count from nothing again."""
        self.smsc.ask("reset")
        self.sink.ask("reset")


@contextmanager
def running_peers(receipt_delay_ms: int = 0) -> Iterator[Peers]:
    """An SMSC whose receipts come that late, and a sink; both on free ports of loopback."""
    with _running("smsc", "0", str(receipt_delay_ms)) as smsc, _running("sink", "0") as sink:
        yield Peers(smsc, sink)


@contextmanager
def _running(name: str, *arguments: str) -> Iterator[Peer]:
    pipe = subprocess.PIPE
    with subprocess.Popen([_built(name), *arguments], stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            yield Peer(process, int(process.stdout.readline()))
        finally:
            process.kill()


def _built(name: str) -> Path:
    source, program = HERE / f"{name}.c", RUN / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        RUN.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", program, source], check=True)
    return program


def pause(seconds: float) -> None:
    """Let the measured programs work."""
    Event().wait(seconds)
