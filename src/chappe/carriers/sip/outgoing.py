"""A leg that we ring: its INVITE, what comes of it, and giving it up."""

from typing import NamedTuple

from aiosipua import Dialog, SipDigestAuth, SipRequest, SipResponse
from aiosipua.auth import answer_challenge

from chappe.carriers.sip.causes import cause_of
from chappe.carriers.sip.legs import ALLOW, Desk, Leg, new_call_id, new_tag, uri_of, with_session
from chappe.carriers.sip.streams import Stream
from chappe.model.calls import HangUpCause, LegEventKind
from chappe.protocols.errors import ProtocolError
from chappe.protocols.sip import sdp
from chappe.protocols.sip.messages import serialized, tag
from chappe.protocols.sip.transactions import Address, Client

_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
"""Why a telephone rings no more that need not show a missed call (RFC 3326)."""


class Way(NamedTuple):
    """How a number is reached: the URI that is rung, the address where the request goes, who rings (From, and
    further headers), and the credentials for it, if any."""

    uri: str
    to: Address
    caller: str
    headers: dict[str, str]
    credentials: SipDigestAuth | None = None
    trunk: str = ""


class Outgoing(Leg):
    """Its end is told at once when we ask for it; what SIP still needs for that goes on behind."""

    def __init__(self, desk: Desk, leg_id: int, way: Way, stream: Stream) -> None:
        uri = way.caller.partition("<")[2].partition(">")[0]
        dialog = Dialog(new_call_id(), new_tag(), "", uri, way.uri, way.uri)
        super().__init__(desk, leg_id, dialog, way.to, stream)
        self.trunk = way.trunk
        self.may_refer = not way.trunk
        self._way = way
        self._client: Client | None = None
        self._is_heard = self._is_cancelled = self._has_proven = self._rings = False
        self._is_ended = False
        self._why = HangUpCause.CANCELLED

    def ring(self, seconds: float) -> None:
        """Ring for so long."""
        self._invite(None)
        self.desk.later(seconds, self._ring_over)

    def _ring_over(self) -> None:
        if not self.is_up:
            self.hang_up(HangUpCause.NO_ANSWER)

    def _invite(self, proof: tuple[str, str] | None) -> None:
        invite = self.request("INVITE")
        invite.headers.set_single("From", f"{self._way.caller};tag={self.dialog.local_tag}")
        invite.headers.set_single("Allow", ALLOW)
        for name, value in self._way.headers.items():
            invite.headers.set_single(name, value)
        if proof is not None:
            invite.headers.set_single(*proof)
        here = (self.desk.here(self.to)[0], self.stream.port)
        with_session(invite, sdp.offer(here, self.session))
        self._client = self.desk.transactions.request(invite, self.to, self.desk.now(), self._told)

    def hang_up(self, cause: HangUpCause) -> None:
        """End it."""
        if self.is_over:
            return
        self._why = cause
        if self.is_up:
            self.say_bye(cause)
        elif self._is_heard:
            self._cancel()
        # An INVITE must not be cancelled before anybody has answered it (section 9.1): see `_told`.
        self.end(cause)

    def _cancel(self) -> None:
        if self._client is None or self._is_cancelled:
            return
        self._is_cancelled = True
        invite = self._client.request
        cancel = SipRequest(method="CANCEL", uri=invite.uri)
        for name in ("Via", "From", "To", "Call-ID", "Max-Forwards"):
            cancel.headers.set_single(name, invite.headers.get_first(name) or "")
        cancel.headers.set_single("CSeq", f"{self.dialog.local_cseq} CANCEL")
        if self._why is HangUpCause.ANSWERED_ELSEWHERE:
            cancel.headers.set_single("Reason", _ELSEWHERE)
        self.desk.transactions.request(cancel, self.to, self.desk.now(), lambda _: None)

    def _told(self, answer: SipResponse | None) -> None:
        if answer is None:
            self.end(HangUpCause.UNREACHABLE)
        elif answer.status_code < 200:
            self._is_heard = True
            if self.is_over:
                self._cancel()
            elif answer.status_code in (180, 183) and not self._rings:
                self._rings = True
                self.tell(LegEventKind.RINGING)
        elif answer.status_code < 300:
            self._answered(answer)
        elif not self._prove(answer):
            self.end(cause_of(answer.status_code))

    def _prove(self, answer: SipResponse) -> bool:
        """Ring again with a proof of who we are."""
        status, credentials = answer.status_code, self._way.credentials
        if status not in (401, 407) or credentials is None or self._has_proven or self.is_over:
            return False
        self._has_proven = True
        proof = answer_challenge(credentials, answer, status, "INVITE", self._way.uri)
        if proof is None:
            return False
        self._invite(proof)
        return True

    def _answered(self, answer: SipResponse) -> None:
        theirs = tag(answer, "to")
        if not self.dialog.remote_tag:
            self.dialog.remote_tag = theirs
            self.dialog.remote_target = uri_of(answer.headers.get_first("contact") or f"<{self._way.uri}>")
            self.dialog.route_set = list(reversed(answer.headers.get("record-route")))
        self._acknowledge(answer)
        if theirs != self.dialog.remote_tag or self.is_up or (self.is_over and self._is_ended):
            return
        if self.is_over:
            self._is_ended = True
            self.say_bye()  # it was answered while we gave it up
            return
        try:
            agreed = sdp.agreed(answer.body)
        except ProtocolError:
            self.say_bye()
            self.end(HangUpCause.FAILED)
            return
        self.go_up(agreed)
        self.tell(LegEventKind.ANSWERED)

    def _acknowledge(self, answer: SipResponse) -> None:
        """The ACK of a 2xx (section 13.2.2.4), again for each that comes again."""
        number = self.dialog.local_cseq
        ack = self.request("ACK")
        self.dialog.local_cseq = number
        ack.headers.set_single("To", answer.headers.get_first("to") or "")
        invited = int((answer.headers.get_first("cseq") or "1").split()[0])
        ack.headers.set_single("CSeq", f"{invited} ACK")
        self.desk.send(serialized(ack), self.to)
