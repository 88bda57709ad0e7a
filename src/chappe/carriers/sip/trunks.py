"""Links to voice networks: where they are, whether they know where we are, and what their numbers look
like."""

import asyncio
import socket
from ipaddress import IPv4Network, ip_network

from aiosipua import Dialog, SipDigestAuth, SipResponse
from aiosipua.auth import answer_challenge
from aiosipua.headers import parse_address

from chappe.carriers.sip.legs import AGENT, Desk, new_call_id, new_tag
from chappe.carriers.sip.outgoing import Way
from chappe.carriers.sip.settings import TrunkSettings
from chappe.carriers.sip.words import TrunkState
from chappe.model.carriers import LinkState
from chappe.protocols.sip.transactions import Address

_RETRY, _LONGEST_RETRY = 5.0, 300.0
_AGAIN, _SOONEST, _LONGEST_LIFE = 0.8, 1.0, 86_400
_HIDDEN = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""Seconds until the next try, doubled up to the longest; which part of a registration's life passes before it
is renewed, but no sooner than a second after the last one, and the longest life (our choice). Hidden callers:
RFC 3323, section 4.1.1.3."""


class Trunk:
    """One of them."""

    def __init__(self, desk: Desk, settings: TrunkSettings) -> None:
        self.settings = settings
        self.calls = 0
        self.hosts: tuple[str, ...] = ()
        self._desk = desk
        self._state = LinkState.CONNECTING
        self._error = ""
        self._pause = _RETRY
        self._dialog: Dialog | None = None
        self._has_proven = False
        self._expires = settings.expires_seconds

    @property
    def state(self) -> TrunkState:
        """How it is."""
        return TrunkState(self.settings.name, self._state.value, self.calls, self._error)

    @property
    def takes_calls(self) -> bool:
        """Whether a call may go over it."""
        return self._state is LinkState.UP and self.calls < self.settings.max_calls

    @property
    def networks(self) -> list[IPv4Network]:
        """From where it calls us."""
        allowed = [ip_network(one) for one in self.settings.allowed_sources]
        own = [ip_network(host) for host in self.hosts]
        return [one for one in (*allowed, *own) if isinstance(one, IPv4Network)]

    @property
    def address(self) -> Address:
        """Where it is."""
        return self.hosts[0], self.settings.port

    def found(self, hosts: list[str]) -> None:
        """Its name stands for these addresses; none: the name was not found."""
        if not hosts:
            if not self.hosts:
                self._error, self._state = f"{self.settings.host} was not found", LinkState.DOWN
            return
        is_new, self.hosts = not self.hosts, tuple(hosts)
        if not is_new:
            return
        if self.settings.register:
            self.register()
        else:
            self._state, self._error = LinkState.UP, ""

    def way(self, number: str, shown: str) -> Way:
        """How a number is rung over it."""
        settings, host = self.settings, self.settings.host
        here = self._desk.here(self.address)[0]
        sign = "+" if settings.plus else ""
        headers: dict[str, str] = {}
        own = f"<sip:{settings.username or 'chappe'}@{host if settings.username else here}>"
        if not shown:
            caller, headers["Privacy"] = _HIDDEN, "id"
        elif settings.caller == "from":
            caller = f"<sip:{sign}{shown}@{host if settings.register else here}>"
        else:
            caller = own
        if shown:
            headers["P-Asserted-Identity"] = f"<sip:{sign}{shown}@{here}>"
        elif settings.username:
            headers["P-Asserted-Identity"] = own
        uri = f"sip:{sign}{number}@{host}" + (f":{settings.port}" if settings.port != 5060 else "")
        return Way(uri, self.address, caller, headers, self._credentials, settings.name)

    @property
    def _credentials(self) -> SipDigestAuth | None:
        settings = self.settings
        return SipDigestAuth(settings.username, settings.password) if settings.username else None

    # --- registration

    def register(self) -> None:
        """Say where we are."""
        self._has_proven = False
        self._send(None)

    def _send(self, proof: tuple[str, str] | None) -> None:
        settings = self.settings
        if self._dialog is None:
            own = f"sip:{settings.username}@{settings.host}"
            self._dialog = Dialog(new_call_id(), new_tag(), "", own, own, f"sip:{settings.host}")
        host, port = self._desk.here(self.address)
        request = self._dialog.create_request("REGISTER", via_host=host, via_port=port)
        request.headers.set_single("Contact", f"<sip:{settings.username}@{host}:{port}>")
        request.headers.set_single("Expires", str(self._expires))
        request.headers.set_single("User-Agent", AGENT)
        if proof is not None:
            request.headers.set_single(*proof)
        self._desk.transactions.request(request, self.address, self._desk.now(), self._told)

    def _told(self, answer: SipResponse | None) -> None:
        if answer is not None and answer.status_code < 200:
            return
        if answer is not None and answer.status_code < 300:
            self._state, self._error, self._pause = LinkState.UP, "", _RETRY
            granted = _granted(answer, self._desk.here(self.address), self._expires)
            self._desk.later(max(_SOONEST, granted * _AGAIN), self.register)
            return
        if answer is not None and answer.status_code == 423:  # Interval Too Brief (section 10.3)
            least = _seconds(answer.headers.get_first("min-expires") or "")
            if least is not None and self._expires < least <= _LONGEST_LIFE:
                self._expires = least
                self.register()
                return
        credentials = self._credentials
        if answer is not None and answer.status_code in (401, 407) and not self._has_proven and credentials:
            self._has_proven = True
            uri = f"sip:{self.settings.host}"
            proof = answer_challenge(credentials, answer, answer.status_code, "REGISTER", uri)
            if proof is not None:
                self._send(proof)
                return
        self._state = LinkState.DOWN
        self._error = "no answer" if answer is None else f"{answer.status_code} {answer.reason_phrase}"[:100]
        self._desk.later(self._pause, self.register)
        self._pause = min(self._pause * 2, _LONGEST_RETRY)


def _granted(answer: SipResponse, here: Address, asked: int) -> float:
    """For how many seconds we are registered: the answer names all contacts, of which one is ours (section
    10.3)."""
    contacts = [parse_address(one) for one in answer.headers.get("contact")]
    own = [one for one in contacts if (one.uri.host, one.uri.port or 5060) == here]
    for contact in own or contacts:
        if (told := _seconds(contact.params.get("expires") or "")) is not None:
            return told
    told = _seconds(answer.headers.get_first("expires") or "")
    return asked if told is None else told


def _seconds(written: str) -> int | None:
    return int(written.strip()[:6]) if written.strip().isascii() and written.strip().isdigit() else None


async def addresses(host: str) -> list[str]:
    """The IPv4 addresses of a name, none where it is not found."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    except OSError:
        return []
    return sorted({str(one[4][0]) for one in found})
