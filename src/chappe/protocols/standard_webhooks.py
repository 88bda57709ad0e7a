"""Signatures of outgoing notices after the Standard Webhooks specification 1.0.0, symmetric scheme `v1`."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

_PREFIX = "whsec_"
_MESSAGE_ID = re.compile(
    r"[!-\-/-~]+"
)  # printable ASCII without the full stop, which separates the signed parts


def new_secret(random_bytes: bytes) -> str:
    """A signing secret in the form that customers paste into their verifying library.

    Takes 24 to 64 random bytes (section "Signature scheme"); raises ValueError for any other number.
    """
    if not 24 <= len(random_bytes) <= 64:
        raise ValueError(f"a webhook secret has 24 to 64 bytes, not {len(random_bytes)}")
    return _PREFIX + base64.b64encode(random_bytes).decode("ascii")


def sign(secrets: Sequence[str], message_id: str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The three headers that go with `body`: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

    Every secret gives one signature, so that a receiver may change from one to the next in its own time.
    `message_id` stays the same over all tries of a message (receivers recognise repetitions by it),
    `timestamp` is the aware time of this try. Raises ValueError where no valid signature is possible.
    """
    if not secrets:
        raise ValueError("a webhook needs at least one secret to be signed with")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(
            f"the webhook id {message_id!r} must be printable ASCII without spaces or full stops"
        )
    if timestamp.tzinfo is None:
        raise ValueError("the time of a webhook needs its time zone")
    seconds = str(int(timestamp.timestamp()))
    signed = f"{message_id}.{seconds}.".encode("ascii") + body
    signatures = [hmac.digest(_key(secret), signed, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode('ascii')}" for one in signatures),
    }


@lru_cache(maxsize=1024)
def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError as error:
        raise ValueError(f"a webhook secret is {_PREFIX} and base64: {error}") from error
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(f"a webhook secret is {_PREFIX} and the base64 of 24 to 64 bytes")
    return key
