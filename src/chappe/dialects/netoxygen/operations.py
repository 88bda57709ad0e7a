"""NetOxygen's eight functions as commands."""

from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.netoxygen import wire
from chappe.model.commands import CancelMessages, CleanNumber, FindMessages, ReadAccount, SendMessages
from chappe.services import directory, history, messages

DEFAULT_SENDER = "textobox.ch"
"""What a handset shows where neither client nor account names a sender (Passerelle SMS, send_message)."""

_SOURCE = "Passerelle SMS, Interface XML-RPC: Description des fonctions disponibles"


def decode_account(call: WireCall) -> ReadAccount:
    """auth, get_credits, account_status, get_guid: user and password, and nothing else."""
    wire.parameters(call, 2)
    return ReadAccount()


def decode_send(call: WireCall) -> SendMessages:
    """send_message: a bad destination spoils none of the others, a sender that may not be used is replaced by
    the default, a date that is none or is past means now, a type other than `flash` means text."""
    _, _, dest, message, *options = wire.parameters(call, 4)
    names = wire.PARAMETERS[call.verb][4:]
    given = {name: wire.text(option, name) for name, option in zip(names, options, strict=False)}
    return SendMessages(
        recipients=wire.texts(dest, "dest"),
        text=wire.text(message, "message"),
        sender=given.get("sender", "").strip(),
        fallback_sender=DEFAULT_SENDER,
        sender_optional=True,
        flash=given.get("type", "").strip().lower() == "flash",
        send_at=wire.moment(given.get("date", "")),
        all_or_nothing=False,
    )


def decode_number(call: WireCall) -> CleanNumber:
    """clean_number: the number alone, as in the provider's example, or behind user and password."""
    params = wire.parameters(call, 1 if call.anonymous else 3)
    return CleanNumber(wire.text(params[-1], "number"), wire.REGION)


def decode_find(call: WireCall) -> FindMessages:
    """get_status: one id or an array of them."""
    return FindMessages(wire.texts(wire.parameters(call, 3)[2], "id"))


def decode_cancel(call: WireCall) -> CancelMessages:
    """cancel_message: one id or an array of them."""
    return CancelMessages(wire.texts(wire.parameters(call, 3)[2], "id"))


NETOXYGEN = Dialect(
    name="netoxygen",
    paths=("/api2/", "/api2"),
    read=wire.read,
    operations={
        wire.AUTH: Operation(
            decode_account, directory.read_account, wire.encode_auth, "Check a user and password", _SOURCE
        ),
        wire.SEND_MESSAGE: Operation(
            decode_send, messages.send, wire.encode_sent, "Send an SMS to one or many, now or later", _SOURCE
        ),
        wire.GET_CREDITS: Operation(
            decode_account, directory.read_account, wire.encode_credits, "Read the balance", _SOURCE
        ),
        wire.ACCOUNT_STATUS: Operation(
            decode_account,
            directory.read_account,
            wire.encode_status,
            "Tell whether the account pays",
            _SOURCE,
        ),
        wire.GET_GUID: Operation(
            decode_account, directory.read_account, wire.encode_guid, "Read the account's UUID", _SOURCE
        ),
        wire.CLEAN_NUMBER: Operation(
            decode_number,
            directory.clean_number,
            wire.encode_number,
            "Bring a number to E.164 digits",
            _SOURCE,
        ),
        wire.GET_STATUS: Operation(
            decode_find, history.find_messages, wire.encode_stories, "Follow messages by their ids", _SOURCE
        ),
        wire.CANCEL_MESSAGE: Operation(
            decode_cancel, messages.cancel, wire.encode_cancelled, "Cancel scheduled messages", _SOURCE
        ),
    },
    refuse=wire.refuse,
    notice=wire.notice,
    region=wire.REGION,
)

DIALECTS = (NETOXYGEN,)
