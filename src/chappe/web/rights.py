"""Pages of what may be sent: the rules, and what operators allow single accounts."""

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.destinations import CLOSED
from chappe.model.errors import Fault, Refusal
from chappe.model.rights import ListRules
from chappe.services import accounts, allowances, rules
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members

HERE = "/network/accounts"


def routes(platform: Platform) -> list[BaseRoute]:
    def post(path: str, handler: object) -> Route:
        return Route(path, for_members(platform, handler), methods=["POST"])  # type: ignore[arg-type]

    return [
        Route("/rules", for_members(platform, rules_page), methods=["GET"]),
        Route(HERE, for_members(platform, accounts_page), methods=["GET"]),
        Route(HERE + "/{id:int}", for_members(platform, account_page), methods=["GET"]),
        post(HERE + "/{id:int}/senders", give_sender),
        post(HERE + "/{id:int}/senders/take", take_sender),
        post(HERE + "/{id:int}/destinations", open_destination),
        post(HERE + "/{id:int}/destinations/close", close_destination),
        post(HERE + "/{id:int}/cap", set_cap),
        post(HERE + "/{id:int}/calls", set_call_limits),
    ]


async def rules_page(platform: Platform, visit: Visit) -> Response:
    return visit.page(
        "rules.html",
        here="network" if visit.account is not None and visit.account.operator else "messages",
        rules=await rules.list_rules(platform, visit.caller, ListRules()),
        today=platform.clock.now().date(),
    )


# --- accounts, for operators


async def accounts_page(platform: Platform, visit: Visit) -> Response:
    """The list, or where an account is asked for by its name the page of that one."""
    written = visit.request.query_params.get("account", "").strip()[:200]
    trouble = None
    if written:
        try:
            found = await allowances.find_account(platform, visit.caller, written)
        except Refusal as refusal:
            if refusal.fault is not Fault.NOT_FOUND:
                raise
            trouble = visit.trouble(refusal)
        else:
            return visit.go(f"{HERE}/{found.id}")
    return visit.page(
        "accounts.html",
        404 if trouble else 200,
        here="network",
        accounts=await allowances.list_accounts(platform, visit.caller, visit.cursor()),
        cursor=visit.cursor(),
        asked=written,
        trouble=trouble,
    )


async def account_page(platform: Platform, visit: Visit) -> Response:
    return await _account_page(platform, visit)


async def _account_page(platform: Platform, visit: Visit, refusal: Refusal | None = None) -> Response:
    """The page; after a refusal with the form as it was sent, and what is the matter."""
    account_id = visit.request.path_params["id"]
    return visit.page(
        "allowance.html",
        422 if refusal else 200,
        here="network",
        again=f"{HERE}/{account_id}" if refusal else "",
        may=await allowances.read(platform, visit.caller, account_id),
        default_cap=platform.rules.daily_cap,
        registered=platform.rules.senders_registered,
        closed=CLOSED,
        typed=visit.field,
        # The same fault of a sender means something else to who gives it than to who sends.
        trouble=visit.trouble(refusal, {"sender": "given"}) if refusal else None,
    )


async def _again(platform: Platform, visit: Visit, refusal: Refusal) -> Response:
    """The page with what is the matter at the form's field; what is no field's has a page of its own."""
    if refusal.fault in (Fault.NOT_ALLOWED, Fault.NOT_FOUND):
        raise refusal
    return await _account_page(platform, visit, refusal)


async def give_sender(platform: Platform, visit: Visit) -> Response:
    account_id = visit.request.path_params["id"]
    try:
        await allowances.give_sender(platform, visit.caller, account_id, visit.field("given"))
    except Refusal as refusal:
        return await _again(platform, visit, refusal)
    return visit.go(f"{HERE}/{account_id}", "sender-given")


async def take_sender(platform: Platform, visit: Visit) -> Response:
    account_id = visit.request.path_params["id"]
    await allowances.take_sender(platform, visit.caller, account_id, visit.field("sender"))
    return visit.go(f"{HERE}/{account_id}", "sender-taken")


async def open_destination(platform: Platform, visit: Visit) -> Response:
    account_id = visit.request.path_params["id"]
    try:
        await allowances.open_destination(platform, visit.caller, account_id, visit.field("prefix"))
    except Refusal as refusal:
        return await _again(platform, visit, refusal)
    return visit.go(f"{HERE}/{account_id}", "opened")


async def close_destination(platform: Platform, visit: Visit) -> Response:
    account_id, prefix = visit.request.path_params["id"], visit.field("prefix")
    await allowances.open_destination(platform, visit.caller, account_id, prefix, closed=True)
    return visit.go(f"{HERE}/{account_id}", "closed")


async def set_call_limits(platform: Platform, visit: Visit) -> Response:
    account_id = visit.request.path_params["id"]
    a_day, cap = visit.field("calls_a_day"), visit.field("calls_cap")
    field = "calls_a_day"
    try:
        most = accounts.whole(a_day) if a_day else None
        field = "calls_cap"
        credits = accounts.credits_of(cap) if cap else None
        await allowances.set_call_limits(platform, visit.caller, account_id, most, credits)
    except Refusal as refusal:
        if refusal.fault is Fault.INVALID_PARAMETER:
            refusal = Refusal(refusal.fault, refusal.detail, field)
        return await _again(platform, visit, refusal)
    return visit.go(f"{HERE}/{account_id}", "cap")


async def set_cap(platform: Platform, visit: Visit) -> Response:
    account_id, written = visit.request.path_params["id"], visit.field("cap")
    try:
        cap = accounts.credits_of(written) if written else None
        await allowances.set_cap(platform, visit.caller, account_id, cap)
    except Refusal as refusal:
        if refusal.fault is Fault.INVALID_PARAMETER:
            refusal = Refusal(refusal.fault, refusal.detail, "cap")
        return await _again(platform, visit, refusal)
    return visit.go(f"{HERE}/{account_id}", "cap")
