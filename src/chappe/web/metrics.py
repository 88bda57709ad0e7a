"""What is counted, in the text format of Prometheus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chappe.model.metrics import BOUNDS, Histogram, Metrics


@dataclass(frozen=True, slots=True)
class Family:
    """One metric as Prometheus names it, with its samples: the labels and the value of each."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def families(metrics: Metrics) -> list[Family]:
    """What is counted, by the names under which it is told."""
    nothing: Mapping[str, str] = {}
    counters = (
        ("messages_accepted", "Messages taken from clients and stored.", metrics.accepted),
        ("messages_submitted", "Messages that a network took.", metrics.submitted),
        ("messages_delivered", "Messages that a network delivered.", metrics.delivered),
        ("messages_failed", "Messages refused, undelivered or expired.", metrics.failed),
        ("messages_received", "Messages from mobiles.", metrics.received),
        ("receipts_parked", "Receipts of no message that was known when they came.", metrics.parked),
        ("commit_groups", "Transactions of the group commit.", metrics.groups),
        ("commit_changes", "Pieces of work in these transactions.", metrics.changes),
    )
    found = [
        Family(f"chappe_{name}_total", "counter", told, [(nothing, value)]) for name, told, value in counters
    ]
    for name, told, label, values in (
        ("requests_refused", "Requests refused, by reason.", "fault", metrics.refused),
        ("notices", "Tries to tell a customer, by what the other side did.", "result", metrics.notices),
    ):
        samples = [({label: str(key)}, value) for key, value in sorted(values.items())]
        found.append(Family(f"chappe_{name}_total", "counter", told, samples))
    return found


_HISTOGRAMS = (
    ("acceptance", "From a command that sends messages to its commit."),
    ("submission", "From the moment a message is due to the answer of its network."),
    ("commit", "One transaction of the group commit, with its sync."),
)


def exposition(metrics: Metrics, gauges: Sequence[Family] = ()) -> str:
    """Counters, histograms and these gauges in Prometheus' text format, version 0.0.4."""
    lines: list[str] = []
    for family in (*families(metrics), *gauges):
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        lines += [f"{family.name}{_labels(labels)} {value:.17g}" for labels, value in family.samples]
    for name, told in _HISTOGRAMS:
        histogram: Histogram = getattr(metrics, name)
        full = f"chappe_{name}_seconds"
        lines += [f"# HELP {full} {told}", f"# TYPE {full} histogram"]
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), histogram.counts, strict=True):
            total += count
            lines.append(f'{full}_bucket{{le="{bound}"}} {total}')
        lines += [f"{full}_sum {histogram.seconds:.17g}", f"{full}_count {total}"]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = {
        name: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for name, value in labels.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"
