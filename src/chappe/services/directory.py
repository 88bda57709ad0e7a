"""Who is calling: credentials to a caller, logins and sessions of the console."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from chappe.model.changes import Changes, Update
from chappe.model.commands import (
    Caller,
    CleanNumber,
    Credentials,
    Digest,
    Key,
    Password,
    ReadAccount,
    SourceAddress,
)
from chappe.model.directory import (
    Account,
    AccountState,
    Credential,
    User,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.sources import lets_in
from chappe.services.accounts import looks_like_mail
from chappe.services.door import network_of
from chappe.services.ports import Platform

_log = structlog.get_logger()
_FAILURES_OF_A_LOGIN = 10
_FAILURES_OF_AN_ADDRESS = 200
_SEEN_EVERY = timedelta(minutes=1)

NOBODY = Caller(0, "", "", "", None, "", "")
"""The caller of an operation that needs no credentials; it owns nothing."""


async def authenticate(
    platform: Platform, dialect: str, offered: Sequence[Credentials], peer: str, region: str = "FR"
) -> Caller:
    """Who proves to be a user of an open account; the first credential that holds wins.

    Raises Refusal `bad_credentials` (with a challenge where a line was named), `account_suspended`, or
    `rate_limited` after too many failures.
    """
    if not offered:
        raise Refusal(Fault.BAD_CREDENTIALS, "no credentials were given")
    for credentials in offered:
        caller = await _admit(platform, dialect, credentials, peer, region)
        if caller is not None:
            return caller
    why = "these credentials are unknown, blocked or wrong"
    if any(isinstance(one, SourceAddress) for one in offered):
        if any(isinstance(one, SourceAddress) and one.is_relayed for one in offered):
            why += "; the address was not looked at, because it is that of a proxy (setting trusted_proxies)"
        raise _challenged(platform, why)
    raise Refusal(Fault.BAD_CREDENTIALS, why)


def _challenged(platform: Platform, why: str, *, stale: bool = False) -> Refusal:
    challenge = platform.door.challenge(platform.ids.secret(8), platform.clock.now(), stale=stale)
    return Refusal(Fault.BAD_CREDENTIALS, why, challenge=challenge)


async def _line_open_to(platform: Platform, number: str, peer: str) -> bool:
    line = await platform.store.queries.line_by_number(number)
    return line is not None and lets_in(line.allowed_sources, peer)


async def _warn_of_proxy(platform: Platform, number: str, peer: str) -> None:
    """Tell the operator, loudly, why a line that is open to addresses let nobody in."""
    line = await platform.store.queries.line_by_number(number)
    if line is not None and line.allowed_sources:
        _log.warning(
            "a line is open to known addresses, and the request came through a proxy that is not trusted;"
            " list the proxy under trusted_proxies, and its clients are known by X-Forwarded-For",
            line=number,
            proxy=peer,
        )


async def _admit(
    platform: Platform, dialect: str, offered: Credentials, peer: str, region: str
) -> Caller | None:
    door, now = platform.door, platform.clock.now()
    match offered:
        case Key(secret):
            trace = door.trace(dialect, secret)
        case Password(login, password):
            trace = door.trace(dialect, login, password)
        case Digest(login):
            trace = b""  # a proof is good once
        case SourceAddress(login, is_relayed=True):
            await _warn_of_proxy(platform, login, peer)
            return None
        case SourceAddress(login):
            trace = door.trace(dialect, "address", login, peer)
    known = door.caller(trace, now)
    if known is not None:
        return known
    if not trace:
        return await _prove(platform, dialect, offered, trace, peer, region)
    # Whoever comes with the same credentials meanwhile waits for the same proof.
    return await door.together(trace, lambda: _prove(platform, dialect, offered, trace, peer, region))


async def _prove(
    platform: Platform, dialect: str, offered: Credentials, trace: bytes, peer: str, region: str
) -> Caller | None:
    door, now = platform.door, platform.clock.now()
    match offered:
        case Key(secret):
            login = door.key_login(dialect, secret)
        case Password(login) | Digest(login) | SourceAddress(login):
            pass
    house = network_of(peer)
    door.check_failures(f"address {house}", _FAILURES_OF_AN_ADDRESS, now)
    found = await platform.store.queries.credential_by_login(dialect, login)
    if found is not None and found.expires_at is not None and found.expires_at <= now:
        found = None
    if isinstance(offered, Password):
        who = f"login {dialect} {login} {house}"
        door.check_failures(who, _FAILURES_OF_A_LOGIN, now)
        stored = None if found is None else found.secret_hash
        if not await door.password_fits(f"{dialect} {login}", offered.password, stored, now):
            door.count_failure(who, now)
            found = None
    elif isinstance(offered, Digest):
        who = f"login {dialect} {login} {house}"
        door.check_failures(who, _FAILURES_OF_A_LOGIN, now)
        fits = door.digest_fits(offered, None if found is None else found.secret_hash, now)
        if fits is None:
            raise _challenged(platform, "the nonce is too old or was used before", stale=True)
        if not fits:
            door.count_failure(who, now)
            found = None
    elif isinstance(offered, SourceAddress) and not await _line_open_to(platform, login, peer):
        return None  # the first half of a Digest exchange is no failure
    if found is None:
        door.count_failure(f"address {house}", now)
        return None
    account = await platform.store.queries.account(found.account_id)
    user = await platform.store.queries.user(found.account_id, found.user_id)
    if account is None or user is None:
        return None
    if account.state is AccountState.SUSPENDED:
        raise Refusal(
            Fault.ACCOUNT_SUSPENDED,
            f"the account {account.name} is suspended; ask the operator of this platform",
        )
    if found.last_used_at is None or now - found.last_used_at >= _SEEN_EVERY:
        seen = {"last_used_at": now, "last_used_from": peer}
        platform.store.later(Changes(update=[Update(Credential, found.id, account.id, seen)]))
    caller = caller_of(account, user, dialect, region, found.id)
    if found.scopes:
        caller = caller._replace(scopes=tuple(found.scopes.split()))
    if trace:
        door.remember(trace, caller, now)
    return caller


def caller_of(
    account: Account, user: User, dialect: str, region: str = "FR", credential_id: int | None = None
) -> Caller:
    """The caller that a user of an account is, in a dialect."""
    return Caller(
        account_id=account.id,
        guid=account.guid,
        kind=account.kind,
        default_sender=account.default_sender,
        user_id=user.id,
        user_name=user.name,
        dialect=dialect,
        region=region,
        credential_id=credential_id,
        daily_cap=account.daily_cap,
        open_destinations=tuple(account.open_destinations.split()),
        calls_a_day=account.calls_a_day,
        calls_cap=account.calls_cap,
    )


# --- the console


async def log_in(platform: Platform, email: str, password: str, peer: str) -> tuple[Account, User]:
    """The user of the console with this mail address and password. Raises Refusal `bad_credentials`,
    `account_suspended` or `rate_limited`."""
    now, address, house = platform.clock.now(), email.strip().lower(), network_of(peer)
    who = f"console {address} {house}"
    platform.door.check_failures(who, _FAILURES_OF_A_LOGIN, now)
    platform.door.check_failures(f"address {house}", _FAILURES_OF_AN_ADDRESS, now)
    user = await platform.store.queries.user_by_email(address) if looks_like_mail(address) else None
    stored = user.password_hash if user is not None and user.password_hash else None
    fits = await platform.door.password_fits(f"console {address}", password, stored, now)
    account = None if user is None or not fits else await platform.store.queries.account(user.account_id)
    if user is None or account is None:
        platform.door.count_failure(who, now)
        platform.door.count_failure(f"address {house}", now)
        raise Refusal(Fault.BAD_CREDENTIALS, "this mail address and password do not belong together")
    if account.state is AccountState.SUSPENDED:
        raise Refusal(Fault.ACCOUNT_SUSPENDED, f"the account {account.name} is suspended")
    return account, user


async def resume(
    platform: Platform, account_id: int, user_id: int, epoch: int
) -> tuple[Account, User] | None:
    """Whose session this is, if it still holds: same epoch, account open."""
    user = await platform.store.queries.user(account_id, user_id)
    account = await platform.store.queries.account(account_id)
    if user is None or account is None or user.session_epoch != epoch:
        return None
    return None if account.state is AccountState.SUSPENDED else (account, user)


async def end_sessions(platform: Platform, user: User) -> None:
    """End every console session of a user."""
    values = {"session_epoch": user.session_epoch + 1}
    await platform.store.commit(Changes(update=[Update(User, user.id, user.account_id, values)]))


# --- what callers ask of themselves


async def read_account(platform: Platform, caller: Caller, command: ReadAccount) -> Account:
    """The caller's account as it is now."""
    account = await platform.store.queries.account(caller.account_id)
    if account is None:
        raise Refusal(Fault.NOT_FOUND, "this account does not exist any more")
    return account


async def clean_number(platform: Platform, caller: Caller, command: CleanNumber) -> str:
    """A number as people write it, as MSISDN. Raises Refusal `invalid_recipient`."""
    try:
        return read_msisdn(command.number, command.region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_RECIPIENT, str(error), "number") from error
