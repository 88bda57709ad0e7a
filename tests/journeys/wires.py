"""A customer's side of the message wires, over HTTP without a socket."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape
from xmlrpc.client import dumps, loads
from zoneinfo import ZoneInfo

from chappe.services.accounts import NewAccount
from tests.asgi import Reply, ask
from tests.platform import World


@dataclass(frozen=True)
class Rest:
    world: World
    new: NewAccount

    async def call(self, method: str, path: str, body: object = None) -> Reply:
        headers = {"authorization": f"Bearer {self.new.secrets['rest'].secret}"}
        data = b""
        if body is not None:
            headers["content-type"] = "application/json"
            data = json.dumps(body).encode()
        return await ask(self.world.chappe.application, method, path, headers=headers, body=data)

    async def upload(self, path: str, body: bytes, content_type: str, method: str = "POST") -> Reply:
        headers = {
            "authorization": f"Bearer {self.new.secrets['rest'].secret}",
            "content-type": content_type,
        }
        return await ask(self.world.chappe.application, method, path, headers=headers, body=body)

    async def get(self, path: str) -> Any:
        reply = await self.call("GET", path)
        assert reply.status == 200, reply
        return json.loads(reply.body)


@dataclass(frozen=True)
class Orange:
    world: World
    new: NewAccount

    async def call(self, verb: str, **parameters: str) -> ElementTree.Element:
        query = urlencode({"id": self.new.secrets["orange"].secret, **parameters})
        reply = await ask(self.world.chappe.application, "GET", f"{verb}?{query}")
        assert reply.status == 200, reply
        return ElementTree.fromstring(reply.body)  # noqa: S314 - our own answer


@dataclass(frozen=True)
class NetOxygen:
    world: World
    new: NewAccount

    async def call(self, function: str, *parameters: object) -> Any:
        secret = self.new.secrets["netoxygen"]
        body = dumps((secret.login, secret.secret, *parameters), function, encoding="utf-8").encode()
        reply = await ask(self.world.chappe.application, "POST", "/api2/", body=body)
        assert reply.status == 200, reply
        ((result,), _) = loads(reply.body)
        return result


@dataclass(frozen=True)
class Capitole:
    world: World
    new: NewAccount

    async def send(self, to: str, text: str, more: str = "") -> str:
        secret = self.new.secrets["capitole"]
        document = (
            f"<SMS><authentification><username>{secret.login}</username><password>{secret.secret}</password>"
            f"</authentification><message><text>{escape(text)}</text>{more}</message>"
            f"<recipients><gsm>{to}</gsm></recipients></SMS>"
        )
        body = urlencode({"XML": document}).encode()
        reply = await ask(self.world.chappe.application, "POST", "/api/sendsms/xml", body=body)
        assert reply.status == 200, reply
        return reply.text


@dataclass(frozen=True)
class Keyyo:
    world: World
    new: NewAccount

    async def open(self, sources: str = "127.0.0.1") -> None:
        """Let programs in by their address."""
        path = f"/v1/lines/{self.new.secrets['keyyo'].login}"
        reply = await Rest(self.world, self.new).call("PATCH", path, {"allowed_sources": sources})
        assert reply.status == 200, reply

    async def send(self, to: str, text: str, *, line: str = "", proven: bool = False) -> Reply:
        """As a line (this account's own), by its address or with a proof of this account's password."""
        secret = self.new.secrets["keyyo"]
        query = urlencode({"ACCOUNT": line or secret.login, "CALLEE": to, "MSG": text})
        target, headers, peer = f"/sendsms.html?{query}", {}, "192.0.2.9" if proven else "127.0.0.1"
        app = self.world.chappe.application
        if proven:
            challenged = await ask(app, "GET", target, peer=peer)
            nonce = challenged.headers["www-authenticate"].partition('nonce="')[2].partition('"')[0]
            one, two = _md5(f"{secret.login}:keyyo:{secret.secret}"), _md5(f"GET:{target}")
            response = _md5(f"{one}:{nonce}:00000001:c:auth:{two}")
            headers["Authorization"] = (
                f'Digest username="{secret.login}", realm="keyyo", nonce="{nonce}", uri="{target}",'
                f' qop=auth, nc=00000001, cnonce="c", response="{response}"'
            )
        return await ask(app, "GET", target, headers=headers, peer=peer)


def _md5(text: str) -> str:
    return md5(text.encode()).hexdigest()  # noqa: S324 - what RFC 7616 says


def zurich(at: datetime) -> str:
    return at.astimezone(ZoneInfo("Europe/Zurich")).strftime("%Y-%m-%d %H:%M:%S")


def paris(at: datetime) -> str:
    return at.astimezone(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%d %H:%M:%S")
