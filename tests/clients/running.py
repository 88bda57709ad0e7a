"""A Chappe server in a process of its own, an account on it, and programs that are pointed at it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from tests.postgres import free_port

T = TypeVar("T")
HERE = Path(__file__).parent
CALLER = "33612345678"
PHP = ("php", "-d", "display_errors=stderr", "-d", "log_errors=0")

# A proxy that the machine is set to use must not come between a program and loopback.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
ENVIRONMENT |= {"LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "error"}


def eventually(look: Callable[[], T], tries: int = 1200) -> T:
    """The first true value of `look`, asked again after short waits."""
    for _ in range(tries):
        if seen := look():
            return seen
        Event().wait(0.05)
    raise AssertionError(f"never came about; last seen: {look()!r}")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and the folder of its data."""

    data: Path
    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def command(self, *words: str) -> str:
        """What a command of Chappe prints."""
        command = [sys.executable, "-m", "chappe", *words, "--data", str(self.data)]
        return subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True, text=True).stdout

    def create_account(self, name: str, credits: int) -> "Account":
        made = json.loads(self.command("account", "create", name, "--credits", str(credits), "--json"))
        return Account(
            server=self,
            rest_key=made["rest"]["key"],
            orange_id=made["orange"]["id"],
            user=made["netoxygen"]["user"],
            password=made["netoxygen"]["pass"],
            capitole=made["capitole"],
            keyyo=made["keyyo"],
            axialys=made["axialys"],
        )


@dataclass(frozen=True, slots=True)
class Account:
    """An account's credentials, and what the platform says about it over REST.

    `earlier` are the ids of messages that `messages` leaves out.
    """

    server: Server
    rest_key: str
    orange_id: str
    user: str
    password: str
    earlier: frozenset[str] = frozenset()
    capitole: Mapping[str, str] = field(default_factory=dict)
    keyyo: Mapping[str, str] = field(default_factory=dict)
    axialys: Mapping[str, str] = field(default_factory=dict)

    def from_now(self) -> "Account":
        """The same account, as if it had no messages yet."""
        return replace(self, earlier=frozenset(message["id"] for message in self.messages()))

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The JSON of a successful answer (None for an empty one)."""
        connection = HTTPConnection(self.server.host, self.server.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.rest_key}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {content!r}"
        return json.loads(content) if content else None

    def messages(self) -> list[dict[str, Any]]:
        """The account's newest messages, the newest first."""
        page: list[dict[str, Any]] = self.ask("GET", "/v1/messages?limit=100")["data"]
        return [message for message in page if message["id"] not in self.earlier]

    def message(self, ref: str) -> dict[str, Any]:
        """One message with its history."""
        story: dict[str, Any] = self.ask("GET", f"/v1/messages/{ref}")
        return story

    def telephone(self, number: str) -> list[dict[str, Any]]:
        """What stands on a sandbox telephone, oldest first."""
        page: list[dict[str, Any]] = self.ask("GET", f"/v1/sandbox/handsets/{number}/messages")["data"]
        return page

    def texts_on(self, number: str) -> list[str]:
        """The texts that the telephone received."""
        return [message["text"] for message in self.telephone(number) if message["incoming"]]

    def wait_for(self, text: str, number: str) -> None:
        """Return when the telephone shows that text."""
        eventually(lambda: text in self.texts_on(number))

    def send_from(self, number: str, to: str, text: str) -> None:
        self.ask("POST", f"/v1/sandbox/handsets/{number}/messages", {"to": to, "text": text})


@contextmanager
def running_server(folder: Path, settings: str = "") -> Iterator[Server]:
    """Serve out of `folder` on a free port, with the text of a settings file if any; at the end SIGTERM must
    end it in peace."""
    server = Server(folder / "data", free_port())
    command = [
        sys.executable,
        "-m",
        "chappe",
        "serve",
        "--data",
        str(server.data),
        "--port",
        str(server.port),
    ]
    if settings:
        (folder / "settings.toml").write_text(settings, encoding="utf-8")
        command += ["--config", str(folder / "settings.toml")]
    with (folder / "output").open("w+") as output:
        # Into a file and not a pipe: nobody reads along, and a full pipe would stop the server.
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=output, stderr=subprocess.STDOUT)

        def ready() -> bool:
            said = (folder / "output").read_text()
            assert process.poll() is None, f"the server ended with {process.returncode}: {said}"
            return f"ready {server.url}" in said.splitlines()

        try:
            eventually(ready)
            yield server
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        assert code == 0, f"the server ended with {code}: {(folder / 'output').read_text()}"


@dataclass(frozen=True, slots=True)
class Printed:
    """What a program printed and how it ended."""

    code: int
    out: str
    complaints: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def run(
    command: Sequence[str | bytes | Path],
    folder: Path = HERE,
    environment: Mapping[str, str] | None = None,
) -> Printed:
    """Run a program to its end and return what it printed; it runs in `folder`."""
    everything = ENVIRONMENT | dict(environment or {})
    done = subprocess.run(
        command, cwd=folder, env=everything, stdin=subprocess.DEVNULL, capture_output=True, timeout=120
    )
    return Printed(
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )


@contextmanager
def php_site(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """A customer's own web server: PHP serving `folder`; yields its address."""
    port = free_port()
    command = [*PHP, "-S", f"127.0.0.1:{port}", "-t", str(folder)]
    with (folder / "php.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=ENVIRONMENT | dict(environment or {}), stdout=log, stderr=log
        )
        try:
            eventually(lambda: "started" in (folder / "php.log").read_text())
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def fetch(url: str) -> str:
    """A page as a person would see its source."""
    address, path = url.removeprefix("http://").split("/", 1)
    connection = HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        page = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, f"{url}: {answer.status} {page}"
    return page


def told_of_a_call(account: Account, site: Path) -> list[str]:
    """What php/calls/notification.php in the folder `site` has kept of a call to the account's line, which
    answers and hangs up."""
    line = account.keyyo["account"]
    answers = {"call": "answer", "hang_up_after_ms": 200}
    account.ask("PUT", f"/v1/sandbox/handsets/{line}/behaviour", answers)
    account.ask("POST", f"/v1/sandbox/handsets/{CALLER}/calls", {"to": line})
    file = site / "told.txt"

    def told() -> list[str]:
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if f"caller={CALLER}" in line]  # calls of other tests may still ring

    eventually(lambda: any("RELEASE" in line for line in told()))
    account.ask("PUT", f"/v1/sandbox/handsets/{line}/behaviour", {})
    return told()
