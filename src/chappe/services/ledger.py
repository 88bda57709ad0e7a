"""The account's statement; credits themselves move only inside Changes."""

from chappe.model.commands import Caller, ReadLedger
from chappe.model.history import Page
from chappe.model.ledger import LedgerEntry
from chappe.services.ports import Platform


async def read_ledger(platform: Platform, caller: Caller, command: ReadLedger) -> Page[LedgerEntry]:
    """A page of the caller's statement, newest first."""
    limit = max(1, min(command.limit, 100))
    found = await platform.store.queries.ledger(caller.account_id, command.cursor, limit + 1)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)
