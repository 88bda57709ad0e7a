"""NetOxygen's functions as commands, and outcomes and refusals as its answers."""

import xmlrpc.client
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chappe.dialects.contract import WireCall
from chappe.dialects.netoxygen import wire
from chappe.dialects.netoxygen.codes import (
    CODES_OF_STATE,
    ERROR_OF_FAULT,
    ERROR_TEXTS,
    FAULT_CODES,
    NOT_WELL_FORMED,
    STATUS_TEXTS,
    ErrorCode,
)
from chappe.dialects.netoxygen.operations import DIALECTS, NETOXYGEN
from chappe.model.commands import (
    Accepted,
    CancelMessages,
    CleanNumber,
    FindMessages,
    Password,
    ReadAccount,
    Refused,
    SendMessages,
    SendOutcome,
)
from chappe.model.directory import AccountKind
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName, MessageEvent
from chappe.model.history import MessageStory
from chappe.model.messages import Direction, MessageState
from chappe.model.outgoing import Mail
from chappe.services.ports import NoticeTarget
from tests.dialects.netoxygen.records import ACCOUNT, MESSAGE, NOW, REF, body, call, request, result

WHO = ("<string>user33</string>", "<string>mypass</string>")


def decoded(read: WireCall) -> Any:
    return NETOXYGEN.operations[read.verb].decode(read)


def sent(*values: str) -> SendMessages:
    command = decoded(wire.read(request(body("send_message", *WHO, *values))))
    assert isinstance(command, SendMessages)
    return command


def fault_of(response: Any) -> xmlrpc.client.Fault:
    with pytest.raises(xmlrpc.client.Fault) as fault:
        result(response)
    return fault.value


# --- reading


def test_the_first_two_parameters_are_the_credentials() -> None:
    read = call("auth", "user33", "my&pass")
    assert (read.verb, read.credentials) == ("auth", (Password("user33", "my&pass"),))
    assert decoded(read) == ReadAccount()


@pytest.mark.parametrize(
    ("password", "as_sent"),
    [
        ("<string>mypass</string>", b"mypass"),
        ("mypass", b"mypass"),
        ("<string>my&amp;pass</string>", b"my&amp;pass"),
        ("<string>my&#38;pass</string>", b"my&#38;pass"),
        ("<string>p&#195;&#169;</string>", b"p&#195;&#169;"),
        ("<string><![CDATA[my&pass]]></string>", b"my&pass"),
        ("<base64>bXlwYXNz</base64>", b"bXlwYXNz"),
        ("<base64>\n bXlwYXNz\n</base64>", b"bXlwYXNz"),
        ("<int>0123456</int>", b"0123456"),
        ("<string>pé</string>", "pé".encode()),
    ],
)
def test_the_password_is_secret_as_it_stands_in_the_request(password: str, as_sent: bytes) -> None:
    sent_body = body("auth", "<string>user33</string>", password)
    read = wire.read(request(sent_body))
    masked = sent_body
    for secret in read.secrets:
        masked = masked.replace(secret, b"***")
    assert as_sent in sent_body
    assert as_sent not in masked
    assert b"user33" in masked


def test_the_password_is_found_at_once_in_a_hostile_request() -> None:
    row = b"<param> " * 90_000
    params = b"<x:param><x:value>user33</x:value></x:param><x:param><x:value>mypass</x:value></x:param>"
    hostile = (
        b'<x:methodCall xmlns:x="x"><!--' + row + b"--><x:methodName>auth</x:methodName>"
        b"<x:params>" + params + b"</x:params></x:methodCall>"
    )
    read = wire.read(request(hostile))
    assert read.credentials == (Password("user33", "mypass"),)
    assert b"mypass" in read.secrets


def test_an_empty_password_masks_nothing() -> None:
    assert call("auth", "user33", "").secrets == ()


def test_a_number_alone_needs_no_credentials() -> None:
    read = call("clean_number", "022/364 8000")
    assert (read.anonymous, read.credentials) == (True, ())
    assert decoded(read) == CleanNumber("022/364 8000", "CH")
    read = call("clean_number", "user33", "mypass", "022/364 8000")
    assert (read.anonymous, read.credentials) == (False, (Password("user33", "mypass"),))
    assert decoded(read) == CleanNumber("022/364 8000", "CH")


# --- send_message


def test_the_least_that_can_be_sent() -> None:
    assert decoded(call("send_message", "user33", "mypass", "0792223344", "message de test")) == SendMessages(
        recipients=("0792223344",),
        text="message de test",
        fallback_sender="textobox.ch",
        sender_optional=True,
        all_or_nothing=False,
        receipt_wanted=True,
    )


def test_all_that_can_be_said() -> None:
    dest = ["0792223344", "+41 79 222 33 55"]
    command = decoded(call("send_message", "u", "p", dest, "été", " ACME ", "2027-07-01 20:05:00", "flash"))
    assert command == SendMessages(
        recipients=("0792223344", "+41 79 222 33 55"),
        text="été",
        sender="ACME",
        fallback_sender="textobox.ch",
        sender_optional=True,
        flash=True,
        send_at=datetime(2027, 7, 1, 18, 5, tzinfo=UTC),
        all_or_nothing=False,
    )


# What clients put in the place of a destination (dialects.md 3c, each seen by running the client).
DESTINATIONS = {
    "string": ("<string>0792223344</string>", ("0792223344",)),
    "no type": ("0792223344", ("0792223344",)),
    "RPC::XML, national": ("<int>0792223344</int>", ("0792223344",)),
    "RPC::XML, international": ("<i8>41792223344</i8>", ("41792223344",)),
    "RPC::XML, with plus": ("<i8>+41792223344</i8>", ("+41792223344",)),
    "Python int, zero lost": ("<int>792223344</int>", ("792223344",)),
    "base64": ("<base64>MDc5MjIyMzM0NA==</base64>", ("0792223344",)),
    "nil": ("<nil/>", ("",)),
    "array": (
        "<array><data><value>079</value><value><int>078</int></value></data></array>",
        ("079", "078"),
    ),
    "array of none": ("<array><data/></array>", ()),
    "IXR, array with gaps": (
        "<struct><member><name>0</name><value><string>079</string></value></member>"
        "<member><name>2</name><value><string>078</string></value></member></struct>",
        ("079", "078"),
    ),
}


@pytest.mark.parametrize(("value", "recipients"), DESTINATIONS.values(), ids=DESTINATIONS)
def test_destinations_are_taken_word_for_word(value: str, recipients: tuple[str, ...]) -> None:
    assert sent(value, "x").recipients == recipients


TEXTS = {
    "string": ("<string>hello</string>", "hello"),
    "blanks count": ("<string> hello\n</string>", " hello\n"),
    "all digits": ("<int>0012</int>", "0012"),
    "many digits": ("<i8>12345678901</i8>", "12345678901"),
    "a price, by RPC::XML": ("<double>3.14000000000000012434</double>", "3.14"),
    "a small price, by RPC::XML": ("<double>0.00001000000000000000</double>", "0.00001"),
    "a short double": ("<double>1.50</double>", "1.50"),
    "an odd double": ("<double>1e3</double>", "1e3"),
    "a date, by RPC::XML": ("<dateTime.iso8601>20061206T20:05:00</dateTime.iso8601>", "20061206T20:05:00"),
    "base64": ("<base64>Y2Fmw6kg4oKs</base64>", "café €"),
    "base64 of a command line's argument": ("<base64>Y2Fmw4PCqSDDosKCwqw=</base64>", "café €"),
    "base64 with NUL": ("<base64>YQBi</base64>", "ab"),
    "nil": ("<nil/>", ""),
    "empty": ("", ""),
}


@pytest.mark.parametrize(("value", "said"), TEXTS.values(), ids=TEXTS)
def test_texts_are_taken_word_for_word(value: str, said: str) -> None:
    assert sent("079", value).text == said


# "now" is 1 March 2026, winter time, in Zurich.
DATES = {
    "2026-12-06 20:05:00": "2026-12-06T19:05:00",
    "2026-07-06 20:05:00": "2026-07-06T18:05:00",
    " 2026-12-06 20:05:00 ": "2026-12-06T19:05:00",
    "2026-12-06 20:05": "2026-12-06T19:05:00",
    "2026-12-06T20:05:00": "2026-12-06T19:05:00",
    "20261206T20:05:00": "2026-12-06T19:05:00",
    "2026-12-06 20:05:00Z": "2026-12-06T20:05:00",
    "2026-12-06T20:05:00+02:00": "2026-12-06T18:05:00",
    "2006-12-06 20:05:00": "2006-12-06T19:05:00",
    # Clocks go from 02:00 to 03:00: the hour between is moved on.
    "2027-03-28 01:59:59": "2027-03-28T00:59:59",
    "2027-03-28 02:30:00": "2027-03-28T01:30:00",
    "2027-03-28 03:00:00": "2027-03-28T01:00:00",
    # Clocks go from 03:00 to 02:00: the hour is there twice, the first counts.
    "2027-10-31 02:30:00": "2027-10-31T00:30:00",
    "2027-10-31 03:00:00": "2027-10-31T02:00:00",
}


@pytest.mark.parametrize(("written", "meant"), DATES.items())
def test_dates_are_read_in_zurich(written: str, meant: str) -> None:
    assert sent("079", "x", "", written).send_at == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "text",
        "flash",
        "tomorrow",
        "2026-12-06",
        "06.12.2026 20:05",
        "2026-02-30 10:00:00",
        "20:05:00",
        "2026-12-06 25:00:00",
        "2026-12-06 20:05:00 CET",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59-10:00",
        "1165431900",
        "0000-00-00 00:00:00",
        "٢٠٢٦-12-06 20:05:00",
    ],
)
def test_what_is_no_date_means_now(written: str) -> None:
    assert sent("079", "x", "", written).send_at is None


def test_a_date_may_come_as_a_date() -> None:
    typed = "<dateTime.iso8601>20261206T20:05:00</dateTime.iso8601>"
    assert sent("079", "x", "", typed).send_at == datetime(2026, 12, 6, 19, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "flash"),
    {"text": False, "flash": True, "FLASH": True, " flash ": True, "": False, "mms": False}.items(),
)
def test_any_type_but_flash_is_text(written: str, flash: bool) -> None:
    assert sent("079", "x", "", "", written).flash is flash


def test_the_arguments_of_the_ruby_client_are_understood() -> None:
    """It leaves the sender out, so that an empty date stands in its place, and the type in the date's."""
    command = sent("<array><data><value>079</value></data></array>", "x", "", "text")
    assert (command.sender, command.send_at, command.flash) == ("", None, False)


def test_ids_are_one_or_many() -> None:
    assert decoded(call("get_status", "u", "p", REF)) == FindMessages((REF,))
    assert decoded(call("get_status", "u", "p", [REF, "x"])) == FindMessages((REF, "x"))
    assert decoded(call("cancel_message", "u", "p", REF)) == CancelMessages((REF,))
    assert decoded(call("cancel_message", "u", "p", [])) == CancelMessages(())


# --- refusing to read

WRONG: Mapping[str, tuple[bytes, int]] = {
    "no XML": (b"user=user33", NOT_WELL_FORMED),
    "nothing": (b"", NOT_WELL_FORMED),
    "bomb": (b'<!DOCTYPE a [<!ENTITY x "y">]><methodCall/>', NOT_WELL_FORMED),
    "an answer": (b"<methodResponse/>", NOT_WELL_FORMED),
    "unknown function": (body("system.listMethods"), -32601),
    "unknown function with arguments": (body("system.multicall", "<array><data/></array>", "x"), -32601),
    "no credentials": (body("auth"), -32602),
    "half of the credentials": (body("get_credits", "user33"), -32602),
    "array as user": (body("auth", "<array><data/></array>", "x"), -32602),
    "struct as password": (body("auth", "x", "<struct/>"), -32602),
    "auth with too much": (body("auth", *WHO, "x"), -32602),
    "send without text": (body("send_message", *WHO, "079"), -32602),
    "send with too much": (body("send_message", *WHO, "079", "x", "", "", "text", "more"), -32602),
    "send to arrays": (
        body("send_message", *WHO, "<array><data><value><struct/></value></data></array>", "x"),
        -32602,
    ),
    "text as an array": (body("send_message", *WHO, "079", "<array><data/></array>"), -32602),
    "sender as a struct": (body("send_message", *WHO, "079", "x", "<struct/>"), -32602),
    "clean_number with nothing": (body("clean_number"), -32602),
    "clean_number with two": (body("clean_number", *WHO), -32602),
    "clean_number of an array": (body("clean_number", "<array><data/></array>"), -32602),
    "get_status without id": (body("get_status", *WHO), -32602),
    "cancel with too much": (body("cancel_message", *WHO, "x", "y"), -32602),
}


@pytest.mark.parametrize(("sent_body", "code"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_a_fault(sent_body: bytes, code: int) -> None:
    read = None
    with pytest.raises(Refusal) as refused:
        read = wire.read(request(sent_body))
        decoded(read)
    fault = fault_of(wire.refuse(refused.value, read))
    assert fault.faultCode == code
    assert fault.faultString


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", ""])
def test_only_post_is_spoken(method: str) -> None:
    with pytest.raises(Refusal) as refused:
        wire.read(request(b"", method))
    assert fault_of(wire.refuse(refused.value, None)).faultCode == -32600


# --- answering


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("auth", True),
        ("get_credits", 12),
        ("account_status", "regular"),
        ("get_guid", "0a1b2c3d-0000-4000-8000-00000000000f"),
    ],
)
def test_the_account_is_told(verb: str, said: object) -> None:
    told = result(NETOXYGEN.operations[verb].encode(ACCOUNT, call(verb, "u", "p")))
    assert (told, type(told)) == (said, type(said))


@pytest.mark.parametrize(("balance", "said"), {0: 0, 999: 0, 1000: 1, -1: -1, 10**13: "10000000000"}.items())
def test_credits_are_whole_and_rounded_down(balance: int, said: object) -> None:
    account = replace(ACCOUNT, balance=balance)
    assert result(wire.encode_credits(account, call("get_credits", "u", "p"))) == said


def test_a_free_account_is_free() -> None:
    account = replace(ACCOUNT, kind=AccountKind.FREE)
    assert result(wire.encode_status(account, call("account_status", "u", "p"))) == "free"


def test_the_clean_number_is_told() -> None:
    assert result(wire.encode_number("41223648000", call("clean_number", "022/364 8000"))) == "41223648000"


def test_each_destination_has_its_own_fate() -> None:
    outcome = SendOutcome(
        (Accepted("0792223344", MESSAGE), Refused("12", Fault.INVALID_RECIPIENT, "too short")), 5
    )
    answer = wire.encode_sent(outcome, call("send_message", "u", "p", ["0792223344", "12"], "x"))
    assert result(answer) == [["0792223344", True, REF], ["12", False, 5]]


@pytest.mark.parametrize(
    ("fault", "code"),
    {
        Fault.INSUFFICIENT_CREDITS: 2,
        Fault.RATE_LIMITED: 2,
        Fault.NO_ROUTE: 3,
        Fault.INVALID_RECIPIENT: 5,
        Fault.BLACKLISTED: 5,
        Fault.INVALID_SENDER: 6,
        Fault.EMPTY_CONTENT: 7,
        Fault.CONTENT_TOO_LONG: 8,
    }.items(),
)
def test_a_send_refused_as_a_whole_answers_each_destination(fault: Fault, code: int) -> None:
    read = call("send_message", "u", "p", ["0792223344", "12"], "x")
    assert result(wire.refuse(Refusal(fault, "why"), read)) == [
        ["0792223344", False, code],
        ["12", False, code],
    ]
    alone = call("send_message", "u", "p", "0792223344", "x")
    assert result(wire.refuse(Refusal(fault, "why"), alone)) == [["0792223344", False, code]]


def test_nobody_to_send_to_is_an_empty_answer() -> None:
    read = call("send_message", "u", "p", [], "x")
    assert result(wire.refuse(Refusal(Fault.NO_RECIPIENT, "why"), read)) == []


def test_a_send_refused_before_it_was_understood_is_a_fault() -> None:
    for read in (call("send_message", "u", "p"), call("send_message", "u", "p", [[]], "x")):
        assert fault_of(wire.refuse(Refusal(Fault.RATE_LIMITED, "slow down"), read)).faultCode == 429


@pytest.mark.parametrize("fault", [Fault.BAD_CREDENTIALS, Fault.ACCOUNT_SUSPENDED, Fault.NOT_ALLOWED])
@pytest.mark.parametrize("verb", wire.PARAMETERS)
def test_strangers_are_told_false_or_a_fault(verb: str, fault: Fault) -> None:
    read = call(verb, *["x"] * len(wire.PARAMETERS[verb]))
    answer = wire.refuse(Refusal(fault, "no"), read)
    if verb in ("auth", "get_credits", "get_guid"):
        assert result(answer) is False
    else:
        assert (fault_of(answer).faultCode, fault_of(answer).faultString) == (FAULT_CODES[fault], "no")


def test_every_fault_has_its_codes() -> None:
    assert set(ERROR_OF_FAULT) == set(FAULT_CODES) == set(Fault)
    assert NOT_WELL_FORMED not in FAULT_CODES.values()
    assert not {ErrorCode.OK, ErrorCode.PENDING} & set(ERROR_OF_FAULT.values())


# --- both tables

# "Codes d'erreur" and "Codes de statut" of the provider's document.
PUBLISHED_ERRORS = (
    "1 OK",
    "2 Gateway error",
    "3 Message routing error",
    "4 Message format error",
    "5 Invalid destination number",
    "6 Invalid source number",
    "7 Empty message",
    "8 Max message length exceeded",
    "9 Pending",
    "10 Message canceled",
)
PUBLISHED_STATUSES = (
    "1 Delivered to the recipient device",
    "2 Delivered to the recipient network",
    "3 Message submitted",
    "4 Message error, delivery failed",
    "5 Routing error, delivery failed",
    "6 Message expired, delivery cancelled",
    "7 Gateway error",
    "8 Message in queue",
    "9 Message scheduled",
)


def test_the_tables_are_the_published_ones() -> None:
    assert tuple(f"{int(code)} {text}" for code, text in ERROR_TEXTS.items()) == PUBLISHED_ERRORS
    assert tuple(f"{int(code)} {text}" for code, text in STATUS_TEXTS.items()) == PUBLISHED_STATUSES


STATES = {
    MessageState.SCHEDULED: (9, 9),
    MessageState.QUEUED: (1, 8),
    MessageState.SENDING: (1, 8),
    MessageState.SENT: (1, 3),
    MessageState.DELIVERED: (1, 1),
    MessageState.UNDELIVERED: (1, 4),
    MessageState.EXPIRED: (1, 6),
    MessageState.FAILED: (2, 7),
    MessageState.CANCELLED: (10, 0),
    MessageState.RECEIVED: (1, 1),
}
FAILURES = {
    Fault.NO_ROUTE: (3, 5),
    Fault.DESTINATION_FORBIDDEN: (3, 5),
    Fault.CARRIER_REJECTED: (3, 5),
    Fault.CARRIER_UNAVAILABLE: (2, 7),
    Fault.INTERNAL: (2, 7),
    Fault.INVALID_RECIPIENT: (5, 4),
    Fault.INVALID_SENDER: (6, 4),
    Fault.CONTENT_TOO_LONG: (8, 4),
    Fault.EXPIRED: (2, 6),
}


def told(**changes: Any) -> dict[str, Any]:
    story = MessageStory(MESSAGE._replace(**changes), (), (), ())
    [[ref, members]] = result(wire.encode_stories((story,), call("get_status", "u", "p", REF)))
    assert ref == REF
    return dict(members)


def test_every_state_has_its_codes() -> None:
    assert set(STATES) == set(MessageState) == set(CODES_OF_STATE)
    for state, codes in STATES.items():
        members = told(state=state)
        assert (members["sent_status"], members["last_status"]) == codes


def test_a_failure_is_told_by_its_reason() -> None:
    for fault, codes in FAILURES.items():
        members = told(state=MessageState.FAILED, fault=fault)
        assert (members["sent_status"], members["last_status"]) == codes
        assert members["sent_status_text"] and members["last_status_text"]


def test_the_story_of_a_message() -> None:
    at = datetime(2026, 7, 1, 20, 0, tzinfo=UTC)
    message = MESSAGE._replace(
        state=MessageState.DELIVERED, sent_at=at, finished_at=at + timedelta(seconds=5)
    )
    story = MessageStory(
        message, ((MessageState.SENT, at), (MessageState.DELIVERED, at + timedelta(seconds=5))), (), ()
    )
    answer = wire.encode_stories((story,), call("get_status", "u", "p", [REF]))
    assert result(answer) == [
        [
            REF,
            {
                "from": "textobox.ch",
                "to": "41792223344",
                "length": 7,
                "sent_date": "2026-07-01 22:00:00",
                "sent_status": 1,
                "sent_status_text": "OK",
                "last_date": "2026-07-01 22:00:05",
                "last_status": 1,
                "last_status_text": "Delivered to the recipient device",
            },
        ]
    ]


def test_the_date_of_sending_is_when_it_left_else_when_it_shall() -> None:
    later = NOW + timedelta(hours=1)
    assert told()["sent_date"] == "2026-03-01 10:30:00"
    assert told(due_at=later)["sent_date"] == "2026-03-01 10:30:00"
    assert told(send_at=later, state=MessageState.SCHEDULED)["sent_date"] == "2026-03-01 11:30:00"
    assert told(send_at=NOW, sent_at=later)["sent_date"] == "2026-03-01 11:30:00"


def test_a_message_from_a_mobile_is_told_the_other_way_round() -> None:
    members = told(direction=Direction.MO, state=MessageState.RECEIVED, address="939")
    assert (members["from"], members["to"]) == ("41792223344", "939")


def test_an_unknown_message_has_all_members_with_their_types() -> None:
    unknown = Refused("nope", Fault.NOT_FOUND, "there is no message nope")
    [[ref, members]] = result(wire.encode_stories((unknown,), call("get_status", "u", "p", "nope")))
    known = told()
    assert ref == "nope"
    assert {name: type(value) for name, value in members.items()} == {
        name: type(value) for name, value in known.items()
    }
    assert (members["sent_status"], members["last_status"]) == (0, 0)


def test_cancelling_answers_each_id() -> None:
    cancelled = MESSAGE._replace(state=MessageState.CANCELLED)
    outcome = (cancelled, Refused("x", Fault.TOO_LATE, "sent"), Refused("y", Fault.NOT_FOUND, "unknown"))
    answer = wire.encode_cancelled(outcome, call("cancel_message", "u", "p", [REF, "x", "y"]))
    assert result(answer) == [[REF, True], ["x", False], ["y", False]]


# --- telling


def inbound(name: EventName = EventName.MESSAGE_RECEIVED) -> MessageEvent:
    message = MESSAGE._replace(
        direction=Direction.MO, state=MessageState.RECEIVED, address="939", text="OUI\n<3"
    )
    return MessageEvent("e1", name, NOW, message)


def test_an_inbound_message_is_mailed() -> None:
    assert wire.notice(inbound(), NoticeTarget(email="a@example.com"), NOW) == Mail(
        to="a@example.com",
        subject="SMS de / from 079 222 33 44",
        body="OUI\n<3\n\nDe / From: 079 222 33 44\nÀ / To: 939\n"
        "Reçu / Received: 2026-03-01 10:30:00 (Europe/Zurich)",
    )


def test_no_address_is_called_and_nothing_else_is_told() -> None:
    assert wire.notice(inbound(), NoticeTarget(url="https://example.com/"), NOW) is None
    for name in set(EventName) - {EventName.MESSAGE_RECEIVED}:
        assert wire.notice(inbound(name), NoticeTarget(email="a@example.com"), NOW) is None


def test_the_dialect_is_complete() -> None:
    assert DIALECTS == (NETOXYGEN,)
    assert set(NETOXYGEN.operations) == set(wire.PARAMETERS)
    assert (NETOXYGEN.paths, NETOXYGEN.region) == (("/api2/", "/api2"), "CH")
