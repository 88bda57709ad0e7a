"""A customer's side of the three message wires, over HTTP without a socket."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree
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


def zurich(at: datetime) -> str:
    return at.astimezone(ZoneInfo("Europe/Zurich")).strftime("%Y-%m-%d %H:%M:%S")
