"""The REST API: the table of its operations, joined from the lines of each noun, and the dialect."""

from collections.abc import Mapping
from functools import cache, partial

from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.rest import (
    account,
    announcements,
    callbacks,
    calls,
    centrex,
    conferences,
    inbound,
    lines,
    messages,
    network,
    notices,
    openapi,
    openinghours,
    popups,
    problems,
    programs,
    recordings,
    rights,
    ringgroups,
    sandbox,
    sounds,
    subscriptions,
    table,
    transfers,
    wire,
)
from chappe.model.commands import Caller
from chappe.protocols.http import HttpResponse
from chappe.services.ports import Platform
from chappe.services.sounds import MOST_BYTES


async def no_service(platform: Platform, caller: Caller, command: object) -> None:
    """For the document, which follows from the table alone."""


def encode_document(outcome: None, call: WireCall) -> HttpResponse:
    """The OpenAPI document."""
    return _document()


@cache
def _document() -> HttpResponse:
    return wire.answer(openapi.document(OPERATIONS))


OPERATIONS: Mapping[str, Operation] = {
    **messages.LINES,
    **account.LINES,
    **inbound.LINES,
    **subscriptions.LINES,
    **sandbox.LINES,
    **calls.LINES,
    **transfers.LINES,
    **recordings.LINES,
    **sounds.LINES,
    **conferences.LINES,
    **openinghours.LINES,
    **ringgroups.LINES,
    **popups.LINES,
    **callbacks.LINES,
    **announcements.LINES,
    **lines.LINES,
    **centrex.LINES,
    **programs.LINES,
    **network.LINES,
    **rights.LINES,
    f"GET {wire.DOCUMENT_PATH}": table.line(
        wire.bare(object),
        no_service,
        encode_document,
        "This document",
        table.Described("get_document", "document", openapi.Document, anonymous=True),
    ),
}

ROUTES = wire.routes_of(OPERATIONS)

REST = Dialect(
    name="rest",
    paths=("/v1/",),
    read=partial(wire.read, ROUTES),
    operations=OPERATIONS,
    refuse=problems.refuse,
    body_limits={"/v1/sounds": MOST_BYTES},
    notice=notices.notice,
)

DIALECTS = (REST,)
