"""/v1/numbers, /v1/keywords, /v1/blacklist: where messages from mobiles go, and who wants none from us."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Body, Credits, Cursor, DialectWord, Limit, Time, credits_of, utc
from chappe.dialects.rest.table import Described
from chappe.model import commands, directory
from chappe.model.errors import Fault
from chappe.model.history import Page
from chappe.protocols.http import HttpResponse
from chappe.services import inbox


class TargetChange(Body):
    """Where inbound messages go; what is left out stays as it is, an empty string empties it."""

    url: str | None = None
    email: str | None = None
    dialect: DialectWord | None = None


# --- numbers


class NumberRequest(Body):
    """A sandbox number to take, or where the inbound messages of an own one go."""

    number: Annotated[
        str | None, Meta(description="A free number of the sandbox; left out: any of them.")
    ] = None
    url: Annotated[str | None, Meta(description="Where inbound messages are posted.")] = None
    email: Annotated[str | None, Meta(description="Where inbound messages are mailed.")] = None
    dialect: DialectWord = "rest"


class NumberChange(TargetChange):
    """Where inbound messages to a number go; what is left out stays as it is, an empty string empties it."""


class Number(Struct):
    """A number of the account's own, and where its inbound messages go."""

    number: str
    url: str
    email: str
    dialect: str
    created_at: Time

    @classmethod
    def of(cls, own: directory.OwnNumber) -> "Number":
        """The JSON of a record."""
        return cls(own.number, own.url, own.email, own.dialect, utc(own.created_at))


class ShortCode(Struct):
    """A short code shared by keywords; `revenue` is what its inbound messages earn."""

    number: str
    country: str
    label: str
    revenue: Credits

    @classmethod
    def of(cls, code: directory.ShortCode) -> "ShortCode":
        """The JSON of a record."""
        return cls(code.number, code.country, code.label, credits_of(code.revenue))


class Numbers(Struct):
    """The account's own numbers, and the short codes on which it may reserve keywords."""

    data: list[Number]
    short_codes: list[ShortCode]
    next_cursor: str | None = None


def encode_numbers(
    outcome: tuple[tuple[directory.OwnNumber, ...], tuple[directory.ShortCode, ...]], call: WireCall
) -> HttpResponse:
    """Own numbers, and the short codes for keywords."""
    own, short_codes = outcome
    return wire.answer(
        Numbers([Number.of(number) for number in own], [ShortCode.of(code) for code in short_codes])
    )


def decode_claim_number(call: WireCall) -> commands.ClaimNumber:
    """POST /v1/numbers; an empty body takes any free number."""
    request = wire.body(call, NumberRequest)
    return commands.ClaimNumber(request.number or "", request.url or "", request.email or "", request.dialect)


def decode_change_number(call: WireCall) -> commands.ChangeNumber:
    """PATCH /v1/numbers/{number}."""
    change = wire.body(call, NumberChange)
    return commands.ChangeNumber(wire.parameter(call, "number"), change.url, change.email, change.dialect)


def encode_number(number: directory.OwnNumber, call: WireCall) -> HttpResponse:
    """The number as it now is."""
    return wire.answer(Number.of(number), _created(call))


def _created(call: WireCall) -> int:
    return 201 if call.verb.startswith("POST ") else 200


# --- keywords


class KeywordRequest(Body):
    """A keyword to reserve on a shared short code."""

    short_code: str
    word: Annotated[str, Meta(description="The first word or words of the messages that are meant.")]
    url: Annotated[str | None, Meta(description="Where inbound messages are posted.")] = None
    email: Annotated[str | None, Meta(description="Where inbound messages are mailed.")] = None
    dialect: DialectWord = "rest"


class KeywordChange(TargetChange):
    """Where a keyword's messages go; what is left out stays as it is, an empty string empties it."""


class Keyword(Struct):
    """A reserved keyword, and where its messages go."""

    id: str
    short_code: str
    word: str
    url: str
    email: str
    dialect: str
    created_at: Time

    @classmethod
    def of(cls, keyword: directory.Keyword) -> "Keyword":
        """The JSON of a record."""
        return cls(
            str(keyword.id),
            keyword.short_code,
            keyword.word,
            keyword.url,
            keyword.email,
            keyword.dialect,
            utc(keyword.created_at),
        )


def encode_keywords(keywords: tuple[directory.Keyword, ...], call: WireCall) -> HttpResponse:
    """All keywords."""
    return wire.page(map(Keyword.of, keywords))


def decode_claim_keyword(call: WireCall) -> commands.ClaimKeyword:
    """POST /v1/keywords."""
    request = wire.body(call, KeywordRequest)
    return commands.ClaimKeyword(
        request.short_code, request.word, request.url or "", request.email or "", request.dialect
    )


def decode_change_keyword(call: WireCall) -> commands.ChangeKeyword:
    """PATCH /v1/keywords/{id}."""
    change = wire.body(call, KeywordChange)
    return commands.ChangeKeyword(wire.number_id(call), change.url, change.email, change.dialect)


def encode_keyword(keyword: directory.Keyword, call: WireCall) -> HttpResponse:
    """The keyword as it now is."""
    return wire.answer(Keyword.of(keyword), _created(call))


def decode_release_keyword(call: WireCall) -> commands.ReleaseKeyword:
    """DELETE /v1/keywords/{id}."""
    wire.no_query(call)
    return commands.ReleaseKeyword(wire.number_id(call))


# --- the blacklist


class BlockRequest(Body):
    """A number that this account must never reach again."""

    number: str
    reason: Annotated[str, Meta(max_length=255)] | None = None


class BlacklistQuery(Body):
    """Which page of the blacklist."""

    limit: Limit = 100
    cursor: Cursor | None = None


class BlacklistEntry(Struct):
    """A number that is not reached any more."""

    number: str
    reason: str
    created_at: Time

    @classmethod
    def of(cls, entry: directory.BlacklistEntry) -> "BlacklistEntry":
        """The JSON of a record."""
        return cls(entry.number, entry.reason, utc(entry.created_at))


def decode_blacklist(call: WireCall) -> commands.ListBlacklist:
    """GET /v1/blacklist."""
    query = wire.query(call, BlacklistQuery)
    return commands.ListBlacklist(wire.cursor(query.cursor), query.limit)


def encode_blacklist(page: Page[directory.BlacklistEntry], call: WireCall) -> HttpResponse:
    """One page of the blacklist."""
    return wire.page(map(BlacklistEntry.of, page.items), page.next_cursor)


def decode_block(call: WireCall) -> commands.BlockNumber:
    """POST /v1/blacklist."""
    request = wire.body(call, BlockRequest)
    return (
        commands.BlockNumber(request.number, request.reason)
        if request.reason
        else commands.BlockNumber(request.number)
    )


def encode_blocked(entry: directory.BlacklistEntry, call: WireCall) -> HttpResponse:
    """The new entry."""
    return wire.answer(BlacklistEntry.of(entry), 201)


# --- the operations


LINES: Mapping[str, Operation] = {
    "GET /v1/numbers": table.line(
        wire.bare(commands.ListNumbers),
        inbox.list_numbers,
        encode_numbers,
        "List own numbers, and the short codes for keywords",
        Described("list_numbers", "inbound", Numbers),
    ),
    "POST /v1/numbers": table.line(
        decode_claim_number,
        inbox.claim_number,
        encode_number,
        "Take a number of the sandbox",
        Described(
            "claim_number",
            "inbound",
            Number,
            201,
            body=NumberRequest,
            faults=(Fault.NOT_ALLOWED, Fault.NOT_FOUND, Fault.ALREADY_EXISTS),
        ),
    ),
    "PATCH /v1/numbers/{number}": table.line(
        decode_change_number,
        inbox.change_number,
        encode_number,
        "Set where a number's inbound messages go",
        Described(
            "change_number",
            "inbound",
            Number,
            body=NumberChange,
            faults=(Fault.NOT_ALLOWED, Fault.ALREADY_EXISTS),
        ),
    ),
    "DELETE /v1/numbers/{number}": table.line(
        wire.bare(commands.ReleaseNumber, "number"),
        inbox.release_number,
        wire.nothing,
        "Give a number back",
        Described("release_number", "inbound", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/keywords": table.line(
        wire.bare(commands.ListKeywords),
        inbox.list_keywords,
        encode_keywords,
        "List keywords",
        Described("list_keywords", "inbound", shapes.Page[Keyword]),
    ),
    "POST /v1/keywords": table.line(
        decode_claim_keyword,
        inbox.claim_keyword,
        encode_keyword,
        "Reserve a keyword on a shared short code",
        Described(
            "claim_keyword",
            "inbound",
            Keyword,
            201,
            body=KeywordRequest,
            faults=(Fault.MISSING_PARAMETER, Fault.NOT_ALLOWED, Fault.ALREADY_EXISTS),
        ),
    ),
    "PATCH /v1/keywords/{id}": table.line(
        decode_change_keyword,
        inbox.change_keyword,
        encode_keyword,
        "Change where a keyword's messages go",
        Described("change_keyword", "inbound", Keyword, body=KeywordChange, faults=(Fault.NOT_FOUND,)),
    ),
    "DELETE /v1/keywords/{id}": table.line(
        decode_release_keyword,
        inbox.release_keyword,
        wire.nothing,
        "Give a keyword back",
        Described("release_keyword", "inbound", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/blacklist": table.line(
        decode_blacklist,
        inbox.list_blacklist,
        encode_blacklist,
        "List the numbers that are not reached any more",
        Described("list_blacklist", "inbound", shapes.Page[BlacklistEntry], query=BlacklistQuery),
    ),
    "POST /v1/blacklist": table.line(
        decode_block,
        inbox.block_number,
        encode_blocked,
        "Put a number on the blacklist",
        Described(
            "block_number",
            "inbound",
            BlacklistEntry,
            201,
            body=BlockRequest,
            faults=(Fault.MISSING_PARAMETER,),
        ),
    ),
    "DELETE /v1/blacklist/{number}": table.line(
        wire.bare(commands.UnblockNumber, "number"),
        inbox.unblock_number,
        wire.nothing,
        "Take a number off the blacklist",
        Described("unblock_number", "inbound", status=204, faults=(Fault.NOT_FOUND, Fault.INVALID_PARAMETER)),
    ),
}
