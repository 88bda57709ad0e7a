"""A call that is live in this process: what is known of it, its timers, and where its legs are found."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from chappe.flows import program
from chappe.flows.program import Action, CallEvent, Flow
from chappe.model.calls import Call, CallOutcome, CallStory, Dialogue, Leg, LegEvent, Recorded, Recording


class Timer(Protocol):
    """Something that will be done later."""

    def cancel(self) -> None: ...


Later = Callable[[float, Callable[[], None]], Timer]
"""Does something once, so many seconds from now."""


def in_this_loop(seconds: float, what: Callable[[], None]) -> Timer:
    """By the clock of the running loop."""
    return asyncio.get_running_loop().call_later(seconds, what)


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Something of a call could not be written; without an `error` another node has closed it."""

    error: BaseException | None


News = LegEvent | Recorded | CallEvent | Action | Unwritten
"""What the task of a call hears of."""


@dataclass(slots=True, eq=False)
class Live:
    """One call. What happens to it waits in its `inbox` for its one task."""

    call: Call
    flow: Flow
    later: Later
    legs: dict[str, Leg] = field(default_factory=dict)
    dialogues: list[Dialogue] = field(default_factory=list)  # the open ones
    inbox: asyncio.Queue[News] = field(default_factory=asyncio.Queue)
    recordings: dict[str, Recording] = field(default_factory=dict)  # by the flow's names
    timers: dict[str, Timer] = field(default_factory=dict)
    fired: set[str] = field(default_factory=set)  # and not stopped before the flow hears of it
    talking: set[str] = field(default_factory=set)
    muted: set[str] = field(default_factory=set)
    first: list[Action] | None = None  # what the flow wants at once, where it was asked before
    written: set[str] = field(default_factory=set)  # legs that are written and not dialled yet
    outcome: CallOutcome | None = None
    is_taken: bool = False  # another node has closed it
    task: asyncio.Task[None] | None = None

    @property
    def story(self) -> CallStory:
        """The call as it is at this moment."""
        return CallStory(self.call, tuple(self.legs.values()))

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen to it."""
        is_down = all(leg.ended_at is not None for leg in self.legs.values())
        return self.outcome is not None and is_down and not self.recordings

    def start_timer(self, name: str, seconds: int) -> None:
        """Fire once, so many seconds from now; one that runs is put off."""
        running = self.timers.pop(name, None)
        if running is not None:
            running.cancel()

        def fire() -> None:
            self.fired.add(name)
            self.inbox.put_nowait(program.TimerFired(name))

        self.fired.discard(name)
        self.timers[name] = self.later(seconds, fire)

    def stop_timer(self, name: str) -> None:
        """Do not fire, also where it has fired and the flow has not heard of it."""
        timer = self.timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        self.fired.discard(name)


@dataclass(frozen=True, slots=True)
class Index:
    """The live calls of this process by their ids, their refs, the ids of their legs and of recordings."""

    calls: dict[int, Live] = field(default_factory=dict)
    refs: dict[str, Live] = field(default_factory=dict)
    legs: dict[int, tuple[Live, str]] = field(default_factory=dict)
    recordings: dict[int, tuple[Live, str]] = field(default_factory=dict)

    def add(self, live: Live) -> None:
        """It is live from now on."""
        self.calls[live.call.id] = self.refs[live.call.ref] = live
        for name, leg in live.legs.items():
            self.legs[leg.id] = (live, name)

    def forget(self, live: Live) -> None:
        """It is live no more."""
        for timer in live.timers.values():
            timer.cancel()
        self.calls.pop(live.call.id, None)
        self.refs.pop(live.call.ref, None)
        for leg in live.legs.values():
            self.legs.pop(leg.id, None)
        for recording in live.recordings.values():
            self.recordings.pop(recording.id, None)
