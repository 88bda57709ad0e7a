"""What rules say of messages before they are taken: destinations, the brake, senders, advertising.

A notice to an ordinary number costs two looks into memory; only what is suspicious or advertising asks the
store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chappe.model.commands import Caller, Caution, QuoteMessages, SendMessages
from chappe.model.destinations import CLOSED, closed_prefix, is_opened
from chappe.model.errors import Fault, Refusal
from chappe.model.messages import Purpose
from chappe.model.rights import EVERYBODY, ListRules, RegisteredSender
from chappe.model.rules import (
    PROVISIONS,
    Basis,
    Decision,
    Effect,
    Facts,
    HouseRule,
    Provision,
    decide,
    place_of,
)
from chappe.services.guard import ARRIVING, PATIENCE, SUSPICIOUS, WINDOW
from chappe.services.ports import Platform

HOUSE_SENDER = "Chappe"
"""The sender of an account that has none."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A message waits until the next allowed time; `rule` names the provision."""

    rule: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done, by MSISDN: why some are refused, until when some wait, to which the STOP text is
    added; and what is only said, `said` being the rules, with blanks between, that say something of a message
    that goes out."""

    refused: Mapping[str, Refusal] = field(default_factory=dict)
    held: Mapping[str, Hold] = field(default_factory=dict)
    with_stop: frozenset[str] = frozenset()
    warnings: tuple[Caution, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def lets_pass(self) -> bool:
        """Whether all go out as they are, whatever is said of them."""
        return not (self.refused or self.held or self.with_stop)


CLEAR = Verdict()
"""Nothing is said against any of them."""


async def check(
    platform: Platform,
    caller: Caller,
    command: SendMessages | QuoteMessages,
    sender: str,
    numbers: Sequence[str],
    at: datetime,
) -> Verdict:
    """Judge the messages of a command that would leave `at` a time. A quote is judged the same way, except
    that it counts nothing. Raises Refusal `invalid_sender` where the whole command falls."""
    refused: dict[str, Refusal] = {}
    for number in numbers:
        if closed_prefix(number) and not is_opened(number, caller.open_destinations):
            refused[number] = closed(number, "to")
    if isinstance(command, SendMessages):
        await _brake(platform, caller, numbers, refused)
    warnings = await _check_sender(platform, caller, sender)
    if command.purpose is Purpose.TRANSACTIONAL:
        if not refused and not warnings:
            return CLEAR
        rules = " ".join([one.rule for one in warnings])
        return Verdict(refused, warnings=warnings, said=dict.fromkeys(numbers, rules) if rules else {})
    return await _judge_advertising(platform, caller, command, sender, numbers, at, refused, warnings)


def closed(number: str, field: str) -> Refusal:
    """Why nothing goes to a number whose destination is closed to the account."""
    prefix = closed_prefix(number)
    return Refusal(
        Fault.DESTINATION_FORBIDDEN,
        f"{number} begins with {prefix}, {CLOSED[prefix]}; such destinations are closed (rule"
        f" {HouseRule.DESTINATIONS}) until the operator of this platform opens them for the account:"
        f" `chappe account open-destination NAME {prefix}`",
        field,
        rule=HouseRule.DESTINATIONS,
    )


async def _brake(
    platform: Platform, caller: Caller, numbers: Sequence[str], refused: dict[str, Refusal]
) -> None:
    if not platform.rules.brake:
        return
    now, guard = platform.clock.now(), platform.guard
    judged: dict[str, Refusal | None] = {}
    for number in numbers:
        block = guard.count(caller.account_id, number, now)
        if not block or number in refused:
            continue
        if block not in judged:
            judged[block] = await _judge_block(platform, caller.account_id, block, now)
        refusal = judged[block]
        if refusal is not None:
            refused[number] = refusal


async def _judge_block(platform: Platform, account_id: int, block: str, now: datetime) -> Refusal | None:
    guard, since = platform.guard, now - WINDOW
    if (refusal := guard.held(account_id, block, now)) is not None:
        return refusal
    guard.fares_well(account_id, block, now)  # so that the store is asked once
    sent, arrived = await platform.store.queries.block_record(account_id, block, since, now - PATIENCE)
    if sent < SUSPICIOUS or arrived * ARRIVING >= sent:
        return None
    again = (now + WINDOW).isoformat(timespec="minutes")
    refusal = Refusal(
        Fault.RATE_LIMITED,
        f"{sent} messages went to numbers that begin with {block} in ten minutes and {arrived} arrived, as"
        f" when somebody pumps up traffic (rule {HouseRule.BRAKE}); next allowed {again} at the latest,"
        " sooner if they arrive",
        "to",
        rule=HouseRule.BRAKE,
    )
    guard.hold(account_id, block, refusal, now)
    return refusal


# --- senders


async def may_show(platform: Platform, caller: Caller, sender: str) -> bool:
    """Whether an account has a right to a sender: its own numbers, shared short codes, what is registered
    for it, and unless senders must be registered its name."""
    if sender == HOUSE_SENDER:
        return True
    now = platform.clock.now()
    known = platform.guard.senders(caller.account_id, now)
    if known is None:
        queries = platform.store.queries
        own = await queries.own_numbers(caller.account_id)
        codes = await queries.short_codes()
        account = await queries.account(caller.account_id)
        # Anybody may sign up under any name, so that where senders must be registered a name is no right.
        by_name = [] if account is None or platform.rules.senders_registered else [account.name.casefold()]
        registered: Sequence[RegisteredSender] = await queries.registered_senders(caller.account_id)
        known = frozenset(
            by_name
            + [one.number for one in own]
            + [one.number for one in codes]
            + [one.sender.casefold() for one in registered]
        )
        platform.guard.keep_senders(caller.account_id, known, now)
    return sender.casefold() in known


async def _check_sender(platform: Platform, caller: Caller, sender: str) -> tuple[Caution, ...]:
    if not sender or await may_show(platform, caller, sender):
        return ()
    if sender.isdigit():
        why = f"{sender} is none of the account's numbers (rule {HouseRule.SENDER})"
    else:
        why = f"{sender} is not registered as a sender of this account (rule {HouseRule.SENDER})"
    why += "; ask the operator of this platform to register it"
    if platform.rules.senders_registered:
        raise Refusal(Fault.INVALID_SENDER, why, "from", rule=HouseRule.SENDER)
    return (Caution(HouseRule.SENDER, why),)


# --- advertising

_HOW_TO_RECORD = (
    "record it with POST /v1/consents, or, for programs that cannot, once for all numbers:"
    " `chappe account consent NAME SOURCE`"
)


async def _bases(platform: Platform, account_id: int, numbers: Sequence[str]) -> Mapping[str, Basis]:
    """On which basis each of these numbers may be sent advertising: its own, else the one of EVERYBODY, which
    reaches nobody whose own has ended."""
    queries = platform.store.queries
    live = await queries.live_bases(account_id, [*numbers, EVERYBODY])
    bases = {number: one.basis for number, one in live.items() if number != EVERYBODY}
    of_all = live.get(EVERYBODY)
    if of_all is not None:
        rest = [number for number in numbers if number not in bases]
        ended = await queries.withdrawn_numbers(account_id, rest)
        bases |= {number: of_all.basis for number in rest if number not in ended}
    return bases


async def _judge_advertising(
    platform: Platform,
    caller: Caller,
    command: SendMessages | QuoteMessages,
    sender: str,
    numbers: Sequence[str],
    at: datetime,
    refused: dict[str, Refusal],
    warnings: tuple[Caution, ...],
) -> Verdict:
    bases = await _bases(platform, caller.account_id, numbers)
    held: dict[str, Hold] = {}
    with_stop: set[str] = set()
    cautions: dict[str, Caution] = {one.rule: one for one in warnings}
    of_all = list(cautions)
    said: dict[str, str] = {}
    judged: dict[object, tuple[Decision, ...]] = {}
    for number in numbers:
        place = place_of(number)
        if place is None or number in refused:
            continue
        country, zone = place
        basis = bases.get(number)
        key = (country, zone.key, basis)
        if key not in judged:
            facts = Facts(command.purpose, country, at.astimezone(zone), basis, sender, command.text)
            judged[key] = decide(facts)
        for decision in judged[key]:
            rule = decision.provision.id
            if decision.effect is Effect.REFUSE:
                detail = f"{number}: {decision.words}; {_HOW_TO_RECORD}"
                refused[number] = Refusal(Fault.CONSENT_MISSING, detail, "to", rule=rule)
                break
            if decision.effect is Effect.HOLD and decision.until is not None:
                held[number] = Hold(rule, decision.until)
            elif decision.effect is Effect.ADD_TEXT:
                with_stop.add(number)
            cautions.setdefault(rule, Caution(rule, decision.words, decision.until))
        told = [one.provision.id for one in judged[key] if one.effect is not Effect.REFUSE]
        if of_all or told:
            said[number] = " ".join(of_all + told)
    return Verdict(refused, held, frozenset(with_stop), tuple(cautions.values()), said)


async def list_rules(platform: Platform, caller: Caller, command: ListRules) -> tuple[Provision, ...]:
    """All provisions, those of the past too."""
    return PROVISIONS
