"""No input gives a traceback: whatever comes is a command or a refusal, and every refusal has an answer."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from chappe.dialects.contract import WireCall
from chappe.dialects.rest.operations import OPERATIONS, REST
from chappe.model.commands import Accepted, Refused, SendOutcome
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.messages import Direction, MessageState
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpRequest
from tests.dialects.rest.records import EARNED, JOB, MESSAGE, STORY, concrete

WORDS = [
    *("to", "text", "from", "receipt", "flash", "send_at", "reference", "encoding", "number", "url", "email"),
    *("dialect", "short_code", "word", "reason", "events", "enabled", "receipt_after_ms", "refuse"),
    *("receipt_before_answer", "duplicate_receipts", "limit", "cursor", "direction", "state"),
    *("since", "until"),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(
        ["2026-07-01T10:00:00Z", "0001-01-01T00:00:00+14:00", "gsm7", "none", "*", "\0", "+33612345678"]
    )
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(WORDS), inner, max_size=4)
    ),
)
BODIES = st.dictionaries(st.sampled_from(WORDS) | st.text(), ANY_JSON, max_size=5)
VERBS = st.sampled_from(list(OPERATIONS))
HEADERS = st.dictionaries(
    st.sampled_from(["authorization", "content-type", "idempotency-key", "content-length"]), st.text()
)
TIMES = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def answered(method: str, path: str, query: bytes, headers: Mapping[str, str], body: bytes) -> None:
    """Read and decode, and answer what is refused; anything but a Refusal goes through."""
    call: WireCall | None = None
    try:
        call = REST.read(
            HttpRequest(method, "localhost", path, path.encode("utf-8", "replace"), query, headers, body)
        )
        if call.verb not in OPERATIONS:
            raise Refusal(Fault.UNKNOWN_OPERATION, f"there is no {call.verb}")
        OPERATIONS[call.verb].decode(call)
    except Refusal as refusal:
        answer = REST.refuse(refusal, call)
        problem = json.loads(answer.body)
        assert 400 <= answer.status < 500
        assert problem["status"] == answer.status
        assert problem["code"] == refusal.fault
        assert problem["detail"]


@given(st.text(), st.text(), st.binary(), HEADERS, st.binary())
def test_anything_at_all(method: str, path: str, query: bytes, headers: dict[str, str], body: bytes) -> None:
    answered(method, path, query, headers, body)


@given(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]), st.text())
def test_any_path_below_v1(method: str, path: str) -> None:
    answered(method, f"/v1/{path}", b"", {}, b"{}")


@given(VERBS, st.binary(), HEADERS)
@example("POST /v1/messages", b'{"to":' + b"[" * 100_000, {})
@example("POST /v1/messages", b"[" * 100_000, {})
@example("POST /v1/messages", b'{"x":' * 100_000, {})
@example("POST /v1/messages", b'{"to":"1","text":"\\ud83d"}', {})
@example("POST /v1/messages", b'{"to":"1","text":"\\ud83d\\u0041"}', {})
@example("POST /v1/messages", b'\xef\xbb\xbf{"to":"1","text":"a"}', {})
@example("POST /v1/messages", '{"to":"1","text":"a"}'.encode("utf-16"), {})
@example("GET /v1/messages", b"", {"authorization": "Bearer \xff"})
def test_any_bytes_as_body(verb: str, body: bytes, headers: dict[str, str]) -> None:
    method, path = concrete(verb).split(" ")
    answered(method, path, b"", headers, body)


@given(VERBS, BODIES | ANY_JSON)
def test_any_json_as_body(verb: str, body: Any) -> None:
    method, path = concrete(verb).split(" ")
    answered(method, path, b"", {"content-type": "application/json"}, json.dumps(body).encode())


@given(
    VERBS,
    st.binary() | st.lists(st.tuples(st.sampled_from(WORDS), st.text("0123456789+-:TZ %&=a", max_size=30))),
)
def test_any_query(verb: str, query: bytes | list[tuple[str, str]]) -> None:
    method, path = concrete(verb).split(" ")
    raw = query if isinstance(query, bytes) else "&".join(f"{name}={value}" for name, value in query).encode()
    answered(method, path, raw, {}, b"{}")


MESSAGES = st.builds(
    MESSAGE._replace,
    direction=st.sampled_from(Direction),
    state=st.sampled_from(MessageState),
    peer=TEXTS,
    address=TEXTS,
    text=TEXTS,
    reference=TEXTS,
    carrier_code=TEXTS,
    price=st.integers(),
    encoding=st.sampled_from(Encoding),
    fault=st.none() | st.sampled_from(Fault),
    created_at=TIMES,
    due_at=TIMES,
    send_at=st.none() | TIMES,
    sent_at=st.none() | TIMES,
    finished_at=st.none() | TIMES,
)


@given(MESSAGES, st.integers(), st.booleans())
def test_every_message_has_its_json(message: Any, balance: int, replayed: bool) -> None:
    call = WireCall("GET /v1/messages")
    story = replace(STORY, message=message)
    sent = SendOutcome((Accepted(message.peer, message),), balance, replayed)
    for verb, outcome in (
        ("GET /v1/messages/{id}", (story,)),
        ("GET /v1/messages", Page((message,), balance)),
        ("POST /v1/messages", sent),
    ):
        answer = OPERATIONS[verb].encode(outcome, call)
        assert answer.status in (200, 201)
        assert json.loads(answer.body)


@given(st.sampled_from(Fault), TEXTS, TEXTS)
def test_every_refused_recipient_has_its_problem(fault: Fault, recipient: str, detail: str) -> None:
    outcome = SendOutcome((Refused(recipient, fault, detail),), 0)
    answer = OPERATIONS["POST /v1/messages"].encode(outcome, WireCall("POST /v1/messages"))
    assert json.loads(answer.body)["code"] == fault


@given(st.integers(min_value=0), st.dictionaries(TEXTS, TEXTS), TEXTS)
def test_every_delivery_and_entry_has_its_json(amount: int, payload: dict[str, object], outcome: str) -> None:
    call = WireCall("GET /v1/deliveries")
    job = JOB._replace(payload=payload, outcome=outcome)
    entry = replace(EARNED, amount=amount, reference=outcome)
    for verb, item in (("GET /v1/deliveries", job), ("GET /v1/account/ledger", entry)):
        assert OPERATIONS[verb].encode(Page((item,), None), call).status == 200
