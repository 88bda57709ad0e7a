"""Group commit: every Changes that waits, in one transaction and one sync.

While one group is written the next collects; there is no timer and no batch size to set, and an idle
system commits a lone change at once (ARCHITECTURE.md 5.3).
"""

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from operator import attrgetter
from typing import Any

import structlog
from sqlalchemy import Connection, delete, false, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from chappe.model.changes import Advance, Changes, Committed, Delete, JobResult, Update
from chappe.model.directory import Account
from chappe.model.errors import Fault, Refusal
from chappe.model.jobs import Job
from chappe.model.ledger import Hold, LedgerEntry, LedgerMove, in_credits
from chappe.model.messages import MAY_FOLLOW, MessageState
from chappe.model.metrics import Metrics
from chappe.model.rules import HouseRule
from chappe.services.ports import Clock, Ids
from chappe.store.database import Database
from chappe.store.hot import (
    advance_many,
    blocked_many,
    finish_jobs,
    insert_many,
    kind_of_update,
    move_balances,
    savepoint,
    update_many,
)
from chappe.store.leases import check_fence
from chappe.store.limits import check_calls
from chappe.store.pressure import Pressure
from chappe.store.rights import spend, spent
from chappe.store.tables import TABLES, accounts
from chappe.store.trouble import first_line

_GROUP_LIMIT = 2_000
_LOOSE_WAITS = 0.05
"""Seconds that what nobody waits for may wait for a group to go with."""

_log = structlog.get_logger()
_Waiting = tuple[Changes, asyncio.Future[Committed]]

# A message may pass several states in one group; the earlier ones are written first.
_ORDER_OF_STATES = (
    MessageState.QUEUED,
    MessageState.SENDING,
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.EXPIRED,
    MessageState.FAILED,
    MessageState.CANCELLED,
    MessageState.SCHEDULED,
    MessageState.RECEIVED,
)

_id, _to, _account_id, _kind, _amount, _messages, _cap = map(
    attrgetter, ("id", "to", "account_id", "kind", "amount", "messages", "cap")
)

# What one member of a group may have brought about: a guard or a key that holds, a value that no column
# takes. `_verdict` sorts the database's own troubles out.
_REFUSALS = (
    Refusal,
    StatementError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


class GroupWriter:
    """Collects Changes and writes them in groups."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._waiting: list[_Waiting] = []
        self.pressure = Pressure()
        self._loose: dict[type, list[Any]] = defaultdict(list)
        self._task: asyncio.Task[None] | None = None
        self._soon: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many Changes wait for their group at this moment."""
        return len(self._waiting)

    async def commit(self, changes: Changes) -> Committed:
        """Write all or nothing; durable when it returns. Raises Refusal (see Changes)."""
        return await self._add(changes)

    def later(self, changes: Changes, *, soon: bool = False) -> asyncio.Future[Committed]:
        """Write with the next group, in a moment where there is none, or `soon`; nobody need wait."""
        written = self._add(changes, starts=soon)
        # A refused change of this kind is only history; asking for the exception keeps it quiet.
        written.add_done_callback(lambda done: done.cancelled() or done.exception())
        return written

    def note(self, record: object) -> None:
        """Insert a record (or write how a job went) with the next group, or in a moment when there is none;
        lost if the process dies before. For what nobody waits for."""
        self._loose[type(record)].append(record)
        self._start_in_a_moment()

    async def drain(self) -> None:
        """Until all that waits is written."""
        if self._loose or self._waiting:
            self._start()
        while self._task is not None:
            await asyncio.shield(self._task)

    def _add(self, changes: Changes, *, starts: bool = True) -> asyncio.Future[Committed]:
        future: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._waiting.append((changes, future))
        self.pressure.add(len(changes.insert))
        if starts:
            self._start()
        else:
            self._start_in_a_moment()
        return future

    def _start_in_a_moment(self) -> None:
        if self._task is None and self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_LOOSE_WAITS, self._start)

    def _start(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._task is None:
            self._task = asyncio.create_task(self._write_groups())

    async def _write_groups(self) -> None:
        try:
            while self._waiting or self._loose:
                group, self._waiting = self._waiting[:_GROUP_LIMIT], self._waiting[_GROUP_LIMIT:]
                loose, self._loose = self._loose, defaultdict(list)
                await self._write(group, loose)
        finally:
            self._task = None

    async def _write(self, group: list[_Waiting], loose: Mapping[type, list[Any]]) -> None:
        members = [changes for changes, _ in group]
        began = time.perf_counter()
        self.pressure.begin(sum(len(changes.insert) for changes in members))
        try:
            results = await self._database.write(lambda connection: self._apply(connection, members, loose))
        except BaseException as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            if isinstance(error, Exception):
                _log.warning("a group was not written", reason=first_line(error), changes=len(group))
                return
            raise
        finally:
            self.pressure.end()
        self._metrics.groups += 1
        self._metrics.changes += len(group)
        self._metrics.commit.observe(time.perf_counter() - began)
        for (_, future), result in zip(group, results, strict=True):
            if future.cancelled():
                continue
            if isinstance(result, Committed):
                future.set_result(result)
            else:
                future.set_exception(result)

    def _apply(
        self, connection: Connection, group: Sequence[Changes], loose: Mapping[type, Sequence[Any]]
    ) -> list[Committed | Exception]:
        """All members at once; when one of them cannot be written, each under its own savepoint, so
        that only the culprit is refused."""
        results: list[Committed | Exception] = []
        if group:
            try:
                with savepoint(connection):
                    results += self._together(connection, group)
            except Exception as error:  # noqa: BLE001 - of the group's members or of the database: sorted there
                results = [_verdict(error)]  # where there are others: somebody in the group; found below
                if len(group) > 1:
                    results = [self._alone(connection, changes) for changes in group]
        if loose:
            try:
                with savepoint(connection):
                    for record_type, records in loose.items():
                        if record_type is JobResult:
                            finish_jobs(connection, sorted(records, key=_id))
                        else:
                            insert_many(connection, record_type, records)
            except Exception as error:  # noqa: BLE001 - as above; nobody waits for these
                _log.info(
                    "records were not kept",
                    reason=str(_verdict(error))[:200],
                    records=sum(map(len, loose.values())),
                )
        return results

    def _alone(self, connection: Connection, changes: Changes) -> Committed | Exception:
        try:
            with savepoint(connection):
                return self._together(connection, [changes])[0]
        except Exception as error:  # noqa: BLE001 - as in `_apply`
            return _verdict(error)

    def _together(self, connection: Connection, group: Sequence[Changes]) -> list[Committed]:
        for fence in sorted({changes.fence for changes in group if changes.fence is not None}):
            check_fence(connection, fence)
        if reach := _all(group, "reach"):
            _check_reach(connection, reach)
        if limits := [one for one in _all(group, "limits") if one.is_bounded]:
            check_calls(connection, limits)
        _insert(connection, _all(group, "insert"))
        moves, jobs = _all(group, "ledger"), _all(group, "enqueue")
        moved: Collection[int] | None = None
        if steps := _all(group, "advance"):
            done = _advance(connection, steps)
            moves += _all(done, "ledger")
            jobs += _all(done, "enqueue")
            if len(done) < len(steps):
                moved = set(map(id, done))
        _update(connection, _all(group, "update"))
        # By id: two nodes that want the same rows then lock them in the same order.
        for removal in sorted(_all(group, "delete"), key=_id):
            _delete(connection, removal)
        if jobs:
            insert_many(connection, Job, jobs)
        if results := _all(group, "finish"):
            finish_jobs(connection, sorted(results, key=_id))
        holds = _all(group, "hold")
        balances = self._move_credits(connection, moves, holds) if moves or holds else {}
        return [_committed(changes, moved, balances) for changes in group]

    def _move_credits(
        self, connection: Connection, moves: Sequence[LedgerMove], holds: Sequence[Hold]
    ) -> dict[int, int]:
        """Balance and statement of each account; one line per account, kind and group, or one for each
        move that has a reference."""
        by_account: dict[int, list[LedgerMove]] = defaultdict(list)
        if len(set(map(_account_id, moves))) == 1:
            by_account[moves[0].account_id] += moves
        else:
            for move in moves:
                by_account[move.account_id].append(move)
        held: dict[int, list[Hold]] = defaultdict(list)
        for hold in holds:
            held[hold.account_id].append(hold)
            by_account[hold.account_id] += ()
        lines = {account_id: _lines(by_account[account_id]) for account_id in sorted(by_account)}
        totals = {account_id: sum(line.amount for line in lines[account_id]) for account_id in lines}
        balances = move_balances(
            connection,
            [
                # Credits that come in with the same group do not excuse what goes out from being guarded.
                (
                    account_id,
                    total,
                    sum(hold.amount for hold in held[account_id]),
                    min(map(_amount, by_account[account_id]), default=0) < 0
                    or any(hold.amount > 0 for hold in held[account_id]),
                )
                for account_id, total in totals.items()
            ],
        )
        for account_id, account_holds in sorted(held.items()):
            if any(map(_cap, account_holds)):
                _check_room(connection, account_id, account_holds, self._clock.now())
        for account_id, account_moves in sorted(by_account.items()):
            if any(map(_cap, account_moves)):
                _check_cap(connection, account_id, account_moves, self._clock.now())
        entries: list[LedgerEntry] = []
        for account_id, total in totals.items():
            if account_id not in balances:
                wanted = sum(hold.amount for hold in held[account_id]) - total
                raise _too_poor(connection, account_id, wanted)
            running = balances[account_id] - total
            for line in lines[account_id]:
                running += line.amount
                ours, theirs = f"account:{account_id}", f"platform:{line.kind}"
                entries.append(
                    LedgerEntry(
                        id=self._ids.new_id(),
                        account_id=account_id,
                        at=self._clock.now(),
                        kind=line.kind,
                        debit=ours if line.amount < 0 else theirs,
                        credit=theirs if line.amount < 0 else ours,
                        amount=abs(line.amount),
                        balance=running,
                        messages=line.messages,
                        reference=line.reference,
                    )
                )
        if entries:
            insert_many(connection, LedgerEntry, entries)
        return balances


def _all(parts: Iterable[object], field: str) -> list[Any]:
    """What stands in one field of all, in its order."""
    return list(chain.from_iterable(map(attrgetter(field), parts)))


def _insert(connection: Connection, records: Sequence[object]) -> None:
    types = dict.fromkeys(map(type, records))
    for record_type in types:
        alike = records if len(types) == 1 else [one for one in records if type(one) is record_type]
        insert_many(connection, record_type, alike)


def _check_reach(connection: Connection, reach: Sequence[tuple[int, str]]) -> None:
    for _, number in blocked_many(connection, reach):
        raise Refusal(Fault.BLACKLISTED, f"{number} has sent STOP or was blocked by this account", "to")


def _committed(changes: Changes, moved: Collection[int] | None, balances: Mapping[int, int]) -> Committed:
    """`moved` has the steps that happened, by `id()`; None: all did."""
    moves = changes.ledger
    if not changes.advance:
        if not moves:
            return _NOTHING_MOVED
        return Committed(_NOTHING_MOVED.advanced, {one: balances[one] for one in map(_account_id, moves)})
    done = changes.advance if moved is None else [step for step in changes.advance if id(step) in moved]
    moves = [*moves, *_all(done, "ledger")]
    return Committed(frozenset(map(_id, done)), {one: balances[one] for one in map(_account_id, moves)})


_NOTHING_MOVED = Committed()


def _advance(connection: Connection, steps: Sequence[Advance]) -> list[Advance]:
    """The steps that really happened; a step asked twice happens once."""
    by_state: dict[MessageState, Mapping[int, Advance]] = {}
    states = set(map(_to, steps))
    for state in states:
        alike = steps if len(states) == 1 else [step for step in steps if step.to is state]
        by_state[state] = dict(zip(map(_id, alike), alike, strict=True))
        if len(by_state[state]) < len(alike):
            by_state[state] = _first_of_each(alike)
    happened: list[Advance] = []
    for state in sorted(by_state, key=_ORDER_OF_STATES.index):
        wanted = by_state[state]
        in_order = [wanted[message_id] for message_id in sorted(wanted)]
        done = advance_many(connection, state, in_order) if MAY_FOLLOW[state] else set()
        if len(done) == len(wanted):
            happened += wanted.values()
            continue
        for step in wanted.values():
            if step.id in done:
                happened.append(step)
            elif step.required:
                raise Refusal(Fault.TOO_LATE, f"message {step.id} can no longer become {step.to}")
    return happened


def _first_of_each(steps: Iterable[Advance]) -> Mapping[int, Advance]:
    first: dict[int, Advance] = {}
    for step in steps:
        if step.id not in first:
            first[step.id] = step
        # Of two askers who are not the same owner the statement could serve only one: alone each is judged.
        elif step.required or step.account_id != first[step.id].account_id:
            raise Refusal(Fault.TOO_LATE, f"message {step.id} is becoming {step.to} by another request")
    return first


def _lines(moves: Sequence[LedgerMove]) -> list[LedgerMove]:
    if not moves:
        return []
    joined: list[LedgerMove] = []
    single = [move for move in moves if move.reference is not None]
    summed = [move for move in moves if move.reference is None] if single else moves
    kinds = dict.fromkeys(map(_kind, summed))
    for kind in kinds:
        alike = summed if len(kinds) == 1 else [move for move in summed if move.kind is kind]
        amount, count = sum(map(_amount, alike)), sum(map(_messages, alike))
        joined.append(LedgerMove(moves[0].account_id, amount, kind, None, count))
    # What comes in stands first, so that no line of the statement shows a balance below zero.
    return sorted(joined + single, key=lambda line: line.amount < 0)


def _too_poor(connection: Connection, account_id: int, price: int) -> Refusal:
    row = connection.execute(
        select(accounts.c.balance, accounts.c.reserved).where(accounts.c.id == account_id)
    ).first()
    if row is None:
        return Refusal(Fault.NOT_FOUND, f"account {account_id} does not exist")
    return Refusal(
        Fault.INSUFFICIENT_CREDITS,
        f"this costs {in_credits(price)} credits and {in_credits(row.balance - row.reserved)} are left;"
        " buy credits or send to fewer recipients",
    )


def _check_cap(connection: Connection, account_id: int, moves: Sequence[LedgerMove], now: datetime) -> None:
    """Count what a group spends against the account's cap of the day, whose row `move_balances` locked."""
    capped = [move for move in moves if move.cap]
    cap, price = min(move.cap for move in capped), -sum(move.amount for move in capped)
    day = now.astimezone(UTC).date()
    met = spend(connection, account_id, day.isoformat(), price, cap)
    if met is not None:
        raise _over_cap(price, met, cap, day)


def _over_cap(price: int, already: int, cap: int, day: date) -> Refusal:
    return Refusal(
        Fault.INSUFFICIENT_CREDITS,
        f"this costs {in_credits(price)} credits, and {in_credits(already)} of the {in_credits(cap)} that"
        f" the account may spend on {day} are spent (rule {HouseRule.CAP}); wait until 00:00 UTC or ask"
        " the operator of this platform for a higher cap",
        rule=HouseRule.CAP,
    )


def _check_room(connection: Connection, account_id: int, holds: Sequence[Hold], now: datetime) -> None:
    """Refuse what would pass the account's cap of the day if all that is reserved now was spent."""
    capped = [hold for hold in holds if hold.cap]
    cap, wanted = min(hold.cap for hold in capped), sum(hold.amount for hold in capped)
    day = now.astimezone(UTC).date()
    already = spent(connection, account_id, day.isoformat())
    reserved = (
        connection.execute(select(accounts.c.reserved).where(accounts.c.id == account_id)).scalar() or 0
    )
    if already + reserved > cap:
        raise _over_cap(wanted, already + reserved - wanted, cap, day)


def _update(connection: Connection, updates: Sequence[Update]) -> None:
    """All of one kind in one statement; what is changed twice is changed in its order."""
    rounds: list[dict[tuple[object, ...], list[Update]]] = []
    times: dict[tuple[type, int], int] = {}
    for change in updates:
        row = change.record, change.id
        times[row] = time = times.get(row, -1) + 1
        if time == len(rounds):
            rounds.append(defaultdict(list))
        rounds[time][kind_of_update(change)].append(change)
    for kinds in rounds:
        for alike in kinds.values():
            done = update_many(connection, sorted(alike, key=_id))
            for change in alike:
                if change.id not in done:
                    raise _not_updated(connection, change)


def _not_updated(connection: Connection, change: Update) -> Refusal:
    name, table = change.record.__name__, TABLES[change.record]
    if connection.execute(select(table.c.id).where(*_owned(change))).first() is None:
        return Refusal(Fault.NOT_FOUND, f"{name} {change.id} does not exist")
    return Refusal(Fault.TOO_LATE, f"{name} {change.id} has changed meanwhile")


def _owned(change: Update | Delete) -> list[Any]:
    table = TABLES[change.record]
    conditions = [table.c.id == change.id]
    if change.account_id is not None:
        # An account owns itself; records that name no account are the platform's and no account's.
        owner = table.c.id if change.record is Account else table.c.get("account_id")
        conditions.append(false() if owner is None else owner == change.account_id)
    return conditions


def _delete(connection: Connection, removal: Delete) -> None:
    if connection.execute(delete(TABLES[removal.record]).where(*_owned(removal))).rowcount != 1:
        raise Refusal(Fault.NOT_FOUND, f"{removal.record.__name__} {removal.id} does not exist")


def _verdict(error: Exception) -> Exception:
    """What a member is told; raises what is the database's trouble and not the member's."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    # Class 22 is "data exception", 23 "integrity constraint violation" (PostgreSQL, appendix A).
    state = str(getattr(cause, "sqlstate", None) or "")
    name = str(getattr(cause, "sqlite_errorname", None) or "")
    if state == "23505" or name in _DUPLICATES:
        refusal = Refusal(Fault.ALREADY_EXISTS, "there is one with the same name or number already")
        refusal.__cause__ = error
        return refusal
    if state.startswith(("22", "23")) or name.startswith("SQLITE_CONSTRAINT"):
        return error
    if isinstance(error, (IntegrityError, DataError)):
        return error
    if state or name or isinstance(error, DBAPIError) or not isinstance(error, _REFUSALS):
        raise error
    return error


_DUPLICATES = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
