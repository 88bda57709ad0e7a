"""A PostgreSQL cluster on loopback that lives as long as the tests do."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg

NOT_DURABLE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")

_EMPTY = """
do $$
declare
    name text;
begin
    perform pg_terminate_backend(pid, 10000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend';
    -- Deletes what others refer to, too.
    set local session_replication_role = replica;
    for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'
    loop
        execute format('delete from %I', name);
    end loop;
end
$$
"""


def installed_programs() -> Path:
    """The folder of initdb, pg_ctl and psql, of the newest version that is installed."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not folders:
        raise RuntimeError("The tests need PostgreSQL; scripts/system-packages installs it or says how")
    return max(folders, key=lambda folder: int(folder.parent.name))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; everybody on loopback may do everything. `pid` is that of its first process."""

    programs: Path
    port: int
    pid: int
    control: Sequence[str | Path]
    names: Iterator[int] = field(default_factory=count)

    def create(self, template: str = "template0") -> str:
        """Make a database, a copy of `template` (nobody may be connected to that), and return its name."""
        name = f"test_{next(self.names)}"
        self.execute(f'create database "{name}" template "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Remove a database, and whoever is still connected to it."""
        self.execute(f'drop database "{name}" with (force)')

    def empty(self, name: str) -> None:
        """Put everybody out of a database that is migrated, and remove its records: sooner than a copy."""
        asyncio.run(self._empty(name))

    async def _empty(self, name: str) -> None:
        connection = await asyncpg.connect(self.url(name))
        await connection.execute(_EMPTY)
        await connection.close()

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def crash(self) -> None:
        """End the server in the middle of whatever it does, and start it again."""
        _run([*self.control, "--mode=immediate", "restart"])

    def execute(self, statement: str, database: str = "postgres") -> None:
        psql = self.programs / "psql"
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        _run([psql, *options, f"--dbname={self.url(database)}", f"--command={statement}"])


@contextmanager
def running_cluster(durable: bool = False) -> Iterator[Cluster]:
    """Start a cluster of our own in a temporary folder, and stop it and remove the folder at the end.

    With `durable` it syncs as it does by itself, and its folder is on a disk (/var/tmp: FHS 3.0, 5.15).
    """
    programs, port = installed_programs(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="chappe-postgres-", dir="/var/tmp" if durable else None))
    # PostgreSQL refuses to run as root, so root hands over to the user that Debian's package made for it.
    identity: list[str | Path] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        identity = ["runuser", "--user", "postgres", "--"]
    data, log = folder / "data", folder / "log"
    settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
    if not durable:
        settings += NOT_DURABLE
    options = " ".join(f"-c {setting}" for setting in settings)
    control = [*identity, programs / "pg_ctl", "--silent", "--wait", f"--pgdata={data}"]
    try:
        initdb = [*identity, programs / "initdb", "--username=postgres", "--auth=trust", "--no-sync"]
        _run([*initdb, "--encoding=UTF8", "--locale=C.UTF-8", f"--pgdata={data}"])
        control += [f"--log={log}", f"--options={options}"]
        _run([*control, "start"])
        try:
            pid = int((data / "postmaster.pid").read_text().split()[0])
            yield Cluster(programs, port, pid, control)
        finally:
            _run([*control, "--mode=immediate", "stop"])
    finally:
        shutil.rmtree(folder)


def _run(command: Sequence[str | Path]) -> None:
    # Into a file and not a pipe: the server inherits it, and a pipe would stay open while the server runs.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/")
        if done.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {said}")
