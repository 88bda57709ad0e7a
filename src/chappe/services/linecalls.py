"""Calls to lines and from their telephones: what they dial, who is called, and what that may cost."""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from chappe.flows.line import LineCall
from chappe.flows.picking_up import PickingUp
from chappe.flows.program import Flow
from chappe.model.calls import Arrival, Call, CallKind, CallState, LegState
from chappe.model.commands import Caller
from chappe.model.directory import ANSWERPHONE, HANG_UP, Account, AccountState, Forwarding, Line
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import Hold
from chappe.model.numbers import NumberError, is_value_added, read_msisdn
from chappe.services import calling
from chappe.services.ports import Platform
from chappe.services.recordings import MESSAGES_TO
from chappe.services.routing import Way

LONGEST = timedelta(hours=2)
"""How long two may talk who have called by telephone (our choice)."""

PICK_UP = "*8"
"""What a telephone dials before a line's number, to take the call that rings there (our choice)."""

Begun = tuple[Call, Flow, Hold | None]

_REGION = "FR"
_SHORTEST_PAID = timedelta(seconds=10)
_PICK_UP = re.compile(re.escape(PICK_UP) + r"([0-9]+)")
SHORT_NUMBER = re.compile("[0-9]{2,6}")
"""What the telephones of an account may dial for one another (our choice)."""


async def received(platform: Platform, arrival: Arrival) -> Begun:
    """The call that an arrival from a line, or at one, begins; nothing is written yet. Raises Refusal: nobody
    has the number, it may not be called, or the account cannot pay for it."""
    caller_line = await platform.store.queries.line_by_number(arrival.line) if arrival.line else None
    if caller_line is not None:
        check_in_service(caller_line)
        if (found := _PICK_UP.fullmatch(arrival.dialled)) is not None:
            return await _pick_up(platform, arrival, caller_line, found[1])
    account_id = arrival.account_id if caller_line is None else caller_line.account_id
    called = await line_dialled(platform, account_id, arrival.dialled)
    # A virtual telephone lives in the world of its account: the lines of others are not there.
    if called is not None and arrival.account_id not in (0, called.account_id):
        called = None
    if caller_line is not None and (called is None or called.account_id != caller_line.account_id):
        return await _outgoing(platform, arrival, caller_line)
    if called is not None:
        check_in_service(called)
        return await _incoming(platform, arrival, called, caller_line)
    raise Refusal(Fault.NOT_FOUND, f"nobody takes calls to {arrival.dialled}", "to")


async def line_dialled(platform: Platform, account_id: int, written: str) -> Line | None:
    """The line that is meant by a number, or by a short number of the account."""
    if account_id and SHORT_NUMBER.fullmatch(written):
        line = await platform.store.queries.line_by_short_number(account_id, written)
        if line is not None:
            return line
    try:
        number = str(read_msisdn(written, _REGION))
    except NumberError:
        number = written
    return await platform.store.queries.line_by_number(number)


def check_in_service(line: Line) -> None:
    """Raises Refusal `not_found` for a line that is suspended: as if it were not there."""
    if line.extension.suspended:
        raise Refusal(Fault.NOT_FOUND, f"line {line.number} is suspended", "number")


async def check_outgoing(platform: Platform, line: Line, number: str, rate: int) -> int | None:
    """What a line may still spend on a call to a number that costs `rate` a minute, in thousandths; None for
    no limit of its own. Raises Refusal: `destination_forbidden` for a service that is blocked for it,
    `insufficient_credits` where its allowance of the month is used up."""
    extension = line.extension
    if extension.blocks_value_added and is_value_added(number):
        detail = (
            f"line {line.number} may not call services such as {number} (08): its account has blocked them"
        )
        raise Refusal(Fault.DESTINATION_FORBIDDEN, detail, "to")
    if not extension.limited or not rate:
        return None
    month = platform.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    spent = await platform.store.queries.cost_of_line(line.account_id, line.number, month)
    left = extension.allowance - spent
    if left * 60 < rate * _SHORTEST_PAID.total_seconds():
        detail = f"line {line.number} has used up its allowance of this month (UTC)"
        raise Refusal(Fault.INSUFFICIENT_CREDITS, detail, "to")
    return left


async def _outgoing(platform: Platform, arrival: Arrival, line: Line) -> Begun:
    """A line's telephone has dialled a number outside: judged like any call that its account places."""
    account, extension = await open_account(platform, line), line.extension
    caller = caller_of(account, line)
    number = calling.callable_number(platform, caller, arrival.dialled, "to")
    way = await calling.way(platform, number)
    calling.check_joinable((arrival.carrier, way.carrier))
    most = await check_outgoing(platform, line, number, way.price)
    reserved, cap = await reserve(platform, caller, way.price, most)
    hold = Hold(caller.account_id, reserved, cap) if reserved else None
    flow = LineCall(
        caller=line.number,
        called=number,
        shown=extension.shown or line.number,
        longest_seconds=int(LONGEST.total_seconds()),
        caller_line=line.number,
        language=_language(account),
        recorded=extension.recorded,
    )
    is_virtual = calling.stays_inside([way])
    return _call(platform, arrival, line, number, way.price, reserved, is_virtual), flow, hold


async def _incoming(platform: Platform, arrival: Arrival, line: Line, caller_line: Line | None) -> Begun:
    """Somebody calls a line. It costs nothing, but for what is forwarded outside; where the account cannot
    pay for that, it is not forwarded."""
    account, extension = await open_account(platform, line), line.extension
    caller = caller_of(account, line)
    lines = await platform.store.queries.lines(line.account_id)
    own = {one.number for one in lines}
    forwarding = await _reachable(platform, arrival, line, _forwarding(line, arrival.caller, lines))
    outside = [one for one in forwarding.targets if one not in ("", ANSWERPHONE, HANG_UP) and one not in own]
    reserved, rate = 0, 0
    hold: Hold | None = None
    ways: list[Way] = []
    try:
        numbers = [calling.callable_number(platform, caller, one, "to") for one in outside]
        ways = [await calling.way(platform, number) for number in numbers]
        calling.check_joinable([arrival.carrier, *(way.carrier for way in ways)])
        if ways:
            rate = max(way.price for way in ways)
            left = [await check_outgoing(platform, line, number, rate) for number in numbers]
            reserved, cap = await reserve(platform, caller, rate, left[0])
            hold = Hold(caller.account_id, reserved, cap) if reserved else None
    except Refusal:
        forwarding = _without(forwarding, outside)
        rate, ways = 0, []
    from_line = "" if caller_line is None else caller_line.number
    flow = LineCall(
        caller=arrival.caller,
        called=line.number,
        shown=arrival.caller,
        longest_seconds=int(LONGEST.total_seconds()),
        caller_line=from_line,
        is_line=True,
        forwarding=forwarding,
        shown_forwarded=line.number,
        greeting=line.greeting,
        language=_language(account),
        message=extension.message if extension.plays_message else "",
        recorded=extension.recorded or (caller_line is not None and caller_line.extension.recorded),
    )
    is_virtual = calling.stays_inside(ways)
    call = _call(platform, arrival, line, line.number, rate, reserved, is_virtual)
    if extension.voicemail_mail:
        call = replace(call, plan={**call.plan, MESSAGES_TO: extension.voicemail_mail})
    return call, flow, hold


def _language(account: Account) -> str:
    return "en" if account.locale.startswith("en") else "fr"


async def _reachable(platform: Platform, arrival: Arrival, line: Line, forwarding: Forwarding) -> Forwarding:
    """Forwarding as it holds for somebody who came over this network: a line whose telephone is on another
    one cannot be reached from here. Raises Refusal `no_route` where nothing is said for that."""
    if forwarding.always or not line.sip_user:
        return forwarding
    way = await calling.way(platform, line.number)
    if way.carrier == arrival.carrier:
        return forwarding
    if not forwarding.unreachable:
        calling.check_joinable((arrival.carrier, way.carrier))
    return replace(forwarding, always=forwarding.unreachable)


def _forwarding(line: Line, caller: str, lines: Collection[Line]) -> Forwarding:
    """Where a line's calls go: all of them to its secretary while she takes them, but her own."""
    extension, forwarding = line.extension, _with_numbers(line.forwarding, lines)
    if not extension.secretary_active or not extension.secretary:
        return forwarding
    hers = _with_numbers(Forwarding(extension.secretary, always_shows_caller=True), lines)
    if caller == hers.always:
        return forwarding
    return replace(forwarding, always=hers.always, always_shows_caller=True)


def _with_numbers(forwarding: Forwarding, lines: Collection[Line]) -> Forwarding:
    """Forwarding with the numbers of lines in place of their short numbers."""
    numbers = {line.short_number: line.number for line in lines if line.short_number}

    def number(target: str) -> str:
        return numbers.get(target, target)

    return replace(
        forwarding,
        always=number(forwarding.always),
        busy=number(forwarding.busy),
        unreachable=number(forwarding.unreachable),
        no_answer=number(forwarding.no_answer),
    )


async def _pick_up(platform: Platform, arrival: Arrival, line: Line, written: str) -> Begun:
    """The call that rings at another line of the account goes to this one. Raises Refusal `not_found`,
    `not_allowed` for a line that may not pick up."""
    await open_account(platform, line)
    check_pick_up(line)
    rung = await line_dialled(platform, line.account_id, written)
    number = written if rung is None else rung.number
    board = platform.live_calls.board
    for call in board.live_calls():
        if call.account_id != line.account_id:
            continue
        legs = board.live_legs(call.id)
        if any(
            leg.number == number and leg.state is LegState.RINGING and not leg.inbound
            for leg in legs.values()
        ):
            if not board.can_join(call.id, arrival.carrier, arrival.leg_id):
                detail = f"the call that rings at {number} is on another network, or on another switch"
                raise Refusal(Fault.NO_ROUTE, detail, "to")
            flow = PickingUp(call.id, f"picker {arrival.leg_id}")
            return _call(platform, arrival, line, number, 0, 0, True), flow, None
    raise Refusal(Fault.NOT_FOUND, f"no call rings at {number}", "to")


def check_pick_up(line: Line) -> None:
    """Raises Refusal `not_allowed` for a line that may not take the calls of others."""
    if not line.extension.may_pick_up:
        raise Refusal(Fault.NOT_ALLOWED, f"line {line.number} may not take calls that ring elsewhere", "line")


def _without(forwarding: Forwarding, targets: list[str]) -> Forwarding:
    def kept(target: str) -> str:
        return "" if target in targets else target

    return replace(
        forwarding,
        always=kept(forwarding.always),
        busy=kept(forwarding.busy),
        unreachable=kept(forwarding.unreachable),
        no_answer=kept(forwarding.no_answer),
    )


async def open_account(platform: Platform, line: Line) -> Account:
    """The account of a line. Raises Refusal `account_suspended`."""
    account = await platform.store.queries.account(line.account_id)
    if account is None or account.state is not AccountState.OPEN:
        raise Refusal(Fault.ACCOUNT_SUSPENDED, f"the account of line {line.number} is suspended")
    return account


def caller_of(account: Account, line: Line) -> Caller:
    """Who calls from a line's telephone."""
    return Caller(
        account_id=account.id,
        guid=account.guid,
        kind=account.kind,
        default_sender=account.default_sender,
        user_id=None,
        user_name=line.number,
        dialect="",
        region=_REGION,
        daily_cap=account.daily_cap,
        open_destinations=tuple(account.open_destinations.split()),
        calls_a_day=account.calls_a_day,
        calls_cap=account.calls_cap,
    )


async def reserve(platform: Platform, caller: Caller, rate: int, most: int | None = None) -> tuple[int, int]:
    """What is to be held of the balance, `most` of it, for a party that costs `rate` a minute, and the cap
    that bounds it (thousandths). Raises Refusal `insufficient_credits`."""
    cap = platform.rules.daily_cap if caller.daily_cap is None else caller.daily_cap
    balance = await calling.free(platform, caller.account_id, cap)
    if most is not None:
        balance = min(balance, most)
    amount, payable = calling.longest_affordable(balance, rate, LONGEST)
    if payable < _SHORTEST_PAID:
        seconds = int(payable.total_seconds())
        detail = f"the credits that are left pay {seconds} seconds of this call; buy some"
        raise Refusal(Fault.INSUFFICIENT_CREDITS, detail, "to")
    return amount, cap


def _call(
    platform: Platform, arrival: Arrival, line: Line, called: str, rate: int, reserved: int, is_virtual: bool
) -> Call:
    return Call(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=line.account_id,
        kind=CallKind.LINE,
        state=CallState.LIVE,
        first=arrival.caller,
        second=called,
        plan={"rate": rate},
        dialect="",
        created_at=arrival.at,
        seen_at=platform.clock.now(),
        node=platform.node,
        reserved=reserved,
        is_virtual=is_virtual,
    )
