"""The web server of a customer: keeps every request it gets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tests.clients.running import eventually


@dataclass(frozen=True, slots=True)
class Received:
    """One request, header names in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass
class Site:
    """A running server; whatever is asked under /down it answers 503, all else 200."""

    url: str
    received: list[Received] = field(default_factory=list)

    def first(self, path: str) -> Received:
        """The first request for a path, once it came."""
        return eventually(lambda: [one for one in self.received if one.path == path])[0]


@contextmanager
def running_site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            site.received.append(Received(self.command, self.path, headers, body))
            self.send_response(503 if self.path.startswith("/down") else 200)
            self.send_header("content-length", "3")
            self.end_headers()
            self.wfile.write(b"OK\n")

        do_GET = do_POST = answer

        def log_message(self, format: str, *given: object) -> None:
            """What was received is kept, not printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield site
        server.shutdown()
        thread.join()
