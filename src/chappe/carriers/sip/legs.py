"""One leg as a dialog of SIP (RFC 3261, section 12): what both sides may ask while it is there, and its
end."""

from collections.abc import Callable
from secrets import randbits, token_hex
from typing import Protocol

from aiosipua import Dialog, SipRequest, SipResponse

from chappe.carriers.sip.streams import Stream
from chappe.carriers.sip.words import Event, Happened
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.protocols.errors import ProtocolError
from chappe.protocols.sip import referring, sdp
from chappe.protocols.sip.messages import call_id, cseq, response, tag
from chappe.protocols.sip.transactions import Address, Server, Transactions

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, REFER, SUBSCRIBE"
AGENT = "chappe"
_SILENCE = 30.0
"""Seconds without a packet of sound after which the other side is asked whether it is still there (our
choice)."""


class Desk(Protocol):
    """What legs need of their agent."""

    @property
    def transactions(self) -> Transactions: ...

    def now(self) -> float: ...

    def later(self, seconds: float, what: Callable[[], None]) -> None: ...

    def here(self, to: Address) -> Address:
        """Our address, as somebody sees it."""
        ...

    def send(self, data: bytes, to: Address) -> None: ...

    def tell(self, event: Event) -> None: ...

    def went_up(self, leg: "Leg") -> None: ...

    def went_down(self, leg: "Leg") -> None: ...

    def referred(self, leg: "Leg", wanted: referring.Wanted) -> None:
        """The other side of a leg gives its partner away."""
        ...


class Leg:
    """What legs of both directions have in common. `to` is where its requests go: always where the other
    side's came from or went to, which also reaches telephones behind routers."""

    def __init__(self, desk: Desk, leg_id: int, dialog: Dialog, to: Address, stream: Stream) -> None:
        self.desk = desk
        self.id = leg_id
        self.dialog = dialog
        self.to = to
        self.stream = stream
        self.trunk = ""
        self.may_refer = False
        self.server: Server | None = None  # the last INVITE of the other side
        self.is_up = self.is_over = False
        self.session, self.version = randbits(31), 1
        self._asked_at = desk.now()
        self._waits_for_offer = False
        self._refers, self._event = 0, ""  # the subscription of a REFER that goes on

    # --- what the platform hears

    def tell(self, kind: LegEventKind, cause: HangUpCause | None = None, key: str = "") -> None:
        """Tell something of the leg."""
        self.desk.tell(Happened(self.id, kind.value, "" if cause is None else cause.value, key))

    def go_up(self, agreed: sdp.Agreed) -> None:
        """Somebody has answered."""
        self.is_up = True
        self.dialog.confirm()
        self.stream.agree(agreed, self.to[0])
        self._asked_at = self.desk.now()
        self.desk.went_up(self)

    def end(self, cause: HangUpCause) -> None:
        """It is over."""
        if self.is_over:
            return
        self.is_over = True
        self.desk.went_down(self)
        self.tell(LegEventKind.ENDED, cause)

    def pressed(self, key: str) -> None:
        """The other side has pressed a key."""
        if self.is_up and not self.is_over and key:
            self.tell(LegEventKind.KEY, key=key)

    # --- what we ask

    def request(self, method: str) -> SipRequest:
        """A request within the dialog."""
        host, port = self.desk.here(self.to)
        request = self.dialog.create_request(method, via_host=host, via_port=port)
        if method not in ("BYE", "CANCEL"):
            request.headers.set_single("Contact", f"<sip:{host}:{port}>")
        request.headers.set_single("User-Agent", AGENT)
        return request

    def say_bye(self, cause: HangUpCause = HangUpCause.NORMAL) -> None:
        """Tell the other side that it is over."""
        self._referred("200 OK" if cause is HangUpCause.TRANSFERRED else "603 Decline")
        bye = self.request("BYE")
        self.dialog.terminate()
        self.desk.transactions.request(bye, self.to, self.desk.now(), lambda _: None)

    def watch(self) -> None:
        """To be called about each second: is the other side still there?"""
        now = self.desk.now()
        if not self.is_up or now - max(self.stream.heard_at, self._asked_at) < _SILENCE:
            return
        self._asked_at = now
        self.desk.transactions.request(self.request("OPTIONS"), self.to, now, self._is_there)

    def _is_there(self, answer: SipResponse | None) -> None:
        if (answer is None or answer.status_code in (408, 481)) and not self.is_over:
            self.say_bye()
            self.end(HangUpCause.INTERRUPTED)

    # --- what the other side asks

    def asked(self, server: Server) -> None:
        """A request within the dialog."""
        request = server.request
        if tag(request, "from") != self.dialog.remote_tag:
            self._answer(server, 481, "Call/Transaction Does Not Exist")
            return
        number, _ = cseq(request)
        if number <= self.dialog.remote_cseq:
            self._answer(server, 500, "Server Internal Error")
            return
        self.dialog.remote_cseq = number
        match request.method:
            case "BYE":
                self._answer(server, 200, "OK")
                self.dialog.terminate()
                self.end(HangUpCause.NORMAL)
            case "INVITE" | "UPDATE":
                self._renegotiate(server)
            case "INFO":
                self._answer(server, 200, "OK")
                self.pressed(_key_in(request))
            case "OPTIONS":
                self._answer(server, 200, "OK")
            case "REFER":
                self._refer(server)
            case _:
                self._answer(server, 405, "Method Not Allowed")

    def acknowledged(self, ack: SipRequest) -> None:
        """The ACK of a 2xx of ours."""
        if self.server is not None:
            self.server.is_acknowledged = True
        if self._waits_for_offer and ack.body:
            self._waits_for_offer = False
            try:
                self.stream.agree(sdp.agreed(ack.body), self.to[0])
            except ProtocolError:
                self.say_bye()
                self.end(HangUpCause.FAILED)

    def _renegotiate(self, server: Server) -> None:
        """Put on hold, taken back, or moved to another address."""
        request = server.request
        if not self.is_up:
            self._answer(server, 491, "Request Pending")
            return
        here = (self.desk.here(self.to)[0], self.stream.port)
        self.version += 1
        body = b""
        if request.body:
            try:
                body, agreed = sdp.answer(request.body, here, self.session, self.version)
            except ProtocolError:
                self._answer(server, 488, "Not Acceptable Here")
                return
            self.stream.agree(agreed, self.to[0])
        elif request.method == "INVITE":
            body, self._waits_for_offer = sdp.offer(here, self.session, self.version), True
        if contact := request.headers.get_first("contact"):
            self.dialog.remote_target = uri_of(contact)
        answer = self.made(request, 200, "OK")
        if body:
            with_session(answer, body)
        if request.method == "INVITE":
            self.server = server
        self.desk.transactions.respond(server, answer, self.desk.now())

    def _refer(self, server: Server) -> None:
        """The other side wants to give its partner away (RFC 3515): it is told so at once what becomes of
        that, and let go as soon as it is done."""
        if not self.may_refer:
            self._answer(server, 603, "Decline")
            return
        if not self.is_up or self._event:
            self._answer(server, 491, "Request Pending")
            return
        try:
            wanted = referring.read(server.request)
        except ProtocolError:
            self._answer(server, 400, "Bad Request")
            return
        self._answer(server, 202, "Accepted")
        # Of several REFERs in a dialog each is known by its number but the first (section 2.4.6).
        self._event = f"refer;id={cseq(server.request)[0]}" if self._refers else "refer"
        self._refers += 1
        self._notify("active;expires=60", "100 Trying")
        self.desk.referred(self, wanted)

    def refuse_transfer(self) -> None:
        """What the last REFER asked for is not done; the call goes on."""
        self._referred("603 Decline")

    def _referred(self, status: str) -> None:
        if self._event:
            self._notify("terminated;reason=noresource", status)
            self._event = ""

    def _notify(self, state: str, status: str) -> None:
        notify = self.request("NOTIFY")
        notify.headers.set_single("Event", self._event)
        notify.headers.set_single("Subscription-State", state)
        notify.headers.set_single("Content-Type", referring.SIPFRAG)
        notify.body = f"SIP/2.0 {status}\r\n".encode()
        self.desk.transactions.request(notify, self.to, self.desk.now(), lambda _: None)

    def made(self, request: SipRequest, status: int, reason: str) -> SipResponse:
        """An answer with our tag and contact."""
        answer = response(request, status, reason, self.dialog.local_tag)
        host, port = self.desk.here(self.to)
        answer.headers.set_single("Contact", f"<sip:{host}:{port}>")
        answer.headers.set_single("Allow", ALLOW)
        answer.headers.set_single("Server", AGENT)
        return answer

    def _answer(self, server: Server, status: int, reason: str) -> None:
        answer = self.made(server.request, status, reason)
        self.desk.transactions.respond(server, answer, self.desk.now())


def with_session(message: SipRequest | SipResponse, body: bytes) -> None:
    """Put the description of a session into a message."""
    message.body = body
    message.headers.set_single("Content-Type", "application/sdp")


def uri_of(header: str) -> str:
    """The URI within `"name" <uri>;parameters`."""
    inside = header.partition("<")[2].partition(">")[0] if "<" in header else header.partition(";")[0]
    return inside.strip()


def new_tag() -> str:
    """A name for our end of a dialog."""
    return token_hex(8)


def new_branch() -> str:
    """A name for a transaction (RFC 3261, section 8.1.1.7)."""
    return f"z9hG4bK{token_hex(8)}"


def new_call_id() -> str:
    """A Call-ID."""
    return token_hex(16)


def dialog_key(request: SipRequest) -> tuple[str, str]:
    """By what a leg is found: Call-ID and our tag."""
    return call_id(request), tag(request, "to")


def _key_in(request: SipRequest) -> str:
    """The key of `application/dtmf-relay` (no RFC; as Cisco and Asterisk write it) or `application/dtmf`."""
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    text = request.text[:200]
    if kind == "application/dtmf":
        key = text.strip()
    elif kind == "application/dtmf-relay":
        lines = dict(line.partition("=")[::2] for line in text.lower().splitlines())
        key = lines.get("signal", "").strip()
    else:
        return ""
    return key.upper() if len(key) == 1 and key.upper() in "0123456789*#ABCD" else ""
