"""A platform with networks: a message centre that works, a carrier that finds nobody, and an operator."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sin
from threading import Thread

from playwright.sync_api import StorageState

from chappe.model.metrics import BOUNDS
from chappe.protocols.smpp.bind import Asked
from chappe.protocols.smpp.bodies import Named
from chappe.store.tables import json_text, utc_text
from tests.browser.console import Person
from tests.browser.customer import Site
from tests.clients.running import ENVIRONMENT, Account, Server, eventually
from tests.peers.smsc import Session, a_receipt, an_smsc

ABROAD = "41792223344"
AWAY = "192.0.2.7"
"""An address that may not be called: what goes there is given up at once."""

SETTINGS = """
[outgoing]
allow = ["127.0.0.0/8"]

[carriers.free]
type = "smpp"
host = "127.0.0.1"
port = {centre}
system_id = "chappe"
per_second = 50

[carriers.backup]
type = "smpp"
host = "127.0.0.1"
port = 1
system_id = "chappe"

[[routes]]
carrier = "sandbox"

[[routes]]
prefix = "33"
carrier = ["free", "backup"]

[[routes]]
prefix = "41"
carrier = "backup"

[[tariffs]]
prefix = "41"
price = 1.5
"""


@dataclass(frozen=True, slots=True)
class Centre:
    """A message centre in a thread of its own; it takes all and tells ids in receipts as hexadecimals."""

    port: int
    loop: asyncio.AbstractEventLoop
    sessions: list[Session]

    def bring_receipt(self, name: str) -> None:
        """A receipt under a name that it never gave."""
        self.loop.call_soon_threadsafe(self.sessions[-1].bring, a_receipt(name))


def _take(session: Session, asked: Asked) -> None:
    name = 1000 + int(session.smsc.next_id())
    session.bind.answer(asked, body=Named(str(name)))
    session.bring(a_receipt(f"{name:X}"))


@contextmanager
def running_centre() -> Iterator[Centre]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    centre = an_smsc()
    smsc = asyncio.run_coroutine_threadsafe(centre.__aenter__(), loop).result()
    smsc.answers = [_take]
    yield Centre(smsc.port, loop, smsc.sessions)
    asyncio.run_coroutine_threadsafe(centre.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@dataclass(frozen=True, slots=True)
class Watched:
    """How to be logged in there as an operator."""

    session: StorageState


def make_operator(server: Server, name: str) -> None:
    """What the owner of the machine types."""
    command = [sys.executable, "-m", "chappe", "account", "operator", name, "--data", str(server.data)]
    subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)


def watch_over(person: Person, server: Server, site: Site, centre: Centre) -> Watched:
    """An operator's account with traffic: delivered, waiting, scheduled, parked and given up."""
    _live_an_hour(server)
    person.sign_up("olive@chappe.example")
    account = Account(server, person.shown_key(), "", "", "")
    make_operator(server, "olive@chappe.example")
    account.ask("POST", "/v1/subscriptions", {"url": f"{site.url}/events", "events": ["*"]})
    account.ask(
        "POST", "/v1/subscriptions", {"url": f"http://{AWAY}/events", "events": ["message.delivered"]}
    )

    def send(number: str, text: str, **more: object) -> str:
        body = {"to": [f"+{number}"], "text": text, "from": "20345", "receipt": True, **more}
        return str(account.ask("POST", "/v1/messages", body)["messages"][0]["id"])

    eventually(lambda: account.ask("GET", "/v1/network/carriers")["data"][1]["state"] == "up")
    for number in range(6):
        ref = send(f"3361234560{number}", "Votre colis arrive demain entre 14 h et 16 h.")
        eventually(lambda ref=ref: account.message(ref)["state"] == "delivered")
    for number in range(3):
        send(f"4179222330{number}", "Your train to Geneva leaves 12 minutes late.")
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    send("33612345678", "Rappel : rendez-vous mardi à 9 h 30.", send_at=tomorrow.isoformat())
    centre.bring_receipt("7F3A09")
    eventually(lambda: account.ask("GET", "/v1/deliveries?state=dead")["data"][5:])
    return Watched(person.page.context.storage_state())


def _live_an_hour(server: Server) -> None:
    """An hour of traffic as the server would have written it, so that the charts have something to show."""
    begun = datetime.now(UTC).replace(second=0, microsecond=0)
    rows = []
    for back in range(1, 59):
        accepted = round(900 + 500 * sin(back / 7) + 120 * sin(back * 1.7))
        failed = accepted // 60 if 20 < back < 28 else accepted // 400
        quick, away = [0] * (len(BOUNDS) + 1), [0] * (len(BOUNDS) + 1)
        quick[3 + (20 < back < 28)], quick[7 + back % 3] = accepted - accepted // 50, accepted // 50
        away[8 + (20 < back < 28)], away[12 + back % 2] = accepted - accepted // 40, accepted // 40
        at = utc_text(begun - timedelta(minutes=back))
        sums = (accepted, accepted - failed // 2, accepted - failed, failed, accepted // 20)
        rows.append((back, at, "", *sums, json_text(quick), json_text(away)))
    with sqlite3.connect(server.data / "chappe.db", timeout=30) as database:
        database.executemany("insert into minutes values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()
