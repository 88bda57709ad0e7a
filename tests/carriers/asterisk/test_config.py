"""The settings of an Asterisk carrier, and the files that `chappe asterisk-config` writes from them."""

import sys
from pathlib import Path
from typing import Any

import pytest

from chappe.carriers.asterisk.settings import read_settings
from tests.clients.running import run
from tests.peers.asterisk import written

URL = "http://127.0.0.1:8088/ari"
TABLE = {"type": "asterisk", "url": URL, "password": "ari-secret"}
TRUNK = {"host": "sip.example.net", "username": "us", "password": "trunk-secret", "register": True}


def command(folder: Path, table: dict[str, Any], *words: str) -> Any:
    (folder / "chappe.toml").write_text(written({"carriers": {"switch": table}}))
    here = ["asterisk-config", str(folder / "conf"), "--config", str(folder / "chappe.toml"), *words]
    return run([sys.executable, "-m", "chappe", *here], folder)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "127.0.0.1:8088"}, "no address like http://127.0.0.1:8088/ari"),
        ({"password": ""}, "password"),
        ({"sip": "127.0.0.1"}, "no address with a port"),
        ({"rtp": [20_000, 10_000]}, "write the lower port first"),
        ({"trunks": {"free": {"host": "sip.example.net", "register": True}}}, "needs a username"),
        ({"trunks": {"free": {"host": "a b"}}}, "trunks"),
        ({"switches": "one"}, "write a table for each"),
        ({"per_second": 0}, "per_second"),
        ({"sipp": "x"}, "sipp"),
    ],
)
def test_what_is_wrong_is_said(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_settings(TABLE | wrong)
    assert said in str(refused.value)


def test_switches_share_what_stands_beside_them() -> None:
    own = {"one": {"sip": "192.0.2.1:5060"}, "two": {"url": "http://192.0.2.2:8088/ari"}}
    switches = read_settings(TABLE | {"per_second": 20, "switches": own}).switches
    assert [(one.url, one.sip, one.per_second) for one in switches.values()] == [
        (URL, "192.0.2.1:5060", 20),
        ("http://192.0.2.2:8088/ari", "0.0.0.0:5060", 20),
    ]


def test_the_longest_prefix_takes_a_number() -> None:
    trunks = {"all": {"host": "a.example"}, "mobile": {"host": "b.example", "prefixes": ["336", "337"]}}
    settings = read_settings(TABLE | {"trunks": trunks})
    assert [settings.trunk_for(number) for number in ("33612345678", "33112345678")] == ["mobile", "all"]
    assert read_settings(TABLE).trunk_for("33612345678") == ""


def test_the_files_are_written_for_their_owner_and_never_over_others(tmp_path: Path) -> None:
    table = TABLE | {"trunks": {"free": TRUNK}}
    done = command(tmp_path, table)
    assert (done.code, done.complaints) == (0, "")
    files = {path.name: path for path in (tmp_path / "conf").iterdir()}
    assert {"http.conf", "ari.conf", "pjsip.conf", "extensions.conf", "rtp.conf", "modules.conf"} <= set(
        files
    )
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o640}
    assert "password = trunk-secret" in files["pjsip.conf"].read_text()
    assert "bindaddr = 127.0.0.1" in files["http.conf"].read_text()

    again = command(tmp_path, table)
    assert again.code == 1
    assert "is there already; --replace writes over it" in again.complaints
    assert command(tmp_path, table | {"sip": "192.0.2.1:5062"}, "--replace").code == 0
    assert "bind = 192.0.2.1:5062" in files["pjsip.conf"].read_text()


def test_the_switch_has_to_be_named_where_there_are_several(tmp_path: Path) -> None:
    table = TABLE | {"switches": {"one": {}, "two": {"sip": "192.0.2.1:5060"}}}
    assert "say which with --switch: one, two" in command(tmp_path, table).complaints
    assert "there is no Asterisk 'three'" in command(tmp_path, table, "--switch", "three").complaints
    assert command(tmp_path, table, "--switch", "two").code == 0
