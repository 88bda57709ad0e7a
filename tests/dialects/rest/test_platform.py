"""The REST dialect in the running platform: what a conversation of one account cannot tell."""

import asyncio
import json
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.asgi import Reply, ask
from tests.platform import World

SEND = b'{"to":["+33612345678"],"text":"Hello","from":"Shop"}'


async def asked(world: World, key: str, line: str, body: bytes = b"", **headers: str) -> Reply:
    method, target = line.split(" ")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(
        world.chappe.application,
        method,
        target,
        headers={"authorization": f"Bearer {key}", **named},
        body=body,
    )


async def a_key(world: World, name: str = "shop") -> str:
    return str((await world.account(name)).secrets["rest"].secret)


async def total(world: World, key: str) -> tuple[int, Any]:
    """How many messages the account has, and its balance."""
    listed = json.loads((await asked(world, key, "GET /v1/messages?limit=100")).body)
    account = json.loads((await asked(world, key, "GET /v1/account")).body)
    return len(listed["data"]), account["balance"]


async def test_a_text_of_ten_megabytes_is_refused(sandbox_world: World) -> None:
    key = await a_key(sandbox_world)
    body = json.dumps({"to": ["+33612345678"], "text": "a" * 10_000_000}).encode()
    reply = await asked(sandbox_world, key, "POST /v1/messages", body)
    assert (reply.status, json.loads(reply.body)["code"]) == (413, "content_too_long")
    assert await total(sandbox_world, key) == (0, 200)


async def test_the_same_idempotency_key_twice_at_once_sends_once(sandbox_world: World) -> None:
    key = await a_key(sandbox_world)
    replies = await asyncio.gather(
        *(asked(sandbox_world, key, "POST /v1/messages", SEND, idempotency_key="k") for _ in range(5))
    )
    assert [reply.status for reply in replies] == [201] * 5
    assert len({reply.body for reply in replies}) == 1
    assert sum("idempotency-replayed" in reply.headers for reply in replies) == 4
    assert await total(sandbox_world, key) == (1, 199)


async def test_a_replay_is_the_first_answer_also_when_much_happened_since(sandbox_world: World) -> None:
    key = await a_key(sandbox_world)
    first = await asked(sandbox_world, key, "POST /v1/messages", SEND, idempotency_key="k")
    await asked(sandbox_world, key, "POST /v1/messages", SEND)
    await sandbox_world.settle()
    again = await asked(sandbox_world, key, "POST /v1/messages", SEND, idempotency_key="k")
    assert (again.status, again.body) == (first.status, first.body)


@pytest.mark.parametrize("line", ["GET /v1/messages/{}", "POST /v1/messages/{}/cancel"])
async def test_another_tenants_message_is_not_found(sandbox_world: World, line: str) -> None:
    mine, theirs = await a_key(sandbox_world), await a_key(sandbox_world, "rival")
    sent = json.loads((await asked(sandbox_world, mine, "POST /v1/messages", SEND)).body)
    ref = sent["messages"][0]["id"]
    reply = await asked(sandbox_world, theirs, line.format(ref))
    assert (reply.status, json.loads(reply.body)["code"]) == (404, "not_found")


async def test_a_subscription_is_told_with_a_signature(sandbox_world: World) -> None:
    key = await a_key(sandbox_world)
    subscribe = b'{"url":"https://example.com/sms","events":["message.delivered"]}'
    secret = json.loads((await asked(sandbox_world, key, "POST /v1/subscriptions", subscribe)).body)["secret"]
    sent = json.loads((await asked(sandbox_world, key, "POST /v1/messages", SEND)).body)
    await sandbox_world.settle()
    (notice,) = sandbox_world.web.sent
    # The world's clock stands still, so the library's five minutes of tolerance are over.
    webhook, headers = Webhook(secret), dict(notice.headers)
    content = json.loads(notice.body)
    signature = webhook.sign(headers["webhook-id"], sandbox_world.clock.now(), notice.body.decode())
    assert headers["webhook-signature"] == signature
    assert (content["type"], content["data"]["id"]) == ("message.delivered", sent["messages"][0]["id"])


async def test_the_history_of_a_message_shows_its_notices(sandbox_world: World) -> None:
    key = await a_key(sandbox_world)
    subscribe = b'{"url":"https://example.com/sms","events":["message.delivered"]}'
    await asked(sandbox_world, key, "POST /v1/subscriptions", subscribe)
    sent = json.loads((await asked(sandbox_world, key, "POST /v1/messages", SEND)).body)
    await sandbox_world.settle()
    story = json.loads(
        (await asked(sandbox_world, key, f"GET /v1/messages/{sent['messages'][0]['id']}")).body
    )
    assert [(one["event"], one["state"]) for one in story["notices"]] == [("message.delivered", "done")]


async def test_head_is_answered_like_get(sandbox_world: World) -> None:
    key = await a_key(sandbox_world)
    assert (await asked(sandbox_world, key, "HEAD /v1/account")).status == 200


async def test_a_key_is_kept_out_of_the_exchange(sandbox_world: World) -> None:
    new = await sandbox_world.account()
    key = new.secrets["rest"].secret
    await asked(sandbox_world, key, "POST /v1/messages", SEND.replace(b"Hello", key.encode()))
    await asked(sandbox_world, key, "GET /v1/messages")
    # What is written without waiting goes with the next group.
    await asked(sandbox_world, key, "POST /v1/messages", SEND)
    exchanges = await sandbox_world.platform.store.queries.exchanges(new.account.id, None, 10)
    assert exchanges
    assert not any(key in exchange.request or key in exchange.answer for exchange in exchanges)
