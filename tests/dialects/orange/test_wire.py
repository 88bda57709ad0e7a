"""The Orange API's parameters, XML, status codes and notices as tables."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from lxml import etree

from chappe.dialects.contract import WireCall
from chappe.dialects.orange import wire
from chappe.dialects.orange.operations import ORANGE, decode_history, decode_send, encode_history
from chappe.model.commands import Accepted, FindAnything, Key, Refused, SendMessages, SendOutcome
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName, MessageEvent
from chappe.model.history import MessageStory
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.outgoing import Mail, Outgoing
from chappe.model.smstext import Encoding
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services.ports import NoticeTarget

AT = datetime(2010, 6, 16, 12, 30, 5, 999, tzinfo=UTC)
SENT = Message(
    id=1,
    ref="0123abcd",
    account_id=7,
    direction=Direction.MT,
    state=MessageState.DELIVERED,
    peer="33612345678",
    address="20345",
    text="Fish & <chips>\x07\r\n",
    encoding=Encoding.GSM7,
    segments=2,
    price=2500,
    carrier="sandbox",
    dialect="orange",
    batch_id=1,
    created_at=AT,
    due_at=AT,
    reference="ticket",
)
INBOUND = SENT._replace(
    direction=Direction.MO,
    state=MessageState.RECEIVED,
    text="POLL Ça va? A) oui & B) 50%",
    price=0,
    reference="",
)


def request(
    target: bytes,
    method: str = "GET",
    body: bytes = b"",
    content_type: str = "application/x-www-form-urlencoded",
    form: tuple[tuple[bytes, bytes], ...] = (),
) -> HttpRequest:
    path, _, query = target.partition(b"?")
    headers = {"content-type": content_type} if method == "POST" else {}
    return HttpRequest(
        method, "sms.beta.orange-api.net", path.decode("latin-1"), target, query, headers, body, form
    )


def call(query: bytes, path: bytes = b"/sms/sendSMS.xml") -> WireCall:
    return wire.read(request(path + b"?id=a1234b56789&" + query))


def sent(query: bytes) -> SendMessages:
    return decode_send(call(query))


def refusal_of(query: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        decode_send(call(query))
    return caught.value


def status_of(answer: HttpResponse) -> tuple[str | None, str | None]:
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")
    root = etree.fromstring(answer.body)
    assert root.tag == "response"
    return root.findtext("status/status_code"), root.findtext("status/status_msg")


# --- reading


@pytest.mark.parametrize(
    ("path", "verb"),
    [
        (b"/sms/sendSMS.xml", "sms/sendSMS"),
        (b"/sms/sendSMS", "sms/sendSMS"),
        (b"/SMS/SENDSMS.XML", "sms/sendSMS"),
        (b"/sms/sendsms.Xml", "sms/sendSMS"),
        (b"/sms/getHistory.xml", "getHistory"),
        (b"/mms/getHistory.xml", "getHistory"),
        (b"/call/gethistory", "getHistory"),
        (b"/conf/getHistory.xml", "getHistory"),
        (b"/location/getHistory.xml", "getHistory"),
        (b"/history/getHistory.xml", "getHistory"),
        (b"/getHistory.xml", "getHistory"),
        (b"/getHistory", "getHistory"),
        (b"/call/CREATECALL.xml", "call/createCall"),
        (b"/call/releasecall", "call/releaseCall"),
        (b"/conf/createcall.xml", "conf/createCall"),
        (b"/location/getlocation.xml", "location/getLocation"),
        (b"/sms/eatSMS.xml", "sms/eatsms"),
        (b"/sms/", "sms"),
        (b"/sms/.xml", "sms/"),
    ],
)
def test_the_verb_is_the_path_in_any_case(path: bytes, verb: str) -> None:
    assert call(b"", path).verb == verb


def test_every_path_with_a_known_verb_belongs_to_the_dialect() -> None:
    for verb in ORANGE.operations.keys() | set(wire.DOCUMENTED_VERBS):
        assert any(f"/{verb}".startswith(path) for path in ORANGE.paths)


def test_the_key_is_the_credential_and_a_secret() -> None:
    read = wire.read(request(b"/sms/sendSMS.xml?id=%22a1%32b%22&to=1&a12b"))
    assert read.credentials == (Key("a12b"),)
    assert read.secrets == (b"%22a1%32b%22", b'"a12b"', b"a12b")


@pytest.mark.parametrize(
    "target", [b"/sms/sendSMS.xml?to=1", b"/sms/sendSMS.xml?id=&to=1", b"/sms/sendSMS.xml"]
)
def test_a_request_without_key_is_refused(target: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        wire.read(request(target))
    assert status_of(wire.refuse(caught.value, None)) == (
        "401",
        "id: the parameter is missing or empty; give your access key",
    )


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(method: str) -> None:
    with pytest.raises(Refusal) as caught:
        wire.read(request(b"/sms/sendSMS.xml?id=a", method))
    assert status_of(wire.refuse(caught.value, None)) == (
        "501",
        f"the method {method} is not served; use GET or POST",
    )


def test_a_post_may_carry_its_parameters_in_the_query() -> None:
    read = wire.read(request(b"/sms/sendSMS.xml?id=a&to=33612345678&content=Hi", "POST"))
    assert decode_send(read).recipients == ("33612345678",)


def test_a_post_may_carry_its_parameters_in_the_body_and_the_query_wins() -> None:
    read = wire.read(request(b"/sms/sendSMS.xml?to=33600000001", "POST", b"id=a&to=33600000002&content=Hi"))
    assert decode_send(read).recipients == ("33600000001",)


def test_a_post_may_be_a_multipart_form() -> None:
    form = ((b"id", b"a"), (b"to", b"33612345678"), (b"content", "Été à 100%".encode()))
    read = wire.read(request(b"/sms/sendSMS.xml", "POST", content_type="multipart/form-data", form=form))
    assert decode_send(read).text == "Été à 100%"


# --- sendSMS


def test_the_least_that_sends() -> None:
    assert sent(b"to=33612345678&content=Hello") == SendMessages(
        recipients=("33612345678",), text="Hello", fallback_sender="20345"
    )


def test_every_option_at_once() -> None:
    query = (
        b"to=33612345678&content=Hello&from=38100&long_text=true&max_sms=3&ack=true"
        b"&content_encoding=ucs2&session=1&session_duration=15&tag=ticket&unknown=x"
    )
    assert sent(query) == SendMessages(
        recipients=("33612345678",),
        text="Hello",
        sender="38100",
        fallback_sender="20345",
        receipt_wanted=True,
        reference="ticket",
        encoding=Encoding.UCS2,
        split_allowed=True,
        max_segments=3,
        session=timedelta(minutes=15),
    )


def test_options_that_are_present_and_empty_count_as_absent() -> None:
    options = b"from=&long_text=&max_sms=&ack=&content_encoding=&session=&session_duration=&tag="
    assert sent(b"to=33612345678&content=Hello&" + options) == sent(b"to=33612345678&content=Hello")


@pytest.mark.parametrize(
    ("to", "recipients"),
    [
        (b"33612345678", ("33612345678",)),
        (b"+33612345678", ("33612345678",)),
        (b"%2B33612345678", ("+33612345678",)),
        (b"06.12/34-56%2078", ("06.12/34-56 78",)),
        (b"33612345678,33687654321", ("33612345678", "33687654321")),
        (b"33612345678;+33687654321;", ("33612345678", "33687654321")),
        (b"%2233612345678%22", ("33612345678",)),
    ],
)
def test_recipients(to: bytes, recipients: tuple[str, ...]) -> None:
    assert sent(b"content=Hi&to=" + to).recipients == recipients


@pytest.mark.parametrize(
    ("written", "sender"),
    [
        (b"20345", "20345"),
        (b"38100", "38100"),
        (b"967482", "967482"),
        (b"447797805210", "447797805210"),
        (b"%2B447797805210", "+447797805210"),
        (b"+447797805210", "447797805210"),
        (b"world", "447797805210"),
        (b"World", "447797805210"),
        (b"23045", "20345"),
        (b"", ""),
    ],
)
def test_senders(written: bytes, sender: str) -> None:
    assert sent(b"to=33612345678&content=Hi&from=" + written).sender == sender


@pytest.mark.parametrize(
    ("options", "split_allowed"),
    [
        (b"", True),
        (b"long_text=true", True),
        (b"long_text=1", True),
        (b"long_text=TRUE", True),
        (b"long_text=false", False),
        (b"long_text=0", False),
        (b"long_text=%22false%22", False),
    ],
)
def test_a_long_text_is_allowed_unless_declined(options: bytes, split_allowed: bool) -> None:
    assert sent(b"to=33612345678&content=Hi&" + options).split_allowed is split_allowed


@pytest.mark.parametrize(
    ("options", "session"),
    [
        (b"", None),
        (b"session=true", timedelta(minutes=60)),
        (b"session=1&session_duration=5", timedelta(minutes=5)),
        (b"session_duration=5", timedelta(minutes=5)),
        (b"session=false&session_duration=5", None),
    ],
)
def test_sessions(options: bytes, session: timedelta | None) -> None:
    assert sent(b"to=33612345678&content=Hi&" + options).session == session


@pytest.mark.parametrize("ack", [b"true", b"false", b"1", b"0", b"%22true%22"])
def test_a_receipt_is_asked_for_whatever_ack_says(ack: bytes) -> None:
    assert sent(b"to=33612345678&content=Hi&ack=" + ack).receipt_wanted


@pytest.mark.parametrize("written", [b"gsm7", b"GSM7", b"%22gsm7%22"])
def test_the_alphabet_in_any_case(written: bytes) -> None:
    assert sent(b"to=33612345678&content=Hi&content_encoding=" + written).encoding is Encoding.GSM7


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"Hello+world+%3F", "Hello world ?"),
        (b"caf%C3%A9", "café"),
        (b"caf%E9", "café"),
        (b"%u20AC%20caf%E9", "€ café"),
        (b"5%25%20%26%20more", "5% & more"),
        (b"%22quoted%22", '"quoted"'),
        (b"a%0D%0Ab", "a\r\nb"),
        (b"raw caf\xe9 and blanks", "raw café and blanks"),
    ],
)
def test_texts(content: bytes, text: str) -> None:
    assert sent(b"to=33612345678&content=" + content).text == text


@pytest.mark.parametrize(
    ("query", "fault", "message"),
    [
        (
            b"content=Hi",
            Fault.MISSING_PARAMETER,
            "to: the parameter is missing; give a mobile number such as 33612345678",
        ),
        (
            b"to=&content=Hi",
            Fault.NO_RECIPIENT,
            "to: the parameter is empty; give a mobile number such as 33612345678",
        ),
        (
            b"to=,;&content=Hi",
            Fault.NO_RECIPIENT,
            "to: the parameter is empty; give a mobile number such as 33612345678",
        ),
        (b"to=1", Fault.MISSING_PARAMETER, "content: the parameter is missing; give the text of the SMS"),
        (b"to=1&content=", Fault.EMPTY_CONTENT, "content: the parameter is empty; give the text of the SMS"),
        (
            b"to=1&content=+%0A",
            Fault.EMPTY_CONTENT,
            "content: the parameter is empty; give the text of the SMS",
        ),
        (
            b"to=1&content=ab%81",
            Fault.INVALID_PARAMETER,
            "content: character 3 of the text cannot be read; send it in UTF-8, percent-encoded",
        ),
        (
            b"to=1&content=a&long_text=maybe",
            Fault.INVALID_PARAMETER,
            'long_text: "maybe" is neither true nor false',
        ),
        (b"to=1&content=a&ack=2", Fault.INVALID_PARAMETER, 'ack: "2" is neither true nor false'),
        (b"to=1&content=a&session=abc", Fault.INVALID_PARAMETER, 'session: "abc" is neither true nor false'),
        (
            b"to=1&content=a&session_duration=50000",
            Fault.INVALID_PARAMETER,
            'session_duration: "50000" is not accepted; write a whole number from 1 to 43200',
        ),
        (
            b"to=1&content=a&max_sms=0",
            Fault.INVALID_PARAMETER,
            'max_sms: "0" is not accepted; write a whole number from 1 to 255',
        ),
        (
            b"to=1&content=a&max_sms=" + b"9" * 5000,
            Fault.INVALID_PARAMETER,
            f'max_sms: "{"9" * 40}..." is not accepted; write a whole number from 1 to 255',
        ),
        (
            b"to=1&content=a&max_sms=%D9%A3",
            Fault.INVALID_PARAMETER,
            'max_sms: "٣" is not accepted; write a whole number from 1 to 255',
        ),
        (
            b"to=1&content=a&content_encoding=utf8",
            Fault.INVALID_PARAMETER,
            'content_encoding: "utf8" is not known; write gsm7 or ucs2',
        ),
        (
            b"to=1&content=a&tag=" + b"x" * 101,
            Fault.INVALID_PARAMETER,
            "tag: the label has 101 characters; it may have at most 100",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_parameter(query: bytes, fault: Fault, message: str) -> None:
    refusal = refusal_of(query)
    assert refusal.fault is fault
    assert status_of(wire.refuse(refusal, None)) == ("400", message)


def test_the_answer_has_the_call_id() -> None:
    answer = wire.encode_send(SendOutcome((Accepted("33612345678", SENT),), 199_000), call(b""))
    assert answer.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<response><status><status_code>200</status_code><status_msg>OK</status_msg></status>"
        b"<call_info><call_id>0123abcd</call_id></call_info></response>"
    )
    assert answer.headers == (("cache-control", "no-store"),)


def test_several_recipients_have_one_call_info_each_in_order() -> None:
    results = (Accepted("33612345678", SENT), Accepted("33687654321", SENT._replace(ref="second")))
    root = etree.fromstring(wire.encode_send(SendOutcome(results, 0), call(b"")).body)
    assert [found.text for found in root.findall("call_info/call_id")] == ["0123abcd", "second"]
    assert root.findtext("call_info/call_id") == "0123abcd"


def test_a_recipient_that_was_refused_gives_its_status() -> None:
    results = (
        Accepted("33612345678", SENT),
        Refused("33687654321", Fault.BLACKLISTED, "33687654321 sent STOP"),
    )
    answer = wire.encode_send(SendOutcome(results, 0), call(b""))
    assert status_of(answer) == ("403", "33687654321 sent STOP")


# --- getHistory


@pytest.mark.parametrize(
    "name", [b"callid", b"call_id", b"callId", b"CallID", b"amp;callid", b"callid=&call_id"]
)
def test_the_call_id_under_every_spelling(name: bytes) -> None:
    assert decode_history(call(name + b"=0123abcd", b"/sms/getHistory.xml")) == FindAnything("0123abcd")


def test_a_history_without_call_id_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        decode_history(call(b"", b"/sms/getHistory.xml"))
    assert status_of(wire.refuse(caught.value, None)) == (
        "400",
        "callid: the parameter is missing or empty; give the call_id that sendSMS or createCall answered",
    )


def test_the_history_of_a_message() -> None:
    paris = timezone(timedelta(hours=2))
    timeline = (("queued", AT), ("delivered", AT.astimezone(paris) + timedelta(seconds=3)), ("paused", AT))
    answer = encode_history(MessageStory(SENT, timeline, (), ()), call(b""))
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<response><status><status_code>200</status_code><status_msg>OK</status_msg></status>"
        "<history><call_id>0123abcd</call_id><api>sms</api><from>20345</from><to>33612345678</to>"
        "<content>Fish &amp; &lt;chips&gt;\ufffd&#13;\n</content><tag>ticket</tag><state>DELIVERED</state>"
        "<reason></reason><date_created>2010-06-16T12:30:05Z</date_created>"
        "<sms_count>2</sms_count><credits>2.5</credits>"
        "<event><state>QUEUED</state><date>2010-06-16T12:30:05Z</date></event>"
        "<event><state>DELIVERED</state><date>2010-06-16T12:30:08Z</date></event>"
        "<event><state>PAUSED</state><date>2010-06-16T12:30:05Z</date></event>"
        "</history></response>"
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (SENT, {"from": "20345", "to": "33612345678", "credits": "2.5", "reason": ""}),
        (INBOUND, {"from": "33612345678", "to": "20345", "credits": "0", "state": "RECEIVED"}),
        (SENT._replace(price=10_000), {"credits": "10"}),
        (
            SENT._replace(state=MessageState.FAILED, fault=Fault.INVALID_RECIPIENT),
            {"state": "FAILED", "reason": "invalid_recipient"},
        ),
    ],
)
def test_what_the_history_tells(message: Message, expected: dict[str, str]) -> None:
    answer = encode_history(MessageStory(message, (), (), ()), call(b""))
    root = etree.fromstring(answer.body)
    assert {name: root.findtext(f"history/{name}") for name in expected} == expected


@pytest.mark.parametrize("state", MessageState)
def test_every_state_has_a_word(state: MessageState) -> None:
    assert wire.WORD_OF_STATE[state]


# --- refusals


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_a_status_and_a_message(fault: Fault) -> None:
    code, message = status_of(wire.refuse(Refusal(fault, "It's <wrong> & bad"), None))
    assert code in {"400", "401", "402", "403", "404", "450", "500", "501"}
    assert message == "It's <wrong> & bad"
    assert status_of(wire.refuse(Refusal(fault, ""), None))[1]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/mms/sendMMS.xml", b""),
        (b"/location/getLocation.xml", b"amp;number=33612345678"),
        (b"/location/createAuthorization.xml", b"amp;number=33612345678"),
    ],
)
def test_verbs_that_are_known_but_not_built_say_so(path: bytes, query: bytes) -> None:
    read = call(query, path)
    assert read.verb in wire.DOCUMENTED_VERBS
    assert read.verb not in ORANGE.operations
    refusal = Refusal(Fault.UNKNOWN_OPERATION, "no such operation")
    assert status_of(wire.refuse(refusal, read)) == ("501", f"{read.verb} is not built yet")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("text", "content: it is bad"),
        ("to[2]", "to: it is bad"),
        ("from", "from: it is bad"),
        (None, "it is bad"),
    ],
)
def test_a_message_opens_with_the_parameter_at_fault(field: str | None, message: str) -> None:
    refusal = Refusal(Fault.INVALID_PARAMETER, "it is bad", field)
    assert status_of(wire.refuse(refusal, None)) == ("400", message)


def test_an_unknown_verb_is_not_found() -> None:
    refusal = Refusal(Fault.UNKNOWN_OPERATION, "sms/eatsms is not known")
    assert status_of(wire.refuse(refusal, call(b"", b"/sms/eatSMS.xml"))) == (
        "404",
        "sms/eatsms is not known",
    )


# --- habits of real clients that no conversation shows


def test_a_key_repeated_without_a_name_is_no_error() -> None:
    read = wire.read(request(b"/sms/sendSMS.xml?id=a1234b56789&to=33146411313&content=Hi&a1234b56789"))
    assert decode_send(read).recipients == ("33146411313",)


def test_values_without_the_name_the_sample_lost_are_kept_as_names() -> None:
    read = call(b"amp;room+caller=room%2Bcaller&amp;1=1", b"/conf/createConference.xml")
    assert read.fields["1"] == ("1",)
    assert read.fields["room caller"] == ("room+caller",)


# --- notices


def notice(
    url: str = "", email: str = "", name: EventName = EventName.MESSAGE_RECEIVED
) -> Outgoing | Mail | None:
    return wire.notice(MessageEvent("e1", name, AT, INBOUND), NoticeTarget(url, email), AT)


PARAMETERS = (
    "from=33612345678&to=20345&content=POLL%20%C3%87a%20va%3F%20A%29%20oui%20%26%20B%29%2050%25"
    "&call_id=0123abcd&dateCreated=2010-06-16T12%3A30%3A05Z"
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://c.example/in.php", f"http://c.example/in.php?api=receiveSMS&{PARAMETERS}"),
        ("http://c.example", f"http://c.example?api=receiveSMS&{PARAMETERS}"),
        ("http://c.example/in.php?", f"http://c.example/in.php?api=receiveSMS&{PARAMETERS}"),
        ("http://c.example/in.php?k=1", f"http://c.example/in.php?k=1&api=receiveSMS&{PARAMETERS}"),
        ("http://c.example/in.php?k=1&", f"http://c.example/in.php?k=1&api=receiveSMS&{PARAMETERS}"),
        ("http://c.example/in.php?k=a?b", f"http://c.example/in.php?k=a?b&api=receiveSMS&{PARAMETERS}"),
        ("http://c.example/in.php#top", f"http://c.example/in.php?api=receiveSMS&{PARAMETERS}"),
        ("http://c.example/in.php?k=1#top?x", f"http://c.example/in.php?k=1&api=receiveSMS&{PARAMETERS}"),
        ("http://c.example/in.php?api=url", f"http://c.example/in.php?api=url&{PARAMETERS}"),
    ],
)
def test_an_inbound_sms_is_told_by_a_get(url: str, expected: str) -> None:
    assert notice(url) == Outgoing("GET", expected, redirect_is_fine=True)


def test_an_inbound_sms_is_told_by_mail() -> None:
    assert notice(email="owner@c.example") == Mail(
        to="owner@c.example",
        subject="SMS 06 12 34 56 78 > 20345",
        body=(
            "POLL Ça va? A) oui & B) 50%\n\n"
            "-- \n"
            "SMS reçu du 06 12 34 56 78 au 20345, le 2010-06-16 12:30 UTC. Référence : 0123abcd\n"
            "SMS received from 06 12 34 56 78 on 20345, 2010-06-16 12:30 UTC. Reference: 0123abcd\n"
        ),
    )


def test_a_target_without_address_is_told_nothing() -> None:
    assert notice() is None


@pytest.mark.parametrize("name", [name for name in EventName if name is not EventName.MESSAGE_RECEIVED])
def test_nothing_else_is_told(name: EventName) -> None:
    assert notice("http://c.example/", name=name) is None
