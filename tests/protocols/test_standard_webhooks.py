"""Signed notices, verified by the specification's own library."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chappe.protocols.standard_webhooks import new_secret, sign

OLD, NEW, OTHER = new_secret(b"o" * 24), new_secret(b"n" * 32), new_secret(b"x" * 64)
BODY = '{"type":"message.delivered","text":"é €"}'.encode()


def test_the_headers_are_those_of_the_specifications_example() -> None:
    # Key, id, time, body and result as computed once by the public library from a fixed secret.
    secret = new_secret(bytes(range(24)))
    headers = sign([secret], "msg_1", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), b'{"a": 1}')
    reference = Webhook(secret).sign("msg_1", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '{"a": 1}')
    assert secret == "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1767323045",
        "webhook-signature": reference,
    }


@pytest.mark.parametrize("secret", [OLD, NEW, OTHER])
def test_a_receiver_accepts_the_signature(secret: str) -> None:
    assert Webhook(secret).verify(BODY, sign([secret], "msg_1", datetime.now(UTC), BODY))["text"] == "é €"


def test_while_a_secret_is_changed_both_are_accepted_and_no_other() -> None:
    headers = sign([NEW, OLD], "msg_1", datetime.now(UTC), BODY)
    for secret in (NEW, OLD):
        Webhook(secret).verify(BODY, headers)
    assert [one[:3] for one in headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(OTHER).verify(BODY, headers)


@pytest.mark.parametrize(
    ("body", "altered"),
    [
        (BODY + b" ", {}),
        (BODY.replace(b"delivered", b"deliverec"), {}),
        (BODY, {"webhook-id": "msg_2"}),
        (BODY, {"webhook-signature": "v1,AAAA"}),
    ],
)
def test_a_receiver_refuses_what_was_altered(body: bytes, altered: dict[str, str]) -> None:
    headers = sign([NEW], "msg_1", datetime.now(UTC), BODY) | altered
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(NEW).verify(body, headers)


@pytest.mark.parametrize(("age", "words"), [(6, "too old"), (-6, "too new")])
def test_a_receiver_refuses_another_time(age: int, words: str) -> None:
    headers = sign([NEW], "msg_1", datetime.now(UTC) - timedelta(minutes=age), BODY)
    with pytest.raises(WebhookVerificationError, match=words):
        Webhook(NEW).verify(BODY, headers)


def test_a_receiver_refuses_a_time_that_was_not_signed() -> None:
    headers = sign([NEW], "msg_1", datetime.now(UTC) - timedelta(minutes=6), BODY)
    headers["webhook-timestamp"] = str(int(datetime.now(UTC).timestamp()))
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(NEW).verify(BODY, headers)


def test_any_time_zone_gives_the_same_headers() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=2)))
    assert sign([NEW], "msg_1", at, BODY) == sign([NEW], "msg_1", elsewhere, BODY)


@pytest.mark.parametrize(
    ("secrets", "message_id", "at"),
    [
        ([], "msg_1", datetime.now(UTC)),
        ([NEW.removeprefix("whsec_")], "msg_1", datetime.now(UTC)),
        (["whsec_"], "msg_1", datetime.now(UTC)),
        (["whsec_AAAA"], "msg_1", datetime.now(UTC)),
        (["whsec_###"], "msg_1", datetime.now(UTC)),
        (["whsec_é"], "msg_1", datetime.now(UTC)),
        ([NEW], "", datetime.now(UTC)),
        ([NEW], "msg.1", datetime.now(UTC)),
        ([NEW], "msg 1", datetime.now(UTC)),
        ([NEW], "msg\r\nx: y", datetime.now(UTC)),
        ([NEW], "msg_1", datetime.now(UTC).replace(tzinfo=None)),
    ],
)
def test_what_cannot_be_signed_soundly_is_refused(secrets: list[str], message_id: str, at: datetime) -> None:
    with pytest.raises(ValueError, match=r"webhook|base64|time zone"):
        sign(secrets, message_id, at, BODY)


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_secret_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"not {size}"):
        new_secret(bytes(size))
