"""A leg that came to us: its INVITE waits for what the platform wants with it."""

from aiosipua import create_dialog_from_request

from chappe.carriers.sip.causes import refusal
from chappe.carriers.sip.legs import Desk, Leg, new_tag, with_session
from chappe.carriers.sip.streams import Stream
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.protocols.errors import ProtocolError
from chappe.protocols.sip import sdp
from chappe.protocols.sip.transactions import Server


class Incoming(Leg):
    """`call` names it until the platform has given it an id; what happens before is told then."""

    def __init__(self, desk: Desk, server: Server, stream: Stream) -> None:
        dialog = create_dialog_from_request(server.request, local_tag=new_tag())
        super().__init__(desk, 0, dialog, server.source, stream)
        self.call = dialog.local_tag
        self._invite = self.server = server
        self._untold: list[tuple[LegEventKind, HangUpCause | None, str]] = []
        server.unacknowledged = self._unacknowledged

    def adopt(self, leg_id: int) -> None:
        """The platform knows it by this id."""
        self.id = leg_id
        untold, self._untold = self._untold, []
        for one in untold:
            self.tell(*one)

    def tell(self, kind: LegEventKind, cause: HangUpCause | None = None, key: str = "") -> None:
        """See Leg."""
        if self.id:
            super().tell(kind, cause, key)
        else:
            self._untold.append((kind, cause, key))

    def alert(self) -> None:
        """Say that it rings."""
        if not self.is_up and not self.is_over:
            self._respond(180, "Ringing")

    def answer(self) -> None:
        """Take it."""
        if self.is_up or self.is_over:
            return
        here = (self.desk.here(self.to)[0], self.stream.port)
        try:
            body, agreed = sdp.answer(self._invite.request.body, here, self.session, self.version)
        except ProtocolError:
            self._respond(488, "Not Acceptable Here")
            self.end(HangUpCause.FAILED)
            return
        self._respond(200, "OK", body)
        self.go_up(agreed)
        self.tell(LegEventKind.ANSWERED)

    def hang_up(self, cause: HangUpCause) -> None:
        """End it, or turn it away."""
        if self.is_over:
            return
        if self.is_up:
            self.say_bye(cause)
        else:
            self._respond(*refusal(cause))
        self.end(cause)

    def cancel(self) -> None:
        """Whoever called has given it up."""
        if self.is_up or self.is_over:
            return
        self._respond(487, "Request Terminated")
        self.end(HangUpCause.CANCELLED)

    def _unacknowledged(self) -> None:
        if self.is_up and not self.is_over:
            self.say_bye()
            self.end(HangUpCause.INTERRUPTED)

    def _respond(self, status: int, reason: str, body: bytes = b"") -> None:
        answer = self.made(self._invite.request, status, reason)
        for route in self._invite.request.headers.get("record-route"):
            answer.headers.append("Record-Route", route)
        if body:
            with_session(answer, body)
        self.desk.transactions.respond(self._invite, answer, self.desk.now())
