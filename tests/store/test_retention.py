"""What is older than its retention is erased, each kind at its border, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from chappe.model.announcements import Announcement
from chappe.model.changes import Changes
from chappe.model.history import Exchange, StoredOutcome
from chappe.model.jobs import Job, JobState
from chappe.model.messages import Direction, EarlyReceipt, Message, MessageState
from chappe.store.tables import contacts
from tests.store.ground import Ground, sample

AN_INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("kind", "time", "days"),
    [(Exchange, "at", 30), (EarlyReceipt, "at", 3), (StoredOutcome, "created_at", 3)],
)
async def test_a_record_goes_after_its_time(ground: Ground, kind: type, time: str, days: int) -> None:
    now = ground.clock.now()
    old = sample(kind, 1, **{time: now - timedelta(days=days) - AN_INSTANT})
    kept = sample(kind, 2, **{time: now - timedelta(days=days)})
    await ground.records.commit(Changes(insert=[old, kept]))
    assert await ground.records.forget(now, 10) == 1
    assert await ground.all(kind) == [kept]
    assert await ground.records.forget(now, 10) == 0


async def test_only_finished_jobs_go(ground: Ground) -> None:
    now = ground.clock.now()
    old = now - timedelta(days=30) - AN_INSTANT
    jobs = [ground.job(state=state, created_at=at) for state in JobState for at in (old, old + AN_INSTANT)]
    await ground.records.commit(Changes(enqueue=jobs))
    assert await ground.records.forget(now, 10) == 2
    left = [job for job in jobs if job.created_at > old or job.state in (JobState.WAITING, JobState.RUNNING)]
    assert await ground.all(Job) == left


async def test_the_words_of_a_message_go_and_the_message_stays(ground: Ground) -> None:
    now = ground.clock.now()
    old = now - timedelta(days=30) - AN_INSTANT

    def message(**chosen: Any) -> Message:
        return ground.message(1, **{"created_at": old, "finished_at": old, **chosen})

    over = [
        message(state=MessageState.DELIVERED),
        message(state=MessageState.RECEIVED, direction=Direction.MO),
    ]
    kept = [
        message(state=MessageState.SENT, finished_at=None),
        message(state=MessageState.SCHEDULED, finished_at=None),
        message(state=MessageState.DELIVERED, created_at=old + AN_INSTANT),
    ]
    await ground.records.commit(Changes(insert=over + kept))
    assert await ground.records.forget(now, 10) == 2
    assert await ground.all(Message) == [one._replace(text="") for one in over] + kept
    assert await ground.records.forget(now, 10) == 0


async def test_the_words_of_an_announcement_go_and_the_announcement_stays(ground: Ground) -> None:
    now = ground.clock.now()
    old = now - timedelta(days=30)
    over = sample(Announcement, 1, text="Bonjour", over_at=old - AN_INSTANT)
    kept = [sample(Announcement, 2, text="a", over_at=old), sample(Announcement, 3, text="b", over_at=None)]
    await ground.records.commit(Changes(insert=[over, *kept]))
    assert await ground.records.forget(now, 10) == 1
    assert await ground.all(Announcement) == [replace(over, text=""), *kept]
    assert await ground.records.forget(now, 10) == 0


async def test_each_kind_has_the_limit_of_its_own(ground: Ground) -> None:
    now = ground.clock.now()
    old = now - timedelta(days=100)
    await ground.records.commit(
        Changes(
            insert=[
                *[sample(Exchange, n, at=old) for n in range(5)],
                *[sample(EarlyReceipt, n, at=old) for n in range(5)],
                *[sample(StoredOutcome, n, created_at=old) for n in range(5)],
                *[ground.message(1, created_at=old, finished_at=old) for _ in range(5)],
            ],
            enqueue=[ground.job(state=JobState.DONE, created_at=old) for _ in range(5)],
        )
    )
    assert [await ground.records.forget(now, 2) for _ in range(4)] == [10, 10, 5, 0]
    assert await ground.count(Message) == 5
    assert [one.text for one in await ground.all(Message)] == [""] * 5


async def test_contacts_go_after_their_last_message(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chappe.store.contacts._LOOKED_AT", 3)
    now = ground.clock.now()
    border = now - timedelta(days=90)

    async def write(peer: int, at: datetime) -> None:
        row = {"peer": f"336{peer}", "address": "", "account_id": 1, "message_id": 1, "at": at}
        await ground.database.write(lambda connection: connection.execute(insert(contacts).values(row)))

    for peer in range(10):
        await write(peer, border - AN_INSTANT if peer % 2 else border)
    assert await ground.records.forget_contacts(now) == 5
    left = await ground.database.read(lambda c: sorted(c.execute(select(contacts.c.peer)).scalars()))
    assert left == [f"336{peer}" for peer in range(0, 10, 2)]
    assert await ground.records.forget_contacts(now) == 0
