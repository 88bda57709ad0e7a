"""What was recorded of calls: kept, listened to, deleted."""

from contextlib import suppress
from pathlib import Path

from chappe.model.calls import Call, Recorded, Recording
from chappe.model.changes import Changes, Update
from chappe.services.ports import Platform


def discard(recorded: Recorded) -> None:
    """Nobody waits for this recording any more."""
    with suppress(FileNotFoundError):
        Path(recorded.path).unlink()


async def begin(platform: Platform, call: Call, recording: Recording) -> None:
    """A recording of a call begins."""
    await platform.store.commit(Changes(insert=[recording]))


async def keep(platform: Platform, call: Call, recording: Recording, recorded: Recorded) -> None:
    """A recording has come to its end: its file is moved to the others, and whoever wants it is told."""
    values = {"ended_at": recorded.at, "milliseconds": int(recorded.seconds * 1000)}
    await platform.store.commit(Changes(update=[Update(Recording, recording.id, call.account_id, values)]))
