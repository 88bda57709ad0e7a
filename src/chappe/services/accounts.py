"""Accounts, their users and their credentials: made, changed, counted."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from uuid import UUID

from chappe.model.changes import Changes, Delete, Update
from chappe.model.commands import Caller
from chappe.model.directory import (
    Account,
    AccountKind,
    AccountState,
    Credential,
    CredentialKind,
    Line,
    OwnNumber,
    User,
)
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import CREDIT, EntryKind, LedgerMove
from chappe.model.numbers import NumberError, read_sender
from chappe.services.ports import Platform

DIALECTS = ("rest", "orange", "netoxygen", "capitole", "axialys", "keyyo", "smpp")
"""The dialects that an account gets credentials for, from its first moment."""

KEYYO_REALM = "keyyo"
"""The realm of Keyyo's HTTP digest (reference: dialects.md 5b); the stored hash depends on it."""


_OVERLAP = timedelta(hours=24)
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential as its owner may see it, once: the login (empty for a key) and the secret."""

    login: str
    secret: str


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A fresh account with all its secrets, by dialect."""

    account: Account
    user: User
    secrets: Mapping[str, Secret]


# --- accounts


async def create_account(
    platform: Platform,
    name: str,
    *,
    credits: int | None = None,
    email: str = "",
    password: str = "",
    locale: str = "fr",
    kind: AccountKind = AccountKind.REGULAR,
    operator: bool = False,
) -> NewAccount:
    """A new account with one user, a sandbox number where one is free, and credentials for every dialect.

    `credits` in thousandths (None: the platform's welcome credits). Raises Refusal `already_exists` for
    a name or mail address in use, `invalid_parameter` for an unusable one.
    """
    name, email = name.strip(), email.strip().lower()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Refusal(
            Fault.INVALID_PARAMETER, "an account needs a name of 1 to 100 printable characters", "name"
        )
    if email and not looks_like_mail(email):
        raise Refusal(Fault.INVALID_PARAMETER, f"{email!r} is not a mail address", "email")
    await _check_free(platform, name, email)
    now = platform.clock.now()
    account = Account(
        id=platform.ids.new_id(),
        guid=str(UUID(bytes=platform.ids.secret(16), version=4)),
        name=name,
        email=email,
        kind=kind,
        state=AccountState.OPEN,
        balance=0,
        reserved=0,
        default_sender="",
        region="FR",
        locale=locale,
        created_at=now,
        operator=operator,
    )
    user = User(
        id=platform.ids.new_id(),
        account_id=account.id,
        name=name,
        email=email,
        password_hash=await platform.door.hash_password(password) if password else "",
        session_epoch=0,
        created_at=now,
    )
    amount = platform.rules.welcome if credits is None else credits
    entry = EntryKind.WELCOME if credits is None else EntryKind.PAYMENT
    moves = [LedgerMove(account.id, amount, entry)] if amount else []
    for _ in range(_TRIES):
        await _check_free(platform, name, email)
        number = await free_number(platform)
        secrets: dict[str, Secret] = {}
        records: list[object] = [account, user]
        for dialect in DIALECTS:
            login = await _free_login(platform, dialect, account, number)
            credential, secrets[dialect] = await _new_credential(platform, account, user, dialect, login)
            records.append(credential)
        line = secrets["keyyo"].login
        records.append(Line(platform.ids.new_id(), account.id, line, "", "", now))
        if number:
            records.append(OwnNumber(platform.ids.new_id(), account.id, number, "", "", "rest", now))
        if await _inserted(platform, Changes(insert=records, ledger=moves)):
            created = await platform.store.queries.account(account.id)
            return NewAccount(created or account, user, secrets)
    raise _crowded()


async def _check_free(platform: Platform, name: str, email: str) -> None:
    if await platform.store.queries.account_named(name) is not None:
        raise Refusal(Fault.ALREADY_EXISTS, f"an account named {name!r} exists; choose another name", "name")
    if email and await platform.store.queries.user_by_email(email) is not None:
        raise Refusal(
            Fault.ALREADY_EXISTS, f"{email} has an account already; log in, or use another address", "email"
        )


async def _inserted(platform: Platform, changes: Changes) -> bool:
    """Whether it could be written; not, where somebody took a name, login or number at the same moment."""
    try:
        await platform.store.commit(changes)
    except Refusal as refusal:
        if refusal.fault is not Fault.ALREADY_EXISTS:
            raise
        return False
    return True


def _crowded() -> Refusal:
    return Refusal(Fault.RATE_LIMITED, "too many accounts are being made at this moment; try again shortly")


async def credit_account(platform: Platform, account: Account, amount: int) -> Account:
    """Add (or, below zero, take) credits in thousandths. Raises Refusal `insufficient_credits`."""
    kind = EntryKind.PAYMENT if amount >= 0 else EntryKind.CORRECTION
    await platform.store.commit(Changes(ledger=[LedgerMove(account.id, amount, kind)]))
    return await platform.store.queries.account(account.id) or account


async def set_operator(platform: Platform, account: Account, operator: bool) -> None:
    """Let the account's users see and change the network from now on, or no more."""
    values = {"operator": operator}
    await platform.store.commit(Changes(update=[Update(Account, account.id, account.id, values)]))


async def suspend_account(platform: Platform, account: Account, suspended: bool) -> None:
    """Close an account to every dialect and the console, or open it again."""
    state = AccountState.SUSPENDED if suspended else AccountState.OPEN
    await platform.store.commit(Changes(update=[Update(Account, account.id, account.id, {"state": state})]))
    _changed(platform)


async def free_number(platform: Platform) -> str:
    """A number of the sandbox's range that nobody owns, or an empty text when all are taken."""
    low, high = platform.rules.sandbox_numbers
    taken = set(await platform.store.queries.numbers_between(low, high))
    return next((n for n in map(str, range(int(low), int(high) + 1)) if n not in taken), "")


async def set_default_sender(platform: Platform, account_id: int, sender: str) -> Account:
    """What telephones show as the sender where a message names none; empty for none.

    Raises Refusal `invalid_sender`, with the field `sender`.
    """
    account = await platform.store.queries.account(account_id)
    if account is None:
        raise Refusal(Fault.NOT_FOUND, "this account does not exist any more")
    value = ""
    if sender.strip():
        try:
            value = read_sender(sender, account.region).value
        except NumberError as error:
            raise Refusal(Fault.INVALID_SENDER, str(error), "sender") from error
    changes = Changes(update=[Update(Account, account_id, account_id, {"default_sender": value})])
    await platform.store.commit(changes)
    _changed(platform)
    return await platform.store.queries.account(account_id) or account


def _changed(platform: Platform) -> None:
    """What was proven of accounts and credentials holds no longer, on no node."""
    platform.door.forget()
    platform.topics.publish("directory")


# --- users and credentials


async def add_user(platform: Platform, account: Account, name: str) -> tuple[User, Secret]:
    """One more user of an account, with a login of its own on NetOxygen's wire (the one wire that knows
    several users in one account)."""
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Refusal(Fault.INVALID_PARAMETER, "a user needs a name of 1 to 100 printable characters", "name")
    user = User(platform.ids.new_id(), account.id, name, "", "", 0, platform.clock.now())
    for _ in range(_TRIES):
        login = await _free_login(platform, "netoxygen", account, "", name)
        credential, secret = await _new_credential(platform, account, user, "netoxygen", login)
        if await _inserted(platform, Changes(insert=[user, credential])):
            return user, secret
    raise _crowded()


async def add_line(platform: Platform, account_id: int, number: str = "") -> tuple[Line, Secret]:
    """One more line of an account, and the password with which programs act for it on Keyyo's wire. `number`
    is an MSISDN, or empty for one of the platform's own. Raises Refusal `not_found`, and `already_exists` for
    a number that somebody has."""
    account = await platform.store.queries.account(account_id)
    users = await platform.store.queries.users(account_id)
    if account is None or not users:
        raise Refusal(Fault.NOT_FOUND, "this account does not exist any more")
    for _ in range(_TRIES):
        login = number or await _free_login(platform, "keyyo", account, "")
        credential, secret = await _new_credential(platform, account, users[0], "keyyo", login)
        line = Line(platform.ids.new_id(), account_id, login, "", "", platform.clock.now())
        if await _inserted(platform, Changes(insert=[line, credential])):
            return line, secret
        if number:
            raise Refusal(Fault.ALREADY_EXISTS, f"{number} is somebody's line already", "number")
    raise _crowded()


async def list_users(platform: Platform, account_id: int) -> tuple[User, ...]:
    """The users of an account, oldest first."""
    return await platform.store.queries.users(account_id)


async def list_credentials(platform: Platform, account_id: int) -> tuple[Credential, ...]:
    """The credentials of an account that are still good, oldest first; those of programs it let in (OAuth2)
    and of telephones that are set up are none that anybody keeps."""
    now = platform.clock.now()
    all_of_them = await platform.store.queries.credentials(account_id)
    return tuple(
        one
        for one in all_of_them
        if one.dialect in DIALECTS
        and (one.dialect, one.kind) != ("keyyo", CredentialKind.KEY)
        and (one.expires_at is None or one.expires_at > now)
    )


async def rotate_credential(platform: Platform, account_id: int, credential_id: int) -> Secret:
    """A new secret in place of an old one. A key stays good for 24 hours beside its successor; a
    password, being bound to its login, is replaced at once."""
    account = await platform.store.queries.account(account_id)
    old = next((c for c in await list_credentials(platform, account_id) if c.id == credential_id), None)
    if account is None or old is None:
        raise Refusal(Fault.NOT_FOUND, f"this account has no credential {credential_id}")
    user = await platform.store.queries.user(account_id, old.user_id)
    if user is None:
        raise Refusal(Fault.NOT_FOUND, "the user of this credential does not exist any more")
    if old.kind is CredentialKind.KEY and old.dialect not in ("rest", "orange"):
        new, key = new_key(platform, account_id, user.id, old.dialect, old.scopes)
        secret = Secret("", key)
    else:
        new, secret = await _new_credential(platform, account, user, old.dialect, old.login)
    if old.kind is CredentialKind.KEY:
        overlap = platform.clock.now() + _OVERLAP
        # One that was replaced before keeps its end.
        ends = {"expires_at": min(old.expires_at or overlap, overlap)}
        changes = Changes(insert=[new], update=[Update(Credential, old.id, account_id, ends)])
    else:
        renewed = {"secret_hash": new.secret_hash, "hint": new.hint, "created_at": new.created_at}
        changes = Changes(update=[Update(Credential, old.id, account_id, renewed)])
    await platform.store.commit(changes)
    _changed(platform)
    return secret


async def add_key(
    platform: Platform,
    caller: Caller,
    dialect: str,
    scopes: str,
    expires_at: datetime | None = None,
) -> str:
    """A key of a caller for a dialect, beside what it has for it already; returns its secret, which is not
    kept."""
    user_id = caller.user_id or 0
    credential, secret = new_key(platform, caller.account_id, user_id, dialect, scopes, expires_at)
    await platform.store.commit(Changes(insert=[credential]))
    return secret


def new_key(
    platform: Platform,
    account_id: int,
    user_id: int,
    dialect: str,
    scopes: str,
    expires_at: datetime | None = None,
) -> tuple[Credential, str]:
    """A key that is not written yet, and its secret."""
    secret = "ck_" + base64.b32encode(platform.ids.secret(20)).decode().lower()
    credential = Credential(
        id=platform.ids.new_id(),
        account_id=account_id,
        user_id=user_id,
        dialect=dialect,
        kind=CredentialKind.KEY,
        login=platform.door.key_login(dialect, secret),
        secret_hash="",
        hint=secret[-4:],
        created_at=platform.clock.now(),
        expires_at=expires_at,
        scopes=scopes,
    )
    return credential, secret


async def revoke_credential(platform: Platform, account_id: int, credential_id: int) -> None:
    """Block a credential at once."""
    await platform.store.commit(Changes(delete=[Delete(Credential, credential_id, account_id)]))
    _changed(platform)


async def change_password(platform: Platform, user: User, old: str, new: str) -> User:
    """Set the console's password; every session of the user ends. Raises Refusal."""
    now = platform.clock.now()
    if not await platform.door.password_fits(f"console {user.email}", old, user.password_hash, now):
        raise Refusal(Fault.BAD_CREDENTIALS, "the present password is another one", "old")
    check_password(new)
    values = {
        "password_hash": await platform.door.hash_password(new),
        "session_epoch": user.session_epoch + 1,
    }
    await platform.store.commit(Changes(update=[Update(User, user.id, user.account_id, values)]))
    return await platform.store.queries.user(user.account_id, user.id) or user


def check_password(password: str) -> None:
    """Refuse a password that is too short or absurdly long (NIST SP 800-63B: 8 at least; our choice: 10)."""
    if not 10 <= len(password) <= 200:
        raise Refusal(Fault.INVALID_PARAMETER, "a password needs 10 to 200 characters", "password")


def looks_like_mail(address: str) -> bool:
    """Whether a text could be a mail address; only sending proves more."""
    return (
        len(address) <= 254
        and address.isprintable()
        and re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+|[^@\s,;<>\"]+@localhost", address)
        is not None
    )


async def _free_login(platform: Platform, dialect: str, account: Account, number: str, name: str = "") -> str:
    """A login for a dialect that nobody has; empty where the dialect knows keys only."""
    if dialect in ("rest", "orange"):
        return ""
    # SMPP 3.4, 4.1.1: a system_id has 15 characters at most; some are left for a number.
    longest = 12 if dialect == "smpp" else 32
    slug = re.sub(r"[^a-z0-9]+", "-", (name or account.name).lower())[:longest].strip("-") or "account"
    first = {
        "axialys": account.email or f"{slug}@chappe.invalid",
        "keyyo": number or "3399" + str(int.from_bytes(platform.ids.secret(4)) % 10**7).zfill(7),
    }.get(dialect, slug)
    candidate, n = first, 1
    while await platform.store.queries.credential_by_login(dialect, candidate) is not None:
        n += 1
        left, at, right = first.partition("@")
        candidate = f"{left}-{n}{at}{right}" if dialect != "keyyo" else str(int(first) + n)
    return candidate


async def _new_credential(
    platform: Platform, account: Account, user: User, dialect: str, login: str
) -> tuple[Credential, Secret]:
    """A credential in the form its dialect asks for, and its secret in clear."""
    door = platform.door
    match dialect:
        case "rest":
            secret = "ck_" + base64.b32encode(platform.ids.secret(20)).decode().lower()
        case "orange":
            # Eleven hexadecimal digits in all keys seen (reference: dialects.md 1a).
            secret = platform.ids.secret(6).hex()[:11]
        case "capitole":
            secret = platform.ids.secret(20).hex()  # forty hexadecimal digits (reference: dialects.md 2a)
        case "smpp":
            # SMPP 3.4, 4.1.1: eight characters at most. Forty bits, behind argon2id and a budget of failures.
            secret = base64.b32encode(platform.ids.secret(5)).decode().lower()
        case _:
            secret = base64.b32encode(platform.ids.secret(10)).decode().lower()
    if dialect in ("rest", "orange"):
        kind, stored_login, stored = CredentialKind.KEY, door.key_login(dialect, secret), ""
    elif dialect == "keyyo":
        # RFC 7616 asks the server to know MD5(user:realm:password); the password itself is not kept.
        kind, stored_login = CredentialKind.DIGEST, login
        stored = md5(f"{login}:{KEYYO_REALM}:{secret}".encode(), usedforsecurity=False).hexdigest()
    else:
        kind, stored_login = CredentialKind.PASSWORD, login
        stored = await door.hash_password(secret)
    credential = Credential(
        id=platform.ids.new_id(),
        account_id=account.id,
        user_id=user.id,
        dialect=dialect,
        kind=kind,
        login=stored_login,
        secret_hash=stored,
        hint=secret[-4:],
        created_at=platform.clock.now(),
    )
    return credential, Secret(login if kind is not CredentialKind.KEY else "", secret)


def whole(written: str) -> int:
    """A whole number as people write it. Raises Refusal `invalid_parameter`."""
    if not re.fullmatch("[0-9]{1,9}", written.strip()):
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{written[:40]!r} is not a whole number; write for instance 200"
        )
    return int(written)


def credits_of(amount: str) -> int:
    """Credits as people write them (`200`, `0.5`) in thousandths. Raises Refusal `invalid_parameter`."""
    found = re.fullmatch(r"(-?)([0-9]{1,12})(?:[.,]([0-9]{1,3}))?", amount.strip())
    if found is None:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{amount!r} is not a number of credits; write for instance 200 or 0.5"
        )
    sign, whole, part = found.groups()
    value = int(whole) * CREDIT + int((part or "").ljust(3, "0"))
    return -value if sign else value
