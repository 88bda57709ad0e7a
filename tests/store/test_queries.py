"""The named questions: the same names on both sides, one account's answers only, filters and pages."""

import asyncio
import inspect
from datetime import datetime, timedelta
from typing import Any, get_type_hints

import pytest

from chappe.model.announcements import (
    Announcement,
    FindAnnouncement,
    ListAnnouncements,
    Recipient,
    RecipientState,
)
from chappe.model.callbacks import (
    BlockedAddress,
    CallbackForm,
    CallbackRequest,
    CallbackState,
    FormFile,
    KeptFormFile,
    ListCallbacks,
)
from chappe.model.calls import Call, CallKind, CallOutcome, CallState, Dialogue, Leg, Recording
from chappe.model.changes import Changes
from chappe.model.commands import ListCalls, ListMessages
from chappe.model.conferences import (
    AccessMode,
    Conference,
    ConferenceState,
    ListConferences,
    Participant,
)
from chappe.model.directory import (
    Account,
    BlacklistEntry,
    Credential,
    Handset,
    HandsetItem,
    Keyword,
    Line,
    OwnNumber,
    Subscription,
    User,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Exchange, StoredOutcome
from chappe.model.jobs import Job, JobState
from chappe.model.ledger import LedgerEntry
from chappe.model.limits import CallCounts, CallLimits
from chappe.model.messages import Direction, EarlyReceipt, Message, MessageState, Segment
from chappe.model.openinghours import OpeningHours
from chappe.model.programs import Grant, Program
from chappe.model.recordings import ListRecordings, UploadedSound
from chappe.model.rights import MarketingBasis, RegisteredSender
from chappe.model.ringgroups import Operator, RingGroup
from chappe.services.ports import Queries
from chappe.store import (
    announcements,
    callbacks,
    calls,
    conferences,
    limits,
    network,
    openinghours,
    queries,
    rights,
    sounds,
)
from tests.platform import START
from tests.store.ground import Ground, changed, field_names, sample

_OF_CALLS = (calls, limits, sounds, conferences, callbacks, announcements)
PROTOCOL = {name: one for name, one in vars(Queries).items() if inspect.iscoroutinefunction(one)}
FUNCTIONS = {
    name: one
    for module in (queries, network, rights, openinghours, *_OF_CALLS)
    for name, one in vars(module).items()
    if inspect.isfunction(one)
    and one.__module__ == module.__name__
    and not name.startswith("_")
    and name not in ("spend", "check_calls")  # for the group writer
}


def test_the_protocol_and_the_functions_have_the_same_names() -> None:
    assert set(PROTOCOL) == set(FUNCTIONS)
    assert len(PROTOCOL) > 40


@pytest.mark.parametrize("name", sorted(PROTOCOL))
def test_a_question_takes_the_same_arguments(name: str) -> None:
    asked = list(inspect.signature(PROTOCOL[name]).parameters.values())[1:]
    answered = list(inspect.signature(FUNCTIONS[name]).parameters.values())[1:]
    assert [(one.name, one.kind, one.default) for one in asked] == [
        (one.name, one.kind, one.default) for one in answered
    ]
    ours, theirs = get_type_hints(PROTOCOL[name]), get_type_hints(FUNCTIONS[name])
    theirs.pop("connection")
    assert ours == theirs


# --- tenancy, generated over the protocol

A, B = 1_000, 2_000
SHARED = {"peer": "33612345678", "address": "36789", "number": "33639980001", "key": "key", "subject": 5}
OWNED = (
    *(User, Credential, OwnNumber, Keyword, BlacklistEntry, Subscription, Handset, HandsetItem),
    *(Message, LedgerEntry, Job, Exchange, StoredOutcome),
    *(Line, MarketingBasis, RegisteredSender, Call, Leg, Dialogue, Recording, UploadedSound),
    *(Conference, Participant, OpeningHours, Program, Grant),
    *(RingGroup, Operator, CallbackForm, KeptFormFile, CallbackRequest, BlockedAddress),
    *(Announcement, Recipient),
)


def twin(kind: type, owner: int) -> Any:
    """A record that looks alike in both accounts as far as unique keys allow."""
    names = set(field_names(kind))
    chosen: dict[str, Any] = {"account_id": owner}
    if kind not in (OwnNumber, Line):
        chosen |= {name: value for name, value in SHARED.items() if name in names}
    if kind is Job:
        chosen |= {"kind": "deliver_notice", "state": JobState.DONE}
    if kind is Subscription:
        chosen |= {"disabled_at": None}
    if kind is MarketingBasis:
        chosen |= {"withdrawn_at": None}
    if kind is Exchange:
        chosen |= {"job_id": 8}
    if kind is Message:
        chosen |= {"state": MessageState.DELIVERED, "direction": Direction.MT, "created_at": START}
    if kind is Call:
        chosen |= {"over_at": None}
    if kind is Conference:
        chosen |= {"call_id": twin(Call, owner).id, "over_at": None, "code": str(owner)}
    if kind is Participant:
        chosen |= {"conference_id": twin(Conference, owner).id}
    if kind is Announcement:
        chosen |= {"over_at": None}
    if kind is Recipient:
        waits = {"state": RecipientState.WAITING, "due_at": START, "call_id": twin(Call, owner).id}
        chosen |= {"announcement_id": twin(Announcement, owner).id, **waits}
    if kind is Leg:
        chosen |= {"call_id": owner, "ended_at": None}
    if kind is RingGroup:
        chosen |= {"name": "sales"}
    if kind is Operator:
        chosen |= {"group_id": twin(RingGroup, owner).id}
    if kind is CallbackForm:
        chosen |= {"removed_at": None, "number": 1}
    if kind is KeptFormFile:
        chosen |= {"form_id": twin(CallbackForm, owner).id, "file": FormFile.GREETING}
    if kind is CallbackRequest:
        chosen |= {"form_id": twin(CallbackForm, owner).id, "number": 1, "state": CallbackState.WAITING}
        chosen |= {"visitor": SHARED["number"], "created_at": START, "call_id": twin(Call, owner).id}
    if kind is Recording:
        chosen |= {"line": "33990000001"}
    if kind is Dialogue:
        chosen |= {"call_id": twin(Call, owner).id}
    return sample(kind, owner, **chosen)


def asked_by(owner: int, other: int, name: str) -> dict[str, Any]:
    """Arguments that name the records of `other` wherever a question can name any."""

    def of(kind: type) -> Any:
        return twin(kind, other)

    known: dict[str, Any] = {
        "account_id": owner,
        "cursor": None,
        "skip": 0,
        "limit": 100,
        "user_id": of(User).id,
        "message_id": of(Message).id,
        "refs": [of(Message).ref],
        "search": ListCalls(limit=100) if name == "list_calls" else ListMessages(limit=100),
        "since": START - timedelta(days=1),
        "numbers": [SHARED["number"]],
        "number": SHARED["number"],
        "state": "",
        "job_id": of(Job).id,
        "job_ids": [8],
        "subject": SHARED["subject"],
        "exchange_id": of(Exchange).id,
        "key": SHARED["key"],
        "kind": "deliver_notice",
        "peer": SHARED["peer"],
        "block": SHARED["peer"][:8],
        "call_id": of(Call).id,
        "call_ids": [of(Leg).call_id],
        "ref": of(Call).ref,
        "conference_id": of(Conference).id,
        "announcement_id": of(Announcement).id,
        "announcement_ids": [of(Announcement).id],
        "recipient_id": of(Recipient).id,
        "now": START,
        "asked": ListConferences(limit=100),
        "until": START + timedelta(days=1),
        "line": "",
        "day": f"{START:%Y-%m-%d}",
        "ids": [of(Call).id],
        "recording_id": of(Recording).id,
        "name": of(OpeningHours).name,
        "group_ids": [of(RingGroup).id],
        "form_id": of(CallbackForm).id,
        "form_number": 1,
        "file": FormFile.GREETING,
        "callback_id": of(CallbackRequest).id,
        "callback_number": 1,
        "wanted": ListCallbacks(limit=100),
        "visitor": SHARED["number"],
        "network": "",
        "short_number": of(Line).short_number,
    }
    if name == "ring_group_named":
        known["name"] = of(RingGroup).name
    if name in ("callback_by_ref", "callback_form_by_ref"):
        known["ref"] = of(CallbackRequest if name == "callback_by_ref" else CallbackForm).ref
    if name == "messages_of_line":
        known["line"] = of(Recording).line
    if name in ("list_announcements", "recipients_of"):
        found = of(Announcement)
        known["asked"] = ListAnnouncements() if name == "list_announcements" else FindAnnouncement(found.ref)
    if name in ("recordings", "recordings_of"):
        known |= {"call_id": of(Recording).call_id, "search": ListRecordings(limit=100)}
    if name in ("recording_by_ref", "sound_by_ref"):
        known["ref"] = of(Recording if name == "recording_by_ref" else UploadedSound).ref
    return {one: known[one] for one in list(inspect.signature(PROTOCOL[name]).parameters)[1:]}


OF_ONE_ACCOUNT = sorted(
    name
    for name in PROTOCOL
    if "account_id" in inspect.signature(PROTOCOL[name]).parameters
    and FUNCTIONS[name].__module__ != network.__name__  # the operator's; tests/journeys/test_tenancy.py
)


async def ask(ground: Ground, name: str, owner: int, other: int) -> Any:
    return await getattr(ground.records.queries, name)(**asked_by(owner, other, name))


async def two_accounts(ground: Ground) -> None:
    records = [twin(kind, owner) for owner in (A, B) for kind in OWNED]
    records += [sample(Account, owner, id=owner) for owner in (A, B)]
    await ground.records.commit(Changes(insert=records))


async def test_an_answer_holds_records_of_the_asker_only(ground: Ground) -> None:
    assert len(OF_ONE_ACCOUNT) > 20
    await two_accounts(ground)
    for name in OF_ONE_ACCOUNT:
        for owner, other in ((A, B), (B, A)):
            if name == "block_record":
                continue  # two counts, the asker's alone: tests/services/test_rules.py
            if name == "scheduled_advertising":
                continue  # none waits here; tests/services/test_rules.py
            if name == "withdrawn_numbers":
                continue  # none has ended here; see the next test
            if name == "spent":
                continue  # a sum, the asker's alone; tests/web/test_rights.py
            if name == "calls_placed":
                continue  # two counts, the asker's alone; tests/services/test_calling.py
            if name == "count_sounds":
                continue  # a count, the asker's alone; tests/services/test_sounds.py
            if name == "callbacks_since":
                continue  # two counts, the asker's alone; tests/services/test_callbacks.py
            if name == "cost_of_line":
                continue  # a sum, the asker's alone; tests/services/test_centrex.py
            if name == "jobs_of_kind":
                continue  # none waits here; tests/carriers/smpp/test_server.py
            own, foreign = await ask(ground, name, owner, owner), await ask(ground, name, owner, other)
            assert own, name
            for answer in (own, foreign):
                for one in answer if type(answer) is tuple else (answer,):
                    owned_by = one.id if isinstance(one, Account) else getattr(one, "account_id", owner)
                    assert owned_by == owner, name
            if name == "refs_of_calls":
                assert (len(own), foreign) == (1, {})
                continue
            if name == "count_recipients":
                assert (set(own), foreign) == ({twin(Announcement, owner).id}, {})
                continue
            if name in ("traffic", "blacklisted", "busy_numbers"):
                assert (len(own), own) == (1, foreign)
                continue
            if type(own) is tuple:
                assert len(own) == 1, name


async def test_an_ended_basis_is_told_to_its_account_alone(ground: Ground) -> None:
    ended = changed(sample(MarketingBasis, 1), account_id=A, number="33612345678", withdrawn_at=START)
    await ground.records.commit(Changes(insert=[ended]))
    ask = ground.records.queries.withdrawn_numbers
    assert await ask(A, ["33612345678", "33612345679"]) == {"33612345678"}
    assert await ask(B, ["33612345678"]) == frozenset()


async def test_a_record_of_another_account_is_not_there(ground: Ground) -> None:
    await two_accounts(ground)
    named = (
        "user",
        "message",
        "messages_by_ref",
        "delivery",
        "exchange",
        "call",
        "call_by_ref",
        "legs_of",
        "dialogues_of",
    )
    for name in named:
        assert not await ask(ground, name, A, B), name


async def test_counts_are_the_askers_alone(ground: Ground) -> None:
    await two_accounts(ground)
    assert await ground.records.queries.traffic(A, START - timedelta(days=1)) == (("mt", "delivered", 1),)
    assert await ground.records.queries.traffic(A, START + timedelta(microseconds=1)) == ()


# --- messages


async def listed(ground: Ground, **search: Any) -> tuple[int, ...]:
    found = await ground.records.queries.list_messages(1, ListMessages(**search))
    return tuple(one.id for one in found)


FILTERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"direction": Direction.MO}, {"direction": Direction.MO}),
    ({"state": MessageState.FAILED}, {"state": MessageState.FAILED}),
    ({"peer": "3370"}, {"peer": "33700000000"}),
    ({"address": "367"}, {"address": "36789"}),
    ({"dialect": "orange"}, {"dialect": "orange"}),
    ({"reference": "r1"}, {"reference": "r1"}),
    ({"text": "été"}, {"text": "à l'ÉTÉ prochain"}),
    ({"text": "ÉTÉ"}, {"text": "à l'été prochain"}),
    ({"text": "STRASSE"}, {"text": "hauptstrasse"}),
    ({"text": "50%"}, {"text": "now 50% off"}),
    ({"text": "a_b"}, {"text": "xa_bx"}),
    ({"text": "/"}, {"text": "and/or"}),
    ({"text": "\\"}, {"text": "back\\slash"}),
    ({"text": "'"}, {"text": "l'eau"}),
    ({"since": START + timedelta(hours=1)}, {"created_at": START + timedelta(hours=1)}),
    ({"until": START}, {"created_at": START - timedelta(microseconds=1)}),
]


@pytest.mark.parametrize("number", range(len(FILTERS)))
async def test_each_filter(ground: Ground, number: int) -> None:
    search, hit = FILTERS[number]
    wanted = ground.message(1, **hit)
    others = [ground.message(1, text="50 off axb andXor", peer="33612345670"), ground.message(2, **hit)]
    await ground.records.commit(Changes(insert=[others[0], wanted, others[1]]))
    assert await listed(ground, **search) == (wanted.id,)
    assert set(await listed(ground)) == {wanted.id, others[0].id}


@pytest.mark.parametrize("wild", ["%", "_", "%%", "3%", "\\", "*", "?"])
async def test_wildcards_are_letters(ground: Ground, wild: str) -> None:
    await ground.records.commit(Changes(insert=[ground.message(1), ground.message(1, peer="33700000000")]))
    for name in ("peer", "address", "text"):
        assert await listed(ground, **{name: wild}) == ()


async def test_filters_are_joined_by_and(ground: Ground) -> None:
    both = ground.message(1, reference="r", dialect="orange")
    single = [ground.message(1, reference="r"), ground.message(1, dialect="orange")]
    await ground.records.commit(Changes(insert=[both, *single]))
    assert await listed(ground, reference="r", dialect="orange") == (both.id,)


async def test_pages_follow_one_another(ground: Ground) -> None:
    messages = [ground.message(1) for _ in range(7)]
    await ground.records.commit(Changes(insert=messages))
    newest_first = tuple(one.id for one in reversed(messages))
    seen: tuple[int, ...] = ()
    cursor = None
    while page := await listed(ground, cursor=cursor, limit=3):
        seen += page
        cursor = page[-1]
    assert seen == newest_first
    assert await listed(ground, limit=0) == ()


async def test_the_outbox_of_a_carrier(ground: Ground) -> None:
    def message(minutes: float, **chosen: Any) -> Message:
        return ground.message(1, **{"due_at": START + timedelta(minutes=minutes), **chosen})

    late, early, same, now = message(-1), message(-5), message(-1), message(0)
    others = [
        message(-9, carrier="other"),
        message(-9, state=MessageState.SENDING),
        message(-9, state=MessageState.SCHEDULED),
        message(0.0001),
    ]
    await ground.records.commit(Changes(insert=[late, early, same, now, *others]))
    due = ground.records.queries.due_messages
    assert await due("sandbox", START, 9, ()) == (early, late, same, now)
    assert await due("sandbox", START, 2, ()) == (early, late)
    assert await due("sandbox", START, 2, (early.id, same.id)) == (late, now)
    assert await due("sandbox", START, 9, [one.id for one in (late, early, same, now)]) == ()
    assert await due("nobody", START, 9, ()) == ()


async def test_the_clockwork(ground: Ground) -> None:
    ask = ground.records.queries
    assert await ask.next_due() is None
    scheduled = ground.message(1, state=MessageState.SCHEDULED, due_at=START + timedelta(hours=1))
    sent = ground.message(1, state=MessageState.SENT, expires_at=START + timedelta(hours=2))
    over = ground.message(1, state=MessageState.DELIVERED, expires_at=START, finished_at=START)
    queued = ground.message(1)
    await ground.records.commit(Changes(insert=[scheduled, sent, over, queued]))
    assert await ask.next_due() == START + timedelta(hours=1)
    assert await ask.scheduled_messages(START, 9) == ()
    assert await ask.scheduled_messages(START + timedelta(hours=1), 9) == (scheduled,)
    assert await ask.expired_messages(START + timedelta(hours=2) - timedelta(microseconds=1), 9) == ()
    assert await ask.expired_messages(START + timedelta(hours=2), 9) == (sent,)


async def test_messages_by_the_ids_of_a_network(ground: Ground) -> None:
    """Where a network used an id again the newest message is last, be it of one segment or of several."""
    reused = [
        ground.message(1, carrier_ids="7 8"),
        ground.message(1, carrier_ids="7"),
        ground.message(1, carrier_ids="6 7"),
    ]
    strangers = [
        ground.message(1, carrier_ids="7", carrier="other"),
        ground.message(1, carrier_ids="7", direction=Direction.MO),
        ground.message(1, carrier_ids=""),
    ]
    parts = [
        Segment(ground.ids.new_id(), reused[2].id, "sandbox", "6"),
        Segment(ground.ids.new_id(), reused[2].id, "sandbox", "7"),
        Segment(ground.ids.new_id(), reused[0].id, "sandbox", "7"),
        Segment(ground.ids.new_id(), reused[0].id, "sandbox", "8"),
        Segment(ground.ids.new_id(), strangers[0].id, "other", "8"),
    ]
    await ground.records.commit(Changes(insert=[*reused, *strangers, *parts]))
    found = await ground.records.queries.messages_by_carrier_id("sandbox", ["7", ""])
    assert found == tuple(("7", message) for message in reused)
    found = await ground.records.queries.messages_by_carrier_id("sandbox", ["6", "8"])
    assert dict(found) == {"6": reused[2], "8": reused[0]}
    segments = await ground.records.queries.segments_of([reused[0].id])
    assert {one.carrier_id for one in segments} == {"7", "8"}


async def test_many_names_in_one_question(ground: Ground) -> None:
    messages = [ground.message(1, carrier_ids=str(n)) for n in range(10_000)]
    await ground.records.commit(Changes(insert=messages))
    ask = ground.records.queries
    assert len(await ask.messages_by_ref(1, [one.ref for one in messages])) == 10_000
    assert len(await ask.messages_by_id([one.id for one in messages])) == 10_000
    assert len(await ask.messages_by_carrier_id("sandbox", [str(n) for n in range(10_000)])) == 10_000
    assert await ask.blacklisted(1, [str(n) for n in range(10_000)]) == frozenset()


async def test_who_wrote_to_a_telephone(ground: Ground) -> None:
    def message(owner: int, hours: int, address: str = "A", **chosen: Any) -> Message:
        return ground.message(owner, address=address, created_at=START + timedelta(hours=hours), **chosen)

    messages = [
        message(1, 1),
        message(2, 2, "B"),
        message(1, 3, "B"),
        message(3, -9),
        message(4, 4, direction=Direction.MO),
        message(5, 4, peer="33600000000"),
    ]
    await ground.records.commit(Changes(insert=messages))
    ask = ground.records.queries
    assert await ask.recent_senders("33612345678", "", START) == ((1, messages[2].id), (2, messages[1].id))
    assert await ask.recent_senders("33612345678", "A", START) == ((1, messages[0].id),)


async def test_the_owner_of_a_session(ground: Ground) -> None:
    def message(until: datetime | None) -> Message:
        return ground.message(1, session_until=until)

    open_, newer, over = (
        message(START + timedelta(hours=1)),
        message(START + timedelta(hours=1)),
        message(START),
    )
    await ground.records.commit(Changes(insert=[open_, newer, over, message(None)]))
    ask = ground.records.queries
    assert await ask.session_owner("33612345678", "SHOP", START) == newer
    assert await ask.session_owner("33612345678", "SHOP", START + timedelta(hours=1)) is None
    assert await ask.session_owner("33612345678", "shop", START) is None


async def test_early_receipts(ground: Ground) -> None:
    receipts = [sample(EarlyReceipt, n, carrier="c", carrier_id=str(n)) for n in range(3)]
    await ground.records.commit(Changes(insert=receipts))
    found = await ground.records.queries.early_receipts("c", ["1", "2", "9"])
    assert set(found) == set(receipts[1:])
    assert await ground.records.queries.early_receipts("d", ["1"]) == ()


# --- calls


def a_call(ground: Ground, account_id: int = 1, **chosen: Any) -> Call:
    names = {"id": ground.ids.new_id(), "ref": ground.ids.new_ref(), "account_id": account_id}
    usual = {"created_at": START, "seen_at": START, "over_at": None, "first": "33639980001"}
    usual["kind"] = CallKind.TWO_LEG
    return sample(Call, **{**names, **usual, **chosen})


CALL_FILTERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"state": "over"}, {"state": CallState.OVER}),
    ({"outcome": "busy"}, {"outcome": CallOutcome.BUSY}),
    ({"dialect": "orange"}, {"dialect": "orange"}),
    ({"reference": "r1"}, {"reference": "r1"}),
    ({"number": "3370"}, {"first": "33700000000"}),
    ({"number": "3370"}, {"second": "33700000000"}),
    ({"since": START + timedelta(hours=1)}, {"created_at": START + timedelta(hours=1)}),
    ({"until": START}, {"created_at": START - timedelta(microseconds=1)}),
]


@pytest.mark.parametrize("number", range(len(CALL_FILTERS)))
async def test_each_filter_of_calls(ground: Ground, number: int) -> None:
    search, hit = CALL_FILTERS[number]
    plain = {"state": CallState.LIVE, "outcome": None, "dialect": "rest", "reference": "", "second": "336"}
    wanted = a_call(ground, **{**plain, **hit})
    other, foreign = a_call(ground, **plain), a_call(ground, 2, **{**plain, **hit})
    await ground.records.commit(Changes(insert=[wanted, other, foreign]))
    ask = ground.records.queries
    assert await ask.list_calls(1, ListCalls(**search)) == (wanted,)
    assert await ask.list_calls(1, ListCalls()) == (other, wanted)
    assert await ask.list_calls(1, ListCalls(number="%")) == ()


async def test_pages_of_calls_follow_one_another(ground: Ground) -> None:
    made = [a_call(ground) for _ in range(3)]
    await ground.records.commit(Changes(insert=made))
    ask = ground.records.queries
    assert await ask.list_calls(1, ListCalls(limit=2)) == (made[2], made[1])
    assert await ask.list_calls(1, ListCalls(cursor=made[1].id, limit=2)) == (made[0],)


async def test_calls_that_are_open_and_those_that_nobody_works(ground: Ground) -> None:
    silent = a_call(ground, seen_at=START - timedelta(seconds=11))
    worked = a_call(ground, seen_at=START - timedelta(seconds=10))
    over = a_call(ground, seen_at=START - timedelta(hours=1), over_at=START)
    foreign = a_call(ground, 2, seen_at=START - timedelta(hours=1))
    await ground.records.commit(Changes(insert=[silent, worked, over, foreign]))
    ask = ground.records.queries
    assert await ask.call_counts(CallLimits(1, START, at_once=1)) == CallCounts(at_once=2)
    before = START - timedelta(seconds=10)
    assert await ask.abandoned_calls(before, 9) == (silent, foreign)
    assert await ask.abandoned_calls(before, 1) == (silent,)


async def test_legs_of_calls_and_of_telephones(ground: Ground) -> None:
    def leg(**chosen: Any) -> Leg:
        usual = {"account_id": 1, "call_id": 5, "number": "33639980001", "ended_at": None}
        return sample(Leg, **{"id": ground.ids.new_id(), **usual, **chosen})

    made = [leg(), leg(call_id=6), leg(number="33639980002", ended_at=START), leg(account_id=2)]
    await ground.records.commit(Changes(insert=made))
    ask = ground.records.queries
    assert await ask.legs_of(1, [5, 6]) == (made[0], made[1], made[2])
    assert await ask.legs_of(1, [6]) == (made[1],)
    assert await ask.legs_of(1, []) == ()
    assert await ask.legs_of_number(1, "33639980001", 9) == (made[1], made[0])
    assert await ask.legs_of_number(1, "33639980001", 1) == (made[1],)
    assert await ask.open_legs(1, 9) == (made[0], made[1])
    assert await ask.open_legs(1, 1) == (made[0],)


# --- directory and inbound


async def test_an_account_by_name_guid_or_id(ground: Ground) -> None:
    account = ground.account(name="Café 😀")
    await ground.records.commit(Changes(insert=[account, ground.account()]))
    ask = ground.records.queries
    for name in (account.name, account.guid, str(account.id)):
        assert await ask.account_named(name) == account
    for name in ("", "café 😀", "²", "9" * 30, "-1", f" {account.id}", "%"):
        assert await ask.account_named(name) is None


async def test_numbers(ground: Ground) -> None:
    numbers = [sample(OwnNumber, n, number=f"3363998000{n}", account_id=1 + n % 2) for n in range(4)]
    await ground.records.commit(Changes(insert=numbers))
    ask = ground.records.queries
    assert await ask.owner_of_number("33639980002") == numbers[2]
    assert await ask.owner_of_number("3363998000_") is None
    assert await ask.numbers_between("33639980001", "33639980002") == ("33639980001", "33639980002")
    assert await ask.own_numbers(1) == (numbers[0], numbers[2])


async def test_subscriptions_in_force(ground: Ground) -> None:
    on = [sample(Subscription, n, account_id=n, disabled_at=None) for n in (1, 2, 3)]
    off = sample(Subscription, 4, account_id=1, disabled_at=START)
    await ground.records.commit(Changes(insert=[*on, off]))
    ask = ground.records.queries
    assert await ask.subscriptions_in_force(1) == (on[0],)
    assert await ask.subscriptions_in_force(9) == ()
    assert set(await ask.subscriptions(1)) == {on[0], off}


async def test_deliveries(ground: Ground) -> None:
    made = [ground.job(kind="deliver_notice", state=state, subject=7) for state in JobState]
    await ground.records.commit(Changes(enqueue=[*made, ground.job(subject=7)]))
    ask = ground.records.queries
    newest_first = tuple(reversed(made))
    assert await ask.deliveries(1, "", None, 9) == newest_first
    assert await ask.deliveries(1, "", made[2].id, 1) == (made[1],)
    for one in made:
        assert await ask.deliveries(1, str(one.state), None, 9) == (one,)
    assert await ask.notices_of(1, 7) == tuple(made)


async def test_telephones_by_activity(ground: Ground) -> None:
    handsets = [
        sample(Handset, n, account_id=1, number=str(n), active_at=START + timedelta(hours=n % 3))
        for n in range(6)
    ]
    items = [sample(HandsetItem, n, account_id=1, number=str(n % 2)) for n in range(6)]
    await ground.records.commit(Changes(insert=[*handsets, *items]))
    ask = ground.records.queries
    assert [one.number for one in await ask.handsets(1)] == ["5", "2", "4", "1", "3", "0"]
    assert await ask.handset_items(1, "1", 2) == (items[5], items[3])
    assert await ask.handset(1, "4") == handsets[4]


async def test_when_the_next_job_is_due(ground: Ground) -> None:
    ask = ground.records.queries
    assert await ask.next_job_at() is None
    waiting = ground.job(due_at=START + timedelta(hours=3))
    running = ground.job(state=JobState.RUNNING, due_at=START, claimed_until=START + timedelta(hours=2))
    done = ground.job(state=JobState.DONE, due_at=START)
    await ground.records.commit(Changes(enqueue=[waiting, done]))
    assert await ask.next_job_at() == waiting.due_at
    await ground.records.commit(Changes(enqueue=[running, changed(running, id=1, state=JobState.DEAD)]))
    assert await ask.next_job_at() == running.claimed_until


# --- conferences

CALL_IN = "33199000825"


def a_conference(ground: Ground, account_id: int = 1, **chosen: Any) -> Conference:
    usual = {
        "id": ground.ids.new_id(),
        "ref": ground.ids.new_ref(),
        "account_id": account_id,
        "number": CALL_IN,
        "access": AccessMode.ROOM_AND_CALLER,
        "state": ConferenceState.OPEN,
        "over_at": None,
    }
    return sample(Conference, **{**usual, **chosen})


async def test_telephones_that_conferences_have_rung_are_counted(ground: Ground) -> None:
    meeting = a_call(ground, kind=CallKind.CONFERENCE, over_at=None)
    other = a_call(ground, kind=CallKind.TWO_LEG, over_at=None)
    foreign = a_call(ground, 2, kind=CallKind.CONFERENCE, over_at=None)

    def leg(call: Call, **chosen: Any) -> Leg:
        usual = {"account_id": call.account_id, "call_id": call.id, "ended_at": None, "inbound": False}
        return sample(Leg, **{"id": ground.ids.new_id(), **usual, **chosen})

    legs = [leg(meeting), leg(meeting), leg(meeting, inbound=True), leg(meeting, ended_at=START)]
    await ground.records.commit(Changes(insert=[meeting, other, foreign, *legs, leg(other), leg(foreign)]))
    counts = ground.records.queries.call_counts
    assert await counts(CallLimits(1, START, at_once=1)) == CallCounts(at_once=1 + 2)
    assert await counts(CallLimits(2, START, at_once=1)) == CallCounts(at_once=1)
    assert await counts(CallLimits(1, START)) == CallCounts()


@pytest.mark.parametrize(
    ("bounds", "fits"),
    [({"at_once": 3}, 2), ({"at_line": 2, "line": "336"}, 2), ({"a_minute": 3, "a_day": 9}, 3)],
)
async def test_of_calls_that_come_at_one_moment_only_so_many_are_written_as_fit(
    ground: Ground, bounds: dict[str, Any], fits: int
) -> None:
    """Also where one of them is written already, and none for another account."""
    usual = {"kind": CallKind.TWO_LEG, "over_at": None, "is_virtual": False, "first": "336"}
    at = ground.clock.now()

    def placed(account_id: int) -> Changes:
        call = a_call(ground, account_id, **usual)
        return Changes(insert=[call], limits=[CallLimits(account_id, at, **bounds)])

    if "at_once" in bounds:
        await ground.records.commit(placed(1))
    together = [ground.records.commit(placed(1)) for _ in range(5)] + [ground.records.commit(placed(2))]
    answers = await asyncio.gather(*together, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Refusal)]
    assert len(refused) == 5 - fits
    assert {one.fault for one in refused} == {Fault.TOO_MANY_CALLS}
    assert not isinstance(answers[-1], Exception)


async def test_a_code_opens_the_newest_conference_that_has_it(ground: Ground) -> None:
    old = a_conference(ground, code="123456", over_at=START, state=ConferenceState.OVER)
    new = a_conference(ground, 2, code="123456")
    await ground.records.commit(Changes(insert=[old]))
    await ground.records.commit(Changes(insert=[new]))
    assert await ground.records.queries.conference_of_code(CALL_IN, "123456") == new
    assert await ground.records.queries.conference_of_code(CALL_IN, "123457") is None
    assert await ground.records.queries.conference_of_code("33199000826", "123456") is None


async def test_two_conferences_that_are_not_over_never_share_a_code(ground: Ground) -> None:
    await ground.records.commit(Changes(insert=[a_conference(ground, code="123456")]))
    with pytest.raises(Refusal) as refused:
        await ground.records.commit(Changes(insert=[a_conference(ground, 2, code="123456")]))
    assert refused.value.fault is Fault.ALREADY_EXISTS
    without = [a_conference(ground, code="", access=AccessMode.CALLER) for _ in range(2)]
    await ground.records.commit(Changes(insert=without))


@pytest.mark.parametrize(
    ("conference", "participant"),
    [
        ({"state": ConferenceState.OVER}, {}),
        ({"access": AccessMode.ROOM}, {}),
        ({"access": AccessMode.NONE}, {}),
        ({"number": "33199000826"}, {}),
        ({}, {"listed": False}),
        ({}, {"number": "33639980002"}),
        ({}, {"account_id": 2}),
    ],
)
async def test_who_is_not_recognised(
    ground: Ground, conference: dict[str, Any], participant: dict[str, Any]
) -> None:
    knows = a_conference(ground, code="1")
    not_so = a_conference(ground, **{"code": "2", **conference})

    def named(one: Conference, **chosen: Any) -> Participant:
        names = {"id": ground.ids.new_id(), "ref": ground.ids.new_ref(), "account_id": 1}
        usual = {"conference_id": one.id, "number": "33639980001", "listed": True}
        return sample(Participant, **{**names, **usual, **chosen})

    known, unknown = named(knows), named(not_so, **participant)
    await ground.records.commit(Changes(insert=[knows, not_so, known, unknown]))
    found = await ground.records.queries.conferences_knowing(CALL_IN, "33639980001", 9)
    assert found == ((knows, known),)
