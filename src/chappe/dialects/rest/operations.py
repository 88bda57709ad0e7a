"""The REST API: which request is which command, which service carries it out, and what is answered."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial
from typing import Any

from chappe.dialects.contract import Dialect, Operation, WireCall
from chappe.dialects.rest import schemas, wire
from chappe.dialects.rest.openapi import Described, document
from chappe.model import commands, directory
from chappe.model.errors import Fault, Refusal
from chappe.model.history import MessageStory, Page
from chappe.model.jobs import Job
from chappe.model.ledger import LedgerEntry
from chappe.model.messages import Direction, Message
from chappe.protocols.http import HttpResponse
from chappe.services import directory as directory_service
from chappe.services import history, inbox, ledger, messages, sandbox, subscriptions
from chappe.services.ports import Platform

# --- messages


def decode_send(call: WireCall) -> commands.SendMessages:
    """POST /v1/messages."""
    request = wire.body(call, schemas.SendRequest)
    return commands.SendMessages(
        recipients=_recipients(request),
        text=request.text,
        sender=request.sender or "",
        flash=request.flash,
        send_at=wire.instant(request.send_at, "send_at"),
        receipt_wanted=request.receipt,
        reference=request.reference or "",
        encoding=request.encoding,
        all_or_nothing=True,
        replay=wire.replay(call),
    )


def _recipients(request: schemas.SendRequest) -> tuple[str, ...]:
    return (request.to,) if isinstance(request.to, str) else tuple(request.to)


def encode_sent(outcome: commands.SendOutcome, call: WireCall) -> HttpResponse:
    """201 with every recipient; the command stops at the first bad one, so there are no mixed fates."""
    accepted: list[Message] = []
    for index, result in enumerate(outcome.results):
        if isinstance(result, commands.Refused):
            return wire.refuse(Refusal(result.fault, result.detail, f"to[{index}]"), call)
        accepted.append(result.message)
    replayed = ((wire.REPLAYED, "true"),) if outcome.replayed else ()
    return wire.answer(schemas.Sent.of(accepted, outcome.balance), 201, replayed)


def decode_quote(call: WireCall) -> commands.QuoteMessages:
    """POST /v1/messages/quote; it takes the body of a send, so that the same body can be sent after it."""
    request = wire.body(call, schemas.SendRequest)
    return commands.QuoteMessages(
        recipients=_recipients(request),
        text=request.text,
        encoding=request.encoding,
        sender=request.sender or "",
    )


def encode_quote(quote: commands.Quote, call: WireCall) -> HttpResponse:
    """What it would cost."""
    return wire.answer(schemas.Quote.of(quote))


def decode_list_messages(call: WireCall) -> commands.ListMessages:
    """GET /v1/messages.

    The store searches by mobile and by our side of a message, so `to` and `from` need a direction: without
    one they are those of a message to a mobile (our choice).
    """
    query = wire.query(call, schemas.MessageQuery)
    direction = query.direction
    if direction is None and (query.to or query.sender):
        direction = Direction.MT
    to, sender = _digits(query.to), _digits(query.sender)
    peer, address = (sender, to) if direction is Direction.MO else (to, sender)
    return commands.ListMessages(
        direction=direction,
        state=query.state,
        peer=peer,
        address=address,
        dialect=query.dialect or "",
        reference=query.reference or "",
        text=query.text or "",
        since=wire.instant(query.since, "since"),
        until=wire.instant(query.until, "until"),
        cursor=wire.cursor(query.cursor),
        limit=query.limit,
    )


def _digits(number: str | None) -> str:
    # A plus that was not escaped arrives as a blank.
    return (number or "").strip().removeprefix("+")


def encode_messages(page: Page[Message], call: WireCall) -> HttpResponse:
    """One page of messages."""
    return wire.page(map(schemas.Message.of, page.items), page.next_cursor)


def decode_find_message(call: WireCall) -> commands.FindMessages:
    """GET /v1/messages/{id}."""
    wire.no_query(call)
    return commands.FindMessages((wire.parameter(call, "id"),), notices=True)


def encode_story(outcome: tuple[MessageStory | commands.Refused, ...], call: WireCall) -> HttpResponse:
    """The one message with its history and notices."""
    (found,) = outcome
    if isinstance(found, commands.Refused):
        return wire.refuse(Refusal(found.fault, found.detail, "id"), call)
    return wire.answer(schemas.MessageStory.told(found))


def decode_cancel(call: WireCall) -> commands.CancelMessages:
    """POST /v1/messages/{id}/cancel; a body is not looked at."""
    wire.no_query(call)
    return commands.CancelMessages((wire.parameter(call, "id"),))


def encode_cancelled(outcome: tuple[Message | commands.Refused, ...], call: WireCall) -> HttpResponse:
    """The message as it now is."""
    (cancelled,) = outcome
    if isinstance(cancelled, commands.Refused):
        return wire.refuse(Refusal(cancelled.fault, cancelled.detail, "id"), call)
    return wire.answer(schemas.Message.of(cancelled))


# --- the account


def encode_account(account: directory.Account, call: WireCall) -> HttpResponse:
    """The account as it is now."""
    return wire.answer(schemas.Account.of(account))


def decode_ledger(call: WireCall) -> commands.ReadLedger:
    """GET /v1/account/ledger."""
    query = wire.query(call, schemas.PageQuery)
    return commands.ReadLedger(wire.cursor(query.cursor), query.limit)


def encode_ledger(page: Page[LedgerEntry], call: WireCall) -> HttpResponse:
    """One page of the statement."""
    return wire.page(map(schemas.LedgerEntry.of, page.items), page.next_cursor)


# --- numbers, keywords, blacklist


def encode_numbers(
    outcome: tuple[tuple[directory.OwnNumber, ...], tuple[directory.ShortCode, ...]], call: WireCall
) -> HttpResponse:
    """Own numbers, and the short codes for keywords."""
    own, short_codes = outcome
    return wire.answer(
        schemas.Numbers(
            [schemas.Number.of(number) for number in own],
            [schemas.ShortCode.of(code) for code in short_codes],
        )
    )


def decode_claim_number(call: WireCall) -> commands.ClaimNumber:
    """POST /v1/numbers; an empty body takes any free number."""
    request = wire.body(call, schemas.NumberRequest)
    return commands.ClaimNumber(request.number or "", request.url or "", request.email or "", request.dialect)


def decode_change_number(call: WireCall) -> commands.ChangeNumber:
    """PATCH /v1/numbers/{number}."""
    change = wire.body(call, schemas.NumberChange)
    return commands.ChangeNumber(wire.parameter(call, "number"), change.url, change.email, change.dialect)


def encode_number(number: directory.OwnNumber, call: WireCall) -> HttpResponse:
    """The number as it now is."""
    return wire.answer(schemas.Number.of(number), _created(call))


def decode_release_number(call: WireCall) -> commands.ReleaseNumber:
    """DELETE /v1/numbers/{number}."""
    wire.no_query(call)
    return commands.ReleaseNumber(wire.parameter(call, "number"))


def encode_keywords(keywords: tuple[directory.Keyword, ...], call: WireCall) -> HttpResponse:
    """All keywords."""
    return wire.page(map(schemas.Keyword.of, keywords))


def decode_claim_keyword(call: WireCall) -> commands.ClaimKeyword:
    """POST /v1/keywords."""
    request = wire.body(call, schemas.KeywordRequest)
    return commands.ClaimKeyword(
        request.short_code, request.word, request.url or "", request.email or "", request.dialect
    )


def decode_change_keyword(call: WireCall) -> commands.ChangeKeyword:
    """PATCH /v1/keywords/{id}."""
    change = wire.body(call, schemas.KeywordChange)
    return commands.ChangeKeyword(wire.number_id(call), change.url, change.email, change.dialect)


def encode_keyword(keyword: directory.Keyword, call: WireCall) -> HttpResponse:
    """The keyword as it now is."""
    return wire.answer(schemas.Keyword.of(keyword), _created(call))


def decode_release_keyword(call: WireCall) -> commands.ReleaseKeyword:
    """DELETE /v1/keywords/{id}."""
    wire.no_query(call)
    return commands.ReleaseKeyword(wire.number_id(call))


def decode_blacklist(call: WireCall) -> commands.ListBlacklist:
    """GET /v1/blacklist."""
    query = wire.query(call, schemas.BlacklistQuery)
    return commands.ListBlacklist(wire.cursor(query.cursor), query.limit)


def encode_blacklist(page: Page[directory.BlacklistEntry], call: WireCall) -> HttpResponse:
    """One page of the blacklist."""
    return wire.page(map(schemas.BlacklistEntry.of, page.items), page.next_cursor)


def decode_block(call: WireCall) -> commands.BlockNumber:
    """POST /v1/blacklist."""
    request = wire.body(call, schemas.BlockRequest)
    return (
        commands.BlockNumber(request.number, request.reason)
        if request.reason
        else commands.BlockNumber(request.number)
    )


def encode_blocked(entry: directory.BlacklistEntry, call: WireCall) -> HttpResponse:
    """The new entry."""
    return wire.answer(schemas.BlacklistEntry.of(entry), 201)


def decode_unblock(call: WireCall) -> commands.UnblockNumber:
    """DELETE /v1/blacklist/{number}."""
    wire.no_query(call)
    return commands.UnblockNumber(wire.parameter(call, "number"))


# --- subscriptions and deliveries


def decode_subscribe(call: WireCall) -> commands.Subscribe:
    """POST /v1/subscriptions."""
    request = wire.body(call, schemas.SubscriptionRequest)
    return commands.Subscribe(request.url, tuple(request.events), request.dialect)


def encode_subscribed(subscription: directory.Subscription, call: WireCall) -> HttpResponse:
    """The new subscription with its secret."""
    return wire.answer(schemas.NewSubscription.made(subscription), 201)


def encode_subscriptions(outcome: tuple[directory.Subscription, ...], call: WireCall) -> HttpResponse:
    """All subscriptions."""
    return wire.page(map(schemas.Subscription.of, outcome))


def decode_find_subscription(call: WireCall) -> commands.FindSubscription:
    """GET /v1/subscriptions/{id}."""
    wire.no_query(call)
    return commands.FindSubscription(wire.parameter(call, "id"))


def decode_change_subscription(call: WireCall) -> commands.ChangeSubscription:
    """PATCH /v1/subscriptions/{id}."""
    change = wire.body(call, schemas.SubscriptionChange)
    events = None if change.events is None else tuple(change.events)
    return commands.ChangeSubscription(wire.parameter(call, "id"), change.url, events, change.enabled)


def encode_subscription(subscription: directory.Subscription, call: WireCall) -> HttpResponse:
    """The subscription as it now is."""
    return wire.answer(schemas.Subscription.of(subscription))


def decode_unsubscribe(call: WireCall) -> commands.Unsubscribe:
    """DELETE /v1/subscriptions/{id}."""
    wire.no_query(call)
    return commands.Unsubscribe(wire.parameter(call, "id"))


def decode_deliveries(call: WireCall) -> commands.ListDeliveries:
    """GET /v1/deliveries."""
    query = wire.query(call, schemas.DeliveryQuery)
    return commands.ListDeliveries(query.state or "", wire.cursor(query.cursor), query.limit)


def encode_deliveries(page: Page[Job], call: WireCall) -> HttpResponse:
    """One page of deliveries."""
    return wire.page(map(schemas.Delivery.of, page.items), page.next_cursor)


def decode_replay_delivery(call: WireCall) -> commands.ReplayDelivery:
    """POST /v1/deliveries/{id}/replay; a body is not looked at."""
    wire.no_query(call)
    return commands.ReplayDelivery(wire.number_id(call))


def encode_delivery(job: Job, call: WireCall) -> HttpResponse:
    """The delivery, on its way again."""
    return wire.answer(schemas.Delivery.of(job), 202)


# --- the sandbox


def encode_handsets(handsets: tuple[directory.Handset, ...], call: WireCall) -> HttpResponse:
    """All telephones that were used."""
    return wire.page(map(schemas.Handset.of, handsets))


def decode_read_handset(call: WireCall) -> commands.ReadHandset:
    """GET /v1/sandbox/handsets/{number}/messages."""
    query = wire.query(call, schemas.HandsetQuery)
    return commands.ReadHandset(wire.parameter(call, "number"), query.limit)


def encode_conversation(
    outcome: tuple[directory.Handset, tuple[directory.HandsetItem, ...]], call: WireCall
) -> HttpResponse:
    """A telephone and its messages."""
    handset, items = outcome
    return wire.answer(
        schemas.Conversation(schemas.Handset.of(handset), [schemas.HandsetMessage.of(item) for item in items])
    )


def decode_send_from_handset(call: WireCall) -> commands.SendFromHandset:
    """POST /v1/sandbox/handsets/{number}/messages."""
    request = wire.body(call, schemas.HandsetText)
    return commands.SendFromHandset(wire.parameter(call, "number"), request.to, request.text)


def encode_handset_message(item: directory.HandsetItem, call: WireCall) -> HttpResponse:
    """What the telephone sent."""
    return wire.answer(schemas.HandsetMessage.of(item), 201)


def decode_behaviour(call: WireCall) -> commands.SetBehaviour:
    """PUT /v1/sandbox/handsets/{number}/behaviour."""
    behaviour = wire.body(call, schemas.Behaviour)
    return commands.SetBehaviour(wire.parameter(call, "number"), behaviour.keys())


def encode_handset(handset: directory.Handset, call: WireCall) -> HttpResponse:
    """The telephone as it now is."""
    return wire.answer(schemas.Handset.of(handset))


# --- what many share


def _bare(command: type[Any]) -> Callable[[WireCall], Any]:
    """The decoder of a command without parameters."""

    def decode(call: WireCall) -> Any:
        wire.no_query(call)
        return command()

    return decode


def _created(call: WireCall) -> int:
    return 201 if call.verb.startswith("POST ") else 200


def encode_nothing(outcome: object, call: WireCall) -> HttpResponse:
    """204."""
    return wire.nothing()


async def no_service(platform: Platform, caller: commands.Caller, command: object) -> None:
    """For the document, which follows from the table alone."""


def encode_document(outcome: None, call: WireCall) -> HttpResponse:
    """The OpenAPI document."""
    return _document()


@cache
def _document() -> HttpResponse:
    return wire.answer(document(OPERATIONS))


def _line(
    decode: Callable[[WireCall], Any],
    run: Callable[..., Awaitable[Any]],
    encode: Callable[[Any, WireCall], HttpResponse],
    summary: str,
    described: Described,
) -> Operation:
    source = "RFC 6750, RFC 9457, OpenAPI 3.1; paths and shapes are our choice"
    return Operation(decode, run, encode, summary, source, {"openapi": described})


_SENDING_FAULTS = (
    Fault.MISSING_PARAMETER,
    Fault.NO_RECIPIENT,
    Fault.INVALID_RECIPIENT,
    Fault.INVALID_SENDER,
    Fault.BLACKLISTED,
    Fault.EMPTY_CONTENT,
    Fault.CONTENT_TOO_LONG,
    Fault.NO_ROUTE,
)

OPERATIONS: Mapping[str, Operation] = {
    "POST /v1/messages": _line(
        decode_send,
        messages.send,
        encode_sent,
        "Send an SMS to one or many mobiles",
        Described(
            "send_messages",
            "messages",
            schemas.Sent,
            201,
            body=schemas.SendRequest,
            faults=(*_SENDING_FAULTS, Fault.INSUFFICIENT_CREDITS),
            costs=True,
        ),
    ),
    "GET /v1/messages": _line(
        decode_list_messages,
        history.list_messages,
        encode_messages,
        "List messages, newest first",
        Described("list_messages", "messages", schemas.Page[schemas.Message], query=schemas.MessageQuery),
    ),
    "POST /v1/messages/quote": _line(
        decode_quote,
        messages.quote,
        encode_quote,
        "Tell what a send would cost, exactly",
        Described(
            "quote_messages",
            "messages",
            schemas.Quote,
            body=schemas.SendRequest,
            faults=_SENDING_FAULTS,
        ),
    ),
    "GET /v1/messages/{id}": _line(
        decode_find_message,
        history.find_messages,
        encode_story,
        "Get one message with its history and notices",
        Described("get_message", "messages", schemas.MessageStory, faults=(Fault.NOT_FOUND,)),
    ),
    "POST /v1/messages/{id}/cancel": _line(
        decode_cancel,
        messages.cancel,
        encode_cancelled,
        "Cancel a scheduled message; its price is given back",
        Described("cancel_message", "messages", schemas.Message, faults=(Fault.NOT_FOUND, Fault.TOO_LATE)),
    ),
    "GET /v1/account": _line(
        _bare(commands.ReadAccount),
        directory_service.read_account,
        encode_account,
        "Get the account with its balance",
        Described("get_account", "account", schemas.Account),
    ),
    "GET /v1/account/ledger": _line(
        decode_ledger,
        ledger.read_ledger,
        encode_ledger,
        "List the movements of credits, newest first",
        Described("list_ledger", "account", schemas.Page[schemas.LedgerEntry], query=schemas.PageQuery),
    ),
    "GET /v1/numbers": _line(
        _bare(commands.ListNumbers),
        inbox.list_numbers,
        encode_numbers,
        "List own numbers, and the short codes for keywords",
        Described("list_numbers", "inbound", schemas.Numbers),
    ),
    "POST /v1/numbers": _line(
        decode_claim_number,
        inbox.claim_number,
        encode_number,
        "Take a number of the sandbox",
        Described(
            "claim_number",
            "inbound",
            schemas.Number,
            201,
            body=schemas.NumberRequest,
            faults=(Fault.NOT_ALLOWED, Fault.NOT_FOUND, Fault.ALREADY_EXISTS),
        ),
    ),
    "PATCH /v1/numbers/{number}": _line(
        decode_change_number,
        inbox.change_number,
        encode_number,
        "Set where a number's inbound messages go",
        Described(
            "change_number",
            "inbound",
            schemas.Number,
            body=schemas.NumberChange,
            faults=(Fault.NOT_ALLOWED, Fault.ALREADY_EXISTS),
        ),
    ),
    "DELETE /v1/numbers/{number}": _line(
        decode_release_number,
        inbox.release_number,
        encode_nothing,
        "Give a number back",
        Described("release_number", "inbound", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/keywords": _line(
        _bare(commands.ListKeywords),
        inbox.list_keywords,
        encode_keywords,
        "List keywords",
        Described("list_keywords", "inbound", schemas.Page[schemas.Keyword]),
    ),
    "POST /v1/keywords": _line(
        decode_claim_keyword,
        inbox.claim_keyword,
        encode_keyword,
        "Reserve a keyword on a shared short code",
        Described(
            "claim_keyword",
            "inbound",
            schemas.Keyword,
            201,
            body=schemas.KeywordRequest,
            faults=(Fault.MISSING_PARAMETER, Fault.NOT_ALLOWED, Fault.ALREADY_EXISTS),
        ),
    ),
    "PATCH /v1/keywords/{id}": _line(
        decode_change_keyword,
        inbox.change_keyword,
        encode_keyword,
        "Change where a keyword's messages go",
        Described(
            "change_keyword",
            "inbound",
            schemas.Keyword,
            body=schemas.KeywordChange,
            faults=(Fault.NOT_FOUND,),
        ),
    ),
    "DELETE /v1/keywords/{id}": _line(
        decode_release_keyword,
        inbox.release_keyword,
        encode_nothing,
        "Give a keyword back",
        Described("release_keyword", "inbound", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/blacklist": _line(
        decode_blacklist,
        inbox.list_blacklist,
        encode_blacklist,
        "List the numbers that are not reached any more",
        Described(
            "list_blacklist",
            "inbound",
            schemas.Page[schemas.BlacklistEntry],
            query=schemas.BlacklistQuery,
        ),
    ),
    "POST /v1/blacklist": _line(
        decode_block,
        inbox.block_number,
        encode_blocked,
        "Put a number on the blacklist",
        Described(
            "block_number",
            "inbound",
            schemas.BlacklistEntry,
            201,
            body=schemas.BlockRequest,
            faults=(Fault.MISSING_PARAMETER,),
        ),
    ),
    "DELETE /v1/blacklist/{number}": _line(
        decode_unblock,
        inbox.unblock_number,
        encode_nothing,
        "Take a number off the blacklist",
        Described("unblock_number", "inbound", status=204, faults=(Fault.NOT_FOUND, Fault.INVALID_PARAMETER)),
    ),
    "GET /v1/subscriptions": _line(
        _bare(commands.ListSubscriptions),
        subscriptions.list_subscriptions,
        encode_subscriptions,
        "List subscriptions",
        Described("list_subscriptions", "subscriptions", schemas.Page[schemas.Subscription]),
    ),
    "POST /v1/subscriptions": _line(
        decode_subscribe,
        subscriptions.subscribe,
        encode_subscribed,
        "Be told of events at a URL",
        Described(
            "subscribe",
            "subscriptions",
            schemas.NewSubscription,
            201,
            body=schemas.SubscriptionRequest,
            faults=(Fault.MISSING_PARAMETER,),
        ),
    ),
    "GET /v1/subscriptions/{id}": _line(
        decode_find_subscription,
        subscriptions.find_subscription,
        encode_subscription,
        "Get one subscription",
        Described("get_subscription", "subscriptions", schemas.Subscription, faults=(Fault.NOT_FOUND,)),
    ),
    "PATCH /v1/subscriptions/{id}": _line(
        decode_change_subscription,
        subscriptions.change_subscription,
        encode_subscription,
        "Change a subscription, or enable it again",
        Described(
            "change_subscription",
            "subscriptions",
            schemas.Subscription,
            body=schemas.SubscriptionChange,
            faults=(Fault.NOT_FOUND,),
        ),
    ),
    "DELETE /v1/subscriptions/{id}": _line(
        decode_unsubscribe,
        subscriptions.unsubscribe,
        encode_nothing,
        "End a subscription",
        Described("unsubscribe", "subscriptions", status=204, faults=(Fault.NOT_FOUND,)),
    ),
    "GET /v1/deliveries": _line(
        decode_deliveries,
        subscriptions.list_deliveries,
        encode_deliveries,
        "List notices, newest first",
        Described(
            "list_deliveries",
            "subscriptions",
            schemas.Page[schemas.Delivery],
            query=schemas.DeliveryQuery,
        ),
    ),
    "POST /v1/deliveries/{id}/replay": _line(
        decode_replay_delivery,
        subscriptions.replay_delivery,
        encode_delivery,
        "Send a notice again",
        Described(
            "replay_delivery",
            "subscriptions",
            schemas.Delivery,
            202,
            faults=(Fault.NOT_FOUND, Fault.TOO_LATE),
        ),
    ),
    "GET /v1/sandbox/handsets": _line(
        _bare(commands.ListHandsets),
        sandbox.list_handsets,
        encode_handsets,
        "List the virtual telephones that were used",
        Described("list_handsets", "sandbox", schemas.Page[schemas.Handset]),
    ),
    "GET /v1/sandbox/handsets/{number}/messages": _line(
        decode_read_handset,
        sandbox.read_handset,
        encode_conversation,
        "Read a virtual telephone",
        Described(
            "read_handset",
            "sandbox",
            schemas.Conversation,
            query=schemas.HandsetQuery,
            faults=(Fault.INVALID_PARAMETER,),
        ),
    ),
    "POST /v1/sandbox/handsets/{number}/messages": _line(
        decode_send_from_handset,
        sandbox.send_from_handset,
        encode_handset_message,
        "Send an SMS from a virtual telephone",
        Described(
            "send_from_handset",
            "sandbox",
            schemas.HandsetMessage,
            201,
            body=schemas.HandsetText,
            faults=(Fault.MISSING_PARAMETER, Fault.EMPTY_CONTENT, Fault.CONTENT_TOO_LONG),
        ),
    ),
    "PUT /v1/sandbox/handsets/{number}/behaviour": _line(
        decode_behaviour,
        sandbox.set_behaviour,
        encode_handset,
        "Set how a virtual telephone and its network behave",
        Described(
            "set_behaviour",
            "sandbox",
            schemas.Handset,
            body=schemas.Behaviour,
            faults=(Fault.INVALID_PARAMETER,),
        ),
    ),
    f"GET {wire.DOCUMENT_PATH}": _line(
        _bare(object),
        no_service,
        encode_document,
        "This document",
        Described("get_document", "document", schemas.Document, anonymous=True),
    ),
}

ROUTES = wire.routes_of(OPERATIONS)

REST = Dialect(
    name="rest",
    paths=("/v1/",),
    read=partial(wire.read, ROUTES),
    operations=OPERATIONS,
    refuse=wire.refuse,
    notice=wire.notice,
)

DIALECTS = (REST,)
