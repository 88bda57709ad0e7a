"""What is counted, and how Prometheus reads it."""

from chappe.model.carriers import CarrierStatus, LinkState, LinkStatus
from chappe.model.metrics import BOUNDS, Histogram, Metrics, percentile
from chappe.services import accounts
from chappe.web.metrics import Family, exposition
from tests.journeys.wires import Rest
from tests.platform import START, World
from tests.services.asking import ALICE, send_one
from tests.web.browser import Browser


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


async def test_a_reading_tells_of_queues_and_links(sandbox_world: World) -> None:
    world = sandbox_world
    shop = await world.account()
    await send_one(world, shop)
    world.clock.move(seconds=7)
    link = LinkStatus("transceiver", LinkState.STRAINED, START, 3, 10)
    status = CarrierStatus("free", "smpp", LinkState.STRAINED, (link,))
    world.platform.carriers.join("free", lambda: status, lambda: True)
    page = await Browser(world.chappe.application).ask("GET", "/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = page.text.splitlines()
    for line in (
        "chappe_messages_accepted_total 1",
        'chappe_queue_messages{carrier="sandbox"} 1',
        'chappe_queue_oldest_seconds{carrier="sandbox"} 7',
        "chappe_deliveries_dead 0",
        'chappe_link_state{carrier="free",link="0",state="strained"} 1',
        'chappe_link_state{carrier="free",link="0",state="up"} 0',
        'chappe_link_unanswered{carrier="free",link="0"} 3',
        'chappe_link_window{carrier="free",link="0"} 10',
    ):
        assert line in lines


async def test_metrics_are_for_this_machine_or_an_operator(sandbox_world: World) -> None:
    world = sandbox_world
    shop, boss = await world.account("shop"), await world.account("boss")
    await accounts.set_operator(world.platform, boss.account, True)
    application = world.chappe.application
    for peer, headers, status in (
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.9", {}, 401),
        ("", {}, 401),
        ("127.0.0.1", {"x-forwarded-for": "10.0.0.9"}, 401),  # a proxy on this machine
        ("127.0.0.1", {"authorization": "Bearer wrong"}, 401),
        ("10.0.0.9", {"authorization": f"Bearer {shop.secrets['rest'].secret}"}, 403),
        ("10.0.0.9", {"authorization": f"Bearer {boss.secrets['rest'].secret}"}, 200),
    ):
        page = await Browser(application, peer=peer).ask("GET", "/metrics", headers=headers)
        assert page.status == status, (peer, headers)
        assert ("www-authenticate" in page.headers) == (status == 401)
