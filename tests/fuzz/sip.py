"""Throws datagrams at the SIP agent, as a trunk's, a telephone's and a stranger's, and at SDP and RTP.

python -m tests.fuzz.sip [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys

import atheris

with atheris.instrument_imports(include=["chappe.protocols", "chappe.carriers.sip", "aiosipua"]):
    from chappe.protocols.errors import ProtocolError
    from chappe.protocols.rtp import Hearing
    from chappe.protocols.sip import messages, sdp
    from tests.carriers.sip.outside import SESSION, STRANGER, TRUNK, Desk, request

from chappe.carriers.sip.words import Came, Dial
from tests.fuzz.torture import FIT, UNFIT

PHONE = ("192.0.2.77", 5062)
SEEDS = (
    *FIT.values(),
    *UNFIT.values(),
    SESSION,
    *(request(one, body=SESSION) for one in ("INVITE", "BYE", "CANCEL", "REGISTER", "OPTIONS", "INFO")),
    b"\x80\x08\0\1\0\0\0\xa0\0\0\0\7" + bytes(160),
    b"\x80\xe5\0\1\0\0\0\xa0\0\0\0\7\5\x80\3\x20",
)


def one_input(data: bytes) -> None:
    """One run: as a message from everybody to an agent with two calls going on, as SDP, and as RTP."""
    desk = Desk()
    desk.agent.admission.know(PHONE[0], desk.outside.at + 60)
    desk.agent.dial(Dial(5, "33612345678", "", 30, False))
    desk.receive(request("INVITE", body=SESSION))
    came = next(one for one in desk.outside.told if isinstance(one, Came))
    desk.agent.adopt(came.call, 9)
    for source in (TRUNK, PHONE, STRANGER):
        desk.agent.receive(data, source)
    desk.answer_asks({})
    for leg_id in list(desk.agent.legs):
        leg = desk.agent.legs[leg_id]
        ours = f"{leg.dialog.call_id}".encode()
        within = data.replace(b"torture@example.net", ours).replace(
            b"user@example.com>", b"user@example.com>;tag=" + leg.dialog.local_tag.encode()
        )
        desk.agent.receive(within, TRUNK)
    for one in list(desk.outside.told):
        if isinstance(one, Came):
            desk.agent.adopt(one.call, 20)
    desk.agent.watch()
    desk.agent.stop()
    desk.outside.at += 700
    desk.agent.transactions.tick(desk.outside.at)
    for sent, _ in desk.outside.sent:
        messages.read(sent)  # what we say is fit to be read, whatever it answers
    try:
        body, _ = sdp.answer(data, ("127.0.0.1", 9), 1)
        sdp.agreed(body)
    except ProtocolError:
        pass
    hearing = Hearing(8, 101, 0xD5)
    hearing.put(data)
    hearing.take()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
