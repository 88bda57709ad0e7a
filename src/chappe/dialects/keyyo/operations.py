"""The verbs of Keyyo's server API: which parameters make which command."""

from chappe.dialects import reading
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.keyyo import manager, notices, oauth, wire
from chappe.model.commands import CallFromLine, PlaceCall, SendFromLine, SendMessages, SetProfile
from chappe.model.errors import Fault, Refusal
from chappe.services import lines


def decode_send(call: WireCall) -> SendFromLine:
    """Read ACCOUNT, CALLEE and MSG of sendsms.html, in any letter case (dialects.md 5b).

    The table says 64 characters for MSG, clients send 160: longer ones are split as ever (our choice).
    Raises Refusal: `missing_parameter`, `invalid_parameter`.
    """
    callee = reading.scalar(call.fields, "callee")
    if not callee:
        raise Refusal(Fault.MISSING_PARAMETER, "give the mobile that shall get the SMS", "CALLEE")
    text = reading.first(call.fields, "msg")
    if not text.strip():
        raise Refusal(Fault.MISSING_PARAMETER, "give the text of the SMS", "MSG")
    if (position := text.find("\ufffd")) >= 0:
        detail = f"character {position + 1} of the text cannot be read; send it in UTF-8, percent-encoded"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "MSG")
    return SendFromLine(
        wire.line_number(reading.scalar(call.fields, "account")), SendMessages((callee,), text)
    )


def decode_call(call: WireCall) -> CallFromLine:
    """Read ACCOUNT, CALLEE, CALLER and RECORD of makecall.html, in any letter case (dialects.md 5b).

    CALLER is rung first and is ACCOUNT where it is absent; CALLEE sees CALLER's number where that may be
    shown. CALLEE_NAME is for a telephone's screen, which no network here carries: it is passed over.
    RECORD=1 records the call and mails the recording. Raises Refusal `missing_parameter`.
    """
    callee = reading.scalar(call.fields, "callee")
    if not callee:
        raise Refusal(Fault.MISSING_PARAMETER, "give the number that shall be called", "CALLEE")
    account = wire.line_number(reading.scalar(call.fields, "account"))
    caller = reading.scalar(call.fields, "caller") or account
    record = reading.scalar(call.fields, "record") == "1"
    return CallFromLine(account, PlaceCall(caller, callee, shows_parties=True, record=record))


def decode_profile(call: WireCall) -> SetProfile:
    """Read ACCOUNT and PROFIL of setprofil.html, in any letter case (dialects.md 5b). Raises Refusal
    `missing_parameter`."""
    profile = reading.scalar(call.fields, "profil")
    if not profile:
        raise Refusal(
            Fault.MISSING_PARAMETER, "give the name of the profile that shall be in force", "PROFIL"
        )
    return SetProfile(wire.line_number(reading.scalar(call.fields, "account")), profile)


KEYYO = Dialect(
    name="keyyo",
    paths=wire.PATHS,
    read=wire.read,
    operations={
        wire.SEND_SMS: Operation(
            decode_send,
            lines.send_message,
            wire.encode_done,
            summary="Send an SMS from a line",
            source="Guide d'utilisation CTI / API / TAPI, API serveur, Envoi de SMS",
        ),
        wire.MAKE_CALL: Operation(
            decode_call,
            lines.make_call,
            wire.encode_done,
            summary="Ring a line, then a number, and join them",
            source="Guide d'utilisation CTI / API / TAPI, API serveur, Emission d'appels, Mise en relation",
        ),
        wire.SET_PROFILE: Operation(
            decode_profile,
            lines.set_profile,
            wire.encode_done,
            summary="Put one of a line's profiles in force",
            source="Guide d'utilisation CTI / API / TAPI, API serveur, Gestion de profils",
        ),
    },
    refuse=wire.refuse,
    notice=notices.notice,
    region="FR",
)

DIALECTS = (KEYYO, oauth.TOKENS, manager.MANAGER)
