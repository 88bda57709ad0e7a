"""The verbs of Keyyo's server API: which parameters make which command."""

from chappe.dialects import reading
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.keyyo import wire
from chappe.model.commands import SendFromLine, SendMessages
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


KEYYO = Dialect(
    name="keyyo",
    paths=wire.PATHS,
    read=wire.read,
    operations={
        wire.SEND_SMS: Operation(
            decode_send,
            lines.send_message,
            wire.encode_sent,
            summary="Send an SMS from a line",
            source="Guide d'utilisation CTI / API / TAPI, API serveur, Envoi de SMS",
        ),
    },
    refuse=wire.refuse,
    notice=wire.notice,
    region="FR",
)

DIALECTS = (KEYYO,)
