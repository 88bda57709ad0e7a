"""Callbacks: what visitors ask, judged and kept until it is due; looked at, called off.

How they are called is services/callbackattempts.py; what becomes of them services/callbackends.py.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from chappe.model.callbacks import (
    LABEL_LENGTH,
    LABELS,
    BlockAddress,
    BlockedAddress,
    CallbackForm,
    CallbackRequest,
    CallbackState,
    CallbackStory,
    CancelCallback,
    FindCallback,
    FindForm,
    ListBlockedAddresses,
    ListCallbacks,
    RequestCallback,
    UnblockAddress,
)
from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.history import Page, StoredOutcome
from chappe.model.numberkinds import kind_of
from chappe.services import callbackends, callbackforms, callbacknotices, calling, history
from chappe.services.ports import Platform

LONGEST_NAME = 100
LONGEST_ORIGIN = 500
FAR = timedelta(days=30)
USUAL_TALK, LONGEST_TALK = timedelta(hours=1), timedelta(hours=2)
USUAL_RETRY, SHORTEST_RETRY, LONGEST_RETRY = timedelta(minutes=2), timedelta(seconds=10), timedelta(days=1)
MOST_TRIES = 10
_SHORTEST_TALK = timedelta(seconds=10)
_SHORTEST_PAID = 10
"""Our choice: letters of a name and of where a request came from, how far ahead one may be, how long two may
talk, the pauses between tries and how many those may be, and how many seconds the balance must pay for."""

_HOUR = timedelta(hours=1)
_MOST_BLOCKED = 1_000
_RACES = 50
_NUMBER = re.compile("[0-9]{1,18}")
_REF = re.compile("[0-9a-z]{26}")


# --- asked for


async def request(platform: Platform, caller: Caller, command: RequestCallback) -> CallbackStory:
    """Keep what a visitor asks until it is due.

    Raises Refusal before anything is written: no such form, a number that cannot be called, is closed,
    blocked or not where the form may call, a blocked address, too many requests, too few credits. What was
    asked with the same key, or for the same number a moment ago, is told again (`replayed`).
    """
    platform.store.admit()
    if (earlier := await _earlier(platform, caller, command)) is not None:
        return earlier
    async with platform.live_calls.turn(caller.account_id):
        for _ in range(_RACES):
            try:
                return await _request(platform, caller, command)
            except Refusal as refusal:
                # Another node has taken a request by this form, or this key, at the same moment.
                if refusal.fault not in (Fault.TOO_LATE, Fault.ALREADY_EXISTS):
                    raise
            if (earlier := await _earlier(platform, caller, command)) is not None:
                return earlier
    raise Refusal(Fault.RATE_LIMITED, "too many ask by this form at this moment: try again")


async def _request(platform: Platform, caller: Caller, command: RequestCallback) -> CallbackStory:
    form = await callbackforms.find(platform, caller, FindForm(command.form))
    asked = await _read(platform, caller, form, command)
    now = asked.created_at
    if form.repeat_seconds:
        since = now - timedelta(seconds=form.repeat_seconds)
        repeated = await platform.store.queries.repeated_callback(
            caller.account_id, form.id, asked.visitor, since
        )
        if repeated is not None:
            return replace(await _story(platform, repeated), replayed=True)
    await _check_budgets(platform, form, asked)
    await _check_credit(platform, caller, asked)
    number = await platform.store.count_up(f"callbacks {caller.account_id}")
    asked = replace(asked, number=number)
    jobs = [callbackends.start_job(platform, asked)]
    jobs += await callbacknotices.notices(platform, asked, EventName.CALLBACK_REQUESTED, now)
    insert: list[object] = [asked]
    if command.replay is not None:
        key, fingerprint = command.replay.key, command.replay.fingerprint
        outcome: dict[str, object] = {"callback": asked.ref}
        insert.append(StoredOutcome(platform.ids.new_id(), caller.account_id, key, fingerprint, outcome, now))
    # Guarded: of two that were judged at one moment by two nodes the second is judged again.
    counted = Update(
        CallbackForm,
        form.id,
        caller.account_id,
        {"asked": form.asked + 1},
        {"asked": form.asked, "removed_at": None},
    )
    reach = [(caller.account_id, asked.visitor)]
    await platform.store.commit(Changes(insert=insert, reach=reach, update=[counted], enqueue=jobs))
    callbacknotices.ring(platform, asked, jobs)
    return CallbackStory(asked, form)


async def _read(
    platform: Platform, caller: Caller, form: CallbackForm, command: RequestCallback
) -> CallbackRequest:
    """The request as it would be kept, judged by itself."""
    now = platform.clock.now()
    visitor = calling.callable_number(platform, caller, command.visitor, "visitor")
    destination = kind_of(visitor)
    if not destination or (form.allowed is not None and destination not in form.allowed):
        raise Refusal(
            Fault.DESTINATION_FORBIDDEN,
            f"the form {form.number} does not call {visitor}"
            + (
                f" ({destination}): allow that destination"
                if destination
                else ": nobody has a telephone there"
            ),
            "visitor",
        )
    address = await _address(platform, caller, command.address)
    due = _due(command, now)
    if not 1 <= (tries := 1 if command.tries is None else command.tries) <= MOST_TRIES:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{tries} tries are not accepted; ask for 1 to {MOST_TRIES}", "tries"
        )
    return CallbackRequest(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=caller.account_id,
        form_id=form.id,
        number=0,
        visitor=visitor,
        address=address,
        state=CallbackState.WAITING,
        source=command.source,
        dialect=caller.dialect,
        destination=destination,
        created_at=now,
        due_at=due,
        delay_seconds=int((due - now).total_seconds()),
        tries=tries,
        retry_seconds=_seconds(command.retry, USUAL_RETRY, SHORTEST_RETRY, LONGEST_RETRY, "retry"),
        longest_seconds=_seconds(command.longest, USUAL_TALK, _SHORTEST_TALK, LONGEST_TALK, "longest"),
        recorded=form.recorded if command.recorded is None else command.recorded,
        name=" ".join(command.name.split())[:LONGEST_NAME],
        labels=_labels(command.labels),
        origin=command.origin[:LONGEST_ORIGIN],
    )


def _due(command: RequestCallback, now: datetime) -> datetime:
    due = now
    if command.due_at is not None:
        due = command.due_at
    elif command.delay is not None:
        if command.delay < timedelta(0):
            raise Refusal(Fault.INVALID_PARAMETER, "a delay is 0 seconds or more", "delay")
        due = now + min(command.delay, FAR * 2)
    if due > now + FAR:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{due.isoformat()} is more than {FAR.days} days ahead", "due_at"
        )
    return max(due, now)


def _seconds(asked: timedelta | None, usual: timedelta, least: timedelta, most: timedelta, field: str) -> int:
    wanted = usual if asked is None else asked
    if not least <= wanted <= most:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{wanted.total_seconds():g} seconds are not accepted; ask for {least.total_seconds():g} to"
            f" {most.total_seconds():g}",
            field,
        )
    return int(wanted.total_seconds())


def _labels(given: Sequence[str]) -> tuple[str, str, str]:
    if len(given) > LABELS:
        raise Refusal(Fault.INVALID_PARAMETER, f"a form has {LABELS} fields of its own", "labels")
    texts = [" ".join(one.split()) for one in given]
    for text in texts:
        if len(text) > LABEL_LENGTH:
            detail = f"{text[:40]!r} is longer than the {LABEL_LENGTH} letters that such a field has"
            raise Refusal(Fault.INVALID_PARAMETER, detail, "labels")
    first, second, third = (texts + [""] * LABELS)[:LABELS]
    return first, second, third


async def _check_budgets(platform: Platform, form: CallbackForm, asked: CallbackRequest) -> None:
    """Raises Refusal `rate_limited` where a form, or an address, has asked as often as it may within an
    hour."""
    by_form, by_address = await platform.store.queries.callbacks_since(
        form.account_id, asked.created_at - _HOUR, form.id, _network(asked.address)
    )
    if form.per_address and asked.address and by_address >= form.per_address:
        raise Refusal(
            Fault.RATE_LIMITED,
            f"{by_address} callbacks were asked for from {asked.address} within an hour, as many as are"
            " taken: try again later",
            "address",
        )
    if form.per_hour and by_form >= form.per_hour:
        raise Refusal(
            Fault.RATE_LIMITED,
            f"{by_form} callbacks were asked for by the form {form.number} within an hour, as many as it"
            " takes: try again later",
        )


async def _check_credit(platform: Platform, caller: Caller, asked: CallbackRequest) -> None:
    """Raises Refusal `insufficient_credits`, `no_route`: the visitor alone could not be called."""
    way = await calling.way(platform, asked.visitor)
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    free = await calling.free(platform, caller.account_id, cap)
    if way.price and free * 60 < way.price * _SHORTEST_PAID:
        raise Refusal(
            Fault.INSUFFICIENT_CREDITS, "the credits that are left pay for no call to this visitor; buy some"
        )


# --- addresses


def _canonical(written: str) -> IPv4Address | IPv6Address:
    address = ip_address(written.strip())
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(address: str) -> str:
    """What the addresses of one visitor begin with: the whole of IPv4, of IPv6 the 64 bits that everybody
    has to himself (RFC 6177)."""
    return address[:20] if ":" in address else address


async def _address(platform: Platform, caller: Caller, written: str) -> str:
    """An IP address as it is kept, IPv6 in full. Raises Refusal `invalid_parameter`, `blacklisted`."""
    if not written.strip():
        return ""
    try:
        address = _canonical(written)
    except ValueError:
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:60]!r} is no IP address", "address") from None
    for blocked in await platform.store.queries.blocked_addresses(caller.account_id):
        if address in ip_network(blocked.address):
            raise Refusal(
                Fault.BLACKLISTED, f"{address} is blocked by this account ({blocked.address})", "address"
            )
    return address.exploded


async def block_address(platform: Platform, caller: Caller, command: BlockAddress) -> None:
    """Take no requests from an address or a network any more. Raises Refusal `invalid_parameter`."""
    platform.store.admit()
    address = _blockable(command.address)
    blocked = await platform.store.queries.blocked_addresses(caller.account_id)
    if any(one.address == address for one in blocked):
        return
    if len(blocked) >= _MOST_BLOCKED:
        raise Refusal(
            Fault.NOT_ALLOWED, f"{_MOST_BLOCKED} addresses are blocked: block their networks (CIDR) instead"
        )
    record = BlockedAddress(platform.ids.new_id(), caller.account_id, address, platform.clock.now())
    try:
        await platform.store.commit(Changes(insert=[record]))
    except Refusal as refusal:
        if refusal.fault is not Fault.ALREADY_EXISTS:
            raise


async def unblock_address(platform: Platform, caller: Caller, command: UnblockAddress) -> None:
    """Take requests from there again. Raises Refusal `not_found`."""
    address = _blockable(command.address)
    for one in await platform.store.queries.blocked_addresses(caller.account_id):
        if one.address == address:
            await platform.store.commit(Changes(delete=[Delete(BlockedAddress, one.id, caller.account_id)]))
            return
    raise Refusal(Fault.NOT_FOUND, f"{address} is not blocked", "address")


async def list_blocked_addresses(
    platform: Platform, caller: Caller, command: ListBlockedAddresses
) -> tuple[str, ...]:
    """The blocked addresses and networks."""
    return tuple(one.address for one in await platform.store.queries.blocked_addresses(caller.account_id))


def _blockable(written: str) -> str:
    try:
        network = ip_network(written.strip(), strict=False)
    except ValueError:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{written[:60]!r} is neither an IP address nor a network; write one like 192.0.2.7 or"
            " 192.0.2.0/24",
            "address",
        ) from None
    if isinstance(network, IPv6Network) and (mapped := network.network_address.ipv4_mapped) is not None:
        network = ip_network(f"{mapped}/{max(0, network.prefixlen - 96)}", strict=False)
    return str(network.network_address if network.num_addresses == 1 else network)


# --- looked at, called off


async def _earlier(platform: Platform, caller: Caller, command: RequestCallback) -> CallbackStory | None:
    stored = await history.replayed(platform, caller, command.replay)
    if stored is None:
        return None
    ref = str(stored.outcome.get("callback", ""))
    found = await platform.store.queries.callback_by_ref(caller.account_id, ref)
    return None if found is None else replace(await _story(platform, found), replayed=True)


async def _story(platform: Platform, found: CallbackRequest) -> CallbackStory:
    story = await callbacknotices.story_of(platform, found)
    if story is None:
        raise Refusal(Fault.NOT_FOUND, "the form of this callback does not exist any more", "form")
    return story


async def find(platform: Platform, caller: Caller, command: FindCallback) -> CallbackStory:
    """One callback with the call of its last attempt, by number or ref. Raises Refusal `not_found`."""
    found, written = None, command.request.strip()
    if _REF.fullmatch(written):
        found = await platform.store.queries.callback_by_ref(caller.account_id, written)
    elif _NUMBER.fullmatch(written):
        found = await platform.store.queries.callback_numbered(caller.account_id, int(written))
    if found is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no callback {written[:60]}", "request")
    return await _story(platform, found)


async def cancel(platform: Platform, caller: Caller, command: CancelCallback) -> CallbackStory:
    """Call a callback off that is not being called; between two tries there is still time for it. Raises
    Refusal `not_found`, also where it is none of the `form` that is given, and `too_late`."""
    for _ in range(_RACES):
        story = await find(platform, caller, FindCallback(command.request))
        if command.form and command.form not in (str(story.form.number), story.form.ref):
            detail = f"callback {command.request} was not asked for by the form {command.form}"
            raise Refusal(Fault.NOT_FOUND, detail, "request")
        if story.request.state is not CallbackState.WAITING:
            break
        cancelled = await callbackends.cancel(platform, story.request)
        if cancelled is not None:
            return replace(story, request=cancelled)
    raise Refusal(
        Fault.TOO_LATE,
        f"callback {story.request.number} is {story.request.state.value}: only what waits can be called off",
        "request",
    )


async def list_callbacks(platform: Platform, caller: Caller, command: ListCallbacks) -> Page[CallbackStory]:
    """A page of the account's callbacks without their calls, newest first unless the oldest are wanted first.
    Raises Refusal `not_found` for a form that the account never had."""
    form_id, limit = None, max(1, min(command.limit, 1_000))
    if command.form:
        form = await callbackforms.form_of(platform, caller.account_id, command.form)
        if form is None:
            raise Refusal(Fault.NOT_FOUND, f"there is no callback form {command.form}", "form")
        form_id = form.id
    queries = platform.store.queries
    found = await queries.list_callbacks(caller.account_id, form_id, replace(command, limit=limit + 1))
    page, forms = found[:limit], dict[int, CallbackForm]()
    for one in {request.form_id for request in page}:
        if (form := await queries.callback_form(caller.account_id, one)) is not None:
            forms[one] = form
    stories = tuple(CallbackStory(one, forms[one.form_id]) for one in page if one.form_id in forms)
    return Page(stories, page[-1].id if len(found) > limit else None)
