"""Whatever bytes arrive, the Orange dialect reads a command or refuses; whatever happens, it can say it."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from chappe.dialects.contract import WireCall
from chappe.dialects.orange import wire
from chappe.dialects.orange.operations import ORANGE, encode_history
from chappe.model.calls import Call, CallKind, CallOutcome, CallState, CallStory, Leg, LegState
from chappe.model.commands import Accepted, Refused, SendOutcome
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName, MessageEvent
from chappe.model.history import MessageStory
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.outgoing import Outgoing
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpRequest
from chappe.services.ports import NoticeTarget

NAMES = [
    b"id",
    b"to",
    b"content",
    b"from",
    b"long_text",
    b"max_sms",
    b"session",
    b"session_duration",
    b"callid",
    b"call_confirmation",
    b"private",
    b"max_duration",
]
PIECES = [
    b"%",
    b"%u",
    b"%uD800",
    b"&",
    b"&amp;",
    b"=",
    b"[",
    b"]",
    b";",
    b"+",
    b"\x00",
    b"%00",
    b"\xe9",
    b'"',
    b"1",
]

queries = st.lists(st.one_of(st.sampled_from(NAMES + PIECES), st.binary(max_size=8)), max_size=30).map(
    b"".join
)
texts = st.text(st.characters(codec=None), max_size=40)
times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
faults = st.sampled_from(Fault)
requests = st.builds(
    HttpRequest,
    method=st.sampled_from(["GET", "POST", "HEAD", "\x00"]),
    host=texts,
    path=st.one_of(texts, st.sampled_from(["/sms/sendSMS.xml", "/getHistory.xml", "/call/createCall"])),
    target=st.binary(max_size=20),
    query=queries,
    headers=st.dictionaries(
        st.just("content-type"),
        st.one_of(texts, st.sampled_from(["text/plain;charset=latin1", "a;charset=utf-16"])),
    ),
    body=queries,
    form=st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), queries), queries), max_size=4).map(tuple),
)
messages = st.builds(
    Message,
    id=st.integers(),
    ref=texts,
    account_id=st.integers(),
    direction=st.sampled_from(Direction),
    state=st.sampled_from(MessageState),
    peer=texts,
    address=texts,
    text=texts,
    encoding=st.sampled_from(Encoding),
    segments=st.integers(1, 255),
    price=st.integers(-(2**63), 2**63),
    carrier=texts,
    dialect=texts,
    batch_id=st.integers(),
    created_at=times,
    due_at=times,
    reference=texts,
    fault=st.none() | faults,
)
phone_calls = st.builds(
    Call,
    id=st.integers(),
    ref=texts,
    account_id=st.integers(),
    kind=st.sampled_from(CallKind),
    state=st.sampled_from(CallState),
    first=texts,
    second=texts,
    plan=st.just({}),
    dialect=texts,
    created_at=times,
    seen_at=times,
    joined_at=st.none() | times,
    over_at=st.none() | times,
    outcome=st.none() | st.sampled_from(CallOutcome),
    price=st.integers(0, 2**63),
    reference=texts,
)
legs = st.builds(
    Leg,
    id=st.integers(),
    account_id=st.integers(),
    call_id=st.integers(),
    name=texts,
    number=texts,
    shown=texts,
    carrier=texts,
    state=st.sampled_from(LegState),
    created_at=times,
    rate=st.integers(0, 2**63),
    ringing_at=st.none() | times,
    answered_at=st.none() | times,
    ended_at=st.none() | times,
)
refused = st.builds(Refused, recipient=texts, fault=faults, detail=texts)
CALL = WireCall("sms/sendSMS")


@given(requests)
@example(HttpRequest("GET", "", "/sms/sendSMS.xml", b"", b"id=a&to=1&content=%uD83D%00", {}, b""))
@example(
    HttpRequest("GET", "", "/sms/sendSMS.xml", b"", b"id=a&to=1&content=a&max_sms=" + b"9" * 5000, {}, b"")
)
def test_any_request_is_read_or_refused(request: HttpRequest) -> None:
    call = None
    try:
        call = ORANGE.read(request)
        for operation in ORANGE.operations.values():
            operation.decode(call)
    except Refusal as refusal:
        etree.fromstring(ORANGE.refuse(refusal, call).body)


@given(
    st.lists(st.one_of(st.builds(Accepted, recipient=texts, message=messages), refused)).map(tuple),
    st.integers(),
)
def test_any_outcome_of_a_send_can_be_said(results: tuple[Accepted | Refused, ...], balance: int) -> None:
    root = etree.fromstring(wire.encode_send(SendOutcome(results, balance), CALL).body)
    assert len(root.findall("call_info")) == sum(isinstance(result, Accepted) for result in results)


@given(
    st.one_of(
        st.builds(MessageStory, messages, st.lists(st.tuples(texts, times)), st.just(()), st.just(())),
        st.builds(CallStory, phone_calls, st.lists(legs, max_size=3).map(tuple)),
    )
)
def test_any_history_can_be_said(found: MessageStory | CallStory) -> None:
    root = etree.fromstring(encode_history(found, CALL).body)
    assert root.findtext("status/status_code") == "200"
    assert root.findtext("history/api") == ("call" if isinstance(found, CallStory) else "sms")


@given(faults, texts, st.none() | texts)
def test_any_refusal_can_be_said(fault: Fault, detail: str, field: str | None) -> None:
    root = etree.fromstring(wire.refuse(Refusal(fault, detail, field), None).body)
    assert root.findtext("status/status_msg")


@given(messages, times, texts)
def test_any_inbound_message_can_be_told(message: Message, now: datetime, url: str) -> None:
    event = MessageEvent("e", EventName.MESSAGE_RECEIVED, now + timedelta(0), message)
    told = wire.notice(event, NoticeTarget(url=f"http://c.example/{url}"), now)
    assert isinstance(told, Outgoing)
    assert "content=" in told.url
