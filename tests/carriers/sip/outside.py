"""A process around the agent that a test plays: no sockets, a clock by hand, and all that leaves is kept."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from aiosipua import SipRequest, SipResponse

from chappe.carriers.sip.agent import Agent
from chappe.carriers.sip.legs import Leg
from chappe.carriers.sip.settings import SipSettings, read_settings
from chappe.carriers.sip.streams import Stream
from chappe.carriers.sip.words import Ask, Event, Known
from chappe.protocols.sip import messages
from chappe.protocols.sip.transactions import Address

TRUNK: Address = ("192.0.2.1", 5060)
STRANGER: Address = ("203.0.113.9", 5060)
SESSION = (
    b"v=0\r\no=x 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class _Socket:
    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 20_000

    def close(self) -> None: ...

    def sendto(self, data: bytes, to: Address) -> None: ...


@dataclass
class Played:
    """See agent.Outside."""

    at: float = 1_800_000_000.0
    sent: list[tuple[bytes, Address]] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    waiting: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self.waiting.append((self.at + seconds, what))

    def send(self, data: bytes, to: Address) -> None:
        self.sent.append((data, to))

    def host_for(self, to: Address) -> str:
        return "198.51.100.1"

    def tell(self, event: Event) -> None:
        self.told.append(event)

    def open(self) -> Stream:
        return Stream(cast(socket.socket, _Socket()), self.now)

    def close(self, stream: Stream) -> None: ...

    def went_up(self, leg: Leg) -> None: ...

    def went_down(self, leg: Leg) -> None: ...


@dataclass
class Desk:
    """An agent with one trunk, and what a test does with it."""

    outside: Played = field(default_factory=Played)
    agent: Agent = field(init=False)

    def __post_init__(self) -> None:
        self.agent = Agent(settings(), self.outside, b"secret")
        self.agent.found({"network": [TRUNK[0]]})

    def wait(self, seconds: float) -> None:
        """Let time pass by tenths of a second."""
        for _ in range(round(seconds * 10)):
            self.outside.at += 0.1
            self.agent.transactions.tick(self.outside.at)
            due = [one for one in self.outside.waiting if one[0] <= self.outside.at]
            self.outside.waiting = [one for one in self.outside.waiting if one not in due]
            for _, what in due:
                what()

    def receive(self, data: bytes, source: Address = TRUNK) -> list[SipRequest | SipResponse]:
        """Let a datagram come; returns what was sent because of it."""
        before = len(self.outside.sent)
        self.agent.receive(data, source)
        return [messages.read(data) for data, _ in self.outside.sent[before:]]

    def sent(self) -> list[str]:
        """The first words of all that was sent."""
        return [data.split(b"\r\n")[0].decode() for data, _ in self.outside.sent]

    def answer_asks(self, known: dict[str, tuple[str, str]]) -> None:
        """Answer as the platform: hash and line by user."""
        asks = [one for one in self.outside.told if isinstance(one, Ask)]
        self.outside.told = [one for one in self.outside.told if not isinstance(one, Ask)]
        for one in asks:
            self.agent.proofs.known(Known(one.ask, *known.get(one.user, ("", ""))))


def settings() -> SipSettings:
    return read_settings({"trunks": [{"name": "network", "host": "network.example"}], "listen": "127.0.0.1"})


def request(
    method: str,
    uri: str = "sip:33123456789@198.51.100.1",
    *,
    branch: str = "z9hG4bKa1",
    call: str = "c1",
    number: int = 1,
    to_tag: str = "",
    body: bytes = b"",
    more: str = "",
) -> bytes:
    """A request as others write them."""
    end = f";tag={to_tag}" if to_tag else ""
    head = (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}\r\n"
        f"From: <sip:+33612345678@192.0.2.1>;tag=them\r\nTo: <{uri}>{end}\r\nCall-ID: {call}\r\n"
        f"CSeq: {number} {method}\r\nContact: <sip:them@192.0.2.1:5060>\r\nMax-Forwards: 70\r\n{more}"
    )
    if body:
        head += "Content-Type: application/sdp\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
