"""The web server of a shop: pages of another origin with the callback widget, and a form that rings."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.clients.running import Account

# A shop's style that would break anything it reached.
PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Atelier Lumière</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/shop.css">{script}</head>
<body><main><h1>Atelier Lumière</h1><p>Lampes sur mesure, réparations, conseils à domicile.</p>{inside}</main>
</body></html>"""
STYLE = """body { margin: 2rem; font: 1.125rem/1.6 Georgia, serif; background: #fbf7f0; color: #2b2118; }
button, input, select, dialog { all: unset; display: none !important; } * { letter-spacing: .02em; }
iframe { inline-size: 100%; block-size: 34rem; border: 1px solid #b59f80; }
@media (prefers-color-scheme: dark) { body { background: #1d1712; color: #f1e7d8; } }"""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src {chappe}; connect-src {chappe}; "
    "frame-src {chappe}"
)


def a_form(account: Account, operators: list[str], **settings: Any) -> str:
    """A form that rings these, one after the other; its address."""
    rung = [{"number": number, "ring_seconds": 60} for number in operators]
    account.ask("PUT", "/v1/ring-groups/ventes", {"operators": rung})
    given = {
        "name": "Être rappelé par l’atelier",
        "open_group": "ventes",
        "open_message": "Un conseiller vous rappelle tout de suite.",
        "labels": ["Numéro de commande"],
        **settings,
    }
    made = account.ask("POST", "/v1/popups", given)
    return f"{account.server.url}/popup/{made['id']}"


@contextmanager
def running_shop(form: str) -> Iterator[str]:
    """The address of a server with `/` (the widget's script), `/link` (with a link as well) and `/frame`."""
    chappe = form.split("/popup/")[0]
    script = f'<script async src="{form}.js"></script>'
    pages = {
        "/": PAGE.format(script=script, inside=""),
        "/link": PAGE.format(script=script, inside=f'<p><a href="{form}">Être rappelé</a></p>'),
        "/frame": PAGE.format(script="", inside=f'<iframe title="Être rappelé" src="{form}"></iframe>'),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (STYLE if self.path == "/shop.css" else pages.get(self.path, "")).encode()
            self.send_response(200 if body else 204)
            kind = "text/css" if self.path == "/shop.css" else "text/html; charset=utf-8"
            self.send_header("content-type", kind)
            self.send_header("content-security-policy", POLICY.format(chappe=chappe))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *given: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
