"""Bases of advertising that an account records and withdraws, and senders registered for it."""

import re
from collections.abc import Sequence
from dataclasses import replace

from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.directory import Account
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.numbers import NumberError, read_msisdn, read_sender
from chappe.model.rights import (
    EVERYBODY,
    MOST_AT_ONCE,
    ListConsents,
    ListSenders,
    MarketingBasis,
    RecordConsents,
    RegisteredSender,
    RegisterSender,
    RemoveSender,
    WithdrawConsent,
)
from chappe.services.network import check_operator
from chappe.services.ports import Platform

_LONGEST_SOURCE = 1_000


async def record_consents(
    platform: Platform, caller: Caller, command: RecordConsents
) -> tuple[MarketingBasis, ...]:
    """Record a basis for each number that has no live one; one bad number refuses them all."""
    if not command.numbers:
        raise Refusal(Fault.NO_RECIPIENT, "there is no number", "numbers")
    if len(command.numbers) > MOST_AT_ONCE:
        detail = f"{len(command.numbers)} numbers in one request; at most {MOST_AT_ONCE}"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "numbers")
    source = command.source.strip()
    if not 1 <= len(source) <= _LONGEST_SOURCE:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            "say in 1 to 1,000 characters where the consent is known from, such as a form and its date",
            "source",
        )
    asked = [_number(raw, caller, f"numbers[{at}]") for at, raw in enumerate(command.numbers)]
    queries, now = platform.store.queries, platform.clock.now()
    live = dict(await queries.live_bases(caller.account_id, asked))
    fresh = {
        number: MarketingBasis(platform.ids.new_id(), caller.account_id, number, command.basis, source, now)
        for number in dict.fromkeys(asked)
        if number not in live
    }
    if fresh:
        await platform.store.commit(Changes(insert=list(fresh.values())))
    return tuple((live | fresh)[number] for number in asked)


async def list_consents(platform: Platform, caller: Caller, command: ListConsents) -> Page[MarketingBasis]:
    """One page, newest first."""
    number = _number(command.number, caller, "number") if command.number else ""
    found = await platform.store.queries.marketing_bases(
        caller.account_id, number, command.cursor, command.limit + 1
    )
    more = len(found) > command.limit
    items = tuple(found[: command.limit])
    return Page(items, items[-1].id if more else None)


async def withdraw_consent(platform: Platform, caller: Caller, command: WithdrawConsent) -> None:
    """The live basis of a number ends now."""
    number = _number(command.number, caller, "number")
    if not await withdraw(platform, caller.account_id, number):
        whose = "all numbers" if number == EVERYBODY else number
        raise Refusal(Fault.NOT_FOUND, f"there is no live consent of {whose}", "number")


async def withdraw(platform: Platform, account_id: int, number: str) -> bool:
    """End the live basis of an MSISDN, where there is one; one that lives for EVERYBODY ends for it alone."""
    live = await platform.store.queries.live_bases(account_id, [number, EVERYBODY])
    now = platform.clock.now()
    if own := live.get(number):
        ended = Changes(update=[Update(MarketingBasis, own.id, account_id, {"withdrawn_at": now})])
    elif of_all := live.get(EVERYBODY):
        if await platform.store.queries.withdrawn_numbers(account_id, [number]):
            return False  # ended before
        one = replace(of_all, id=platform.ids.new_id(), number=number, withdrawn_at=now)
        ended = Changes(insert=[one])
    else:
        return False
    await platform.store.commit(ended)
    return True


def _number(raw: str, caller: Caller, field: str) -> str:
    if raw.strip() == EVERYBODY:
        return EVERYBODY
    try:
        return read_msisdn(raw, caller.region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), field) from error


# --- senders


async def list_senders(platform: Platform, caller: Caller, command: ListSenders) -> Page[RegisteredSender]:
    """The senders registered for the account."""
    return Page(await platform.store.queries.registered_senders(caller.account_id), None)


async def register_sender(platform: Platform, caller: Caller, command: RegisterSender) -> RegisteredSender:
    """Operators only: from now on an account has a right to a sender in letters."""
    await check_operator(platform, caller)
    account = await platform.store.queries.account_named(command.account)
    if account is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no account {command.account!r}", "account")
    return await give_sender(platform, account, command.sender)


async def give_sender(platform: Platform, account: Account, written: str) -> RegisteredSender:
    """Register a sender in letters for an account."""
    try:
        sender = read_sender(written, account.region).value
    except NumberError as error:
        raise Refusal(Fault.INVALID_SENDER, str(error), "sender") from error
    if sender.isdigit():
        detail = f"{sender} is a number: an account has a right to its own numbers without registration"
        raise Refusal(Fault.INVALID_SENDER, detail, "sender")
    one = RegisteredSender(platform.ids.new_id(), account.id, sender, platform.clock.now())
    await platform.store.commit(Changes(insert=[one]))
    platform.guard.forget_senders(account.id)
    return one


async def remove_sender(platform: Platform, caller: Caller, command: RemoveSender) -> None:
    """The account gives up a registered sender."""
    await take_sender(platform, caller.account_id, command.sender)


async def take_sender(platform: Platform, account_id: int, sender: str) -> None:
    """A sender is registered for an account no more."""
    for one in await platform.store.queries.registered_senders(account_id):
        if one.sender.casefold() == sender.casefold():
            await platform.store.commit(Changes(delete=[Delete(RegisteredSender, one.id, account_id)]))
            platform.guard.forget_senders(account_id)
            return
    raise Refusal(Fault.NOT_FOUND, f"{sender!r} is not registered", "sender")


# --- what an operator sets for an account


async def open_destination(platform: Platform, account: Account, written: str, closed: bool) -> str:
    """Open a prefix for an account although it is closed by default, or close it again; returns what is
    open now."""
    prefix = re.sub(r"[ .()-]", "", written).removeprefix("+").removeprefix("00")
    if not re.fullmatch(r"[0-9]{2,15}", prefix):
        detail = f"{written!r} is not the beginning of a number; write digits with country code, like 881"
        raise Refusal(Fault.INVALID_PARAMETER, detail, "prefix")
    opened: Sequence[str] = [one for one in account.open_destinations.split() if one != prefix]
    opened = opened if closed else sorted([*opened, prefix])
    await _set(platform, account, open_destinations=" ".join(opened))
    return " ".join(opened)


async def set_daily_cap(platform: Platform, account: Account, cap: int | None) -> None:
    """The most an account may spend in a day, in thousandths; 0 no limit, None the platform's default."""
    if cap is not None and cap < 0:
        raise Refusal(Fault.INVALID_PARAMETER, "a daily cap cannot be below 0 credits", "cap")
    await _set(platform, account, daily_cap=cap)


async def set_call_limits(
    platform: Platform, account: Account, *, a_day: int | None, cap: int | None
) -> None:
    """How many calls an account may place in a day that leave the sandbox, and the most they may cost in
    thousandths; 0 no limit, None the platform's default."""
    for field, limit in (("calls_a_day", a_day), ("calls_cap", cap)):
        if limit is not None and limit < 0:
            raise Refusal(Fault.INVALID_PARAMETER, f"a limit cannot be below 0, and {limit} is", field)
    await _set(platform, account, calls_a_day=a_day, calls_cap=cap)


async def _set(platform: Platform, account: Account, **values: object) -> None:
    await platform.store.commit(Changes(update=[Update(Account, account.id, account.id, values)]))
    platform.door.forget()
