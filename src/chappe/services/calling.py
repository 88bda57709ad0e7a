"""What an account may call, show and spend on calls."""

from datetime import timedelta

from phonenumbers import shortnumberinfo

from chappe.model.commands import Caller
from chappe.model.destinations import closed_prefix, is_opened
from chappe.model.errors import Fault, Refusal
from chappe.model.numbers import NumberError, read_msisdn
from chappe.services import rules
from chappe.services.ports import Platform


async def free(platform: Platform, caller: Caller, cap: int) -> int:
    """What the account may still promise, in thousandths: what is free, and what its cap leaves of today."""
    account = await platform.store.queries.account(caller.account_id)
    free = 0 if account is None else account.balance - account.reserved
    if cap:
        today = platform.clock.now().date().isoformat()
        promised = 0 if account is None else account.reserved
        free = min(free, cap - promised - await platform.store.queries.spent(caller.account_id, today))
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


async def check_room(platform: Platform, caller: Caller) -> None:
    """Raises Refusal `too_many_calls` where another one would be."""
    most = platform.rules.calls_at_once
    if await platform.store.queries.open_calls(caller.account_id) >= most:
        raise Refusal(
            Fault.TOO_MANY_CALLS, f"{most} calls of this account are going on; wait until one of them ends"
        )


def longest_affordable(balance: int, rate: int, wanted: timedelta) -> tuple[int, timedelta]:
    """What a call reserves that costs `rate` a minute and may last `wanted`, and how long that pays for:
    all of it, or what the balance still pays (thousandths)."""
    seconds = int(wanted.total_seconds())
    price = -(-rate * seconds // 60)
    if rate <= 0 or price <= balance:
        return max(0, price), wanted
    return balance, timedelta(seconds=balance * 60 // rate)
