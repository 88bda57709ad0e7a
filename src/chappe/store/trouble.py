"""What a database's own trouble means for whoever asked something of it."""

import os
from collections.abc import Iterator

from chappe.model.errors import Unavailable

FULL = "the platform's disk is full; its operator has to make room, then send again"
_AWAY = "the platform's database is away; try again in a moment"
_UNKNOWN = (
    "the platform's database was lost at the very end: whether this was done is unknown;"
    " look before you send it again"
)
_BROKEN = "the platform's disk cannot be used; its operator has to look at it"

# Results of SQLite (sqlite.org/rescode.html). Where a file reaches a quota the system says other things than
# ENOSPC, and SQLite says that writing failed.
_SQLITE_FULL = {
    "SQLITE_FULL",
    "SQLITE_IOERR_WRITE",
    "SQLITE_IOERR_SHMSIZE",
    "SQLITE_IOERR_SHMMAP",
    "SQLITE_IOERR_TRUNCATE",
}
_FAILED_SYNCS = {"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"}

# States of PostgreSQL, appendix A: connection exceptions, operator intervention.
_AWAY_CLASSES = ("08", "57P")
_DISK_FULL, _IO_ERROR, _TOO_MANY_CONNECTIONS = "53100", "58030", "53300"


def unavailable(error: BaseException, away: tuple[type[Exception], ...] = ()) -> Unavailable | None:
    """How to tell that nothing can be read or written at the moment; None for any other error. `away` is
    what the driver raises when its connection is lost."""
    for one in _chain(error):
        name = str(getattr(one, "sqlite_errorname", None) or "")
        state = str(getattr(one, "sqlstate", None) or "")
        if name in _SQLITE_FULL or state == _DISK_FULL:
            return Unavailable(FULL)
        if name.startswith("SQLITE_IOERR") or state == _IO_ERROR:
            return Unavailable(_BROKEN)
        if state.startswith(_AWAY_CLASSES) or state == _TOO_MANY_CONNECTIONS:
            return Unavailable(_AWAY)
        # A value that the driver cannot send is an InterfaceError of asyncpg, too.
        if isinstance(one, (OSError, *away)) and not isinstance(one, ValueError):
            return Unavailable(_AWAY)
    return None


def outcome_unknown() -> Unavailable:
    """How to tell that a commit was asked for and its answer never came."""
    return Unavailable(_UNKNOWN)


def is_failed_sync(error: BaseException) -> bool:
    """Whether it is unknown what is on the disk: after a failed sync the system may have dropped what was
    written, and says nothing when it is synced again (the PostgreSQL project's "fsyncgate", 2018)."""
    return any(getattr(one, "sqlite_errorname", None) in _FAILED_SYNCS for one in _chain(error))


def first_line(error: Exception) -> str:
    """An error in a few words, for the operator: of Unavailable, what was behind it."""
    if isinstance(error, Unavailable) and isinstance(error.__context__, Exception):
        error = error.__context__
    cause = getattr(error, "orig", None) or error
    words = os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else str(cause)
    return words.strip().splitlines()[0] if words.strip() else type(cause).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came of; a transaction that the database has ended by itself hides the reason
    behind the next statement's complaint."""
    while error is not None:
        yield error
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
