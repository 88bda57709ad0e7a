"""Place, end and look at calls; what happens while they are live is services/switchboard.py."""

import re
from dataclasses import replace
from datetime import timedelta

from chappe.flows import program
from chappe.flows.two_leg import CONFIRMING, TwoLeg
from chappe.model.calls import Call, CallKind, CallState, CallStory
from chappe.model.changes import Changes
from chappe.model.commands import Caller, FindCall, HangUpCall, ListCalls, PlaceCall
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.history import Page, StoredOutcome
from chappe.model.ledger import Hold
from chappe.services import calling, callnotices, history, sandbox
from chappe.services.accounts import looks_like_mail
from chappe.services.handover import Handed
from chappe.services.ports import Platform
from chappe.services.recordings import RECORD_TO

_REF = re.compile("[0-9a-z]{26}")

RING = timedelta(seconds=30)
USUAL = timedelta(hours=1)
LONGEST = timedelta(hours=2)
_LONGEST_RING = timedelta(minutes=2)
_SHORTEST_PAID = timedelta(seconds=10)
"""How long a party rings and two may talk where the caller says nothing, the most that may be asked for,
and the talk that a balance must at least pay for (all our choice)."""


async def place(platform: Platform, caller: Caller, command: PlaceCall) -> CallStory:
    """Begin a two-leg call: what its longest talk costs is reserved, and it is live when this returns.

    Raises Refusal before anything is written: a number that cannot be called or is closed, a number that
    the account may not show, too many calls at once, too few credits. A command with a key that was used
    before places nothing; the same key for another request is refused.
    """
    platform.store.admit()
    if command.record_to and not looks_like_mail(command.record_to):
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{command.record_to!r} is no mail address; write one like name@example.com",
            "record_to",
        )
    if (earlier := await _earlier(platform, caller, command)) is not None:
        return earlier
    board = platform.live_calls.board
    first = calling.callable_number(platform, caller, command.first, "first")
    second = calling.callable_number(platform, caller, command.second, "second")
    ways = [await calling.way(platform, number) for number in (first, second)]
    calling.check_joinable((way.carrier for way in ways), "second")
    is_virtual = all(way.carrier == sandbox.CARRIER for way in ways)
    is_inside = calling.stays_inside(ways)
    longest = _within(command.longest, USUAL, LONGEST, "longest")
    ring = _within(command.ring, RING, _LONGEST_RING, "ring")
    may_show = {"is_virtual": is_virtual, "shows_other": command.shows_parties}
    shown_first = await calling.shown_number(
        platform, caller, command.shown_to_first, second, field="shown_to_first", **may_show
    )
    shown_second = await calling.shown_number(
        platform, caller, command.shown_to_second, first, field="shown_to_second", **may_show
    )
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    rate = sum(way.price for way in ways)
    # The first party waits, and pays, while the second one rings and thinks.
    paid = longest + ring + CONFIRMING
    now = platform.clock.now()
    flow = TwoLeg(
        first=first,
        second=second,
        shown_to_first=shown_first,
        shown_to_second=shown_second,
        ring_seconds=int(ring.total_seconds()),
        longest_seconds=int(longest.total_seconds()),
        confirm=command.confirm,
        language=command.language,
        line=command.line,
        tells_lines=command.tells_lines,
        recorded=command.record or bool(command.record_to),
    )
    plan: dict[str, object] = {
        "rate": rate,
        "longest": flow.longest_seconds,
        "confirm": command.confirm,
        "recorded": flow.recorded,
    }
    if command.record_to:
        plan[RECORD_TO] = command.record_to
    call = Call(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=caller.account_id,
        kind=CallKind.TWO_LEG,
        state=CallState.LIVE,
        first=first,
        second=second,
        plan=plan,
        dialect=caller.dialect,
        created_at=now,
        seen_at=now,
        node=platform.node,
        reserved=calling.price_of(rate, paid),
        reference=command.reference[:255],
        exchange_id=caller.exchange_id,
        user_id=caller.user_id,
        is_virtual=is_inside,
    )
    reach = [(caller.account_id, first), (caller.account_id, second)]
    legs = await board.prepare(call, flow)
    beside: list[object] = [*legs]
    if command.replay is not None:
        key, fingerprint = command.replay.key, command.replay.fingerprint
        beside.append(
            StoredOutcome(platform.ids.new_id(), caller.account_id, key, fingerprint, {"call": call.ref}, now)
        )
    handed = Handed(platform.handover, platform.node)
    await callnotices.hand(platform, handed, CallStory(call, tuple(legs)), EventName.CALL_STARTED, now)
    limits = [await calling.limits(platform, caller, is_virtual=is_inside, line=command.line)]
    changes = Changes(insert=beside, reach=reach, enqueue=handed.jobs, limits=limits)
    try:
        call = await _write(platform, call, changes, cap, rate, paid, least=min(longest, _SHORTEST_PAID))
    except BaseException as error:
        board.forget(call.id)
        handed.release()
        if isinstance(error, Refusal) and error.fault is Fault.ALREADY_EXISTS:
            twin = await _earlier(platform, caller, command)  # which came at the same moment
            if twin is not None:
                return twin
        raise
    callnotices.written(platform, call, handed)
    board.begin(call, flow)
    return CallStory(call)


async def _write(
    platform: Platform, call: Call, beside: Changes, cap: int, rate: int, paid: timedelta, least: timedelta
) -> Call:
    """Write a call that holds what `paid` costs, or else what there is, where that is enough for the `least`
    talk. Nobody asks in advance how much there is: the hold itself is guarded."""
    account_id, store = call.account_id, platform.store

    def written(call: Call) -> Changes:
        holds = [Hold(account_id, call.reserved, cap)] if call.reserved else []
        return beside._replace(insert=[call, *beside.insert], hold=holds)

    try:
        await store.commit(written(call))
        return call
    except Refusal as refusal:
        if refusal.fault is not Fault.INSUFFICIENT_CREDITS:
            raise
    free = await calling.free(platform, account_id, cap)
    reserve, payable = calling.longest_affordable(free, rate, paid)
    if payable < least:
        seconds = int(payable.total_seconds())
        detail = f"the credits that are left pay {seconds} seconds of this call; buy some"
        raise Refusal(Fault.INSUFFICIENT_CREDITS, detail)
    call = replace(call, reserved=reserve)
    await store.commit(written(call))
    return call


async def _earlier(platform: Platform, caller: Caller, command: PlaceCall) -> CallStory | None:
    """The call that an earlier command with the same key placed, as it was then."""
    stored = await history.replayed(platform, caller, command.replay)
    if stored is None:
        return None
    call = await platform.store.queries.call_by_ref(caller.account_id, str(stored.outcome["call"]))
    return None if call is None else replace(CallStory(call).as_of(call.created_at), replayed=True)


def _within(asked: timedelta | None, usual: timedelta, most: timedelta, field: str) -> timedelta:
    if asked is None:
        return usual
    if not timedelta(seconds=1) <= asked <= most:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{asked.total_seconds():g} seconds are not accepted; ask for 1 to {most.total_seconds():g}",
            field,
        )
    return asked


async def find(platform: Platform, caller: Caller, command: FindCall) -> CallStory:
    """One call with its legs. Raises Refusal `not_found`."""
    known = _REF.fullmatch(command.ref)
    call = known and await platform.store.queries.call_by_ref(caller.account_id, command.ref)
    if call is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no call {command.ref}", "id")
    return CallStory(call, await platform.store.queries.legs_of(caller.account_id, [call.id]))


async def hang_up(platform: Platform, caller: Caller, command: HangUpCall) -> CallStory:
    """End a call. Raises Refusal `not_found`, `too_late` where it is over."""
    live = platform.live_calls.story(caller.account_id, command.ref)
    story = live or await find(platform, caller, FindCall(command.ref))
    call = story.call
    if call.state is CallState.OVER:
        raise Refusal(
            Fault.TOO_LATE, f"call {call.ref} is over since {call.over_at:%Y-%m-%d %H:%M:%S} UTC", "id"
        )
    if not platform.live_calls.board.ask(call.id, program.AskedToHangUp()):
        raise Refusal(
            Fault.TOO_LATE, f"call {call.ref} is worked by another node, which cannot be asked yet", "id"
        )
    return story


async def list_calls(platform: Platform, caller: Caller, command: ListCalls) -> Page[CallStory]:
    """A page of the account's calls with their legs, newest first."""
    limit = max(1, min(command.limit, 100))
    found = await platform.store.queries.list_calls(caller.account_id, replace(command, limit=limit + 1))
    page = found[:limit]
    legs = await platform.store.queries.legs_of(caller.account_id, [call.id for call in page]) if page else ()
    stories = tuple(CallStory(call, tuple(leg for leg in legs if leg.call_id == call.id)) for call in page)
    return Page(stories, page[-1].id if len(found) > limit else None)
