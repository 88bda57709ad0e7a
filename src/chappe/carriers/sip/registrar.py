"""Where the telephones of lines are: REGISTER requests, proven and answered (RFC 3261, section 10)."""

from aiosipua import SipRequest
from aiosipua.headers import parse_address

from chappe.carriers.sip.admission import Admission
from chappe.carriers.sip.legs import AGENT, Desk, new_tag, uri_of
from chappe.carriers.sip.proofs import Proofs
from chappe.carriers.sip.words import Telephone
from chappe.protocols.sip.messages import response
from chappe.protocols.sip.transactions import Server

_SHORTEST, _USUAL, _LONGEST = 60, 120, 600
"""Seconds for which a telephone may be registered; after so long a loss of all that we know is mended (our
choice)."""


class Registrar:
    """Telephones say here where they are; the platform remembers it."""

    def __init__(self, desk: Desk, admission: Admission, proofs: Proofs) -> None:
        self._desk = desk
        self._admission = admission
        self._proofs = proofs

    def asked(self, server: Server) -> None:
        """A REGISTER has come."""
        self._proofs.check(
            server.request,
            self._desk.now(),
            lambda line: self._proven(server, line),
            lambda is_stale: self.challenge(server, is_stale),
        )

    def challenge(self, server: Server, is_stale: bool = False) -> None:
        """Ask for a proof."""
        answer = response(server.request, 401, "Unauthorized", new_tag())
        answer.headers.set_single("WWW-Authenticate", self._proofs.challenge(self._desk.now(), is_stale))
        self._desk.transactions.respond(server, answer, self._desk.now())
        if server.request.method == "REGISTER":
            # Whoever asks without a proof costs no memory; asked again, it is challenged again.
            self._desk.transactions.forget(server)

    def refuse(self, server: Server) -> None:
        """A proof was wrong: the same answer as for no proof, so that nobody learns who is known here."""
        self._admission.failed(server.source[0], self._desk.now())
        self.challenge(server)

    def _proven(self, server: Server, line: str) -> None:
        if not line:
            self.refuse(server)
            return
        request, now = server.request, self._desk.now()
        contacts = request.headers.get("contact")
        wanted = _seconds(request)
        if wanted is None:
            self._answer(server, 400, "Bad Request")
            return
        if contacts and 0 < wanted < _SHORTEST:
            self._answer(server, 423, "Interval Too Brief", {"Min-Expires": str(_SHORTEST)})
            return
        uri = "" if not contacts or contacts[0].strip() == "*" else uri_of(contacts[0])
        if contacts and wanted and not uri.lower().startswith("sip:"):
            self._answer(server, 400, "Bad Request")
            return
        seconds = min(wanted, _LONGEST)
        if contacts:
            source = f"{server.source[0]}:{server.source[1]}"
            agent = request.headers.get_first("user-agent") or ""
            instance = parse_address(contacts[0]).params.get("+sip.instance") or ""
            self._desk.tell(Telephone(line, uri, source, seconds, agent, instance.strip('"<>')))
        if uri and seconds:
            self._admission.know(server.source[0], now + seconds)
            self._answer(server, 200, "OK", {"Contact": f"<{uri}>;expires={seconds}"})
        else:
            self._answer(server, 200, "OK")

    def _answer(self, server: Server, status: int, reason: str, more: dict[str, str] | None = None) -> None:
        answer = response(server.request, status, reason, new_tag())
        answer.headers.set_single("Server", AGENT)
        for name, value in (more or {}).items():
            answer.headers.set_single(name, value)
        self._desk.transactions.respond(server, answer, self._desk.now())


def _seconds(request: SipRequest) -> int | None:
    """For how long a telephone wants to be registered; None for what is no number."""
    contacts = request.headers.get("contact")
    told = parse_address(contacts[0]).params.get("expires") if contacts else None
    text = told or request.headers.get_first("expires") or str(_USUAL)
    text = text.strip()
    return min(int(text), 2**31) if text.isascii() and text.isdigit() and len(text) <= 10 else None
