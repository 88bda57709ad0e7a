"""/v1/rules, /v1/consents, /v1/senders: what the rules of the land say, and what an account may do."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Cursor, Limit, Time, utc, utc_or_none
from chappe.dialects.rest.table import Described
from chappe.model import rights as commands
from chappe.model import rules as records
from chappe.model.errors import Fault
from chappe.model.history import Page
from chappe.model.messages import Purpose
from chappe.protocols.http import HttpResponse
from chappe.services import consents, rules

# --- rules


class Words(Struct):
    """The same in two languages."""

    en: str
    fr: str


class Rule(Struct):
    """A provision of law or of an operator's charter."""

    id: str
    country: str
    channel: str
    purpose: Purpose
    effect: Annotated[records.Effect, Meta(description="What it does; one that is not verified only warns.")]
    text: Words
    source: str
    valid_from: date
    valid_until: Annotated[date | None, Meta(description="The first day on which it holds no more.")]
    verified: bool

    @classmethod
    def of(cls, one: records.Provision) -> "Rule":
        """The JSON of a provision."""
        return cls(
            one.id,
            one.country,
            one.channel,
            one.purpose,
            one.applied,
            Words(one.english, one.french),
            one.source,
            one.valid_from,
            one.valid_until,
            one.verified,
        )


def encode_rules(provisions: Sequence[records.Provision], call: WireCall) -> HttpResponse:
    """All provisions."""
    return wire.page(map(Rule.of, provisions))


# --- consents


class ConsentRequest(Body):
    """Why the account may send advertising to these numbers; one that has a live basis keeps it."""

    numbers: Annotated[
        str | list[str],
        Meta(description='`"*"` is a declaration for all numbers but those whose own basis has ended.'),
    ]
    source: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=1000,
            description="Where it is known from, such as a form and its date: your evidence.",
        ),
    ]
    basis: Annotated[
        records.Basis, Meta(description="`customer` is an existing one, for similar products.")
    ] = records.Basis.CONSENT


class ConsentQuery(Body):
    """Which consents, newest first."""

    number: str | None = None
    limit: Limit = 100
    cursor: Cursor | None = None


class Consent(Struct):
    """A basis for advertising to a number; withdrawn ones stay as evidence."""

    number: str
    basis: records.Basis
    source: str
    at: Time
    withdrawn_at: Time | None

    @classmethod
    def of(cls, one: commands.MarketingBasis) -> "Consent":
        """The JSON of a record."""
        return cls(one.number, one.basis, one.source, utc(one.at), utc_or_none(one.withdrawn_at))


def decode_record(call: WireCall) -> commands.RecordConsents:
    """POST /v1/consents."""
    request = wire.body(call, ConsentRequest)
    numbers = [request.numbers] if isinstance(request.numbers, str) else request.numbers
    return commands.RecordConsents(tuple(numbers), request.basis, request.source)


def encode_recorded(recorded: Sequence[commands.MarketingBasis], call: WireCall) -> HttpResponse:
    """The live basis of each number."""
    return wire.answer(shapes.Page(list(map(Consent.of, recorded))), 201)


def decode_list(call: WireCall) -> commands.ListConsents:
    """GET /v1/consents."""
    query = wire.query(call, ConsentQuery)
    return commands.ListConsents(query.number or "", wire.cursor(query.cursor), query.limit)


def encode_consents(page: Page[commands.MarketingBasis], call: WireCall) -> HttpResponse:
    """One page of consents."""
    return wire.page(map(Consent.of, page.items), page.next_cursor)


# --- senders


class SenderRequest(Body):
    """A sender in letters for an account, by its name or id."""

    account: str
    sender: Annotated[str, Meta(min_length=1, max_length=11)]


class Sender(Struct):
    """A registered sender."""

    sender: str
    created_at: Time

    @classmethod
    def of(cls, one: commands.RegisteredSender) -> "Sender":
        """The JSON of a record."""
        return cls(one.sender, utc(one.created_at))


def decode_register(call: WireCall) -> commands.RegisterSender:
    """POST /v1/senders."""
    request = wire.body(call, SenderRequest)
    return commands.RegisterSender(request.account, request.sender)


def encode_registered(one: commands.RegisteredSender, call: WireCall) -> HttpResponse:
    """The new sender."""
    return wire.answer(Sender.of(one), 201)


def encode_senders(page: Page[commands.RegisteredSender], call: WireCall) -> HttpResponse:
    """All senders of the account."""
    return wire.page(map(Sender.of, page.items), page.next_cursor)


# --- the operations

LINES: Mapping[str, Operation] = {
    "GET /v1/rules": table.line(
        wire.bare(commands.ListRules),
        rules.list_rules,
        encode_rules,
        "List the provisions that messages are judged by, with source and dates",
        Described("list_rules", "rules", shapes.Page[Rule]),
    ),
    "GET /v1/consents": table.line(
        decode_list,
        consents.list_consents,
        encode_consents,
        "List consents, live and withdrawn ones",
        Described("list_consents", "rules", shapes.Page[Consent], query=ConsentQuery),
    ),
    "POST /v1/consents": table.line(
        decode_record,
        consents.record_consents,
        encode_recorded,
        "Record why advertising may go to numbers",
        Described(
            "record_consents",
            "rules",
            shapes.Page[Consent],
            201,
            body=ConsentRequest,
            faults=(Fault.MISSING_PARAMETER, Fault.NO_RECIPIENT, Fault.ALREADY_EXISTS),
        ),
    ),
    "DELETE /v1/consents/{number}": table.line(
        wire.bare(commands.WithdrawConsent, "number"),
        consents.withdraw_consent,
        wire.nothing,
        "Withdraw a consent; it stays as evidence",
        Described("withdraw_consent", "rules", status=204, faults=(Fault.NOT_FOUND, Fault.INVALID_PARAMETER)),
    ),
    "GET /v1/senders": table.line(
        wire.bare(commands.ListSenders),
        consents.list_senders,
        encode_senders,
        "List the senders registered for the account",
        Described("list_senders", "rules", shapes.Page[Sender]),
    ),
    "POST /v1/senders": table.line(
        decode_register,
        consents.register_sender,
        encode_registered,
        "Register a sender for an account, as an operator",
        Described(
            "register_sender",
            "rules",
            Sender,
            201,
            body=SenderRequest,
            faults=(
                Fault.NOT_ALLOWED,
                Fault.NOT_FOUND,
                Fault.MISSING_PARAMETER,
                Fault.INVALID_SENDER,
                Fault.ALREADY_EXISTS,
            ),
        ),
    ),
    "DELETE /v1/senders/{sender}": table.line(
        wire.bare(commands.RemoveSender, "sender"),
        consents.remove_sender,
        wire.nothing,
        "Give up a registered sender",
        Described("remove_sender", "rules", status=204, faults=(Fault.NOT_FOUND,)),
    ),
}
