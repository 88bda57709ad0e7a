"""Past messages, each with all that happened to it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chappe.model.calls import CallStory
from chappe.model.commands import Caller, FindAnything, FindMessages, ListMessages, Refused, Replay
from chappe.model.conferences import ConferenceStory
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Exchange, MessageStory, Page, StoredOutcome
from chappe.model.messages import Direction, Message, MessageState
from chappe.services import conferencenotices
from chappe.services.ports import Platform

_REF = re.compile("[0-9a-z]{26}")
_REFS_AT_ONCE = 500
_NEVER_RELEASED = frozenset({MessageState.SCHEDULED, MessageState.CANCELLED})


async def by_ref(platform: Platform, account_id: int, refs: Sequence[str]) -> dict[str, Message]:
    """The account's messages with these refs, which may be anything that a client wrote, however many."""
    # A database refuses a question with NUL, half characters or too many values.
    asked = list(dict.fromkeys(ref for ref in refs if _REF.fullmatch(ref)))
    found: dict[str, Message] = {}
    for start in range(0, len(asked), _REFS_AT_ONCE):
        some = asked[start : start + _REFS_AT_ONCE]
        found |= {m.ref: m for m in await platform.store.queries.messages_by_ref(account_id, some)}
    return found


async def find_messages(
    platform: Platform, caller: Caller, command: FindMessages
) -> tuple[MessageStory | Refused, ...]:
    """For each ref in order the message with its timeline, or `not_found` (also where it is another
    account's)."""
    found = await by_ref(platform, caller.account_id, command.refs)
    stories: list[MessageStory | Refused] = []
    for ref in command.refs:
        message = found.get(ref)
        if message is None:
            stories.append(Refused(ref, Fault.NOT_FOUND, f"there is no message {ref}"))
        else:
            told = (
                await platform.store.queries.notices_of(caller.account_id, message.id)
                if command.notices
                else ()
            )
            stories.append(MessageStory(message, timeline(message), told, ()))
    return tuple(stories)


async def replayed(platform: Platform, caller: Caller, replay: Replay | None) -> StoredOutcome | None:
    """The outcome of an earlier command with the same key, None for none. Raises Refusal `invalid_parameter`
    where that was another request."""
    if replay is None:
        return None
    stored = await platform.store.queries.replay(caller.account_id, replay.key)
    if stored is not None and stored.fingerprint != replay.fingerprint:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"the idempotency key {replay.key!r} was used for another request; use a new key",
            "idempotency_key",
        )
    return stored


async def find_anything(
    platform: Platform, caller: Caller, command: FindAnything
) -> MessageStory | CallStory | ConferenceStory:
    """A message, a call or a conference by its ref. Raises Refusal `not_found`."""
    (found,) = await find_messages(platform, caller, FindMessages((command.ref,)))
    if isinstance(found, MessageStory):
        return found
    if _REF.fullmatch(command.ref):
        call = await platform.store.queries.call_by_ref(caller.account_id, command.ref)
        if call is not None:
            return CallStory(call, await platform.store.queries.legs_of(caller.account_id, [call.id]))
        conference = await platform.store.queries.conference_by_ref(caller.account_id, command.ref)
        if conference is not None:
            return await conferencenotices.story_of(platform, conference)
    raise Refusal(found.fault, found.detail)


async def read_story(platform: Platform, caller: Caller, ref: str) -> MessageStory | None:
    """One message with its notices and the exchanges about it, for the console."""
    message = (await by_ref(platform, caller.account_id, [ref])).get(ref)
    if message is None:
        return None
    notices = await platform.store.queries.notices_of(caller.account_id, message.id)
    exchanges: list[Exchange] = []
    if message.exchange_id is not None:
        asked = await platform.store.queries.exchange(caller.account_id, message.exchange_id)
        exchanges += [asked] if asked is not None else []
    if notices:
        jobs = [job.id for job in notices]
        exchanges += await platform.store.queries.exchanges_of_jobs(caller.account_id, jobs)
    return MessageStory(message, timeline(message), notices, tuple(exchanges))


def timeline(message: Message) -> tuple[tuple[MessageState, datetime], ...]:
    """The states a message went through, from its own time stamps, oldest first."""
    steps: list[tuple[MessageState, datetime]] = []
    if message.direction is Direction.MT:
        waited = message.send_at is not None
        steps.append((MessageState.SCHEDULED if waited else MessageState.QUEUED, message.created_at))
        if message.send_at is not None and message.state not in _NEVER_RELEASED:
            steps.append((MessageState.QUEUED, message.send_at))
        if message.sending_at is not None:
            steps.append((MessageState.SENDING, message.sending_at))
        if message.sent_at is not None:
            steps.append((MessageState.SENT, message.sent_at))
    if message.finished_at is not None:
        steps.append((message.state, message.finished_at))
    return tuple(steps)


async def list_messages(platform: Platform, caller: Caller, command: ListMessages) -> Page[Message]:
    """A page of the account's messages, newest first."""
    limit = max(1, min(command.limit, 100))
    found = await platform.store.queries.list_messages(caller.account_id, replace(command, limit=limit + 1))
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


async def ref_of(platform: Platform, caller: Caller, message_id: int) -> str | None:
    """The ref of a message known by its id, as telephones and notices know it."""
    message = await platform.store.queries.message(caller.account_id, message_id)
    return None if message is None else message.ref
