"""The store as services see it: group commit, bound queries, the claim of jobs, retention."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import Connection, bindparam, delete, select, text, update

from chappe.model.announcements import Announcement
from chappe.model.calls import Dialogue
from chappe.model.carriers import Lease
from chappe.model.changes import Changes, Committed
from chappe.model.directory import HandsetItem, Line, OwnNumber, ShortCode, Subscription
from chappe.model.errors import Unavailable
from chappe.model.history import Exchange, StoredOutcome
from chappe.model.jobs import IN_ORDER, Job, JobState
from chappe.model.ledger import Route, Tariff
from chappe.model.messages import EarlyReceipt, Message, Part
from chappe.model.metrics import Metrics, Minute
from chappe.model.openinghours import OpeningHours
from chappe.services.ports import Clock, Ids, Queries
from chappe.store import (
    announcements,
    callbacks,
    calls,
    conferences,
    contacts,
    counting,
    leases,
    limits,
    network,
    openinghours,
    queries,
    rights,
    seeds,
    sounds,
)
from chappe.store.database import Database
from chappe.store.tables import TABLES, Utc
from chappe.store.trouble import FULL
from chappe.store.writer import GroupWriter

_log = structlog.get_logger()

_RETENTION = {
    Exchange: timedelta(days=30),
    EarlyReceipt: timedelta(hours=72),
    Part: timedelta(days=30),
    StoredOutcome: timedelta(hours=72),
    HandsetItem: timedelta(days=30),
    Minute: timedelta(days=2),
    Dialogue: timedelta(days=30),
}
_BODIES = timedelta(days=30)
_FINISHED_JOBS = timedelta(days=30)


# What every message or call asks and almost nobody changes. Other nodes' changes are told over a topic; where
# that is lost, they are seen when the memory ends.
_REMEMBERED: Mapping[str, type] = {
    "subscriptions_in_force": Subscription,
    "own_numbers": OwnNumber,
    "hours_named": OpeningHours,
    "lines": Line,
    "telephone_numbers": Line,
}
_REMEMBERED_FOR = timedelta(seconds=2)
_MOST_REMEMBERED = 10_000
_FORGOTTEN_BY = frozenset(_REMEMBERED.values())


_OF_CALLS = (calls, limits, sounds, conferences, callbacks, announcements)
_QUESTIONS = (queries, network, rights, openinghours, *_OF_CALLS)


_Asked = tuple[str, tuple[Any, ...]]
_Answers = dict[_Asked, tuple[datetime, Any, asyncio.Future[Any] | None]]
"""Until when each holds, and the answer, or where it will come from."""


class BoundQueries:
    """Every function of the modules of questions as a coroutine without its connection;
    a few answers are remembered for two seconds, or until this process changes what they are about."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._answers: dict[type, _Answers] = {record: {} for record in _FORGOTTEN_BY}

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        function = next(found for one in _QUESTIONS if (found := getattr(one, name, None)) is not None)

        async def ask(*args: Any, **kwargs: Any) -> Any:
            return await self._database.read(lambda connection: function(connection, *args, **kwargs))

        async def remember(*args: Any, **named: Any) -> Any:
            if named:
                args += tuple(named.values())
            known = self._answers[record].get((name, args))
            now = self._clock.now()
            if known is not None and now < known[0]:
                return known[1] if known[2] is None else await asyncio.shield(known[2])
            return await self._learn(self._answers[record], (name, args), now, ask(*args))

        record = _REMEMBERED.get(name, object)
        self.__dict__[name] = remember if name in _REMEMBERED else ask
        return cast(Callable[..., Awaitable[Any]], self.__dict__[name])

    async def _learn(
        self, answers: _Answers, asked: _Asked, now: datetime, asking: Coroutine[Any, Any, Any]
    ) -> Any:
        """Ask, and remember the answer; who asks meanwhile waits for the same one.

        Where somebody changes what it is about, this memory is thrown away with the answer on its way.
        """
        if len(answers) >= _MOST_REMEMBERED:
            answers.clear()
        until, answer = now + _REMEMBERED_FOR, asyncio.ensure_future(asking)

        def told(answer: asyncio.Future[Any]) -> None:
            if answer.cancelled() or answer.exception() is not None:
                answers.pop(asked, None)
            else:
                answers[asked] = (until, answer.result(), None)

        answer.add_done_callback(told)
        answers[asked] = (until, None, answer)
        return await asyncio.shield(answer)

    def forget(self, record: type) -> None:
        """Records of this type have changed."""
        self._answers[record] = {}


class Records:
    """Durable records in one database."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, metrics: Metrics, node: str = "") -> None:
        self._database = database
        self._node = node
        self._writer = GroupWriter(database, clock, ids, metrics)
        self.shared = database.shared
        self._bound = BoundQueries(database, clock)
        self.queries = cast(Queries, self._bound)
        self._full = False
        self._tell: Callable[[], None] = lambda: None

    def tell_of_changes(self, tell: Callable[[], None]) -> None:
        """Call this when something has changed that other nodes may remember."""
        self._tell = tell

    def forget_remembered(self) -> None:
        """See services/ports.py."""
        for record in _FORGOTTEN_BY:
            self._bound.forget(record)

    async def commit(self, changes: Changes) -> Committed:
        """See services/ports.py."""
        committed = await self._writer.commit(changes)
        if not changes.update and not changes.delete and _FORGOTTEN_BY.isdisjoint(map(type, changes.insert)):
            return committed
        touched = {type(one) for one in changes.insert}
        touched.update(one.record for one in changes.update)
        touched.update(one.record for one in changes.delete)
        if forgotten := touched & _FORGOTTEN_BY:
            for record in forgotten:
                self._bound.forget(record)
            self._tell()
        return committed

    def later(self, changes: Changes, *, soon: bool = False) -> asyncio.Future[Committed]:
        """See services/ports.py."""
        return self._writer.later(changes, soon=soon)

    async def written(self) -> None:
        """See services/ports.py."""
        await self._writer.drain()

    def note(self, record: object) -> None:
        """See services/ports.py."""
        self._writer.note(record)

    def admit(self) -> None:
        """See services/ports.py."""
        if self._full:
            raise Unavailable(FULL)
        self._writer.pressure.admit()

    def heed_pressure(self, hold: Callable[[], None], let_go: Callable[[], None]) -> None:
        """See services/ports.py."""
        self._writer.pressure.heed(hold, let_go)

    async def answers(self) -> None:
        """See services/ports.py."""
        await self._database.read(lambda connection: connection.execute(text("select 1")))

    def look_at_disk(self, least: int) -> None:
        """See services/ports.py."""
        free = self._database.free_bytes()
        full = free is not None and free < least
        if full != self._full:
            _log.warning("the disk is full" if full else "the disk has room again", free=free, least=least)
        self._full = full

    async def claim_jobs(self, now: datetime, until: datetime, limit: int) -> tuple[Job, ...]:
        """See services/ports.py."""
        return await self._database.write(
            lambda connection: _claim(connection, self._node, now, until, limit)
        )

    async def gather_contacts(self, now: datetime) -> int:
        """See services/ports.py."""
        return await contacts.gather_contacts(self._database, now)

    async def forget_contacts(self, now: datetime) -> int:
        """See services/ports.py."""
        return await contacts.forget_contacts(self._database, now)

    async def keep_claims(self, job_ids: Sequence[int], until: datetime) -> None:
        """See services/ports.py."""
        jobs = TABLES[Job]
        running = jobs.c.id.in_(job_ids) & (jobs.c.state == JobState.RUNNING)
        kept = update(jobs).where(running).values(claimed_until=until)
        await self._database.write(lambda connection: connection.execute(kept))

    async def end_claims(self, now: datetime) -> None:
        """Free what earlier processes were doing: for the one server of a database, when it starts."""
        jobs = TABLES[Job]
        freed = update(jobs).where(jobs.c.state == JobState.RUNNING).values(claimed_until=now)
        await self._database.write(lambda connection: connection.execute(freed))

    async def ended_nodes(self) -> frozenset[str]:
        """See services/ports.py."""
        return await self._database.read(leases.ended_nodes)

    async def free_claims(self, node: str) -> None:
        """See services/ports.py."""
        await self._database.write(lambda connection: _free_claims(connection, node))

    async def forget(self, now: datetime, limit: int) -> int:
        """See services/ports.py."""
        return await self._database.write(lambda connection: _forget(connection, now, limit))

    async def hold_leases(self, names: Sequence[str], holder: str, seconds: float) -> tuple[Lease, ...]:
        """See services/ports.py."""
        return await self._database.write(lambda connection: leases.hold(connection, names, holder, seconds))

    async def leave_leases(self, holder: str) -> None:
        """See services/ports.py."""
        await self._database.write(lambda connection: leases.leave(connection, holder))

    async def count_up(self, name: str) -> int:
        """See services/ports.py."""
        return await self._database.write(lambda connection: counting.count_up(connection, name))

    async def take_turn(self, account_id: int, group_id: int) -> int | None:
        """See services/ports.py."""
        return await self._database.write(
            lambda connection: counting.take_turn(connection, account_id, group_id)
        )

    async def adopt(self, records: Sequence[ShortCode | Route | Tariff]) -> None:
        """See services/ports.py."""
        await self._database.write(lambda connection: seeds.adopt(connection, records))

    async def close(self) -> None:
        """Write what waits, then let the database go."""
        await self._writer.drain()
        await self._database.close()


_CLAIM = (
    # The choice stands apart as a common table expression: PostgreSQL may otherwise run a limited choice
    # more than once and claim more than was asked (ARCHITECTURE.md section 8).
    "with due as {fence} ("
    " select id from jobs where ((state = 'waiting' and due_at <= :now)"
    " or (state = 'running' and claimed_until <= :now))"
    # What happens to a call or a callback is told in its order: not before all that came before it was told
    # to the same target, or given up.
    " and (kind not in {in_order} or not exists (select 1 from jobs as before"
    " where before.subject = jobs.subject and before.kind = jobs.kind and before.id < jobs.id"
    " and before.payload ->> 'target_id' = jobs.payload ->> 'target_id'"
    " and before.state in ('waiting', 'running')))"
    " order by due_at, id limit :limit {lock})"
    " update jobs set state = 'running', claimed_until = :until, claimed_by = :node, attempts = attempts + 1"
    " where id in (select id from due) returning id"
)


def _claim(connection: Connection, node: str, now: datetime, until: datetime, limit: int) -> tuple[Job, ...]:
    several_writers = connection.dialect.name == "postgresql"
    statement = text(
        _CLAIM.format(
            lock="for update skip locked" if several_writers else "",
            fence="materialized" if several_writers else "",
            in_order=IN_ORDER,
        )
    ).bindparams(bindparam("now", type_=Utc()), bindparam("until", type_=Utc()))
    ids = list(
        connection.execute(statement, {"now": now, "until": until, "node": node, "limit": limit}).scalars()
    )
    if not ids:
        return ()
    table = TABLES[Job]
    rows = connection.execute(
        select(*table.columns).where(table.c.id.in_(ids)).order_by(table.c.due_at, table.c.id)
    )
    return tuple(Job(*row) for row in rows)


def _free_claims(connection: Connection, node: str) -> None:
    if leases.forget_node(connection, node):
        jobs = TABLES[Job]
        its = (jobs.c.state == JobState.RUNNING) & (jobs.c.claimed_by == node)
        connection.execute(
            update(jobs).where(its).values(state=JobState.WAITING, claimed_until=None, claimed_by=None)
        )


def _forget(connection: Connection, now: datetime, limit: int) -> int:
    forgotten = 0
    for record, age in _RETENTION.items():
        table = TABLES[record]
        time = table.c.created_at if "created_at" in table.c else table.c.at
        old = select(table.c.id).where(time < now - age).order_by(table.c.id).limit(limit)
        forgotten += connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
    jobs = TABLES[Job]
    old = (
        select(jobs.c.id)
        .where(jobs.c.state.in_((JobState.DONE, JobState.DEAD)), jobs.c.created_at < now - _FINISHED_JOBS)
        .limit(limit)
    )
    forgotten += connection.execute(delete(jobs).where(jobs.c.id.in_(old))).rowcount
    messages = TABLES[Message]
    old = (
        select(messages.c.id)
        .where(messages.c.created_at < now - _BODIES, messages.c.text != "")
        .where(messages.c.finished_at.is_not(None))
        .limit(limit)
    )
    bodies = update(messages).where(messages.c.id.in_(old)).values(text="")
    forgotten += connection.execute(bodies).rowcount
    told = TABLES[Announcement]
    old = select(told.c.id).where(told.c.over_at < now - _BODIES, told.c.text != "").limit(limit)
    spoken = update(told).where(told.c.id.in_(old)).values(text="")
    return forgotten + connection.execute(spoken).rowcount
