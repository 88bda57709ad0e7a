"""/v1/account: the account with its balance, and its statement."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from chappe.dialects.contract import Operation, WireCall
from chappe.dialects.rest import shapes, table, wire
from chappe.dialects.rest.shapes import Credits, PageQuery, Time, credits_of, utc
from chappe.dialects.rest.table import Described
from chappe.model import commands, directory, ledger
from chappe.model.history import Page
from chappe.protocols.http import HttpResponse
from chappe.services.directory import read_account
from chappe.services.ledger import read_ledger


class Account(Struct):
    """The account; `reserved` credits are promised to work that is not finished."""

    id: str
    name: str
    kind: directory.AccountKind
    balance: Credits
    reserved: Credits
    default_sender: str
    created_at: Time

    @classmethod
    def of(cls, account: directory.Account) -> "Account":
        """The JSON of a record."""
        return cls(
            account.guid,
            account.name,
            account.kind,
            credits_of(account.balance),
            credits_of(account.reserved),
            account.default_sender,
            utc(account.created_at),
        )


class LedgerEntry(Struct):
    """One line of the statement: a positive amount came to the account, a negative one left it."""

    id: str
    at: Time
    kind: ledger.EntryKind
    amount: Credits
    balance: Annotated[Credits, Meta(description="After this entry.")]
    messages: Annotated[int, Meta(description="How many messages it pays for.")]
    reference: str | None

    @classmethod
    def of(cls, entry: ledger.LedgerEntry) -> "LedgerEntry":
        """The JSON of a record."""
        came = entry.credit.startswith("account:")
        return cls(
            str(entry.id),
            utc(entry.at),
            entry.kind,
            credits_of(entry.amount if came else -entry.amount),
            credits_of(entry.balance),
            entry.messages,
            entry.reference,
        )


def encode_account(account: directory.Account, call: WireCall) -> HttpResponse:
    """The account as it is now."""
    return wire.answer(Account.of(account))


def decode_ledger(call: WireCall) -> commands.ReadLedger:
    """GET /v1/account/ledger."""
    query = wire.query(call, PageQuery)
    return commands.ReadLedger(wire.cursor(query.cursor), query.limit)


def encode_ledger(page: Page[ledger.LedgerEntry], call: WireCall) -> HttpResponse:
    """One page of the statement."""
    return wire.page(map(LedgerEntry.of, page.items), page.next_cursor)


LINES: Mapping[str, Operation] = {
    "GET /v1/account": table.line(
        wire.bare(commands.ReadAccount),
        read_account,
        encode_account,
        "Get the account with its balance",
        Described("get_account", "account", Account),
    ),
    "GET /v1/account/ledger": table.line(
        decode_ledger,
        read_ledger,
        encode_ledger,
        "List the movements of credits, newest first",
        Described("list_ledger", "account", shapes.Page[LedgerEntry], query=PageQuery),
    ),
}
