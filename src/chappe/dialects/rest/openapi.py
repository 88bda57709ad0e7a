"""Makes the OpenAPI 3.1 document out of the operations table and the JSON shapes."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args, get_origin

import msgspec

from chappe import __version__
from chappe.dialects.contract import Operation
from chappe.dialects.rest import (
    account,
    announcements,
    callbacks,
    calls,
    centrex,
    conferences,
    inbound,
    lines,
    messages,
    network,
    notices,
    openinghours,
    popups,
    problems,
    programs,
    recordings,
    rights,
    ringgroups,
    sandbox,
    shapes,
    sounds,
    subscriptions,
    transfers,
    wire,
)
from chappe.dialects.rest.table import Described
from chappe.model.announcements import AnnouncementState, AnsweredBy, OnMachine, OnPerson, RecipientState
from chappe.model.callbacks import CallbackSource, CallbackState, FirstRung, FormFile
from chappe.model.calls import CallOutcome, CallState, HangUpCause, LegState, RecordingPurpose
from chappe.model.carriers import LinkState
from chappe.model.conferences import AccessMode, ConferenceState, ParticipantState
from chappe.model.directory import AccountKind
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.jobs import JobState
from chappe.model.ledger import EntryKind
from chappe.model.messages import Direction, MessageState, Purpose
from chappe.model.ringgroups import RingOrder
from chappe.model.rules import PROVISIONS, Basis
from chappe.model.smstext import Encoding


class Document(msgspec.Struct):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_LATER = datetime(2026, 3, 1, 9, 30, 4, tzinfo=UTC)
_MESSAGE = messages.Message(
    id="06a3f2m7k9q1v4x8t2z5b7c9d1",
    direction=Direction.MT,
    state=MessageState.DELIVERED,
    to="33612345678",
    sender="Chappe",
    text="Your parcel has arrived.",
    segments=1,
    encoding=Encoding.GSM7,
    price=shapes.credits_of(1000),
    flash=False,
    reference="parcel-17",
    purpose=Purpose.TRANSACTIONAL,
    held_by="",
    warned_by=[],
    dialect="rest",
    created_at=_AT,
    send_at=None,
    sent_at=_AT,
    finished_at=_LATER,
    error=None,
)
_DELIVERY = subscriptions.Delivery(
    id="7301445301178368",
    event="message.delivered",
    target="subscription",
    way="url",
    state=JobState.DONE,
    attempts=1,
    created_at=_LATER,
    due_at=_LATER,
    done_at=_LATER,
    outcome="200 in 41 ms",
)
_SUBSCRIPTION = subscriptions.Subscription(
    id="06a3f2m7k9q1v4x8t2z5b7c9d3",
    url="https://example.com/sms",
    events=["message.delivered", "message.received"],
    dialect="rest",
    enabled=True,
    disabled_at=None,
    created_at=_AT,
)
_HANDSET = sandbox.Handset("33612345678", _LATER, {"receipt": "delivered", "receipt_after_ms": 500})
_HANDSET_MESSAGE = sandbox.HandsetMessage("33612345678", "20345", "POLL yes", False, _LATER, False, False)
_LEG = calls.Leg(
    id="154150738000000124",
    name="second",
    number="33612345678",
    shown="33123456789",
    state=LegState.DOWN,
    created_at=_AT,
    ringing_at=_AT,
    answered_at=_LATER,
    ended_at=_LATER,
    cause=HangUpCause.NORMAL,
    price=shapes.credits_of(1000),
)
_CALL = calls.Call(
    id="06a3f2m7k9q1v4x8t2z5b7c9d2",
    first="33123456789",
    second="33612345678",
    state=CallState.OVER,
    outcome=CallOutcome.ANSWERED,
    created_at=_AT,
    answered_at=_LATER,
    ended_at=_LATER,
    reserved=shapes.credits_of(242_000),
    price=shapes.credits_of(2000),
    reference="order 66",
    dialect="rest",
    legs=[_LEG],
)
_CONFERENCE: Mapping[str, Any] = {
    "id": "06a3f2m7k9q1v4x8t2z5b7c9d4",
    "name": "Monday meeting",
    "access": AccessMode.ROOM_AND_CALLER,
    "number": "33199000825",
    "code": "482913",
    "state": ConferenceState.OPEN,
    "starts_at": _AT,
    "ends_at": _AT + timedelta(hours=1),
    "ended_at": None,
    "locked": False,
    "recorded": True,
    "language": calls.Language.FR,
    "reference": "order 66",
    "dialect": "rest",
}
_PARTICIPANT = conferences.Participant(
    id="06a3f2m7k9q1v4x8t2z5b7c9d5",
    number="33612345678",
    name="Anne",
    state=ParticipantState.IN,
    muted=False,
    talking=True,
    joined_at=_LATER,
)
_WHOLE_CONFERENCE = conferences.WholeConference(
    **_CONFERENCE, price=shapes.credits_of(0), participants=[_PARTICIPANT]
)

_ANNOUNCEMENT: Mapping[str, Any] = {
    "id": "06a3f2m7k9q1v4x8t2z5b7c9d6",
    "name": "Parcels",
    "state": AnnouncementState.RUNNING,
    "say": "Votre colis est arrivé. Tapez 1 pour une livraison demain, étoile pour réécouter.",
    "language": calls.Language.FR,
    "voice": calls.Voice.FEMALE,
    "sound": None,
    "seconds": 5.2,
    "times": 1,
    "repeat_key": "*",
    "answer_keys": "12",
    "on_machine": OnMachine.LEAVE,
    "on_person": OnPerson.PLAY,
    "ring_seconds": 30,
    "attempts": 2,
    "pause_seconds": 600,
    "starts_at": _AT,
    "ends_at": _AT + timedelta(days=1),
    "hours": announcements.RingHours(begin="09:00", end="20:00"),
    "ended_at": None,
    "reference": "order 66",
    "dialect": "rest",
    "recipients_in_all": 1,
    "counts": announcements.Counts(0, 0, 1, 0, 0, 0),
    "price": shapes.credits_of(150),
}
_RECIPIENT = announcements.Recipient(
    id="06a3f2m7k9q1v4x8t2z5b7c9d7",
    number="33612345678",
    state=RecipientState.REACHED,
    reason=None,
    detail="",
    answered_by=AnsweredBy.PERSON,
    key="1",
    seconds_heard=5,
    attempts=1,
    next_attempt_at=None,
    done_at=_LATER,
    price=shapes.credits_of(150),
)
_OF_RECIPIENT = notices.OfRecipient(
    notices.NamedAnnouncement("06a3f2m7k9q1v4x8t2z5b7c9d6", "Parcels", "order 66"), _RECIPIENT
)

_LINE = lines.Line(
    "33990000000",
    "https://example.com/calls?from=_CALLER_",
    "192.0.2.1|192.0.2.7",
    _AT,
    "present",
    {"present": lines.Forwarding(no_answer="answerphone"), "absent": lines.Forwarding(always="answerphone")},
    "Bonjour, laissez un message.",
    lines.Telephone("33990000000", _AT, _LATER),
)
_RECORDING = recordings.Recording(
    "06a3f2m7k9q1v4x8t2z5b7c9d4",
    "06a3f2m7k9q1v4x8t2z5b7c9d2",
    None,
    RecordingPurpose.CALL,
    _AT,
    _LATER,
    4000,
    64_044,
)

_POPUP = popups.Popup(
    id="06a3f2m7k9q1v4x8t2z5b7c9d6",
    number=1,
    name="Shop",
    first_rung=FirstRung.OPERATOR,
    language=calls.Language.FR,
    voice="female",
    operator_seconds=60,
    visitor_seconds=60,
    immediate=False,
    shown_to_operator="",
    shown_to_visitor="33123456789",
    hours="",
    zone="Europe/Paris",
    open_group="sales",
    closed_group="",
    open_message="",
    closed_message="",
    mailbox="shop@example.com",
    asks_name=True,
    labels=["Order", "", ""],
    recorded=False,
    confirms=False,
    allowed=["FR_Fixed", "FR_Mobile"],
    repeat_seconds=60,
    per_address=5,
    per_hour=60,
    created_at=_AT,
)
_CALLBACK: Mapping[str, Any] = {
    "id": "06a3f2m7k9q1v4x8t2z5b7c9d7",
    "number": 17,
    "popup": _POPUP.id,
    "popup_number": 1,
    "visitor": "33612345678",
    "name": "Jade",
    "labels": ["RXF46", "", ""],
    "state": CallbackState.DONE,
    "source": CallbackSource.WIDGET,
    "address": "192.0.2.7",
    "origin": "https://shop.example.com/",
    "destination": "FR_Mobile",
    "created_at": _AT,
    "due_at": _AT,
    "ended_at": _LATER,
    "tries": 1,
    "attempt": 1,
    "retry_seconds": 120,
    "longest_seconds": 3600,
    "recorded": False,
    "operator": "33123456789",
    "ring_seconds": 6,
    "talk_seconds": 60,
    "waited_seconds": 12,
    "cause": "answered",
    "price": shapes.credits_of(2000),
    "dialect": "rest",
}
_WHOLE_CALLBACK = callbacks.WholeCallback(**_CALLBACK, call=_CALL)
_RING_GROUP = ringgroups.RingGroup(
    "sales", RingOrder.ROUND_ROBIN, [ringgroups.Operator("33123456789", "Anne", 20, 10)]
)
_PROGRAM = programs.Program("06a3f2m7k9q1v4x8t2z5b7c9d9", "Cabinet", ["https://cabinet.example/back"], _AT)
_EXTENSION = {
    "short_number": "201",
    "user_name": "Jeanne Martin",
    "site": "Lyon",
    "calls_at_once": 2,
    "shown": "33990000000",
    "recorded": False,
    "plays_message": True,
    "message": "Bienvenue, un instant.",
    "voicemail_mail": "jeanne@example.com",
    "lamp": True,
    "blocks_value_added": True,
    "telephone_model": "snom D735",
    "telephone_mac": "000413ABCDEF",
}

EXAMPLES: Mapping[type[msgspec.Struct], msgspec.Struct] = {
    type(example): example
    for example in (
        messages.SendRequest(
            to=["+33612345678"], text="Your parcel has arrived.", sender="Chappe", reference="parcel-17"
        ),
        inbound.NumberRequest(url="https://example.com/inbound"),
        inbound.NumberChange(url="https://example.com/inbound", email="sms@example.com"),
        inbound.KeywordRequest(short_code="20345", word="POLL", url="https://example.com/inbound"),
        inbound.KeywordChange(url="https://example.com/poll"),
        lines.LineChange(
            notification_url="https://example.com/calls?from=_CALLER_", allowed_sources="192.0.2.1|192.0.2.7"
        ),
        inbound.BlockRequest(number="+33612345678", reason="asked by telephone"),
        subscriptions.SubscriptionRequest(
            url="https://example.com/sms", events=["message.delivered", "message.received"]
        ),
        subscriptions.SubscriptionChange(enabled=True),
        sandbox.HandsetText(to="20345", text="POLL yes"),
        sandbox.Behaviour(
            receipt=sandbox.ReceiptWord.UNDELIVERED, receipt_after_ms=2000, duplicate_receipts=1
        ),
        _MESSAGE,
        messages.MessageStory(
            **msgspec.structs.asdict(_MESSAGE),
            history=[
                messages.Step(MessageState.QUEUED, _AT),
                messages.Step(MessageState.SENT, _AT),
                messages.Step(MessageState.DELIVERED, _LATER),
            ],
            notices=[_DELIVERY],
        ),
        messages.Sent(
            [
                messages.SentMessage(
                    _MESSAGE.id,
                    "33612345678",
                    "Chappe",
                    MessageState.QUEUED,
                    1,
                    Encoding.GSM7,
                    shapes.credits_of(1000),
                    None,
                )
            ],
            shapes.credits_of(199_000),
        ),
        messages.Quote(
            1,
            Encoding.UCS2,
            shapes.credits_of(1000),
            17,
            ["☀"],
            [messages.QuotedRecipient("33612345678", shapes.credits_of(1000))],
        ),
        account.Account(
            "0b8a4f0e-6c1d-4f5a-9b57-3b1f6a2d9c10",
            "Example SARL",
            AccountKind.REGULAR,
            shapes.credits_of(199_000),
            shapes.credits_of(0),
            "Chappe",
            _AT,
        ),
        account.LedgerEntry(
            "7301445301178369",
            _AT,
            EntryKind.MESSAGES,
            shapes.credits_of(-1000),
            shapes.credits_of(199_000),
            1,
            None,
        ),
        inbound.Number("33639980000", "https://example.com/inbound", "", "rest", _AT),
        lines.Forwarding(busy="33639980001", no_answer="answerphone", no_answer_after=15),
        _LINE,
        lines.NewLine(_LINE, "h7k2m4x8q9t3v5w1"),
        lines.SipCredentials("33990000000", "chappe", "k3v7m2x9q4t8w5z1b6n3c7d2"),
        centrex.ExtensionChange(**_EXTENSION, state="active", limited=True, allowance=20),  # type: ignore[arg-type]
        centrex.Extension(
            **_EXTENSION,  # type: ignore[arg-type]
            id="7301445301178380",
            number="33990000000",
            state="active",
            may_pick_up=True,
            sees_all_faxes=False,
            limited=True,
            allowance=shapes.credits_of(20_000),
            secretary="",
            secretary_active=False,
            may_change_greeting=True,
            codec="G711a",
            codec_forced=False,
            transport="UDP",
            dial_plan="",
            telephone_port=0,
            handset="",
            ldap_host="",
            ldap_user="",
            ldap_domain="",
            registered_at=_AT,
        ),
        programs.ProgramRequest(name="Cabinet", redirect_uris=["https://cabinet.example/back"]),
        _PROGRAM,
        programs.NewProgram(_PROGRAM, "k3v7m2x9q4t8w5z1b6n3c7d2aq4t8w5z1b6n3c7d"),
        centrex.ProvisioningRequest(telephone="snom"),
        centrex.Provisioning(
            "https://chappe.example/provisioning/ck_5k3v7m2x9q4t8w5z1b6n3c7d2aq4t8w5",
            "snom",
            _LATER,
            "<svg/>",
        ),
        centrex.ListingKeyRequest(reads_secrets=True),
        centrex.ListingKey("ck_5k3v7m2x9q4t8w5z1b6n3c7d2aq4t8w5", True),
        transfers.Transfer(leg="first", to="+33612345678", attended=True),
        transfers.PickUp(line="33990000001"),
        inbound.Numbers(
            [inbound.Number("33639980000", "https://example.com/inbound", "", "rest", _AT)],
            [inbound.ShortCode("20345", "FR", "Shared", shapes.credits_of(0))],
        ),
        inbound.Keyword("7301445301178370", "20345", "POLL", "https://example.com/inbound", "", "rest", _AT),
        inbound.BlacklistEntry("33612345678", "STOP", _AT),
        _SUBSCRIPTION,
        subscriptions.NewSubscription(
            **msgspec.structs.asdict(_SUBSCRIPTION), secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        ),
        _DELIVERY,
        _HANDSET,
        _HANDSET_MESSAGE,
        sandbox.Conversation(_HANDSET, [_HANDSET_MESSAGE]),
        network.RouteRequest(prefix="336", carriers=[{"free": 7, "other": 3}, "backup"]),
        network.RouteChange(carriers=["backup"]),
        network.Route("7301445301178371", "336", ["free", "backup"]),
        network.TariffRequest(prefix="41", price=1.5),
        network.TariffChange(price=1.25),
        network.Tariff("7301445301178372", "41", shapes.credits_of(1500)),
        network.Carrier(
            "free",
            "smpp",
            LinkState.UP,
            None,
            [network.Link("transceiver", LinkState.UP, _AT, 3, 100, 48_211, 12, 0, "")],
            "hex-to-decimal",
        ),
        network.Bind("shop", "shop", "192.0.2.7", "transceiver", _AT, 3, 100, 48_211, 12, 48_190, 0),
        rights.Rule.of(PROVISIONS[0]),
        rights.ConsentRequest(numbers=["+33612345678"], source="form of the shop, 2026-02-01"),
        rights.Consent("33612345678", Basis.CONSENT, "form of the shop, 2026-02-01", _AT, None),
        rights.SenderRequest(account="shop", sender="Shop"),
        rights.Sender("Shop", _AT),
        notices.Notice(EventName.MESSAGE_DELIVERED, _LATER, _MESSAGE),
        calls.PlayRequest(leg="second", say="Un instant, s'il vous plaît."),
        calls.LegRequest(leg="second"),
        calls.KeysRequest(leg="second", keys="1234#"),
        calls.MuteRequest(leg="first"),
        calls.RecordRequest(),
        calls.CallRequest(first="+33123456789", second="0612345678", confirm=True, reference="order 66"),
        _LEG,
        _CALL,
        sandbox.HandsetCall("154150738000000124", "33123456789", LegState.RINGING, _AT),
        sandbox.Dialled(to="0123456789"),
        sandbox.Keys(keys="1#"),
        notices.CallNotice(EventName.CALL_ANSWERED, _LATER, _CALL),
        notices.OfLeg(_CALL, _LEG),
        _RECORDING,
        sounds.Sound("06a3f2m7k9q1v4x8t2z5b7c9d5", "welcome", 3200, 51_244, _AT),
        sounds.Voice("fr", "female"),
        notices.OfRecording(_CALL, _RECORDING),
        notices.RecordingNotice(EventName.RECORDING_ENDED, _LATER, notices.OfRecording(_CALL, _RECORDING)),
        notices.LegNotice(EventName.LEG_ANSWERED, _LATER, notices.OfLeg(_CALL, _LEG)),
        conferences.ConferenceRequest(
            access=AccessMode.ROOM_AND_CALLER,
            name="Monday meeting",
            participants=(conferences.NewParticipant(number="+33612345678", name="Anne", call=True),),
            record=True,
        ),
        conferences.MoreParticipants(
            participants=(conferences.NewParticipant(number="0698765432", call=True, confirm=False),)
        ),
        conferences.Conference(**_CONFERENCE),
        _WHOLE_CONFERENCE,
        _PARTICIPANT,
        notices.ConferenceNotice(EventName.CONFERENCE_STARTED, _AT, _WHOLE_CONFERENCE),
        notices.OfParticipant(_WHOLE_CONFERENCE, _PARTICIPANT),
        notices.ParticipantNotice(
            EventName.PARTICIPANT_JOINED, _LATER, notices.OfParticipant(_WHOLE_CONFERENCE, _PARTICIPANT)
        ),
        *openinghours.EXAMPLES,
        ringgroups.RingGroupRequest(
            order=RingOrder.ROUND_ROBIN,
            operators=(ringgroups.NewOperator(number="0123456789", ring_seconds=20, name="Anne"),),
        ),
        ringgroups.OperatorChange(ring_seconds=30, position=20),
        _RING_GROUP,
        ringgroups.RingGroups([_RING_GROUP]),
        popups.PopupRequest(name="Shop", open_group="sales", mailbox="shop@example.com"),
        popups.PopupChange(confirms=True, labels=("Order",)),
        _POPUP,
        popups.Popups([_POPUP]),
        popups.DestinationsChange(destinations=("FR_Mobile", "CH_Mobile")),
        popups.Destination(296, "FR_Mobile", shapes.credits_of(1000), True),
        popups.Destinations([popups.Destination(296, "FR_Mobile", shapes.credits_of(1000), True)]),
        popups.PopupFiles([popups.PopupFile(FormFile.HEADER, "shop.png", "image/png")]),
        popups.PopupFile(FormFile.HEADER, "shop.png", "image/png"),
        callbacks.CallbackBody(popup="1", visitor="0612345678", name="Jade", labels=("RXF46",)),
        callbacks.Callback(**_CALLBACK),
        _WHOLE_CALLBACK,
        callbacks.AddressBody(address="192.0.2.0/24"),
        callbacks.BlockedAddresses(["192.0.2.0/24"]),
        notices.CallbackNotice(EventName.CALLBACK_ANSWERED, _LATER, _WHOLE_CALLBACK),
        announcements.RingHours(begin="09:00", end="20:00"),
        announcements.AnnouncementRequest(
            to=["+33612345678", "0698765432"],
            say="Votre colis est arrivé. Tapez 1 pour une livraison demain, étoile pour réécouter.",
            repeat_key="*",
            answer_keys="12",
            attempts=2,
            hours=announcements.RingHours(begin="09:00", end="20:00"),
            name="Parcels",
        ),
        announcements.Counts(0, 0, 1, 0, 0, 0),
        announcements.Announcement(**_ANNOUNCEMENT),
        announcements.WholeAnnouncement(**_ANNOUNCEMENT, recipients=[_RECIPIENT], next_cursor=None),
        _RECIPIENT,
        notices.AnnouncementNotice(
            EventName.ANNOUNCEMENT_STARTED, _AT, announcements.Announcement(**_ANNOUNCEMENT)
        ),
        notices.NamedAnnouncement("06a3f2m7k9q1v4x8t2z5b7c9d6", "Parcels", "order 66"),
        _OF_RECIPIENT,
        notices.RecipientNotice(EventName.RECIPIENT_DONE, _LATER, _OF_RECIPIENT),
        Document("3.1.0", {"title": "Chappe", "version": __version__}, {}),
    )
}
"""One good value of each shape; a page shows one entry of its kind."""

_TEMPLATE = "#/components/schemas/{name}"
_PARAMETERS = {
    "id": "The `id` of an answer.",
    "file": "Which file: `operator_sound`, `visitor_sound`, `greeting`, `header` or `style`.",
    "leg": "A leg of the call: its name or id.",
    "participant": "The `id` of a participant of a conference.",
    "sender": "A sender in letters, as the handset shows it.",
    "name": "A name that was chosen when it was created.",
    "number": "A telephone number, as digits with country code, or as dialled in France.",
}
_DESCRIPTION = """Messages, calls, conferences, announcements, credits, numbers, telephones of the sandbox.

Send your key as `Authorization: Bearer KEY`. Amounts are credits, exact to the thousandth. Errors are problem
details (RFC 9457) whose `code` never changes its meaning. Lists give a `next_cursor`: ask again with it as
`cursor` until it is null. A request that costs credits may carry an `Idempotency-Key`: repeated with the same
key and body it gives the first answer again and costs nothing."""


def document(operations: Mapping[str, Operation]) -> dict[str, Any]:
    """The whole document as JSON data, out of the table's verbs and the `Described` of their lines."""
    described = {verb: _described(operation) for verb, operation in operations.items()}
    shown: list[Any] = [problems.Problem, *notices.SHAPES]
    for one in described.values():
        shown += [shape for shape in (one.body, one.answer) if shape is not None]
    _, components = msgspec.json.schema_components(shown, ref_template=_TEMPLATE)
    paths: dict[str, dict[str, Any]] = {}
    for verb, operation in operations.items():
        method, template = verb.split(" ")
        one = described[verb]
        paths.setdefault(template, {})[method.lower()] = _drop_empty(
            {
                "operationId": one.name,
                "tags": [one.tag],
                "summary": operation.summary,
                "security": [] if one.anonymous else None,
                "parameters": [*_path_parameters(template), *_other_parameters(one, components)],
                "requestBody": _request(one),
                "responses": {str(one.status): _success(one), **_problems(one)},
            }
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chappe",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(one.tag for one in described.values())],
        "paths": paths,
        "webhooks": {name: {"post": _webhook(name)} for name in EventName},
        "components": {
            "schemas": components,
            "examples": {fault: {"value": _problem_example(fault)} for fault in Fault},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def example_of(shape: Any) -> Any:
    """The example of a shape as JSON data; a page of a shape holds its example once."""
    if get_origin(shape) is shapes.Page:
        return {"data": [example_of(*get_args(shape))], "next_cursor": None}
    return msgspec.json.decode(msgspec.json.encode(EXAMPLES[shape]))


def _described(operation: Operation) -> Described:
    described = operation.extra["openapi"]
    assert isinstance(described, Described)
    return described


def _drop_empty(entry: dict[str, Any]) -> dict[str, Any]:
    # An empty list of `security` is kept: it says that no key is needed.
    return {key: value for key, value in entry.items() if value or (key == "security" and value == [])}


def _path_parameters(template: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARAMETERS[name],
            "schema": {"type": "string"},
        }
        for name in re.findall(r"{(\w+)}", template)
    ]


def _other_parameters(one: Described, components: dict[str, Any]) -> list[dict[str, Any]]:
    parameters = []
    if one.query is not None:
        _, more = msgspec.json.schema_components([one.query], ref_template=_TEMPLATE)
        properties = more.pop(one.query.__name__)["properties"]
        components.update(more)
        parameters = [{"name": name, "in": "query", **_in_query(about)} for name, about in properties.items()]
    if one.costs:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Your own name for this request: repeated with the same key and body it gives"
                " the first answer again and costs nothing.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                "example": "2f1c7a9e-parcel-17",
            }
        )
    return parameters


def _in_query(about: dict[str, Any]) -> dict[str, Any]:
    """A property of a query shape as a parameter: there is no null in a query, only leaving out."""
    schema = {key: value for key, value in about.items() if key not in ("description", "anyOf")}
    if schema.get("default", "") is None:
        del schema["default"]
    for choice in about.get("anyOf", ()):
        if choice != {"type": "null"}:
            schema |= choice
    described = about.get("description", schema.pop("description", None))
    return {"description": described, "schema": schema} if described else {"schema": schema}


def _content(shape: Any) -> dict[str, Any]:
    (reference,), _ = msgspec.json.schema_components([shape], ref_template=_TEMPLATE)
    return {"content": {wire.JSON: {"schema": reference, "example": example_of(shape)}}}


def _request(one: Described) -> dict[str, Any] | None:
    if one.takes:
        return {"content": {kind: {} for kind in one.takes}, "required": True}
    return _content(one.body) | {"required": True} if one.body else None


def _success(one: Described) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if one.answer is not None:
        success |= _content(one.answer)
    if one.file:
        success["content"] = {one.file: {}}
    if one.costs:
        success["headers"] = {
            wire.REPLAYED: {
                "description": "`true` where this is the first answer again.",
                "schema": {"type": "string", "const": "true"},
            }
        }
    return success


def _problems(one: Described) -> dict[str, Any]:
    faults = [*one.faults, Fault.RATE_LIMITED, Fault.INTERNAL]
    if not one.anonymous:
        faults = [Fault.BAD_CREDENTIALS, Fault.ACCOUNT_SUSPENDED, *faults]
    if one.body or one.query:
        faults.append(Fault.INVALID_PARAMETER)
    by_status: dict[str, list[Fault]] = {}
    for fault in dict.fromkeys(faults):
        by_status.setdefault(str(problems.FAULTS[fault].status), []).append(fault)
    answers = {status: _problem(faults) for status, faults in sorted(by_status.items())}
    if one.body:
        answers["400"] = {**_problem([]), "description": "The body is no JSON."}
        answers["413"] = {**_problem([]), "description": "The body is too large."}
        answers["415"] = {**_problem([]), "description": "The content type is not JSON."}
    return answers


def _problem(faults: Sequence[Fault]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": _TEMPLATE.format(name="Problem")}}
    if faults:
        content["examples"] = {fault: {"$ref": f"#/components/examples/{fault}"} for fault in faults}
    return {
        "description": "; ".join(problems.FAULTS[fault].title for fault in faults),
        "content": {problems.PROBLEM_JSON: content},
    }


def _problem_example(fault: Fault) -> Any:
    meaning = problems.FAULTS[fault]
    return msgspec.to_builtins(problems.problem_of(Refusal(fault, f"{meaning.title}."), meaning))


def _webhook(name: EventName) -> dict[str, Any]:
    return {
        "operationId": f"on_{name.replace('.', '_')}",
        "summary": f"Tells a subscription of {name}, signed after Standard Webhooks.",
        "security": [],
        "requestBody": _content(notices.shape_of(name)),
        "responses": {
            "2XX": {"description": "Heard; anything else is tried again."},
            "410": {"description": "Never again."},
        },
    }
