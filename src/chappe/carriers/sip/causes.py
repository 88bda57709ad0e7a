"""What a status of SIP means for a leg, and how a leg's end is said in SIP."""

from collections.abc import Mapping

from chappe.model.calls import HangUpCause

_CAUSES: Mapping[int, HangUpCause] = {
    403: HangUpCause.REJECTED,
    404: HangUpCause.UNREACHABLE,
    408: HangUpCause.NO_ANSWER,
    410: HangUpCause.UNREACHABLE,
    480: HangUpCause.NO_ANSWER,
    484: HangUpCause.UNREACHABLE,
    486: HangUpCause.BUSY,
    487: HangUpCause.NO_ANSWER,
    600: HangUpCause.BUSY,
    603: HangUpCause.REJECTED,
    604: HangUpCause.UNREACHABLE,
    607: HangUpCause.REJECTED,
    608: HangUpCause.REJECTED,
}

_REFUSALS: Mapping[HangUpCause, tuple[int, str]] = {
    HangUpCause.BUSY: (486, "Busy Here"),
    HangUpCause.NO_ANSWER: (480, "Temporarily Unavailable"),
    HangUpCause.REJECTED: (603, "Decline"),
    HangUpCause.UNREACHABLE: (404, "Not Found"),
    HangUpCause.CREDIT: (403, "Forbidden"),
    HangUpCause.FAILED: (500, "Server Internal Error"),
    HangUpCause.INTERRUPTED: (503, "Service Unavailable"),
}


def cause_of(status: int) -> HangUpCause:
    """Why a leg ended that was refused with a final status of 300 or more (RFC 3261, section 21; 607 and 608:
    RFC 8197 and 8688). We follow no redirection: somebody else's server would choose whom we pay for (our
    choice)."""
    if status in _CAUSES:
        return _CAUSES[status]
    return HangUpCause.UNREACHABLE if status < 400 or status >= 500 else HangUpCause.FAILED


def refusal(cause: HangUpCause) -> tuple[int, str]:
    """With what a caller is turned away who was not answered."""
    return _REFUSALS.get(cause, (480, "Temporarily Unavailable"))
