"""What an account may do, and what operators set of it: senders, closed destinations, the cap of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from chappe.model.commands import Caller
from chappe.model.directory import Account
from chappe.model.errors import Fault, Refusal
from chappe.model.history import Page
from chappe.model.rights import RegisteredSender
from chappe.services import calling, consents
from chappe.services.network import check_operator, note
from chappe.services.ports import Platform


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one account may do. `cap` is what it may spend in a day in thousandths, its own or the platform's,
    0 for no limit; `spent` is what it has spent today (UTC), counted while a cap holds. `calls_a_day` and
    `calls_cap` are the same for calls that leave the sandbox, of which there were `calls_placed` today."""

    account: Account
    senders: Sequence[RegisteredSender]
    opened: Sequence[str]
    cap: int
    spent: int
    calls_a_day: int
    calls_cap: int
    calls_placed: int
    calls_spent: int


async def list_accounts(
    platform: Platform, caller: Caller, cursor: int | None = None, limit: int = 20
) -> Page[Account]:
    """All accounts, newest first."""
    await check_operator(platform, caller)
    found = await platform.store.queries.newest_accounts(cursor, limit + 1)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


async def find_account(platform: Platform, caller: Caller, written: str) -> Account:
    """The account with a name, an account_id or an id. Raises Refusal `not_found`."""
    await check_operator(platform, caller)
    account = await platform.store.queries.account_named(written)
    if account is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no account {written[:100]!r}", "account")
    return account


async def read(platform: Platform, caller: Caller, account_id: int) -> Allowance:
    """What one account may do. Raises Refusal `not_found`."""
    return await _read(platform, await _account(platform, caller, account_id))


async def read_own(platform: Platform, caller: Caller) -> Allowance:
    """What the caller's account may do."""
    account = await platform.store.queries.account(caller.account_id)
    if account is None:
        raise Refusal(Fault.NOT_FOUND, "this account does not exist any more")
    return await _read(platform, account)


async def _read(platform: Platform, account: Account) -> Allowance:
    queries, day = platform.store.queries, platform.clock.now().astimezone(UTC).date()
    return Allowance(
        account,
        await queries.registered_senders(account.id),
        account.open_destinations.split(),
        platform.rules.daily_cap if account.daily_cap is None else account.daily_cap,
        await queries.spent(account.id, day.isoformat()),
        *calling.limits_of(platform, account),
        *await calling.spent_today(platform, account.id),
    )


async def give_sender(platform: Platform, caller: Caller, account_id: int, sender: str) -> None:
    """From now on the account may show a sender in letters. Raises Refusal, `already_exists` where it may."""
    account = await _account(platform, caller, account_id)
    try:
        await consents.give_sender(platform, account, sender)
    except Refusal as refusal:
        raise Refusal(refusal.fault, refusal.detail, "sender") from refusal
    note(caller, "sender given", account=account.id, sender=sender)


async def take_sender(platform: Platform, caller: Caller, account_id: int, sender: str) -> None:
    """The account may show it no more. Raises Refusal `not_found`."""
    account = await _account(platform, caller, account_id)
    await consents.take_sender(platform, account.id, sender)
    note(caller, "sender taken", account=account.id, sender=sender)


async def open_destination(
    platform: Platform, caller: Caller, account_id: int, prefix: str, *, closed: bool = False
) -> None:
    """Open a prefix to the account although it is closed by default, or close it again."""
    account = await _account(platform, caller, account_id)
    await consents.open_destination(platform, account, prefix, closed)
    note(caller, "destination closed" if closed else "destination opened", account=account.id, prefix=prefix)


async def set_cap(platform: Platform, caller: Caller, account_id: int, cap: int | None) -> None:
    """The most the account may spend in a day, in thousandths; 0 no limit, None the platform's default."""
    account = await _account(platform, caller, account_id)
    await consents.set_daily_cap(platform, account, cap)
    note(caller, "daily cap set", account=account.id, cap=cap)


async def set_call_limits(
    platform: Platform, caller: Caller, account_id: int, a_day: int | None, cap: int | None
) -> None:
    """How many calls that leave the sandbox the account may place in a day, and the most they may cost in
    thousandths; 0 no limit, None the platform's default."""
    account = await _account(platform, caller, account_id)
    await consents.set_call_limits(platform, account, a_day=a_day, cap=cap)
    note(caller, "limits of calls set", account=account.id, a_day=a_day, cap=cap)


async def _account(platform: Platform, caller: Caller, account_id: int) -> Account:
    await check_operator(platform, caller)
    account = await platform.store.queries.account(account_id)
    if account is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no account {account_id}")
    return account
