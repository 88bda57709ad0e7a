"""A disk that is full, and a disk that fails: what was accepted stays, the rest is refused in words."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import msgspec
import pytest

from tests.clients.running import ENVIRONMENT, Account, Server, eventually
from tests.postgres import free_port

CREDITS = 100_000


@dataclass
class Serving:
    """A server that may end, and the account on it."""

    process: "subprocess.Popen[str]"
    account: Account

    def send(self, text: str = "Hello") -> tuple[int, bytes, str | None]:
        """Status, body and Retry-After of the answer to one message."""
        server = self.account.server
        connection = HTTPConnection(server.host, server.port, timeout=30)
        body = msgspec.json.encode({"to": ["+33612345678"], "text": text})
        headers = {"Authorization": f"Bearer {self.account.rest_key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/v1/messages", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("retry-after")
        finally:
            connection.close()

    def take(self, accepted: dict[str, int], text: str) -> int:
        """Send a text, and keep the name and the price of what was accepted."""
        status, body, _ = self.send(text)
        if status == 201:
            for message in msgspec.json.decode(body)["messages"]:
                accepted[message["id"]] = message["segments"]
        return status

    def refs(self) -> set[str]:
        """The names of all messages, over all pages."""
        found: set[str] = set()
        more: str | None = ""
        while more is not None:
            page = self.account.ask("GET", f"/v1/messages?limit=100{more and f'&cursor={more}'}")
            found |= {message["id"] for message in page["data"]}
            more = page["next_cursor"]
        return found

    def spent(self) -> float:
        return CREDITS - float(self.account.ask("GET", "/v1/account")["balance"])

    def ended(self) -> int:
        return self.process.wait(60)


@contextmanager
def serving(folder: Path, account: Account | None = None) -> Iterator[Serving]:
    """A server on the data in this folder; it may have ended by itself in the end."""
    port = free_port()
    command = [sys.executable, "-m", "chappe", "serve", "--data", str(folder), "--port", str(port)]
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=output, stderr=output, text=True)
        try:
            eventually(lambda: f"ready http://127.0.0.1:{port}" in (folder / "output").read_text())
            server = Server(folder, port)
            if account is None:
                account = server.create_account("shop", CREDITS)
            yield Serving(process, Account(server, account.rest_key, "", "", ""))
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


def allow_files_of(process: "subprocess.Popen[str]", size: int) -> None:
    """Let no file of a process grow beyond this size, as on a disk that has no room for more."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


LONG = "x" * 1_500


def test_a_full_disk_loses_nothing_and_charges_nothing(tmp_path: Path) -> None:
    accepted: dict[str, int] = {}
    with serving(tmp_path) as server:
        assert [server.take(accepted, "before") for _ in range(10)] == [201] * 10
        allow_files_of(server.process, (tmp_path / "chappe.db-wal").stat().st_size + 200_000)
        while server.take(accepted, LONG) == 201:
            pass
        status, body, wait = server.send(LONG)
        assert (status, wait) == (503, "1")
        assert msgspec.json.decode(body)["detail"] == (
            "the platform's disk is full; its operator has to make room, then send again"
        )
        assert server.refs() == accepted.keys()  # what is there can still be read

        allow_files_of(server.process, resource.RLIM_INFINITY)
        assert server.take(accepted, "room again") == 201
        eventually(lambda: {one["state"] for one in server.account.messages()} == {"delivered"})
        server.process.send_signal(signal.SIGKILL)
        account = server.account

    with serving(tmp_path, account) as server:
        assert server.refs() == accepted.keys()
        assert server.spent() == sum(accepted.values())


@contextmanager
def failing_syncs(process: "subprocess.Popen[str]") -> Iterator[None]:
    """From now on the system tells a process that its disk does not keep what is synced."""
    command = ["strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"]
    tracer = subprocess.Popen([*command, "-p", str(process.pid)], stderr=subprocess.PIPE, text=True)
    status = Path(f"/proc/{process.pid}/status")
    # What the platform still had to write may have met it already.
    eventually(lambda: tracer.poll() == 0 or f"TracerPid:\t{tracer.pid}" in status.read_text())
    try:
        yield
    finally:
        tracer.communicate()  # it ends with what it traces


def test_a_failed_sync_ends_the_server_and_the_next_one_goes_on(tmp_path: Path) -> None:
    accepted: dict[str, int] = {}
    with serving(tmp_path) as server:
        assert [server.take(accepted, "before") for _ in range(10)] == [201] * 10
        with failing_syncs(server.process):
            with pytest.raises((HTTPException, OSError)):
                server.send("never answered")
            assert server.ended() == os.EX_IOERR
        said = (tmp_path / "output").read_text()
        assert "chappe: what was written cannot be kept on the disk" in said
        account = server.account

    with serving(tmp_path, account) as server:
        assert server.take(accepted, "afterwards") == 201
        # What was never answered is there and paid for, or neither.
        extra = len(server.refs() - accepted.keys())
        assert accepted.keys() <= server.refs()
        assert extra <= 1
        assert server.spent() == sum(accepted.values()) + extra
        # The sandbox keeps the receipts of its telephones in memory.
        eventually(lambda: {one["state"] for one in server.account.messages()} <= {"sent", "delivered"})


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=12m none "$1"
"$0" -m chappe account create shop --credits 100000 --data "$1" --json
exec "$0" -m chappe serve --data "$1" --port "$2"
"""


@contextmanager
def serving_on_a_small_disk(folder: Path) -> Iterator[tuple[Serving, Path]]:
    """A server whose data lie on a file system of 12 MB of its own, which ordinary users may mount for
    themselves; and that file system as it is seen from here."""
    port, disk, output = free_port(), folder / "disk", folder / "output"
    disk.mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-e", "-c", ON_A_SMALL_DISK]
    command += [sys.executable, str(disk), str(port)]
    settings = ENVIRONMENT | {"CHAPPE_LIMITS_FREE_DISK_MB": "1"}
    with output.open("w") as out:
        process = subprocess.Popen(command, env=settings, stdout=out, stderr=out)
        try:

            def ready() -> bool:
                assert process.poll() is None, output.read_text()
                return f"ready http://127.0.0.1:{port}" in output.read_text()

            eventually(ready)
            lines = output.read_text().splitlines()
            made = next(msgspec.json.decode(line) for line in lines if line.startswith("{"))
            account = Account(Server(folder, port), made["rest"]["key"], "", "", "")
            yield Serving(process, account), Path(f"/proc/{process.pid}/root{disk}")  # type: ignore[arg-type]
        finally:
            process.kill()
            process.wait()


def ready(server: Serving) -> tuple[int, list[str]]:
    """Status of /readyz, and what it says is wrong."""
    connection = HTTPConnection(server.account.server.host, server.account.server.port, timeout=30)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, msgspec.json.decode(answer.read()).get("troubles", [])
    finally:
        connection.close()


def test_a_file_system_without_room(tmp_path: Path) -> None:
    full = "the platform's disk is full; its operator has to make room, then send again"
    accepted: dict[str, int] = {}
    with serving_on_a_small_disk(tmp_path) as (server, disk):
        assert [server.take(accepted, "before") for _ in range(10)] == [201] * 10
        assert ready(server) == (200, [])
        eaten = (disk / "eaten").open("wb", buffering=0)
        with pytest.raises(OSError, match="No space left on device"):
            while eaten.write(bytes(65_536)):
                pass
        # Whether the server has looked already or meets the end of the disk itself: the words are the same.
        while server.take(accepted, LONG) == 201:
            pass
        status, body, wait = server.send(LONG)
        assert (status, wait, msgspec.json.decode(body)["detail"]) == (503, "1", full)
        eventually(lambda: ready(server) == (503, [full]))
        assert server.refs() == accepted.keys()

        eaten.truncate(0)
        eaten.close()
        eventually(lambda: ready(server) == (200, []))
        assert server.take(accepted, "room again") == 201
        eventually(lambda: {one["state"] for one in server.account.messages()} == {"delivered"})
        assert server.refs() == accepted.keys()
        assert server.spent() == sum(accepted.values())
