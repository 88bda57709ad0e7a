"""Calendar files, read in a process with little memory and time: they come from anybody, and a recurrence
that never comes is looked for until the calendar ends."""

import asyncio
import json
import sys
from datetime import date

from chappe.host.programs import ProgramFailed, run
from chappe.model.errors import Fault, Refusal
from chappe.services.ports import ClosedDays

_AT_ONCE = 2
_PROGRAM = """
import json, resource, signal, sys
resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000))
seconds, zone, since, until = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
signal.signal(signal.SIGXCPU, lambda *_: sys.exit("its events take too long to work out"))
from datetime import date
from chappe.protocols.errors import ProtocolError
from chappe.protocols.icalendar import closed_days
try:
    found = closed_days(
        sys.stdin.buffer.read(), zone, date.fromisoformat(since), date.fromisoformat(until)
    )
except ProtocolError as error:
    sys.exit(error.where)
print(json.dumps([[(str(day), title) for day, title in found.days], found.passed_over]))
"""


class CalendarFiles:
    """Implements the port `CalendarReader`; a file may take so many seconds of the processor."""

    def __init__(self, seconds: int = 5) -> None:
        self._seconds = seconds
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def closed_days(self, content: bytes, zone: str, since: date, until: date) -> ClosedDays:
        """See services/ports.py."""
        command = [sys.executable, "-c", _PROGRAM, str(self._seconds), zone, str(since), str(until)]
        async with self._turn:
            try:
                days, passed_over = json.loads(await run(command, content))
            except ProgramFailed as error:
                raise Refusal(
                    Fault.UNUSABLE_MEDIA,
                    f"the calendar cannot be read ({error}): send an iCalendar file (.ics) of simple events",
                ) from error
        return ClosedDays([(date.fromisoformat(day), title) for day, title in days], passed_over)
