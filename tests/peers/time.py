"""Seconds that stand still until a test moves them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Alarm:
    """A call to come."""

    when: float
    call: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class ManualTime:
    """What an event loop has of time, by hand."""

    now: float = 1000.0
    alarms: list[Alarm] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        alarm = Alarm(when, lambda: callback(*args))
        self.alarms.append(alarm)
        return alarm  # type: ignore[return-value]

    def move(self, seconds: float) -> None:
        """Let time pass; what is due is called in its order, each at its own time."""
        end = self.now + seconds
        while True:
            self.alarms = [alarm for alarm in self.alarms if not alarm.cancelled]
            due = min(self.alarms, key=lambda alarm: alarm.when, default=None)
            if due is None or due.when > end:
                break
            self.alarms.remove(due)
            self.now = max(self.now, due.when)
            due.call()
        self.now = end
