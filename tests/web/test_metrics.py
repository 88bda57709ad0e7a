"""What is counted, and how Prometheus reads it."""

from chappe.model.metrics import BOUNDS, Histogram, Metrics, percentile
from chappe.web.metrics import Family, exposition
from tests.journeys.wires import Rest
from tests.platform import World
from tests.services.asking import ALICE, send_one


async def test_a_message_is_counted_at_each_step(sandbox_world: World) -> None:
    world = sandbox_world
    shop = await world.account()
    metrics = world.platform.metrics
    await send_one(world, shop)
    assert (metrics.accepted, metrics.submitted, metrics.delivered) == (1, 0, 0)
    world.clock.move(seconds=4)
    await world.settle()
    assert (metrics.accepted, metrics.submitted, metrics.delivered, metrics.failed) == (1, 1, 1, 0)
    assert percentile(metrics.submission.counts, 0.5) == 5.0
    assert sum(metrics.acceptance.counts) == 1
    assert metrics.groups > 0 and metrics.changes >= metrics.groups == sum(metrics.commit.counts)


async def test_refusals_failures_and_notices_are_counted_by_what_they_are(sandbox_world: World) -> None:
    world = sandbox_world
    shop = await world.account()
    rest, metrics = Rest(world, shop), world.platform.metrics
    await rest.call("PUT", f"/v1/sandbox/handsets/{ALICE}/behaviour", {"receipt": "undelivered"})
    await rest.call("POST", "/v1/subscriptions", {"url": "https://shop.example", "events": ["*"]})
    world.web.answers = [200, 503, 200]
    await rest.call("POST", "/v1/messages", {"to": ALICE, "text": "hi", "receipt": True})
    await rest.call("POST", "/v1/messages", {"to": ALICE, "text": ""})
    await world.settle()
    assert metrics.failed == 1
    assert dict(metrics.refused) == {"empty_content": 1}
    assert dict(metrics.notices) == {"taken": 2, "refused": 1}


def test_a_percentile_is_the_limit_of_its_bucket() -> None:
    histogram = Histogram()
    assert percentile(histogram.counts, 0.5) is None
    for seconds in (0.001, 0.0011, 0.004, 0.3, 60.0):
        histogram.observe(seconds)
    assert percentile(histogram.counts, 0.2) == 0.001
    assert percentile(histogram.counts, 0.5) == 0.005
    assert percentile(histogram.counts, 0.8) == 0.3
    assert percentile(histogram.counts, 0.99) == BOUNDS[-1]


def test_the_text_is_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.accepted = 12
    metrics.refused["no_route"] = 3
    metrics.commit.observe(0.0025)
    told = Family("chappe_queue_messages", "gauge", "Queued.", [({"carrier": 'a"b\\c\nd'}, 5)])
    lines = exposition(metrics, [told]).splitlines()
    for line in (
        "# TYPE chappe_messages_accepted_total counter",
        "chappe_messages_accepted_total 12",
        'chappe_requests_refused_total{fault="no_route"} 3',
        'chappe_queue_messages{carrier="a\\"b\\\\c\\nd"} 5',
        'chappe_commit_seconds_bucket{le="0.002"} 0',
        'chappe_commit_seconds_bucket{le="0.003"} 1',
        'chappe_commit_seconds_bucket{le="+Inf"} 1',
        "chappe_commit_seconds_sum 0.0025000000000000001",
        "chappe_commit_seconds_count 1",
    ):
        assert line in lines
