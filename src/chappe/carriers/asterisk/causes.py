"""Why a leg ended: the codes of ITU-T Q.850 that Asterisk speaks, and ours, both ways."""

from collections.abc import Mapping

from chappe.model.calls import HangUpCause

_HEARD: Mapping[int, HangUpCause] = {
    1: HangUpCause.UNREACHABLE,  # unallocated number
    2: HangUpCause.UNREACHABLE,  # no route to the network
    3: HangUpCause.UNREACHABLE,  # no route to the destination
    16: HangUpCause.NORMAL,
    17: HangUpCause.BUSY,
    18: HangUpCause.NO_ANSWER,  # no user responding
    19: HangUpCause.NO_ANSWER,  # rung, not answered
    20: HangUpCause.UNREACHABLE,  # subscriber absent
    21: HangUpCause.REJECTED,
    22: HangUpCause.UNREACHABLE,  # number changed
    27: HangUpCause.UNREACHABLE,  # destination out of order
    28: HangUpCause.UNREACHABLE,  # number incomplete
    31: HangUpCause.NORMAL,
}

_OF_SIP: Mapping[int, HangUpCause] = {
    # Asterisk gives both the code of "not answered"; nobody has rung.
    480: HangUpCause.UNREACHABLE,
    408: HangUpCause.UNREACHABLE,
}

_SAID: Mapping[HangUpCause, int] = {
    HangUpCause.BUSY: 17,
    HangUpCause.NO_ANSWER: 19,
    HangUpCause.REJECTED: 21,
    HangUpCause.UNREACHABLE: 1,
    HangUpCause.CREDIT: 21,
    HangUpCause.FAILED: 38,
    HangUpCause.INTERRUPTED: 41,
}


def heard(cause: int, sip: int, was_up: bool) -> HangUpCause:
    """Why the network ended a leg, by Q.850 and by the answer of SIP (0: none)."""
    if was_up:
        return HangUpCause.NORMAL if cause in (0, 16, 31, 127) else HangUpCause.INTERRUPTED
    return _OF_SIP.get(sip) or _HEARD.get(cause, HangUpCause.FAILED)


def said(cause: HangUpCause, is_up: bool) -> int:
    """What the network is told why we end a leg: a normal end, once it was up."""
    return 16 if is_up else _SAID.get(cause, 16)
