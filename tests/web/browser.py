"""A browser for tests: it keeps cookies, follows redirects, fills forms, and runs no script."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from lxml import html

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def tree(self) -> Any:
        return html.fromstring(self.body, parser=html.HTMLParser(encoding="utf-8"))

    def words(self, path: str) -> list[str]:
        """The text of each element, blanks made single."""
        return [re.sub(r"\s+", " ", found.text_content()).strip() for found in self.find(path)]

    def find(self, path: str) -> list[Any]:
        """Elements by XPath."""
        found: list[Any] = self.tree.xpath(path)
        return found


@dataclass
class Browser:
    """One reader with cookies of their own."""

    application: Any
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)
    peer: str = "127.0.0.1"
    scheme: str = "http"

    async def get(self, path: str, **headers: str) -> Page:
        page = await self.ask("GET", path, headers=headers)
        return await self.get(page.headers["location"]) if page.status == 303 else page

    async def post(self, path: str, fields: Fields = (), at: str = "", **headers: str) -> Page:
        """Send a form with the token of the page `at` (the first page when left out), follow the answer."""
        token = (await self.get(at or "/login")).find("//input[@name='token']/@value")
        pairs = [("token", token[0] if token else ""), *_pairs(fields)]
        page = await self.ask("POST", path, pairs, headers)
        return await self.get(page.headers["location"]) if page.status == 303 else page

    async def ask(
        self, method: str, path: str, fields: Fields | bytes = (), headers: Mapping[str, str] | None = None
    ) -> Page:
        """One request, its body as fields or as it is, and its answer, redirects not followed."""
        answered: dict[str, Any] = {"body": b""}
        body = fields if isinstance(fields, bytes) else urlencode(_pairs(fields)).encode()
        given = [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, Any]:
            if given:
                return given.pop()
            await asyncio.Event().wait()
            raise AssertionError("the page reads on after the end of its request")

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answered.update(message)
            else:
                answered["body"] += message.get("body", b"")

        await self.application(self.scope(method, path, headers or {}), receive, send)
        received = [(name.decode(), value.decode()) for name, value in answered["headers"]]
        for name, value in received:
            if name == "set-cookie":
                for morsel in SimpleCookie(value).values():
                    self.cookies[morsel.key] = morsel.value
                    if morsel["max-age"] == "0":
                        del self.cookies[morsel.key]
        return Page(path, answered["status"], dict(received), answered["body"])

    def scope(self, method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        parts = urlsplit(path)
        sent = {
            "host": "console.test",
            "accept-language": self.language,
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "content-type": "application/x-www-form-urlencoded",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": (self.peer, 50000),
            "server": ("console.test", 80),
            "state": {},
        }

    async def sign_up(self, email: str = "camille@example.com", password: str = "ten letters") -> Page:
        return await self.post("/sign-up", {"email": email, "password": password}, at="/sign-up")


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    return list(fields.items()) if isinstance(fields, Mapping) else list(fields)
