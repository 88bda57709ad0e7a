"""What becomes of a callback: an attempt is over or could not be begun, or it is called off."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chappe.flows.ring_group import VISITOR
from chappe.model.callbacks import CallbackRequest, CallbackState
from chappe.model.calls import Call, CallOutcome, HangUpCause, Leg, RecordingPurpose
from chappe.model.changes import Changes, Update
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.jobs import Job, JobState
from chappe.services import callbacknotices
from chappe.services.ports import Platform

START = "start_callback"
"""The kind of job that makes an attempt."""

_AGAIN = frozenset({CallOutcome.NO_ANSWER, CallOutcome.BUSY, CallOutcome.UNREACHABLE, CallOutcome.FAILED})
"""After which outcomes another attempt makes sense: the visitor was not reached, or nobody was free. Who has
declined, hung up or not pressed the key is left alone (our choice)."""

_NEWS = {
    CallbackState.MISSED: EventName.CALLBACK_MISSED,
    CallbackState.FAILED: EventName.CALLBACK_MISSED,
    CallbackState.LEFT_MESSAGE: EventName.CALLBACK_LEFT_MESSAGE,
    CallbackState.CANCELLED: EventName.CALLBACK_CANCELLED,
}
"""What is told of an end beside that it ended."""


def start_job(platform: Platform, request: CallbackRequest) -> Job:
    """The job that makes a request's next attempt when it is due."""
    return Job(
        id=platform.ids.new_id(),
        kind=START,
        account_id=request.account_id,
        subject=request.id,
        payload={"attempt": request.attempt},
        state=JobState.WAITING,
        due_at=request.due_at,
        created_at=platform.clock.now(),
    )


async def ended(
    platform: Platform, call: Call, legs: Sequence[Leg], outcome: CallOutcome, price: int, at: datetime
) -> tuple[list[Update], list[Job]]:
    """What is written and told of a callback whose call is over."""
    request = await platform.store.queries.callback_of_call(call.account_id, call.id)
    if request is None or request.state is not CallbackState.CALLING:
        return [], []
    visitor = next((one for one in legs if one.name == VISITOR), None)
    ring, talk = (0, 0) if visitor is None else _seconds(visitor)
    request = replace(
        request,
        price=request.price + price,
        ring_seconds=ring,
        talk_seconds=talk,
        cause=outcome.value,
    )
    if call.joined_at is not None:
        due = request.created_at + timedelta(seconds=request.delay_seconds)
        waited = max(0, int((call.joined_at - due).total_seconds()))
        operator = _who_spoke(legs, call.joined_at)
        request = replace(request, state=CallbackState.DONE, operator=operator, waited_seconds=waited)
    elif await _has_spoken(platform, call):
        request = replace(request, state=CallbackState.LEFT_MESSAGE)
    elif outcome in _AGAIN and request.attempt < request.tries:
        request = _wait(platform, request)
    else:
        is_failed = outcome is CallOutcome.FAILED
        request = replace(request, state=CallbackState.FAILED if is_failed else CallbackState.MISSED)
    expected = {"state": CallbackState.CALLING, "call_id": call.id}
    return await _written(platform, request, expected, at)


async def not_begun(
    platform: Platform, request: CallbackRequest, state: CallbackState, cause: str, *, again: bool = False
) -> CallbackRequest | None:
    """An attempt that rang nobody: with `again` the next one is waited for, where there is one. Returns the
    request as it is then, None where somebody else was quicker."""
    before = {"state": request.state, "attempt": request.attempt}
    request = replace(request, attempt=request.attempt + 1, cause=cause)
    if again and request.attempt < request.tries:
        request = _wait(platform, request)
    else:
        request = replace(request, state=state)
    return await _write(platform, request, before)


async def cancel(platform: Platform, request: CallbackRequest, cause: str = "") -> CallbackRequest | None:
    """Call a request off that waits; None where it waits no more as it was read."""
    off = replace(request, state=CallbackState.CANCELLED, cause=cause)
    return await _write(platform, off, {"state": CallbackState.WAITING, "attempt": request.attempt})


async def _write(
    platform: Platform, request: CallbackRequest, expected: dict[str, object]
) -> CallbackRequest | None:
    at = platform.clock.now()
    updates, jobs = await _written(platform, request, expected, at)
    try:
        await platform.store.commit(Changes(update=updates, enqueue=jobs))
    except Refusal as refusal:
        if refusal.fault is not Fault.TOO_LATE:
            raise
        return None
    callbacknotices.ring(platform, request, jobs)
    return request if request.state is CallbackState.WAITING else replace(request, over_at=at)


async def _written(
    platform: Platform, request: CallbackRequest, expected: dict[str, object], at: datetime
) -> tuple[list[Update], list[Job]]:
    values: dict[str, object] = {
        name: getattr(request, name)
        for name in ("state", "attempt", "due_at", "price", "ring_seconds", "talk_seconds", "waited_seconds")
    }
    values |= {"operator": request.operator, "cause": request.cause}
    if request.state is CallbackState.WAITING:
        jobs = [start_job(platform, request)]
    else:
        values["over_at"] = at
        names = [name for name in (_NEWS.get(request.state), EventName.CALLBACK_ENDED) if name is not None]
        jobs = [job for name in names for job in await callbacknotices.notices(platform, request, name, at)]
    return [Update(CallbackRequest, request.id, request.account_id, values, expected)], jobs


def _wait(platform: Platform, request: CallbackRequest) -> CallbackRequest:
    due = platform.clock.now() + timedelta(seconds=request.retry_seconds)
    return replace(request, state=CallbackState.WAITING, due_at=due)


def _seconds(visitor: Leg) -> tuple[int, int]:
    """How long the visitor's telephone rang, and how long it was up."""
    ended = visitor.ended_at or visitor.created_at
    up = visitor.answered_at
    ring = ((up or ended) - (visitor.ringing_at or visitor.created_at)).total_seconds()
    return max(0, int(ring)), 0 if up is None else max(0, int((ended - up).total_seconds()))


def _who_spoke(legs: Sequence[Leg], at: datetime) -> str:
    """The number of who was up beside the visitor when both were joined."""
    return next(
        (
            leg.number
            for leg in reversed(legs)
            if leg.name != VISITOR
            and leg.answered_at is not None
            and leg.answered_at <= at
            and (leg.ended_at is None or leg.ended_at >= at)
            and leg.cause is not HangUpCause.ANSWERED_ELSEWHERE
        ),
        "",
    )


async def _has_spoken(platform: Platform, call: Call) -> bool:
    """Whether the visitor has left a message; one whose end is not known is one."""
    return any(
        one.purpose is RecordingPurpose.MESSAGE and (one.ended_at is None or one.milliseconds > 0)
        for one in await platform.store.queries.recordings_of(call.account_id, call.id)
    )
