"""What an account may call, show and spend on calls."""

from collections.abc import Iterable
from datetime import timedelta

from phonenumbers import shortnumberinfo

from chappe.model.commands import Caller
from chappe.model.destinations import closed_prefix, is_opened
from chappe.model.directory import Account, AccountState
from chappe.model.errors import Fault, Refusal
from chappe.model.limits import CallLimits, judge
from chappe.model.numbers import NumberError, read_msisdn
from chappe.services import rules, sandbox
from chappe.services.ports import Platform
from chappe.services.routing import Way


async def on_behalf(platform: Platform, account_id: int, user_id: int | None, dialect: str) -> Caller:
    """On whose behalf the platform rings later what an account has asked for. Raises Refusal `not_found`,
    `account_suspended`."""
    account = await platform.store.queries.account(account_id)
    if account is None:
        raise Refusal(Fault.NOT_FOUND, "the account does not exist any more")
    if account.state is not AccountState.OPEN:
        raise Refusal(Fault.ACCOUNT_SUSPENDED, "the account is suspended")
    return Caller(
        account_id=account.id,
        guid=account.guid,
        kind=account.kind,
        default_sender=account.default_sender,
        user_id=user_id,
        user_name="",
        dialect=dialect,
        region=account.region,
        daily_cap=account.daily_cap,
        open_destinations=tuple(account.open_destinations.split()),
        calls_a_day=account.calls_a_day,
        calls_cap=account.calls_cap,
    )


async def way(platform: Platform, number: str) -> Way:
    """Which carrier takes a call to a number, and what a minute costs: to a line whose telephone registers it
    goes to that, for nothing. Raises Refusal `no_route`."""
    lines = platform.carriers.lines
    if lines and number in await platform.store.queries.telephone_numbers():
        return Way(lines, 0, to_line=True)
    return platform.router.way("call", number)


def check_joinable(carriers: Iterable[str], field: str = "to") -> None:
    """Raises Refusal `no_route` where parties of one call would be on several networks: legs of these cannot
    be joined."""
    networks = sorted(set(carriers))
    if len(networks) > 1:
        detail = (
            f"the parties of this call are on {' and '.join(networks)}, which cannot be joined (not built"
            " yet); the platform's operator can route both over one carrier"
        )
        raise Refusal(Fault.NO_ROUTE, detail, field)


def stays_inside(ways: Iterable[Way]) -> bool:
    """Whether a call that goes these ways rings nobody beyond the sandbox and the telephones of lines."""
    return all(way.carrier == sandbox.CARRIER or way.to_line for way in ways)


async def free(platform: Platform, account_id: int, cap: int) -> int:
    """What an account may still promise, in thousandths: what is free, and what its cap leaves of today."""
    account = await platform.store.queries.account(account_id)
    free = 0 if account is None else account.balance - account.reserved
    if cap:
        today = platform.clock.now().date().isoformat()
        promised = 0 if account is None else account.reserved
        free = min(free, cap - promised - await platform.store.queries.spent(account_id, today))
    return max(0, free)


def callable_number(platform: Platform, caller: Caller, raw: str, field: str) -> str:
    """An MSISDN that this account may call. Raises Refusal with the field: `destination_forbidden` for an
    emergency number and one that is closed, `invalid_recipient`."""
    digits = "".join(one for one in raw if one.isdigit())
    if shortnumberinfo.connects_to_emergency_number(digits, caller.region):
        raise Refusal(
            Fault.DESTINATION_FORBIDDEN,
            f"{raw} is an emergency number; this platform never calls one: use a telephone",
            field,
        )
    try:
        number = read_msisdn(raw, caller.region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_RECIPIENT, str(error), field) from error
    if closed_prefix(number) and not is_opened(number, caller.open_destinations):
        raise rules.closed(number, field)
    return number


async def shown_number(
    platform: Platform,
    caller: Caller,
    asked: str | None,
    other: str = "",
    *,
    is_virtual: bool = False,
    shows_other: bool = False,
    field: str = "shown",
) -> str:
    """The number that a party sees: "" hidden, or one that the account has a right to; None is its first line
    or number, with `shows_other` the other party's where the account may show that. Between virtual
    telephones the `other` party's may always be shown. Raises Refusal `invalid_sender` with the field."""
    if asked == "":
        return ""
    lines = [line.number for line in await platform.store.queries.lines(caller.account_id)]
    if asked is None:
        if shows_other and (is_virtual or other in lines or await rules.may_show(platform, caller, other)):
            return other
        own = [number.number for number in await platform.store.queries.own_numbers(caller.account_id)]
        return next(iter(lines + own), "")
    try:
        number = read_msisdn(asked, caller.region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_SENDER, str(error), field) from error
    if (is_virtual and number == other) or number in lines or await rules.may_show(platform, caller, number):
        return number
    raise Refusal(
        Fault.INVALID_SENDER,
        f"{number} is none of the account's numbers and was not proven to be its own, so it may not be shown"
        " (rule sender-right); ask the operator of this platform to register it",
        field,
    )


async def limits(platform: Platform, of: Caller | Account, *, is_virtual: bool, line: str = "") -> CallLimits:
    """What bounds another call of an account, of one of its lines where that is given; one that stays inside
    is only counted as open, as is each telephone that a conference has rung. A line's own limit counts those
    calls too in which it is called."""
    rules, account_id = platform.rules, of.account_id if isinstance(of, Caller) else of.id
    a_day, cap = (0, 0) if is_virtual else limits_of(platform, of)
    lines = await platform.store.queries.lines(account_id) if line else ()
    own = next((one.extension.calls_at_once for one in lines if one.number == line), 0)
    return CallLimits(
        account_id=account_id,
        at=platform.clock.now(),
        at_once=rules.calls_at_once,
        at_line=(own or rules.calls_at_once_per_line) if line else 0,
        line=line,
        both_ways=bool(own),
        a_minute=0 if is_virtual else rules.calls_a_minute,
        a_day=a_day,
        cap=cap,
        live_cost=platform.live_calls.cost_of(account_id) if cap else 0,
    )


async def called_limits(platform: Platform, account_id: int, line: str) -> CallLimits | None:
    """What bounds one more call that goes to a line of an account; None where it has no limit of its own."""
    lines = await platform.store.queries.lines(account_id)
    most = next((one.extension.calls_at_once for one in lines if one.number == line), 0)
    if not most:
        return None
    now = platform.clock.now()
    return CallLimits(account_id, now, at_line=most, line=line, both_ways=True, is_called=True)


async def check_room(platform: Platform, caller: Caller, *, is_virtual: bool) -> None:
    """Whether an account may have another call at this moment, where none is written (else its Changes say
    so themselves). Raises Refusal `too_many_calls`."""
    asked = await limits(platform, caller, is_virtual=is_virtual)
    if asked.is_bounded:
        refusal = judge(asked, await platform.store.queries.call_counts(asked))
        if refusal is not None:
            raise refusal


def limits_of(platform: Platform, of: Caller | Account) -> tuple[int, int]:
    """How many calls that leave the sandbox an account may place in a day, and what they may cost in
    thousandths; 0 for no limit."""
    rules = platform.rules
    a_day = rules.calls_a_day if of.calls_a_day is None else of.calls_a_day
    cap = rules.calls_cap if of.calls_cap is None else of.calls_cap
    return a_day, cap


async def spent_today(platform: Platform, account_id: int) -> tuple[int, int]:
    """How many calls that leave the sandbox an account has placed today (UTC), and what they have cost up to
    this moment in thousandths, those that are live here included."""
    today = platform.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    count, spent = await platform.store.queries.calls_placed(account_id, today)
    return count, spent + platform.live_calls.cost_of(account_id)


def price_of(rate: int, talk: timedelta) -> int:
    """What a talk costs at `rate` a minute, in thousandths."""
    return max(0, -(-rate * int(talk.total_seconds()) // 60))


def longest_affordable(balance: int, rate: int, wanted: timedelta) -> tuple[int, timedelta]:
    """What a call reserves that costs `rate` a minute and may last `wanted`, and how long that pays for:
    all of it, or what the balance still pays (thousandths)."""
    price = price_of(rate, wanted)
    if price <= balance:
        return price, wanted
    return balance, timedelta(seconds=balance * 60 // rate)
