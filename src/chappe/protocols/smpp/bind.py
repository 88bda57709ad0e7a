"""One SMPP bind without sockets, either side of it: bytes and the time in, events and bytes out.

The owner gives it what arrived (`receive`), what the clock says (`tick`, at the latest at `wake_at`) and what
it wants sent; after each of these it writes `outgoing()` in one go. Times are seconds of a clock that never
goes back. A window of requests may be unanswered; each carries a tag of the owner's that comes back with its
answer.

States (SMPP 3.4, 2.2): open, bound as transmitter, receiver or transceiver, unbinding, closed.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

from chappe.protocols.errors import ProtocolError
from chappe.protocols.smpp.bodies import Body, Empty, Login, Named, Welcome
from chappe.protocols.smpp.codes import RESPONSE, VERSION, Command, Status, Tag, status_name
from chappe.protocols.smpp.fields import Tlvs, tlv_number
from chappe.protocols.smpp.pdus import (
    HEADER,
    MOST_OCTETS,
    decode_body,
    decode_message,
    decode_named,
    encode_body,
)

T = TypeVar("T")

_SUBMIT_SM_RESP = int(Command.SUBMIT_SM_RESP)
_LAST_SEQUENCE = 0x7FFFFFFF  # SMPP 3.4, 3.2


class Side(Enum):
    """CLIENT: the ESME, which binds. NETWORK: the message centre, which is bound to."""

    CLIENT = "client"
    NETWORK = "network"


class State(Enum):
    """What the bind may carry (SMPP 3.4, 2.2); UNBINDING and CLOSED carry nothing any more."""

    OPEN = "open"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"
    TRANSCEIVER = "transceiver"
    UNBINDING = "unbinding"
    CLOSED = "closed"


_BINDS = {
    Command.BIND_TRANSMITTER: State.TRANSMITTER,
    Command.BIND_RECEIVER: State.RECEIVER,
    Command.BIND_TRANSCEIVER: State.TRANSCEIVER,
}
_BIND_OF = {state: command for command, state in _BINDS.items()}
_SENDING = frozenset({State.TRANSMITTER, State.TRANSCEIVER})
_RECEIVING = frozenset({State.RECEIVER, State.TRANSCEIVER})

# In which states of the bind each side may be asked what (SMPP 3.4, table 2-1).
_MAY_ASK = {
    Side.NETWORK: dict.fromkeys(
        (
            Command.SUBMIT_SM,
            Command.SUBMIT_MULTI,
            Command.DATA_SM,
            Command.QUERY_SM,
            Command.CANCEL_SM,
            Command.REPLACE_SM,
        ),
        _SENDING,
    )
    | dict.fromkeys(_BINDS, frozenset({State.OPEN})),
    Side.CLIENT: dict.fromkeys((Command.DELIVER_SM, Command.DATA_SM, Command.ALERT_NOTIFICATION), _RECEIVING)
    | {Command.OUTBIND: frozenset({State.OPEN})},
}
_UNANSWERED_BY_RIGHT = frozenset({Command.ALERT_NOTIFICATION, Command.OUTBIND})


class Bound(Struct, frozen=True):
    """The network took our bind; `system_id` is its name, `version` what it says it speaks."""

    system_id: str
    version: int | None


class Answered(Struct, Generic[T], frozen=True):
    """A request has its answer; `body` is that of a refusal as well."""

    tag: T
    status: int
    body: Body


class Unanswered(Struct, Generic[T], frozen=True):
    """A request got no answer in time: what became of it nobody knows."""

    tag: T


class Asked(Struct, frozen=True, gc=False):
    """The other side asks something; the owner answers it by `answer`."""

    command: Command
    sequence: int
    body: Body


class Broken(Struct, frozen=True):
    """The bind has ended, in words why; `status` is the network's where it refused the bind. The owner writes
    what is still outgoing, closes the connection and asks for what is `lost`."""

    reason: str
    status: int = 0


Event = Bound | Answered[T] | Unanswered[T] | Asked | Broken


class Timing(Struct, frozen=True):
    """Seconds: without a word from the other side until it is asked for one; until an answer is missed."""

    enquire_link: float = 30.0
    response: float = 30.0


class Bind(Generic[T]):
    """See the module. `stray` counts answers to nothing: late ones and second ones."""

    def __init__(self, side: Side, now: float, window: int = 10, timing: Timing | None = None) -> None:
        self.side = side
        self.state = State.OPEN
        self.window = window
        self.stray = 0
        self._timing = timing or Timing()
        self._out: list[bytes] = []
        self._rest = b""
        self._sequence = 0
        self._pending: dict[int, tuple[T, float]] = {}
        self._heard_at = now
        self._opened_at = now
        self._enquiry: tuple[int, float] | None = None
        self._asked_bind: tuple[int, State] | None = None
        self._unbind_at = 0.0

    # --- what the owner wants sent

    @property
    def room(self) -> int:
        """How many more requests the window takes at this moment."""
        if self.state not in (_SENDING if self.side is Side.CLIENT else _RECEIVING):
            return 0
        return max(0, self.window - len(self._pending))

    @property
    def unanswered(self) -> int:
        """Requests on their way."""
        return len(self._pending)

    def outgoing(self) -> bytes:
        """Everything that is to be written, in one piece; the next call has what came since."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def login(self, kind: State, login: Login) -> None:
        """Ask the network to be bound as transmitter, receiver or transceiver."""
        self._asked_bind = (self._put(_BIND_OF[kind], encode_body(login)), kind)

    def ask(self, command: Command, requests: Iterable[tuple[T, bytes]], now: float) -> None:
        """Send requests, each a tag and the bytes of its body; the owner keeps to `room`."""
        sequence, pending, put, pack = self._sequence, self._pending, self._out.append, HEADER.pack
        for tag, body in requests:
            sequence = sequence + 1 if sequence < _LAST_SEQUENCE else 1
            pending[sequence] = (tag, now)
            put(pack(16 + len(body), command, 0, sequence))
            put(body)
        self._sequence = sequence

    def answer(self, asked: Asked, status: int = 0, body: Body | None = None) -> None:
        """Answer what was asked; without a body the one of a refusal, or of a message without a name."""
        if body is None:
            coded = b"\0" if asked.command in _NAMED and not status else b""
        else:
            coded = encode_body(body)
        self._out.append(HEADER.pack(16 + len(coded), asked.command | RESPONSE, status, asked.sequence))
        self._out.append(coded)

    def acknowledge(self, asked: Sequence[Asked], status: int = 0) -> None:
        """Answer many deliver_sm or data_sm; the name in the answer is empty (SMPP 3.4, 4.6.2)."""
        self._out += [HEADER.pack(17, one.command | RESPONSE, status, one.sequence) + b"\0" for one in asked]

    def welcome(self, asked: Asked, system_id: str) -> None:
        """Take the bind that was asked for."""
        self.state = _BINDS[asked.command]
        tlvs: Tlvs = ()
        if isinstance(asked.body, Login) and asked.body.interface_version >= VERSION:
            tlvs = ((Tag.SC_INTERFACE_VERSION, bytes((VERSION,))),)  # SMPP 3.4, 4.1.1: not for older ones
        self.answer(asked, body=Welcome(system_id, tlvs))

    def unbind(self, now: float) -> None:
        """Say good-bye; Broken comes when the other side has answered, or not in time."""
        if self.state not in (State.UNBINDING, State.CLOSED):
            self.state, self._unbind_at = State.UNBINDING, now
            self._put(Command.UNBIND, b"")

    def lost(self) -> list[T]:
        """Close, the connection being gone; the tags of the requests whose fate is unknown."""
        self.state = State.CLOSED
        tags = [tag for tag, _ in self._pending.values()]
        self._pending.clear()
        return tags

    # --- time

    def wake_at(self) -> float:
        """When `tick` has something to do at the latest."""
        response = self._timing.response
        if self.state is State.UNBINDING:
            return self._unbind_at + response
        if self.state is State.OPEN:
            return self._opened_at + response
        at = self._heard_at + self._timing.enquire_link
        if self._enquiry is not None:
            at = self._enquiry[1] + response
        for _, sent_at in self._pending.values():
            return min(at, sent_at + response)  # the first is the oldest
        return at

    def tick(self, now: float) -> list[Event[T]]:
        """What the passing of time means."""
        response = self._timing.response
        events: list[Event[T]] = []
        overdue: list[int] = []
        for sequence, (_, sent_at) in self._pending.items():
            if sent_at + response > now:
                break
            overdue.append(sequence)
        events += [Unanswered(self._pending.pop(sequence)[0]) for sequence in overdue]
        match self.state:
            case State.CLOSED:
                pass
            case State.UNBINDING:
                if now >= self._unbind_at + response:
                    events.append(self._broken(f"no answer to unbind within {response:g} seconds"))
            case State.OPEN:
                if now >= self._opened_at + response:
                    events.append(self._broken(f"no bind within {response:g} seconds"))
            case State.TRANSMITTER | State.RECEIVER | State.TRANSCEIVER:
                if self._enquiry is not None:
                    if now >= self._enquiry[1] + response:
                        why = f"the line is dead: no answer to enquire_link within {response:g} seconds"
                        events.append(self._broken(why))
                elif now >= self._heard_at + self._timing.enquire_link:
                    self._enquiry = (self._put(Command.ENQUIRE_LINK, b""), now)
        return events

    # --- what arrives

    def receive(self, data: bytes, now: float) -> list[Event[T]]:
        """What these bytes mean, all whole units at once; the beginning of a unit waits for its rest."""
        self._heard_at = now
        if self._enquiry is not None and data:
            self._enquiry = None  # any word shows that the line lives
        data = self._rest + data if self._rest else data
        events: list[Event[T]] = []
        at, size, pending, unpack = 0, len(data), self._pending, HEADER.unpack_from
        hot = self._most_asked()
        while size - at >= 16 and self.state is not State.CLOSED:
            length, number, status, sequence = unpack(data, at)
            if not 16 <= length <= MOST_OCTETS:
                self._nack(sequence, Status.ESME_RINVCMDLEN)
                events.append(self._broken(f"garbage: a unit of {length} octets"))
                break
            if length > size - at:
                break
            body = data[at + 16 : at + length]
            at += length
            # The way of every message, hence ahead of the others.
            if hot is not None and number == hot:
                try:
                    events.append(Asked(hot, sequence, decode_message(body)))
                    continue
                except (IndexError, ValueError, ProtocolError):
                    pass  # the long way says what is wrong
            if number == _SUBMIT_SM_RESP and status == 0:
                sent = pending.pop(sequence, None)
                if sent is None:
                    self.stray += 1
                    continue
                try:
                    events.append(Answered(sent[0], 0, decode_named(body)))
                except ProtocolError:
                    events.append(Answered(sent[0], 0, Named(body.partition(b"\0")[0].decode("latin-1"))))
                continue
            try:
                command = Command(number)
            except ValueError:
                if number & RESPONSE:
                    self.stray += 1
                else:
                    self._nack(sequence, Status.ESME_RINVCMDID)
                continue
            if command & RESPONSE:
                self._take_answer(command, status, sequence, body, events)
            else:
                self._take_request(command, sequence, body, now, events)
        self._rest = data[at:] if at < size else b""
        return events

    def _most_asked(self) -> Command | None:
        """The request that this bind is there to hear, if any."""
        if self.side is Side.CLIENT:
            return Command.DELIVER_SM if self.state in _RECEIVING else None
        return Command.SUBMIT_SM if self.state in _SENDING else None

    def _take_answer(
        self, command: Command, status: int, sequence: int, body: bytes, events: list[Event[T]]
    ) -> None:
        if self._asked_bind is not None and sequence == self._asked_bind[0]:
            kind, self._asked_bind = self._asked_bind[1], None
            events.append(self._bound(kind, command, status, body))
            return
        if command is Command.UNBIND_RESP and self.state is State.UNBINDING:
            events.append(self._broken("unbound"))
            return
        sent = self._pending.pop(sequence, None)
        if sent is None:
            # enquire_link_resp has done its work by being heard.
            self.stray += command is not Command.ENQUIRE_LINK_RESP
            return
        if command is Command.GENERIC_NACK and not status:
            status = Status.ESME_RUNKNOWNERR
        try:
            events.append(Answered(sent[0], status, decode_body(command, status, body)))
        except ProtocolError:
            # It was answered, whatever the bytes behind the status are.
            events.append(Answered(sent[0], status, Empty()))

    def _bound(self, kind: State, command: Command, status: int, body: bytes) -> Event[T]:
        if status or command is Command.GENERIC_NACK:
            status = status or Status.ESME_RUNKNOWNERR
            return self._broken(f"the network refused the bind: {status_name(status)}", status)
        self.state = kind
        try:
            found = decode_body(command, status, body)
        except ProtocolError:
            found = Empty()
        if not isinstance(found, Welcome):
            return Bound("", None)
        return Bound(found.system_id, tlv_number(found.tlvs, Tag.SC_INTERFACE_VERSION))

    def _take_request(
        self, command: Command, sequence: int, body: bytes, now: float, events: list[Event[T]]
    ) -> None:
        if command is Command.ENQUIRE_LINK or command is Command.UNBIND:
            self._out.append(HEADER.pack(16, command | RESPONSE, 0, sequence))
            if command is Command.UNBIND:
                events.append(self._broken("the other side unbound"))
            return
        states = _MAY_ASK[self.side].get(command)
        if states is None or self.state not in states:
            if command not in _UNANSWERED_BY_RIGHT:
                wrong = Status.ESME_RINVCMDID if states is None else Status.ESME_RINVBNDSTS
                if self.state is not State.OPEN and command in _BINDS:
                    wrong = Status.ESME_RALYBND
                self._out.append(HEADER.pack(16, command | RESPONSE, wrong, sequence))
            return
        try:
            events.append(Asked(command, sequence, decode_body(command, 0, body)))
        except ProtocolError:
            # Our choice of status: the fields are fewer than command_length promised.
            if command not in _UNANSWERED_BY_RIGHT:
                wrong = Status.ESME_RINVCMDLEN
                self._out.append(HEADER.pack(16, command | RESPONSE, wrong, sequence))

    # --- within

    def _put(self, command: Command, body: bytes) -> int:
        self._sequence = self._sequence + 1 if self._sequence < _LAST_SEQUENCE else 1
        self._out.append(HEADER.pack(16 + len(body), command, 0, self._sequence))
        self._out.append(body)
        return self._sequence

    def _nack(self, sequence: int, status: Status) -> None:
        self._out.append(HEADER.pack(16, Command.GENERIC_NACK, status, sequence))

    def _broken(self, reason: str, status: int = 0) -> Broken:
        self.state = State.CLOSED
        return Broken(reason, status)


_NAMED = frozenset({Command.SUBMIT_SM, Command.DELIVER_SM, Command.DATA_SM})
