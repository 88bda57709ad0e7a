"""A message that waits for its date is replaced; what comes at the same time loses nothing."""

from datetime import timedelta

import pytest

from chappe.model.commands import BlockNumber, CancelMessages, ReplaceMessage
from chappe.model.errors import Fault, Refusal
from chappe.model.messages import Message
from chappe.services import inbox, messages, replacements
from tests.platform import START, World, caller
from tests.services.asking import read, send_one


async def test_a_cancellation_that_read_the_old_price_gives_the_new_one_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await world.account()
    message = await send_one(world, new, send_at=START + timedelta(days=1))
    store = world.platform.store
    commit = store.commit

    async def after_a_replacement(changes):  # type: ignore[no-untyped-def]
        monkeypatch.undo()
        await replacements.replace(world.platform, caller(new), ReplaceMessage(message.ref, "a" * 200))
        return await commit(changes)

    monkeypatch.setattr(store, "commit", after_a_replacement)
    [result] = await messages.cancel(world.platform, caller(new), CancelMessages((message.ref,)))
    assert isinstance(result, Message) and result.price == 2 * message.price
    assert await world.balance(new.account) == 200_000


async def test_of_two_replacements_that_read_the_same_one_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await world.account()
    message = await send_one(world, new, send_at=START + timedelta(days=1))
    store = world.platform.store
    commit = store.commit

    async def after_another(changes):  # type: ignore[no-untyped-def]
        monkeypatch.undo()
        await replacements.replace(world.platform, caller(new), ReplaceMessage(message.ref, "a" * 200))
        return await commit(changes)

    monkeypatch.setattr(store, "commit", after_another)
    with pytest.raises(Refusal) as refused:
        await replacements.replace(world.platform, caller(new), ReplaceMessage(message.ref, "b" * 400))
    assert refused.value.fault is Fault.TOO_LATE
    assert (await read(world, message)).text == "a" * 200
    assert await world.balance(new.account) == 200_000 - 2 * message.price


async def test_a_number_that_was_blocked_meanwhile_gets_no_new_words(world: World) -> None:
    new = await world.account()
    message = await send_one(world, new, send_at=START + timedelta(days=1))
    await inbox.block_number(world.platform, caller(new), BlockNumber(message.peer))
    with pytest.raises(Refusal) as refused:
        await replacements.replace(world.platform, caller(new), ReplaceMessage(message.ref, "Again"))
    assert refused.value.fault is Fault.BLACKLISTED
