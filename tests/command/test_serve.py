"""Starting and stopping the server, and the demo that the README begins with."""

import json
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.clients.running import ENVIRONMENT
from tests.postgres import free_port


def started(*words: str) -> tuple["subprocess.Popen[str]", list[str]]:
    """A server that said it was ready, and what it printed before."""
    command = [sys.executable, "-m", "chappe", *words]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("ready "):
            return process, lines
    raise AssertionError(f"never ready: {lines}")


def stopped(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate()
    return process.returncode


def fetch(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.status, answer.read().decode()


def test_the_server_says_when_it_is_ready_and_ends_well(database_address: str) -> None:
    port = free_port()
    process, lines = started("serve", "--data", database_address, "--port", str(port))
    assert lines == [f"ready http://127.0.0.1:{port}"]
    status, body = fetch(f"http://127.0.0.1:{port}/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, body = fetch(f"http://127.0.0.1:{port}/readyz")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert stopped(process) == 0


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    process, lines = started("serve", "--data", str(tmp_path), "--port", "0")
    port = lines[-1].rpartition(":")[2]
    command = [sys.executable, "-m", "chappe", "serve", "--data", str(tmp_path), "--port", port]
    second = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith(f"chappe: cannot listen on 127.0.0.1:{port}")
    assert stopped(process) == 0


def test_the_demo_prints_lines_that_work_and_keeps_its_account(tmp_path: Path) -> None:
    process, first = started("demo", "--data", str(tmp_path), "--port", "0")
    try:
        lines = [line for line in first if line.startswith("curl ")]
        assert len(lines) == 8
        for line in lines:
            done = subprocess.run(["sh", "-c", f"{line} -sS"], capture_output=True, text=True, check=True)
            assert done.stderr == ""
            assert (
                '"state":"queued"' in done.stdout
                or "status_code>200<" in done.stdout
                or "boolean>1<" in done.stdout
                or done.stdout.startswith("SENDING_OK;")
                or done.stdout in ("OK", "1")
            )
    finally:
        assert stopped(process) == 0
    kept = tmp_path / "demo.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    process, second = started("demo", "--data", str(tmp_path), "--port", "0")
    try:
        key = json.loads(kept.read_text())["rest"]["key"]
        assert any(key in line for line in second)
        address = second[-1].removeprefix("ready ")
        request = urllib.request.Request(f"{address}/v1/account", headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer)["balance"] == 195
    finally:
        assert stopped(process) == 0


def test_a_second_server_on_one_file_is_refused(tmp_path: Path) -> None:
    """Two would hand the same message to a network twice."""
    address = str(tmp_path)
    process, _ = started("serve", "--data", address, "--port", "0")
    command = [sys.executable, "-m", "chappe", "serve", "--data", address, "--port", "0"]
    second = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith("chappe: another server works on this database")
    assert stopped(process) == 0
    process, _ = started("serve", "--data", address, "--port", "0")
    process.kill()
    process.communicate()
    process, _ = started("serve", "--data", address, "--port", "0")
    assert stopped(process) == 0


def test_a_database_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for address, complaint in [
        (f"postgresql://me:secret@127.0.0.1:{free_port()}/x", "the database cannot be used: "),
        (str(tmp_path / "file"), "the database cannot be used: "),
    ]:
        command = [sys.executable, "-m", "chappe", "serve", "--data", address, "--port", "0"]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"chappe: {complaint}")
        assert "Traceback" not in done.stderr
        assert "secret" not in done.stderr


def test_the_files_of_the_data_are_the_owners_alone(tmp_path: Path) -> None:
    process, _ = started("serve", "--data", str(tmp_path), "--port", "0")
    try:
        modes = {
            file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir() if file.is_file()
        }
        assert set(modes.values()) == {0o600}, modes
    finally:
        assert stopped(process) == 0
