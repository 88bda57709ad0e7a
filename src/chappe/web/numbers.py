"""Pages of what comes in: keywords, own numbers, the blacklist."""

from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.commands import (
    BlockNumber,
    ChangeKeyword,
    ClaimKeyword,
    ClaimNumber,
    ListBlacklist,
    ListKeywords,
    ListNumbers,
    ReleaseKeyword,
    ReleaseNumber,
    UnblockNumber,
)
from chappe.model.errors import Fault, Refusal
from chappe.services import inbox
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members

MANNERS = ("rest", "orange", "netoxygen")
"""The dialects in whose manner messages can be handed on."""


def routes(platform: Platform) -> list[BaseRoute]:
    def post(path: str, act: Callable[[Platform, Visit], Awaitable[Response]]) -> Route:
        return Route(path, for_members(platform, act), methods=["POST"])

    return [
        Route("/numbers", for_members(platform, numbers_page), methods=["GET"]),
        post("/numbers", take_number),
        post("/numbers/{number}", change_number),
        post("/numbers/{number}/release", release_number),
        post("/keywords", claim_keyword),
        post("/keywords/{id:int}", change_keyword),
        post("/keywords/{id:int}/release", release_keyword),
        post("/blacklist", block),
        post("/blacklist/{number}/lift", lift),
    ]


async def numbers_page(platform: Platform, visit: Visit) -> Response:
    return await _page(platform, visit)


async def _page(platform: Platform, visit: Visit, refusal: Refusal | None = None, open: str = "") -> Response:
    """The page; after a refusal with the form `open` as it was sent, and what is the matter."""
    caller, after = visit.caller, visit.cursor("after")
    own, codes = await inbox.list_numbers(platform, caller, ListNumbers())

    def drafted(key: str, name: str, stored: str) -> str:
        return visit.field(name) if open == key else stored

    return visit.page(
        "numbers.html",
        422 if refusal else 200,
        here="numbers",
        keywords=await inbox.list_keywords(platform, caller, ListKeywords()),
        numbers=own,
        codes=codes,
        blacklist=await inbox.list_blacklist(platform, caller, ListBlacklist(after)),
        after=after,
        dialects=MANNERS,
        open=open,
        drafted=drafted,
        trouble=visit.trouble(refusal) if refusal else None,
    )


def _manner(visit: Visit) -> str:
    asked = visit.field("dialect", MANNERS[0])
    if asked not in MANNERS:
        raise Refusal(Fault.INVALID_PARAMETER, f"nothing is handed on in the manner of {asked!r}", "dialect")
    return asked


async def take_number(platform: Platform, visit: Visit) -> Response:
    try:
        own = await inbox.claim_number(platform, visit.caller, ClaimNumber())
    except Refusal as refusal:
        return await _page(platform, visit, refusal)
    return visit.go(f"/numbers#number-{own.number}", "number")


async def change_number(platform: Platform, visit: Visit) -> Response:
    number = visit.request.path_params["number"]
    own, _ = await inbox.list_numbers(platform, visit.caller, ListNumbers())
    if number not in [one.number for one in own]:
        return visit.sorry(404)
    command = ClaimNumber(number, visit.field("url"), visit.field("email"), _manner(visit))
    try:
        await inbox.claim_number(platform, visit.caller, command)
    except Refusal as refusal:
        return await _page(platform, visit, refusal, f"number-{number}")
    return visit.go(f"/numbers#number-{number}", "saved")


async def release_number(platform: Platform, visit: Visit) -> Response:
    await inbox.release_number(platform, visit.caller, ReleaseNumber(visit.request.path_params["number"]))
    return visit.go("/numbers", "released")


async def claim_keyword(platform: Platform, visit: Visit) -> Response:
    try:
        command = ClaimKeyword(
            visit.field("short_code"),
            visit.field("word"),
            visit.field("url"),
            visit.field("email"),
            _manner(visit),
        )
        keyword = await inbox.claim_keyword(platform, visit.caller, command)
    except Refusal as refusal:
        return await _page(platform, visit, refusal, "claim")
    return visit.go(f"/numbers#keyword-{keyword.id}", "claimed")


async def change_keyword(platform: Platform, visit: Visit) -> Response:
    keyword_id = visit.request.path_params["id"]
    command = ChangeKeyword(keyword_id, visit.field("url"), visit.field("email"), _manner(visit))
    try:
        await inbox.change_keyword(platform, visit.caller, command)
    except Refusal as refusal:
        if refusal.fault is Fault.NOT_FOUND:
            raise
        return await _page(platform, visit, refusal, f"keyword-{keyword_id}")
    return visit.go(f"/numbers#keyword-{keyword_id}", "saved")


async def release_keyword(platform: Platform, visit: Visit) -> Response:
    await inbox.release_keyword(platform, visit.caller, ReleaseKeyword(visit.request.path_params["id"]))
    return visit.go("/numbers", "released")


async def block(platform: Platform, visit: Visit) -> Response:
    try:
        await inbox.block_number(platform, visit.caller, BlockNumber(visit.field("number")))
    except Refusal as refusal:
        return await _page(platform, visit, refusal, "block")
    return visit.go("/numbers#blocked", "blocked")


async def lift(platform: Platform, visit: Visit) -> Response:
    await inbox.unblock_number(platform, visit.caller, UnblockNumber(visit.request.path_params["number"]))
    return visit.go("/numbers#blocked", "allowed")
