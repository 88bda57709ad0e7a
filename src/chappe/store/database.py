"""The two databases behind one pair of words: read with a function, write with a function.

Both run plain synchronous functions on an SQLAlchemy connection, so a query or a write is written once:
on SQLite in threads (one writer, a few readers), on PostgreSQL inside asyncpg's event loop.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from chappe.model.errors import Refusal
from chappe.store.tables import json_text
from chappe.store.threads import Threads
from chappe.store.trouble import is_failed_sync, outcome_unknown, unavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
Work = Callable[[Connection], T]

_TRIES = 5
_PAUSE = 0.2
_DEADLOCK = "40P01"
_PATIENCE = 30.0
"""Seconds in which a connection to PostgreSQL answers a statement, or is given up (our choice): a connection
may go silent without an end, where a machine between is gone."""

_READERS = 2


class Database(Protocol):
    """Where the records are."""

    shared: bool
    """Whether several servers may work on it."""

    @property
    def trouble(self) -> tuple[type[Exception], ...]:
        """What the driver raises by itself when it cannot connect."""
        ...

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a reading connection. Raises Unavailable."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction and return when it is durable. Raises Unavailable; then nothing is
        written, unless it says that it does not know."""
        ...

    async def rebuild(self, work: Work[T]) -> T:
        """Like `write`, for work that may take as long as it wants: changes of tables."""
        ...

    async def hold(self, failed: Callable[[Exception], None]) -> None:
        """Be a server of this database until close or the end of the process; the only one where it is
        not shared, else DatabaseUnusable is raised: two would hand the same message to a network twice.
        `failed` is called when nobody knows any more what is on the disk: nothing may be written then."""
        ...

    def free_bytes(self) -> int | None:
        """Room for more; None where only the database's own machine knows."""
        ...

    async def close(self) -> None: ...


class DatabaseUnusable(Exception):
    """The database cannot be opened or is another server's; the message says why, for the operator."""


_TAKEN = (
    "another server works on this database; stop it first, or use PostgreSQL, which several servers can share"
)


def open_database(address: str) -> Database:
    """A database by its address: a folder (SQLite file `chappe.db` in it), or `postgresql://...`."""
    if address.startswith(("postgresql://", "postgres://")):
        return PostgresDatabase("postgresql+asyncpg://" + address.split("://", 1)[1])
    folder = Path(address.removeprefix("sqlite:///"))
    if folder.suffix == ".db":
        folder.parent.mkdir(parents=True, exist_ok=True)
        return SqliteDatabase(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return SqliteDatabase(folder / "chappe.db")


def sqlite_engine(path: Path, *, writer: bool) -> Engine:
    """An engine on one SQLite file: write-ahead log, a sync on every commit. Whoever has the writer's begins
    transactions himself."""
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=1 if writer else _READERS,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 30.0, "cached_statements": 512},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma busy_timeout = 30000")
        # Little and often: copying 32 MB at once holds a group up for a tenth of a second.
        connection.execute("pragma wal_autocheckpoint = 1000")
        connection.execute("pragma cache_size = -16000")
        # SQLite's own lower() knows no letter beyond z; a search for "été" must find "ÉTÉ" as on PostgreSQL.
        connection.create_function("lower", 1, _lower, deterministic=True)
        if not writer:
            connection.execute("pragma query_only = on")

    if not writer:

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("begin")

    return engine


_Asked = tuple[Work[Any], asyncio.Future[Any]]


def _lower(value: str | None) -> str | None:
    return None if value is None else value.lower()


class SqliteDatabase:
    """One file, one writer thread, two reader threads.

    Reads that wait together run together: one hop to a thread and one transaction for all of them, because
    hops, not statements, are what costs. Two threads, so that a long search does not hold up short ones.
    """

    shared = False
    trouble: tuple[type[Exception], ...] = ()

    def __init__(self, path: Path) -> None:
        # Texts of messages are nobody's business on the machine: the owner's alone, also the log beside it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path = path
        self._lock: int | None = None
        self._writer = sqlite_engine(path, writer=True)
        self._reader = sqlite_engine(path, writer=False)
        self._writing = Threads("store-writer")
        self._reading = Threads("store-reader", _READERS)
        self._connection: Connection | None = None  # the writer's
        self._failed: Callable[[Exception], None] | None = None
        self._asked: list[_Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_work = 0

    async def read(self, work: Work[T]) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.append((work, future))
        if self._at_work < _READERS:
            # Counted here and in the task itself: the set forgets a task only a turn after its end, and
            # what is asked in that turn would wait for the next asker.
            self._at_work += 1
            task = asyncio.create_task(self._read_groups())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _read_groups(self) -> None:
        try:
            while self._asked:
                group, self._asked = self._asked, []
                work = [work for work, _ in group]
                try:
                    answers = await self._reading.do(partial(self._answer, work))
                except SQLAlchemyError as error:
                    answers = [(None, error)] * len(group)
                for (_, future), (value, failure) in zip(group, answers, strict=True):
                    if future.cancelled():
                        continue
                    if failure is None:
                        future.set_result(value)
                    else:
                        future.set_exception(_told(failure))
        finally:
            self._at_work -= 1

    def _answer(self, group: Sequence[Work[Any]]) -> list[tuple[Any, Exception | None]]:
        answers: list[tuple[Any, Exception | None]] = []
        with self._reader.connect() as connection:
            for work in group:
                try:
                    answers.append((work(connection), None))
                except Exception as failure:  # noqa: BLE001 - it is the asker's, and raised there
                    answers.append((None, failure))
        return answers

    async def write(self, work: Work[T]) -> T:
        try:
            return await self._writing.do(lambda: self._in_transaction(work))
        except Exception as error:
            if self._failed is not None and is_failed_sync(error):
                self._failed(error)
            if (told := _told(error)) is error:
                raise
            raise told from None

    def _in_transaction(self, work: Work[T]) -> T:
        """Begun and ended with the driver: SQLAlchemy takes longer for the two than the disk."""
        if self._connection is None:
            self._connection = self._writer.connect()
        connection = self._connection
        driver: Any = connection.connection.driver_connection
        # Immediate, so that it never has to upgrade a lock.
        driver.execute("begin immediate")
        try:
            result = work(connection)
            driver.commit()
        except BaseException:
            driver.rollback()
            raise
        finally:
            if connection.in_transaction():  # by the word of SQLAlchemy, which has begun none
                connection.rollback()
        return result

    async def rebuild(self, work: Work[T]) -> T:
        def known(connection: Connection) -> T:
            # Alembic begins, and ends too early, a transaction of its own where SQLAlchemy knows of none.
            with connection.begin():
                return work(connection)

        return await self.write(known)

    async def hold(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        # The kernel lets go of the lock when the process ends, however it ends.
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DatabaseUnusable(_TAKEN) from error

    def free_bytes(self) -> int | None:
        room = os.statvfs(self._path)
        return room.f_bavail * room.f_frsize

    async def close(self) -> None:
        self._writing.shutdown()
        self._reading.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._reader.dispose()
        self._writer.dispose()
        if self._lock is not None:
            os.close(self._lock)


class PostgresDatabase:
    """A server that several nodes may share."""

    shared = True

    def __init__(self, url: str) -> None:
        # Imported here: it costs a tenth of a second, and SQLite does without.
        import asyncpg
        from sqlalchemy.ext.asyncio import create_async_engine

        self.trouble: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError)
        self._away = (asyncpg.InterfaceError, asyncpg.InternalClientError)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._engine = create_async_engine(
            url,
            pool_size=8,
            max_overflow=0,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            json_serializer=json_text,
            connect_args={"timeout": _PATIENCE, "command_timeout": _PATIENCE},
        )

    async def read(self, work: Work[T]) -> T:
        return await self._to_its_end(self._read(work))

    async def write(self, work: Work[T]) -> T:
        return await self._to_its_end(self._write(work))

    async def rebuild(self, work: Work[T]) -> T:
        from sqlalchemy.ext.asyncio import create_async_engine

        engine = create_async_engine(self._engine.url, json_serializer=json_text)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    async def _to_its_end(self, operation: Coroutine[Any, Any, T]) -> T:
        """Whoever asked may be cancelled, the operation may not: a connection on which one was given up half
        way is of no use to the next one."""
        task = asyncio.create_task(operation)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # where nobody waits any more, nobody needs to hear of it

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["AsyncConnection"]:
        async with self._engine.connect() as connection:
            try:
                yield connection
            except Exception as error:
                # SQLAlchemy does not see what became of it where a statement spoke to the driver itself.
                if unavailable(error, self._away) is not None:
                    await connection.invalidate()
                raise

    async def _read(self, work: Work[T]) -> T:
        try:
            async with self._connected() as connection:
                return await connection.run_sync(work)
        except Exception as error:
            if (told := _told(error, self._away)) is error:
                raise
            raise told from None

    async def _write(self, work: Work[T]) -> T:
        for tries_left in reversed(range(_TRIES)):
            try:
                return await self._write_once(work)
            except Exception as error:
                told = _told(error, self._away)
                if tries_left and self._is_worth_another_try(error, told):
                    continue
                if told is error:
                    raise
                raise told from None
        raise AssertionError  # the last try returns or raises

    def _is_worth_another_try(self, error: Exception, told: Exception) -> bool:
        """Two nodes may lock the same rows in different orders; PostgreSQL then ends one of the two. And a
        connection that was cut says nothing about the next one."""
        state = getattr(getattr(error, "orig", error), "sqlstate", None)
        return state == _DEADLOCK or (told is not error and not isinstance(error, OSError))

    async def _write_once(self, work: Work[T]) -> T:
        async with self._connected() as connection:
            transaction = await connection.begin()
            result = await connection.run_sync(work)
            number = await connection.run_sync(_transaction_number)
            try:
                await transaction.commit()
            except Exception as error:
                if unavailable(error, self._away) is None or not await self._was_committed(number):
                    raise
            return result

    async def _was_committed(self, number: int | None) -> bool:
        """What became of a transaction whose connection was lost while it was committed."""
        for _ in range(_TRIES):
            try:
                async with self._connected() as connection:
                    status = await connection.run_sync(lambda asking: _status(asking, number))
            except Exception as error:
                if unavailable(error, self._away) is None:
                    raise
                status = "in progress"
            if status != "in progress":
                return status == "committed"
            await asyncio.sleep(_PAUSE)
        raise outcome_unknown()

    async def hold(self, failed: Callable[[Exception], None]) -> None:
        """Others may be servers, too; what only one may work has a lease (services/leases.py). After a
        failed sync PostgreSQL recovers by itself."""

    def free_bytes(self) -> int | None:
        return None

    async def close(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._engine.dispose()


def _told(error: Exception, away: tuple[type[Exception], ...] = ()) -> Exception:
    """The error as those who asked can understand it."""
    return error if isinstance(error, Refusal) else unavailable(error, away) or error


def _transaction_number(connection: Connection) -> int | None:
    return connection.execute(text("select txid_current_if_assigned()")).scalar()


def _status(connection: Connection, number: int | None) -> str | None:
    """`committed`, `aborted` or `in progress`; a transaction without a number has written nothing."""
    if number is None:
        return "committed"
    return connection.execute(text("select txid_status(:number)"), {"number": number}).scalar()
