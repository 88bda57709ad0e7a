"""NetOxygen's wire: XML-RPC calls in, values and faults out, inbound SMS by mail."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from chappe.dialects.contract import WireCall
from chappe.dialects.netoxygen import codes
from chappe.model.commands import Accepted, Password, Refused, SendOutcome
from chappe.model.directory import Account, AccountKind
from chappe.model.errors import Fault, Refusal
from chappe.model.events import Event, EventName, MessageEvent
from chappe.model.history import MessageStory
from chappe.model.messages import Direction, Message
from chappe.model.numbers import display
from chappe.model.outgoing import Mail, Outgoing
from chappe.protocols import xml, xmlrpc
from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services.ports import NoticeTarget

REGION = "CH"
TIME_ZONE = ZoneInfo("Europe/Zurich")

AUTH = "auth"
SEND_MESSAGE = "send_message"
GET_CREDITS = "get_credits"
ACCOUNT_STATUS = "account_status"
GET_GUID = "get_guid"
CLEAN_NUMBER = "clean_number"
GET_STATUS = "get_status"
CANCEL_MESSAGE = "cancel_message"

PARAMETERS: Mapping[str, Sequence[str]] = {
    AUTH: ("user", "pass"),
    SEND_MESSAGE: ("user", "pass", "dest", "message", "sender", "date", "type"),
    GET_CREDITS: ("user", "pass"),
    ACCOUNT_STATUS: ("user", "pass"),
    GET_GUID: ("user", "pass"),
    CLEAN_NUMBER: ("user", "pass", "number"),
    GET_STATUS: ("user", "pass", "id"),
    CANCEL_MESSAGE: ("user", "pass", "id"),
}
"""The functions and what they take (Passerelle SMS, "Description des fonctions disponibles")."""

_NOT_XMLRPC = "methodCall"  # the field of a refusal that means: what came is no call at all

_STRANGER = frozenset({Fault.BAD_CREDENTIALS, Fault.ACCOUNT_SUSPENDED, Fault.NOT_ALLOWED})
_FALSE_FOR_STRANGERS = frozenset({AUTH, GET_CREDITS, GET_GUID})  # Passerelle SMS
# What makes a whole send_message a fault rather than an error code per destination (our choice).
_NEVER_PER_DESTINATION = _STRANGER | {
    Fault.UNKNOWN_OPERATION,
    Fault.MISSING_PARAMETER,
    Fault.INVALID_PARAMETER,
    Fault.UNSUPPORTED,
    Fault.INTERNAL,
}

_ACCOUNT_STATUS: Mapping[AccountKind, str] = {AccountKind.FREE: "free", AccountKind.REGULAR: "regular"}

# All members with the types they always have, so that no client stumbles (our choice).
_UNKNOWN_MESSAGE: dict[str, xmlrpc.Result] = {
    "from": "",
    "to": "",
    "length": 0,
    "sent_date": "",
    "sent_status": codes.NO_CODE,
    "sent_status_text": "Unknown message",
    "last_date": "",
    "last_status": codes.NO_CODE,
    "last_status_text": "Unknown message",
}

_PARAMETER = re.compile(rb"<param\b")
_MOST_SPANS = 10  # a password in more pieces (by comments) is its sender's wish
_BETWEEN_TAGS = re.compile(rb">([^<>]+)<")
_LONG_DOUBLE = re.compile(r"[+-]?[0-9]{1,15}\.[0-9]{15,20}")
_DATE_AND_TIME = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9]{2}:?[0-9]{2}.*")


# --- reading


def read(request: HttpRequest) -> WireCall:
    """Read a call; its parameters stay XML-RPC values in `data`.

    The first two are user and password, except for `clean_number` with a single parameter, which the
    provider's own example shows and which needs none (dialects.md 3c). Raises Refusal for what is no call,
    or a call in which no user and password can be found.
    """
    if request.method != "POST":
        raise Refusal(
            Fault.UNSUPPORTED, f"this is an XML-RPC server: send a methodCall by POST, not {request.method}"
        )
    try:
        call = xmlrpc.read_call(request.body)
    except ProtocolError as error:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"this is no XML-RPC call: {error.where}", _NOT_XMLRPC
        ) from error
    params = call.params
    if call.method == CLEAN_NUMBER and len(params) == 1:
        return WireCall(call.method, data=params, anonymous=True, request=request)
    recognisable = len(params) >= 2 and all(isinstance(one, xmlrpc.Value) for one in params[:2])
    if call.method not in PARAMETERS and not recognisable:
        raise Refusal(
            Fault.UNKNOWN_OPERATION, f"there is no function {call.method}, only {', '.join(PARAMETERS)}"
        )
    if len(params) < 2:
        raise Refusal(Fault.MISSING_PARAMETER, _usage(call.method, len(params)))
    user, password = text(params[0], "user"), text(params[1], "pass")
    credentials = Password(user, password)
    return WireCall(
        call.method,
        data=params,
        credentials=(credentials,),
        secrets=_secrets(request.body, password),
        request=request,
    )


def parameters(call: WireCall, fewest: int) -> tuple[xmlrpc.Param, ...]:
    """The call's parameters; Refusal when there are fewer than that, or more than the function takes."""
    params: tuple[xmlrpc.Param, ...] = call.data
    if len(params) < fewest:
        raise Refusal(Fault.MISSING_PARAMETER, _usage(call.verb, len(params)))
    if len(params) > len(PARAMETERS[call.verb]):
        raise Refusal(Fault.INVALID_PARAMETER, _usage(call.verb, len(params)))
    return params


def text(param: xmlrpc.Param, name: str) -> str:
    """What a scalar of any type says, word for word; Refusal for an array or a struct.

    Perl's RPC::XML types by looks, so a number arrives as int, i8 or double, a plus or a leading zero kept
    (seen by running it). Only a double loses: 3.14 comes as 3.14000000000000012434, and is undone here. NUL
    is dropped: nothing behind us can keep it.
    """
    if not isinstance(param, xmlrpc.Value):
        raise Refusal(Fault.INVALID_PARAMETER, f"{name} must be a string, not {_kind(param)}", name)
    if param.type == "double" and _LONG_DOUBLE.fullmatch(param.text):
        return f"{Decimal(repr(float(param.text))):f}"
    return param.text.replace("\0", "")


def texts(param: xmlrpc.Param, name: str) -> tuple[str, ...]:
    """One scalar, or an array of them, as a tuple.

    A struct counts as the array of its members: IXR sends one for a PHP array whose keys have gaps, as
    array_unique leaves them.
    """
    if isinstance(param, xmlrpc.Value):
        return (text(param, name),)
    items = param.values() if isinstance(param, Mapping) else param
    each = f"each item of {name}"
    return tuple([text(item, each) for item in items])


def moment(written: str) -> datetime | None:
    """A date and time such as "2006-12-06 20:05:00" in Europe/Zurich as UTC, or None where it is none: now.

    ISO's other spellings of a date with a time are read too (our choice), with XML-RPC's own among them, and
    an offset where there is one. The hour that the end of summer time repeats is the first of the two; one
    that its beginning leaves out is moved on by an hour (our choice, as a clock set late would show it).
    """
    if not _DATE_AND_TIME.fullmatch(written.strip()):
        return None
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(written.strip())
        return (at if at.tzinfo else at.replace(tzinfo=TIME_ZONE)).astimezone(UTC)
    return None


# --- answering


def answer(result: xmlrpc.Result) -> HttpResponse:
    """A result. HTTP 200 always, and a content type that names UTF-8 (dialects.md 3a)."""
    return HttpResponse(200, xmlrpc.write_result(result), "text/xml; charset=utf-8")


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """A refusal in the words of the function that was called.

    Strangers are told false by the three functions of which the provider says so. A send that was refused as
    a whole (no credits, text too long ...) answers every destination with false and an error code, as the
    provider's samples read it. Anything else is a fault, in HTTP 200: old clients read no other.
    """
    if call and call.verb in _FALSE_FOR_STRANGERS and refusal.fault in _STRANGER:
        return answer(False)
    if call and call.verb == SEND_MESSAGE and refusal.fault not in _NEVER_PER_DESTINATION:
        with suppress(Refusal, IndexError):  # refused before the parameters were looked at: a fault it is
            code = int(codes.ERROR_OF_FAULT[refusal.fault])
            return answer([[one, False, code] for one in texts(call.data[2], "dest")])
    if call is None and refusal.fault is Fault.CONTENT_TOO_LONG:
        return HttpResponse(200, xmlrpc.write_fault(413, refusal.detail), "text/xml; charset=utf-8")
    code = codes.NOT_WELL_FORMED if refusal.field == _NOT_XMLRPC else codes.FAULT_CODES[refusal.fault]
    return HttpResponse(200, xmlrpc.write_fault(code, refusal.detail), "text/xml; charset=utf-8")


def encode_auth(account: Account, call: WireCall) -> HttpResponse:
    """True: who gets here has been recognised."""
    return answer(True)


def encode_credits(account: Account, call: WireCall) -> HttpResponse:
    """Whole credits, rounded down (our choice: never more than there is)."""
    return answer(account.balance // 1000)


def encode_status(account: Account, call: WireCall) -> HttpResponse:
    """`regular` or `free`."""
    return answer(_ACCOUNT_STATUS[account.kind])


def encode_guid(account: Account, call: WireCall) -> HttpResponse:
    """The UUID that all users of the account share, in lower case."""
    return answer(account.guid.lower())


def encode_number(msisdn: str, call: WireCall) -> HttpResponse:
    """The digits with country code, without plus."""
    return answer(msisdn)


def encode_sent(outcome: SendOutcome, call: WireCall) -> HttpResponse:
    """Per destination: [as the client wrote it, true, id], or [.., false, code of the first table]."""
    return answer([_sent(one) for one in outcome.results])


def encode_stories(stories: Sequence[MessageStory | Refused], call: WireCall) -> HttpResponse:
    """Per id: [id, struct] (members: dialects.md 3b)."""
    ids = texts(call.data[2], "id")
    return answer([[ref, _told(story)] for ref, story in zip(ids, stories, strict=True)])


def encode_cancelled(messages: Sequence[Message | Refused], call: WireCall) -> HttpResponse:
    """Per id: [id, whether it was cancelled]."""
    ids = texts(call.data[2], "id")
    return answer([[ref, isinstance(one, Message)] for ref, one in zip(ids, messages, strict=True)])


# --- telling


def notice(event: Event, target: NoticeTarget, now: datetime) -> Outgoing | Mail | None:
    """An inbound SMS by mail. The provider calls no URL: its API is polled (dialects.md 3e)."""
    if (
        not isinstance(event, MessageEvent)
        or event.name is not EventName.MESSAGE_RECEIVED
        or not target.email
    ):
        return None
    message = event.message
    sender = display(message.peer, REGION)
    lines = (
        message.text,
        "",
        f"De / From: {sender}",
        f"À / To: {display(message.address, REGION)}",
        f"Reçu / Received: {_date(message.created_at)} ({TIME_ZONE.key})",
    )
    return Mail(target.email, f"SMS de / from {sender}", "\n".join(lines))


# --- inside


def _secrets(body: bytes, password: str) -> tuple[bytes, ...]:
    """The password as it stands in the body (in base64, or with references), and as text."""
    # By splitting, not by one pattern from tag to tag, which takes cubic time on hostile input.
    second = _PARAMETER.split(body, 2)[2:]
    spans = [span.strip() for rest in second for span in _BETWEEN_TAGS.findall(rest.partition(b"</param")[0])]
    as_sent = spans[:_MOST_SPANS]
    spelled = [
        form.encode(charset, "xmlcharrefreplace")
        for form in (password, xml.escape(password))
        for charset in ("utf-8", "latin-1", "ascii")
    ]
    return tuple(dict.fromkeys(secret for secret in (*as_sent, *spelled) if secret))


def _usage(verb: str, given: int) -> str:
    return f"{verb} takes {', '.join(PARAMETERS[verb])}: {given} parameters were given"


def _kind(param: xmlrpc.Param) -> str:
    match param:
        case xmlrpc.Value():
            return param.type
        case tuple():
            return "an array"
        case _:
            return "a struct"


def _sent(one: Accepted | Refused) -> list[xmlrpc.Result]:
    match one:
        case Accepted():
            return [one.recipient, True, one.message.ref]
        case Refused():
            return [one.recipient, False, int(codes.ERROR_OF_FAULT[one.fault])]


def _told(story: MessageStory | Refused) -> dict[str, xmlrpc.Result]:
    if isinstance(story, Refused):
        return _UNKNOWN_MESSAGE
    message = story.message
    mine = message.direction is Direction.MT
    sending, last = codes.codes_of(message)
    last_at = story.timeline[-1][1] if story.timeline else message.created_at
    return {
        "from": message.address if mine else message.peer,
        "to": message.peer if mine else message.address,
        "length": len(message.text),
        "sent_date": _date(message.sent_at or message.send_at or message.created_at),
        "sent_status": int(sending),
        "sent_status_text": codes.ERROR_TEXTS[sending],
        "last_date": _date(last_at),
        "last_status": codes.NO_CODE if last is None else int(last),
        "last_status_text": "" if last is None else codes.STATUS_TEXTS[last],
    }


def _date(at: datetime) -> str:
    return at.astimezone(TIME_ZONE).strftime("%Y-%m-%d %H:%M:%S")
