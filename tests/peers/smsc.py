"""Plays a message centre, on our own protocol module seen from the other side; a test says how it behaves.

async with an_smsc() as smsc:
    smsc.answers = [refuse(Status.ESME_RTHROTTLED), accept]     # the last one goes on for ever
    ...
    await smsc.until(lambda: len(smsc.submitted) == 2)
    smsc.bring(a_receipt("1"))
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chappe.protocols.smpp.bind import Answered, Asked, Bind, Broken, Side, State, Timing
from chappe.protocols.smpp.bodies import Body, Data, Login, Named, ShortMessage
from chappe.protocols.smpp.codes import Command, Tag
from chappe.protocols.smpp.fields import Tlvs
from chappe.protocols.smpp.pdus import Pdu, encode, encode_body

Behaviour = Callable[["Session", Asked], None]


def accept(session: "Session", asked: Asked) -> None:
    """Take the message under the next number."""
    session.bind.answer(asked, body=Named(session.smsc.next_id()))


def accept_as(*ids: str) -> Behaviour:
    """Take messages under these names, one after the other."""
    names = iter(ids)
    return lambda session, asked: session.bind.answer(asked, body=Named(next(names)))


def refuse(status: int) -> Behaviour:
    """Refuse with a status."""
    return lambda session, asked: session.bind.answer(asked, status)


def ignore(session: "Session", asked: Asked) -> None:
    """Never answer."""


def keep(session: "Session", asked: Asked) -> None:
    """Answer later, when the test says so: `session.accept_kept()`."""
    session.kept.append(asked)


def twice(session: "Session", asked: Asked) -> None:
    """Answer twice, with different names."""
    accept(session, asked)
    accept(session, asked)


def receipt_first(session: "Session", asked: Asked) -> None:
    """Send the receipt, then the answer."""
    name = session.smsc.next_id()
    session.bring(a_receipt(name))
    session.bind.answer(asked, body=Named(name))


def drop(session: "Session", asked: Asked) -> None:
    """Close the connection instead of answering."""
    session.close()


def drop_in_the_middle(session: "Session", asked: Asked) -> None:
    """Send half an answer and close the connection."""
    whole = encode(Pdu(Command.SUBMIT_SM_RESP, asked.sequence, Named("0123456789")))
    session.write(whole[: len(whole) // 2])
    session.close()


def garbage(session: "Session", asked: Asked) -> None:
    """Send bytes that are no unit."""
    session.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def a_receipt(
    name: str,
    word: str = "DELIVRD",
    *,
    error: str = "000",
    esm_class: int = 0x04,
    text: str | None = None,
    tlvs: Tlvs = (),
) -> ShortMessage:
    """A receipt in the customary form (SMPP 3.4, appendix B)."""
    if text is None:
        text = (
            f"id:{name} sub:001 dlvrd:001 submit date:2603020900 done date:2603020901"
            f" stat:{word} err:{error} text:Hello"
        )
    return ShortMessage(
        source_ton=1,
        source_npi=1,
        source="33612345678",
        dest="20345",
        esm_class=esm_class,
        short_message=text.encode("latin-1"),
        tlvs=tlvs,
    )


def a_message(text: bytes, coding: int = 0, *, esm_class: int = 0, tlvs: Tlvs = ()) -> ShortMessage:
    """A message from a mobile to a short code."""
    return ShortMessage(
        source_ton=1,
        source_npi=1,
        source="33612345678",
        dest="20345",
        esm_class=esm_class,
        data_coding=coding,
        short_message=text,
        tlvs=tlvs,
    )


def receipt_tlvs(name: str, state: int) -> Tlvs:
    """A receipt's optional parameters (SMPP 3.4, 5.3.2.12 and 5.3.2.35)."""
    return (
        (Tag.RECEIPTED_MESSAGE_ID, name.encode() + b"\0"),
        (Tag.MESSAGE_STATE, bytes((state,))),
    )


class Session(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, smsc: "Smsc") -> None:
        self.smsc = smsc
        self.bind: Bind[int] = Bind(Side.NETWORK, 0.0, 100_000, Timing(1e9, 1e9))
        self.kept: list[Asked] = []
        self.statuses: list[int] = []
        self.login: Login | None = None
        self.is_open = False
        self.ended = ""
        self._transport: asyncio.Transport | None = None

    @property
    def kind(self) -> State:
        return self.bind.state

    def bring(self, *bodies: Body, command: Command = Command.DELIVER_SM) -> None:
        """Bring receipts or messages; their answers' statuses are kept in `statuses`."""
        self.bind.ask(command, [(0, encode_body(body)) for body in bodies], 0.0)
        self.flush()

    def accept_kept(self, count: int | None = None) -> None:
        """Take what was kept, the first `count` of it."""
        now, self.kept = self.kept[:count], [] if count is None else self.kept[count:]
        for asked in now:
            accept(self, asked)
        self.flush()

    def write(self, data: bytes) -> None:
        self.flush()
        assert self._transport is not None
        self._transport.write(data)

    def flush(self) -> None:
        if self._transport is not None:
            self._transport.write(self.bind.outgoing())

    def close(self) -> None:
        if self._transport is not None:
            self.flush()
            self._transport.close()

    def stop_reading(self) -> None:
        assert self._transport is not None
        self._transport.pause_reading()

    def read_on(self) -> None:
        assert self._transport is not None
        self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.is_open = True
        self.smsc.sessions.append(self)
        self.smsc.happened.set()

    def data_received(self, data: bytes) -> None:
        for event in self.bind.receive(data, 0.0):
            match event:
                case Asked(command, _, Login() as login):
                    self.login = login
                    self.smsc.on_bind(self, event)
                    self.smsc.binds.append(command)
                case Asked(_, _, ShortMessage() | Data() as body):
                    self.smsc.submitted.append(body)
                    self.smsc.next_behaviour()(self, event)
                case Answered(_, status, _):
                    self.statuses.append(status)
                case Broken(reason):
                    self.ended = reason
                    self.close()
        if self.is_open:
            self.flush()
        self.smsc.happened.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self.smsc.happened.set()


def welcome(session: Session, asked: Asked) -> None:
    """Take the bind."""
    session.bind.welcome(asked, "SMSC")


@dataclass
class Smsc:
    """The message centre: `answers` are behaviours, one a message, the last one repeated."""

    answers: list[Behaviour] = field(default_factory=lambda: [accept])
    on_bind: Behaviour = welcome
    sessions: list[Session] = field(default_factory=list)
    submitted: list[ShortMessage | Data] = field(default_factory=list)
    binds: list[Command] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    given: int = 0

    def next_id(self) -> str:
        self.given += 1
        return str(self.given)

    def next_behaviour(self) -> Behaviour:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def open(self) -> list[Session]:
        return [session for session in self.sessions if session.is_open]

    @property
    def statuses(self) -> list[int]:
        """How what we brought was answered, over all sessions."""
        return [status for session in self.sessions for status in session.statuses]

    def bring(self, *bodies: Body) -> None:
        """Bring receipts or messages over the first session that takes them."""
        taking = (State.RECEIVER, State.TRANSCEIVER)
        next(session for session in self.open if session.kind in taking).bring(*bodies)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(20):
            while not condition():
                self.happened.clear()
                await self.happened.wait()


@asynccontextmanager
async def an_smsc(
    answers: Sequence[Behaviour] = (accept,),
    *,
    on_bind: Behaviour = welcome,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Smsc]:
    """A message centre on a port of this machine, with TLS where it has a context."""
    smsc = Smsc(answers=list(answers), on_bind=on_bind)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(smsc), "127.0.0.1", 0, ssl=context)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
        for session in smsc.sessions:
            session.close()
