"""The lamps of telephones: how many messages wait for a line (RFC 3842). It is said when a telephone
registers, when it has subscribed to it (RFC 6665), and whenever it changes."""

from dataclasses import dataclass

from aiosipua import Dialog, SipResponse, create_dialog_from_request

from chappe.carriers.sip.legs import AGENT, Desk, new_call_id, new_tag
from chappe.carriers.sip.proofs import Proofs
from chappe.carriers.sip.registrar import Registrar
from chappe.carriers.sip.words import Lamp, Subscribed
from chappe.protocols.sip.messages import response, tag
from chappe.protocols.sip.transactions import Address, Server

EVENT = "message-summary"
_TYPE = "application/simple-message-summary"
_SHORTEST, _LONGEST = 60, 3600
_MOST = 5
"""Seconds that a subscription lasts, and how many a line has at once (our choice)."""

Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class _Subscription:
    line: str
    dialog: Dialog
    to: Address
    until: float


class Lamps:
    """Who wants to be told of which line's messages."""

    def __init__(self, desk: Desk, proofs: Proofs, registrar: Registrar) -> None:
        self._desk = desk
        self._proofs = proofs
        self._registrar = registrar
        self._subscriptions: dict[Key, _Subscription] = {}

    def asked(self, server: Server) -> None:
        """A SUBSCRIBE has come."""
        request = server.request
        if (request.headers.get_first("event") or "").partition(";")[0].strip() != EVENT:
            self._answer(server, 489, "Bad Event", new_tag(), {"Allow-Events": EVENT})
            return
        self._proofs.check(
            request,
            self._desk.now(),
            lambda line: self._proven(server, line),
            lambda is_stale: self._registrar.challenge(server, is_stale),
        )

    def _proven(self, server: Server, line: str) -> None:
        request, now = server.request, self._desk.now()
        if not line:
            self._registrar.refuse(server)
            return
        key = (request.headers.get_first("call-id") or "", tag(request, "from"))
        wanted = (request.headers.get_first("expires") or str(_LONGEST)).strip()
        seconds = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else _LONGEST
        seconds = 0 if seconds == 0 else max(_SHORTEST, min(seconds, _LONGEST))
        found = self._subscriptions.get(key)
        if found is None and tag(request, "to"):
            self._answer(server, 481, "Subscription Does Not Exist", "")
            return
        if found is None:
            self._make_room(line, now)
            dialog = create_dialog_from_request(request, local_tag=new_tag())
            found = self._subscriptions[key] = _Subscription(line, dialog, server.source, now)
        found.until, found.to = now + seconds, server.source
        host, port = self._desk.here(server.source)
        contact = {"Contact": f"<sip:{line}@{host}:{port}>", "Expires": str(seconds)}
        self._answer(server, 200, "OK", found.dialog.local_tag, contact)
        self._desk.tell(Subscribed(line))

    def _make_room(self, line: str, now: float) -> None:
        mine = [key for key, one in self._subscriptions.items() if one.line == line]
        for key in mine[: max(0, len(mine) - _MOST + 1)]:
            del self._subscriptions[key]
        for key in [key for key, one in self._subscriptions.items() if one.until < now]:
            del self._subscriptions[key]

    def show(self, word: Lamp) -> None:
        """Tell those who have subscribed, and other telephones that have registered, how many messages
        wait."""
        now = self._desk.now()
        told: set[Address] = set()
        for key, one in list(self._subscriptions.items()):
            if one.line != word.line:
                continue
            left = max(0, int(one.until - now))
            told.add(one.to)
            state = f"active;expires={left}" if left else "terminated;reason=timeout"
            self._notify(word, one.dialog, one.to, state, key)
            if not left:
                self._subscriptions.pop(key, None)
        for contact, source in word.contacts:
            host, _, port = source.rpartition(":")
            to = (host, int(port))
            if to not in told:
                own = f"sip:{word.line}@{self._desk.here(to)[0]}"
                dialog = Dialog(new_call_id(), new_tag(), "", own, own, contact)
                self._notify(word, dialog, to, "active", None)

    def _notify(self, word: Lamp, dialog: Dialog, to: Address, state: str, key: Key | None) -> None:
        host, port = self._desk.here(to)
        request = dialog.create_request("NOTIFY", via_host=host, via_port=port)
        request.headers.set_single("Contact", f"<sip:{word.line}@{host}:{port}>")
        request.headers.set_single("Event", EVENT)
        request.headers.set_single("Subscription-State", state)
        request.headers.set_single("User-Agent", AGENT)
        request.headers.set_single("Content-Type", _TYPE)
        request.body = summary(word, host)
        self._desk.transactions.request(request, to, self._desk.now(), lambda answer: self._told(answer, key))

    def _told(self, answer: SipResponse | None, key: Key | None) -> None:
        # Whoever knows of no subscription, or is gone, is told no more (RFC 6665, 4.2.2).
        if key is not None and (answer is None or answer.status_code in (404, 408, 480, 481)):
            self._subscriptions.pop(key, None)

    def _answer(
        self, server: Server, status: int, reason: str, to_tag: str, more: dict[str, str] | None = None
    ) -> None:
        answer = response(server.request, status, reason, to_tag)
        answer.headers.set_single("Server", AGENT)
        for name, value in (more or {}).items():
            answer.headers.set_single(name, value)
        self._desk.transactions.respond(server, answer, self._desk.now())


def summary(word: Lamp, host: str) -> bytes:
    """The body that tells of messages (RFC 3842, 5.2)."""
    waiting = "yes" if word.new else "no"
    account = f"sip:{word.line}@{host}"
    lines = (
        f"Messages-Waiting: {waiting}",
        f"Message-Account: {account}",
        f"Voice-Message: {word.new}/{word.old}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()
