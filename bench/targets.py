"""What is measured, running: Kannel, and Chappe on either database, with the load that fits each."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from bench.peers import HERE, RUN, Peers, pause
from tests.clients.running import ENVIRONMENT
from tests.postgres import Cluster, free_port, running_cluster

WINDOW = 200

_COMPLAINTS = ('"level": "error"', "Traceback", "ERROR:")

_SETTINGS = """\
[carriers.sim]
type = "smpp"
host = "127.0.0.1"
port = {smsc_port}
system_id = "u"
password = "p"
window = {window}
binds = {binds}

[[routes]]
prefix = "44"
carrier = "sim"

[outgoing]
allow = ["127.0.0.0/8"]

[limits]
max_recipients = 10000
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A running gateway. `paths` are for send.lua; `roots` the processes whose trees are its cost."""

    name: str
    port: int
    paths: str
    roots: Mapping[str, int]
    logs: Sequence[Path] = ()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def complaints(self) -> list[str]:
        """Lines of its log that tell of an error."""
        lines = [line for log in self.logs for line in log.read_text(errors="replace").splitlines()]
        return [line for line in lines if any(word in line for word in _COMPLAINTS)]


# --- Kannel


@contextmanager
def kannel(peers: Peers) -> Iterator[Target]:
    """Debian's Kannel with an empty file store."""
    folder = fresh(RUN / "kannel")
    port, smsbox_port = free_port(), free_port()
    settings = folder / "kannel.conf"
    template = Template((HERE / "kannel.conf").read_text())
    settings.write_text(
        template.substitute(
            folder=folder,
            admin_port=free_port(),
            smsbox_port=smsbox_port,
            port=port,
            smsc_port=peers.smsc.port,
        )
    )
    with ExitStack() as stack:
        bearerbox = stack.enter_context(_program(["/usr/sbin/bearerbox", settings], folder / "bearerbox.out"))
        _until_listening(smsbox_port)
        smsbox = stack.enter_context(_program(["/usr/sbin/smsbox", settings], folder / "smsbox.out"))
        _until_listening(port)
        until_bound(peers, 1)
        query = f"username=user&password=pass&from=12345&dlr-mask=1&dlr-url={quote(peers.hook, safe='')}"
        yield Target(
            "kannel",
            port,
            f"/cgi-bin/sendsms?{query}&to=4479,&text=,",
            {"bearerbox": bearerbox.pid, "smsbox": smsbox.pid},
        )


# --- Chappe


@dataclass(frozen=True, slots=True)
class Account:
    """An account's credentials, and one server that it speaks to."""

    name: str
    rest_key: str
    orange_id: str
    user: str
    password: str

    def ask(self, port: int, method: str, path: str, body: object = None) -> Any:
        """The JSON of a successful answer of the REST dialect (None for an empty one)."""
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {self.rest_key}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content!r}")
        return json.loads(content) if content else None


@dataclass
class Chappe:
    """The installation: its settings, its database and its accounts; servers come and go."""

    folder: Path
    data: str
    cluster: Cluster | None
    accounts: list[Account] = field(default_factory=list)

    def command(self, *words: str) -> list[str]:
        """A command line of this installation."""
        options = ["--data", self.data, "--config", str(self.folder / "chappe.toml")]
        return [sys.executable, "-m", "chappe", *words, *options]

    def make_account(self, credits: int) -> Account:
        """One more account."""
        name = f"bench{len(self.accounts)}"
        command = self.command("account", "create", name, "--credits", str(credits), "--json")
        done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
        made = json.loads(done.stdout)
        account = Account(
            name,
            made["rest"]["key"],
            made["orange"]["id"],
            made["netoxygen"]["user"],
            made["netoxygen"]["pass"],
        )
        self.accounts.append(account)
        return account

    @contextmanager
    def server(self, name: str = "server", profiler: Sequence[str] = ()) -> Iterator["Server"]:
        """A running server; at the end it is told to stop, unless it has been killed."""
        server = Server(self, self.folder / f"{name}.log", profiler)
        try:
            server.start()
            yield server
        finally:
            server.stop()

    def paths(self) -> str:
        """What send.lua asks for: Orange's sendSMS, by the accounts in turn."""
        keys = [account.orange_id for account in self.accounts]
        return " ".join(f"/sms/sendSMS.xml?id={key}&from=38100&ack=true&to=4479,&content=," for key in keys)

    def rows(self, statement: str) -> list[list[str]]:
        """The answer of a query, every value as text."""
        if self.cluster is None:
            with closing(sqlite3.connect(f"file:{self.data}/chappe.db?mode=ro", uri=True)) as database:
                return [[str(value) for value in row] for row in database.execute(statement)]
        psql = str(self.cluster.programs / "psql")
        command = [psql, "-XAtqF", "\t", "-d", self.data, "-c", statement]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        return [line.split("\t") for line in done.stdout.splitlines()]


class Server:
    """One `chappe serve`, which may be killed and started again."""

    def __init__(self, chappe: Chappe, log: Path, profiler: Sequence[str]) -> None:
        self._chappe = chappe
        self._log = log
        self._profiler = profiler
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        """Of the server, or of the profiler that started it."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it accepts requests; it keeps its port over restarts."""
        command = [*self._profiler, *self._chappe.command("serve", "--port", str(self.port))]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("ready "):
                self.port = int(line.rpartition(":")[2])
                return
        raise RuntimeError(f"chappe serve did not start; see {self._log}")

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and kill -9 for one that does not mind it."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def target(self, name: str) -> Target:
        """It as something to measure."""
        roots = {"chappe": self.pid}
        if self._chappe.cluster is not None:
            roots["postgres"] = self._chappe.cluster.pid
        return Target(name, self.port, self._chappe.paths(), roots, [self._log])


@contextmanager
def installation(
    name: str,
    peers: Peers,
    *,
    cluster: Cluster | None = None,
    accounts: int = 1,
    binds: int = 1,
    credits: int = 100_000_000,
) -> Iterator[Chappe]:
    """Settings, an empty database and accounts."""
    folder = fresh(RUN / name)
    (folder / "chappe.toml").write_text(
        _SETTINGS.format(smsc_port=peers.smsc.port, window=WINDOW, binds=binds)
    )
    database = cluster.create() if cluster else ""
    chappe = Chappe(folder, cluster.url(database) if cluster else str(folder / "data"), cluster)
    for _ in range(accounts):
        chappe.make_account(credits)
    try:
        yield chappe
    finally:
        if cluster:
            cluster.drop(database)


@contextmanager
def serving(
    name: str,
    peers: Peers,
    *,
    cluster: Cluster | None = None,
    accounts: int = 1,
    binds: int = 1,
    events: Sequence[str] = ("message.delivered",),
    profiler: Sequence[str] = (),
) -> Iterator[tuple[Chappe, Target]]:
    """A server on an empty database, bound to the SMSC, whose accounts have the sink told of events."""
    with ExitStack() as stack:
        chappe = stack.enter_context(
            installation(name, peers, cluster=cluster, accounts=accounts, binds=binds)
        )
        server = stack.enter_context(chappe.server(profiler=profiler))
        subscribe(chappe, server, peers, events)
        until_bound(peers, binds)
        yield chappe, server.target(name)


def subscribe(chappe: Chappe, server: Server, peers: Peers, events: Sequence[str]) -> None:
    """Have the sink told of events of all accounts, in the manner of REST."""
    for account in chappe.accounts if events else ():
        wanted = {"url": peers.hook, "events": list(events)}
        account.ask(server.port, "POST", "/v1/subscriptions", wanted)


@contextmanager
def durable_cluster() -> Iterator[Cluster]:
    """PostgreSQL as it comes: synced commits."""
    with running_cluster(durable=True) as cluster:
        yield cluster


# --- programs


@contextmanager
def _program(command: Sequence[str | Path], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=ENVIRONMENT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _until_listening(port: int) -> None:
    for _ in range(200):
        connection = HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.connect()
            return
        except OSError:
            pause(0.05)
        finally:
            connection.close()
    raise RuntimeError(f"nobody listens on port {port}")


def until_bound(peers: Peers, binds: int) -> None:
    """Wait until so many connections receive from the SMSC."""
    for _ in range(200):
        if peers.smsc.figures()["binds"] >= binds:
            return
        pause(0.05)
    raise RuntimeError("nobody bound to the SMSC")
