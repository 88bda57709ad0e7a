"""What an account may send, for those who use it: bases of advertising, senders, destinations, the cap."""

import re

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.errors import Fault, Refusal
from chappe.model.rights import EVERYBODY, ListConsents, RecordConsents, RemoveSender, WithdrawConsent
from chappe.model.rules import Basis
from chappe.services import allowances, consents
from chappe.services.ports import Platform
from chappe.web.visits import Visit, for_members

HERE = "/account/rights"
_AT_ONCE = 20


def routes(platform: Platform) -> list[BaseRoute]:
    def post(path: str, handler: object) -> Route:
        return Route(HERE + path, for_members(platform, handler), methods=["POST"])  # type: ignore[arg-type]

    return [
        Route(HERE, for_members(platform, rights_page), methods=["GET"]),
        post("/consents", record),
        post("/consents/withdraw", withdraw),
        post("/senders/remove", remove_sender),
    ]


async def rights_page(platform: Platform, visit: Visit) -> Response:
    return await _page(platform, visit)


async def _page(platform: Platform, visit: Visit, refusal: Refusal | None = None) -> Response:
    """The page; after a refusal with the form as it was sent, and what is the matter."""
    return visit.page(
        "rights.html",
        422 if refusal else 200,
        here="account",
        again=HERE if refusal else "",
        consents=await consents.list_consents(
            platform, visit.caller, ListConsents("", visit.cursor(), _AT_ONCE)
        ),
        cursor=visit.cursor(),
        everybody=EVERYBODY,
        bases=list(Basis),
        may=await allowances.read_own(platform, visit.caller),
        brake=platform.rules.brake,
        registered=platform.rules.senders_registered,
        typed=visit.field,
        trouble=visit.trouble(refusal) if refusal else None,
    )


async def record(platform: Platform, visit: Visit) -> Response:
    numbers = tuple(one.strip() for one in re.split("[,;\n]", visit.field("numbers")) if one.strip())
    try:
        asked = visit.field("basis", Basis.CONSENT)
        if asked not in list(Basis):
            raise Refusal(Fault.INVALID_PARAMETER, f"{asked[:40]!r} is no basis", "basis")
        command = RecordConsents(numbers, Basis(asked), visit.field("source"))
        await consents.record_consents(platform, visit.caller, command)
    except Refusal as refusal:
        return await _page(platform, visit, refusal)
    return visit.go(HERE, "recorded")


async def withdraw(platform: Platform, visit: Visit) -> Response:
    await consents.withdraw_consent(platform, visit.caller, WithdrawConsent(visit.field("number")))
    return visit.go(HERE, "withdrawn")


async def remove_sender(platform: Platform, visit: Visit) -> Response:
    await consents.remove_sender(platform, visit.caller, RemoveSender(visit.field("sender")))
    return visit.go(HERE, "released")
