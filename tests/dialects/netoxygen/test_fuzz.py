"""Whatever bytes arrive, NetOxygen's dialect reads a command or refuses; whatever happens, it can say it."""

import xmlrpc.client
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chappe.dialects.contract import WireCall
from chappe.dialects.netoxygen import wire
from chappe.dialects.netoxygen.operations import NETOXYGEN
from chappe.model.commands import Accepted, Refused, SendOutcome
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName, MessageEvent
from chappe.model.history import MessageStory
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services.ports import NoticeTarget
from tests.dialects.netoxygen.records import body, call

TAGS = [
    "string",
    "int",
    "i8",
    "double",
    "boolean",
    "base64",
    "nil",
    "dateTime.iso8601",
    "array",
    "struct",
    "data",
    "value",
    "member",
    "name",
    "param",
    "odd",
]
PIECES = [
    "0792223344",
    "+41",
    "2027-01-01 10:00:00",
    "flash",
    "3.14000000000000012434",
    "YQ==",
    "&#233;",
    "&amp;",
    "&x;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [",
    "]>",
    "<?xml",
    "?>",
    "\x00",
    "é",
    "\ud7ff",
]

texts = st.text(st.characters(codec="utf-8"), max_size=30)
words = st.sampled_from(PIECES) | texts
values = st.recursive(
    words,
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=3)).map(
        lambda made: f"<{made[0]}>{''.join(made[1])}</{made[0]}>"
    ),
    max_leaves=6,
)
functions = st.sampled_from([*wire.PARAMETERS, "system.listMethods", ""])
bodies = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda name, some: body(name, *some), functions, st.lists(values, max_size=8)),
    st.builds(
        lambda name, some, junk: body(name, *some)[: len(junk) * 20] + junk,
        functions,
        st.lists(values),
        st.binary(),
    ),
)
sendable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.floats(-1e9, 1e9)
    | st.binary()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="￾￿")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=5,
)
times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
messages = st.builds(
    Message,
    id=st.integers(1, 2**62),
    ref=texts,
    account_id=st.just(1),
    direction=st.sampled_from(Direction),
    state=st.sampled_from(MessageState),
    peer=texts,
    address=texts,
    text=texts,
    encoding=st.sampled_from(Encoding),
    segments=st.integers(1, 10),
    price=st.integers(0, 2**40),
    carrier=texts,
    dialect=st.just("netoxygen"),
    batch_id=st.just(1),
    created_at=times,
    due_at=times,
    send_at=st.none() | times,
    sent_at=st.none() | times,
    finished_at=st.none() | times,
    fault=st.none() | st.sampled_from(Fault),
)
refused = st.builds(Refused, recipient=texts, fault=st.sampled_from(Fault), detail=texts)
timelines = st.lists(st.tuples(st.sampled_from(MessageState), times), max_size=3).map(tuple)
stories = st.builds(MessageStory, messages, timelines, st.just(()), st.just(()))


def understood(request: HttpRequest) -> tuple[WireCall | None, object]:
    """The call and its command, or the refusal in place of the command."""
    read = None
    try:
        read = wire.read(request)
        operation = NETOXYGEN.operations.get(read.verb)
        return read, None if operation is None else operation.decode(read)
    except Refusal as refusal:
        return read, refusal


def answered(response: HttpResponse) -> Any:
    assert (response.status, response.content_type) == (200, "text/xml; charset=utf-8")
    assert b"?>" in response.body[:100]
    try:
        ((value,), _) = xmlrpc.client.loads(response.body)
    except xmlrpc.client.Fault as fault:
        return fault
    return value


@given(bodies, st.sampled_from(["POST", "POST", "POST", "GET", "\x00"]), texts, texts, st.sampled_from(Fault))
def test_any_bytes_are_read_or_refused(
    sent: bytes, method: str, path: str, header: str, fault: Fault
) -> None:
    headers = {"content-type": header, header: header}
    read, command = understood(HttpRequest(method, path, path, path.encode(), sent, headers, sent))
    if isinstance(command, Refusal):
        answered(wire.refuse(command, read))
    answered(wire.refuse(Refusal(fault, header), read))


@given(functions.filter(bool), st.lists(sendable, max_size=8))
def test_any_call_of_a_library_is_read_or_refused(method: str, params: list[Any]) -> None:
    sent = xmlrpc.client.dumps(tuple(params), method, allow_none=True).encode()
    headers = {"content-type": "text/xml"}
    read, command = understood(HttpRequest("POST", "h", "/api2/", b"/api2/", b"", headers, sent))
    if isinstance(command, Refusal):
        answered(wire.refuse(command, read))


@given(st.lists(st.builds(Accepted, texts, messages) | refused, max_size=4))
def test_any_outcome_of_a_send_is_written(results: list[Accepted | Refused]) -> None:
    read = call("send_message", "u", "p", ["x"] * len(results), "x")
    told = answered(wire.encode_sent(SendOutcome(tuple(results), 0), read))
    assert [one[1] for one in told] == [isinstance(one, Accepted) for one in results]


@given(st.lists(stories | refused, max_size=4))
def test_any_story_is_written(found: list[MessageStory | Refused]) -> None:
    told = answered(wire.encode_stories(found, call("get_status", "u", "p", ["x"] * len(found))))
    for _, members in told:
        assert [type(value) for value in members.values()] == [str, str, int, str, int, str, str, int, str]


@given(st.lists(messages | refused, max_size=4))
def test_any_cancelling_is_written(outcome: list[Message | Refused]) -> None:
    told = answered(wire.encode_cancelled(outcome, call("cancel_message", "u", "p", ["x"] * len(outcome))))
    assert [one[1] for one in told] == [isinstance(one, Message) for one in outcome]


@given(messages, st.sampled_from(EventName), st.booleans(), times)
def test_any_event_is_told_or_not(message: Message, name: EventName, by_mail: bool, at: datetime) -> None:
    target = NoticeTarget(email="a@example.com") if by_mail else NoticeTarget(url="https://example.com/")
    mail = wire.notice(MessageEvent("e", name, at, message), target, at)
    assert (mail is not None) == (by_mail and name is EventName.MESSAGE_RECEIVED)
