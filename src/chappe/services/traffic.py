"""How much went through, minute by minute: kept for two days, and told as a series for charts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chappe.model.changes import Changes
from chappe.model.commands import Caller
from chappe.model.metrics import BOUNDS, Metrics, Minute
from chappe.services.network import check_operator
from chappe.services.ports import Platform

COUNTED = ("accepted", "submitted", "delivered", "failed", "received")
"""What is counted of messages, as attributes of Metrics and Minute."""
_BUCKETS = len(BOUNDS) + 1


def _so_far(metrics: Metrics) -> list[int]:
    counted = [getattr(metrics, name) for name in COUNTED]
    return [*counted, *metrics.acceptance.counts, *metrics.submission.counts]


def _minute(numbers: Sequence[int], at: datetime, node: str, new_id: int) -> Minute:
    first, second = len(COUNTED), len(COUNTED) + _BUCKETS
    counted = dict(zip(COUNTED, numbers, strict=False))
    latencies = (tuple(numbers[first:second]), tuple(numbers[second:]))
    return Minute(new_id, at, node, **counted, acceptance=latencies[0], submission=latencies[1])


def _unsaved(platform: Platform) -> list[int]:
    now, saved = _so_far(platform.metrics), platform.metrics.saved
    return [a - b for a, b in zip(now, saved, strict=True)] if saved else now


async def save(platform: Platform) -> None:
    """Write what this node did since the last time, if it did anything; once a minute."""
    numbers, whole = _unsaved(platform), _so_far(platform.metrics)
    if any(numbers):
        at = platform.clock.now().replace(second=0, microsecond=0)
        minute = _minute(numbers, at, platform.node, platform.ids.new_id())
        await platform.store.commit(Changes(insert=[minute]))
        platform.metrics.saved = whole


async def read(platform: Platform, caller: Caller, step: timedelta, points: int) -> tuple[Minute, ...]:
    """What all nodes did in the last `points` spans of `step`, oldest first; what this node has not written
    yet stands in the last one. Each span is told as one Minute. For operators."""
    await check_operator(platform, caller)
    now = platform.clock.now()
    size = step.total_seconds()
    last = datetime.fromtimestamp(now.timestamp() // size * size, now.tzinfo)
    begins = [last - step * back for back in range(points - 1, -1, -1)]
    nothing = _minute([0] * (len(COUNTED) + 2 * _BUCKETS), last, "", 0)
    spans = [replace(nothing, at=begin) for begin in begins]
    written = await platform.store.queries.minutes(begins[0])
    for minute in (*written, _minute(_unsaved(platform), now, "", 0)):
        place = int((minute.at - begins[0]) / step)
        if 0 <= place < points:
            spans[place] = _together(spans[place], minute)
    return tuple(spans)


def _together(span: Minute, more: Minute) -> Minute:
    counted = {name: getattr(span, name) + getattr(more, name) for name in COUNTED}
    return replace(
        span,
        **counted,
        acceptance=_summed(span.acceptance, more.acceptance),
        submission=_summed(span.submission, more.submission),
    )


def _summed(some: Iterable[int], more: Iterable[int]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(some, more, strict=False))
