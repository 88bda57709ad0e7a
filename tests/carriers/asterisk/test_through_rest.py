"""A call asked for over REST, between two baresip telephones behind a trunk of a real Asterisk."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from tests.clients.running import Account, eventually, running_server
from tests.peers.asterisk import a_table, asterisk, free_udp_port, written
from tests.peers.farphone import telephone

A, B = "33612345678", "33687654321"


def call(account: Account, ref: str) -> dict[str, Any]:
    story: dict[str, Any] = account.ask("GET", f"/v1/calls/{ref}")
    return story


async def test_two_telephones_speak_through_asterisk(tmp_path: Path) -> None:
    ports = free_udp_port("127.0.0.2"), free_udp_port("127.0.0.3")
    trunks = {
        "a": {"host": "127.0.0.2", "port": ports[0], "prefixes": [A]},
        "b": {"host": "127.0.0.3", "port": ports[1], "prefixes": [B]},
    }
    table = a_table(tmp_path / "asterisk", trunks=trunks)
    async with (
        asterisk(tmp_path / "asterisk", table) as switch,
        telephone(tmp_path / "a", A, "127.0.0.2", port=ports[0], hertz=600) as a,
        telephone(tmp_path / "b", B, "127.0.0.3", port=ports[1], hertz=900) as b,
    ):
        (tmp_path / "chappe").mkdir()
        server = running_server(
            tmp_path / "chappe",
            written({"carriers": {"switch": table}, "routes": [{"kind": "call", "carrier": "switch"}]}),
        )
        running = await asyncio.to_thread(server.__enter__)
        try:
            account = await asyncio.to_thread(running.create_account, "shop", 200)
            ask = partial(asyncio.to_thread, account.ask)
            made = await ask("POST", "/v1/calls", {"from": f"+{A}", "to": f"+{B}"})
            await a.has("CALL_ESTABLISHED")
            await b.has("CALL_ESTABLISHED")
            await a.hears(900)
            await b.hears(600)
            b.say("hangup")
            await a.has("CALL_CLOSED")
            over = await asyncio.to_thread(
                eventually, lambda: (story := call(account, made["id"]))["state"] == "over" and story
            )
            assert (over["outcome"], [leg["cause"] for leg in over["legs"]]) == ("answered", ["normal"] * 2)
            assert await switch.channels() == []
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
