"""createCall, releaseCall and the history of a call as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from chappe.dialects.contract import WireCall
from chappe.dialects.orange import calls, wire
from chappe.dialects.orange.operations import ORANGE, encode_history
from chappe.model.calls import (
    Call,
    CallKind,
    CallOutcome,
    CallState,
    CallStory,
    HangUpCause,
    Leg,
    LegState,
)
from chappe.model.commands import HangUpCall, PlaceCall
from chappe.model.errors import Fault, Refusal
from chappe.model.events import CallHappened, EventName
from chappe.protocols.http import HttpRequest
from chappe.services.ports import NoticeTarget

AT = datetime(2010, 6, 16, 12, 30, 5, 999, tzinfo=UTC)
LIVE = Call(
    1,
    "0123abcd",
    7,
    CallKind.TWO_LEG,
    CallState.LIVE,
    "33639980011",
    "33639980012",
    {},
    "orange",
    AT,
    AT,
    reference="<ticket>",
)
FIRST = Leg(
    2,
    7,
    1,
    "first",
    "33639980011",
    "",
    "sandbox",
    LegState.DOWN,
    AT,
    1000,
    ringing_at=AT,
    answered_at=AT + timedelta(seconds=2),
    ended_at=AT + timedelta(seconds=63.5),
    cause=HangUpCause.NORMAL,
    price=1034,
)
SECOND = replace(FIRST, id=3, name="second", number="33639980012", state=LegState.DIALLING)
SECOND = replace(SECOND, ringing_at=None, answered_at=None, ended_at=None, cause=None, price=0)
OVER = replace(
    LIVE,
    state=CallState.OVER,
    joined_at=AT + timedelta(seconds=2),
    over_at=AT + timedelta(seconds=63.5),
    outcome=CallOutcome.ANSWERED,
    price=1034,
)
ASKED = PlaceCall("33639980011", "33639980012", shows_parties=True)


def read(query: bytes, verb: bytes = b"createCall") -> WireCall:
    target = b"/call/" + verb + b".xml?id=a&" + query
    path, _, asked = target.partition(b"?")
    return wire.read(
        HttpRequest("GET", "call.beta.orange-api.net", path.decode(), target, asked, {}, b"", ())
    )


def status_of(refusal: Refusal) -> tuple[str | None, str | None]:
    root = etree.fromstring(wire.refuse(refusal, None).body)
    return root.findtext("status/status_code"), root.findtext("status/status_msg")


# --- createCall


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (b"", ASKED),
        (b"call_confirmation=true", replace(ASKED, confirm=True)),
        (b"call_confirmation=0", ASKED),
        (b"1=1", ASKED),  # the published sample names its option by its value
        (b"max_duration=5", replace(ASKED, longest=timedelta(minutes=5))),
        (b"max_duration=120", replace(ASKED, longest=timedelta(hours=2))),
        (b"private=true", replace(ASKED, shown_to_first="", shown_to_second="")),
        (b"private=true&from_display=1&to_display=2", replace(ASKED, shown_to_first="", shown_to_second="")),
        (b"private=false&from_display=1", replace(ASKED, shown_to_first="1")),
        (b"to_display=2", replace(ASKED, shown_to_second="2")),
        (b"tag=ticket", replace(ASKED, reference="ticket")),
        (b"private=&max_duration=&call_confirmation=&from_display=&to_display=&tag=", ASKED),
    ],
)
def test_what_a_call_is_asked_with(options: bytes, expected: PlaceCall) -> None:
    assert calls.decode_create(read(b"from=33639980011&to=33639980012&" + options)) == expected
    copied = b"amp;from=33639980011&amp;to=33639980012&amp;" + options.replace(b"&", b"&amp;")
    assert calls.decode_create(read(copied)) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (b"to=2", "from: the parameter is missing or empty; give a number such as 33123456789"),
        (b"from=1&to=", "to: the parameter is missing or empty; give a number such as 33123456789"),
        (b"from=1&to=2&private=maybe", 'private: "maybe" is neither true nor false'),
        (b"from=1&to=2&call_confirmation=2", 'call_confirmation: "2" is neither true nor false'),
        (
            b"from=1&to=2&max_duration=121",
            'max_duration: "121" is not accepted; write a whole number from 1 to 120',
        ),
        (
            b"from=1&to=2&max_duration=0",
            'max_duration: "0" is not accepted; write a whole number from 1 to 120',
        ),
        (
            b"from=1&to=2&tag=" + b"x" * 101,
            "tag: the label has 101 characters; it may have at most 100",
        ),
    ],
)
def test_what_cannot_be_read_is_named(query: bytes, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        calls.decode_create(read(query))
    assert status_of(caught.value) == ("400", message)


@pytest.mark.parametrize(
    ("field", "parameter"),
    [
        ("first", "from"),
        ("second", "to"),
        ("longest", "max_duration"),
        ("shown_to_first", "from_display"),
        ("shown_to_second", "to_display"),
    ],
)
def test_what_a_service_refuses_has_the_wire_s_name(field: str, parameter: str) -> None:
    assert status_of(Refusal(Fault.INVALID_PARAMETER, "no", field)) == ("400", f"{parameter}: no")


# --- releaseCall


@pytest.mark.parametrize("name", [b"call_id", b"callid", b"callId", b"amp;call_id"])
def test_the_call_to_end_under_every_spelling(name: bytes) -> None:
    assert calls.decode_release(read(name + b"=0123abcd", b"releaseCall")) == HangUpCall("0123abcd")


def test_an_end_without_a_call_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        calls.decode_release(read(b"call_id=", b"releaseCall"))
    code, message = status_of(caught.value)
    assert (code, message) == (
        "400",
        "call_id: the parameter is missing or empty; give the call_id that createCall answered",
    )


@pytest.mark.parametrize("verb", [wire.CREATE_CALL, wire.RELEASE_CALL])
def test_both_answer_the_call_s_id(verb: str) -> None:
    outcome = CallStory(LIVE) if verb == wire.CREATE_CALL else LIVE.ref
    answer = ORANGE.operations[verb].encode(outcome, read(b""))
    root = etree.fromstring(answer.body)
    assert root.findtext("status/status_code") == "200"
    assert root.findtext("call_info/call_id") == "0123abcd"


# --- getHistory


def test_the_history_of_a_call() -> None:
    answer = encode_history(CallStory(OVER, (FIRST, SECOND)), read(b""))
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<response><status><status_code>200</status_code><status_msg>OK</status_msg></status>"
        "<history><call_id>0123abcd</call_id><api>call</api><from>33639980011</from><to>33639980012</to>"
        "<tag>&lt;ticket&gt;</tag><state>ANSWERED</state><date_created>2010-06-16T12:30:05Z</date_created>"
        "<duration>61</duration><credits>1.034</credits>"
        "<event><number>33639980011</number><state>RINGING</state><date>2010-06-16T12:30:05Z</date></event>"
        "<event><number>33639980011</number><state>CONNECTED</state><date>2010-06-16T12:30:07Z</date></event>"
        "<event><number>33639980011</number><state>RELEASED</state><date>2010-06-16T12:31:08Z</date></event>"
        "</history></response>"
    )


@pytest.mark.parametrize("outcome", CallOutcome)
def test_every_outcome_is_a_state(outcome: CallOutcome) -> None:
    over = CallStory(replace(OVER, outcome=outcome))
    assert f"<state>{outcome.upper()}</state>" in calls.history(over)


def test_a_live_call_has_no_duration_yet() -> None:
    told = calls.history(CallStory(replace(LIVE, joined_at=AT)))
    assert "<state>LIVE</state>" in told and "<duration>0</duration>" in told


def test_nothing_is_pushed_of_calls() -> None:
    event = CallHappened("evt_1", EventName.CALL_ENDED, AT, CallStory(OVER))
    assert ORANGE.notice is not None
    assert ORANGE.notice(event, NoticeTarget("https://example.com/", "a@example.com"), AT) is None
