"""Frequent questions are answered by an index: what is over costs nothing (ARCHITECTURE.md section 8)."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Engine, event

from chappe.model.announcements import FindAnnouncement
from chappe.model.changes import Advance, Changes, JobResult, Update
from chappe.model.commands import ListMessages
from chappe.model.directory import Account
from chappe.model.jobs import JobState
from chappe.model.ledger import EntryKind, LedgerMove
from chappe.model.limits import CallLimits
from chappe.model.messages import Message, MessageState
from chappe.store import hot
from tests.platform import START
from tests.store.ground import Ground, a_ground, sample

ASKED: dict[str, Callable[[Ground], Any]] = {
    "due": lambda g: g.records.queries.due_messages("sandbox", START, 9, ()),
    "due without": lambda g: g.records.queries.due_messages("sandbox", START, 9, (5, 6)),
    "scheduled": lambda g: g.records.queries.scheduled_messages(START, 9),
    "advertising": lambda g: g.records.queries.scheduled_advertising(1, "33612345678", 9),
    "expired": lambda g: g.records.queries.expired_messages(START, 9),
    "next due": lambda g: g.records.queries.next_due(),
    "next job": lambda g: g.records.queries.next_job_at(),
    "by carrier id": lambda g: g.records.queries.messages_by_carrier_id("sandbox", ["7", "8"]),
    "early": lambda g: g.records.queries.early_receipts("sandbox", ["7"]),
    "parts": lambda g: g.records.queries.parts_of_key("smpp", "k"),
    "parts of a message": lambda g: g.records.queries.parts_of_message(5),
    "old parts": lambda g: g.records.queries.keys_of_old_parts("smpp", START, 9),
    "session": lambda g: g.records.queries.session_owner("33612345678", "SHOP", START),
    "senders": lambda g: g.records.queries.recent_senders("33612345678", "", START),
    "list": lambda g: g.records.queries.list_messages(1, ListMessages()),
    "by ref": lambda g: g.records.queries.messages_by_ref(1, ["a", "b"]),
    "notices": lambda g: g.records.queries.notices_of(1, 5),
    "deliveries": lambda g: g.records.queries.deliveries(1, "", None, 9),
    "deliveries done": lambda g: g.records.queries.deliveries(1, "done", 5, 9),
    "jobs of a kind": lambda g: g.records.queries.jobs_of_kind(1, "deliver_smpp", 9),
    "exchanges": lambda g: g.records.queries.exchanges(1, 5, 9),
    "exchanges of jobs": lambda g: g.records.queries.exchanges_of_jobs(1, [5, 6]),
    "user by email": lambda g: g.records.queries.user_by_email("x@example.org"),
    "credential": lambda g: g.records.queries.credential_by_login("rest", "x"),
    "blacklisted": lambda g: g.records.queries.blacklisted(1, ["336"]),
    "keywords": lambda g: g.records.queries.keywords_of_code("36789"),
    "depths": lambda g: g.records.queries.queue_depths(START, 9),
    "queued": lambda g: g.records.queries.queued_messages("sandbox", (START, 5), 9),
    "movable": lambda g: g.records.queries.movable_messages("sandbox", (5, 6), 9),
    "scheduled ahead": lambda g: g.records.queries.scheduled_ahead((START, 5), 9),
    "scheduled in all": lambda g: g.records.queries.count_scheduled(9),
    "parked": lambda g: g.records.queries.parked_receipts(5, 9),
    "dead of all": lambda g: g.records.queries.dead_deliveries(None, 5, 9),
    "dead of one": lambda g: g.records.queries.dead_deliveries(1, 5, 9),
    "dead in all": lambda g: g.records.queries.count_dead(None, 9),
    "dead of one in all": lambda g: g.records.queries.count_dead(1, 9),
    "account names": lambda g: g.records.queries.account_names([1, 2]),
    "code of a conference": lambda g: g.records.queries.conference_of_code("33199000825", "123456"),
    "known caller": lambda g: g.records.queries.conferences_knowing("33199000825", "336", 9),
    "hours": lambda g: g.records.queries.hours_named(1, "shop"),
    "open conferences": lambda g: g.records.queries.open_conferences(1),
    "conference of a call": lambda g: g.records.queries.conference_of_call(1, 5),
    "participants": lambda g: g.records.queries.participants_of(1, 5),
    "open announcements": lambda g: g.records.queries.open_announcements(1),
    "recipients": lambda g: g.records.queries.recipients_of(1, 5, FindAnnouncement("x", "waiting", "336", 7)),
    "recipient of a call": lambda g: g.records.queries.recipient_of_call(1, 5),
    "due recipients": lambda g: g.records.queries.due_recipients(1, 5, START, 9),
    "next recipient": lambda g: g.records.queries.next_recipient_at(1, 5),
    "recipients in all": lambda g: g.records.queries.count_recipients(1, [5, 6]),
    "counts of calls": lambda g: g.records.queries.call_counts(
        CallLimits(1, START, 1, 1, "336", True, 1, 1, 1)
    ),
    "minutes": lambda g: g.records.queries.minutes(START),
    "claim": lambda g: g.records.claim_jobs(START, START, 5),
    "advance": lambda g: g.records.commit(Changes(advance=[Advance(5, MessageState.SENT, START)])),
    "reach": lambda g: g.records.commit(Changes(reach=[(1, "33612345678")])),
    "finish": lambda g: g.records.commit(
        Changes(finish=[JobResult(5, 1, JobState.DONE, "answered 200", done_at=START)])
    ),
    "credits": lambda g: g.records.commit(
        Changes(insert=[sample(Account, 1)], ledger=[LedgerMove(sample(Account, 1).id, 5, EntryKind.PAYMENT)])
    ),
    "update": lambda g: g.records.commit(Changes(update=[Update(Message, 0, None, {"attempts": 1})])),
}


# Indexes of open work alone, read to the limit of a count.
OPEN = ("SCAN messages USING INDEX ix_messages_scheduled", "SCAN jobs USING INDEX ix_jobs_dead")


# Where another index would do, and read all that an account has.
INDEX = {
    "deliveries": "ix_jobs_account_id_id",
    "deliveries done": "ix_jobs_account_id_id",
    "jobs of a kind": "ix_jobs_waiting_of",
    "exchanges of jobs": "ix_exchanges_job",
    "dead of one": "ix_jobs_dead_of",
    "dead of one in all": "ix_jobs_dead_of",
}


@pytest_asyncio.fixture
async def ground(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Ground]:
    copy(migrated_sqlite, tmp_path / "chappe.db")
    async with a_ground(str(tmp_path)) as made:
        message = made.message(1, MessageState.DELIVERED, id=0, carrier_ids="7")
        await made.records.commit(Changes(insert=[message]))
        yield made


@pytest.mark.parametrize("name", ASKED)
async def test_no_table_is_read_from_end_to_end(
    ground: Ground, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite, whose plans do not depend on how full the tables are."""
    seen: list[tuple[str, Any]] = []

    def note(_1: Any, _2: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "with", "update")):
            seen.append((statement, parameters))

    class Noting:
        """The driver of the statements that do without SQLAlchemy."""

        def __init__(self, driver: Any) -> None:
            self._driver = driver

        def execute(self, statement: str, parameters: Any = ()) -> Any:
            note(None, None, statement, tuple(parameters))
            return self._driver.execute(statement, parameters)

    driver_of = hot._driver
    monkeypatch.setattr(hot, "_driver", lambda connection: Noting(driver_of(connection)))
    event.listen(Engine, "before_cursor_execute", note)
    try:
        await ASKED[name](ground)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert seen
    for statement, parameters in seen:
        plan = await ground.database.read(
            lambda connection, s=statement, p=parameters: [
                row[3] for row in connection.exec_driver_sql(f"explain query plan {s}", p)
            ]
        )
        sets = ("SCAN due", "SCAN r", "SCAN CONSTANT ROW", "SCAN counted", *OPEN)
        whole = [step for step in plan if step.startswith("SCAN") and not step.startswith(sets)]
        assert whole == [], statement
        assert INDEX.get(name, "") in " ".join(plan), statement
        # A minimum "searched" without an index reads all rows.
        assert not [step for step in plan if step.startswith("SEARCH") and "USING" not in step], statement
