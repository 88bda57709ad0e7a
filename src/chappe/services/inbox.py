"""What comes in: keyword to owner, STOP words, delivery to the client; and the numbers, keywords and
blacklist that decide it."""

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from chappe.model.changes import Changes, Delete, Fence, Update
from chappe.model.commands import (
    BlockNumber,
    Caller,
    ChangeKeyword,
    ChangeNumber,
    ClaimKeyword,
    ClaimNumber,
    ListBlacklist,
    ListKeywords,
    ListNumbers,
    ReleaseKeyword,
    ReleaseNumber,
    UnblockNumber,
)
from chappe.model.directory import BlacklistEntry, Keyword, OwnNumber, ShortCode
from chappe.model.errors import Fault, Refusal
from chappe.model.events import EventName
from chappe.model.history import Page
from chappe.model.jobs import Job
from chappe.model.ledger import EntryKind, LedgerMove
from chappe.model.messages import Direction, InboundMessage, Message, MessageState, Part
from chappe.model.numbers import NumberError, read_msisdn
from chappe.model.smstext import plan
from chappe.model.stopwords import read_stop
from chappe.services import subscriptions
from chappe.services.accounts import free_number, looks_like_mail
from chappe.services.consents import withdraw
from chappe.services.messages import cancel_advertising
from chappe.services.ports import Platform

_STOP_REACHES_BACK = timedelta(days=90)
_LONGEST_REASON = 255
_TRIES = 20


def fold_keyword(text: str) -> str:
    """A keyword, or the beginning of a text, as keywords are compared: upper case, no accents, single
    blanks, no punctuation around words (our choice)."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w]+", " ", plain.upper()).split())


async def receive(platform: Platform, inbound: InboundMessage, fence: Fence | None = None) -> Message | None:
    """Take a message from a mobile: find its owner, obey STOP and START, keep it, tell the owner. None
    when nobody owns it, or when its parts were put together before. Returns when all is durable; `fence` is
    that of the carrier's holder."""
    keywords = await platform.store.queries.keywords_of_code(inbound.to)
    owner, target, revenue = await _owner(platform, inbound, keywords)
    word = read_stop(inbound.text, [keyword.word for keyword in keywords])
    if word is not None:
        await _obey(platform, word, inbound, owner, target)
    parts = [Delete(Part, part_id, None) for part_id in inbound.part_ids]
    if owner is None:
        if parts:
            await _once(platform, Changes(delete=parts, fence=fence))
        return None
    now = platform.clock.now()
    message = Message(
        id=platform.ids.new_id(),
        ref=platform.ids.new_ref(),
        account_id=owner,
        direction=Direction.MO,
        state=MessageState.RECEIVED,
        peer=inbound.sender,
        address=inbound.to,
        text=inbound.text,
        encoding=inbound.encoding,
        segments=max(len(parts), _segments(inbound)),
        price=0,
        carrier=inbound.carrier,
        dialect=target.dialect if target is not None else "rest",
        batch_id=0,
        created_at=now,
        due_at=now,
        finished_at=now,
        carrier_ids=inbound.carrier_id,
    )
    jobs: list[Job] = await subscriptions.notices(platform, [(message, now)])
    if target is not None:
        jobs += [
            subscriptions.notice_job(platform, message, EventName.MESSAGE_RECEIVED, now, target, way)
            for way in ("url", "email")
            if getattr(target, way)
        ]
    moves = [LedgerMove(owner, revenue, EntryKind.REVENUE_SHARE, message.ref, 1)] if revenue else []
    changes = Changes(insert=[message], delete=parts, enqueue=jobs, ledger=moves, fence=fence)
    if not await _once(platform, changes):
        return None
    platform.topics.publish("jobs")
    platform.topics.publish(f"account.{owner}")
    return message


def _segments(inbound: InboundMessage) -> int:
    try:
        return plan(inbound.text, inbound.encoding).segments
    except ValueError:
        return 1  # a text with gaps, or one whose alphabet is not ours


async def _once(platform: Platform, changes: Changes) -> bool:
    """Whether it was written; not, where another node has put the same parts together."""
    try:
        await platform.store.commit(changes)
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND and changes.delete:
            return False
        raise
    return True


async def _owner(
    platform: Platform, inbound: InboundMessage, keywords: Sequence[Keyword]
) -> tuple[int | None, Keyword | OwnNumber | None, int]:
    """Whose a message is: its account, where it goes, and what it earns in thousandths."""
    queries = platform.store.queries
    own = await queries.owner_of_number(inbound.to)
    if own is not None:
        return own.account_id, own, 0
    code = next((one for one in await queries.short_codes() if one.number == inbound.to), None)
    revenue = 0 if code is None else code.revenue
    if inbound.carrier == "sandbox" and not platform.router.is_sandbox_only:
        revenue = 0  # telephones of the sandbox pay nobody; beside real networks this would make money
    begins = fold_keyword(inbound.text) + " "
    matches = [k for k in keywords if begins.startswith(k.word + " ") or _stops(inbound.text, k)]
    if matches:
        longest = max(matches, key=lambda keyword: len(keyword.word))
        return longest.account_id, longest, revenue
    session = await queries.session_owner(inbound.sender, inbound.to, platform.clock.now())
    if session is not None:
        # A session stands for a keyword: its account's first keyword on that code says where it goes.
        ours = [k for k in await queries.keywords(session.account_id) if k.short_code == inbound.to]
        return session.account_id, ours[0] if ours else None, revenue
    if code is None and not inbound.to.isdigit():
        # A sender id in letters: the sandbox lets a telephone answer it, as real networks do not.
        since = platform.clock.now() - _STOP_REACHES_BACK
        senders = await queries.recent_senders(inbound.sender, inbound.to, since)
        if senders:
            return senders[0][0], None, 0
    return None, None, 0


def _stops(text: str, keyword: Keyword) -> bool:
    """Whether this is a STOP that names the keyword."""
    return read_stop(text) is None and read_stop(text, [keyword.word]) == "stop"


async def _obey(
    platform: Platform,
    word: str,
    inbound: InboundMessage,
    owner: int | None,
    target: Keyword | OwnNumber | None,
) -> None:
    """Block (or lift) the mobile for the owner of the number, or of the keyword that was named; on a shared
    code or a sender id for every account that wrote to it from there, else for the last that wrote to it at
    all."""
    named = isinstance(target, OwnNumber) or read_stop(inbound.text) is None
    if owner is not None and named:
        accounts = [owner]
    else:
        since = platform.clock.now() - _STOP_REACHES_BACK
        queries = platform.store.queries
        senders = await queries.recent_senders(inbound.sender, inbound.to, since)
        senders = senders or (await queries.recent_senders(inbound.sender, "", since))[:1]
        accounts = [account_id for account_id, _ in senders]
    for account_id in accounts:
        if word == "stop":
            await withdraw(platform, account_id, inbound.sender)
            await _block(platform, account_id, inbound.sender, inbound.text.strip()[:40])
            await cancel_advertising(platform, account_id, inbound.sender)
        else:
            await _unblock(platform, account_id, inbound.sender)


async def _block(platform: Platform, account_id: int, number: str, reason: str) -> BlacklistEntry:
    entry = BlacklistEntry(platform.ids.new_id(), account_id, number, reason, platform.clock.now())
    try:
        await platform.store.commit(Changes(insert=[entry]))
    except Refusal as refusal:
        if refusal.fault is not Fault.ALREADY_EXISTS:
            raise
        return await platform.store.queries.blacklist_entry(account_id, number) or entry
    return entry


async def _unblock(platform: Platform, account_id: int, number: str) -> bool:
    entry = await platform.store.queries.blacklist_entry(account_id, number)
    if entry is None:
        return False
    try:
        await platform.store.commit(Changes(delete=[Delete(BlacklistEntry, entry.id, account_id)]))
    except Refusal as refusal:
        if refusal.fault is not Fault.NOT_FOUND:
            raise
    return True


# --- numbers


async def list_numbers(
    platform: Platform, caller: Caller, command: ListNumbers
) -> tuple[tuple[OwnNumber, ...], tuple[ShortCode, ...]]:
    """The account's own numbers and the short codes that all share."""
    queries = platform.store.queries
    return await queries.own_numbers(caller.account_id), await queries.short_codes()


async def claim_number(platform: Platform, caller: Caller, command: ClaimNumber) -> OwnNumber:
    """Take a free number of the sandbox's range, or change where messages to an own number go."""
    number = ""
    if command.number:
        try:
            number = read_msisdn(command.number, caller.region)
        except NumberError as error:
            raise Refusal(Fault.INVALID_PARAMETER, str(error), "number") from error
    url, email = _targets(command.url, command.email)
    subscriptions.check_dialect(platform, command.dialect)
    mine = await platform.store.queries.own_numbers(caller.account_id)
    for own in mine:
        if number and own.number == number:
            values = {"url": url, "email": email, "dialect": command.dialect}
            await platform.store.commit(
                Changes(update=[Update(OwnNumber, own.id, caller.account_id, values)])
            )
            again = await platform.store.queries.owner_of_number(number)
            return again or own
    if len(mine) >= 20:
        raise Refusal(Fault.INVALID_PARAMETER, "an account has at most 20 numbers; release one first")
    low, high = platform.rules.sandbox_numbers
    if number and not low <= number <= high:
        raise Refusal(
            Fault.NOT_ALLOWED,
            f"{number} is outside the sandbox's range {low} to {high}; the operator gives out others",
            "number",
        )
    for _ in range(_TRIES):
        free = number or await free_number(platform)
        if not free:
            raise Refusal(Fault.NOT_FOUND, "all sandbox numbers are taken")
        own = OwnNumber(
            platform.ids.new_id(), caller.account_id, free, url, email, command.dialect, platform.clock.now()
        )
        try:
            await platform.store.commit(Changes(insert=[own]))
        except Refusal as refusal:
            if refusal.fault is not Fault.ALREADY_EXISTS:
                raise
            if number:
                raise Refusal(
                    Fault.ALREADY_EXISTS, f"{number} belongs to somebody already", "number"
                ) from refusal
        else:
            return own
    raise Refusal(Fault.RATE_LIMITED, "too many numbers are being taken at this moment; try again shortly")


async def change_number(platform: Platform, caller: Caller, command: ChangeNumber) -> OwnNumber:
    """Change where messages to an own number go."""
    own = await _own(platform, caller, command.number)
    values = _new_targets(platform, command)
    if values:
        await platform.store.commit(Changes(update=[Update(OwnNumber, own.id, caller.account_id, values)]))
    return await platform.store.queries.owner_of_number(own.number) or own


def _new_targets(platform: Platform, command: ChangeNumber | ChangeKeyword) -> dict[str, object]:
    """The targets that a command sets, checked; what it leaves alone is not among them."""
    _targets(command.url or "", command.email or "")
    if command.dialect is not None:
        subscriptions.check_dialect(platform, command.dialect)
    wanted = {"url": command.url, "email": command.email, "dialect": command.dialect}
    return {name: value for name, value in wanted.items() if value is not None}


async def release_number(platform: Platform, caller: Caller, command: ReleaseNumber) -> None:
    """Give an own number back."""
    own = await _own(platform, caller, command.number)
    await platform.store.commit(Changes(delete=[Delete(OwnNumber, own.id, caller.account_id)]))


async def _own(platform: Platform, caller: Caller, raw: str) -> OwnNumber:
    """The account's own number as people write it, or the short code that it owns."""
    written = {raw}
    with suppress(NumberError):
        written.add(read_msisdn(raw, caller.region))
    for own in await platform.store.queries.own_numbers(caller.account_id):
        if own.number in written:
            return own
    raise Refusal(Fault.NOT_FOUND, f"{raw} is none of this account's numbers")


def _targets(url: str, email: str) -> tuple[str, str]:
    if url:
        subscriptions.check_url(url)
    if email and not looks_like_mail(email):
        raise Refusal(Fault.INVALID_PARAMETER, f"{email!r} is not a mail address", "email")
    return url, email


# --- keywords


async def list_keywords(platform: Platform, caller: Caller, command: ListKeywords) -> tuple[Keyword, ...]:
    """The account's keywords."""
    return await platform.store.queries.keywords(caller.account_id)


async def claim_keyword(platform: Platform, caller: Caller, command: ClaimKeyword) -> Keyword:
    """Reserve a keyword. One that another account's keyword begins with, or that begins with another
    account's, is in conflict; within one account the longest match wins."""
    word = fold_keyword(command.word)
    if not 1 <= len(word) <= 40:
        raise Refusal(
            Fault.INVALID_PARAMETER, f"{command.word!r} is no keyword; use 1 to 40 letters or digits", "word"
        )
    if read_stop(word) is not None:
        raise Refusal(Fault.NOT_ALLOWED, f"{word} is a STOP or START word and belongs to nobody", "word")
    codes = {code.number for code in await platform.store.queries.short_codes()}
    if command.short_code not in codes:
        raise Refusal(
            Fault.INVALID_PARAMETER,
            f"{command.short_code!r} is no shared short code; there are {', '.join(sorted(codes))}",
            "short_code",
        )
    for other in await platform.store.queries.keywords_of_code(command.short_code):
        clash = f"{other.word} ".startswith(f"{word} ") or f"{word} ".startswith(f"{other.word} ")
        if other.word == word or (clash and other.account_id != caller.account_id):
            whose = "yours already" if other.account_id == caller.account_id else "taken"
            raise Refusal(
                Fault.ALREADY_EXISTS,
                f"{other.word} on {command.short_code} is {whose}; choose another word",
                "word",
            )
    url, email = _targets(command.url, command.email)
    subscriptions.check_dialect(platform, command.dialect)
    keyword = Keyword(
        id=platform.ids.new_id(),
        account_id=caller.account_id,
        short_code=command.short_code,
        word=word,
        url=url,
        email=email,
        dialect=command.dialect,
        created_at=platform.clock.now(),
    )
    await platform.store.commit(Changes(insert=[keyword]))
    return keyword


async def change_keyword(platform: Platform, caller: Caller, command: ChangeKeyword) -> Keyword:
    """Change where a keyword's messages go."""
    keyword = await _keyword(platform, caller, command.id)
    values = _new_targets(platform, command)
    if values:
        update = Update(Keyword, keyword.id, caller.account_id, values)
        await platform.store.commit(Changes(update=[update]))
    return await _keyword(platform, caller, command.id)


async def release_keyword(platform: Platform, caller: Caller, command: ReleaseKeyword) -> None:
    """Give a keyword back."""
    keyword = await _keyword(platform, caller, command.id)
    await platform.store.commit(Changes(delete=[Delete(Keyword, keyword.id, caller.account_id)]))


async def _keyword(platform: Platform, caller: Caller, keyword_id: int) -> Keyword:
    for keyword in await platform.store.queries.keywords(caller.account_id):
        if keyword.id == keyword_id:
            return keyword
    raise Refusal(Fault.NOT_FOUND, f"this account has no keyword {keyword_id}")


# --- blacklist


async def list_blacklist(platform: Platform, caller: Caller, command: ListBlacklist) -> Page[BlacklistEntry]:
    """A page of the account's blacklist."""
    limit = max(1, min(command.limit, 100))
    found = await platform.store.queries.blacklist(caller.account_id, command.cursor, limit + 1, command.skip)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


async def block_number(platform: Platform, caller: Caller, command: BlockNumber) -> BlacklistEntry:
    """Block a number for the account."""
    number, reason = _msisdn(command.number, caller), command.reason[:_LONGEST_REASON]
    return await _block(platform, caller.account_id, number, reason)


async def unblock_number(platform: Platform, caller: Caller, command: UnblockNumber) -> None:
    """Lift the block of a number."""
    if not await _unblock(platform, caller.account_id, _msisdn(command.number, caller)):
        raise Refusal(Fault.NOT_FOUND, f"{command.number} is not on the blacklist")


def _msisdn(raw: str, caller: Caller) -> str:
    try:
        return read_msisdn(raw, caller.region)
    except NumberError as error:
        raise Refusal(Fault.INVALID_PARAMETER, str(error), "number") from error
