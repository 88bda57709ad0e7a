"""One outcome of each operation's service, as records, and requests as values."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from chappe.dialects.contract import WireCall
from chappe.dialects.rest.operations import OPERATIONS, REST
from chappe.model.announcements import (
    Announcement,
    AnnouncementState,
    AnnouncementStory,
    OnMachine,
    OnPerson,
    Reason,
    Recipient,
    RecipientState,
)
from chappe.model.announcements import Count as AnnouncementCount
from chappe.model.callbacks import (
    CallbackForm,
    CallbackRequest,
    CallbackSource,
    CallbackState,
    CallbackStory,
    Destination,
    FirstRung,
    FormFile,
    FormFileContent,
)
from chappe.model.calls import (
    Call,
    CallKind,
    CallOutcome,
    CallState,
    CallStory,
    HangUpCause,
    Leg,
    LegState,
    Recording,
    RecordingPurpose,
)
from chappe.model.carriers import BindStatus, CarrierStatus, LinkState, LinkStatus
from chappe.model.commands import Accepted, Quote, QuotedRecipient, SendOutcome
from chappe.model.conferences import (
    AccessMode,
    Attendance,
    Conference,
    ConferenceState,
    ConferenceStory,
    Participant,
)
from chappe.model.directory import (
    Account,
    AccountKind,
    AccountState,
    BlacklistEntry,
    Handset,
    HandsetItem,
    Keyword,
    Line,
    OwnNumber,
    ShortCode,
    Subscription,
)
from chappe.model.history import MessageStory, Page
from chappe.model.jobs import Job, JobState
from chappe.model.ledger import EntryKind, LedgerEntry, Route, Tariff
from chappe.model.messages import Direction, Message, MessageState
from chappe.model.network import BindView, CarrierView
from chappe.model.openinghours import Change, Closure, Created, Day, HoursState, Imported, OpeningHours, Span
from chappe.model.programs import Program
from chappe.model.recordings import Kept, Part, UploadedSound, Voice
from chappe.model.rights import MarketingBasis, RegisteredSender
from chappe.model.ringgroups import Operator, RingGroup, RingOrder, Roster
from chappe.model.rules import PROVISIONS, Basis
from chappe.model.smstext import Encoding
from chappe.model.sounds import Tone
from chappe.protocols.http import HttpRequest
from chappe.services.centrex import NewListingKey
from chappe.services.lines import NewLine, NewTelephone
from chappe.services.livecalls import Moment
from chappe.services.programs import NewProgram
from chappe.services.provisioning import Offered, TelephoneKind
from chappe.services.telephones import TelephoneCall

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
REF = "0123456789abcdefghjkmnpqrs"

MESSAGE = Message(
    id=1,
    ref=REF,
    account_id=7,
    direction=Direction.MT,
    state=MessageState.QUEUED,
    peer="33612345678",
    address="Chappe",
    text="Hello",
    encoding=Encoding.GSM7,
    segments=1,
    price=500,
    carrier="sandbox",
    dialect="rest",
    batch_id=1,
    created_at=NOW,
    due_at=NOW,
    reference="r1",
)
INBOUND = MESSAGE._replace(
    direction=Direction.MO, state=MessageState.RECEIVED, address="20345", price=0, finished_at=NOW
)
JOB = Job(
    9007199254740993,
    "notice",
    7,
    1,
    {
        "event": "message.delivered",
        "at": "2026-03-01T09:30:00+00:00",
        "target": "Subscription",
        "target_id": 9,
        "way": "url",
    },
    JobState.DEAD,
    NOW,
    NOW,
    10,
    outcome="503",
)
STORY = MessageStory(MESSAGE, ((MessageState.QUEUED, NOW), (MessageState.SENT, NOW)), (JOB,), ())
ACCOUNT = Account(
    7,
    "0b8a4f0e-6c1d-4f5a-9b57-3b1f6a2d9c10",
    "Example",
    "a@example.com",
    AccountKind.REGULAR,
    AccountState.OPEN,
    199_500,
    0,
    "Chappe",
    "FR",
    "fr",
    NOW,
)
SPENT = LedgerEntry(3, 7, NOW, EntryKind.MESSAGES, "account:7", "platform:messages", 500, 199_500, 1, None)
EARNED = LedgerEntry(
    2, 7, NOW, EntryKind.WELCOME, "platform:welcome", "account:7", 200_000, 200_000, 0, "welcome"
)
NUMBER = OwnNumber(4, 7, "33639980000", "https://example.com/in", "", "rest", NOW)
PROGRAM = Program(17, 7, "06a3f2m7k9q1v4x8t2z5b7c9d9", "hash", "Cabinet", "https://cabinet.example/back", NOW)
LINE = Line(16, 7, "33639980000", "192.0.2.1", "https://example.com/calls", NOW, "33639980000")
SHORT_CODE = ShortCode(5, "20345", "FR", 150, "Shared")
KEYWORD = Keyword(6, 7, "20345", "POLL", "https://example.com/in", "", "rest", NOW)
BLOCKED = BlacklistEntry(8, 7, "33612345678", "STOP", NOW)
SUBSCRIPTION = Subscription(
    9, REF, 7, "rest", "https://example.com/", ("message.delivered",), "whsec_" + "QUFB" * 8, NOW
)
HANDSET = Handset(10, 7, "33612345678", {"receipt": "none"}, NOW)
RECEIVED_ITEM = HandsetItem(11, 7, "33612345678", "Chappe", "Hello", True, False, NOW, 1)
SENT_ITEM = HandsetItem(12, 7, "33612345678", "20345", "POLL yes", False, False, NOW)
ROUTE = Route(13, "sms", "336", "free", "backup other")
TARIFF = Tariff(14, "sms", "41", 1500)
LINK = LinkStatus("transceiver", LinkState.STRAINED, NOW, 3, 100, 30.0, 7, 5, 1, 1, 4, 0, "ESME_RTHROTTLED")
CARRIER = CarrierView(
    "free", "smpp", CarrierStatus("free", "smpp", LinkState.STRAINED, (LINK,), "as-is"), "node", NOW, False
)
CONSENT = MarketingBasis(15, 7, "33612345678", Basis.CONSENT, "a form", NOW, NOW)
SENDER = RegisteredSender(16, 7, "Shop", NOW)
CALL = Call(
    17,
    REF,
    7,
    CallKind.TWO_LEG,
    CallState.LIVE,
    "33639980001",
    "33639980002",
    {},
    "rest",
    NOW,
    NOW,
    reserved=242_000,
    reference="r1",
)
LEG = Leg(
    9007199254740995,
    7,
    17,
    "first",
    "33639980001",
    "33639980000",
    "sandbox",
    LegState.RINGING,
    NOW,
    1000,
    ringing_at=NOW,
)
LIVE_CALL = CallStory(CALL, (LEG,))
ENDED_LEG = replace(
    LEG, state=LegState.DOWN, answered_at=NOW, ended_at=NOW, cause=HangUpCause.NORMAL, machine=True, price=17
)
ENDED_CALL = CallStory(
    replace(CALL, state=CallState.OVER, joined_at=NOW, over_at=NOW, outcome=CallOutcome.ANSWERED, price=17),
    (ENDED_LEG,),
)

RECORDING = Recording(20, REF, 7, 17, None, RecordingPurpose.CALL, NOW, NOW, 4000, 64_044)
SOUND = UploadedSound(21, REF, 7, "welcome", 3200, 51_244, NOW)
HOURS = OpeningHours(
    id=30,
    account_id=7,
    name="shop",
    spans=(Span(Day.MONDAY, 540, 1440), Span(Day.SUNDAY, 1320, 120)),
    closures=(Closure(date(2026, 12, 25), "Noël"), Closure(date(2026, 12, 26))),
    zone="Europe/Paris",
    region="FR-57",
    version=2,
    created_at=NOW,
    changed_at=NOW,
)
PARTICIPANT_REF = "1123456789abcdefghjkmnpqrs"
CONFERENCE = Conference(
    id=21,
    ref=REF,
    account_id=7,
    name="Monday meeting",
    access=AccessMode.ROOM_AND_CALLER,
    number="33199000825",
    code="048291",
    state=ConferenceState.OPEN,
    starts_at=NOW,
    seconds=600,
    language="fr",
    recorded=False,
    dialect="rest",
    created_at=NOW,
    call_id=9,
    reference="r1",
)
PARTICIPANT = Participant(
    id=22,
    ref=PARTICIPANT_REF,
    account_id=7,
    conference_id=21,
    number="33639980001",
    name="Anne",
    created_at=NOW,
    joined_at=NOW,
)
EXPECTED = Attendance(PARTICIPANT)
HERE = Attendance(PARTICIPANT, replace(LEG, state=LegState.UP, answered_at=NOW), talking=True)
GONE = Attendance(PARTICIPANT, ENDED_LEG)
OPEN_CONFERENCE = ConferenceStory(CONFERENCE, (HERE,), 0)
PLANNED_CONFERENCE = ConferenceStory(
    replace(
        CONFERENCE, state=ConferenceState.PLANNED, access=AccessMode.NONE, number="", code="", call_id=None
    ),
    (EXPECTED,),
)
ENDED_CONFERENCE = ConferenceStory(replace(CONFERENCE, state=ConferenceState.OVER, over_at=NOW), (GONE,), 17)

ROSTER = Roster(
    RingGroup(31, 7, "sales", RingOrder.FIXED, NOW),
    (Operator(32, 7, 31, "33639980001", 20, 10, NOW, "Anne"),),
)
FORM = CallbackForm(
    id=33,
    ref=REF,
    account_id=7,
    number=1,
    name="Shop",
    first_rung=FirstRung.OPERATOR,
    language="fr",
    voice="female",
    operator_seconds=60,
    visitor_seconds=60,
    created_at=NOW,
    open_group="sales",
)
FILE = FormFileContent(FormFile.STYLE, "a.css", "text/css; charset=utf-8", b"a{color:red;}")
DESTINATION = Destination(296, "FR_Mobile", 1000, True)
CALLBACK = CallbackRequest(
    id=34,
    ref=REF,
    account_id=7,
    form_id=33,
    number=1,
    visitor="33612345678",
    address="192.0.2.7",
    state=CallbackState.WAITING,
    source=CallbackSource.API,
    dialect="rest",
    destination="FR_Mobile",
    created_at=NOW,
    due_at=NOW,
    delay_seconds=0,
    tries=1,
    retry_seconds=120,
    longest_seconds=3600,
    recorded=False,
)

ANNOUNCEMENT = Announcement(
    id=23,
    ref=REF,
    account_id=7,
    name="Parcels",
    state=AnnouncementState.RUNNING,
    text="Votre colis est arrivé.",
    language="fr",
    voice="female",
    sound="",
    milliseconds=1800,
    shown=None,
    times=2,
    repeat_key="*",
    answer_keys="12",
    on_machine=OnMachine.LEAVE,
    on_person=OnPerson.PLAY,
    ring_seconds=30,
    attempts=3,
    pause=600,
    starts_at=NOW,
    ends_at=NOW,
    opens=540,
    closes=1200,
    zone="Europe/Paris",
    count=2,
    driver=24,
    dialect="rest",
    created_at=NOW,
    reference="r1",
)
RECIPIENT = Recipient(25, REF, 7, 23, "33639980001", RecipientState.WAITING, NOW, 1, 9, Reason.BUSY)
TOLD = replace(
    RECIPIENT,
    state=RecipientState.REACHED,
    reason=None,
    machine=False,
    key="1",
    seconds=2,
    price=34,
    over_at=NOW,
)
RUNNING_ANNOUNCEMENT = AnnouncementStory(
    ANNOUNCEMENT,
    AnnouncementCount({RecipientState.WAITING: 1, RecipientState.REACHED: 1}, 34),
    (RECIPIENT, TOLD),
    25,
)
ENDED_ANNOUNCEMENT = AnnouncementStory(
    replace(
        ANNOUNCEMENT,
        state=AnnouncementState.CANCELLED,
        sound=REF,
        text="",
        opens=0,
        closes=0,
        zone="",
        over_at=NOW,
        cancelled_at=NOW,
    ),
    AnnouncementCount({RecipientState.CANCELLED: 2}),
    (replace(RECIPIENT, state=RecipientState.CANCELLED, reason=None, over_at=NOW),),
)

OUTCOMES: Mapping[str, Any] = {
    "POST /v1/messages": SendOutcome((Accepted("+33612345678", MESSAGE),), 199_500),
    "GET /v1/messages": Page((MESSAGE, INBOUND), 17),
    "POST /v1/messages/quote": Quote(
        Encoding.UCS2, 2, 80, ("☀", "ê"), (QuotedRecipient("+33612345678", "33612345678", 1000),), 1000
    ),
    "GET /v1/messages/{id}": (STORY,),
    "POST /v1/messages/{id}/cancel": (MESSAGE._replace(state=MessageState.CANCELLED),),
    "GET /v1/account": ACCOUNT,
    "GET /v1/account/ledger": Page((SPENT, EARNED), None),
    "GET /v1/numbers": ((NUMBER,), (SHORT_CODE,)),
    "POST /v1/numbers": NUMBER,
    "PATCH /v1/numbers/{number}": NUMBER,
    "DELETE /v1/numbers/{number}": None,
    "GET /v1/lines": (LINE,),
    "POST /v1/lines": NewLine(LINE, "secret"),
    "GET /v1/lines/{number}": LINE,
    "PATCH /v1/lines/{number}": LINE,
    "POST /v1/lines/{number}/sip-credentials": NewTelephone("33639980000", "chappe", "secret"),
    "GET /v1/programs": (PROGRAM,),
    "POST /v1/programs": NewProgram(PROGRAM, "secret"),
    "GET /v1/centrex": (LINE,),
    "GET /v1/centrex/{number}": LINE,
    "PATCH /v1/centrex/{number}": LINE,
    "POST /v1/centrex/{number}/provisioning": Offered("ck_secret", TelephoneKind.SNOM, NOW),
    "POST /v1/centrex/keys": NewListingKey("ck_secret", True),
    "GET /v1/keywords": (KEYWORD,),
    "POST /v1/keywords": KEYWORD,
    "PATCH /v1/keywords/{id}": KEYWORD,
    "DELETE /v1/keywords/{id}": None,
    "GET /v1/blacklist": Page((BLOCKED,), None),
    "POST /v1/blacklist": BLOCKED,
    "DELETE /v1/blacklist/{number}": None,
    "GET /v1/subscriptions": (SUBSCRIPTION,),
    "POST /v1/subscriptions": SUBSCRIPTION,
    "GET /v1/subscriptions/{id}": SUBSCRIPTION,
    "PATCH /v1/subscriptions/{id}": replace(SUBSCRIPTION, disabled_at=NOW),
    "DELETE /v1/subscriptions/{id}": None,
    "GET /v1/deliveries": Page((JOB,), 3),
    "POST /v1/deliveries/{id}/replay": JOB,
    "GET /v1/sandbox/handsets": (HANDSET,),
    "GET /v1/sandbox/handsets/{number}/messages": (HANDSET, (RECEIVED_ITEM, SENT_ITEM)),
    "POST /v1/sandbox/handsets/{number}/messages": SENT_ITEM,
    "PUT /v1/sandbox/handsets/{number}/behaviour": HANDSET,
    "GET /v1/sandbox/handsets/{number}/calls": (TelephoneCall(ENDED_LEG), TelephoneCall(LEG)),
    "POST /v1/sandbox/handsets/{number}/calls": TelephoneCall(LEG, Moment(Tone.RINGBACK)),
    "GET /v1/sandbox/handsets/{number}/calls/{id}/heard": bytes(320),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/answer": TelephoneCall(LEG),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/reject": TelephoneCall(LEG),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/hangup": TelephoneCall(LEG),
    "POST /v1/sandbox/handsets/{number}/calls/{id}/keys": TelephoneCall(LEG),
    "POST /v1/calls": CallStory(CALL),
    "GET /v1/calls": Page((LIVE_CALL, ENDED_CALL), 17),
    "GET /v1/calls/{id}": ENDED_CALL,
    "POST /v1/calls/{id}/hangup": LIVE_CALL,
    "POST /v1/calls/{id}/transfer": LIVE_CALL,
    "POST /v1/calls/{id}/pick-up": LIVE_CALL,
    "POST /v1/calls/{id}/play": LIVE_CALL,
    "POST /v1/calls/{id}/stop": LIVE_CALL,
    "POST /v1/calls/{id}/keys": LIVE_CALL,
    "POST /v1/calls/{id}/mute": LIVE_CALL,
    "POST /v1/calls/{id}/record": LIVE_CALL,
    "POST /v1/calls/{id}/legs/{leg}/hangup": LIVE_CALL,
    "GET /v1/opening-hours": Page((HOURS, replace(HOURS, spans=(), closures=(), region="")), 20),
    "POST /v1/opening-hours": Created(HOURS, replayed=True),
    "GET /v1/opening-hours/{name}": HOURS,
    "PUT /v1/opening-hours/{name}": HOURS,
    "DELETE /v1/opening-hours/{name}": None,
    "POST /v1/opening-hours/{name}/import": Imported(HOURS, 2, ("Lunch: it fills no whole day",)),
    "GET /v1/opening-hours/{name}/state": HoursState(NOW, "Europe/Paris", True, Change(NOW, False)),
    "GET /v1/recordings": Page((Kept(RECORDING, REF), Kept(replace(RECORDING, ended_at=None), REF)), 20),
    "GET /v1/recordings/{id}": Kept(replace(RECORDING, leg_id=18), REF),
    "GET /v1/recordings/{id}/audio": Part(b"RIFF", 0, 4),
    "DELETE /v1/recordings/{id}": None,
    "GET /v1/sounds": Page((SOUND,), None),
    "POST /v1/sounds": SOUND,
    "GET /v1/sounds/{id}": SOUND,
    "GET /v1/sounds/{id}/audio": b"RIFF",
    "DELETE /v1/sounds/{id}": None,
    "GET /v1/voices": (Voice("fr", "female"),),
    "POST /v1/conferences": PLANNED_CONFERENCE,
    "GET /v1/conferences": Page((CONFERENCE, PLANNED_CONFERENCE.conference), 17),
    "GET /v1/conferences/{id}": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/participants": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/participants/{participant}/call": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/participants/{participant}/mute": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/participants/{participant}/unmute": OPEN_CONFERENCE,
    "DELETE /v1/conferences/{id}/participants/{participant}": ENDED_CONFERENCE,
    "POST /v1/conferences/{id}/lock": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/unlock": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/record": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/record/stop": OPEN_CONFERENCE,
    "POST /v1/conferences/{id}/end": OPEN_CONFERENCE,
    "GET /v1/ring-groups": (ROSTER,),
    "GET /v1/ring-groups/{name}": ROSTER,
    "PUT /v1/ring-groups/{name}": ROSTER,
    "DELETE /v1/ring-groups/{name}": None,
    "PUT /v1/ring-groups/{name}/operators/{number}": ROSTER,
    "DELETE /v1/ring-groups/{name}/operators/{number}": Roster(ROSTER.group),
    "POST /v1/popups": FORM,
    "GET /v1/popups": (FORM, replace(FORM, allowed=("FR_Mobile",))),
    "GET /v1/popups/{id}": FORM,
    "PATCH /v1/popups/{id}": FORM,
    "DELETE /v1/popups/{id}": None,
    "GET /v1/popups/{id}/destinations": (DESTINATION,),
    "POST /v1/popups/{id}/destinations": (DESTINATION,),
    "GET /v1/popups/{id}/files": (FILE,),
    "GET /v1/popups/{id}/files/{file}": FILE,
    "PUT /v1/popups/{id}/files/{file}": None,
    "DELETE /v1/popups/{id}/files/{file}": None,
    "POST /v1/callbacks": CallbackStory(CALLBACK, FORM),
    "GET /v1/callbacks": Page((CallbackStory(CALLBACK, FORM),), 17),
    "GET /v1/callbacks/{id}": CallbackStory(CALLBACK, FORM, ENDED_CALL),
    "POST /v1/callbacks/{id}/cancel": CallbackStory(CALLBACK, FORM),
    "GET /v1/blocked-addresses": ("192.0.2.0/24",),
    "POST /v1/blocked-addresses": None,
    "DELETE /v1/blocked-addresses": None,
    "POST /v1/announcements": RUNNING_ANNOUNCEMENT,
    "GET /v1/announcements": Page((RUNNING_ANNOUNCEMENT, ENDED_ANNOUNCEMENT), 17),
    "GET /v1/announcements/{id}": RUNNING_ANNOUNCEMENT,
    "POST /v1/announcements/{id}/cancel": ENDED_ANNOUNCEMENT,
    "GET /v1/network/routes": (ROUTE,),
    "POST /v1/network/routes": ROUTE,
    "PATCH /v1/network/routes/{id}": ROUTE,
    "DELETE /v1/network/routes/{id}": None,
    "GET /v1/network/tariffs": (TARIFF,),
    "POST /v1/network/tariffs": TARIFF,
    "PATCH /v1/network/tariffs/{id}": TARIFF,
    "DELETE /v1/network/tariffs/{id}": None,
    "GET /v1/network/binds": (
        BindView("shop", BindStatus(1, "shop", "192.0.2.7", "transceiver", NOW, 1, 100, 5, 1, 3, 0)),
    ),
    "GET /v1/network/carriers": (CARRIER, CarrierView("other", "smpp", None, "", None, False)),
    "GET /v1/rules": PROVISIONS,
    "GET /v1/consents": Page((CONSENT,), None),
    "POST /v1/consents": (CONSENT,),
    "DELETE /v1/consents/{number}": None,
    "GET /v1/senders": Page((SENDER,), None),
    "POST /v1/senders": SENDER,
    "DELETE /v1/senders/{sender}": None,
    "GET /v1/openapi.json": None,
}


def request(
    line: str, body: bytes = b"", content_type: str = "application/json", **headers: str
) -> HttpRequest:
    """A request from its line, such as `GET /v1/messages?limit=2`; `_` in header names is a hyphen."""
    method, target = line.split(" ", 1)
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type:
        named["content-type"] = content_type
    return HttpRequest(
        method, "localhost", path, target.encode("utf-8", "replace"), query.encode(), named, body
    )


def call(line: str, body: bytes = b"", content_type: str = "application/json", **headers: str) -> WireCall:
    """What the dialect reads out of such a request."""
    return REST.read(request(line, body, content_type, **headers))


def decoded(line: str, body: bytes = b"", content_type: str = "application/json", **headers: str) -> Any:
    """The command that such a request means."""
    read = call(line, body, content_type, **headers)
    return OPERATIONS[read.verb].decode(read)


def concrete(verb: str) -> str:
    """A request line for a verb: its path with parameters filled in."""
    given = {"id": "42", "number": "33612345678", "sender": "Shop", "participant": "43", "leg": "5"}
    given["name"] = "shop"
    given["file"] = "style"
    return verb.format_map(given)
