"""A small web application with customers in it, joined to Chappe: whose telephone rings sees who calls, calls
by a click, and finds afterwards what happened and when. Python's own library, nothing else.

How to set it up: docs/connectors.md.

    CHAPPE_URL=http://127.0.0.1:8080 CHAPPE_KEY=ck_... CHAPPE_LINE=33639980000 \\
    CHAPPE_SECRET=whsec_... NOTIFY_KEY=some-random-words python3 crm.py customers.db 8090
"""

import base64
import hashlib
import hmac
import json
import os
import queue
import sqlite3
import sys
import time
import urllib.request
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

CHAPPE, KEY, LINE = os.environ["CHAPPE_URL"], os.environ["CHAPPE_KEY"], os.environ["CHAPPE_LINE"]
SECRET = base64.b64decode(os.environ["CHAPPE_SECRET"].removeprefix("whsec_"))
NOTIFY_KEY = os.environ["NOTIFY_KEY"]
OLDEST = 300
"""Seconds that a webhook may be old: a recorded one must not be played again."""

_SCHEMA = """
create table if not exists customers (number text primary key, name text not null);
create table if not exists history (
  id text primary key, number text not null, at text not null, what text not null
);
"""
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="/style.css"><script src="/pop.js" defer></script>
<aside id="call" aria-live="polite" hidden></aside><main>{main}</main></html>
"""
_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
#call { border: 2px solid; border-radius: .5rem; padding: 1rem; margin-bottom: 1rem }
td { padding: .25rem 1rem .25rem 0 }
"""
_POP = """
const call = document.getElementById("call");
new EventSource("/events").onmessage = event => {
  const told = JSON.parse(event.data);
  call.hidden = false;
  call.dataset.state = told.type;
  const link = document.createElement("a");
  link.href = "/customers/" + encodeURIComponent(told.number);
  link.textContent = told.name || "+" + told.number;
  const rings = told.incoming ? " is calling" : " is being called";
  const words = {SETUP: rings, CONNECT: " is on the line", RELEASE: ": call over"};
  call.replaceChildren(link, words[told.type] || "");
};
"""


class Customers:
    """The customers, their history, and the browsers that are open."""

    def __init__(self, file: str) -> None:
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._turn = Lock()
        self._browsers: set[queue.SimpleQueue[str]] = set()

    def ask(self, statement: str, *values: object) -> list[Any]:
        """The rows that a statement gives."""
        with self._turn:
            return self._database.execute(statement, values).fetchall()

    def name_of(self, number: str) -> str:
        """Empty for a stranger."""
        found = self.ask("select name from customers where number = ?", number)
        return str(found[0][0]) if found else ""

    def keep(self, identity: str, number: str, at: str, what: str) -> None:
        """Once, however often it is told."""
        self.ask("insert or ignore into history values (?, ?, ?, ?)", identity, number, at, what)

    def open_browser(self) -> "queue.SimpleQueue[str]":
        """What is to be told to one page, from now on."""
        told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._browsers.add(told)
        return told

    def close_browser(self, told: "queue.SimpleQueue[str]") -> None:
        """It is gone."""
        self._browsers.discard(told)

    def tell(self, news: dict[str, object]) -> None:
        """All open pages."""
        for told in list(self._browsers):
            told.put(json.dumps(news))


class Answers(BaseHTTPRequestHandler):
    """Requests of browsers, and of Chappe."""

    customers: Customers
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Pages, their live wire, and the notification of a call."""
        address = urlsplit(self.path)
        match address.path.strip("/").split("/"):
            case [""]:
                self._page("Customers", self._list())
            case ["customers", number]:
                self._page(self.customers.name_of(number) or f"+{number}", self._customer(number))
            case ["calls", "notification"]:
                self._notified({name: values[0] for name, values in parse_qs(address.query).items()})
            case ["events"]:
                self._follow()
            case ["style.css"]:
                self._answer(200, _STYLE, "text/css")
            case ["pop.js"]:
                self._answer(200, _POP, "text/javascript")
            case _:
                self._answer(404, "There is no such page.")

    def do_POST(self) -> None:
        """A customer is called or named, or Chappe tells what happened."""
        body = self.rfile.read(min(int(self.headers.get("content-length", "0")), 1_000_000))
        place = urlsplit(self.path).path.strip("/").split("/")
        if place == ["webhook"]:
            self._webhook(body)
        elif self.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            self._answer(403, "Only pages of this application may do that.")
        else:
            match place:
                case ["customers", number, "call"]:
                    self._call(number)
                case ["customers", number]:
                    name = parse_qs(body.decode()).get("name", [""])[0].strip()
                    self.customers.ask("insert or replace into customers values (?, ?)", number, name)
                    self._go(f"/customers/{number}")
                case _:
                    self._answer(404, "There is no such page.")

    # --- what Chappe tells

    def _notified(self, told: dict[str, str]) -> None:
        """The line's notification URL: it rings, is joined, is over."""
        if not hmac.compare_digest(told.get("key", ""), NOTIFY_KEY):
            self._answer(403, "This is not the address that was agreed on.")
            return
        incoming = told.get("callee") == LINE
        number = told.get("caller" if incoming else "callee", "")
        news = {"type": told.get("type"), "number": number, "incoming": incoming}
        self.customers.tell({**news, "name": self.customers.name_of(number)})
        self._answer(200, "OK")

    def _webhook(self, body: bytes) -> None:
        """Signed after Standard Webhooks; anything else is nobody's business."""
        said = {name: self.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")}
        signed = f"{said['id']}.{said['timestamp']}.".encode() + body
        mac = "v1," + base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
        fits = any(hmac.compare_digest(mac, one) for one in said["signature"].split())
        if not fits or abs(time.time() - int(said["timestamp"])) > OLDEST:
            self._answer(401, "This signature does not fit.")
            return
        event = json.loads(body)
        data, at = event["data"], event["timestamp"]
        if event["type"] == "message.received":
            self.customers.keep(said["id"], data["from"], at, f"SMS: {data['text']}")
        elif event["type"] == "call.ended":
            number, what = data["to"] if data["from"] == LINE else data["from"], f"Call, {data['outcome']}"
            if data["answered_at"]:
                ends = [datetime.fromisoformat(data[name]) for name in ("answered_at", "ended_at")]
                what += f", {round((ends[1] - ends[0]).total_seconds())} s"
            self.customers.keep(said["id"], number, at, what)
        self._answer(200, "OK")

    # --- what people see and do

    def _list(self) -> str:
        rows = self.customers.ask("select number, name from customers order by name")
        lines = "".join(
            f'<tr><td><a href="/customers/{number}">{escape(name)}</a><td>+{number}<td>{_button(number)}'
            for number, name in rows
        )
        return f"<h1>Customers</h1><table>{lines}</table>"

    def _customer(self, number: str) -> str:
        if not number.isdecimal():
            return "<h1>This is no number.</h1>"
        name = self.customers.name_of(number)
        rows = self.customers.ask("select at, what from history where number = ? order by at desc", number)
        history = "".join(f"<tr><td>{escape(at[:16])}<td>{escape(what)}" for at, what in rows)
        naming = (
            f'<form method="post" action="/customers/{number}"><label>Name <input name="name" required>'
            f"</label> <button>Keep</button></form>"
        )
        shown = f"<h1>{escape(name)}</h1><p>+{number}</p>" if name else f"<h1>+{number}</h1>{naming}"
        return f'{shown}{_button(number)}<h2>History</h2><table id="history">{history}</table>'

    def _call(self, number: str) -> None:
        """Ring our line, then the customer; the page hears of it like of any other call."""
        wanted = json.dumps({"from": f"+{LINE}", "to": f"+{number}"}).encode()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{CHAPPE}/v1/calls", wanted, headers)):
            self._go(f"/customers/{number}")

    def _follow(self) -> None:
        told = self.customers.open_browser()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(b": open\n\n")
            while True:
                try:
                    self.wfile.write(f"data: {told.get(timeout=10)}\n\n".encode())
                except queue.Empty:
                    self.wfile.write(b": still here\n\n")
        except OSError:
            self.customers.close_browser(told)

    # --- HTTP

    def _page(self, title: str, main: str) -> None:
        self._answer(200, _PAGE.format(title=escape(title), main=main), "text/html")

    def _go(self, path: str) -> None:
        self.send_response(303)
        self.send_header("Location", path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, status: int, text: str, kind: str = "text/plain") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *given: object) -> None:
        """Addresses hold a secret: nothing is printed."""


def _button(number: str) -> str:
    return f'<form method="post" action="/customers/{number}/call"><button>Call</button></form>'


def main() -> None:
    """Serve customers of a file on a port of this machine."""
    Answers.customers = Customers(sys.argv[1])
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Answers) as server:
        server.daemon_threads = True
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
