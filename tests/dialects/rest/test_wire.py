"""The REST dialect as pure functions: requests to commands, outcomes to JSON, events to notices."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chappe.dialects.rest import problems, shapes
from chappe.dialects.rest.operations import OPERATIONS, REST
from chappe.model import commands
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EVENT_OF_STATE, EventName, MessageEvent
from chappe.model.jobs import JobState
from chappe.model.messages import Direction, MessageState
from chappe.model.outgoing import Mail, Outgoing
from chappe.model.smstext import Encoding
from chappe.model.sounds import Speech, Uploaded
from chappe.services.ports import NoticeTarget
from tests.dialects.rest.records import (
    INBOUND,
    JOB,
    MESSAGE,
    NOW,
    OUTCOMES,
    REF,
    SUBSCRIPTION,
    call,
    concrete,
    decoded,
)

# --- reading


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_operation_is_found_by_its_path(verb: str) -> None:
    read = call(concrete(verb))
    assert (read.verb, read.anonymous) == (verb, verb == "GET /v1/openapi.json")


def test_parameters_of_the_path_are_read() -> None:
    assert call("DELETE /v1/blacklist/+33612345678").data.parameters == {"number": "+33612345678"}


def test_head_is_get_without_a_body() -> None:
    assert call("HEAD /v1/account").verb == "GET /v1/account"


def test_quote_is_not_the_id_of_a_message() -> None:
    assert call("POST /v1/messages/quote").verb == "POST /v1/messages/quote"
    assert call("GET /v1/messages/quote").data.methods == ("POST",)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/",
        "/v1/nothing",
        "/v1/messages/",
        "/v1/messages/a/b",
        "/v1//messages",
        "/v1/messages/a\0b",
        "/v1/messages/\udc80",
        "/v1/openapi-json",
        "/V1/account",
    ],
)
def test_another_path_is_unknown_also_without_a_key(path: str) -> None:
    read = call(f"GET {path}")
    assert read.anonymous
    assert read.verb not in OPERATIONS
    assert REST.refuse(Refusal(Fault.UNKNOWN_OPERATION, "no"), read).status == 404


def test_another_method_is_told_which_ones_there_are() -> None:
    read = call("PATCH /v1/messages")
    answer = REST.refuse(Refusal(Fault.UNKNOWN_OPERATION, "no"), read)
    assert (read.anonymous, answer.status) == (True, 405)
    assert dict(answer.headers)["allow"] == "POST, GET, HEAD"


@pytest.mark.parametrize("header", ["Bearer key-1", "bearer key-1", "BEARER  key-1 "])
def test_the_key_is_read_and_masked(header: str) -> None:
    read = call("GET /v1/account", authorization=header)
    assert (read.credentials, read.secrets) == ((commands.Key("key-1"),), (b"key-1",))


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "key-1", "Bearer clé"])
def test_another_authorization_is_no_credential_but_masked(header: str) -> None:
    read = call("GET /v1/account", authorization=header)
    assert (read.credentials, read.secrets) == ((), (header.encode("latin-1"),))


def test_without_authorization_there_is_nothing_to_mask() -> None:
    assert call("GET /v1/account").secrets == ()


@pytest.mark.parametrize("query", ["to=%FF", "&".join(f"a{n}=1" for n in range(101))])
def test_a_query_that_cannot_be_read_is_400(query: str) -> None:
    with pytest.raises(Refusal) as caught:
        call(f"GET /v1/messages?{query}")
    assert REST.refuse(caught.value, None).status == 400


# --- requests to commands

SEND = b'{"to":["+33612345678"],"text":"Hello"}'
SENT = commands.SendMessages(("+33612345678",), "Hello")
CALLED = commands.PlaceCall("1", "2", longest=timedelta(hours=1), ring=timedelta(seconds=30))
JULY = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "body", "command"),
    [
        ("POST /v1/messages", SEND, SENT),
        (
            "POST /v1/messages",
            b'{"to":"0612345678","text":"Hello"}',
            SENT._replace(recipients=("0612345678",)),
        ),
        ("POST /v1/messages", b'{"to":[],"text":""}', SENT._replace(recipients=(), text="")),
        (
            "POST /v1/messages",
            b'{"to":["+33612345678"],"text":"Hello","from":null,"send_at":null,"reference":null,"encoding":null}',
            SENT,
        ),
        (
            "POST /v1/messages",
            b'{"to":["+33612345678"],"text":"Hello","from":"Me","receipt":false,"flash":true,"reference":"r",'
            b'"send_at":"2026-07-01T10:00:00+02:00","encoding":"ucs2"}',
            SENT._replace(
                sender="Me",
                receipt_wanted=False,
                flash=True,
                reference="r",
                send_at=JULY,
                encoding=Encoding.UCS2,
            ),
        ),
        ("POST /v1/messages/quote", SEND, commands.QuoteMessages(("+33612345678",), "Hello")),
        (
            "POST /v1/messages/quote",
            b'{"to":"1","text":"a","from":"Me","flash":true,"encoding":"gsm7"}',
            commands.QuoteMessages(("1",), "a", Encoding.GSM7, "Me"),
        ),
        ("GET /v1/messages", b"", commands.ListMessages()),
        (
            "GET /v1/messages?direction=mo&state=received&dialect=orange&reference=r&text=hi"
            "&limit=100&cursor=5",
            b"",
            commands.ListMessages(
                direction=Direction.MO,
                state=MessageState.RECEIVED,
                dialect="orange",
                reference="r",
                text="hi",
                limit=100,
                cursor=5,
            ),
        ),
        (
            "GET /v1/messages?since=2026-07-01T10:00:00%2B02:00&until=2026-07-01T08:00:00Z",
            b"",
            commands.ListMessages(since=JULY, until=JULY),
        ),
        (
            "GET /v1/messages?to=+336&from=20345",
            b"",
            commands.ListMessages(direction=Direction.MT, peer="336", address="20345"),
        ),
        (
            "GET /v1/messages?to=20345&from=%2B336&direction=mo",
            b"",
            commands.ListMessages(direction=Direction.MO, peer="336", address="20345"),
        ),
        (f"GET /v1/messages/{REF}", b"", commands.FindMessages((REF,), notices=True)),
        (f"POST /v1/messages/{REF}/cancel", b"", commands.CancelMessages((REF,))),
        ("GET /v1/account", b"", commands.ReadAccount()),
        ("GET /v1/account/ledger?limit=1", b"", commands.ReadLedger(None, 1)),
        ("GET /v1/numbers", b"", commands.ListNumbers()),
        ("POST /v1/numbers", b"", commands.ClaimNumber()),
        ("POST /v1/numbers", b'{"number":"1","email":"e"}', commands.ClaimNumber("1", "", "e")),
        (
            "PATCH /v1/numbers/1",
            b'{"url":"u","dialect":"orange"}',
            commands.ChangeNumber("1", "u", None, "orange"),
        ),
        ("DELETE /v1/numbers/1", b"", commands.ReleaseNumber("1")),
        ("GET /v1/keywords", b"", commands.ListKeywords()),
        (
            "POST /v1/keywords",
            b'{"short_code":"20345","word":"POLL","url":"u"}',
            commands.ClaimKeyword("20345", "POLL", "u"),
        ),
        ("PATCH /v1/keywords/6", b'{"url":"","dialect":null}', commands.ChangeKeyword(6, "", None, None)),
        ("DELETE /v1/keywords/6", b"", commands.ReleaseKeyword(6)),
        ("GET /v1/blacklist", b"", commands.ListBlacklist()),
        ("POST /v1/blacklist", b'{"number":"1"}', commands.BlockNumber("1")),
        ("POST /v1/blacklist", b'{"number":"1","reason":"r"}', commands.BlockNumber("1", "r")),
        ("DELETE /v1/blacklist/1", b"", commands.UnblockNumber("1")),
        ("GET /v1/subscriptions", b"", commands.ListSubscriptions()),
        ("POST /v1/subscriptions", b'{"url":"u","events":["*"]}', commands.Subscribe("u", ("*",))),
        (f"GET /v1/subscriptions/{REF}", b"", commands.FindSubscription(REF)),
        (
            f"PATCH /v1/subscriptions/{REF}",
            b'{"enabled":true}',
            commands.ChangeSubscription(REF, enabled=True),
        ),
        (
            f"PATCH /v1/subscriptions/{REF}",
            b'{"url":"u","events":["message.sent"]}',
            commands.ChangeSubscription(REF, "u", ("message.sent",)),
        ),
        (f"DELETE /v1/subscriptions/{REF}", b"", commands.Unsubscribe(REF)),
        ("GET /v1/deliveries?state=dead", b"", commands.ListDeliveries(JobState.DEAD)),
        ("POST /v1/deliveries/3/replay", b"{}", commands.ReplayDelivery(3)),
        ("GET /v1/sandbox/handsets", b"", commands.ListHandsets()),
        ("GET /v1/sandbox/handsets/1/messages?limit=5", b"", commands.ReadHandset("1", 5)),
        (
            "POST /v1/sandbox/handsets/1/messages",
            b'{"to":"20345","text":"STOP"}',
            commands.SendFromHandset("1", "20345", "STOP"),
        ),
        (
            "PUT /v1/sandbox/handsets/1/behaviour",
            b'{"receipt":"none","receipt_after_ms":0,"duplicate_receipts":true,"receipt_before_answer":true,'
            b'"refuse":null}',
            commands.SetBehaviour(
                "1",
                {
                    "receipt": "none",
                    "receipt_after_ms": 0,
                    "duplicate_receipts": 1,
                    "receipt_before_answer": True,
                    "refuse": None,
                },
            ),
        ),
        ("PUT /v1/sandbox/handsets/1/behaviour", b"{}", commands.SetBehaviour("1", {})),
        (
            "PUT /v1/sandbox/handsets/1/behaviour",
            b'{"call":"answer","answer_after_ms":1,"keys":"1#","keys_after_ms":2,"hang_up_after_ms":3}',
            commands.SetBehaviour(
                "1",
                {
                    "call": "answer",
                    "answer_after_ms": 1,
                    "keys": "1#",
                    "keys_after_ms": 2,
                    "hang_up_after_ms": 3,
                },
            ),
        ),
        ("GET /v1/sandbox/handsets/1/calls?limit=5", b"", commands.ReadHandset("1", 5)),
        *(
            (
                f"POST /v1/sandbox/handsets/1/calls/3/{what}",
                b"",
                commands.UseTelephone("1", 3, what),
            )
            for what in ("answer", "reject", "hangup")
        ),
        (
            "POST /v1/sandbox/handsets/1/calls/3/keys",
            b'{"keys":"1#"}',
            commands.UseTelephone("1", 3, "keys", "1#"),
        ),
        ("POST /v1/calls", b'{"from":"1","to":"2"}', CALLED),
        (
            "POST /v1/calls",
            b'{"from":"1","to":"2","shown_to_from":null,"shown_to_to":"3","longest_seconds":90,'
            b'"ring_seconds":10,"confirm":true,"language":"en","reference":"r"}',
            commands.PlaceCall(
                "1",
                "2",
                shown_to_first="",
                shown_to_second="3",
                longest=timedelta(seconds=90),
                ring=timedelta(seconds=10),
                confirm=True,
                language="en",
                reference="r",
            ),
        ),
        ("GET /v1/calls", b"", commands.ListCalls(limit=20)),
        (
            "GET /v1/calls?state=over&outcome=busy&dialect=orange&reference=r&number=%2B336"
            "&limit=100&cursor=5&since=2026-07-01T10:00:00%2B02:00&until=2026-07-01T08:00:00Z",
            b"",
            commands.ListCalls("over", "busy", "orange", "r", "336", JULY, JULY, 5, 100),
        ),
        (f"GET /v1/calls/{REF}", b"", commands.FindCall(REF)),
        (f"POST /v1/calls/{REF}/hangup", b"", commands.HangUpCall(REF)),
        (
            f"POST /v1/calls/{REF}/play",
            b'{"say":"hi","language":"en","voice":"male"}',
            commands.PlayToCall(REF, "", Speech("hi", "en", "male")),
        ),
        (
            f"POST /v1/calls/{REF}/play",
            b'{"leg":"first","sound":"abc"}',
            commands.PlayToCall(REF, "first", Uploaded("abc")),
        ),
        (f"POST /v1/calls/{REF}/stop", b'{"leg":"first"}', commands.StopSound(REF, "first")),
        (f"POST /v1/calls/{REF}/keys", b'{"leg":"7","keys":"1#"}', commands.SendKeys(REF, "7", "1#")),
        (f"POST /v1/calls/{REF}/mute", b'{"leg":"first"}', commands.MuteLeg(REF, "first", True)),
        (
            f"POST /v1/calls/{REF}/mute",
            b'{"leg":"first","muted":false}',
            commands.MuteLeg(REF, "first", False),
        ),
        (f"POST /v1/calls/{REF}/record", b"{}", commands.RecordCall(REF, True)),
        (f"POST /v1/calls/{REF}/record", b'{"recording":false}', commands.RecordCall(REF, False)),
        (f"POST /v1/calls/{REF}/legs/first/hangup", b"", commands.HangUpLeg(REF, "first")),
    ],
)
def test_a_request_means_a_command(line: str, body: bytes, command: object) -> None:
    assert decoded(line, body) == command


@pytest.mark.parametrize("content_type", ["", "application/json; charset=utf-8", "Application/vnd.api+JSON"])
def test_json_has_many_names(content_type: str) -> None:
    assert decoded("POST /v1/messages", SEND, content_type) == SENT


def test_the_replay_key_goes_with_a_fingerprint_of_the_request() -> None:
    digest = hashlib.sha256(b"POST /v1/messages\n" + SEND).hexdigest()
    command = decoded("POST /v1/messages", SEND, idempotency_key='"k-1"')
    assert command.replay == commands.Replay('"k-1"', digest)


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_replay_key_is_1_to_255_visible_characters(key: str) -> None:
    with pytest.raises(Refusal) as caught:
        decoded("POST /v1/messages", SEND, idempotency_key=key)
    assert (caught.value.fault, caught.value.field) == (Fault.INVALID_PARAMETER, "idempotency-key")


def refused(line: str, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
    with pytest.raises(Refusal) as caught:
        decoded(line, body, content_type)
    answer = REST.refuse(caught.value, call(line, body, content_type))
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    ("line", "body", "status", "code", "field"),
    [
        ("POST /v1/messages", b"", 422, "missing_parameter", "to"),
        ("POST /v1/messages", b'{"to":["1"]}', 422, "missing_parameter", "text"),
        ("POST /v1/messages", b'{"to":["1"],"text":"a","txt":"b"}', 422, "invalid_parameter", "txt"),
        ("POST /v1/messages", b'{"to":["1"],"text":"a","body":"b"}', 422, "invalid_parameter", "body"),
        ("POST /v1/messages", b'{"to":["1",2],"text":"a"}', 422, "invalid_parameter", "to[1]"),
        ("POST /v1/messages", b'{"to":{},"text":"a"}', 422, "invalid_parameter", "to"),
        ("POST /v1/messages", b'{"to":["1"],"text":null}', 422, "invalid_parameter", "text"),
        ("POST /v1/messages", b'{"to":["1"],"text":"a","flash":"yes"}', 422, "invalid_parameter", "flash"),
        (
            "POST /v1/messages",
            b'{"to":["1"],"text":"a","encoding":"utf8"}',
            422,
            "invalid_parameter",
            "encoding",
        ),
        (
            "POST /v1/messages",
            b'{"to":["1"],"text":"a","send_at":"2026-07-01T10:00:00"}',
            422,
            "invalid_parameter",
            "send_at",
        ),
        (
            "POST /v1/messages",
            b'{"to":["1"],"text":"a","send_at":"soon"}',
            422,
            "invalid_parameter",
            "send_at",
        ),
        (
            "POST /v1/messages",
            b'{"to":["1"],"text":"a","send_at":"0001-01-01T00:00:00+14:00"}',
            422,
            "invalid_parameter",
            "send_at",
        ),
        (
            "POST /v1/messages",
            b'{"to":["1"],"text":"a","send_at":"9999-12-31T23:59:59-14:00"}',
            422,
            "invalid_parameter",
            "send_at",
        ),
        ("POST /v1/messages", b'{"to":["1"],"text":"a\\u0000b"}', 422, "invalid_parameter", None),
        ("POST /v1/messages", b"[]", 422, "invalid_parameter", None),
        ("POST /v1/messages?x=1", SEND, 422, "invalid_parameter", "x"),
        ("POST /v1/messages", b"{", 400, "invalid_parameter", None),
        ("POST /v1/messages", b"to=1&text=a", 400, "invalid_parameter", None),
        ("POST /v1/messages", b'{"to":["1"],"text":"\xff"}', 400, "invalid_parameter", None),
        ("POST /v1/messages", b'{"to":["1"],"text":"\\ud83d"}', 400, "invalid_parameter", None),
        ("POST /v1/messages", b"[" * 100_000, 422, "invalid_parameter", None),
        ("POST /v1/messages", b'{"to":' + b"[" * 100_000, 422, "invalid_parameter", "to[0]"),
        ("GET /v1/messages?limit=0", b"", 422, "invalid_parameter", "limit"),
        ("GET /v1/messages?limit=101", b"", 422, "invalid_parameter", "limit"),
        ("GET /v1/messages?limit=ten", b"", 422, "invalid_parameter", "limit"),
        ("GET /v1/messages?limit=1&limit=2", b"", 422, "invalid_parameter", "limit"),
        ("GET /v1/messages?cursor=-1", b"", 422, "invalid_parameter", "cursor"),
        ("GET /v1/messages?cursor=9223372036854775808", b"", 422, "invalid_parameter", "cursor"),
        ("GET /v1/messages?state=lost", b"", 422, "invalid_parameter", "state"),
        ("GET /v1/messages?since=2026-07-01T10:00:00+02:00", b"", 422, "invalid_parameter", "since"),
        ("GET /v1/messages?status=sent", b"", 422, "invalid_parameter", "status"),
        ("GET /v1/messages?text=%00", b"", 422, "invalid_parameter", "text"),
        ("GET /v1/account?verbose=1", b"", 422, "invalid_parameter", "verbose"),
        ("PATCH /v1/keywords/first", b"{}", 404, "not_found", "id"),
        ("POST /v1/deliveries/99999999999999999999/replay", b"", 404, "not_found", "id"),
        ("POST /v1/subscriptions", b'{"url":"u","events":[]}', 422, "invalid_parameter", "events"),
        (
            "POST /v1/subscriptions",
            b'{"url":"u","events":["*"],"dialect":"A B"}',
            422,
            "invalid_parameter",
            "dialect",
        ),
        ("PUT /v1/sandbox/handsets/1/behaviour", b'{"refuse":"never"}', 422, "invalid_parameter", "refuse"),
        (
            "PUT /v1/sandbox/handsets/1/behaviour",
            b'{"receipt_after_ms":-1}',
            422,
            "invalid_parameter",
            "receipt_after_ms",
        ),
        ("PUT /v1/sandbox/handsets/1/behaviour", b'{"mood":"bad"}', 422, "invalid_parameter", "mood"),
    ],
)
def test_bad_input_is_named(line: str, body: bytes, status: int, code: str, field: str | None) -> None:
    answered, problem = refused(line, body)
    assert (answered, problem["code"], problem.get("field")) == (status, code, field)
    assert problem["status"] == status


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]
)
def test_another_content_type_is_415(content_type: str) -> None:
    status, problem = refused("POST /v1/messages", SEND, content_type)
    assert (status, problem["code"], problem["field"]) == (415, "unsupported", "content-type")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"to":["1"],"text":"a","txt":"b"}', "there is no txt here; there are to, text, from, receipt, "),
        (b'{"to":["1"],"text":5}', "text: expected a string, got an integer"),
        (
            b'{"to":["1"],"text":"a","encoding":"utf8"}',
            "encoding: invalid enum value 'utf8'; use one of gsm7, ucs2",
        ),
        (b'{"to":["1"],"text":"a","send_at":"2026-07-01T10:00:00"}', "write it like 2026-03-01T09:30:00Z"),
    ],
)
def test_the_detail_says_what_to_do(body: bytes, detail: str) -> None:
    assert detail in refused("POST /v1/messages", body)[1]["detail"]


# --- outcomes to JSON


def encoded(verb: str, outcome: object) -> tuple[int, Any]:
    answer = OPERATIONS[verb].encode(outcome, call(concrete(verb)))
    is_json = "json" in answer.content_type
    return answer.status, json.loads(answer.body) if answer.body and is_json else answer.body or None


def test_there_is_an_outcome_for_every_operation() -> None:
    assert OUTCOMES.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_outcome_has_an_answer(verb: str) -> None:
    status, content = encoded(verb, OUTCOMES[verb])
    assert status == OPERATIONS[verb].extra["openapi"].status
    assert (content is None) == (status == 204)


def test_a_send_tells_every_recipient_and_the_balance() -> None:
    sent = {
        "id": REF,
        "to": "33612345678",
        "from": "Chappe",
        "state": "queued",
        "segments": 1,
        "encoding": "gsm7",
        "price": 0.5,
        "send_at": None,
    }
    assert encoded("POST /v1/messages", OUTCOMES["POST /v1/messages"]) == (
        201,
        {"messages": [sent], "balance": 199.5},
    )


def test_a_replayed_send_is_the_same_answer_with_a_mark() -> None:
    outcome, read = OUTCOMES["POST /v1/messages"], call("POST /v1/messages")
    first = OPERATIONS["POST /v1/messages"].encode(outcome, read)
    again = OPERATIONS["POST /v1/messages"].encode(outcome._replace(replayed=True), read)
    assert (first.status, first.body) == (again.status, again.body)
    assert set(again.headers) - set(first.headers) == {("idempotency-replayed", "true")}


def test_a_refused_recipient_among_others_is_named() -> None:
    accepted = OUTCOMES["POST /v1/messages"].results[0]
    refused_one = commands.Refused("x", Fault.INVALID_RECIPIENT, "x is no number")
    status, problem = encoded("POST /v1/messages", commands.SendOutcome((accepted, refused_one), 0))
    assert (status, problem["code"], problem["field"]) == (422, "invalid_recipient", "to[1]")


@pytest.mark.parametrize(
    ("verb", "fault", "status"),
    [
        ("GET /v1/messages/{id}", Fault.NOT_FOUND, 404),
        ("POST /v1/messages/{id}/cancel", Fault.NOT_FOUND, 404),
        ("POST /v1/messages/{id}/cancel", Fault.TOO_LATE, 409),
    ],
)
def test_a_refused_id_is_a_problem(verb: str, fault: Fault, status: int) -> None:
    answered, problem = encoded(verb, (commands.Refused("x", fault, "no"),))
    assert (answered, problem["code"]) == (status, fault)


def test_a_message_has_its_history_and_notices() -> None:
    story = encoded("GET /v1/messages/{id}", OUTCOMES["GET /v1/messages/{id}"])[1]
    assert story["history"] == [
        {"state": "queued", "at": "2026-03-01T09:30:00Z"},
        {"state": "sent", "at": "2026-03-01T09:30:00Z"},
    ]
    (notice,) = story["notices"]
    assert (notice["id"], notice["event"], notice["target"], notice["way"], notice["state"]) == (
        "9007199254740993",
        "message.delivered",
        "subscription",
        "url",
        "dead",
    )


def test_an_inbound_message_comes_from_the_mobile() -> None:
    outbound, inbound = encoded("GET /v1/messages", OUTCOMES["GET /v1/messages"])[1]["data"]
    assert (outbound["from"], outbound["to"]) == ("Chappe", "33612345678")
    assert (inbound["from"], inbound["to"]) == ("33612345678", "20345")


def test_a_failed_message_says_why() -> None:
    failed = MESSAGE._replace(state=MessageState.FAILED, fault=Fault.CARRIER_REJECTED, carrier_code="11")
    content = encoded("POST /v1/messages/{id}/cancel", (failed,))[1]
    assert content["error"] == {"code": "carrier_rejected", "carrier_code": "11"}


@pytest.mark.parametrize("state", MessageState)
def test_every_state_has_its_word(state: MessageState) -> None:
    assert encoded("POST /v1/messages/{id}/cancel", (MESSAGE._replace(state=state),))[1]["state"] == state


def test_the_ledger_is_signed() -> None:
    data = encoded("GET /v1/account/ledger", OUTCOMES["GET /v1/account/ledger"])[1]["data"]
    assert [entry["amount"] for entry in data] == [-0.5, 200]


@pytest.mark.parametrize(
    ("thousandths", "written"),
    [
        (0, b"0"),
        (1, b"0.001"),
        (500, b"0.5"),
        (1000, b"1"),
        (-3250, b"-3.25"),
        (10**15 + 1, b"1000000000000.001"),
    ],
)
def test_amounts_are_exact(thousandths: int, written: bytes) -> None:
    assert bytes(shapes.credits_of(thousandths)) == written


def test_the_secret_of_a_subscription_is_shown_once() -> None:
    assert encoded("POST /v1/subscriptions", SUBSCRIPTION)[1]["secret"] == SUBSCRIPTION.secret
    assert "secret" not in encoded("GET /v1/subscriptions/{id}", SUBSCRIPTION)[1]


def test_times_are_told_in_utc() -> None:
    in_paris = NOW.astimezone(timezone(timedelta(hours=1)))
    content = encoded("POST /v1/deliveries/{id}/replay", JOB._replace(due_at=in_paris))[1]
    assert content["due_at"] == "2026-03-01T09:30:00Z"


def test_a_telephone_shows_who_wrote_to_whom() -> None:
    verb = "GET /v1/sandbox/handsets/{number}/messages"
    received, sent = encoded(verb, OUTCOMES[verb])[1]["data"]
    assert (received["from"], received["to"], received["incoming"]) == ("Chappe", "33612345678", True)
    assert (sent["from"], sent["to"], sent["incoming"]) == ("33612345678", "20345", False)


# --- refusals


def test_every_fault_has_a_status() -> None:
    assert problems.FAULTS.keys() == set(Fault)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("read", [None, call("POST /v1/messages")])
def test_every_fault_is_a_problem(fault: Fault, read: Any) -> None:
    answer = REST.refuse(Refusal(fault, "what is wrong", "recipients[17]"), read)
    problem = json.loads(answer.body)
    assert answer.content_type == "application/problem+json"
    assert 400 <= answer.status == problem["status"]
    assert problem["type"] == f"urn:chappe:fault:{fault}"
    assert (problem["code"], problem["detail"], problem["field"]) == (fault, "what is wrong", "to[17]")


@pytest.mark.parametrize(
    ("fault", "name", "value"),
    [
        (Fault.BAD_CREDENTIALS, "www-authenticate", "Bearer"),
        (Fault.RATE_LIMITED, "retry-after", "1"),
        (Fault.CARRIER_UNAVAILABLE, "retry-after", "30"),
    ],
)
def test_some_faults_need_a_header(fault: Fault, name: str, value: str) -> None:
    assert dict(REST.refuse(Refusal(fault, "no"), None).headers)[name] == value


def test_too_long_is_413_for_a_body_and_422_for_a_text() -> None:
    too_long = Refusal(Fault.CONTENT_TOO_LONG, "too long")
    assert REST.refuse(too_long, None).status == 413
    assert REST.refuse(too_long, call("POST /v1/messages")).status == 422


def test_a_long_detail_with_half_a_character_is_still_told() -> None:
    problem = json.loads(REST.refuse(Refusal(Fault.INVALID_SENDER, "\ud800" * 5000, "\udfff"), None).body)
    assert len(problem["detail"]) == 1000


# --- notices

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = MessageEvent(
    "evt_1", EventName.MESSAGE_DELIVERED, NOW, MESSAGE._replace(state=MessageState.DELIVERED)
)


def posted(target: NoticeTarget, event: MessageEvent = EVENT, now: datetime = NOW) -> Outgoing:
    outgoing = REST.notice(event, target, now)
    assert isinstance(outgoing, Outgoing)
    return outgoing


def test_a_notice_is_verified_by_the_public_library() -> None:
    outgoing = posted(NoticeTarget("https://example.com/", "", SECRET), now=datetime.now(UTC))
    content = Webhook(SECRET).verify(outgoing.body, dict(outgoing.headers))
    assert (outgoing.method, outgoing.url) == ("POST", "https://example.com/")
    assert (content["type"], content["timestamp"]) == ("message.delivered", "2026-03-01T09:30:00Z")
    assert (content["data"]["id"], content["data"]["state"]) == (REF, "delivered")


def test_a_notice_that_was_changed_on_the_way_is_not_verified() -> None:
    outgoing = posted(NoticeTarget("https://example.com/", "", SECRET), now=datetime.now(UTC))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(outgoing.body.replace(b"delivered", b"failed"), dict(outgoing.headers))


def test_a_second_try_keeps_the_id() -> None:
    target = NoticeTarget("https://example.com/", "", SECRET)
    first, second = posted(target), posted(target, now=NOW + timedelta(hours=1))
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "evt_1"
    assert (first.body, first.headers["webhook-timestamp"]) != (
        second.body,
        second.headers["webhook-timestamp"],
    )


def test_without_a_secret_a_notice_is_not_signed() -> None:
    assert posted(NoticeTarget("https://example.com/")).headers == {
        "content-type": "application/json",
        "webhook-id": "evt_1",
        "webhook-timestamp": "1772357400",
    }


@pytest.mark.parametrize("state", EVENT_OF_STATE)
def test_every_event_is_told(state: MessageState) -> None:
    event = MessageEvent("evt_1", EVENT_OF_STATE[state], NOW, MESSAGE._replace(state=state))
    content = json.loads(posted(NoticeTarget("https://example.com/"), event).body)
    assert (content["type"], content["data"]["state"]) == (EVENT_OF_STATE[state], state)


def test_an_inbound_message_is_mailed_in_two_languages() -> None:
    event = MessageEvent("evt_2", EventName.MESSAGE_RECEIVED, NOW, INBOUND)
    assert REST.notice(event, NoticeTarget("", "a@example.com"), NOW) == Mail(
        "a@example.com",
        "SMS 33612345678 > 20345",
        "Hello\n\n-- \n"
        "SMS reçu du 33612345678 au 20345 le 2026-03-01 09:30:00 UTC.\n"
        "SMS received from 33612345678 at 20345 on 2026-03-01 09:30:00 UTC.\n",
    )


@pytest.mark.parametrize("target", [NoticeTarget(), NoticeTarget("", "a@example.com")])
def test_without_a_url_other_events_have_no_word(target: NoticeTarget) -> None:
    assert REST.notice(EVENT, target, NOW) is None
