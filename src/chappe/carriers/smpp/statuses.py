"""What a network's status means for a message: whether it is asked again, and in our words why it failed."""

from collections.abc import Mapping

from chappe.model.errors import CarrierErrorKind, Fault
from chappe.protocols.smpp.codes import Status

Meaning = tuple[CarrierErrorKind, Fault]

_PERMANENT, _TEMPORARY, _THROTTLED = (
    CarrierErrorKind.PERMANENT,
    CarrierErrorKind.TEMPORARY,
    CarrierErrorKind.THROTTLED,
)

_REJECTED: Meaning = (_PERMANENT, Fault.CARRIER_REJECTED)
_AWAY: Meaning = (_TEMPORARY, Fault.CARRIER_UNAVAILABLE)

# SMPP 3.4, 5.1.3 has the words; which of them may pass by themselves is our choice.
MEANINGS: Mapping[Status, Meaning] = {
    Status.ESME_ROK: _REJECTED,  # no refusal; stands here so that the table is whole
    Status.ESME_RINVMSGLEN: (_PERMANENT, Fault.CONTENT_TOO_LONG),
    Status.ESME_RINVCMDLEN: _REJECTED,
    Status.ESME_RINVCMDID: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RINVBNDSTS: _AWAY,  # the network forgot our bind
    Status.ESME_RALYBND: _AWAY,
    Status.ESME_RINVPRTFLG: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RINVREGDLVFLG: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RSYSERR: _AWAY,
    Status.ESME_RINVSRCADR: (_PERMANENT, Fault.INVALID_SENDER),
    Status.ESME_RINVDSTADR: (_PERMANENT, Fault.INVALID_RECIPIENT),
    Status.ESME_RINVMSGID: _REJECTED,
    Status.ESME_RBINDFAIL: _AWAY,
    Status.ESME_RINVPASWD: _AWAY,
    Status.ESME_RINVSYSID: _AWAY,
    Status.ESME_RCANCELFAIL: _REJECTED,
    Status.ESME_RREPLACEFAIL: _REJECTED,
    Status.ESME_RMSGQFUL: (_THROTTLED, Fault.CARRIER_UNAVAILABLE),
    Status.ESME_RINVSERTYP: _REJECTED,
    Status.ESME_RINVNUMDESTS: _REJECTED,
    Status.ESME_RINVDLNAME: _REJECTED,
    Status.ESME_RINVDESTFLAG: _REJECTED,
    Status.ESME_RINVSUBREP: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RINVESMCLASS: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RCNTSUBDL: _REJECTED,
    Status.ESME_RSUBMITFAIL: _REJECTED,
    Status.ESME_RINVSRCTON: (_PERMANENT, Fault.INVALID_SENDER),
    Status.ESME_RINVSRCNPI: (_PERMANENT, Fault.INVALID_SENDER),
    Status.ESME_RINVDSTTON: (_PERMANENT, Fault.INVALID_RECIPIENT),
    Status.ESME_RINVDSTNPI: (_PERMANENT, Fault.INVALID_RECIPIENT),
    Status.ESME_RINVSYSTYP: _AWAY,
    Status.ESME_RINVREPFLAG: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RINVNUMMSGS: _REJECTED,
    Status.ESME_RTHROTTLED: (_THROTTLED, Fault.CARRIER_UNAVAILABLE),
    Status.ESME_RINVSCHED: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RINVEXPIRY: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RINVDFTMSGID: _REJECTED,
    Status.ESME_RX_T_APPN: _AWAY,
    Status.ESME_RX_P_APPN: _REJECTED,
    Status.ESME_RX_R_APPN: _REJECTED,
    Status.ESME_RQUERYFAIL: _REJECTED,
    Status.ESME_RINVOPTPARSTREAM: _REJECTED,
    Status.ESME_ROPTPARNOTALLWD: (_PERMANENT, Fault.UNSUPPORTED),
    Status.ESME_RINVPARLEN: _REJECTED,
    Status.ESME_RMISSINGOPTPARAM: _REJECTED,
    Status.ESME_RINVOPTPARAMVAL: _REJECTED,
    Status.ESME_RDELIVERYFAILURE: _REJECTED,
    Status.ESME_RUNKNOWNERR: _AWAY,
}


def meaning(status: int) -> Meaning:
    """What a refusal means; a status that SMPP does not name is taken as the last word (our choice: a network
    that wants the message again has words for that)."""
    try:
        return MEANINGS[Status(status)]
    except ValueError:
        return _REJECTED
