"""The user agent: which leg a message belongs to, who may call, and how a number is reached. No sockets, no
clock."""

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network
from itertools import chain
from typing import Protocol

from aiosipua import SipRequest

from chappe.carriers.sip.admission import Admission
from chappe.carriers.sip.forking import Fork
from chappe.carriers.sip.incoming import Incoming
from chappe.carriers.sip.lamps import Lamps
from chappe.carriers.sip.legs import AGENT, ALLOW, Leg, dialog_key, new_tag, uri_of
from chappe.carriers.sip.outgoing import Outgoing, Way
from chappe.carriers.sip.proofs import Proofs
from chappe.carriers.sip.registrar import Registrar
from chappe.carriers.sip.settings import SipSettings
from chappe.carriers.sip.streams import Stream
from chappe.carriers.sip.trunks import Trunk
from chappe.carriers.sip.words import Came, Dial, Event, Happened, Referred, Telephone
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.protocols.errors import ProtocolError
from chappe.protocols.sip import messages, referring, sdp
from chappe.protocols.sip.transactions import Address, Server, Transactions


class Outside(Protocol):
    """What the agent needs of its process."""

    def now(self) -> float: ...

    def later(self, seconds: float, what: Callable[[], None]) -> None: ...

    def send(self, data: bytes, to: Address) -> None: ...

    def host_for(self, to: Address) -> str:
        """Our host as somebody sees it."""
        ...

    def tell(self, event: Event) -> None: ...

    def open(self) -> Stream:
        """Raises OSError where no port is free."""
        ...

    def close(self, stream: Stream) -> None: ...

    def went_up(self, leg: Leg) -> None: ...

    def went_down(self, leg: Leg) -> None: ...


class Agent:
    """All legs of the process, over the trunks and with the telephones of the settings. It is the Desk of its
    legs."""

    def __init__(self, settings: SipSettings, outside: Outside, secret: bytes) -> None:
        self.settings = settings
        self._outside = outside
        self.transactions = Transactions(outside.send)
        self.admission = Admission(settings.requests_per_second)
        self.proofs = Proofs(secret, outside.tell)
        self.registrar = Registrar(self, self.admission, self.proofs)
        self.lamps = Lamps(self, self.proofs, self.registrar)
        self.trunks = {one.name: Trunk(self, one) for one in settings.trunks}
        self.legs: dict[int, Leg] = {}
        self._forks: dict[int, Fork] = {}  # which ring
        self._dialogs: dict[tuple[str, str], Leg] = {}
        self._calls: dict[str, Incoming] = {}  # which have no id yet

    # --- what legs need of us

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._outside.now()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something once."""
        self._outside.later(seconds, what)

    def here(self, to: Address) -> Address:
        """See legs.Desk."""
        return self.settings.public_address or self._outside.host_for(to), self.settings.port

    def send(self, data: bytes, to: Address) -> None:
        """Send what no transaction repeats."""
        self._outside.send(data, to)

    def tell(self, event: Event) -> None:
        """Tell the platform."""
        self._outside.tell(event)

    def went_up(self, leg: Leg) -> None:
        """A leg has been answered."""
        self._outside.went_up(leg)

    def went_down(self, leg: Leg) -> None:
        """A leg is over."""
        self.legs.pop(leg.id, None)
        self._dialogs.pop((leg.dialog.call_id, leg.dialog.local_tag), None)
        if leg.trunk:
            self.trunks[leg.trunk].calls -= 1
        self._outside.close(leg.stream)
        self._outside.went_down(leg)

    def referred(self, leg: Leg, wanted: referring.Wanted) -> None:
        """See legs.Desk."""
        other: Leg | None = None
        if wanted.replaces is not None:
            other = self._dialogs.get((wanted.replaces.call_id, wanted.replaces.to_tag))
            if other is None or other is leg or other.dialog.remote_tag != wanted.replaces.from_tag:
                leg.refuse_transfer()
                return
        self.tell(Referred(leg.id, wanted.user, other.id if other is not None else 0))

    # --- what the platform asks

    def begin(self, telephones: Iterable[Telephone]) -> None:
        """These telephones registered earlier."""
        for one in telephones:
            self.admission.know(one.source.partition(":")[0], self.now() + one.seconds)

    def found(self, hosts: Mapping[str, list[str]]) -> None:
        """Where trunks are, by their names."""
        for name, trunk in self.trunks.items():
            trunk.found(hosts.get(name, []))
        self.admission.trust(chain.from_iterable(one.networks for one in self.trunks.values()))

    def dial(self, word: Dial) -> None:
        """Ring a number."""
        try:
            ways = self._ways(word)
            stream = self._open()
        except (LookupError, OSError) as error:
            cause = HangUpCause.UNREACHABLE if isinstance(error, LookupError) else HangUpCause.FAILED
            self.tell(Happened(word.leg, LegEventKind.ENDED.value, cause.value))
            return
        if len(ways) > 1:
            fork = self._forks[word.leg] = Fork(self, word.leg, ways, stream, self._settle)
            fork.ring(word.ring_seconds)
            return
        leg = Outgoing(self, word.leg, ways[0], stream)
        if leg.trunk:
            self.trunks[leg.trunk].calls += 1
        self._settle(leg)
        leg.ring(word.ring_seconds)

    def _settle(self, leg: Leg) -> None:
        """This is the leg of its id from now on."""
        self._forks.pop(leg.id, None)
        leg.stream.pressed = leg.pressed
        self.legs[leg.id] = leg
        self._dialogs[leg.dialog.call_id, leg.dialog.local_tag] = leg

    def _ways(self, word: Dial) -> list[Way]:
        if word.contacts:
            return [self._way_to(*one, word.shown) for one in word.contacts]
        for trunk in self.trunks.values():
            if trunk.takes_calls:
                return [trunk.way(word.number, word.shown)]
        raise LookupError("no trunk takes calls")

    def _way_to(self, contact: str, source: str, shown: str) -> Way:
        host, _, port = source.rpartition(":")
        to = (host, int(port))
        here = self.here(to)[0]
        caller = f"<sip:{shown}@{here}>" if shown else _hidden(here)
        return Way(contact, to, caller, {} if shown else {"Privacy": "id"})

    @property
    def count(self) -> int:
        """How many legs there are."""
        return len(self.legs) + len(self._forks) + len(self._calls)

    def _open(self) -> Stream:
        if self.count >= self.settings.max_calls:
            raise OSError("there are too many calls")
        return self._outside.open()

    def adopt(self, call: str, leg_id: int) -> None:
        """A call that came is known by this id."""
        leg = self._calls.pop(call, None)
        if leg is None:
            return
        if not leg.is_over:
            self.legs[leg_id] = leg
        leg.adopt(leg_id)

    def hang_up(self, leg_id: int, cause: HangUpCause) -> None:
        """End a leg."""
        leg = self._forks.get(leg_id) or self.legs.get(leg_id)
        if isinstance(leg, Outgoing | Incoming | Fork):
            leg.hang_up(cause)

    def refuse_transfer(self, leg_id: int) -> None:
        """A leg's partner is not given away, as was asked."""
        if (leg := self.legs.get(leg_id)) is not None:
            leg.refuse_transfer()

    def stop(self) -> None:
        """End everything."""
        for leg in [*self.legs.values(), *self._forks.values(), *self._calls.values()]:
            if isinstance(leg, Outgoing | Incoming | Fork):
                leg.hang_up(HangUpCause.INTERRUPTED)

    def watch(self) -> None:
        """To be called about each second."""
        for leg in list(self.legs.values()):
            leg.watch()

    # --- what arrives

    def receive(self, data: bytes, source: Address) -> None:
        """A datagram has come. Strangers, and what is no SIP, get no answer."""
        if not self.admission.admits(data, source[0], self.now()):
            return
        try:
            message = messages.read(data)
        except ProtocolError:
            self.admission.silenced += 1
            return
        came = self.transactions.receive(message, source, self.now())
        if isinstance(came, SipRequest):
            self._acknowledged(came)
        elif came is not None:
            self._asked(came)

    def _acknowledged(self, ack: SipRequest) -> None:
        leg = self._dialogs.get(dialog_key(ack))
        if leg is not None and messages.tag(ack, "from") == leg.dialog.remote_tag:
            leg.acknowledged(ack)

    def _asked(self, server: Server) -> None:
        request = server.request
        if request.method == "CANCEL":
            self._cancelled(server)
        elif request.method == "SUBSCRIBE":
            self.lamps.asked(server)
        elif messages.tag(request, "to"):
            leg = self._dialogs.get(dialog_key(request))
            if leg is None:
                self._answer(server, 481, "Call/Transaction Does Not Exist")
            else:
                leg.asked(server)
        elif request.method == "REGISTER":
            self.registrar.asked(server)
        elif request.method == "INVITE":
            self._invited(server)
        elif request.method == "OPTIONS":
            self._answer(server, 200, "OK")
        else:
            self._answer(server, 405, "Method Not Allowed")

    def _cancelled(self, server: Server) -> None:
        invite = self.transactions.invite_of(server)
        leg = next((one for one in self._incoming() if one.server is invite), None)
        if invite is None:
            self._answer(server, 481, "Call/Transaction Does Not Exist")
            return
        self._answer(server, 200, "OK")
        if leg is not None:
            leg.cancel()

    def _incoming(self) -> Iterable[Incoming]:
        return (one for one in chain(self.legs.values(), self._calls.values()) if isinstance(one, Incoming))

    def _invited(self, server: Server) -> None:
        host, request = server.source[0], server.request
        for trunk in self.trunks.values():
            if any(_holds(network, host) for network in trunk.networks):
                if trunk.calls >= trunk.settings.max_calls:
                    self._answer(server, 486, "Busy Here")
                else:
                    self._arrive(server, _caller(request), trunk=trunk.settings.name)
                return
        self.proofs.check(
            request,
            self.now(),
            lambda line: self._arrive(server, line, line=line) if line else self.registrar.refuse(server),
            lambda is_stale: self.registrar.challenge(server, is_stale),
        )

    def _arrive(self, server: Server, caller: str, line: str = "", trunk: str = "") -> None:
        dialled = messages.user_of(server.request.uri)
        try:
            sdp.answer(server.request.body, ("127.0.0.1", 9), 0)
        except ProtocolError:
            self._answer(server, 488, "Not Acceptable Here")
            return
        if not dialled:
            self._answer(server, 404, "Not Found")
            return
        try:
            stream = self._open()
        except OSError:
            self._answer(server, 503, "Service Unavailable")
            return
        leg = Incoming(self, server, stream)
        stream.pressed = leg.pressed
        leg.trunk, leg.may_refer = trunk, bool(line)
        if trunk:
            self.trunks[trunk].calls += 1
        self._calls[leg.call] = leg
        self._dialogs[leg.dialog.call_id, leg.dialog.local_tag] = leg
        self._answer(server, 100, "Trying")
        self.tell(Came(leg.call, caller, dialled, line))

    def _answer(self, server: Server, status: int, reason: str) -> None:
        answer = messages.response(server.request, status, reason, new_tag() if status > 100 else "")
        answer.headers.set_single("Allow", ALLOW)
        answer.headers.set_single("Server", AGENT)
        self.transactions.respond(server, answer, self.now())


def _holds(network: IPv4Network, host: str) -> bool:
    return IPv4Address(host) in network


def _hidden(host: str) -> str:
    return f'"Anonymous" <sip:anonymous@{host}>'


def _caller(request: SipRequest) -> str:
    """The number that calls over a trunk: what the network asserts, else From; nothing where it is to stay
    hidden."""
    if "id" in (request.headers.get_first("privacy") or "").lower().replace(" ", "").split(";"):
        return ""
    asserted = request.headers.get_first("p-asserted-identity")
    value = asserted or request.headers.get_first("from") or ""
    user = messages.user_of(uri_of(value))
    return "" if user.lower() == "anonymous" else user
