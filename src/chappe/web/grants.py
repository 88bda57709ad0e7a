"""The page of programs that the account has let in (OAuth 2), where that is ended."""

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.programs import EndGrant, ListGrants
from chappe.services import programs
from chappe.services.ports import Platform
from chappe.web.consent import SCOPES
from chappe.web.visits import Visit, for_members

PATH = "/lines/programs"


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route(PATH, for_members(platform, page), methods=["GET"]),
        Route(PATH + "/{id:int}/end", for_members(platform, end), methods=["POST"]),
    ]


async def page(platform: Platform, visit: Visit) -> Response:
    """Who is in, and for what."""
    known = await programs.list_grants(platform, visit.caller, ListGrants())
    shown = [(one, [visit.say(SCOPES[scope]) for scope in one.grant.scopes.split()]) for one in known]
    return visit.page("grants.html", here="lines", grants=shown)


async def end(platform: Platform, visit: Visit) -> Response:
    """Its tokens are good no more from now on."""
    await programs.end_grant(platform, visit.caller, EndGrant(visit.request.path_params["id"]))
    return visit.go(PATH, "access-ended")
