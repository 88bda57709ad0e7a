"""Which proxies in front of us are believed, and who stands behind them."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from chappe.host.asgi import Application, Message
from chappe.host.asking import Choice, Handler, Quick
from chappe.protocols.http import FORWARDED, HttpRequest, HttpResponse

_CHAIN = "x-forwarded-for"
_LONGEST_CHAIN = 4096
# Some proxies write the client's port as well.
_WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The networks of the proxies that the settings trust (`trusted_proxies`)."""

    networks: Sequence[IPv4Network | IPv6Network]

    @classmethod
    def of(cls, written: Sequence[str]) -> "Proxies":
        """Networks and single addresses as text. Raises ValueError."""
        return cls(tuple(map(ip_network, written)))

    def client(self, peer: str, chain: str) -> str | None:
        """Who stands behind the peer: the last of X-Forwarded-For that is no trusted proxy.

        Whatever stands further to the left was written by that client itself. None where the peer is not
        trusted, and where the header names nobody who can be read.
        """
        if len(chain) > _LONGEST_CHAIN or not self._trusts(_address(peer)):
            return None
        for hop in reversed(chain.split(",")):
            address = _address(hop.strip())
            if address is None:
                return None
            if not self._trusts(address):
                return str(address)
        return None

    def choice(self, choose: Choice) -> Choice:
        """The same answers in one piece, for requests that bear the address of their client."""

        def chosen(path: str) -> Quick | None:
            quick = choose(path)
            if quick is None:
                return None
            return Quick(partial(self._answer, quick.answer), quick.body_limit, quick.too_large)

        return chosen

    async def _answer(self, answer: Handler, request: HttpRequest) -> HttpResponse:
        client = self.client(request.peer, request.headers.get(_CHAIN, ""))
        if client is not None:
            headers = {name: value for name, value in request.headers.items() if name not in FORWARDED}
            request = request._replace(peer=client, headers=headers)
        return await answer(request)

    def application(self, inner: Application) -> Application:
        """The same application, for requests that bear the address of their client."""

        async def outer(
            scope: Message,
            receive: Callable[[], Awaitable[Message]],
            send: Callable[[Message], Awaitable[None]],
        ) -> None:
            if scope["type"] in ("http", "websocket") and scope.get("client"):
                named = [(name.decode("latin-1").lower(), value) for name, value in scope["headers"]]
                chain = b",".join(value for name, value in named if name == _CHAIN)
                client = self.client(scope["client"][0], chain.decode("latin-1"))
                if client is not None:
                    own = [(name.encode("latin-1"), value) for name, value in named if name not in FORWARDED]
                    scope = {**scope, "client": (client, 0), "headers": own}
            await inner(scope, receive, send)

        return outer

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self.networks)


def _address(written: str) -> IPv4Address | IPv6Address | None:
    if found := _WITH_PORT.fullmatch(written):
        written = found[1] or found[2]
    try:
        address = ip_address(written)
    except ValueError:
        return None
    # A socket for both families shows IPv4 as ::ffff:192.0.2.1.
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
