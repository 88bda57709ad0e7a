"""SIP transactions over datagrams (RFC 3261, section 17): what repeats itself, until when, and what belongs
together.

No sockets and no clock: what has arrived goes in with its time in seconds, what is to leave goes out through
`send`, and `tick` does what has fallen due."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiosipua import SipRequest, SipResponse

from chappe.protocols.sip.messages import branch, cseq, sent_by, serialized, tag

T1, T2, T4 = 0.5, 4.0, 5.0
LIFE = 64 * T1
"""The timers of section 17.1.1.1, in seconds; 64 times T1 bounds every transaction."""

_UNANSWERED = 600
"""Seconds after which a request counts as left without an answer; no telephone rings for so long (our
choice)."""

Address = tuple[str, int]


@dataclass(slots=True, eq=False)
class Client:
    """A request of ours. `told` is called with each response, but with a final one only once, save for the
    2xx of an INVITE, which come again until they are acknowledged; with None when nobody has answered."""

    request: SipRequest
    to: Address
    told: Callable[[SipResponse | None], None]
    key: tuple[str, str]
    data: bytes
    is_answered: bool = False
    is_final: bool = False

    @property
    def is_invite(self) -> bool:
        return self.request.method == "INVITE"


@dataclass(slots=True, eq=False)
class Server:
    """A request that came to us, from the address to which all its answers go, whatever its Via says."""

    request: SipRequest
    source: Address
    key: tuple[str, str, str, str]
    status: int = 0
    data: bytes = b""
    is_acknowledged: bool = False
    unacknowledged: Callable[[], None] = field(default=lambda: None)


class Transactions:
    """All that are going on; those of others at most `most`."""

    def __init__(self, send: Callable[[bytes, Address], None], most: int = 10_000) -> None:
        self._send = send
        self._most = most
        self._clients: dict[tuple[str, str], Client] = {}
        self._servers: dict[tuple[str, str, str, str], Server] = {}
        self._timers: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0

    # --- what arrives

    def receive(
        self, message: SipRequest | SipResponse, source: Address, now: float
    ) -> Server | SipRequest | None:
        """A message has come. Returns a new request as the transaction that it begins, an ACK that belongs to
        none (that of a 2xx) as it is, and None for what was dealt with here."""
        if isinstance(message, SipResponse):
            self._respond(message, now)
            return None
        method = message.method
        key = (branch(message), sent_by(message), source[0], "INVITE" if method == "ACK" else method)
        server = self._servers.get(key)
        if method == "ACK":
            if server is None or server.status < 300:
                return message
            if not server.is_acknowledged:
                server.is_acknowledged = True
                self._after(now + T4, partial(self._forget, server))
            return None
        if server is not None:
            if server.data:
                self._send(server.data, server.source)
            return None
        if len(self._servers) >= self._most:
            return None
        server = self._servers[key] = Server(message, source, key)
        self._after(now + _UNANSWERED, partial(self._forget, server))
        return server

    def invite_of(self, cancel: Server) -> Server | None:
        """The INVITE that a CANCEL cancels (section 9.2)."""
        return self._servers.get((*cancel.key[:3], "INVITE"))

    def _respond(self, response: SipResponse, now: float) -> None:
        client = self._clients.get((branch(response), cseq(response)[1]))
        if client is None:
            return
        status = response.status_code
        if status < 200:
            client.is_answered = True
            if not client.is_final:
                client.told(response)
            return
        if client.is_invite and status >= 300:
            self._send(serialized(self._ack(client, response)), client.to)
        first, client.is_final, client.is_answered = not client.is_final, True, True
        if first:
            # It may come again: an INVITE is kept to answer that.
            self._after(now + (LIFE if client.is_invite else T4), lambda _: self._end(client))
        if first or (client.is_invite and status < 300):
            client.told(response)

    @staticmethod
    def _ack(client: Client, response: SipResponse) -> SipRequest:
        """The ACK of a final response that is no 2xx (section 17.1.1.3)."""
        ack = SipRequest(method="ACK", uri=client.request.uri)
        for name in ("Via", "From", "Call-ID"):
            ack.headers.set_single(name, client.request.headers.get_first(name) or "")
        to = response if tag(response, "to") else client.request
        ack.headers.set_single("To", to.headers.get_first("to") or "")
        ack.headers.set_single("CSeq", f"{cseq(client.request)[0]} ACK")
        ack.headers.set_single("Max-Forwards", "70")
        for route in client.request.headers.get("route"):
            ack.headers.append("Route", route)
        return ack

    # --- what leaves

    def request(
        self, request: SipRequest, to: Address, now: float, told: Callable[[SipResponse | None], None]
    ) -> Client:
        """Send a request until it is answered."""
        data = serialized(request)
        client = Client(request, to, told, (branch(request), request.method), data)
        self._clients[client.key] = client
        self._send(data, to)
        self._again(client, now + T1, T1)
        self._after(now + LIFE, lambda _: self._give_up(client))
        return client

    def respond(self, server: Server, response: SipResponse, now: float) -> None:
        """Answer a request; a final answer to an INVITE until it is acknowledged."""
        if server.status >= 200:
            return
        server.status, server.data = response.status_code, serialized(response)
        self._send(server.data, server.source)
        if server.status < 200:
            return
        if server.request.method == "INVITE":
            self._answer_again(server, now + T1, T1)
        self._after(now + LIFE, lambda _: self._expire(server))

    def _forget(self, server: Server, _: float) -> None:
        self.forget(server)

    def forget(self, server: Server) -> None:
        """Leave a request without an answer, or without any further one."""
        self._servers.pop(server.key, None)

    # --- what falls due

    def tick(self, now: float) -> None:
        """Do what has fallen due."""
        while self._timers and self._timers[0][0] <= now:
            due, _, what = heapq.heappop(self._timers)
            what(due)

    def _after(self, due: float, what: Callable[[float], None]) -> None:
        self._count += 1
        heapq.heappush(self._timers, (due, self._count, what))

    def _again(self, client: Client, due: float, pause: float) -> None:
        def send(now: float) -> None:
            if client.is_final or (client.is_invite and client.is_answered):
                return
            self._send(client.data, client.to)
            longer = pause * 2 if client.is_invite else min(pause * 2, T2)
            self._again(client, now + longer, longer)

        if client.key in self._clients:
            self._after(due, send)

    def _answer_again(self, server: Server, due: float, pause: float) -> None:
        def send(now: float) -> None:
            if server.is_acknowledged or server.key not in self._servers:
                return
            self._send(server.data, server.source)
            longer = min(pause * 2, T2)
            self._answer_again(server, now + longer, longer)

        self._after(due, send)

    def _give_up(self, client: Client) -> None:
        # An INVITE that rings is ended by whoever asked for it.
        if not client.is_final and not (client.is_invite and client.is_answered):
            self._end(client)
            client.is_final = True
            client.told(None)

    def _expire(self, server: Server) -> None:
        self.forget(server)
        if server.request.method == "INVITE" and 200 <= server.status < 300 and not server.is_acknowledged:
            server.unacknowledged()

    def _end(self, client: Client) -> None:
        self._clients.pop(client.key, None)

    @property
    def going_on(self) -> int:
        """How many there are."""
        return len(self._clients) + len(self._servers)
