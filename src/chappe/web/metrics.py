"""What is counted and measured, in the text format of Prometheus, for whoever watches the platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from chappe.model.carriers import LinkState
from chappe.model.commands import Key
from chappe.model.errors import Fault, Refusal
from chappe.model.metrics import BOUNDS, Histogram, Metrics
from chappe.protocols.http import FORWARDED
from chappe.services import directory
from chappe.services.network import check_operator
from chappe.services.ports import Platform


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


# --- who may read it


def routes(platform: Platform) -> list[BaseRoute]:
    async def endpoint(request: Request) -> Response:
        try:
            await _admit(platform, request)
        except Refusal as refusal:
            status = 403 if refusal.fault is Fault.NOT_ALLOWED else 401
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            return PlainTextResponse(f"{refusal.detail}\n", status, headers)
        text = exposition(platform.metrics, await _gauges(platform))
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return [Route("/metrics", endpoint, methods=["GET"])]


async def _admit(platform: Platform, request: Request) -> None:
    """This machine without a proxy between, or the REST key of an operator's account. Raises Refusal."""
    peer = request.client.host if request.client else ""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        caller = await directory.authenticate(platform, "rest", [Key(key.strip())], peer)
        await check_operator(platform, caller)
    # Behind a proxy on this machine every request comes from it.
    elif any(name in request.headers for name in FORWARDED) or not _is_loopback(peer):
        raise Refusal(
            Fault.BAD_CREDENTIALS,
            "metrics are for this machine, or with `Authorization: Bearer KEY`, where KEY is a REST key of an"
            " operator's account",
        )


def _is_loopback(peer: str) -> bool:
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


# --- what is measured when it is asked for

_MOST = 100_000
"""How far a queue is counted for each reading: some milliseconds."""


async def _gauges(platform: Platform) -> list[Family]:
    queries, now = platform.store.queries, platform.clock.now()
    depths = await queries.queue_depths(now, _MOST)
    dead = await queries.count_dead(None, _MOST)
    links = [
        ({"carrier": name, "link": str(number)}, link)
        for name, status in sorted(platform.carriers.worked_here().items())
        for number, link in enumerate(status.links)
    ]
    states = [
        ({**labels, "state": str(state)}, int(link.state is state))
        for labels, link in links
        for state in LinkState
    ]
    waited = [
        ({"carrier": depth.carrier}, max(0.0, (now - depth.oldest).total_seconds()))
        for depth in depths
        if depth.oldest is not None
    ]
    return [
        Family(
            "chappe_queue_messages",
            "gauge",
            f"Queued messages, counted up to {_MOST}.",
            [({"carrier": depth.carrier}, depth.queued) for depth in depths],
        ),
        Family(
            "chappe_queue_oldest_seconds",
            "gauge",
            "For how long the queued message that is longest due has been due.",
            waited,
        ),
        Family("chappe_deliveries_dead", "gauge", f"Notices given up, counted up to {_MOST}.", [({}, dead)]),
        Family("chappe_link_state", "gauge", "1 for the state a link is in.", states),
        Family(
            "chappe_link_unanswered",
            "gauge",
            "Units that wait for the network's answer.",
            [(labels, link.unanswered) for labels, link in links],
        ),
        Family(
            "chappe_link_window",
            "gauge",
            "How many units may wait for the network's answer.",
            [(labels, link.window) for labels, link in links],
        ),
    ]
