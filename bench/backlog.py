"""A carrier that is down: queues a million messages for it and prints what the server's memory came to.

python -m bench.backlog [messages] [postgresql]
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench import processes
from tests.clients.running import ENVIRONMENT
from tests.postgres import free_port, running_cluster

EACH = 1_000
LIMIT = 150  # megabytes: issue 3, "a dead carrier costs disk, not memory"

_SETTINGS = """\
[carriers.dead]
type = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "u"

[[routes]]
carrier = "dead"
"""


def main() -> None:
    """Exit code 1 where it was more than the limit."""
    words = sys.argv[1:]
    wanted = next((int(word) for word in words if word.isdigit()), 1_000_000)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        data = str(folder / "data")
        if "postgresql" in words:
            cluster = stack.enter_context(running_cluster(durable=True))
            data = cluster.url(cluster.create())
        server, port, key = stack.enter_context(_serving(folder, data, wanted))
        highest = _fill(server, port, key, wanted)
        print(f"{wanted:,} messages queued: at most {highest:.0f} MB of memory, {LIMIT} allowed")
    sys.exit(highest > LIMIT)


@contextmanager
def _serving(folder: Path, data: str, credits: int) -> Iterator[tuple[int, int, str]]:
    """A server whose only carrier nobody answers: its process, its port and an account's key."""
    settings, port = folder / "chappe.toml", free_port()
    settings.write_text(_SETTINGS.format(port=free_port()))
    chappe = [sys.executable, "-m", "chappe"]
    where = ["--data", data, "--config", str(settings)]
    create = [*chappe, "account", "create", "shop", "--credits", str(credits), "--json", *where]
    made = subprocess.run(create, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*chappe, "serve", "--port", str(port), *where],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process.pid, port, json.loads(made.stdout)["rest"]["key"]
        finally:
            process.terminate()
            process.wait()


def _fill(server: int, port: int, key: str, wanted: int) -> float:
    """Queue the messages; the highest resident memory on the way, in megabytes."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    highest, began = 0.0, time.monotonic()
    for first in range(0, wanted, EACH):
        numbers = [f"+336{first + n:08}" for n in range(min(EACH, wanted - first))]
        body = json.dumps({"to": numbers, "text": "A message that waits for its carrier"})
        connection.request("POST", "/v1/messages", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status} after {first:,} messages: {content[:300]!r}")
        highest = max(highest, processes.resident_megabytes(server))
        if first % 100_000 == 0:
            print(f"{first:10,} {time.monotonic() - began:6.0f} s {highest:6.0f} MB", flush=True)
    return highest


if __name__ == "__main__":
    main()
