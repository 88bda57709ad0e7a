"""The recipe of docs/connectors.md in a browser: somebody's own customer database, joined to the platform."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients.running import ENVIRONMENT, Account, eventually, fetch, running_server
from tests.postgres import free_port

CRM = Path(__file__).parents[2] / "examples" / "crm" / "crm.py"
ANNE = "33612345678"
STRANGER = "33687654321"
NOTIFY_KEY = "agreed on"


@dataclass(frozen=True, slots=True)
class Shop:
    """The application at `url`, and the account and line that it is joined to."""

    url: str
    account: Account
    line: str


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with running_server(tmp_path, '[outgoing]\nallow = ["127.0.0.0/8"]\n') as server:
        account, port = server.create_account("shop", 50), free_port()
        line, url = account.keyyo["account"], f"http://127.0.0.1:{port}"
        told = f"{url}/calls/notification?key=agreed%20on&caller=_CALLER_&callee=_CALLEE_&type=_N_TYPE_"
        account.ask("PATCH", f"/v1/lines/{line}", {"notification_url": told})
        wanted = {"url": f"{url}/webhook", "events": ["call.ended", "message.received"]}
        secret = account.ask("POST", "/v1/subscriptions", wanted)["secret"]
        with running_crm(account, line, secret, tmp_path / "customers.db", port):
            yield Shop(url, account, line)


@contextmanager
def running_crm(account: Account, line: str, secret: str, file: Path, port: int) -> Iterator[None]:
    """The application, until the end of the block."""
    environment = {
        "CHAPPE_URL": account.server.url,
        "CHAPPE_KEY": account.rest_key,
        "CHAPPE_LINE": line,
        "CHAPPE_SECRET": secret,
        "NOTIFY_KEY": NOTIFY_KEY,
    }
    command = [sys.executable, str(CRM), str(file), str(port)]
    process = subprocess.Popen(command, env=ENVIRONMENT | environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context() as context:
        yield context.new_page()


def open_page(page: Page, url: str) -> None:
    """Open it, and wait until its live wire stands."""
    with page.expect_response(lambda answer: answer.url.endswith("/events")):
        page.goto(url)


def rings(account: Account, number: str) -> Callable[[], str]:
    """The id of the call that a telephone is rung for, once there is one."""

    def look() -> str:
        calls = account.ask("GET", f"/v1/sandbox/handsets/{number}/calls")["data"]
        return next((str(one["id"]) for one in calls if one["state"] == "ringing"), "")

    return look


def test_who_calls_is_shown_and_is_called_by_a_click(shop: Shop, page: Page) -> None:
    account, line = shop.account, shop.line
    open_page(page, f"{shop.url}/customers/{ANNE}")
    page.get_by_label("Name").fill("Anne <Martin>")
    with page.expect_response(lambda answer: answer.url.endswith("/events")):
        page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="Anne <Martin>")).to_be_visible()

    account.ask("POST", f"/v1/sandbox/handsets/{ANNE}/calls", {"to": line})
    popped = page.locator("#call")
    expect(popped).to_have_text("Anne <Martin> is calling")
    here = eventually(rings(account, line))
    account.ask("POST", f"/v1/sandbox/handsets/{line}/calls/{here}/answer", {})
    expect(popped).to_have_text("Anne <Martin> is on the line")
    account.ask("POST", f"/v1/sandbox/handsets/{line}/calls/{here}/hangup", {})
    expect(popped).to_have_text("Anne <Martin>: call over")
    eventually(lambda: "Call, " in fetch(f"{shop.url}/customers/{ANNE}"))

    open_page(page, f"{shop.url}/customers/{ANNE}")
    expect(page.locator("#history tr")).to_have_count(1)
    page.get_by_role("button", name="Call").click()
    here = eventually(rings(account, line))
    account.ask("POST", f"/v1/sandbox/handsets/{line}/calls/{here}/answer", {})
    there = eventually(rings(account, ANNE))
    account.ask("POST", f"/v1/sandbox/handsets/{ANNE}/calls/{there}/answer", {})
    expect(popped).to_have_text("Anne <Martin> is on the line")
    account.ask("POST", f"/v1/sandbox/handsets/{ANNE}/calls/{there}/hangup", {})
    eventually(lambda: fetch(f"{shop.url}/customers/{ANNE}").count("Call, answered") == 2)


def test_a_stranger_has_a_number_and_gets_a_name(shop: Shop, page: Page) -> None:
    open_page(page, shop.url)
    shop.account.ask("POST", f"/v1/sandbox/handsets/{STRANGER}/calls", {"to": shop.line})
    popped = page.locator("#call")
    expect(popped).to_have_text(f"+{STRANGER} is calling")
    popped.get_by_role("link").click()
    page.get_by_label("Name").fill("Karim")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="Karim")).to_be_visible()


def test_the_application_believes_nobody_else(shop: Shop, page: Page) -> None:
    answer = page.request.get(f"{shop.url}/calls/notification?key=guessed&caller=1&callee=2&type=SETUP")
    assert answer.status == 403
    forged = {"webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    assert page.request.post(f"{shop.url}/webhook", headers=forged, data="{}").status == 401
    from_elsewhere = {"sec-fetch-site": "cross-site"}
    assert page.request.post(f"{shop.url}/customers/{ANNE}/call", headers=from_elsewhere).status == 403
