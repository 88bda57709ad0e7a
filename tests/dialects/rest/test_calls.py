"""Calls over REST as pure functions: what is refused, the JSON of a call, what is told of it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chappe.dialects.rest.operations import OPERATIONS, REST
from chappe.model import commands
from chappe.model.errors import Fault, Refusal
from chappe.model.events import CallHappened, EventName
from chappe.model.outgoing import Outgoing
from chappe.model.sounds import Speech, Tone
from chappe.services.livecalls import Moment
from chappe.services.ports import NoticeTarget
from chappe.services.telephones import TelephoneCall
from tests.dialects.rest.records import ENDED_CALL, ENDED_LEG, LEG, LIVE_CALL, NOW, REF, call, decoded

AT = "2026-03-01T09:30:00Z"

# --- requests


@pytest.mark.parametrize("number", ["336", "+336", "%2B336", "%20336"])
def test_a_number_is_looked_for_in_any_writing(number: str) -> None:
    assert decoded(f"GET /v1/calls?number={number}") == commands.ListCalls(number="336", limit=20)


@pytest.mark.parametrize(
    ("line", "body", "code", "field"),
    [
        ("POST /v1/calls", b"", "missing_parameter", "from"),
        ("POST /v1/calls", b'{"from":"1"}', "missing_parameter", "to"),
        ("POST /v1/calls", b'{"from":"1","to":"2","callee":"3"}', "invalid_parameter", "callee"),
        ("POST /v1/calls", b'{"from":1,"to":"2"}', "invalid_parameter", "from"),
        (
            "POST /v1/calls",
            b'{"from":"1","to":"2","longest_seconds":0}',
            "invalid_parameter",
            "longest_seconds",
        ),
        (
            "POST /v1/calls",
            b'{"from":"1","to":"2","longest_seconds":7201}',
            "invalid_parameter",
            "longest_seconds",
        ),
        ("POST /v1/calls", b'{"from":"1","to":"2","ring_seconds":121}', "invalid_parameter", "ring_seconds"),
        ("POST /v1/calls", b'{"from":"1","to":"2","confirm":"yes"}', "invalid_parameter", "confirm"),
        ("POST /v1/calls", b'{"from":"1","to":"2","language":"de"}', "invalid_parameter", "language"),
        ("POST /v1/calls", b'{"from":"1","to":"2","shown_to_to":5}', "invalid_parameter", "shown_to_to"),
        ("GET /v1/calls?state=ringing", b"", "invalid_parameter", "state"),
        ("GET /v1/calls?outcome=good", b"", "invalid_parameter", "outcome"),
        ("GET /v1/calls?from=336", b"", "invalid_parameter", "from"),
        (f"GET /v1/calls/{REF}?legs=1", b"", "invalid_parameter", "legs"),
        ("POST /v1/sandbox/handsets/1/calls/x/answer", b"", "not_found", "id"),
        ("POST /v1/sandbox/handsets/1/calls/3/answer?now=1", b"", "invalid_parameter", "now"),
        ("POST /v1/sandbox/handsets/1/calls/3/keys", b"", "missing_parameter", "keys"),
        ("POST /v1/sandbox/handsets/1/calls/3/keys", b'{"keys":""}', "invalid_parameter", "keys"),
        ("POST /v1/sandbox/handsets/1/calls/3/keys", b'{"keys":"1a"}', "invalid_parameter", "keys"),
        ("PUT /v1/sandbox/handsets/1/behaviour", b'{"call":"sleep"}', "invalid_parameter", "call"),
        ("PUT /v1/sandbox/handsets/1/behaviour", b'{"keys":"abc"}', "invalid_parameter", "keys"),
        (
            "PUT /v1/sandbox/handsets/1/behaviour",
            b'{"answer_after_ms":3600001}',
            "invalid_parameter",
            "answer_after_ms",
        ),
    ],
)
def test_bad_input_is_named(line: str, body: bytes, code: str, field: str) -> None:
    with pytest.raises(Refusal) as caught:
        decoded(line, body)
    problem = json.loads(REST.refuse(caught.value, call(line, body)).body)
    assert (problem["code"], problem.get("field")) == (code, field)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("first", "from"),
        ("second", "to"),
        ("shown_to_first", "shown_to_from"),
        ("shown_to_second", "shown_to_to"),
        ("longest", "longest_seconds"),
        ("ring", "ring_seconds"),
    ],
)
def test_what_a_service_refuses_has_the_request_s_name(ours: str, theirs: str) -> None:
    problem = json.loads(REST.refuse(Refusal(Fault.INVALID_PARAMETER, "no", ours), None).body)
    assert problem["field"] == theirs


# --- answers


def encoded(verb: str, outcome: object) -> Any:
    return json.loads(OPERATIONS[verb].encode(outcome, call("GET /v1/calls")).body)


def test_a_call_that_rings_has_no_end() -> None:
    assert encoded("GET /v1/calls/{id}", LIVE_CALL) == {
        "id": REF,
        "from": "33639980001",
        "to": "33639980002",
        "state": "live",
        "outcome": None,
        "created_at": AT,
        "answered_at": None,
        "ended_at": None,
        "reserved": 242,
        "price": 0,
        "reference": "r1",
        "dialect": "rest",
        "legs": [
            {
                "id": "9007199254740995",
                "name": "first",
                "number": "33639980001",
                "shown": "33639980000",
                "state": "ringing",
                "created_at": AT,
                "ringing_at": AT,
            }
        ],
    }


def test_a_call_that_is_over_tells_why_and_what_it_cost() -> None:
    over = encoded("GET /v1/calls/{id}", ENDED_CALL)
    assert (over["state"], over["outcome"], over["price"]) == ("over", "answered", 0.017)
    (leg,) = over["legs"]
    assert (leg["state"], leg["cause"], leg["machine"], leg["price"]) == ("down", "normal", True, 0.017)


def test_a_telephone_sees_who_calls_and_what_it_hears_and_not_what_it_costs() -> None:
    listed = (
        TelephoneCall(ENDED_LEG),
        TelephoneCall(LEG, Moment(Speech("Bonjour."), ("33639980002",), "1#")),
        TelephoneCall(replace(LEG, inbound=True), Moment(Tone.RINGBACK)),
    )
    ended, ringing, dialled = encoded("GET /v1/sandbox/handsets/{number}/calls", listed)["data"]
    told = {"id": "9007199254740995", "shown": "33639980000", "state": "ringing", "at": AT}
    assert ringing == {**told, "hears": "Bonjour.", "speaks_with": ["33639980002"], "keys": "1#"}
    assert dialled == {**told, "dialled": True, "hears": "ringback"}
    assert ended == {**told, "state": "down", "answered_at": AT, "ended_at": AT, "cause": "normal"}


# --- notices


def told(event: CallHappened) -> Any:
    outgoing = REST.notice(event, NoticeTarget("https://example.com/"), NOW)
    assert isinstance(outgoing, Outgoing)
    assert outgoing.headers["webhook-id"] == event.id
    return json.loads(outgoing.body)


@pytest.mark.parametrize("name", [EventName.CALL_STARTED, EventName.CALL_ANSWERED, EventName.CALL_ENDED])
def test_a_notice_of_a_call_is_the_call(name: EventName) -> None:
    said = told(CallHappened("evt_3", name, NOW, ENDED_CALL))
    assert said == {"type": name, "timestamp": AT, "data": encoded("GET /v1/calls/{id}", ENDED_CALL)}


@pytest.mark.parametrize("name", [EventName.LEG_RINGING, EventName.LEG_ANSWERED, EventName.LEG_ENDED])
def test_a_notice_of_a_leg_has_its_call_beside_it(name: EventName) -> None:
    said = told(CallHappened("evt_4", name, NOW, LIVE_CALL, LEG))
    whole = encoded("GET /v1/calls/{id}", LIVE_CALL)
    assert said == {"type": name, "timestamp": AT, "data": {"call": whole, "leg": whole["legs"][0]}}


def test_calls_are_told_to_urls_only() -> None:
    event = CallHappened("evt_5", EventName.CALL_ENDED, NOW, ENDED_CALL)
    assert REST.notice(event, NoticeTarget("", "a@example.com"), NOW) is None
