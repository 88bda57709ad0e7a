"""The verbs of the Orange API: which parameters make which command."""

import re
from collections.abc import Mapping
from datetime import timedelta

from chappe.dialects import reading
from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.orange import calls, conferences, wire
from chappe.model.calls import CallStory
from chappe.model.commands import FindAnything, SendMessages
from chappe.model.conferences import ConferenceStory
from chappe.model.errors import Fault, Refusal
from chappe.model.history import MessageStory
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpResponse
from chappe.services import calls as call_service
from chappe.services import conferences as conference_service
from chappe.services import history, messages, participants

DEFAULT_SENDER = "20345"
"""The short code of Orange France, which the document's own samples answer from."""

# The short codes 20345 (Orange France), 38100 (all French operators), 967482 (Orange UK) and 447797805210
# (international) stand for themselves. `world` is a name clients use for the last; 23045 is a slip of one.
_SENDER_ALIASES: Mapping[str, str] = {"world": "447797805210", "23045": DEFAULT_SENDER}

# The parameters of section III-A; all others are options.
_DOCUMENTED = frozenset({"id", "from", "to", "content", "ack"})

_MOST_SMS = 255  # 3GPP TS 23.040 9.2.3.24.1: the number of parts is one octet
_SESSION_MINUTES = 60  # our choice, like the unit
_MOST_SESSION_MINUTES = 30 * 24 * 60  # our choice

_BETWEEN_RECIPIENTS = re.compile("[,;]")


def decode_send(call: WireCall) -> SendMessages:
    """Read sendSMS (section III-A; options from public clients).

    Our choices: `to` may hold several numbers parted by commas or semicolons, and one that cannot be sent to
    refuses all. A text longer than one SMS is sent unless `long_text` is false: a single "ç" leaves room for
    70 characters only, and the clients of the time read no error. Receipts are always asked for, since
    getHistory tells them; `ack` changes nothing. An option that is present and empty counts as absent.
    Raises Refusal: `missing_parameter`, `no_recipient`, `empty_content`, `invalid_parameter`.
    """
    recipients = _recipients(call)
    text = _content(call)
    wire.boolean(call, "ack")
    sender = _sender(call)
    if call.fields.keys() <= _DOCUMENTED:
        return SendMessages(recipients, text, sender, DEFAULT_SENDER)
    return SendMessages(
        recipients=recipients,
        text=text,
        sender=sender,
        fallback_sender=DEFAULT_SENDER,
        reference=wire.tag(call),
        encoding=_encoding(call),
        split_allowed=wire.boolean(call, "long_text") is not False,
        max_segments=wire.count(call, "max_sms", most=_MOST_SMS),
        session=_session(call),
    )


def decode_history(call: WireCall) -> FindAnything:
    """Read getHistory (section III-A names only `callid`). Raises Refusal (`missing_parameter`)."""
    ref = reading.scalar(call.fields, "callid", "call_id")
    if not ref:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "the parameter is missing or empty; give the call_id that sendSMS or createCall answered",
            "callid",
        )
    return FindAnything(ref)


def _recipients(call: WireCall) -> tuple[str, ...]:
    if "to" not in call.fields:
        raise Refusal(
            Fault.MISSING_PARAMETER,
            "the parameter is missing; give a mobile number such as 33612345678",
            "to",
        )
    written = reading.scalar(call.fields, "to")
    if written.isdigit():
        return (written,)
    parts = (part.strip() for part in _BETWEEN_RECIPIENTS.split(written))
    recipients = tuple(part for part in parts if part)
    if not recipients:
        raise Refusal(
            Fault.NO_RECIPIENT,
            "the parameter is empty; give a mobile number such as 33612345678",
            "to",
        )
    return recipients


def _content(call: WireCall) -> str:
    """The text verbatim: quotes around it belong to it."""
    if "content" not in call.fields:
        raise Refusal(Fault.MISSING_PARAMETER, "the parameter is missing; give the text of the SMS", "text")
    text = reading.first(call.fields, "content")
    if not text.strip():
        raise Refusal(Fault.EMPTY_CONTENT, "the parameter is empty; give the text of the SMS", "text")
    if (position := text.find("\ufffd")) >= 0:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"character {position + 1} of the text cannot be read; send it in UTF-8, percent-encoded",
            "text",
        )
    return text


def _sender(call: WireCall) -> str:
    sender = reading.scalar(call.fields, "from")
    return _SENDER_ALIASES.get(sender.lower(), sender)


def _encoding(call: WireCall) -> Encoding | None:
    wanted = reading.scalar(call.fields, "content_encoding").lower()
    if not wanted:
        return None
    if wanted not in list(Encoding):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{wire.shown(wanted)} is not known; write gsm7 or ucs2",
            "content_encoding",
        )
    return Encoding(wanted)


def _session(call: WireCall) -> timedelta | None:
    """How long answers need no keyword; `session_duration` alone opens a session as well."""
    minutes = wire.count(call, "session_duration", most=_MOST_SESSION_MINUTES)
    wanted = wire.boolean(call, "session")
    if wanted is None:
        wanted = minutes is not None
    return timedelta(minutes=minutes or _SESSION_MINUTES) if wanted else None


def encode_history(found: MessageStory | CallStory | ConferenceStory, call: WireCall) -> HttpResponse:
    """Answer what became of it; all names are our choice, after the other verbs'."""
    match found:
        case ConferenceStory():
            told = conferences.history(found)
        case CallStory():
            told = calls.history(found)
        case MessageStory():
            told = wire.history(found)
    return wire.response(wire.status(wire.SUCCESS, "OK"), told)


ORANGE = Dialect(
    name="orange",
    paths=wire.PATHS,
    read=wire.read,
    operations={
        wire.SEND_SMS: Operation(
            decode_send,
            messages.send,
            wire.encode_send,
            summary="Send an SMS to one or several mobiles",
            source="Présentation des Orange API (2010), III-A",
        ),
        wire.CREATE_CALL: Operation(
            calls.decode_create,
            call_service.place,
            calls.encode_call,
            summary="Ring two telephones and join them",
            source="Présentation des Orange API (2010), III-F",
        ),
        wire.RELEASE_CALL: Operation(
            calls.decode_release,
            participants.release,
            calls.encode_released,
            summary="End a call",
            source="Présentation des Orange API (2010), III-F; public clients",
        ),
        wire.CREATE_CONFERENCE: Operation(
            conferences.decode_create,
            conference_service.create,
            conferences.encode_conference,
            summary="Hold a conference, now or later",
            source="Présentation des Orange API (2010), III-G",
        ),
        wire.CONFERENCE_CALL: Operation(
            conferences.decode_ring,
            participants.ring_number,
            conferences.encode_rung,
            summary="Ring a number for a conference",
            source="Présentation des Orange API (2010), III-G",
        ),
        wire.ADD_PARTICIPANT: Operation(
            conferences.decode_add,
            participants.add,
            conferences.encode_conference,
            summary="Name participants of a conference",
            source="Présentation des Orange API (2010), III-G (named only); the parameters are our choice",
        ),
        wire.GET_HISTORY: Operation(
            decode_history,
            history.find_anything,
            encode_history,
            summary="Read what became of an SMS or a call",
            source="Présentation des Orange API (2010), III-A (parameter); the answer is our choice",
        ),
    },
    refuse=wire.refuse,
    notice=wire.notice,
    region="FR",
)

DIALECTS = (ORANGE,)
