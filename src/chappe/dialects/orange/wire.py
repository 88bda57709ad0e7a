"""The wire of the Orange API of 2010: parameters in a query or a form, XML out, inbound SMS as a GET.

Sources: "Présentation des Orange API" (2010), and what public clients of the time send and read. What nobody
published is marked as our choice; docs/our-choices.md lists it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from chappe.dialects import reading
from chappe.dialects.contract import WireCall
from chappe.model.commands import Accepted, Key, Refused, SendOutcome
from chappe.model.errors import Fault, Refusal
from chappe.model.events import Event, EventName, MessageEvent
from chappe.model.history import MessageStory
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.numbers import display
from chappe.model.outgoing import Mail, Outgoing
from chappe.protocols.http import HttpRequest, HttpResponse, with_query
from chappe.services.ports import NoticeTarget

# Section II: address of the API, then the verb. Hosts are not looked at: a path serves under every alias
# (run.orangeapi.com, and {sms,mms,location,call,conference}.{alpha,beta}.orange-api.net).
PATHS = (
    "/sms/",
    "/mms/",
    "/location/",
    "/call/",
    "/conf/",
    "/history/",
    "/getHistory.xml",
    "/getHistory",
)

SEND_SMS = "sms/sendSMS"
GET_HISTORY = "getHistory"
CREATE_CALL = "call/createCall"
RELEASE_CALL = "call/releaseCall"
CREATE_CONFERENCE = "conf/createConference"
CONFERENCE_CALL = "conf/createCall"
ADD_PARTICIPANT = "conf/addParticipant"

DOCUMENTED_VERBS = (
    "mms/sendMMS",
    "location/getLocation",
    "location/createAuthorization",
)
"""Verbs of level "documented": their words are known (sections III-C to III-E), nothing answers them yet."""

_CANONICAL: Mapping[str, str] = {
    verb.lower(): verb
    for verb in (
        *(SEND_SMS, CREATE_CALL, RELEASE_CALL),
        *(CREATE_CONFERENCE, CONFERENCE_CALL, ADD_PARTICIPANT),
        *DOCUMENTED_VERBS,
    )
}

EIGHT_BIT = "cp1252"
"""Texts came as UTF-8 (Java, PHP), ISO-8859-1 (Python 2) and `Escape` (VBScript), none of them labelled."""

SUCCESS = 200

# Published: 200 (success) and 450 (mobile not authorised for location). The other numbers are our choice.
STATUS_OF_FAULT: Mapping[Fault, int] = {
    Fault.BAD_CREDENTIALS: 401,
    Fault.NOT_ALLOWED: 403,
    Fault.ACCOUNT_SUSPENDED: 401,
    Fault.UNKNOWN_OPERATION: 404,
    Fault.MISSING_PARAMETER: 400,
    Fault.INVALID_PARAMETER: 400,
    Fault.UNSUPPORTED: 501,
    Fault.NO_RECIPIENT: 400,
    Fault.INVALID_RECIPIENT: 400,
    Fault.INVALID_SENDER: 400,
    Fault.BLACKLISTED: 403,
    Fault.DESTINATION_FORBIDDEN: 403,
    Fault.EMPTY_CONTENT: 400,
    Fault.CONTENT_TOO_LONG: 400,
    Fault.UNKNOWN_MEDIA: 400,
    Fault.UNUSABLE_MEDIA: 400,
    Fault.MEDIA_TOO_LARGE: 400,
    Fault.INSUFFICIENT_CREDITS: 402,
    Fault.RATE_LIMITED: 403,
    Fault.TOO_MANY_CALLS: 403,
    Fault.NO_ROUTE: 404,
    Fault.CARRIER_REJECTED: 500,
    Fault.CARRIER_UNAVAILABLE: 500,
    Fault.EXPIRED: 500,
    Fault.NOT_FOUND: 404,
    Fault.ALREADY_EXISTS: 400,
    Fault.TOO_LATE: 400,
    Fault.CONSENT_MISSING: 450,
    Fault.POSITION_UNAVAILABLE: 404,
    Fault.INTERNAL: 500,
}

# Our choice: nothing of getHistory's answer was published.
WORD_OF_STATE: Mapping[str, str] = {
    MessageState.SCHEDULED: "SCHEDULED",
    MessageState.QUEUED: "QUEUED",
    MessageState.SENDING: "SENDING",
    MessageState.SENT: "SENT",
    MessageState.DELIVERED: "DELIVERED",
    MessageState.UNDELIVERED: "UNDELIVERED",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.FAILED: "FAILED",
    MessageState.CANCELLED: "CANCELLED",
    MessageState.RECEIVED: "RECEIVED",
}

_PARAMETER_OF_FIELD: Mapping[str, str] = {
    "text": "content",
    "reference": "tag",
    "first": "from",
    "second": "to",
    "longest": "max_duration",
    "starts_at": "start_date",
    "shown_to_first": "from_display",
    "shown_to_second": "to_display",
}
"""Fields of commands that have another name on this wire."""

_COUNT = re.compile("[0-9]{1,9}")
_LONGEST_TAG = 100  # our choice
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(request: HttpRequest) -> WireCall:
    """Read the verb, the parameters and the access key `id`.

    Raises Refusal: `unsupported` for a method other than GET and POST, `bad_credentials` without a key,
    `invalid_parameter` for too many parameters.
    """
    if request.method not in ("GET", "POST"):
        raise Refusal(Fault.UNSUPPORTED, f"the method {request.method} is not served; use GET or POST")
    parameters = reading.read_parameters(request, EIGHT_BIT)
    fields = reading.fields_of(parameters)
    key = reading.scalar(fields, "id")
    if not key:
        raise Refusal(Fault.BAD_CREDENTIALS, "the parameter is missing or empty; give your access key", "id")
    forms = {key.encode()}
    for one in [one for one in parameters if one.name == "id"]:
        forms.update((one.raw, one.value.encode()))
    return WireCall(
        verb=_verb(request.path),
        fields=fields,
        credentials=(Key(key),),
        secrets=tuple(forms) if len(forms) == 1 else tuple(sorted(forms - {b""}, key=len, reverse=True)),
        request=request,
    )


def refuse(refusal: Refusal, call: WireCall | None) -> HttpResponse:
    """Answer a refusal as HTTP 200 with its status in the XML.

    The clients of the time (`file_get_contents`, `URLConnection`, `WebClient`, `XMLDOM.Load`) cannot read the
    body of anything else.
    """
    if refusal.fault is Fault.UNKNOWN_OPERATION and call is not None and call.verb in DOCUMENTED_VERBS:
        return response(status(STATUS_OF_FAULT[Fault.UNSUPPORTED], f"{call.verb} is not built yet"))
    field = (refusal.field or "").partition("[")[0]  # `to[2]` is the third recipient; the detail names it
    parameter = _PARAMETER_OF_FIELD.get(field, field)
    message = f"{parameter}: {refusal.detail}" if parameter else refusal.detail
    return response(status(STATUS_OF_FAULT[refusal.fault], message or refusal.fault.replace("_", " ")))


def encode_send(outcome: SendOutcome, call: WireCall) -> HttpResponse:
    """Answer `call_info/call_id` as public clients read it.

    Our choice: several recipients have one `call_info` each, in the order asked, so that an old client's path
    finds the first one.
    """
    said = _SAID_OK
    told: list[str] = []
    for result in outcome.results:
        if isinstance(result, Accepted):
            told.append(element("call_info", leaf("call_id", result.message.ref)))
        elif said is _SAID_OK:
            said = _refused(result)
    return response(said, *told)


def notice(event: Event, target: NoticeTarget, now: datetime) -> Outgoing | Mail | None:
    """Tell of an inbound SMS (section III-B) by a GET on the customer's URL, or by mail.

    The provider pushed nothing else, so any other event is None. The parameters are those that public
    receivers read; `api` is left to the URL where that names one itself (our choice: one receiver wanted
    another value).
    """
    if not isinstance(event, MessageEvent) or event.name is not EventName.MESSAGE_RECEIVED:
        return None
    message = event.message
    if target.url:
        # A customer's script of the time may answer with a redirect (dialects.md 1c).
        return Outgoing("GET", _with_message(target.url, message), redirect_is_fine=True)
    if target.email:
        return _mail(target.email, message)
    return None


@lru_cache(maxsize=256)
def _verb(path: str) -> str:
    lowered = path.lower().strip("/").removesuffix(".xml")
    if lowered.rpartition("/")[2] == GET_HISTORY.lower():
        return GET_HISTORY
    return _CANONICAL.get(lowered, lowered[:100])


def boolean(call: WireCall, name: str) -> bool | None:
    """None where the option is absent or empty."""
    written = reading.scalar(call.fields, name)
    value = reading.read_boolean(written)
    if written and value is None:
        raise Refusal(Fault.INVALID_PARAMETER, f"{shown(written)} is neither true nor false", name)
    return value


def count(call: WireCall, name: str, *, most: int) -> int | None:
    """None where the option is absent or empty."""
    written = reading.scalar(call.fields, name)
    if not written:
        return None
    if _COUNT.fullmatch(written) is None or not 1 <= int(written) <= most:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{shown(written)} is not accepted; write a whole number from 1 to {most}",
            name,
        )
    return int(written)


def tag(call: WireCall) -> str:
    """The client's own label."""
    written = reading.scalar(call.fields, "tag")
    if len(written) > _LONGEST_TAG:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"the label has {len(written)} characters; it may have at most {_LONGEST_TAG}",
            "reference",
        )
    return written


def shown(value: str) -> str:
    """What a client wrote, in quotes, not too much of it."""
    return f'"{value}"' if len(value) <= 40 else f'"{value[:40]}..."'


def history(story: MessageStory) -> str:
    """The element `history` of an SMS, with one `event` per step."""
    message = story.message
    sender, recipient = _parties(message)
    steps = (
        element("event", leaf("state", WORD_OF_STATE.get(name, name.upper())), leaf("date", date(at)))
        for name, at in story.timeline
    )
    return element(
        "history",
        leaf("call_id", message.ref),
        leaf("api", "sms"),
        leaf("from", sender),
        leaf("to", recipient),
        leaf("content", message.text),
        leaf("tag", message.reference),
        leaf("state", WORD_OF_STATE[message.state]),
        leaf("reason", message.fault or ""),
        leaf("date_created", date(message.created_at)),
        leaf("sms_count", str(message.segments)),
        leaf("credits", credits_text(message.price)),
        *steps,
    )


def _parties(message: Message) -> tuple[str, str]:
    """Sender and recipient."""
    if message.direction is Direction.MO:
        return message.peer, message.address
    return message.address, message.peer


def _with_message(url: str, message: Message) -> str:
    own_query = url.partition("#")[0].partition("?")[2]
    values = {
        "api": "receiveSMS",
        "from": message.peer,
        "to": message.address,
        "content": message.text,
        "call_id": message.ref,
        "dateCreated": date(message.created_at),
    }
    if any(name == "api" for name, _ in parse_qsl(own_query, keep_blank_values=True)):
        del values["api"]
    return with_query(url, values)


def _mail(to: str, message: Message) -> Mail:
    sender, recipient = display(message.peer), display(message.address)
    at = message.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Mail(
        to=to,
        subject=f"SMS {sender} > {recipient}",
        body=(
            f"{message.text}\n\n"
            "-- \n"
            f"SMS reçu du {sender} au {recipient}, le {at}. Référence : {message.ref}\n"
            f"SMS received from {sender} on {recipient}, {at}. Reference: {message.ref}\n"
        ),
    )


def credits_text(thousandths: int) -> str:
    """Credits as a decimal number."""
    return f"{Decimal(thousandths) / 1000:f}"


def date(at: datetime) -> str:
    """ISO 8601 in UTC to the second (our choice: any receiver of dates reads it)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def response(*elements: str) -> HttpResponse:
    """An answer with these elements."""
    # Without blanks between elements: some clients walk over child nodes.
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{element("response", *elements)}'
    # MSXML keeps answers to GET: a second SMS with the same text would never leave the client's machine.
    return HttpResponse(200, body.encode(), "text/xml; charset=utf-8", (("cache-control", "no-store"),))


def status(code: int, message: str) -> str:
    """The element that every answer begins with."""
    return element("status", leaf("status_code", str(code)), leaf("status_msg", message))


def _refused(refused: Refused) -> str:
    return status(STATUS_OF_FAULT[refused.fault], refused.detail or refused.fault.replace("_", " "))


def element(name: str, *children: str) -> str:
    """An element with children."""
    return f"<{name}>{''.join(children)}</{name}>"


def leaf(name: str, text: str) -> str:
    """An element with text; what XML 1.0 cannot carry becomes U+FFFD."""
    if not text.isalnum():
        text = escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#13;"})
    return f"<{name}>{text}</{name}>"


_SAID_OK = status(SUCCESS, "OK")
