"""What is logged tells no number and no secret, and which request it belongs to."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from chappe.host.logs import configure, masked
from tests.journeys.wires import Rest
from tests.platform import World


@pytest.fixture
def lines() -> Iterator[Any]:
    """Reads what has been logged, as JSON."""
    stream = io.StringIO()
    configure(stream, pretty=False)
    structlog.configure(cache_logger_on_first_use=False)  # the modules' own loggers outlive this test
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("33612345678", "33612****78"),
        ("to +33612345678, refused", "to +33612****78, refused"),
        ("06 12 34 56 78 is busy", "0612****78 is busy"),
        ("+41 79 222 33 44", "+41792****44"),
        ("peer='447400123456'", "peer='447400****56'"),
        ("number:33612345678,", "number:33612****78,"),
        ("0b8a4f0e-6c1d-4f5a-9b57-123456789012", "0b8a4f0e-6c1d-4f5a-9b57-123456789012"),
        ("154150738000000000", "154150738000000000"),  # an id
        ("06a3f2m7k9q1v4x8t2z5b7c9d1", "06a3f2m7k9q1v4x8t2z5b7c9d1"),  # a ref
        ("2026-03-02T09:00:00.123456Z", "2026-03-02T09:00:00.123456Z"),
        ("127.0.0.1:61234 took 200 of 1024", "127.0.0.1:61234 took 200 of 1024"),
        ("20345", "20345"),
        ("Authorization: Bearer ck_abcdefghijklmnop", "Authorization: Bearer ***"),
        ("ck_abcdefghijklmnop234567", "ck_***"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***"),
        ("http://me:hunter2@smsc.example/", "http://me:***@smsc.example/"),
        ("GET /sms/sendSMS.xml?id=a1234b56789&to=33612345678", "GET /sms/sendSMS.xml?id=***&to=33612****78"),
    ],
)
def test_a_text_is_masked(written: str, shown: str) -> None:
    assert masked(written) == shown


def test_every_part_of_a_line_is_masked(lines: Any) -> None:
    log = structlog.get_logger()
    try:
        raise ValueError("no way to 33612345678")
    except ValueError:
        log.exception(
            "failed for 33612345678",
            password="hunter2",
            headers={"authorization": "x", "peer": b"33612345678"},
            numbers=("33612345678", 12345678901),
            empty=None,
        )
    (line,) = lines()
    assert "33612345678" not in json.dumps(line) and "hunter2" not in json.dumps(line)
    assert line["event"] == "failed for 33612****78"
    assert line["exception"].endswith("ValueError: no way to 33612****78")
    assert line["headers"] == {"authorization": "***", "peer": "33612****78"}
    assert line["numbers"] == ["33612****78", 12345678901]


async def test_a_line_names_the_request_it_belongs_to(
    sandbox_world: World, lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sandbox_world
    shop = await world.account()

    def broken(kind: str, number: str) -> None:
        structlog.get_logger().warning("no way", number=number)
        raise RuntimeError("a defect")

    monkeypatch.setattr(world.platform.router, "way", broken)
    reply = await Rest(world, shop).call("POST", "/v1/messages", {"to": "+33612345678", "text": "hi"})
    assert reply.status == 500
    said = lines()
    assert [line["event"] for line in said] == ["no way", "request failed"]
    assert said[0]["number"] == "33612****78"
    (request,) = {line["request"] for line in said}
    await world.platform.store.commit(_nothing())
    (exchange,) = await world.platform.store.queries.exchanges(shop.account.id, None, 5)
    assert request == exchange.id


def _nothing():  # type: ignore[no-untyped-def]
    from chappe.model.changes import Changes

    return Changes()
