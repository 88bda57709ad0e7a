"""Figures and goals as tables for people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.measure import Figures

MOST_FOREIGN = 0.15
"""A round in which other programs had more of the machine than this is not counted."""


def spread(values: Sequence[float], form: str) -> str:
    """A median and what it was taken of, in the order of the rounds."""
    everything = ", ".join(format(value, form) for value in values)
    return f"{median(values):{form}} ({everything})" if len(values) > 1 else everything


ROWS: Sequence[tuple[str, str, Callable[[Figures], float]]] = (
    ("webhook-complete messages/s", ",.0f", lambda f: f.whole),
    ("accepted messages/s", ",.0f", lambda f: f.accepted),
    ("p50 of acceptance, ms", ".1f", lambda f: f.p50),
    ("p99 of acceptance, ms", ".1f", lambda f: f.p99),
    ("CPU per message, us", ".0f", lambda f: f.cpu_all),
    ("  of it PostgreSQL, us", ".0f", lambda f: f.cpu.get("postgres", 0)),
    ("submitted/accepted under load", ".3f", lambda f: f.submitted),
    ("memory without PostgreSQL, MB", ".0f", lambda f: f.memory),
    ("refused or broken requests", ".0f", lambda f: f.refused + f.broken),
    ("webhooks missing", ".0f", lambda f: f.missing),
    ("submitted twice", ".0f", lambda f: f.repeated),
    ("wrk, SMSC and sink, us", ".0f", lambda f: f.harness),
    ("foreign CPU, %", ".0f", lambda f: f.foreign * 100),
)


def print_figures(runs: Sequence[Figures]) -> None:
    """One target's runs."""
    print(f"\n{runs[0].name}: median (by round)")
    for label, form, value in ROWS:
        print(f"  {label:32}{spread([value(run) for run in runs], form)}")
    for name in runs[0].stages:
        label = f"{name}, us"
        print(f"  {label:32}{spread([run.stages[name] for run in runs], '.1f')}")


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio that has to be reached, and one that is hoped for; `ratio` takes ours and Kannel's figures of
    the same round."""

    label: str
    must: float
    aim: float
    ratio: Callable[[Figures, Figures], float]
    lower: bool = False

    def line(self, ratios: Sequence[float]) -> str:
        """The median of the ratios and whether it will do."""
        value = median(ratios)
        must, aim = ((value <= x) if self.lower else (value >= x) for x in (self.must, self.aim))
        verdict = "aim met" if aim else "met" if must else "NOT MET"
        sign = "<=" if self.lower else ">="
        wanted = f"{sign} {self.must:g} (aim {self.aim:g})"
        return f"  {self.label:44}{spread(ratios, '.2f'):30}{wanted:20}{verdict}"


GOALS_SQLITE = (
    Goal("webhook-complete, times Kannel's", 3, 5, lambda ours, kannel: _over(ours.whole, kannel.whole)),
    Goal("accepted, times Kannel's", 1.5, 2.5, lambda ours, kannel: ours.accepted / kannel.accepted),
    Goal(
        "CPU per message, of Kannel's", 0.25, 0.125, lambda ours, kannel: ours.cpu_all / kannel.cpu_all, True
    ),
    Goal("p99 of acceptance, of Kannel's", 0.5, 0.25, lambda ours, kannel: ours.p99 / kannel.p99, True),
    Goal("submitted/accepted under load", 0.95, 0.99, lambda ours, _: ours.submitted),
)

GOALS_POSTGRES = (
    Goal("webhook-complete, times Kannel's", 2, 4, lambda ours, kannel: _over(ours.whole, kannel.whole)),
    Goal("submitted/accepted under load", 0.95, 0.99, lambda ours, _: ours.submitted),
)


def _over(ours: float, theirs: float) -> float:
    return ours / theirs if theirs else 0.0
