"""Charts as drawings without script: lines over time in the page's own colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 180
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 10, 24
"""The room around the lines, in the drawing's own units: for the scale at the left and the times below."""
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One row of values over the chart's times, None where there is none; `look` is a class of the style."""

    label: str
    look: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing: paths of the lines, steps of the scale with their heights, times with their places."""

    lines: tuple[tuple[Line, str], ...]
    scale: tuple[tuple[float, float], ...]
    times: tuple[tuple[float, datetime], ...]
    rows: tuple[tuple[datetime, tuple[float | None, ...]], ...]
    empty: bool


def draw(times: Sequence[datetime], lines: Sequence[Line], least: float = 1) -> Chart:
    """Lines over these times, from zero to the highest value but at least `least`."""
    highest = max((value for line in lines for value in line.values if value is not None), default=0.0)
    step = _step(max(highest, least))
    top = step * ceil(max(highest, least) / step - 1e-9)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(place: int) -> float:
        return round(LEFT + wide * place / max(1, len(times) - 1), 1)

    def y(value: float) -> float:
        return round(TOP + high * (1 - value / top), 1)

    def placed(place: int, value: float | None) -> tuple[float, float] | None:
        return None if value is None else (x(place), y(value))

    every = max(1, len(times) // 6)
    return Chart(
        lines=tuple((line, _path([placed(*one) for one in enumerate(line.values)])) for line in lines),
        scale=tuple((step * n, y(step * n)) for n in range(round(top / step) + 1)),
        times=tuple((x(place), times[place]) for place in range(every // 2, len(times), every)),
        rows=tuple((at, tuple(line.values[place] for line in lines)) for place, at in enumerate(times)),
        empty=not highest,
    )


def _step(highest: float) -> float:
    """A step of 1, 2 or 5 and noughts that makes about four of the whole."""
    raw = highest / _TICKS
    size: float = 10 ** floor(log10(raw))
    return next(size * times for times in (1, 2, 5, 10) if size * times >= raw - 1e-9)


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """The line through these points, broken where one is missing; a lone point is a dot."""
    drawn: list[str] = []
    before = None
    for place, point in enumerate(points):
        if point is not None:
            drawn.append(f"{'L' if before else 'M'}{point[0]:g} {point[1]:g}")
            alone = before is None and (place + 1 == len(points) or points[place + 1] is None)
            drawn += ["h0"] if alone else []
        before = point
    return "".join(drawn)
